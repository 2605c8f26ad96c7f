//! A bare Wasmtime program: one component, a fresh instance for each call, the same engine settings as the measured
//! server's; no limits, no checks, no capabilities.

use std::thread;
use std::time::Duration;
use wasmtime::component::{Component, HasSelf, Linker, Resource};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store};

/// The generated modules.
#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package occi:bare;
            world guest {
                import occi:extension/types@0.1.0;
                export occi:extension/actions@0.1.0;
            }
        ",
        world: "occi:bare/guest",
        exports: { default: async },
    });
}

use generated::occi::extension::types;

/// The component, ready to be called.
pub(crate) struct Guest {
    engine: Engine,
    pre: generated::GuestPre<Note>,
}

/// The host's side of a call: a note that was stamped once.
struct Note;

impl Guest {
    pub(crate) fn load(bytes: &[u8]) -> Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.pagemap_scan(Enabled::Auto);
        if PoolingAllocationConfig::is_pagemap_scan_available() {
            pool.linear_memory_keep_resident(2 << 20).table_keep_resident(64 << 10);
        }
        let mut config = Config::new();
        config.epoch_interruption(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        let clock = engine.weak();
        thread::spawn(move || {
            while let Some(engine) = clock.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(Duration::from_millis(10));
            }
        });
        let component = Component::from_binary(&engine, bytes)?;
        let mut linker = Linker::new(&engine);
        types::add_to_linker::<_, HasSelf<Note>>(&mut linker, |note| note)?;
        let pre = generated::GuestPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self { engine, pre })
    }

    pub(crate) async fn act(&self, operation: &str, role: &str, action: &str) -> Result<types::Change> {
        let mut store = Store::new(&self.engine, Note);
        store.set_epoch_deadline(100);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let actions = instance.occi_extension_actions();
        let subject = Resource::new_borrow(0);
        let change = actions.call_act(&mut store, operation, role, subject, action, &[]).await?;
        change.map_err(|fault| wasmtime::format_err!("{}: {}", fault.code, fault.message))
    }
}

impl types::Host for Note {}

impl types::HostEntity for Note {
    fn id(&mut self, _: Resource<types::Entity>) -> String {
        String::new()
    }

    fn location(&mut self, _: Resource<types::Entity>) -> String {
        String::new()
    }

    fn kind(&mut self, _: Resource<types::Entity>) -> String {
        String::new()
    }

    fn mixins(&mut self, _: Resource<types::Entity>) -> Vec<String> {
        Vec::new()
    }

    fn state(&mut self, _: Resource<types::Entity>) -> Option<String> {
        None
    }

    fn get(&mut self, _: Resource<types::Entity>, name: String) -> Option<types::Value> {
        Some(match &*name {
            "com.example.note.text" => types::Value::Text("a note".into()),
            _ => types::Value::Integer(1),
        })
    }

    fn attributes(&mut self, _: Resource<types::Entity>) -> Vec<types::Attribute> {
        Vec::new()
    }

    fn is_new(&mut self, _: Resource<types::Entity>) -> bool {
        true
    }

    fn source(&mut self, _: Resource<types::Entity>) -> Option<String> {
        None
    }

    fn target(&mut self, _: Resource<types::Entity>) -> Option<String> {
        None
    }

    fn drop(&mut self, _: Resource<types::Entity>) -> wasmtime::Result<()> {
        Ok(())
    }
}
