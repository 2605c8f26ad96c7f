//! What people see, and what must not become a part of the page.

use super::*;
use crate::example::{categories, compute, link};
use crate::{Listing, MediaType};
use proptest::prelude::*;

fn page(representation: &Representation) -> String {
    String::from_utf8(to_body(representation).unwrap()).unwrap()
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn a_resource_with_its_links_and_actions() {
    let page = page(&Representation::Entity(compute()));
    has(
        &page,
        &[
            "<!doctype html>",
            "<h1>web, &#34;front&#34;\nend ä\\</h1>",
            "<p>a summary</p>",
            "<td>urn:uuid:11111111-2222-3333-4444-555555555555</td>",
            "<code>occi.compute.memory</code></th><td>4.0</td>",
            "<code>occi.compute.state</code></th><td>inactive</td>",
            "<a href=\"/-/#http---example-com-occi-tpl-small\" title=\"http://example.com/occi/tpl#small\">small</a>",
            "<a href=\"/networkinterface/3\">networkinterface</a> to <a href=\"/network/9\">/network/9</a>",
            "<code>/compute/1?action=start</code>",
        ],
    );
    assert_eq!(page.matches("<html").count(), 1);
}

#[test]
fn a_resource_with_a_console() {
    let console = Some(compute().entity.kind.clone());
    let view = View { console, ..compute() };
    has(&page(&Representation::Entity(view)), &["<a href=\"/compute/1/console\">"]);
    assert!(!page(&Representation::Entity(compute())).contains("console"));
}

#[test]
fn a_link_with_its_ends() {
    let page = page(&Representation::Entity(link(None)));
    has(&page, &["<a href=\"/compute/1\">/compute/1</a>", "<a href=\"/network/9\">/network/9</a>", "eth0"]);
}

#[test]
fn categories_with_their_attributes() {
    let page = page(&Representation::Categories(categories()));
    has(
        &page,
        &[
            "<section id=\"http---x-disk\">",
            "A &#34;disk&#34; <small class=\"soft\">kind</small>",
            "<code>x.size</code>",
            "integer, required",
            "<td>1</td>",
            "<td>GiB</td>",
            "string, immutable",
            "<section id=\"http---x-action-switch\">",
        ],
    );
}

#[test]
fn a_collection_in_pieces() {
    let mut listing = Listing::new(MediaType::Html, "http://example.com").titled("/all/");
    assert!(!listing.shows_locations());
    for view in [compute(), link(None)] {
        listing.entity(&view).unwrap();
    }
    assert!(!listing.again());
    listing.end().unwrap();
    let page = String::from_utf8(listing.take()).unwrap();
    has(
        &page,
        &["<h1>/all/</h1>", "<a href=\"/compute/1\">/compute/1</a>", "/networkinterface/3", "</html>"],
    );
    let mut listing = Listing::new(MediaType::Html, "");
    listing.end().unwrap();
    has(&String::from_utf8(listing.take()).unwrap(), &["Nothing is here.", "</html>"]);
}

#[test]
fn an_error_with_its_results() {
    let results = [MemberResult { location: "/k/1", status: "refused", detail: Some("a < b".into()) }];
    let page = message("409 Conflict", "not <now>", &results).unwrap();
    has(
        &page,
        &["<h1>409 Conflict</h1>", "not &#60;now&#62;", "<a href=\"/k/1\">/k/1</a>: refused: a &#60; b"],
    );
}

#[test]
fn what_is_no_page_is_not_gone_to() {
    for (uri, expected) in [
        ("/network/9", true),
        ("https://example.com/a", true),
        ("http://example.com/a", true),
        ("javascript:alert(1)", false),
        ("JavaScript:alert(1)", false),
        ("data:text/html,x", false),
        ("//example.com/a", false),
        (" http://example.com", false),
    ] {
        assert_eq!(is_link(uri), expected, "{uri}");
    }
}

proptest! {
    /// Nothing that a client has said becomes a tag.
    #[test]
    fn what_is_said_stays_text(said in "[a<>\"'&/ -]{0,12}") {
        let mut view = compute();
        let tags = |view: View| page(&Representation::Entity(view)).matches('<').count();
        let expected = tags(view.clone());
        let entity = Arc::make_mut(&mut view.entity);
        entity.title = Some(said.clone());
        entity.summary = Some(said.clone());
        for value in entity.attributes.values_mut() {
            *value = Value::Text(said.clone());
        }
        let ends = Arc::make_mut(&mut view.links[0].entity).ends.as_mut().unwrap();
        ends.target = format!("/{}", said.trim_start_matches('/'));
        prop_assert_eq!(tags(view), expected);
    }
}
