//! Figures at `/metrics`: what Prometheus reads there, and who may.

use crate::http::agent;
use crate::metrics::{act, meter, meter_server};
use crate::occi::kind_id;
use crate::prometheus::Figures;
use crate::server::{Server, eventually, run};
use std::net::TcpListener;

#[track_caller]
pub(crate) fn figures(server: &Server) -> Figures {
    Figures::read(&server.get("/metrics").answers(200).body)
}

#[test]
fn requests_are_counted_and_connections_are_open() {
    let server = Server::start();
    let count = |figures: &Figures, method: &str, status: &str| {
        figures.get("occi_http_requests_total", &[("method", method), ("status", status)]).unwrap()
    };
    let first = figures(&server);
    assert!(count(&first, "POST", "2xx") <= 0.0);
    assert!(first.get("occi_http_connections", &[]).unwrap() >= 1.0);
    assert!(first.get("occi_store_bytes", &[]).unwrap() > 0.0);
    assert_eq!(first.get("occi_hypervisor_up", &[("node", "default")]), Some(1.0));

    let note = server.note("a");
    server.get(&note).answers(200);
    server.get("/no/such").answers(404);
    server.post("/note/").text("nonsense").answers(400);
    server.request("BREW", "/note/").answers(405);
    let second = figures(&server);
    let more = |method: &str, status: &str| count(&second, method, status) - count(&first, method, status);
    // What asks for the figures counts when it is answered.
    assert_eq!((more("GET", "2xx"), more("GET", "4xx")), (2.0, 1.0));
    assert_eq!((more("POST", "2xx"), more("POST", "4xx")), (1.0, 1.0));
    assert_eq!((more("other", "4xx"), more("DELETE", "2xx")), (1.0, 0.0));
    let durations = second.get("occi_http_request_duration_seconds_count", &[("method", "POST")]);
    assert_eq!(durations, Some(2.0));

    let answer = server.get("/metrics").answers(200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{answer}");
    let head = server.request("HEAD", "/metrics").answers(200);
    assert_eq!(head.body, "");
    assert!(server.post("/metrics").answers(405).header("allow").contains("GET"));
    let packed = server.get("/metrics").header("Accept-Encoding", "gzip").answers(200);
    assert_eq!(packed.header("content-encoding"), "gzip");
}

#[test]
fn what_extensions_count_is_shown_and_what_came_of_their_calls() {
    let (server, _folder) = meter_server();
    let meter = meter(&server, &server.create("compute", &[]));
    act(&server, &meter, "count", &[]).is(200);
    act(&server, &meter, "gauge", &["value=-0.5"]).is(200);
    act(&server, &meter, "fail", &[]).is(409);
    let figures = figures(&server);
    let own = [("extension", "meter"), ("tenant", "default")];
    assert_eq!(figures.get("occi_extension_queries_total", &own), Some(4.0));
    assert_eq!(figures.get("occi_extension_backlog", &own), Some(-0.5));
    let calls = |extension: &str, outcome: &str| {
        figures.get("occi_calls_total", &[("extension", extension), ("outcome", outcome)])
    };
    assert_eq!(
        ["done", "refused", "failed"].map(|outcome| calls("meter", outcome)),
        [Some(2.0), Some(1.0), Some(0.0)]
    );
    assert_eq!(calls("infrastructure", "done"), Some(1.0));
}

#[test]
fn machines_are_shown_while_they_have_power() {
    let server = Server::start();
    let compute = server.create("compute", &["occi.compute.cores=2", "occi.compute.memory=0.5"]);
    let other = server.create("compute", &[]);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let names = |path: &str| {
        let figures = figures(&server);
        figures.names("entity", &id(path)).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&compute), [""; 0]);
    server.act(&compute, "start", &[]).is(200);
    // What libvirt's imitation of a hypervisor knows.
    let known = ["occi_entity_memory_bytes", "occi_entity_vcpus"];
    eventually("it is read again", || names(&compute) == known);
    let shown = figures(&server);
    let kind = kind_id("compute");
    let (id, other) = (id(&compute), id(&other));
    let of = |entity| [("entity", entity), ("kind", &*kind), ("tenant", "default")];
    assert_eq!(shown.get("occi_entity_vcpus", &of(&id)), Some(2.0));
    assert_eq!(shown.get("occi_entity_memory_bytes", &of(&id)), Some(f64::from(512 << 20)));
    assert_eq!(shown.get("occi_entity_vcpus", &of(&other)), None);
    server.delete(&compute).answers(200);
    eventually("it is shown no more", || names(&compute).is_empty());
}

/// Figures are of all tenants, so who may ask the server does not see them as a matter of course.
#[test]
fn figures_are_shown_to_whom_the_operator_lets_see_them() {
    // A proxy is in front of it.
    let proxied = "url = \"https://occi.example.com\"\n";
    let mut server = Server::configured(proxied);
    for path in ["/metrics", "/metrics?a=b"] {
        let refused = server.get(path).answers(404);
        assert!(!refused.body.contains("occi_"), "{refused}");
    }
    server.put("/metrics").text("a").answers(404);
    server.stop();
    server.set_config(&format!("{proxied}[metrics]\npublic = true\n"));
    server.begin();
    figures(&server);
    server.stop();

    server.set_config(&format!("{proxied}[metrics]\nlisten = \"127.0.0.1:0\"\n"));
    server.begin();
    server.get("/metrics").answers(404);
    let log = server.log();
    let place = log.split("figures are at ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let ask = |url: &str| agent().get(url).call().unwrap();
    let mut answer = ask(&place);
    let read = Figures::read(&answer.body_mut().read_to_string().unwrap());
    // What is asked there does not count.
    let count = |status| read.get("occi_http_requests_total", &[("method", "GET"), ("status", status)]);
    assert_eq!((count("2xx"), count("4xx")), (Some(0.0), Some(1.0)));
    for path in ["/", "/compute/", "/healthz", "/-/"] {
        assert_eq!(ask(&place.replace("/metrics", path)).status(), 404, "{path}");
    }
    assert!(server.stop().success());
}

#[test]
fn an_address_that_another_has_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (folder.path().join("occi.toml"), folder.path().join("data"));
    std::fs::write(&config, format!("[metrics]\nlisten = \"{}\"\n", taken.local_addr().unwrap())).unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--config"];
    let output =
        run(&[&arguments[..], &[config.to_str().unwrap(), "--data", data.to_str().unwrap()]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`metrics.listen`"), "{said}");
}
