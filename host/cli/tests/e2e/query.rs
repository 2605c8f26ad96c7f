//! The query interface, and what every answer carries.

use crate::occi::{INFRASTRUCTURE, NOTE_ID, kind, kind_id};
use crate::server::Server;
use serde_json::{Value, json};

const WELL_KNOWN: &str = "/.well-known/org/ogf/occi/-/";

/// HTTP-18, H11-05: both paths say the same.
#[test]
fn it_is_at_both_paths() {
    let server = Server::start();
    for accept in ["text/plain", "text/occi", "application/occi+json"] {
        let [short, long] = ["/-/", WELL_KNOWN].map(|path| server.get(path).accept(accept).answers(200));
        assert_eq!(short.body, long.body);
        assert_eq!(short.header("category"), long.header("category"));
    }
}

/// HTTP-19, H11-06, TXT-13, TXT-15, CORE-38: every category, with its attributes, actions and relations.
#[test]
fn it_lists_every_category_in_text() {
    let answer = Server::start().get("/-/").answers(200);
    let line = |id: &str| {
        let (scheme, term) = id.split_once('#').unwrap();
        let start = format!("Category: {term}; scheme=\"{scheme}#\"; ");
        let found = answer.body.lines().find(|line| line.starts_with(&start));
        found.unwrap_or_else(|| panic!("{id} is not listed: {answer}")).to_owned()
    };
    for (term, parent) in [
        ("compute", "resource"),
        ("network", "resource"),
        ("storage", "resource"),
        ("networkinterface", "link"),
        ("storagelink", "link"),
    ] {
        let line = line(&kind_id(term));
        assert!(line.contains("class=\"kind\""), "{line}");
        // INF-02, TXT-17
        assert!(line.contains(&format!("rel=\"http://schemas.ogf.org/occi/core#{parent}\"")), "{line}");
        assert!(line.contains(&format!("location=\"/{term}/\"")), "Q-45: {line}");
        assert!(line.contains("occi.core.id{immutable required}"), "Q-65: {line}");
    }
    // HTTP-03, Q-55: what cannot be instantiated has no path.
    assert!(!line("http://schemas.ogf.org/occi/core#entity").contains("location="));
    // INF-05
    for (kind, terms) in [
        ("compute", &["start", "stop", "restart", "suspend", "save"][..]),
        ("network", &["up", "down"]),
        ("storage", &["online", "offline"]),
    ] {
        for term in terms {
            let id = format!("{INFRASTRUCTURE}/{kind}/action#{term}");
            assert!(line(&kind_id(kind)).contains(&id), "CORE-16: {kind} shows {term}");
            assert!(line(&id).contains("class=\"action\""));
        }
    }
    // INF-07, INF-08
    let mixin = line(&format!("{INFRASTRUCTURE}/network#ipnetwork"));
    assert!(mixin.contains("class=\"mixin\"") && mixin.contains("occi.network.gateway"), "{mixin}");
    line(&format!("{INFRASTRUCTURE}/networkinterface#ipnetworkinterface"));
    line(NOTE_ID);
    assert!(answer.body.ends_with("\r\n"));
}

/// JSON-02, JSON-06, JSON-09, JSON-11: one object, and attributes that hide nothing.
#[test]
fn it_is_one_object_in_json() {
    let model = Server::start().get("/-/").accept("application/occi+json").answers(200).json();
    let members: Vec<_> = model.as_object().unwrap().keys().collect();
    assert_eq!(members, ["kinds", "mixins", "actions"]);
    let find = |list: &str, term: &str| -> Value {
        let found = model[list].as_array().unwrap().iter().find(|category| category["term"] == term);
        found.unwrap_or_else(|| panic!("no {term} in {list}")).clone()
    };
    let compute = find("kinds", "compute");
    assert_eq!(compute["parent"], "http://schemas.ogf.org/occi/core#resource");
    assert_eq!(compute["location"], "/compute/");
    let cores = &compute["attributes"]["occi.compute.cores"];
    assert_eq!(cores["mutable"], true);
    assert_eq!(cores["required"], false);
    assert_eq!(cores["default"], 1);
    assert_eq!(cores["pattern"]["minimum"], 1, "Q-70: {cores}");
    assert_eq!(compute["attributes"]["occi.compute.state"]["mutable"], false);
    assert_eq!(find("mixins", "ipnetwork")["applies"], json!([kind_id("network")]));
    assert!(find("actions", "stop")["attributes"]["method"].is_object());
    assert!(find("kinds", "entity").get("location").is_none(), "HTTP-03");
}

/// TXT-03, TXT-04: categories as headers, and a body that says OK.
#[test]
fn it_is_in_headers_for_text_occi() {
    let answer = Server::start().get("/-/").accept("text/occi").answers(200);
    assert_eq!(answer.body, "OK");
    assert!(answer.header("category").contains("compute; scheme="));
}

/// HTTP-15, H11-04, Q-35: a filter in the headers leaves the complete rendering of what it names, and no more.
#[test]
fn a_filter_narrows_it() {
    let server = Server::start();
    let all = server.get("/-/").answers(200);
    let category = kind("storage").replace("Category: ", "");
    let answer = server.get("/-/").header("Category", &category).answers(200);
    assert_eq!(answer.lines().len(), 1, "{answer}");
    assert!(all.lines().contains(&answer.lines()[0]), "complete: {answer}");
    let answer = server.get("/-/").accept("application/occi+json").header("Category", &category).answers(200);
    assert_eq!(answer.json()["kinds"].as_array().unwrap().len(), 1);
}

/// HTTP-15, H11-03: categories have no values to be filtered by; who asks for that is not shown all of them.
#[test]
fn a_value_does_not_narrow_it() {
    let server = Server::start();
    let value = "occi.core.title=\"a\"";
    let category = kind("storage").replace("Category: ", "");
    for path in ["/-/", WELL_KNOWN] {
        let answer = server.get(path).header("X-OCCI-Attribute", value).answers(400);
        assert!(answer.body.contains("`Category` alone"), "{answer}");
        server.get(path).header("Category", &category).header("X-OCCI-Attribute", value).answers(400);
        server.get(&format!("{path}?attribute=occi.core.title%3Da")).answers(400);
    }
}

/// TXT-07, H11-26
#[test]
fn it_is_no_listing_of_uris() {
    let answer = Server::start().get("/-/").accept("text/uri-list").answers(400);
    assert!(answer.body.contains("for collections only"), "{answer}");
}

/// HTTP-08, HTTP-10, H11-29, Q-62: every answer says what is spoken here, whatever its status.
#[test]
fn every_answer_names_the_versions() {
    let server = Server::start();
    let note = server.note("a");
    for (answer, status) in [
        (server.get("/-/").send(), 200),
        (server.get(&note).send(), 200),
        (server.request("HEAD", &note).send(), 200),
        (server.request("OPTIONS", &note).send(), 200),
        (server.get("/note/").accept("image/png").send(), 406),
        (server.get("/nowhere").send(), 404),
        (server.put("/-/").send(), 405),
        (server.post("/note/").text("?").send(), 400),
        (server.get("/-/").header("User-Agent", "x OCCI/2.0").send(), 501),
        (server.get("/healthz").send(), 200),
    ] {
        let answer = answer.is(status);
        let spoken = answer.header("server");
        assert!(spoken.split(' ').any(|token| token == "OCCI/1.2"), "{answer}");
        assert!(spoken.split(' ').any(|token| token == "OCCI/1.1"), "{answer}");
        if !answer.body.is_empty() {
            assert_ne!(answer.header("content-type"), "", "HTTP-09: {answer}");
        }
    }
    assert!(server.get("/-/").send().header("accept").contains("application/occi+json"));
}

/// HTTP-07, HTTP-11, Q-63: an older client is served, a newer one is told.
#[test]
fn a_client_of_1_1_is_served() {
    let server = Server::start();
    for agent in ["rOCCI/4.3 OCCI/1.1 (linux)", "x OCCI/1.2", "curl/8.0", "fooOCCI/9.9bar"] {
        server.get("/-/").header("User-Agent", agent).answers(200);
    }
    let answer = server.get("/-/").header("User-Agent", "x OCCI/1.3").answers(501);
    assert!(answer.body.contains("OCCI/1.2"), "{answer}");
}

/// H11-25, Q-01, Q-20, Q-21: text/plain where the client leaves it open, else the best that it takes.
#[test]
fn the_client_chooses_the_rendering() {
    let server = Server::start();
    for (accept, given) in [
        ("*/*", "text/plain"),
        ("text/*", "text/plain"),
        ("text/plain,text/occi", "text/plain"),
        ("text/plain;q=0.2, text/occi", "text/occi"),
        ("text/occi+plain", "text/occi+plain"),
        ("application/occi+json", "application/occi+json"),
        ("application/json", "application/json"),
        ("image/png, application/json;q=0.1", "application/json"),
    ] {
        let answer = server.get("/-/").accept(accept).answers(200);
        assert_eq!(answer.header("content-type"), given, "{accept}");
        assert!(answer.header("vary").starts_with("accept"), "{answer}");
    }
    assert_eq!(server.get("/-/").answers(200).header("content-type"), "text/plain");
}
