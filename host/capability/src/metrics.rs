//! The capability `metrics`: `wit/metrics.wit`, what machines use, over [`libvirt`](crate::libvirt), and what an extension
//! counts for the operator.
//!
//! Names are declared in the manifest, so that a guest can make no more of them than the operator has seen beforehand.

mod figures;

use occi_extension::bindings::types::{End, Fault};
use occi_extension::{CallState, Capability, Manifest};
use std::sync::Arc;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::libvirt::{Measure, Usage};
use crate::nodes::Nodes;
use crate::objects::home;
pub use figures::Figures;
use generated::occi::extension::metrics::{self, Host, HostUsage, Reading};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world metrics { import occi:extension/metrics@0.1.0; }",
        world: "occi:lent/metrics",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": occi_extension::bindings::types,
            "occi:extension/metrics.usage": crate::libvirt::Usage,
        },
    });
}

/// Figures: to be read of machines, and to be published.
#[derive(Debug)]
pub struct Metrics;

/// The lists of names in the manifest.
const COUNTERS: &str = "counters";
const GAUGES: &str = "gauges";

/// How many names an extension has at most.
const NAMES: usize = 32;
/// What the operator sees behind a counter's name.
const TOTAL: &str = "_total";

impl Capability for Metrics {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/metrics@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        metrics::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["usage.read", "readings", "count", "gauge"]
    }

    /// What was counted was so, whatever becomes of the operation: nothing is there to be ended or undone.
    fn has_outside_effects(&self) -> bool {
        false
    }

    fn keys(&self) -> &'static [&'static str] {
        &[COUNTERS, GAUGES]
    }

    fn objections(&self, manifest: &Manifest) -> Vec<String> {
        let list = |key| manifest.own_keys.entries(self.name(), key).map(move |entry| (key, entry));
        let mut objections = Vec::new();
        for (number, (key, entry)) in list(COUNTERS).chain(list(GAUGES)).enumerate() {
            let name = entry.text;
            if !is_name(name) {
                objections.push(entry.fault("is made of a-z, 0-9 and `_`, 1 to 63 of them, a letter first"));
            } else if key == GAUGES && name.ends_with(TOTAL) {
                objections
                    .push(entry.fault(format!("ends in `{TOTAL}`, as the host has it for counters alone")));
            }
            if number == NAMES {
                objections
                    .push(entry.fault(format!("is one too many: there are {NAMES} names at most in all")));
            }
        }
        objections
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 63
        && name.bytes().all(allowed)
}

/// That the manifest of the call's extension has the name in one of its lists.
fn check_declared(state: &CallState, list: &str, name: &str) -> Result<(), Fault> {
    let declared = || state.own_keys().texts("metrics", list);
    if declared().any(|declared| declared == name) {
        return Ok(());
    }
    let message = if is_name(name) {
        let names: Vec<_> = declared().chain([name]).map(|name| format!("\"{name}\"")).collect();
        format!(
            "the manifest does not declare `{name}`: below [capabilities.metrics] it has to say {list} = [{}]",
            names.join(", ")
        )
    } else {
        format!(
            "the manifest declares no {list} of that name, which is none: it is made of a-z, 0-9 and `_`, 1 to 63 of them, a \
             letter first"
        )
    };
    Err(Fault::new("denied", message))
}

impl Host for CallState {
    async fn readings(&mut self, of: End) -> wasmtime::Result<Result<Vec<Reading>, Fault>> {
        begin!(self, "metrics", "readings");
        let entity = match self.call().end(of) {
            Ok(entity) => entity,
            Err(fault) => return Ok(Err(fault)),
        };
        // A device is read for the link that it is attached for alone, and an end is no link.
        let source = self.call().source.filter(|_| of == End::Subject);
        let nodes = self.lent::<Nodes>()?;
        let read = match nodes.of(source.unwrap_or(entity)).await {
            Ok(hypervisor) => hypervisor.readings(entity, source).await,
            Err(error) => Err(error),
        };
        let reading = |(measure, value): (Measure, f64)| Reading { name: measure.name().into(), value };
        Ok(read.map(|readings| readings.iter().map(reading).collect()).map_err(Fault::from))
    }

    async fn count(&mut self, name: String, by: u64) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "metrics", "count");
        let figures: Arc<Figures> = self.lent()?;
        if let Err(undeclared) = check_declared(self, COUNTERS, &name) {
            return Ok(Err(undeclared));
        }
        figures.count(self.call(), &name, by)?;
        Ok(Ok(()))
    }

    async fn gauge(&mut self, name: String, value: f64) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "metrics", "gauge");
        let figures: Arc<Figures> = self.lent()?;
        if let Err(undeclared) = check_declared(self, GAUGES, &name) {
            return Ok(Err(undeclared));
        }
        if !value.is_finite() {
            return Ok(Err(Fault::new(
                "invalid",
                format!("the gauge {name} is set to {value}, which is no figure"),
            )));
        }
        figures.set(self.call(), &name, value)?;
        Ok(Ok(()))
    }
}

impl HostUsage for CallState {
    async fn read(&mut self, of: End) -> wasmtime::Result<Result<Resource<Usage>, Fault>> {
        begin!(self, "metrics", "usage.read");
        let machine = match home(self, of)?.await {
            Ok((hypervisor, entity)) => hypervisor.machine(entity),
            Err(fault) => return Ok(Err(fault)),
        };
        match machine.usage().await {
            Ok(usage) => Ok(Ok(self.table().push(usage)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn cpu_time(&mut self, usage: Resource<Usage>) -> wasmtime::Result<u64> {
        let milliseconds = self.table().get(&usage)?.cpu_time.as_millis();
        Ok(u64::try_from(milliseconds).unwrap_or(u64::MAX))
    }

    async fn memory(&mut self, usage: Resource<Usage>) -> wasmtime::Result<u64> {
        Ok(self.table().get(&usage)?.memory)
    }

    async fn disk_read(&mut self, usage: Resource<Usage>) -> wasmtime::Result<u64> {
        Ok(self.table().get(&usage)?.disk_read)
    }

    async fn disk_written(&mut self, usage: Resource<Usage>) -> wasmtime::Result<u64> {
        Ok(self.table().get(&usage)?.disk_written)
    }

    async fn network_received(&mut self, usage: Resource<Usage>) -> wasmtime::Result<u64> {
        Ok(self.table().get(&usage)?.network_received)
    }

    async fn network_sent(&mut self, usage: Resource<Usage>) -> wasmtime::Result<u64> {
        Ok(self.table().get(&usage)?.network_sent)
    }

    async fn drop(&mut self, usage: Resource<Usage>) -> wasmtime::Result<()> {
        self.table().delete(usage)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objections(lists: &str) -> Vec<String> {
        let manifest = occi_guest::manifest(&format!("[capabilities.metrics]\n{lists}"));
        Metrics.objections(&Manifest::parse(&manifest).unwrap())
    }

    #[test]
    fn names_are_those_that_the_operator_can_read() {
        let longest = "a".repeat(63);
        let fine =
            format!("counters = [\"queries\", \"a_1\", \"a_total\", \"{longest}\"]\ngauges = [\"queries\"]");
        assert_eq!(objections(&fine), [""; 0]);
        for wrong in ["", "1a", "_a", "A", "a-b", "a b", "ä", "a.b", &format!("{longest}a")] {
            let [objection] = &objections(&format!("counters = [\"a\",\n\"{wrong}\"]"))[..] else {
                panic!("{wrong}")
            };
            assert!(
                objection
                    .starts_with("the manifest, line 7: capabilities.metrics.counters[1]: is made of a-z"),
                "{objection}"
            );
        }
        let [objection] = &objections("gauges = [\"a_total\"]")[..] else { panic!("it is a counter's") };
        assert!(objection.contains("gauges[0]: ends in `_total`"), "{objection}");
    }

    #[test]
    fn there_are_so_many_names_in_all() {
        let names =
            |count: usize| (0..count).map(|number| format!("\"a{number}\"")).collect::<Vec<_>>().join(", ");
        assert_eq!(objections(&format!("counters = [{}]\ngauges = [{}]", names(20), names(12))), [""; 0]);
        let objections = objections(&format!("counters = [{}]\ngauges = [{}]", names(20), names(14)));
        let [objection] = &objections[..] else { panic!("{objections:?}") };
        assert!(objection.contains("gauges[12]: is one too many: there are 32 names"), "{objection}");
    }
}
