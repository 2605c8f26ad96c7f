//! What is said of scenarios that are wrong, and how what was seen is held against what was expected.

use crate::names::Names;
use crate::scenario::{Functions, Scenario};
use crate::transcript::Transcript;
use std::path::Path;

fn functions() -> Functions {
    Functions::from([("machines", &["machine.open", "machine.start"][..]), ("clocks", &[])])
}

fn parse(text: &str) -> Result<Scenario, String> {
    Scenario::parse(Path::new("case.toml"), text, &functions()).map_err(|error| error.to_string())
}

#[test]
fn a_scenario_that_is_wrong_is_refused_with_its_line() {
    let fault = |of: &str| format!("[[step]]\nrestart = true\n[[step.fault]]\n{of}");
    for (text, line, said) in [
        ("", 1, "add [[step]]"),
        ("[[step]]\nrequest = \"GET note\"", 2, "`GET note` is no request"),
        ("\n[[step]]\n", 2, "a step does one thing"),
        ("[[step]]\nadvance = \"1s\"\nrestart = true", 1, "a step does one thing"),
        ("[[step]]\nadvance = \"ninety\"", 2, "write it like \"90s\""),
        ("[[step]]\nadvance = \"11y\"", 2, "no longer than ten years"),
        ("[[step]]\nrestart = true\nexpect.status = 200", 1, "only a request has an answer"),
        (
            "[[step]]\nrequest = \"GET /a\"\nexpect.body = \"a\"\nexpect.hides = [\"b\"]",
            1,
            "expect.body is the whole body",
        ),
        ("time = 2030-01-01\n[[step]]\nrestart = true", 1, "write it like 2030-01-01T00:00:00Z"),
        (&fault("capability = \"machine\"\nfunction = \"x\"\ncode = \"failed\""), 3, "those of machines can"),
        (
            &fault("capability = \"machines\"\nfunction = \"start\"\ncode = \"failed\""),
            3,
            "it has machine.open, machine.start",
        ),
        (
            &fault("capability = \"machines\"\nfunction = \"machine.start\"\ncode = \"broken\""),
            3,
            "write one of invalid, conflict",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(&format!("case.toml, line {line}: ")) && error.contains(said), "{error}");
    }
    let unknown = parse("[[step]]\nrequest = \"GET /\"\nexpected = 1").unwrap_err();
    assert!(unknown.contains("line 3") && unknown.contains("unknown field `expected`"), "{unknown}");
}

#[test]
fn a_name_stands_for_a_path_and_the_id_in_it() {
    let (one, two) = ("0193a000-0000-7000-8000-000000000001", "0193a000-0000-7000-8000-000000000002");
    let mut names = Names::default();
    names.bind("note", &format!("/note/{one}"));
    names.bind("words", "2");
    assert_eq!(names.fill("GET {{note}}?x={{note.id}}").unwrap(), format!("GET /note/{one}?x={one}"));
    assert!(names.fill("{{nota}}").unwrap_err().contains("those bound are: note, note.id, words"));

    let seen = format!("/note/{one} urn:uuid:{one} {two} 52:54:00:12:34:56 {two} 2");
    let shown = "{{note}} urn:uuid:{{note.id}} {{uuid-1}} {{mac-1}} {{uuid-1}} 2";
    assert_eq!(names.show(&seen), shown);
    assert_eq!(names.show(&seen), shown, "the same has the same name in each step");
}

fn difference(seen: &str, wanted: &[&str], unwanted: &[&str]) -> String {
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let mut transcript = Transcript::default();
    transcript.some_of(seen, &owned(wanted), &owned(unwanted));
    assert_eq!(transcript.is_as_expected(), transcript.difference().is_empty());
    transcript.difference()
}

#[test]
fn a_line_that_is_missing_is_shown_against_the_one_most_like_it() {
    let seen = "title=\"note\"\nwords=2\nstamps=0\n";
    assert_eq!(difference(seen, &["words=2", "stamps=0"], &["text=1"]), "");
    let changed = difference(seen, &["words=3"], &[]);
    assert!(changed.contains("-words=3\n+words=2\n") && changed.contains(" stamps=0"), "{changed}");
    let missing = difference(seen, &["X-OCCI-Location: /note/1"], &[]);
    let added = missing.lines().filter(|line| line.starts_with('+')).count();
    assert!(missing.contains("-X-OCCI-Location: /note/1\n") && added == 1, "{missing}");
    let unwanted = difference(seen, &[], &["stamps=0"]);
    assert!(unwanted.contains("+stamps=0\n"), "{unwanted}");
}
