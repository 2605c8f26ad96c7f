//! The clauses of OCCI 1.2 JSON Rendering, GFD.226.

use super::Clause;
use super::Level::{self, Info, Must, Should};

const fn new(id: &'static str, level: Level, title: &'static str) -> Clause {
    Clause::new(id, level, title)
}

pub(super) const CLAUSES: &[Clause] = &[
    new("JSON-01", Must, "application/occi+json is spoken"),
    new("JSON-02", Must, "every entity and category is an object that the schema allows"),
    new("JSON-03", Info, "kind, mixins and actions are full type identifiers"),
    new("JSON-04", Info, "attribute names are flat keys"),
    new("JSON-05", Info, "attribute values are numbers, strings, booleans, arrays or objects, as declared"),
    new("JSON-06", Must, "collections are arrays in an object, of full renderings"),
    new("JSON-07", Must, "a declared default is used where a creation gives no value, and has its type"),
    new("JSON-08", Must, "what is required is given at creation"),
    new("JSON-09", Info, "mutable is false where it is not stated"),
    new("JSON-10", Info, "id, title, summary, source and target are members, not attributes"),
    new("JSON-11", Info, "links of a resource are whole objects; the query interface is one object"),
    new("JSON-12", Info, "source and target have a kind where they are resources"),
    new("JSON-13", Should, "a pattern names its $schema"),
    new("JSON-14", Info, "an action is invoked by its object, at ?action="),
];
