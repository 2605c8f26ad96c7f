//! The clauses of the OCCI 1.1 HTTP Rendering, GFD.185, which most clients speak. Version 1.2 declares itself backward
//! compatible with it; where it contradicts or softens a clause nevertheless, the title says so.

use super::Clause;
use super::Level::{self, May, Must, Should};

const fn new(id: &'static str, level: Level, title: &'static str) -> Clause {
    Clause::new(id, level, title)
}

pub(super) const CLAUSES: &[Clause] = &[
    new("H11-01", Must, "locations end with /, paths of entities do not"),
    new("H11-02", May, "any other path ends with / and lists what is below (1.2: MAY)"),
    new("H11-03", Should, "listings filter by Category and X-OCCI-Attribute (1.2: SHOULD)"),
    new("H11-04", Should, "a filtered query interface renders what was named completely (1.2: SHOULD)"),
    new("H11-05", Must, "the query interface is at /-/; well-known mirrors it"),
    new("H11-06", Must, "the query interface shows Kinds, Actions and Mixins, with attributes and actions"),
    new("H11-07", Must, "POST to the query interface adds a Mixin of term, scheme and location"),
    new("H11-08", Must, "DELETE removes a client's Mixin and its associations; a provider's: 403"),
    new("H11-09", Must, "GET of a collection lists it; an empty one is 200 or 204"),
    new("H11-10", Must, "an Action on a collection is one of that Kind or Mixin"),
    new("H11-11", Must, "a Mixin's collection takes X-OCCI-Location by POST, PUT and DELETE"),
    new("H11-12", Must, "batch operations are done whole or not at all"),
    new("H11-13", Must, "a creation has exactly one Kind"),
    new("H11-14", Must, "POST to a Kind's location creates and returns Location"),
    new("H11-15", May, "PUT creates at the client's path, or is refused with 400"),
    new("H11-16", Must, "200 has the full representation, 201 has Location"),
    new("H11-17", Must, "GET shows Kind, attributes, links and actions, those that apply now"),
    new("H11-18", Must, "POST updates only what is sent; the Kind cannot change"),
    new("H11-19", Must, "PUT replaces: what is missing goes, links stay, a new Link is 400"),
    new("H11-20", Must, "DELETE: 200 (1.2: or 204); of a link, both its ends are updated"),
    new("H11-21", Must, "an Action is invoked by its Category; one that is not available is refused"),
    new("H11-22", Must, "Links at creation make link instances"),
    new("H11-23", Must, "a resource shows the links that leave it, not those that come"),
    new("H11-24", Must, "a link made directly has Kind, source and target"),
    new("H11-25", Must, "text/plain where Accept says nothing; text/occi and text/uri-list as well"),
    new("H11-26", Must, "text/uri-list of what is no listing: 400"),
    new("H11-27", Must, "repeated lines and comma lists are taken, in text/occi and text/plain"),
    new("H11-28", May, "202 and a task for what takes long").exempt("a permission for servers"),
    new("H11-29", Must, "Server names OCCI/1.1; newer clients are answered 501"),
    new("H11-30", Must, "return codes: 400, 404, 405, 406 as they are meant"),
];
