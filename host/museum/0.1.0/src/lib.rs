//! An extension as it was when the contract was published as 0.1.0: written against `wit/frozen/0.1.0` by wit-bindgen alone, and
//! using all of it.

// What wit-bindgen makes is in this crate itself.
#![allow(unsafe_code)]
// Its functions are called by the host alone.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

mod hypervisor;
mod store;
mod system;
mod web;

#[allow(missing_docs, clippy::pedantic)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit/frozen/0.1.0",
        inline: "package museum:exhibit; world exhibit {
            import occi:extension/types@0.1.0;
            import occi:extension/machines@0.1.0;
            import occi:extension/volumes@0.1.0;
            import occi:extension/networks@0.1.0;
            import occi:extension/entities@0.1.0;
            import occi:extension/folder@0.1.0;
            import wasi:clocks/monotonic-clock@0.2.12;
            import wasi:clocks/wall-clock@0.2.12;
            import wasi:config/store@0.2.0-rc.1;
            import wasi:http/outgoing-handler@0.2.12;
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:logging/logging@0.1.0-draft;
            import wasi:random/insecure@0.2.12;
            import wasi:random/insecure-seed@0.2.12;
            import wasi:random/random@0.2.12;
            export occi:extension/lifecycle@0.1.0;
            export occi:extension/actions@0.1.0;
            export occi:extension/observe@0.1.0;
            export occi:extension/migrate@0.1.0;
        }",
        world: "museum:exhibit/exhibit",
        generate_all,
    });
}

use bindings::exports::occi::extension::{actions, lifecycle, migrate, observe};
use bindings::occi::extension::types::{Attribute, Change, Entity, Fault, Value};

const PREFIX: &str = "com.example.exhibit.";

struct Exhibit;

/// What was seen, line by line.
#[derive(Default)]
struct Report(Vec<String>);

impl Report {
    fn say(&mut self, what: &str, seen: impl std::fmt::Display) {
        self.0.push(format!("{what}: {seen}"));
    }

    /// The answer of a function that can say no.
    fn answer<T>(&mut self, what: &str, answer: Result<T, Fault>) -> Result<T, Fault> {
        self.say(what, answer.as_ref().map_or_else(|fault| fault.code.as_str(), |_| "ok"));
        answer
    }

    fn change(self) -> Change {
        let lines: Vec<String> = self.0.iter().map(|line| format!("{line:?}")).collect();
        set("report", Value::Structured(format!("[{}]", lines.join(","))))
    }
}

fn name(rest: &str) -> String {
    [PREFIX, rest].concat()
}

fn nothing() -> Change {
    Change { set: Vec::new(), clear: Vec::new(), state: None, message: None, again: None }
}

fn set(rest: &str, value: Value) -> Change {
    Change { set: vec![Attribute { name: name(rest), value }], ..nothing() }
}

impl lifecycle::Guest for Exhibit {
    fn create(_operation: String, role: String, subject: &Entity) -> Result<Change, Fault> {
        if role.ends_with("rope") {
            let mut report = Report::default();
            hypervisor::ends(&mut report);
            return Ok(report.change());
        }
        if subject
            .get("occi.core.title")
            .is_some_and(|title| matches!(title, Value::Text(text) if text == "refused"))
        {
            return Err(Fault {
                code: "invalid".into(),
                message: "another title, please".into(),
                attribute: Some("occi.core.title".into()),
            });
        }
        Ok(Change {
            state: Some("shown".into()),
            message: Some("made".into()),
            again: Some(1000),
            ..nothing()
        })
    }

    fn update(_: String, _: String, subject: &Entity, wanted: Vec<Attribute>) -> Result<Change, Fault> {
        let before = subject.attributes().len();
        let names: Vec<_> = wanted.iter().map(|wanted| wanted.name.as_str()).collect();
        let mut report = Report::default();
        report.say("update", format_args!("{} on {before}", names.join(" ")));
        Ok(Change { clear: vec![name("cause")], message: Some(String::new()), ..report.change() })
    }

    fn delete(_: String, _: String, _: &Entity) -> Result<(), Fault> {
        Ok(())
    }
}

impl actions::Guest for Exhibit {
    fn act(
        _operation: String,
        _role: String,
        subject: &Entity,
        action: String,
        parameters: Vec<Attribute>,
    ) -> Result<Change, Fault> {
        let part = parameters.into_iter().find(|parameter| parameter.name == "part").map(|part| part.value);
        let Some(Value::Text(part)) = part else { return Err(unknown(&action)) };
        let mut report = Report::default();
        match part.as_str() {
            "hypervisor" => hypervisor::tour(&mut report)?,
            "store" => store::tour(subject, &mut report)?,
            "system" => system::tour(&mut report),
            "web" => web::tour(&mut report),
            _ => return Err(unknown(&part)),
        }
        Ok(report.change())
    }
}

fn unknown(what: &str) -> Fault {
    Fault { code: "unsupported".into(), message: format!("there is no {what} here"), attribute: None }
}

impl observe::Guest for Exhibit {
    fn observe(_role: String, _subject: &Entity, cause: String) -> Result<Change, Fault> {
        Ok(set("cause", Value::Text(cause)))
    }
}

impl migrate::Guest for Exhibit {
    fn migrate(from: String, _role: String, subject: &Entity) -> Result<Change, Fault> {
        let Some(value) = subject.get(&name("old")) else { return Ok(nothing()) };
        // A test gives the manifest another name for it, and the code, which is the same, finds that there.
        let mut change = set("new", value);
        change.clear.push(name("old"));
        change.message = Some(format!("migrated from {from}"));
        Ok(change)
    }
}

#[cfg(target_arch = "wasm32")]
bindings::export!(Exhibit with_types_in bindings);

#[cfg(test)]
mod tests;
