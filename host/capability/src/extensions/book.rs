//! What one operation knows of the extension for which its entity stands, and writes down of it.

use super::{Administrator, Agreed, CHANGING, Facts, Ledger, Wish};
use crate::Buckets;
use occi_extension::bindings::types::Fault;
use occi_extension::{BucketName, CallState, Replaced};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// A call's view of the ledger. A fault is told as an error here, as is what ends the call.
pub(super) struct Book {
    administrator: Arc<Administrator>,
    ledger: Ledger,
    entity: Uuid,
}

fn unreadable(error: impl fmt::Display) -> Fault {
    tracing::error!(%error, "what is known of extensions cannot be read");
    Fault::new("unavailable", "the store cannot be read now")
}

impl Book {
    pub(super) fn open(state: &CallState) -> wasmtime::Result<Self> {
        let administrator = state.lent::<Administrator>()?;
        let ledger = administrator.0.ledger();
        Ok(Self { administrator, ledger, entity: state.call().entity })
    }

    /// What there is to know of the extension for which the entity stands. One that the host is making begins to stand
    /// for its extension by this.
    pub(super) fn facts(&self, state: &mut CallState) -> wasmtime::Result<Facts> {
        let name = match self.name(state)? {
            Some(name) => name,
            None => {
                let name = self.administrator.0.making(self.entity).ok_or_else(missing)?;
                self.claim(state, &name)?;
                name
            }
        };
        self.known(state, &name)?.ok_or_else(|| missing().into())
    }

    pub(super) async fn install(&self, state: &mut CallState, content: Vec<u8>) -> wasmtime::Result<Facts> {
        let name = self.name(state)?;
        if let Some(name) = &name {
            self.check_settled(state, name)?;
        }
        let Agreed { facts, order } = self.agree(state, name.as_deref(), Wish::Install(content)).await?;
        if name.is_none() {
            self.claim(state, &facts.name)?;
            self.check_settled(state, &facts.name)?;
        }
        self.order(state, facts, order)
    }

    pub(super) async fn ask(&self, state: &mut CallState, wish: Wish) -> wasmtime::Result<Facts> {
        let name = self.name(state)?.ok_or_else(missing)?;
        self.check_settled(state, &name)?;
        let Agreed { facts, order } = self.agree(state, Some(&name), wish).await?;
        self.order(state, facts, order)
    }

    pub(super) async fn remove(&self, state: &mut CallState) -> wasmtime::Result<()> {
        let Some(name) = self.name(state)? else { return Ok(()) };
        let mut order = None;
        if !self.administrator.0.is_ending(self.entity) {
            self.check_settled(state, &name)?;
            order = self.agree(state, Some(&name), Wish::Remove).await?.order;
        }
        self.write(state, &(self.ledger.entity_of)(&name), None)?;
        self.write(state, &(self.ledger.name_of)(self.entity), None)?;
        self.write(state, &(self.ledger.order_for)(&name), order)
    }

    /// The name of the extension for which the entity stands.
    fn name(&self, state: &mut CallState) -> wasmtime::Result<Option<String>> {
        let name = self.read(state, &(self.ledger.name_of)(self.entity))?;
        Ok(name.map(String::from_utf8).transpose()?)
    }

    /// Has the entity stand for an extension, for which no other one does.
    fn claim(&self, state: &mut CallState, name: &str) -> wasmtime::Result<()> {
        let key = (self.ledger.entity_of)(name);
        let own = self.entity.to_string().into_bytes();
        match self.read(state, &key)? {
            Some(other) if other != own => Err(Fault::new(
                "conflict",
                format!(
                    "the extension {name} is there already, as the entity urn:uuid:{}; change that one",
                    String::from_utf8_lossy(&other)
                ),
            )
            .into()),
            Some(_) => Ok(()),
            None => {
                self.write(state, &key, Some(own))?;
                self.write(state, &(self.ledger.name_of)(self.entity), Some(name.into()))
            }
        }
    }

    fn known(&self, state: &mut CallState, name: &str) -> wasmtime::Result<Option<Facts>> {
        let order = self.read(state, &(self.ledger.order_for)(name))?;
        Ok(self.administrator.0.facts(name, order.as_deref())?)
    }

    /// One thing after the other: what was promised to one client is not overwritten by the next.
    fn check_settled(&self, state: &mut CallState, name: &str) -> wasmtime::Result<()> {
        match self.known(state, name)? {
            Some(facts) if facts.state == CHANGING => Err(Fault::new(
                "conflict",
                format!("what was asked for {name} before is still being done; ask again in a moment"),
            )
            .into()),
            Some(_) | None => Ok(()),
        }
    }

    async fn agree(&self, state: &mut CallState, name: Option<&str>, wish: Wish) -> wasmtime::Result<Agreed> {
        let by = Arc::clone(&state.call().extension);
        // To compile takes its time, in which other calls can run.
        Ok(state.aside(self.administrator.0.agree(&by, name, wish)).await?)
    }

    /// Writes down what is to be done; what was in vain before is forgotten.
    fn order(&self, state: &mut CallState, facts: Facts, order: Option<Vec<u8>>) -> wasmtime::Result<Facts> {
        let key = (self.ledger.order_for)(&facts.name);
        let state_then = if order.is_some() { CHANGING.to_owned() } else { facts.state.clone() };
        if order.is_some() || self.read(state, &key)?.is_some() {
            self.write(state, &key, order)?;
        }
        Ok(Facts { state: state_then, ..facts })
    }

    /// What stands at a key, for this operation.
    fn read(&self, state: &mut CallState, key: &str) -> wasmtime::Result<Option<Vec<u8>>> {
        if let Some(written) = state.writes().get(self.ledger.bucket, key) {
            return Ok(written.map(<[u8]>::to_vec));
        }
        Ok(self.stored(state, key)?.map(|(value, _)| value))
    }

    fn write(&self, state: &mut CallState, key: &str, value: Option<Vec<u8>>) -> wasmtime::Result<()> {
        let over = self.stored(state, key)?;
        let over = over.map(|(value, revision)| Replaced { revision, bytes: value.len() });
        let written = state.writes().put(self.ledger.bucket, key, value, over);
        Ok(written.map_err(|refused| Fault::new("invalid", refused.to_string()))?)
    }

    fn stored(&self, state: &mut CallState, key: &str) -> wasmtime::Result<Option<(Vec<u8>, u64)>> {
        let call = state.call();
        let (tenant, extension) = (Arc::clone(&call.tenant), Arc::clone(&call.extension));
        let buckets = state.lent::<Buckets>()?;
        let name = BucketName { tenant: &tenant, extension: &extension, bucket: self.ledger.bucket };
        let view = state.writes().view(|| buckets.view());
        Ok(view.and_then(|view| view.get(&name, key)).map_err(unreadable)?)
    }
}

fn missing() -> Fault {
    Fault::new("missing", "the entity stands for no extension of this server")
}
