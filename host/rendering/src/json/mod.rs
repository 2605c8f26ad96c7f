//! application/occi+json (GFD.226), which application/json is taken for too.

mod document;
mod members;
mod read;
mod write;

pub(crate) use document::read as parse_value;
pub(crate) use read::parse;
pub(crate) use write::{entity, to_body, value};
