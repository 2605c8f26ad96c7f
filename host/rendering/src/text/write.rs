//! From a representation to lines or headers. All is written once, into strings that grow in place: this is what a GET
//! costs.

use super::Header;
use crate::error::CannotRender;
use crate::json;
use crate::limit::MAX_HEADERS;
use occi_model::{
    Attribute, CategoryId, CategoryView, Class, Entity, Location, Representation, Value, View, core,
};
use std::fmt::Write as _;
use uuid::fmt::Urn;

/// text/plain: one element a line, each line ended by CRLF.
pub(crate) fn to_body(representation: &Representation, base: &str) -> Result<String, CannotRender> {
    let mut lines = Lines(String::with_capacity(2048));
    write(&mut lines, representation, base)?;
    let Lines(mut body) = lines;
    if !body.is_empty() {
        body.push_str("\r\n");
    }
    Ok(body)
}

/// text/occi: each name once, its elements joined by commas (TXT-04). Text beyond ASCII stands there as UTF-8.
pub(crate) fn to_headers(
    representation: &Representation,
    base: &str,
) -> Result<Vec<(&'static str, String)>, CannotRender> {
    let mut joined = Joined::default();
    write(&mut joined, representation, base)?;
    let named = Header::ALL.map(Header::lower_case_name).into_iter().zip(joined.0);
    let headers: Vec<_> = named.filter(|(_, value)| !value.is_empty()).collect();
    let needed = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if needed > MAX_HEADERS { Err(CannotRender::TooLarge { needed }) } else { Ok(headers) }
}

/// Where elements go, one after the other.
trait Sink {
    /// Names that no attribute can have there.
    const TAKEN: &'static [&'static str] = &[];

    /// Begins the next element, to be pushed to what is returned.
    fn next(&mut self, header: Header) -> &mut String;
}

struct Lines(String);

impl Sink for Lines {
    fn next(&mut self, header: Header) -> &mut String {
        if !self.0.is_empty() {
            self.0.push_str("\r\n");
        }
        self.0.push_str(header.name());
        self.0.push_str(": ");
        &mut self.0
    }
}

/// In the order of [`Header::ALL`].
#[derive(Default)]
struct Joined([String; Header::ALL.len()]);

impl Sink for Joined {
    fn next(&mut self, header: Header) -> &mut String {
        let value = &mut self.0[header as usize];
        if value.is_empty() {
            value.reserve(256);
        } else {
            value.push_str(", ");
        }
        value
    }
}

/// The parameters of a link, which are its attributes.
struct Parameters<'a>(&'a mut String);

impl Sink for Parameters<'_> {
    // An attribute so called would be read as the grammar's own; only the link itself can show it.
    const TAKEN: &'static [&'static str] = &["rel", "self", "category"];

    fn next(&mut self, _: Header) -> &mut String {
        self.0.push_str("; ");
        self.0
    }
}

fn write(sink: &mut impl Sink, representation: &Representation, base: &str) -> Result<(), CannotRender> {
    match representation {
        Representation::Entity(view) => entity(sink, view)?,
        Representation::Collection(views) | Representation::Created(views) => {
            for view in views {
                location(sink, &view.entity.location, base);
            }
        }
        Representation::Categories(views) => {
            for view in views {
                category(sink, view);
            }
        }
        Representation::Done => {}
    }
    Ok(())
}

/// TXT-14. Absolute, as uri-list has it (Q-46).
fn location(sink: &mut impl Sink, location: &Location, base: &str) {
    let out = sink.next(Header::Location);
    out.push_str(base);
    out.push_str(location.as_str());
}

/// TXT-10, TXT-11: categories with the Kind first, links, actions, attributes.
fn entity(sink: &mut impl Sink, view: &View) -> Result<(), CannotRender> {
    let entity = &*view.entity;
    identifier(sink.next(Header::Category), &entity.kind, Class::Kind);
    for mixin in &entity.mixins {
        identifier(sink.next(Header::Category), mixin, Class::Mixin);
    }
    for view in &view.links {
        link(sink.next(Header::Link), &view.entity)?;
    }
    for action in &view.actions {
        let out = sink.next(Header::Link);
        for part in
            ["<", entity.location.as_str(), "?action=", action.term(), ">; rel=\"", action.as_str(), "\""]
        {
            out.push_str(part);
        }
    }
    attributes(sink, entity)
}

fn identifier(out: &mut String, id: &CategoryId, class: Class) {
    for part in [id.term(), "; scheme=\"", id.scheme(), "\"; class=\"", class.name(), "\""] {
        out.push_str(part);
    }
}

/// A link as its source shows it, with all that it shows itself (Q-48).
fn link(out: &mut String, link: &Entity) -> Result<(), CannotRender> {
    if let Some(ends) = &link.ends {
        out.push('<');
        push_uri(out, &ends.target);
        out.push('>');
        // The grammar wants a Kind even of what is nobody's: what a link leads to is a resource, as far as one knows.
        parameter(out, "rel", ends.target_kind.as_ref().map_or(core::RESOURCE, CategoryId::as_str));
    }
    parameter(out, "self", link.location.as_str());
    out.push_str("; category=\"");
    push_identifiers(out, std::iter::once(&link.kind).chain(&link.mixins));
    out.push('"');
    attributes(&mut Parameters(out), link)
}

fn attributes<S: Sink>(sink: &mut S, entity: &Entity) -> Result<(), CannotRender> {
    let mut text = |name: &str, value: &str| {
        let out = sink.next(Header::Attribute);
        out.push_str(name);
        out.push('=');
        push_quoted(out, value);
    };
    text(core::ID, entity.id.urn().encode_lower(&mut [0; Urn::LENGTH]));
    if let Some(title) = &entity.title {
        text(core::TITLE, title);
    }
    if let Some(summary) = &entity.summary {
        text(core::SUMMARY, summary);
    }
    if let Some(ends) = &entity.ends {
        text(core::SOURCE, ends.source.as_str());
        text(core::SOURCE_KIND, ends.source_kind.as_str());
        text(core::TARGET, &ends.target);
        if let Some(kind) = &ends.target_kind {
            text(core::TARGET_KIND, kind.as_str());
        }
    }
    for (name, value) in &entity.attributes {
        if S::TAKEN.contains(&name.as_str()) {
            continue;
        }
        let out = sink.next(Header::Attribute);
        out.push_str(name.as_str());
        out.push('=');
        push_value(out, value)?;
    }
    Ok(())
}

/// TXT-13: a category's whole definition, as the query interface shows it.
fn category(sink: &mut impl Sink, view: &CategoryView) {
    let out = sink.next(Header::Category);
    match view {
        CategoryView::Kind(resolved) => {
            let kind = &resolved.kind;
            identifier(out, &kind.id, Class::Kind);
            let location = kind.location.as_ref();
            optional(out, kind.title.as_deref(), kind.parent.as_ref(), location);
            declared(out, resolved.attributes.iter().map(AsRef::as_ref), &resolved.actions);
        }
        CategoryView::Mixin(resolved) => {
            let mixin = &resolved.mixin;
            identifier(out, &mixin.id, Class::Mixin);
            // TXT-17: `rel` is the first of those that it depends on.
            optional(out, mixin.title.as_deref(), mixin.depends.first(), Some(&mixin.location));
            declared(out, resolved.attributes.iter().map(AsRef::as_ref), &mixin.actions);
        }
        CategoryView::Action(action) => {
            identifier(out, &action.id, Class::Action);
            optional(out, action.title.as_deref(), None, None);
            declared(out, action.attributes.iter(), &[]);
        }
    }
}

fn optional(out: &mut String, title: Option<&str>, rel: Option<&CategoryId>, location: Option<&Location>) {
    let rel = rel.map(CategoryId::as_str);
    let location = location.map(Location::as_str);
    for (name, value) in [("title", title), ("rel", rel), ("location", location)] {
        if let Some(value) = value {
            parameter(out, name, value);
        }
    }
}

fn declared<'a>(out: &mut String, attributes: impl Iterator<Item = &'a Attribute>, actions: &[CategoryId]) {
    let mut attributes = attributes.peekable();
    if attributes.peek().is_some() {
        out.push_str("; attributes=\"");
        while let Some(attribute) = attributes.next() {
            out.push_str(attribute.name.as_str());
            // Q-65: both properties, in this order.
            out.push_str(match (attribute.mutable, attribute.required) {
                (true, false) => "",
                (true, true) => "{required}",
                (false, false) => "{immutable}",
                (false, true) => "{immutable required}",
            });
            if attributes.peek().is_some() {
                out.push(' ');
            }
        }
        out.push('"');
    }
    if !actions.is_empty() {
        out.push_str("; actions=\"");
        push_identifiers(out, actions.iter());
        out.push('"');
    }
}

fn parameter(out: &mut String, name: &str, value: &str) {
    for part in ["; ", name, "="] {
        out.push_str(part);
    }
    push_quoted(out, value);
}

fn push_identifiers<'a>(out: &mut String, ids: impl Iterator<Item = &'a CategoryId>) {
    for (index, id) in ids.enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(id.as_str());
    }
}

fn push_value(out: &mut String, value: &Value) -> Result<(), CannotRender> {
    match value {
        Value::Text(text) => push_quoted(out, text),
        Value::Integer(number) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{number}");
        }
        Value::Number(number) => push_number(out, *number),
        Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
        // The grammar has no form for these; `structured` reads them back.
        Value::List(_) | Value::Hash(_) => push_quoted(out, &json::value(value)?),
    }
    Ok(())
}

/// Without an exponent, which the grammar has not, and always with a fraction, so that it stays a number and is no
/// integer; read again it is the same number.
fn push_number(out: &mut String, number: f64) {
    // Writing to a string cannot fail.
    let _ = if number.fract() == 0.0 && number != 0.0 && number.abs() < 1e15 {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole, and there is room for it")]
        let whole = number as i64;
        // Several times faster than to write it as what it is.
        write!(out, "{whole}.0")
    } else if number.fract() == 0.0 {
        write!(out, "{number:.1}")
    } else {
        write!(out, "{number}")
    };
}

/// A quoted string. `\n`, `\r` and `\u` with four digits keep a line a line, and a header's value one that HTTP allows.
fn push_quoted(out: &mut String, text: &str) {
    #[allow(clippy::needless_bitwise_bool, reason = "without branches, many bytes are looked at at once")]
    let escapes = |byte: u8| (byte < b' ') | (byte == 0x7f) | (byte == b'"') | (byte == b'\\');
    out.push('"');
    // Nearly every text needs no escape, and to see that is several times faster than to go through it.
    if !text.bytes().fold(false, |any, byte| any | escapes(byte)) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' | b' '..=b'~' | 0x80.. => continue,
            ..=0x1f | 0x7f => "\\u",
        };
        out.push_str(&text[copied..at]);
        out.push_str(escaped);
        if escaped == "\\u" {
            // Many times faster than to write it as a number.
            let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
            out.push_str("00");
            out.push(digit(byte >> 4));
            out.push(digit(byte & 0xf));
        }
        copied = at + 1;
    }
    out.push_str(&text[copied..]);
    out.push('"');
}

/// A URI between `<` and `>`: what would end it or is no character of a URI is percent-encoded.
pub(super) fn push_uri(out: &mut String, uri: &str) {
    for byte in uri.bytes() {
        if byte.is_ascii_graphic() && !b"<>\"".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
