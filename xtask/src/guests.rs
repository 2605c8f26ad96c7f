//! The extensions of this workspace: folders under plugins/ and examples/ that hold a manifest.toml. How one is made of a folder
//! is `occi-builder`'s; here is which there are, and where they go.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use occi_builder::{Builder, Code, Project, replace};

use crate::workspace::Workspace;
use crate::{javascript, progress, python};

/// Where extensions are kept in the source.
const FOLDERS: &[&str] = &["plugins", "examples"];

/// Where those are that only tests load.
const TEST_FOLDERS: &[&str] =
    &["host/hostile", "host/museum", "sdk/c/tests", "sdk/javascript/tests", "sdk/python/tests"];

/// Builds those that servers load by default, into target/release/extensions.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    build_into(workspace, &chosen(workspace, is_loaded_by_default)?, &workspace.extensions())
}

/// Builds all others, for tests: those that an operator installs by hand, and those that only tests load.
pub(crate) fn build_others(workspace: &Workspace) -> Result<()> {
    let optional = chosen(workspace, |project| !is_loaded_by_default(project))?;
    build_into(workspace, &optional, &workspace.optional_extensions())?;
    build_into(workspace, &find(&workspace.root, TEST_FOLDERS)?, &workspace.test_extensions())
}

/// One in JavaScript or Python is not: it has an engine inside, whose compilation delays a server's first start by seconds.
fn is_loaded_by_default(project: &Project) -> bool {
    !matches!(project.code, Code::JavaScript | Code::Python)
}

fn build_into(workspace: &Workspace, projects: &[Project], folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut made = Vec::new();
    for (project, component) in projects.iter().zip(components(workspace, projects)?) {
        let file = folder.join(&project.name).with_extension("wasm");
        replace(&file, &component)?;
        made.push(file);
    }
    remove_others(workspace, folder, &made)
}

/// Builds the one in a folder, which may be anywhere, into a file.
pub(crate) fn build_one(workspace: &Workspace, project: Project, file: &Path) -> Result<()> {
    components(workspace, &[project])?.iter().try_for_each(|component| replace(file, component))
}

/// Builds projects, with the tools of their languages installed as this workspace's SDKs name them.
fn components(workspace: &Workspace, projects: &[Project]) -> Result<Vec<Vec<u8>>> {
    let has = |code| projects.iter().any(|project| project.code == code);
    if has(Code::JavaScript) {
        javascript::install(workspace)?;
    }
    let python = if has(Code::Python) { Some(python::install(workspace)?) } else { None };
    let builder = Builder {
        cargo_root: workspace.root.clone(),
        home: Some(workspace.root.clone()),
        work: workspace.target.join("guests"),
        python,
        step: &progress::step,
    };
    builder.build(projects)
}

/// The folders of those in one language.
pub(crate) fn folders(workspace: &Workspace, code: Code) -> Result<Vec<PathBuf>> {
    let found = chosen(workspace, |project| project.code == code)?;
    Ok(found.iter().map(|project| project.folder().to_owned()).collect())
}

fn chosen(workspace: &Workspace, is_wanted: impl Fn(&Project) -> bool) -> Result<Vec<Project>> {
    let mut projects = find(&workspace.root, FOLDERS)?;
    projects.retain(is_wanted);
    Ok(projects)
}

fn find(root: &Path, parents: &[&str]) -> Result<Vec<Project>> {
    let mut found = Vec::new();
    for parent in parents {
        let parent = root.join(parent);
        let entries =
            std::fs::read_dir(&parent).with_context(|| format!("cannot read {}", parent.display()))?;
        for entry in entries {
            found.extend(Project::in_folder(&entry?.path())?);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for path in files {
            let file = root.path().join(path);
            std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            std::fs::write(file, "").expect("a file");
        }
        root
    }

    #[test]
    fn folders_with_a_manifest_are_extensions() {
        let root = tree(&[
            "plugins/words/manifest.toml",
            "examples/winds/manifest.toml",
            "examples/readme/README.md",
        ]);
        let found = find(root.path(), FOLDERS).expect("they are found");
        let named: Vec<_> = found.iter().map(|project| project.name.as_str()).collect();
        assert_eq!(named, ["winds", "words"]);
    }

    #[test]
    fn two_of_a_name_are_refused() {
        let root = tree(&["plugins/same/manifest.toml", "examples/same/manifest.toml"]);
        assert!(find(root.path(), FOLDERS).expect_err("same name").to_string().contains("'same'"));
    }
}
