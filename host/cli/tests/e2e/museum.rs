//! Extensions of published versions of the contract (host/museum), as they were built then, in today's host.

use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, eventually, extensions};
use serde_json::Value;
use std::process::Command;
use tempfile::TempDir;

const EXHIBIT: &str = r#"Category: exhibit; scheme="http://example.com/museum#"; class="kind""#;
const ROPE: &str = r#"Category: rope; scheme="http://example.com/museum#"; class="kind""#;
const TOUR: &str = r#"Category: tour; scheme="http://example.com/museum/action#"; class="action""#;
const CONFIG: &str = "[settings.exhibit]\ngreeting = \"hello\"\n";

fn built() -> Vec<u8> {
    let file = extensions().with_file_name("test-extensions").join("exhibit-0-1-0.wasm");
    std::fs::read(file).expect("`cargo xtask test` makes it")
}

fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("exhibit.wasm"), built()).unwrap();
    (Server::of(&folder, CONFIG), folder)
}

fn exhibit(server: &Server, attributes: &[&str]) -> String {
    server.post("/exhibit/").text(body(&[EXHIBIT], attributes)).answers(201).location()
}

fn tour(server: &Server, path: &str, part: &str) -> Vec<String> {
    let part = format!("part={part:?}");
    report(&server.post(&format!("{path}?action=tour")).text(body(&[TOUR], &[&part])).answers(200))
}

fn report(answer: &Answer) -> Vec<String> {
    let report = answer.attribute("com.example.exhibit.report").unwrap_or_else(|| panic!("{answer}"));
    // An array is JSON in a text.
    let report: String = serde_json::from_str(report).unwrap();
    serde_json::from_str(&report).unwrap()
}

#[test]
fn the_life_of_an_entity() {
    let (server, _folder) = server();
    let one = exhibit(&server, &["com.example.exhibit.integer=7"]);
    let shown = server.get(&one).answers(200);
    assert_eq!(shown.attribute("com.example.exhibit.state"), Some("\"shown\""));
    assert_eq!(shown.attribute("com.example.exhibit.message"), Some("\"made\""));
    eventually("it is observed", || {
        server.get(&one).answers(200).attribute("com.example.exhibit.cause") == Some("\"timer\"")
    });
    let updated = server.post(&one).text(body(&[], &["com.example.exhibit.number=0.5"])).answers(200);
    assert_eq!(report(&updated), ["update: com.example.exhibit.number on 4"]);
    assert_eq!(updated.attribute("com.example.exhibit.cause"), None);
    assert_eq!(updated.attribute("com.example.exhibit.message"), None);
    let refused =
        server.post("/exhibit/").text(body(&[EXHIBIT], &["occi.core.title=\"refused\""])).answers(400);
    assert!(
        refused.body.contains("another title, please") && refused.body.contains("occi.core.title"),
        "{refused}"
    );
    server.delete(&one).answers(200);
}

#[test]
fn what_a_capability_was_published_as_it_still_is() {
    let (server, _folder) = server();
    let one = exhibit(
        &server,
        &[
            "com.example.exhibit.integer=7",
            "com.example.exhibit.number=0.5",
            "com.example.exhibit.boolean=true",
        ],
    );
    let two = exhibit(&server, &["com.example.exhibit.array=[1]"]);
    let ends = [format!("occi.core.source={one:?}"), format!("occi.core.target={two:?}")];
    let rope = server.post("/rope/").text(body(&[ROPE], &[&ends[0], &ends[1]])).answers(201).location();
    assert_eq!(report(&server.get(&rope).answers(200)), ["source: missing", "target: missing"]);

    let seen = tour(&server, &two, "hypervisor");
    assert_eq!(
        seen,
        [
            "network.define: ok",
            "network.open: ok",
            "network.up: ok",
            "network.active: true",
            "volume.create: ok",
            "volume.open: ok",
            "volume.resize: ok",
            "volume.capacity: 2147483648",
            "machine.define: ok",
            "machine.open: ok",
            "machine.attach-volume: vda",
            "machine.detach-volume: ok",
            "machine.attach-network: ok",
            "nic: eth0 52:54:00:00:00:07",
            "machine.reserve-address: ok",
            "machine.state: off",
            "machine.start: ok",
            "machine.reason: booted",
            "machine.pause: ok",
            "machine.start: ok",
            "machine.snapshot: ok",
            "machine.save: ok",
            "machine.start: ok",
            "machine.reboot: ok",
            "machine.reset: ok",
            "machine.start: ok",
            "machine.shutdown: ok",
            "machine.power-off: ok",
            "machine.detach-network: ok",
            "machine.remove: ok",
            "volume.remove: ok",
            "network.down: ok",
            "network.remove: ok",
        ]
    );
    let seen = tour(&server, &one, "store");
    assert_eq!(
        seen,
        [
            "entity.id: 45",
            &format!("entity.location: {one}"),
            "entity.kind: http://example.com/museum#exhibit",
            "entity.mixins: ",
            "entity.state: shown",
            "entity.ends: false",
            "com.example.exhibit.boolean: boolean true",
            "com.example.exhibit.integer: integer 7",
            "com.example.exhibit.message: text made",
            "com.example.exhibit.number: number 0.5",
            "com.example.exhibit.state: text shown",
            "entities.find: true",
            "listing.members: 2",
            "listing.links-from: http://example.com/museum#rope",
            "listing.links-to: ",
            "bucket.get: v",
            "bucket.exists: false",
            "bucket.list-keys: k",
            "bucket.delete: false",
            "folder.read: content",
            "folder.names: a",
            "folder.remove: true",
            "folder.write: invalid",
        ]
    );
    assert_eq!(
        tour(&server, &one, "system"),
        [
            "poll: 1",
            "pollable.ready: true",
            "monotonic-clock: true",
            "wall-clock: true",
            "config.get: hello",
            "config.get-all: 1",
            "random: true",
            "insecure: true",
            "insecure-seed: true",
        ]
    );
    assert!(server.log().contains("was here"));
    assert_eq!(tour(&server, &one, "web"), ["handle: ErrorCode::HttpRequestDenied"]);
}

/// The next version of the same extension: its manifest calls an attribute otherwise, and its code brings that over.
#[test]
fn it_migrates() {
    let (server, folder) = server();
    let one = exhibit(&server, &["com.example.exhibit.old=\"kept\""]);
    let bytes = built();
    let at = bytes.windows(13).rposition(|window| window == b"occi:manifest").unwrap();
    let (code, manifest) = bytes.split_at(at);
    let manifest = String::from_utf8(manifest.to_vec()).unwrap();
    let next = manifest
        .replacen("version = \"0.1.0\"", "version = \"0.2.0\"", 1)
        .replace("exhibit.old", "exhibit.new");
    let file = folder.path().join("next");
    std::fs::write(&file, [code, next.as_bytes()].concat()).unwrap();
    let said = Command::new(crate::server::OCCI)
        .args(["ext", "--data", server.data().to_str().unwrap(), "install", file.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "exhibit 0.2.0 is active\n", "{said:?}");
    let shown = server.get(&one).accept("application/occi+json").answers(200).json();
    assert_eq!(shown["attributes"]["com.example.exhibit.new"], "kept");
    assert_eq!(shown["attributes"]["com.example.exhibit.old"], Value::Null);
    assert_eq!(shown["attributes"]["com.example.exhibit.message"], "migrated from 0.1.0");
}
