//! The entity that a call is about, and what its guest may ask of it. A call has one subject, so the handle that the
//! guest holds carries no meaning: whatever it is, it is that one.

use crate::bindings::types;
use crate::capability::CallState;
use crate::convert;
use occi_model::{Attributes, CategoryId, Entity, Location, core};
use std::sync::Arc;
use uuid::Uuid;
use wasmtime::component::Resource;

/// What the guest sees of an entity. Nothing in it can change during the call.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The entity, or what shall become one.
    pub entity: Arc<Entity>,
    /// Its Mixins, those that they depend on included.
    pub mixins: Vec<CategoryId>,
    /// The value of its Kind's state attribute, where the Kind has states.
    pub state: Option<String>,
}

impl Subject {
    /// The handle that a guest gets for the call.
    pub(crate) fn handle() -> Resource<Self> {
        Resource::new_borrow(0)
    }

    /// Nothing that exists: for what is no call about anything.
    pub(crate) fn nobody(kind: &CategoryId) -> Self {
        let entity = Entity {
            id: Uuid::nil(),
            location: Location::root(),
            kind: kind.clone(),
            mixins: Vec::new(),
            tenant: "".into(),
            title: None,
            summary: None,
            attributes: Attributes::new(),
            ends: None,
        };
        Self { entity: Arc::new(entity), mixins: Vec::new(), state: None }
    }

    fn attributes(&self) -> Vec<types::Attribute> {
        let texts = [(core::TITLE, &self.entity.title), (core::SUMMARY, &self.entity.summary)];
        let texts = texts.into_iter().filter_map(|(name, text)| {
            let value = types::Value::Text(text.clone()?);
            Some(types::Attribute { name: name.into(), value })
        });
        texts.chain(convert::attributes_to_guest(&self.entity.attributes)).collect()
    }
}

impl types::Host for CallState {}

impl types::HostEntity for CallState {
    fn id(&mut self, _: Resource<Subject>) -> String {
        self.subject().entity.urn()
    }

    fn location(&mut self, _: Resource<Subject>) -> String {
        self.subject().entity.location.as_str().into()
    }

    fn kind(&mut self, _: Resource<Subject>) -> String {
        self.subject().entity.kind.as_str().into()
    }

    fn mixins(&mut self, _: Resource<Subject>) -> Vec<String> {
        self.subject().mixins.iter().map(|id| id.as_str().into()).collect()
    }

    fn state(&mut self, _: Resource<Subject>) -> Option<String> {
        self.subject().state.clone()
    }

    fn get(&mut self, _: Resource<Subject>, name: String) -> Option<types::Value> {
        self.subject().entity.get(&name).map(convert::value_to_guest)
    }

    fn attributes(&mut self, _: Resource<Subject>) -> Vec<types::Attribute> {
        self.subject().attributes()
    }

    fn source(&mut self, _: Resource<Subject>) -> Option<String> {
        self.subject().entity.ends.as_ref().map(|ends| ends.source.as_str().into())
    }

    fn target(&mut self, _: Resource<Subject>) -> Option<String> {
        self.subject().entity.ends.as_ref().map(|ends| ends.target.clone())
    }

    /// A guest only borrows the subject; there is nothing to give back.
    fn drop(&mut self, _: Resource<Subject>) -> wasmtime::Result<()> {
        Ok(())
    }
}
