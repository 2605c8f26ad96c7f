//! The clauses of the Compute Resource Templates Profile, GFD.222, under its own numbers.

use super::Clause;
use super::Level::{self, May, Must};

const fn new(id: &'static str, level: Level, title: &'static str) -> Clause {
    Clause::new(id, level, title)
}

pub(super) const CLAUSES: &[Clause] = &[
    new("R0301", Must, "the Kind compute is supported"),
    new("R0302", Must, "a compute never has more than one template of the profile"),
    new("R0303", Must, "the Mixin resource_tpl is supported"),
    new("R0304", Must, "the attributes of a template hold all that is needed to size a compute"),
    new("R0305", Must, "a template sizes a compute to its values, at creation and later"),
    new("R0306", Must, "small: 1 core, 1 GiB of memory, 10 GiB of storage"),
    new("R0307", Must, "medium: 2 cores, 2 GiB of memory, 20 GiB of storage"),
    new("R0308", Must, "large: 4 cores, 4 GiB of memory, 40 GiB of storage"),
    new("R0309", May, "mem_small: 1 core, 4 GiB of memory, 10 GiB of storage"),
    new("R0310", May, "mem_medium: 2 cores, 8 GiB of memory, 20 GiB of storage"),
    new("R0311", May, "mem_large: 4 cores, 16 GiB of memory, 40 GiB of storage"),
    new("R0401", Must, "every response claims conformance with the profile, in Server"),
    new("R0402", Must, "a claim is a token and a version, with a slash between"),
    new("R0403", Must, "the token of the base claim is OCCI-CRTP"),
    new("R0404", Must, "the token OCCI-CRTP-EP is only claimed with all templates, the conditional too"),
    new("R0405", Must, "the version that is claimed is 1.1"),
];
