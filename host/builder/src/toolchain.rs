//! A Rust that can build extensions, which are wasm32-unknown-unknown. Three ways lead to one, and the first that is
//! there is taken: the target's standard library beside the compiler in use (rustup, or a distribution that has it);
//! the distribution's own Rust with the library's sources, which are then built with the extension; and, only if the
//! user asks for it, rustup fetching its target. Nothing here downloads a toolchain by itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rust;

/// The only target that extensions are built for: its components import nothing that they did not ask for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's Rust that is recent enough, its library's sources, and a linker for WebAssembly.
pub const DEBIAN: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// What mends the lack of one, for a message.
pub const MENDED_BY: &str = "either `rustup target add wasm32-unknown-unknown`, or `apt-get install \
     --no-install-recommends rustc-web cargo-web rust-web-src lld-19`";

/// A Rust that can build extensions.
#[derive(Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one in use has the target's standard library.
    InUse,
    /// The distribution's, which has the library's sources; the linker is named because its rustc has none.
    Distribution {
        /// Its path.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// The first of the ways that is there.
    pub fn find() -> Option<Self> {
        if in_use_has_target() {
            return Some(Self::InUse);
        }
        distribution_linker().map(|linker| Self::Distribution { linker })
    }

    /// In a few words, for a line of progress.
    pub(crate) fn described(&self) -> &'static str {
        match self {
            Self::InUse => "the Rust in use",
            Self::Distribution { .. } => "the distribution's Rust",
        }
    }

    /// Cargo with this toolchain in a folder, up to and including `build` and the target.
    pub(crate) fn cargo_build(&self, folder: &Path) -> Command {
        match self {
            Self::InUse => {
                let mut cargo = rust::cargo();
                cargo.current_dir(folder).args(["build", "--target", TARGET]);
                cargo
            }
            Self::Distribution { linker } => {
                let mut cargo = Command::new("/usr/bin/cargo");
                cargo
                    .current_dir(folder)
                    .env_clear()
                    .envs(std::env::vars_os().filter(|(name, _)| is_kept(&name.to_string_lossy())))
                    .env("PATH", "/usr/bin:/bin")
                    .env("RUSTC", "/usr/bin/rustc")
                    // Building the library is not a stable feature; this lets one command use it.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .args(["build", "-Z", "build-std=std,panic_abort", "--target", TARGET]);
                cargo
            }
        }
    }
}

/// An environment that is always the same keeps the library from being built again; what is kept says where
/// registries are and how they are reached.
fn is_kept(name: &str) -> bool {
    const KEPT: [&str; 7] = ["HOME", "CARGO_HOME", "TERM", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "LANG"];
    const FAMILIES: [&str; 4] = ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    KEPT.contains(&name)
        || FAMILIES.iter().any(|family| name.starts_with(family))
        || name.to_ascii_lowercase().ends_with("_proxy")
}

fn in_use_has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    says(&rustc, &["--print", "target-libdir", "--target", TARGET])
        .is_some_and(|folder| has_library(Path::new(&folder)))
}

fn has_library(folder: &Path) -> bool {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn distribution_linker() -> Option<PathBuf> {
    let rustc = OsString::from("/usr/bin/rustc");
    let recent = is_recent(&says(&rustc, &["--version"])?);
    let sysroot = says(&rustc, &["--print", "sysroot"])?;
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock");
    if !recent || !sources.is_file() || !Path::new("/usr/bin/cargo").is_file() {
        return None;
    }
    let named: Vec<String> = std::fs::read_dir("/usr/bin")
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    newest_linker(&named).map(|name| Path::new("/usr/bin").join(name))
}

/// The newest of 'wasm-ld-19' and its kin; 'wasm-ld' alone if it is the only one.
fn newest_linker(names: &[String]) -> Option<&String> {
    names
        .iter()
        .filter_map(|name| {
            let version = name.strip_prefix("wasm-ld")?;
            Some((version.strip_prefix('-').map_or(Some(0), |number| number.parse::<u32>().ok())?, name))
        })
        .max()
        .map(|(_, name)| name)
}

/// Whether 'rustc 1.96.0 (...)' is what this workspace asks for.
fn is_recent(version: &str) -> bool {
    let minor = |text: &str| -> Option<(u32, u32)> {
        let mut numbers = text.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    let asked = minor(env!("CARGO_PKG_RUST_VERSION"));
    version.split_whitespace().nth(1).and_then(minor) >= asked && asked.is_some()
}

fn says(program: &OsString, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_linker_is_taken_by_number() {
        let names = ["wasm-ld", "wasm-ld-9", "wasm-ld-19", "wasm-ldap", "ld"].map(str::to_owned);
        assert_eq!(newest_linker(&names).map(String::as_str), Some("wasm-ld-19"));
        assert_eq!(newest_linker(&["ld".to_owned()]), None);
    }

    #[test]
    fn an_old_compiler_does_not_do() {
        assert!(is_recent("rustc 1.96.0 (abc 2026-01-01) (built from a source tarball)"));
        assert!(!is_recent("rustc 1.63.0"));
        assert!(!is_recent("no such thing"));
    }

    #[test]
    fn the_environment_keeps_registries_and_proxies_only() {
        assert!(is_kept("CARGO_REGISTRIES_OURS_INDEX") && is_kept("https_proxy") && is_kept("HOME"));
        assert!(!is_kept("RUSTUP_TOOLCHAIN") && !is_kept("CARGO") && !is_kept("RUSTFLAGS"));
    }
}
