//! The hostile suite; `host/hostile/README.md` tells of it.

mod calls;
mod limits;
mod loading;
mod requests;
mod server;
mod upgrades;

use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, extensions};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

const ATTACKER: &str = r#"Category: attacker; scheme="http://example.com/hostile#"; class="kind""#;
const STAMP: &str = r#"Category: stamp; scheme="http://example.com/occi/note/action#"; class="action""#;

/// How each limit is set: so that an attack is over soon, and calls on a busy machine are not.
const SANDBOX: &str = "[sandbox]\ndeadline-ms = 500\ntimeout-ms = 3000\nhost-calls = 5000\nfolder-mib = 4\n";

/// A server with the attacker and, as the well-behaved one, the note.
fn start(config: &str) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let attacker = extensions().with_file_name("test-extensions").join("attacker.wasm");
    std::fs::copy(attacker, folder.path().join("attacker.wasm")).expect("`cargo xtask test` makes it");
    std::fs::copy(extensions().join("note.wasm"), folder.path().join("note.wasm")).unwrap();
    (Server::of(&folder, config), folder)
}

fn attacker(server: &Server) -> String {
    server.post("/attacker/").text(ATTACKER).answers(201).location()
}

fn attack(server: &Server, path: &str, action: &str, parameters: &[(&str, &str)]) -> Answer {
    let category =
        format!(r#"Category: {action}; scheme="http://example.com/hostile/action#"; class="action""#);
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("com.example.hostile.{name}={}", serde_json::json!(value)))
        .collect();
    let parameters: Vec<_> = parameters.iter().map(String::as_str).collect();
    server.post(&format!("{path}?action={action}")).text(body(&[&category], &parameters)).send()
}

/// Whether an answer says no as it should: with that status, a reason, and whose it is.
fn is_contained(answer: &Answer, status: u16, reason: &str) -> Result<(), String> {
    let is_told =
        answer.body.contains("attacker") && answer.body.contains(reason) && answer.body.len() < 1000;
    let is_printable = answer.body.chars().all(|c| !c.is_control() || c == '\r' || c == '\n');
    if answer.status == status && is_told && is_printable {
        return Ok(());
    }
    let start: String = answer.body.chars().take(300).collect();
    Err(format!("{} where {status} and `{reason}` were to be: {start:?}", answer.status))
}

/// Does something while another client uses the well-behaved extension, of whose requests none may be lost.
fn beside_a_note(server: &Server, attacks: impl FnOnce()) {
    let (note, is_over) = (server.note("a"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut answered = 0;
            while !is_over.load(Ordering::Relaxed) {
                server.post(&format!("{note}?action=stamp")).text(STAMP).answers(200);
                answered += 1;
            }
            answered
        });
        // However it ends, the other client must.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attacks));
        is_over.store(true, Ordering::Relaxed);
        let answered = client.join().unwrap();
        if let Err(reason) = outcome {
            std::panic::resume_unwind(reason);
        }
        assert!(answered > 0, "the note was never asked");
        let stamps = server.get(&note).answers(200);
        assert_eq!(stamps.attribute("com.example.note.stamps"), Some(&*answered.to_string()));
    });
}
