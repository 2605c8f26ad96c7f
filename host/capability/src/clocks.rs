//! The capability `clocks`: `wasi:clocks`, what time it is, and waiting for one.
//!
//! A call that waits still ends by its limit of time on the clock; what takes longer is for `again` of a change. Where a host
//! says what time of day it is, waiting is still as long as it is.

use occi_extension::{CallState, Capability};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::sleep_until;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use generated::wasi::clocks::{monotonic_clock, wall_clock};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world clocks { import wasi:clocks/monotonic-clock@0.2.12; import wasi:clocks/wall-clock@0.2.12; }",
        world: "occi:lent/clocks",
        imports: { default: trappable },
        require_store_data_send: true,
        with: { "wasi:io/poll": wasmtime_wasi_io::bindings::wasi::io::poll },
    });
}

/// The host's clocks.
#[derive(Debug)]
pub struct Clocks;

impl Capability for Clocks {
    fn name(&self) -> &'static str {
        "clocks"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["wasi:clocks/monotonic-clock@0.2.12", "wasi:clocks/wall-clock@0.2.12"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        monotonic_clock::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
        wall_clock::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn has_outside_effects(&self) -> bool {
        false
    }
}

/// Where the monotonic clock begins: when somebody first looks at it.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A moment to wait for; none is one that never comes.
struct Moment(Option<Instant>);

#[wasmtime_wasi_io::async_trait]
impl Pollable for Moment {
    async fn ready(&mut self) {
        match self.0 {
            Some(moment) => sleep_until(moment.into()).await,
            None => std::future::pending().await,
        }
    }
}

fn wait(state: &mut CallState, moment: Option<Instant>) -> wasmtime::Result<Resource<DynPollable>> {
    let moment = state.table().push(Moment(moment))?;
    subscribe(state.table(), moment)
}

impl monotonic_clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(BEGINNING.elapsed().as_nanos())?)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        wait(self, BEGINNING.checked_add(Duration::from_nanos(when)))
    }

    fn subscribe_duration(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        wait(self, Instant::now().checked_add(Duration::from_nanos(when)))
    }
}

impl wall_clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let now = self.time().system_time().duration_since(SystemTime::UNIX_EPOCH)?;
        Ok(wall_clock::Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1 })
    }
}
