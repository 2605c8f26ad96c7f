//! The clauses of OCCI 1.2 Infrastructure, GFD.224.

use super::Clause;
use super::Level::{self, Info, May, Must, Should};

const fn new(id: &'static str, level: Level, title: &'static str) -> Clause {
    Clause::new(id, level, title)
}

pub(super) const CLAUSES: &[Clause] = &[
    new("INF-01", May, "any of the five Kinds are implemented; those that are can be discovered"),
    new(
        "INF-02",
        Must,
        "each Kind has its parent, core#resource or core#link, and is not for clients to change",
    ),
    new("INF-03", Must, "an instance uses and exposes its Kind"),
    new("INF-04", Must, "attributes are as their table has them; those of multiplicity 1 are always there"),
    new(
        "INF-05",
        Must,
        "compute, network and storage expose their actions, which lead to their target states",
    ),
    new("INF-06", Must, "save makes an OS template for an independent copy, and is answered with it"),
    new("INF-07", Must, "ipnetwork has its term and scheme, applies to network, and brings its attributes"),
    new("INF-08", Must, "ipnetworkinterface applies to networkinterface, and brings its attributes"),
    new("INF-09", Should, "a StorageLink is not used to pick an operating system")
        .exempt("asks it of clients"),
    new("INF-10", Should, "the deviceid of a StorageLink to CDMI storage is the CDMI object's id")
        .exempt("no answer tells which storage is managed by CDMI"),
    new(
        "INF-11",
        Must,
        "OS templates depend on os_tpl, which is there if any is offered, and are used by name",
    ),
    new("INF-12", May, "an OS template gives defaults to what it is used for"),
    new("INF-13", Must, "another OS template replaces the old one at once, or is an error"),
    new("INF-14", Info, "an assigned resource template overrides the sizes that an instance carries"),
    new("INF-15", Should, "a resource template shows its attributes with their defaults"),
    new(
        "INF-16",
        Must,
        "resource templates depend on resource_tpl, which is there, and are supported if offered",
    ),
    new("INF-17", Must, "another resource template replaces the old one at once, and resizes the instance"),
    new("INF-18", Must, "ssh_key applies to compute only, and its attribute is exposed"),
    new("INF-19", Must, "user_data applies to compute only, and its attribute is exposed"),
];
