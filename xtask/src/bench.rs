//! `cargo xtask bench`: the measurements of `occi-bench`, made into a page.
//!
//! What is measured, and how, is in `xtask/bench`; here is what it needs, what machine it ran on, and the page.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::libvirtd::Libvirtd;
use crate::needs::Need;
use crate::running::Running;
use crate::workspace::Workspace;
use crate::{Consent, prerequisites, progress};

/// Where the page is.
const PAGE: &str = "docs/benchmarks.md";

/// A row of the page, as `occi-bench` prints it.
#[derive(Debug, Deserialize)]
struct Figure {
    what: String,
    ours: String,
    reference: String,
    result: String,
    target: String,
    met: bool,
}

/// Measures, and writes the page. A missed target is the exit code.
///
/// The page is written where everything was measured in the usual way; with arguments the figures are only printed.
pub(crate) fn run(workspace: &Workspace, consent: Consent, arguments: &[String]) -> Result<ExitCode> {
    prerequisites::ensure(&[Need::Load], consent)?;
    // Together with the server, so that what they have in common is built once.
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--package", "occi", "--package", "occi-bench"]);
    progress::step("Building the reference programs", &mut build)?;

    let mut bench = Command::new(workspace.release().join("occi-bench"));
    bench
        .arg("measure")
        .arg("--server")
        .arg(workspace.release().join("occi"))
        .arg("--extensions")
        .arg(workspace.extensions())
        .args(arguments);
    // Ends with this value, and whatever is left there with it.
    let libvirtd =
        prerequisites::daemon(consent).and_then(|()| Libvirtd::start(workspace, "bench-libvirtd", None));
    match &libvirtd {
        Ok(libvirtd) => {
            bench.args(["--qemu", &libvirtd.qemu_uri(), "--test-driver", &libvirtd.test_uri()]);
        }
        Err(reason) => {
            eprintln!("******** SKIPPED: what is measured at a libvirt daemon. Reason: {reason:#} ********");
        }
    }
    eprintln!("==> Measuring; this takes some minutes, and wants a machine that does nothing else");
    let (status, figures) = printed(&mut bench)?;
    ensure!(status.success(), "the benchmark failed ({status})");
    let figures: Vec<Figure> =
        serde_json::from_str(&figures).context("the benchmark says something else than figures")?;

    eprintln!("==> Reading and writing alone, without a server");
    let mut speed = workspace.cargo();
    speed.args(["run", "--release", "--quiet", "--package", "occi-rendering", "--example", "speed"]);
    let (status, renderings) = printed(&mut speed)?;

    let table = table(&figures);
    println!("{table}\n{renderings}");
    if arguments.is_empty() {
        let page = workspace.root.join(PAGE);
        let alone = format!("## Reading and writing alone, without a server\n\n{renderings}");
        let method = include_str!("../bench/method.md");
        write(&page, &format!("{}\n{table}\n{alone}\n{method}", head(workspace)))?;
        eprintln!("{} is written", workspace.shown(&page));
    }
    let met = status.success() && figures.iter().all(|figure| figure.met);
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a program to its end; what it printed.
fn printed(command: &mut Command) -> Result<(ExitStatus, String)> {
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    let mut printed = String::new();
    if let Some(mut stdout) = running.child().stdout.take() {
        stdout.read_to_string(&mut printed).context("cannot read what the benchmark says")?;
    }
    let status = running.child().wait().context("cannot wait for the benchmark")?;
    Ok((status, printed))
}

fn write(page: &Path, text: &str) -> Result<()> {
    if let Some(folder) = page.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(page, text).with_context(|| format!("cannot write {}", page.display()))
}

fn table(figures: &[Figure]) -> String {
    let mut table = String::from(
        "| what | server | reference | result: median (lowest to highest) | target | |\n|---|---|---|---|---|---|\n",
    );
    for Figure { what, ours, reference, result, target, met } in figures {
        let met = match (target.is_empty(), met) {
            (true, _) => "",
            (false, true) => "met",
            (false, false) => "**missed**",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {what} | {ours} | {reference} | {result} | {target} | {met} |");
    }
    table
}

fn head(workspace: &Workspace) -> String {
    let mut head = String::from("# Benchmarks\n\nMade by `cargo xtask bench`.\n\n| | |\n|---|---|\n");
    for (name, value) in facts(workspace) {
        // Writing to a string cannot fail.
        let _ = writeln!(head, "| {name} | {value} |");
    }
    head
}

/// When and where it was measured; what cannot be found out is left out.
fn facts(workspace: &Workspace) -> Vec<(&'static str, String)> {
    let file = |path: &str| std::fs::read_to_string(path).ok();
    let field = |path: &str, name: &str| {
        let text = file(path)?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().ok().map(|cores| cores.to_string());
    let lock = file(&workspace.root.join("Cargo.lock").to_string_lossy());
    let locked = |name: &str| version_in(lock.as_deref()?, name);
    let facts = [
        ("date", says("date", &["--utc", "+%Y-%m-%d %H:%M UTC"])),
        ("processor", field("/proc/cpuinfo", "model name")),
        ("cores", cores),
        ("memory", field("/proc/meminfo", "MemTotal")),
        ("kernel", file("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned())),
        ("Rust", says("rustc", &["--version"])),
        ("Wasmtime", locked("wasmtime")),
        ("axum", locked("axum")),
        ("redb", locked("redb")),
        ("libvirt", says("pkg-config", &["--modversion", "libvirt"])),
        ("wrk", says("wrk", &["--version"]).and_then(|line| line.split(' ').nth(1).map(str::to_owned))),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The first line that a program says, whether or not it takes the question for an error.
fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// The version of a package in a Cargo.lock.
fn version_in(lock: &str, name: &str) -> Option<String> {
    let named = format!("name = \"{name}\"");
    let line = lock.lines().skip_while(|line| *line != named).nth(1)?;
    Some(line.strip_prefix("version = ")?.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_become_rows() {
        let json = r#"[{"what":"GET","ours":"8/s","reference":"10/s","result":"0.80 (0.79 to 0.81)",
            "target":"at least 0.9","met":false}]"#;
        let figures: Vec<Figure> = serde_json::from_str(json).expect("figures");
        let row = "| GET | 8/s | 10/s | 0.80 (0.79 to 0.81) | at least 0.9 | **missed** |\n";
        assert!(table(&figures).ends_with(row));
    }

    #[test]
    fn a_version_is_read_from_the_lock() {
        let lock = "[[package]]\nname = \"axum\"\nversion = \"0.8.9\"\n\n[[package]]\nname = \"axum-core\"\n";
        assert_eq!(version_in(lock, "axum").as_deref(), Some("0.8.9"));
        assert_eq!(version_in(lock, "redb"), None);
    }
}
