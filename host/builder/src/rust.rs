//! Extensions in Rust: crates, each to a core module.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::project::{Code, Project};
use crate::toolchain::{self, Toolchain};
use crate::{Builder, Unmet, files};

/// The file by which a folder is known to hold an extension in Rust.
pub(crate) const PACKAGE: &str = "Cargo.toml";

/// Small modules, since what is not in the component need not be compiled, cached or mapped. It is given to Cargo, so that
/// nobody's Cargo.toml need have it.
const PROFILE: [&str; 11] = [
    "profile.guest.inherits = 'release'",
    "profile.guest.opt-level = 's'",
    "profile.guest.lto = true",
    "profile.guest.codegen-units = 1",
    "profile.guest.panic = 'abort'",
    "profile.guest.strip = true",
    "profile.guest.debug = false",
    "profile.guest.overflow-checks = false",
    // Whatever a workspace's own releases say of these: so what is compiled for one is there for all.
    "profile.guest.package.'*'.codegen-units = 1",
    "profile.guest.package.'*'.debug = false",
    "profile.guest.package.'*'.overflow-checks = false",
];

/// Cargo as the user calls it. `cargo run` leaves the marks of its package in the environment; build scripts that look at them
/// would run again whenever a build comes from there and not from the user's own shell, so they go.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name.as_ref());
        }
    }
    cargo
}

/// Compiles the crates among projects, all at once; the answer is each one's module, by its name. Cargo knows what is up to
/// date.
pub(crate) fn compile(builder: &Builder<'_>, projects: &[Project]) -> Result<BTreeMap<String, PathBuf>> {
    let crates: Vec<&str> = projects
        .iter()
        .filter(|project| project.code == Code::Rust)
        .map(|project| project.name.as_str())
        .collect();
    if crates.is_empty() {
        return Ok(BTreeMap::new());
    }
    let toolchain = Toolchain::find()
        .ok_or_else(|| Unmet::new(format!("no Rust here can build extensions: {}", toolchain::MENDED_BY)))?;
    let mut cargo = toolchain.cargo_build(&builder.cargo_root);
    // A stack of 64 KiB: every call has a new one, and Rust's own default of 1 MiB is for programs.
    cargo
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-C link-arg=-zstack-size=65536")
        .args(["--profile", "guest", "--message-format", "json-render-diagnostics", "--target-dir"])
        // Apart from the host's: another compiler and environment would throw away each other's work.
        .arg(&builder.work)
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]))
        .args(crates.iter().flat_map(|name| ["--package", name]));
    let what = format!("Building {} ({})", crates.join(", "), toolchain.described());
    let messages = (builder.step)(&what, &mut cargo)?;
    modules(&String::from_utf8_lossy(&messages))
}

/// The name of the package that a Cargo.toml is of.
pub(crate) fn package_name(manifest: &Path) -> Result<String> {
    #[derive(Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let parsed: Manifest = toml::from_str(&files::text(manifest)?)
        .with_context(|| format!("{} is not a package", manifest.display()))?;
    Ok(parsed.package.name)
}

/// The modules that Cargo's messages tell of, by the name of their package.
fn modules(messages: &str) -> Result<BTreeMap<String, PathBuf>> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        manifest_path: Option<PathBuf>,
        #[serde(default)]
        filenames: Vec<PathBuf>,
    }
    let mut modules = BTreeMap::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).context("cargo's messages are not as expected")?;
        if message.reason != "compiler-artifact" {
            continue;
        }
        let module =
            message.filenames.into_iter().find(|file| file.extension().is_some_and(|it| it == "wasm"));
        if let (Some(module), Some(manifest)) = (module, message.manifest_path) {
            modules.insert(package_name(&manifest)?, module);
        }
    }
    Ok(modules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_where_modules_are() {
        let root = tempfile::tempdir().expect("a folder");
        let manifest = root.path().join(PACKAGE);
        std::fs::write(&manifest, "[package]\nname = \"a-b\"\n").expect("a file");
        let messages = format!(
            "{{\"reason\":\"compiler-artifact\",\"manifest_path\":\"/elsewhere/Cargo.toml\",\"filenames\":[\"/t/x.rlib\"]}}\n\
             {{\"reason\":\"compiler-artifact\",\"manifest_path\":{manifest:?},\"filenames\":[\"/t/a_b.wasm\"]}}\n\
             {{\"reason\":\"build-finished\",\"success\":true}}\n"
        );
        let modules = modules(&messages).expect("they are read");
        assert_eq!(modules, BTreeMap::from([("a-b".to_owned(), PathBuf::from("/t/a_b.wasm"))]));
    }
}
