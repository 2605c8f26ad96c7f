//! The folder with extensions. One that cannot be loaded, or does not go with the others, is said in the log; the others
//! serve.

use anyhow::{Context, anyhow, ensure};
use occi_extension::{Extension, Loader, MAX_SIZE};
use occi_operation::Snapshot;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An extension, and where it came from.
type Loaded = (PathBuf, Arc<Extension>);

/// All extensions of a folder that go together.
pub(crate) async fn folder(loader: &Arc<Loader>, folder: &Path) -> anyhow::Result<Vec<Arc<Extension>>> {
    let entries = std::fs::read_dir(folder).with_context(|| {
        format!("the folder with extensions {}; choose another with --extensions", folder.display())
    })?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let loading: Vec<_> = files
        .into_iter()
        .map(|file| {
            let loader = Arc::clone(loader);
            tokio::task::spawn_blocking(move || one(&loader, file))
        })
        .collect();
    let mut loaded: Vec<Loaded> = Vec::new();
    for task in loading {
        let Some((file, extension)) = task.await.context("an extension's loading ended abnormally")? else {
            continue;
        };
        if let Some((first, _)) = loaded.iter().find(|(_, first)| first.name() == extension.name()) {
            let (file, first) = (file.display(), first.display());
            tracing::error!(%file, "not loaded: {first} holds an extension of the name {}, too", extension.name());
            continue;
        }
        loaded.push((file, extension));
    }
    Ok(that_go_together(loaded))
}

/// As many as go together, those of the first files before others. One may build on what a later one defines, so those
/// that do not go with the others yet are tried again.
fn that_go_together(loaded: Vec<Loaded>) -> Vec<Arc<Extension>> {
    let all: Vec<_> = loaded.iter().map(|(_, extension)| Arc::clone(extension)).collect();
    if Snapshot::new(all.clone(), Vec::new()).is_ok() {
        return all;
    }
    let mut together: Vec<Arc<Extension>> = Vec::new();
    let mut left = loaded;
    loop {
        let mut refused = Vec::new();
        let tried = left.len();
        for (file, extension) in left {
            together.push(Arc::clone(&extension));
            if let Err(error) = Snapshot::new(together.clone(), Vec::new()) {
                together.pop();
                refused.push((file, extension, error));
            }
        }
        if refused.len() == tried {
            for (file, extension, error) in refused {
                let name = extension.name();
                tracing::error!(file = %file.display(), "{name} does not go with the others and is left out: {error}");
            }
            return together;
        }
        left = refused.into_iter().map(|(file, extension, _)| (file, extension)).collect();
    }
}

fn one(loader: &Loader, file: PathBuf) -> Option<Loaded> {
    let kind = file.extension().and_then(std::ffi::OsStr::to_str)?;
    // The errors of the loader say all in one.
    let loaded = match kind {
        "wasm" => read(&file).and_then(|bytes| loader.component(&bytes).map_err(|error| anyhow!("{error}"))),
        "toml" => read(&file)
            .and_then(|bytes| String::from_utf8(bytes).context("it is not UTF-8"))
            .and_then(|text| loader.manifest(&text).map_err(|error| anyhow!("{error}"))),
        _ => return None,
    };
    match loaded {
        Ok(extension) => {
            tracing::info!(name = &**extension.name(), version = %extension.version(), "extension");
            Some((file, Arc::new(extension)))
        }
        Err(error) => {
            tracing::error!(file = %file.display(), "not loaded: {error:#}");
            None
        }
    }
}

/// A file's content. What is no file, or too large for any extension, is not read.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    ensure!(file.metadata()?.is_file(), "it is not a regular file");
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_SIZE).unwrap_or(u64::MAX);
    File::open(file)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    ensure!(bytes.len() <= MAX_SIZE, "it is larger than {} MiB, which an extension may have", MAX_SIZE >> 20);
    Ok(bytes)
}
