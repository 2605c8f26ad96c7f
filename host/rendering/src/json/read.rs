//! From a JSON document to a draft: which object it is, and what its members say.

use super::document;
use super::members::{Members, Pointer, object, text};
use crate::error::Malformed;
use crate::limit::Budget;
use crate::quirks;
use occi_model::{AttributeName, Attributes, CategoryDraft, Class, Draft, Item, Value, core};
use std::collections::BTreeMap;

const MODEL: [&str; 6] = ["resources", "links", "kinds", "mixins", "actions", quirks::LOCATIONS];
const ENTITY: [&str; 13] = [
    "kind",
    "id",
    "title",
    "summary",
    "mixins",
    "attributes",
    "actions",
    "links",
    "source",
    "target",
    "rel",
    quirks::PLACES[0],
    quirks::PLACES[1],
];
const INVOCATION: [&str; 2] = ["action", "attributes"];
const CATEGORY: [&str; 10] = [
    "term",
    "scheme",
    "title",
    "location",
    "attributes",
    "actions",
    "parent",
    "depends",
    "applies",
    quirks::LOCATIONS,
];
const END: [&str; 2] = ["location", "kind"];

const MODEL_FORM: &str = r#"{"resources": [...], "links": [...], "mixins": [...]}"#;
const ENTITY_FORM: &str =
    r#"{"kind": "<type identifier>", "title": "...", "attributes": {"<name>": "<value>"}}"#;
const INVOCATION_FORM: &str = r#"{"action": "<type identifier>", "attributes": {"<name>": "<value>"}}"#;
const CATEGORY_FORM: &str =
    r#"{"term": "<term>", "scheme": "http://example.com/occi#", "location": "/<term>/"}"#;
const END_FORM: &str = r#"{"location": "/<path>", "kind": "<type identifier>"}"#;

/// A body without content says nothing, as in the other renderings.
pub(crate) fn parse(body: &[u8]) -> Result<Draft, Malformed> {
    let mut reader = Reader { draft: Draft::default(), budget: Budget::new() };
    if !body.trim_ascii().is_empty() {
        reader.document(document::read(body)?)?;
    }
    Ok(reader.draft)
}

struct Reader {
    draft: Draft,
    budget: Budget,
}

/// What a document's object is. Several objects share the members `links`, `mixins` and `actions`.
enum Shape {
    Model,
    Entity,
    Invocation,
    Category,
}

impl Shape {
    /// None where no member says it.
    fn of(object: &BTreeMap<String, Value>) -> Option<Self> {
        let has = |names: &[&str]| names.iter().any(|name| object.contains_key(*name));
        // An update may have no more than `"mixins": ["..."]` (Q-05), where a model has objects.
        let identifiers = |name| match object.get(name) {
            Some(Value::List(elements)) => matches!(elements.first(), Some(Value::Text(_))),
            _ => false,
        };
        if has(&["resources", "kinds"]) {
            Some(Self::Model)
        } else if has(&["term", "scheme", "parent", "depends", "applies"]) {
            Some(Self::Category)
        } else if has(&["action"]) {
            Some(Self::Invocation)
        } else if ENTITY.iter().any(|name| object.contains_key(*name) && !MODEL.contains(name))
            || identifiers("mixins")
            || identifiers("actions")
        {
            Some(Self::Entity)
        } else {
            has(&MODEL).then_some(Self::Model)
        }
    }
}

impl Reader {
    fn document(&mut self, document: Value) -> Result<(), Malformed> {
        let root = Pointer::Root;
        let members = match document {
            // Q-67: locations alone.
            Value::List(elements) => {
                let mut elements = elements.into_iter().enumerate();
                return elements
                    .try_for_each(|(index, value)| self.location(value, Pointer::Element(&root, index)));
            }
            Value::Hash(members) if members.is_empty() => return Ok(()),
            other => object(other, root)?,
        };
        let Some(shape) = Shape::of(&members) else {
            let known = [&MODEL[..], &ENTITY, &INVOCATION, &CATEGORY].concat();
            // No member is known, so the first is refused.
            return Members::new(members, root, &known, ENTITY_FORM).map(drop);
        };
        let item = match shape {
            Shape::Model => return self.model(Members::new(members, root, &MODEL, MODEL_FORM)?),
            Shape::Entity => self.entity(members, root)?,
            Shape::Invocation => {
                self.invocation(Members::new(members, root, &INVOCATION, INVOCATION_FORM)?)?
            }
            Shape::Category => {
                let category = self.category(members, root, None)?;
                Item { categories: vec![category], ..Item::default() }
            }
        };
        self.draft.items.push(item);
        Ok(())
    }

    /// JSON-06: entities in full, and categories, which make one item.
    fn model(&mut self, mut members: Members<'_>) -> Result<(), Malformed> {
        for name in ["resources", "links"] {
            members.each(name, |element, pointer| {
                let item = self.entity(object(element, pointer)?, pointer)?;
                self.draft.items.push(Item { is_link: name == "links", ..item });
                Ok(())
            })?;
        }
        let mut categories = Vec::new();
        for (name, class) in [("kinds", Class::Kind), ("mixins", Class::Mixin), ("actions", Class::Action)] {
            members.each(name, |element, pointer| {
                categories.push(self.category(object(element, pointer)?, pointer, Some(class))?);
                Ok(())
            })?;
        }
        if !categories.is_empty() {
            self.draft.items.push(Item { categories, ..Item::default() });
        }
        members.each(quirks::LOCATIONS, |element, pointer| self.location(element, pointer))
    }

    fn entity(&mut self, members: BTreeMap<String, Value>, pointer: Pointer<'_>) -> Result<Item, Malformed> {
        let mut members = Members::new(members, pointer, &ENTITY, ENTITY_FORM)?;
        self.spend(pointer)?;
        let mut item = Item::default();
        let kind = members.identifier("kind")?;
        item.categories.extend(kind.map(|id| CategoryDraft::new(id, Some(Class::Kind))));
        for id in members.identifiers("mixins")? {
            self.spend(pointer)?;
            item.categories.push(CategoryDraft::new(id, Some(Class::Mixin)));
        }
        item.actions = members.identifiers("actions")?;
        for place in quirks::PLACES {
            if let Some(path) = members.text(place)? {
                item.location = Some(path);
            }
        }
        let flat = quirks::flatten(members.object("attributes")?)
            .map_err(|problem| Pointer::Member(&pointer, "attributes").error(problem))?;
        item.attributes = attributes(flat, pointer)?;
        for (member, name) in [("id", core::ID), ("title", core::TITLE), ("summary", core::SUMMARY)] {
            if let Some(text) = members.text(member)? {
                fold(&mut item.attributes, name, text, Pointer::Member(&pointer, member))?;
            }
        }
        end(&mut members, "source", [core::SOURCE, core::SOURCE_KIND], &mut item.attributes)?;
        end(&mut members, "target", [core::TARGET, core::TARGET_KIND], &mut item.attributes)?;
        // The schema has `rel` beside `target`, and says no more of it than its text does.
        if let Some(kind) = members.text("rel")?
            && !item.attributes.contains_key(core::TARGET_KIND)
        {
            fold(&mut item.attributes, core::TARGET_KIND, kind, Pointer::Member(&pointer, "rel"))?;
        }
        members.each("links", |element, pointer| {
            item.links.push(self.entity(object(element, pointer)?, pointer)?);
            Ok(())
        })?;
        Ok(item)
    }

    /// JSON-14.
    fn invocation(&mut self, mut members: Members<'_>) -> Result<Item, Malformed> {
        self.spend(members.pointer)?;
        let action = members.identifier("action")?;
        let categories = action.map(|id| CategoryDraft::new(id, Some(Class::Action))).into_iter().collect();
        let attributes = attributes(members.object("attributes")?, members.pointer)?;
        Ok(Item { categories, attributes, ..Item::default() })
    }

    fn category(
        &mut self,
        members: BTreeMap<String, Value>,
        pointer: Pointer<'_>,
        class: Option<Class>,
    ) -> Result<CategoryDraft, Malformed> {
        let mut members = Members::new(members, pointer, &CATEGORY, CATEGORY_FORM)?;
        self.spend(pointer)?;
        let (Some(term), Some(scheme)) = (members.text("term")?, members.text("scheme")?) else {
            return Err(
                pointer.error(format!("a category has a term and a scheme. The form is: {CATEGORY_FORM}"))
            );
        };
        let id = occi_model::CategoryId::new(&scheme, &term).map_err(|invalid| pointer.error(invalid))?;
        let mut category = CategoryDraft::new(id, class);
        category.title = members.text("title")?;
        category.location = members.text("location")?;
        category.related = members.identifiers("depends")?;
        category.related.extend(members.identifier("parent")?);
        category.applies = members.identifiers("applies")?;
        // As in text: only whether anything is declared matters (H11-07).
        let has_attributes = !members.object("attributes")?.is_empty();
        category.has_content = !members.identifiers("actions")?.is_empty() || has_attributes;
        members.each(quirks::LOCATIONS, |element, pointer| self.location(element, pointer))?;
        Ok(category)
    }

    fn location(&mut self, value: Value, pointer: Pointer<'_>) -> Result<(), Malformed> {
        self.spend(pointer)?;
        self.draft.locations.push(text(value, pointer)?);
        Ok(())
    }

    fn spend(&mut self, pointer: Pointer<'_>) -> Result<(), Malformed> {
        self.budget.spend(|problem| pointer.error(problem))
    }
}

/// JSON-04: flat names.
fn attributes(members: BTreeMap<String, Value>, owner: Pointer<'_>) -> Result<Attributes, Malformed> {
    let pointer = Pointer::Member(&owner, "attributes");
    let attribute = |(name, value): (String, Value)| match AttributeName::parse(&name) {
        Ok(name) => Ok((name, value)),
        Err(invalid) => Err(Pointer::Member(&pointer, &name).error(invalid)),
    };
    members.into_iter().map(attribute).collect()
}

/// JSON-10: what is a member of the object is an attribute of OCCI Core, and may be given as both, alike.
fn fold(
    attributes: &mut Attributes,
    name: &str,
    text: String,
    pointer: Pointer<'_>,
) -> Result<(), Malformed> {
    let value = Value::Text(text);
    match attributes.get(name) {
        Some(other) if other != &value => {
            Err(pointer.error(format!("the attribute `{name}` has another value")))
        }
        Some(_) => Ok(()),
        None => {
            let name = AttributeName::parse(name).map_err(|invalid| pointer.error(invalid))?;
            attributes.insert(name, value);
            Ok(())
        }
    }
}

/// One end of a link and its Kind, as the attributes `names`.
fn end(
    members: &mut Members<'_>,
    member: &str,
    names: [&str; 2],
    attributes: &mut Attributes,
) -> Result<(), Malformed> {
    let Some(value) = members.take(member) else { return Ok(()) };
    let pointer = Pointer::Member(&members.pointer, member);
    let (location, kind) = match quirks::plain_end(value) {
        Ok(location) => (Some(location), None),
        Err(value) => {
            let mut end = Members::new(object(value, pointer)?, pointer, &END, END_FORM)?;
            (end.text("location")?, end.text("kind")?)
        }
    };
    let Some(location) = location else {
        return Err(pointer.error(format!("an end has a location. The form is: {END_FORM}")));
    };
    fold(attributes, names[0], location, pointer)?;
    kind.map_or(Ok(()), |kind| fold(attributes, names[1], kind, pointer))
}

#[cfg(test)]
mod tests;
