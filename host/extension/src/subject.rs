//! The entity that a call is about, and what its guest may ask of it, and of others that a capability shows.

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
    /// Whether it comes to be in the operation of the call.
    pub is_new: bool,
}

impl Subject {
    /// The handle that a guest gets for the call. No table of handles gets so far.
    pub(crate) fn handle() -> Resource<Self> {
        Resource::new_borrow(u32::MAX)
    }

    fn is_own(of: &Resource<Self>) -> bool {
        of.rep() == u32::MAX
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
        Self { entity: Arc::new(entity), mixins: Vec::new(), state: None, is_new: false }
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

impl CallState {
    /// The entity behind a handle: the call's subject, or one that a capability has shown.
    pub fn seen(&mut self, of: &Resource<Subject>) -> wasmtime::Result<&Subject> {
        if Subject::is_own(of) { Ok(self.subject()) } else { Ok(self.table().get(of)?) }
    }
}

impl types::HostEntity for CallState {
    fn id(&mut self, of: Resource<Subject>) -> wasmtime::Result<String> {
        Ok(self.seen(&of)?.entity.urn())
    }

    fn location(&mut self, of: Resource<Subject>) -> wasmtime::Result<String> {
        Ok(self.seen(&of)?.entity.location.as_str().into())
    }

    fn kind(&mut self, of: Resource<Subject>) -> wasmtime::Result<String> {
        Ok(self.seen(&of)?.entity.kind.as_str().into())
    }

    fn mixins(&mut self, of: Resource<Subject>) -> wasmtime::Result<Vec<String>> {
        Ok(self.seen(&of)?.mixins.iter().map(|id| id.as_str().into()).collect())
    }

    fn state(&mut self, of: Resource<Subject>) -> wasmtime::Result<Option<String>> {
        Ok(self.seen(&of)?.state.clone())
    }

    fn get(&mut self, of: Resource<Subject>, name: String) -> wasmtime::Result<Option<types::Value>> {
        Ok(self.seen(&of)?.entity.get(&name).map(convert::value_to_guest))
    }

    fn attributes(&mut self, of: Resource<Subject>) -> wasmtime::Result<Vec<types::Attribute>> {
        Ok(self.seen(&of)?.attributes())
    }

    fn is_new(&mut self, of: Resource<Subject>) -> wasmtime::Result<bool> {
        Ok(self.seen(&of)?.is_new)
    }

    fn source(&mut self, of: Resource<Subject>) -> wasmtime::Result<Option<String>> {
        Ok(self.seen(&of)?.entity.ends.as_ref().map(|ends| ends.source.as_str().into()))
    }

    fn target(&mut self, of: Resource<Subject>) -> wasmtime::Result<Option<String>> {
        Ok(self.seen(&of)?.entity.ends.as_ref().map(|ends| ends.target.clone()))
    }

    /// Of the subject a guest has only a borrow, which is not given back.
    fn drop(&mut self, of: Resource<Subject>) -> wasmtime::Result<()> {
        self.table().delete(of)?;
        Ok(())
    }
}
