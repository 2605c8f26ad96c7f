//! Whatever happens to entities, the indexes are what a look at all of them says, and so is every answer.

use super::{delete_entity, entries, put_entity};
use crate::contract::{Batch, Range, ReadView, Store, Value};
use crate::entities::{Entities, Portion, Set};
use crate::error::StoreError;
use crate::keys::{self, Subject};
use crate::record::{MadeBy, Stored};
use crate::testing::{category, link, resource, store, wait};
use occi_model::{Entity, Location};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const TENANTS: [&str; 2] = ["tenant", "tenant\0b"];
const PATHS: [&str; 8] = ["/a", "/a/b", "/a/b/c", "/ab/d", "/x/y", "/x/y2", "/x/", "/"];

/// What may happen.
#[derive(Debug, Clone)]
enum Step {
    /// An entity is made: of which tenant, at which of the paths (else at its own), with which Mixins, and whether as
    /// a link.
    Make { tenant: Index, path: Option<Index>, mixins: Vec<&'static str>, link: Option<(Index, Index)> },
    /// An entity is given other Mixins, and a link another target.
    Change { which: Index, mixins: Vec<&'static str>, target: Index, stale: bool },
    /// An entity is moved.
    Move { which: Index, path: Index },
    /// An entity is deleted.
    Delete { which: Index, stale: bool },
}

fn any_step() -> impl Strategy<Value = Step> {
    let mixins = || subsequence(vec!["m1", "m2", "m3"], 0..=3).prop_shuffle();
    let index = any::<Index>;
    prop_oneof![
        4 => (index(), proptest::option::of(index()), mixins(), proptest::option::of((index(), index())))
            .prop_map(|(tenant, path, mixins, link)| Step::Make { tenant, path, mixins, link }),
        3 => (index(), mixins(), index(), prop::bool::weighted(0.2))
            .prop_map(|(which, mixins, target, stale)| Step::Change { which, mixins, target, stale }),
        1 => (index(), index()).prop_map(|(which, path)| Step::Move { which, path }),
        2 => (index(), prop::bool::weighted(0.2)).prop_map(|(which, stale)| Step::Delete { which, stale }),
    ]
}

/// What is to be there, by tenant and id.
type Expected = BTreeMap<(String, Uuid), Stored>;

/// Does a step in the store and in `expected`, or sees that it is refused and leaves both as they are.
fn step(store: &dyn Store, expected: &mut Expected, old: &mut Vec<Stored>, step: Step, nth: usize) {
    let ids: Vec<_> = expected.keys().cloned().collect();
    let id_of = |index: Index| ids.get(index.index(ids.len().max(1))).map_or(Uuid::nil(), |(_, id)| *id);
    let terms = |mixins: Vec<&str>| mixins.into_iter().map(category).collect();
    let mut batch = Batch::new();
    let (before, after) = match step {
        Step::Make { tenant, path, mixins, link: ends } => {
            let id = nth as u128 + 1;
            let mut entity = match ends {
                Some((source, target)) => link(id, id_of(source).as_u128(), id_of(target).as_u128()),
                None => resource(id, &format!("/kind/{}", Uuid::from_u128(id))),
            };
            entity.tenant = TENANTS[tenant.index(TENANTS.len())].into();
            entity.mixins = terms(mixins);
            if let Some(path) = path {
                entity.location = Location::parse(PATHS[path.index(PATHS.len())]).unwrap();
            }
            (None, Some(entity))
        }
        Step::Change { which, mixins, target, stale } => {
            let from: Vec<_> = if stale { old.clone() } else { expected.values().cloned().collect() };
            let Some(stored) = from.get(which.index(from.len().max(1))) else { return };
            let mut entity = (*stored.entity).clone();
            entity.mixins = terms(mixins);
            if let Some(ends) = &mut entity.ends {
                ends.target_id = Some(id_of(target)).filter(|id| !id.is_nil());
            }
            (Some(stored.clone()), Some(entity))
        }
        Step::Move { which, path } => {
            let Some(stored) = expected.values().nth(which.index(ids.len().max(1))).cloned() else { return };
            let location = Location::parse(PATHS[path.index(PATHS.len())]).unwrap();
            (Some(stored.clone()), Some(Entity { location, ..(*stored.entity).clone() }))
        }
        Step::Delete { which, stale } => {
            let from: Vec<_> = if stale { old.clone() } else { expected.values().cloned().collect() };
            let Some(stored) = from.get(which.index(from.len().max(1))) else { return };
            (Some(stored.clone()), None)
        }
    };
    let name = |entity: &Entity| (entity.tenant.to_string(), entity.id);
    let taken = |entity: &Entity| {
        expected.values().any(|other| {
            other.entity.location == entity.location
                && other.entity.tenant == entity.tenant
                && other.entity.id != entity.id
        })
    };
    let is_stale = before.as_ref().is_some_and(|before| expected.get(&name(&before.entity)) != Some(before));
    let moves =
        |entity: &Entity| before.as_ref().is_none_or(|before| before.entity.location != entity.location);
    let no_room = after.as_ref().is_some_and(|entity| moves(entity) && taken(entity));
    match &after {
        Some(after) => put_entity(&mut batch, before.as_ref(), after, None).unwrap(),
        None => delete_entity(&mut batch, before.as_ref().unwrap()).unwrap(),
    }
    match wait(store.commit(batch)) {
        Ok(revision) => {
            assert!(!is_stale && !no_room, "made although it was stale or had no room");
            if let Some(before) = before {
                expected.remove(&name(&before.entity));
                old.push(before);
            }
            if let Some(after) = after {
                let view = store.read().unwrap();
                let stored = Entities::new(&*view, &after.tenant).get(after.id).unwrap().unwrap();
                assert_eq!((&*stored.entity, stored.revision), (&after, revision));
                expected.insert(name(&after), stored);
            }
        }
        Err(StoreError::Conflict { key, .. }) => match Subject::of(&key) {
            Some(Subject::Entity) => assert!(is_stale, "no other entity has changed"),
            Some(Subject::Path) => assert!(no_room, "the path is free"),
            subject => panic!("a conflict on {subject:?}"),
        },
        Err(error) => panic!("{error}"),
    }
}

/// Compares every key and every answer with what is to be there.
fn compare(view: &dyn ReadView, expected: &Expected) {
    let mut keys: BTreeMap<_, Option<Value>> = BTreeMap::new();
    for stored in expected.values() {
        keys.insert(keys::entity(&stored.entity.tenant, stored.entity.id), None);
        keys.extend(
            entries(&stored.entity, stored.created).into_iter().map(|(key, value)| (key, Some(value))),
        );
    }
    let held = view.range(&Range::default()).unwrap();
    assert_eq!(held.len(), keys.len());
    for (entry, (key, value)) in held.iter().zip(keys) {
        assert_eq!(entry.key, key);
        assert!(value.is_none_or(|value| value == entry.value));
    }
    for tenant in TENANTS.map(Arc::<str>::from) {
        let entities = Entities::new(view, &tenant);
        let of = |belongs: &dyn Fn(&Entity) -> bool| -> Vec<Stored> {
            let of_tenant = expected.values().filter(|stored| stored.entity.tenant == tenant);
            let mut of: Vec<_> = of_tenant.filter(|stored| belongs(&stored.entity)).cloned().collect();
            of.sort_by_key(|stored| (stored.created, stored.entity.id));
            of
        };
        let list = |set: Set<'_>| entities.list(set, &Portion::default()).unwrap().items;
        for term in ["kind", "link", "m1", "m2", "m3"] {
            let id = category(term);
            let found = of(&|entity| entity.kind == id || entity.mixins.contains(&id));
            assert_eq!(list(Set::Category(&id)), found, "{term}");
            assert_eq!(entities.count(Set::Category(&id)).unwrap(), found.len());
            let page = entities.locations(Set::Category(&id), &Portion::default()).unwrap();
            let paths: Vec<_> = page.items.into_iter().map(|member| member.location).collect();
            assert_eq!(paths, found.iter().map(|stored| stored.entity.location.clone()).collect::<Vec<_>>());
        }
        for path in ["/a/", "/x/", "/a/b/", "/", "/kind/", "/nothing/"] {
            let location = Location::parse(path).unwrap();
            let mut found = of(&|entity| entity.location.as_str().starts_with(path));
            found.sort_by_key(|stored| keys::directory_of(&stored.entity.location).to_owned());
            assert_eq!(list(Set::Below(&location)), found, "{path}");
        }
        assert_eq!(list(Set::All).len(), of(&|_| true).len());
        for stored in of(&|_| true) {
            let id = stored.entity.id;
            assert_eq!(entities.find_by_path(&stored.entity.location).unwrap().as_ref(), Some(&stored));
            let end =
                |id| move |entity: &Entity| entity.ends.as_ref().is_some_and(|ends| ends.source_id == id);
            assert_eq!(entities.links_from(id).unwrap(), of(&end(id)));
            let end = |entity: &Entity| entity.ends.as_ref().is_some_and(|ends| ends.target_id == Some(id));
            assert_eq!(entities.links_to(id).unwrap(), of(&end));
            assert_eq!(entities.get(id).unwrap(), Some(stored));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn indexes_are_what_the_entities_say(steps in vec(any_step(), 1..50)) {
        let store = store();
        let (mut expected, mut old) = (Expected::new(), Vec::new());
        for (nth, each) in steps.into_iter().enumerate() {
            step(&*store, &mut expected, &mut old, each, nth);
        }
        compare(&*store.read().unwrap(), &expected);
    }
}

fn put(store: &dyn Store, entities: &[Entity]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    for entity in entities {
        put_entity(&mut batch, None, entity, None)?;
    }
    wait(store.commit(batch)).map(drop)
}

fn subject(outcome: Result<(), StoreError>) -> Option<Subject> {
    match outcome {
        Err(StoreError::Conflict { key, .. }) => Subject::of(&key),
        outcome => panic!("a conflict, and not {outcome:?}"),
    }
}

#[test]
fn a_path_is_taken_once_in_each_tenant() {
    let store = store();
    let own = resource(1, &format!("/a/{}", Uuid::from_u128(1)));
    put(&*store, &[own.clone(), resource(2, "/web")]).unwrap();
    assert_eq!(subject(put(&*store, &[resource(3, "/web")])), Some(Subject::Path));
    assert_eq!(subject(put(&*store, &[resource(1, "/other")])), Some(Subject::Entity));
    // A path that ends in the id of another, in both orders.
    assert_eq!(subject(put(&*store, &[resource(3, own.location.as_str())])), Some(Subject::Entity));
    let alien = resource(4, &format!("/a/{}", Uuid::from_u128(5)));
    put(&*store, std::slice::from_ref(&alien)).unwrap();
    assert_eq!(subject(put(&*store, &[resource(5, alien.location.as_str())])), Some(Subject::Path));
    // Also within one batch, of which nothing is made.
    assert_eq!(subject(put(&*store, &[resource(6, "/new"), resource(7, "/new")])), Some(Subject::Path));
    let path = format!("/a/{}", Uuid::from_u128(8));
    assert_eq!(subject(put(&*store, &[resource(8, &path), resource(9, &path)])), Some(Subject::Entity));
    assert_eq!(subject(put(&*store, &[resource(9, &path), resource(8, &path)])), Some(Subject::Path));
    let other = |id| Entity { tenant: "other".into(), ..resource(id, "/web") };
    put(&*store, &[other(20)]).unwrap();
    // An id is unique among all tenants.
    assert_eq!(
        subject(put(&*store, &[Entity { location: alien.location.clone(), ..other(2) }])),
        Some(Subject::Entity)
    );
    let both = [resource(30, "/30"), Entity { location: own.location.clone(), ..other(30) }];
    assert_eq!(subject(put(&*store, &both)), Some(Subject::Entity));
    let view = store.read().unwrap();
    let tenant = "tenant".into();
    let found = Entities::new(&*view, &tenant).find_by_path(&alien.location).unwrap().unwrap();
    assert_eq!(*found.entity, alien);
}

#[test]
fn an_entity_changes_once_in_a_batch() {
    let store = store();
    put(&*store, &[resource(1, "/a")]).unwrap();
    let view = store.read().unwrap();
    let stored = Entities::new(&*view, &"tenant".into()).get(Uuid::from_u128(1)).unwrap().unwrap();
    let mut batch = Batch::new();
    put_entity(&mut batch, Some(&stored), &stored.entity, None).unwrap();
    let again = put_entity(&mut batch, Some(&stored), &stored.entity, None);
    assert!(matches!(again, Err(StoreError::Invalid(_))));
    assert!(matches!(delete_entity(&mut batch, &stored), Err(StoreError::Invalid(_))));
    let other = Entity { tenant: "other".into(), ..resource(1, "/a") };
    let moved = put_entity(&mut Batch::new(), Some(&stored), &other, None);
    assert!(matches!(moved, Err(StoreError::Invalid(_))));
}

#[test]
fn a_change_keeps_the_time_and_tells_who_made_it() {
    let store = store();
    let tenant = "tenant".into();
    let made_by = |version: &str| MadeBy { name: "extension".into(), version: version.into() };
    let get = || {
        let view = store.read().unwrap();
        Entities::new(&*view, &tenant).get(Uuid::from_u128(1)).unwrap().unwrap()
    };
    let mut batch = Batch::new();
    put_entity(&mut batch, None, &resource(1, "/a"), Some(&made_by("1"))).unwrap();
    wait(store.commit(batch)).unwrap();
    let first = get();
    assert_eq!(first.made_by, Some(made_by("1")));
    let mut batch = Batch::new();
    put_entity(&mut batch, Some(&first), &first.entity, Some(&made_by("2"))).unwrap();
    // Nothing that is indexed has changed: one key is written.
    assert_eq!(batch.changes().len(), 1);
    let revision = wait(store.commit(batch)).unwrap();
    let second = get();
    assert_eq!(
        (second.created, second.revision, second.made_by),
        (first.created, revision, Some(made_by("2")))
    );
}
