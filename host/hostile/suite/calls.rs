//! Attacks by what a call does and answers.

use super::{SANDBOX, attack, attacker, beside_a_note, is_contained, start};
use crate::server::{Server, eventually};

/// The action, the status of the answer, and what that says.
const ATTACKS: &[(&str, u16, &str)] = &[
    // Time.
    ("loop", 503, "500 ms of computing"),
    ("wait", 503, "3000 ms of waiting"),
    // Memory, stack, handles.
    ("memory", 500, "needs more than the 67108864 bytes"),
    ("recursion", 500, "trap"),
    ("handle-leak", 500, "handle"),
    ("call-flood", 500, "called the host more than the 5000 times"),
    ("wait-for-many", 500, "failed"),
    ("random-bomb", 500, "random bytes"),
    ("panic", 500, "trap"),
    // What goes over to the host.
    ("long-text", 500, "too much data"),
    ("many-attributes", 500, "too much data"),
    ("long-fault", 500, "too much data"),
    ("odd-fault", 500, "X-Injected"),
    ("store-bomb", 500, "at most 1048576 bytes"),
    ("long-key", 500, "1 to 512 bytes"),
    ("folder-bomb", 409, "the folder may hold 1000 files with 4194304 bytes"),
    // What is no change of this entity.
    ("wrong-attribute", 500, "com.example.other.text"),
    ("wrong-type", 500, "com.example.hostile.text"),
    ("wrong-state", 500, "furious"),
    ("core-attribute", 500, "occi.core.id"),
    ("bad-structure", 500, "no JSON"),
    ("deep-structure", 500, "no JSON"),
    ("not-a-number", 500, "NaN"),
];

#[test]
fn each_attack_costs_its_own_request() {
    let (server, _folder) = start(SANDBOX);
    let path = attacker(&server);
    let before = server.get(&path).answers(200).body;
    beside_a_note(&server, || {
        for (action, status, reason) in ATTACKS {
            let answer = attack(&server, &path, action, &[]);
            is_contained(&answer, *status, reason).unwrap_or_else(|what| panic!("{action}: {what}"));
            assert_eq!(server.get(&path).answers(200).body, before, "{action} has changed the entity");
            // It serves on; and failures in a row would hold it back.
            attack(&server, &path, "calm", &[]).is(200);
        }
    });
    server.delete(&path).answers(200);
}

/// Eight at once, as often as they can; some are held back, and no other extension is.
#[test]
fn many_attacks_at_once_cost_no_other_extension_a_request() {
    let (server, _folder) = start(SANDBOX);
    let actions = [
        "loop",
        "memory",
        "call-flood",
        "wait-for-many",
        "store-bomb",
        "log-flood",
        "recursion",
        "long-text",
    ];
    beside_a_note(&server, || {
        std::thread::scope(|scope| {
            for action in actions {
                let server = &server;
                scope.spawn(move || {
                    let path = attacker(server);
                    for _ in 0..20 {
                        let answer = attack(server, &path, action, &[]);
                        assert!(matches!(answer.status, 200 | 500 | 503), "{action}: {answer}");
                        attack(server, &path, "calm", &[]);
                    }
                });
            }
        });
    });
}

/// What is written in one call is bounded, and looks like nothing of the host's.
#[test]
fn the_log_is_neither_flooded_nor_forged() {
    let (server, _folder) = start(SANDBOX);
    let path = attacker(&server);
    let before = server.log().len();
    attack(&server, &path, "log-flood", &[]).is(200);
    let flooded = server.log().len() - before;
    // 64 KiB of text, and what the host puts before each line.
    assert!((10_000..1 << 20).contains(&flooded), "{flooded} bytes");
    attack(&server, &path, "log-forgery", &[]).is(200);
    let log = server.log();
    let forged: Vec<_> = log.lines().filter(|line| line.contains("forged")).collect();
    assert_eq!(forged.len(), 1, "{forged:?}");
    assert!(forged[0].contains("extension=\"attacker\"") && !forged[0].contains("\u{1b}[2J"), "{forged:?}");
}

/// A name that leads out of a folder elsewhere is a name here, or none.
#[test]
fn a_store_has_no_way_out() {
    let (server, _folder) = start(SANDBOX);
    let path = attacker(&server);
    let answer = attack(&server, &path, "path-traversal", &[]).is(200);
    let told = answer.attribute("com.example.hostile.text").unwrap();
    assert_eq!(told, r#""opened [\"..\"]; keys [\"../../x\"]""#);
}

/// Of what it did not ask for it sees nothing, nor of what stands for extensions.
#[test]
fn entities_of_others_are_not_seen() {
    let (server, _folder) = start(SANDBOX);
    let path = attacker(&server);
    let note = server.note("a");
    let answer = attack(&server, &path, "read-entities", &[("url", &note)]).is(200);
    assert_eq!(answer.attribute("com.example.hostile.text"), Some(r#""found []; listed []""#));
    let own = attack(&server, &path, "read-entities", &[("url", &path)]).is(200);
    assert!(own.attribute("com.example.hostile.text").unwrap().contains(&path), "{own}");
}

/// What it writes is in its own folder, and outlives the server.
#[test]
fn a_private_folder_has_no_way_out() {
    let (mut server, _folder) = start(SANDBOX);
    let path = attacker(&server);
    let told = |server: &Server| {
        let answer = attack(server, &path, "folder-traversal", &[]).is(200);
        answer.attribute("com.example.hostile.text").unwrap().to_owned()
    };
    assert_eq!(told(&server), r#""reached []; there is [\"own\"]""#);
    attack(&server, &path, "folder-bomb", &[]).is(409);
    let own = server.data().join("folders/default/attacker");
    let files = || std::fs::read_dir(&own).unwrap().count();
    assert_eq!(files(), 4);
    server.kill();
    server.begin();
    attack(&server, &path, "folder-bomb", &[]).is(409);
    assert_eq!(files(), 4);
    assert_eq!(std::fs::read_dir(server.data().join("folders")).unwrap().count(), 1);
}

/// Whoever asks to be asked at once is asked once a second, however often it says so.
#[test]
fn nobody_is_asked_without_end() {
    let (server, _folder) = start("");
    let path = attacker(&server);
    attack(&server, &path, "again-now", &[]).is(200);
    let asked = || {
        let answer = server.get(&path).answers(200);
        answer.attribute("com.example.hostile.number").map_or(0.0, |number| number.parse::<f64>().unwrap())
    };
    let begin = std::time::Instant::now();
    eventually("it is asked again", || asked() >= 2.0);
    assert!(asked() <= begin.elapsed().as_secs_f64() + 1.0);
}
