//! From the text of a manifest to its form, and from a place in the form back to a line of the text.

use super::fault::{Faults, ManifestFault};
use super::form::ManifestForm;
use serde::Deserialize;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// So many faults of form are reported; one who has more is better served by an editor.
const FORM_FAULTS: usize = 50;

/// A place in a manifest, such as `kind[0].attributes."com.example.stars".default`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Place {
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.into()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    let dot = if position == 0 { "" } else { "." };
                    if bare(key) && !key.is_empty() {
                        write!(f, "{dot}{key}")?;
                    } else {
                        write!(f, "{dot}{key:?}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The text and where everything stands in it.
pub(super) struct Source<'t> {
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Source<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, ManifestFault> {
        let root = DeTable::parse(text).map_err(|error| ManifestFault {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            place: String::new(),
            message: format!("is not TOML: {}", error.message()),
        })?;
        Ok(Self { text, root })
    }

    /// The form, without what had to be left out since it is no part of it.
    pub(super) fn form(&self, faults: &mut Faults) -> ManifestForm {
        let mut root = self.root.clone();
        for _ in 0..FORM_FAULTS {
            let error = match ManifestForm::deserialize(Deserializer::from(root.clone())) {
                Ok(form) => return form,
                Err(error) => error,
            };
            let span = error.span().unwrap_or_default();
            let place = cut(root.get_mut(), &span, &Place::default());
            let message = explain(error.message(), place.as_ref().and_then(|place| self.value(place)));
            faults.push(ManifestFault {
                line: line_of(self.text, span.start),
                place: place.as_ref().map(ToString::to_string).unwrap_or_default(),
                message,
            });
            if place.is_none() {
                break;
            }
        }
        ManifestForm::default()
    }

    /// The line, counted from 1, of a place, or of the nearest thing around it that is there.
    pub(super) fn line(&self, place: &Place) -> usize {
        let mut span = 0..0;
        let mut table = Some(self.root.get_ref());
        let mut value: Option<&Spanned<DeValue<'t>>> = None;
        for step in &place.0 {
            match step {
                Step::Key(key) => {
                    let Some((name, found)) = table.and_then(|table| table.get_key_value(key.as_str()))
                    else {
                        break;
                    };
                    // The header of an inner table is where its key stands last.
                    span = name.span();
                    value = Some(found);
                }
                Step::Index(index) => {
                    let found = value
                        .and_then(|value| value.get_ref().as_array())
                        .and_then(|array| array.get(*index));
                    let Some(found) = found else { break };
                    span = found.span();
                    value = Some(found);
                }
            }
            table = value.and_then(|value| value.get_ref().as_table());
        }
        line_of(self.text, span.start)
    }

    fn value(&self, place: &Place) -> Option<&DeValue<'t>> {
        let mut steps = place.0.iter();
        let Some(Step::Key(first)) = steps.next() else { return None };
        let mut value = self.root.get_ref().get_key_value(first.as_str())?.1.get_ref();
        for step in steps {
            value = match step {
                Step::Key(key) => value.as_table()?.get_key_value(key.as_str())?.1.get_ref(),
                Step::Index(index) => value.as_array()?.get(*index)?.get_ref(),
            };
        }
        Some(value)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Takes the innermost entry at the span out of the table, and says where it stood.
fn cut(table: &mut DeTable<'_>, span: &Range<usize>, here: &Place) -> Option<Place> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let place = here.key(key.get_ref());
        if key.span() == *span {
            found = Some((key.get_ref().to_string(), place));
            break;
        }
        if let Some(inner) = cut_within(value, span, &place) {
            return Some(inner);
        }
        if contains(&value.span(), span) {
            found = Some((key.get_ref().to_string(), place));
            break;
        }
    }
    let (key, place) = found?;
    table.remove(key.as_str());
    Some(place)
}

fn cut_within(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>, here: &Place) -> Option<Place> {
    match value.get_mut() {
        DeValue::Table(table) => cut(table, span, here),
        DeValue::Array(array) => array
            .iter_mut()
            .enumerate()
            .find_map(|(index, value)| cut_within(value, span, &here.index(index))),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The parser's words, with the nearest known key where one is unknown.
fn explain(message: &str, value: Option<&DeValue<'_>>) -> String {
    let Some(rest) = message.strip_prefix("unknown field ") else { return message.into() };
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let Some(given) = quoted.next() else { return message.into() };
    let known: Vec<&str> = quoted.collect();
    if let Some(near) = super::fault::nearest(given, known.iter().copied()) {
        return format!("unknown key `{given}`; did you mean `{near}`?");
    }
    if known.contains(&"max-length") && value.is_some_and(DeValue::is_table) {
        return format!(
            "unknown key `{given}`; a name with dots is written in quotes, as in [kind.attributes.\"a.{given}\"]"
        );
    }
    format!("unknown key `{given}`; the keys here are {}", known.join(", "))
}
