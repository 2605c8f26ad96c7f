//! The end of what a run made: all of it goes, also after failures, and nothing else does.

use serde_json::Value;

use crate::client::{Client, path_of};
use crate::session::{Entity, Session};

/// How many members that came during the run are looked at for one that was lost, the last ones.
const SEARCHED: usize = 200;

impl Session {
    /// Removes what was made, the newest first.
    pub(crate) fn tidy(&mut self) {
        while !self.lost.is_empty() {
            if self.find_lost().is_none() {
                self.left.extend(
                    self.lost
                        .drain(..)
                        .map(|asked| format!("could not be found: what this made, if it did: {asked}")),
                );
            }
        }
        while let Some(url) = self.made.pop() {
            let answer = self.client.delete(&url).try_send();
            // A server may show what it does not find when it is to go.
            let is_shown = || self.client.get(&url).try_send().is_ok_and(|answer| answer.succeeded());
            let is_gone = answer
                .is_ok_and(|answer| answer.succeeded() || matches!(answer.status, 404 | 410) && !is_shown());
            if !is_gone {
                self.left.push(format!("could not be removed: {url}"));
            }
        }
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

    /// One that was made by an answer that did not say where. Its title says that it is ours.
    pub(crate) fn find_lost(&mut self) -> Option<Entity> {
        let drafts = self.resources.iter().chain(self.link.iter().map(|(draft, ..)| draft));
        let mut locations: Vec<_> = drafts.map(|draft| draft.location.clone()).collect();
        locations.extend(self.trying.clone());
        for location in locations {
            let listing = self.listing(&location).unwrap_or_default();
            let is_new = |url: &String| !self.strangers.has(path_of(url)) && !self.is_ours(url);
            let new: Vec<_> = listing.into_iter().rev().filter(is_new).take(SEARCHED).collect();
            for url in new {
                let found = self.client.get(&url).send().map(|answer| answer.read()).unwrap_or_default();
                let title = found.attribute("occi.core.title").and_then(Value::as_str);
                if title == Some(&*self.mark)
                    && let Some(entity) = self.keep_read(&url)
                {
                    self.lost.pop();
                    return Some(entity);
                }
            }
        }
        None
    }
}
