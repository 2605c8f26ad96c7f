//! One run against one endpoint: what was found there, what was made there. What removes it again is in `removal`.

use serde_json::Value;
use uuid::Uuid;

use crate::answer::Answer;
use crate::client::{self, Client};
use crate::draft::{Draft, Inline};
use crate::model::{Model, Type};
use crate::refusals::{LinkRefusal, Refusal};
use crate::removal::Lost;
use crate::strangers::Strangers;
use crate::tag::Tag;
use crate::verdict::{Stop, Verdict, skip};
use crate::wire::text::Text;

pub(crate) const ID: &str = "occi.core.id";
pub(crate) const TITLE: &str = "occi.core.title";

/// An entity that was made; its URL.
#[derive(Debug, Clone)]
pub(crate) struct Entity {
    pub(crate) url: String,
}

impl Entity {
    /// Whether a listing names it.
    pub(crate) fn is_in(&self, listing: &[String]) -> bool {
        let path = client::path_of(&self.url);
        listing.iter().any(|url| client::path_of(url) == path)
    }
}

/// A Mixin of the provider with attributes, and an entity that takes both.
#[derive(Debug, Clone)]
pub(crate) struct Extension {
    pub(crate) draft: Draft,
    pub(crate) mixin: Type,
    pub(crate) attributes: Vec<(String, Value)>,
}

/// Attributes that are optional, not the core's, and kept by a server that gets them in text/plain, at creation and by an
/// update; and an entity that takes them. A default would not show that it was written.
#[derive(Debug, Clone)]
pub(crate) struct Settable {
    pub(crate) draft: Draft,
    pub(crate) attributes: Vec<(String, Value)>,
}

/// The state of a run.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) model: Model,
    /// Resources that can be made, of different Kinds, the preferred first.
    pub(crate) resources: Vec<Draft>,
    /// A link that can be made, without its ends, and the Kinds at these, by their place in `resources`.
    pub(crate) link: Option<(Draft, usize, usize)>,
    pub(crate) extension: Option<Extension>,
    pub(crate) settable: Option<Settable>,
    /// Whether entities in JSON were seen to be those of OCCI 1.2.
    pub(crate) speaks_json: bool,
    /// Resources and links that could not be made, in the order in which they were tried.
    pub(crate) refused: Vec<Refusal>,
    pub(crate) refused_links: Vec<LinkRefusal>,
    /// Why others were not tried.
    pub(crate) untried: Vec<String>,
    /// What every name that is made up begins with, and every title. Two runs have two.
    pub(crate) mark: String,
    serial: u32,
    /// What was there before: whatever an answer says, it is not ours.
    pub(crate) strangers: Strangers,
    /// Whether the server was seen to keep a title of ours.
    pub(crate) keeps_titles: bool,
    /// What a creation says by its Location that it made, by path, while it is told from others'.
    pub(crate) located: Option<String>,
    /// What an answer says was made at once, by path, while it is told from others'.
    pub(crate) claimed: Vec<String>,
    /// Entities to be removed, by URL.
    pub(crate) made: Vec<String>,
    /// Requests that made something of which the answer does not say where it is.
    pub(crate) lost: Vec<Lost>,
    /// The location of a Kind of which it is still to be found out whether it can be made.
    pub(crate) trying: Option<String>,
    /// Mixins to be removed.
    pub(crate) tags: Vec<Tag>,
    /// What could not be removed, or not be put back, each with what happened.
    pub(crate) left: Vec<String>,
    /// Whether the server may be asked for what a wrong one loses something of its own by.
    pub(crate) is_daring: bool,
}

impl Session {
    /// Finds out what can be worked with.
    pub(crate) fn begin(client: Client, is_daring: bool) -> Self {
        let model = Model::discover(&client);
        let mut session = Self {
            client,
            model,
            resources: Vec::new(),
            link: None,
            extension: None,
            settable: None,
            speaks_json: false,
            refused: Vec::new(),
            refused_links: Vec::new(),
            untried: Vec::new(),
            mark: format!("conformance-{}", &Uuid::new_v4().simple().to_string()[..12]),
            serial: 0,
            strangers: Strangers::default(),
            keeps_titles: false,
            located: None,
            claimed: Vec::new(),
            made: Vec::new(),
            lost: Vec::new(),
            trying: None,
            tags: Vec::new(),
            left: Vec::new(),
            is_daring,
        };
        session.strangers = Strangers::find(&session);
        session.find_resources();
        // What is asked of the first Kind's collection is answered the sooner the fewer others it has to show.
        session.resources.sort_by_key(|draft| session.strangers.crowd(&draft.location));
        session.find_link();
        session.find_extension();
        session.find_settable();
        session.tidy();
        session
    }

    /// A name that nothing else has.
    pub(crate) fn name(&mut self) -> String {
        self.serial += 1;
        format!("{}-{}", self.mark, self.serial)
    }

    /// The first resource that can be made here.
    pub(crate) fn resource(&self) -> Verdict<Draft> {
        match self.resources.first() {
            Some(draft) => Ok(draft.clone()),
            None if !self.refused.is_empty() => {
                skip("nothing came of any creation of a resource; see HTTP-31")
            }
            None => {
                let why = self.untried.join("; ");
                skip(format!("no Kind of resource was found that can be made here: {why}"))
            }
        }
    }

    /// A resource of another Kind than the first.
    pub(crate) fn other(&self) -> Verdict<Draft> {
        match self.resources.get(1) {
            Some(draft) => Ok(draft.clone()),
            None => skip("no second Kind of resource was found that can be made here"),
        }
    }

    pub(crate) fn extension(&self) -> Verdict<Extension> {
        match &self.extension {
            Some(extension) => Ok(extension.clone()),
            None => skip("no Mixin with attributes was found that a resource takes here"),
        }
    }

    pub(crate) fn settable(&self) -> Verdict<Settable> {
        match &self.settable {
            Some(settable) => Ok(settable.clone()),
            None => skip("no resource was found that keeps an optional attribute which text/plain gives it"),
        }
    }

    /// The title of an entity of ours: by its beginning it is told from others'.
    pub(crate) fn title(&self, what: &str) -> String {
        format!("{} {what}", self.mark)
    }

    /// A resource of which much can be read back: a summary, and values of its Kind's own where some are kept. Its title
    /// is the mark.
    pub(crate) fn written(&self) -> Verdict<Draft> {
        let draft = match &self.settable {
            Some(settable) => settable.draft.clone().with_all(&settable.attributes),
            None => self.resource()?,
        };
        Ok(draft.with("occi.core.summary", "written"))
    }

    /// What describes the Kind of a draft.
    pub(crate) fn kind(&self, draft: &Draft) -> Verdict<Type> {
        match self.model.find(&draft.kind()) {
            Some(kind) => Ok(kind.clone()),
            None => skip(format!("the Kind {} is not described", draft.kind())),
        }
    }

    /// Makes an entity as a step towards a check.
    pub(crate) fn make(&mut self, draft: &Draft) -> Verdict<Entity> {
        let answer = self.client.post(&draft.location).draft(draft).send()?;
        let answer = answer.needed(&format!("make a {}", draft.term))?;
        self.located(&answer, draft)
    }

    /// The entity that was made by this answer to the creation of a draft.
    pub(crate) fn located(&mut self, answer: &Answer, draft: &Draft) -> Verdict<Entity> {
        match self.made(answer) {
            Some(entity) => Ok(entity),
            None => self.find_lost().ok_or_else(|| {
                let what = format!("it cannot be told which is the new {}", draft.term);
                Stop::NotApplicable(format!("{what}: {}", answer.brief()))
            }),
        }
    }

    /// The one that an answer says was made, which from then on is ours to remove.
    pub(crate) fn made(&mut self, answer: &Answer) -> Option<Entity> {
        if !answer.succeeded() {
            return None;
        }
        let (header, read) = (answer.header("location"), answer.read());
        let mut entity = None;
        if !header.is_empty() {
            let path = client::path_of(&self.client.url(&header)).to_owned();
            self.located = Some(path).filter(|_| answer.status == 201);
            entity = self.keep(&header);
            self.located = None;
        }
        // Where there are several, it may be the collection, with entities of others that came meanwhile.
        if let (None, [url]) = (&entity, &read.locations[..]) {
            entity = self.keep(url);
        }
        let entity = entity.or_else(|| self.find_shown(&read));
        if entity.is_none() {
            self.lost.push(Lost::new(answer, &read));
        }
        entity
    }

    /// Takes an entity for ours; not one that was there before, and nothing that may be a collection, as what ends in a slash
    /// is, unless it is seen to have an id.
    pub(crate) fn keep(&mut self, url: &str) -> Option<Entity> {
        let is_read =
            || self.client.get(url).send().is_ok_and(|answer| answer.read().attribute(ID).is_some());
        if url.ends_with('/') && !is_read() { None } else { self.keep_read(url) }
    }

    /// The same of all that one request made.
    pub(crate) fn keep_all(&mut self, urls: &[String]) {
        self.claimed = urls.iter().map(|url| client::path_of(&self.client.url(url)).to_owned()).collect();
        for url in urls {
            self.keep(url);
        }
        self.claimed.clear();
    }

    /// The same of what was read, and is seen to be one entity: whatever its path ends in.
    pub(crate) fn keep_read(&mut self, url: &str) -> Option<Entity> {
        if !self.may_be_ours(url) {
            return None;
        }
        let entity = Entity { url: self.client.url(url) };
        if !self.made.contains(&entity.url) {
            if !self.is_recognised(&entity.url) {
                self.give_up(&entity.url);
                return None;
            }
            self.made.push(entity.url.clone());
        }
        Some(entity)
    }

    /// Whether something may be an entity that this run made.
    pub(crate) fn may_be_ours(&self, url: &str) -> bool {
        self.is_single(url) && !self.strangers.has(client::path_of(&self.client.url(url)))
    }

    /// Whether a path is of the endpoint, and is neither the collection of a type nor above one.
    pub(crate) fn is_single(&self, reference: &str) -> bool {
        let url = self.client.url(reference);
        let path = client::path_of(&url);
        let folder = format!("{}/", path.trim_end_matches('/'));
        let is_in_folder =
            |known: &str| format!("{}/", client::path_of(&self.client.url(known))).starts_with(&folder);
        let mut known = self.model.types.iter().filter_map(|known| known.location.as_deref()).chain([""]);
        self.client.is_below(&url) && !path.contains(['?', '#']) && !known.any(is_in_folder)
    }

    pub(crate) fn is_ours(&self, url: &str) -> bool {
        let path = client::path_of(url);
        self.made.iter().any(|made| client::path_of(made) == path)
    }

    /// Whether a listing shows one that we made there, and nothing that others did.
    pub(crate) fn is_all_ours(&self, collection: &str, one: &Entity) -> Verdict<bool> {
        // Where strangers were, it is not asked whether they have gone: to leave the collection alone does no harm.
        if self.strangers.may_be_in(collection) {
            return Ok(false);
        }
        let all = self.listing(collection)?;
        Ok(one.is_in(&all) && all.iter().all(|url| self.is_ours(url)))
    }

    /// Goes on where everything in a collection is ours: only there may a server be asked for what it could do to all.
    pub(crate) fn ours_alone(&self, collection: &str, one: &Entity) -> Verdict {
        if self.is_all_ours(collection, one)? {
            return Ok(());
        }
        skip(format!("the collection {collection} holds entities that are not ours to change, or may"))
    }

    /// A resource of the first Kind.
    pub(crate) fn make_resource(&mut self) -> Verdict<Entity> {
        self.make(&self.resource()?)
    }

    /// A link and its ends: source, link, target.
    pub(crate) fn make_link(&mut self) -> Verdict<(Entity, Entity, Entity)> {
        let (draft, source, target) = self.link_draft()?;
        let link = self.make(&draft)?;
        Ok((source, link, target))
    }

    /// A link that is still to be made, between ends that are there.
    pub(crate) fn link_draft(&mut self) -> Verdict<(Draft, Entity, Entity)> {
        let Some((draft, from, to)) = self.link.clone() else {
            return skip(if self.refused_links.is_empty() {
                "no Kind of link was found that can be made here"
            } else {
                "nothing came of any creation of a link; see H11-24"
            });
        };
        let source = self.make(&self.resources[from].clone())?;
        let target = self.make(&self.resources[to].clone())?;
        Ok((between(&draft, &source.url, &target.url), source, target))
    }

    /// A link that is still to be made together with its source, and the draft of that.
    pub(crate) fn inline(&mut self) -> Verdict<(Inline, Draft)> {
        let (draft, _, target) = self.link_draft()?;
        let Some((_, from, to)) = self.link else { return skip("no Kind of link can be made here") };
        let given = draft.attributes.iter().filter(|(name, _)| !name.starts_with("occi.core."));
        let link = Inline {
            kind: draft.kind(),
            target: (client::path_of(&target.url).to_owned(), self.resources[to].kind()),
            attributes: given.cloned().chain([(TITLE.into(), self.name().into())]).collect(),
        };
        Ok((link, self.resources[from].clone()))
    }

    /// An entity as text has it.
    pub(crate) fn read(&self, entity: &Entity) -> Verdict<Text> {
        Ok(self.client.get(&entity.url).send()?.needed("read an entity")?.read())
    }

    /// The URLs of a collection.
    pub(crate) fn listing(&self, collection: &str) -> Verdict<Vec<String>> {
        Ok(self.client.get(collection).send()?.needed("list a collection")?.read().locations)
    }
}

/// A link with its ends.
pub(crate) fn between(draft: &Draft, source: &str, target: &str) -> Draft {
    draft.clone().with("occi.core.source", source).with("occi.core.target", target)
}
