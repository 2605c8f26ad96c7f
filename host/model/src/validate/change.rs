//! From an entity to the next: by a client's update, by a Mixin that comes or goes, by what an extension proposes.

use super::{Schema, Violation, check_mixins, take_text, typed};
use crate::core;
use crate::draft::Item;
use crate::entity::{Attributes, Ends, Entity};
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::{Registry, ResolvedKind};
use crate::value::Value;
use std::sync::Arc;

/// What happens to that which an update leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateMode {
    /// It stays (POST, H11-18).
    Partial,
    /// It goes (PUT, H11-19). Links stay all the same (HTTP-25).
    Full,
}

/// An entity as it would be after an update.
#[derive(Debug, Clone)]
pub struct Updated {
    /// The next entity.
    pub entity: Entity,
    /// What differs: new values of attributes, `occi.core.title` and `occi.core.summary` included.
    pub wanted: Attributes,
    /// Attributes that are there no more.
    pub cleared: Vec<AttributeName>,
    /// Mixins that it gains.
    pub gained: Vec<CategoryId>,
    /// Mixins that it loses.
    pub lost: Vec<CategoryId>,
}

impl Updated {
    /// Whether it is what it was.
    pub fn is_unchanged(&self, before: &Entity) -> bool {
        &self.entity == before
    }
}

/// What an extension proposes for an entity (`change` of the contract).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Attributes to set, immutable ones included.
    pub set: Attributes,
    /// Attributes to take away.
    pub clear: Vec<AttributeName>,
    /// The new state.
    pub state: Option<String>,
    /// Why it is in that state; an empty text takes the message away.
    pub message: Option<String>,
}

impl Registry {
    /// The entity after a client's update, or everything that is wrong with it. `ends` are a link's new ends where
    /// the item names any; the caller has found them.
    pub fn update(
        &self,
        before: &Entity,
        item: &Item,
        mode: UpdateMode,
        ends: Option<Ends>,
    ) -> Result<Updated, Vec<Violation>> {
        let mut violations = Vec::new();
        let kind = self.kind_of(before)?;
        let (given_kind, given_mixins) = self.sort_categories(item, &mut violations);
        if let Some(given) = given_kind
            && given.kind.id != before.kind
        {
            let (held, given) = (before.kind.clone(), given.kind.id.clone());
            violations.push(Violation::OtherKind { held, given });
        }
        let given_mixins = check_mixins(self, &kind, given_mixins, &mut violations);
        let mixins = match mode {
            UpdateMode::Full => given_mixins,
            UpdateMode::Partial => union(&before.mixins, given_mixins),
        };

        let mut given = item.attributes.clone();
        let mut title = take_text(&mut given, core::TITLE, &mut violations);
        let mut summary =
            if before.is_link() { None } else { take_text(&mut given, core::SUMMARY, &mut violations) };
        if mode == UpdateMode::Partial {
            title = title.or_else(|| before.title.clone());
            summary = summary.or_else(|| before.summary.clone());
        }
        take_core(before, &mut given, &mut violations);

        let schema = Schema::new(self, &kind, &mixins);
        let mut attributes = before.attributes.clone();
        attributes.retain(|name, _| {
            schema
                .get(name)
                .is_some_and(|declared| mode == UpdateMode::Partial || !declared.attribute.mutable)
        });
        for (name, value) in given {
            let Some(declared) = schema.get(&name) else {
                violations.push(schema.unknown(name, &before.kind));
                continue;
            };
            if declared.fixed {
                continue;
            }
            match typed(&declared.attribute, &value) {
                Err(violation) => violations.push(violation),
                Ok(value) if declared.attribute.mutable => {
                    attributes.insert(name, value);
                }
                // what a client sends back as it read it is no change.
                Ok(value) if before.attributes.get(&name) == Some(&value) => {}
                Ok(given) => {
                    let held = before.attributes.get(&name).cloned();
                    violations.push(Violation::Immutable { name, given, held });
                }
            }
        }
        schema.complete(&mut attributes, &before.kind, &mut violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        let ends = ends.or_else(|| before.ends.clone());
        Ok(difference(before, Entity { mixins, title, summary, attributes, ends, ..before.clone() }))
    }

    /// The entity with one more Mixin (HTTP-32).
    pub fn associate(&self, before: &Entity, mixin: &CategoryId) -> Result<Updated, Vec<Violation>> {
        let mut violations = Vec::new();
        let kind = self.kind_of(before)?;
        let mixins = check_mixins(self, &kind, [mixin.clone()], &mut violations);
        self.with_mixins(before, &kind, union(&before.mixins, mixins), violations)
    }

    /// The entity without a Mixin, and without the attributes that only this Mixin declares (HTTP-35).
    pub fn dissociate(&self, before: &Entity, mixin: &CategoryId) -> Result<Updated, Vec<Violation>> {
        let kind = self.kind_of(before)?;
        let mixins = before.mixins.iter().filter(|id| *id != mixin).cloned().collect();
        self.with_mixins(before, &kind, mixins, Vec::new())
    }

    fn with_mixins(
        &self,
        before: &Entity,
        kind: &ResolvedKind,
        mixins: Vec<CategoryId>,
        mut violations: Vec<Violation>,
    ) -> Result<Updated, Vec<Violation>> {
        let schema = Schema::new(self, kind, &mixins);
        let mut attributes = before.attributes.clone();
        attributes.retain(|name, _| schema.get(name).is_some());
        schema.complete(&mut attributes, &before.kind, &mut violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        Ok(difference(before, Entity { mixins, attributes, ..before.clone() }))
    }

    /// The entity after what its extension proposes, or what is wrong with the proposal.
    pub fn apply(&self, before: &Entity, change: Change) -> Result<Entity, Vec<Violation>> {
        let mut violations = Vec::new();
        let kind = self.kind_of(before)?;
        let schema = Schema::new(self, &kind, &before.mixins);
        let mut after = before.clone();
        for name in change.clear {
            after.attributes.remove(&name);
        }
        for (name, value) in change.set {
            match schema.get(&name) {
                None => violations.push(schema.unknown(name, &before.kind)),
                Some(declared) => match typed(&declared.attribute, &value) {
                    Ok(value) => {
                        after.attributes.insert(name, value);
                    }
                    Err(violation) => violations.push(violation),
                },
            }
        }
        let proposed = change.state.is_some() || change.message.is_some();
        match &kind.states {
            Some(states) => {
                if let Some(state) = change.state {
                    if states.values.iter().any(|known| **known == *state) {
                        after.attributes.insert(states.attribute.clone(), Value::Text(state));
                    } else {
                        let known = states.values.clone();
                        violations.push(Violation::UnknownState { kind: before.kind.clone(), state, known });
                    }
                }
                if let (Some(message), Some(name)) = (change.message, &states.message) {
                    if message.is_empty() {
                        after.attributes.remove(name);
                    } else {
                        after.attributes.insert(name.clone(), Value::Text(message));
                    }
                }
            }
            None if proposed => violations.push(Violation::UnknownState {
                kind: before.kind.clone(),
                state: change.state.unwrap_or_default(),
                known: Vec::new(),
            }),
            None => {}
        }
        schema.complete(&mut after.attributes, &before.kind, &mut violations);
        if violations.is_empty() { Ok(after) } else { Err(violations) }
    }

    fn kind_of(&self, entity: &Entity) -> Result<Arc<ResolvedKind>, Vec<Violation>> {
        self.kind(&entity.kind).cloned().ok_or_else(|| vec![Violation::UnknownCategory(entity.kind.clone())])
    }
}

/// Takes the attributes of OCCI Core out of a request: those that clients cannot change must be as they are. A link's
/// ends have been looked at by the caller.
fn take_core(before: &Entity, given: &mut Attributes, violations: &mut Vec<Violation>) {
    if let Some((name, value)) = given.remove_entry(core::ID)
        && value.as_text().and_then(|text| uuid::Uuid::parse_str(text).ok()) != Some(before.id)
    {
        violations.push(Violation::Immutable { name, given: value, held: before.get(core::ID) });
    }
    if before.is_link() {
        for name in [core::SOURCE, core::SOURCE_KIND, core::TARGET, core::TARGET_KIND] {
            given.remove(name);
        }
    }
}

fn union(held: &[CategoryId], more: Vec<CategoryId>) -> Vec<CategoryId> {
    let new: Vec<_> = more.into_iter().filter(|id| !held.contains(id)).collect();
    held.iter().cloned().chain(new).collect()
}

fn difference(before: &Entity, after: Entity) -> Updated {
    let mut wanted: Attributes = after
        .attributes
        .iter()
        .filter(|(name, value)| before.attributes.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut cleared: Vec<_> =
        before.attributes.keys().filter(|name| !after.attributes.contains_key(*name)).cloned().collect();
    let texts =
        [(core::TITLE, &before.title, &after.title), (core::SUMMARY, &before.summary, &after.summary)];
    for (name, old, new) in texts {
        let Ok(name) = AttributeName::parse(name) else { continue };
        match new {
            Some(new) if old.as_ref() != Some(new) => {
                wanted.insert(name, Value::Text(new.clone()));
            }
            None if old.is_some() => cleared.push(name),
            Some(_) | None => {}
        }
    }
    let gained = after.mixins.iter().filter(|id| !before.mixins.contains(id)).cloned().collect();
    let lost = before.mixins.iter().filter(|id| !after.mixins.contains(id)).cloned().collect();
    Updated { entity: after, wanted, cleared, gained, lost }
}
