//! What the operator lets one extension reach.

use super::address;
use super::origin::Origin;
use http::Uri;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// What one extension may reach by HTTP.
pub struct HttpGrant {
    allow: Vec<Origin>,
    addresses: Vec<IpNet>,
    secrets: BTreeMap<String, String>,
    tls: Arc<ClientConfig>,
}

impl HttpGrant {
    /// A grant for these servers, where they have public addresses or one of `addresses`; with the secrets that headers may
    /// name, and with certificates of authorities that are trusted beside those of the web.
    pub fn new<'c>(
        allow: Vec<Origin>,
        addresses: Vec<IpNet>,
        secrets: BTreeMap<String, String>,
        authorities: impl IntoIterator<Item = CertificateDer<'c>>,
    ) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        for authority in authorities {
            roots.add(authority)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { allow, addresses, secrets, tls: Arc::new(tls) })
    }

    pub(super) fn allows(&self, uri: &Uri) -> bool {
        self.allow.iter().any(|origin| origin.covers(uri))
    }

    pub(super) fn reaches(&self, address: IpAddr) -> bool {
        address::is_reached(address, &self.addresses)
    }

    pub(super) fn secrets(&self) -> &BTreeMap<String, String> {
        &self.secrets
    }

    pub(super) fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls)
    }
}

impl fmt::Debug for HttpGrant {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.secrets.keys().collect();
        f.debug_struct("HttpGrant")
            .field("allow", &self.allow)
            .field("addresses", &self.addresses)
            .field("secrets", &names)
            .finish_non_exhaustive()
    }
}
