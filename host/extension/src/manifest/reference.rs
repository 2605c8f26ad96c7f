//! The reference of the manifest in `docs/extensions.md`, made of the code that reads it ([`super::form`]).
//!
//! `OCCI_WRITE_GUIDE=1` writes it; without that the page is held against the code.

use super::form::ManifestForm;
use serde_json::Value;
use std::fmt::Write as _;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/extensions.md");
const BEGIN: &str = "<!-- Made of the code that reads the manifest, from here -->\n";
const END: &str = "<!-- to here -->\n";

/// The tables of the manifest in the order in which an author meets them, each with the name of its form.
const TABLES: [(&str, &str); 8] = [
    ("`[extension]`", "ExtensionForm"),
    ("`[limits]`", "LimitsForm"),
    ("`[[kind]]`", "KindForm"),
    ("`[kind.states]`", "StatesForm"),
    ("`[[mixin]]`", "MixinForm"),
    ("`[[offer]]`", "OfferForm"),
    ("`[[kind.action]]`, `[[mixin.action]]`", "ActionForm"),
    ("`[kind.attributes.\"NAME\"]`, and those of Mixins and actions", "AttributeForm"),
];

fn reference() -> String {
    let schema = schemars::schema_for!(ManifestForm).to_value();
    let mut out = String::new();
    writeln!(out, "### The whole\n").unwrap();
    out.push_str(&rows(&schema));
    for (title, form) in TABLES {
        let table = &schema["$defs"][form];
        assert!(table.is_object(), "{form}: {schema:#}");
        writeln!(out, "\n### {title}\n").unwrap();
        if let Some(description) = table["description"].as_str() {
            writeln!(out, "{}", one_line(description)).unwrap();
        }
        out.push_str(&rows(table));
    }
    out
}

fn rows(table: &Value) -> String {
    let Some(keys) = table["properties"].as_object().filter(|keys| !keys.is_empty()) else {
        return String::new();
    };
    let mut out = "| key | what it says |\n|---|---|\n".to_owned();
    for (key, value) in keys {
        let description = value["description"].as_str().unwrap_or_else(|| panic!("{key} has no words"));
        writeln!(out, "| `{key}` | {} |", one_line(description)).unwrap();
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_says_what_is_read() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("where the reference begins");
    let (held, tail) = rest.split_once(END).expect("where it ends");
    let made = format!("\n{}\n", reference());
    if std::env::var_os("OCCI_WRITE_GUIDE").is_some() {
        std::fs::write(PAGE, format!("{head}{BEGIN}{made}{END}{tail}")).unwrap();
    } else {
        assert_eq!(held, made, "OCCI_WRITE_GUIDE=1 brings the page up to date");
    }
}
