//! What belongs to others.

use crate::requests::URL;
use crate::told;
use occi_sdk::entities::{self, Entity};
use occi_sdk::{Attributes, Change, Read, Result, folder};

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

pub(crate) fn leave_the_private_folder() -> Result<Change> {
    let names = ["../note/x", "/etc/passwd", "..", ".", "", "a/b", "a\0b", ".new", "%2e%2e/x"];
    let reached = |name: &&str| folder::write(name, b"x").is_ok() || folder::read(name).is_ok();
    let reached: Vec<_> = names.into_iter().filter(reached).collect();
    folder::write("own", b"x")?;
    let all = folder::names()?;
    folder::remove("own")?;
    told(format!("reached {reached:?}; there is {all:?}"))
}

pub(crate) fn fill_the_private_folder() -> Result<Change> {
    let content = vec![1; 1 << 20];
    for number in 0.. {
        folder::write(&format!("file-{number}"), &content)?;
    }
    told("written without end")
}
