//! Which operation a method on a path means (HTTP section 6).

use crate::failure::Failure;
use axum::http::Method;
use axum::http::request::Parts;
use occi_model::{Draft, Filter, Location, Target};
use occi_operation::{Collection, Condition, Operation, Page, Place};

/// What the query of a URL says.
#[derive(Debug, Default)]
pub(crate) struct Query {
    action: Option<String>,
    page: Option<Page>,
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let (mut action, mut page, mut number) = (None, None, None);
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*key {
                "action" => action = Some(value.into_owned()),
                "page" => page = Some(count("page", &value)?),
                "number" => number = Some(count("number", &value)?),
                // Others are somebody else's; RFC 3986 gives no reason to refuse them.
                _ => {}
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
        Ok(Self { action, page })
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

/// The methods that a target has.
pub(crate) fn allowed(target: &Target) -> &'static [Method] {
    static ALL: [Method; 6] =
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE, Method::POST, Method::PUT];
    match target {
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
    path: Location,
    query: Query,
    draft: Draft,
    filter: Filter,
    condition: Condition,
) -> Result<Operation, Failure> {
    let Query { action, page } = query;
    let operation = match target {
        Target::Query => match (method, action) {
            (_, Some(_)) => return Err(Failure::BadRequest("the query interface has no actions".into())),
            (&Method::POST, None) => Operation::DefineTags(draft),
            (&Method::DELETE, None) => Operation::RemoveTags(draft),
            (_, None) => Operation::Query(filter),
        },
        Target::Entity(_) => match (method, action) {
            (&Method::POST, Some(term)) => Operation::Act { path, term, draft, condition },
            (_, Some(_)) => return Err(action_needs_post()),
            (&Method::POST, None) => Operation::Update { path, draft, condition },
            (&Method::PUT, None) => Operation::Put { path, draft, condition },
            (&Method::DELETE, None) => Operation::Delete { path, condition },
            (_, None) => Operation::Retrieve(path),
        },
        Target::Kind(kind) => {
            let id = kind.kind.id.clone();
            match (method, action) {
                (&Method::POST, Some(term)) => {
                    Operation::ActOnAll { collection: Collection::Kind(id), term, draft }
                }
                (_, Some(_)) => return Err(action_needs_post()),
                (&Method::POST, None) => Operation::Create { place: Place::Kind(id), draft },
                (&Method::DELETE, None) => Operation::DeleteAll(Collection::Kind(id)),
                (_, None) => Operation::List { collection: Collection::Kind(id), filter, page },
            }
        }
        Target::Mixin(mixin) => {
            let id = mixin.mixin.id.clone();
            match (method, action) {
                (&Method::POST, Some(term)) => {
                    Operation::ActOnAll { collection: Collection::Mixin(id), term, draft }
                }
                (_, Some(_)) => return Err(action_needs_post()),
                (&Method::POST, None) => Operation::Associate { mixin: id, draft },
                (&Method::PUT, None) => Operation::SetMembers { mixin: id, draft },
                (&Method::DELETE, None) => Operation::Dissociate { mixin: id, draft },
                (_, None) => Operation::List { collection: Collection::Mixin(id), filter, page },
            }
        }
        Target::Space(space) => {
            let collection = Collection::Space(space);
            match (method, action) {
                (&Method::POST, Some(term)) => Operation::ActOnAll { collection, term, draft },
                (_, Some(_)) => return Err(action_needs_post()),
                //
                (&Method::POST, None) if path.as_str() == "/" => {
                    Operation::Create { place: Place::Root, draft }
                }
                (&Method::POST, None) => {
                    let message = format!(
                        "nothing is created at {path}; send the entity to its Kind's location or to /"
                    );
                    return Err(Failure::BadRequest(message));
                }
                (&Method::DELETE, None) => Operation::DeleteAll(collection),
                (_, None) => Operation::List { collection, filter, page },
            }
        }
    };
    Ok(operation)
}

fn action_needs_post() -> Failure {
    Failure::BadRequest("an action is invoked by POST".into())
}
