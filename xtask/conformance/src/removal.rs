//! The end of what a run made: all of it goes, also after failures, and nothing else does.

use serde_json::Value;

use crate::answer::Answer;
use crate::client::{Client, path_of};
use crate::session::{Entity, ID, Session, TITLE};
use crate::wire::category::Class;
use crate::wire::text::Text;

/// How many members that came during the run are looked at for one that was lost, the last ones.
const SEARCHED: usize = 200;

/// How many are looked at in the end for those that have the run's mark, in each collection.
const SWEPT: usize = 2000;

/// A request that made something of which the answer does not say where it is.
#[derive(Debug)]
pub(crate) struct Lost {
    asked: String,
    /// What the answer shows of it.
    id: Option<String>,
    /// Where the answer says that it is.
    places: Vec<String>,
}

impl Lost {
    pub(crate) fn new(answer: &Answer, read: &Text) -> Self {
        let header = Some(answer.header("location")).filter(|location| !location.is_empty());
        let places = header.into_iter().chain(read.locations.iter().cloned()).collect();
        Self { asked: answer.asked.clone(), id: id_of(read), places }
    }

    fn told(&self) -> String {
        let places = match &self.places[..] {
            [] => String::new(),
            places => {
                format!(" It may be {}, which could not be told from what others made.", places.join(" or "))
            }
        };
        format!("could not be found: what this made, if it did: {}{places}", self.asked)
    }
}

/// Takes out what made an entity that was found: by its id, else the newest that may be it.
fn forget(lost: &mut Vec<Lost>, id: Option<&str>) {
    let by_id = lost.iter().position(|one| id.is_some() && one.id.as_deref() == id);
    let at = by_id.or_else(|| lost.iter().rposition(|one| id.is_none() || one.id.is_none()));
    if let Some(at) = at {
        lost.remove(at);
    }
}

fn id_of(read: &Text) -> Option<String> {
    read.attribute(ID).and_then(Value::as_str).map(str::to_owned)
}

impl Session {
    /// Removes what was made, and what else has come with the run's mark: an answer may have led elsewhere, or said nothing of
    /// one of several.
    pub(crate) fn end(&mut self) {
        self.tidy();
        self.keep_marked();
        self.remove_made();
    }

    /// Removes what was made, the newest first.
    pub(crate) fn tidy(&mut self) {
        while !self.lost.is_empty() {
            if self.find_lost().is_none() {
                self.left.extend(self.lost.drain(..).map(|lost| lost.told()));
            }
        }
        self.remove_made();
        while let Some(tag) = self.tags.pop() {
            let answer = self.client.delete("-/").text(&[tag.line()]).try_send();
            let gone = |client: &Client| {
                let all = client.get("-/").send().map(|answer| answer.read());
                all.is_ok_and(|all| !all.has(&tag.id()))
            };
            if !answer.is_ok_and(|answer| answer.succeeded()) && !gone(&self.client) {
                self.left.push(format!("could not be removed: {}", tag.id()));
            }
        }
    }

    /// Removes the entities that were made, the newest first.
    pub(crate) fn remove_made(&mut self) {
        while let Some(url) = self.made.pop() {
            let answer = self.client.delete(&url).try_send();
            // A server may show what it does not find when it is to go.
            let is_shown = || self.client.get(&url).try_send().is_ok_and(|answer| answer.succeeded());
            let is_gone = answer
                .is_ok_and(|answer| answer.succeeded() || matches!(answer.status, 404 | 410) && !is_shown());
            let line = format!("could not be removed: {url}");
            if !is_gone && !self.left.contains(&line) {
                self.left.push(line);
            }
        }
    }

    /// Takes for ours what has come with the run's mark.
    fn keep_marked(&mut self) {
        for location in self.locations() {
            for url in self.new_in(&location).into_iter().take(SWEPT) {
                if self.is_marked(&self.shown_at(&url)) {
                    self.keep_read(&url);
                }
            }
        }
    }

    fn is_marked(&self, found: &Text) -> bool {
        found.attribute(TITLE).and_then(Value::as_str).is_some_and(|title| title.starts_with(&self.mark))
    }

    /// Whether something can be told to be ours: by the mark in its path, its title or a tag; or by that it alone came during the run
    /// into a collection that still shows what it did before. What no listing has ever shown may be another's, and so may one
    /// of several that came, unless an answer names them all and the server was never seen to keep a title. Where it was, only
    /// what has none can be ours, and only by the Location of a creation.
    pub(crate) fn is_recognised(&mut self, url: &str) -> bool {
        if path_of(url).contains(&self.mark) {
            return true;
        }
        let found = self.shown_at(url);
        let is_marked = self.is_marked(&found);
        self.keeps_titles |= is_marked;
        // A tag of ours, too, has the mark in its name.
        let has_tag = found.categories.iter().any(|category| category.id().contains(&self.mark));
        let is_located = self.located.as_deref() == Some(path_of(url));
        let may_be_ours = !self.keeps_titles || is_located && found.attribute(TITLE).is_none();
        is_marked || has_tag || may_be_ours && self.came_alone(url, &found)
    }

    /// The collections in which something may be.
    fn locations_of(&self, found: &Text) -> Vec<String> {
        let kinds = found.categories.iter().filter_map(|category| self.model.find(&category.id()));
        let own = kinds.filter(|kind| kind.class == Class::Kind).find_map(|kind| kind.location.clone());
        own.into_iter().chain(self.locations()).collect()
    }

    /// Takes for others' what came with something that could not be told from them, so that what is made later can be.
    pub(crate) fn give_up(&mut self, url: &str) {
        for location in self.locations_of(&self.shown_at(url)) {
            let came = self.newcomers(&self.listing(&location).unwrap_or_default());
            if came.iter().any(|came| path_of(&self.client.url(came)) == path_of(url)) {
                for other in came.iter().take(SEARCHED) {
                    if !self.is_marked(&self.shown_at(other)) {
                        self.strangers.add(path_of(&self.client.url(other)));
                    }
                }
            }
        }
    }

    fn came_alone(&self, url: &str, found: &Text) -> bool {
        self.locations_of(found).into_iter().any(|location| {
            let listing = self.listing(&location).unwrap_or_default();
            let paths = |urls: &[String]| {
                urls.iter().map(|url| path_of(&self.client.url(url)).to_owned()).collect::<Vec<_>>()
            };
            let came = paths(&self.newcomers(&listing));
            let is_claimed =
                |path: &String| path == path_of(url) || !self.keeps_titles && self.claimed.contains(path);
            came.iter().any(|path| path == path_of(url))
                && came.iter().all(is_claimed)
                && self.strangers.are_all_in(&location, &paths(&listing))
        })
    }

    /// The collections in which things are made.
    fn locations(&self) -> Vec<String> {
        let drafts = self.resources.iter().chain(self.link.iter().map(|(draft, ..)| draft));
        drafts.map(|draft| draft.location.clone()).chain(self.trying.clone()).collect()
    }

    /// One that was made by an answer that did not say where. Its title or its id says that it is ours.
    pub(crate) fn find_lost(&mut self) -> Option<Entity> {
        for location in self.locations() {
            for url in self.new_in(&location).into_iter().take(SEARCHED) {
                let found = self.shown_at(&url);
                let id = id_of(&found);
                let is_lost = || id.is_some() && self.lost.iter().any(|lost| lost.id == id);
                if self.is_marked(&found) || is_lost() {
                    forget(&mut self.lost, id.as_deref());
                    return self.keep_read(&url);
                }
            }
        }
        None
    }

    /// The new member of its Kind's collection that an answer renders without a word where it is: by its id, which a path
    /// may end in.
    pub(crate) fn find_shown(&mut self, rendered: &Text) -> Option<Entity> {
        let id = id_of(rendered)?;
        let last = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        let kinds = rendered.categories.iter().filter_map(|category| self.model.find(&category.id()));
        let kind = kinds.into_iter().find(|kind| kind.class == Class::Kind)?;
        let mut new = self.new_in(kind.location.as_deref()?);
        new.sort_by_key(|url| !id.ends_with(&last(url)));
        let is_it = |url: &&String| last(url) == id || id_of(&self.shown_at(url)).as_ref() == Some(&id);
        let url = new.iter().take(SEARCHED).find(is_it)?;
        self.keep_read(url)
    }

    /// The members of a collection that came during the run and are not known as ours, the last first.
    fn new_in(&self, location: &str) -> Vec<String> {
        let mut new = self.newcomers(&self.listing(location).unwrap_or_default());
        new.reverse();
        new
    }

    fn newcomers(&self, listing: &[String]) -> Vec<String> {
        let is_new = |url: &&String| self.may_be_ours(url) && !self.is_ours(url);
        listing.iter().filter(is_new).cloned().collect()
    }

    fn shown_at(&self, url: &str) -> Text {
        self.client.get(url).send().map(|answer| answer.read()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_lost_no_more() {
        let after = |id: Option<&str>| {
            let one = |asked: &str, id: Option<&str>| {
                let (id, places) = (id.map(str::to_owned), Vec::new());
                Lost { asked: asked.into(), id, places }
            };
            let mut lost = vec![one("a", None), one("b", Some("1")), one("c", None), one("d", Some("2"))];
            forget(&mut lost, id);
            lost.into_iter().map(|lost| lost.asked).collect::<String>()
        };
        assert_eq!([after(Some("1")), after(Some("3")), after(None)], ["acd", "abd", "abc"]);
    }
}
