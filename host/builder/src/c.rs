//! Extensions in C: from a folder with a world and sources to a core module.
//!
//! `world.wit` says what the component exports; bindings are generated from it and from the contract at each build, by
//! the generator that wit-bindgen's own command line has. The SDK in sdk/c is compiled with them, whole: the linker
//! leaves out what is not called, so nothing is imported that the extension does not use.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wit_bindgen_c::{Enabled, Opts};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldItem};

use crate::project::{Code, Project};
use crate::{Builder, Unmet, path_of};

/// The file by which a folder is known to hold an extension in C.
pub(crate) const WORLD: &str = "world.wit";

/// Debian's compiler, a linker for WebAssembly, a C library for it, and what the compiler calls.
pub const DEBIAN: &[&str] = &["clang-19", "lld-19", "wasi-libc", "libclang-rt-19-dev-wasm32"];

/// The C library that modules are linked with. It has `malloc` and `string.h`, and asks the host for nothing unless
/// files, clocks or the environment are used.
const LIBRARY: &str = "/usr/lib/wasm32-wasi/libc.a";

/// The first version of clang that has what is asked of it here.
const OLDEST: u32 = 14;

/// The SDK's sources, below what [`Builder::home`] names.
const SDK: &str = "sdk/c";

/// The world that each extension defines; names in the generated code begin with it, so the SDK can use them.
const WORLD_NAME: &str = "extension";

/// A C compiler and a linker for WebAssembly.
#[derive(Debug)]
pub struct Toolchain {
    clang: PathBuf,
    linker: PathBuf,
}

impl Toolchain {
    /// The newest of which all parts are there.
    pub fn find() -> Option<Self> {
        let versions = (OLDEST..OLDEST + 100).rev().map(|number| format!("-{number}")).chain([String::new()]);
        let found = versions.into_iter().find_map(|version| {
            let clang = path_of(&format!("clang{version}"))?;
            let linker = path_of(&format!("wasm-ld{version}"))?;
            calls_what_is_there(&clang).then_some(Self { clang, linker })
        });
        found.filter(|_| Path::new(LIBRARY).is_file())
    }

    fn needed() -> Result<Self> {
        Self::find().ok_or_else(|| {
            let packages = DEBIAN.join(" ");
            Unmet::new(format!("nothing here can build extensions in C: `apt-get install {packages}`")).into()
        })
    }

    /// The compiler, told what all parts of a module have in common.
    fn clang(&self) -> Command {
        let mut clang = Command::new(&self.clang);
        clang.args(["--target=wasm32-wasi", "-std=c17", "-Oz", "-flto"]);
        clang
    }
}

/// Whether the functions are installed that this compiler's code calls for what WebAssembly has no instruction for.
fn calls_what_is_there(clang: &Path) -> bool {
    let asked = Command::new(clang).args(["--target=wasm32-wasi", "-print-libgcc-file-name"]).output();
    asked.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_file())
}

/// What is generated of a world.
struct Bindings {
    files: Files,
    /// The interfaces of the contract that it exports.
    exports: Vec<String>,
}

/// Compiles a project; the answer is its core module.
pub(crate) fn compile(builder: &Builder<'_>, project: &Project) -> Result<PathBuf> {
    let (home, name, folder) = (builder.home(Code::C)?, &project.name, project.folder());
    let toolchain = Toolchain::needed()?;
    let made = builder.work_of(project)?;
    let bindings = generate(&home.join("wit"), &folder.join(WORLD))?;
    for (file, contents) in bindings.files.iter() {
        let file = made.join(file);
        std::fs::write(&file, contents).with_context(|| format!("cannot write {}", file.display()))?;
    }

    // By itself and without warnings: what is generated is not ours to mend.
    let generated = made.join("bindings.o");
    let mut clang = toolchain.clang();
    clang.args(["-w", "-c", "-o"]).arg(&generated).arg(made.join(format!("{WORLD_NAME}.c")));
    (builder.step)(&format!("Building the bindings of {name} ({})", toolchain.clang.display()), &mut clang)?;

    let sdk = home.join(SDK);
    let module = made.join("module.wasm");
    let mut clang = toolchain.clang();
    clang
        .args(["-Wall", "-Wextra", "-Werror", "-mexec-model=reactor"])
        .arg(format!("-fuse-ld={}", toolchain.linker.display()))
        // As Rust's guests: every call has a new stack. It lies below the data, so that an overflow is a trap.
        .args(["-Wl,-z,stack-size=65536", "-Wl,--stack-first", "-Wl,--strip-all"])
        .arg("-I")
        .arg(sdk.join("include"))
        .arg("-isystem")
        .arg(&made)
        .args(sources(&folder.join("src"))?)
        .args(sources(&sdk.join("src"))?)
        .args(bindings.exports.iter().map(|export| sdk.join("src/exports").join(export).with_extension("c")))
        .arg(&generated)
        .arg(made.join(format!("{WORLD_NAME}_component_type.o")))
        .arg("-o")
        .arg(&module);
    (builder.step)(&format!("Building {name} ({})", toolchain.clang.display()), &mut clang)?;
    Ok(module)
}

/// The bindings of a world, which stands on the contract.
fn generate(contract: &Path, world: &Path) -> Result<Bindings> {
    let mut resolve = Resolve::default();
    resolve.push_dir(contract).with_context(|| format!("cannot read {}", contract.display()))?;
    let package = resolve.push_file(world).with_context(|| format!("cannot read {}", world.display()))?;
    let id = resolve
        .select_world(&[package], Some(WORLD_NAME))
        .with_context(|| format!("{} defines no world `{WORLD_NAME}`", world.display()))?;
    let exported = |item: &WorldItem| match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.clone(),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    };
    let exports = resolve.worlds[id].exports.values().filter_map(exported).collect();
    let mut files = Files::default();
    // A handle of the entity that an exported function keeps is a trap, so the generated code drops it.
    let options = Opts { autodrop_borrows: Enabled::Yes, ..Opts::default() };
    options.build().generate(&mut resolve, id, &mut files).context("cannot generate bindings")?;
    Ok(Bindings { files, exports })
}

/// The C files of a folder, in the order of their names; none where there is no such folder.
pub fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut sources = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(world: &str) -> Result<Bindings> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(WORLD);
        std::fs::write(&file, world).expect("a file");
        generate(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"), &file)
    }

    #[test]
    fn a_world_says_what_is_exported() {
        let world = "package a:b; world extension { include occi:extension/with-observe@0.1.0; }";
        let bindings = generated(world).expect("bindings");
        assert_eq!(bindings.exports, ["observe"]);
        let files: Vec<_> = bindings.files.iter().map(|(name, _)| name).collect();
        assert_eq!(files, ["extension.c", "extension.h", "extension_component_type.o"]);
    }

    #[test]
    fn the_sdk_has_a_file_for_all_that_can_be_exported() {
        let world = "package a:b; world extension { include occi:extension/extension@0.1.0; }";
        let exporters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(SDK).join("src/exports");
        for export in generated(world).expect("bindings").exports {
            assert!(exporters.join(&export).with_extension("c").is_file(), "{export}");
        }
    }

    #[test]
    fn a_world_of_another_name_is_refused() {
        let refused = generated("package a:b; world lamp {}").err().expect("no such world");
        assert!(format!("{refused:#}").contains("defines no world `extension`"), "{refused:#}");
    }
}
