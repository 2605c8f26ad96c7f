//! Faults of entities: made with what they should not be, changed where they should stay, and not quite gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use occi_conformance::{Options, run};

use crate::proxy::{Answer, Asked, Fault, Proxy};
use crate::server::Server;
use crate::{failing, found_in, found_in_requests};

fn is_entity(asked: &Asked) -> bool {
    !asked.path.ends_with('/')
}

/// The second is not looked at.
#[test]
fn creations_of_two_kinds() {
    found_in_requests(&["H11-13"], |asked| {
        let text = asked.text();
        let kinds: Vec<_> =
            text.split_inclusive("\r\n").filter(|line| line.contains("class=\"kind\"")).collect();
        if asked.method == "POST" && !is_entity(asked) && kinds.len() > 1 {
            asked.lines(|line| line != kinds[1]);
        }
        None
    });
}

/// The client is told that it was done.
#[test]
fn immutable_attributes_are_ignored_in_json() {
    found_in_requests(&["H11-30"], |asked| {
        let is_update = asked.method == "POST" && is_entity(asked) && asked.query.is_empty();
        if is_update && asked.header("content-type") == "application/occi+json" {
            asked.json(|value| {
                let object = value.as_object_mut().unwrap();
                object.remove("id");
                if let Some(attributes) = object.get_mut("attributes").and_then(|all| all.as_object_mut()) {
                    attributes.retain(|name, _| !name.contains(".state"));
                }
            });
        }
        None
    });
}

/// What is put takes the place of everything, which is right but for the links.
#[test]
fn links_are_lost_by_put() {
    static PUT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    found_in(&["H11-19", "HTTP-25"], |asked, answer| {
        let mut put = PUT.lock().unwrap();
        if asked.method == "PUT" && answer.status < 300 {
            put.insert(asked.path.clone());
        }
        if asked.method == "GET" && put.contains(&asked.path) && answer.is("text/plain") {
            answer.lines(|line| !line.contains("; self="));
        }
    });
}

/// What a client changes takes the place of all that was there.
#[test]
fn updates_in_part_replace_the_whole() {
    found_in_requests(&["H11-18", "HTTP-26"], |asked| {
        let is_update = asked.method == "POST" && is_entity(asked) && asked.query.is_empty();
        if is_update && asked.text().lines().all(|line| line.starts_with("X-OCCI-Attribute:")) {
            let term = asked.path.split('/').nth(1).unwrap().to_owned();
            let domain = if term == "resource" { "core" } else { "infrastructure" };
            let scheme = format!("http://schemas.ogf.org/occi/{domain}#");
            asked.prepend(&format!("Category: {term}; scheme=\"{scheme}\"; class=\"kind\"\r\n"));
            asked.method = "PUT".into();
        }
        None
    });
}

/// A collection of a Mixin is kept apart from the entities.
#[test]
fn a_deleted_entity_stays_in_collections_of_mixins() {
    static MEMBERS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    static DELETED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    found_in(&["CORE-37", "HTTP-28"], |asked, answer| {
        let (mut members, mut deleted) = (MEMBERS.lock().unwrap(), DELETED.lock().unwrap());
        if asked.method == "POST" && !is_entity(asked) && asked.text().starts_with("X-OCCI-Location:") {
            members.insert(asked.path.clone(), asked.text());
        }
        if asked.method == "DELETE" && is_entity(asked) && answer.status < 300 {
            deleted.insert(asked.path.clone());
        }
        if asked.method == "GET"
            && answer.is("text/plain")
            && let Some(lines) = members.get(&asked.path)
        {
            let gone = lines
                .split_inclusive("\r\n")
                .filter(|line| deleted.iter().any(|path| line.trim_end().ends_with(path)));
            answer.body = (answer.text() + &gone.collect::<String>()).into();
        }
    });
}

/// The target of a link shows it as if it were its own, and goes on to do so when it is deleted.
#[test]
fn links_that_come_are_shown() {
    static LINKS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    found_in(&["H11-20", "H11-23"], |asked, answer| {
        let mut links = LINKS.lock().unwrap();
        let (text, path) = (asked.text(), asked.path.as_str());
        let end = |name: &str| {
            let url = text.split_once(&format!("{name}=\"http://"))?.1.split('"').next()?;
            Some(url[url.find('/')?..].to_owned())
        };
        if asked.method == "POST" && answer.status == 201 {
            let own = answer.headers["location"].to_str().unwrap().to_owned();
            if let (Some(source), Some(target)) = (end("occi.core.source"), end("occi.core.target")) {
                let rel = "http://schemas.ogf.org/occi/core#resource";
                let category = "http://schemas.ogf.org/occi/core#link";
                let line =
                    format!("Link: <{source}>; rel=\"{rel}\"; self=\"{own}\"; category=\"{category}\"\r\n");
                links.insert(target, line);
            }
        }
        if asked.method == "GET"
            && answer.is("text/plain")
            && let Some(line) = links.get(path)
        {
            let text = answer.text();
            let at = text.find("X-OCCI-Attribute").unwrap_or(text.len());
            answer.body = (text[..at].to_owned() + line + &text[at..]).into();
        }
    });
}

/// A link is made, whatever it comes from.
#[test]
fn links_that_come_from_elsewhere_are_made() {
    found_in_requests(&["CORE-43"], |asked| {
        asked.text().contains("occi.core.source=\"http://example.org/").then(|| {
            let mut made = Answer::empty(201);
            made.set("location", "/link/from-elsewhere");
            made
        })
    });
}

#[test]
fn updates_have_no_content() {
    found_in(&["HTTP-26"], |asked, answer| {
        let is_update = asked.method == "POST" && is_entity(asked) && asked.query.is_empty();
        if is_update && answer.status == 200 {
            *answer = Answer::empty(204);
        }
    });
}

#[test]
fn links_at_creation_are_ignored() {
    found_in_requests(&["H11-22"], |asked| {
        if asked.method == "POST" && !is_entity(asked) && asked.text().contains("Link: <") {
            asked.lines(|line| !line.starts_with("Link:"));
        }
        None
    });
}

#[test]
fn all_links_at_creation_but_the_first_are_ignored() {
    found_in_requests(&["H11-22", "HTTP-26"], |asked| {
        let text = asked.text();
        let links: Vec<_> = text.split_inclusive("\r\n").filter(|line| line.starts_with("Link:")).collect();
        if let [_, rest @ ..] = &links[..] {
            asked.lines(|line| !rest.contains(&line));
        }
        None
    });
}

#[test]
fn links_at_creation_have_no_attributes() {
    found_in_requests(&["H11-22", "HTTP-26"], |asked| {
        let mut text = String::new();
        for line in asked.text().split_inclusive("\r\n") {
            match line.split_once("; occi.") {
                Some((target, _)) if line.starts_with("Link:") => text = text + target + "\r\n",
                _ => text += line,
            }
        }
        if text != asked.text() {
            asked.clear();
            asked.prepend(&text);
        }
        None
    });
}

fn with_a_slash(_: &Asked, answer: &mut Answer) {
    if let Some(location) = answer.headers.get("location") {
        let location = format!("{}/", location.to_str().unwrap());
        answer.headers.insert("location", location.parse().unwrap());
    }
    if answer.is("text/plain") {
        let listed = |line: &str| line.starts_with("X-OCCI-Location: ") && !line.ends_with('/');
        let line = |line: &str| if listed(line) { format!("{line}/\r\n") } else { format!("{line}\r\n") };
        answer.body = answer.text().lines().map(line).collect::<String>().into();
    }
}

/// H11-01, by a server that knows its own paths; and nothing of what was made stays.
#[test]
fn paths_of_entities_end_with_a_slash() {
    let without = |asked: &mut Asked| {
        let entity = asked.path.trim_end_matches('/');
        if entity.len() > "/compute/01a226f7-57d5-7162".len() {
            asked.path = entity.to_owned();
        }
        None
    };
    let failing = failing(Fault::in_both(without, with_a_slash));
    assert!(failing.contains("H11-01"), "{failing:?}");
}

/// By one that does not find what it shows, all that stays is named.
#[test]
fn what_cannot_be_removed_is_named() {
    let server = Server::shared();
    let proxy = Proxy::start(server.address(), Fault::in_answers(with_a_slash));
    let report = run(&Options::of(proxy.endpoint())).unwrap();
    let left = server.entities().lines().count();
    ureq::delete(format!("http://{}/", server.address())).call().unwrap();
    let named = report.left.iter().filter(|left| left.starts_with("could not be removed: ")).count();
    assert!(left > 0 && named >= left, "{left} are left: {:?}", report.left);
}

/// H11-14: a Location that leads to the collection is none; and what the body names is removed.
#[test]
fn locations_that_name_the_collection() {
    let failing = failing(Fault::in_answers(|asked, answer| {
        if answer.status == 201 {
            let collection = asked.path.split('/').nth(1).unwrap();
            let location = format!("http://{}/{collection}", asked.header("host"));
            answer.headers.insert("location", location.parse().unwrap());
        }
    }));
    assert!(failing.contains("H11-14") && failing.contains("HTTP-24"), "{failing:?}");
}
