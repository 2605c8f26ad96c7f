//! From an entity to the next: by a client's update, by a Mixin that comes or goes, by what an extension proposes.

use super::schema::Schema;
use super::{Violation, check_mixins, take_text};
use crate::core;
use crate::draft::Item;
use crate::entity::{Attributes, Ends, Entity};
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::{Registry, ResolvedKind};
use crate::value::Value;
use std::collections::HashSet;
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
    /// What differs: new values of attributes, those of OCCI Core included.
    pub wanted: Attributes,
    /// Attributes that are there no more.
    pub cleared: Vec<AttributeName>,
    /// Mixins that it gains, those that they depend on included.
    pub gained: Vec<CategoryId>,
    /// Mixins that it loses, those that only they depended on included.
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
        if before.is_link() && !item.links.is_empty() {
            violations.push(Violation::LinkOfLink(before.kind.clone()));
        }
        let given_mixins = check_mixins(self, &kind, given_mixins, &mut violations);
        let mixins = match mode {
            UpdateMode::Full => given_mixins,
            UpdateMode::Partial => self.with(&before.mixins, given_mixins, &mut violations),
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

        let was = Schema::new(self, &kind, &before.mixins);
        let schema = Schema::new(self, &kind, &mixins);
        let mut attributes = self.kept(before, &was, &schema, &mixins);
        if mode == UpdateMode::Full {
            attributes.retain(|name, _| schema.get(name).is_some_and(|declared| !declared.is_mutable()));
        }
        schema.take(given, &before.attributes, Some(&was), &mut attributes, &mut violations);
        schema.complete(Some(&was), &mut attributes, &mut violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        let ends = before.ends.as_ref().map(|held| ends.unwrap_or_else(|| held.clone()));
        Ok(self.difference(before, Entity { mixins, title, summary, attributes, ends, ..before.clone() }))
    }

    /// The entity with one more Mixin (HTTP-32). It takes the place of one that it excludes (CORE-35).
    pub fn associate(&self, before: &Entity, mixin: &CategoryId) -> Result<Updated, Vec<Violation>> {
        let mut violations = Vec::new();
        let kind = self.kind_of(before)?;
        let more = check_mixins(self, &kind, [mixin.clone()], &mut violations);
        let mixins = self.with(&before.mixins, more, &mut violations);
        self.with_mixins(before, &kind, mixins, violations)
    }

    /// The entity without a Mixin, and without the attributes that only this Mixin declares (HTTP-35). One that it
    /// has because another depends on it stays for as long as that other.
    pub fn dissociate(&self, before: &Entity, mixin: &CategoryId) -> Result<Updated, Vec<Violation>> {
        self.dissociate_all(before, &HashSet::from([mixin.clone()]))
    }

    /// The same of several Mixins at once.
    pub fn dissociate_all(
        &self,
        before: &Entity,
        going: &HashSet<CategoryId>,
    ) -> Result<Updated, Vec<Violation>> {
        let kind = self.kind_of(before)?;
        let mixins = before.mixins.iter().filter(|id| !going.contains(*id)).cloned().collect();
        self.with_mixins(before, &kind, mixins, Vec::new())
    }

    /// The entity without some of the Mixins that it has and nobody defines, nor what brings them; what that has brought beside
    /// stays. The attributes go with the last one: until then it is not known whose they are.
    pub fn without_unknown_mixins(
        &self,
        before: &Entity,
        unknown: &[CategoryId],
        is_going: impl Fn(&CategoryId) -> bool,
    ) -> Result<Entity, Vec<Violation>> {
        let kind = self.kind_of(before)?;
        let (going, left): (Vec<_>, Vec<_>) = unknown.iter().partition(|id| is_going(id));
        let brings_one = |id: &CategoryId| {
            self.mixin(id).is_some_and(|mixin| mixin.missing.iter().any(|missing| going.contains(&missing)))
        };
        let mut after = before.clone();
        after.mixins = Vec::with_capacity(before.mixins.len());
        for id in &before.mixins {
            let beside = self.mixin(id).map_or(&[][..], |mixin| &mixin.depends);
            let stay = if brings_one(id) { beside } else { std::slice::from_ref(id) };
            for id in stay.iter().filter(|id| !going.contains(id) && !brings_one(id)) {
                if !after.mixins.contains(id) {
                    after.mixins.push(id.clone());
                }
            }
        }
        if left.is_empty() {
            let schema = Schema::new(self, &kind, &after.mixins);
            after.attributes.retain(|name, _| core::is_core(name.as_str()) || schema.get(name).is_some());
        }
        Ok(after)
    }

    fn with_mixins(
        &self,
        before: &Entity,
        kind: &ResolvedKind,
        mixins: Vec<CategoryId>,
        mut violations: Vec<Violation>,
    ) -> Result<Updated, Vec<Violation>> {
        let was = Schema::new(self, kind, &before.mixins);
        let schema = Schema::new(self, kind, &mixins);
        let mut attributes = self.kept(before, &was, &schema, &mixins);
        schema.complete(Some(&was), &mut attributes, &mut violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        Ok(self.difference(before, Entity { mixins, attributes, ..before.clone() }))
    }

    /// The entity after what its extension proposes, or what is wrong with the proposal.
    pub fn apply(&self, before: &Entity, change: Change) -> Result<Entity, Vec<Violation>> {
        let mut violations = Vec::new();
        let kind = self.kind_of(before)?;
        let schema = Schema::new(self, &kind, &before.mixins);
        let Change { mut set, mut clear, state, message } = change;
        match (&kind.states, state) {
            (Some(states), Some(state)) => {
                set.insert(states.attribute.clone(), Value::Text(state));
            }
            (None, Some(state)) => {
                let kind = before.kind.clone();
                violations.push(Violation::UnknownState { kind, state, known: Vec::new() });
            }
            (_, None) => {}
        }
        let states = kind.states.as_ref();
        // A message is for people: where there is no attribute for it, nothing is lost but words.
        match (states.and_then(|states| states.message.as_ref()), message) {
            (Some(name), Some(message)) if message.is_empty() => {
                set.remove(name);
                clear.push(name.clone());
            }
            (Some(name), Some(message)) => {
                set.insert(name.clone(), Value::Text(message));
            }
            (_, None) | (None, Some(_)) => {}
        }

        let mut after = before.clone();
        for name in clear {
            match name.as_str() {
                core::TITLE => after.title = None,
                core::SUMMARY => after.summary = None,
                _ if states.is_some_and(|states| states.attribute == name) => {
                    violations.push(Violation::Missing { name, by: before.kind.clone() });
                }
                _ => {
                    after.attributes.remove(&name);
                }
            }
        }
        let title = take_text(&mut set, core::TITLE, &mut violations);
        after.title = title.or(after.title);
        if !before.is_link() {
            let summary = take_text(&mut set, core::SUMMARY, &mut violations);
            after.summary = summary.or(after.summary);
        }
        for (name, value) in set {
            if core::is_core(name.as_str()) {
                let held = before.get(name.as_str());
                violations.push(Violation::Immutable { name, given: value, held });
                continue;
            }
            let Some(declared) = schema.get(&name) else {
                violations.push(schema.unknown(name));
                continue;
            };
            match (declared.accept(&value), states) {
                (Err(violation), _) => violations.push(violation),
                (Ok(Value::Text(state)), Some(states))
                    if states.attribute == name && !states.values.iter().any(|known| **known == *state) =>
                {
                    let (kind, known) = (before.kind.clone(), states.values.clone());
                    violations.push(Violation::UnknownState { kind, state, known });
                }
                (Ok(value), _) => {
                    after.attributes.insert(name, value);
                }
            }
        }
        schema.complete(Some(&schema), &mut after.attributes, &mut violations);
        if violations.is_empty() { Ok(after) } else { Err(violations) }
    }

    /// Mixins with more of them; those that one of the new ones excludes make room for it.
    fn with(
        &self,
        held: &[CategoryId],
        more: Vec<CategoryId>,
        violations: &mut Vec<Violation>,
    ) -> Vec<CategoryId> {
        let new: Vec<_> = more.into_iter().filter(|id| !held.contains(id)).collect();
        let stays = |id: &&CategoryId| !new.iter().any(|new| self.exclude_each_other(new, id));
        let mixins: Vec<_> = held.iter().filter(stays).chain(&new).cloned().collect();
        if mixins.len() > Violation::MAX_MIXINS.max(held.len()) {
            violations.push(Violation::TooManyMixins(mixins.len()));
        }
        mixins
    }

    fn difference(&self, before: &Entity, after: Entity) -> Updated {
        let mut wanted: Attributes = after
            .attributes
            .iter()
            .filter(|(name, value)| before.attributes.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut cleared: Vec<_> =
            before.attributes.keys().filter(|name| !after.attributes.contains_key(*name)).cloned().collect();
        let of_core =
            [core::TITLE, core::SUMMARY, core::SOURCE, core::SOURCE_KIND, core::TARGET, core::TARGET_KIND];
        for name in of_core.into_iter().filter(|name| before.get(name) != after.get(name)) {
            let Ok(name) = AttributeName::parse(name) else { continue };
            match after.get(name.as_str()) {
                Some(value) => {
                    wanted.insert(name, value);
                }
                None => cleared.push(name),
            }
        }
        let held: Vec<_> = self.mixins_of(before).collect();
        let kept: Vec<_> = self.mixins_of(&after).collect();
        let gained = kept.iter().filter(|id| !held.contains(id)).copied().cloned().collect();
        let lost = held.iter().filter(|id| !kept.contains(id)).copied().cloned().collect();
        Updated { entity: after, wanted, cleared, gained, lost }
    }

    /// The attributes that an entity keeps when its Mixins change: not those of a Mixin that it loses, nor defaults
    /// that one which it gains overrides. What no category declares is an extension's that is not loaded now, and no
    /// business of this change.
    fn kept(&self, before: &Entity, was: &Schema, now: &Schema, mixins: &[CategoryId]) -> Attributes {
        let stays = |id: &CategoryId| *id == before.kind || self.expand(mixins).any(|held| held == id);
        let mut attributes = before.attributes.clone();
        attributes.retain(|name, value| match (was.get(name), now.get(name)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(was), Some(now)) if now.overrides(was, value) => false,
            // A value that does not fit goes with the Mixins that brought it; else it is for the client to change.
            (Some(was), Some(now)) => was.is_by(stays) || now.breach(was, value).is_none(),
        });
        attributes
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
