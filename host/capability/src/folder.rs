//! The capability `folder`: `wit/folder.wit`, a folder of the extension's own for each tenant.
//!
//! An extension names files, never a path: a name is checked, and looked up in a directory that was opened for the extension
//! and the tenant, out of which no symbolic link leads (cap-std). What an extension does in its folder is done one after the
//! other, so that two at once do not exceed together what it may have.

mod keeper;

use occi_extension::bindings::types::Fault;
use occi_extension::{CallState, Capability};
use std::sync::Arc;
use wasmtime::component::{HasSelf, Linker};

use generated::occi::extension::folder::{self, Host};
pub use keeper::{FolderQuota, Folders};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world folder { import occi:extension/folder@0.1.0; }",
        world: "occi:lent/folder",
        imports: { default: async | trappable },
        with: { "occi:extension/types": occi_extension::bindings::types },
    });
}

/// A folder of the extension's own.
#[derive(Debug)]
pub struct Folder;

impl Capability for Folder {
    fn name(&self) -> &'static str {
        "folder"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/folder@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        folder::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["read", "write", "remove", "names"]
    }

    /// It is outside of every transaction.
    fn has_outside_effects(&self) -> bool {
        true
    }
}

/// The one way to a file: by its name, in the folder of the extension and the tenant of the call.
async fn granted<T: Send + 'static>(
    state: &mut CallState,
    name: String,
    act: impl FnOnce(&mut keeper::Kept, &str) -> Result<T, Fault> + Send + 'static,
) -> wasmtime::Result<Result<T, Fault>> {
    if let Err(refused) = keeper::check(&name) {
        return Ok(Err(refused));
    }
    within(state, move |kept| act(kept, &name)).await
}

/// Does something in the folder of the extension and the tenant of the call, to its end: also where the call is over before.
async fn within<T: Send + 'static>(
    state: &mut CallState,
    act: impl FnOnce(&mut keeper::Kept) -> Result<T, Fault> + Send + 'static,
) -> wasmtime::Result<Result<T, Fault>> {
    let folders: Arc<Folders> = state.lent()?;
    let call = state.call();
    let (tenant, extension) = (Arc::clone(&call.tenant), Arc::clone(&call.extension));
    // A disk may be slow.
    Ok(tokio::task::spawn_blocking(move || folders.with(&tenant, &extension, act)).await?)
}

impl Host for CallState {
    async fn read(&mut self, name: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Fault>> {
        begin!(self, "folder", "read");
        granted(self, name, |kept, name| kept.read(name)).await
    }

    async fn write(&mut self, name: String, content: Vec<u8>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "folder", "write");
        granted(self, name, move |kept, name| kept.write(name, &content)).await
    }

    async fn remove(&mut self, name: String) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "folder", "remove");
        granted(self, name, keeper::Kept::remove).await
    }

    async fn names(&mut self, after: Option<String>) -> wasmtime::Result<Result<Vec<String>, Fault>> {
        begin!(self, "folder", "names");
        within(self, move |kept| Ok(kept.names(after.as_deref()))).await
    }
}
