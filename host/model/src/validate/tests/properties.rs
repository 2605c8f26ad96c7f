//! What holds for every cloud, entity and request, tried on random ones.

use crate::attribute::{Attribute, Constraint, ValueType};
use crate::category::{Class, Kind, Mixin, States};
use crate::core;
use crate::draft::{CategoryDraft, Item};
use crate::entity::Entity;
use crate::filter::Filter;
use crate::fixture::{Cloud, action, attribute, create, describe, ends, id, ids, kind, mixin, name};
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::{Nature, Registry};
use crate::validate::{Change, Made, UpdateMode};
use crate::value::Value;
use proptest::collection::{btree_map, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use regex::Regex;

/// The attributes of the random clouds; each has one type wherever it is declared.
const ATTRIBUTES: [(&str, ValueType); 6] = [
    ("text", ValueType::String),
    ("integer", ValueType::Integer),
    ("number", ValueType::Number),
    ("boolean", ValueType::Boolean),
    ("array", ValueType::Array),
    ("object", ValueType::Object),
];
const KINDS: [&str; 3] = ["machine", "cluster", "wire"];
const MIXINS: [&str; 4] = ["root", "leaf", "twig", "tag"];

fn text() -> impl Strategy<Value = Value> {
    select(&["a", "ab", "b1", "", "2", "-1.5", "true", "on"][..]).prop_map(Value::from)
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i32..6).prop_map(|half| Value::Number(f64::from(half) / 2.0)),
        any::<f64>().prop_map(Value::Number),
    ]
}

fn value_of(value_type: ValueType) -> BoxedStrategy<Value> {
    match value_type {
        ValueType::String => text().boxed(),
        ValueType::Integer => (-2_i64..5).prop_map(Value::Integer).boxed(),
        ValueType::Number => number().boxed(),
        ValueType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        ValueType::Array => vec(number(), 0..2).prop_map(Value::List).boxed(),
        ValueType::Object => btree_map("[ab]", text(), 0..2).prop_map(Value::Hash).boxed(),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    select(&ATTRIBUTES[..]).prop_flat_map(|(_, value_type)| value_of(value_type))
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let regex = select(&["[a-z]|[a-z]+[0-9]?", "a*"][..]).prop_map(|pattern| Regex::new(pattern).unwrap());
    (weighted(0.05, regex), weighted(0.2, -1.0..1.0), weighted(0.2, 1.0..4.0), weighted(0.2, 0..3_usize))
        .prop_map(|(regex, minimum, maximum, max_length)| Constraint {
            choices: Vec::new(),
            regex,
            minimum,
            maximum,
            max_length,
        })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    subsequence(&ATTRIBUTES[..], 0..4).prop_flat_map(|chosen| {
        let declared = chosen.into_iter().map(|(text, value_type)| {
            (any::<bool>(), weighted(0.7, Just(())), weighted(0.4, value_of(value_type)), constraint())
                .prop_map(move |(mutable, optional, default, constraint)| Attribute {
                    mutable,
                    required: optional.is_none(),
                    default,
                    constraint,
                    ..attribute(text, value_type)
                })
        });
        declared.collect::<Vec<_>>()
    })
}

/// Declarations, not all of which go together.
fn any_cloud() -> impl Strategy<Value = Cloud> {
    let kinds = (attributes(), attributes(), attributes(), any::<bool>());
    let one = || {
        let depends = subsequence(&MIXINS[..], 0..3);
        let applies = prop_oneof![3 => Just(Vec::new()), 1 => subsequence(&KINDS[..], 0..3)];
        (attributes(), depends, applies, any::<bool>())
    };
    (kinds, [one(), one(), one(), one()], any::<bool>()).prop_map(|(kinds, mixins, circles)| {
        let states = States {
            attribute: name("state"),
            message: None,
            values: vec!["off".into(), "on".into()],
            initial: "off".into(),
        };
        let mut machine =
            Kind { attributes: kinds.0, actions: ids(&["start"]), ..kind("machine", "core#resource") };
        if kinds.3 {
            machine.attributes.push(Attribute { mutable: false, ..attribute("state", ValueType::String) });
            machine.states = Some(states);
        }
        let cluster = Kind { attributes: kinds.1, ..kind("cluster", "machine") };
        let wire = Kind { attributes: kinds.2, ..kind("wire", "core#link") };
        let mixins = MIXINS.iter().zip(mixins).enumerate();
        let mixins = mixins.map(|(index, (term, (attributes, depends, applies, exclusive)))| {
            // Most clouds have no circles: a Mixin then depends on those before it alone.
            let before = &MIXINS[..index];
            let depends: Vec<_> =
                depends.into_iter().filter(|other| circles || before.contains(other)).collect();
            let actions = if *term == "root" { ids(&["audit"]) } else { Vec::new() };
            let (depends, applies) = (ids(&depends), ids(&applies));
            Mixin { depends, applies, attributes, actions, exclusive, ..mixin(term) }
        });
        Cloud {
            kinds: vec![machine, cluster, wire],
            mixins: mixins.collect(),
            actions: vec![action("start", kinds.3.then_some(&["off"])), action("audit", None)],
        }
    })
}

fn any_registry() -> impl Strategy<Value = Registry> {
    any_cloud().prop_filter_map("the declarations contradict each other", |cloud| cloud.registry().ok())
}

fn any_category() -> impl Strategy<Value = CategoryDraft> {
    let others = ["core#entity", "core#resource", "start", "audit", "gone"];
    let terms: Vec<_> = [&KINDS[..], &MIXINS, &MIXINS, &others].concat();
    let class = weighted(0.1, select(&[Class::Kind, Class::Mixin, Class::Action][..]));
    (select(terms), class).prop_map(|(term, class)| CategoryDraft::new(id(term), class))
}

fn any_name() -> impl Strategy<Value = AttributeName> {
    let core = [core::ID, core::TITLE, core::SUMMARY, core::SOURCE, core::TARGET, core::TARGET_KIND];
    let names = ATTRIBUTES.iter().map(|(name, _)| *name).chain(core).chain(["state", "gone"]);
    select(names.collect::<Vec<_>>()).prop_map(name)
}

fn any_item() -> impl Strategy<Value = Item> {
    let links = prop_oneof![9 => Just(Vec::new()), 1 => Just(vec![Item::default()])];
    (vec(any_category(), 0..4), btree_map(any_name(), any_value(), 0..4), links)
        .prop_map(|(categories, attributes, links)| Item { categories, attributes, links, ..Item::default() })
}

fn any_change() -> impl Strategy<Value = Change> {
    let state = weighted(0.5, select(&["on", "off", "gone"][..]).prop_map(str::to_owned));
    let message = weighted(0.2, select(&["", "why"][..]).prop_map(str::to_owned));
    (btree_map(any_name(), any_value(), 0..4), vec(any_name(), 0..3), state, message)
        .prop_map(|(set, clear, state, message)| Change { set, clear, state, message })
}

/// An entity of a random cloud: of some Kind, with Mixins that apply and values that are allowed.
fn any_entity() -> impl Strategy<Value = (Registry, Entity)> {
    let values: Vec<_> =
        ATTRIBUTES.iter().map(|(_, value_type)| weighted(0.6, value_of(*value_type))).collect();
    let title = weighted(0.5, Just("title"));
    (any_registry(), select(&KINDS[..]), subsequence(&MIXINS[..], 0..3), values, title).prop_filter_map(
        "what is required is not given",
        |(registry, kind, mixins, values, title)| {
            let mut item = Item::default();
            for term in std::iter::once(kind).chain(mixins) {
                item.categories.push(CategoryDraft::new(id(term), None));
                if registry.classify(&item).is_err() {
                    item.categories.pop();
                }
            }
            let bare = Entity { mixins: registry.classify(&item).ok()?.mixins, ..bare(&registry, kind)? };
            item.attributes.extend(title.map(|title| (name(core::TITLE), title.into())));
            for ((text, _), value) in ATTRIBUTES.iter().zip(values) {
                let (name, Some(value)) = (name(text), value) else { continue };
                let allowed = registry.attribute(&bare, &name).is_some_and(|declared| {
                    let value = declared.value_type.accept(value.clone());
                    declared.mutable
                        && value.is_some_and(|value| declared.constraint.breach(&value).is_none())
                });
                if allowed {
                    item.attributes.insert(name, value);
                }
            }
            let entity = create(&registry, &item).ok()?;
            Some((registry, entity))
        },
    )
}

/// An entity of that Kind, whatever it lacks: only its categories are looked at.
fn bare(registry: &Registry, kind: &str) -> Option<Entity> {
    let resource =
        Item { categories: vec![CategoryDraft::new(id("core#resource"), None)], ..Item::default() };
    Some(Entity { kind: registry.kind(&id(kind))?.kind.id.clone(), ..create(registry, &resource).ok()? })
}

/// Whether an entity is what its categories say, found without the code that makes it so.
fn conforms(registry: &Registry, entity: &Entity) -> Result<(), TestCaseError> {
    let kind = registry.kind(&entity.kind).unwrap();
    let mixins: Vec<_> = registry.mixins_of(entity).map(|id| registry.mixin(id).unwrap()).collect();
    let of_kind = |name: &AttributeName| kind.attributes.iter().find(|declared| declared.name == *name);
    // All that is said of an attribute: by the Kind first, and of one type.
    let said = |name: &AttributeName| {
        let mut all: Vec<_> = of_kind(name).into_iter().collect();
        let is_extensions = all.first().is_some_and(|declared| !declared.mutable);
        let of_mixins = mixins.iter().flat_map(|mixin| &mixin.attributes);
        all.extend(of_mixins.filter(|declared| declared.name == *name && !is_extensions));
        all.retain({
            let first = all.first().map(|first| first.value_type);
            move |declared| Some(declared.value_type) == first
        });
        all
    };
    for (name, value) in &entity.attributes {
        prop_assert!(!said(name).is_empty() && !core::is_core(name.as_str()), "{name} is not declared");
        for declared in said(name) {
            prop_assert_eq!(declared.value_type.accept(value.clone()), Some(value.clone()));
            prop_assert_eq!(declared.constraint.breach(value), None);
        }
    }
    for declared in kind.attributes.iter().chain(mixins.iter().flat_map(|mixin| &mixin.attributes)) {
        let (name, said) = (&declared.name, said(&declared.name));
        let is_kinds = kind.attributes.iter().any(|known| known.name == *name);
        let is_set_by_clients =
            if is_kinds { said[0].mutable } else { said.iter().all(|declared| declared.mutable) };
        let of_client = is_set_by_clients && !core::is_core(name.as_str());
        let needed = of_client && said.iter().any(|declared| declared.required);
        prop_assert!(!needed || entity.attributes.contains_key(name), "{} is missing", name);
    }
    for mixin in &mixins {
        let applies = &mixin.mixin.applies;
        prop_assert!(applies.is_empty() || applies.iter().any(|applicable| kind.is(applicable)));
    }
    let named: Vec<_> = entity.mixins.iter().map(|id| registry.mixin(id).unwrap()).collect();
    for (index, one) in named.iter().enumerate() {
        for other in &named[index + 1..] {
            let excluded = one.exclusive.iter().any(|root| other.exclusive.contains(root));
            let needed = one.depends.contains(&other.mixin.id) || other.depends.contains(&one.mixin.id);
            prop_assert!(needed || !excluded, "two of a set of templates");
        }
    }
    if let Some(states) = &kind.states {
        let state = registry.state(entity);
        prop_assert!(
            state.is_some_and(|state| states.values.iter().any(|known| **known == *state)),
            "{state:?}"
        );
    }
    prop_assert_eq!(entity.is_link(), kind.nature == Nature::Link);
    Ok(())
}

/// A case is a whole cloud here, so there are a quarter as many as asked for (`PROPTEST_CASES`).
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.div_ceil(4), failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_made_is_what_its_categories_say((registry, entity) in any_entity()) {
        conforms(&registry, &entity)?;
    }

    #[test]
    fn what_describes_an_entity_changes_nothing((registry, entity) in any_entity()) {
        for mode in [UpdateMode::Partial, UpdateMode::Full] {
            let updated = registry.update(&entity, &describe(&entity), mode, entity.ends.clone());
            prop_assert_eq!(&updated.unwrap().entity, &entity);
        }
    }

    #[test]
    fn nothing_changes_nothing((registry, entity) in any_entity()) {
        let updated = registry.update(&entity, &Item::default(), UpdateMode::Partial, None).unwrap();
        prop_assert!(updated.is_unchanged(&entity));
        prop_assert!(updated.wanted.is_empty() && updated.cleared.is_empty());
        prop_assert!(updated.gained.is_empty() && updated.lost.is_empty());
        prop_assert_eq!(registry.apply(&entity, Change::default()), Ok(entity));
    }

    #[test]
    fn a_mixin_that_comes_and_goes_leaves_no_trace((registry, entity) in any_entity(), term in select(&MIXINS[..])) {
        let mixin = id(term);
        let held: Vec<_> = registry.mixins_of(&entity).cloned().collect();
        let new: Vec<CategoryId> = registry.expand(std::slice::from_ref(&mixin)).cloned().collect();
        let own = new.iter().filter_map(|id| registry.mixin(id)).flat_map(|mixin| &mixin.attributes);
        let is_own = own.clone().all(|declared| registry.attribute(&entity, &declared.name).is_none());
        if held.contains(&mixin) || !is_own {
            return Ok(());
        }
        if let Ok(with) = registry.associate(&entity, &mixin) && with.lost.is_empty() {
            conforms(&registry, &with.entity)?;
            let without = registry.dissociate(&with.entity, &mixin).unwrap();
            prop_assert_eq!(&without.entity, &entity);
            prop_assert_eq!(with.gained, without.lost);
        }
    }

    #[test]
    fn a_proposal_leads_to_what_the_categories_say((registry, entity) in any_entity(), change in any_change()) {
        if let Ok(after) = registry.apply(&entity, change) {
            conforms(&registry, &after)?;
            prop_assert_eq!((after.id, &after.kind, &after.mixins), (entity.id, &entity.kind, &entity.mixins));
        }
    }

    #[test]
    fn an_update_tells_exactly_what_it_changes(
        (registry, entity) in any_entity(),
        item in any_item(),
        mode in select(&[UpdateMode::Partial, UpdateMode::Full][..]),
    ) {
        if let Ok(updated) = registry.update(&entity, &item, mode, None) {
            conforms(&registry, &updated.entity)?;
            let mut attributes = entity.attributes.clone();
            attributes.retain(|name, _| !updated.cleared.contains(name));
            attributes.extend(updated.wanted.into_iter().filter(|(name, _)| !core::is_core(name.as_str())));
            prop_assert_eq!(attributes, updated.entity.attributes);
        }
    }

    #[test]
    fn the_order_of_categories_does_not_decide_what_is_asked(
        registry in any_registry(),
        (item, shuffled) in any_item().prop_flat_map(|item| {
            let categories = Just(item.categories.clone()).prop_shuffle();
            (Just(item.clone()), categories.prop_map(move |categories| Item { categories, ..item.clone() }))
        }),
    ) {
        match (registry.classify(&item), registry.classify(&shuffled)) {
            (Ok(mut one), Ok(mut other)) => {
                one.mixins.sort();
                other.mixins.sort();
                prop_assert_eq!((&one.kind.kind.id, one.mixins), (&other.kind.kind.id, other.mixins));
            }
            (one, other) => prop_assert_eq!(one.is_err(), other.is_err()),
        }
    }

    #[test]
    fn no_declaration_and_no_request_is_too_strange(
        cloud in any_cloud(),
        (registry, entity) in any_entity(),
        item in any_item(),
        change in any_change(),
        of in any::<Index>(),
    ) {
        let _ = cloud.registry();
        if let Ok(made) = create(&registry, &item) {
            conforms(&registry, &made)?;
        }
        // A Kind and Mixins that nobody has checked.
        let kind = of.get(registry.kinds());
        let mixins = item.categories.iter().map(|category| category.id.clone()).collect();
        let made = Made { kind: kind.clone(), mixins };
        let identity = crate::Identity { id: entity.id, location: entity.location.clone(), tenant: "t".into() };
        let _ = registry.instantiate(&made, &item, identity, Some(ends("x")));
        for category in &item.categories {
            let _ = registry.associate(&entity, &category.id);
            let _ = registry.dissociate(&entity, &category.id);
            let _ = registry.invocation(&entity, &item, category.id.term());
        }
        let strange = Entity { mixins: made.mixins, ..entity };
        let _ = registry.apply(&strange, change);
        let _ = registry.applicable_actions(&strange).count();
        let categories = strange.mixins.clone();
        let attributes = item.attributes.into_iter().collect();
        let _ = Filter { categories, attributes }.matches(&registry, &strange);
    }
}
