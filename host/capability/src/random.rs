//! The capability `random`: `wasi:random`, numbers that nobody can guess. All of its interfaces have the same source, as one
//! that is fast enough is also good enough.

use occi_extension::{CallState, Capability};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::{Mutex, PoisonError};
use wasmtime::component::{HasSelf, Linker};

use generated::wasi::random::{insecure, insecure_seed, random};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world random { import wasi:random/random@0.2.12; import wasi:random/insecure@0.2.12; import wasi:random/insecure-seed@0.2.12; }",
        world: "occi:lent/random",
        imports: { default: trappable },
    });
}

/// Numbers that are the same in each run, lent in place of those that nobody can guess.
#[derive(Debug)]
pub struct SeededRandom(Mutex<StdRng>);

impl SeededRandom {
    /// Those that follow from this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

/// The host's source of randomness.
#[derive(Debug)]
pub struct Random;

impl Capability for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["wasi:random/insecure@0.2.12", "wasi:random/insecure-seed@0.2.12", "wasi:random/random@0.2.12"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        insecure::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
        insecure_seed::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
        random::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn has_outside_effects(&self) -> bool {
        false
    }
}

/// How many bytes there are at a time; what they take is the host's memory.
const BYTES: u64 = 1 << 20;

fn fill(state: &CallState, bytes: &mut [u8]) {
    match state.offered::<SeededRandom>() {
        Some(seeded) => seeded.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes),
        None => rand::rng().fill_bytes(bytes),
    }
}

fn number(state: &CallState) -> u64 {
    let mut bytes = [0; 8];
    fill(state, &mut bytes);
    u64::from_le_bytes(bytes)
}

fn bytes(state: &CallState, wanted: u64) -> wasmtime::Result<Vec<u8>> {
    wasmtime::ensure!(
        wanted <= BYTES,
        "{wanted} random bytes at once are too many; there are at most {BYTES}"
    );
    let mut bytes = vec![0; usize::try_from(wanted)?];
    fill(state, &mut bytes);
    Ok(bytes)
}

impl random::Host for CallState {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        bytes(self, len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(number(self))
    }
}

impl insecure::Host for CallState {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        bytes(self, len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(number(self))
    }
}

impl insecure_seed::Host for CallState {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((number(self), number(self)))
    }
}
