//! The capability `extensions`: `wit/extensions.wit`, the extensions of this host as entities of a Kind.
//!
//! What a guest asks for is checked here, by [`Administration`], and written down among the key-value changes of its
//! operation, so that it is committed with the operation or not at all; who reads it there carries it out. For which
//! extension an entity stands is written down in the same way, so of two entities for one extension one is refused.

mod book;

use async_trait::async_trait;
use occi_extension::bindings::types::Fault;
use occi_extension::{CallState, Capability, Manifest};
use std::fmt;
use uuid::Uuid;
use wasmtime::component::{HasSelf, Linker, Resource};

use book::Book;
use generated::occi::extension::extensions::{self, Host, HostExtension};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world extensions { import occi:extension/extensions@0.1.0; }",
        world: "occi:lent/extensions",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": occi_extension::bindings::types,
            "occi:extension/extensions.extension": super::Facts,
        },
    });
}

/// What is known of an extension, in the words of `wit/extensions.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words are those of wit/")]
pub struct Facts {
    pub name: String,
    pub version: Option<String>,
    pub publisher: Option<String>,
    pub digest: Option<String>,
    pub previous: Option<String>,
    pub capabilities: Vec<String>,
    pub file: Option<String>,
    pub state: String,
    pub problem: Option<String>,
    pub calls: u64,
    pub failures: u64,
}

/// The state of an extension for which something is asked that is not carried out.
pub const CHANGING: &str = "changing";

/// What a guest asks for.
#[derive(Debug)]
pub enum Wish {
    /// A new extension, or another version of one.
    Install(Vec<u8>),
    /// The version before.
    RollBack,
    /// To be switched on.
    Enable,
    /// To be switched off.
    Disable {
        /// Although it has entities.
        leave_entities: bool,
    },
    /// To be gone.
    Remove,
}

/// What was found to be possible.
#[derive(Debug)]
pub struct Agreed {
    /// The extension as it will be called, and as it is until then.
    pub facts: Facts,
    /// What is to be written down so that it is carried out; none where it is so already.
    pub order: Option<Vec<u8>>,
}

/// What the host does with its extensions. An order is what it had written down, and has not carried out.
#[async_trait]
pub trait Administration: Send + Sync + 'static {
    /// Where orders, and the names of the entities, are kept: a bucket whose name no guest can open, and its keys.
    fn ledger(&self) -> Ledger;

    /// What there is to know; none where there is no such extension.
    fn facts(&self, name: &str, order: Option<&[u8]>) -> Result<Option<Facts>, Fault>;

    /// The extension for which the host itself is making that entity.
    fn making(&self, entity: Uuid) -> Option<String>;

    /// Whether the host itself is ending that entity, since its extension has gone.
    fn is_ending(&self, entity: Uuid) -> bool;

    /// Whether `by`, an extension, may have its wish; nothing is done yet. No name means a new extension.
    async fn agree(&self, by: &str, name: Option<&str>, wish: Wish) -> Result<Agreed, Fault>;
}

/// The names of what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Ledger {
    /// The bucket.
    pub bucket: &'static str,
    /// The key of the entity that stands for an extension.
    pub entity_of: fn(&str) -> String,
    /// The key of the extension for which an entity stands.
    pub name_of: fn(Uuid) -> String,
    /// The key of what was ordered for an extension.
    pub order_for: fn(&str) -> String,
}

/// Who administers, as it is lent to the calls.
pub struct Administrator(Box<dyn Administration>);

impl Administrator {
    /// Lend this one.
    pub fn new(administration: impl Administration) -> Self {
        Self(Box::new(administration))
    }
}

impl fmt::Debug for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Administrator")
    }
}

/// The extensions of the host.
#[derive(Debug)]
pub struct Extensions;

impl Capability for Extensions {
    fn name(&self) -> &'static str {
        "extensions"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/extensions@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        extensions::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    /// All of it is done after the commit, which holds what is to be done.
    fn has_outside_effects(&self) -> bool {
        false
    }

    fn is_for_administrators(&self) -> bool {
        true
    }

    /// Where what is to be done is written down.
    fn uses_data(&self) -> bool {
        true
    }

    fn objections(&self, manifest: &Manifest) -> Vec<String> {
        let mut places = manifest.kinds.iter().filter(|kind| kind.location.is_some());
        let is_one = places.next().is_some() && places.next().is_none();
        let objection = || {
            format!(
                "the manifest asks for [capabilities.{}]: it then defines one Kind with a location, that of the entities \
                 which stand for extensions",
                self.name()
            )
        };
        if is_one { Vec::new() } else { vec![objection()] }
    }
}

/// What the guest is told, where an error is that and no trap.
fn answer<T>(outcome: wasmtime::Result<T>) -> wasmtime::Result<Result<T, Fault>> {
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(error) => error.downcast::<Fault>().map(Err),
    }
}

impl Host for CallState {}

impl HostExtension for CallState {
    async fn open(&mut self) -> wasmtime::Result<Result<Resource<Facts>, Fault>> {
        let opened = Book::open(self).and_then(|book| book.facts(self));
        answer(opened.and_then(|facts| Ok(self.table().push(facts)?)))
    }

    async fn install(&mut self, content: Vec<u8>) -> wasmtime::Result<Result<Resource<Facts>, Fault>> {
        let facts = match Book::open(self) {
            Ok(book) => book.install(self, content).await,
            Err(error) => Err(error),
        };
        answer(facts.and_then(|facts| Ok(self.table().push(facts)?)))
    }

    async fn remove(&mut self) -> wasmtime::Result<Result<(), Fault>> {
        answer(match Book::open(self) {
            Ok(book) => book.remove(self).await,
            Err(error) => Err(error),
        })
    }

    async fn name(&mut self, of: Resource<Facts>) -> wasmtime::Result<String> {
        Ok(self.table().get(&of)?.name.clone())
    }

    async fn version(&mut self, of: Resource<Facts>) -> wasmtime::Result<Option<String>> {
        Ok(self.table().get(&of)?.version.clone())
    }

    async fn publisher(&mut self, of: Resource<Facts>) -> wasmtime::Result<Option<String>> {
        Ok(self.table().get(&of)?.publisher.clone())
    }

    async fn digest(&mut self, of: Resource<Facts>) -> wasmtime::Result<Option<String>> {
        Ok(self.table().get(&of)?.digest.clone())
    }

    async fn previous(&mut self, of: Resource<Facts>) -> wasmtime::Result<Option<String>> {
        Ok(self.table().get(&of)?.previous.clone())
    }

    async fn capabilities(&mut self, of: Resource<Facts>) -> wasmtime::Result<Vec<String>> {
        Ok(self.table().get(&of)?.capabilities.clone())
    }

    async fn file(&mut self, of: Resource<Facts>) -> wasmtime::Result<Option<String>> {
        Ok(self.table().get(&of)?.file.clone())
    }

    async fn state(&mut self, of: Resource<Facts>) -> wasmtime::Result<String> {
        Ok(self.table().get(&of)?.state.clone())
    }

    async fn problem(&mut self, of: Resource<Facts>) -> wasmtime::Result<Option<String>> {
        Ok(self.table().get(&of)?.problem.clone())
    }

    async fn calls(&mut self, of: Resource<Facts>) -> wasmtime::Result<u64> {
        Ok(self.table().get(&of)?.calls)
    }

    async fn failures(&mut self, of: Resource<Facts>) -> wasmtime::Result<u64> {
        Ok(self.table().get(&of)?.failures)
    }

    async fn roll_back(&mut self, of: Resource<Facts>) -> wasmtime::Result<Result<(), Fault>> {
        ask(self, of, Wish::RollBack).await
    }

    async fn enable(&mut self, of: Resource<Facts>) -> wasmtime::Result<Result<(), Fault>> {
        ask(self, of, Wish::Enable).await
    }

    async fn disable(
        &mut self,
        of: Resource<Facts>,
        leave_entities: bool,
    ) -> wasmtime::Result<Result<(), Fault>> {
        ask(self, of, Wish::Disable { leave_entities }).await
    }

    async fn drop(&mut self, of: Resource<Facts>) -> wasmtime::Result<()> {
        self.table().delete(of)?;
        Ok(())
    }
}

/// Asks for something, and lets the handle show what is so from then on.
async fn ask(state: &mut CallState, of: Resource<Facts>, wish: Wish) -> wasmtime::Result<Result<(), Fault>> {
    let facts = match Book::open(state) {
        Ok(book) => book.ask(state, wish).await,
        Err(error) => Err(error),
    };
    answer(facts.and_then(|facts| {
        *state.table().get_mut(&of)? = facts;
        Ok(())
    }))
}
