//! An extension that attacks whoever hosts it: each action in its own way. What its language's compiler would not let it do
//! is done by the modules in text form beside it.

mod answers;
mod others;
mod requests;
mod resources;

use occi_sdk::{Actions, Attributes, Cause, Change, Fault, Observe, Read, Result, Subject};
use std::time::Duration;

struct Attacker;

impl Actions for Attacker {
    fn act(_subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        match action {
            "loop" => resources::spin(),
            "memory" => resources::grow(),
            "recursion" => resources::recurse(),
            #[allow(clippy::panic, reason = "it is the attack")]
            "panic" => panic!("on purpose"),
            "log-flood" => resources::flood_the_log(),
            "log-forgery" => resources::forge_log_lines(),
            "call-flood" => resources::flood_with_calls(),
            "handle-leak" => resources::leak_handles(),
            "path-traversal" => resources::leave_the_folder(),
            "store-bomb" => resources::fill_the_store(),
            "long-key" => resources::store_under_a_long_key(),
            "random-bomb" => resources::take_random_bytes(),
            "wait" => resources::wait(),
            "wait-for-many" => resources::wait_for_many(),
            "folder-bomb" => others::fill_the_private_folder(),
            "folder-traversal" => others::leave_the_private_folder(),
            "read-entities" => others::read_entities(parameters),
            "ask" => requests::ask(parameters),
            "ask-often" => requests::ask_often(parameters),
            "ask-slowly" => requests::ask_slowly(parameters),
            "read-all" => requests::read_all(parameters),
            "again-now" => Ok(Change::new().again(Duration::ZERO)),
            other => answers::answer(other),
        }
    }
}

impl Observe for Attacker {
    /// Counts how often it is asked and, once it has been asked again, asks for more.
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        if cause != Cause::Timer {
            return Ok(Change::new());
        }
        let times = subject.number(NUMBER).unwrap_or_default() + 1.0;
        Ok(Change::new().set(NUMBER, times).again(Duration::ZERO))
    }
}

occi_sdk::export!(Attacker: actions, observe);

const TEXT: &str = "com.example.hostile.text";
const NUMBER: &str = "com.example.hostile.number";

/// What came of an attack that the host has answered.
#[expect(clippy::unnecessary_wraps, reason = "the last step of what can fail")]
fn told(text: impl Into<String>) -> Result<Change> {
    Ok(Change::new().set(TEXT, text.into()))
}

/// An action that nobody has heard of.
fn unknown(action: &str) -> Fault {
    Fault::unsupported(format!("there is no attack called {action}"))
}
