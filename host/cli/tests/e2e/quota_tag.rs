//! examples/quota-tag, a Mixin in Rust: what computes take together stays within what the operator has set, whoever asks at
//! the same time and however many in one request.

use crate::http::Answer;
use crate::occi::{action, body, kind, kind_id};
use crate::server::{Options, Server, extensions};
use serde_json::json;

const QUOTA: &str = r#"Category: quota; scheme="http://example.com/occi/quota#"; class="mixin""#;
const QUOTA_ID: &str = "http://example.com/occi/quota#quota";
const BUDGET: &str = "com.example.quota.budget";
const BOOKS: &str = "com.example.quota.budget=\"books\"";

const SETTINGS: &str = "
[settings.quota-tag]
default = \"computes=2\"
books = \"cores=8 memory=4\"
toys = \"cores=2\"
";

fn ask(server: &Server, attributes: &[&str]) -> Answer {
    server.post("/compute/").text(body(&[&kind("compute"), QUOTA], attributes)).send()
}

fn update(server: &Server, path: &str, attributes: &[&str]) -> Answer {
    server.post(path).text(body(&[], attributes)).send()
}

/// The members of a Mixin's collection that a request names.
fn members(server: &Server, paths: &[&str]) -> String {
    let lines: Vec<_> =
        paths.iter().map(|path| format!("X-OCCI-Location: {}{path}", server.base())).collect();
    lines.join("\n")
}

/// Refused, and the answer names the attribute that is to be changed.
#[track_caller]
fn is_refused(answer: &Answer, status: u16, attribute: &str) {
    assert_eq!(answer.status, status, "{answer}");
    assert!(answer.body.contains(&format!("({attribute})")), "{answer}");
}

#[test]
fn computes_stay_within_their_budget() {
    let mut server = Server::configured(SETTINGS);
    let one = ask(&server, &[BOOKS, "occi.compute.cores=6"]).is(201).location();
    is_refused(&ask(&server, &[BOOKS, "occi.compute.cores=3"]), 409, "occi.compute.cores");
    is_refused(&ask(&server, &[BOOKS, "occi.compute.memory=4"]), 409, "occi.compute.memory");
    let two = ask(&server, &[BOOKS, "occi.compute.cores=2", "occi.compute.memory=3.5"]).is(201).location();
    let counted = "occi_extension_refusals_total{extension=\"quota-tag\",tenant=\"default\"} 2\n";
    assert!(server.metrics().contains(counted), "{}", server.metrics());

    // A change of what the Kind declares concerns the budget, too.
    is_refused(&update(&server, &two, &["occi.compute.cores=3"]), 409, "occi.compute.cores");
    update(&server, &one, &["occi.compute.cores=5"]).is(200);
    update(&server, &two, &["occi.compute.cores=3"]).is(200);
    is_refused(&update(&server, &two, &[r#"com.example.quota.budget="toys""#]), 409, "occi.compute.cores");
    is_refused(&update(&server, &two, &[r#"com.example.quota.budget="book""#]), 400, BUDGET);

    // What is held outlives the process, and a lower limit takes nothing away.
    server.kill();
    server.set_config(&SETTINGS.replace("cores=8", "cores=4"));
    server.begin();
    is_refused(&ask(&server, &[BOOKS]), 409, "occi.compute.cores");
    update(&server, &one, &["occi.core.title=\"first\""]).is(200);
    update(&server, &one, &["occi.compute.cores=1"]).is(200);
    server.delete(&two).answers(200);
    ask(&server, &[BOOKS, "occi.compute.cores=3"]).is(201);
}

#[test]
fn a_compute_is_counted_for_as_long_as_it_has_the_mixin() {
    let server = Server::configured(SETTINGS);
    let [one, two, three] = [(); 3].map(|()| server.create("compute", &[]));
    let join = |paths: &[&str]| server.post("/mixin/quota/").text(members(&server, paths)).send();
    is_refused(&join(&[&one, &two, &three]), 409, BUDGET);
    join(&[&one, &two]).is(200);
    is_refused(&join(&[&three]), 409, BUDGET);
    server.delete("/mixin/quota/").text(members(&server, &[&one])).answers(200);
    join(&[&three]).is(200);
    // Who leaves makes room for who joins, in one request too.
    server.put("/mixin/quota/").text(members(&server, &[&one, &two])).answers(200);
    is_refused(
        &server.put("/mixin/quota/").text(members(&server, &[&one, &two, &three])).send(),
        409,
        BUDGET,
    );

    let storage = server.create("storage", &["occi.storage.size=1"]);
    join(&[&storage]).is(400);
}

/// An operator's template brings it along: whoever takes the template is counted.
#[test]
fn a_template_may_depend_on_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["infrastructure.wasm", "quota-tag.wasm"] {
        std::fs::copy(extensions().join(name), folder.path().join(name)).unwrap();
    }
    let sizes = r#"
        [extension]
        name = "sizes"
        version = "0.1.0"
        [[mixin]]
        term = "large"
        scheme = "http://example.com/occi/sizes#"
        location = "/mixin/sizes/large/"
        depends = ["http://schemas.ogf.org/occi/infrastructure#resource_tpl", "http://example.com/occi/quota#quota"]
        applies = ["http://schemas.ogf.org/occi/infrastructure#compute"]
        [mixin.attributes."occi.compute.cores"]
        type = "integer"
        default = 4
    "#;
    std::fs::write(folder.path().join("sizes.toml"), sizes).unwrap();
    let settings = "[settings.quota-tag]\ndefault = \"cores=8\"";
    let extensions = Some(folder.path().into());
    let server = Server::with(Options { config: settings.into(), extensions, ..Options::default() });

    let large = r#"Category: large; scheme="http://example.com/occi/sizes#"; class="mixin""#;
    let ask = || server.post("/compute/").text(body(&[&kind("compute"), large], &[])).send();
    let [one, _two] = [(); 2].map(|()| ask().is(201).location());
    is_refused(&ask(), 409, "occi.compute.cores");
    server.delete("/mixin/quota/").text(members(&server, &[&one])).answers(200);
    is_refused(&ask(), 409, "occi.compute.cores");
    server.delete(&one).answers(200);
    ask().is(201);
}

#[test]
fn of_many_at_once_no_more_get_it_than_there_is() {
    let server = Server::configured(SETTINGS);
    let gets_it = || ask(&server, &[BOOKS, "occi.compute.memory=0.1"]).status == 201;
    let given: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..10).map(|_| scope.spawn(|| (0..3).filter(|_| gets_it()).count())).collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert_eq!(given, 8);
}

/// What those before them in the request took is seen; and what many that go together held is free.
#[test]
fn of_many_in_one_request_no_more_get_it_than_there_is() {
    let server = Server::configured(SETTINGS);
    let compute = json!({
        "kind": kind_id("compute"),
        "mixins": [QUOTA_ID],
        "attributes": { BUDGET: "books", "occi.compute.cores": 2, "occi.compute.memory": 0.5 },
    });
    let ask = |computes| server.post("/").json(&json!({"resources": vec![&compute; computes]})).send();
    for _ in 0..2 {
        is_refused(&ask(5), 409, "occi.compute.cores");
        ask(4).is(201);
        is_refused(&ask(1), 409, "occi.compute.cores");
        server.delete("/compute/").answers(200);
    }
}

/// What has the Mixin can be read only while its extension does not serve, so that what is counted stays true. An administrator
/// takes the Mixin off.
#[test]
fn without_it_nothing_is_changed_behind_its_back() {
    let server = Server::configured(SETTINGS);
    let ext = |args: &[&str]| crate::extensions::ext(&server, args);
    let [one, two] = [(); 2].map(|()| ask(&server, &[BOOKS, "occi.compute.cores=4"]).is(201).location());
    let other = server.create("compute", &[]);
    ext(&["disable", "quota-tag"]).unwrap_err();
    ext(&["disable", "quota-tag", "--leave-entities"]).unwrap();
    assert!(server.get(&one).answers(200).body.contains(BOOKS));
    let start = format!("{one}?action=start");
    for request in [
        server.delete(&one),
        server.delete("/compute/"),
        server.post(&start).text(action("compute", "start")),
        server.post(&one).text(body(&[], &["occi.compute.cores=1"])),
    ] {
        let answer = request.answers(503);
        assert!(answer.body.contains(QUOTA_ID), "{answer}");
    }
    server.delete(&other).answers(200);

    // What it counted is still so, and it hears of the end.
    ext(&["enable", "quota-tag"]).unwrap();
    is_refused(&ask(&server, &[BOOKS]), 409, "occi.compute.cores");
    for what in [&*one, QUOTA_ID] {
        ext(&["forget", what]).unwrap_err();
    }
    server.delete(&one).answers(200);
    let three = ask(&server, &[BOOKS, "occi.compute.cores=4"]).is(201).location();

    ext(&["disable", "quota-tag", "--leave-entities"]).unwrap();
    assert_eq!(ext(&["forget", &two]).unwrap(), format!("{two}: 1 forgotten\n"));
    ext(&["forget", &two]).unwrap_err();
    assert_eq!(ext(&["forget", QUOTA_ID]).unwrap(), format!("{QUOTA_ID}: 1 forgotten\n"));
    for compute in [two, three] {
        let shown = server.get(&compute).answers(200);
        assert!(!shown.body.contains("quota"), "{shown}");
        assert_eq!(shown.attribute("occi.compute.cores"), Some("4"));
        update(&server, &compute, &["occi.compute.cores=1"]).is(200);
        server.delete(&compute).answers(200);
    }
}
