//! The suite by TLS: a proxy ends it before the real server, which names https:// URLs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use occi_conformance::{Error, Options, Outcome, Trust, run};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::proxy::{Answer, Asked, Door, Fault, Proxy};
use crate::server::Server;
use crate::{ids, outcome};

/// A certificate for localhost that nobody has signed, as a file, and what has its key.
fn certificate(folder: &TempDir) -> (PathBuf, TlsAcceptor) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = folder.path().join("authority.pem");
    let der = own.cert.der().clone();
    std::fs::write(&path, pem::encode(&pem::Pem::new("CERTIFICATE", der.to_vec()))).unwrap();
    let key = PrivateKeyDer::try_from(own.key_pair.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der], key)
        .unwrap();
    (path, TlsAcceptor::from(Arc::new(config)))
}

#[test]
fn all_is_asked_by_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, tls) = certificate(&folder);
    let door = Door::secure(tls);
    let server = Server::known_as(&door.url());
    let by_tls_alone = |_: &Asked, answer: &mut Answer| assert!(!answer.text().contains("http://localhost"));
    let proxy = Proxy::behind(door, server.address(), Fault::in_answers(by_tls_alone));
    let options = Options { trust: Trust::WebAnd(authority), ..Options::of(proxy.endpoint()) };
    let report = run(&options).unwrap();
    assert_eq!(ids(&report), BTreeSet::new());
    assert_eq!(outcome(&report, "HTTP-36"), Outcome::Passed);
    assert_eq!(outcome(&report, "HTTP-31"), Outcome::Passed);
    assert!(!report.unchecked);
    assert!(server.entities().is_empty(), "the suite removes what it makes");
}

/// TXT-09 wants both. Credentials go to the endpoint, whichever way its answers write that.
#[test]
fn tls_with_authentication() {
    let guard = |asked: &mut Asked| {
        let mut refusal = Answer::empty(401);
        refusal.set("www-authenticate", "Basic realm=\"conformance\"");
        (asked.header("authorization") != "Basic dTpw").then_some(refusal)
    };
    let folder = tempfile::tempdir().unwrap();
    let (authority, tls) = certificate(&folder);
    let door = Door::secure(tls);
    let server = Server::known_as(&door.url());
    let proxy = Proxy::behind(door, server.address(), Fault::in_requests(guard));
    let report = run(&Options {
        trust: Trust::WebAnd(authority),
        headers: vec!["Authorization: Basic dTpw".into()],
        only: vec!["TXT-09".into(), "HTTP-24".into()],
        ..Options::of(proxy.endpoint().replace("localhost", "LocalHost"))
    });
    let report = report.unwrap();
    assert_eq!(outcome(&report, "TXT-09"), Outcome::Passed);
    assert_eq!(outcome(&report, "HTTP-24"), Outcome::Passed);
}

#[test]
fn whoever_is_not_trusted_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (_, tls) = certificate(&folder);
    let proxy = Proxy::behind(Door::secure(tls), "127.0.0.1:1", Fault::in_requests(|_| panic!("asked")));
    let report = run(&Options::of(proxy.endpoint()));
    assert!(matches!(report, Err(Error::Distrusted { .. })), "{report:?}");
}

#[test]
fn a_report_says_that_certificates_were_not_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (_, tls) = certificate(&folder);
    let nothing = Fault::in_requests(|_| Some(Answer::empty(404)));
    let proxy = Proxy::behind(Door::secure(tls), "127.0.0.1:1", nothing);
    let only = vec!["HTTP-36".into()];
    let report = run(&Options { trust: Trust::Anybody, only, ..Options::of(proxy.endpoint()) }).unwrap();
    assert_eq!(outcome(&report, "HTTP-36"), Outcome::Passed);
    for text in [report.table(), report.markdown()] {
        assert!(text.contains("Certificates were not checked"), "{text}");
    }
    assert!(report.json().contains("\"unchecked\": true"));
}
