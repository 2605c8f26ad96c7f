//! Entities: resources and links. They are made by [`crate::validate`] and restored by the store, nowhere else.

use crate::core;
use crate::identifier::{AttributeName, CategoryId, Location};
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Attribute values by name, in the order of their names.
pub type Attributes = BTreeMap<AttributeName, Value>;

/// A resource or a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// What `occi.core.id` is made of (CORE-39).
    pub id: Uuid,
    /// The path under which clients see it.
    pub location: Location,
    /// Its Kind, for its whole life (CORE-15).
    pub kind: CategoryId,
    /// Its Mixins as they were named, in the order in which they came; those that they depend on are not added.
    pub mixins: Vec<CategoryId>,
    /// To whom it belongs.
    pub tenant: Arc<str>,
    /// `occi.core.title`
    pub title: Option<String>,
    /// `occi.core.summary`; only a resource has one.
    pub summary: Option<String>,
    /// All attributes but those of OCCI Core.
    pub attributes: Attributes,
    /// The two ends of a link; none on a resource.
    pub ends: Option<Ends>,
}

/// The two ends of a link (CORE-43).
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// The resource that it leaves, always one of this server.
    pub source: Location,
    /// Its Kind.
    pub source_kind: CategoryId,
    /// Its id.
    pub source_id: Uuid,
    /// Where it leads: a path of this server or a foreign URI.
    pub target: String,
    /// The Kind of what is there, where it is known.
    pub target_kind: Option<CategoryId>,
    /// The id of what is there, where it is a resource of this server.
    pub target_id: Option<Uuid>,
}

impl Entity {
    /// `occi.core.id`: a URN, as CORE-39 recommends.
    pub fn urn(&self) -> String {
        self.id.urn().to_string()
    }

    /// Whether it is a link.
    pub fn is_link(&self) -> bool {
        self.ends.is_some()
    }

    /// One attribute, those of OCCI Core included.
    pub fn get(&self, name: &str) -> Option<Value> {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let kind = |kind: &CategoryId| Value::Text(kind.as_str().into());
        let ends = self.ends.as_ref();
        match name {
            core::ID => Some(Value::Text(self.urn())),
            core::TITLE => text(&self.title),
            core::SUMMARY => text(&self.summary),
            core::SOURCE => ends.map(|ends| ends.source.as_str().into()),
            core::SOURCE_KIND => ends.map(|ends| kind(&ends.source_kind)),
            core::TARGET => ends.map(|ends| ends.target.as_str().into()),
            core::TARGET_KIND => ends.and_then(|ends| ends.target_kind.as_ref()).map(kind),
            name => self.attributes.get(name).cloned(),
        }
    }
}
