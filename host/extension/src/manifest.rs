//! The manifest: what an extension defines and asks for, as data that the host reads without running its code. It
//! stands in the component's custom section [`SECTION`], or is a `.toml` file of its own where there is no code.
//!
//! ```toml
//! [extension]
//! name = "notes"                  # a-z, 0-9 and -, at most 63
//! version = "0.1.0"
//! publisher = "example.com"       # optional
//! profiles = ["OCCI-CRTP/1.1"]    # optional: profiles of OCCI that it implements, for the header `Server`
//!
//! [capabilities.logging]          # what the code imports; nothing else is there for it
//! [capabilities.metrics]
//! counters = ["queries"]          # keys that a capability has for itself, each with a list of texts
//!
//! [limits]                        # optional, and never more than the host's
//! memory = "16 MiB"
//! deadline-ms = 100               # of computing
//! timeout-ms = 5000               # on the clock, with what the host does for it
//! concurrency = 8
//! host-calls = 1000              # in one call
//!
//! [[kind]]
//! term = "note"
//! scheme = "http://example.com/occi#"
//! title = "Note"
//! parent = "http://schemas.ogf.org/occi/core#resource"
//! location = "/note/"             # left out where it cannot be instantiated
//! console = "http://example.com/occi/note#console"    # optional, where a capability such as `machines` has consoles
//!
//! [kind.states]                   # optional; both attributes are declared below, and not mutable
//! attribute = "com.example.state"
//! message = "com.example.state.message"
//! values = ["draft", "published"]
//! initial = "draft"
//!
//! [kind.states.compatibility]     # optional: states that are there for clients of OCCI 1.1 alone
//! "1.1" = ["withdrawn"]
//!
//! [kind.attributes."com.example.state"]
//! type = "string"                 # string, integer, number, boolean, array, object
//! [kind.attributes."com.example.state.message"]
//! type = "string"
//! [kind.attributes."com.example.stars"]
//! type = "integer"
//! mutable = true                  # false if left out, as required
//! default = 1
//! minimum = 1                     # and maximum, enum, pattern (of the whole text), max-length, description
//!
//! [[kind.action]]
//! term = "publish"
//! scheme = "http://example.com/occi/note/action#"
//! from = ["draft"]                # left out: in any state
//! compatibility = "1.1"           # optional: for clients of OCCI 1.1 alone; an attribute can say so, too
//! [kind.action.attributes.when]
//! type = "string"                 # and becomes, the attribute of the entity that it sets
//!
//! [[mixin]]                       # also with attributes and actions
//! term = "urgent"
//! scheme = "http://example.com/occi#"
//! location = "/mixin/urgent/"
//! depends = []
//! applies = ["http://example.com/occi#note"]
//! exclusive = false               # true: an entity has at most one of the Mixins that depend on this one
//!
//! [[offer]]                       # a Mixin for each thing that a capability has on offer
//! of = "images"
//! use = "volume"                  # optional: for which use, where the capability has several
//! scheme = "http://example.com/occi/image#"
//! location = "/mixin/image/"      # its own is the thing's name below
//! depends = []
//! applies = ["http://example.com/occi#note"]
//! defaults = { "com.example.size" = "size-gib" }    # optional: attributes, and what their default tells of the thing
//! ```

mod attribute;
mod category;
mod compatibility;
pub(crate) mod fault;
mod form;
mod known;
mod offer;
mod own_keys;
#[cfg(test)]
mod reference;
mod source;
#[cfg(test)]
mod tests;

pub use compatibility::{Compatibility, Marked};
pub use fault::{ManifestError, ManifestFault};
pub use offer::Offer;
pub use own_keys::{OwnEntry, OwnKeys};

use crate::limits::Asked;
use category::Categories;
use fault::{Faults, Report};
use form::{ExtensionForm, LimitsForm};
use occi_model::{Action, AttributeName, CategoryId, Kind, Mixin};
use semver::Version;
use source::{Place, Source};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The custom section that holds the manifest.
pub const SECTION: &str = "occi:manifest";
/// The largest manifest that is read, in bytes.
pub const MAX_SIZE: usize = 1 << 20;

/// What an extension defines and asks for.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its name, by which the operator knows it.
    pub name: Arc<str>,
    /// Its own version, by Semantic Versioning 2.0.
    pub version: Version,
    /// Who made it.
    pub publisher: Option<String>,
    /// The profiles of OCCI that it implements, as product tokens of HTTP (RFC 9110, section 10.1.5).
    pub profiles: Vec<String>,
    /// The names of the capabilities that its code uses.
    pub capabilities: BTreeSet<String>,
    /// What it says to them, by their own keys.
    pub own_keys: Arc<OwnKeys>,
    /// The limits that it asks for.
    pub limits: Asked,
    /// The Kinds that it defines.
    pub kinds: Vec<Kind>,
    /// The Mixins that it defines.
    pub mixins: Vec<Mixin>,
    /// The Actions of both.
    pub actions: Vec<Action>,
    /// What of its capabilities' things becomes Mixins.
    pub offers: Vec<Offer>,
    /// The parameters of actions that become attributes of the entity, each with that attribute, by the action.
    pub becomes: HashMap<CategoryId, Vec<(AttributeName, AttributeName)>>,
    /// What of all that is for clients of OCCI 1.1 alone.
    pub marked: Marked,
}

impl Manifest {
    /// Reads a manifest, or says everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_SIZE {
            let message = format!("a manifest has at most {MAX_SIZE} bytes");
            return Err(ManifestFault { line: 1, place: String::new(), message }.into());
        }
        let source = Source::parse(text)?;
        let mut faults = Faults::default();
        let form = source.form(&mut faults);
        let mut report = Report::new(&source, faults);
        let root = Place::default();

        let name = name(&mut report, &root.key("extension"), &form.extension);
        let version = version(&mut report, &root.key("extension"), &form.extension);
        let profiles = profiles(&mut report, &root.key("extension"), &form.extension);
        let limits = limits(&mut report, &root.key("limits"), &form.limits);
        let Categories { kinds, mixins, actions, offers, marked, becomes } =
            category::categories(&mut report, &form);
        report.into_result()?;
        let own_keys = OwnKeys::of(&source, &form);
        Ok(Self {
            name: name.into(),
            version,
            publisher: form.extension.publisher,
            profiles,
            own_keys: Arc::new(own_keys),
            capabilities: form.capabilities.into_keys().collect(),
            limits,
            kinds,
            mixins,
            actions,
            offers,
            becomes,
            marked,
        })
    }
}

fn name(report: &mut Report<'_, '_>, place: &Place, form: &ExtensionForm) -> String {
    let Some(name) = report.required(place, "name", form.name.as_ref(), r#""notes""#) else {
        return String::new();
    };
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(allowed) {
        report.fault(&place.key("name"), "is made of a-z, 0-9 and `-`, 1 to 63 of them");
    }
    name.into()
}

fn version(report: &mut Report<'_, '_>, place: &Place, form: &ExtensionForm) -> Version {
    let none = Version::new(0, 0, 0);
    let Some(version) = report.required(place, "version", form.version.as_ref(), r#""0.1.0""#) else {
        return none;
    };
    let version = Version::parse(version).ok().filter(|_| version.len() <= 63);
    version.unwrap_or_else(|| {
        report.fault(
            &place.key("version"),
            "is a semantic version of at most 63 characters, such as \"0.1.0\"",
        );
        none
    })
}

fn profiles(report: &mut Report<'_, '_>, place: &Place, form: &ExtensionForm) -> Vec<String> {
    let place = place.key("profiles");
    if form.profiles.len() > MAX_PROFILES {
        report.fault(&place, format!("names {MAX_PROFILES} profiles at most"));
    }
    for (index, profile) in form.profiles.iter().enumerate() {
        if !is_profile(profile) {
            report.fault(
                &place.index(index),
                "is a name of at most 32 characters, `/` and a version, such as \"OCCI-CRTP/1.1\"; `OCCI` itself is the server's",
            );
        }
    }
    form.profiles.clone()
}

/// The most profiles that an extension names: each answer carries them.
const MAX_PROFILES: usize = 8;

/// A product token of HTTP with a version; but not of OCCI, of which the server says itself what it speaks.
fn is_profile(text: &str) -> bool {
    let is_token = |part: &str| {
        (1..=32).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    text.split_once('/').is_some_and(|(name, version)| {
        is_token(name) && is_token(version) && !name.eq_ignore_ascii_case("OCCI")
    })
}

fn limits(report: &mut Report<'_, '_>, place: &Place, form: &LimitsForm) -> Asked {
    let memory = form.memory.as_deref().and_then(|text| {
        let bytes = parse_size(text).filter(|bytes| *bytes > 0);
        if bytes.is_none() {
            report.fault(&place.key("memory"), r#"is a number of KiB, MiB or GiB, such as "16 MiB""#);
        }
        bytes
    });
    let zeros = [
        ("deadline-ms", form.deadline_ms == Some(0)),
        ("timeout-ms", form.timeout_ms == Some(0)),
        ("concurrency", form.concurrency == Some(0)),
        ("host-calls", form.host_calls == Some(0)),
    ];
    for (key, is_zero) in zeros {
        if is_zero {
            report.fault(&place.key(key), "must be at least 1; leave it out for the host's own limit");
        }
    }
    let time = |limit: Option<u64>| limit.map(Duration::from_millis);
    Asked {
        memory,
        deadline: time(form.deadline_ms),
        timeout: time(form.timeout_ms),
        concurrency: form.concurrency,
        host_calls: form.host_calls,
    }
}

/// Bytes from `16 MiB`.
fn parse_size(text: &str) -> Option<usize> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let (number, shift) = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))?;
    number.trim_end().parse::<usize>().ok()?.checked_mul(1 << shift)
}
