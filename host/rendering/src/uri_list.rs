//! text/uri-list (RFC 2483): one URI a line. Only listings have such a form (TXT-07, TXT-08).

use crate::error::{CannotRender, Malformed, Place};
use crate::limit::Budget;
use occi_model::{Draft, Location, Representation};

pub(crate) fn parse(body: &[u8]) -> Result<Draft, Malformed> {
    let body = crate::text::utf8(body)?;
    let mut draft = Draft::default();
    let mut budget = Budget::new();
    for (index, line) in body.lines().enumerate() {
        let line = line.trim();
        // RFC 2483, section 5: a line that begins so is a comment.
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        budget.spend(|problem| Malformed { place: Place::Body { line: index + 1, column: 1 }, problem })?;
        draft.locations.push(line.into());
    }
    Ok(draft)
}

pub(crate) fn to_body(representation: &Representation, base: &str) -> Result<String, CannotRender> {
    let mut body = String::new();
    let mut line = |location: &Location| {
        body.push_str(base);
        body.push_str(location.as_str());
        body.push_str("\r\n");
    };
    match representation {
        Representation::Collection(views) | Representation::Created(views) => {
            for view in views {
                line(&view.entity.location);
            }
        }
        Representation::Done => {}
        Representation::Entity(_) | Representation::Categories(_) => return Err(CannotRender::NotAListing),
    }
    Ok(body)
}
