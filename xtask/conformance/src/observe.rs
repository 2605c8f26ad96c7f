//! What is asked of every answer, whatever it was asked for: the version, the media type, and a rendering without a
//! fault. The observer looks over the client's shoulder.
//!
//! An answer that breaks a clause fails it. One that shows nothing, such as an empty listing, is no reason to pass it:
//! a clause that has a check passes by that, and the others pass by an answer that shows them at work.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::claims::Claims;
use crate::client::{OCCI_JSON, TEXT_OCCI, TEXT_PLAIN, URI_LIST};
use crate::error::Error;
use crate::verdict::{Evidence, excerpt};
use crate::wire::category::Class;
use crate::wire::schema::Schema;

/// The clauses that are held against every answer.
pub(crate) const CLAUSES: &[&str] = &[
    "HTTP-09", "HTTP-10", "TXT-02", "TXT-03", "TXT-05", "TXT-08", "TXT-13", "JSON-02", "JSON-05", "JSON-06",
    "JSON-11", "H11-29", "R0401", "R0402", "R0403", "R0405",
];

/// The forms that an entity or a category comes in, and the name under which JSON is often asked for.
const FORMATS: [&str; 6] =
    [TEXT_PLAIN, "text/occi+plain", TEXT_OCCI, URI_LIST, OCCI_JSON, "application/json"];

/// What was seen of the clauses that hold for every answer.
#[derive(Debug)]
pub(crate) struct Observer {
    schema: Schema,
    /// The clauses that some answer showed at work or broke, with the first that did the latter.
    seen: BTreeMap<&'static str, Option<Evidence>>,
    pub(crate) claims: Claims,
}

impl Observer {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { schema: Schema::new()?, seen: BTreeMap::new(), claims: Claims::default() })
    }

    /// The clauses that were seen at work, each with its first failure.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&'static str, Option<&Evidence>)> {
        let seen = CLAUSES.iter().filter_map(|clause| Some((*clause, self.seen.get(clause)?.as_ref())));
        seen.chain(self.claims.findings())
    }

    pub(crate) fn see(&mut self, answer: &Answer) {
        let server = answer.header("server");
        for (clause, token) in [("HTTP-10", "OCCI/1.2"), ("H11-29", "OCCI/1.1")] {
            self.kept(clause);
            if !server.split([' ', '(', ')', ',']).any(|word| word == token) {
                self.broken(clause, answer, &format!("{token} in Server"), &server);
            }
        }
        self.claims.see(answer, &server);
        self.content_type(answer);
        if answer.succeeded() {
            let media_type = answer.media_type();
            match media_type.as_str() {
                OCCI_JSON | "application/json" if !answer.body.is_empty() => self.json(answer),
                TEXT_PLAIN | "text/occi+plain" | TEXT_OCCI | URI_LIST => self.text(answer, &media_type),
                _ => {}
            }
        }
    }

    /// What is to be named is the format that is used in the answer. A body is in one; so is the answer to GET, and with
    /// it that to HEAD, where it is the listing of an empty collection, which has no lines. Another answer without a
    /// body, as to OPTIONS or DELETE, or with 204, uses no format.
    fn content_type(&mut self, answer: &Answer) {
        let is_reading =
            answer.succeeded() && answer.status != 204 && matches!(answer.method, "GET" | "HEAD");
        if answer.body.is_empty() && !is_reading {
            return;
        }
        let media_type = answer.media_type();
        // A refusal is not in an OCCI format, as there is none for it; but its body has a type as well.
        let held =
            if answer.succeeded() { FORMATS.contains(&media_type.as_str()) } else { !media_type.is_empty() };
        if !held {
            let expected = "the OCCI format of the answer in Content-Type";
            self.broken("HTTP-09", answer, expected, &answer.header("content-type"));
        } else if answer.succeeded() && answer.shows_something() {
            self.kept("HTTP-09");
        }
    }

    fn json(&mut self, answer: &Answer) {
        let faults = match serde_json::from_str(&answer.body) {
            Ok(value) => self.schema.faults(&value),
            Err(error) => {
                let got = format!("{error}: {}", excerpt(&answer.body));
                return self.broken("JSON-02", answer, "JSON", &got);
            }
        };
        if answer.shows_something() {
            self.kept("JSON-02");
        }
        for fault in faults {
            self.broken(fault.clause, answer, "what the schema allows", &fault.what);
        }
    }

    fn text(&mut self, answer: &Answer, media_type: &str) {
        let is_ok = answer.body.trim_end() == "OK";
        if media_type == TEXT_OCCI && !is_ok {
            self.broken("TXT-03", answer, "the body OK", &answer.brief());
        } else if matches!(media_type, TEXT_PLAIN | "text/occi+plain") && answer.method != "GET" && is_ok {
            // OCCI 1.1 shows an answer to a change whose body says no more.
            return;
        }
        let text = answer.read();
        if media_type != URI_LIST && !text.lines.is_empty() {
            self.kept("TXT-02");
        }
        for fault in &text.faults {
            self.broken(fault.clause, answer, "what the grammar allows", &fault.what);
        }
        for action in text.categories.iter().filter(|category| category.class == Some(Class::Action)) {
            self.kept("TXT-13");
            if !action.actions.is_empty() || action.location.is_some() {
                self.broken("TXT-13", answer, "an Action without links and actions", &action.id());
            }
        }
    }

    /// An answer showed the clause at work.
    fn kept(&mut self, clause: &'static str) {
        self.seen.entry(clause).or_default();
    }

    fn broken(&mut self, clause: &'static str, answer: &Answer, expected: &str, got: &str) {
        self.seen.entry(clause).or_default().get_or_insert_with(|| Evidence {
            asked: answer.asked.clone(),
            expected: expected.to_owned(),
            got: if got.is_empty() { "nothing" } else { got }.to_owned(),
        });
    }
}
