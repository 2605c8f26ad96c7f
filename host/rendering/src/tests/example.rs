//! The specification's own examples as model values, for the tests of what is written.

use occi_model::{
    Action, Attribute, AttributeName, CategoryId, CategoryView, Constraint, Ends, Entity, Kind, Location,
    Mixin, Origin, Registry, Value, ValueType, View,
};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) fn id(text: &str) -> CategoryId {
    CategoryId::parse(text).unwrap()
}

pub(crate) fn path(text: &str) -> Location {
    Location::parse(text).unwrap()
}

fn infrastructure(term: &str) -> CategoryId {
    id(&format!("http://schemas.ogf.org/occi/infrastructure#{term}"))
}

fn entity(uuid: &str, location: &str, kind: CategoryId, attributes: &[(&str, Value)]) -> Entity {
    let attribute = |(name, value): &(&str, Value)| (AttributeName::parse(name).unwrap(), value.clone());
    Entity {
        id: Uuid::parse_str(uuid).unwrap(),
        location: path(location),
        kind,
        mixins: Vec::new(),
        tenant: "t".into(),
        title: None,
        summary: None,
        attributes: attributes.iter().map(attribute).collect(),
        ends: None,
    }
}

/// The compute of section 4 of both digests, with its link.
pub(crate) fn compute() -> View {
    let mut compute = entity(
        "11111111-2222-3333-4444-555555555555",
        "/compute/1",
        infrastructure("compute"),
        &[
            ("occi.compute.cores", Value::Integer(2)),
            ("occi.compute.memory", Value::Number(4.0)),
            ("occi.compute.state", "inactive".into()),
        ],
    );
    compute.mixins = vec![id("http://example.com/occi/tpl#small")];
    compute.title = Some("web, \"front\"\nend ä\\".into());
    compute.summary = Some("a summary".into());
    let actions = vec![id("http://schemas.ogf.org/occi/infrastructure/compute/action#start")];
    View {
        entity: Arc::new(compute),
        links: vec![link(Some(infrastructure("network")))],
        actions,
        console: None,
    }
}

/// Its link to a network.
pub(crate) fn link(target_kind: Option<CategoryId>) -> View {
    let mut link = entity(
        "66666666-7777-8888-9999-000000000000",
        "/networkinterface/3",
        infrastructure("networkinterface"),
        &[("occi.networkinterface.interface", "eth0".into())],
    );
    link.ends = Some(Ends {
        source: path("/compute/1"),
        source_kind: infrastructure("compute"),
        source_id: Uuid::nil(),
        target: "/network/9".into(),
        target_kind,
        target_id: None,
    });
    View { entity: Arc::new(link), links: Vec::new(), actions: Vec::new(), console: None }
}

/// A Kind, a Mixin and an Action that use everything that can be declared.
pub(crate) fn registry() -> Registry {
    let attribute = |name, value_type, mutable, required| Attribute {
        name: AttributeName::parse(name).unwrap(),
        value_type,
        mutable,
        required,
        default: None,
        constraint: Constraint::default(),
        description: None,
    };
    let mut size = attribute("x.size", ValueType::Integer, true, true);
    size.constraint = Constraint { minimum: Some(1.0), maximum: Some(2.5), ..Constraint::default() };
    size.default = Some(Value::Integer(1));
    size.description = Some("GiB".into());
    let mut state = attribute("x.state", ValueType::String, false, false);
    state.constraint.choices = vec!["on".into(), "off".into()];
    let mut name = attribute("x.name", ValueType::String, true, false);
    name.constraint =
        Constraint { regex: Some("[a-z]+|b".parse().unwrap()), max_length: Some(8), ..Constraint::default() };
    let switch = id("http://x/action#switch");
    let kind = Kind {
        id: id("http://x#disk"),
        title: Some("A \"disk\"".into()),
        parent: Some(id("http://schemas.ogf.org/occi/core#resource")),
        attributes: vec![size, state, name],
        actions: vec![switch.clone()],
        location: Some(path("/disk/")),
        states: None,
        console: None,
    };
    let base = Mixin {
        id: id("http://x#base"),
        title: None,
        depends: Vec::new(),
        applies: Vec::new(),
        attributes: Vec::new(),
        actions: Vec::new(),
        location: path("/base/"),
        origin: Origin::Provider,
        exclusive: false,
    };
    let mixin = Mixin {
        id: id("http://x#fast"),
        depends: vec![id("http://x#base"), id("http://x#other")],
        applies: vec![id("http://x#disk")],
        attributes: vec![attribute("x.rates", ValueType::Array, true, false)],
        location: path("/fast/"),
        ..base.clone()
    };
    let action = Action {
        id: switch,
        title: Some("Switch".into()),
        attributes: vec![attribute("method", ValueType::String, true, false)],
        from: None,
    };
    let other = Mixin { id: id("http://x#other"), location: path("/other/"), ..base.clone() };
    Registry::new(vec![kind], &[base, other, mixin], vec![action]).unwrap()
}

/// What the query interface shows of it.
pub(crate) fn categories() -> Vec<CategoryView> {
    let registry = registry();
    let kind = |text| CategoryView::Kind(Arc::clone(registry.kind(&id(text)).unwrap()));
    vec![
        kind("http://schemas.ogf.org/occi/core#entity"),
        kind("http://x#disk"),
        CategoryView::Mixin(Arc::clone(registry.mixin(&id("http://x#fast")).unwrap())),
        CategoryView::Action(Arc::clone(registry.action(&id("http://x/action#switch")).unwrap())),
    ]
}
