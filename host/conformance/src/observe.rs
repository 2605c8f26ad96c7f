//! What is asked of every answer, whatever it was asked for: the version, the media type, and a rendering without a
//! fault. The observer looks over the client's shoulder.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::client::{OCCI_JSON, TEXT_OCCI, TEXT_PLAIN, URI_LIST};
use crate::error::Error;
use crate::verdict::{Evidence, excerpt};
use crate::wire::category::Class;
use crate::wire::schema::Schema;

/// The clauses that are held against every answer.
pub(crate) const CLAUSES: &[&str] = &[
    "HTTP-09", "HTTP-10", "TXT-02", "TXT-03", "TXT-05", "TXT-08", "TXT-13", "JSON-02", "JSON-05", "JSON-06",
    "JSON-11", "H11-29",
];

/// The forms that an entity or a category comes in, and the name under which JSON is often asked for.
const FORMATS: [&str; 6] =
    [TEXT_PLAIN, "text/occi+plain", TEXT_OCCI, URI_LIST, OCCI_JSON, "application/json"];

/// What was seen of the clauses that hold for every answer.
#[derive(Debug)]
pub(crate) struct Observer {
    schema: Schema,
    /// The clauses that some answer could have broken, with the first that did.
    seen: BTreeMap<&'static str, Option<Evidence>>,
}

impl Observer {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { schema: Schema::new()?, seen: BTreeMap::new() })
    }

    /// The clauses that were seen at work, each with its first failure.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&'static str, Option<&Evidence>)> {
        CLAUSES.iter().filter_map(|clause| Some((*clause, self.seen.get(clause)?.as_ref())))
    }

    pub(crate) fn see(&mut self, answer: &Answer) {
        let server = answer.header("server");
        for (clause, token) in [("HTTP-10", "OCCI/1.2"), ("H11-29", "OCCI/1.1")] {
            let held = server.split([' ', '(', ')', ',']).any(|word| word == token);
            self.hold(clause, held, answer, &format!("{token} in Server"), &server);
        }
        let media_type = answer.media_type();
        if !answer.body.is_empty() {
            // A refusal is not in an OCCI format, as there is none for it; but its body has a type as well.
            let held = if answer.succeeded() {
                FORMATS.contains(&media_type.as_str())
            } else {
                !media_type.is_empty()
            };
            let expected = "the OCCI format of the body in Content-Type";
            self.hold("HTTP-09", held, answer, expected, &answer.header("content-type"));
        }
        if answer.succeeded() {
            match media_type.as_str() {
                OCCI_JSON | "application/json" if !answer.body.is_empty() => self.json(answer),
                TEXT_PLAIN | "text/occi+plain" | TEXT_OCCI | URI_LIST => self.text(answer, &media_type),
                _ => {}
            }
        }
    }

    fn json(&mut self, answer: &Answer) {
        let faults = match serde_json::from_str(&answer.body) {
            Ok(value) => self.schema.faults(&value),
            Err(error) => {
                self.hold("JSON-02", false, answer, "JSON", &format!("{error}: {}", excerpt(&answer.body)));
                return;
            }
        };
        for clause in ["JSON-02", "JSON-05", "JSON-06", "JSON-11"] {
            let fault = faults.iter().find(|fault| fault.clause == clause);
            let got = fault.map_or("", |fault| fault.what.as_str());
            self.hold(clause, fault.is_none(), answer, "what the schema allows", got);
        }
    }

    fn text(&mut self, answer: &Answer, media_type: &str) {
        if media_type == TEXT_OCCI {
            self.hold("TXT-03", answer.body.trim_end() == "OK", answer, "the body OK", &answer.brief());
        } else if media_type != URI_LIST && answer.method != "GET" && answer.body.trim_end() == "OK" {
            // OCCI 1.1 shows an answer to a change whose body says no more.
            return;
        }
        let text = answer.read();
        let clauses: &[_] = if media_type == URI_LIST { &["TXT-08"] } else { &["TXT-02", "TXT-05"] };
        for &clause in clauses {
            let fault = text.faults.iter().find(|fault| fault.clause == clause);
            let got = fault.map_or("", |fault| fault.what.as_str());
            self.hold(clause, fault.is_none(), answer, "what the grammar allows", got);
        }
        for action in text.categories.iter().filter(|category| category.class == Some(Class::Action)) {
            let bare = action.actions.is_empty() && action.location.is_none();
            let expected = "an Action without links and actions";
            self.hold("TXT-13", bare, answer, expected, &action.id());
        }
    }

    fn hold(&mut self, clause: &'static str, held: bool, answer: &Answer, expected: &str, got: &str) {
        let first = self.seen.entry(clause).or_default();
        if !held && first.is_none() {
            let (asked, expected) = (answer.asked.clone(), expected.to_owned());
            let got = if got.is_empty() { "nothing" } else { got }.to_owned();
            *first = Some(Evidence { asked, expected, got });
        }
    }
}
