//! A small cloud for the tests: machines with states and actions, volumes, wires between them, templates and tags.

use crate::attribute::{Attribute, Constraint, ValueType};
use crate::category::{Action, Kind, Mixin, Origin, States};
use crate::core;
use crate::draft::{CategoryDraft, Item};
use crate::entity::{Attributes, Ends, Entity};
use crate::identifier::{AttributeName, CategoryId, Location};
use crate::registry::{Registry, RegistryError};
use crate::validate::{Identity, Updated, Violation};
use crate::value::Value;
use regex::Regex;
use std::fmt::Write;
use uuid::Uuid;

/// The id of every entity of the tests.
pub(crate) const ID: Uuid = Uuid::from_u128(0x1111_1111_2222_3333_4444_5555_5555_5555);

/// A type identifier: that of a Kind of OCCI Core for `core#...`, else one of this cloud.
pub(crate) fn id(term: &str) -> CategoryId {
    match term.strip_prefix("core#") {
        Some(term) => CategoryId::new(core::SCHEME, term).unwrap(),
        None => CategoryId::new("http://example.com/t#", term).unwrap(),
    }
}

pub(crate) fn ids(terms: &[&str]) -> Vec<CategoryId> {
    terms.iter().map(|term| id(term)).collect()
}

pub(crate) fn name(name: &str) -> AttributeName {
    AttributeName::parse(name).unwrap()
}

pub(crate) fn path(path: &str) -> Location {
    Location::parse(path).unwrap()
}

pub(crate) fn int(number: i64) -> Value {
    Value::Integer(number)
}

/// A mutable attribute, neither required nor restricted.
pub(crate) fn attribute(text: &str, value_type: ValueType) -> Attribute {
    Attribute {
        name: name(text),
        value_type,
        mutable: true,
        required: false,
        default: None,
        constraint: Constraint::default(),
        description: None,
    }
}

/// An attribute whose value a template fixes.
pub(crate) fn fixed(text: &str, value_type: ValueType, value: Value) -> Attribute {
    Attribute { mutable: false, default: Some(value), ..attribute(text, value_type) }
}

pub(crate) fn kind(term: &str, parent: &str) -> Kind {
    Kind {
        id: id(term),
        title: None,
        parent: Some(id(parent)),
        attributes: Vec::new(),
        actions: Vec::new(),
        location: Some(path(&format!("/{term}/"))),
        states: None,
        console: None,
    }
}

pub(crate) fn mixin(term: &str) -> Mixin {
    Mixin {
        id: id(term),
        title: None,
        depends: Vec::new(),
        applies: Vec::new(),
        attributes: Vec::new(),
        actions: Vec::new(),
        location: path(&format!("/{term}/")),
        origin: Origin::Provider,
        exclusive: false,
    }
}

pub(crate) fn action(term: &str, from: Option<&[&str]>) -> Action {
    let from = from.map(|states| states.iter().map(|&state| state.into()).collect());
    Action { id: id(term), title: None, attributes: Vec::new(), from }
}

/// What a registry is made of.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) mixins: Vec<Mixin>,
    pub(crate) actions: Vec<Action>,
}

impl Cloud {
    pub(crate) fn registry(self) -> Result<Registry, Vec<RegistryError>> {
        Registry::new(self.kinds, &self.mixins, self.actions)
    }

    pub(crate) fn kind(&mut self, term: &str) -> &mut Kind {
        self.kinds.iter_mut().find(|kind| kind.id == id(term)).unwrap()
    }

    pub(crate) fn mixin(&mut self, term: &str) -> &mut Mixin {
        self.mixins.iter_mut().find(|mixin| mixin.id == id(term)).unwrap()
    }

    pub(crate) fn action(&mut self, term: &str) -> &mut Action {
        self.actions.iter_mut().find(|action| action.id == id(term)).unwrap()
    }
}

/// The small cloud.
pub(crate) fn cloud() -> Cloud {
    Cloud { kinds: kinds(), mixins: mixins(), actions: actions() }
}

pub(crate) fn registry() -> Registry {
    cloud().registry().unwrap()
}

fn kinds() -> Vec<Kind> {
    let machine = Kind {
        attributes: vec![
            Attribute {
                constraint: Constraint { choices: vec!["x86".into(), "x64".into()], ..Constraint::default() },
                ..attribute("arch", ValueType::String)
            },
            Attribute {
                default: Some(int(1)),
                constraint: Constraint { minimum: Some(1.0), maximum: Some(64.0), ..Constraint::default() },
                ..attribute("cores", ValueType::Integer)
            },
            // Its author writes the number without a fraction.
            Attribute { default: Some(int(1)), ..attribute("memory", ValueType::Number) },
            Attribute {
                constraint: Constraint {
                    regex: Some(Regex::new("[a-z]+|[a-z]+[.][a-z]+").unwrap()),
                    max_length: Some(12),
                    ..Constraint::default()
                },
                ..attribute("host", ValueType::String)
            },
            attribute("burst", ValueType::Boolean),
            // The extension makes it up: no client can give what it must not set.
            Attribute { mutable: false, required: true, ..attribute("serial", ValueType::String) },
            Attribute { mutable: false, ..attribute("state", ValueType::String) },
            Attribute {
                mutable: false,
                constraint: Constraint { max_length: Some(40), ..Constraint::default() },
                ..attribute("state.message", ValueType::String)
            },
        ],
        actions: ids(&["start", "stop", "rename"]),
        states: Some(States {
            attribute: name("state"),
            message: Some(name("state.message")),
            values: ["inactive", "active", "error"].map(Into::into).to_vec(),
            initial: "inactive".into(),
        }),
        ..kind("machine", "core#resource")
    };
    let cluster = Kind {
        attributes: vec![
            Attribute { default: Some(int(8)), ..attribute("cores", ValueType::Integer) },
            attribute("nodes", ValueType::Array),
        ],
        ..kind("cluster", "machine")
    };
    let volume = Kind {
        attributes: vec![Attribute { required: true, ..attribute("size", ValueType::Number) }],
        ..kind("volume", "core#resource")
    };
    let idea = Kind { location: None, ..kind("idea", "core#resource") };
    let wire = Kind { attributes: vec![attribute("speed", ValueType::Integer)], ..kind("wire", "core#link") };
    vec![machine, cluster, volume, idea, wire]
}

fn mixins() -> Vec<Mixin> {
    let template = |term, attributes| Mixin { depends: ids(&["template"]), attributes, ..mixin(term) };
    vec![
        Mixin { applies: ids(&["machine"]), exclusive: true, ..mixin("template") },
        template(
            "small",
            vec![fixed("cores", ValueType::Integer, int(2)), fixed("scratch", ValueType::Number, int(10))],
        ),
        template(
            "large",
            vec![fixed("cores", ValueType::Integer, int(4)), fixed("scratch", ValueType::Number, int(40))],
        ),
        Mixin {
            applies: ids(&["machine"]),
            attributes: vec![Attribute { default: Some(int(8)), ..attribute("memory", ValueType::Number) }],
            ..mixin("generous")
        },
        Mixin {
            applies: ids(&["wire"]),
            attributes: vec![Attribute { required: true, ..attribute("ip", ValueType::String) }],
            ..mixin("addressed")
        },
        Mixin {
            attributes: vec![Attribute { default: Some(int(3)), ..attribute("level", ValueType::Integer) }],
            actions: ids(&["audit"]),
            ..mixin("audited")
        },
        Mixin {
            depends: ids(&["audited"]),
            attributes: vec![attribute("guards", ValueType::Object)],
            ..mixin("guarded")
        },
        Mixin { depends: ids(&["guarded"]), ..mixin("fortress") },
        Mixin {
            depends: ids(&["audited"]),
            attributes: vec![Attribute {
                default: Some(int(9)),
                constraint: Constraint { maximum: Some(20.0), ..Constraint::default() },
                ..attribute("level", ValueType::Integer)
            }],
            ..mixin("strict")
        },
        Mixin { depends: ids(&["elsewhere"]), origin: Origin::Client, ..mixin("tag") },
    ]
}

fn actions() -> Vec<Action> {
    let methods = Constraint { choices: vec!["soft".into(), "hard".into()], ..Constraint::default() };
    let method = Attribute {
        default: Some("soft".into()),
        constraint: methods,
        ..attribute("method", ValueType::String)
    };
    vec![
        action("start", Some(&["inactive"])),
        Action { attributes: vec![method], ..action("stop", Some(&["active"])) },
        Action {
            attributes: vec![
                Attribute { required: true, ..attribute("to", ValueType::String) },
                attribute("times", ValueType::Integer),
            ],
            ..action("rename", None)
        },
        action("audit", None),
    ]
}

/// An item with these categories and attributes.
pub(crate) fn item(categories: &[&str], attributes: &[(&str, Value)]) -> Item {
    Item {
        categories: categories.iter().map(|term| CategoryDraft::new(id(term), None)).collect(),
        attributes: attributes.iter().map(|(text, value)| (name(text), value.clone())).collect(),
        ..Item::default()
    }
}

/// The ends of a wire from one machine to another.
pub(crate) fn ends(target: &str) -> Ends {
    Ends {
        source: path("/machine/a"),
        source_kind: id("machine"),
        source_id: Uuid::from_u128(1),
        target: target.into(),
        target_kind: Some(id("machine")),
        target_id: None,
    }
}

/// What an item becomes, be it a resource or a link.
pub(crate) fn create(registry: &Registry, item: &Item) -> Result<Entity, Vec<Violation>> {
    let made = registry.classify(item)?;
    let identity = Identity { id: ID, location: path("/machine/web"), tenant: "t".into() };
    registry.instantiate(&made, item, identity, Some(ends("/machine/b")))
}

/// The item that describes an entity as a rendering would.
pub(crate) fn describe(entity: &Entity) -> Item {
    let mut attributes: Attributes = entity.attributes.clone();
    let of_core = [core::ID, core::TITLE, core::SUMMARY, core::SOURCE, core::TARGET];
    attributes.extend(of_core.into_iter().filter_map(|text| Some((name(text), entity.get(text)?))));
    let categories = std::iter::once(&entity.kind).chain(&entity.mixins);
    Item {
        categories: categories.map(|id| CategoryDraft::new(id.clone(), None)).collect(),
        attributes,
        ..Item::default()
    }
}

/// An entity in one line: `kind mixin* | name=value*`.
pub(crate) fn show(entity: &Entity) -> String {
    let mut text = entity.kind.term().to_owned();
    for mixin in &entity.mixins {
        write!(text, " {}", mixin.term()).unwrap();
    }
    text.push_str(" |");
    for name in [core::TITLE, core::SUMMARY, core::TARGET] {
        if let Some(value) = entity.get(name) {
            write!(text, " {name}={value}").unwrap();
        }
    }
    write!(text, "{}", values(&entity.attributes)).unwrap();
    text
}

/// Attributes in one line, each with a space before it.
pub(crate) fn values(attributes: &Attributes) -> String {
    attributes.iter().fold(String::new(), |mut text, (name, value)| {
        write!(text, " {name}={value}").unwrap();
        text
    })
}

/// What an update changes, in one line.
pub(crate) fn show_update(updated: &Updated) -> String {
    let terms = |ids: &[CategoryId]| ids.iter().map(CategoryId::term).collect::<Vec<_>>().join(" ");
    let cleared: Vec<_> = updated.cleared.iter().map(AttributeName::as_str).collect();
    format!(
        "wanted{}; cleared {}; gained {}; lost {}",
        values(&updated.wanted),
        cleared.join(" "),
        terms(&updated.gained),
        terms(&updated.lost),
    )
    .replace("cleared ;", "cleared;")
    .replace("gained ;", "gained;")
    .trim_end()
    .to_owned()
}

/// Each violation as a client reads it, without this cloud's scheme.
pub(crate) fn say(violations: &[Violation]) -> Vec<String> {
    let plain = |text: String| text.replace("http://example.com/t#", "").replace(core::SCHEME, "core#");
    violations.iter().map(|violation| plain(violation.to_string())).collect()
}
