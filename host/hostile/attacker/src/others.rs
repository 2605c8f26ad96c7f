//! What belongs to others.

use crate::requests::URL;
use crate::told;
use occi_sdk::entities::{self, Entity};
use occi_sdk::{Attributes, Change, Read, Result};

pub(crate) fn read_entities(parameters: &Attributes) -> Result<Change> {
    let path = parameters.text(URL).unwrap_or_default();
    let paths =
        [&*path, "/extension/attacker", "/extension/note", "/note/", "/", "", "//", "/attacker/../note/"];
    let found: Vec<_> = paths.into_iter().filter(|path| Entity::open(path).is_ok()).collect();
    let kinds = [
        "http://example.com/occi/note#note",
        "http://example.org/occi/extension#extension",
        "http://schemas.ogf.org/occi/core#resource",
        "http://schemas.ogf.org/occi/core#entity",
    ];
    let listed = kinds.into_iter().filter(|kind| entities::members(kind).is_ok());
    told(format!("found {found:?}; listed {:?}", listed.collect::<Vec<_>>()))
}
