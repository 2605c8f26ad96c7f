//! examples/dns-record, a Kind in Python: what a record is, which can be beside each other, and what the server of a zone is
//! told. Few servers for all: an interpreter comes with the extension, and to compile it takes seconds.

use crate::elsewhere::{Asked, Elsewhere};
use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, eventually, extensions};
use serde_json::{Value, json};
use tempfile::TempDir;

const RECORD: &str = r#"Category: dns-record; scheme="http://example.com/occi/dns#"; class="kind""#;

fn attributes(name: &str, of: &str, value: &str) -> [String; 4] {
    [("zone", "example.com"), ("name", name), ("type", of), ("value", value)]
        .map(|(term, value)| format!("com.example.dns.{term}={}", serde_json::json!(value)))
}

fn put(server: &Server, path: &str, [name, of, value]: [&str; 3]) -> Answer {
    let attributes = attributes(name, of, value);
    server.put(path).text(body(&[RECORD], &attributes.each_ref().map(String::as_str))).send()
}

fn line(server: &Server, path: &str) -> String {
    let answer = server.get(path).answers(200);
    let line = answer.attribute("com.example.dns.line").expect("a record has a line");
    serde_json::from_str(line).unwrap()
}

#[test]
fn records_are_checked_and_written_as_a_zone_file_has_them() {
    let folder = with_extension();
    let server = Server::of(&folder, "");
    each_type_has_its_line(&server);
    what_is_no_record_is_refused(&server);
    an_alias_stands_alone(&server);
    of_several_at_once_one_is_made(&server);
}

fn with_extension() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let built = extensions().with_file_name("optional-extensions").join("dns-record.wasm");
    std::fs::copy(built, folder.path().join("dns-record.wasm")).expect("`cargo xtask test` makes it");
    folder
}

fn each_type_has_its_line(server: &Server) {
    for (path, record, expected) in [
        ("/dns-record/a", ["www", "A", "192.0.2.1"], "www.example.com. 3600 IN A 192.0.2.1"),
        ("/dns-record/aaaa", ["www", "AAAA", "2001:DB8:0::1"], "www.example.com. 3600 IN AAAA 2001:db8::1"),
        (
            "/dns-record/mx",
            ["@", "MX", "10 Mail.example.com"],
            "example.com. 3600 IN MX 10 mail.example.com.",
        ),
        (
            "/dns-record/cname",
            ["ftp", "CNAME", "www.example.com."],
            "ftp.example.com. 3600 IN CNAME www.example.com.",
        ),
        (
            "/dns-record/txt",
            ["_dmarc", "TXT", "v=DMARC1; p=\"none\""],
            "_dmarc.example.com. 3600 IN TXT \"v=DMARC1; p=\\\"none\\\"\"",
        ),
    ] {
        put(server, path, record).is(201);
        assert_eq!(line(server, path), expected);
    }
    server.post("/dns-record/a").text(body(&[], &["com.example.dns.ttl=60"])).answers(200);
    assert_eq!(line(server, "/dns-record/a"), "www.example.com. 60 IN A 192.0.2.1");
}

fn what_is_no_record_is_refused(server: &Server) {
    for (record, named) in [
        (["x", "A", "192.0.2.256"], "value"),
        (["x", "AAAA", "fe80::1%eth0"], "value"),
        (["x", "MX", "mail.example.com"], "value"),
        (["@", "CNAME", "www.example.com"], "name"),
        (["-", "TXT", "hello"], "name"),
    ] {
        let refused = put(server, "/dns-record/none", record).is(400);
        assert!(refused.body.contains(&format!("(com.example.dns.{named})")), "{refused}");
    }
    server.get("/dns-record/none").answers(404);
}

fn an_alias_stands_alone(server: &Server) {
    for (record, named) in [
        (["ftp", "A", "192.0.2.1"], "type"),
        (["www", "CNAME", "ftp.example.com"], "type"),
        (["WWW", "A", "192.0.2.1"], "value"),
    ] {
        let refused = put(server, "/dns-record/other", record).is(409);
        assert!(refused.body.contains(&format!("(com.example.dns.{named})")), "{refused}");
    }
    // What was renamed, or is gone, is in nobody's way.
    server.post("/dns-record/cname").text(body(&[], &["com.example.dns.name=\"files\""])).answers(200);
    put(server, "/dns-record/other", ["ftp", "A", "192.0.2.1"]).is(201);
    server.delete("/dns-record/other").answers(200);
    put(server, "/dns-record/other", ["ftp", "CNAME", "www.example.com"]).is(201);
}

fn of_several_at_once_one_is_made(server: &Server) {
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let made: Vec<_> = (0..4)
            .map(|i| {
                let path = format!("/dns-record/race-{i}");
                scope.spawn(move || put(server, &path, ["race", "CNAME", "www.example.com"]).status)
            })
            .collect();
        made.into_iter().map(|each| each.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|each| **each == status).count();
    assert_eq!((count(201), count(409)), (1, 3), "{statuses:?}");
}

/// A zone's server, which has example.com and will not have 192.0.2.66.
fn zones() -> Elsewhere {
    Elsewhere::start(|asked| {
        if asked.path != "/api/v1/servers/localhost/zones/example.com." {
            return (404, json!({"error": "Not Found"}).to_string());
        }
        if asked.body.contains("192.0.2.66") {
            return (422, json!({"error": "not that address"}).to_string());
        }
        (204, String::new())
    })
}

/// What the one request since the last time of asking would change.
fn changed(zones: &Elsewhere) -> Value {
    let asked = zones.asked();
    let [Asked { method, headers, body, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(method, "PATCH");
    assert!(headers.contains(&"x-api-key: s3cret".into()), "{headers:?}");
    serde_json::from_str::<Value>(body).unwrap()["rrsets"].take()
}

fn set(ttl: u32, addresses: &[&str]) -> Value {
    let records: Vec<_> =
        addresses.iter().map(|address| json!({"content": address, "disabled": false})).collect();
    json!([{"name": "www.example.com.", "type": "A", "changetype": "REPLACE", "ttl": ttl, "records": records}])
}

#[test]
fn a_server_has_the_zones_as_the_records_are() {
    let (folder, secrets) = (with_extension(), tempfile::tempdir().unwrap());
    let zones = zones();
    let grant = zones.grant("dns-record", secrets.path());
    let config = |url: &str| format!("[settings.dns-record]\nserver = \"{url}\"\n{grant}");
    let mut server = Server::of(&folder, &config(&zones.url()));
    what_is_made_changed_and_deleted_is_sent(&server, &zones);
    what_the_server_refuses_is_refused(&server, &zones);

    // A server that was killed says again what holds, since it may have been cut short.
    put(&server, "/dns-record/one", ["www", "A", "192.0.2.1"]).is(201);
    zones.asked();
    server.kill_and_restart();
    eventually("the record is sent again", || !zones.asked().is_empty());

    // Nobody serves port 1.
    server
        .set_config(&config("http://127.0.0.1:1").replace("allow = [", "allow = [\"http://127.0.0.1:1\", "));
    server.restart();
    put(&server, "/dns-record/two", ["www", "A", "192.0.2.2"]).is(503);
    server.get("/dns-record/two").answers(404);
    server.set_config(&config(&zones.url()));
    server.restart();
    server.delete("/dns-record/one").answers(200);
    server.get("/dns-record/one").answers(404);
}

fn what_is_made_changed_and_deleted_is_sent(server: &Server, zones: &Elsewhere) {
    put(server, "/dns-record/one", ["www", "A", "192.0.2.1"]).is(201);
    assert_eq!(changed(zones), set(3600, &["192.0.2.1"]));
    put(server, "/dns-record/two", ["www", "A", "192.0.2.2"]).is(201);
    assert_eq!(changed(zones), set(3600, &["192.0.2.1", "192.0.2.2"]));
    server.post("/dns-record/one").text(body(&[], &["com.example.dns.ttl=60"])).answers(200);
    assert_eq!(changed(zones), set(60, &["192.0.2.1", "192.0.2.2"]));
    server.delete("/dns-record/one").answers(200);
    assert_eq!(changed(zones), set(3600, &["192.0.2.2"]));
    server.delete("/dns-record/two").answers(200);
    assert_eq!(changed(zones), json!([{"name": "www.example.com.", "type": "A", "changetype": "DELETE"}]));
}

fn what_the_server_refuses_is_refused(server: &Server, zones: &Elsewhere) {
    let refused = put(server, "/dns-record/one", ["www", "A", "192.0.2.66"]).is(400);
    assert!(refused.body.contains("refuses (422): not that address"), "{refused}");
    let [_, name, of, value] = attributes("www", "A", "192.0.2.1");
    let elsewhere = ["com.example.dns.zone=\"example.net\"", &name, &of, &value];
    let refused = server.put("/dns-record/one").text(body(&[RECORD], &elsewhere)).answers(409);
    assert!(refused.body.contains("(404): Not Found (com.example.dns.zone)"), "{refused}");
    server.get("/dns-record/one").answers(404);
    // What may have been begun is taken back.
    assert!(zones.asked().iter().any(|asked| asked.body.contains("DELETE")));
}
