//! What must hold of the renderings, whatever is read or written. The fuzz targets and the crate's own tests both use
//! this file, so that they hold it to the same.

use http::StatusCode;
use occi_model::{
    AttributeName, Attributes, CategoryDraft, CategoryId, CategoryView, Class, Draft, Ends, Entity, Filter,
    Item, Location, Mixin, Origin, Registry, Representation, Value, View, core,
};
use occi_rendering::{
    CannotRender, Listing, MAX_HEADERS, MediaType, Rendered, content_type, negotiate, parse, parse_filter,
    render, render_error,
};
use std::sync::Arc;
use uuid::Uuid;

/// The base URL that is written here.
pub const BASE: &str = "http://example.com:8787";

/// The media types that can say what an entity is.
const IN_FULL: [MediaType; 3] = [MediaType::TextPlain, MediaType::TextOcci, MediaType::OcciJson];

/// A request is refused, or read; whatever was read can be written, and is then read as the same.
pub fn request(media_type: MediaType, headers: &[(&str, &[u8])], body: &[u8]) {
    let draft = match parse(media_type, headers.iter().copied(), body) {
        Ok(draft) => draft,
        Err(malformed) => {
            assert!(!malformed.problem.is_empty());
            refused(&malformed.to_string());
            return;
        }
    };
    for item in &draft.items {
        defined(&item.categories);
        if let Some(view) = entity(item, true) {
            written(&view);
        }
    }
    let locations: Vec<_> = draft.locations.iter().filter_map(|path| Location::parse(path).ok()).collect();
    listed(&locations);
}

/// An entity is read as it was written, in each rendering that can hold it.
pub fn written(view: &View) {
    for media_type in IN_FULL {
        let rendered = match render(media_type, &Representation::Entity(view.clone()), BASE) {
            Err(CannotRender::TooLarge { needed }) => {
                assert!(media_type == MediaType::TextOcci && needed > MAX_HEADERS);
                continue;
            }
            other => other.expect("an entity has this form"),
        };
        let draft = read(media_type, &rendered);
        assert_eq!(
            draft,
            Draft { items: vec![expected(view, media_type)], locations: Vec::new() },
            "{rendered:?}"
        );
    }
    let collection = Representation::Collection(vec![view.clone()]);
    let draft =
        read(MediaType::OcciJson, &render(MediaType::OcciJson, &collection, BASE).expect("a collection"));
    assert_eq!(draft.items, [Item { is_link: view.entity.is_link(), ..expected(view, MediaType::OcciJson) }]);
    listed(std::slice::from_ref(&view.entity.location));
}

/// Tags, such as the categories could define, are read as they were written. Not all can be together in a registry.
pub fn defined(categories: &[CategoryDraft]) {
    let tag = |category: &CategoryDraft| {
        Some(Mixin {
            id: category.id.clone(),
            title: category.title.clone(),
            depends: category.related.clone(),
            applies: category.applies.clone(),
            attributes: Vec::new(),
            actions: Vec::new(),
            location: Location::parse(category.location.as_deref()?).ok()?,
            origin: Origin::Client,
            exclusive: false,
        })
    };
    let tags: Vec<_> = categories.iter().filter_map(tag).collect();
    let Ok(registry) = Registry::new(Vec::new(), &tags, Vec::new()) else { return };
    let views: Vec<_> =
        registry.mixins().iter().map(|mixin| CategoryView::Mixin(Arc::clone(mixin))).collect();
    if views.is_empty() {
        return;
    }
    for media_type in IN_FULL {
        let rendered = match render(media_type, &Representation::Categories(views.clone()), BASE) {
            Err(CannotRender::TooLarge { .. }) if media_type == MediaType::TextOcci => continue,
            rendered => rendered.expect("categories have this form"),
        };
        let json = media_type == MediaType::OcciJson;
        let expected = |tag: &Mixin| CategoryDraft {
            id: tag.id.clone(),
            class: Some(Class::Mixin),
            title: tag.title.clone(),
            // TXT-17: the first alone.
            related: tag.depends.iter().take(if json { usize::MAX } else { 1 }).cloned().collect(),
            applies: if json { tag.applies.clone() } else { Vec::new() },
            location: Some(tag.location.to_string()),
            has_content: false,
        };
        let categories = registry.mixins().iter().map(|mixin| expected(&mixin.mixin)).collect();
        let item = Item { categories, ..Item::default() };
        assert_eq!(read(media_type, &rendered), Draft { items: vec![item], locations: Vec::new() });
    }
}

/// A filter is refused, or read; an entity that has just what it asks for says the same in its headers.
pub fn filter(headers: &[(&str, &[u8])]) {
    let filter = match parse_filter(headers.iter().copied()) {
        Ok(filter) => filter,
        Err(malformed) => return refused(&malformed.to_string()),
    };
    let resource = CategoryId::parse(core::RESOURCE).expect("a Kind of OCCI Core");
    let ids = if filter.categories.is_empty() { vec![resource] } else { filter.categories };
    let categories = ids.into_iter().map(|id| CategoryDraft::new(id, None)).collect();
    let attributes = filter.attributes.into_iter().collect();
    let Some(view) = entity(&Item { categories, attributes, ..Item::default() }, false) else { return };
    let Ok(rendered) = render(MediaType::TextOcci, &Representation::Entity(view.clone()), BASE) else {
        return;
    };
    let Item { categories, attributes, .. } = expected(&view, MediaType::TextOcci);
    let expected = Filter {
        categories: categories.into_iter().map(|category| category.id).collect(),
        attributes: attributes.into_iter().collect(),
    };
    let headers = rendered.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    assert_eq!(parse_filter(headers), Ok(expected), "{rendered:?}");
}

/// The values of Accept or Content-Type headers mean the same in one header (RFC 9110, section 5.3), and a type that
/// they mean is meant by its own name.
pub fn negotiated(values: &[&[u8]]) {
    let joined = values.join(&b',');
    let accepted = negotiate(values);
    assert_eq!(accepted, negotiate([&joined]));
    let sent = content_type(values);
    assert_eq!(sent.is_ok(), content_type([&joined]).is_ok(), "{sent:?}");
    if let Err(unsupported) = &sent {
        refused(&unsupported.to_string());
    }
    for meant in [accepted.ok(), sent.unwrap_or_default()].into_iter().flatten() {
        assert_eq!(negotiate([meant.name()]), Ok(meant));
        assert_eq!(content_type([meant.name()]).ok(), (meant != MediaType::Html).then_some(Some(meant)));
    }
}

/// Whatever of a request a message quotes, it is one line of text, and a JSON string that says the same.
fn refused(message: &str) {
    for media_type in MediaType::ALL {
        let rendered = render_error(media_type, StatusCode::BAD_REQUEST, message, &[]);
        if matches!(media_type, MediaType::OcciJson | MediaType::Json) {
            let problem: serde_json::Value = serde_json::from_slice(&rendered.body).expect("a JSON text");
            assert_eq!(problem["detail"], message);
        } else {
            let line = rendered.body.strip_suffix(b"\r\n").expect("the end of a line");
            assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "{message:?}");
        }
    }
}

/// A listing is read as its absolute locations.
pub fn listed(locations: &[Location]) {
    let expected: Vec<_> = locations.iter().map(|path| format!("{BASE}{path}")).collect();
    for media_type in [MediaType::TextPlain, MediaType::TextOcci, MediaType::UriList] {
        match list(media_type, locations) {
            Err(CannotRender::TooLarge { .. }) => assert_eq!(media_type, MediaType::TextOcci),
            rendered => {
                let draft = read(media_type, &rendered.expect("a listing has this form"));
                assert_eq!(draft, Draft { items: Vec::new(), locations: expected.clone() });
            }
        }
    }
}

fn list(media_type: MediaType, locations: &[Location]) -> Result<Rendered, CannotRender> {
    let mut listing = Listing::new(media_type, BASE);
    locations.iter().try_for_each(|location| listing.location(location))?;
    listing.end().unwrap();
    Ok(listing.into_rendered())
}

/// Headers from lines, as a fuzz target has them.
pub fn headers(lines: &[u8]) -> Vec<(&str, &[u8])> {
    let split = |line: &'_ [u8]| line.iter().position(|&byte| byte == b':');
    lines
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let colon = split(line)?;
            Some((std::str::from_utf8(&line[..colon]).ok()?, line[colon + 1..].trim_ascii()))
        })
        .collect()
}

/// A header's values from lines, as a fuzz target has them.
pub fn values(lines: &[u8]) -> Vec<&[u8]> {
    lines.split(|&byte| byte == b'\n').collect()
}

/// Reads what was written.
pub fn read(media_type: MediaType, rendered: &Rendered) -> Draft {
    assert_eq!(rendered.content_type, media_type.name());
    for (name, value) in &rendered.headers {
        let legal = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        assert!(value.bytes().all(legal), "{name}: {value:?} is no header value");
    }
    let headers = rendered.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    parse(media_type, headers, &rendered.body).unwrap_or_else(|error| panic!("{error} in {rendered:?}"))
}

/// What an entity is as an item: all that the rendering shows of it.
pub fn expected(view: &View, media_type: MediaType) -> Item {
    let json = media_type == MediaType::OcciJson;
    let mut item = item(&view.entity, json);
    item.actions.clone_from(&view.actions);
    for link in &view.links {
        item.links.push(if json {
            expected(link, media_type)
        } else {
            let mut shown = self::item(&link.entity, json);
            // A Link line does not say which of its categories is the Kind, and names itself.
            shown.categories.iter_mut().for_each(|category| category.class = None);
            shown.location = Some(link.entity.location.to_string());
            shown
        });
    }
    item
}

fn item(entity: &Entity, json: bool) -> Item {
    let name = |name: &str| AttributeName::parse(name).expect("a name of OCCI Core");
    let category = |id: &CategoryId, class| CategoryDraft::new(id.clone(), Some(class));
    let categories = std::iter::once(category(&entity.kind, Class::Kind))
        .chain(entity.mixins.iter().map(|id| category(id, Class::Mixin)))
        .collect();
    let mut attributes = Attributes::new();
    for (name, value) in &entity.attributes {
        let value = if json { value.clone() } else { in_text(value) };
        attributes.insert(name.clone(), value);
    }
    let core = [
        core::ID,
        core::TITLE,
        core::SUMMARY,
        core::SOURCE,
        core::SOURCE_KIND,
        core::TARGET,
        core::TARGET_KIND,
    ];
    for core in core {
        attributes.extend(entity.get(core).map(|value| (name(core), value)));
    }
    Item { categories, attributes, ..Item::default() }
}

/// The text renderings have no form for arrays and objects: they are strings of JSON.
fn in_text(value: &Value) -> Value {
    match value {
        Value::List(_) | Value::Hash(_) => Value::Text(to_json(value).to_string()),
        Value::Text(_) | Value::Integer(_) | Value::Number(_) | Value::Boolean(_) => value.clone(),
    }
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Number(number) => (*number).into(),
        Value::Boolean(truth) => (*truth).into(),
        Value::List(values) => values.iter().map(to_json).collect(),
        Value::Hash(members) => members.iter().map(|(name, value)| (name.clone(), to_json(value))).collect(),
    }
}

/// The entity that an item could be; none without a category.
fn entity(item: &Item, with_links: bool) -> Option<View> {
    let mut ids = item.categories.iter().map(|category| category.id.clone());
    let kind = ids.next()?;
    let text = |name: &str| item.attributes.get(name).and_then(Value::as_text).map(str::to_owned);
    let location = || Location::parse("/a/1").expect("a path");
    let ends = text(core::TARGET).map(|target| Ends {
        source: location(),
        source_kind: kind.clone(),
        source_id: Uuid::nil(),
        target,
        // Without one, a Link line names a Kind all the same.
        target_kind: Some(kind.clone()),
        target_id: None,
    });
    // Names that are the grammar's own in a Link line, and the one that older drafts nested under.
    let taken = ["rel", "self", "category", "occi"];
    let own = |name: &str| !core::is_core(name) && !taken.contains(&name);
    let attributes = item.attributes.clone().into_iter().filter(|(name, _)| own(name.as_str())).collect();
    let links = item.links.iter().filter(|_| with_links && ends.is_none());
    let links = links.filter_map(|link| entity(link, false)).filter(|link| link.entity.is_link()).collect();
    let entity = Entity {
        id: Uuid::nil(),
        location: location(),
        kind,
        mixins: ids.collect(),
        tenant: "".into(),
        title: text(core::TITLE),
        summary: text(core::SUMMARY).filter(|_| ends.is_none()),
        attributes,
        ends,
    };
    Some(View { entity: Arc::new(entity), links, actions: item.actions.clone(), console: None })
}
