//! Extensions as OCCI resources: plain requests list, install, replace, roll back, switch off and on, and remove them.

use crate::http::{Answer, Request};
use crate::mule::{self, donkey};
use crate::occi::body;
use crate::server::{Server, eventually, extensions, run};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use occi_guest::boxes::{COLOR, COLOUR, manifest, renaming};
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;

const KIND: &str = r#"Category: extension; scheme="http://example.org/occi/extension#"; class="kind""#;
const KIND_ID: &str = "http://example.org/occi/extension#extension";

/// A server with the note and what makes resources of extensions, and its folder.
fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["note.wasm", "extensions.wasm"] {
        std::fs::copy(extensions().join(name), folder.path().join(name)).unwrap();
    }
    let server = Server::of(&folder, "");
    eventually("all are there", || server.get("/extension/").answers(200).lines().len() == 2);
    (server, folder)
}

fn attribute(name: &str, value: &str) -> String {
    format!("org.example.extension.{name}={value}")
}

/// A body that gives these bytes.
fn content(bytes: impl AsRef<[u8]>) -> String {
    let content = format!("{:?}", STANDARD.encode(bytes));
    body(&[KIND], &[&attribute("content", &content)])
}

fn install(server: &Server, bytes: impl AsRef<[u8]>) -> Request {
    server.post("/extension/").text(content(bytes))
}

fn act(server: &Server, path: &str, term: &str, attributes: &[&str]) -> Request {
    let category =
        format!(r#"Category: {term}; scheme="http://example.org/occi/extension/action#"; class="action""#);
    server.post(&format!("{path}?action={term}")).text(body(&[&category], attributes))
}

/// What an entity shows of its extension, without quotes.
fn shown(server: &Server, path: &str, name: &str) -> Option<String> {
    let answer = server.get(path).send();
    let name = format!("org.example.extension.{name}");
    Some(answer.attribute(&name)?.trim_matches('"').to_owned())
}

#[track_caller]
fn comes_to(server: &Server, path: &str, name: &str, value: &str) {
    eventually(&format!("{path}: {name} is {value}"), || shown(server, path, name).as_deref() == Some(value));
}

/// A new one of that version, in service.
#[track_caller]
fn installed(server: &Server, version: &str) -> String {
    let path = install(server, donkey(version)).answers(201).location();
    comes_to(server, &path, "state", "active");
    path
}

#[track_caller]
fn refused(answer: &Answer, status: u16, reason: &str) {
    assert!(answer.status == status && answer.body.contains(reason), "wanted {status} {reason}\n{answer}");
}

#[test]
fn what_serves_is_listed() {
    let (server, _folder) = server();
    let mut paths = server.get("/extension/").answers(200).locations();
    paths.sort();
    assert_eq!(paths, ["/extension/extensions", "/extension/note"]);
    let note = server.get("/extension/note").accept("application/json").answers(200).json();
    let attributes = &note["attributes"];
    let told = |name: &str| &attributes[format!("org.example.extension.{name}")];
    assert_eq!(
        [told("name"), told("version"), told("publisher"), told("state"), told("file")],
        ["note", "0.1.0", "example.com", "active", "note.wasm"].map(|text| json!(text)).each_ref()
    );
    assert_eq!((told("capabilities"), told("digest").as_str().unwrap().len()), (&json!([]), 64));
    let own = server.get("/extension/extensions").accept("application/json").answers(200).json();
    assert_eq!(own["attributes"]["org.example.extension.capabilities"], json!(["extensions"]));
    // How often it was called is seen a little later.
    server.note("a");
    comes_to(&server, "/extension/note", "calls", "1");
    comes_to(&server, "/extension/note", "failures", "0");
}

#[test]
fn installed_replaced_and_rolled_back() {
    let (server, folder) = server();
    let path = installed(&server, "1.0.0");
    assert_eq!(shown(&server, &path, "content"), None);
    assert!(folder.path().join("donkey.wasm").exists());
    let animal = mule::animal(&server, "/stable/donkey/1", false);
    // A new version, and back, and forth again; in JSON as well.
    server.post(&path).text(content(donkey("1.1.0"))).answers(200);
    comes_to(&server, &path, "version", "1.1.0");
    comes_to(&server, &path, "state", "active");
    assert_eq!(shown(&server, &path, "previous").as_deref(), Some("1.0.0"));
    act(&server, &path, "rollback", &[]).answers(200);
    comes_to(&server, &path, "version", "1.0.0");
    comes_to(&server, &path, "state", "active");
    let rollback = json!({"action": "http://example.org/occi/extension/action#rollback"});
    server.post(&format!("{path}?action=rollback")).json(&rollback).answers(200);
    comes_to(&server, &path, "version", "1.1.0");
    comes_to(&server, &path, "state", "active");
    let next = json!({"kind": KIND_ID, "attributes": {
        "org.example.extension.content": STANDARD.encode(donkey("1.2.0")),
    }});
    server.put(&path).json(&next).answers(200);
    comes_to(&server, &path, "version", "1.2.0");
    comes_to(&server, &path, "state", "active");
    // The same once more is nothing to do.
    let again = server.put(&path).json(&next).answers(200).json();
    assert_eq!(again["attributes"]["org.example.extension.state"], "active");
    assert_eq!(again["attributes"]["org.example.extension.previous"], "1.1.0");
    server.get(&animal).answers(200);
    // It is there already.
    let answer = install(&server, donkey("2.0.0")).send();
    refused(&answer, 409, "change that one");
}

#[test]
fn switched_off_and_on_and_removed() {
    let (mut server, folder) = server();
    let path = installed(&server, "1.0.0");
    let animal = mule::animal(&server, "/stable/donkey/1", false);
    refused(&act(&server, &path, "disable", &[]).send(), 409, "/stable/donkey/1");
    refused(&server.delete(&path).send(), 409, "1 of its entities exist");
    assert_eq!(shown(&server, &path, "state").as_deref(), Some("active"));
    act(&server, &path, "disable", &["leave_entities=true"]).answers(200);
    comes_to(&server, &path, "state", "disabled");
    server.post(&animal).text(body(&[], &["com.example.mule.stubborn=true"])).answers(503);
    server.kill_and_restart();
    eventually("it is as it was", || shown(&server, &path, "state").as_deref() == Some("disabled"));
    act(&server, &path, "enable", &[]).answers(200);
    comes_to(&server, &path, "state", "active");
    server.post(&animal).text(body(&[], &["com.example.mule.stubborn=false"])).answers(200);
    server.delete(&animal).answers(200);
    act(&server, &path, "disable", &[]).answers(200);
    comes_to(&server, &path, "state", "disabled");
    server.delete(&path).answers(200);
    server.get(&path).answers(404);
    eventually("it is gone", || !folder.path().join("donkey.wasm").exists());
    // And it can come again.
    let path = installed(&server, "1.0.0");
    server.delete(&path).answers(200);
    eventually("it does not serve", || server.get("/stable/donkey/").send().status == 404);
}

#[test]
fn what_cannot_be_installed_is_refused_with_its_reason() {
    let (server, folder) = server();
    refused(&server.post("/extension/").text(KIND).send(), 400, "in Base64");
    let body_of = |text: &str| body(&[KIND], &[&attribute("content", &format!("{text:?}"))]);
    refused(&server.post("/extension/").text(body_of("?")).send(), 400, "RFC 4648");
    refused(&install(&server, &donkey("1.0.0")[..500]).send(), 400, "component");
    refused(&install(&server, "[extension]\nname = \"x\"\n").send(), 400, "version");
    refused(&install(&server, mule::trespasser()).send(), 400, "add [capabilities.networks]");
    let clash = r#"
        [extension]
        name = "clash"
        version = "1.0.0"
        publisher = "example.com"
        [[kind]]
        term = "note"
        scheme = "http://example.com/occi/note#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/clash/"
    "#;
    refused(&install(&server, clash).send(), 409, "http://example.com/occi/note#note");
    // Another extension's bytes are no new version of this one.
    refused(&server.post("/extension/note").text(content(donkey("1.0.0"))).send(), 409, "donkey");
    // A version that its entities do not fit.
    server.note("a");
    let poor = clash.replace("clash", "note").replace("1.0.0", "9.0.0");
    refused(&server.post("/extension/note").text(content(poor)).send(), 409, "com.example.note.text");
    refused(&act(&server, "/extension/note", "rollback", &[]).send(), 409, "never replaced");
    refused(&install(&server, vec![b'#'; 1 << 20]).send(), 413, "larger than");
    assert_eq!(shown(&server, "/extension/note", "version").as_deref(), Some("0.1.0"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    assert_eq!(server.get("/extension/").answers(200).lines().len(), 2);
}

/// Who makes resources of extensions does not take itself away; its operator can, and then nothing is left of it.
#[test]
fn it_does_not_end_itself() {
    let (server, _folder) = server();
    let own = "/extension/extensions";
    refused(&act(&server, own, "disable", &["leave_entities=true"]).send(), 409, "occi ext");
    refused(&server.delete(own).send(), 409, "occi ext");
    refused(&server.delete("/extension/").send(), 409, "occi ext");
    // Whoever ends all that there is means what clients have made.
    let note = server.note("a");
    server.delete("/").answers(200);
    server.get(&note).answers(404);
    server.get("/extension/note").answers(200);
    let data = server.data();
    let output = run(&["ext", "--data", data.to_str().unwrap(), "remove", "extensions"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.get("/extension/").answers(404);
    server.get("/extension/note").answers(404);
    assert_eq!(server.get("/").answers(200).body.trim(), "");
    server.note("a");
}

#[test]
fn what_comes_and_goes_otherwise_is_followed() {
    let (server, folder) = server();
    let file = folder.path().join("donkey.wasm");
    std::fs::write(&file, donkey("1.0.0")).unwrap();
    comes_to(&server, "/extension/donkey", "state", "active");
    std::fs::write(&file, donkey("1.1.0")).unwrap();
    comes_to(&server, "/extension/donkey", "version", "1.1.0");
    std::fs::remove_file(&file).unwrap();
    eventually("it is gone", || server.get("/extension/donkey").send().status == 404);
    // Its path is another's by then.
    let path = server.put("/extension/donkey").text(content(MANIFEST)).answers(201).location();
    comes_to(&server, &path, "name", "lamp");
    std::fs::write(&file, donkey("1.0.0")).unwrap();
    eventually("it has another path", || server.get("/extension/").answers(200).lines().len() == 4);
    // It was there when the server came up: the same entity as before.
    let before = server.get("/extension/").answers(200).body;
    let mut server = server;
    server.kill_and_restart();
    assert_eq!(
        before.replace("http://", "").split('/').skip(1).collect::<Vec<_>>().len(),
        server.get("/extension/").answers(200).body.replace("http://", "").split('/').skip(1).count()
    );
    // A file that is gone while its extension has entities.
    mule::animal(&server, "/stable/donkey/1", false);
    std::fs::remove_file(&file).unwrap();
    let donkey = || {
        let paths = server.get("/extension/").answers(200).locations();
        paths.into_iter().find(|path| shown(&server, path, "name").as_deref() == Some("donkey"))
    };
    let path = donkey().unwrap();
    eventually("it is said", || {
        shown(&server, &path, "problem").is_some_and(|problem| problem.contains("its file is gone"))
    });
}

const MANIFEST: &str = r#"
    [extension]
    name = "lamp"
    version = "1.0.0"
    [[kind]]
    term = "lamp"
    scheme = "http://example.com/occi/home#"
    parent = "http://schemas.ogf.org/occi/core#resource"
    location = "/lamp/"
"#;

/// What was acknowledged comes to be, whenever the server is killed after that.
#[test]
fn killed_before_it_is_done() {
    let (mut server, _folder) = server();
    for round in 0..6_u64 {
        let mut path = None;
        // Where it goes still, the answer is to ask again.
        eventually("it is installed", || {
            let answer = install(&server, donkey("1.0.0")).send();
            path = (answer.status == 201).then(|| answer.location());
            path.is_some()
        });
        let path = path.unwrap();
        std::thread::sleep(Duration::from_millis(round));
        server.kill_and_restart();
        comes_to(&server, &path, "state", "active");
        assert_eq!(shown(&server, &path, "version").as_deref(), Some("1.0.0"));
        server.post(&path).text(content(donkey("1.1.0"))).answers(200);
        std::thread::sleep(Duration::from_millis(round));
        server.kill_and_restart();
        comes_to(&server, &path, "version", "1.1.0");
        comes_to(&server, &path, "state", "active");
        act(&server, &path, "rollback", &[]).answers(200);
        std::thread::sleep(Duration::from_millis(round));
        server.kill_and_restart();
        comes_to(&server, &path, "version", "1.0.0");
        comes_to(&server, &path, "state", "active");
        assert_eq!(shown(&server, &path, "previous").as_deref(), Some("1.1.0"), "back once, not twice");
        server.delete(&path).answers(200);
        std::thread::sleep(Duration::from_millis(round));
        server.kill_and_restart();
        eventually("it is gone", || server.get("/stable/donkey/").send().status == 404);
        assert_eq!(server.get("/extension/").answers(200).lines().len(), 2);
    }
    let staged = server.data().join("staged");
    eventually("nothing is left", || std::fs::read_dir(&staged).unwrap().count() == 0);
}

/// The request does not wait until all entities are tried.
#[test]
fn a_version_that_is_long_in_bringing_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(extensions().join("extensions.wasm"), folder.path().join("extensions.wasm")).unwrap();
    std::fs::write(folder.path().join("box.toml"), manifest("1.0.0", COLOUR, "")).unwrap();
    let server = Server::of(&folder, "[sandbox]\ntimeout-ms = 5000\n");
    let slow = |number: usize| json!({ "kind": "http://example.com/occi#box", "attributes": { COLOUR: format!("slow {number}") } });
    let boxes: Vec<_> = (0..150).map(slow).collect();
    server.post("/box/").json(&json!({ "resources": boxes })).answers(201);
    let path = "/extension/box";
    comes_to(&server, path, "state", "active");
    server.post(path).text(content(renaming("2.0.0").build())).answers(200);
    assert_eq!(shown(&server, path, "state").as_deref(), Some("changing"));
    comes_to(&server, path, "version", "2.0.0");
    comes_to(&server, path, "state", "active");
    let listed = server.get("/box/").accept("application/json").answers(200).json();
    let boxes = listed["resources"].as_array().unwrap();
    assert!(boxes.len() == 150 && boxes.iter().all(|one| one["attributes"].get(COLOR).is_some()));
}

/// Of several who install, one does; of several who go back, one goes back, and the others are told.
#[test]
fn several_clients_at_once() {
    let (server, _folder) = server();
    let all = |request: &(dyn Fn() -> Answer + Sync)| {
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..4).map(|_| scope.spawn(request)).collect();
            clients.into_iter().map(|client| client.join().unwrap().status).collect::<Vec<_>>()
        })
    };
    let mut statuses = all(&|| install(&server, donkey("1.0.0")).send());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    let path = server.get("/extension/").answers(200).locations().into_iter();
    let path =
        path.into_iter().find(|path| !path.ends_with("note") && !path.ends_with("extensions")).unwrap();
    comes_to(&server, &path, "state", "active");
    server.post(&path).text(content(donkey("1.1.0"))).answers(200);
    comes_to(&server, &path, "version", "1.1.0");
    comes_to(&server, &path, "state", "active");
    let statuses = all(&|| act(&server, &path, "rollback", &[]).send());
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    let times = statuses.iter().filter(|status| **status == 200).count();
    let version = if times % 2 == 1 { "1.0.0" } else { "1.1.0" };
    assert!(times > 0);
    comes_to(&server, &path, "state", "active");
    comes_to(&server, &path, "version", version);
}

/// What makes resources of extensions is one itself, and takes a new version by its own hand.
#[test]
fn its_own_version() {
    let (server, folder) = server();
    let own = std::fs::read(folder.path().join("extensions.wasm")).unwrap();
    let next = with_version(own, "0.1.0", "0.1.1");
    server.post("/extension/extensions").text(content(next)).answers(200);
    comes_to(&server, "/extension/extensions", "version", "0.1.1");
    comes_to(&server, "/extension/extensions", "state", "active");
    act(&server, "/extension/extensions", "rollback", &[]).answers(200);
    comes_to(&server, "/extension/extensions", "version", "0.1.0");
    comes_to(&server, "/extension/extensions", "state", "active");
    assert_eq!(shown(&server, "/extension/note", "state").as_deref(), Some("active"));
}

/// The same component with another version, of the same length, in its manifest.
fn with_version(mut component: Vec<u8>, was: &str, version: &str) -> Vec<u8> {
    let line = format!("version = \"{was}\"");
    let at = component.windows(line.len()).position(|bytes| bytes == line.as_bytes()).unwrap();
    component.splice(at..at + line.len(), format!("version = \"{version}\"").into_bytes());
    component
}

/// The operator says who may do all this.
#[test]
fn only_who_is_named_administers() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["note.wasm", "extensions.wasm"] {
        std::fs::copy(extensions().join(name), folder.path().join(name)).unwrap();
    }
    let server = Server::of(&folder, "administrators = []\n");
    server.get("/extension/").answers(404);
    server.note("a");
    eventually("it is said", || server.log().contains("add \"extensions\" to `administrators`"));
}
