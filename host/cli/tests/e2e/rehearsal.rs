//! `occi ext test`: the scenarios of all examples, and what it says of an extension that is not as a scenario expects.

use crate::server::{extensions, run};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Whether all went as expected, and what it printed; its errors instead where it could not begin.
fn test(extension: &Path, scenarios: &Path) -> (bool, String) {
    let output = run(&["ext", "test", extension.to_str().unwrap(), scenarios.to_str().unwrap()]);
    let printed = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    (output.status.success(), String::from_utf8(printed).unwrap())
}

#[test]
fn the_examples_are_as_their_scenarios_expect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let with_engine = extensions().with_file_name("optional-extensions");
    for (folder, built) in [
        ("plugins/infrastructure", extensions()),
        ("examples/note", extensions()),
        ("examples/quota-tag", extensions()),
        ("examples/floating-address", extensions()),
        ("examples/backup-policy", with_engine.clone()),
        ("examples/dns-record", with_engine),
    ] {
        let folder = root.join(folder);
        let name = folder.file_name().unwrap().to_str().unwrap();
        let (is_well, said) = test(&built.join(format!("{name}.wasm")), &folder.join("scenarios"));
        assert!(is_well && said.contains("\nok      ") && !said.contains("FAILED"), "{said}");
    }
}

/// A scenario of an extension that is built.
fn scenario(text: &str) -> (TempDir, PathBuf) {
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
    let (is_well, said) = test(&extensions().join("note.wasm"), &file);
    assert!(!is_well);
    for line in [
        "FAILED  case",
        "case.toml, line 10: GET {{note}}",
        "-X-OCCI-Attribute: com.example.note.words=3",
        "+X-OCCI-Attribute: com.example.note.words=2",
        " X-OCCI-Attribute: occi.core.id=\"{{note.id}}\"",
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
    let (is_well, said) = test(&extensions().join("note.wasm"), &file);
    assert!(!is_well);
    assert!(said.contains("! the fault of keyvalue, bucket.get, call 1, was never reached"), "{said}");
    assert!(said.contains("! it never asks: GET https://example.com/"), "{said}");
}

#[test]
fn a_request_that_no_step_expects_is_refused_and_shown() {
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
    let built = extensions().with_file_name("optional-extensions").join("dns-record.wasm");
    let (is_well, said) = test(&built, &file);
    assert!(!is_well);
    let asked =
        "no [[step.http]] expects: PATCH https://dns.example.com/api/v1/servers/localhost/zones/example.com.";
    assert!(said.contains(asked) && said.contains("\"content\": \"192.0.2.1\""), "{said}");
}

#[test]
fn a_scenario_that_is_wrong_is_refused_before_any_is_played() {
    let (folder, _) = scenario(NOTE);
    std::fs::write(folder.path().join("wrong.toml"), "[[step]]\nadvance = \"soon\"").unwrap();
    let (is_well, said) = test(&extensions().join("note.wasm"), folder.path());
    assert!(!is_well && said.contains("wrong.toml, line 2: `soon`"), "{said}");
}
