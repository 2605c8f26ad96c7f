//! `occi ext inspect` and `occi ext check`: an extension in a file, without a server.

use super::read;
use crate::assemble;
use crate::client;
use crate::config::Config;
use anyhow::Context;
use occi_capability::libvirt::{Hypervisor, HypervisorConfig};
use occi_extension::{Lent, Loader, Outline, Settings};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

/// Shows what it says about itself.
pub(super) fn inspect(file: &Path) -> anyhow::Result<()> {
    let outline = Outline::read(&read(file)?).with_context(|| file.display().to_string())?;
    client::print(&shown(&outline)?)
}

/// Does with it what a server with that configuration would do before it serves it: all checks, the compilation, and the
/// first instance.
pub(super) fn check(file: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::read(config)?;
    let bytes = read(file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let begin = Instant::now();
    let outline = runtime.block_on(load(&config, &bytes)).with_context(|| file.display().to_string())?;
    let took = begin.elapsed().as_secs_f64();
    client::print(&format!("{}A server takes it; to compile it took {took:.1} s.\n", shown(&outline)?))
}

async fn load(config: &Config, bytes: &[u8]) -> anyhow::Result<Outline> {
    let outline = Outline::read(bytes)?;
    // Nothing is asked of it: a capability only says what it has.
    let hypervisor = Hypervisor::open(HypervisorConfig::default()).await?;
    let capabilities = assemble::capabilities(&hypervisor);
    let grants = assemble::grants(config, &capabilities)?;
    let cache = tempfile::tempdir().context("a folder for what is compiled")?;
    let settings = Settings { calls: 1, limits: config.sandbox.to_limits(), ..Settings::default() };
    let loader = Loader::new(settings, cache.path(), capabilities, grants, Lent::new())?;
    let extension = tokio::task::block_in_place(|| loader.load(bytes))?;
    extension.probe().await?;
    Ok(outline)
}

fn shown(outline: &Outline) -> Result<String, std::fmt::Error> {
    let Outline { manifest, digest, size, imports, exports } = outline;
    let mut out = String::new();
    let publisher = manifest.publisher.as_deref().unwrap_or("an unnamed publisher");
    writeln!(out, "{} {} of {publisher}", manifest.name, manifest.version)?;
    writeln!(out, "  {size} bytes, sha256:{digest}")?;
    let listed = |names: Vec<&str>| if names.is_empty() { "nothing".into() } else { names.join(", ") };
    writeln!(out, "asks for {}", listed(manifest.capabilities.iter().map(String::as_str).collect()))?;
    writeln!(out, "imports {}", listed(imports.iter().map(String::as_str).collect()))?;
    writeln!(out, "exports {}", listed(exports.iter().map(String::as_str).collect()))?;
    for kind in &manifest.kinds {
        let place = kind.location.as_ref().map_or(String::new(), |location| format!(" at {location}"));
        writeln!(out, "Kind {}{place}", kind.id)?;
    }
    for mixin in &manifest.mixins {
        writeln!(out, "Mixin {} at {}", mixin.id, mixin.location)?;
    }
    for action in &manifest.actions {
        writeln!(out, "Action {}", action.id)?;
    }
    Ok(out)
}
