//! The text renderings (GFD.229): text/plain and text/occi hold the same elements, the one as lines of the body, the
//! other as headers.
//!
//! The grammar is read by a small hand-written scanner, not by the parser combinators that one would reach for:
//! every element is decided by its next character, so that nothing is ever read twice, and each place that can fail
//! says in its own words what it expected. Combinators would take back those words at each alternative.

mod attribute;
mod category;
mod link;
mod read;
mod scanner;
mod structured;
mod write;

pub(crate) use read::{parse_body, parse_filter, parse_headers, utf8};
pub use structured::{restore_filter, restore_structured};
pub(crate) use write::{to_body, to_headers};

/// The four lines of the text renderings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    Category,
    Link,
    Attribute,
    Location,
}

impl Header {
    const ALL: [Self; 4] = [Self::Category, Self::Link, Self::Attribute, Self::Location];

    /// As text/plain has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Category => "Category",
            Self::Link => "Link",
            Self::Attribute => "X-OCCI-Attribute",
            Self::Location => "X-OCCI-Location",
        }
    }

    /// As the headers of an answer have it.
    pub(crate) const fn lower_case_name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Link => "link",
            Self::Attribute => "x-occi-attribute",
            Self::Location => "x-occi-location",
        }
    }

    /// The right form, for messages.
    const fn form(self) -> &'static str {
        match self {
            Self::Category => r#"Category: term; scheme="http://example.com/occi#"; class="kind""#,
            Self::Link => {
                r#"Link: </path>; rel="<Kind of the target>"; category="<Kind of the link>"; name="value""#
            }
            Self::Attribute => r#"X-OCCI-Attribute: name="text" (or name=1.5, or name=true)"#,
            Self::Location => "X-OCCI-Location: http://example.com/path",
        }
    }

    /// The one of that name, in any case (Q-08).
    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|header| header.name().eq_ignore_ascii_case(name))
    }
}
