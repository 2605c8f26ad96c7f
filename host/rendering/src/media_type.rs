//! The media types that are spoken, and which of them a request means.

use crate::error::{NotAcceptable, Unsupported};
use crate::limit::MAX_ITEMS;
use crate::quirks;
use std::cmp::Reverse;
use std::fmt;

/// A media type that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `text/plain`: OCCI as lines of the body.
    TextPlain,
    /// `text/occi+plain`: the same under its own name.
    TextOcciPlain,
    /// `text/occi`: OCCI in the headers.
    TextOcci,
    /// `text/uri-list`: locations alone.
    UriList,
    /// `application/occi+json`
    OcciJson,
    /// `application/json`: the same under the name that many clients send.
    Json,
    /// `text/html`: for browsers, and only written.
    Html,
}

impl MediaType {
    /// All that are read and written, the default first (H11-25): where a client likes several equally, an earlier one is taken.
    pub const ALL: [Self; 6] =
        [Self::TextPlain, Self::TextOcciPlain, Self::TextOcci, Self::UriList, Self::OcciJson, Self::Json];

    /// All that are written.
    const WRITTEN: [Self; 7] = [
        Self::TextPlain,
        Self::TextOcciPlain,
        Self::TextOcci,
        Self::UriList,
        Self::OcciJson,
        Self::Json,
        Self::Html,
    ];

    /// As headers have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TextPlain => "text/plain",
            Self::TextOcciPlain => "text/occi+plain",
            Self::TextOcci => "text/occi",
            Self::UriList => "text/uri-list",
            Self::OcciJson => "application/occi+json",
            Self::Json => "application/json",
            Self::Html => "text/html",
        }
    }

    /// The one of that name that is read, in any case, without parameters.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// All names, as an `Accept` header of an answer lists them (HTTP-08).
    pub fn list() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The media type of the answer, by the values of all Accept headers (RFC 9110, section 12.5.1): the most specific
/// range decides how much a type is liked, the best liked is taken, and among equals the one named first. No header
/// and `*/*` mean text/plain (H11-25).
pub fn negotiate<I>(accept: I) -> Result<MediaType, NotAcceptable>
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    negotiate_among(accept, |_| true)
}

/// The same for an answer that has no form in one of them.
pub fn negotiate_without<I>(accept: I, missing: MediaType) -> Result<MediaType, NotAcceptable>
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    negotiate_among(accept, |media_type| media_type != missing)
}

fn negotiate_among<I>(accept: I, is_possible: impl Fn(MediaType) -> bool) -> Result<MediaType, NotAcceptable>
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut preferences = [Preference::NONE; MediaType::WRITTEN.len()];
    let mut order = 0;
    for value in accept {
        for range in value.as_ref().split(|&byte| byte == b',') {
            let Some(range) = std::str::from_utf8(range).ok().and_then(Range::parse) else { continue };
            if order == MAX_ITEMS {
                break;
            }
            order += 1;
            for (preference, media_type) in preferences.iter_mut().zip(MediaType::WRITTEN) {
                let specificity = range.covers(media_type);
                if specificity > preference.specificity {
                    *preference = Preference { specificity, quality: range.quality, order };
                }
            }
        }
    }
    if order == 0 {
        return Ok(MediaType::TextPlain);
    }
    let best = preferences
        .iter()
        .zip(MediaType::WRITTEN)
        .rev()
        .filter(|(preference, media_type)| preference.quality > 0.0 && is_possible(*media_type))
        .max_by(|(a, _), (b, _)| {
            a.quality.total_cmp(&b.quality).then(Reverse(a.order).cmp(&Reverse(b.order)))
        });
    best.map(|(_, media_type)| media_type).ok_or(NotAcceptable)
}

/// The media type of a request's body, by the values of all Content-Type headers; none where there is no such header.
/// Parameters such as `charset` change nothing: all renderings are UTF-8.
pub fn content_type<I>(values: I) -> Result<Option<MediaType>, Unsupported>
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut given = String::new();
    for value in values {
        let value = String::from_utf8_lossy(value.as_ref());
        if let Some(known) = quirks::first_known(&value) {
            return Ok(Some(known));
        }
        // As in every list of HTTP, an empty element says nothing.
        let named = value.trim_matches(|char: char| char == ',' || char.is_whitespace());
        if !named.is_empty() {
            given = named.into();
        }
    }
    if given.is_empty() { Ok(None) } else { Err(Unsupported { given: crate::error::excerpt(&given) }) }
}

/// The name of a media type or range, without its parameters.
pub(crate) fn without_parameters(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

#[derive(Clone, Copy)]
struct Preference {
    specificity: u8,
    quality: f32,
    order: usize,
}

impl Preference {
    const NONE: Self = Self { specificity: 0, quality: 0.0, order: 0 };
}

struct Range<'a> {
    name: &'a str,
    quality: f32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let name = without_parameters(text);
        if name.is_empty() {
            return None;
        }
        let quality = text.split(';').skip(1).find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().ok())?
        });
        let quality = quality.filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(1.0);
        Some(Self { name, quality })
    }

    /// How exactly this range means that type; 0 for not at all.
    fn covers(&self, media_type: MediaType) -> u8 {
        if media_type == MediaType::Html {
            // For those who name it alone: whoever takes anything gets OCCI.
            return if self.name.eq_ignore_ascii_case("text/html") { 3 } else { 0 };
        }
        // Old Java clients write the widest range as a lone star.
        if self.name == "*/*" || self.name == "*" {
            return 1;
        }
        if let Some(family) = self.name.strip_suffix("/*") {
            let same =
                media_type.name().split('/').next().is_some_and(|ours| ours.eq_ignore_ascii_case(family));
            return if same { 2 } else { 0 };
        }
        if media_type.name().eq_ignore_ascii_case(self.name) { 3 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> Option<MediaType> {
        negotiate([value]).ok()
    }

    #[test]
    fn no_preference_means_text_plain() {
        // H11-25
        assert_eq!(negotiate(<[&str; 0]>::default()), Ok(MediaType::TextPlain));
        for value in ["", "*/*", "*/*;q=0.1", "text/*", "*", "TEXT/PLAIN"] {
            assert_eq!(accept(value), Some(MediaType::TextPlain), "{value}");
        }
    }

    #[test]
    fn a_browser_gets_a_page_and_nobody_else_does() {
        let firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for value in [firefox, "text/html", "TEXT/HTML", "text/html, application/json;q=0.1"] {
            assert_eq!(accept(value), Some(MediaType::Html), "{value}");
        }
        assert_eq!(accept("text/html;q=0.5, application/json"), Some(MediaType::Json));
        assert_eq!(accept("text/*"), Some(MediaType::TextPlain));
        assert!(content_type(["text/html"]).is_err(), "it is not read");
    }

    #[test]
    fn h11_26_what_has_no_form_in_one_takes_the_next() {
        let without = |accept| negotiate_without([accept], MediaType::UriList);
        assert_eq!(without("text/uri-list, text/plain;q=0.5"), Ok(MediaType::TextPlain));
        assert_eq!(without("text/uri-list, application/json"), Ok(MediaType::Json));
        assert_eq!(without("text/uri-list"), Err(NotAcceptable));
    }

    #[test]
    fn the_best_liked_type_is_taken() {
        for (value, expected) in [
            ("text/occi", MediaType::TextOcci),
            ("text/occi+plain", MediaType::TextOcciPlain),
            ("text/uri-list", MediaType::UriList),
            ("application/json", MediaType::Json),
            ("application/occi+json", MediaType::OcciJson),
            ("application/*", MediaType::OcciJson),
            ("text/plain;q=0.5, application/occi+json", MediaType::OcciJson),
            ("text/plain;q=0.5,application/occi+json;q=0.4", MediaType::TextPlain),
            ("text/occi;q=0.2, text/plain;q=0.2", MediaType::TextOcci),
            ("*/*, application/json", MediaType::TextPlain),
            ("application/json, */*;q=0.1", MediaType::Json),
            ("*/*, text/*;q=0, application/occi+json;q=0.1", MediaType::Json),
            ("text/plain;q=0, text/*", MediaType::TextOcciPlain),
            ("image/png, text/occi; charset=utf-8 ; Q=0.3", MediaType::TextOcci),
        ] {
            assert_eq!(accept(value), Some(expected), "{value}");
        }
        assert_eq!(negotiate(["image/png", "text/occi"]), Ok(MediaType::TextOcci), "headers may be repeated");
    }

    #[test]
    fn a_list_is_read_so_far_and_no_further() {
        let after = |number: usize| format!("{}application/occi+json", "a/b,".repeat(number));
        assert_eq!(accept(&after(MAX_ITEMS - 1)), Some(MediaType::OcciJson));
        assert_eq!(accept(&after(MAX_ITEMS)), None);
        assert!(content_type([after(MAX_ITEMS - 1)]).is_ok() && content_type([after(MAX_ITEMS)]).is_err());
    }

    #[test]
    fn what_is_not_spoken_is_not_acceptable() {
        for value in ["image/png", "application/xml, image/*", "text/plain;q=0", "*/*;q=0", "text/html;q=0"] {
            assert_eq!(accept(value), None, "{value}");
        }
    }

    #[test]
    fn parameters_of_a_content_type_change_nothing() {
        assert_eq!(content_type(["text/plain; charset=utf-8"]), Ok(Some(MediaType::TextPlain)));
        assert_eq!(content_type(["Application/OCCI+JSON"]), Ok(Some(MediaType::OcciJson)));
        assert_eq!(content_type(<[&str; 0]>::default()), Ok(None));
        for nothing in ["", ",", " , "] {
            assert_eq!(content_type([nothing]), Ok(None));
        }
        assert!(content_type(["image/png", ""]).is_err(), "an empty header takes nothing back");
        let refused = content_type(["application/x-www-form-urlencoded"]).unwrap_err();
        assert!(refused.to_string().contains("`application/x-www-form-urlencoded`"), "{refused}");
        assert!(refused.to_string().contains("application/occi+json"), "{refused}");
    }
}
