//! What extensions count, until the process ends.

use occi_extension::CallContext;
use prometheus::core::Collector;
use prometheus::{GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::TOTAL;

/// Counters and gauges of all extensions, for each of their tenants.
#[derive(Debug, Default)]
pub struct Figures {
    registry: Registry,
    counters: Mutex<HashMap<String, IntCounterVec>>,
    gauges: Mutex<HashMap<String, GaugeVec>>,
}

/// What the host's own figures, should there be any, do not begin with.
const PREFIX: &str = "occi_extension_";
/// Whose each figure is.
const LABELS: [&str; 2] = ["extension", "tenant"];

impl Figures {
    pub(super) fn count(&self, call: &CallContext, name: &str, by: u64) -> prometheus::Result<()> {
        let name = format!("{PREFIX}{name}{TOTAL}");
        let counter = self.named(&self.counters, name, IntCounterVec::new)?;
        counter.get_metric_with_label_values(&[&call.extension, &call.tenant])?.inc_by(by);
        Ok(())
    }

    pub(super) fn set(&self, call: &CallContext, name: &str, value: f64) -> prometheus::Result<()> {
        let gauge = self.named(&self.gauges, format!("{PREFIX}{name}"), GaugeVec::new)?;
        gauge.get_metric_with_label_values(&[&call.extension, &call.tenant])?.set(value);
        Ok(())
    }

    /// The figures of a name, registered with its first use.
    fn named<V: Collector + Clone + 'static>(
        &self,
        known: &Mutex<HashMap<String, V>>,
        name: String,
        new: impl FnOnce(Opts, &[&str]) -> prometheus::Result<V>,
    ) -> prometheus::Result<V> {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(figures) = known.get(&name) {
            return Ok(figures.clone());
        }
        let figures = new(Opts::new(&name, "of extensions"), &LABELS)?;
        self.registry.register(Box::new(figures.clone()))?;
        known.insert(name, figures.clone());
        Ok(figures)
    }

    /// All of them, in the text format of Prometheus, in the order of their names.
    ///
    /// # Errors
    /// None is expected: names and labels are checked before.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_extension::Going;
    use uuid::Uuid;

    fn call(extension: &str, tenant: &str) -> CallContext {
        CallContext {
            extension: extension.into(),
            tenant: tenant.into(),
            entity: Uuid::nil(),
            source: None,
            target: None,
            going: Going::default(),
            source_is_own: false,
            target_is_own: false,
            joined: [].into(),
            operation: Uuid::nil(),
        }
    }

    #[test]
    fn they_are_shown_for_each_extension_and_tenant() {
        let figures = Figures::default();
        assert_eq!(figures.render().unwrap(), "");
        for (extension, tenant, by) in
            [("b", "t", 2), ("a", "u", 1), ("a", "t", 3), ("b", "t", 0), ("b", "t", 5)]
        {
            figures.count(&call(extension, tenant), "queries", by).unwrap();
        }
        figures.set(&call("a", "t"), "backlog", 7.0).unwrap();
        figures.set(&call("a", "t"), "backlog", -0.5).unwrap();
        let shown = [
            "# HELP occi_extension_backlog of extensions",
            "# TYPE occi_extension_backlog gauge",
            r#"occi_extension_backlog{extension="a",tenant="t"} -0.5"#,
            "# HELP occi_extension_queries_total of extensions",
            "# TYPE occi_extension_queries_total counter",
            r#"occi_extension_queries_total{extension="a",tenant="t"} 3"#,
            r#"occi_extension_queries_total{extension="a",tenant="u"} 1"#,
            r#"occi_extension_queries_total{extension="b",tenant="t"} 7"#,
        ];
        assert_eq!(figures.render().unwrap().lines().collect::<Vec<_>>(), shown);
    }
}
