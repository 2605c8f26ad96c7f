//! The clauses of OCCI 1.2 HTTP Protocol, GFD.223.

use super::Clause;
use super::Level::{self, Info, May, Must, Should};

const fn new(id: &'static str, level: Level, title: &'static str) -> Clause {
    Clause::new(id, level, title)
}

const CLIENT: &str = "asks it of clients";

pub(super) const CLAUSES: &[Clause] = &[
    new("HTTP-01", Info, "each Kind and Mixin has a location of its own"),
    new("HTTP-02", Must, "a location is a plain string or an RFC 6570 template"),
    new("HTTP-03", Must, "a Kind without instances (core#entity) has no location"),
    new("HTTP-04", May, "a path without a collection of its own is the union of those below"),
    new("HTTP-05", Should, "a client names OCCI media types in Accept").exempt(CLIENT),
    new("HTTP-06", Must, "a client names the type of its payload in Content-Type").exempt(CLIENT),
    new("HTTP-07", Should, "a client names its version in User-Agent").exempt(CLIENT),
    new("HTTP-08", Should, "the server lists its media types in Accept"),
    new("HTTP-09", Must, "every response names its OCCI format in Content-Type"),
    new("HTTP-10", Must, "every response names OCCI/1.2 in Server"),
    new("HTTP-11", Must, "a client of a higher version is answered 501"),
    new("HTTP-12", Should, "collections are paged by page and number"),
    new("HTTP-13", Must, "a number that is too large is answered 413"),
    new("HTTP-14", Must, "a page beyond the end is 200 and empty"),
    new("HTTP-15", Should, "the query interface filters by a Category in the headers"),
    new("HTTP-16", Should, "collections filter by Category and X-OCCI-Attribute in the headers"),
    new("HTTP-17", Info, "the collection of a Mixin is the filter by that Mixin"),
    new("HTTP-18", Must, "the query interface is at /-/; if well-known is used, at its one path"),
    new("HTTP-19", Must, "GET of the query interface: 200 and the categories"),
    new("HTTP-20", Must, "POST to the query interface adds a Mixin: 200"),
    new("HTTP-21", Must, "DELETE at the query interface removes a Mixin: 200"),
    new("HTTP-22", Info, "PUT to the query interface is not defined"),
    new("HTTP-23", Must, "GET of an entity: 200 and its rendering"),
    new("HTTP-24", Must, "PUT creates an entity: 201 and Location, or 200 and its rendering"),
    new("HTTP-25", Must, "PUT replaces an entity, whose links stay intact"),
    new("HTTP-26", Must, "POST updates an entity in part: 201 and Location, or 200 and its rendering"),
    new("HTTP-27", Must, "POST with ?action= invokes that Action: 200"),
    new("HTTP-28", Must, "DELETE of an entity: 200 or 204"),
    new("HTTP-29", Must, "GET of a collection: 200, also where it is empty"),
    new("HTTP-30", Must, "PUT replaces the members of a Mixin's collection, and is for no other"),
    new("HTTP-31", Must, "POST to a Kind's collection creates: 201 and where, or 200 and renderings"),
    new("HTTP-32", Must, "POST to a Mixin's collection associates: 200 and the collection"),
    new("HTTP-33", Must, "POST with ?action= on a collection: 200"),
    new("HTTP-34", Must, "DELETE of a Kind's collection deletes all instances: 200 or 204"),
    new("HTTP-35", Must, "DELETE on a Mixin's collection takes the Mixin off: 200; instances survive"),
    new("HTTP-36", Should, "TLS is used"),
    new("HTTP-37", Should, "authentication is by HTTP Basic or Digest"),
    new("HTTP-38", Should, "authorization rests on that authentication")
        .exempt("what a user may do is decided by the provider; one user's view does not show it"),
    new("HTTP-39", Should, "clients filter rather than fetch all").exempt(CLIENT),
];
