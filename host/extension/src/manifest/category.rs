//! The Kinds, Mixins and Actions of a manifest, checked as far as they can be without those of other extensions;
//! the rest is the registry's to check.

use super::attribute::{Of, attributes};
use super::compatibility::{self, Marked};
use super::fault::{Report, nearest};
use super::form::{ActionForm, KindForm, ManifestForm, MixinForm, OfferForm, StatesForm};
use super::known::{Known, kind_of, known_states, union};
use super::offer::Offer;
use super::source::Place;
use occi_model::{
    Action, Attribute, AttributeName, CategoryId, Kind, Location, Mixin, Origin, States, ValueType, core,
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

/// The parameters of actions that become attributes of the entity, each with that attribute.
pub(super) type Becomes = HashMap<CategoryId, Vec<(AttributeName, AttributeName)>>;

/// What a manifest defines.
#[derive(Default)]
pub(super) struct Categories {
    pub(super) kinds: Vec<Kind>,
    pub(super) mixins: Vec<Mixin>,
    pub(super) actions: Vec<Action>,
    pub(super) offers: Vec<Offer>,
    pub(super) marked: Marked,
    pub(super) becomes: Becomes,
}

/// All that can be read of them; the rest is reported.
pub(super) fn categories(report: &mut Report<'_, '_>, form: &ManifestForm) -> Categories {
    let mut checker =
        Checker { report, ids: HashMap::new(), locations: HashMap::new(), found: Categories::default() };
    let root = Place::default();
    for (index, kind) in form.kind.iter().enumerate() {
        checker.kind(form, &root.key("kind").index(index), kind);
    }
    for (index, mixin) in form.mixin.iter().enumerate() {
        checker.mixin(form, &root.key("mixin").index(index), mixin);
    }
    for (index, offer) in form.offer.iter().enumerate() {
        checker.offer(form, &root.key("offer").index(index), offer);
    }
    checker.found
}

struct Checker<'r, 's, 't> {
    report: &'r mut Report<'s, 't>,
    /// Where each was used first.
    ids: HashMap<CategoryId, Place>,
    locations: HashMap<Location, Place>,
    found: Categories,
}

impl Checker<'_, '_, '_> {
    fn kind(&mut self, form: &ManifestForm, place: &Place, kind: &KindForm) {
        let id = self.id(place, kind.term.as_ref(), kind.scheme.as_ref());
        let example = format!("{:?}", core::RESOURCE);
        let parent = self.report.required(place, "parent", kind.parent.as_ref(), &example);
        let parent = parent.and_then(|parent| self.category(&place.key("parent"), parent));
        let location = self.location(place, kind.location.as_ref());
        let console = kind.console.as_ref();
        let console = console.and_then(|console| self.category(&place.key("console"), console));
        let managed = kind.states.iter().flat_map(|states| [&states.attribute, &states.message]);
        let managed: Vec<_> = managed.flatten().map(String::as_str).collect();
        let place_of_attributes = place.key("attributes");
        let mut attributes =
            attributes(self.report, &place_of_attributes, &kind.attributes, Of::Entity, &managed);
        let marked = &mut self.found.marked;
        compatibility::attributes(self.report, marked, &place_of_attributes, &kind.attributes, id.as_ref());
        let inherits = parent.as_ref().is_some_and(|parent| parent.scheme() != core::SCHEME);
        let states = kind.states.as_ref();
        let states =
            states.and_then(|states| self.states(&place.key("states"), states, kind, &attributes, inherits));
        let states = states.zip(kind.states.as_ref()).map(|(states, form)| {
            let (marked, place) = (&mut self.found.marked, place.key("states").key("compatibility"));
            let values = (&place, &form.compatibility);
            compatibility::states(self.report, marked, values, id.as_ref(), states, &mut attributes)
        });
        let known = known_states(form, kind);
        let actions = self.actions(place, &kind.action, &known);
        if let (Some(id), Some(parent)) = (id, parent) {
            let (title, parent) = (kind.title.clone(), Some(parent));
            self.found.kinds.push(Kind { id, title, parent, attributes, actions, location, states, console });
        }
    }

    fn mixin(&mut self, form: &ManifestForm, place: &Place, mixin: &MixinForm) {
        let id = self.id(place, mixin.term.as_ref(), mixin.scheme.as_ref());
        if mixin.location.is_none() {
            self.report.missing(place, "location", r#""/mixin/name/""#);
        }
        let location = self.location(place, mixin.location.as_ref());
        let depends = self.category_list(&place.key("depends"), &mixin.depends);
        let applies = self.category_list(&place.key("applies"), &mixin.applies);
        let attributes =
            attributes(self.report, &place.key("attributes"), &mixin.attributes, Of::Entity, &[]);
        let marked = &mut self.found.marked;
        compatibility::attributes(
            self.report,
            marked,
            &place.key("attributes"),
            &mixin.attributes,
            id.as_ref(),
        );
        let kinds = mixin.applies.iter().map(|id| kind_of(form, id)).collect::<Option<Vec<_>>>();
        let known = match kinds {
            Some(kinds) if !kinds.is_empty() => union(kinds.into_iter().map(|kind| known_states(form, kind))),
            Some(_) | None => Known::Elsewhere,
        };
        let actions = self.actions(place, &mixin.action, &known);
        if let (Some(id), Some(location)) = (id, location) {
            let (title, origin, exclusive) = (mixin.title.clone(), Origin::Provider, mixin.exclusive);
            self.found.mixins.push(Mixin {
                id,
                title,
                depends,
                applies,
                attributes,
                actions,
                location,
                origin,
                exclusive,
            });
        }
    }

    fn offer(&mut self, form: &ManifestForm, place: &Place, offer: &OfferForm) {
        let of = self.report.required(place, "of", offer.of.as_ref(), r#""images""#);
        if let Some(of) = of.filter(|of| !form.capabilities.contains_key(*of)) {
            self.report.fault(&place.key("of"), format!("is what [capabilities.{of}] is to ask for, too"));
        }
        let example = r#""http://example.com/occi/images#""#;
        let scheme = self.report.required(place, "scheme", offer.scheme.as_ref(), example);
        let is_scheme = scheme
            .and_then(|scheme| self.report.take(&place.key("scheme"), CategoryId::new(scheme, "x")))
            .is_some();
        if let Some(scheme) = scheme
            && self.ids.keys().any(|id| id.scheme() == scheme)
        {
            self.report.fault(
                &place.key("scheme"),
                "is for what is on offer alone; choose one in which nothing else is named",
            );
        }
        if offer.location.is_none() {
            self.report.missing(place, "location", r#""/mixin/name/""#);
        }
        let above = offer.location.as_deref().map(Location::parse);
        let location = above.and_then(|location| self.report.take(&place.key("location"), location));
        if location.as_ref().is_some_and(|location| !location.is_collection() || location.as_str() == "/") {
            self.report
                .fault(&place.key("location"), "is a path that ends in a slash, such as \"/mixin/name/\"");
        }
        let depends = self.category_list(&place.key("depends"), &offer.depends);
        let applies = self.category_list(&place.key("applies"), &offer.applies);
        let mut defaults = Vec::new();
        for (name, figure) in &offer.defaults {
            let name = self.report.take(&place.key("defaults").key(name), AttributeName::parse(name));
            defaults.extend(name.map(|name| (name, figure.clone())));
        }
        if let (Some(of), Some(scheme), true, Some(location)) = (of, scheme, is_scheme, location) {
            let (of, scheme, purpose) = (of.to_owned(), scheme.to_owned(), offer.purpose.clone());
            self.found.offers.push(Offer { of, purpose, scheme, location, depends, applies, defaults });
        }
    }

    fn actions(&mut self, owner: &Place, forms: &[ActionForm], known: &Known<'_>) -> Vec<CategoryId> {
        let mut ids = Vec::new();
        for (index, form) in forms.iter().enumerate() {
            let place = owner.key("action").index(index);
            let id = self.id(&place, form.term.as_ref(), form.scheme.as_ref());
            let attributes =
                attributes(self.report, &place.key("attributes"), &form.attributes, Of::Action, &[]);
            if let Some(from) = &form.from {
                self.from(&place.key("from"), from, known);
            }
            let is_marked = compatibility::is_marked(self.report, &place, form.compatibility.as_ref());
            if let Some(id) = id {
                ids.push(id.clone());
                if is_marked {
                    self.found.marked.actions.insert(id.clone());
                }
                self.becomes(&place.key("attributes"), form, &id);
                let from = form
                    .from
                    .as_ref()
                    .map(|from| from.iter().map(|state| Arc::from(state.as_str())).collect());
                self.found.actions.push(Action { id, title: form.title.clone(), attributes, from });
            }
        }
        ids
    }

    /// What of an action's parameters becomes an attribute of the entity.
    fn becomes(&mut self, place: &Place, form: &ActionForm, id: &CategoryId) {
        for (parameter, becomes) in
            form.attributes.iter().filter_map(|(name, form)| Some((name, form.becomes.as_ref()?)))
        {
            let place = place.key(parameter).key("becomes");
            let parsed = self.report.take(&place, AttributeName::parse(becomes));
            if let (Ok(parameter), Some(becomes)) = (AttributeName::parse(parameter), parsed) {
                self.found.becomes.entry(id.clone()).or_default().push((parameter, becomes));
            }
        }
    }

    fn from(&mut self, place: &Place, from: &[String], known: &Known<'_>) {
        if from.is_empty() {
            self.report
                .fault(place, "allows the action in no state; name some, or leave `from` out for any state");
        }
        match known {
            Known::Elsewhere => {}
            Known::Stateless => {
                self.report
                    .fault(place, "names states, but the Kind has none; declare them in [kind.states]");
            }
            Known::States(states) => {
                for (index, state) in from.iter().enumerate() {
                    self.one_of(&place.index(index), "state", state, states);
                }
            }
        }
    }

    fn states(
        &mut self,
        place: &Place,
        form: &StatesForm,
        kind: &KindForm,
        attributes: &[Attribute],
        inherits: bool,
    ) -> Option<States> {
        let attribute =
            self.report.required(place, "attribute", form.attribute.as_ref(), r#""com.example.state""#);
        for (key, name) in [("attribute", attribute), ("message", form.message.as_deref())] {
            let Some(name) = name else { continue };
            match kind.attributes.get(name) {
                None if inherits => {}
                None => {
                    let message = format!(
                        "names `{name}`, which is not declared; add [kind.attributes.{name:?}] with type = \"string\""
                    );
                    self.report.fault(&place.key(key), message);
                }
                Some(declared) if declared.mutable || declared.value_type.as_deref() != Some("string") => {
                    let message = format!("names `{name}`, which must be of type string, and not mutable");
                    self.report.fault(&place.key(key), message);
                }
                Some(_) => {}
            }
        }
        if form.values.is_empty() {
            self.report.missing(place, "values", r#"["inactive", "active"]"#);
        }
        for (index, value) in form.values.iter().enumerate() {
            let place = place.key("values").index(index);
            if form.values[..index].contains(value) {
                self.report.fault(&place, format!("`{value}` is there already; take one away"));
            }
            let declared = attributes.iter().find(|declared| Some(declared.name.as_str()) == attribute);
            // A wrong type is reported above.
            if let Some(declared) = declared.filter(|declared| declared.value_type == ValueType::String)
                && let Some(breach) = declared.constraint.breach(&value.as_str().into())
            {
                self.report.fault(&place, format!("is no value of `{}`, which {breach}", declared.name));
            }
        }
        let initial = self.report.required(place, "initial", form.initial.as_ref(), r#""inactive""#);
        if let Some(initial) = initial
            && !form.values.is_empty()
        {
            let values: Vec<_> = form.values.iter().map(String::as_str).collect();
            self.one_of(&place.key("initial"), "state", initial, &values);
        }
        let name = |name: &str| occi_model::AttributeName::parse(name).ok();
        let message = form.message.as_deref().and_then(name);
        let values = form.values.iter().map(|value| Arc::from(value.as_str())).collect();
        Some(States { attribute: name(attribute?)?, message, values, initial: initial?.into() })
    }

    fn one_of(&mut self, place: &Place, what: &str, given: &str, known: &[&str]) {
        if known.contains(&given) {
            return;
        }
        let hint = match nearest(given, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        self.report.fault(place, format!("unknown {what} `{given}`; {hint}"));
    }

    fn id(&mut self, place: &Place, term: Option<&String>, scheme: Option<&String>) -> Option<CategoryId> {
        let term = self.report.required(place, "term", term, r#""thing""#);
        let scheme = self.report.required(place, "scheme", scheme, r#""http://example.com/occi#""#);
        // Each by itself, so that each of the two is reported, at its own key.
        let mut take = |key, alone| self.report.take(&place.key(key), alone);
        let is_term = term.and_then(|term| take("term", CategoryId::new("x:x#", term))).is_some();
        let is_scheme = scheme.and_then(|scheme| take("scheme", CategoryId::new(scheme, "x"))).is_some();
        let (Some(term), Some(scheme), true, true) = (term, scheme, is_term, is_scheme) else { return None };
        let id = self.report.take(&place.key("scheme"), CategoryId::new(scheme, term))?;
        if id.scheme() == core::SCHEME {
            self.report.fault(&place.key("scheme"), "belongs to OCCI Core; choose one of your own");
        }
        once(self.report, &mut self.ids, &place.key("term"), id.clone());
        Some(id)
    }

    fn location(&mut self, owner: &Place, given: Option<&String>) -> Option<Location> {
        let place = owner.key("location");
        let location = self.report.take(&place, Location::parse(given?))?;
        if !location.is_collection() {
            self.report
                .fault(&place, format!("a collection's path ends in a slash: {:?}", format!("{location}/")));
        }
        let own = ["/-/", "/.well-known/"].iter().any(|own| location.as_str().starts_with(own));
        if own || location.as_str() == "/" {
            self.report.fault(&place, "is the server's own; choose another");
        }
        once(self.report, &mut self.locations, &place, location.clone());
        Some(location)
    }

    fn category(&mut self, place: &Place, given: &str) -> Option<CategoryId> {
        self.report.take(place, CategoryId::parse(given))
    }

    fn category_list(&mut self, place: &Place, given: &[String]) -> Vec<CategoryId> {
        let list = given.iter().enumerate();
        list.filter_map(|(index, given)| self.category(&place.index(index), given)).collect()
    }
}

/// Reports a name that another place has already.
fn once<N: Eq + std::hash::Hash + fmt::Display>(
    report: &mut Report<'_, '_>,
    names: &mut HashMap<N, Place>,
    place: &Place,
    name: N,
) {
    match names.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(place.clone());
        }
        Entry::Occupied(entry) => {
            let message =
                format!("{} is defined at {} already; rename one of the two", entry.key(), entry.get());
            report.fault(place, message);
        }
    }
}
