//! Files that attack whoever loads them. Each is refused with a reason, and what serves goes on.

use super::{SANDBOX, beside_a_note, start};
use crate::server::{Server, run};
use occi_guest::{Guest, attach};
use std::path::Path;
use tempfile::TempDir;

const KIND: &str = "[[kind]]\nterm = \"bad\"\nscheme = \"http://example.com/bad#\"\n\
    parent = \"http://schemas.ogf.org/occi/core#resource\"\nlocation = \"/bad/\"\n";
const ACTION: &str = "[[kind.action]]\nterm = \"do\"\nscheme = \"http://example.com/bad/action#\"\n";
const EXTENSION: &str = "[extension]\nname = \"bad\"\nversion = \"0.1.0\"\n";

/// A guest that does nothing but for what stands beside it in its module.
fn guest(beside: &str) -> Guest {
    Guest {
        world: "import occi:extension/types@0.1.0; export occi:extension/actions@0.1.0;",
        body: format!(
            r#"(import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
            (func (export "occi:extension/actions@0.1.0#act")
                (param i32 i32 i32 i32) (param $subject i32) (param i32 i32 i32 i32) (result i32)
                (call $done (local.get $subject)) (i32.const 1024))
            {beside}"#
        ),
        manifest: Some(format!("{EXTENSION}{KIND}{ACTION}")),
    }
}

/// One that would remove another extension.
fn usurper(capabilities: &str) -> Vec<u8> {
    let import =
        r#"(import "occi:extension/extensions@0.1.0" "[static]extension.remove" (func (param i32)))"#;
    Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/extensions@0.1.0; \
                export occi:extension/actions@0.1.0;",
        body: format!("{import} {}", guest("").body),
        manifest: Some(format!("{EXTENSION}{capabilities}{KIND}{ACTION}")),
    }
    .build()
}

fn with_manifest(manifest: impl Into<String>) -> Vec<u8> {
    guest("").manifest(manifest).build()
}

fn install(server: &Server, folder: &TempDir, bytes: &[u8]) -> Result<String, String> {
    let file = folder.path().join("attack");
    std::fs::write(&file, bytes).unwrap();
    let (data, file): (_, &Path) = (server.data(), &file);
    let output = run(&["ext", "--data", data.to_str().unwrap(), "install", file.to_str().unwrap()]);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// What each is, its bytes, and a part of the reason.
fn attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = guest("").build();
    let mut twice = good.clone();
    attach(&mut twice, "x = 1");
    let many_kinds = |count: usize| {
        let kind = |number| {
            KIND.replace("\"bad\"", &format!("\"bad{number}\"")).replace("/bad/", &format!("/bad{number}/"))
        };
        EXTENSION.to_owned() + &(0..count).map(kind).collect::<String>()
    };
    let pattern = |pattern: &str| {
        format!(
            "{EXTENSION}{KIND}[kind.attributes.\"com.example.bad\"]\ntype = \"string\"\npattern = '{pattern}'\n{ACTION}"
        )
    };
    vec![
        ("nothing", Vec::new(), "name"),
        ("noise", (0_u8..=255).cycle().take(10_000).collect(), "UTF-8"),
        ("a part of a component", good[..good.len() / 2].to_vec(), "component"),
        ("a component with bytes changed", good.iter().enumerate().map(|(at, byte)| if at % 97 == 90 { !byte } else { *byte }).collect(), ""),
        ("a core module", guest("").core(), "component"),
        ("65 MiB", vec![b'#'; 65 << 20], "are read"),
        ("no manifest", Guest { manifest: None, ..guest("") }.build(), "manifest"),
        ("two manifests", twice, "manifest"),
        ("a manifest that is no TOML", with_manifest("[[["), "TOML"),
        ("a manifest nested without end", with_manifest(format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000))), "TOML"),
        ("a name that is a path", with_manifest(format!("{EXTENSION}{KIND}{ACTION}").replace("name = \"bad\"", "name = \"../../bad\"")), "name"),
        ("the Kind of another", with_manifest(format!("{EXTENSION}{KIND}{ACTION}").replace("example.com/bad#", "example.com/occi/note#").replace("term = \"bad\"", "term = \"note\"")), "note"),
        ("the path of another", with_manifest(format!("{EXTENSION}{KIND}{ACTION}").replace("/bad/", "/note/")), "/note/"),
        ("the path of the host", with_manifest(format!("{EXTENSION}{KIND}{ACTION}").replace("/bad/", "/-/")), "server's own"),
        ("the name of another", with_manifest(format!("{EXTENSION}{KIND}{ACTION}").replace("name = \"bad\"", "name = \"note\"")), "note"),
        ("a pattern that explodes", with_manifest(pattern("((((a{100}){100}){100}){100}){100}")), "pattern"),
        ("ten thousand Kinds", with_manifest(many_kinds(10_000)), ""),
        ("a capability that is not there", with_manifest(format!("{EXTENSION}[capabilities.filesystem]\n{KIND}{ACTION}")), "filesystem"),
        ("a capability that is not used", with_manifest(format!("{EXTENSION}[capabilities.machines]\n{KIND}{ACTION}")), "take it away"),
        ("power over other extensions", usurper("[capabilities.extensions]\n"), "add \"bad\" to `administrators`"),
        ("power that is not asked for", usurper(""), "[capabilities.extensions]"),
        ("more memory than there may be", guest("(memory $more 32768)").build(), "memory"),
        ("a table without measure", guest("(table 10000000 funcref)").build(), ""),
        ("a start that never ends", guest("(func $start (loop $l (br $l))) (start $start)").build(), "computing"),
        ("a start that is a trap", guest("(func $start unreachable) (start $start)").build(), "trap"),
        ("a start that takes all memory", guest("(func $start (loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))) unreachable)) (start $start)").build(), ""),
    ]
}

#[test]
fn each_file_is_refused_with_a_reason() {
    let (server, folder) = start(SANDBOX);
    let mut failed = Vec::new();
    beside_a_note(&server, || {
        for (what, bytes, reason) in attacks() {
            match install(&server, &folder, &bytes) {
                Err(told) if told.contains(reason) && told.len() < 20_000 => {}
                other => failed.push(format!("{what}: {:.300}", format!("{other:?}"))),
            }
            server.get("/note/").answers(200);
            server.get("/bad/").answers(404);
        }
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // The same guest without an attack is one.
    assert_eq!(install(&server, &folder, &guest("").build()).unwrap(), "bad 0.1.0 is active\n");
    server.get("/bad/").answers(200);
}
