//! The configuration and the command line: what is wrong stops the start, with exit code 2 and a message that helps.

use crate::server::{Server, extensions, run, run_with};
use occi_guest::Guest;
use std::process::Output;

/// A port that nobody has.
const FREE: &[&str] = &["--listen", "127.0.0.1:0"];

/// Starts a server that is not to start; what it says.
fn refused(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = run(&[&["serve"], arguments].concat());
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(stdout.is_empty(), "nothing listens");
    said
}

fn with_config(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("occi.toml");
    std::fs::write(&file, text).unwrap();
    let data = folder.path().join("data");
    refused(&[FREE, &["--data", data.to_str().unwrap(), "--config", file.to_str().unwrap()]].concat())
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    let said = with_config("lisen = \"127.0.0.1:0\"\n");
    assert!(said.contains("`lisen`") && said.contains("did you mean `listen`?"), "{said}");
    let said = with_config("[sandbox]\nmemory-mb = 3\n");
    assert!(said.contains("did you mean `memory-mib`?") && said.contains("line 2"), "{said}");
}

#[test]
fn a_wrong_wish_for_the_log_is_told() {
    let output = run_with(&["serve"], Some(("RUST_LOG", "occi=loud")));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("RUST_LOG") && said.contains("info"), "{said}");
}

#[test]
fn a_wrong_value_is_told() {
    for (text, said) in [
        ("listen = \"here\"", "ADDRESS:PORT"),
        ("[limits]\nbody = \"much\"", "body"),
        ("[limits]\nbody = 0", "limits.body"),
        ("[hypervisor]\nuri = \"nowhere:///x\"", "nowhere:///x"),
        ("capabilities = [\"machine\"]", "machines"),
        ("listen", "line 1"),
        ("[hypervisor.boot]\nkernel = \"/none\"", "hypervisor.boot.kernel"),
    ] {
        let log = with_config(text);
        assert!(log.contains(said), "{text}: {log}");
    }
}

#[test]
fn what_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let refused = |arguments: &[&str]| refused(&[FREE, arguments].concat());
    let said = refused(&["--data", data, "--config", "/nowhere/occi.toml"]);
    assert!(said.contains("/nowhere/occi.toml"), "{said}");
    let said = refused(&["--data", data, "--extensions", "/nowhere/extensions"]);
    assert!(said.contains("/nowhere/extensions") && said.contains("--extensions"), "{said}");
    let said = refused(&["--data", "/proc/none"]);
    assert!(said.contains("/proc/none") && said.contains("--data"), "{said}");
    assert_eq!(run(&["serve", "--lisen", "x"]).status.code(), Some(2));
    let wrong = run(&["serve", "--listen", "x"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("ADDRESS:PORT"));
}

#[test]
fn a_port_in_use_is_told() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let said = refused(&["--data", folder.path().to_str().unwrap(), "--listen", server.address()]);
    assert!(said.contains(server.address()) && said.contains("--listen"), "{said}");
}

#[test]
fn a_folder_in_use_is_told() {
    let server = Server::start();
    let data = server.data();
    let said = refused(&[FREE, &["--data", data.to_str().unwrap()]].concat());
    assert!(said.contains(data.to_str().unwrap()), "{said}");
    assert!(said.contains("another") || said.contains("in use"), "{said}");
    // The first one goes on, and so does its control socket.
    server.get("/-/").answers(200);
    server.inspect();
}

#[test]
fn the_printed_configuration_is_accepted() {
    let printed = run(&["config"]);
    assert!(printed.status.success());
    let text = String::from_utf8(printed.stdout).unwrap();
    let mut server = Server::configured(&text);
    server.get("/-/").answers(200);
    assert!(server.stop().success());
    // The command line wins over the file.
    let server = Server::configured("listen = \"127.0.0.1:1\"\ndata = \"/proc/none\"\n");
    server.get("/-/").answers(200);
}

#[test]
fn inspect_needs_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["inspect", "--data", folder.path().to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no server runs on"), "{said}");
}

/// What `occi inspect` prints for people.
#[test]
fn inspect_prints_tables() {
    let server = Server::start();
    let compute = server.create("compute", &["occi.compute.cores=3"]);
    let network = server.create("network", &[]);
    server.link("networkinterface", &compute, &network);
    server.act(&network, "up", &[]).is(200);
    server.act(&compute, "start", &[]).is(200);
    let output = run(&["inspect", "--data", server.data().to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("default: libvirt at test:///default"), "{text}");
    let name = |path: &str| format!("occi-{}", path.rsplit('/').next().unwrap());
    let (compute, network) = (name(&compute), name(&network));
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    for line in [
        vec![&*compute, "running", "3", "default"],
        vec![&*network, "active", "default"],
        vec![&*network, &*compute, "its", "definition"],
    ] {
        assert!(lines.contains(&line), "{line:?} is not in\n{text}");
    }
}

/// An extension that is not granted what it asks for is not loaded, and the log names the fix; the others serve.
#[test]
fn an_extension_without_its_capabilities_stays_out() {
    let server = Server::configured("capabilities = [\"logging\"]\n");
    let log = server.log();
    assert!(log.contains("infrastructure.wasm") && log.contains("capabilities"), "{log}");
    server.get("/compute/").answers(404);
    server.note("a");
}

/// An extension that sets its entities' `com.example.greeting` to what the operator has set as its `greeting`.
fn greeter(name: &str) -> Vec<u8> {
    let manifest = format!(
        r#"
        [extension]
        name = "{name}"
        version = "0.1.0"
        [capabilities.config]
        [[kind]]
        term = "{name}"
        scheme = "http://example.com/greeters#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/{name}/"
        [kind.attributes."com.example.greeting"]
        type = "string"
        "#
    );
    // An answer of `get` is at 2048, the change at 1024 and its one attribute at 2304.
    let body = r#"
        (import "wasi:config/store@0.2.0-rc.1" "get" (func $get (param i32 i32 i32)))
        (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
        (data (i32.const 16) "greeting")
        (data (i32.const 32) "com.example.greeting")
        (func (export "occi:extension/lifecycle@0.1.0#create")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (call $get (i32.const 16) (i32.const 8) (i32.const 2048))
            (if (i32.load8_u (i32.const 2052)) (then
                (i32.store (i32.const 1032) (i32.const 2304))
                (i32.store (i32.const 1036) (i32.const 1))
                (i32.store (i32.const 2304) (i32.const 32))
                (i32.store (i32.const 2308) (i32.const 20))
                (i32.store (i32.const 2320) (i32.load (i32.const 2056)))
                (i32.store (i32.const 2324) (i32.load (i32.const 2060)))))
            (call $done (local.get $subject))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#update")
            (param i32 i32 i32 i32) (param $subject i32) (param i32 i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#delete")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
    "#;
    let world = "import occi:extension/types@0.1.0; import wasi:config/store@0.2.0-rc.1; \
                 export occi:extension/lifecycle@0.1.0;";
    Guest { world, body: body.into(), manifest: Some(manifest) }.build()
}

/// An extension reads what the operator has set for it, and nothing that is set for others.
#[test]
fn an_extension_reads_its_own_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["polite", "silent"] {
        std::fs::write(folder.path().join(format!("{name}.wasm")), greeter(name)).unwrap();
    }
    let config = "[settings.polite]\ngreeting = \"good day\"\n";
    let server = Server::of(&folder, config);
    let greeting = |term: &str| {
        let kind = format!("Category: {term}; scheme=\"http://example.com/greeters#\"; class=\"kind\"");
        let made = server.post(&format!("/{term}/")).text(kind).answers(201).location();
        server.get(&made).answers(200).attribute("com.example.greeting").map(str::to_owned)
    };
    assert_eq!(greeting("polite").as_deref(), Some("\"good day\""));
    assert_eq!(greeting("silent"), None);
    let said = with_config("[settings.polite]\ntimes = 3\n");
    assert!(said.contains("line 2") && said.contains("string"), "{said}");
}

/// One broken file costs itself alone; a manifest without code is an extension.
#[test]
fn a_broken_extension_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(extensions().join("note.wasm"), folder.path().join("note.wasm")).unwrap();
    std::fs::write(folder.path().join("broken.wasm"), b"\0asm and then nothing").unwrap();
    std::fs::write(folder.path().join("README.txt"), "not an extension").unwrap();
    let manifest = "[extension]\nname = \"things\"\nversion = \"0.1.0\"\n[[kind]]\nterm = \"thing\"\n\
        scheme = \"http://example.com/things#\"\nparent = \"http://schemas.ogf.org/occi/core#resource\"\n\
        location = \"/thing/\"\n";
    std::fs::write(folder.path().join("things.toml"), manifest).unwrap();
    let server = Server::of(&folder, "");
    server.note("a");
    let thing = "Category: thing; scheme=\"http://example.com/things#\"; class=\"kind\"";
    let path = server.post("/thing/").text(thing).answers(201).location();
    server.delete(&path).answers(200);
    let log = server.log();
    assert!(log.contains("broken.wasm") && !log.contains("README.txt"), "{log}");
}

/// What does not go with the others is left out, and the log says which file it is; one may build on another whose file
/// comes later.
#[test]
fn an_extension_that_clashes_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = |name: &str, term: &str, parent: &str, location: &str| {
        let text = format!(
            "[extension]\nname = \"{name}\"\nversion = \"0.1.0\"\n[[kind]]\nterm = \"{term}\"\n\
             scheme = \"http://example.com/things#\"\nparent = \"{parent}\"\nlocation = \"{location}\"\n"
        );
        std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    };
    let resource = "http://schemas.ogf.org/occi/core#resource";
    manifest("a-child", "child", "http://example.com/things#thing", "/child/");
    manifest("b-thing", "thing", resource, "/thing/");
    manifest("c-again", "other", resource, "/thing/");
    manifest("d-orphan", "orphan", "http://example.com/things#nobody", "/orphan/");
    let server = Server::of(&folder, "");
    for (path, status) in [("/child/", 200), ("/thing/", 200), ("/orphan/", 404)] {
        server.get(path).answers(status);
    }
    let log = server.log();
    assert!(log.contains("c-again.toml") && log.contains("d-orphan.toml"), "{log}");
}

/// What is no file, or too large for one, is not read.
#[test]
fn what_is_no_extensions_file_does_not_hold_up_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(extensions().join("note.wasm"), folder.path().join("note.wasm")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.wasm")).status();
    assert!(pipe.unwrap().success());
    std::fs::create_dir(folder.path().join("folder.wasm")).unwrap();
    std::fs::File::create(folder.path().join("huge.wasm")).unwrap().set_len(6 << 30).unwrap();
    let server = Server::of(&folder, "");
    server.note("a");
    let log = server.log();
    for (file, reason) in [
        ("pipe.wasm", "regular file"),
        ("folder.wasm", "regular file"),
        ("huge.wasm", "more than the 67108864 bytes"),
    ] {
        let told = log.lines().any(|line| line.contains(file) && line.contains(reason));
        assert!(told, "{file}: {log}");
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let said = refused(&[FREE, &["--data", folder.path().to_str().unwrap()]].concat());
    assert!(said.contains("chmod go-w"), "{said}");
}

#[test]
fn a_path_too_long_for_a_socket_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("a".repeat(120));
    let said = refused(&[FREE, &["--data", long.to_str().unwrap()]].concat());
    assert!(said.contains("shorter") && said.contains("--data"), "{said}");
}
