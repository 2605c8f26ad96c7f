//! Links: made within a resource, by themselves, to elsewhere; shown, changed and gone.

use crate::occi::{body, kind, kind_id};
use crate::server::Server;
use serde_json::json;

fn storage(server: &Server) -> String {
    server.create("storage", &["occi.storage.size=1"])
}

/// H11-24, TXT-11, JSON-12: a link by itself, in text and JSON, with its ends as paths, URLs or ids.
#[test]
fn made_by_itself() {
    let server = Server::start();
    let (compute, storage) = (server.create("compute", &[]), storage(&server));
    let listed = || server.get("/storagelink/").accept("application/occi+json").answers(200).json();
    assert_eq!(listed(), json!({"links": []}), "JSON-06");
    let base = server.base().to_owned();
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    for (source, target) in [
        (compute.clone(), storage.clone()),
        (format!("{base}{compute}"), format!("{base}{storage}")),
        (id(&compute), format!("urn:uuid:{}", id(&storage))),
    ] {
        let path = server.link("storagelink", &source, &target);
        let link = server.get(&path).answers(200);
        assert_eq!(link.attribute("occi.core.source"), Some(&*format!("{compute:?}")));
        assert_eq!(link.attribute("occi.core.target"), Some(&*format!("{storage:?}")));
        assert_eq!(link.attribute("occi.core.target.kind"), Some(&*format!("{:?}", kind_id("storage"))));
        assert_eq!(link.attribute("occi.storagelink.deviceid"), Some("\"vda\""));
        server.delete(&path).answers(200);
    }
    let wanted = json!({"kind": kind_id("storagelink"), "attributes": {"occi.storagelink.mountpoint": "/data"},
        "source": {"location": compute}, "target": {"location": storage, "kind": kind_id("storage")}});
    let path = server.post("/storagelink/").json(&wanted).answers(201).location();
    let link = server.get(&path).accept("application/occi+json").answers(200).json();
    assert_eq!(link["source"], json!({"location": compute, "kind": kind_id("compute")}));
    assert_eq!(link["target"], json!({"location": storage, "kind": kind_id("storage")}));
    assert_eq!(link["attributes"]["occi.storagelink.mountpoint"], "/data");
    assert_eq!(listed()["links"].as_array().unwrap().len(), 1, "JSON-06");
}

/// H11-22, H11-23, JSON-11: links within a new resource; only its own location is told; both sides show it.
#[test]
fn made_within_a_resource() {
    let server = Server::start();
    let (storage, network) = (storage(&server), server.create("network", &[]));
    let line = |target: &str, rel: &str, category: &str| {
        format!("Link: <{target}>; rel=\"{}\"; category=\"{}\"", kind_id(rel), kind_id(category))
    };
    let text = body(&[&kind("compute")], &[])
        + &line(&storage, "storage", "storagelink")
        + "; occi.storagelink.mountpoint=\"/mnt\"\n"
        + &line(&format!("{}{network}", server.base()), "network", "networkinterface")
        + "\n";
    let answer = server.post("/compute/").text(text).answers(201);
    assert_eq!(answer.locations(), [answer.location()]);
    let compute = answer.location();

    let shown = server.get(&compute).answers(200);
    assert_eq!(shown.links().len(), 2, "{shown}");
    let [storagelink, networkinterface] = ["storagelink", "networkinterface"]
        .map(|term| server.get(&format!("/{term}/")).answers(200).locations());
    let first = shown.links()[0];
    assert!(first.starts_with(&format!("Link: <{storage}>; rel=\"{}\"", kind_id("storage"))), "{first}");
    assert!(first.contains(&format!("self=\"{}\"", storagelink[0])), "{first}");
    assert!(first.contains("occi.storagelink.mountpoint=\"/mnt\""), "{first}");
    let occi = server.get(&compute).accept("text/occi").answers(200);
    assert!(occi.header("link").contains(&format!("self=\"{}\"", networkinterface[0])), "{occi}");
    let json = server.get(&compute).accept("application/occi+json").answers(200).json();
    assert_eq!(json["links"].as_array().unwrap().len(), 2);
    assert_eq!(json["links"][0]["kind"], kind_id("storagelink"));
    assert_eq!(json["links"][0]["source"]["location"], compute);
    // H11-23: what comes in is not shown.
    assert!(server.get(&storage).answers(200).links().is_empty());
    assert_eq!(
        server.get(&networkinterface[0]).answers(200).attribute("occi.core.source"),
        Some(&*format!("{compute:?}"))
    );

    // The same in JSON, where the source does not exist yet.
    let wanted = json!({"kind": kind_id("compute"), "links": [
        {"kind": kind_id("networkinterface"), "target": {"location": network}}]});
    let compute = server.post("/compute/").json(&wanted).answers(201).location();
    assert_eq!(server.get(&compute).answers(200).links().len(), 1);
}

/// H11-12: a link that cannot be takes its resource with it, at the hypervisor too.
#[test]
fn a_bad_inline_link_makes_nothing() {
    let server = Server::start();
    let link = format!(
        "Link: </storage/none>; rel=\"{}\"; category=\"{}\"",
        kind_id("storage"),
        kind_id("storagelink")
    );
    let answer = server.post("/compute/").text(format!("{}\n{link}", kind("compute"))).answers(400);
    assert!(answer.body.contains("/storage/none"), "{answer}");
    // One that says of its target what it is not.
    let network = server.create("network", &[]);
    let link = link.replace("/storage/none", &network);
    let answer = server.post("/compute/").text(format!("{}\n{link}", kind("compute"))).answers(400);
    assert!(
        answer.body.contains(&kind_id("storage")) && answer.body.contains(&kind_id("network")),
        "{answer}"
    );
    // One that the extension refuses, after the machine was made: a network is no storage.
    let link = link.replace(
        &format!("rel=\"{}\"", kind_id("storage")),
        "rel=\"http://schemas.ogf.org/occi/core#resource\"",
    );
    let answer = server.post("/compute/").text(format!("{}\n{link}", kind("compute"))).answers(400);
    assert!(answer.body.contains("storage"), "{answer}");
    assert_eq!(server.get("/compute/").answers(200).body, "");
    assert_eq!(server.inspect()["machines"], json!([]));
}

/// CORE-43: a target may be anywhere; a source is here.
#[test]
fn to_elsewhere() {
    let server = Server::start();
    let note = server.note("a");
    let link = r#"Category: link; scheme="http://schemas.ogf.org/occi/core#"; class="kind""#;
    let foreign = "https://example.com/things/7?a=b";
    let ends = [format!("occi.core.source={note:?}"), format!("occi.core.target={foreign:?}")];
    let path = server.post("/link/").text(body(&[link], &[&ends[0], &ends[1]])).answers(201).location();
    assert_eq!(server.get(&path).answers(200).attribute("occi.core.target"), Some(&*format!("{foreign:?}")));
    let shown = server.get(&note).answers(200);
    assert!(shown.links()[0].starts_with(&format!("Link: <{foreign}>;")), "Q-47: {shown}");
    let json = server.get(&note).accept("application/occi+json").answers(200).json();
    assert_eq!(json["links"][0]["target"], json!({"location": foreign}));

    let ends = [format!("occi.core.source={foreign:?}"), format!("occi.core.target={note:?}")];
    let answer = server.post("/link/").text(body(&[link], &[&ends[0], &ends[1]])).answers(400);
    assert!(answer.body.contains("occi.core.source"), "{answer}");
    // An extension that needs to reach the target says so.
    let compute = server.create("compute", &[]);
    let ends = [format!("occi.core.source={compute:?}"), format!("occi.core.target={foreign:?}")];
    let answer =
        server.post("/storagelink/").text(body(&[&kind("storagelink")], &[&ends[0], &ends[1]])).answers(400);
    assert!(answer.body.contains("target"), "{answer}");
}

/// CORE-43, H11-24: what an end cannot be.
#[test]
fn ends_that_cannot_be() {
    let server = Server::start();
    let (compute, storage) = (server.create("compute", &[]), storage(&server));
    let link = server.link("storagelink", &compute, &storage);
    let post = |attributes: &[String]| {
        let attributes: Vec<_> = attributes.iter().map(String::as_str).collect();
        server.post("/storagelink/").text(body(&[&kind("storagelink")], &attributes)).answers(400)
    };
    let (source, target) = (format!("occi.core.source={compute:?}"), format!("occi.core.target={storage:?}"));
    for (attributes, said) in [
        (vec![source.clone()], "occi.core.target"),
        (vec![target.clone()], "occi.core.source"),
        (vec![source.clone(), "occi.core.target=\"/storage/none\"".into()], "/storage/none"),
        (vec![source.clone(), format!("occi.core.target={link:?}")], "is a link"),
        (vec![source, format!("occi.core.target={compute:?}")], "storage"),
        (vec![format!("occi.core.source={storage:?}"), target], "compute"),
    ] {
        let answer = post(&attributes);
        assert!(answer.body.contains(said), "{attributes:?}: {answer}");
    }
}

/// H11-20, CORE-42: a link that goes leaves its ends, which no more show it; a resource that goes takes its links.
#[test]
fn gone_by_itself_or_with_an_end() {
    let server = Server::start();
    let (compute, storage, network) =
        (server.create("compute", &[]), storage(&server), server.create("network", &[]));
    let link = server.link("storagelink", &compute, &storage);
    server.delete(&link).answers(200);
    assert!(server.get(&compute).answers(200).links().is_empty());
    server.get(&link).answers(404);

    // With its target, while the machine runs.
    let link = server.link("storagelink", &compute, &storage);
    server.act(&compute, "start", &[]).is(200);
    server.delete(&storage).answers(200);
    server.get(&link).answers(404);
    assert!(server.get(&compute).answers(200).links().is_empty());
    // With its source, whatever that is doing.
    let link = server.link("networkinterface", &compute, &network);
    server.delete(&compute).answers(200);
    server.get(&link).answers(404);
    server.get(&network).answers(200);
    assert_eq!(server.inspect()["machines"], json!([]));
}

/// CORE-02: a link's own attributes change; the device is the hypervisor's to choose.
#[test]
fn changed() {
    let server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = server.link("networkinterface", &compute, &network);
    let mac = "occi.networkinterface.mac=\"52:54:00:12:34:56\"";
    let answer = server.post(&link).text(body(&[], &[mac])).answers(200);
    assert_eq!(answer.attribute("occi.networkinterface.mac"), Some("\"52:54:00:12:34:56\""));
    let answer =
        server.post(&link).text(body(&[], &["occi.networkinterface.mac=\"01:00:00:00:00:00\""])).answers(400);
    assert!(answer.body.contains("mac"), "{answer}");
    let answer =
        server.post(&link).text(body(&[], &["occi.networkinterface.interface=\"eth7\""])).answers(403);
    assert!(answer.body.contains("immutable"), "{answer}");
    assert_eq!(server.get(&link).answers(200).attribute("occi.networkinterface.interface"), Some("\"eth0\""));
}

/// HTTP-25, INF-03, INF-04: what the hypervisor gave a link, and every link has, a full update need not say again; and
/// it outlives the server.
#[test]
fn a_full_update_leaves_what_the_hypervisor_gave() {
    let mut server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let mac = "occi.networkinterface.mac=\"52:54:00:aa:bb:cc\"";
    let nic = server.link("networkinterface", &compute, &network);
    server.post(&nic).text(body(&[], &[mac])).answers(200);
    let disk = server.link("storagelink", &compute, &storage(&server));
    let device = server.get(&disk).answers(200).attribute("occi.storagelink.deviceid").unwrap().to_owned();
    for (link, term) in [(&nic, "networkinterface"), (&disk, "storagelink")] {
        server.put(link).json(&json!({"kind": kind_id(term), "title": "x"})).answers(200);
    }
    for _ in 0..2 {
        let shown = server.get(&nic).answers(200);
        assert_eq!(shown.attribute("occi.networkinterface.mac"), Some("\"52:54:00:aa:bb:cc\""), "{shown}");
        let shown = server.get(&disk).answers(200);
        assert_eq!(shown.attribute("occi.storagelink.deviceid"), Some(&*device), "{shown}");
        server.kill_and_restart();
    }
}

/// JSON section 5: a partial update need not say the Kind, and may bring links and nothing else.
#[test]
fn brought_by_an_update_that_says_nothing_else() {
    let server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = json!({"kind": kind_id("networkinterface"), "target": {"location": network}});
    server.post(&compute).json(&json!({"links": [link]})).answers(200);
    let answer = server.get(&compute).accept("text/plain").answers(200);
    assert_eq!(answer.links().len(), 1, "{answer}");
}

/// CORE: a target is a URI; and what is said of an end's kind holds.
#[test]
fn ends_that_are_not_what_they_are_said_to_be() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let link = "Category: link; scheme=\"http://schemas.ogf.org/occi/core#\"; class=\"kind\"";
    let to = |target: &str, more: &[&str]| {
        let ends = [format!("occi.core.source=\"{compute}\""), format!("occi.core.target=\"{target}\"")];
        let attributes: Vec<_> = ends.iter().map(String::as_str).chain(more.iter().copied()).collect();
        server.post("/link/").text(body(&[link], &attributes))
    };
    for target in ["http://[::1", "http://x/%zz", "http://a b", "http://x/>"] {
        assert!(to(target, &[]).answers(400).body.contains("no URI"));
    }
    let wrong = format!("occi.core.source.kind=\"{}\"", kind_id("storage"));
    assert!(to("http://x/", &[&wrong]).answers(400).body.contains("source"));
    let right = format!("occi.core.source.kind=\"{}\"", kind_id("compute"));
    let made = to("http://x/", &[&right]).answers(201).location();
    server.post(&made).text(body(&[], &[&wrong])).answers(400);
}

/// A machine that is saved with its devices can be given others; it has them when it is back.
#[test]
fn changed_while_the_machine_is_saved() {
    let server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = server.link("networkinterface", &compute, &network);
    server.act(&network, "up", &[]).is(200);
    server.act(&compute, "start", &[]).is(200);
    server.act(&compute, "suspend", &["method=\"hibernate\""]).is(200);
    let mac = "occi.networkinterface.mac=\"52:54:00:aa:bb:cc\"";
    let shown = server.post(&link).text(body(&[], &[mac])).answers(200);
    assert_eq!(shown.attribute("occi.networkinterface.mac"), Some("\"52:54:00:aa:bb:cc\""));
    server.act(&compute, "start", &[]).is(200);
    // The machine uses the network, so it has the interface.
    server.act(&network, "down", &[]).is(409);
}

/// Invariant 1: an update that is refused leaves everything as it was, at the hypervisor too.
#[test]
fn a_refused_change_changes_nothing() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let disks: Vec<_> = (0..3).map(|_| server.link("storagelink", &compute, &storage(&server))).collect();
    let device = |server: &Server, path: &str| {
        server.get(path).answers(200).attribute("occi.storagelink.deviceid").unwrap().to_owned()
    };
    server.delete(&disks[0]).answers(200);
    // No storage, not to be chosen, and in use by another link.
    let taken = server.get(&disks[1]).answers(200).attribute("occi.core.target").unwrap().to_owned();
    for (wanted, status) in [
        (format!("occi.core.target={compute:?}"), 400),
        ("occi.storagelink.deviceid=\"vdz\"".into(), 501),
        (format!("occi.core.target={taken}"), 409),
    ] {
        server.post(&disks[2]).text(body(&[], &[&wanted])).answers(status);
    }
    let before = [device(&server, &disks[1]), device(&server, &disks[2])];
    crate::server::eventually("what was made again is known by its name", || {
        let next = server.link("storagelink", &compute, &storage(&server));
        let names = [device(&server, &disks[1]), device(&server, &disks[2]), device(&server, &next)];
        server.delete(&next).answers(200);
        names.iter().collect::<std::collections::BTreeSet<_>>().len() == 3
    });
    assert_eq!(device(&server, &disks[1]), before[0]);
    assert!(!server.log().contains(" ERROR "), "{}", server.log());
}

/// INF-08: the network gives an address to one interface, and lets it go with the Mixin or the link.
#[test]
fn an_address_is_one_interfaces() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let lan = [
        kind("network"),
        "Category: ipnetwork; scheme=\"http://schemas.ogf.org/occi/infrastructure/network#\"; class=\"mixin\"".into(),
    ];
    let network = "/network/lan";
    let plan = |address: &str| body(&[&lan[0], &lan[1]], &[&format!("occi.network.address={address:?}")]);
    server.put(network).text(plan("10.20.0.0/24")).answers(201);
    let mixin = "Category: ipnetworkinterface; \
        scheme=\"http://schemas.ogf.org/occi/infrastructure/networkinterface#\"; class=\"mixin\"";
    let ask = |address: &str| {
        let ends = [format!("occi.core.source={compute:?}"), format!("occi.core.target={network:?}")];
        let address = format!("occi.networkinterface.address={address:?}");
        let static_ = "occi.networkinterface.allocation=\"static\"";
        let text = body(&[&kind("networkinterface"), mixin], &[&ends[0], &ends[1], &address, static_]);
        server.post("/networkinterface/").text(text).send()
    };
    let first = ask("10.20.0.9").is(201).location();
    for (address, status) in
        [("10.20.0.9", 409), ("10.20.0.1", 409), ("10.21.0.9", 400), ("10.20.0.255", 400)]
    {
        let refused = ask(address).is(status);
        assert!(refused.body.contains("(occi.networkinterface.address)"), "{refused}");
    }
    // The network keeps what an interface has.
    server.put(network).text(plan("10.21.0.0/24")).answers(409);
    server.post(&first).text(body(&[], &["occi.networkinterface.address=\"10.20.0.10\""])).answers(200);
    // What is refused as a whole is undone as a whole: the address stays with its interface.
    for address in ["10.20.0.1", "nowhere"] {
        let both = [
            "occi.networkinterface.mac=\"52:54:00:aa:aa:aa\"",
            &format!("occi.networkinterface.address={address:?}"),
        ];
        let refused = server.post(&first).text(body(&[], &both)).send();
        assert!(matches!(refused.status, 400 | 409), "{refused}");
        ask("10.20.0.10").is(409);
    }
    let second = ask("10.20.0.9").is(201).location();
    server.delete(&second).answers(200);
    let location = format!("X-OCCI-Location: {first}\n");
    server.delete("/mixin/ipnetworkinterface/").text(location).answers(200);
    ask("10.20.0.10").is(201);
}

/// Q-38, Q-40: a link that is sent back within its resource as it was read is no change. One of which the request says
/// something else is changed at its own path, so nothing of the request is done.
#[test]
fn sent_back_otherwise() {
    let server = Server::start();
    let [compute, network] = ["compute", "network"].map(|term| server.create(term, &[]));
    let link = server.link("networkinterface", &compute, &network);
    let text = server.get(&compute).answers(200).body;
    let whole = server.get(&compute).accept("application/occi+json").answers(200).json();
    for method in ["PUT", "POST"] {
        server.request(method, &compute).text(&text).answers(200);
        server.request(method, &compute).json(&whole).answers(200);
        let others = [
            ("title", json!("uplink")),
            ("attributes", json!({"occi.networkinterface.mac": "52:54:00:aa:aa:aa"})),
            ("attributes", json!({"no.such": 1})),
            ("mixins", json!(["http://example.com/no#such"])),
            ("kind", json!(kind_id("storagelink"))),
            ("target", json!({"location": compute})),
        ];
        for (member, value) in others {
            let mut other = whole.clone();
            other["links"][0][member] = value;
            let refused = server.request(method, &compute).json(&other).answers(400);
            assert!(refused.body.contains(&format!("{link} is there already")), "{member}: {refused}");
        }
        let other = text.replace("occi.networkinterface.mac=\"", "occi.networkinterface.mac=\"0");
        assert!(server.request(method, &compute).text(other).answers(400).body.contains(&link));
        // An end may be named by its id.
        let mut named = whole.clone();
        for (end, path) in [("source", &compute), ("target", &network)] {
            let id = path.rsplit('/').next().unwrap();
            named["links"][0][end] = json!({"location": format!("urn:uuid:{id}")});
        }
        server.request(method, &compute).json(&named).answers(200);
        // What it was when the client read it.
        let stale =
            text.replace("occi.networkinterface.state=\"inactive", "occi.networkinterface.state=\"active");
        assert_ne!(stale, text);
        server.request(method, &compute).text(stale).answers(200);
    }
    assert_eq!(server.get(&compute).answers(200).body, text);
}

/// JSON-06: what stands among links is one, whatever is said of it.
#[test]
fn brought_without_its_kind() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let before = server.get(&compute).answers(200).body;
    for link in [
        json!({"title": "name of the link"}),
        json!({"attributes": {"occi.compute.cores": 7}}),
        json!({"target": {"location": "/network/1"}}),
    ] {
        let refused = server.post(&compute).json(&json!({"links": [link]})).answers(400);
        assert!(refused.body.contains("its Kind is missing"), "{refused}");
    }
    assert_eq!(server.get(&compute).answers(200).body, before);
}
