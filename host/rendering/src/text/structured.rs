//! Arrays and objects, for which the grammar of the text renderings has no form: they stand there as quoted strings
//! that hold their JSON. Which strings are such is known by what their attributes declare.

use crate::json;
use occi_model::{AttributeName, Attributes, Draft, Filter, Item, Registry, Value};

/// Makes arrays and objects of the strings that stand for them in what a request says. A string that is no JSON stays
/// one, for whoever checks types to refuse.
pub fn restore_structured(draft: &mut Draft, registry: &Registry) {
    for item in &mut draft.items {
        restore_item(item, registry);
    }
}

/// The same in what a request filters by.
pub fn restore_filter(filter: &mut Filter, registry: &Registry) {
    for (name, value) in &mut filter.attributes {
        restore(name, value, registry);
    }
}

fn restore_item(item: &mut Item, registry: &Registry) {
    restore_all(&mut item.attributes, registry);
    for link in &mut item.links {
        restore_item(link, registry);
    }
}

fn restore_all(attributes: &mut Attributes, registry: &Registry) {
    for (name, value) in attributes {
        restore(name, value, registry);
    }
}

fn restore(name: &AttributeName, value: &mut Value, registry: &Registry) {
    if let Value::Text(text) = value
        && text.trim_start().starts_with(['[', '{'])
        && registry.is_structured(name)
        && let Ok(structured) = json::parse_value(text.as_bytes())
    {
        *value = structured;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MediaType, example, parse, render};
    use occi_model::{Representation, View};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    #[test]
    fn an_array_is_read_as_it_was_written() {
        let registry = example::registry();
        let rates = Value::List(vec![
            Value::Integer(1),
            "two, \"2\"".into(),
            Value::Hash(BTreeMap::from([("a".into(), Value::List(Vec::new()))])),
        ]);
        let View { entity, links, actions, console } = example::compute();
        let mut entity = Arc::unwrap_or_clone(entity);
        let name = AttributeName::parse("x.rates").unwrap();
        entity.attributes.insert(name.clone(), rates.clone());
        let view = Representation::Entity(View { entity: Arc::new(entity), links, actions, console });
        for media_type in [MediaType::TextPlain, MediaType::TextOcci] {
            let rendered = render(media_type, &view, "http://h").unwrap();
            let headers = rendered.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
            let mut draft = parse(media_type, headers, &rendered.body).unwrap();
            restore_structured(&mut draft, &registry);
            assert_eq!(draft.items[0].attributes.get(&name), Some(&rates), "{media_type:?}");
        }
    }

    #[test]
    fn what_is_no_array_or_no_json_stays_text() {
        for (name, text) in [("x.name", "[]"), ("x.rates", "[1"), ("x.rates", "x"), ("x.gone", "{}")] {
            let name = AttributeName::parse(name).unwrap();
            let mut filter = Filter { attributes: vec![(name, text.into())], ..Filter::default() };
            let before = filter.clone();
            restore_filter(&mut filter, &example::registry());
            assert_eq!(filter, before);
        }
        let name = AttributeName::parse("x.rates").unwrap();
        let mut filter = Filter { attributes: vec![(name, " [1]".into())], ..Filter::default() };
        restore_filter(&mut filter, &example::registry());
        assert_eq!(filter.attributes[0].1, Value::List(vec![Value::Integer(1)]));
    }
}
