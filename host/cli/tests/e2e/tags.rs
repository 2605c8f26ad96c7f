//! Mixins that clients define.

use crate::occi::{NOTE, body, kind, kind_id, tag};
use crate::server::{Server, eventually, extensions, run};
use serde_json::json;

/// HTTP-20, H11-07, CORE-27, CORE-47: defined, in text, headers and JSON; listed as any Mixin.
#[test]
fn defined() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let green = tag("green").replace("Category: ", "");
    server.post("/-/").occi(&[("Category", &green)]).answers(200);
    let blue = json!({"term": "blue", "scheme": "http://example.com/tags#", "location": "/tags/blue/", "title": "Blue"});
    server.post("/-/").json(&json!({"mixins": [blue]})).answers(200);
    // JSON section 2: one bare object; Q-44: what it depends on need not be known.
    let grey = json!({"term": "grey", "scheme": "http://example.com/tags#", "location": "/tags/grey/",
        "depends": ["http://example.com/other#colour"]});
    server.post("/-/").json(&grey).answers(200);
    let model = server.get("/-/").accept("application/occi+json").answers(200).json();
    let terms: Vec<_> =
        model["mixins"].as_array().unwrap().iter().map(|mixin| mixin["term"].as_str().unwrap()).collect();
    for term in ["red", "green", "blue", "grey"] {
        assert!(terms.contains(&term), "{terms:?}");
        assert_eq!(server.get(&format!("/tags/{term}/")).answers(200).body, "");
    }
    assert!(server.get("/-/").answers(200).body.contains(&tag("red")));
}

/// CORE-07, H11-07, Q-43: what a tag cannot be; nothing is defined by it.
#[test]
fn refused() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let of = |scheme: &str, class: &str, location: &str| {
        format!("Category: mine; scheme=\"{scheme}\"; class=\"{class}\"; location=\"{location}\"")
    };
    let own = "http://example.com/mine#";
    for (text, status, said) in [
        (String::new(), 400, "name a mixin"),
        (of("http://schemas.ogf.org/occi/mine#", "mixin", "/mine/"), 403, "standard"),
        (of("http://example.com/occi/note#", "mixin", "/mine/"), 409, "of the extension note"),
        (of("https://EXAMPLE.com:443/occi/note#", "mixin", "/mine/"), 409, "of the extension note"),
        (of(own, "kind", "/mine/"), 400, "mixins"),
        (of(own, "mixin", "/mine"), 400, "ends in `/`"),
        (of(own, "mixin", "/compute/"), 409, "/compute/"),
        (of(own, "mixin", "/tags/red/"), 409, "/tags/red/"),
        (of(own, "mixin", "/-/"), 409, "/-/"),
        (tag("red"), 409, "there already"),
        (format!("Category: mine; scheme=\"{own}\"; class=\"mixin\""), 400, "location"),
        (of(own, "mixin", "/mine/") + "; attributes=\"com.example.x\"", 400, "attributes"),
        (of(own, "mixin", "/mine/") + "\nX-OCCI-Attribute: com.example.x=1", 400, "nothing else"),
        (of(own, "mixin", "/mine/") + "\nX-OCCI-Location: /compute/1", 400, "nothing else"),
        // All or none.
        (tag("blue") + "\n" + &of(own, "mixin", "/compute/"), 409, "/compute/"),
    ] {
        let answer = server.post("/-/").text(&text).answers(status);
        assert!(answer.body.contains(said), "{text}: {answer}");
    }
    let listed = server.get("/-/").answers(200);
    assert!(!listed.body.contains("mine") && !listed.body.contains("tags/blue"), "{listed}");
}

/// HTTP-32, HTTP-35, CORE-37, Q-66: on entities of several Kinds, and off again; no entity goes by it.
#[test]
fn on_and_off() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let (note, compute) = (server.note("a"), server.create("compute", &[]));
    let lines = format!("X-OCCI-Location: {0}{note}\nX-OCCI-Location: {0}{compute}\n", server.base());
    let mut given = server.post("/tags/red/").text(&lines).answers(200).locations();
    given.sort_unstable();
    assert_eq!(given, [compute.clone(), note.clone()]);
    let red = tag("red").split("; location").next().unwrap().to_owned();
    assert!(server.get(&compute).answers(200).lines().contains(&&*red));
    // At creation, and by a partial update.
    let text = body(&[NOTE, &tag("red")], &["com.example.note.text=\"x\""]);
    let third = server.post("/note/").text(text).answers(201).location();
    let fourth = server.note("b");
    server.post(&fourth).text(tag("red")).answers(200);
    assert_eq!(server.get("/tags/red/").answers(200).lines().len(), 4);

    server.delete("/tags/red/").text(format!("X-OCCI-Location: {}{note}", server.base())).answers(200);
    assert!(!server.get(&note).answers(200).body.contains("red"));
    server.delete("/tags/red/").answers(200);
    assert_eq!(server.get("/tags/red/").answers(200).body, "");
    for path in [&note, &compute, &third, &fourth] {
        assert!(!server.get(path).answers(200).body.contains("red"));
    }
}

/// HTTP-21, H11-08, Q-42: removed, and taken off its members; the provider's are not the client's to remove.
#[test]
fn removed() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let note = server.note("a");
    server.post("/tags/red/").text(format!("X-OCCI-Location: {}{note}", server.base())).answers(200);
    server.delete("/-/").text(tag("red")).answers(200);
    server.get("/tags/red/").answers(404);
    let members = format!("X-OCCI-Location: {}{note}", server.base());
    server.post("/tags/red/").text(&members).answers(404);
    server.delete("/tags/red/").text(&members).answers(404);
    assert!(!server.get(&note).answers(200).body.contains("red"));
    assert!(!server.get("/-/").answers(200).body.contains("/tags/red/"));
    server.delete("/-/").text(tag("red")).answers(400);
    let os_tpl = "Category: os_tpl; scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"mixin\"";
    let answer = server.delete("/-/").text(os_tpl).answers(403);
    assert!(answer.body.contains("provider"), "{answer}");
    server.delete("/-/").text(NOTE).answers(403);
    server.delete("/-/").answers(400);
    // It can come back, without its former members.
    server.post("/-/").text(tag("red")).answers(200);
    assert_eq!(server.get("/tags/red/").answers(200).body, "");
}

/// H11-07: a tag is as durable as an entity.
#[test]
fn kept_over_a_restart() {
    let mut server = Server::start();
    for term in ["red", "green"] {
        server.post("/-/").text(tag(term)).answers(200);
    }
    let note = server.note("a");
    server.post("/tags/red/").text(format!("X-OCCI-Location: {}{note}", server.base())).answers(200);
    server.delete("/-/").text(tag("green")).answers(200);
    for _ in 0..2 {
        server.kill_and_restart();
        assert_eq!(server.get("/tags/red/").answers(200).locations(), std::slice::from_ref(&note));
        server.get("/tags/green/").answers(404);
    }
    server.restart();
    assert!(server.get(&note).answers(200).body.contains("Category: red;"));
}

/// HTTP-18, H11-07: no tag takes a path that is the server's own.
#[test]
fn no_tag_shadows_the_server() {
    let server = Server::start();
    server.put("/note/mine").text(body(&[NOTE], &["com.example.note.text=\"x\""])).answers(201);
    for (location, status) in [
        ("/", 400),
        ("/-/", 409),
        ("/-/mine/", 409),
        ("/.well-known/", 409),
        ("/.well-known/org/ogf/occi/-/", 409),
        ("/.well-known/mine/", 409),
        ("/healthz/", 409),
        ("/healthz/mine/", 409),
        ("/note/", 409),
        ("/note/mine/", 409),
        ("/note/tags/", 409),
        ("/mixin/ipnetwork/", 409),
        // Above those of the provider, whose union is there.
        ("/mixin/", 409),
        ("/../-/", 400),
    ] {
        let tag = tag("mine").replace("/tags/mine/", location);
        server.post("/-/").text(&tag).answers(status);
    }
    assert!(!server.get("/-/").answers(200).body.contains("mine"));
    server.get("/-/").answers(200);
    assert_eq!(server.get("/healthz").answers(200).body, "ok\r\n");
    server.get("/note/mine").answers(200);
}

/// A tag may depend on another (Q-44), and that on a third; not without end, since each has all that come after it.
#[test]
fn a_long_chain_is_refused_at_once() {
    let server = Server::start();
    let chain = |length: usize| {
        (0..length).fold(String::new(), |lines, number| {
            let next = number + 1;
            lines
                + &format!(
                    "Category: c{number}; scheme=\"http://example.com/chain#\"; class=\"mixin\"; \
                     location=\"/chain/{number}/\"; rel=\"http://example.com/chain#c{next}\"\n"
                )
        })
    };
    let answer = server.post("/-/").text(chain(900)).answers(400);
    assert!(answer.body.contains("more than 64 other mixins"), "{answer}");
    server.post("/-/").text(chain(60)).answers(200);
}

/// An entity has so many Mixins and no more, as each request about it looks at all of them.
#[test]
fn too_many_on_one_entity_are_refused() {
    let server = Server::start();
    let tags: Vec<_> = (0..300)
        .map(|number| {
            format!(
                "Category: m{number}; scheme=\"http://example.com/many#\"; class=\"mixin\"; location=\"/many/{number}/\"\n"
            )
        })
        .collect();
    server.post("/-/").text(tags.concat()).answers(200);
    let ids = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|number| format!("http://example.com/many#m{number}")).collect()
    };
    let resource = |mixins| json!({"kind": "http://schemas.ogf.org/occi/core#resource", "mixins": mixins});
    let answer = server.post("/resource/").json(&resource(ids(0..257))).answers(400);
    assert!(answer.body.contains("at most 256 mixins"), "{answer}");
    let made = server.post("/resource/").json(&resource(ids(0..200))).answers(201).location();
    server.post(&made).json(&json!({"mixins": ids(200..256)})).answers(200);
    server.post(&made).json(&json!({"mixins": ids(256..257)})).answers(400);
    server.post("/many/256/").text(format!("X-OCCI-Location: {made}")).answers(400);
}

/// What is said of a tag that shall go is of that tag.
#[test]
fn removed_by_its_right_description() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let other = |from: &str, to: &str| server.delete("/-/").text(tag("red").replace(from, to)).answers(400);
    other("class=\"mixin\"", "class=\"kind\"");
    other("location=\"/tags/red/\"", "location=\"/elsewhere/\"");
    server.delete("/-/").text(tag("red")).answers(200);
    // A tag depends on mixins.
    let on_kind = format!("{}; rel=\"{}\"", tag("red"), kind_id("compute"));
    assert!(server.post("/-/").text(on_kind).answers(400).body.contains("not a mixin"));
}

/// All tags are in everybody's query interface, so there is an end to them.
#[test]
fn there_are_so_many_tags_and_no_more() {
    let server = Server::start();
    let lines = |numbers: std::ops::Range<usize>| {
        numbers.map(|number| tag(&format!("t{number}"))).collect::<Vec<_>>().join("\n")
    };
    server.post("/-/").text(lines(0..1000)).answers(200);
    let refused = server.post("/-/").text(lines(1000..1001)).answers(409);
    assert!(refused.body.contains("there can be 1000 tags"), "{refused}");
    server.delete("/-/").text(lines(0..1)).answers(200);
    server.post("/-/").text(lines(1000..1001)).answers(200);
}

/// A tag whose name or path an extension wants keeps it out: its members would be taken for that extension's own.
#[test]
fn an_extension_does_not_take_a_tags_place() {
    let folder = tempfile::tempdir().unwrap();
    let infrastructure = folder.path().join("infrastructure.wasm");
    std::fs::copy(extensions().join("infrastructure.wasm"), infrastructure).unwrap();
    let mut server = Server::of(&folder, "");
    let network = server.create("network", &[]);
    let named =
        r#"Category: note; scheme="http://example.com/occi/note#"; class="mixin"; location="/x/note/""#;
    let placed = tag("mine").replace("/tags/mine/", "/note/");
    let below = tag("mine").replace("/tags/mine/", "/note/sub/");
    for (tag, location) in [(named, "/x/note/"), (&placed, "/note/"), (&below, "/note/sub/")] {
        server.post("/-/").text(tag).answers(200);
        server.post(location).text(format!("X-OCCI-Location: {}{network}", server.base())).answers(200);
        let data = server.data();
        let note = extensions().join("note.wasm");
        let install = ["ext", "--data", data.to_str().unwrap(), "install", note.to_str().unwrap()];
        let refused = run(&install);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && said.contains(location), "{said}");
        // Nor at a start.
        assert!(server.stop().success(), "{}", server.log());
        std::fs::copy(&note, folder.path().join("note.wasm")).unwrap();
        let before = server.log().len();
        server.begin();
        // What there are entities of is looked at when it serves.
        eventually("it is told", || server.log()[before..].contains("not in service"));
        let members = server.get(location).answers(200);
        assert_eq!(members.locations(), std::slice::from_ref(&network));
        std::fs::remove_file(folder.path().join("note.wasm")).unwrap();
        server.delete("/-/").text(tag).answers(200);
    }
    let data = server.data();
    let note = extensions().join("note.wasm");
    let install = ["ext", "--data", data.to_str().unwrap(), "install", note.to_str().unwrap()];
    assert!(run(&install).status.success());
    server.note("a");
    server.delete("/note/").answers(200);
    server.get(&network).answers(200);
}

/// CORE-25, H11-08: what a tag brought goes with it; and one that another depends on does not go before that.
#[test]
fn removed_with_what_they_brought() {
    let server = Server::start();
    let of = |term: &str, rel: &str| tag(term) + "; rel=\"" + rel + "\"";
    let ip = "http://schemas.ogf.org/occi/infrastructure/network#ipnetwork";
    server.post("/-/").text(of("first", ip)).answers(200);
    server.post("/-/").text(of("second", "http://example.com/tags#first")).answers(200);
    let network = |term: &str| {
        let named = format!(r#"Category: {term}; scheme="http://example.com/tags#"; class="mixin""#);
        let address = ["occi.network.address=\"10.9.0.0/24\"", "occi.network.allocation=\"static\""];
        server.post("/network/").text(body(&[&kind("network"), &named], &address)).answers(201).location()
    };
    let (first, second) = (network("first"), network("second"));
    let answer = server.delete("/-/").text(tag("first")).answers(409);
    assert!(answer.body.contains("http://example.com/tags#second depends on it"), "{answer}");
    server.delete("/-/").text(tag("first") + "\n" + &tag("second")).answers(200);
    for path in [&first, &second] {
        let shown = server.get(path).answers(200);
        assert!(!shown.body.contains("occi.network.address") && !shown.body.contains("tags#"), "{shown}");
        server.put(path).text(shown.body).answers(200);
    }
    // One that comes later brings nothing to members that there are.
    server.post("/-/").text(of("second", "http://example.com/tags#first")).answers(200);
    server.post("/tags/second/").text(format!("X-OCCI-Location: {}{first}", server.base())).answers(200);
    let answer = server.post("/-/").text(of("first", ip)).answers(409);
    assert!(answer.body.contains("http://example.com/tags#second"), "{answer}");
    server.delete("/tags/second/").answers(200);
    server.post("/-/").text(of("first", ip)).answers(200);
}

/// The query interface shows them in one order, whatever the server went through.
#[test]
fn in_one_order() {
    let mut server = Server::start();
    for term in ["zeta", "alpha", "mid"] {
        server.post("/-/").text(tag(term)).answers(200);
    }
    let before = server.get("/-/").answers(200).body;
    server.restart();
    assert_eq!(server.get("/-/").answers(200).body, before);
}

/// HTTP-04, HTTP-17: whoever has a Mixin because another stands on it is not among its members, wherever these are asked
/// for.
#[test]
fn members_are_those_that_were_given_it() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let ip = "http://schemas.ogf.org/occi/infrastructure/network#ipnetwork";
    let tags = [("base", ip), ("top", "http://example.com/tags#base")];
    for (term, rel) in &tags {
        let tag = tag(term).replace("/tags/", "/mytags/");
        server.post("/-/").text(format!("{tag}; rel=\"{rel}\"")).answers(200);
    }
    server.post("/mytags/top/").text(format!("X-OCCI-Location: {network}")).answers(200);
    let shown = |path: &str| server.get(path).answers(200).locations();
    for path in ["/mytags/top/", "/mytags/", "/?category=http://example.com/tags%23top"] {
        assert_eq!(shown(path), [&*network], "{path}");
    }
    for (path, id) in [("/mytags/base/", "http://example.com/tags#base"), ("/mixin/ipnetwork/", ip)] {
        assert_eq!(shown(path), [""; 0]);
        assert_eq!(shown(&format!("/?category={}", id.replace('#', "%23"))), [""; 0]);
    }
    let no_action =
        server.post("/mytags/base/?action=up").text(crate::occi::action("network", "up")).answers(400);
    assert!(no_action.body.contains("no action of this collection"), "{no_action}");
}
