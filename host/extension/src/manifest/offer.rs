//! Mixins for what a capability has on offer: `[[offer]]`.

use occi_model::{CategoryId, Location, Mixin, Origin};

/// What of a capability's things becomes Mixins, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The capability.
    pub of: String,
    /// The scheme of all of them; nothing else is named in it.
    pub scheme: String,
    /// The path above their collections.
    pub location: Location,
    /// The Mixins that come along with each.
    pub depends: Vec<CategoryId>,
    /// The Kinds to whose entities each can be added; none for all.
    pub applies: Vec<CategoryId>,
}

impl Offer {
    /// The Mixin for a thing of that name; none where the name is no term.
    pub fn mixin(&self, name: &str, title: Option<&str>) -> Option<Mixin> {
        let id = CategoryId::new(&self.scheme, name).ok()?;
        let location = Location::parse(&format!("{}{name}/", self.location)).ok()?;
        Some(Mixin {
            id,
            title: title.map(str::to_owned),
            depends: self.depends.clone(),
            applies: self.applies.clone(),
            attributes: Vec::new(),
            actions: Vec::new(),
            location,
            origin: Origin::Provider,
            exclusive: false,
        })
    }

    /// Whether each entity with a Mixin of an older one may have it by this.
    pub(crate) fn takes_all_of(&self, older: &Self) -> bool {
        self.scheme == older.scheme
            && self.location == older.location
            && self.depends == older.depends
            && (self.applies.is_empty() || self.applies == older.applies)
    }

    /// The name of the thing for which a Mixin is; none where it is none of these.
    pub fn name<'m>(&self, mixin: &'m CategoryId) -> Option<&'m str> {
        (mixin.scheme() == self.scheme).then(|| mixin.term())
    }
}
