//! Whether all that fits a definition fits a later one of the same category, to be seen from the two alone.

use crate::attribute::{Attribute, Constraint};
use crate::category::{Kind, Mixin, States};

impl Kind {
    /// Whether every entity of the older definition is one of this. Where it says no there may be none that is not.
    pub fn takes_all_of(&self, older: &Self) -> bool {
        let states = match (&self.states, &older.states) {
            (Some(states), Some(older)) => states.take_all_of(older),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        states
            && self.id == older.id
            && self.parent == older.parent
            && self.location == older.location
            && take_all_of(&self.attributes, &older.attributes)
    }
}

impl Mixin {
    /// Whether every entity that has it by the older definition may have it by this. Where it says no there may be none
    /// that may not.
    pub fn takes_all_of(&self, older: &Self) -> bool {
        self.id == older.id
            && self.depends == older.depends
            && (self.applies.is_empty() || self.applies == older.applies)
            && self.location == older.location
            && self.exclusive == older.exclusive
            && take_all_of(&self.attributes, &older.attributes)
    }
}

impl States {
    fn take_all_of(&self, older: &Self) -> bool {
        self.attribute == older.attribute
            && self.message == older.message
            && older.values.iter().all(|state| self.values.contains(state))
    }
}

/// A new attribute may have been another category's before, so the names must be the same.
fn take_all_of(attributes: &[Attribute], older: &[Attribute]) -> bool {
    let successor = |old: &Attribute| attributes.iter().find(|attribute| attribute.name == old.name);
    attributes.len() == older.len()
        && older.iter().all(|old| successor(old).is_some_and(|attribute| attribute.takes_all_of(old)))
}

impl Attribute {
    fn takes_all_of(&self, older: &Self) -> bool {
        self.value_type == older.value_type
            && (older.required || !self.required)
            && (older.mutable || !self.mutable)
            && self.constraint.takes_all_of(&older.constraint)
    }
}

impl Constraint {
    fn takes_all_of(&self, older: &Self) -> bool {
        let text = |constraint: &Self| constraint.regex.as_ref().map(ToString::to_string);
        let choices = self.choices.is_empty()
            || !older.choices.is_empty() && older.choices.iter().all(|choice| self.choices.contains(choice));
        choices
            && (self.regex.is_none() || text(self) == text(older))
            && self.minimum.is_none_or(|least| older.minimum.is_some_and(|older| least <= older))
            && self.maximum.is_none_or(|most| older.maximum.is_some_and(|older| older <= most))
            && self.max_length.is_none_or(|most| older.max_length.is_some_and(|older| older <= most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::ValueType;
    use crate::fixture::{attribute, id, int, path};
    use regex::Regex;

    fn kind() -> Kind {
        let size = Attribute {
            constraint: Constraint { minimum: Some(1.0), maximum: Some(8.0), ..Constraint::default() },
            ..attribute("size", ValueType::Integer)
        };
        let states = States {
            attribute: crate::fixture::name("state"),
            message: None,
            values: vec!["on".into(), "off".into()],
            initial: "on".into(),
        };
        Kind {
            id: id("volume"),
            title: Some("Volume".to_owned()),
            parent: Some(id("core#resource")),
            attributes: vec![size, attribute("label", ValueType::String)],
            actions: Vec::new(),
            location: Some(path("/volume/")),
            states: Some(states),
            console: None,
        }
    }

    fn changed(change: impl FnOnce(&mut Kind)) -> Kind {
        let mut kind = kind();
        change(&mut kind);
        kind
    }

    #[test]
    fn what_people_read_and_what_is_looser_breaks_nothing() {
        for next in [
            changed(|_| {}),
            changed(|kind| kind.title = None),
            changed(|kind| kind.attributes.reverse()),
            changed(|kind| kind.attributes[0].description = Some("in GiB".to_owned())),
            changed(|kind| kind.attributes[0].default = Some(int(2))),
            changed(|kind| kind.attributes[0].constraint.maximum = Some(9.0)),
            changed(|kind| kind.attributes[0].constraint.minimum = None),
            changed(|kind| kind.states.as_mut().unwrap().values.push("lost".into())),
            changed(|kind| kind.actions = vec![id("grow")]),
            changed(|kind| kind.console = Some(id("screen"))),
        ] {
            assert!(next.takes_all_of(&kind()), "{next:?}");
        }
    }

    #[test]
    fn what_may_break_something_is_to_be_looked_at() {
        let regex = || Some(Regex::new("[a-z]+").unwrap());
        for next in [
            changed(|kind| kind.parent = Some(id("core#link"))),
            changed(|kind| kind.location = Some(path("/volumes/"))),
            changed(|kind| drop(kind.attributes.pop())),
            changed(|kind| kind.attributes.push(attribute("more", ValueType::String))),
            changed(|kind| kind.attributes[1] = attribute("name", ValueType::String)),
            changed(|kind| kind.attributes[0].value_type = ValueType::Number),
            changed(|kind| kind.attributes[1].required = true),
            changed(|kind| kind.attributes[0].constraint.maximum = Some(7.0)),
            changed(|kind| kind.attributes[1].constraint.regex = regex()),
            changed(|kind| kind.attributes[1].constraint.max_length = Some(8)),
            changed(|kind| kind.attributes[1].constraint.choices = vec!["a".into()]),
            changed(|kind| drop(kind.states.as_mut().unwrap().values.pop())),
            changed(|kind| kind.states = None),
        ] {
            assert!(!next.takes_all_of(&kind()), "{next:?}");
        }
    }
}
