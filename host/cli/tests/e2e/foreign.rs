//! Extensions that come upon the machines and volumes of another's entities: by a link to one, and by a Mixin of one.

use crate::occi::{body, kind};
use crate::server::{Server, extensions};
use occi_guest::Guest;
use serde_json::json;
use tempfile::TempDir;

/// A server with computes and storages, and an extension that wants more than is its own.
fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(extensions().join("infrastructure.wasm"), folder.path().join("infrastructure.wasm"))
        .unwrap();
    let greedy = Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/machines@0.1.0; \
                import occi:extension/volumes@0.1.0; export occi:extension/lifecycle@0.1.0;",
        body: GREEDY.into(),
        manifest: Some(MANIFEST.into()),
    };
    std::fs::write(folder.path().join("greedy.wasm"), greedy.build()).unwrap();
    (Server::of(&folder, ""), folder)
}

#[test]
fn through_a_link_nothing_of_another_extension_is_changed() {
    let (server, _folder) = server();
    let compute = server.create("compute", &[]);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    server.act(&compute, "start", &[]).is(200);

    // One powers its source's machine off, the other removes its target's volume.
    for term in ["lever", "drain"] {
        let category = format!(r#"Category: {term}; scheme="http://example.com/greedy#"; class="kind""#);
        let source = format!("occi.core.source={compute:?}");
        let target = format!("occi.core.target={storage:?}");
        let body = body(&[&category], &[&source, &target]);
        let refused = server.post(&format!("/{term}/")).text(body).answers(403);
        let said = "is of a Kind that the extension greedy does not define";
        assert!(refused.body.contains(said), "{}", refused.body);
    }
    assert_eq!(server.at_hypervisor("machines", &compute, "state"), Some(json!("running")));
    assert!(server.at_hypervisor("volumes", &storage, "name").is_some());
}

/// A machine whose deletion is refused runs on, with what is attached to it.
#[test]
fn a_refused_deletion_leaves_a_machine_running() {
    let (server, _folder) = server();
    let clamp = r#"Category: clamp; scheme="http://example.com/greedy#"; class="mixin""#;
    let compute =
        server.post("/compute/").text(body(&[&kind("compute"), clamp], &[])).answers(201).location();
    let storage = server.create("storage", &["occi.storage.size=1"]);
    let link = server.link("storagelink", &compute, &storage);
    server.act(&compute, "start", &[]).is(200);
    let before = server.inspect();

    for path in [compute.as_str(), "/compute/"] {
        let refused = server.delete(path).answers(409);
        assert!(refused.body.contains("I will not"), "{}", refused.body);
    }
    let state = |path: &str, name| server.get(path).answers(200).attribute(name).unwrap().to_owned();
    assert_eq!(state(&compute, "occi.compute.state"), "\"active\"");
    assert_eq!(state(&link, "occi.storagelink.state"), "\"active\"");
    assert_eq!(server.inspect(), before);
}

const MANIFEST: &str = r#"
[extension]
name = "greedy"
version = "0.1.0"
[capabilities.machines]
[capabilities.volumes]
[[kind]]
term = "lever"
scheme = "http://example.com/greedy#"
parent = "http://schemas.ogf.org/occi/core#link"
location = "/lever/"
[[kind]]
term = "drain"
scheme = "http://example.com/greedy#"
parent = "http://schemas.ogf.org/occi/core#link"
location = "/drain/"
[[mixin]]
term = "clamp"
scheme = "http://example.com/greedy#"
location = "/mixin/clamp/"
"#;

/// Each does what the last letter of its role says. The answer stands at 1024, its fault at 1032; what the host answers
/// stands at 2048, its fault at 2052.
const GREEDY: &str = r#"
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (import "occi:extension/machines@0.1.0" "[static]machine.open" (func $machine (param i32 i32)))
    (import "occi:extension/machines@0.1.0" "[method]machine.power-off" (func $power_off (param i32 i32)))
    (import "occi:extension/machines@0.1.0" "[resource-drop]machine" (func $leave_machine (param i32)))
    (import "occi:extension/volumes@0.1.0" "[static]volume.open" (func $volume (param i32 i32)))
    (import "occi:extension/volumes@0.1.0" "[method]volume.remove" (func $remove (param i32 i32)))
    (import "occi:extension/volumes@0.1.0" "[resource-drop]volume" (func $leave_volume (param i32)))
    (data (i32.const 32) "conflict")
    (data (i32.const 48) "I will not")
    (func $last (param $role i32) (param $length i32) (result i32)
        (i32.load8_u (i32.sub (i32.add (local.get $role) (local.get $length)) (i32.const 1))))
    (func $open_worked
        (if (i32.load8_u (i32.const 2048)) (then unreachable)))
    (func $pass_on
        (i32.store8 (i32.const 1024) (i32.load8_u (i32.const 2048)))
        (memory.copy (i32.const 1032) (i32.const 2052) (i32.const 28)))
    (func (export "occi:extension/lifecycle@0.1.0#create")
        (param i32 i32) (param $role i32) (param $length i32) (param $subject i32) (result i32)
        (local $handle i32)
        (if (i32.eq (call $last (local.get $role) (local.get $length)) (i32.const 114))         ;; lever
            (then
                (call $machine (i32.const 1) (i32.const 2048))
                (call $open_worked)
                (local.set $handle (i32.load (i32.const 2052)))
                (call $power_off (local.get $handle) (i32.const 2048))
                (call $pass_on)
                (call $leave_machine (local.get $handle))))
        (if (i32.eq (call $last (local.get $role) (local.get $length)) (i32.const 110))         ;; drain
            (then
                (call $volume (i32.const 2) (i32.const 2048))
                (call $open_worked)
                (local.set $handle (i32.load (i32.const 2052)))
                (call $remove (local.get $handle) (i32.const 2048))
                (call $pass_on)
                (call $leave_volume (local.get $handle))))
        (call $done (local.get $subject))
        (i32.const 1024))
    (func (export "occi:extension/lifecycle@0.1.0#update")
        (param i32 i32 i32 i32) (param $subject i32) (param i32 i32) (result i32)
        (call $done (local.get $subject))
        (i32.const 1024))
    (func (export "occi:extension/lifecycle@0.1.0#delete")
        (param i32 i32) (param $role i32) (param $length i32) (param $subject i32) (result i32)
        (if (i32.eq (call $last (local.get $role) (local.get $length)) (i32.const 112))         ;; clamp
            (then
                (i32.store8 (i32.const 1024) (i32.const 1))
                (i32.store (i32.const 1028) (i32.const 32))
                (i32.store (i32.const 1032) (i32.const 8))
                (i32.store (i32.const 1036) (i32.const 48))
                (i32.store (i32.const 1040) (i32.const 10))))
        (call $done (local.get $subject))
        (i32.const 1024))
"#;
