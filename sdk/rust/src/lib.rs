//! What an author adds to write an OCCI extension in Rust: this crate alone, without a build script.
//!
//! An extension is a manifest, which declares Kinds, Mixins, attributes, actions and states, and a component, which
//! does the work. The host reads the manifest, answers discovery, checks what clients send and calls the component
//! for the effect. Whatever the manifest says, the component need not check again.
//!
//! # The smallest extension
//!
//! A Kind with an action. The manifest, `manifest.toml`, beside `Cargo.toml`:
//!
//! ```toml
//! [extension]
//! name = "lamp"
//! version = "0.1.0"
//! publisher = "example.com"
//!
//! [[kind]]
//! term = "lamp"
//! scheme = "http://example.com/occi/home#"
//! title = "A lamp"
//! parent = "http://schemas.ogf.org/occi/core#resource"
//! location = "/lamp/"
//!
//! [kind.states]
//! attribute = "com.example.lamp.state"
//! values = ["off", "on"]
//! initial = "off"
//!
//! [kind.attributes."com.example.lamp.state"]
//! type = "string"
//!
//! [[kind.action]]
//! term = "switch"
//! scheme = "http://example.com/occi/home/action#"
//! title = "Switch the lamp"
//! ```
//!
//! The code, `src/lib.rs` of a crate with `crate-type = ["cdylib"]`:
//!
//! ```
//! use occi_sdk::{Actions, Attributes, Change, Result, Subject};
//!
//! struct Lamp;
//!
//! impl Actions for Lamp {
//!     fn act(subject: &Subject, _action: &str, _parameters: &Attributes) -> Result<Change> {
//!         let on = subject.state().as_deref() == Some("on");
//!         Ok(Change::new().state(if on { "off" } else { "on" }))
//!     }
//! }
//!
//! occi_sdk::export!(Lamp: actions);
//! ```
//!
//! And its test, which runs natively against the hypervisor in memory of [`testing`]:
//!
//! ```
//! # use occi_sdk::{Actions, Attributes, Change, Result, Subject};
//! # struct Lamp;
//! # impl Actions for Lamp {
//! #     fn act(subject: &Subject, _action: &str, _parameters: &Attributes) -> Result<Change> {
//! #         let on = subject.state().as_deref() == Some("on");
//! #         Ok(Change::new().state(if on { "off" } else { "on" }))
//! #     }
//! # }
//! use occi_sdk::testing::Host;
//!
//! let host = Host::<Lamp>::new();
//! let mut lamp = host.resource("http://example.com/occi/home#lamp");
//! host.act(&mut lamp, "switch", Attributes::default()).unwrap();
//! assert_eq!(lamp.state.as_deref(), Some("on"));
//! ```
//!
//! # Attributes
//!
//! By their names ([`Read`], [`Change::set`]), or as the fields of a struct, which has each name once. Then a whole extension
//! whose notes count their words, beside its manifest, is:
//!
//! ```
//! use occi_sdk::{AttributeSet, Change, Lifecycle, Result, Subject};
//!
//! #[derive(AttributeSet)]
//! #[occi(prefix = "com.example.note")]
//! struct Note {
//!     text: String,
//!     words: Option<i64>,
//! }
//!
//! impl Lifecycle for Note {
//!     fn create(subject: &Subject) -> Result<Change> {
//!         let note = Note::read(subject)?;
//!         Ok(Change::new().set(Note::WORDS, note.text.split_whitespace().count() as i64))
//!     }
//! }
//!
//! occi_sdk::export!(Note: lifecycle);
//! ```
//!
//! [`AttributeSet`] says what a field may be, and what becomes of a value that is missing.
//!
//! # What a component exports and imports
//!
//! [`export!`] names the interfaces that the manifest has a use for: `lifecycle` where entities come, change and go
//! with an effect, `actions` where there are actions, `observe` where the extension follows what happens outside. The
//! host refuses a component that exports another set. What an extension does not use is not imported either, so a
//! capability that the manifest does not ask for costs nothing.
//!
//! # How it is built
//!
//! For `wasm32-unknown-unknown`, with a stack of 64 KiB in place of 1 MiB, so that an instance, of which each call has
//! a new one, begins with few pages of memory:
//!
//! ```text
//! RUSTFLAGS="-C link-arg=-zstack-size=65536" cargo build --release --target wasm32-unknown-unknown
//! ```
//!
//! A value that does not fit there (a large array by value, deep recursion) is a trap: keep such things on the heap.
//!
//! Memory comes from an allocator of this crate, which begins with what those pages have left; whoever wants another
//! names one, and takes this crate without its feature `allocator`.

// The generated code names this crate as its users do.
extern crate self as occi_sdk;

mod attribute_set;
mod attributes;
#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    reason = "generated from wit/, where the documentation stands"
)]
pub mod bindings;
mod change;
mod fault;
mod guest;
#[cfg(any(test, all(target_arch = "wasm32", feature = "allocator")))]
#[allow(unsafe_code, reason = "an allocator is an unsafe trait")]
mod memory;
mod subject;

pub mod clocks;
pub mod config;
pub mod entities;
pub mod extensions;
pub mod folder;
pub mod http;
pub mod images;
pub mod keyvalue;
pub mod logging;
pub mod machines;
pub mod metrics;
pub mod networks;
pub mod random;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod volumes;

pub use attribute_set::{AttributeSet, AttributeType, Json};
pub use attributes::{Attribute, Attributes, Read, Value};
pub use change::Change;
pub use fault::{Fault, Result};
pub use guest::{Actions, Cause, Lifecycle, Migrate, Observe};
pub use occi_sdk_derive::AttributeSet;
pub use subject::{End, Subject};

#[doc(hidden)]
pub use attribute_set::Field as __Field;
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub use guest::Exported as __Exported;
#[doc(hidden)]
pub use wit_bindgen as __wit_bindgen;

#[cfg(all(target_arch = "wasm32", feature = "allocator"))]
#[global_allocator]
static MEMORY: memory::Memory = memory::Memory::new();

/// What lies outside the extension: in a component the host, natively the fake of `testing`. Both have the same functions
/// and resources, so the modules above cannot tell one from the other.
#[cfg(target_arch = "wasm32")]
mod outside {
    pub(crate) mod clocks {
        use crate::bindings::system::wasi::clocks::{monotonic_clock, wall_clock};
        use std::time::Duration;

        pub(crate) fn now() -> Duration {
            let now = wall_clock::now();
            Duration::new(now.seconds, now.nanoseconds)
        }

        pub(crate) fn monotonic() -> Duration {
            Duration::from_nanos(monotonic_clock::now())
        }
    }

    pub(crate) mod random {
        use crate::bindings::system::wasi::random::random;

        pub(crate) fn bytes(count: usize) -> Vec<u8> {
            random::get_random_bytes(count as u64)
        }

        pub(crate) fn number() -> u64 {
            random::get_random_u64()
        }
    }

    pub(crate) use crate::bindings::imports::occi::extension::{
        entities, extensions, folder, images, machines, metrics, networks, types, volumes,
    };
    pub(crate) use crate::bindings::imports::wasi::{
        config::store as config, keyvalue::store as keyvalue, logging::logging,
    };
}
#[cfg(not(target_arch = "wasm32"))]
use testing as outside;

/// A duration as the contract has it; half a billion years is the longest.
fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
