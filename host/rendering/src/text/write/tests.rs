//! What each clause of the text renderings means in bytes that are sent.

use crate::{CannotRender, MAX_HEADERS, MediaType, example, render};
use occi_model::{AttributeName, Representation, Value, View};
use std::sync::Arc;

const BASE: &str = "http://example.com/";

fn plain(representation: &Representation) -> Vec<String> {
    let rendered = render(MediaType::TextPlain, representation, BASE).unwrap();
    assert_eq!((rendered.content_type, rendered.headers.len()), ("text/plain", 0));
    let body = String::from_utf8(rendered.body).unwrap();
    assert!(body.is_empty() || body.ends_with("\r\n"));
    body.split_terminator("\r\n").map(str::to_owned).collect()
}

/// The lines of the digest's resource, with core attributes and a title that needs escapes.
const COMPUTE: [&str; 9] = [
    r#"Category: compute; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#,
    r#"Category: small; scheme="http://example.com/occi/tpl#"; class="mixin""#,
    concat!(
        r#"Link: </network/9>; rel="http://schemas.ogf.org/occi/infrastructure#network"; self="/networkinterface/3";"#,
        r#" category="http://schemas.ogf.org/occi/infrastructure#networkinterface";"#,
        r#" occi.core.id="urn:uuid:66666666-7777-8888-9999-000000000000"; occi.core.source="/compute/1";"#,
        r#" occi.core.source.kind="http://schemas.ogf.org/occi/infrastructure#compute"; occi.core.target="/network/9";"#,
        r#" occi.core.target.kind="http://schemas.ogf.org/occi/infrastructure#network";"#,
        r#" occi.networkinterface.interface="eth0""#,
    ),
    r#"Link: </compute/1?action=start>; rel="http://schemas.ogf.org/occi/infrastructure/compute/action#start""#,
    r#"X-OCCI-Attribute: occi.core.id="urn:uuid:11111111-2222-3333-4444-555555555555""#,
    r#"X-OCCI-Attribute: occi.core.title="web, \"front\"\nend ä\\""#,
    r#"X-OCCI-Attribute: occi.core.summary="a summary""#,
    "X-OCCI-Attribute: occi.compute.cores=2",
    "X-OCCI-Attribute: occi.compute.memory=4.0",
];
const STATE: &str = r#"X-OCCI-Attribute: occi.compute.state="inactive""#;

#[test]
fn txt10_a_resource_is_categories_links_and_attributes() {
    let lines = plain(&Representation::Entity(example::compute()));
    assert_eq!(lines[..COMPUTE.len()], COMPUTE);
    assert_eq!(lines[COMPUTE.len()..], [STATE]);
}

#[test]
fn txt03_headers_hold_the_same_joined_by_commas() {
    let rendered = render(MediaType::TextOcci, &Representation::Entity(example::compute()), BASE).unwrap();
    assert_eq!((rendered.content_type, &*rendered.body), ("text/occi", &b"OK"[..]));
    let joined = |name: &str| {
        let lines = COMPUTE.iter().chain([&STATE]);
        lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect::<Vec<_>>().join(", ")
    };
    let expected = [
        ("category", joined("Category")),
        ("link", joined("Link")),
        ("x-occi-attribute", joined("X-OCCI-Attribute")),
    ];
    assert_eq!(rendered.headers, expected);
}

#[test]
fn txt11_a_link_shows_its_ends() {
    let lines = plain(&Representation::Entity(example::link(None)));
    assert_eq!(
        lines[1..],
        [
            r#"X-OCCI-Attribute: occi.core.id="urn:uuid:66666666-7777-8888-9999-000000000000""#,
            r#"X-OCCI-Attribute: occi.core.source="/compute/1""#,
            r#"X-OCCI-Attribute: occi.core.source.kind="http://schemas.ogf.org/occi/infrastructure#compute""#,
            r#"X-OCCI-Attribute: occi.core.target="/network/9""#,
            r#"X-OCCI-Attribute: occi.networkinterface.interface="eth0""#,
        ]
    );
}

#[test]
fn a_link_line_has_rel_even_where_the_target_is_foreign() {
    let mut view = example::compute();
    view.links = vec![example::link(None)];
    let lines = plain(&Representation::Entity(view));
    assert!(
        lines[2].starts_with(r#"Link: </network/9>; rel="http://schemas.ogf.org/occi/core#resource"; self="#)
    );
    assert!(!lines[2].contains("target.kind"));
}

#[test]
fn an_attribute_called_as_a_links_parameter_is_left_to_the_link() {
    let with_rel = |mut view: View| {
        let entity = Arc::make_mut(&mut view.entity);
        entity.attributes.insert(AttributeName::parse("rel").unwrap(), Value::Integer(1));
        view
    };
    let link = with_rel(example::link(None));
    assert!(plain(&Representation::Entity(link.clone())).contains(&"X-OCCI-Attribute: rel=1".into()));
    let mut compute = example::compute();
    compute.links = vec![link];
    assert!(!plain(&Representation::Entity(compute))[2].contains("rel=1"));
}

#[test]
fn txt13_a_category_is_shown_whole() {
    assert_eq!(
        plain(&Representation::Categories(example::categories())),
        [
            // HTTP-03: core#entity has no location.
            r#"Category: entity; scheme="http://schemas.ogf.org/occi/core#"; class="kind"; title="Entity"; attributes="occi.core.id{immutable required} occi.core.title""#,
            // Q-65, and what it inherits first.
            r#"Category: disk; scheme="http://x#"; class="kind"; title="A \"disk\""; rel="http://schemas.ogf.org/occi/core#resource"; location="/disk/"; attributes="occi.core.id{immutable required} occi.core.title occi.core.summary x.size{required} x.state{immutable} x.name"; actions="http://x/action#switch""#,
            // TXT-17: the first of those it depends on; `applies` is not shown.
            r#"Category: fast; scheme="http://x#"; class="mixin"; rel="http://x#base"; location="/fast/"; attributes="x.rates""#,
            r#"Category: switch; scheme="http://x/action#"; class="action"; title="Switch"; attributes="method""#,
        ]
    );
}

#[test]
fn txt14_a_collection_is_its_locations() {
    let collection = Representation::Collection(vec![example::compute(), example::link(None)]);
    let locations = ["http://example.com/compute/1", "http://example.com/networkinterface/3"];
    assert_eq!(plain(&collection), locations.map(|location| format!("X-OCCI-Location: {location}")));
    let headers = render(MediaType::TextOcci, &collection, BASE).unwrap().headers;
    assert_eq!(headers, [("x-occi-location", locations.join(", "))]);
    // TXT-08, Q-46: the same URLs.
    let list = render(MediaType::UriList, &collection, BASE).unwrap();
    assert_eq!(
        (list.content_type, list.body),
        ("text/uri-list", format!("{}\r\n{}\r\n", locations[0], locations[1]).into())
    );
}

#[test]
fn an_empty_answer_is_empty() {
    // Q-26
    for representation in [Representation::Collection(Vec::new()), Representation::Done] {
        assert!(plain(&representation).is_empty());
        assert!(render(MediaType::UriList, &representation, BASE).unwrap().body.is_empty());
        let occi = render(MediaType::TextOcci, &representation, BASE).unwrap();
        assert_eq!((occi.headers.len(), &*occi.body), (0, &b"OK"[..]));
    }
}

#[test]
fn a_created_entity_is_named_and_nothing_else() {
    let created = Representation::Created(vec![example::compute()]);
    assert_eq!(plain(&created), ["X-OCCI-Location: http://example.com/compute/1"]);
}

#[test]
fn txt07_what_is_no_listing_is_no_uri_list() {
    for representation in [Representation::Entity(example::compute()), Representation::Categories(Vec::new())]
    {
        let refused = render(MediaType::UriList, &representation, BASE);
        assert!(matches!(refused, Err(CannotRender::NotAListing)));
    }
}

#[test]
fn txt06_what_does_not_fit_headers_is_refused() {
    let many = |number| Representation::Collection(vec![example::compute(); number]);
    let fitting = render(MediaType::TextOcci, &many(500), BASE).unwrap();
    assert!(fitting.headers[0].1.len() < MAX_HEADERS);
    match render(MediaType::TextOcci, &many(600), BASE) {
        Err(CannotRender::TooLarge { needed }) => assert!(needed > MAX_HEADERS),
        other => panic!("{other:?}"),
    }
    assert_eq!(plain(&many(600)).len(), 600);
}

#[test]
fn values_have_the_grammars_form() {
    let list = Value::List(vec![Value::Integer(1), "a\"b".into()]);
    for (value, written) in [
        (Value::Number(-2.5e-7), "-0.00000025"),
        (Value::Number(1e21), "1000000000000000000000.0"),
        (Value::Number(-0.0), "-0.0"),
        (Value::Integer(i64::MIN), "-9223372036854775808"),
        (Value::Boolean(true), "true"),
        ("a\r\u{0}\u{7f}\tb".into(), "\"a\\r\\u0000\\u007f\tb\""),
        (list, r#""[1,\"a\\\"b\"]""#),
    ] {
        let mut view = example::link(None);
        Arc::make_mut(&mut view.entity).attributes = [(AttributeName::parse("n").unwrap(), value)].into();
        let lines = plain(&Representation::Entity(view));
        assert_eq!(lines.last().unwrap(), &format!("X-OCCI-Attribute: n={written}"));
    }
}
