//! From a representation to JSON, written straight into the body without a tree between. Members without content are
//! left out.

use crate::error::CannotRender;
use crate::{Listing, MediaType};
use occi_model::{
    Action, Attribute, CategoryId, CategoryView, Entity, Location, Representation, ResolvedKind,
    ResolvedMixin, Value, ValueType, View,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use uuid::fmt::Urn;

pub(crate) fn to_body(representation: &Representation) -> Result<Vec<u8>, CannotRender> {
    let mut body = Vec::with_capacity(1024);
    match representation {
        Representation::Entity(view) => entity(&mut body, view)?,
        Representation::Collection(views) => return collection(views),
        Representation::Categories(views) => serde_json::to_writer(&mut body, &Model(views))?,
        // JSON has no form for locations alone, so what was made is shown: one as it is, several as a collection.
        Representation::Created(views) => match &views[..] {
            [view] => entity(&mut body, view)?,
            views => return collection(views),
        },
        // Nothing to say, in a form that a JSON parser takes.
        Representation::Done => body.extend_from_slice(b"{}"),
    }
    Ok(body)
}

/// JSON-06: entities in full, resources and links apart.
fn collection(views: &[View]) -> Result<Vec<u8>, CannotRender> {
    let mut listing = Listing::new(MediaType::OcciJson, "");
    loop {
        for view in views {
            listing.entity(view)?;
        }
        if !listing.again() {
            listing.end()?;
            return Ok(listing.take());
        }
    }
}

/// An entity as it stands in a collection.
pub(crate) fn entity(body: &mut Vec<u8>, view: &View) -> Result<(), CannotRender> {
    Ok(serde_json::to_writer(body, &EntityObject(view))?)
}

/// A value as JSON text.
pub(crate) fn value(value: &Value) -> Result<String, CannotRender> {
    Ok(serde_json::to_string(&ValueOf(value))?)
}

/// A resource or a link.
struct EntityObject<'a>(&'a View);

impl Serialize for EntityObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The standard's schema has no place for a console.
        let Self(View { entity, links, actions, console: _ }) = self;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("kind", entity.kind.as_str())?;
        object.serialize_entry("id", &*entity.id.urn().encode_lower(&mut [0; Urn::LENGTH]))?;
        if let Some(title) = &entity.title {
            object.serialize_entry("title", title)?;
        }
        if let Some(summary) = &entity.summary {
            object.serialize_entry("summary", summary)?;
        }
        identifiers(&mut object, "mixins", &entity.mixins)?;
        if !entity.attributes.is_empty() {
            object.serialize_entry("attributes", &AttributesOf(entity))?;
        }
        identifiers(&mut object, "actions", actions)?;
        if let Some(ends) = &entity.ends {
            object.serialize_entry(
                "source",
                &End { location: ends.source.as_str(), kind: Some(&ends.source_kind) },
            )?;
            object.serialize_entry(
                "target",
                &End { location: &ends.target, kind: ends.target_kind.as_ref() },
            )?;
        }
        if !links.is_empty() {
            object.serialize_entry("links", &List(|| links.iter().map(EntityObject)))?;
        }
        object.end()
    }
}

struct AttributesOf<'a>(&'a Entity);

impl Serialize for AttributesOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.attributes.iter().map(|(name, value)| (name.as_str(), ValueOf(value))))
    }
}

/// JSON-12: an end of a link, with its Kind where it is known.
struct End<'a> {
    location: &'a str,
    kind: Option<&'a CategoryId>,
}

impl Serialize for End<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("location", self.location)?;
        if let Some(kind) = self.kind {
            object.serialize_entry("kind", kind.as_str())?;
        }
        object.end()
    }
}

struct ValueOf<'a>(&'a Value);

impl Serialize for ValueOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Boolean(truth) => serializer.serialize_bool(*truth),
            Value::List(values) => serializer.collect_seq(values.iter().map(ValueOf)),
            Value::Hash(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, ValueOf(value))))
            }
        }
    }
}

/// JSON-11: categories by class, all three always.
struct Model<'a>(&'a [CategoryView]);

impl Serialize for Model<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kinds = || {
            self.0.iter().filter_map(|view| match view {
                CategoryView::Kind(kind) => Some(KindObject(kind)),
                CategoryView::Mixin(_) | CategoryView::Action(_) => None,
            })
        };
        let mixins = || {
            self.0.iter().filter_map(|view| match view {
                CategoryView::Mixin(mixin) => Some(MixinObject(mixin)),
                CategoryView::Kind(_) | CategoryView::Action(_) => None,
            })
        };
        let actions = || {
            self.0.iter().filter_map(|view| match view {
                CategoryView::Action(action) => Some(ActionObject(action)),
                CategoryView::Kind(_) | CategoryView::Mixin(_) => None,
            })
        };
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("kinds", &List(kinds))?;
        object.serialize_entry("mixins", &List(mixins))?;
        object.serialize_entry("actions", &List(actions))?;
        object.end()
    }
}

struct KindObject<'a>(&'a ResolvedKind);

impl Serialize for KindObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = &self.0.kind;
        let mut object = serializer.serialize_map(None)?;
        name(&mut object, &kind.id, kind.title.as_deref())?;
        declarations(&mut object, || self.0.attributes.iter().map(AsRef::as_ref))?;
        if let Some(parent) = &kind.parent {
            object.serialize_entry("parent", parent.as_str())?;
        }
        identifiers(&mut object, "actions", &self.0.actions)?;
        if let Some(location) = &kind.location {
            object.serialize_entry("location", location.as_str())?;
        }
        object.end()
    }
}

struct MixinObject<'a>(&'a ResolvedMixin);

impl Serialize for MixinObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mixin = &self.0.mixin;
        let mut object = serializer.serialize_map(None)?;
        name(&mut object, &mixin.id, mixin.title.as_deref())?;
        declarations(&mut object, || self.0.attributes.iter().map(AsRef::as_ref))?;
        identifiers(&mut object, "depends", &mixin.depends)?;
        identifiers(&mut object, "applies", &mixin.applies)?;
        identifiers(&mut object, "actions", &mixin.actions)?;
        object.serialize_entry("location", Location::as_str(&mixin.location))?;
        object.end()
    }
}

struct ActionObject<'a>(&'a Action);

impl Serialize for ActionObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        name(&mut object, &self.0.id, self.0.title.as_deref())?;
        declarations(&mut object, || self.0.attributes.iter())?;
        object.end()
    }
}

fn name<M: SerializeMap>(object: &mut M, id: &CategoryId, title: Option<&str>) -> Result<(), M::Error> {
    object.serialize_entry("term", id.term())?;
    object.serialize_entry("scheme", id.scheme())?;
    title.map_or(Ok(()), |title| object.serialize_entry("title", title))
}

fn declarations<'a, M, F, I>(object: &mut M, attributes: F) -> Result<(), M::Error>
where
    M: SerializeMap,
    F: Fn() -> I,
    I: Iterator<Item = &'a Attribute>,
{
    if attributes().next().is_none() {
        return Ok(());
    }
    let entries = || attributes().map(|attribute| (attribute.name.as_str(), Declaration(attribute)));
    object.serialize_entry("attributes", &Entries(entries))
}

/// An attribute's description. JSON-09: what would be a default is said all the same.
struct Declaration<'a>(&'a Attribute);

impl Serialize for Declaration<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attribute = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("mutable", &attribute.mutable)?;
        object.serialize_entry("required", &attribute.required)?;
        // JSON knows no integers as a type; the pattern says so.
        let integer = attribute.value_type == ValueType::Integer;
        object
            .serialize_entry("type", if integer { ValueType::Number } else { attribute.value_type }.name())?;
        if integer || !attribute.constraint.is_empty() {
            object.serialize_entry("pattern", &Pattern(attribute))?;
        }
        if let Some(default) = &attribute.default {
            object.serialize_entry("default", &ValueOf(default))?;
        }
        if let Some(description) = &attribute.description {
            object.serialize_entry("description", description)?;
        }
        object.end()
    }
}

/// Q-70, JSON-13: a JSON Schema of draft 4.
struct Pattern<'a>(&'a Attribute);

impl Serialize for Pattern<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let constraint = &self.0.constraint;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("$schema", "http://json-schema.org/draft-04/schema#")?;
        if self.0.value_type == ValueType::Integer {
            object.serialize_entry("type", "integer")?;
        }
        if !constraint.choices.is_empty() {
            object.serialize_entry("enum", &List(|| constraint.choices.iter().map(ValueOf)))?;
        }
        if let Some(regex) = &constraint.regex {
            // A schema's pattern may match anywhere in a text; the registry has put an anchor at each end.
            object.serialize_entry("pattern", regex.as_str())?;
        }
        if let Some(minimum) = constraint.minimum {
            object.serialize_entry("minimum", &Bound(minimum))?;
        }
        if let Some(maximum) = constraint.maximum {
            object.serialize_entry("maximum", &Bound(maximum))?;
        }
        if let Some(longest) = constraint.max_length {
            object.serialize_entry("maxLength", &longest)?;
        }
        object.end()
    }
}

/// A bound, as an integer where it is one.
struct Bound(f64);

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match ValueType::Integer.accept(Value::Number(self.0)) {
            Some(Value::Integer(integer)) => serializer.serialize_i64(integer),
            _ => serializer.serialize_f64(self.0),
        }
    }
}

fn identifiers<M: SerializeMap>(
    object: &mut M,
    name: &'static str,
    ids: &[CategoryId],
) -> Result<(), M::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    object.serialize_entry(name, &List(|| ids.iter().map(CategoryId::as_str)))
}

/// An array of what an iterator gives.
struct List<F>(F);

impl<F, I> Serialize for List<F>
where
    F: Fn() -> I,
    I: IntoIterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// An object of the pairs that an iterator gives.
struct Entries<F>(F);

impl<F, I, K, V> Serialize for Entries<F>
where
    F: Fn() -> I,
    I: IntoIterator<Item = (K, V)>,
    K: Serialize,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

#[cfg(test)]
mod tests;
