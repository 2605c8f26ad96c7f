//! What a run can work with, found out by trying: Kinds of resources that can be made, a Kind of link between them, a
//! Mixin with attributes, attributes that can be set. The standard's own are tried first.

use serde_json::Value;

use crate::draft::{Draft, attribute};
use crate::model::{ENTITY, LINK, RESOURCE, Type};
use crate::readback::is_same;
use crate::refusals::LinkRefusal;
use crate::session::{Entity, Extension, Session, Settable, TITLE, between};
use crate::values::candidates;
use crate::wire::category::Class;

/// The scheme of the standard's own Kinds, which are preferred where they are there.
pub(crate) const PREFERRED: &str = "http://schemas.ogf.org/occi/infrastructure#";

/// Kinds of resources that are tried, at most; of those that work, as many as are kept.
const TRIED: usize = 12;
const KEPT: usize = 4;

impl Session {
    /// Kinds below one of the core's, the preferred first and the core's own last.
    pub(crate) fn kinds(&self, base: &str) -> Vec<Type> {
        let rank = |kind: &Type| {
            let id = kind.id();
            (id == base, !id.starts_with(PREFERRED))
        };
        let below = |kind: &&Type| self.model.lineage(&kind.id()).iter().any(|one| one == base);
        let mut kinds: Vec<_> = self.model.of(Class::Kind).filter(below).cloned().collect();
        kinds.sort_by_key(rank);
        kinds
    }

    pub(crate) fn find_resources(&mut self) {
        for kind in self.kinds(RESOURCE).iter().take(TRIED) {
            if self.resources.len() == KEPT {
                return;
            }
            match self.sketch(kind) {
                Ok(draft) => match self.attempt(&draft) {
                    None => self.resources.push(draft),
                    Some(refusal) => self.refused.push(refusal),
                },
                Err(why) => self.untried.push(why),
            }
        }
    }

    pub(crate) fn find_link(&mut self) {
        let drafts = self.resources.clone();
        let sources: Vec<_> = drafts.iter().map(|draft| self.make(draft).ok()).collect();
        let targets: Vec<_> = drafts.iter().map(|draft| self.make(draft).ok()).collect();
        let places = 0..drafts.len();
        let mut pairs: Vec<_> =
            places.clone().flat_map(|from| places.clone().map(move |to| (from, to))).collect();
        // Links between two of the same Kind are the rarest.
        pairs.sort_by_key(|(from, to)| from == to);
        for kind in self.kinds(LINK).iter().take(TRIED) {
            let Ok(draft) = self.sketch(kind) else { continue };
            for &(from, to) in &pairs {
                let (Some(source), Some(target)) = (&sources[from], &targets[to]) else { continue };
                match self.attempt(&between(&draft, &source.url, &target.url)) {
                    None => {
                        self.link = Some((draft, from, to));
                        return;
                    }
                    Some(refusal) => self.refused_links.push(LinkRefusal { refusal, from, to }),
                }
            }
        }
    }

    /// An entity of every Kind of which one can be made, each with the location of its Kind.
    pub(crate) fn make_one_of_each(&mut self) -> Vec<(String, Entity)> {
        let mut made = Vec::new();
        for kind in self.kinds(RESOURCE).iter().take(TRIED) {
            if let Ok(draft) = self.sketch(kind)
                && let Ok(entity) = self.make(&draft)
            {
                made.push((draft.location, entity));
            }
        }
        let ends: Vec<_> = made.iter().map(|(_, entity)| entity.url.clone()).collect();
        let mut pairs: Vec<_> =
            ends.iter().flat_map(|source| ends.iter().map(move |target| (source, target))).collect();
        pairs.sort_by_key(|(source, target)| source == target);
        for kind in self.kinds(LINK).iter().take(TRIED) {
            let Ok(draft) = self.sketch(kind) else { continue };
            let link =
                pairs.iter().find_map(|(source, target)| self.make(&between(&draft, source, target)).ok());
            made.extend(link.map(|link| (draft.location, link)));
        }
        made
    }

    pub(crate) fn find_extension(&mut self) {
        let mixins: Vec<_> = self.model.of(Class::Mixin).cloned().collect();
        for mixin in mixins.iter().filter(|mixin| mixin.location.is_some()) {
            let values: Vec<_> = mixin
                .attributes
                .iter()
                .filter(|attribute| !attribute.immutable)
                .filter_map(|attribute| {
                    Some((attribute.name.clone(), candidates(attribute).first()?.clone()))
                })
                .collect();
            let fitting = self.resources.iter().find(|draft| self.model.fits(mixin, &draft.kind())).cloned();
            let Some(draft) = fitting.filter(|_| !values.is_empty()) else { continue };
            // One attribute where one is enough, else all of them together.
            for attributes in values.iter().map(std::slice::from_ref).chain([&values[..]]) {
                let with_mixin = draft.clone().mixin((&mixin.scheme, &mixin.term));
                let whole = attributes
                    .iter()
                    .fold(with_mixin, |draft, (name, value)| draft.with(name, value.clone()));
                if self.make(&whole).is_ok() {
                    let (mixin, attributes) = (mixin.clone(), attributes.to_vec());
                    self.extension = Some(Extension { draft, mixin, attributes });
                    return;
                }
            }
        }
    }

    pub(crate) fn find_settable(&mut self) {
        for draft in self.resources.clone() {
            let Ok(kind) = self.kind(&draft) else { continue };
            let mut kept: Vec<(Option<String>, (String, Value))> = Vec::new();
            for attribute in kind.attributes.iter().filter(|one| !one.immutable && !one.required) {
                // One of each type is enough.
                if attribute.name.starts_with("occi.core.")
                    || kept.iter().any(|(of, _)| *of == attribute.kind)
                {
                    continue;
                }
                let values =
                    candidates(attribute).into_iter().filter(|value| !is_same(value, &attribute.default));
                let found = values
                    .take(2)
                    .find(|value| self.keeps(&draft, &[(attribute.name.clone(), value.clone())]));
                kept.extend(found.map(|value| (attribute.kind.clone(), (attribute.name.clone(), value))));
            }
            let mut attributes: Vec<_> = kept.into_iter().map(|(_, attribute)| attribute).collect();
            if !self.keeps(&draft, &attributes) {
                attributes.truncate(1);
            }
            if !attributes.is_empty() {
                self.settable = Some(Settable { draft, attributes });
                return;
            }
        }
    }

    /// Whether entities keep these attributes that did not have them, more than one at a time.
    fn keeps(&mut self, draft: &Draft, attributes: &[(String, Value)]) -> bool {
        let has = |s: &Self, entity: &Entity| {
            let read = s.read(entity).unwrap_or_default();
            attributes.iter().all(|(name, value)| read.attribute(name).is_some_and(|is| is_same(is, value)))
        };
        let (Ok(made), Ok(updated)) = (self.make(&draft.clone().with_all(attributes)), self.make(draft))
        else {
            return false;
        };
        let lines: Vec<_> = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
        has(self, &made)
            && !has(self, &updated)
            && self.client.post(&updated.url).text(&lines).send().is_ok_and(|answer| answer.succeeded())
            && has(self, &updated)
    }

    /// What a creation of a Kind takes, as far as it is declared; or why there can be none: a value is needed that cannot
    /// be made up, or there is no place for it.
    pub(crate) fn sketch(&mut self, kind: &Type) -> Result<Draft, String> {
        let Some(location) = kind.location.clone().filter(|_| kind.id() != ENTITY) else {
            return Err(format!("{} has no location", kind.id()));
        };
        if !self.client.is_below(&location) {
            return Err(format!("{location}, of {}, does not lie below the endpoint", kind.id()));
        }
        let mut draft = Draft {
            scheme: kind.scheme.clone(),
            term: kind.term.clone(),
            location,
            mixins: Vec::new(),
            attributes: Vec::new(),
            links: Vec::new(),
        };
        for attribute in kind.attributes.iter().filter(|attribute| attribute.required) {
            if !matches!(attribute.name.as_str(), "occi.core.id" | "occi.core.source" | "occi.core.target") {
                let Some(value) = candidates(attribute).first().cloned() else {
                    return Err(format!(
                        "{} requires {}, for which no value is known",
                        kind.id(),
                        attribute.name
                    ));
                };
                draft = draft.with(&attribute.name, value);
            }
        }
        // Those of the core need not be repeated by every Kind.
        if self.model.types_of(&kind.id()).any(|one| one.attribute(TITLE).is_some()) {
            draft = draft.with(TITLE, self.mark.clone());
        }
        self.trying = Some(draft.location.clone());
        Ok(draft)
    }
}
