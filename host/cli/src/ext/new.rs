//! `occi ext new`: a folder with the smallest whole extension in a language, and with that language's SDK, which is in no
//! registry. What is written is in this binary (`build.rs`).

mod workspace;

use crate::client;
use anyhow::{Context, ensure};
use clap::ValueEnum;
use occi_extension::Manifest;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// The folder of a project that stands for this repository; not its author's.
const HOME: &str = "occi";

/// What an extension can be begun in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    Rust,
    Python,
    #[value(name = "javascript")]
    JavaScript,
    C,
}

/// What is different from language to language.
struct Words {
    /// The folder below `templates`, and below `sdk`.
    name: &'static str,
    /// The file in which the author begins.
    code: &'static str,
    /// What to type before `occi ext build`, and what for.
    commands: &'static [(&'static str, &'static str)],
}

impl Language {
    fn words(self) -> Words {
        match self {
            Self::Rust => Words {
                name: "rust",
                code: "src/lib.rs",
                commands: &[
                    ("rustup target add wasm32-unknown-unknown", "once: extensions are WebAssembly"),
                    ("cargo test", "tests it against a host in memory"),
                ],
            },
            Self::Python => Words {
                name: "python",
                code: "extension.py",
                commands: &[
                    ("python3 -m venv .venv && . .venv/bin/activate", "once, with Python 3.11 or later"),
                    ("pip install -r requirements.txt", "once: what makes components"),
                    ("python -m unittest", "tests it against a host in memory"),
                ],
            },
            Self::JavaScript => Words {
                name: "javascript",
                code: "extension.js",
                commands: &[
                    ("npm install", "once, with Node 18.20 or later: what makes components"),
                    ("npm test", "tests it against a host in memory"),
                ],
            },
            Self::C => Words {
                name: "c",
                code: "src/extension.c",
                commands: &[
                    (
                        "apt-get install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32",
                        "once: the compiler",
                    ),
                    (
                        "mkdir -p target && cc -o target/test tests/counter.c && target/test",
                        "tests it natively",
                    ),
                ],
            },
        }
    }
}

/// Makes a folder of that name, or fills an empty one; on failure nothing is there that was not.
pub(super) fn new(language: Language, folder: &Path) -> anyhow::Result<()> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ensure!(
        is_name(name),
        "{name:?} is no name for an extension: it begins with a-z, and is made of a-z, 0-9 and `-`, at most 63 of them, \
         such as `my-lamp`"
    );
    check_empty(folder)?;
    let whole = std::path::absolute(folder)?;
    let above = whole.parent().unwrap_or(Path::new("/"));
    // Complete, then with its name.
    let making = tempfile::Builder::new().prefix(".occi-ext-new-").tempdir_in(above);
    let making = making.with_context(|| format!("cannot write into {}", above.display()))?;
    let made = making.path().join(name);
    write(&made, &files(language, name)?)?;
    std::fs::rename(&made, folder).with_context(|| format!("cannot make {}", folder.display()))?;
    client::print(&next(language, folder)?)
}

/// The rule of the manifest, and the one for terms: a name is both here.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(allowed)
}

fn check_empty(folder: &Path) -> anyhow::Result<()> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => ensure!(
            entries.next().is_none(),
            "the folder {} is there already, and is not empty: choose another name, or remove it",
            folder.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    }
    Ok(())
}

/// All that a project consists of, by paths in it.
fn files(language: Language, name: &str) -> anyhow::Result<Vec<(String, String)>> {
    let words = language.words();
    let commands: Vec<String> =
        words.commands.iter().map(|(command, why)| format!("    {command}    # {why}")).collect();
    let filled = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{code}}", words.code)
            .replace("{{guide}}", &format!("{HOME}/sdk/{}/README.md", words.name))
            .replace("{{commands}}", &commands.join("\n"))
    };
    let mut files = Vec::new();
    for (path, text) in TEMPLATES {
        let (part, path) = path.split_once('/').unwrap_or_default();
        if [words.name, "any"].contains(&part) {
            // By its own name it would rule here, too.
            let path = if path == "gitignore" { ".gitignore" } else { path };
            files.push((path.to_owned(), filled(text)));
        }
    }
    let mut sdk: Vec<(&str, &str)> =
        REPOSITORY.into_iter().filter(|(path, _)| belongs(path, words.name)).collect();
    let root = sdk.iter().position(|(path, _)| *path == "Cargo.toml").map(|at| sdk.swap_remove(at).1);
    files.extend(sdk.into_iter().map(|(path, text)| (format!("{HOME}/{path}"), text.to_owned())));
    if let Some(root) = root {
        files.push((
            format!("{HOME}/Cargo.toml"),
            workspace::of_sdk(root, &["sdk/rust", "sdk/rust-derive"], &files)?,
        ));
    }
    files.push((format!("{HOME}/README.md"), not_yours(words.name)));
    let manifest = files.iter().find(|(path, _)| path == "manifest.toml");
    let (_, manifest) = manifest.context("there is no template of a manifest")?;
    Manifest::parse(manifest).context("a manifest with that name")?;
    Ok(files)
}

/// Whether a file of the repository is for extensions in a language.
fn belongs(path: &str, language: &str) -> bool {
    let is_below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    is_below("wit")
        || is_below(&format!("sdk/{language}"))
        || (language == "rust" && (path == "Cargo.toml" || is_below("sdk/rust-derive")))
}

fn not_yours(language: &str) -> String {
    format!(
        "# Not yours to change\n\n\
         The SDK (`sdk`) and the contract with the server (`wit`), put here by `occi ext new` of occi {release}. The project refers\n\
         to them by their path. To take those of another release, replace this folder by the one that its `occi ext new` makes.\n\
         `sdk/{language}/README.md` is the SDK's page.\n",
        release = env!("CARGO_PKG_VERSION")
    )
}

fn write(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    for (path, text) in files {
        let file = folder.join(path);
        let above = file.parent().unwrap_or(folder);
        std::fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// What its author does now.
fn next(language: Language, folder: &Path) -> Result<String, std::fmt::Error> {
    let words = language.words();
    let mut out = String::new();
    writeln!(out, "{} is there. Begin with {}/{}, and:\n", folder.display(), folder.display(), words.code)?;
    writeln!(out, "    cd {}", folder.display())?;
    for (command, why) in words.commands {
        writeln!(out, "    {command}    # {why}")?;
    }
    writeln!(out, "    occi ext test     # in a server of its own, as scenarios/ says")?;
    writeln!(out, "    occi ext build    # one file of it")?;
    writeln!(out, "    occi ext dev      # into a running server, again at each change")?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGES: [Language; 4] = [Language::Rust, Language::Python, Language::JavaScript, Language::C];

    #[test]
    fn a_project_is_whole_and_has_one_sdk() {
        for language in LANGUAGES {
            let files = files(language, "my-lamp").unwrap();
            let has = |path: &str| files.iter().any(|(file, _)| file == path);
            let words = language.words();
            for path in [
                "manifest.toml",
                "scenarios/count.toml",
                "README.md",
                ".gitignore",
                words.code,
                "occi/README.md",
                "occi/wit/world.wit",
                &format!("occi/sdk/{}/README.md", words.name),
            ] {
                assert!(has(path), "{language:?} lacks {path}");
            }
            for other in LANGUAGES.iter().filter(|other| **other != language) {
                let folder = format!("occi/sdk/{}/", other.words().name);
                assert!(
                    !files.iter().any(|(file, _)| file.starts_with(&folder)),
                    "{language:?} has {folder}"
                );
            }
            let own = files.iter().filter(|(path, _)| !path.starts_with("occi/"));
            for (path, text) in own {
                // What a scenario has saved is called so there.
                let text = text.replace("{{one}}", "");
                assert!(!text.contains("{{"), "{path} has a gap:\n{text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_made_leaves_nothing() {
        let above = tempfile::tempdir().unwrap();
        for name in ["Lamp", "1lamp", "-", "a_b", "", &"a".repeat(64)] {
            let refused = new(Language::C, &above.path().join(name)).unwrap_err();
            assert!(refused.to_string().contains("no name for an extension"), "{refused}");
        }
        assert_eq!(std::fs::read_dir(above.path()).unwrap().count(), 0);

        let full = above.path().join("lamp");
        std::fs::create_dir(&full).unwrap();
        std::fs::write(full.join("mine"), "").unwrap();
        assert!(new(Language::C, &full).unwrap_err().to_string().contains("not empty"));
        assert_eq!(std::fs::read_dir(above.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);

        std::fs::remove_file(full.join("mine")).unwrap();
        new(Language::C, &full).unwrap();
        assert!(full.join("manifest.toml").is_file());
    }
}
