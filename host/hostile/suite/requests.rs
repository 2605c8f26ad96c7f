//! Attacks on servers elsewhere, and by them.

use super::server::{GRANTED, Servers};
use super::{SANDBOX, attack, attacker, beside_a_note, is_contained, start};
use crate::server::Server;
use tempfile::TempDir;

/// Names for places that the operator did not mean, although he allows the names.
const ELSEWHERE: [&str; 14] = [
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[::127.0.0.1]",
    "169.254.169.254",
    "[fd00:ec2::254]",
];

fn world() -> (Servers, Server, TempDir) {
    let servers = Servers::start();
    let port = servers.port;
    let origins: Vec<_> = ELSEWHERE
        .iter()
        .map(|host| format!("\"http://{host}:{port}\""))
        .chain([format!("\"http://{GRANTED}:{port}\"")])
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("token");
    std::fs::write(&secret, "s3cret\n").unwrap();
    let config = format!(
        "{SANDBOX}[http.attacker]\nallow = [{}]\naddresses = [\"{GRANTED}\"]\nsecrets = {{ token = \"{}\" }}\n",
        origins.join(", "),
        secret.display()
    );
    let (server, extensions) = start(&config);
    (servers, server, extensions)
}

#[test]
fn what_is_granted_is_reached_and_secrets_are_put_in() {
    let (servers, server, _folder) = world();
    let (path, url) = (attacker(&server), format!("http://{GRANTED}:{}/page", servers.port));
    let asked =
        attack(&server, &path, "ask", &[("url", &url), ("header", "authorization: Bearer {{token}}")]);
    let told = asked.is(200);
    let told = told.attribute("com.example.hostile.text").unwrap();
    assert!(
        told.contains("200 GET /page HTTP/1.1") && told.contains("authorization: Bearer s3cret"),
        "{told}"
    );
    assert!(!server.log().contains("s3cret"));
}

#[test]
fn no_other_place_is_reached_however_it_is_named() {
    let (servers, server, _folder) = world();
    let path = attacker(&server);
    beside_a_note(&server, || {
        for host in ELSEWHERE {
            let url = format!("http://{host}:{}/", servers.port);
            let answer = attack(&server, &path, "ask", &[("url", &url)]);
            let reason = "an address that the operator does not let extensions reach";
            is_contained(&answer, 403, reason).unwrap_or_else(|what| panic!("{url}: {what}"));
        }
        let port = servers.port;
        for url in [
            // Not by a redirect, nor another port, scheme or name, nor what only begins or ends like a name that is granted.
            format!("http://{GRANTED}:{port}/redirect"),
            format!("http://{GRANTED}:{}/", port.wrapping_add(1)),
            format!("https://{GRANTED}:{port}/"),
            format!("http://{GRANTED}.example.com:{port}/"),
            format!("http://{GRANTED}@127.0.0.1:{port}/"),
            format!("http://user:word@{GRANTED}:{port}/"),
            "http://example.com/".to_owned(),
        ] {
            let answer = attack(&server, &path, "ask", &[("url", &url)]);
            let reason = "the operator does not let the extension ask that server";
            is_contained(&answer, 403, reason).unwrap_or_else(|what| panic!("{url}: {what}"));
        }
    });
    assert_eq!(servers.trespassers(), 0);
}

#[test]
fn a_request_says_nothing_that_is_the_hosts_to_say() {
    let (servers, server, _folder) = world();
    let (path, url) = (attacker(&server), format!("http://{GRANTED}:{}/", servers.port));
    for (header, status) in [
        ("host: example.com", 400),
        ("connection: upgrade", 400),
        ("transfer-encoding: chunked", 400),
        ("x: a\r\nhost: example.com", 400),
        ("x: {{other}}", 403),
        ("x: {{token", 403),
    ] {
        let answer = attack(&server, &path, "ask", &[("url", &url), ("header", header)]);
        is_contained(&answer, status, "").unwrap_or_else(|what| panic!("{header:?}: {what}"));
    }
}

/// A server that never answers, answers without end, or gets no end of a request costs the one who asked it.
#[test]
fn hostile_servers_cost_those_who_ask_them() {
    let (servers, server, _folder) = world();
    let path = attacker(&server);
    beside_a_note(&server, || {
        for (action, page, status, reason) in [
            ("ask", "silence", 503, "3000 ms of waiting"),
            ("read-all", "endless", 500, ""),
            ("ask", "headers", 500, ""),
            ("ask-slowly", "", 500, ""),
        ] {
            let url = format!("http://{GRANTED}:{}/{page}", servers.port);
            let answer = attack(&server, &path, action, &[("url", &url)]);
            is_contained(&answer, status, reason).unwrap_or_else(|what| panic!("{page}: {what}"));
        }
        let url = format!("http://{GRANTED}:{}/", servers.port);
        let told = attack(&server, &path, "ask-often", &[("url", &url)]).is(200);
        assert!(told.attribute("com.example.hostile.text").unwrap().contains("16 answers, then"), "{told}");
    });
}
