//! What has a Kind or Mixin whose extension does not serve, and what such an extension keeps.

use crate::extensions::ext;
use crate::http::Answer;
use crate::occi::{NOTE, body};
use crate::server::{Server, eventually, extensions};
use tempfile::TempDir;

const SETTABLE: &str = "com.example.note.text=\"mine\"";

/// A server with these extensions of the project, and Mixins of this name that give a default; and its folder.
fn server(files: &[&str], mixins: &[&str]) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        std::fs::copy(extensions().join(file), folder.path().join(file)).unwrap();
    }
    for name in mixins {
        std::fs::write(folder.path().join(format!("{name}.toml")), mixin(name, name, "example.com")).unwrap();
    }
    (Server::of(&folder, ""), folder)
}

/// An extension with a Mixin.
fn mixin(name: &str, term: &str, publisher: &str) -> String {
    format!(
        r#"
        [extension]
        name = "{name}"
        version = "1.0.0"
        publisher = "{publisher}"
        [[mixin]]
        term = "{term}"
        scheme = "http://example.com/{term}#"
        location = "/mixin/{name}/"
        [mixin.attributes."com.example.{term}.name"]
        type = "string"
        mutable = true
        default = "red"
        "#
    )
}

fn id(term: &str) -> String {
    format!("http://example.com/{term}#{term}")
}

fn category(term: &str) -> String {
    format!(r#"Category: {term}; scheme="http://example.com/{term}#"; class="mixin""#)
}

fn note(server: &Server, mixins: &[&str]) -> String {
    let mixins: Vec<_> = mixins.iter().map(|term| category(term)).collect();
    let categories: Vec<_> = std::iter::once(NOTE).chain(mixins.iter().map(String::as_str)).collect();
    server.post("/note/").text(body(&categories, &[SETTABLE])).answers(201).location()
}

fn name_of(server: &Server, path: &str, term: &str) -> Option<String> {
    server.get(path).answers(200).attribute(&format!("com.example.{term}.name")).map(str::to_owned)
}

/// A tag that brings a Mixin along is not taken off what can only be read: what the Mixin brought would stay.
#[test]
fn a_tag_that_brings_others_stays() {
    let (server, _folder) = server(&["note.wasm"], &["colour", "shape"]);
    let [plain, team] = ["", &format!("; rel=\"{}\"", id("colour"))].map(|rel| {
        let term = if rel.is_empty() { "plain" } else { "team" };
        let tag = category(term) + rel + &format!("; location=\"/tags/{term}/\"");
        server.post("/-/").text(&tag).answers(200);
        tag
    });
    let note = note(&server, &["shape", "plain", "team"]);
    assert_eq!(name_of(&server, &note, "colour").as_deref(), Some("\"red\""));
    ext(&server, &["disable", "shape", "--leave-entities"]).unwrap();
    let refused = server.delete("/-/").text(&team).answers(503);
    assert!(refused.body.contains(&note) && refused.body.contains(&id("shape")), "{refused}");
    server.delete("/-/").text(&plain).answers(200);
    let shown = server.get(&note).answers(200).body;
    assert!(shown.contains(&category("team")) && !shown.contains("plain"), "{shown}");

    ext(&server, &["enable", "shape"]).unwrap();
    server.delete("/-/").text(&team).answers(200);
    assert_eq!(name_of(&server, &note, "colour"), None);
}

/// Who asks for what cannot be had now is told so, not that it was named wrongly.
#[test]
fn what_does_not_serve_is_not_taken_for_a_wrong_name() {
    let (server, _folder) = server(&["note.wasm"], &["colour"]);
    let made = note(&server, &[]);
    ext(&server, &["disable", "colour"]).unwrap();
    let [kind, both] = [vec![NOTE.to_owned()], vec![NOTE.to_owned(), category("colour")]]
        .map(|categories| body(&categories.iter().map(String::as_str).collect::<Vec<_>>(), &[SETTABLE]));
    let is_not_loaded = |refused: Answer, id: &str| {
        let said = format!("no extension that defines {id} is loaded");
        assert!(refused.body.contains(&said), "{refused}");
        assert_eq!(refused.header("Retry-After"), "", "it does not come by itself");
    };
    is_not_loaded(server.post("/note/").text(&both).answers(503), &id("colour"));
    is_not_loaded(server.post(&made).text(category("colour")).answers(503), &id("colour"));
    // What is wrong in any case is said first.
    server.post("/note/mine").text(category("colour")).answers(404);
    server.post("/note/").text(both.replace("/note#", "/nothing#")).answers(400);
    ext(&server, &["disable", "note", "--leave-entities"]).unwrap();
    let note = "http://example.com/occi/note#note";
    is_not_loaded(server.post("/note/").text(&kind).answers(503), note);
    is_not_loaded(server.post("/").text(&kind).answers(503), note);
    is_not_loaded(server.put("/note/mine").text(&kind).answers(503), note);
    is_not_loaded(server.put(&made).text(server.get(&made).answers(200).body).answers(503), note);
    server.put(&made).header("If-Match", "\"999\"").text(&kind).answers(412);
    let refused = server.post("/nothing/").text(kind.replace("/note#", "/nothing#")).answers(400);
    assert!(refused.body.contains("nothing is created at /nothing/"), "{refused}");
    let refused = server.post("/nothing/").answers(400);
    assert!(refused.body.contains("nothing is created at /nothing/"), "{refused}");
    ext(&server, &["enable", "note"]).unwrap();
    server.post("/note/").text(&kind).answers(201);
}

/// What a client has defined is the client's, although a version that was never in service would define it, too.
#[test]
fn a_tag_that_a_sleeping_version_names_stays_a_tag() {
    let (server, folder) = server(&["note.wasm"], &["colour"]);
    ext(&server, &["disable", "colour"]).unwrap();
    server.post("/-/").text(category("team") + "; location=\"/tags/team/\"").answers(200);
    let tagged = note(&server, &["team"]);
    let next = mixin("colour", "team", "example.com").replace("1.0.0", "2.0.0");
    std::fs::write(folder.path().join("colour.toml"), next).unwrap();
    eventually("it is noted", || ext(&server, &["list"]).unwrap().contains("2.0.0"));
    note(&server, &["team"]);
    let all = body(&[NOTE, &category("team")], &[SETTABLE]);
    server.put(&tagged).text(all).answers(200);
    let refused = ext(&server, &["enable", "colour"]).unwrap_err();
    assert!(refused.contains("team"), "{refused}");
    ext(&server, &["remove", "colour"]).unwrap();
    note(&server, &["team"]);

    // One that waits for the tag to go comes when it does.
    std::fs::write(folder.path().join("team.toml"), mixin("team", "team", "example.com")).unwrap();
    eventually("it is refused", || {
        ext(&server, &["list"]).unwrap().contains("clients have defined the mixin")
    });
    server.delete("/-/").text(category("team")).answers(200);
    eventually("it serves", || server.get("/-/").answers(200).body.contains("/mixin/team/"));
}

/// What a resource's link is, whose extension does not serve, is not asked where the resource is sent as it was shown.
#[test]
fn what_was_shown_with_a_sleeping_link_can_be_sent_back() {
    let (server, folder) = server(&["note.wasm"], &[]);
    let tie = r#"
        [extension]
        name = "tie"
        version = "1.0.0"
        [[kind]]
        term = "tie"
        scheme = "http://example.com/tie#"
        parent = "http://schemas.ogf.org/occi/core#link"
        location = "/tie/"
        "#;
    std::fs::write(folder.path().join("tie.toml"), tie).unwrap();
    eventually("it is there", || server.get("/-/").answers(200).body.contains("/tie/"));
    let [source, target] = [(); 2].map(|()| note(&server, &[]));
    let kind = category("tie").replace("mixin", "kind");
    let ends =
        [("source", &source), ("target", &target)].map(|(end, path)| format!("occi.core.{end}=\"{path}\""));
    server.post("/tie/").text(body(&[&kind], &[&ends[0], &ends[1]])).answers(201);
    ext(&server, &["disable", "tie", "--leave-entities"]).unwrap();
    let shown = server.get(&source).answers(200).body;
    assert!(shown.contains("tie#tie"), "{shown}");
    server.put(&source).text(shown).answers(200);
}

/// An attribute that a forgotten Mixin has left, since it was not known whose it is, is no reason to refuse another.
#[test]
fn what_nobody_declares_keeps_nobody_away() {
    let (server, folder) = server(&["note.wasm"], &["colour", "shape"]);
    let note = note(&server, &["colour", "shape"]);
    for name in ["colour", "shape"] {
        ext(&server, &["disable", name, "--leave-entities"]).unwrap();
    }
    ext(&server, &["forget", &id("colour")]).unwrap();
    assert!(name_of(&server, &note, "colour").is_some());
    ext(&server, &["enable", "shape"]).unwrap();
    ext(&server, &["disable", "note", "--leave-entities"]).unwrap();
    ext(&server, &["enable", "note"]).unwrap();
    server.post(&note).text(body(&[], &[SETTABLE])).answers(200);
    ext(&server, &["forget", &note]).unwrap();
    assert_eq!(name_of(&server, &note, "colour"), None);
    assert!(name_of(&server, &note, "shape").is_some());
    ext(&server, &["forget", &note]).unwrap_err();

    // What it has declared itself is.
    ext(&server, &["disable", "shape", "--leave-entities"]).unwrap();
    let renamed =
        mixin("shape", "shape", "example.com").replace("shape.name", "shape.label").replace("1.0.0", "2.0.0");
    std::fs::write(folder.path().join("shape.toml"), renamed).unwrap();
    eventually("it is noted", || ext(&server, &["list"]).unwrap().contains("2.0.0"));
    let refused = ext(&server, &["enable", "shape"]).unwrap_err();
    assert!(refused.contains("1 entity does not fit it: the attribute com.example.shape.name"), "{refused}");
}

/// Its scheme is nobody else's for as long as it has left an entity.
#[test]
fn what_was_removed_and_has_left_something_keeps_it() {
    let (mut server, folder) = server(&["note.wasm"], &["colour"]);
    let other = tempfile::tempdir().unwrap();
    let [theirs, own] = [("paint", "example.net"), ("colour", "example.com")].map(|(name, publisher)| {
        let file = other.path().join(format!("{name}.toml"));
        std::fs::write(&file, mixin(name, "colour", publisher)).unwrap();
        file.to_str().unwrap().to_owned()
    });
    let note = note(&server, &["colour"]);
    let tag = category("colour") + "; location=\"/stolen/\"";
    let change = |server: &Server| server.post(&note).text(body(&[], &[SETTABLE])).send().status;
    let is_kept = |server: &Server| {
        let refused = server.post("/-/").text(&tag).answers(409);
        assert!(refused.body.contains("extension colour"), "{refused}");
        let refused = ext(server, &["install", &theirs]).unwrap_err();
        assert!(refused.contains("is example.com's, by the extension colour"), "{refused}");
        assert_eq!(change(server), 503);
    };
    ext(&server, &["remove", "colour"]).unwrap_err();
    ext(&server, &["remove", "colour", "--leave-entities"]).unwrap();
    assert!(!folder.path().join("colour.toml").exists());
    is_kept(&server);
    server.stop();
    server.begin();
    is_kept(&server);
    assert!(!ext(&server, &["list"]).unwrap().contains("colour"));

    ext(&server, &["install", &own]).unwrap();
    assert_eq!(change(&server), 200);
    ext(&server, &["remove", "colour", "--leave-entities"]).unwrap();
    assert_eq!(ext(&server, &["forget", &id("colour")]).unwrap(), format!("{}: 1 forgotten\n", id("colour")));
    assert_eq!(change(&server), 200);
    server.post("/-/").text(&tag).answers(200);
    server.delete("/-/").text(&tag).answers(200);
    ext(&server, &["install", &theirs]).unwrap();
}

/// What stands for an extension is changed by the server, whatever others have put on it.
#[test]
fn extensions_are_administered_all_the_same() {
    let (server, _folder) = server(&["note.wasm", "extensions.wasm"], &["colour"]);
    eventually("all are there", || server.get("/extension/").answers(200).lines().len() == 3);
    let members =
        ["note", "colour"].map(|name| format!("X-OCCI-Location: {}/extension/{name}", server.base()));
    server.post("/mixin/colour/").text(members.join("\n")).answers(200);
    let act = |term: &str, attributes: &[&str]| {
        let action = format!(
            r#"Category: {term}; scheme="http://example.org/occi/extension/action#"; class="action""#
        );
        server
            .post(&format!("/extension/colour?action={term}"))
            .text(body(&[&action], attributes))
            .answers(200);
    };
    let comes_to = |state: &str| {
        let is = || server.get("/extension/colour").answers(200).body.contains(&format!("state=\"{state}\""));
        eventually(state, is);
    };
    act("disable", &["leave_entities=true"]);
    comes_to("disabled");
    act("enable", &[]);
    comes_to("active");
    act("disable", &["leave_entities=true"]);
    comes_to("disabled");
    ext(&server, &["remove", "note"]).unwrap();
    eventually("it goes", || server.get("/extension/note").send().status == 404);
}

/// It is had like one of the entity's own, also while it does not serve.
#[test]
fn what_a_tag_brings_is_had() {
    let (server, folder) = server(&["note.wasm"], &["colour", "shape"]);
    let tag = category("team") + &format!("; rel=\"{}\"; location=\"/tags/team/\"", id("colour"));
    server.post("/-/").text(&tag).answers(200);
    // One that no extension ever had is no reason to change nothing (Q-44).
    let hopeful = category("hopeful") + &format!("; rel=\"{}\"; location=\"/tags/hopeful/\"", id("none"));
    server.post("/-/").text(&hopeful).answers(200);
    let note = note(&server, &["team", "hopeful", "shape"]);
    let change = |attribute: &str| server.post(&note).text(body(&[], &[attribute])).send();
    change("com.example.colour.name=\"precious\"").is(200);
    let other = self::note(&server, &["shape"]);
    ext(&server, &["disable", "colour", "--leave-entities"]).unwrap();
    // Nor is it given: it could not be taken off again.
    for request in [
        server.post("/tags/team/").text(format!("X-OCCI-Location: {}{other}", server.base())),
        server.post(&other).text(category("team")),
        server.put(&other).text(body(&[NOTE, &category("team")], &[SETTABLE])),
        server.post("/note/").text(body(&[NOTE, &category("team")], &[SETTABLE])),
    ] {
        assert!(request.answers(503).body.contains(&id("colour")));
    }
    server.delete(&other).answers(200);
    assert!(change(SETTABLE).is(503).body.contains(&id("colour")));
    let refused = ext(&server, &["remove", "colour"]).unwrap_err();
    assert!(refused.contains(&note), "{refused}");
    ext(&server, &["disable", "shape", "--leave-entities"]).unwrap();
    ext(&server, &["forget", &id("shape")]).unwrap();
    assert_eq!(name_of(&server, &note, "colour").as_deref(), Some("\"precious\""));

    let other = mixin("colour", "colour", "example.com").replace("1.0.0", "2.0.0");
    let other = other.replace("\"string\"", "\"integer\"").replace("\"red\"", "1");
    std::fs::write(folder.path().join("colour.toml"), other).unwrap();
    eventually("it is noted", || ext(&server, &["list"]).unwrap().contains("2.0.0"));
    let refused = ext(&server, &["enable", "colour"]).unwrap_err();
    assert!(refused.contains("takes an integer, not \"precious\""), "{refused}");

    ext(&server, &["remove", "colour", "--leave-entities"]).unwrap();
    std::fs::write(folder.path().join("paint.toml"), mixin("paint", "colour", "example.net")).unwrap();
    eventually("it is refused", || ext(&server, &["list"]).unwrap().contains("paint.toml"));
    server.get("/mixin/paint/").answers(404);
    assert_eq!(ext(&server, &["forget", &id("colour")]).unwrap(), format!("{}: 1 forgotten\n", id("colour")));
    let shown = server.get(&note).answers(200).body;
    assert!(!shown.contains("team") && !shown.contains("colour") && shown.contains("hopeful"), "{shown}");
    change(SETTABLE).is(200);
}

/// What a tag has brought beside, and serves, is not ended behind its extension's back.
#[test]
fn what_serves_stays_when_another_is_forgotten() {
    let (server, _folder) = server(&["note.wasm"], &["colour", "shape"]);
    let tag =
        category("both") + &format!("; rel=\"{} {}\"; location=\"/tags/both/\"", id("colour"), id("shape"));
    server.post("/-/").text(&tag).answers(200);
    let note = note(&server, &["both"]);
    server.post(&note).text(body(&[], &["com.example.shape.name=\"round\""])).answers(200);
    ext(&server, &["disable", "colour", "--leave-entities"]).unwrap();
    ext(&server, &["forget", &id("colour")]).unwrap();
    let shown = server.get(&note).answers(200).body;
    assert!(shown.contains(&category("shape")) && shown.contains("round"), "{shown}");
    assert!(!shown.contains("colour") && !shown.contains("both"), "{shown}");
}

/// What takes its Kinds or Mixins over by another name has its entities to bring over, too; and waits for them to go where it is
/// another publisher's.
#[test]
fn by_another_name_it_is_the_same() {
    let (server, folder) = server(&["note.wasm"], &["colour"]);
    let note = note(&server, &["colour"]);
    ext(&server, &["remove", "colour", "--leave-entities"]).unwrap();
    let renamed = mixin("hue", "colour", "example.com").replace("colour.name", "colour.label");
    std::fs::write(folder.path().join("hue.toml"), renamed).unwrap();
    let theirs = mixin("paint", "colour", "example.net");
    std::fs::write(folder.path().join("paint.toml"), theirs).unwrap();
    let list = || ext(&server, &["list"]).unwrap();
    eventually("both are refused", || list().contains("paint.toml") && list().contains("hue.toml"));
    assert!(list().contains("the attribute com.example.colour.name is not one of"), "{}", list());
    std::fs::remove_file(folder.path().join("hue.toml")).unwrap();
    eventually("one has gone", || !list().contains("hue.toml"));
    ext(&server, &["forget", &note]).unwrap();
    eventually("the other serves", || server.get("/mixin/paint/").send().status == 200);
}

/// Of what has a Kind that does not serve the Mixins are still their extension's, which neither goes nor changes without a word.
#[test]
fn mixins_of_a_sleeping_kind_are_looked_at() {
    let (server, folder) = server(&["note.wasm"], &["colour"]);
    let other = tempfile::tempdir().unwrap();
    let file = |name: &str, manifest: String| {
        let file = other.path().join(format!("{name}.toml"));
        std::fs::write(&file, manifest).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let note = note(&server, &["colour"]);
    ext(&server, &["disable", "note", "--leave-entities"]).unwrap();
    for request in ["remove", "disable"] {
        let refused = ext(&server, &[request, "colour"]).unwrap_err();
        assert!(refused.contains(&note), "{refused}");
    }
    let next = mixin("colour", "colour", "example.com").replace("1.0.0", "2.0.0");
    for (changed, expected) in [
        (next.replace("term = \"colour\"", "term = \"hue\""), "colour#colour is not known here"),
        (next.replace("colour.name", "colour.label"), "the attribute com.example.colour.name is not one of"),
        (next.replace("\"string\"", "\"integer\"").replace("\"red\"", "1"), "takes an integer, not \"red\""),
    ] {
        let refused = ext(&server, &["install", &file("next", changed)]).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    ext(&server, &["install", &file("next", next)]).unwrap();
    ext(&server, &["enable", "note"]).unwrap();
    server.post(&note).text(body(&[], &[SETTABLE])).answers(200);
    assert!(folder.path().join("colour.toml").exists());
}
