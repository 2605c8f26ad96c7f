//! Mixins of our own: made for a check, and removed at its end by their description. A server may put one elsewhere than
//! it was asked to, so it is looked whether others have something there before anything is changed.

use crate::client::path_of;
use crate::draft;
use crate::session::{Entity, Session};
use crate::verdict::{Verdict, skip};

/// A Mixin that was made.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) scheme: String,
    pub(crate) term: String,
    /// As it was asked for, or as the query interface shows it if nothing of others can be there.
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

impl Session {
    /// A Mixin of our own that is still to be made.
    pub(crate) fn tag_draft(&mut self) -> Tag {
        let term = self.name();
        let location = self.client.below(&format!("{term}/"));
        Tag {
            scheme: "http://example.org/occi/conformance#".into(),
            location: path_of(&location).to_owned(),
            term,
        }
    }

    /// Makes a Mixin of our own as a step towards a check.
    pub(crate) fn make_tag(&mut self) -> Verdict<Tag> {
        let tag = self.tag_draft();
        self.client.post("-/").text(&[tag.line()]).send()?.needed("make a Mixin of our own")?;
        self.keep_tag(&tag);
        self.at_its_location(tag)
    }

    /// Takes a Mixin for ours to remove.
    pub(crate) fn keep_tag(&mut self, tag: &Tag) {
        self.tags.push(tag.clone());
    }

    /// A Mixin that was just made, at the location that the server shows for it.
    pub(crate) fn at_its_location(&self, tag: Tag) -> Verdict<Tag> {
        let all = self.client.get("-/").send()?.read();
        let Some(shown) = all.categories.into_iter().find(|category| category.id() == tag.id()) else {
            return skip("the Mixin that we made is not in the query interface; see HTTP-20");
        };
        let is_other = |location: &String| path_of(&self.client.url(location)) != tag.location;
        match shown.location.filter(is_other) {
            None => Ok(tag),
            Some(location) if self.is_free(&location) => Ok(Tag { location, ..tag }),
            Some(location) => skip(format!(
                "the server puts the Mixin that we made at {location}, where others may have something"
            )),
        }
    }

    /// Whether nobody has something at a location that we did not choose.
    fn is_free(&self, location: &str) -> bool {
        self.is_single(location)
            && self.client.get(location).send().is_ok_and(|answer| answer.lists_nothing())
    }

    /// A Mixin of our own on some entities.
    pub(crate) fn make_tag_on(&mut self, entities: &[&Entity]) -> Verdict<Tag> {
        let tag = self.make_tag()?;
        let lines: Vec<_> = entities.iter().map(|entity| draft::location(&entity.url)).collect();
        self.client.post(&tag.location).text(&lines).send()?.needed("associate a Mixin")?;
        Ok(tag)
    }

    /// The same, where its collection is to be changed as a whole: it is seen to have nothing else.
    pub(crate) fn make_tag_on_only(&mut self, entities: &[&Entity]) -> Verdict<Tag> {
        let tag = self.make_tag_on(entities)?;
        for entity in entities.iter().take(1) {
            self.ours_alone(&tag.location, entity)?;
        }
        Ok(tag)
    }
}
