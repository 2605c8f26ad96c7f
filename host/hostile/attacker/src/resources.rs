//! What there is without end: time, memory, stack, the log, the store, handles, calls.

use crate::told;
use occi_sdk::bindings::system::wasi::clocks::monotonic_clock;
use occi_sdk::bindings::system::wasi::io::poll;
use occi_sdk::keyvalue::Store;
use occi_sdk::{Change, Result, logging, random};
use std::hint::black_box;

const HOUR: u64 = 3_600_000_000_000;

pub(crate) fn spin() -> ! {
    loop {
        black_box(0);
    }
}

pub(crate) fn grow() -> Result<Change> {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; 1 << 20]));
    }
}

pub(crate) fn recurse() -> Result<Change> {
    #[expect(unconditional_recursion, reason = "it is the attack")]
    fn deeper(depth: u64) -> u64 {
        let here = black_box([depth; 16]);
        deeper(here[0] + 1) + here[1]
    }
    told(deeper(0).to_string())
}

pub(crate) fn flood_the_log() -> Result<Change> {
    for _ in 0..2000 {
        logging::error("a line that nobody wants to read, and that fills the operator's disk");
    }
    told("logged")
}

pub(crate) fn forge_log_lines() -> Result<Change> {
    logging::info("nothing\n2026-01-01T00:00:00Z ERROR occi: forged\r\u{1b}[2Jforged");
    told("logged")
}

pub(crate) fn flood_with_calls() -> Result<Change> {
    let store = Store::open("")?;
    loop {
        black_box(store.get("x")?);
    }
}

pub(crate) fn leak_handles() -> Result<Change> {
    let mut opened = Vec::new();
    loop {
        opened.push(Store::open("")?);
    }
}

pub(crate) fn leave_the_folder() -> Result<Change> {
    let names = ["../note", "/etc/passwd", "..", "a/b", "a\0b", "note\n", "%2e%2e%2fnote"];
    let opened: Vec<_> = names.into_iter().filter(|name| Store::open(name).is_ok()).collect();
    let store = Store::open("own")?;
    store.set("../../x", b"kept as it is named")?;
    let keys = store.keys()?;
    store.delete("../../x")?;
    told(format!("opened {opened:?}; keys {keys:?}"))
}

pub(crate) fn fill_the_store() -> Result<Change> {
    let store = Store::open("")?;
    let value = vec![1; 200 << 10];
    for number in 0.. {
        store.set(&format!("key-{number}"), &value)?;
    }
    told("stored without end")
}

pub(crate) fn store_under_a_long_key() -> Result<Change> {
    Store::open("")?.set(&"k".repeat(1 << 20), b"x")?;
    told("stored")
}

pub(crate) fn take_random_bytes() -> Result<Change> {
    told(random::bytes(1 << 30).len().to_string())
}

pub(crate) fn wait() -> Result<Change> {
    monotonic_clock::subscribe_duration(HOUR).block();
    told("waited")
}

pub(crate) fn wait_for_many() -> Result<Change> {
    let moments: Vec<_> = (0..1_000_000).map(|_| monotonic_clock::subscribe_duration(HOUR)).collect();
    poll::poll(&moments.iter().collect::<Vec<_>>());
    told("waited")
}
