//! A version that names an attribute otherwise, where there are ten thousand entities with it.

use crate::server::{PATIENCE, Server, ext};
use occi_guest::boxes::{COLOR, COLOUR, manifest, renaming};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const BOXES: usize = 10_000;

/// A server with that many boxes of the first version, and the folder of its extensions.
fn filled() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("box.toml"), manifest("1.0.0", COLOUR, "")).unwrap();
    let server = Server::of(&folder, "");
    let one = |number: usize| json!({ "kind": "http://example.com/occi#box", "attributes": { COLOUR: format!("red {number}") } });
    for batch in 0..BOXES / 1000 {
        let boxes: Vec<_> = (0..1000).map(|number| one(1000 * batch + number)).collect();
        server.post("/box/").json(&json!({ "resources": boxes })).answers(201);
    }
    (server, folder)
}

/// `occi ext install` of a file; what it prints, or its error.
fn install(data: &Path, file: &str, bytes: &[u8]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::write(&path, bytes).unwrap();
    ext(&["--data", data.to_str().unwrap(), "install", path.to_str().unwrap()])
}

/// How many boxes have the attribute of the first version, and that of the second; all else of them is as it was.
fn counts(server: &Server) -> (usize, usize) {
    let listing = server.get("/box/").accept("application/occi+json").answers(200).json();
    let boxes = listing["resources"].as_array().unwrap();
    let having = |name: &str| {
        let expected = |number: usize| Value::from(format!("red {number}"));
        let values = boxes.iter().map(|found| &found["attributes"][name]);
        values.enumerate().filter(|(number, value)| **value == expected(*number)).count()
    };
    (having(COLOUR), having(COLOR))
}

#[test]
fn ten_thousand_entities_are_brought_over_or_none() {
    let (server, _folder) = filled();
    // Without a way over, with the list of what it would break.
    let refused = install(&server.data(), "box.toml", manifest("3.0.0", COLOR, "").as_bytes()).unwrap_err();
    assert!(
        refused.contains(&format!("{BOXES} entities do not fit it: the attribute {COLOUR}")),
        "{refused}"
    );
    assert!(refused.contains("such as /box/") && refused.contains("`occi:extension/migrate`"), "{refused}");
    // One of all cannot be brought over.
    let last =
        json!({ "resources": [{ "kind": "http://example.com/occi#box", "attributes": { COLOUR: "trap" } }] });
    let trap = server.post("/box/").json(&last).answers(201).location();
    let refused = install(&server.data(), "box.wasm", &renaming("2.0.0").build()).unwrap_err();
    assert!(refused.contains("wasm `unreachable`"), "{refused}");
    assert_eq!(counts(&server), (BOXES, 0));
    server.delete(&trap).answers(200);
    assert_eq!(
        install(&server.data(), "box.wasm", &renaming("2.0.0").build()).unwrap(),
        "box 2.0.0 is active\n"
    );
    assert_eq!(counts(&server), (0, BOXES));
    let refused = install(&server.data(), "box.toml", manifest("3.0.0", COLOUR, "").as_bytes()).unwrap_err();
    assert!(refused.contains(&format!("{BOXES} entities do not fit it")), "{refused}");
    assert_eq!(counts(&server), (0, BOXES));
}

/// Killed at any moment of it, the server is at one version or the other, with all entities.
#[test]
fn killed_while_ten_thousand_entities_are_brought_over() {
    let (mut server, _folder) = filled();
    let second = renaming("2.0.0").build();
    let mut moment = Duration::from_millis(50);
    let began = Instant::now();
    while counts(&server) == (BOXES, 0) {
        assert!(began.elapsed() < 4 * PATIENCE, "it is never done");
        let data = server.data();
        std::thread::scope(|scope| {
            let installed = scope.spawn(|| install(&data, "box.wasm", &second));
            std::thread::sleep(moment);
            server.kill();
            // It may have been told of the end, or not.
            _ = installed.join().unwrap();
        });
        server.begin();
        moment = moment * 3 / 2;
    }
    assert_eq!(counts(&server), (0, BOXES));
}
