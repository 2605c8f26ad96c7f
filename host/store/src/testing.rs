//! What several tests of this crate need: entities of any shape, and a store to put them in.

use crate::contract::Store;
use crate::redb::{Options, RedbStore};
use occi_model::{AttributeName, CategoryId, Ends, Entity, Location, Value};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

/// A new store in memory.
pub(crate) fn store() -> Arc<dyn Store> {
    Arc::new(RedbStore::in_memory(&Options { cache: 8 << 20, ..Options::default() }).unwrap())
}

/// Waits for a future on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A category of the tests.
pub(crate) fn category(term: &str) -> CategoryId {
    CategoryId::new("http://example.org/test#", term).unwrap()
}

/// A resource without attributes.
pub(crate) fn resource(id: u128, path: &str) -> Entity {
    Entity {
        id: Uuid::from_u128(id),
        location: Location::parse(path).unwrap(),
        kind: category("kind"),
        mixins: Vec::new(),
        tenant: "tenant".into(),
        title: None,
        summary: None,
        attributes: [].into(),
        ends: None,
    }
}

/// A link between two resources of this server.
pub(crate) fn link(id: u128, source: u128, target: u128) -> Entity {
    let ends = Ends {
        source: Location::parse("/source").unwrap(),
        source_kind: category("kind"),
        source_id: Uuid::from_u128(source),
        target: "/target".into(),
        target_kind: Some(category("kind")),
        target_id: Some(Uuid::from_u128(target)),
    };
    Entity {
        kind: category("link"),
        ends: Some(ends),
        ..resource(id, &format!("/link/{}", Uuid::from_u128(id)))
    }
}

/// Any entity that the model can hold.
pub(crate) fn any_entity() -> impl Strategy<Value = Entity> {
    let texts = (option::of(any::<String>()), option::of(any::<String>()), any::<String>());
    let attributes = btree_map(any_name(), any_value(), 0..8);
    let categories = (any_category(), vec(any_category(), 0..4));
    (any::<u128>(), any_location(), categories, texts, attributes, option::of(any_ends())).prop_map(
        |(id, location, (kind, mixins), (title, summary, tenant), attributes, ends)| Entity {
            id: Uuid::from_u128(id),
            location,
            kind,
            mixins,
            tenant: tenant.into(),
            title,
            summary,
            attributes,
            ends,
        },
    )
}

fn any_ends() -> impl Strategy<Value = Ends> {
    let target = (any::<String>(), option::of(any_category()), option::of(any::<u128>()));
    (any_location(), any_category(), any::<u128>(), target).prop_map(
        |(source, source_kind, source_id, (target, target_kind, target_id))| Ends {
            source,
            source_kind,
            source_id: Uuid::from_u128(source_id),
            target,
            target_kind,
            target_id: target_id.map(Uuid::from_u128),
        },
    )
}

fn any_value() -> impl Strategy<Value = Value> {
    let finite = any::<f64>().prop_filter("the model has finite numbers only", |number| number.is_finite());
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::Text),
        any::<i64>().prop_map(Value::Integer),
        finite.prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            btree_map(any::<String>(), inner, 0..6).prop_map(Value::Hash),
        ]
    })
}

fn any_name() -> impl Strategy<Value = AttributeName> {
    "[a-zA-Z0-9][a-zA-Z0-9._-]{0,40}".prop_map(|name| AttributeName::parse(&name).unwrap())
}

fn any_category() -> impl Strategy<Value = CategoryId> {
    ("[a-z][a-z+.-]{0,5}:[a-zA-Z0-9/._~:?=&%-]{1,40}#", "[a-zA-Z0-9][a-zA-Z0-9._-]{0,40}")
        .prop_map(|(scheme, term)| CategoryId::new(&scheme, &term).unwrap())
}

fn any_location() -> impl Strategy<Value = Location> {
    "(/([a-zA-Z0-9_~!$&'()*+,;=:@-]|%[46][1-9]|%2[0-9]){1,12}){1,5}/?"
        .prop_map(|path| Location::parse(&path).unwrap())
}
