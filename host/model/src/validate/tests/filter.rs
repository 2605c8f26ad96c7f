//! Which entities a filter lets pass.

use crate::core;
use crate::filter::Filter;
use crate::fixture::{create, ids, int, item, name, registry};
use crate::value::Value;

/// Categories and attributes of a filter, and whether it lets the entity pass.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, Value)], bool);

#[test]
fn all_that_a_filter_asks_must_hold() {
    // HTTP-16, H11-03, Q-51
    let registry = registry();
    let categories = ["machine", "guarded"];
    let attributes =
        [("cores", int(2)), ("memory", int(4)), ("host", "web".into()), (core::TITLE, "Web".into())];
    let entity = create(&registry, &item(&categories, &attributes)).unwrap();
    let cases: &[Case] = &[
        (&[], &[], true),
        (&["machine"], &[], true),
        (&["guarded"], &[], true),
        (&["audited"], &[], false), // HTTP-17: it has that by the other
        (&["machine", "guarded"], &[], true),
        (&["cluster"], &[], false),
        (&["core#resource"], &[], false), // those that are named, exactly
        (&["machine", "tag"], &[], false),
        (&["gone"], &[], false),
        (&[], &[("cores", int(2))], true),
        (&[], &[("cores", "2".into())], true),
        (&[], &[("cores", Value::Number(2.0))], true),
        (&[], &[("cores", int(3))], false),
        (&[], &[("cores", "two".into())], false),
        (&[], &[("memory", int(4))], true),
        (&[], &[("host", "web".into()), ("cores", int(2))], true),
        (&[], &[("host", "web".into()), ("cores", int(1))], false),
        (&[], &[("host", "WEB".into())], false),
        (&[], &[("burst", false.into())], false),
        (&[], &[("gone", int(1))], false),
        (&[], &[(core::TITLE, "Web".into())], true),
        (&[], &[(core::ID, "urn:uuid:11111111-2222-3333-4444-555555555555".into())], true),
        (&["machine"], &[("cores", int(3))], false),
    ];
    for (categories, attributes, passes) in cases {
        let filter = Filter {
            categories: ids(categories),
            attributes: attributes.iter().map(|(text, value)| (name(text), value.clone())).collect(),
        };
        assert_eq!(filter.matches(&registry, &entity), *passes, "{filter:?}");
        assert_eq!(filter.is_empty(), categories.is_empty() && attributes.is_empty());
    }
}
