//! What extensions count, until the process ends.

use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use occi_extension::CallContext;
use std::fmt;

use super::TOTAL;

/// Counters and gauges of all extensions, for each of their tenants.
pub struct Figures(PrometheusRecorder);

impl Default for Figures {
    fn default() -> Self {
        Self(PrometheusBuilder::new().build_recorder())
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figures")
    }
}

const METADATA: Metadata<'static> = Metadata::new("extension", Level::INFO, None);

/// What the host's own figures, should there be any, do not begin with.
const PREFIX: &str = "occi_extension_";

impl Figures {
    pub(super) fn count(&self, call: &CallContext, name: &str, by: u64) {
        self.0.register_counter(&key(call, format!("{PREFIX}{name}{TOTAL}")), &METADATA).increment(by);
    }

    pub(super) fn set(&self, call: &CallContext, name: &str, value: f64) {
        self.0.register_gauge(&key(call, format!("{PREFIX}{name}")), &METADATA).set(value);
    }

    /// All of them, in the text format of Prometheus, in the order of their names.
    pub fn render(&self) -> String {
        // Rendered in no order: a line with the name and the type, then one for each extension and tenant.
        let rendered = self.0.handle().render();
        let mut families: Vec<Vec<&str>> =
            rendered.split("\n\n").map(|family| family.lines().collect()).collect();
        families.retain(|family: &Vec<&str>| !family.is_empty());
        for family in &mut families {
            family[1..].sort_unstable();
        }
        families.sort_unstable();
        families.concat().iter().flat_map(|line| [line, "\n"]).collect()
    }
}

fn key(call: &CallContext, name: String) -> Key {
    let labels = vec![
        Label::new("extension", call.extension.to_string()),
        Label::new("tenant", call.tenant.to_string()),
    ];
    Key::from_parts(name, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn call(extension: &str, tenant: &str) -> CallContext {
        CallContext {
            extension: extension.into(),
            tenant: tenant.into(),
            entity: Uuid::nil(),
            source: None,
            target: None,
            source_goes: false,
            source_is_own: false,
            target_is_own: false,
            operation: Uuid::nil(),
        }
    }

    #[test]
    fn they_are_shown_for_each_extension_and_tenant() {
        let figures = Figures::default();
        assert_eq!(figures.render(), "");
        for (extension, tenant, by) in
            [("b", "t", 2), ("a", "u", 1), ("a", "t", 3), ("b", "t", 0), ("b", "t", 5)]
        {
            figures.count(&call(extension, tenant), "queries", by);
        }
        figures.set(&call("a", "t"), "backlog", 7.0);
        figures.set(&call("a", "t"), "backlog", -0.5);
        let shown = [
            "# TYPE occi_extension_backlog gauge",
            r#"occi_extension_backlog{extension="a",tenant="t"} -0.5"#,
            "# TYPE occi_extension_queries_total counter",
            r#"occi_extension_queries_total{extension="a",tenant="t"} 3"#,
            r#"occi_extension_queries_total{extension="a",tenant="u"} 1"#,
            r#"occi_extension_queries_total{extension="b",tenant="t"} 7"#,
        ];
        assert_eq!(figures.render().lines().collect::<Vec<_>>(), shown);
    }
}
