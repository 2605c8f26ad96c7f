//! What a client asks for, as its rendering said it and with nothing checked against the registry yet. Every parser
//! ends here, and every operation begins here; no operation can tell which rendering was spoken.

use crate::category::Class;
use crate::entity::Attributes;
use crate::identifier::CategoryId;

/// The content of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// What is described: one thing in the text renderings, any number in JSON. An item is an entity, an action's
    /// invocation or a list of categories; which of them, the operation says.
    pub items: Vec<Item>,
    /// Entities that are named only: X-OCCI-Location lines, uri-list lines.
    pub locations: Vec<String>,
}

/// One described thing.
///
/// An entity's Kind and Mixins, and an action, are categories; the attributes of OCCI Core (`occi.core.id`, `.title`,
/// `.summary`, `.source`, `.target`, `.target.kind`) stand among the attributes, whatever form they had.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item {
    /// In the order given.
    pub categories: Vec<CategoryDraft>,
    /// By name, each at most once.
    pub attributes: Attributes,
    /// Links that leave this resource.
    pub links: Vec<Item>,
    /// The actions that the rendering showed as applicable. They are never a wish.
    pub actions: Vec<CategoryId>,
    /// The path of the entity itself (a Link line's `self`).
    pub location: Option<String>,
    /// That it stands among the links of a collection in JSON (JSON-06), whatever else is said of it.
    pub is_link: bool,
}

/// A category as it was written: often only an identifier, sometimes the definition of a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryDraft {
    /// The type identifier.
    pub id: CategoryId,
    /// Missing where a client leaves it out.
    pub class: Option<Class>,
    /// For people.
    pub title: Option<String>,
    /// `rel` of a text rendering, `depends` or `parent` of JSON (TXT-17).
    pub related: Vec<CategoryId>,
    /// `applies` of JSON.
    pub applies: Vec<CategoryId>,
    /// Where its collection shall be.
    pub location: Option<String>,
    /// Whether attributes or actions were declared; a tag has neither (H11-07).
    pub has_content: bool,
}

impl CategoryDraft {
    /// An identifier alone.
    pub fn new(id: CategoryId, class: Option<Class>) -> Self {
        Self {
            id,
            class,
            title: None,
            related: Vec::new(),
            applies: Vec::new(),
            location: None,
            has_content: false,
        }
    }
}
