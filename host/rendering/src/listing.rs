//! A collection written piece by piece, so that one of any size takes little memory: members are pushed, and what was
//! written so far can be taken away to be sent.
//!
//! JSON has resources and links apart (JSON-06), and a collection may hold both in any order. So it takes two rounds: the
//! first writes resources, and [`Listing::again`] says whether there were links, which are then to be pushed once more.

use crate::error::CannotRender;
use crate::limit::MAX_HEADERS;
use crate::text::Header;
use crate::{MediaType, Rendered, html, json};
use occi_model::{Location, View};

/// The rendering of a collection, as far as it has come.
#[derive(Debug)]
pub struct Listing {
    media_type: MediaType,
    base: String,
    written: Vec<u8>,
    /// Whether nothing was written yet, taken away or not.
    is_empty: bool,
    links: Links,
    /// The heading of a page.
    title: String,
}

/// What a round of JSON does with links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    /// It is for resources, and no link came by.
    NoneYet,
    /// It is for resources, and some did.
    Seen,
    /// It is for links, and none was written yet.
    Begin,
    /// It is for links.
    Written,
}

impl Listing {
    /// One without members; `base` as [`crate::render`] has it.
    pub fn new(media_type: MediaType, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self {
            media_type,
            base,
            written: Vec::new(),
            is_empty: true,
            links: Links::NoneYet,
            title: "Entities".into(),
        }
    }

    /// The same with another heading, where it is a page.
    #[must_use]
    pub fn titled(self, title: &str) -> Self {
        Self { title: title.into(), ..self }
    }

    /// The same where all members are links, as those of a Kind of link are: one round is enough, and without members it
    /// is an empty list of links (JSON-06).
    #[must_use]
    pub fn of_links(self) -> Self {
        Self { links: Links::Begin, ..self }
    }

    /// Whether locations are all that is shown of members (TXT-08, TXT-14): they are pushed by [`Listing::location`], and
    /// otherwise by [`Listing::entity`].
    pub fn shows_locations(&self) -> bool {
        !self.is_json() && self.media_type != MediaType::Html
    }

    fn is_json(&self) -> bool {
        matches!(self.media_type, MediaType::OcciJson | MediaType::Json)
    }

    /// The next member, by its location. All of text/occi must have its place in a header (TXT-06).
    pub fn location(&mut self, location: &Location) -> Result<(), CannotRender> {
        let (before, after) = match self.media_type {
            MediaType::TextPlain | MediaType::TextOcciPlain => ("X-OCCI-Location: ", "\r\n"),
            MediaType::TextOcci if self.is_empty => ("", ""),
            MediaType::TextOcci => (", ", ""),
            MediaType::UriList => ("", "\r\n"),
            MediaType::OcciJson | MediaType::Json | MediaType::Html => return Ok(()),
        };
        for part in [before, &self.base, location.as_str(), after] {
            self.written.extend_from_slice(part.as_bytes());
        }
        self.is_empty = false;
        let needed = Header::Location.lower_case_name().len() + self.written.len();
        if self.media_type == MediaType::TextOcci && needed > MAX_HEADERS {
            return Err(CannotRender::TooLarge { needed });
        }
        Ok(())
    }

    /// The next member, whole.
    pub fn entity(&mut self, view: &View) -> Result<(), CannotRender> {
        if self.media_type == MediaType::Html {
            self.begin_page()?;
            self.written.extend_from_slice(html::listing_row(view)?.as_bytes());
            return Ok(());
        }
        if !self.is_json() {
            return self.location(&view.entity.location);
        }
        let before: &[u8] = match (view.entity.is_link(), self.links) {
            (false, Links::NoneYet | Links::Seen) if self.is_empty => b"{\"resources\":[",
            (false, Links::NoneYet | Links::Seen) => b",",
            (true, Links::NoneYet | Links::Seen) => {
                self.links = Links::Seen;
                return Ok(());
            }
            (true, Links::Begin) if self.is_empty => b"{\"links\":[",
            (true, Links::Begin) => b"],\"links\":[",
            (true, Links::Written) => b",",
            (false, Links::Begin | Links::Written) => return Ok(()),
        };
        if self.links == Links::Begin {
            self.links = Links::Written;
        }
        self.written.extend_from_slice(before);
        self.is_empty = false;
        json::entity(&mut self.written, view)
    }

    fn begin_page(&mut self) -> Result<(), CannotRender> {
        if std::mem::take(&mut self.is_empty) {
            self.written.extend_from_slice(html::listing_begin(&self.title)?.as_bytes());
        }
        Ok(())
    }

    /// When all members were pushed: whether they are to be pushed once more, in the same order.
    pub fn again(&mut self) -> bool {
        let again = self.is_json() && self.links == Links::Seen;
        if again {
            self.links = Links::Begin;
        }
        again
    }

    /// How many bytes are written and not taken away.
    pub fn len(&self) -> usize {
        self.written.len()
    }

    /// Whether no byte is written that is not taken away.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Whether it can be sent before it is complete: what goes into headers cannot.
    pub fn is_body(&self) -> bool {
        self.media_type != MediaType::TextOcci
    }

    /// The value of Content-Type.
    pub fn content_type(&self) -> &'static str {
        self.media_type.name()
    }

    /// Takes away what is written of the body.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    /// When all members were pushed: writes what ends it.
    pub fn end(&mut self) -> Result<(), CannotRender> {
        if self.media_type == MediaType::Html {
            let is_empty = self.is_empty;
            self.begin_page()?;
            self.written.extend_from_slice(html::listing_end(is_empty)?.as_bytes());
        }
        if self.is_json() {
            let end: &[u8] = match self.links {
                _ if !self.is_empty => b"]}",
                Links::Begin => b"{\"links\":[]}",
                Links::NoneYet | Links::Seen | Links::Written => b"{\"resources\":[]}",
            };
            self.written.extend_from_slice(end);
        }
        Ok(())
    }

    /// The whole, where nothing was taken away and it is ended.
    pub fn into_rendered(self) -> Rendered {
        let content_type = self.content_type();
        if self.is_body() {
            return Rendered { content_type, headers: Vec::new(), body: self.written };
        }
        let value = String::from_utf8_lossy(&self.written).into_owned();
        let headers =
            if value.is_empty() { Vec::new() } else { vec![(Header::Location.lower_case_name(), value)] };
        Rendered { content_type, headers, body: b"OK".into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{compute, link};
    use crate::render;
    use occi_model::Representation;

    fn views(pattern: &str) -> Vec<View> {
        pattern.bytes().map(|letter| if letter == b'l' { link(None) } else { compute() }).collect()
    }

    /// As a server does it that sends what there is after each member.
    fn in_pieces(media_type: MediaType, views: &[View]) -> Vec<u8> {
        let mut listing = Listing::new(media_type, "http://example.com");
        let mut sent = Vec::new();
        loop {
            for view in views {
                listing.entity(view).unwrap();
                sent.extend(listing.take());
            }
            if !listing.again() {
                listing.end().unwrap();
                sent.extend(listing.take());
                return sent;
            }
        }
    }

    #[test]
    fn json06_pieces_are_a_whole_whatever_the_order() {
        for pattern in ["", "r", "l", "rr", "ll", "rl", "lr", "lrlr", "rrll"] {
            let views = views(pattern);
            let json: serde_json::Value =
                serde_json::from_slice(&in_pieces(MediaType::OcciJson, &views)).unwrap();
            let count = |name: &str| json.get(name).map(|members| members.as_array().unwrap().len());
            let of = |letter| pattern.matches(letter).count();
            let (resources, links) = (of('r'), of('l'));
            assert_eq!(count("links"), (links > 0).then_some(links), "{pattern}");
            assert_eq!(count("resources"), (resources > 0 || links == 0).then_some(resources), "{pattern}");
        }
    }

    #[test]
    fn json06_links_alone_take_one_round() {
        for (pattern, count) in [("", 0), ("l", 1), ("ll", 2)] {
            let mut listing = Listing::new(MediaType::Json, "").of_links();
            for view in &views(pattern) {
                listing.entity(view).unwrap();
            }
            assert!(!listing.again());
            listing.end().unwrap();
            let json: serde_json::Value = serde_json::from_slice(&listing.take()).unwrap();
            assert_eq!(json.as_object().unwrap().len(), 1);
            assert_eq!(json["links"].as_array().unwrap().len(), count);
        }
    }

    #[test]
    fn txt14_it_is_what_is_rendered_at_once() {
        for media_type in MediaType::ALL {
            for pattern in ["", "r", "rlr"] {
                let views = views(pattern);
                let mut listing = Listing::new(media_type, "http://example.com/");
                loop {
                    for view in &views {
                        listing.entity(view).unwrap();
                    }
                    if !listing.again() {
                        break;
                    }
                }
                listing.end().unwrap();
                let whole =
                    render(media_type, &Representation::Collection(views), "http://example.com").unwrap();
                assert_eq!(listing.into_rendered(), whole, "{media_type} {pattern}");
            }
        }
    }

    #[test]
    fn txt06_what_has_no_room_in_headers_is_refused_before_it_is_complete() {
        let mut listing = Listing::new(MediaType::TextOcci, "http://example.com");
        let location = Location::parse("/compute/1").unwrap();
        let pushed = (0..MAX_HEADERS).take_while(|_| listing.location(&location).is_ok()).count();
        assert!((MAX_HEADERS / 40..MAX_HEADERS / 20).contains(&pushed), "{pushed}");
    }
}
