//! Component, manifest and host must fit; if they do not, the message says what to change.

use super::Host;
use super::guest::{Guest, attach, bare, manifest};
use super::lending::Volumes;
use crate::{CallState, Capability, Manifest};
use std::sync::Arc;
use wasmtime::component::Linker;

const STORING: &str = "import occi:extension/types@0.1.0; import occi:extension/volumes@0.1.0; \
                       export occi:extension/actions@0.1.0;";

/// A guest that imports one function of the capability `volumes`.
fn storing(manifest: String) -> Vec<u8> {
    let mut guest = Guest::deeds().manifest(manifest);
    guest.world = STORING;
    guest.body = format!(
        r#"(import "occi:extension/volumes@0.1.0" "[static]volume.create" (func (param i32 i64 i32))) {}"#,
        guest.body
    );
    guest.build()
}

fn host(granted: &[&'static str]) -> Host {
    Host { capabilities: vec![Arc::new(Volumes)], granted: granted.to_vec(), ..Host::new() }
}

#[track_caller]
fn refused(host: &Host, component: &[u8], wanted: &str) {
    let message = host.refusal(component);
    assert!(message.contains(wanted), "wanted {wanted}\n   got {message}");
}

#[test]
fn a_capability_must_be_asked_for() {
    let message = "the component imports occi:extension/volumes@0.1.0, but the manifest does not ask for it: add \
                   [capabilities.volumes]";
    refused(&host(&["volumes"]), &storing(manifest("")), message);
}

#[test]
fn a_capability_must_be_granted() {
    let asking = storing(manifest("[capabilities.volumes]"));
    let message = "the manifest asks for [capabilities.volumes], which the operator does not grant; to grant it, add \
                   \"volumes\" to `extensions.capabilities` in the configuration";
    refused(&host(&[]), &asking, message);
    let extension = host(&["volumes"]).load(&asking);
    assert!(extension.uses_outside_capabilities() && extension.forgets());
}

/// As `volumes`, but each with a console.
struct Screens;

impl Capability for Screens {
    fn name(&self) -> &'static str {
        Volumes.name()
    }

    fn interfaces(&self) -> &'static [&'static str] {
        Volumes.interfaces()
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        Volumes.link(linker)
    }

    fn has_outside_effects(&self) -> bool {
        true
    }

    fn has_consoles(&self) -> bool {
        true
    }
}

#[test]
fn a_kind_with_a_console_is_of_who_makes_what_has_one() {
    let with_console = |asked: &str| {
        let kind = "[[kind]]\nconsole = \"http://example.com/occi/deed#console\"\n";
        manifest(asked).replacen("[[kind]]\n", kind, 1)
    };
    let screens = |granted: &[&'static str]| Host { capabilities: vec![Arc::new(Screens)], ..host(granted) };
    let asking = storing(with_console("[capabilities.volumes]"));
    screens(&["volumes"]).load(&asking);
    refused(
        &host(&["volumes"]),
        &asking,
        "has a console: nothing that this host lends has consoles; take `console` away",
    );
    let message =
        "has a console: add [capabilities.volumes], whose things have consoles, or take `console` away";
    refused(&screens(&["volumes"]), &Guest::deeds().manifest(with_console("")).build(), message);
    let alone = with_console("").split("[[kind.action]]").next().unwrap().to_owned();
    let message = "has a console, but there is no code to make what is behind it; take `console` away";
    assert!(Host::new().loader().manifest(&alone).unwrap_err().to_string().contains(message));
}

/// As `volumes`, but power over others.
struct Power;

impl Capability for Power {
    fn name(&self) -> &'static str {
        Volumes.name()
    }

    fn interfaces(&self) -> &'static [&'static str] {
        Volumes.interfaces()
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        Volumes.link(linker)
    }

    fn has_outside_effects(&self) -> bool {
        false
    }

    fn is_for_administrators(&self) -> bool {
        true
    }

    fn keys(&self) -> &'static [&'static str] {
        &["sizes"]
    }

    fn objections(&self, manifest: &Manifest) -> Vec<String> {
        let is_other = &*manifest.name != "deeds";
        let sizes = manifest.own_keys.entries(self.name(), "sizes").map(|size| size.fault("is too large"));
        sizes.chain(is_other.then(|| "it is not for you".into())).collect()
    }
}

#[test]
fn power_over_others_is_for_those_whom_the_operator_names() {
    let asking = storing(manifest("[capabilities.volumes]"));
    let power = |administrators: &[&'static str]| Host {
        capabilities: vec![Arc::new(Power)],
        administrators: administrators.to_vec(),
        ..host(&["volumes"])
    };
    refused(&power(&["other"]), &asking, "add \"deeds\" to `administrators` in the configuration");
    power(&["deeds"]).load(&asking);
    let other = storing(manifest("[capabilities.volumes]").replace("\"deeds\"", "\"other\""));
    refused(&power(&["other"]), &other, "it is not for you");
}

#[test]
fn a_capability_reads_its_own_keys_and_no_others_are_there() {
    let host =
        Host { capabilities: vec![Arc::new(Power)], administrators: vec!["deeds"], ..host(&["volumes"]) };
    let asking = |keys: &str| storing(manifest(&format!("[capabilities.volumes]\n{keys}")));
    refused(
        &host,
        &asking("size = []"),
        "capabilities.volumes.size: unknown key `size`; did you mean `sizes`?",
    );
    let message = host.refusal(&asking("sizes = [\"L\", \"XL\"]\nx = []"));
    let lines: Vec<_> = message.lines().collect();
    let [unknown, large, larger] = lines[..] else { panic!("{message}") };
    assert!(
        unknown.ends_with("capabilities.volumes.x: unknown key `x`; the keys here are sizes"),
        "{unknown}"
    );
    assert!(large.ends_with("capabilities.volumes.sizes[0]: is too large"), "{large}");
    assert!(larger.ends_with("capabilities.volumes.sizes[1]: is too large"), "{larger}");
}

#[test]
fn a_capability_must_be_used() {
    let component = Guest::deeds().manifest(manifest("[capabilities.volumes]")).build();
    refused(
        &host(&["volumes"]),
        &component,
        "asks for [capabilities.volumes], but the component imports no function of",
    );
}

#[test]
fn a_capability_must_exist() {
    let component = storing(manifest("[capabilities.volume]\n[capabilities.volumes]"));
    let message = "[capabilities.volume], which this host does not have; did you mean `volumes`?";
    refused(&host(&["volumes"]), &component, message);
    let message = "imports occi:extension/volumes@0.1.0, which this host does not serve";
    refused(&Host::new(), &component, message);
}

#[test]
fn all_that_does_not_fit_is_told_at_once() {
    let message = Host::new().refusal(&storing(manifest("[capabilities.machines]\n[capabilities.networks]")));
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[test]
fn types_of_a_capability_are_no_use_of_it() {
    let mut guest = Guest::deeds();
    guest.world = "import occi:extension/types@0.1.0; import occi:extension/volumes@0.1.0; \
                   export occi:extension/actions@0.1.0; export keep: interface { \
                   use occi:extension/volumes@0.1.0.{volume}; drop: func(volume: borrow<volume>); }";
    guest.body += r#"(func (export "keep#drop") (param i32))"#;
    let extension = host(&[]).load(&guest.build());
    assert!(!extension.uses_outside_capabilities());
}

#[test]
fn exports_and_manifest_say_the_same() {
    let host = Host::new();
    let lifecycle = |manifest: String| {
        Guest {
        world: "import occi:extension/types@0.1.0; export occi:extension/lifecycle@0.1.0;",
        body: r#"
            (func (export "occi:extension/lifecycle@0.1.0#create") (param i32 i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "occi:extension/lifecycle@0.1.0#update") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "occi:extension/lifecycle@0.1.0#delete") (param i32 i32 i32 i32 i32) (result i32) (i32.const 1024))
        "#.into(),
        manifest: Some(manifest),
    }
    };
    let without_actions = manifest("").replace("[[kind.action]]", "[[mixin]]\nlocation = \"/mixin/ok/\"");
    let extension = host.load(&lifecycle(without_actions.clone()).build());
    assert!(extension.has_lifecycle() && !extension.has_actions());

    let message = "the manifest defines the action http://example.com/occi/deed/action#ok, but the component does not \
                   export occi:extension/actions@0.1.0: export it, or take the action away";
    refused(&host, &lifecycle(manifest("")).build(), message);
    let message = "exports occi:extension/actions@0.1.0, but the manifest defines no action";
    refused(&host, &Guest::deeds().manifest(without_actions).build(), message);
    let nothing = "[extension]\nname = \"a\"\nversion = \"1.0.0\"";
    let message = "exports occi:extension/lifecycle@0.1.0, but the manifest defines no Kind or Mixin";
    refused(&host, &lifecycle(nothing.into()).build(), message);
    let empty = Guest { world: "", body: String::new(), manifest: Some(nothing.into()) };
    refused(&host, &empty.build(), "exports nothing that the host could call");
    // Without any code it is as good as its manifest alone; that must do without, too.
    assert!(!host.load(&bare(nothing)).has_lifecycle());
    refused(&host, &bare(&manifest("")), "but there is no code to do it");
}

#[test]
fn another_version_of_the_contract_is_told_apart() {
    let host = Host::new();
    let guest = wat::parse_str(
        r#"(component
            (import "occi:extension/types@0.2.0" (instance (export "a" (type (sub resource)))))
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $act (export "act" (func $f)))
            (export "occi:extension/actions@0.2.0" (instance $act)))"#,
    );
    let mut guest = guest.unwrap();
    attach(&mut guest, &manifest(""));
    refused(&host, &guest, "imports occi:extension/types in version 0.2.0; this host serves version 0.1.0");
    refused(&host, &guest, "exports occi:extension/actions in version 0.2.0; this host speaks version 0.1.0");
}

#[test]
fn a_function_has_the_type_of_the_contract() {
    let guest = wat::parse_str(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $act (export "act" (func $f)))
            (export "occi:extension/actions@0.1.0" (instance $act)))"#,
    );
    let mut guest = guest.unwrap();
    attach(&mut guest, &manifest(""));
    refused(&Host::new(), &guest, "its function `act` of occi:extension/actions@0.1.0 has another type");
}

#[test]
fn an_import_that_nobody_serves_is_named() {
    let mut guest =
        wat::parse_str(r#"(component (import "wasi:cli/environment@0.2.3" (instance (export "f" (func)))))"#)
            .unwrap();
    attach(&mut guest, &manifest(""));
    refused(
        &Host::new(),
        &guest,
        "imports wasi:cli/environment@0.2.3, which this host does not serve; a language's runtime",
    );
}

#[test]
fn the_manifest_is_there_once_and_without_fault() {
    let host = Host::new();
    refused(
        &host,
        &Guest { manifest: None, ..Guest::deeds() }.build(),
        "has no manifest; put one into its custom section `occi:manifest`",
    );
    let mut twice = Guest::deeds().build();
    attach(&mut twice, "");
    refused(&host, &twice, "more than one");
    let faulty = manifest("").replace("location", "lokation");
    refused(
        &host,
        &Guest::deeds().manifest(faulty).build(),
        "kind[0].lokation: unknown key `lokation`; did you mean `location`?",
    );
    refused(&host, &Guest::deeds().core(), "is a core module");
    refused(&host, b"hello", "is no valid WebAssembly");
}

#[test]
fn a_manifest_alone_asks_for_nothing_that_needs_code() {
    let loader = Host::new().loader();
    let message = loader.manifest(&manifest("[capabilities.volumes]")).unwrap_err().to_string();
    assert_eq!(message.lines().count(), 2, "{message}");
    assert!(
        message.contains("but there is no code to do it")
            && message.contains("but there is no code to use it")
    );
}

#[test]
fn too_much_memory_to_begin_with_is_seen_at_load() {
    let small = manifest("[limits]\nmemory = \"64 KiB\"");
    let message = "begins with 131072 bytes of memory, and may have 65536; raise `memory` in its [limits]";
    refused(&Host::new(), &Guest::deeds().manifest(small).build(), message);
}
