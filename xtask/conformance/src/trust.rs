//! Whom the suite takes for the endpoint, where that is spoken to by TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::error::Error;

/// Whose certificates are believed.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Those of the authorities that browsers trust.
    #[default]
    Web,
    /// Those as well of the authorities in this file, certificates in PEM; a private cloud has its own.
    WebAnd(PathBuf),
    /// Everybody's: certificates are not checked, and a report says so.
    Anybody,
}

impl Trust {
    pub(crate) fn tls(&self) -> Result<TlsConfig, Error> {
        let mut authorities: Vec<_> =
            webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|one| Certificate::from_der(one)).collect();
        if let Self::WebAnd(path) = self {
            authorities.extend(read(path)?);
        }
        Ok(TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::from(authorities))
            .disable_verification(matches!(self, Self::Anybody))
            .build())
    }
}

/// The certificates in a file. Whatever else is there, such as a key, is passed over; a file without any is a mistake.
fn read(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let wrong = |why: String| Error::Authorities { path: path.to_owned(), why };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(wrong("there is no certificate in it".into())) } else { Ok(found) }
}

/// Why the other side was not believed, where that is why nothing came.
pub(crate) fn disbelief(error: &ureq::Error) -> Option<String> {
    let tls = match error {
        ureq::Error::Rustls(tls) => tls,
        ureq::Error::Io(io) => io.get_ref()?.downcast_ref()?,
        _ => return None,
    };
    match tls {
        rustls::Error::InvalidCertificate(why) => Some(why.to_string()),
        _ => None,
    }
}
