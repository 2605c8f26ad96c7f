//! What the endpoint's query interface says that there is: text first, since every server speaks it, completed by what
//! JSON alone can say (types, patterns, defaults, `applies`).

use serde_json::Value;

use crate::client::{Client, OCCI_JSON, TEXT_PLAIN};
use crate::wire::category::{Category, Class};
use crate::wire::text::Text;

/// The base of the schemes that are the standard's own.
pub(crate) const RESERVED: &str = "http://schemas.ogf.org/occi/";
pub(crate) const ENTITY: &str = "http://schemas.ogf.org/occi/core#entity";
pub(crate) const RESOURCE: &str = "http://schemas.ogf.org/occi/core#resource";
pub(crate) const LINK: &str = "http://schemas.ogf.org/occi/core#link";

/// The attributes of the core's Kinds, which begin with `occi.core.`.
const CORE: [&str; 7] = ["id", "title", "summary", "source", "target", "source.kind", "target.kind"];

/// A Kind, Mixin or Action.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    pub(crate) class: Class,
    pub(crate) scheme: String,
    pub(crate) term: String,
    /// A Kind's parent; the Mixins that a Mixin depends on.
    pub(crate) parents: Vec<String>,
    pub(crate) applies: Vec<String>,
    pub(crate) location: Option<String>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) actions: Vec<String>,
}

/// An attribute as it is declared. What text cannot say is null where the server has no JSON.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) immutable: bool,
    pub(crate) required: bool,
    pub(crate) kind: Option<String>,
    pub(crate) pattern: Value,
    pub(crate) default: Value,
}

impl Type {
    /// Scheme and term.
    pub(crate) fn id(&self) -> String {
        format!("{}{}", self.scheme, self.term)
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.scheme.starts_with(RESERVED)
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// Everything that was discovered.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) types: Vec<Type>,
    /// The query interface as text has it; empty where it has no text.
    pub(crate) text: Text,
    /// The same in JSON; null where it has none.
    pub(crate) json: Value,
}

impl Model {
    /// Asks for it, and takes what comes.
    pub(crate) fn discover(client: &Client) -> Self {
        let ask = |media_type: &str| {
            let answer = client.get("-/").accept(media_type).send().ok()?;
            answer.succeeded().then_some(answer)
        };
        let text = ask(TEXT_PLAIN).map(|answer| answer.read()).unwrap_or_default();
        let json = ask(OCCI_JSON).map(|answer| answer.value()).unwrap_or_default();
        let mut types: Vec<_> = text.categories.iter().filter_map(of_text).collect();
        for (list, class) in [("kinds", Class::Kind), ("mixins", Class::Mixin), ("actions", Class::Action)] {
            for object in json[list].as_array().into_iter().flatten() {
                let whole = of_json(object, class);
                match types.iter_mut().find(|known: &&mut Type| known.id() == whole.id()) {
                    Some(known) => complete(known, whole),
                    None => types.push(whole),
                }
            }
        }
        Self { types, text, json }
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Type> {
        self.types.iter().find(|known| known.id() == id)
    }

    pub(crate) fn of(&self, class: Class) -> impl Iterator<Item = &Type> {
        self.types.iter().filter(move |known| known.class == class)
    }

    /// A Kind, its parent, its parent's parent and so on; a Mixin and all that it depends on. Each once, be it known or not.
    pub(crate) fn lineage(&self, id: &str) -> Vec<String> {
        let mut line = vec![id.to_owned()];
        let mut at = 0;
        while let Some(id) = line.get(at) {
            for parent in self.find(id).map(|known| known.parents.clone()).unwrap_or_default() {
                if !line.contains(&parent) {
                    line.push(parent);
                }
            }
            at += 1;
        }
        line
    }

    /// What describes a category and all that it builds on.
    pub(crate) fn types_of<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Type> + use<'a> {
        self.lineage(id).into_iter().filter_map(|id| self.find(&id))
    }

    /// Whether an entity of these categories may show an attribute: one of them declares it, or one that it builds on. Those of
    /// the core need not be declared.
    pub(crate) fn declare(&self, categories: &[String], name: &str) -> bool {
        let of_core = name.strip_prefix("occi.core.");
        of_core.is_some_and(|name| CORE.contains(&name))
            || self.declarations(categories, name).next().is_some()
    }

    /// What these categories, and those that they build on, say of an attribute.
    pub(crate) fn declarations<'a>(
        &'a self,
        categories: &'a [String],
        name: &'a str,
    ) -> impl Iterator<Item = &'a Attribute> {
        let types = categories.iter().flat_map(|id| self.types_of(id));
        types.filter_map(move |one| one.attribute(name))
    }

    /// Whether a Mixin, and all that it depends on, say that they fit entities of a Kind.
    pub(crate) fn fits(&self, mixin: &Type, kind: &str) -> bool {
        let line = self.lineage(kind);
        self.types_of(&mixin.id())
            .all(|one| one.applies.is_empty() || one.applies.iter().any(|kind| line.contains(kind)))
    }
}

fn of_text(category: &Category) -> Option<Type> {
    let attributes = category.attributes.iter().map(|mark| Attribute {
        name: mark.name.clone(),
        immutable: mark.immutable,
        required: mark.required,
        kind: None,
        pattern: Value::Null,
        default: Value::Null,
    });
    Some(Type {
        class: category.class?,
        scheme: category.scheme.clone(),
        term: category.term.clone(),
        parents: category.rel.iter().flat_map(|rel| rel.split(' ')).map(str::to_owned).collect(),
        applies: Vec::new(),
        location: category.location.clone(),
        attributes: attributes.collect(),
        actions: category.actions.clone(),
    })
}

fn of_json(object: &Value, class: Class) -> Type {
    let text = |name: &str| object[name].as_str().map(str::to_owned);
    let attributes = object["attributes"].as_object().into_iter().flatten();
    Type {
        class,
        scheme: text("scheme").unwrap_or_default(),
        term: text("term").unwrap_or_default(),
        parents: if class == Class::Kind {
            text("parent").into_iter().collect()
        } else {
            strings(&object["depends"])
        },
        applies: strings(&object["applies"]),
        location: text("location"),
        attributes: attributes
            .map(|(name, is)| Attribute {
                name: name.clone(),
                immutable: is["mutable"] != true,
                required: is["required"] == true,
                kind: is["type"].as_str().map(str::to_owned),
                pattern: is["pattern"].clone(),
                default: is["default"].clone(),
            })
            .collect(),
        actions: strings(&object["actions"]),
    }
}

/// Adds what text cannot say.
fn complete(known: &mut Type, whole: Type) {
    known.applies = whole.applies;
    if whole.parents.len() > known.parents.len() {
        known.parents = whole.parents;
    }
    for attribute in &mut known.attributes {
        if let Some(same) = whole.attributes.iter().find(|other| other.name == attribute.name) {
            attribute.kind.clone_from(&same.kind);
            attribute.pattern.clone_from(&same.pattern);
            attribute.default.clone_from(&same.default);
        }
    }
}

/// A value as it is said to people.
pub(crate) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

/// The strings of a JSON array; none of anything else.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
