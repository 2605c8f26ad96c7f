//! `occi ext inspect` and `occi ext check`: an extension in a file, without a server.

use super::read;
use crate::assemble;
use crate::client;
use crate::config::Config;
use anyhow::Context;
use occi_capability::Nodes;
use occi_capability::libvirt::{Hypervisor, HypervisorConfig};
use occi_extension::{Capability, Extension, Lent, Loader, Outline, Settings, printable, serving};
use occi_model::RegistryError;
use occi_operation::{Snapshot, SnapshotError};
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Shows what it says about itself.
pub(super) fn inspect(file: &Path) -> anyhow::Result<()> {
    let outline = Outline::read(&read(file)?).with_context(|| file.display().to_string())?;
    client::print(&shown(&outline, &[])?)
}

/// Does with it what a server with that configuration would do before it serves it.
pub(super) fn check(file: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::read(config)?;
    client::print(&checked(&read(file)?, &config).with_context(|| file.display().to_string())?)
}

/// What there is to say of an extension that passes all checks, the compilation, and the first instance.
pub(super) fn checked(bytes: &[u8], config: &Config) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let begin = Instant::now();
    let said = runtime.block_on(load(config, bytes))?;
    let took = begin.elapsed().as_secs_f64();
    Ok(format!("{said}; to compile it took {took:.1} s.\n"))
}

async fn load(config: &Config, bytes: &[u8]) -> anyhow::Result<String> {
    let outline = Outline::read(bytes)?;
    // Nothing is asked of it: a capability only says what it has.
    let nodes = Nodes::from(Hypervisor::open(HypervisorConfig::default()).await?);
    let capabilities = assemble::capabilities(&nodes);
    let said = shown(&outline, &capabilities)?;
    let grants = assemble::grants(config, &capabilities)?;
    let cache = tempfile::tempdir().context("a folder for what is compiled")?;
    // One call, of a language runtime perhaps: the sandboxes for one in Rust would be too few of its hundred parts.
    let (limits, compatibility) = (config.sandbox.to_limits(), config.compatibility);
    let settings = Settings { calls: 16, limits, compatibility, ..Settings::default() };
    let loader = Loader::new(settings, cache.path(), capabilities, grants, Lent::new())?
        .compiled_by(config.sandbox.compiler());
    let extension = tokio::task::block_in_place(|| loader.load(bytes))?;
    extension.probe().await?;
    let others = defined_by_others(extension)?;
    let others = if others.is_empty() { String::new() } else { format!(" that has {}", others.join(", ")) };
    Ok(format!("{said}A server takes it{others}"))
}

/// What it refers to that others are to define. An error where it contradicts itself, or what it would have to define.
fn defined_by_others(extension: Extension) -> anyhow::Result<Vec<String>> {
    let own: HashSet<String> =
        extension.schemes().map(str::to_owned).chain([occi_model::core::SCHEME.to_owned()]).collect();
    let faults = match Snapshot::new(vec![Arc::new(extension)], Vec::new()) {
        Ok(_) => return Ok(Vec::new()),
        Err(SnapshotError::Categories(faults)) => faults,
        Err(other) => return Err(other.into()),
    };
    let (others, own): (Vec<_>, Vec<_>) = faults.into_iter().partition(
        |fault| matches!(fault, RegistryError::Unknown { missing, .. } if !own.contains(missing.scheme())),
    );
    if !own.is_empty() {
        return Err(SnapshotError::Categories(own).into());
    }
    let missing = others.into_iter().filter_map(|fault| match fault {
        RegistryError::Unknown { missing, .. } => Some(missing.to_string()),
        _ => None,
    });
    Ok(missing.collect::<BTreeSet<_>>().into_iter().collect())
}

/// Said of what is left out where the configuration does not say `compatibility = "1.1"`.
const OLDER: &str = ", for clients of OCCI 1.1 alone";

/// With the capability of each import, where it is among these.
fn shown(outline: &Outline, capabilities: &[Arc<dyn Capability>]) -> Result<String, std::fmt::Error> {
    let Outline { manifest, digest, size, imports, exports } = outline;
    let mut out = String::new();
    let publisher = manifest.publisher.as_deref().unwrap_or("an unnamed publisher");
    writeln!(out, "{} {} of {publisher}", manifest.name, manifest.version)?;
    writeln!(out, "  {size} bytes, sha256:{digest}")?;
    let listed = |names: Vec<&str>| if names.is_empty() { "nothing".into() } else { names.join(", ") };
    writeln!(out, "asks for {}", listed(manifest.capabilities.iter().map(String::as_str).collect()))?;
    for (capability, key, texts) in manifest.own_keys.iter() {
        let texts: Vec<_> = texts.map(printable).collect();
        writeln!(out, "  {capability}, {}: {}", printable(key), texts.join(", "))?;
    }
    let served = |import: &String| match serving(import, capabilities) {
        Some(capability) => format!("{import} ({})", capability.name()),
        None => import.clone(),
    };
    let imports: Vec<String> = imports.iter().map(served).collect();
    writeln!(out, "imports {}", listed(imports.iter().map(String::as_str).collect()))?;
    writeln!(out, "exports {}", listed(exports.iter().map(String::as_str).collect()))?;
    for kind in &manifest.kinds {
        let place = kind.location.as_ref().map_or(String::new(), |location| format!(" at {location}"));
        writeln!(out, "Kind {}{place}", kind.id)?;
    }
    for mixin in &manifest.mixins {
        writeln!(out, "Mixin {} at {}", mixin.id, mixin.location)?;
    }
    let marked = &manifest.marked;
    for action in &manifest.actions {
        let older = if marked.actions.contains(&action.id) { OLDER } else { "" };
        writeln!(out, "Action {}{older}", action.id)?;
    }
    for (of, attribute) in &marked.attributes {
        writeln!(out, "Attribute {attribute} of {of}{OLDER}")?;
    }
    for (of, states) in &marked.states {
        writeln!(out, "States {} of {of}{OLDER}", states.join(", "))?;
    }
    Ok(out)
}
