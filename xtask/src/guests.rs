//! Extensions, from source to one file each: folders under plugins/ and examples/ that hold a manifest.toml. A folder
//! with a Cargo.toml beside it is a crate and is compiled; one with a world.wit is in C and is compiled, too; one with a
//! package.json is in JavaScript; one with an extension.py is in Python; one with none of these is an extension without
//! code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::needs::Need;
use crate::prerequisites::Unmet;
use crate::toolchain::{self, Toolchain};
use crate::workspace::Workspace;
use crate::{c, component, javascript, progress, python};

/// Where extensions are kept in the source.
const FOLDERS: &[&str] = &["plugins", "examples"];

/// Where those are that only tests load.
const TEST_FOLDERS: &[&str] = &["host/hostile", "sdk/c/tests", "sdk/javascript/tests", "sdk/python/tests"];

/// An extension as it stands in the source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Extension {
    /// The package's name, else the folder's.
    name: String,
    manifest: PathBuf,
    code: Code,
}

/// What it is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Rust,
    C,
    JavaScript,
    Python,
    None,
}

impl Extension {
    /// The one in a folder, if there is one.
    pub(crate) fn in_folder(folder: &Path) -> Result<Option<Self>> {
        let manifest = folder.join("manifest.toml");
        let package = folder.join("Cargo.toml");
        match (manifest.is_file(), package.is_file()) {
            (true, true) => Ok(Some(Self { name: package_name(&package)?, manifest, code: Code::Rust })),
            (true, false) => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let code = if folder.join(c::WORLD).is_file() {
                    Code::C
                } else if folder.join(javascript::PACKAGE).is_file() {
                    Code::JavaScript
                } else if folder.join(python::ENTRY).is_file() {
                    Code::Python
                } else {
                    Code::None
                };
                Ok(Some(Self { name, manifest, code }))
            }
            (false, true) => bail!("{} has no manifest.toml, which every extension has", folder.display()),
            (false, false) => Ok(None),
        }
    }

    /// What building it needs from this machine.
    pub(crate) fn needs(&self) -> &'static [Need] {
        match self.code {
            Code::Rust => &[Need::Guests],
            Code::C => &[Need::GuestsInC],
            Code::JavaScript => &[Need::GuestsInJavaScript],
            Code::Python => &[Need::GuestsInPython],
            Code::None => &[],
        }
    }

    /// One in JavaScript or Python is not: it has an engine inside, whose compilation delays a server's first start by
    /// seconds.
    fn is_loaded_by_default(&self) -> bool {
        !matches!(self.code, Code::JavaScript | Code::Python)
    }

    fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("."))
    }
}

/// Builds those that servers load by default, into target/release/extensions.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let extensions = chosen(workspace, Extension::is_loaded_by_default)?;
    build_into(workspace, &extensions, &workspace.extensions())
}

/// Builds all others, for tests: those that an operator installs by hand, and those that only tests load.
pub(crate) fn build_others(workspace: &Workspace) -> Result<()> {
    let optional = chosen(workspace, |extension| !extension.is_loaded_by_default())?;
    build_into(workspace, &optional, &workspace.optional_extensions())?;
    build_into(workspace, &find(&workspace.root, TEST_FOLDERS)?, &workspace.test_extensions())
}

fn build_into(workspace: &Workspace, extensions: &[Extension], folder: &Path) -> Result<()> {
    let built = compile(workspace, extensions)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut made = Vec::new();
    for extension in extensions {
        let file = folder.join(&extension.name).with_extension("wasm");
        replace(&file, &component(extension, &built)?)?;
        made.push(file);
    }
    remove_others(workspace, folder, &made)
}

/// Builds the one in a folder, which may be anywhere, into a file.
pub(crate) fn build_one(workspace: &Workspace, extension: Extension, file: &Path) -> Result<()> {
    let extensions = [extension];
    let built = compile(workspace, &extensions)?;
    let [extension] = &extensions;
    replace(file, &component(extension, &built)?)
}

/// The folders of those in one language.
pub(crate) fn folders(workspace: &Workspace, code: Code) -> Result<Vec<PathBuf>> {
    let found = chosen(workspace, |extension| extension.code == code)?;
    Ok(found.iter().map(|extension| extension.folder().to_owned()).collect())
}

fn chosen(workspace: &Workspace, is_wanted: impl Fn(&Extension) -> bool) -> Result<Vec<Extension>> {
    let mut extensions = find(&workspace.root, FOLDERS)?;
    extensions.retain(is_wanted);
    Ok(extensions)
}

fn component(extension: &Extension, built: &BTreeMap<String, PathBuf>) -> Result<Vec<u8>> {
    let manifest = read_text(&extension.manifest)?;
    let Some(file) = built.get(&extension.name) else {
        return Ok(component::without_code(&manifest));
    };
    let code = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    match extension.code {
        // It has its manifest already.
        Code::JavaScript | Code::Python => Ok(code),
        Code::Rust | Code::C | Code::None => {
            component::from_module(&code, &manifest).with_context(|| extension.name.clone())
        }
    }
}

/// Compiles those that have code; the answer is, by its name, what each one's compiler made: a core module, or from
/// JavaScript or Python a component.
fn compile(workspace: &Workspace, extensions: &[Extension]) -> Result<BTreeMap<String, PathBuf>> {
    let mut built = compile_crates(workspace, extensions)?;
    for extension in extensions {
        let (name, folder) = (&extension.name, extension.folder());
        let file = match extension.code {
            Code::C => c::compile(workspace, &c::Toolchain::needed()?, name, folder)?,
            Code::JavaScript => javascript::build(workspace, name, folder)?,
            Code::Python => python::build(workspace, name, folder)?,
            Code::Rust | Code::None => continue,
        };
        built.insert(name.clone(), file);
    }
    Ok(built)
}

fn find(root: &Path, parents: &[&str]) -> Result<Vec<Extension>> {
    let mut found = Vec::new();
    for parent in parents {
        let parent = root.join(parent);
        let entries =
            std::fs::read_dir(&parent).with_context(|| format!("cannot read {}", parent.display()))?;
        for entry in entries {
            let folder = entry?.path();
            found.extend(Extension::in_folder(&folder)?);
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(pair) = found.windows(2).find(|pair| pair[0].name == pair[1].name) {
        bail!(
            "two extensions are called '{}': {} and {}",
            pair[0].name,
            pair[0].manifest.display(),
            pair[1].manifest.display()
        );
    }
    Ok(found)
}

fn package_name(manifest: &Path) -> Result<String> {
    #[derive(Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let manifest_text = read_text(manifest)?;
    let parsed: Manifest =
        toml::from_str(&manifest_text).with_context(|| format!("{} is not a package", manifest.display()))?;
    Ok(parsed.package.name)
}

/// Compiles the crates among them. Cargo knows what is up to date.
fn compile_crates(workspace: &Workspace, extensions: &[Extension]) -> Result<BTreeMap<String, PathBuf>> {
    let crates: Vec<&str> = extensions
        .iter()
        .filter(|extension| extension.code == Code::Rust)
        .map(|extension| extension.name.as_str())
        .collect();
    if crates.is_empty() {
        return Ok(BTreeMap::new());
    }
    let toolchain = Toolchain::find()
        .ok_or_else(|| Unmet::new(format!("no Rust here can build extensions: {}", toolchain::MENDED_BY)))?;
    let mut cargo = toolchain.cargo_build(workspace);
    // A stack of 64 KiB: every call has a new one, and Rust's own default of 1 MiB is for programs.
    cargo
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-C link-arg=-zstack-size=65536")
        .args(["--profile", "guest", "--message-format", "json-render-diagnostics", "--target-dir"])
        // Apart from the host's: another compiler and environment would throw away each other's work.
        .arg(workspace.target.join("guests"));
    for name in &crates {
        cargo.args(["--package", name]);
    }
    let messages = progress::step(&format!("Building extensions ({})", toolchain.described()), &mut cargo)?;
    let modules = modules(&String::from_utf8_lossy(&messages))?;
    for name in crates {
        ensure!(
            modules.contains_key(name),
            "{name} makes no WebAssembly module: its Cargo.toml needs [lib] crate-type = [\"cdylib\"]"
        );
    }
    Ok(modules)
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

/// Writes a file so that whoever reads it sees the old one or the new one; leaves it alone if nothing changed.
fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(file).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, bytes)
        .and_then(|()| std::fs::rename(&fresh, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// An extension that was renamed must not be loaded under its old name as well.
fn remove_others(workspace: &Workspace, folder: &Path, made: &[PathBuf]) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "wasm") && !made.contains(&file) {
            eprintln!("removing {}, which has no source any more", workspace.shown(&file));
            std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(())
}

fn read_text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for folder in FOLDERS {
            fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        for (path, text) in files {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        root
    }

    #[test]
    fn folders_with_a_manifest_are_extensions() {
        let root = tree(&[
            ("plugins/infra/Cargo.toml", "[package]\nname = \"infrastructure\"\n"),
            ("plugins/infra/manifest.toml", ""),
            ("examples/words/manifest.toml", ""),
            ("examples/wires/manifest.toml", ""),
            ("examples/wires/world.wit", ""),
            ("examples/winds/manifest.toml", ""),
            ("examples/winds/package.json", ""),
            ("examples/winters/manifest.toml", ""),
            ("examples/winters/extension.py", ""),
            ("examples/readme/README.md", ""),
        ]);
        let found = find(root.path(), FOLDERS).expect("they are found");
        let named: Vec<_> = found.iter().map(|extension| (extension.name.as_str(), extension.code)).collect();
        assert_eq!(
            named,
            [
                ("infrastructure", Code::Rust),
                ("winds", Code::JavaScript),
                ("winters", Code::Python),
                ("wires", Code::C),
                ("words", Code::None)
            ]
        );
    }

    #[test]
    fn a_crate_without_a_manifest_is_refused() {
        let root = tree(&[("plugins/infra/Cargo.toml", "[package]\nname = \"infrastructure\"\n")]);
        assert!(
            find(root.path(), FOLDERS).expect_err("no manifest").to_string().contains("no manifest.toml")
        );
    }

    #[test]
    fn two_of_a_name_are_refused() {
        let root = tree(&[("plugins/same/manifest.toml", ""), ("examples/same/manifest.toml", "")]);
        assert!(find(root.path(), FOLDERS).expect_err("same name").to_string().contains("'same'"));
    }

    #[test]
    fn cargo_tells_where_modules_are() {
        let root = tree(&[("plugins/a-b/Cargo.toml", "[package]\nname = \"a-b\"\n")]);
        let manifest = root.path().join("plugins/a-b/Cargo.toml");
        let messages = format!(
            "{{\"reason\":\"compiler-artifact\",\"manifest_path\":\"/elsewhere/Cargo.toml\",\"filenames\":[\"/t/x.rlib\"]}}\n\
             {{\"reason\":\"compiler-artifact\",\"manifest_path\":{manifest:?},\"filenames\":[\"/t/a_b.wasm\"]}}\n\
             {{\"reason\":\"build-finished\",\"success\":true}}\n"
        );
        let modules = modules(&messages).expect("they are read");
        assert_eq!(modules, BTreeMap::from([("a-b".to_owned(), PathBuf::from("/t/a_b.wasm"))]));
    }

    #[test]
    fn an_unchanged_file_is_left_alone() {
        let root = tree(&[("a.wasm", "same")]);
        let file = root.path().join("a.wasm");
        let before = fs::metadata(&file).expect("it is there").modified().expect("a time");
        replace(&file, b"same").expect("nothing to do");
        assert_eq!(fs::metadata(&file).expect("it is there").modified().expect("a time"), before);
        replace(&file, b"other").expect("it is written");
        assert_eq!(fs::read(&file).expect("it is there"), b"other");
    }
}
