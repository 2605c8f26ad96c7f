//! Whether what was written is there. It is read in text/plain, whatever it was written in: an answer in the rendering of
//! the request could be its echo.

use serde_json::Value;

use crate::answer::Answer;
use crate::client::{OCCI_JSON, path_of};
use crate::draft::{Draft, Inline};
use crate::session::{Entity, Session};
use crate::verdict::Verdict;

impl Session {
    /// An entity in JSON.
    pub(crate) fn object(&self, entity: &Entity) -> Verdict<Value> {
        let answer =
            self.client.get(&entity.url).accept(OCCI_JSON).send()?.needed("read an entity in JSON")?;
        Ok(answer.value())
    }

    /// Fails unless an entity has the Kind, the Mixins and the values of a draft, which a request wrote.
    pub(crate) fn holds_draft(&self, written: &Answer, entity: &Entity, draft: &Draft) -> Verdict {
        let answer = self.client.get(&entity.url).send()?.is(&[200])?;
        let (read, by) = (answer.read(), &written.asked);
        let mixins = draft.mixins.iter().map(|(scheme, term)| format!("{scheme}{term}"));
        for id in std::iter::once(draft.kind()).chain(mixins) {
            answer.hold(read.has(&id), &format!("{id}, written by {by}"))?;
        }
        for (name, value) in &draft.attributes {
            let is_there = read.attribute(name).is_some_and(|is| is_same(is, value));
            answer.hold(is_there, &format!("{name}={value}, written by {by}"))?;
        }
        Ok(())
    }

    /// Fails unless a resource shows links as a request wrote them, and each of these has the values that it wrote.
    pub(crate) fn holds_links(&mut self, written: &Answer, source: &Entity, links: &[Inline]) -> Verdict {
        let (answer, by) = (self.client.get(&source.url).send()?.is(&[200])?, &written.asked);
        let read = answer.read();
        let own = |path: &str| {
            let mut shown = read.relations().filter(|shown| path_of(&shown.target) == path);
            shown.find_map(|shown| shown.own.clone())
        };
        // All of them, whatever is found of the first.
        let all: Vec<_> = links.iter().filter_map(|link| own(&link.target.0)).collect();
        self.keep_all(&all);
        for link in links {
            let path = &link.target.0;
            let Some(own) = own(path) else {
                let wanted = format!("a link to {path}, with its own path, written by {by}");
                return answer.wrong(&wanted, answer.brief());
            };
            let answer = self.client.get(&own).send()?.is(&[200])?;
            for (name, value) in &link.attributes {
                let is_there = answer.read().attribute(name).is_some_and(|is| is_same(is, value));
                answer.hold(is_there, &format!("{name}={value}, written by {by}"))?;
            }
        }
        Ok(())
    }

    /// Whether an answer with a collection shows an entity. JSON has no URLs there, but ids.
    pub(crate) fn is_shown(&self, answer: &Answer, entity: &Entity) -> Verdict<bool> {
        if answer.media_type() != OCCI_JSON {
            return Ok(entity.is_in(&answer.read().locations));
        }
        let (collection, id) = (answer.value(), self.object(entity)?["id"].clone());
        let mut lists = ["resources", "links"].into_iter().filter_map(|list| collection[list].as_array());
        Ok(lists.any(|list| list.iter().any(|one| one["id"] == id)))
    }
}

/// Whether a value is the one that was written: 4 and 4.0 are one, and so are a URL of the server and its path.
pub(crate) fn is_same(is: &Value, written: &Value) -> bool {
    let numbers = || is.as_f64().is_some_and(|number| Some(number) == written.as_f64());
    let paths = || is.as_str().zip(written.as_str()).is_some_and(|(is, written)| is == path_of(written));
    is == written || numbers() || paths()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_what_they_mean() {
        assert!(is_same(&json!(4.0), &json!(4)) && is_same(&json!("/a/1"), &json!("http://b/a/1")));
        assert!(!is_same(&json!("4"), &json!(4)) && !is_same(&json!("a"), &json!("b")));
    }
}
