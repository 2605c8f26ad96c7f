//! The capability `config`: `wasi:config`, what the operator has set for an extension (`[settings.NAME]` of the configuration). An extension sees its own alone.

use occi_extension::{CallState, Capability, Fault};
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::component::{HasSelf, Linker};

use generated::wasi::config::store::{self, Error, Host};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world config { import wasi:config/store@0.2.0-rc.1; }",
        world: "occi:lent/config",
        imports: { default: async | trappable },
    });
}

/// What the operator has set.
#[derive(Debug)]
pub struct Config;

/// The values by their keys, of each extension by its name.
pub type ConfigValues = BTreeMap<String, BTreeMap<String, String>>;

impl Capability for Config {
    fn name(&self) -> &'static str {
        "config"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["wasi:config/store@0.2.0-rc.1"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        store::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["get", "get-all"]
    }

    fn has_outside_effects(&self) -> bool {
        false
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Upstream(fault.message)
    }
}

impl Host for CallState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        begin!(self, "config", "get");
        let values: Arc<ConfigValues> = self.shown()?;
        Ok(Ok(values.get(&*self.call().extension).and_then(|own| own.get(&key)).cloned()))
    }

    async fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, Error>> {
        begin!(self, "config", "get-all");
        let values: Arc<ConfigValues> = self.shown()?;
        let own = values.get(&*self.call().extension).cloned();
        Ok(Ok(own.unwrap_or_default().into_iter().collect()))
    }
}
