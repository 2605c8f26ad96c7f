//! What extensions have for themselves, also those that do not serve now.

use occi_model::CategoryId;
use occi_model::registry::place_of_scheme;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Which schemes and Kinds and Mixins are an extension's, as far as it is installed, or has left entities.
#[derive(Debug, Default)]
pub struct Claims {
    /// By what is the same of those that are taken for one.
    schemes: HashMap<String, Arc<str>>,
    types: HashSet<CategoryId>,
}

impl Claims {
    /// Adds what an extension has.
    pub fn add<'a>(
        &mut self,
        extension: &Arc<str>,
        schemes: impl Iterator<Item = &'a str>,
        types: impl IntoIterator<Item = CategoryId>,
    ) {
        let schemes = schemes.map(|scheme| (place_of_scheme(scheme).into_owned(), Arc::clone(extension)));
        self.schemes.extend(schemes);
        self.types.extend(types);
    }

    /// The extension that has a scheme.
    pub(crate) fn owner_of_scheme(&self, scheme: &str) -> Option<&Arc<str>> {
        self.schemes.get(&*place_of_scheme(scheme))
    }

    /// Whether a Kind or Mixin is one of an extension's.
    pub(crate) fn has(&self, id: &CategoryId) -> bool {
        self.types.contains(id)
    }
}
