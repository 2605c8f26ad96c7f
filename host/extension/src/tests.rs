//! Extensions loaded and called through the public face of the crate, with guests that are written for the purpose.

mod cache;
mod call;
mod hostile;
mod lending;
mod load;

use crate::capability::{Capability, Lent};
use crate::{Call, Extension, Grants, Loader, Settings, Subject};
use occi_guest as guest;
use occi_model::{AttributeName, CategoryId, Ends, Entity, Location, Value};
use std::sync::Arc;
use uuid::Uuid;

const KIND: &str = "http://example.com/occi#deed";

/// A host for one test, with a cache of its own.
struct Host {
    cache: tempfile::TempDir,
    capabilities: Vec<Arc<dyn Capability>>,
    granted: Vec<&'static str>,
    administrators: Vec<&'static str>,
    lent: fn() -> Lent,
    settings: Settings,
}

impl Host {
    fn new() -> Self {
        let settings = Settings { calls: 16, ..Settings::default() };
        let cache = tempfile::tempdir().unwrap();
        Self {
            cache,
            capabilities: Vec::new(),
            granted: Vec::new(),
            administrators: Vec::new(),
            lent: Lent::new,
            settings,
        }
    }

    fn loader(&self) -> Loader {
        let grants = Grants {
            capabilities: self.granted.iter().map(ToString::to_string).collect(),
            key: "extensions.capabilities".into(),
            administrators: self.administrators.iter().map(ToString::to_string).collect(),
        };
        let folder = self.cache.path().join("code");
        Loader::new(self.settings, &folder, self.capabilities.clone(), grants, (self.lent)()).unwrap()
    }

    fn load(&self, component: &[u8]) -> Extension {
        self.loader().component(component).unwrap()
    }

    /// The message of a refusal to load.
    fn refusal(&self, component: &[u8]) -> String {
        self.loader().component(component).unwrap_err().to_string()
    }
}

/// A link with one attribute, which the guests' deeds are done to.
fn entity() -> Entity {
    let kind = CategoryId::parse(KIND).unwrap();
    Entity {
        id: Uuid::from_u128(1),
        location: Location::parse("/deed/1").unwrap(),
        kind: kind.clone(),
        mixins: Vec::new(),
        tenant: "acme".into(),
        title: Some("A title".into()),
        summary: None,
        attributes: [(AttributeName::parse("com.example.note").unwrap(), Value::from("hello"))].into(),
        ends: Some(Ends {
            source: Location::parse("/deed/2").unwrap(),
            source_kind: kind,
            source_id: Uuid::from_u128(2),
            target: "http://elsewhere.example.com/".into(),
            target_kind: None,
            target_id: None,
        }),
    }
}

fn call_on(entity: Entity) -> Call {
    let role = entity.kind.clone();
    let subject =
        Subject { entity: Arc::new(entity), mixins: Vec::new(), state: Some("off".into()), is_new: false };
    Call::about(Uuid::from_u128(7), role, Arc::new(subject))
}

fn call() -> Call {
    call_on(entity())
}
