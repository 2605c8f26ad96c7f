//! A folder, a store, and hosts that start and end on them.

mod folder;
mod operator;
mod restart;

use crate::{Catalogue, Listed, Prepared, State};
use occi_extension::{Grants, Lent, Loader, Settings};
use occi_model::{CategoryDraft, CategoryId, Draft, Item};
use occi_operation::{Caller, Change, Collection, Core, Place};
use occi_store::{Options, RedbStore, Store};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A manifest with a Kind of its own, which has these attributes.
fn manifest(name: &str, version: &str, attributes: &[&str]) -> String {
    let mut text = format!(
        r#"
        [extension]
        name = "{name}"
        version = "{version}"
        [[kind]]
        term = "{name}"
        scheme = "http://example.com/occi#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/{name}/"
        "#
    );
    for attribute in attributes {
        for line in [
            format!("[kind.attributes.\"com.example.{attribute}\"]"),
            "type = \"string\"".into(),
            "mutable = true".into(),
        ] {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// One that adds a Kind below another extension's.
fn child(name: &str, parent: &str) -> String {
    let parent = format!("http://example.com/occi#{parent}");
    manifest(name, "1.0.0", &[]).replace("http://schemas.ogf.org/occi/core#resource", &parent)
}

/// What outlives a host.
struct Site {
    dir: tempfile::TempDir,
    store: Arc<dyn Store>,
}

/// A host that serves.
struct Host {
    core: Arc<Core>,
    catalogue: Arc<Catalogue>,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        Self { dir, store: Arc::new(RedbStore::in_memory(&Options::default()).unwrap()) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("folder").join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.file(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.file(name)).unwrap();
    }

    async fn start(&self) -> Host {
        let grants =
            Grants { capabilities: BTreeSet::new(), key: "capabilities".into(), administrators: [].into() };
        let settings = Settings { calls: 16, ..Settings::default() };
        let compiled = self.dir.path().join("compiled");
        let loader = Loader::new(settings, &compiled, Vec::new(), grants, Lent::new()).unwrap();
        let own = self.dir.path().join("own");
        let prepared = Prepared::new(Arc::new(loader), &*self.store, &self.file(""), &own).await.unwrap();
        let core = Core::start(Arc::clone(&self.store), prepared.extensions()).unwrap();
        core.recover().await.unwrap();
        let catalogue = prepared.serve(Arc::clone(&core), &self.store, |_| ()).await.unwrap();
        Host { core, catalogue }
    }
}

impl Host {
    /// Until nothing of it is at work any more.
    async fn stop(self) {
        let Self { core, catalogue } = self;
        let catalogue = Arc::downgrade(&{ catalogue });
        eventually("it ends", || catalogue.strong_count() == 0).await;
        core.finish().await;
    }

    fn listed(&self, name: &str) -> Option<Listed> {
        self.catalogue.list().extensions.into_iter().find(|listed| listed.name == name)
    }

    /// The version that serves.
    fn serves(&self, name: &str) -> Option<String> {
        let listed = self.listed(name)?;
        let kind = CategoryId::parse(&format!("http://example.com/occi#{name}")).unwrap();
        let is_defined = self.core.snapshot().registry().kind(&kind).is_some();
        assert_eq!(is_defined, listed.state == State::Active, "{listed:?}");
        is_defined.then_some(listed.version)
    }

    /// Why a file is not in service.
    fn refused(&self, file: &str) -> Option<String> {
        let refused = self.catalogue.list().refused;
        refused.into_iter().find(|refused| refused.file == file).map(|refused| refused.reason)
    }

    /// Ends all entities of a Kind.
    async fn end_all(&self, name: &str) {
        let kind = CategoryId::parse(&format!("http://example.com/occi#{name}")).unwrap();
        let change = Change::DeleteAll(Collection::Kind(kind));
        self.core.change(&Caller::default(), change).await.unwrap();
    }

    async fn create(&self, name: &str, attributes: &[&str]) {
        let kind = CategoryId::parse(&format!("http://example.com/occi#{name}")).unwrap();
        let named = |attribute: &&str| {
            (occi_model::AttributeName::parse(&format!("com.example.{attribute}")).unwrap(), "x".into())
        };
        let item = Item {
            categories: vec![CategoryDraft::new(kind.clone(), None)],
            attributes: attributes.iter().map(named).collect(),
            ..Item::default()
        };
        let draft = Draft { items: vec![item], ..Draft::default() };
        self.core
            .change(&Caller::default(), Change::Create { place: Place::Kind(kind), draft })
            .await
            .unwrap();
    }
}

/// Waits until something holds.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Long enough for what must not happen.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(600)).await;
}
