//! What a run can work with, found out by trying: Kinds of resources that can be made, a Kind of link between them, a
//! Mixin with attributes. The standard's own are tried first.

use crate::draft::Draft;
use crate::model::{ENTITY, LINK, RESOURCE, Type};
use crate::session::{Extension, Session, between};
use crate::values::candidates;
use crate::wire::category::Class;

/// The scheme of the standard's own Kinds, which are preferred where they are there.
const PREFERRED: &str = "http://schemas.ogf.org/occi/infrastructure#";

/// Kinds of resources that are tried, at most; of those that work, as many as are kept.
const TRIED: usize = 12;
const KEPT: usize = 4;

const TITLE: &str = "occi.core.title";

impl Session {
    /// Kinds below one of the core's, the preferred first and the core's own last.
    fn kinds(&self, base: &str) -> Vec<Type> {
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
            if self.resources.len() < KEPT
                && let Some(draft) = self.sketch(kind)
                && self.make(&draft).is_ok()
            {
                self.resources.push(draft);
            }
        }
    }

    pub(crate) fn find_link(&mut self) {
        let ends: Vec<_> = self.resources.clone().iter().map(|draft| self.make(draft).ok()).collect();
        for kind in self.kinds(LINK).iter().take(TRIED) {
            let Some(draft) = self.sketch(kind) else { continue };
            for (from, source) in ends.iter().enumerate() {
                for (to, target) in ends.iter().enumerate() {
                    if let (true, Some(source), Some(target)) =
                        (from != to || ends.len() == 1, source, target)
                        && self.make(&between(&draft, &source.url, &target.url)).is_ok()
                    {
                        self.link = Some((draft, from, to));
                        return;
                    }
                }
            }
        }
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

    /// What a creation of a Kind takes, as far as it is declared; none where a value is needed that cannot be made up, or
    /// there is no place for it.
    fn sketch(&mut self, kind: &Type) -> Option<Draft> {
        if kind.id() == ENTITY {
            return None;
        }
        let mut draft = Draft {
            scheme: kind.scheme.clone(),
            term: kind.term.clone(),
            location: kind.location.clone()?,
            mixins: Vec::new(),
            attributes: Vec::new(),
            links: Vec::new(),
        };
        for attribute in kind.attributes.iter().filter(|attribute| attribute.required) {
            if !matches!(attribute.name.as_str(), "occi.core.id" | "occi.core.source" | "occi.core.target") {
                draft = draft.with(&attribute.name, candidates(attribute).first()?.clone());
            }
        }
        if kind.attribute(TITLE).is_some() {
            draft = draft.with(TITLE, self.mark.clone());
        }
        self.trying = Some(draft.location.clone());
        Some(draft)
    }
}
