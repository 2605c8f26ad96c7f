//! `occi ext test`: an extension is built, where it is not, and played through scenarios, without a server that somebody could reach.

use super::build::Made;
use super::read;
use crate::assemble::Rehearsal;
use crate::client::print;
use anyhow::{Context, bail, ensure};
use occi_rehearsal::{Scenario, Stage, play};
use std::path::{Path, PathBuf};

/// Where scenarios are that nobody names.
const FOLDER: &str = "scenarios";

/// Plays all scenarios, and says of each how it went.
pub(super) fn test(extension: &Path, named: &[PathBuf]) -> anyhow::Result<()> {
    let files = files(extension, named)?;
    let bytes = if extension.is_dir() { Made::of(extension)?.bytes } else { read(extension)? };
    let rehearsal = Rehearsal::of(bytes).with_context(|| extension.display().to_string())?;
    let functions = rehearsal.functions();
    // All are read before one is played: a slip of the pen in the last is said at once.
    let scenarios =
        files.iter().map(|file| Scenario::read(file, &functions)).collect::<Result<Vec<_>, _>>()?;
    let manifest = &rehearsal.outline().manifest;
    print(&format!("{} {}\n", manifest.name, manifest.version))?;
    let mut failed = 0;
    for scenario in &scenarios {
        match play(scenario, &rehearsal) {
            Ok(()) => print(&format!("ok      {}\n", scenario.name()))?,
            Err(failure) => {
                failed += 1;
                let failure = failure.to_string().replace('\n', "\n  ");
                print(&format!("FAILED  {}\n  {}\n", scenario.name(), failure.trim_end()))?;
            }
        }
    }
    ensure!(failed == 0, "{failed} of {} scenarios failed", scenarios.len());
    Ok(())
}

/// The files of scenarios: those that are named, and those in folders that are; else those in the folder `scenarios` in the
/// extension's or, of one in a file, here or beside it.
fn files(extension: &Path, named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    ensure!(extension.exists(), "there is no file or folder {}", extension.display());
    let folders = if extension.is_dir() {
        vec![extension.join(FOLDER)]
    } else {
        vec![PathBuf::from(FOLDER), extension.parent().unwrap_or(Path::new("")).join(FOLDER)]
    };
    let named = match named {
        [] => match folders.iter().find(|folder| folder.is_dir()) {
            Some(folder) => std::slice::from_ref(folder),
            None => {
                let looked: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
                bail!("there is no folder {}; name a scenario", looked.join(" or "))
            }
        },
        named => named,
    };
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            files.extend(within(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// The scenarios in a folder, in the order of their names.
fn within(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let said = || folder.display().to_string();
    let entries = folder.read_dir().and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let entries: Vec<PathBuf> = entries.with_context(said)?;
    let is_scenario = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let mut scenarios: Vec<_> = entries.into_iter().filter(is_scenario).collect();
    ensure!(
        !scenarios.is_empty(),
        "there is no scenario in {}: a file whose name ends in .toml",
        folder.display()
    );
    scenarios.sort();
    Ok(scenarios)
}
