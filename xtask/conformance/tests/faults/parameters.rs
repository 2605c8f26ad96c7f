//! Parameters of actions that no server should take.

use serde_json::Value;

use crate::proxy::{Asked, Fault};
use crate::{failing, found_in, found_in_requests};

fn is_invocation(asked: &Asked) -> bool {
    asked.method == "POST" && asked.query.starts_with("action=")
}

/// Leaves of an invocation what names its action, and so invokes it whatever its parameters were.
fn without_parameters(asked: &mut Asked) {
    if asked.header("content-type") == "application/occi+json" {
        asked.json(|value| {
            value.as_object_mut().unwrap().remove("attributes");
        });
    } else {
        asked.lines(|line| !line.starts_with("X-OCCI-Attribute:"));
    }
}

/// Whether an invocation has a parameter of this name.
fn has(asked: &Asked, name: &str) -> bool {
    is_invocation(asked) && asked.text().contains(name)
}

#[test]
fn unknown_parameters_are_ignored() {
    found_in_requests(&["H11-30", "HTTP-27"], |asked| {
        if has(asked, "no.such.parameter") {
            without_parameters(asked);
        }
        None
    });
}

#[test]
fn unknown_parameters_are_ignored_in_json() {
    found_in_requests(&["H11-30", "HTTP-27", "JSON-14"], |asked| {
        if has(asked, "\"no.such.parameter\":") {
            without_parameters(asked);
        }
        None
    });
}

#[test]
fn parameters_of_any_type_are_taken() {
    found_in_requests(&["H11-30", "HTTP-27"], |asked| {
        if has(asked, "\"method\":1") {
            without_parameters(asked);
        }
        None
    });
}

/// The server declares one, and does without it.
#[test]
fn required_parameters_are_not_asked_for() {
    found_in(&["H11-30", "HTTP-27"], |asked, answer| {
        if asked.path == "/-/" {
            answer.replace("attributes=\"method\"", "attributes=\"method{required}\"");
            answer.json(|value| {
                for action in value.get_mut("actions").and_then(Value::as_array_mut).into_iter().flatten() {
                    let attributes = action.get_mut("attributes").and_then(Value::as_object_mut);
                    if let Some(method) =
                        attributes.filter(|all| all.len() == 1).and_then(|all| all.get_mut("method"))
                    {
                        method["required"] = true.into();
                    }
                }
            });
        }
    });
}

/// The refusal is right, but comes too late.
#[test]
fn what_is_refused_is_done() {
    let fault = Fault::in_both(
        |asked| {
            if has(asked, "no.such.parameter") {
                without_parameters(asked);
                asked.headers.insert("x-refuse", "yes".parse().unwrap());
            }
            None
        },
        |asked, answer| {
            if asked.header("x-refuse") == "yes" {
                answer.status = 400;
            }
        },
    );
    assert_eq!(failing(fault), ["H11-30", "HTTP-27"].into());
}
