//! Computes, networks, storage and what links them, as far as this server makes them; and their states.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::answer::Answer;
use crate::draft::{Draft, attribute, category};
use crate::model::Type;
use crate::session::{Entity, Session, between};
use crate::standard::{self, COMPUTE, NETWORK, OS_TPL, RESOURCE_TPL, STORAGE};
use crate::verdict::{Stop, Verdict, skip};
use crate::wire::category::Class;
use crate::wire::text::Text;

/// How long it may take until an entity is in the state that an action leads to, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(25);

/// What answers say that cannot do something just now, or not with the machine that is there: it is no fault of theirs.
const UNABLE: [u16; 6] = [409, 501, 502, 503, 504, 507];

impl Session {
    /// What describes one of the standard's Kinds.
    pub(crate) fn standard(&self, kind: &standard::Kind) -> Verdict<Type> {
        let known = self.model.find(&kind.id()).cloned();
        known.ok_or_else(|| Stop::NotApplicable(format!("the server has no Kind {}", kind.id())))
    }

    /// An entity of one of the standard's Kinds that is still to be made, with no more than it requires; a link with its ends.
    pub(crate) fn standard_draft(&mut self, kind: &standard::Kind) -> Verdict<Draft> {
        let described = self.standard(kind)?;
        let draft = self.sketch(&described).or_else(skip)?;
        if !kind.is_link {
            return Ok(draft);
        }
        let target = if kind.term == standard::NETWORKINTERFACE.term { &NETWORK } else { &STORAGE };
        let (source, target) = (self.make_standard(&COMPUTE)?, self.make_standard(target)?);
        Ok(between(&draft, &source.url, &target.url))
    }

    /// Makes one.
    pub(crate) fn make_standard(&mut self, kind: &standard::Kind) -> Verdict<Entity> {
        let draft = self.standard_draft(kind)?;
        let made = self.make(&draft);
        if made.is_ok() || kind.term != COMPUTE.term {
            return made;
        }
        // A provider may want to be told the system and the size.
        let templates = [OS_TPL, RESOURCE_TPL].map(|root| self.templates(root).into_iter().next());
        let with = templates.into_iter().flatten().fold(draft, |draft, template| with_type(draft, &template));
        if with.mixins.is_empty() { made } else { self.make(&with) }
    }

    /// The Mixins that depend on one of the two roots of templates.
    pub(crate) fn templates(&self, root: &str) -> Vec<Type> {
        let mixins = self.model.of(Class::Mixin).filter(|mixin| mixin.id() != root);
        mixins.filter(|mixin| self.model.lineage(&mixin.id()).iter().any(|id| id == root)).cloned().collect()
    }

    /// The state that an entity shows.
    pub(crate) fn state(&self, entity: &Entity, kind: &standard::Kind) -> Verdict<String> {
        let answer = self.client.get(&entity.url).send()?.needed("read an entity")?;
        match answer.read().attribute(&kind.state()).and_then(Value::as_str) {
            Some(state) => Ok(state.to_owned()),
            None => skip(format!("the {} shows no state; see INF-04", kind.term)),
        }
    }

    /// Waits until an entity shows something, or it has taken too long.
    pub(crate) fn awaited(&self, entity: &Entity, is_so: impl Fn(&Text) -> bool) -> Verdict {
        let end = Instant::now() + PATIENCE;
        while !is_so(&self.read(entity)?) && Instant::now() < end {
            sleep(PAUSE);
        }
        Ok(())
    }

    /// The state that an entity is in as soon as it is this one, else in the end.
    pub(crate) fn reaches(&self, entity: &Entity, kind: &standard::Kind, wanted: &str) -> Verdict<String> {
        let state = kind.state();
        self.awaited(entity, |read| read.attribute(&state).is_some_and(|is| is == wanted))?;
        self.state(entity, kind)
    }

    /// Invokes one of the standard's actions. That it takes longer than an answer may is nothing to blame a server for.
    pub(crate) fn invoke(
        &self,
        entity: &Entity,
        kind: &standard::Kind,
        term: &str,
        parameters: &[(&str, &str)],
    ) -> Verdict<Answer> {
        let line = category(term, &kind.action_scheme(), "action");
        let given = parameters.iter().map(|(name, value)| attribute(name, &Value::from(*value)));
        let lines: Vec<_> = std::iter::once(line).chain(given).collect();
        let request = self.client.post(&entity.url).query(&format!("action={term}")).text(&lines);
        request.try_send().or_else(|error| skip(format!("no answer came to the action {term}: {error}")))
    }

    /// Brings an entity into a state, by an action that leads there, if it is not in it already.
    pub(crate) fn bring(
        &self,
        entity: &Entity,
        kind: &standard::Kind,
        (term, state): (&str, &str),
    ) -> Verdict {
        if self.state(entity, kind)? == state {
            return Ok(());
        }
        self.invoke(entity, kind, term, &[])?.needed(&format!("invoke {term}"))?;
        match self.reaches(entity, kind, state)? {
            reached if reached == state => Ok(()),
            other => skip(format!("the {} is {other} after {term}; see INF-05", kind.term)),
        }
    }
}

impl Answer {
    /// Whether it says that the server cannot do something just now, or not with what is there.
    pub(crate) fn is_unable(&self) -> bool {
        UNABLE.contains(&self.status)
    }

    /// Goes on with a success. That the server is not able to is not blamed; any other answer fails.
    pub(crate) fn able(self, expected: &str) -> Verdict<Self> {
        if self.is_unable() {
            return skip(format!("the server is not able to: {}", self.brief()));
        }
        self.hold(self.succeeded(), expected)?;
        Ok(self)
    }
}

/// An entity that is to be made with a Mixin.
pub(crate) fn with_type(draft: Draft, mixin: &Type) -> Draft {
    draft.mixin((&mixin.scheme, &mixin.term))
}
