//! What was read of machines, in the text format of Prometheus. It is written here and not by the library that writes the rest:
//! that wants each of some 100,000 lines as a structure of its own first, with copies of the same three labels.

use occi_capability::libvirt::{Measure, Readings};
use occi_model::Entity;
use std::fmt::Write as _;
use std::sync::Arc;
use uuid::Uuid;

/// What a measure's name begins with: what is measured belongs to an entity, whatever its Kind is.
const PREFIX: &str = "occi_entity_";

/// All that was read, a family for each measure; of these entities, of which some may be gone by now.
pub(super) fn write(read: &[(Uuid, Readings)], entities: &[Option<Arc<Entity>>]) -> String {
    let of: Vec<_> = read
        .iter()
        .zip(entities)
        .filter_map(|((_, readings), entity)| Some((readings, labels(entity.as_deref()?))))
        .collect();
    let mut text = String::new();
    for measure in Measure::ALL {
        let mut samples =
            of.iter().filter_map(|(readings, labels)| Some((labels, readings.get(measure)?))).peekable();
        if samples.peek().is_none() {
            continue;
        }
        let (name, help) = (measure.name(), measure.help());
        let kind = if measure.is_counted() { "counter" } else { "gauge" };
        // Into a text nothing fails to be written.
        _ = write!(text, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n");
        for (labels, value) in samples {
            _ = writeln!(text, "{PREFIX}{name}{labels} {value}");
        }
    }
    text
}

fn labels(entity: &Entity) -> String {
    let mut text = format!("{{entity=\"{}\",kind=\"", entity.id);
    escape(&mut text, entity.kind.as_str());
    text.push_str("\",tenant=\"");
    escape(&mut text, &entity.tenant);
    text.push_str("\"}");
    text
}

fn escape(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
}
