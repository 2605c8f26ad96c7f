//! What is written is read as the same, whatever the text in it; and no request makes a parser panic.

use crate::check;
use occi_model::{
    Attribute, AttributeName, CategoryId, CategoryView, Class, Constraint, Ends, Entity, Kind, Location,
    Mixin, Origin, Registry, Representation, Value, ValueType, View, core,
};
use occi_rendering::{MediaType, content_type, negotiate, parse, parse_filter, render};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

/// Text with what the grammars mean something by.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ]{0,4}",
        4 => prop::sample::select(vec![
            "\"", "\\", "\\n", "\\\"", "\\u0041", ",", ";", "=", "\n", "\r\n", "\r", "\t", "<", ">", "\0", "\u{7f}", "ä",
            "\u{85}", "\u{2028}", "😀", "Category: ", "{}", "[1]", "'", "#", "%",
        ])
        .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn id() -> impl Strategy<Value = CategoryId> {
    ("[a-z]{1,3}", "[A-Za-z0-9][A-Za-z0-9._-]{0,5}")
        .prop_map(|(scheme, term)| CategoryId::new(&format!("http://{scheme}/x'y#"), &term).unwrap())
}

fn location() -> impl Strategy<Value = Location> {
    "(/([a-z0-9,;=!:@$'()*+~_-]|%[46][1-9]|%2[0-9]){1,6}){1,3}"
        .prop_map(|path| Location::parse(&path).unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    let finite = any::<f64>().prop_filter("finite", |number| number.is_finite());
    let leaf = prop_oneof![
        hostile().prop_map(Value::Text),
        any::<i64>().prop_map(Value::Integer),
        finite.prop_map(Value::Number),
        (-100i32..100).prop_map(|number| Value::Number(number.into())),
        any::<bool>().prop_map(Value::Boolean),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::btree_map(hostile(), inner, 0..3).prop_map(Value::Hash),
        ]
    })
}

fn entity(ends: impl Strategy<Value = Option<Ends>>) -> impl Strategy<Value = Entity> {
    let name = "x\\.[A-Za-z0-9._-]{0,5}".prop_map(|name| AttributeName::parse(&name).unwrap());
    let attributes = prop::collection::btree_map(name, value(), 0..5);
    let title = || prop::option::of(hostile());
    (
        (any::<u128>(), location(), id(), prop::collection::vec(id(), 0..3)),
        (title(), title(), attributes, ends),
    )
        .prop_map(|((uuid, location, kind, mixins), (title, summary, attributes, ends))| Entity {
            id: Uuid::from_u128(uuid),
            location,
            kind,
            mixins,
            tenant: "t".into(),
            title,
            summary: summary.filter(|_| ends.is_none()),
            attributes,
            ends,
        })
}

fn link() -> impl Strategy<Value = View> {
    let target = prop_oneof![location().prop_map(|path| path.to_string()), hostile()];
    // A link without it is the test's below.
    let ends = (location(), id(), target, id()).prop_map(|(source, source_kind, target, target_kind)| {
        let ids = (Uuid::nil(), None);
        Some(Ends {
            source,
            source_kind,
            source_id: ids.0,
            target,
            target_kind: Some(target_kind),
            target_id: ids.1,
        })
    });
    (entity(ends), prop::collection::vec(id(), 0..2)).prop_map(|(entity, actions)| View {
        entity: Arc::new(entity),
        links: Vec::new(),
        actions,
        console: None,
    })
}

fn resource() -> impl Strategy<Value = View> {
    let (links, actions) = (prop::collection::vec(link(), 0..3), prop::collection::vec(id(), 0..3));
    (entity(Just(None)), links, actions).prop_map(|(entity, links, actions)| View {
        entity: Arc::new(entity),
        links,
        actions,
        console: None,
    })
}

proptest! {
    #[test]
    fn a_resource_is_read_as_it_was_written(view in resource()) {
        check::written(&view);
    }

    #[test]
    fn a_link_is_read_as_it_was_written(view in link()) {
        check::written(&view);
    }

    #[test]
    fn a_listing_is_read_as_it_was_written(locations in prop::collection::vec(location(), 0..5)) {
        check::listed(&locations);
    }

    #[test]
    fn a_category_is_read_as_it_was_written(
        title in prop::option::of(hostile()),
        description in hostile(),
        mutable in any::<bool>(),
        required in any::<bool>(),
    ) {
        categories_survive(title.as_deref(), description, mutable, required);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in hostile()) {
        for body in [&bytes[..], text.as_bytes()] {
            for media_type in MediaType::ALL {
                check::request(media_type, &[("category", body), ("link", body), ("x-occi-location", body)], body);
            }
            let _ = parse_filter([("x-occi-attribute", body)]);
            let _ = (negotiate([body]), content_type([body]));
        }
    }

    #[test]
    fn no_nearly_right_request_makes_a_parser_panic(
        name in prop::sample::select(vec!["Category", "Link", "X-OCCI-Attribute", "X-OCCI-Location"]),
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "a", ";", ",", "=", "\"", "<", ">", " ", "scheme=", "\"http://x#\"", "rel=", "category=", "/p",
                    "?action=", "1.5", "true", "\\", "\n",
                ]).prop_map(str::to_owned),
                hostile(),
            ],
            0..20,
        ),
    ) {
        let value = pieces.concat();
        check::request(MediaType::TextPlain, &[], format!("{name}: {value}").as_bytes());
        check::request(MediaType::TextOcci, &[(name, value.as_bytes())], b"");
    }
}

/// A Kind, a Mixin and an Action in every rendering that holds categories.
fn categories_survive(title: Option<&str>, description: String, mutable: bool, required: bool) {
    let id = |term: &str| CategoryId::new("http://x/occi#", term).unwrap();
    let attribute = Attribute {
        name: AttributeName::parse("x.a").unwrap(),
        value_type: ValueType::Integer,
        mutable,
        required,
        default: None,
        constraint: Constraint::default(),
        description: Some(description),
    };
    let kind = Kind {
        id: id("kind"),
        title: title.map(str::to_owned),
        parent: Some(CategoryId::parse(core::RESOURCE).unwrap()),
        attributes: vec![attribute.clone()],
        actions: Vec::new(),
        location: Some(Location::parse("/kind/").unwrap()),
        states: None,
        console: None,
    };
    let mixin = Mixin {
        id: id("mixin"),
        title: title.map(str::to_owned),
        depends: vec![id("base")],
        applies: vec![id("kind")],
        attributes: Vec::new(),
        actions: Vec::new(),
        location: Location::parse("/mixin/").unwrap(),
        origin: Origin::Client,
        exclusive: false,
    };
    let registry = Registry::new(vec![kind], &[mixin], Vec::new()).unwrap();
    let views = vec![
        CategoryView::Kind(Arc::clone(registry.kind(&id("kind")).unwrap())),
        CategoryView::Mixin(Arc::clone(registry.mixin(&id("mixin")).unwrap())),
    ];
    for media_type in [MediaType::TextPlain, MediaType::TextOcci, MediaType::OcciJson] {
        let rendered = render(media_type, &Representation::Categories(views.clone()), check::BASE).unwrap();
        let draft = check::read(media_type, &rendered);
        let [kind, mixin] = &*draft.items[0].categories else { panic!("{draft:?}") };
        assert_eq!((&kind.id, kind.class, kind.title.as_deref()), (&id("kind"), Some(Class::Kind), title));
        assert_eq!(kind.related, [CategoryId::parse(core::RESOURCE).unwrap()]);
        assert_eq!((kind.location.as_deref(), kind.has_content), (Some("/kind/"), true));
        assert_eq!(
            (&mixin.id, mixin.class, mixin.title.as_deref()),
            (&id("mixin"), Some(Class::Mixin), title)
        );
        assert_eq!((&*mixin.related, mixin.location.as_deref()), (&[id("base")][..], Some("/mixin/")));
        assert!(!mixin.has_content);
    }
}

#[test]
fn a_number_keeps_its_bits() {
    for number in [-0.0, 0.1, 5e-324, f64::MAX, 1e21, 9_007_199_254_740_993.0, 1e16, 1e-7] {
        let attributes = [(AttributeName::parse("n").unwrap(), Value::Number(number))].into();
        let entity = Entity {
            id: Uuid::nil(),
            location: Location::parse("/a/1").unwrap(),
            kind: CategoryId::parse(core::RESOURCE).unwrap(),
            mixins: Vec::new(),
            tenant: "t".into(),
            title: None,
            summary: None,
            attributes,
            ends: None,
        };
        let view = View { entity: Arc::new(entity), links: Vec::new(), actions: Vec::new(), console: None };
        for media_type in [MediaType::TextPlain, MediaType::OcciJson] {
            let rendered = render(media_type, &Representation::Entity(view.clone()), check::BASE).unwrap();
            let draft = parse(media_type, [], &rendered.body).unwrap();
            match draft.items[0].attributes.get("n") {
                Some(Value::Number(read)) => assert_eq!(read.to_bits(), number.to_bits(), "{rendered:?}"),
                other => panic!("{other:?} in {rendered:?}"),
            }
        }
    }
}
