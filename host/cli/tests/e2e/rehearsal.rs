//! `occi ext test`: the scenarios of all examples, and what it says of an extension that is not as a scenario expects.

use crate::server::{OCCI, extensions};
use occi_guest::Guest;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Whether all went as expected, and what it printed; its errors instead where it could not begin.
pub(crate) fn test(extension: &Path, scenarios: &[&Path]) -> (bool, String) {
    // To compile an engine on a busy machine takes longer than `run` waits.
    let output = Command::new(OCCI).args(["ext", "test"]).arg(extension).args(scenarios).output().unwrap();
    let printed = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    (output.status.success(), String::from_utf8(printed).unwrap())
}

/// The scenarios of an extension of this project.
fn of(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join("scenarios")
}

/// An extension that comes with an engine.
fn with_engine(name: &str) -> PathBuf {
    extensions().with_file_name("optional-extensions").join(name)
}

#[test]
fn the_examples_are_as_their_scenarios_expect() {
    for (extension, folder) in [
        (extensions().join("infrastructure.wasm"), "plugins/infrastructure"),
        (extensions().join("note.wasm"), "examples/note"),
        (extensions().join("quota-tag.wasm"), "examples/quota-tag"),
        (extensions().join("floating-address.wasm"), "examples/floating-address"),
        (with_engine("backup-policy.wasm"), "examples/backup-policy"),
    ] {
        let (is_well, said) = test(&extension, &[&of(folder)]);
        assert!(is_well && said.contains("\nok      ") && !said.contains("FAILED"), "{said}");
    }
}

/// A scenario by itself.
pub(crate) fn scenario(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.toml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

const NOTE: &str = r#"
[[step]]
request = "POST /note/"
body = '''
Category: note; scheme="http://example.com/occi/note#"; class="kind"
X-OCCI-Attribute: com.example.note.text="buy milk"
'''
save.note = "Location"
"#;

#[test]
fn what_is_not_as_expected_is_shown_as_a_difference() {
    let (_folder, file) = scenario(&format!(
        "{NOTE}{}",
        r#"
[[step]]
request = "GET {{note}}"
expect.shows = ['X-OCCI-Attribute: com.example.note.words=3']
"#
    ));
    let (is_well, said) = test(&extensions().join("note.wasm"), &[&file]);
    assert!(!is_well);
    for line in [
        "FAILED  case",
        "case.toml, line 10: GET {{note}}",
        "-X-OCCI-Attribute: com.example.note.words=3",
        "+X-OCCI-Attribute: com.example.note.words=2",
        " X-OCCI-Attribute: occi.core.id=\"urn:uuid:{{note.id}}\"",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
}

#[test]
fn a_fault_that_nothing_reaches_and_a_request_that_nobody_sends_are_no_success() {
    let (_folder, file) = scenario(&format!(
        "{NOTE}{}",
        r#"
[[step]]
request = "GET {{note}}"
[[step.fault]]
capability = "keyvalue"
function = "bucket.get"
code = "failed"
[[step.http]]
request = "GET https://example.com/"
"#
    ));
    let (is_well, said) = test(&extensions().join("note.wasm"), &[&file]);
    assert!(!is_well);
    assert!(said.contains("! the fault of keyvalue, bucket.get, call 1, was never reached"), "{said}");
    assert!(said.contains("! it never asks: GET https://example.com/"), "{said}");
}

/// Both at once, since to compile its interpreter takes seconds.
#[test]
fn dns_record_is_as_expected_and_a_request_that_no_step_expects_is_refused_and_shown() {
    let (_folder, file) = scenario(
        r#"
settings.server = "https://dns.example.com"
[[step]]
request = "PUT /dns-record/www"
body = '''
Category: dns-record; scheme="http://example.com/occi/dns#"; class="kind"
X-OCCI-Attribute: com.example.dns.zone="example.com"
X-OCCI-Attribute: com.example.dns.type="A"
X-OCCI-Attribute: com.example.dns.value="192.0.2.1"
'''
"#,
    );
    let (is_well, said) = test(&with_engine("dns-record.wasm"), &[&of("examples/dns-record"), &file]);
    assert!(
        !is_well && said.matches("\nok ").count() == 1 && said.matches("\nFAILED ").count() == 1,
        "{said}"
    );
    let asked =
        "no [[step.http]] expects: PATCH https://dns.example.com/api/v1/servers/localhost/zones/example.com.";
    assert!(said.contains(asked) && said.contains("\"content\": \"192.0.2.1\""), "{said}");
}

/// The lamp of docs/extensions.md and its scenario, as they stand there.
#[test]
fn the_lamp_of_the_guide_is_as_its_scenario_expects() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/extensions.md");
    let page = std::fs::read_to_string(page).unwrap();
    let block = |part: &str| {
        let mut blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.find(|block| block.contains(part)).unwrap_or_else(|| panic!("{part}")).to_owned()
    };
    let (folder, file) = scenario(&block("[[step]]"));
    let lamp = folder.path().join("lamp");
    std::fs::write(&lamp, block("name = \"lamp\"")).unwrap();
    let (is_well, said) = test(&lamp, &[&file]);
    assert!(is_well, "{said}");
    assert_eq!(said, "lamp 0.1.0\nok      a lamp has a colour\n");
}

/// Its action `look` says what time it is, in seconds, and a number that nobody can guess.
fn watch() -> Vec<u8> {
    let body = r#"
        (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
        (import "wasi:clocks/wall-clock@0.2.12" "now" (func $now (param i32)))
        (import "wasi:random/random@0.2.12" "get-random-u64" (func $random (result i64)))
        (data (i32.const 16) "com.example.time")
        (data (i32.const 32) "com.example.luck")
        (func (export "occi:extension/actions@0.1.0#act")
            (param i32 i32 i32 i32) (param $subject i32) (param i32 i32 i32 i32) (result i32)
            (call $done (local.get $subject))
            (call $now (i32.const 2048))
            (i32.store (i32.const 1032) (i32.const 3072))
            (i32.store (i32.const 1036) (i32.const 2))
            (i32.store (i32.const 3072) (i32.const 16))
            (i32.store (i32.const 3076) (i32.const 16))
            (i32.store8 (i32.const 3080) (i32.const 1))
            (i64.store (i32.const 3088) (i64.load (i32.const 2048)))
            (i32.store (i32.const 3096) (i32.const 32))
            (i32.store (i32.const 3100) (i32.const 16))
            (i32.store8 (i32.const 3104) (i32.const 1))
            (i64.store (i32.const 3112) (call $random))
            (i32.const 1024))
    "#;
    let manifest = r#"
        [extension]
        name = "watch"
        version = "0.1.0"
        [capabilities.clocks]
        [capabilities.random]
        [[kind]]
        term = "watch"
        scheme = "http://example.com/occi#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/watch/"
        [kind.attributes."com.example.time"]
        type = "integer"
        [kind.attributes."com.example.luck"]
        type = "integer"
        [[kind.action]]
        term = "look"
        scheme = "http://example.com/occi/watch/action#"
    "#;
    let world = "import occi:extension/types@0.1.0; import wasi:clocks/wall-clock@0.2.12; \
                 import wasi:random/random@0.2.12; export occi:extension/actions@0.1.0;";
    Guest { world, body: body.into(), manifest: Some(manifest.into()) }.build()
}

/// The last step fails, and shows the number.
const LOOK: &str = r#"
[[step]]
request = "PUT /watch/1"
body = 'Category: watch; scheme="http://example.com/occi#"; class="kind"'
[[step]]
request = "POST /watch/1?action=look"
body = 'Category: look; scheme="http://example.com/occi/watch/action#"; class="action"'
expect.shows = ["X-OCCI-Attribute: com.example.time=1893456000"]
[[step]]
advance = "90s"
[[step]]
restart = true
[[step]]
request = "POST /watch/1?action=look"
body = 'Category: look; scheme="http://example.com/occi/watch/action#"; class="action"'
expect.shows = ["X-OCCI-Attribute: com.example.time=1893456090", "X-OCCI-Attribute: com.example.luck=0"]
"#;

#[test]
fn time_stands_still_and_chance_is_the_same_in_each_run() {
    let (folder, file) = scenario(LOOK);
    let extension = folder.path().join("watch.wasm");
    std::fs::write(&extension, watch()).unwrap();
    let luck = || {
        let (is_well, said) = test(&extension, &[&file]);
        assert!(!is_well && said.contains(" X-OCCI-Attribute: com.example.time=1893456090"), "{said}");
        let seen =
            said.lines().find_map(|line| line.trim().strip_prefix("+X-OCCI-Attribute: com.example.luck="));
        seen.unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    let first = luck();
    assert_eq!(luck(), first);
    std::fs::write(&file, format!("seed = 1\n{LOOK}")).unwrap();
    assert_ne!(luck(), first);
}

#[test]
fn a_scenario_that_is_wrong_is_refused_before_any_is_played() {
    let (folder, _) = scenario(NOTE);
    std::fs::write(folder.path().join("wrong.toml"), "[[step]]\nadvance = \"soon\"").unwrap();
    let (is_well, said) = test(&extensions().join("note.wasm"), &[folder.path()]);
    assert!(!is_well && said.contains("wrong.toml, line 2: `soon`"), "{said}");
}
