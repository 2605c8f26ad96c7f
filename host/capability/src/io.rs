//! `wasi:io`: what can be waited for, and streams. It opens nothing by itself: what there is to wait for, or to read, other
//! capabilities lend. So it comes along with them, and no extension asks for it.

use occi_extension::{CallState, Capability};
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi_io::bindings::wasi::io;

/// What others lend is waited for, read and written by it.
#[derive(Debug)]
pub struct Io;

/// Where handles are, which is all that it works with.
struct Handles;

impl HasData for Handles {
    type Data<'a> = &'a mut ResourceTable;
}

impl Capability for Io {
    fn name(&self) -> &'static str {
        "io"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["wasi:io/error@0.2.12", "wasi:io/poll@0.2.12", "wasi:io/streams@0.2.12"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        io::error::add_to_linker::<_, Handles>(linker, CallState::table)?;
        io::poll::add_to_linker::<_, Handles>(linker, CallState::table)?;
        io::streams::add_to_linker::<_, Handles>(linker, CallState::table)
    }

    fn has_outside_effects(&self) -> bool {
        false
    }

    fn needs_grant(&self) -> bool {
        false
    }
}
