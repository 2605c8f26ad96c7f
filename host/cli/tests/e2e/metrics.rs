//! Figures: what extensions count for the operator, and what they read of machines.

use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, extensions};
use occi_guest::Guest;
use tempfile::TempDir;

const MANIFEST: &str = r#"
    [extension]
    name = "meter"
    version = "0.1.0"
    [capabilities.metrics]
    counters = ["queries"]
    gauges = ["backlog"]
    [[kind]]
    term = "meter"
    scheme = "http://example.com/meter#"
    parent = "http://schemas.ogf.org/occi/core#link"
    location = "/meter/"
    [kind.attributes]
    "com.example.meter.cpu" = { type = "integer" }
    "com.example.meter.memory" = { type = "integer" }
    "com.example.meter.disk" = { type = "integer" }
    [[kind.action]]
    term = "read"
    scheme = "http://example.com/meter/action#"
    [[kind.action]]
    term = "count"
    scheme = "http://example.com/meter/action#"
    [[kind.action]]
    term = "fail"
    scheme = "http://example.com/meter/action#"
    [[kind.action]]
    term = "miss"
    scheme = "http://example.com/meter/action#"
    [[kind.action]]
    term = "gauge"
    scheme = "http://example.com/meter/action#"
    attributes."value" = { type = "number", required = true }
    [[kind.action]]
    term = "nan"
    scheme = "http://example.com/meter/action#"
"#;

/// By the first letter of the action: `read` shows what the machine of the link's source uses, `count` adds three to the
/// counter, `fail` one, and then refuses; `gauge` sets the gauge to a value, `nan` to none; `miss` counts what is not declared.
const BODY: &str = r#"
    (import "occi:extension/metrics@0.1.0" "[static]usage.read" (func $read (param i32 i32)))
    (import "occi:extension/metrics@0.1.0" "[method]usage.cpu-time" (func $cpu (param i32) (result i64)))
    (import "occi:extension/metrics@0.1.0" "[method]usage.memory" (func $memory (param i32) (result i64)))
    (import "occi:extension/metrics@0.1.0" "[method]usage.disk-read" (func $disk (param i32) (result i64)))
    (import "occi:extension/metrics@0.1.0" "[resource-drop]usage" (func $close (param i32)))
    (import "occi:extension/metrics@0.1.0" "count" (func $count (param i32 i32 i64 i32)))
    (import "occi:extension/metrics@0.1.0" "gauge" (func $gauge (param i32 i32 f64 i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (data (i32.const 16) "queries")
    (data (i32.const 32) "backlog")
    (data (i32.const 48) "misses")
    (data (i32.const 64) "com.example.meter.cpu")
    (data (i32.const 96) "com.example.meter.memory")
    (data (i32.const 128) "com.example.meter.disk")
    (data (i32.const 160) "conflict")
    ;; The answer: nothing, or the fault that is at 2048.
    (func $answer (result i32)
        (if (i32.load8_u (i32.const 2048)) (then
            (i32.store8 (i32.const 1024) (i32.const 1))
            (memory.copy (i32.const 1032) (i32.const 2052) (i32.const 28))))
        (i32.const 1024))
    ;; An attribute of the change.
    (func $set (param $at i32) (param $name i32) (param $length i32) (param $value i64)
        (i32.store (local.get $at) (local.get $name))
        (i32.store offset=4 (local.get $at) (local.get $length))
        (i32.store8 offset=8 (local.get $at) (i32.const 1))
        (i64.store offset=16 (local.get $at) (local.get $value)))
    (func (export "occi:extension/actions@0.1.0#act")
        (param i32 i32 i32 i32) (param $subject i32) (param $action i32) (param i32) (param $given i32) (param i32)
        (result i32)
        (local $letter i32) (local $usage i32)
        (call $done (local.get $subject))
        (local.set $letter (i32.load8_u (local.get $action)))
        (if (i32.eq (local.get $letter) (i32.const 99)) (then
            (call $count (i32.const 16) (i32.const 7) (i64.const 3) (i32.const 2048))
            (return (call $answer))))
        (if (i32.eq (local.get $letter) (i32.const 102)) (then
            (call $count (i32.const 16) (i32.const 7) (i64.const 1) (i32.const 2048))
            (i32.store8 (i32.const 1024) (i32.const 1))
            (i32.store (i32.const 1032) (i32.const 160))
            (i32.store (i32.const 1036) (i32.const 8))
            (return (i32.const 1024))))
        (if (i32.eq (local.get $letter) (i32.const 109)) (then
            (call $count (i32.const 48) (i32.const 6) (i64.const 1) (i32.const 2048))
            (return (call $answer))))
        (if (i32.eq (local.get $letter) (i32.const 103)) (then
            (call $gauge (i32.const 32) (i32.const 7) (f64.load offset=16 (local.get $given)) (i32.const 2048))
            (return (call $answer))))
        (if (i32.eq (local.get $letter) (i32.const 110)) (then
            (call $gauge (i32.const 32) (i32.const 7) (f64.const nan) (i32.const 2048))
            (return (call $answer))))
        (call $read (i32.const 1) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048)) (then (return (call $answer))))
        (local.set $usage (i32.load (i32.const 2052)))
        (call $set (i32.const 3072) (i32.const 64) (i32.const 21) (call $cpu (local.get $usage)))
        (call $set (i32.const 3096) (i32.const 96) (i32.const 24) (call $memory (local.get $usage)))
        (call $set (i32.const 3120) (i32.const 128) (i32.const 22) (call $disk (local.get $usage)))
        (call $close (local.get $usage))
        (i32.store (i32.const 1032) (i32.const 3072))
        (i32.store (i32.const 1036) (i32.const 3))
        (i32.const 1024))
"#;

pub(crate) fn meter_server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let meter = Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/metrics@0.1.0; \
                export occi:extension/actions@0.1.0;",
        body: BODY.into(),
        manifest: Some(MANIFEST.into()),
    };
    std::fs::write(folder.path().join("meter.wasm"), meter.build()).unwrap();
    std::fs::copy(extensions().join("infrastructure.wasm"), folder.path().join("infrastructure.wasm"))
        .unwrap();
    (Server::of(&folder, ""), folder)
}

/// A meter of what is at a path.
pub(crate) fn meter(server: &Server, source: &str) -> String {
    let category = r#"Category: meter; scheme="http://example.com/meter#"; class="kind""#;
    let ends = [format!("occi.core.source={source:?}"), format!("occi.core.target={source:?}")];
    server.post("/meter/").text(body(&[category], &[&ends[0], &ends[1]])).answers(201).location()
}

pub(crate) fn act(server: &Server, meter: &str, action: &str, parameters: &[&str]) -> Answer {
    let category =
        format!(r#"Category: {action}; scheme="http://example.com/meter/action#"; class="action""#);
    server.post(&format!("{meter}?action={action}")).text(body(&[&category], parameters)).send()
}

fn shown(counter: u64, gauge: &str) -> String {
    format!(
        "# HELP occi_extension_backlog of extensions\n\
         # TYPE occi_extension_backlog gauge\n\
         occi_extension_backlog{{extension=\"meter\",tenant=\"default\"}} {gauge}\n\
         # HELP occi_extension_queries_total of extensions\n\
         # TYPE occi_extension_queries_total counter\n\
         occi_extension_queries_total{{extension=\"meter\",tenant=\"default\"}} {counter}\n"
    )
}

#[test]
fn the_operator_reads_what_extensions_count() {
    let (mut server, _folder) = meter_server();
    assert_eq!(server.metrics(), "");
    let meter = meter(&server, &server.create("compute", &[]));
    act(&server, &meter, "count", &[]).is(200);
    act(&server, &meter, "gauge", &["value=7"]).is(200);
    act(&server, &meter, "gauge", &["value=-0.5"]).is(200);
    assert_eq!(server.metrics(), shown(3, "-0.5"));

    // It counts also where the request is refused.
    act(&server, &meter, "fail", &[]).is(409);
    assert_eq!(server.metrics(), shown(4, "-0.5"));

    let denied = act(&server, &meter, "miss", &[]).is(403);
    let line = r#"below [capabilities.metrics] it has to say counters = ["queries", "misses"]"#;
    // As it is in JSON, or not.
    assert!(denied.body.replace('\\', "").contains(line), "{denied}");
    let invalid = act(&server, &meter, "nan", &[]).is(400);
    assert!(invalid.body.contains("backlog is set to NaN"), "{invalid}");
    assert_eq!(server.metrics(), shown(4, "-0.5"));

    // They begin anew with the process.
    server.restart();
    assert_eq!(server.metrics(), "");
    act(&server, &meter, "count", &[]).is(200);
    assert!(server.metrics().ends_with(" 3\n"), "{}", server.metrics());
}

#[test]
fn an_extension_reads_what_the_machine_of_an_end_uses() {
    let (server, _folder) = meter_server();
    let (compute, storage) = (
        server.create("compute", &["occi.compute.memory=0.5"]),
        server.create("storage", &["occi.storage.size=1"]),
    );
    server.link("storagelink", &compute, &storage);
    let meter_of_compute = meter(&server, &compute);
    let read = || {
        let answer = act(&server, &meter_of_compute, "read", &[]).is(200);
        ["cpu", "memory", "disk"].map(|term| {
            answer.attribute(&format!("com.example.meter.{term}")).unwrap().parse::<u64>().unwrap()
        })
    };
    assert_eq!(read(), [0; 3], "it has no power");
    server.act(&compute, "start", &[]).is(200);
    let [cpu, memory, disk] = read();
    assert_eq!(memory, 512 << 20);
    assert!(cpu > 0 && disk > 0, "{cpu} {disk}");
    server.act(&compute, "stop", &["method=\"poweroff\""]).is(200);
    assert_eq!(read(), [0; 3]);

    let missing = act(&server, &meter(&server, &storage), "read", &[]).is(409);
    assert!(missing.body.contains("no machine"), "{missing}");
}
