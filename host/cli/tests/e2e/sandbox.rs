//! Guests that do what they must not: each costs its own request alone, and the client and the log are told which
//! extension it was.

use crate::occi::{NOTE, body};
use crate::server::{Server, eventually, extensions};
use occi_guest::Guest;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::TempDir;

const DEED: &str = r#"Category: deed; scheme="http://example.com/hostile#"; class="kind""#;
const CURSED: &str = r#"Category: cursed; scheme="http://example.com/cursed#"; class="kind""#;
const ACTION: &str = "http://example.com/hostile/action#";

/// A server with the note, a guest with hostile actions, and one whose every entity is a trap.
fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, guest: &Guest| std::fs::write(folder.path().join(name), guest.build()).unwrap();
    std::fs::copy(extensions().join("note.wasm"), folder.path().join("note.wasm")).unwrap();
    put("hostile.wasm", &Guest::deeds().manifest(hostile()));
    put(
        "cursed.wasm",
        &Guest {
            world: "import occi:extension/types@0.1.0; export occi:extension/lifecycle@0.1.0;",
            body: CURSE.into(),
            manifest: Some(manifest("cursed", "cursed")),
        },
    );
    (Server::of(&folder, "[sandbox]\ndeadline-ms = 100\n"), folder)
}

fn manifest(extension: &str, term: &str) -> String {
    format!(
        "[extension]\nname = \"{extension}\"\nversion = \"0.1.0\"\n[[kind]]\nterm = \"{term}\"\n\
         scheme = \"http://example.com/{extension}#\"\nparent = \"http://schemas.ogf.org/occi/core#resource\"\n\
         location = \"/{term}/\"\n"
    )
}

/// The first letter of an action is what the guest does.
fn hostile() -> String {
    let action = |term| format!("[[kind.action]]\nterm = \"{term}\"\nscheme = \"{ACTION}\"\n");
    manifest("hostile", "deed")
        + &["spin", "grow", "dive", "trap", "overreach", "nan", "refuse", "calm"].map(action).concat()
}

const CURSE: &str = r#"
    (func (export "occi:extension/lifecycle@0.1.0#create") (param i32 i32 i32 i32 i32) (result i32) unreachable)
    (func (export "occi:extension/lifecycle@0.1.0#update") (param i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
    (func (export "occi:extension/lifecycle@0.1.0#delete") (param i32 i32 i32 i32 i32) (result i32) unreachable)
"#;

fn act(server: &Server, path: &str, term: &str) -> crate::http::Answer {
    let text = format!("Category: {term}; scheme=\"{ACTION}\"; class=\"action\"");
    server.post(&format!("{path}?action={term}")).text(text).send()
}

/// Acceptance 5: a problem for this request, with the extension's name for the client and in the log; then it serves
/// on, and the entity is as it was.
#[test]
fn each_hostile_deed_costs_its_own_request() {
    let (server, _folder) = server();
    let deed = server.post("/deed/").text(DEED).answers(201).location();
    let before = server.get(&deed).answers(200);
    for (term, status, said) in [
        ("spin", 503, "100 ms"),
        ("grow", 500, "memory"),
        ("dive", 500, "hostile"),
        ("trap", 500, "hostile"),
        // It proposes what its manifest does not allow: a state where there are none, a number that is none.
        ("overreach", 500, "manifest"),
        ("nan", 500, "hostile"),
    ] {
        let answer = act(&server, &deed, term).is(status);
        assert!(answer.body.contains("hostile") && answer.body.contains(said), "{answer}");
        assert_eq!(answer.header("retry-after").is_empty(), status == 500);
        let log = server.log();
        let line =
            log.lines().find(|line| line.contains("ERROR") && line.contains(&format!("action={term}")));
        let line =
            line.or_else(|| log.lines().rev().find(|line| line.contains("ERROR") && line.contains(&deed)));
        assert!(line.is_some_and(|line| line.contains("hostile")), "{term} is in the log: {log}");
        act(&server, &deed, "calm").is(200);
        let after = server.get(&deed).answers(200);
        assert_eq!((&after.body, after.header("etag")), (&before.body, before.header("etag")));
    }
    // A guest's own no is no failure.
    let answer = act(&server, &deed, "refuse").is(409);
    assert!(answer.body.contains("not today"), "{answer}");
    let problem = server
        .post(&format!("{deed}?action=trap"))
        .accept("application/json")
        .text(format!("Category: trap; scheme=\"{ACTION}\"; class=\"action\""))
        .answers(500);
    assert!(problem.json()["detail"].as_str().unwrap().contains("hostile"), "{problem}");
    server.delete(&deed).answers(200);
}

/// An entity that its extension cannot bring to life does not exist.
#[test]
fn a_creation_that_traps_leaves_nothing() {
    let (server, _folder) = server();
    let answer = server.post("/cursed/").text(CURSED).answers(500);
    assert!(answer.body.contains("cursed"), "{answer}");
    server.put("/cursed/1").text(CURSED).answers(500);
    assert_eq!(server.get("/cursed/").answers(200).body, "");
    // Nor does the one beside it in the same request: all or none (H11-12).
    let note = body(&[NOTE], &["com.example.note.text=\"x\""]);
    let both = r#"{"resources":[
        {"kind":"http://example.com/occi/note#note","attributes":{"com.example.note.text":"x"}},
        {"kind":"http://example.com/cursed#cursed"}]}"#;
    server.post("/").body("application/json", both).answers(500);
    assert_eq!(server.get("/").answers(200).body, "");
    server.post("/note/").text(note).answers(201);
}

/// Acceptance 5: a thousand requests to another extension beside all of it succeed.
#[test]
fn a_thousand_others_go_on_beside_it() {
    const OTHERS: usize = 1000;
    let (server, _folder) = server();
    let note = server.note("a");
    let (over, hostile, sent) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let stamp = r#"Category: stamp; scheme="http://example.com/occi/note/action#"; class="action""#;
    std::thread::scope(|scope| {
        let attackers: Vec<_> = ["spin", "grow", "dive", "trap", "spin", "grow", "spin", "grow"]
            .map(|term| {
                // Each its own entity, so that they attack at once.
                let deed = server.post("/deed/").text(DEED).answers(201).location();
                let (server, over, hostile) = (&server, &over, &hostile);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let answer = act(server, &deed, term);
                        assert!(matches!(answer.status, 500 | 503), "{answer}");
                        assert!(answer.body.contains("hostile"), "{answer}");
                        hostile.fetch_add(1, Ordering::Relaxed);
                        // So that it is not held back.
                        let answer = act(server, &deed, "calm");
                        assert!(matches!(answer.status, 200 | 503), "{answer}");
                    }
                })
            })
            .into();
        let others: Vec<_> = (0..4)
            .map(|_| {
                let (server, note, sent) = (&server, &note, &sent);
                scope.spawn(move || {
                    while sent.fetch_add(1, Ordering::Relaxed) < OTHERS {
                        server.post(&format!("{note}?action=stamp")).text(stamp).answers(200);
                    }
                })
            })
            .collect();
        let failed = others.into_iter().find_map(|thread| thread.join().err());
        over.store(true, Ordering::Relaxed);
        assert!(failed.is_none(), "one of the others failed");
        for attacker in attackers {
            attacker.join().unwrap();
        }
    });
    let shown = server.get(&note).answers(200);
    assert_eq!(shown.attribute("com.example.note.stamps"), Some(&*OTHERS.to_string()));
    assert!(hostile.into_inner() >= 8, "each attacker had its turn");
}

/// One that fails each time is not called any more for a while, which its clients are told; then it is tried again.
#[test]
fn what_fails_each_time_is_held_back() {
    let (server, _folder) = server();
    let refused = || server.post("/cursed/").text(CURSED).send();
    for _ in 0..10 {
        assert_eq!(refused().status, 500);
    }
    let answer = refused().is(503);
    assert!(answer.body.contains("cursed") && answer.body.contains("try again"), "{answer}");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{answer}");
    // Nobody else is.
    server.note("a");
    server.post("/deed/").text(DEED).answers(201);
    eventually("it is tried again", || refused().status == 500);
    assert_eq!(refused().status, 503);
    assert_eq!(server.get("/cursed/").answers(200).body, "");
}
