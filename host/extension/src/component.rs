//! From bytes to an [`Extension`] that can be called: read, checked, compiled or taken from the cache, linked.

use crate::bindings::types;
use crate::budget::Budget;
use crate::cache::Cache;
use crate::call::{Code, Exports};
use crate::capability::{CallState, Capability, Lent};
use crate::compiler::{Bounds, Compiler};
use crate::contract::{self, Agreement, Grants};
use crate::digest::Digest;
use crate::engine::{self, Settings};
use crate::error::{LoadError, StartError};
use crate::extension::Extension;
use crate::manifest::Manifest;
use crate::outline::is_wasm;
use crate::shape;
use crate::turns::AllTurns;
use std::path::Path;
use std::sync::Arc;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

/// The largest component that is read, in bytes. A Python interpreter has a third of it.
pub const MAX_SIZE: usize = 64 << 20;

/// What is needed to load extensions: one for a host.
pub struct Loader {
    engine: Engine,
    reservation: u64,
    compiler: Compiler,
    settings: Settings,
    cache: Cache,
    capabilities: Vec<Arc<dyn Capability>>,
    grants: Grants,
    lent: Arc<Lent>,
    turns: AllTurns,
    budget: Budget,
}

impl Loader {
    /// Prepares the sandboxes and opens the folder for compiled code. `capabilities` are all that the host has, and
    /// `lent` is what they work with.
    pub fn new(
        settings: Settings,
        cache: &Path,
        capabilities: Vec<Arc<dyn Capability>>,
        grants: Grants,
        lent: Lent,
    ) -> Result<Self, StartError> {
        let cache = Cache::open(cache)?;
        let (engine, reservation) = engine::start(&settings)?;
        let (turns, budget, lent) = (AllTurns::new(), Budget::new(settings.memory), Arc::new(lent));
        let compiler = Compiler::default();
        Ok(Self { engine, reservation, compiler, settings, cache, capabilities, grants, lent, turns, budget })
    }

    /// The same with another compiler.
    #[must_use]
    pub fn compiled_by(self, compiler: Compiler) -> Self {
        Self { compiler, ..self }
    }

    /// An extension: a component with its manifest inside, or a manifest alone. See [`Loader::component`].
    pub fn load(&self, bytes: &[u8]) -> Result<Extension, LoadError> {
        self.load_within(Bounds::NONE, bytes)
    }

    /// The same, where the compiler has these bounds beside its own: [`LoadError::Costly`] or [`LoadError::Unfinished`] where
    /// it comes to one. Not where it is no process ([`Compiler`]).
    pub fn load_within(&self, bounds: Bounds<'_>, bytes: &[u8]) -> Result<Extension, LoadError> {
        if is_wasm(bytes) {
            self.component_within(bounds, bytes)
        } else {
            self.manifest(std::str::from_utf8(bytes).map_err(|_| LoadError::NotText)?)
        }
    }

    /// An extension with code. Compiling takes a processor for a while, seconds for a language runtime: it is not for
    /// a thread that serves requests.
    pub fn component(&self, bytes: &[u8]) -> Result<Extension, LoadError> {
        self.component_within(Bounds::NONE, bytes)
    }

    fn component_within(&self, bounds: Bounds<'_>, bytes: &[u8]) -> Result<Extension, LoadError> {
        if bytes.len() > MAX_SIZE {
            return Err(LoadError::TooLarge { most: MAX_SIZE });
        }
        let shape = shape::read(bytes)?;
        let manifest = Manifest::parse(std::str::from_utf8(shape.manifest).map_err(|_| LoadError::NotText)?)?;
        let is_bare = !shape.has_code && shape.imports.is_empty() && shape.exports.is_empty();
        if is_bare {
            return self.without_code(manifest, Digest::of(bytes));
        }
        let agreement = contract::agree(&shape, &manifest, &self.capabilities, &self.grants);
        let agreement = agreement.map_err(LoadError::Contract)?;
        let digest = Digest::of(bytes);
        let limits = self.settings.limits.narrowed(manifest.limits);

        let component = self.compile(bytes, &digest, bounds)?;
        // In pages.
        let needed = component.resources_required().and_then(|needed| needed.max_initial_memory_size);
        let needed = needed.unwrap_or(0).saturating_mul(64 << 10);
        if needed > limits.memory as u64 {
            return Err(LoadError::Memory { needed, most: limits.memory });
        }
        let link_error = |error: wasmtime::Error| LoadError::Link(format!("{error:#}"));
        let pre = self.link(&component, &agreement).map_err(link_error)?;
        let exports = Exports::find(&pre, &agreement).map_err(link_error)?;
        // Two that take all they can leave nothing; one leaves half.
        let share = (self.turns.of_one(), self.budget.part(self.settings.memory / 2));
        let code = Code::new(&manifest.name, pre, exports, limits, share, Arc::clone(&self.lent));
        tracing::debug!(extension = &*manifest.name, version = %manifest.version, %digest, "extension loaded");
        let manifest = manifest.on(self.settings.compatibility);
        Ok(Extension::new(manifest, digest, Some(code), &agreement.uses))
    }

    /// Whether an extension is loaded without compiling, as what is in the cache and what has no code is.
    pub fn is_ready(&self, bytes: &[u8]) -> bool {
        !is_wasm(bytes) || self.cache.has(&self.engine, &Digest::of(bytes))
    }

    /// An extension without code: a manifest alone.
    pub fn manifest(&self, text: &str) -> Result<Extension, LoadError> {
        if text.len() > MAX_SIZE {
            return Err(LoadError::TooLarge { most: MAX_SIZE });
        }
        self.without_code(Manifest::parse(text)?, Digest::of(text.as_bytes()))
    }

    /// One that defines what the host can do by itself.
    fn without_code(&self, manifest: Manifest, digest: Digest) -> Result<Extension, LoadError> {
        contract::agree_without_code(&manifest).map_err(LoadError::Contract)?;
        Ok(Extension::new(manifest.on(self.settings.compatibility), digest, None, &[]))
    }

    fn compile(&self, bytes: &[u8], digest: &Digest, bounds: Bounds<'_>) -> Result<Component, LoadError> {
        self.cache.get_or_compile(&self.engine, bytes, digest, || {
            shape::validate(bytes)?;
            self.compiler.compile(&self.engine, self.reservation, bytes, bounds)
        })
    }

    fn link(&self, component: &Component, agreement: &Agreement) -> wasmtime::Result<InstancePre<CallState>> {
        let mut linker = Linker::new(&self.engine);
        types::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
        for capability in &agreement.link {
            capability.link(&mut linker)?;
        }
        linker.instantiate_pre(component)
    }
}
