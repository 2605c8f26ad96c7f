//! Mixins for what a capability has on offer: `[[offer]]`.

use crate::capability::Offered;
use occi_model::{
    Attribute, AttributeName, CategoryId, Constraint, Location, Mixin, Origin, Value, ValueType,
};

/// What of a capability's things becomes Mixins, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The capability.
    pub of: String,
    /// For which use of them the things are; none for the usual one.
    pub purpose: Option<String>,
    /// The scheme of all of them; nothing else is named in it.
    pub scheme: String,
    /// The path above their collections.
    pub location: Location,
    /// The Mixins that come along with each.
    pub depends: Vec<CategoryId>,
    /// The Kinds to whose entities each can be added; none for all.
    pub applies: Vec<CategoryId>,
    /// Attributes whose default is what the capability tells of the thing by that word.
    pub defaults: Vec<(AttributeName, String)>,
}

impl Offer {
    /// The Mixin for a thing; none where its name is no term, or it is not for this offer's use.
    pub(crate) fn mixin(&self, thing: &Offered) -> Option<Mixin> {
        if thing.purpose != self.purpose.as_deref() {
            return None;
        }
        let default = |(name, figure): &(AttributeName, String)| {
            let (_, number) = thing.figures.iter().find(|(known, _)| known == figure)?;
            Some(Attribute {
                name: name.clone(),
                value_type: ValueType::Number,
                mutable: true,
                required: false,
                default: Some(Value::Number(*number)),
                constraint: Constraint::default(),
                description: None,
            })
        };
        let attributes = self.defaults.iter().filter_map(default).collect();
        Some(Mixin { title: thing.title.clone(), attributes, ..self.without_thing(&thing.name)? })
    }

    /// The Mixin for a thing of that name of which no more is known.
    pub(crate) fn without_thing(&self, name: &str) -> Option<Mixin> {
        Some(Mixin {
            id: self.id(name)?,
            title: None,
            depends: self.depends.clone(),
            applies: self.applies.clone(),
            attributes: Vec::new(),
            actions: Vec::new(),
            location: Location::parse(&format!("{}{name}/", self.location)).ok()?,
            origin: Origin::Provider,
            exclusive: false,
        })
    }

    /// The name of the Mixin for a thing of that name; none where that is no term.
    pub(crate) fn id(&self, name: &str) -> Option<CategoryId> {
        CategoryId::new(&self.scheme, name).ok()
    }

    /// Whether each entity with a Mixin of an older one may have it by this.
    pub(crate) fn takes_all_of(&self, older: &Self) -> bool {
        self.scheme == older.scheme
            && self.defaults == older.defaults
            && self.location == older.location
            && self.depends == older.depends
            && (self.applies.is_empty() || self.applies == older.applies)
    }

    /// The name of the thing for which a Mixin is; none where it is none of these.
    pub fn name<'m>(&self, mixin: &'m CategoryId) -> Option<&'m str> {
        (mixin.scheme() == self.scheme).then(|| mixin.term())
    }
}
