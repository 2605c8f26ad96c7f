//! The clauses of OCCI 1.2 Core, GFD.221.

use super::Clause;
use super::Level::{self, Info, May, Must};

const fn new(id: &'static str, level: Level, title: &'static str) -> Clause {
    Clause::new(id, level, title)
}

pub(super) const CLAUSES: &[Clause] = &[
    new("CORE-01", Must, "the core types are there: the Kinds entity, resource and link"),
    new("CORE-02", Must, "a mutable attribute is given at creation and updated by clients"),
    new("CORE-03", Must, "immutable attributes are managed by the server alone"),
    new("CORE-04", Must, "a client never modifies an immutable attribute"),
    new("CORE-05", Must, "a Category has a term and a scheme, which is a URI"),
    new("CORE-06", Must, "scheme and term together identify a type"),
    new("CORE-07", Must, "the base http://schemas.ogf.org/occi/ is not for categories of others"),
    new("CORE-08", Must, "an Attribute has name, type, mutable and required"),
    new("CORE-09", Must, "attribute names of other domains do not start with occi."),
    new("CORE-10", Must, "the properties of an attribute are discoverable"),
    new("CORE-11", Must, "a required attribute is given at creation"),
    new("CORE-12", May, "a pattern restricts an attribute's values"),
    new("CORE-13", Must, "Kind is not sub-typed").exempt("about the model; no answer can show it"),
    new("CORE-14", Must, "a type has exactly one Kind, unique"),
    new("CORE-15", Must, "an instance keeps its Kind for life"),
    new("CORE-16", Must, "a Kind exposes the attributes and actions of its instances"),
    new("CORE-17", Must, "every Kind descends from core#entity, and inherits from its parent"),
    new("CORE-18", Must, "a Kind shows its parent and its actions"),
    new("CORE-19", Info, "the bare model has exactly three Kinds, and no mixins")
        .exempt("about a server without any extension; CORE-01 looks for the three Kinds"),
    new("CORE-20", Must, "Mixin is not sub-typed").exempt("about the model; no answer can show it"),
    new("CORE-21", Must, "limits of a Mixin stand in applies; without them it fits any instance"),
    new("CORE-22", Must, "a Mixin that does not apply is a bad request (400)"),
    new("CORE-23", Must, "Mixins are associated with instances only, never with types"),
    new("CORE-24", Must, "a Mixin holds no attribute values"),
    new("CORE-25", Must, "the attributes that a Mixin adds are exposed by it"),
    new("CORE-26", Info, "a Mixin brings the capabilities of those that it depends on"),
    new("CORE-27", Info, "a Mixin without attributes and actions is a tag"),
    new("CORE-28", Must, "each Action belongs to exactly one Kind or Mixin"),
    new("CORE-29", May, "an Action is invoked on an instance of its Kind or Mixin"),
    new("CORE-30", May, "an Action on a collection is valid only if all members have it"),
    new("CORE-31", Info, "names of action parameters are exempt from the rules for attribute names")
        .exempt("a permission for providers"),
    new("CORE-32", Must, "a creation names its Kind by term and scheme"),
    new("CORE-33", May, "a creation names any number of Mixins"),
    new("CORE-34", May, "a Mixin gives defaults, which win over those of the Kind"),
    new("CORE-35", May, "Mixins with the same parent replace, refuse or bear each other")
        .exempt("the provider decides from case to case"),
    new("CORE-36", Must, "a collection is fetched whole, by item, and in part"),
    new("CORE-37", Info, "a Kind and a Mixin each define a collection; that of a Mixin may be mixed"),
    new("CORE-38", Must, "Kinds, Mixins, Actions, their attributes and relations are discoverable"),
    new("CORE-39", Must, "every instance has an id, a valid URI, unique"),
    new("CORE-40", Info, "core#entity has no instances"),
    new("CORE-41", Must, "an instance exposes its Kind, its Mixins, and the attributes and actions of both"),
    new("CORE-42", Must, "a Link that is taken from its resource is destroyed"),
    new("CORE-43", Must, "a Link's source is inside the provider's namespace, its target anywhere"),
    new("CORE-44", May, "target.kind states the Kind of the target"),
    new("CORE-45", Must, "a category of another domain has a scheme of its own, a URI"),
    new("CORE-46", May, "only Resource and Link are sub-typed"),
    new("CORE-47", Must, "clients create and destroy Mixins of their own"),
    new("CORE-48", Must, "authorization is a matter of the rendering, a profile or the implementation")
        .exempt("names who decides, and asks nothing"),
];
