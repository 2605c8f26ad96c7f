//! What a new version would break, told so that its author sees what to change.

use occi_model::Location;
use std::collections::HashMap;
use std::fmt;

/// Entities that do not fit what an extension's new version defines.
#[derive(Debug, Default)]
pub struct Breaks {
    entities: usize,
    /// In the order in which they were found.
    reasons: Vec<Reason>,
    by_text: HashMap<String, usize>,
    /// How many entities have reasons that are not among these.
    others: usize,
    /// How many it was not tried to bring over, and why.
    untried: (usize, &'static str),
    /// Whether it has tried to bring them over.
    has_migrate: bool,
}

#[derive(Debug)]
struct Reason {
    text: String,
    entities: usize,
    such_as: Location,
}

/// So many reasons are told; values in them can make each entity's another.
const TOLD: usize = 20;

impl Breaks {
    /// One of them.
    pub fn such_as(&self) -> Option<&Location> {
        self.reasons.first().map(|reason| &reason.such_as)
    }

    pub(super) fn new(has_migrate: bool) -> Self {
        Self { has_migrate, ..Self::default() }
    }

    /// How many entities.
    pub fn entities(&self) -> usize {
        self.entities
    }

    pub(super) fn leave_untried(&mut self, entities: usize, why: &'static str) {
        self.untried = (entities, why);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entities == 0
    }

    pub(super) fn note(&mut self, location: &Location, reasons: impl IntoIterator<Item = String>) {
        self.entities += 1;
        for text in reasons {
            if let Some(&known) = self.by_text.get(&text) {
                self.reasons[known].entities += 1;
            } else if self.reasons.len() < TOLD {
                self.by_text.insert(text.clone(), self.reasons.len());
                self.reasons.push(Reason { text, entities: 1, such_as: location.clone() });
            } else {
                self.others += 1;
            }
        }
    }
}

impl fmt::Display for Breaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |entities: usize| match entities {
            1 => "1 entity".to_owned(),
            many => format!("{many} entities"),
        };
        let verb = if self.entities == 1 { "does" } else { "do" };
        write!(f, "{} {verb} not fit it", count(self.entities))?;
        for (number, Reason { text, entities, such_as }) in self.reasons.iter().enumerate() {
            let separator = if number == 0 { ": " } else { "; " };
            write!(f, "{separator}{text} ({}, such as {such_as})", count(*entities))?;
        }
        if self.others > 0 {
            write!(f, "; and {} more for other reasons", self.others)?;
        }
        if let (untried @ 1.., why) = self.untried {
            write!(f, "; {untried} more were not tried, as {why}")?;
        }
        if self.has_migrate {
            f.write_str("; make its `migrate` bring each of them over, and clear there what it does not define any more")
        } else {
            f.write_str("; define what they have, or export `occi:extension/migrate` to bring them over")
        }
    }
}
