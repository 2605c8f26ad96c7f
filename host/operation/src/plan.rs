//! New entities as they would be, before anything is done for them: checked, with their ids, paths and ends.

use crate::core::Core;
use crate::ends::{Names, Surroundings};
use crate::locks::Wanted;
use crate::{Caller, Refusal, Snapshot};
use occi_model::{Entity, Identity, Item, Location, Made, Nature, Value, core as names};
use occi_store::{Entities, ReadView};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// One described entity.
pub(crate) struct Asked {
    pub(crate) made: Made,
    pub(crate) item: Item,
    /// Where the client wants it.
    pub(crate) path: Option<Location>,
}

impl Asked {
    /// What a refusal calls it, where the request describes several.
    pub(crate) fn named(number: usize, all: usize, refusal: Refusal) -> Refusal {
        if all == 1 { refusal } else { refusal.of(format!("entity {} of {all}", number + 1)) }
    }
}

/// What a request would make, piece by piece.
pub(crate) struct Plan<'a> {
    core: &'a Core,
    view: &'a dyn ReadView,
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    entities: Vec<Entity>,
    /// The links that are described within a resource of the same request.
    inline: HashSet<Uuid>,
    ids: HashSet<Uuid>,
    /// What the request itself calls its resources, which come first among the entities.
    names: Names,
}

/// New entities, checked.
pub(crate) struct Planned {
    /// Resources first, then what joins them.
    pub(crate) entities: Vec<Entity>,
    /// The links that are described within a resource of the same request.
    pub(crate) inline: HashSet<Uuid>,
}

impl Planned {
    /// The resources that new links join and that are not new themselves: what a link leaves is another by it.
    pub(crate) fn outer_ends(&self) -> Wanted {
        let new: HashSet<Uuid> = self.entities.iter().map(|entity| entity.id).collect();
        let ends = || self.entities.iter().filter_map(|entity| entity.ends.as_ref());
        let is_old = |id: &Uuid| !new.contains(id);
        Wanted {
            changed: ends().map(|ends| ends.source_id).filter(is_old).collect(),
            kept: ends().filter_map(|ends| ends.target_id).filter(is_old).collect(),
        }
    }
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        core: &'a Core,
        view: &'a dyn ReadView,
        snapshot: &'a Snapshot,
        caller: &'a Caller,
    ) -> Self {
        Self {
            core,
            view,
            snapshot,
            caller,
            entities: Vec::new(),
            inline: HashSet::new(),
            ids: HashSet::new(),
            names: Names::default(),
        }
    }

    /// All that a request describes: the resources, the links in them, and the links beside them, in whichever order
    /// the request has them.
    pub(crate) fn all(&mut self, asked: &[Asked]) -> Result<(), Refusal> {
        let is_link = |asked: &Asked| asked.made.kind.nature == Nature::Link;
        let (links, resources): (Vec<_>, Vec<_>) =
            asked.iter().enumerate().partition(|(_, asked)| is_link(asked));
        let named = |number| move |refusal| Asked::named(number, asked.len(), refusal);
        Refusal::none_of(
            resources.iter().map(|(number, asked)| self.resource(asked).map_err(named(*number))),
        )?;
        let within = resources.iter().enumerate().flat_map(|(place, (number, asked))| {
            asked.item.links.iter().map(move |link| (place, *number, link))
        });
        let inline = Refusal::none_of(within.map(|(place, number, link)| {
            let source = self.entities[place].clone();
            self.link_from(&source, link).map_err(named(number))
        }));
        let beside = Refusal::none_of(links.into_iter().map(|(number, Asked { made, item, path })| {
            self.link(made, item, None, path.as_ref()).map_err(named(number))
        }));
        self.inline.extend(inline?);
        beside?;
        Ok(())
    }

    fn resource(&mut self, Asked { made, item, path }: &Asked) -> Result<(), Refusal> {
        let identity = self.identity(made, item, path.as_ref())?;
        let entity = self.snapshot.registry().instantiate(made, item, identity, None)?;
        self.ids.insert(entity.id);
        self.names.add(self.entities.len(), &entity, item, &made.kind.kind);
        self.entities.push(entity);
        Ok(())
    }

    /// A link that is described within its source; its id.
    pub(crate) fn link_from(&mut self, source: &Entity, item: &Item) -> Result<Uuid, Refusal> {
        self.inline_link(source, item).map_err(|refusal| {
            let target = item.attributes.get(names::TARGET).and_then(occi_model::Value::as_text);
            refusal.of(target.map_or_else(|| "a link".into(), |target| format!("the link to `{target}`")))
        })
    }

    fn inline_link(&mut self, source: &Entity, item: &Item) -> Result<Uuid, Refusal> {
        if item.categories.is_empty() {
            return Err(Refusal::Invalid(
                "its Kind is missing; name it, in text by `category=\"SCHEME+TERM\"`, in JSON by the member `kind`".into(),
            ));
        }
        let made = self.snapshot.registry().classify(item)?;
        if made.kind.nature != Nature::Link {
            return Err(Refusal::Invalid(format!("{} is not the Kind of a link", made.kind.kind.id)));
        }
        self.link(&made, item, Some(source), None)
    }

    fn link(
        &mut self,
        made: &Made,
        item: &Item,
        source: Option<&Entity>,
        path: Option<&Location>,
    ) -> Result<Uuid, Refusal> {
        let registry = self.snapshot.registry();
        let surroundings = Surroundings {
            view: self.view,
            registry,
            caller: self.caller,
            new: &self.entities,
            names: &self.names,
        };
        let ends = surroundings.ends(&item.attributes, source, None)?;
        [ends.source_id]
            .into_iter()
            .chain(ends.target_id)
            .try_for_each(|end| self.core.left.check_stays(end))?;
        let identity = self.identity(made, item, path)?;
        let id = identity.id;
        self.ids.insert(id);
        self.entities.push(registry.instantiate(made, item, identity, Some(ends))?);
        Ok(id)
    }

    /// What was planned.
    pub(crate) fn end(self) -> Planned {
        Planned { entities: self.entities, inline: self.inline }
    }

    /// A client's id is adopted where it is a free UUID, else the server makes one.
    fn identity(&self, made: &Made, item: &Item, path: Option<&Location>) -> Result<Identity, Refusal> {
        let is_free =
            |id: &Uuid| !self.ids.contains(id) && matches!(occi_store::owner(self.view, *id), Ok(None));
        let wanted = wanted_id(item, path).filter(is_free);
        if let Some(id) = wanted.filter(|id| self.core.left.holds(*id)) {
            return Err(Refusal::Undoing(id));
        }
        // A Kind without a location has no instances, so `classify` has refused it.
        let place = |id| path.cloned().or_else(|| Some(made.kind.kind.location.as_ref()?.child(id)));
        // Somebody may have made another entity at the path that goes with the id.
        let is_taken = |id: &Uuid| {
            let entities = Entities::new(self.view, &self.caller.tenant);
            place(*id).is_some_and(|path| !matches!(entities.find_by_path(&path), Ok(None)))
        };
        let id = wanted.filter(|id| path.is_some() || !is_taken(id)).unwrap_or_else(Uuid::now_v7);
        if let Some(other) = path.and_then(occi_store::keys::id_in_path).filter(|other| *other != id)
            && let Some(other) = Entities::new(self.view, &self.caller.tenant).get(other)?
        {
            let place = other.entity.location.as_str();
            return Err(Refusal::Conflict(format!("the path ends in the id of {place}; choose another")));
        }
        let location = place(id);
        let location =
            location.ok_or_else(|| Refusal::Internal(format!("{} has no location", made.kind.kind.id)))?;
        Ok(Identity { id, location, tenant: Arc::clone(&self.caller.tenant) })
    }
}

/// The id that an item asks for, or else that to which its path belongs.
pub(crate) fn wanted_id(item: &Item, path: Option<&Location>) -> Option<Uuid> {
    let given = item.attributes.get(names::ID).and_then(Value::as_text);
    let given = given.and_then(|text| Uuid::parse_str(text).ok());
    given.or_else(|| occi_store::keys::id_in_path(path?)).filter(|id| !id.is_nil())
}
