//! One run against one endpoint: what was found there, what was made there, and its removal.

use serde_json::Value;
use uuid::Uuid;

use crate::answer::Answer;
use crate::client::{self, Client};
use crate::draft::{self, Draft};
use crate::model::{Model, Type};
use crate::verdict::{Verdict, skip};
use crate::wire::text::Text;

/// How many members of a collection are looked at for one that was made without an answer that says where.
const SEARCHED: usize = 50;

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

/// A Mixin that was made.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) scheme: String,
    pub(crate) term: String,
    /// As the query interface shows it.
    pub(crate) location: String,
}

impl Tag {
    pub(crate) fn id(&self) -> String {
        format!("{}{}", self.scheme, self.term)
    }

    /// Scheme and term.
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.scheme, &self.term)
    }

    /// The line that creates and destroys it.
    pub(crate) fn line(&self) -> String {
        format!("{}; location=\"{}\"", draft::category(&self.term, &self.scheme, "mixin"), self.location)
    }
}

/// A Mixin of the provider with attributes, and an entity that takes both.
#[derive(Debug, Clone)]
pub(crate) struct Extension {
    pub(crate) draft: Draft,
    pub(crate) mixin: Type,
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
    /// Part of every name that is made up, so that two runs do not meet.
    run: String,
    serial: u32,
    made: Vec<String>,
    tags: Vec<Tag>,
    /// What could not be removed.
    pub(crate) left: Vec<String>,
}

impl Session {
    /// Finds out what can be worked with.
    pub(crate) fn begin(client: Client) -> Self {
        let model = Model::discover(&client);
        let mut session = Self {
            client,
            model,
            resources: Vec::new(),
            link: None,
            extension: None,
            run: Uuid::new_v4().simple().to_string()[..12].to_owned(),
            serial: 0,
            made: Vec::new(),
            tags: Vec::new(),
            left: Vec::new(),
        };
        session.find_resources();
        session.find_link();
        session.find_extension();
        session.tidy();
        session
    }

    /// A name that nothing else has.
    pub(crate) fn name(&mut self) -> String {
        self.serial += 1;
        format!("conformance-{}-{}", self.run, self.serial)
    }

    /// The first resource that can be made here.
    pub(crate) fn resource(&self) -> Verdict<Draft> {
        match self.resources.first() {
            Some(draft) => Ok(draft.clone()),
            None => skip("no Kind of resource was found that can be made here"),
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

    /// What describes the Kind of a draft.
    pub(crate) fn kind(&self, draft: &Draft) -> Verdict<Type> {
        match self.model.find(&draft.kind()) {
            Some(kind) => Ok(kind.clone()),
            None => skip(format!("the Kind {} is not described", draft.kind())),
        }
    }

    /// Makes an entity as a step towards a check.
    pub(crate) fn make(&mut self, draft: &Draft) -> Verdict<Entity> {
        let title = self.name();
        let titled = if draft.attributes.iter().any(|(name, _)| name == "occi.core.title") {
            draft.clone()
        } else {
            draft.clone().with("occi.core.title", title.clone())
        };
        let answer = self.client.post(&draft.location).draft(&titled).send()?;
        let answer = answer.needed(&format!("make a {}", draft.term))?;
        if let Some(entity) = self.made(&answer) {
            return Ok(entity);
        }
        // It says not where; the collection does.
        let listing = self.listing(&draft.location)?;
        for url in listing.iter().rev().take(SEARCHED).filter(|url| !self.is_ours(url)) {
            let found = self.client.get(url).send()?.read();
            if found.attribute("occi.core.title") == Some(&Value::from(title.as_str())) {
                return Ok(self.keep(url));
            }
        }
        skip(format!("the server does not say where the new {} is: {}", draft.term, answer.brief()))
    }

    /// The first of those that an answer says were made, which from then on is ours to remove.
    pub(crate) fn made(&mut self, answer: &Answer) -> Option<Entity> {
        if !answer.succeeded() {
            return None;
        }
        let header = answer.header("location");
        let urls = if header.is_empty() { answer.read().locations } else { vec![header] };
        let entities: Vec<_> = urls.iter().map(|url| self.keep(url)).collect();
        entities.first().cloned()
    }

    /// Takes an entity for ours.
    pub(crate) fn keep(&mut self, url: &str) -> Entity {
        let url = self.client.url(url);
        if !self.made.contains(&url) {
            self.made.push(url.clone());
        }
        Entity { url }
    }

    pub(crate) fn is_ours(&self, url: &str) -> bool {
        let path = client::path_of(url);
        self.made.iter().any(|made| client::path_of(made) == path)
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
            return skip("no Kind of link was found that can be made here");
        };
        let source = self.make(&self.resources[from].clone())?;
        let target = self.make(&self.resources[to].clone())?;
        Ok((between(&draft, &source.url, &target.url), source, target))
    }

    /// A Mixin of our own that is still to be made.
    pub(crate) fn tag_draft(&mut self) -> Tag {
        let term = self.name();
        let location = self.client.below(&format!("{term}/"));
        Tag {
            scheme: "http://example.org/occi/conformance#".into(),
            location: client::path_of(&location).to_owned(),
            term,
        }
    }

    /// Makes a Mixin of our own as a step towards a check.
    pub(crate) fn make_tag(&mut self) -> Verdict<Tag> {
        let tag = self.tag_draft();
        self.client.post("-/").text(&[tag.line()]).send()?.needed("make a Mixin of our own")?;
        self.keep_tag(tag)
    }

    /// Takes a Mixin for ours to remove, at the location that the server shows for it.
    pub(crate) fn keep_tag(&mut self, mut tag: Tag) -> Verdict<Tag> {
        let all = self.client.get("-/").send()?.read();
        if let Some(shown) = all.categories.iter().find(|category| category.id() == tag.id())
            && let Some(location) = &shown.location
        {
            tag.location.clone_from(location);
        }
        self.tags.push(tag.clone());
        Ok(tag)
    }

    /// A Mixin of our own on some entities.
    pub(crate) fn make_tag_on(&mut self, entities: &[&Entity]) -> Verdict<Tag> {
        let tag = self.make_tag()?;
        let lines: Vec<_> = entities.iter().map(|entity| draft::location(&entity.url)).collect();
        self.client.post(&tag.location).text(&lines).send()?.needed("associate a Mixin")?;
        Ok(tag)
    }

    /// An entity as text has it.
    pub(crate) fn read(&self, entity: &Entity) -> Verdict<Text> {
        Ok(self.client.get(&entity.url).send()?.needed("read an entity")?.read())
    }

    /// The URLs of a collection.
    pub(crate) fn listing(&self, collection: &str) -> Verdict<Vec<String>> {
        Ok(self.client.get(collection).send()?.needed("list a collection")?.read().locations)
    }

    /// Removes what was made, the newest first. Nothing else is touched.
    pub(crate) fn tidy(&mut self) {
        while let Some(url) = self.made.pop() {
            let answer = self.client.delete(&url).try_send();
            if !answer.is_ok_and(|answer| answer.succeeded() || matches!(answer.status, 404 | 410)) {
                self.left.push(url);
            }
        }
        while let Some(tag) = self.tags.pop() {
            let answer = self.client.delete("-/").text(&[tag.line()]).try_send();
            let gone = |client: &Client| {
                let all = client.get("-/").send().map(|answer| answer.read());
                all.is_ok_and(|all| !all.has(&tag.id()))
            };
            if !answer.is_ok_and(|answer| answer.succeeded()) && !gone(&self.client) {
                self.left.push(tag.id());
            }
        }
    }
}

/// A link with its ends.
pub(crate) fn between(draft: &Draft, source: &str, target: &str) -> Draft {
    draft.clone().with("occi.core.source", source).with("occi.core.target", target)
}
