//! From lines or headers to a draft: which element is where.

use super::scanner::{Scanner, Source};
use super::{Header, attribute, category, link};
use crate::error::{Malformed, Place, excerpt, suggestion};
use crate::limit::Budget;
use crate::quirks;
use occi_model::{Class, Draft, Filter, Item};

/// text/plain: `Name: value` lines, which end in CRLF or LF; empty ones mean nothing.
pub(crate) fn parse_body(body: &[u8]) -> Result<Draft, Malformed> {
    let mut reader = Reader::new();
    let body = utf8(body)?;
    // A shell that puts an answer into a variable takes no more than the last LF off it.
    for (index, line) in body.strip_suffix('\r').unwrap_or(body).lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let refuse = |mut problem: String| {
            if line.trim_start().starts_with(['{', '[']) {
                problem.push_str("; JSON is sent as `Content-Type: application/occi+json`");
            }
            Malformed { place: Place::Body { line: number, column: 1 }, problem }
        };
        let known = Header::ALL.map(Header::name);
        let Some(colon) = line.find(':') else {
            let problem = format!("expected `Name: value` with one of {}", known.join(", "));
            return Err(refuse(format!("{problem}, found `{}`", excerpt(line))));
        };
        let name = line[..colon].trim();
        let Some(header) = Header::named(name) else {
            return Err(refuse(format!("unknown name `{}` {}", excerpt(name), suggestion(name, &known))));
        };
        reader.read(header, Scanner::new(header, line, colon + 1, Source::Line(number)))?;
    }
    Ok(reader.finish())
}

/// text/occi: the headers of those names; all others are HTTP's own.
pub(crate) fn parse_headers<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Draft, Malformed> {
    let mut reader = Reader::new();
    for (name, value) in headers {
        let Some(header) = Header::named(name) else { continue };
        let value = std::str::from_utf8(value).map_err(|error| {
            let column = String::from_utf8_lossy(&value[..error.valid_up_to()]).chars().count() + 1;
            Malformed { place: Place::Header { name: name.into(), column }, problem: "expected UTF-8".into() }
        })?;
        reader.read(header, Scanner::new(header, value, 0, Source::Header(name)))?;
    }
    Ok(reader.finish())
}

/// The Category and X-OCCI-Attribute headers of a GET.
pub(crate) fn parse_filter<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Filter, Malformed> {
    let filters = |name: &str| matches!(Header::named(name), Some(Header::Category | Header::Attribute));
    let draft = parse_headers(headers.into_iter().filter(|(name, _)| filters(name)))?;
    let mut filter = Filter::default();
    for item in draft.items {
        filter.categories.extend(item.categories.into_iter().map(|category| category.id));
        filter.attributes.extend(item.attributes);
    }
    Ok(filter)
}

/// A body as text.
pub(crate) fn utf8(body: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(body).map_err(|error| {
        let before = String::from_utf8_lossy(&body[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        Malformed { place: Place::Body { line, column }, problem: "expected UTF-8".into() }
    })
}

/// Gathers the elements: a text rendering describes one thing.
struct Reader {
    item: Item,
    locations: Vec<String>,
    budget: Budget,
}

impl Reader {
    fn new() -> Self {
        Self { item: Item::default(), locations: Vec::new(), budget: Budget::new() }
    }

    fn read(&mut self, header: Header, mut scanner: Scanner<'_>) -> Result<(), Malformed> {
        let Self { item, locations, budget } = self;
        match header {
            Header::Category => scanner.list(|scanner| {
                let here = scanner.position();
                budget.spend(|problem| scanner.error(here, problem))?;
                let category = category::parse(scanner)?;
                // Two entities one after the other would be taken for one.
                let is_kind = category.class == Some(Class::Kind);
                if is_kind && item.categories.iter().any(|earlier| earlier.id == category.id) {
                    let id = &category.id;
                    let problem = format!("{id} is named twice; text describes one entity, and JSON several");
                    return Err(scanner.error(here, problem));
                }
                item.categories.push(category);
                Ok(())
            }),
            Header::Link => scanner.list(|scanner| {
                let here = scanner.position();
                budget.spend(|problem| scanner.error(here, problem))?;
                link::parse(scanner, item, budget)
            }),
            Header::Attribute => scanner.list(|scanner| {
                let name = scanner.name()?;
                attribute::parse(scanner, name, &mut item.attributes)?;
                // a `;` may end the value.
                match scanner.parameter()? {
                    Some(second) => Err(scanner.error(second.at, "attributes are separated by `,`")),
                    None => Ok(()),
                }
            }),
            Header::Location => {
                let line = scanner.rest();
                let before = locations.len();
                for location in quirks::locations(line.text) {
                    budget.spend(|problem| scanner.error(line.at, problem))?;
                    locations.push(location.into());
                }
                if locations.len() == before { Err(scanner.expected("a URI")) } else { Ok(()) }
            }
        }
    }

    fn finish(self) -> Draft {
        let items = if self.item == Item::default() { Vec::new() } else { vec![self.item] };
        Draft { items, locations: self.locations }
    }
}

#[cfg(test)]
mod tests;
