//! What a client asks for, against the SDK's host in memory; there a component is the text `NAME VERSION`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use super::{CALLS, CAPABILITIES, CONTENT, Extensions, NAME, PREVIOUS, STANDARD, VERSION};
use base64::Engine as _;
use occi_sdk::testing::{Entity, Host, Installed};
use occi_sdk::{Attributes, Cause, Fault, Value};

const KIND: &str = "http://example.org/occi/extension#extension";

fn content(text: &str) -> String {
    STANDARD.encode(text)
}

fn text(of: &Entity, name: &str) -> Option<String> {
    match of.get(name)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// A host with the extension `note 1.0.0`, which a client has installed.
fn host() -> (Host<Extensions>, Entity) {
    let host = Host::new();
    let mut note = host.resource(KIND).with(CONTENT, content("note 1.0.0"));
    host.create(&mut note).unwrap();
    host.install(Installed { state: "active".into(), ..host.installed(&note).unwrap() });
    host.observe(&mut note, Cause::Event).unwrap();
    host.calls();
    (host, note)
}

#[test]
fn a_client_installs() {
    let host = Host::<Extensions>::new();
    let mut note = host.resource(KIND).with(CONTENT, content("note 1.0.0"));
    host.create(&mut note).unwrap();
    assert_eq!(note.state.as_deref(), Some("changing"));
    assert_eq!((text(&note, NAME).unwrap(), text(&note, VERSION).unwrap()), ("note".into(), "1.0.0".into()));
    assert_eq!(note.get(CONTENT), None, "it is not kept");
}

#[test]
fn the_host_makes_entities_of_its_own() {
    let host = Host::<Extensions>::new();
    let mut note = host.resource(KIND);
    host.install(Installed {
        entity: note.id.clone(),
        name: "note".into(),
        state: "active".into(),
        capabilities: vec!["http".into(), "logging".into()],
        calls: 7,
        ..Installed::default()
    });
    host.create(&mut note).unwrap();
    assert_eq!((note.state.as_deref(), host.calls()), (Some("active"), Vec::new()));
    assert_eq!(note.get(CALLS), Some(Value::Integer(7)));
    assert_eq!(note.get(CAPABILITIES), Some(Value::Structured(r#"["http","logging"]"#.into())));
}

#[test]
fn a_client_says_what_to_install() {
    let host = Host::<Extensions>::new();
    let refused = host.create(&mut host.resource(KIND)).unwrap_err();
    assert!(refused.is(Fault::INVALID) && refused.attribute.as_deref() == Some(CONTENT));
    for (given, wanted) in [("no Base64!", "RFC 4648"), (&*content("rubbish"), "component")] {
        let refused = host.create(&mut host.resource(KIND).with(CONTENT, given)).unwrap_err();
        assert!(refused.is(Fault::INVALID) && refused.message.contains(wanted), "{refused:?}");
        assert_eq!(refused.attribute.as_deref(), Some(CONTENT));
    }
}

#[test]
fn another_version_and_back() {
    let (host, mut note) = host();
    // As `base64` writes it, in lines.
    host.update(&mut note, [(CONTENT, format!("{}\n", content("note 2.0.0")))]).unwrap();
    assert_eq!(text(&note, PREVIOUS).as_deref(), Some("1.0.0"));
    assert_eq!((note.get(CONTENT), note.state.as_deref()), (None, Some("changing")));
    let refused = host.update(&mut note, [(CONTENT, content("other 1.0.0"))]).unwrap_err();
    assert!(refused.is(Fault::CONFLICT));
    host.act(&mut note, "rollback", Attributes::default()).unwrap();
    assert_eq!(text(&note, VERSION).as_deref(), Some("1.0.0"));
    // A title is no other version.
    host.calls();
    host.update(&mut note, [("occi.core.title", "mine")]).unwrap();
    assert_eq!(host.calls(), Vec::<String>::new());
}

#[test]
fn switched_off_and_on_and_removed() {
    let (host, mut note) = host();
    host.act(&mut note, "disable", Attributes::default()).unwrap();
    host.act(&mut note, "enable", Attributes::default()).unwrap();
    host.act(&mut note, "disable", [("leave_entities", true)]).unwrap();
    let calls = host.calls();
    assert_eq!(calls, ["extension.disable", "extension.enable", "extension.disable-leaving"]);
    host.delete(&note).unwrap();
    host.delete(&note).unwrap();
    assert_eq!(host.installed(&note), None);
}

#[test]
fn what_could_not_be_done_is_seen() {
    let (host, mut note) = host();
    let failed =
        Installed { problem: Some("no".into()), state: "failed".into(), ..host.installed(&note).unwrap() };
    host.install(failed.clone());
    host.observe(&mut note, Cause::Event).unwrap();
    assert_eq!((note.state.as_deref(), note.message.as_deref()), (Some("failed"), Some("no")));
    host.install(Installed { problem: None, ..failed });
    host.observe(&mut note, Cause::Event).unwrap();
    assert_eq!(note.message, None);
}
