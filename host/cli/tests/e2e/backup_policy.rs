//! examples/backup-policy, a Mixin in JavaScript: time goes by, a backup is due, and who makes it says so. One server for
//! all: an engine comes with the extension, and to compile it takes seconds.

use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, eventually, extensions};
use tempfile::TempDir;

const POLICY: &str = r#"Category: backup-policy; scheme="http://example.com/occi/backup#"; class="mixin""#;
const LAST: &str = "com.example.backup.last=\"2026-11-28T07:00:00Z\"";

/// A server with the policies beside what can have one.
fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let policies = extensions().with_file_name("optional-extensions").join("backup-policy.wasm");
    for file in [policies, extensions().join("infrastructure.wasm")] {
        let name = file.file_name().unwrap().to_owned();
        std::fs::copy(&file, folder.path().join(name)).expect("`cargo xtask test` makes it");
    }
    (Server::of(&folder, ""), folder)
}

/// An attribute of the policy as it is shown.
fn shown(server: &Server, path: &str, term: &str) -> Option<String> {
    let answer = server.get(path).answers(200);
    answer.attribute(&format!("com.example.backup.{term}")).map(str::to_owned)
}

fn due(server: &Server, path: &str) -> u32 {
    shown(server, path, "due").expect("it has a policy").parse().unwrap()
}

fn update(server: &Server, path: &str, attributes: &[&str]) -> Answer {
    server.post(path).text(body(&[], attributes)).send()
}

#[test]
fn backups_become_due_and_are_made() {
    let (mut server, _folder) = server();
    let storage = server.create("storage", &["occi.storage.size=1"]);
    // With what the manifest has as default.
    let member = format!("X-OCCI-Location: {}{storage}", server.base());
    server.post("/mixin/backup-policy/").text(member).answers(200);
    assert_eq!(shown(&server, &storage, "interval").as_deref(), Some("\"1d\""));
    assert_eq!(shown(&server, &storage, "due").as_deref(), Some("1"), "there is no backup yet");
    assert_eq!(shown(&server, &storage, "next"), None);

    let made = update(&server, &storage, &[LAST]).is(200);
    assert_eq!(made.attribute("com.example.backup.due"), Some("0"));
    assert_eq!(made.attribute("com.example.backup.next"), Some("\"2026-11-29T07:00:00Z\""));
    assert_eq!(made.attribute("com.example.backup.oldest"), Some("\"2026-11-22T07:00:00Z\""));

    update(&server, &storage, &["com.example.backup.interval=\"1s\""]).is(200);
    eventually("three are due", || due(&server, &storage) >= 3);
    // What it waits for outlives the server.
    server.kill_and_restart();
    let before = due(&server, &storage);
    eventually("one more is due", || due(&server, &storage) > before);

    // What cannot be is refused, with the attribute that is to be changed.
    for (attributes, status, named) in [
        (&["com.example.backup.interval=\"daily\""][..], 400, "com.example.backup.interval"),
        (
            &["com.example.backup.interval=\"1w\"", "com.example.backup.keep=1000"],
            400,
            "com.example.backup.keep",
        ),
        (&["com.example.backup.last=\"2026-02-30T07:00:00Z\""], 400, "com.example.backup.last"),
        (&["com.example.backup.last=\"2026-11-28T06:59:59Z\""], 409, "com.example.backup.last"),
    ] {
        let refused = update(&server, &storage, attributes).is(status);
        assert!(refused.body.contains(&format!("({named})")), "{refused}");
    }

    // Without the policy, nothing of it is left; and a link has no backup.
    let member = format!("X-OCCI-Location: {}{storage}", server.base());
    server.delete("/mixin/backup-policy/").text(member).answers(200);
    assert_eq!(shown(&server, &storage, "due"), None);
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = server.link("networkinterface", &compute, &network);
    server.post(&link).text(body(&[POLICY], &[])).answers(400);
}
