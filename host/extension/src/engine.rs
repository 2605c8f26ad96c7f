//! The Wasmtime engine that all extensions share: a pool of sandboxes, and a clock by which a guest that runs
//! too long is stopped.

use crate::limits::{Limits, TABLE_ELEMENTS};
use crate::manifest::Compatibility;
use std::thread;
use std::time::Duration;
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

/// How often a running guest is looked at: it lets others run, and pays for the time.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// What an engine is made for.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The most that any call may have.
    pub limits: Limits,
    /// How many calls may run at once, those of all extensions together.
    pub calls: u32,
    /// The memory that all of them may have together, in bytes. Calls of one extension have half of it at most.
    pub memory: usize,
    /// For clients of which OCCI they are there.
    pub compatibility: Compatibility,
}

impl Default for Settings {
    fn default() -> Self {
        let compatibility = Compatibility::default();
        Self { limits: Limits::default(), calls: 256, memory: 2 << 30, compatibility }
    }
}

/// The system does not give what the engine needs.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot prepare the sandboxes for {calls} calls of {memory} bytes each; ask for fewer or smaller ones: {reason}"
)]
pub struct EngineError {
    calls: u32,
    memory: usize,
    reason: String,
}

/// Memory that is spoken for, so that the guest's loads and stores need no check of their own. It is address space
/// and costs nothing else.
const RESERVATION: u64 = 4 << 30;

/// An engine with its clock, and what it reserves for a memory. The clock ends with the engine's last user.
pub(crate) fn start(settings: &Settings) -> Result<(Engine, u64), EngineError> {
    let failed =
        |reason: String| EngineError { calls: settings.calls, memory: settings.limits.memory, reason };
    // Where address space is scarce (a container, a small processor), a checked access is better than none.
    let make = |reservation| {
        let mut config = config(reservation);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
        Ok((Engine::new(&config)?, reservation))
    };
    let (engine, reservation) = make(RESERVATION)
        .or_else(|_: wasmtime::Error| make(settings.limits.memory as u64))
        .map_err(|error| failed(format!("{error:#}")))?;
    let weak = engine.weak();
    thread::Builder::new()
        .name("extension-clock".into())
        .spawn(move || tick(&weak))
        .map_err(|error| failed(error.to_string()))?;
    Ok((engine, reservation))
}

/// An engine whose code the others run, and which runs none.
pub(crate) fn for_compiling(reservation: u64) -> wasmtime::Result<Engine> {
    Engine::new(&config(reservation))
}

fn tick(engine: &EngineWeak) {
    loop {
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}

/// What code is compiled for.
fn config(reservation: u64) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .memory_reservation(reservation)
        .memory_init_cow(true)
        .relaxed_simd_deterministic(true)
        // For the log: names of functions, no files and lines.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
}

fn pool(settings: &Settings) -> PoolingAllocationConfig {
    let calls = settings.calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        // A component is made of several: a Rust guest of three or four with one memory and two tables, a language
        // runtime of a hundred.
        .total_core_instances(calls.saturating_mul(16))
        .total_memories(calls.saturating_mul(2))
        .total_tables(calls.saturating_mul(8))
        .max_core_instances_per_component(200)
        .max_memories_per_component(8)
        .max_tables_per_component(64)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(settings.limits.memory.next_multiple_of(64 << 10))
        // What a call has touched is put back by copying where the kernel says which pages these are; a page that
        // stays resident need not be faulted in again. Without that knowledge, nothing stays.
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(32);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(2 << 20).table_keep_resident(64 << 10);
    }
    pool
}
