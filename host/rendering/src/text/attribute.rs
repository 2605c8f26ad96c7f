//! `name=value`, in X-OCCI-Attribute lines and in those of links.

use super::scanner::{Given, Scanner, Word};
use crate::error::Malformed;
use crate::limit::MAX_ITEMS;
use crate::quirks;
use occi_model::{AttributeName, Attributes, Value};

/// Reads the value of a name that was read, and adds both.
pub(super) fn parse(
    scanner: &mut Scanner<'_>,
    name: Word<'_>,
    attributes: &mut Attributes,
) -> Result<(), Malformed> {
    if attributes.len() == MAX_ITEMS {
        return Err(scanner.error(name.at, format!("more than {MAX_ITEMS} attributes of one thing")));
    }
    let attribute = AttributeName::parse(name.text).map_err(|invalid| scanner.error(name.at, invalid))?;
    let value = value(scanner.given()?);
    if attributes.insert(attribute, value).is_some() {
        return Err(scanner.twice(name));
    }
    Ok(())
}

fn value(given: Given<'_>) -> Value {
    if given.quoted {
        return Value::Text(given.text.into_owned());
    }
    match &*given.text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        token => number(token).unwrap_or_else(|| quirks::bare_text(token)),
    }
}

/// A number, also with a sign or an exponent, which the grammar has not. One too large to be held is no number.
fn number(token: &str) -> Option<Value> {
    if !token.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    if let Ok(integer) = token.parse() {
        return Some(Value::Integer(integer));
    }
    token.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Number)
}
