//! OCCI Core's own Kinds (CORE section 2) as data, and the names of their attributes (TXT-16). They are all the Kinds
//! that the host knows.

use crate::attribute::{Attribute, Constraint, ValueType};
use crate::category::Kind;
use crate::identifier::{AttributeName, CategoryId, InvalidIdentifier, Location};

/// The scheme of OCCI Core.
pub const SCHEME: &str = "http://schemas.ogf.org/occi/core#";
/// What the standard keeps for itself: clients define no category below it (CORE-07).
pub const RESERVED: &str = "http://schemas.ogf.org/";
/// The type identifier of Entity.
pub const ENTITY: &str = "http://schemas.ogf.org/occi/core#entity";
/// The type identifier of Resource.
pub const RESOURCE: &str = "http://schemas.ogf.org/occi/core#resource";
/// The type identifier of Link.
pub const LINK: &str = "http://schemas.ogf.org/occi/core#link";

/// Entity.id
pub const ID: &str = "occi.core.id";
/// Entity.title
pub const TITLE: &str = "occi.core.title";
/// Resource.summary
pub const SUMMARY: &str = "occi.core.summary";
/// Link.source
pub const SOURCE: &str = "occi.core.source";
/// The Kind of a link's source; derived.
pub const SOURCE_KIND: &str = "occi.core.source.kind";
/// Link.target
pub const TARGET: &str = "occi.core.target";
/// Link.target.kind
pub const TARGET_KIND: &str = "occi.core.target.kind";

/// Whether it is one of the names above, which an entity holds in fields of their own.
pub fn is_core(name: &str) -> bool {
    matches!(name, ID | TITLE | SUMMARY | SOURCE | SOURCE_KIND | TARGET | TARGET_KIND)
}

/// Entity, Resource and Link.
pub fn kinds() -> Result<Vec<Kind>, InvalidIdentifier> {
    let kind = |term, title: &str, parent: Option<&str>, location: Option<&str>, attributes| {
        Ok(Kind {
            id: CategoryId::new(SCHEME, term)?,
            title: Some(title.into()),
            parent: parent.map(CategoryId::parse).transpose()?,
            attributes,
            actions: Vec::new(),
            location: location.map(Location::parse).transpose()?,
            states: None,
            console: None,
        })
    };
    let attribute = |name, mutable, required, description: &str| {
        Ok(Attribute {
            name: AttributeName::parse(name)?,
            value_type: ValueType::String,
            mutable,
            required,
            default: None,
            constraint: Constraint::default(),
            description: Some(description.into()),
        })
    };
    Ok(vec![
        kind(
            "entity",
            "Entity",
            None,
            None,
            vec![
                // The server makes it up, so a client need not give it though it is always there.
                attribute(ID, false, true, "The identifier, a URI")?,
                attribute(TITLE, true, false, "A name for people")?,
            ],
        )?,
        kind(
            "resource",
            "Resource",
            Some(ENTITY),
            Some("/resource/"),
            vec![attribute(SUMMARY, true, false, "A summary for people")?],
        )?,
        kind(
            "link",
            "Link",
            Some(ENTITY),
            Some("/link/"),
            vec![
                attribute(SOURCE, true, true, "The resource that the link leaves")?,
                attribute(SOURCE_KIND, false, false, "The Kind of the source")?,
                attribute(TARGET, true, true, "Where the link leads")?,
                attribute(TARGET_KIND, true, false, "The Kind of the target")?,
            ],
        )?,
    ])
}
