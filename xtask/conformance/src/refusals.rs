//! Creations that came to nothing while it was looked what can be made here. One of them alone may have its reasons; where
//! nothing else works, the clauses about creation ask for it again, and fail by what is answered.

use crate::draft::Draft;
use crate::model::{LINK, RESOURCE, Type};
use crate::search::PREFERRED;
use crate::session::{Session, between};
use crate::verdict::{Evidence, Stop, Verdict, skip};

/// A creation with all that its Kind declares as required, of which nothing came.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) draft: Draft,
    evidence: Evidence,
    /// Whether it is the server's own fault: no answer, or one that says so. 503 is a matter of the moment.
    is_fault: bool,
}

/// A link that was refused, and the Kinds at its ends, by their place in `Session::resources`.
#[derive(Debug, Clone)]
pub(crate) struct LinkRefusal {
    pub(crate) refusal: Refusal,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Session {
    /// Makes an entity to see whether it can be made; the refusal, if it is one.
    pub(crate) fn attempt(&mut self, draft: &Draft) -> Option<Refusal> {
        let answer = self.client.post(&draft.location).draft(draft).send();
        if let Ok(answer) = &answer
            && answer.succeeded()
            && self.located(answer, draft).is_ok()
        {
            return None;
        }
        let is_fault = answer.as_ref().map_or(true, |answer| answer.status >= 500 && answer.status != 503);
        let expected = format!("a new {}, or a refusal (4xx)", draft.term);
        let evidence = match answer {
            Ok(answer) => Evidence { asked: answer.asked.clone(), expected, got: answer.brief() },
            Err(Stop::Failed(evidence)) => evidence,
            Err(Stop::NotApplicable(why)) => Evidence { asked: draft.location.clone(), expected, got: why },
        };
        Some(Refusal { draft: draft.clone(), evidence, is_fault })
    }

    /// A resource that should be made: one that can be, else one of those that were refused, if all were.
    pub(crate) fn creation(&self) -> Verdict<Draft> {
        let refused = self.refused.iter().min_by_key(|one| likelihood(one));
        match (self.resources.first(), refused) {
            (None, Some(refusal)) => Ok(refusal.draft.clone()),
            _ => self.resource(),
        }
    }

    /// A link that should be made, between ends that are there: one that can be, else one of those that were refused, if
    /// all were and nothing but the server can be the reason.
    pub(crate) fn link_creation(&mut self) -> Verdict<Draft> {
        if self.link.is_some() {
            return Ok(self.link_draft()?.0);
        }
        if self.resources.is_empty() && self.has_links() {
            let end = self.creation()?;
            let answer = self.client.post(&end.location).draft(&end).send()?;
            self.made(&answer);
            answer.hold(answer.succeeded(), "a resource for a link to begin at")?;
        }
        let owed = self.refused_links.iter().filter(|one| self.is_owed(one));
        match owed.min_by_key(|one| likelihood(&one.refusal)).cloned() {
            Some(LinkRefusal { refusal, from, to }) => {
                let source = self.make(&self.resources[from].clone())?;
                let target = self.make(&self.resources[to].clone())?;
                Ok(between(&refusal.draft, &source.url, &target.url))
            }
            None => match self.refused_links.first() {
                Some(one) => skip(format!(
                    "no link was made between the Kinds that were tried: {}",
                    one.refusal.evidence.got
                )),
                None => Ok(self.link_draft()?.0),
            },
        }
    }

    /// Whether a refused link should have been made, since its ends cannot be wrong.
    fn is_owed(&self, one: &LinkRefusal) -> bool {
        let link = &one.refusal.draft;
        // The standard's own links are between the standard's own resources.
        let is_standard = link.scheme == PREFERRED && self.has_all_resources(|kind| kind.scheme == PREFERRED);
        one.refusal.is_fault || link.kind() == LINK || is_standard || self.has_all_resources(|_| true)
    }

    /// Whether every Kind of resource with a place of its own can be made, of those that count, so that no link wants
    /// another.
    fn has_all_resources(&self, counts: impl Fn(&Type) -> bool) -> bool {
        let made = |id: &str| self.resources.iter().any(|draft| draft.kind() == id);
        self.kinds(RESOURCE)
            .iter()
            .filter(|kind| counts(kind))
            .all(|kind| kind.location.is_none() || kind.id() == RESOURCE || made(&kind.id()))
    }

    /// Whether there is a Kind of link with a place of its own.
    fn has_links(&self) -> bool {
        self.kinds(LINK).iter().any(|kind| kind.location.is_some())
    }

    /// The first creation of a resource by which the server broke; goes on where none did.
    pub(crate) fn no_resource_broke_it(&self) -> Verdict {
        none_broke(self.refused.iter())
    }

    /// The same of links.
    pub(crate) fn no_link_broke_it(&self) -> Verdict {
        none_broke(self.refused_links.iter().map(|one| &one.refusal))
    }
}

fn none_broke<'r>(mut refusals: impl Iterator<Item = &'r Refusal>) -> Verdict {
    match refusals.find(|one| one.is_fault) {
        Some(refusal) => Err(Stop::Failed(refusal.evidence.clone())),
        None => Ok(()),
    }
}

/// Orders refusals by how sure it is that the server is to blame: the fewer values were guessed, the surer.
fn likelihood(refusal: &Refusal) -> (bool, usize) {
    (!refusal.is_fault, refusal.draft.attributes.len())
}
