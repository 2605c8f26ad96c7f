//! Which operation a method on a path means (HTTP section 6).

use crate::failure::Failure;
use axum::http::Method;
use axum::http::request::Parts;
use occi_model::{AttributeName, CategoryId, Draft, Filter, Location, Target, Value};
use occi_operation::{Change, Collection, Condition, Operation, Page, Place};
use std::collections::HashSet;

/// What the query of a URL says.
#[derive(Debug, Default)]
pub(crate) struct Query {
    action: Option<String>,
    page: Option<Page>,
    /// Beyond the standard: what headers filter by, for clients that cannot send them.
    filter: Filter,
    /// A parameter that means nothing here.
    unknown: Option<String>,
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let (mut action, mut page, mut number) = (None, None, None);
        let (mut filter, mut unknown) = (Filter::default(), None);
        let mut seen = HashSet::new();
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if matches!(&*key, "action" | "page" | "number") && !seen.insert(key.clone()) {
                return Err(Failure::BadRequest(format!("the query says `{key}` twice; say it once")));
            }
            match &*key {
                "action" => action = Some(value.into_owned()),
                "page" => page = Some(count("page", &value)?),
                "number" => number = Some(count("number", &value)?),
                "category" => filter.categories.push(category(&value)?),
                "attribute" => filter.attributes.push(attribute(&value)?),
                // Others are somebody else's; where nothing is changed, RFC 3986 gives no reason to refuse them.
                _ => unknown = unknown.or(Some(key.into_owned())),
            }
        }
        let page = match (page, number) {
            (Some(page), Some(number)) => Some(Page { page, number }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let message = "`page` and `number` go together, such as ?page=1&number=20";
                return Err(Failure::BadRequest(message.into()));
            }
        };
        Ok(Self { action, page, filter, unknown })
    }
}

fn count(name: &str, value: &str) -> Result<usize, Failure> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return Err(Failure::BadRequest(format!(
            "`{name}` is a whole number from 1, not `{}`",
            value.escape_debug()
        )));
    }
    // More digits than a number here has are more than any collection has.
    Ok(value.parse().unwrap_or(usize::MAX))
}

fn category(value: &str) -> Result<CategoryId, Failure> {
    CategoryId::parse(value).map_err(|error| {
        Failure::BadRequest(format!(
            "`category` is a type identifier, such as ?category=http%3A%2F%2Fexample.com%2Fkinds%23lamp: {error}"
        ))
    })
}

/// Whatever the attribute's type is: a text that reads as its value is equal to it.
fn attribute(value: &str) -> Result<(AttributeName, Value), Failure> {
    let Some((name, value)) = value.split_once('=') else {
        let message = "`attribute` is a name and a value, such as ?attribute=occi.core.title%3Dweb";
        return Err(Failure::BadRequest(message.into()));
    };
    let name = AttributeName::parse(name).map_err(|error| Failure::BadRequest(error.to_string()))?;
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Ok((name, unquoted.unwrap_or(value).into()))
}

/// The methods that a target has.
pub(crate) fn allowed(target: &Target) -> &'static [Method] {
    static ALL: [Method; 6] =
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE, Method::POST, Method::PUT];
    match target {
        Target::Console(_) => &ALL[..3],
        Target::Mixin(_) | Target::Entity(_) => &ALL,
        // An action may be invoked on all entities below any path; they are created at the root.
        Target::Query | Target::Kind(_) | Target::Space(_) => &ALL[..5],
    }
}

/// What a GET's headers narrow its answer to (HTTP-15, HTTP-16).
pub(crate) fn filter(parts: &Parts) -> Result<Filter, Failure> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Ok(Filter::default());
    }
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Ok(occi_rendering::parse_filter(headers)?)
}

/// The operation. The method is one of those that the target has.
pub(crate) fn route(
    method: &Method,
    target: Target,
    path: &Location,
    query: Query,
    draft: Draft,
    mut filter: Filter,
    condition: Condition,
) -> Result<Operation, Failure> {
    let Query { action, page, filter: more, unknown } = query;
    if action.is_some() && matches!(target, Target::Query) {
        return Err(Failure::BadRequest("the query interface has no actions".into()));
    }
    if action.is_some() && method != Method::POST {
        return Err(Failure::BadRequest("an action is invoked by POST".into()));
    }
    if !method.is_safe() {
        if let Some(unknown) = unknown {
            // It may be a filter, misspelt or another server's, and what it was to spare would be changed.
            return Err(Failure::BadRequest(format!(
                "the query parameter `{}` is not known here; a request that changes something may say `action` alone",
                unknown.escape_debug()
            )));
        }
        if page.is_some() || !more.is_empty() {
            // To change all of them, as if nothing had been said, could not be taken back.
            let message = "`category`, `attribute`, `page` and `number` narrow what a GET shows, not what is changed; \
                           GET the members, then change each at its own path";
            return Err(Failure::BadRequest(message.into()));
        }
        return change(method, target, path, action, draft, condition).map(Operation::Change);
    }
    filter.categories.extend(more.categories);
    filter.attributes.extend(more.attributes);
    let list = |collection, filter| Operation::List { collection, filter, page };
    Ok(match target {
        // HTTP-15, HTTP-16: categories filter categories. Who filters by a value, and is not heard, would be shown all.
        Target::Query if !filter.attributes.is_empty() => {
            return Err(Failure::BadRequest(
                "the query interface shows categories, which have no values, and is filtered by `Category` alone; entities \
                 are filtered by `X-OCCI-Attribute` at their collection"
                    .into(),
            ));
        }
        Target::Query => Operation::Query(filter),
        Target::Entity(_) => Operation::Retrieve(path.clone()),
        Target::Console(entity) => Operation::Console(entity),
        Target::Kind(kind) => list(Collection::Kind(kind.kind.id.clone()), filter),
        Target::Mixin(mixin) => list(Collection::Mixin(mixin.mixin.id.clone()), filter),
        Target::Space(space) => list(Collection::Space(space), filter),
    })
}

fn change(
    method: &Method,
    target: Target,
    path: &Location,
    action: Option<String>,
    draft: Draft,
    condition: Condition,
) -> Result<Change, Failure> {
    let collection = match target {
        Target::Entity(_) => {
            let path = path.clone();
            return Ok(match (method, action) {
                (_, Some(term)) => Change::Act { path, term, draft, condition },
                (&Method::PUT, None) => Change::Put { path, draft, condition },
                (&Method::DELETE, None) if draft != Draft::default() => {
                    return Err(Failure::BadRequest(format!(
                        "DELETE of {path} deletes the entity, and takes neither a body nor headers that say what of it; to \
                         take a mixin off it, send DELETE with its location to the mixin's own"
                    )));
                }
                (&Method::DELETE, None) => Change::Delete { path, condition },
                (_, None) => Change::Update { path, draft, condition },
            });
        }
        Target::Console(_) => {
            return Err(Failure::MethodNotAllowed { method: method.clone(), allowed: allowed(&target) });
        }
        Target::Query if method == Method::DELETE => return Ok(Change::RemoveTags(draft)),
        Target::Query => return Ok(Change::DefineTags(draft)),
        Target::Kind(kind) => Collection::Kind(kind.kind.id.clone()),
        Target::Mixin(mixin) => Collection::Mixin(mixin.mixin.id.clone()),
        Target::Space(space) => Collection::Space(space),
    };
    Ok(match (collection, method, action) {
        (collection, _, Some(term)) => Change::ActOnAll { collection, term, draft },
        (Collection::Mixin(mixin), &Method::DELETE, None) => Change::Dissociate { mixin, draft },
        (Collection::Mixin(mixin), &Method::PUT, None) => Change::SetMembers { mixin, draft },
        (Collection::Mixin(mixin), _, None) => Change::Associate { mixin, draft },
        // To take members in, or to let them go; a PUT is not possible either.
        (Collection::Space(_), _, None) if !draft.locations.is_empty() && path.as_str() != "/" => {
            return Err(Failure::NoCollection(path.clone()));
        }
        (_, &Method::DELETE, None) if draft != Draft::default() => {
            return Err(Failure::BadRequest(format!(
                "DELETE of {path} deletes all that is there, and takes neither a body nor headers that say which; send \
                 DELETE to each entity's own path instead"
            )));
        }
        (collection, &Method::DELETE, None) => Change::DeleteAll(collection),
        (Collection::Kind(kind), _, None) => Change::Create { place: Place::Kind(kind), draft },
        //
        (Collection::Space(_), _, None) if path.as_str() == "/" => {
            Change::Create { place: Place::Root, draft }
        }
        (Collection::Space(_), _, None) => Change::Create { place: Place::Other(path.clone()), draft },
    })
}
