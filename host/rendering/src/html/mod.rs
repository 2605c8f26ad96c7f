//! text/html, for people with a browser: written only. The pages are in `templates/`, which askama compiles and whose
//! values it escapes; there is no script in them and nothing that is loaded from elsewhere.

use crate::error::CannotRender;
use crate::json;
use crate::problem::MemberResult;
use askama::Template;
use occi_model::{Attribute, CategoryId, CategoryView, Class, Location, Representation, Value, View};
use std::sync::Arc;

/// What a browser is told to do with a page: to show it, whatever stands in it.
pub const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn to_body(representation: &Representation) -> Result<Vec<u8>, CannotRender> {
    match representation {
        Representation::Entity(view) => Ok(Entity { title: title(view), view }.render()?.into()),
        Representation::Collection(views) => listing("Entities", views),
        Representation::Created(views) => listing("Created", views),
        Representation::Categories(views) => {
            let categories = views.iter().map(Category::of).collect();
            Ok(Categories { title: "Categories", categories }.render()?.into())
        }
        Representation::Done => Ok(message("Done", "", &[])?.into()),
    }
}

/// A page with a sentence on it, and what became of each entity where it was about several.
pub(crate) fn message(title: &str, text: &str, results: &[MemberResult<'_>]) -> Result<String, CannotRender> {
    Ok(Message { title, text, results }.render()?)
}

/// What comes before the members of a collection.
pub(crate) fn listing_begin(title: &str) -> Result<String, CannotRender> {
    Ok(ListingBegin { title }.render()?)
}

/// One member of a collection.
pub(crate) fn listing_row(view: &View) -> Result<String, CannotRender> {
    Ok(ListingRow { view }.render()?)
}

/// What comes after the members of a collection.
pub(crate) fn listing_end(is_empty: bool) -> Result<String, CannotRender> {
    Ok(ListingEnd { is_empty }.render()?)
}

fn listing(title: &str, views: &[View]) -> Result<Vec<u8>, CannotRender> {
    let mut page = listing_begin(title)?;
    for view in views {
        page.push_str(&listing_row(view)?);
    }
    page.push_str(&listing_end(views.is_empty())?);
    Ok(page.into())
}

#[derive(Template)]
#[template(path = "entity.html")]
struct Entity<'a> {
    title: String,
    view: &'a View,
}

#[derive(Template)]
#[template(path = "listing_begin.html")]
struct ListingBegin<'a> {
    title: &'a str,
}

#[derive(Template)]
#[template(path = "listing_row.html")]
struct ListingRow<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "listing_end.html")]
struct ListingEnd {
    is_empty: bool,
}

#[derive(Template)]
#[template(path = "categories.html")]
struct Categories<'a> {
    title: &'static str,
    categories: Vec<Category<'a>>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
    results: &'a [MemberResult<'a>],
}

/// What the page shows of a category.
struct Category<'a> {
    class: Class,
    id: &'a CategoryId,
    title: Option<&'a str>,
    location: Option<&'a Location>,
    attributes: Vec<&'a Attribute>,
}

impl<'a> Category<'a> {
    fn of(view: &'a CategoryView) -> Self {
        match view {
            CategoryView::Kind(kind) => Self {
                class: Class::Kind,
                id: &kind.kind.id,
                title: kind.kind.title.as_deref(),
                location: kind.kind.location.as_ref(),
                attributes: kind.attributes.iter().map(Arc::as_ref).collect(),
            },
            CategoryView::Mixin(mixin) => Self {
                class: Class::Mixin,
                id: &mixin.mixin.id,
                title: mixin.mixin.title.as_deref(),
                location: Some(&mixin.mixin.location),
                attributes: mixin.attributes.iter().map(Arc::as_ref).collect(),
            },
            CategoryView::Action(action) => Self {
                class: Class::Action,
                id: &action.id,
                title: action.title.as_deref(),
                location: None,
                attributes: action.attributes.iter().collect(),
            },
        }
    }
}

fn title(view: &View) -> String {
    let entity = &view.entity;
    entity.title.clone().unwrap_or_else(|| format!("{} {}", entity.kind.term(), entity.id))
}

/// A category's place on the page of all: what may stand in a fragment as it is stays, the rest is a dash.
fn anchor(id: &CategoryId) -> String {
    id.as_str().replace(|char: char| !char.is_ascii_alphanumeric(), "-")
}

/// Whether a link's end can be gone to: a path of this server, or a page elsewhere. Whatever else a URI can be, such as
/// a script, is shown and no more.
fn is_link(uri: &str) -> bool {
    let is_path = uri.starts_with('/') && !uri.starts_with("//");
    is_path || uri.starts_with("http://") || uri.starts_with("https://")
}

/// A value as people write it.
fn shown(value: &Value) -> askama::Result<String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        other => json::value(other).map_err(|_| askama::Error::Fmt),
    }
}

#[cfg(test)]
mod tests;
