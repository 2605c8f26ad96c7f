//! All capabilities together: they are linked side by side, and none is there for who was not granted it.

use super::*;
use occi_extension::{Capability, Grants, Lent, Loader, Settings};
use std::collections::BTreeSet;
use std::sync::Arc;
use wasmtime::Engine;
use wasmtime::component::Linker;

async fn capabilities() -> Vec<Arc<dyn Capability>> {
    let hypervisor = libvirt::Hypervisor::open(libvirt::HypervisorConfig::default()).await.unwrap();
    let nodes = Nodes::from(hypervisor);
    vec![
        Arc::new(Machines::new(&nodes)),
        Arc::new(Volumes::new(&nodes)),
        Arc::new(Networks::new(&nodes)),
        Arc::new(Clocks),
        Arc::new(Config),
        Arc::new(Entities),
        Arc::new(Extensions),
        Arc::new(Folder),
        Arc::new(Http),
        Arc::new(Io),
        Arc::new(KeyValue),
        Arc::new(Logging),
        Arc::new(Metrics),
        Arc::new(Random),
    ]
}

/// Machines take handles of volumes and networks, so the three must agree on what these are.
#[tokio::test]
async fn all_capabilities_are_linked_side_by_side() {
    let mut linker = Linker::new(&Engine::default());
    let (mut names, mut interfaces) = (BTreeSet::new(), BTreeSet::new());
    for capability in capabilities().await {
        capability.link(&mut linker).unwrap();
        assert!(names.insert(capability.name()));
        assert!(capability.interfaces().iter().all(|interface| interfaces.insert(*interface)));
    }
}

/// Every interface that there is: an extension that imports it is refused unless its manifest asks and the operator grants.
#[tokio::test]
async fn every_import_is_refused_without_its_grant() {
    let folder = tempfile::tempdir().unwrap();
    let capabilities = capabilities().await;
    let load = |interface: &str, asked: &str, granted: &[&str], administrators: &[&str]| {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let grants = Grants {
            capabilities: names(granted),
            key: "capabilities".into(),
            administrators: names(administrators),
        };
        let settings = Settings { calls: 1, ..Settings::default() };
        let loader = Loader::new(settings, folder.path(), capabilities.clone(), grants, Lent::new()).unwrap();
        let manifest = occi_guest::manifest(asked);
        loader.component(&occi_guest::importing(interface, &manifest)).map_err(|error| error.to_string())
    };
    for capability in &capabilities {
        let name = capability.name();
        let asked = format!("[capabilities.{name}]");
        for interface in capability.interfaces() {
            if !capability.needs_grant() {
                load(interface, "", &[], &[]).unwrap();
                continue;
            }
            let all_others: Vec<_> =
                capabilities.iter().map(|other| other.name()).filter(|other| *other != name).collect();
            for granted in [&all_others[..], &[name]] {
                let refused = load(interface, "", granted, &["deeds"]).unwrap_err();
                assert!(refused.contains(&format!("add {asked}")), "{interface}: {refused}");
            }
            let refused = load(interface, &asked, &all_others, &["deeds"]).unwrap_err();
            assert!(refused.contains(&format!("add \"{name}\" to `capabilities`")), "{interface}: {refused}");
            // What an interface stands on may be another's, which is then asked for beside it.
            let is_refused = |administrators: &[&str]| {
                load(interface, &asked, &[name], administrators).is_err_and(|why| why.contains(&asked))
            };
            assert_eq!(is_refused(&["other"]), capability.is_for_administrators(), "{interface}");
            assert!(!is_refused(&["deeds"]), "{interface}");
        }
    }
}

/// What an author may write below `[capabilities.NAME]` stands in the guide.
#[tokio::test]
async fn the_guide_says_what_each_key_of_a_capability_is() {
    let guide = include_str!("../../../docs/extensions.md");
    let keys = capabilities().await.into_iter();
    let keys = keys.flat_map(|capability| capability.keys().iter().map(move |key| (capability.name(), *key)));
    let mut told: Vec<_> = keys.map(|(name, key)| format!("| `[capabilities.{name}]` | `{key}` |")).collect();
    let mut rows: Vec<_> = guide.lines().filter(|line| line.starts_with("| `[capabilities.")).collect();
    rows.retain(|row| !told.iter().any(|head| row.starts_with(head)));
    told.retain(|head| !guide.lines().any(|line| line.starts_with(head)));
    assert!(told.is_empty() && rows.is_empty(), "without a row: {told:?}; without a key: {rows:?}");
}
