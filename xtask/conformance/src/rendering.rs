//! The same request in each rendering. A check that writes asks one question; its table asks it once for each of these,
//! since a server may hear a thing in one rendering and lose it in another.

use serde_json::{Map, Value, json};

use crate::client::{OCCI_JSON, Request, TEXT_OCCI, TEXT_PLAIN};
use crate::draft::{Draft, attribute, category, location};
use crate::model::Type;
use crate::session::{Entity, Session};
use crate::verdict::{Verdict, skip};

/// The renderings that entities are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rendering {
    Plain,
    Occi,
    Json,
}

impl Rendering {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Plain => TEXT_PLAIN,
            Self::Occi => TEXT_OCCI,
            Self::Json => OCCI_JSON,
        }
    }
}

/// What a request says, in whatever rendering.
pub(crate) enum Content<'a> {
    /// An entity as a whole.
    Whole(&'a Draft),
    /// What an entity is to have from now on, beside what it has.
    Part(&'a Draft),
    /// Entities for the collection of a Mixin.
    Members(&'a [Member]),
    /// An action with its parameters.
    Invocation(&'a Type, &'a [(String, Value)]),
}

/// An entity as a collection names it: text by its URL, JSON by all of it.
pub(crate) struct Member {
    url: String,
    object: Value,
}

impl Content<'_> {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Whole(draft) => draft.lines(),
            Self::Part(draft) => draft.lines().split_off(1),
            Self::Members(members) => members.iter().map(|member| location(&member.url)).collect(),
            Self::Invocation(action, parameters) => {
                let named = category(&action.term, &action.scheme, "action");
                let given = parameters.iter().map(|(name, value)| attribute(name, value));
                std::iter::once(named).chain(given).collect()
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            // The schema has no object without a Kind.
            Self::Whole(draft) | Self::Part(draft) => draft.json(),
            Self::Members(members) => {
                let (links, resources): (Vec<_>, Vec<_>) = members
                    .iter()
                    .map(|member| &member.object)
                    .partition(|object| object["source"].is_object());
                let lists = [("resources", resources), ("links", links)].into_iter();
                lists
                    .filter(|(_, list)| !list.is_empty())
                    .map(|(name, list)| (name.to_owned(), json!(list)))
                    .collect()
            }
            Self::Invocation(action, parameters) => {
                let attributes: Map<_, _> = parameters.iter().cloned().collect();
                json!({"action": action.id(), "attributes": attributes})
            }
        }
    }
}

impl Request<'_> {
    /// Says this in a rendering, in which it is to be answered too.
    pub(crate) fn says(self, rendering: Rendering, content: &Content<'_>) -> Self {
        let request = self.accept(rendering.media_type());
        match rendering {
            Rendering::Plain => request.text(&content.lines()),
            Rendering::Occi => request.occi(&content.lines()),
            Rendering::Json => request.json(&content.json()),
        }
    }
}

impl Session {
    /// Goes on where a rendering is there to be written in. Text always is; older drafts of JSON have other objects, which
    /// is for JSON-01 and JSON-03 to say.
    pub(crate) fn speaks(&mut self, rendering: Rendering) -> Verdict {
        if rendering != Rendering::Json || self.speaks_json {
            return Ok(());
        }
        let entity = self.make_resource()?;
        let answer =
            self.client.get(&entity.url).accept(OCCI_JSON).send()?.needed("read an entity in JSON")?;
        self.speaks_json = answer.value()["kind"].is_string();
        if self.speaks_json {
            Ok(())
        } else {
            skip(format!("entities in JSON are not those of OCCI 1.2: {}", answer.brief()))
        }
    }

    /// Entities as the members that a request names in a rendering.
    pub(crate) fn members(&self, rendering: Rendering, entities: &[&Entity]) -> Verdict<Vec<Member>> {
        let member = |entity: &&Entity| {
            let object = match rendering {
                Rendering::Json => self.object(entity)?,
                Rendering::Plain | Rendering::Occi => Value::Null,
            };
            Ok(Member { url: entity.url.clone(), object })
        };
        entities.iter().map(member).collect()
    }
}
