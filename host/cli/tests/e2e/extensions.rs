//! Extensions come, change and go while requests are served.

use crate::http::Answer;
use crate::mule::{self, donkey};
use crate::occi::{NOTE, body};
use crate::server::{self, Options, Server, eventually, extensions};
use occi_guest::Guest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A server that has the extension `note` alone, and its folder.
fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(extensions().join("note.wasm"), folder.path().join("note.wasm")).unwrap();
    (Server::of(&folder, ""), folder)
}

fn put(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(folder.path().join(name), bytes).unwrap();
}

/// `occi ext` on a server; what it prints, or its error.
pub(crate) fn ext(server: &Server, args: &[&str]) -> Result<String, String> {
    server::ext(&[&["--data", server.data().to_str().unwrap()], args].concat())
}

fn list(server: &Server) -> Value {
    serde_json::from_str(&ext(server, &["list", "--json"]).unwrap()).unwrap()
}

fn version(server: &Server, name: &str) -> Option<String> {
    let list = list(server);
    let listed = list["extensions"].as_array().unwrap().iter().find(|listed| listed["name"] == name)?;
    Some(listed["version"].as_str().unwrap().to_owned())
}

fn serves(server: &Server, path: &str) -> bool {
    server.get(path).send().status == 200
}

#[test]
fn a_file_is_followed() {
    let (server, folder) = server();
    let note = server.note("a");
    server.get("/stable/donkey/").answers(404);
    put(&folder, "donkey.wasm", donkey("1.0.0"));
    eventually("it serves", || serves(&server, "/stable/donkey/"));
    let donkey_path = mule::animal(&server, "/stable/donkey/1", false);
    put(&folder, "donkey.wasm", &donkey("2.0.0")[..500]);
    eventually("it is refused", || list(&server)["refused"][0]["file"] == "donkey.wasm");
    server.post(&format!("{donkey_path}?action=walk")).text(mule::walk("donkey")).answers(200);
    put(&folder, "donkey.wasm", donkey("2.0.0"));
    eventually("it is replaced", || version(&server, "donkey").as_deref() == Some("2.0.0"));
    assert_eq!(mule::state(&server, &donkey_path), "walks");
    // It has an entity, so it stays although its file goes.
    std::fs::remove_file(folder.path().join("donkey.wasm")).unwrap();
    eventually("it is said", || ext(&server, &["list"]).unwrap().contains("its file is gone"));
    server.get(&donkey_path).answers(200);
    server.delete(&donkey_path).answers(200);
    assert_eq!(ext(&server, &["remove", "donkey"]).unwrap(), "donkey is removed\n");
    server.get("/stable/donkey/").answers(404);
    server.get(&note).answers(200);
}

#[test]
fn an_operator_installs_and_rolls_back() {
    let (mut server, folder) = server();
    let file = |version: &str| {
        let path = folder.path().join(format!("new-{version}"));
        std::fs::write(&path, donkey(version)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    assert_eq!(ext(&server, &["install", &file("1.0.0")]).unwrap(), "donkey 1.0.0 is active\n");
    let path = mule::animal(&server, "/stable/donkey/1", false);
    assert_eq!(ext(&server, &["install", &file("1.1.0")]).unwrap(), "donkey 1.1.0 is active\n");
    assert_eq!(ext(&server, &["rollback", "donkey"]).unwrap(), "donkey 1.0.0 is active\n");
    assert!(Path::new(&folder.path().join("donkey.wasm")).exists());
    let refused = ext(&server, &["disable", "donkey"]).unwrap_err();
    assert!(refused.contains("/stable/donkey/1"), "{refused}");
    assert_eq!(
        ext(&server, &["disable", "donkey", "--leave-entities"]).unwrap(),
        "donkey 1.0.0 is disabled\n"
    );
    server.get(&path).answers(200);
    server.post(&path).text(body(&[], &["com.example.mule.stubborn=true"])).answers(503);
    server.kill();
    server.begin();
    assert!(ext(&server, &["list"]).unwrap().contains("disabled"));
    assert_eq!(ext(&server, &["enable", "donkey"]).unwrap(), "donkey 1.0.0 is active\n");
    server.post(&path).text(body(&[], &["com.example.mule.stubborn=true"])).answers(200);
    // What is wrong is said so that it can be mended.
    let text = folder.path().join("text");
    std::fs::write(&text, "[extension]\nname = \"x\"\n").unwrap();
    let refused = ext(&server, &["install", text.to_str().unwrap()]).unwrap_err();
    assert!(refused.contains("version"), "{refused}");
    assert!(ext(&server, &["rollback", "x/y"]).unwrap_err().contains("there are donkey, note"));
    assert!(ext(&server, &["install", "/no/such"]).unwrap_err().contains("/no/such"));
}

/// Replaced over and over while clients create, read, change and delete: each request is answered as if nothing happened.
#[test]
fn no_request_is_lost_while_an_extension_is_replaced() {
    let (server, folder) = server();
    put(&folder, "donkey.wasm", donkey("1.0.0"));
    eventually("it serves", || serves(&server, "/stable/donkey/"));
    let versions: Vec<_> = (1..=20).map(|number| format!("1.0.{number}")).collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (server, is_over) = (&server, &is_over);
            scope.spawn(move || {
                let mut rounds = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let path = format!("/stable/donkey/{client}");
                    mule::animal(server, &path, false);
                    server.post(&format!("{path}?action=walk")).text(mule::walk("donkey")).answers(200);
                    assert_eq!(mule::state(server, &path), "walks");
                    server.delete(&path).answers(200);
                    rounds += 1;
                }
                assert!(rounds > 0);
            });
        }
        for number in &versions {
            put(&folder, "donkey.wasm", donkey(number));
            eventually("it is replaced", || version(&server, "donkey").as_ref() == Some(number));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    eventually("older versions are retired", || list(&server)["extensions"][0]["draining"] == 0);
}

/// SIGKILL while versions come one after the other: what serves afterwards is one of them, whole, and says so.
#[test]
fn killed_while_an_extension_is_replaced() {
    let (mut server, folder) = server();
    put(&folder, "donkey.wasm", donkey("1.0.0"));
    eventually("it serves", || serves(&server, "/stable/donkey/"));
    let path = mule::animal(&server, "/stable/donkey/1", false);
    for round in 1..=8_u32 {
        let number = format!("1.0.{round}");
        put(&folder, "donkey.wasm", donkey(&number));
        std::thread::sleep(std::time::Duration::from_millis(u64::from(round) * 7));
        server.kill();
        server.begin();
        eventually("the folder is followed", || version(&server, "donkey").as_ref() == Some(&number));
        let answer: Answer = server.get(&path).answers(200);
        assert!(answer.body.contains("donkey"));
    }
}

/// Nobody is taken for another publisher by the names of his categories.
#[test]
fn a_scheme_is_one_publishers() {
    let (server, folder) = server();
    let deeds = |publisher: &str| {
        let manifest = occi_guest::manifest(&format!("publisher = {publisher:?}"));
        Guest::deeds().manifest(manifest.replace("example.com/occi#", "example.com/occi/note#")).build()
    };
    put(&folder, "deeds.wasm", deeds("example.net"));
    eventually("it is refused", || list(&server)["refused"][0]["file"] == "deeds.wasm");
    let why = ext(&server, &["list"]).unwrap();
    assert!(why.contains("http://example.com/occi/note# is example.com's, by the extension note"), "{why}");
    put(&folder, "deeds.wasm", deeds("example.com"));
    eventually("it serves", || serves(&server, "/deed/"));
}

/// Also while it is switched off: neither clients nor other publishers take it, by whichever of its names.
#[test]
fn the_scheme_of_one_that_is_switched_off_is_kept() {
    let (mut server, folder) = server();
    let note = server
        .post("/note/")
        .text(body(&[NOTE], &["com.example.note.text=\"mine\""]))
        .answers(201)
        .location();
    ext(&server, &["disable", "note", "--leave-entities"]).unwrap();
    let define = |server: &Server, scheme: &str| {
        let tag = format!("Category: red; scheme=\"{scheme}\"; class=\"mixin\"; location=\"/tags/red/\"");
        server.post("/-/").text(tag).send()
    };
    let stay_away = |server: &Server| {
        for scheme in ["http://example.com/occi/note#", "https://Example.com/occi/note/action#"] {
            let answer = define(server, scheme).is(409);
            assert!(answer.body.contains("extension note"), "{answer}");
        }
    };
    stay_away(&server);
    let manifest = occi_guest::manifest("publisher = \"example.net\"");
    let manifest = manifest.replace("http://example.com/occi#", "https://example.com/occi/note/action#");
    put(&folder, "deeds.wasm", Guest::deeds().manifest(manifest).build());
    eventually("it is refused", || list(&server)["refused"][0]["file"] == "deeds.wasm");
    server.stop();
    server.begin();
    stay_away(&server);
    eventually("it is refused again", || list(&server)["refused"][0]["file"] == "deeds.wasm");

    ext(&server, &["forget", &note]).unwrap();
    ext(&server, &["remove", "note"]).unwrap();
    define(&server, "http://example.com/occi/note#").is(200);
    eventually("it serves", || serves(&server, "/deed/"));
}

/// Who comes before the start is tried like everybody else.
#[test]
fn one_that_cannot_begin_does_not_serve_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let deeds = Guest::deeds();
    let body = deeds.body.clone() + "(func $boom unreachable) (start $boom)";
    put(&folder, "deeds.wasm", Guest { body, ..deeds }.build());
    let server = Server::of(&folder, "");
    let refused = &list(&server)["refused"][0];
    assert!(refused["file"] == "deeds.wasm" && refused["stage"] == "probed", "{refused}");
    server.get("/deed/").answers(404);
}

/// A few kilobytes of code that take the compiler minutes and gigabytes; with each number others.
fn costly(number: usize) -> Vec<u8> {
    let (deeds, variables, loops) = (Guest::deeds(), 2000, 250);
    let steps = (0..variables).map(|number| {
        format!(
            "(local.set {number} (i64.add (local.get {number}) (local.get {})))",
            (number + 1) % variables
        )
    });
    let costly = format!(
        "(func (export \"costly\") (local {}) {} {} {})",
        "i64 ".repeat(variables),
        "(loop ".repeat(loops),
        steps.collect::<String>(),
        "(br_if 0 (i32.wrap_i64 (local.get 0))))".repeat(loops),
    );
    Guest { body: deeds.body.clone() + &costly + &"(func)".repeat(number), ..deeds }.build()
}

/// The compiler gives it up, and it keeps nobody waiting.
#[test]
fn what_takes_the_compiler_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(&folder, "[sandbox]\ncompile-seconds = 1\n");
    put(&folder, "costly.wasm", costly(0));
    eventually("it is looked at", || list(&server)["preparing"][0] == "costly.wasm");
    assert!(ext(&server, &["list"]).unwrap().contains("costly.wasm is being checked, compiled and tried"));
    server.get("/-/").answers(200);
    eventually("it is refused", || list(&server)["refused"][0]["file"] == "costly.wasm");
    let why = ext(&server, &["list"]).unwrap();
    assert!(why.contains("takes more than 1 s of computing to be compiled"), "{why}");
    put(&folder, "deeds.wasm", Guest::deeds().build());
    eventually("another serves", || serves(&server, "/deed/"));
}

/// Nor is what waits for the compiler, and others come and go meanwhile.
#[test]
fn what_is_corrected_while_others_are_compiled_serves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(&folder, "[sandbox]\ncompile-seconds = 600\n");
    let is_prepared =
        |name: &str| list(&server)["preparing"].as_array().unwrap().iter().any(|file| file == name);
    let files = ["one.wasm", "two.wasm", "three.wasm"];
    for (number, file) in files.iter().enumerate() {
        put(&folder, file, costly(number));
    }
    eventually("they are looked at", || files.iter().all(|file| is_prepared(file)));
    // All have had their second, so that two of them wait for the third.
    std::thread::sleep(Duration::from_secs(5));
    put(&folder, "three.wasm", Guest::deeds().build());
    std::fs::remove_file(folder.path().join("two.wasm")).unwrap();
    eventually("the other serves", || serves(&server, "/deed/"));
    eventually("nobody wants it", || !is_prepared("two.wasm"));
    assert!(is_prepared("one.wasm"));
    std::fs::remove_file(folder.path().join("three.wasm")).unwrap();
    eventually("it is gone", || !serves(&server, "/deed/"));
    assert!(is_prepared("one.wasm"));
}

/// Neither after a start, where all that changed meanwhile is looked at.
#[test]
fn a_start_follows_each_file_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let lamp = |version: &str| format!("[extension]\nname = \"lamp\"\nversion = \"{version}\"\n");
    put(&folder, "deeds.wasm", Guest::deeds().build());
    put(&folder, "lamp.toml", lamp("1.0.0"));
    let mut server = Server::of(&folder, "[sandbox]\ncompile-seconds = 600\n");
    server.kill();
    put(&folder, "deeds.wasm", costly(0));
    put(&folder, "lamp.toml", lamp("2.0.0"));
    server.begin();
    eventually("the next version serves", || {
        let listed = list(&server);
        listed["extensions"].as_array().unwrap().iter().any(|one| one["version"] == "2.0.0")
    });
    let listed = list(&server);
    assert_eq!(listed["preparing"], serde_json::json!(["deeds.wasm"]), "{listed}");
    assert!(serves(&server, "/deed/"));
}

/// The folder may be named from where the server was started.
#[test]
fn a_file_is_replaced_in_a_folder_by_a_relative_path() {
    let folder = tempfile::tempdir().unwrap();
    let up = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect::<PathBuf>();
    let extensions = Some(up.join(folder.path().strip_prefix("/").unwrap()));
    put(&folder, "deeds.wasm", Guest::deeds().build());
    let server = Server::with(Options { extensions, ..Options::default() });
    let was = list(&server)["extensions"][0]["digest"].clone();
    let deeds = Guest::deeds();
    put(&folder, "deeds.wasm", Guest { body: deeds.body.clone() + "(func)", ..deeds }.build());
    eventually("the next version serves", || list(&server)["extensions"][0]["digest"] != was);
    assert!(list(&server)["refused"].as_array().unwrap().is_empty());
}

#[test]
fn what_goes_while_it_is_compiled_is_compiled_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(&folder, "[sandbox]\ncompile-seconds = 600\n");
    let prepares = || !list(&server)["preparing"].as_array().unwrap().is_empty();
    put(&folder, "costly.wasm", costly(0));
    eventually("it is looked at", prepares);
    std::fs::remove_file(folder.path().join("costly.wasm")).unwrap();
    eventually("nobody wants it", || !prepares());
    // Nor what it was, when it is something else.
    put(&folder, "costly.wasm", costly(0));
    eventually("it is looked at again", prepares);
    put(&folder, "costly.wasm", Guest::deeds().build());
    eventually("the other serves", || serves(&server, "/deed/"));
    let listed = list(&server);
    assert!(listed["refused"].as_array().unwrap().is_empty(), "{listed}");
}

/// Without a server: what a file says of itself, and whether one would take it.
#[test]
fn a_file_is_checked_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let ext = server::ext;
    let note = extensions().join("note.wasm");
    let note = note.to_str().unwrap();
    let inspected = ext(&["inspect", note]).unwrap();
    assert!(inspected.starts_with("note 0.1.0 of example.com\n"), "{inspected}");
    assert!(inspected.contains("\nKind http://example.com/occi/note#note at /note/\n"), "{inspected}");
    let checked = ext(&["check", note]).unwrap();
    assert!(checked.starts_with(&inspected) && checked.contains("A server takes it"), "{checked}");

    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let config = file("occi.toml", b"capabilities = [\"logging\"]\n");
    let infrastructure = extensions().join("infrastructure.wasm");
    let refused = ext(&["check", infrastructure.to_str().unwrap(), "--config", &config]).unwrap_err();
    assert!(refused.contains("add \"machines\" to `capabilities` in the configuration"), "{refused}");
    let text = file("text.toml", b"[extension]\nname = \"x\"\n");
    assert!(ext(&["check", &text]).unwrap_err().contains("version"));
    let part = file("part.wasm", &donkey("1.0.0")[..500]);
    assert!(ext(&["inspect", &part]).unwrap_err().contains("part.wasm"));
    assert!(ext(&["check", "/no/such"]).unwrap_err().contains("/no/such"));
}

/// Entities stay what they are: resources, at a place, with Mixins that go together.
#[test]
fn what_makes_others_of_its_entities_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"
        [extension]
        name = "lamp"
        version = "1.0.0"
        [[kind]]
        term = "lamp"
        scheme = "http://example.com/occi/lamp#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/lamp/"
        [[mixin]]
        term = "shade"
        scheme = "http://example.com/occi/lamp#"
        location = "/shade/"
        [[mixin]]
        term = "red"
        scheme = "http://example.com/occi/lamp#"
        location = "/shade/red/"
        depends = ["http://example.com/occi/lamp#shade"]
        [[mixin]]
        term = "blue"
        scheme = "http://example.com/occi/lamp#"
        location = "/shade/blue/"
        depends = ["http://example.com/occi/lamp#shade"]
    "#;
    put(&folder, "lamp.toml", manifest);
    let server = Server::of(&folder, "");
    let category = |term: &str, class: &str| {
        format!(r#"Category: {term}; scheme="http://example.com/occi/lamp#"; class="{class}""#)
    };
    let [lamp, red, blue] =
        [("lamp", "kind"), ("red", "mixin"), ("blue", "mixin")].map(|(t, c)| category(t, c));
    let lamp = server.post("/lamp/").text(body(&[&lamp, &red, &blue], &[])).answers(201).location();
    let install = |changed: String| {
        let file = folder.path().join("next");
        std::fs::write(&file, changed.replace("1.0.0", "2.0.0")).unwrap();
        ext(&server, &["install", file.to_str().unwrap()])
    };
    for (from, to, expected) in [
        ("core#resource", "core#link", "would be links"),
        ("location = \"/lamp/\"", "", "has no instances"),
        ("location = \"/shade/\"", "location = \"/shade/\"\nexclusive = true", "exclude each other"),
    ] {
        let refused = install(manifest.replace(from, to)).unwrap_err();
        assert!(refused.contains(expected) && refused.contains(&lamp), "{refused}");
    }
    install(manifest.to_owned()).unwrap();
}

/// What a server would refuse for what is in the file alone is said without one.
#[test]
fn what_contradicts_itself_is_found_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let check = |parent: &str, depends: &str| {
        let manifest = format!(
            r#"
            [extension]
            name = "lamp"
            version = "1.0.0"
            [[kind]]
            term = "lamp"
            scheme = "http://example.com/occi/lamp#"
            parent = "{parent}"
            location = "/lamp/"
            [[mixin]]
            term = "shade"
            scheme = "http://example.com/occi/lamp#"
            location = "/shade/"
            depends = ["{depends}"]
            "#
        );
        let file = folder.path().join("lamp.toml");
        std::fs::write(&file, manifest).unwrap();
        server::ext(&["check", file.to_str().unwrap()])
    };
    let (resource, other) = ("http://schemas.ogf.org/occi/core#resource", "http://example.net/other#one");
    for (parent, depends, expected) in [
        ("http://schemas.ogf.org/occi/core#resorce", other, "core#resorce, which is not known"),
        ("http://schemas.ogf.org/occi/core#entity", other, "lead neither to"),
        ("http://example.com/occi/lamp#lmap", other, "lamp#lmap, which is not known"),
        ("http://example.com/occi/lamp#lamp", other, "lead neither to"),
        (resource, "http://example.com/occi/lamp#shade", "lead back to it"),
    ] {
        let refused = check(parent, depends).unwrap_err();
        assert!(refused.contains(expected) && !refused.contains(other), "{refused}");
    }
    let taken = check(resource, other).unwrap();
    assert!(taken.contains(&format!("A server takes it that has {other}; to compile")), "{taken}");
}
