//! A server without connections: a store in memory, and an extension that is a manifest alone.

use occi_extension::{Extension, Grants, Lent, Loader, Settings};
use occi_operation::Core;
use occi_server::{Host, Limits};
use occi_store::{Options, RedbStore, Store};
use std::sync::{Arc, LazyLock};

const MANIFEST: &str = include_str!("manifest.toml");

/// Loaded once: an extension does not change.
static EXTENSION: LazyLock<Arc<Extension>> = LazyLock::new(|| {
    let cache = tempfile::tempdir().expect("a folder");
    let settings = Settings { calls: 1, ..Settings::default() };
    let grants = Grants { capabilities: Vec::new().into_iter().collect(), key: "capabilities".into(), administrators: [].into() };
    let loader = Loader::new(settings, &cache.path().join("code"), Vec::new(), grants, Lent::new());
    let loader = loader.expect("what extensions are loaded with");
    Arc::new(loader.manifest(MANIFEST).unwrap_or_else(|error| panic!("manifest.toml: {error:?}")))
});

/// Does what is done once, so that no input is charged for it.
pub fn prepare() {
    LazyLock::force(&EXTENSION);
}

/// A new server and its store, to be closed in the end. Called where a runtime is.
pub fn start() -> (Host, Arc<dyn Store>) {
    let options = Options { cache: 1 << 20, memo: 1 << 20, ..Options::default() };
    let store: Arc<dyn Store> = Arc::new(RedbStore::in_memory(&options).expect("a store"));
    let core = Core::start(Arc::clone(&store), vec![Arc::clone(&EXTENSION)]).expect("a core");
    (Host::new(core, Limits::default(), ([127, 0, 0, 1], 8787).into(), None), store)
}
