//! Where links begin and end. A source is a resource of the caller's; a target is one too, or anything elsewhere
//! (CORE-43).

use crate::{Caller, Refusal};
use occi_model::{Attributes, CategoryId, Ends, Entity, Item, Kind, Location, Nature, Registry, core};
use occi_store::{Entities, ReadView};
use std::collections::HashMap;
use std::hash::Hash;
use uuid::Uuid;

/// The resources that a link may name: those in the store and those of the same request.
pub(crate) struct Surroundings<'a> {
    pub(crate) view: &'a dyn ReadView,
    pub(crate) registry: &'a Registry,
    pub(crate) caller: &'a Caller,
    pub(crate) new: &'a [Entity],
    /// What the request itself calls the new ones.
    pub(crate) names: &'a Names,
}

/// What a request calls the resources that it describes, and which of them each name means. The server need not take a name
/// over, but the request's links may use it.
#[derive(Default)]
pub(crate) struct Names {
    paths: HashMap<Location, Meant>,
    uuids: HashMap<Uuid, Meant>,
    /// As they are written, also where they are none of the server's.
    ids: HashMap<String, Meant>,
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// The resource in that place.
    One(usize),
    Several,
}

impl Names {
    /// The names of the resource in that place.
    pub(crate) fn add(&mut self, place: usize, entity: &Entity, item: &Item, kind: &Kind) {
        let id = item.attributes.get(core::ID).and_then(occi_model::Value::as_text);
        let uuid = id.and_then(|id| Uuid::parse_str(id).ok());
        // Where an entity of that id would be, if the id is taken over.
        let shown = id.map(|id| uuid.map_or_else(|| id.to_owned(), |uuid| uuid.to_string()));
        let by_id = kind.location.as_ref().zip(shown).map(|(above, id)| format!("{above}{id}"));
        let paths = item.location.iter().cloned().chain(by_id);
        let paths = paths.filter_map(|text| Location::parse(&text).ok()).chain([entity.location.clone()]);
        for path in paths {
            note(&mut self.paths, path, place);
        }
        for uuid in uuid.into_iter().chain([entity.id]) {
            note(&mut self.uuids, uuid, place);
        }
        if let Some(id) = id {
            note(&mut self.ids, id.to_owned(), place);
        }
    }

    fn of_path(&self, path: &Location) -> Option<Meant> {
        self.paths.get(path).copied()
    }

    /// By which one id can be written in several ways.
    fn of_id(&self, text: &str) -> Option<Meant> {
        let uuid = Uuid::parse_str(text).ok();
        let found = [self.ids.get(text), uuid.and_then(|uuid| self.uuids.get(&uuid))];
        let mut found = found.into_iter().flatten().copied();
        let first = found.next()?;
        Some(if found.all(|other| other == first) { first } else { Meant::Several })
    }
}

fn note<K: Eq + Hash>(names: &mut HashMap<K, Meant>, name: K, place: usize) {
    let meant = Meant::One(place);
    names
        .entry(name)
        .and_modify(|known| *known = if *known == meant { meant } else { Meant::Several })
        .or_insert(meant);
}

struct Resource {
    id: Uuid,
    location: Location,
    kind: CategoryId,
}

impl Surroundings<'_> {
    /// The ends that a link's attributes name. `source` is the resource that holds the link's description, where one
    /// does; of an update, `before` has the ends that the request leaves out.
    pub(crate) fn ends(
        &self,
        attributes: &Attributes,
        source: Option<&Entity>,
        before: Option<&Ends>,
    ) -> Result<Ends, Refusal> {
        let text = |name: &str| attributes.get(name).and_then(occi_model::Value::as_text);
        let missing = |name: &str| Refusal::Invalid(format!("a link needs {name}, the path of a resource"));

        let source = match (source, text(core::SOURCE), before) {
            (Some(entity), _, _) => resource(entity),
            (None, Some(text), _) => self.local(core::SOURCE, text)?,
            (None, None, Some(before)) => Resource {
                id: before.source_id,
                location: before.source.clone(),
                kind: before.source_kind.clone(),
            },
            (None, None, None) => return Err(missing(core::SOURCE)),
        };
        if let Some(said) = text(core::SOURCE_KIND).map(CategoryId::parse).transpose()? {
            self.check_kind("source", source.location.as_str(), &source, Some(&said))?;
        }
        let declared_kind = text(core::TARGET_KIND).map(CategoryId::parse).transpose()?;
        let (target, target_kind, target_id) = match (text(core::TARGET), before) {
            (Some(text), _) if is_foreign(text) && self.names.of_id(text).is_none() => {
                fluent_uri::Uri::parse(text).map_err(|error| {
                    let text = text.escape_debug();
                    Refusal::Invalid(format!("{}: `{text}` is no URI: {error}", core::TARGET))
                })?;
                (text.to_owned(), declared_kind, None)
            }
            (Some(text), _) => {
                let found = self.local(core::TARGET, text)?;
                self.check_kind("target", text, &found, declared_kind.as_ref())?;
                (found.location.as_str().to_owned(), Some(found.kind), Some(found.id))
            }
            (None, Some(before)) => (before.target.clone(), before.target_kind.clone(), before.target_id),
            (None, None) => return Err(missing(core::TARGET)),
        };
        Ok(Ends {
            source: source.location,
            source_kind: source.kind,
            source_id: source.id,
            target,
            target_kind,
            target_id,
        })
    }

    /// The resource that a text names: by its path or by its id.
    fn local(&self, name: &str, text: &str) -> Result<Resource, Refusal> {
        let nothing = || Refusal::Invalid(format!("{name}: there is no resource at `{text}`"));
        let tenant = &self.caller.tenant;
        let found = if text.starts_with('/') {
            let path = Location::parse(text)?;
            match self.of_request(text, self.names.of_path(&path))? {
                Some(entity) => Some(resource(entity)),
                None => Entities::new(self.view, tenant)
                    .find_by_path(&path)?
                    .map(|stored| resource(&stored.entity)),
            }
        } else {
            let id = Uuid::parse_str(text).ok();
            match self.of_request(text, self.names.of_id(text))? {
                Some(entity) => Some(resource(entity)),
                None => match id {
                    Some(id) => {
                        Entities::new(self.view, tenant).get(id)?.map(|stored| resource(&stored.entity))
                    }
                    None => None,
                },
            }
        };
        let found = found.ok_or_else(nothing)?;
        if self.registry.kind(&found.kind).is_some_and(|kind| kind.nature == Nature::Link) {
            return Err(Refusal::Invalid(format!("{name}: `{text}` is a link; a link joins resources")));
        }
        Ok(found)
    }

    /// What is said of an end's Kind, as by TXT's `rel` or JSON's `target.kind`, holds for the one that is there.
    fn check_kind(
        &self,
        end: &str,
        text: &str,
        found: &Resource,
        said: Option<&CategoryId>,
    ) -> Result<(), Refusal> {
        let Some(said) = said else { return Ok(()) };
        if *said == found.kind || self.registry.kind(&found.kind).is_some_and(|kind| kind.is(said)) {
            return Ok(());
        }
        Err(Refusal::Invalid(format!(
            "the {end} `{text}` is a `{}`, and the link says that it is a `{said}` (by `rel` or occi.core.{end}.kind in \
             text, by the {end}'s `kind` in JSON); name the right one or leave it out",
            found.kind
        )))
    }

    /// The one new resource that a link of the same request means.
    fn of_request(&self, text: &str, meant: Option<Meant>) -> Result<Option<&Entity>, Refusal> {
        match meant {
            Some(Meant::Several) => Err(Refusal::Invalid(format!(
                "`{text}` is the name of two resources of this request, so a link cannot say which it means; give \
                 each an id of its own"
            ))),
            Some(Meant::One(place)) => Ok(self.new.get(place)),
            None => Ok(None),
        }
    }
}

fn resource(entity: &Entity) -> Resource {
    Resource { id: entity.id, location: entity.location.clone(), kind: entity.kind.clone() }
}

/// Whether a text names something that is not this server's: a URI, other than an id.
fn is_foreign(text: &str) -> bool {
    !text.starts_with('/') && text.contains(':') && Uuid::parse_str(text).is_err()
}

/// The resources of this server at a link's ends.
pub(crate) fn local_ends(entity: &Entity) -> impl Iterator<Item = Uuid> {
    entity.ends.iter().flat_map(|ends| std::iter::once(ends.source_id).chain(ends.target_id))
}
