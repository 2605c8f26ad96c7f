use super::*;
use occi_model::{Value, ValueType};

/// A manifest without fault, which each test spoils in its own way.
const GOOD: &str = r#"
[extension]
name = "lamps"
version = "0.1.0"
publisher = "example.com"

[capabilities.logging]

[limits]
memory = "16 MiB"
deadline-ms = 100

[[kind]]
term = "lamp"
scheme = "http://example.com/occi#"
title = "Lamp"
console = "http://example.com/occi/lamp#console"
parent = "http://schemas.ogf.org/occi/core#resource"
location = "/lamp/"

[kind.states]
attribute = "com.example.state"
message = "com.example.message"
values = ["off", "on"]
initial = "off"

[kind.attributes."com.example.state"]
type = "string"
enum = ["off", "on"]

[kind.attributes."com.example.message"]
type = "string"

[kind.attributes."com.example.watts"]
type = "number"
mutable = true
default = 40
minimum = 1
maximum = 100.5

[[kind.action]]
term = "switch"
scheme = "http://example.com/occi/lamp/action#"
from = ["off"]

[kind.action.attributes.speed]
type = "string"
enum = ["slow", "fast"]

[[mixin]]
term = "dimmed"
scheme = "http://example.com/occi#"
location = "/mixin/dimmed/"
applies = ["http://example.com/occi#lamp"]

[[mixin.action]]
term = "dim"
scheme = "http://example.com/occi/lamp/action#"
from = ["on"]
"#;

/// The faults, without their lines, of the good manifest with one text replaced by another.
fn spoiled(good: &str, bad: &str) -> Vec<String> {
    assert_eq!(GOOD.matches(good).count(), 1, "{good} must stand in the manifest once");
    faults(&GOOD.replace(good, bad))
}

fn faults(text: &str) -> Vec<String> {
    let faults = Manifest::parse(text).err().map(|error| error.faults).unwrap_or_default();
    faults.into_iter().map(|fault| format!("{}: {}", fault.place, fault.message)).collect()
}

#[test]
fn a_good_manifest_is_what_it_says() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!((&*manifest.name, manifest.version.to_string().as_str()), ("lamps", "0.1.0"));
    assert_eq!(manifest.capabilities.iter().collect::<Vec<_>>(), ["logging"]);
    assert_eq!(manifest.limits.memory, Some(16 << 20));
    assert_eq!(manifest.limits.deadline, Some(Duration::from_millis(100)));
    assert_eq!((manifest.limits.timeout, manifest.limits.host_calls), (None, None));
    let [lamp] = manifest.kinds.as_slice() else { panic!("one Kind") };
    assert_eq!(lamp.id.as_str(), "http://example.com/occi#lamp");
    assert_eq!(lamp.states.as_ref().unwrap().initial.as_ref(), "off");
    assert_eq!(lamp.console.as_ref().unwrap().as_str(), "http://example.com/occi/lamp#console");
    assert_eq!(lamp.actions[0].as_str(), "http://example.com/occi/lamp/action#switch");
    let watts =
        lamp.attributes.iter().find(|attribute| attribute.name.as_str() == "com.example.watts").unwrap();
    assert_eq!((watts.value_type, watts.mutable, watts.required), (ValueType::Number, true, false));
    assert_eq!(watts.default, Some(Value::Number(40.0)));
    assert_eq!(manifest.actions.len(), 2);
    assert!(manifest.actions[0].attributes[0].mutable, "a client gives the parameters");
    assert_eq!(manifest.mixins[0].applies, std::slice::from_ref(&lamp.id));
}

#[test]
fn the_keys_of_a_capability_are_kept_for_it() {
    let text = GOOD.replace(
        "[capabilities.logging]",
        "[capabilities.logging]\nlevels = [\n  \"a\",\n  \"b\",\n]\nlevel = []",
    );
    let keys = Manifest::parse(&text).unwrap().own_keys;
    assert_eq!(keys.texts("logging", "levels").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(keys.texts("logging", "none").chain(keys.texts("none", "levels")).count(), 0);
    let second = keys.entries("logging", "levels").nth(1).unwrap();
    assert_eq!(second.text, "b");
    assert_eq!(
        second.fault("is no level"),
        "the manifest, line 10: capabilities.logging.levels[1]: is no level"
    );
    assert_eq!(keys.unknown("logging", &["levels", "level"]), [""; 0]);
    assert_eq!(
        keys.unknown("logging", &["levels"]),
        ["the manifest, line 12: capabilities.logging.level: unknown key `level`; did you mean `levels`?"]
    );
    let unknown = keys.unknown("logging", &[]);
    assert_eq!(unknown.len(), 2);
    assert!(unknown[0].ends_with("unknown key `level`; the capability `logging` has no keys"));
    assert!(keys.unknown("logging", &["z"])[0].ends_with("the keys here are z"));
}

/// A text of the good manifest, another one for it, and how the fault begins that it makes.
#[rustfmt::skip]
const SPOILS: &[(&str, &str, &str)] = &[
        ("name = \"lamps\"", "name = \"Lamps!\"", "extension.name: is made of a-z"),
        ("name = \"lamps\"", "", "extension.name: is missing; add it, such as name = \"notes\""),
        ("name = \"lamps\"", "name = 5", "extension.name: invalid type: integer `5`, expected a string"),
        ("version = \"0.1.0\"", "version = \"1 0\"", "extension.version: is a semantic version"),
        ("publisher", "publsher", "extension.publsher: unknown key `publsher`; did you mean `publisher`?"),
        (
            "[capabilities.logging]",
            "[capabilities.logging]\nx = 1",
            "capabilities.logging.x: invalid type: integer `1`, expected a sequence",
        ),
        (
            "[capabilities.logging]",
            "[capabilities.logging]\nx = [\"a\", 1]",
            "capabilities.logging.x: invalid type: integer `1`, expected a string",
        ),
        ("16 MiB", "16 MB", "limits.memory: is a number of KiB"),
        ("16 MiB", "99999999999 GiB", "limits.memory: is a number of KiB"),
        ("deadline-ms = 100", "deadline-ms = 0", "limits.deadline-ms: must be at least 1"),
        ("deadline-ms = 100", "host-calls = 0", "limits.host-calls: must be at least 1"),
        ("term = \"lamp\"", "term = \"a b\"", "kind[0].term: term `a b`: must consist of letters, digits"),
        ("parent =", "title2 =", "kind[0].title2: unknown key `title2`; did you mean `title`?"),
        ("core#resource", "core", "kind[0].parent: type identifier"),
        ("\"/lamp/\"", "\"/lamp\"", "kind[0].location: a collection's path ends in a slash: \"/lamp/\""),
        (
            "\"/lamp/\"",
            "\"/mixin/dimmed/\"",
            "mixin[0].location: /mixin/dimmed/ is defined at kind[0].location already",
        ),
        ("\"/lamp/\"", "\"/-/\"", "kind[0].location: is the server's own"),
        (
            "values = [\"off\", \"on\"]",
            "values = [\"off\", \"on\", \"off\"]",
            "kind[0].states.values[2]: `off` is there already",
        ),
        (
            "values = [\"off\", \"on\"]",
            "values = [\"off\", \"on\", \"red\"]",
            "kind[0].states.values[2]: is no value of `com.example.state`, which must be one of",
        ),
        (
            "initial = \"off\"",
            "initial = \"of\"",
            "kind[0].states.initial: unknown state `of`; did you mean `off`?",
        ),
        (
            "message = \"com.example.message\"",
            "message = \"com.example.text\"",
            "kind[0].states.message: names `com.example.text`, which is not declared; add [kind.attributes.\"com.example.text\"]",
        ),
        (
            "message = \"com.example.message\"",
            "message = \"com.example.watts\"",
            "kind[0].states.message: names `com.example.watts`, which must be of type string, and not mutable",
        ),
        (
            "type = \"number\"",
            "type = \"nmber\"",
            "kind[0].attributes.\"com.example.watts\".type: unknown type `nmber`; did you mean `number`?",
        ),
        (
            "default = 40",
            "default = \"40\"",
            "kind[0].attributes.\"com.example.watts\".default: is a string, and the type is number",
        ),
        (
            "default = 40",
            "default = 0.5",
            "kind[0].attributes.\"com.example.watts\".default: must be at least 1",
        ),
        ("default = 40", "default = nan", "kind[0].attributes.\"com.example.watts\".default: is no number"),
        (
            "default = 40",
            "default = 1979-05-27",
            "kind[0].attributes.\"com.example.watts\".default: is a date",
        ),
        (
            "default = 40",
            "pattern = \"[0-9]\"",
            "kind[0].attributes.\"com.example.watts\".pattern: is for strings; this is of type number",
        ),
        (
            "minimum = 1",
            "minimum = 200",
            "kind[0].attributes.\"com.example.watts\".minimum: is above the maximum, 100.5",
        ),
        ("[\"slow\", \"fast\"]", "[]", "kind[0].action[0].attributes.speed.enum: allows no value at all"),
        (
            "[\"slow\", \"fast\"]",
            "[\"slow\", 2]",
            "kind[0].action[0].attributes.speed.enum[1]: is an integer, and the type is string",
        ),
        (
            "enum = [\"slow\", \"fast\"]",
            "pattern = \"(\"",
            "kind[0].action[0].attributes.speed.pattern: regex parse error",
        ),
        (
            "enum = [\"slow\", \"fast\"]",
            "mutable = true",
            "kind[0].action[0].attributes.speed.mutable: says nothing about a parameter",
        ),
        (
            "from = [\"off\"]",
            "from = [\"broken\"]",
            "kind[0].action[0].from[0]: unknown state `broken`; there are off, on",
        ),
        ("from = [\"off\"]", "from = []", "kind[0].action[0].from: allows the action in no state"),
        (
            "from = [\"on\"]",
            "from = [\"onn\"]",
            "mixin[0].action[0].from[0]: unknown state `onn`; did you mean `on`?",
        ),
        (
            "term = \"dim\"",
            "term = \"switch\"",
            "mixin[0].action[0].term: http://example.com/occi/lamp/action#switch is defined at kind[0].action[0].term already",
        ),
        ("location = \"/mixin/dimmed/\"", "", "mixin[0].location: is missing; add it"),
        (
            "[kind.attributes.\"com.example.watts\"]",
            "[kind.attributes.\"com.example.watts\"]\nrequired = true\n[kind.attributes.\"com.example.watts2\"]",
            "kind[0].attributes.\"com.example.watts\".type: is missing",
        ),
        (
            "[kind.attributes.\"com.example.watts\"]",
            "[kind.attributes.com.example.watts]",
            "kind[0].attributes.com.example: unknown key `example`; a name with dots is written in quotes",
        ),
        (
            "[kind.attributes.\"com.example.watts\"]",
            "[kind.attributes.\"occi.core.title\"]",
            "kind[0].attributes.\"occi.core.title\": is an attribute of OCCI Core",
        ),
        (
            "mutable = true",
            "required = true\nmaxlength = 3",
            "kind[0].attributes.\"com.example.watts\".maxlength: unknown key `maxlength`; did you mean `max-length`?",
        ),
];

#[test]
fn every_fault_names_its_place_and_what_would_be_right() {
    for &(good, bad, fault) in SPOILS {
        let found = spoiled(good, bad);
        assert!(
            found.iter().any(|found| found.starts_with(fault)),
            "{bad}:\nwanted {fault}\n found {found:#?}"
        );
    }
}

/// The good manifest with something that is for clients of OCCI 1.1 alone.
fn with_older() -> String {
    GOOD.replace(
        "initial = \"off\"",
        "initial = \"off\"\n[kind.states.compatibility]\n\"1.1\" = [\"dim\", \"lost\"]",
    )
    .replace("default = 40", "default = 40\ncompatibility = \"1.1\"")
    .replace("from = [\"off\"]", "from = [\"off\", \"dim\"]")
    .replace("from = [\"on\"]", "from = [\"on\"]\ncompatibility = \"1.1\"")
}

#[test]
fn what_is_for_clients_of_an_older_occi_is_there_for_them_alone() {
    let read = Manifest::parse(&with_older()).unwrap();
    assert_eq!(
        (read.marked.actions.len(), read.marked.attributes.len(), read.marked.states.len()),
        (1, 1, 1)
    );
    let shown = |manifest: &Manifest| {
        let lamp = &manifest.kinds[0];
        let states = lamp.states.as_ref().unwrap();
        let state = lamp.attributes.iter().find(|declared| declared.name == states.attribute).unwrap();
        let choices: Vec<_> = state.constraint.choices.iter().filter_map(Value::as_text).collect();
        let from = manifest.actions[0].from.as_ref().unwrap();
        (
            states.values.join(" "),
            choices.join(" "),
            from.join(" "),
            lamp.attributes.len(),
            manifest.actions.len(),
            manifest.mixins[0].actions.len(),
        )
    };
    let all = ("off on dim lost".to_owned(), "off on dim lost".to_owned(), "off dim".to_owned(), 3, 2, 1);
    assert_eq!(shown(&read.clone().on(Compatibility::Occi11)), all);
    let newer = ("off on".to_owned(), "off on".to_owned(), "off".to_owned(), 2, 1, 0);
    assert_eq!(shown(&read.on(Compatibility::Occi12)), newer);
}

#[test]
fn what_is_for_clients_of_an_older_occi_is_checked_like_all_else() {
    for (good, bad, fault) in [
        (
            "= [\"dim\", \"lost\"]",
            "= [\"dim\", \"on\"]",
            "kind[0].states.compatibility.\"1.1\"[1]: `on` is there already",
        ),
        (
            "\"1.1\" = [",
            "\"1.0\" = [",
            "kind[0].states.compatibility.\"1.0\": is no version that is told apart",
        ),
        (
            "default = 40\ncompatibility = \"1.1\"",
            "compatibility = \"2\"",
            "kind[0].attributes.\"com.example.watts\".compatibility: is \"1.1\", or left out",
        ),
        (
            "from = [\"on\"]\ncompatibility = \"1.1\"",
            "compatibility = \"\"",
            "mixin[0].action[0].compatibility: is \"1.1\", or left out",
        ),
        (
            "enum = [\"slow\", \"fast\"]",
            "compatibility = \"1.1\"",
            "kind[0].action[0].attributes.speed.compatibility: is for the action itself",
        ),
        ("initial = \"off\"", "initial = \"lost\"", "kind[0].states.initial: unknown state `lost`"),
        (
            "minimum = 1\n",
            "becomes = \"com.example.state\"\n",
            "kind[0].attributes.\"com.example.watts\".becomes: is for the parameters of actions",
        ),
        (
            "enum = [\"slow\", \"fast\"]",
            "becomes = \"Not a name\"",
            "kind[0].action[0].attributes.speed.becomes: ",
        ),
    ] {
        let text = with_older();
        assert_eq!(text.matches(good).count(), 1, "{good}");
        let found = faults(&text.replace(good, bad));
        assert!(
            found.iter().any(|found| found.starts_with(fault)),
            "{bad}:\nwanted {fault}\n found {found:#?}"
        );
    }
}

#[test]
fn what_nobody_may_set_cannot_be_required() {
    let found = spoiled("mutable = true\ndefault = 40", "required = true");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("kind[0].attributes.\"com.example.watts\".required: no client may set it"));
    assert!(spoiled("enum = [\"off\", \"on\"]", "required = true").is_empty(), "the host sets the state");
}

#[test]
fn a_scheme_ends_in_a_hash() {
    let found = faults(
        &GOOD.replace("scheme = \"http://example.com/occi#\"", "scheme = \"http://example.com/occi\""),
    );
    assert!(
        found
            .iter()
            .any(|fault| fault
                .starts_with("kind[0].scheme: scheme `http://example.com/occi`: must end in `#`"))
    );
}

#[test]
fn all_faults_are_told_at_once_with_their_lines() {
    let text = GOOD
        .replace("publisher", "publsher")
        .replace("initial = \"off\"", "initial = \"red\"")
        .replace("default = 40", "default = true")
        .replace("term = \"dimmed\"", "term = 1");
    let error = Manifest::parse(&text).unwrap_err();
    let line = |needle: &str| text.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let lines: Vec<_> = error.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, ["publsher", "initial", "default = true", "term = 1"].map(line), "{error}");
    assert_eq!(error.to_string().lines().count(), 4);
}

#[test]
fn the_states_of_another_extension_are_left_to_the_registry() {
    let found = spoiled("[kind.states]", "[unknown]");
    assert!(!found.is_empty());
    let text =
        GOOD.replace("applies = [\"http://example.com/occi#lamp\"]", "applies = [\"http://other#lamp\"]");
    assert!(faults(&text.replace("from = [\"on\"]", "from = [\"whatever\"]")).is_empty());
    let orphan = r#"
        [extension]
        name = "a"
        version = "1.0.0"
        [[kind]]
        term = "a"
        scheme = "http://a#"
        parent = "PARENT"
        [[kind.action]]
        term = "b"
        scheme = "http://a#"
        from = ["c"]
    "#;
    assert!(faults(&orphan.replace("PARENT", "http://other#kind")).is_empty());
    let found = faults(&orphan.replace("PARENT", occi_model::core::RESOURCE));
    assert_eq!(
        found,
        ["kind[0].action[0].from: names states, but the Kind has none; declare them in [kind.states]"]
    );
}

#[test]
fn what_is_no_toml_says_where() {
    let error = Manifest::parse("[extension]\nname = \"a\nversion = 1").unwrap_err();
    assert_eq!(error.faults[0].line, 2);
    assert!(error.to_string().contains("is not TOML"));
}

#[test]
fn no_text_makes_it_panic() {
    for text in [
        "",
        "kind = 5",
        "[[kind]]\n[[kind]]",
        "kind = [1, {}]",
        "[kind]\nterm = 1",
        "extension = []",
        "\u{0}",
        "a = {b = {",
    ] {
        assert!(Manifest::parse(text).is_err(), "{text}");
    }
    let many: Vec<_> = (0..200).map(|number| format!("key{number} = 1")).collect();
    assert!(Manifest::parse(&many.join("\n")).unwrap_err().faults.len() <= 60);
    assert!(Manifest::parse(&"#".repeat(MAX_SIZE + 1)).is_err());
    let deep = format!("[capabilities]\na = {}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(Manifest::parse(&deep).is_err());
}
