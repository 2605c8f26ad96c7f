//! Versions that attack whoever brings entities over to them.

use super::beside_a_note;
use crate::occi::tag;
use crate::server::{Server, eventually, ext, extensions};
use occi_guest::boxes::{COLOR, COLOUR, manifest, renaming};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// So many that it takes far longer to try all than this test lasts.
const BOXES: usize = 400;

const BOX: &str = "http://example.com/occi#box";
const LAMP: &str = "[extension]\nname = \"lamp\"\nversion = \"1.0.0\"\n";

/// Puts a file into a folder, whole.
fn put(folder: &TempDir, file: &str, content: impl AsRef<[u8]>) {
    let beside = folder.path().join(".beside");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, folder.path().join(file)).unwrap();
}

fn list(server: &Server) -> Value {
    serde_json::from_str(&asked(server, &["list", "--json"]).unwrap()).unwrap()
}

fn asked(server: &Server, arguments: &[&str]) -> Result<String, String> {
    let data = server.data();
    ext(&[&["--data", data.to_str().unwrap()], arguments].concat())
}

fn install(server: &Server, file: &Path) -> Result<String, String> {
    asked(server, &["install", file.to_str().unwrap()])
}

/// A box that takes its time.
fn slow(number: usize) -> Value {
    json!({ "kind": BOX, "attributes": { COLOUR: format!("slow {number}") } })
}

/// A server with the note and many of these, and its folder.
fn filled() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    put(&folder, "box.toml", manifest("1.0.0", COLOUR, ""));
    std::fs::copy(extensions().join("note.wasm"), folder.path().join("note.wasm")).unwrap();
    let server = Server::of(&folder, "");
    server.post("/box/").json(&json!({ "resources": (0..BOXES).map(slow).collect::<Vec<_>>() })).answers(201);
    (server, folder)
}

fn count(server: &Server) -> usize {
    list(server)["extensions"].as_array().unwrap().len()
}

/// One that comes under another name, and waits until the file before it is gone.
#[test]
fn one_in_the_place_of_another_file_keeps_nobody_back() {
    let (server, folder) = filled();
    put(&folder, "box-2.wasm", renaming("2.0.0").build());
    eventually("it is refused", || list(&server)["refused"][0]["file"] == "box-2.wasm");
    std::fs::remove_file(folder.path().join("box.toml")).unwrap();
    eventually("it is tried", || list(&server)["preparing"] == json!(["box-2.wasm"]));
    put(&folder, "lamp.toml", LAMP);
    eventually("another comes", || count(&server) == 3);
    std::fs::remove_file(folder.path().join("lamp.toml")).unwrap();
    eventually("and goes", || count(&server) == 2);
    assert_eq!(list(&server)["preparing"], json!(["box-2.wasm"]), "{}", list(&server));
}

/// It fails nowhere and takes its time everywhere: nobody else waits for it, and whoever has put it there can take it back.
#[test]
fn a_migrate_that_takes_its_time_keeps_nobody_back() {
    let (mut server, folder) = filled();
    let is_tried = |server: &Server| list(server)["preparing"] == json!(["box.toml"]);
    put(&folder, "box.toml", renaming("2.0.0").build());
    eventually("it is tried", || is_tried(&server));
    beside_a_note(&server, || {
        server.post("/-/").text(tag("red")).answers(200);
        let one = server.post("/box/").json(&json!({ "resources": [slow(BOXES)] })).answers(201).location();
        server.post("/tags/red/").text(format!("X-OCCI-Location: {one}")).answers(200);
        server.delete(&one).answers(200);
        server.delete("/-/").text(tag("red")).answers(200);
        let other = tempfile::tempdir().unwrap();
        put(&other, "lamp.toml", LAMP);
        assert_eq!(install(&server, &other.path().join("lamp.toml")).unwrap(), "lamp 1.0.0 is active\n");
        asked(&server, &["disable", "lamp"]).unwrap();
        asked(&server, &["remove", "lamp"]).unwrap();
        let forgotten = asked(&server, &["forget", &format!("{BOX}-of-nobody")]).unwrap();
        assert!(forgotten.contains('0'), "{forgotten}");
        put(&folder, "lamp.toml", LAMP);
        eventually("another comes by the folder", || count(&server) == 3);
    });
    assert!(is_tried(&server), "all of that was meant to be done meanwhile: {}", list(&server));

    put(&folder, "box.toml", manifest("1.0.0", COLOUR, ""));
    eventually("it is not tried any more", || !is_tried(&server));
    let listed = list(&server);
    assert_eq!((&listed["refused"], &listed["extensions"][0]["version"]), (&json!([]), &json!("1.0.0")));

    // Nor does the server wait for it when it is to end.
    put(&folder, "box.toml", renaming("2.0.0").build());
    eventually("it is tried", || is_tried(&server));
    assert!(server.stop().success());
    assert!(!server.log().contains("did not end in time"), "{}", server.log());
    put(&folder, "box.toml", manifest("1.0.0", COLOUR, ""));
    server.begin();
    let boxes = server.get("/box/").accept("application/occi+json").answers(200).json();
    let boxes = boxes["resources"].as_array().unwrap();
    assert!(boxes.len() == BOXES && boxes.iter().all(|one| one["attributes"].get(COLOR).is_none()));
}
