//! The clauses of OCCI 1.2 Text Rendering, GFD.229.

use super::Clause;
use super::Level::{self, Info, Must, Should};

const fn new(id: &'static str, level: Level, title: &'static str) -> Clause {
    Clause::new(id, level, title)
}

pub(super) const CLAUSES: &[Clause] = &[
    new("TXT-01", Must, "text/plain, text/occi+plain, text/occi and text/uri-list are spoken"),
    new("TXT-02", Must, "every text answer follows the grammar"),
    new("TXT-03", Must, "text/occi stands in the headers; the body of a success is OK"),
    new("TXT-04", Must, "repeated headers and comma-joined ones are both taken"),
    new("TXT-05", Must, "values with separators are quoted"),
    new("TXT-06", Must, "headers are never cut off silently"),
    new("TXT-07", Must, "text/uri-list of what is no listing: 400"),
    new("TXT-08", Must, "text/uri-list of a listing is a list of URIs as RFC 2483 has it"),
    new("TXT-09", Should, "authentication and TLS are used"),
    new("TXT-10", Info, "a resource: Kind, Mixins, Links, Attributes, and a Link for each applicable Action"),
    new("TXT-11", Info, "a link: its Categories, and its Attributes with source and target"),
    new("TXT-12", Info, "an invocation: exactly one Category, of the class action"),
    new("TXT-13", Must, "a Kind, Mixin and Action are one Category each; an Action has no actions"),
    new("TXT-14", Info, "an entity collection: one location an instance"),
    new("TXT-15", Info, "a category collection: one Category an item"),
    new("TXT-16", Must, "the attributes of the core have their names, occi.core.id and so on"),
    new("TXT-17", Must, "rel of a Kind is its parent, of a Mixin the first that it depends on"),
    new("TXT-18", Must, "a pattern, if shown, is a POSIX ERE")
        .exempt("the grammar of a Category has no place for a pattern"),
];
