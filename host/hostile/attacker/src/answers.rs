//! Answers that break the contract, the manifest, or whoever reads them.

use crate::{NUMBER, TEXT, unknown};
use occi_sdk::{Change, Fault, Result, Value};

const MANY: usize = 4 << 20;

pub(crate) fn answer(action: &str) -> Result<Change> {
    let change = Change::new();
    Ok(match action {
        "calm" => change,
        "long-text" => change.set(TEXT, "x".repeat(MANY)),
        "many-attributes" => (0..100_000)
            .fold(change, |change, number| change.set(&format!("com.example.hostile.a{number}"), "x")),
        "long-fault" => return Err(Fault::failed("x".repeat(MANY))),
        "odd-fault" => return Err(Fault::new("gibberish", "a\r\nX-Injected: yes\r\n\r\n\u{1b}[2J\u{202e}")),
        "wrong-attribute" => change.set("com.example.other.text", "x"),
        "wrong-type" => change.set(TEXT, 1_i64),
        "wrong-state" => change.state("furious"),
        "core-attribute" => change.set("occi.core.id", "urn:uuid:00000000-0000-4000-8000-000000000000"),
        "bad-structure" => change.set("com.example.hostile.structure", Value::Structured("[1, 2".into())),
        "deep-structure" => {
            let deep = "[".repeat(100_000) + &"]".repeat(100_000);
            change.set("com.example.hostile.structure", Value::Structured(deep))
        }
        "not-a-number" => change.set(NUMBER, f64::NAN),
        other => return Err(unknown(other)),
    })
}
