//! `cargo xtask fuzz`: builds the fuzz targets with instruments and runs each for a bounded time. A stable Rust does;
//! cargo-fuzz is not needed, and works in the same folders.
//!
//! What a target checks is in its own crate. What was learnt of a target is kept under target/, so that the next run
//! begins there; the seeds in the repository are read only.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::running::Running;
use crate::workspace::Workspace;
use crate::{Consent, Need, prerequisites, progress};

/// The crates with fuzz targets: one binary for each file in their folder `fuzz_targets`.
const CRATES: [&str; 2] = ["host/rendering/fuzz", "host/server/fuzz"];

/// What makes libFuzzer see which code an input reaches, and what a comparison wanted; cargo-fuzz passes the same.
const INSTRUMENTS: [&str; 9] = [
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
];

/// Seconds of one input after which libFuzzer gives up; the targets themselves measure finer.
const STUCK: u32 = 10;

/// How often a line says how far a target is.
const PULSE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct Options {
    /// Targets by name; all, if none is given
    targets: Vec<String>,
    /// Run each target so many times
    #[arg(long, conflicts_with = "seconds")]
    runs: Option<u64>,
    /// Run each target for so long
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Run so many targets at a time
    #[arg(long, default_value_t = 1)]
    jobs: usize,
}

struct Target {
    name: String,
    /// Its crate's folder.
    folder: PathBuf,
}

/// How a target ended.
struct Outcome {
    executions: u64,
    took: Duration,
    /// What libFuzzer kept, and the last things that were said, where something was found.
    finding: Option<(Option<PathBuf>, String)>,
}

/// Builds and runs. A finding is the exit code.
pub(crate) fn run(workspace: &Workspace, consent: Consent, options: &Options) -> Result<ExitCode> {
    let targets = chosen(all(workspace)?, &options.targets)?;
    prerequisites::ensure(&[Need::Fuzzing], consent)?;
    let programs = workspace.target.join("fuzz");
    let host = host()?;
    for folder in CRATES.map(|folder| workspace.root.join(folder)) {
        if targets.iter().any(|target| target.folder == folder) {
            build(workspace, &folder, &programs, &host)?;
        }
    }

    let waiting = Mutex::new(VecDeque::from(targets));
    let ended = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let outcome = fuzz(workspace, &target, &programs.join(&host).join("release"), options);
                    ended.lock().unwrap_or_else(PoisonError::into_inner).push((target, outcome));
                }
            });
        }
    });
    let mut found = false;
    for (Target { name, .. }, outcome) in ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let Outcome { executions, took, finding } = outcome.with_context(|| name.clone())?;
        let said = if finding.is_some() { "FOUND SOMETHING" } else { "nothing found" };
        println!("{name}: {executions} executions in {} s, {said}", took.as_secs());
        if let Some((input, said)) = finding {
            found = true;
            println!("{said}");
            if let Some(input) = input {
                let program = programs.join(&host).join("release").join(&name);
                println!("again: {} {}", workspace.shown(&program), workspace.shown(&input));
            }
        }
    }
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn all(workspace: &Workspace) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for folder in CRATES.map(|folder| workspace.root.join(folder)) {
        let sources = folder.join("fuzz_targets");
        let entries = fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))?;
        let mut names: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        targets.extend(names.into_iter().map(|name| Target { name, folder: folder.clone() }));
    }
    Ok(targets)
}

/// Those of these names; all where there are no names.
fn chosen(mut targets: Vec<Target>, names: &[String]) -> Result<Vec<Target>> {
    if let Some(unknown) = names.iter().find(|name| targets.iter().all(|target| target.name != **name)) {
        let known: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
        bail!("there is no target `{unknown}`; there are {}", known.join(", "));
    }
    targets.retain(|target| names.is_empty() || names.contains(&target.name));
    Ok(targets)
}

/// The machine's own triple. Where it is named, Cargo builds macros and build scripts without the instruments.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("cannot run rustc")?;
    triple(&String::from_utf8_lossy(&output.stdout)).context("rustc does not say what it compiles for")
}

fn triple(version: &str) -> Option<String> {
    version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

fn build(workspace: &Workspace, folder: &Path, programs: &Path, host: &str) -> Result<()> {
    let mut build = workspace.cargo();
    build
        .args(["build", "--release", "--bins", "--target", host, "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(programs)
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTS.join("\x1f"));
    progress::step(&format!("Building the fuzz targets in {}", workspace.shown(folder)), &mut build)?;
    Ok(())
}

fn fuzz(workspace: &Workspace, target: &Target, programs: &Path, options: &Options) -> Result<Outcome> {
    let name = &target.name;
    let learnt = workspace.target.join("fuzz/corpus").join(name);
    let findings = workspace.target.join("fuzz/findings").join(name);
    for folder in [&learnt, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut program = Command::new(programs.join(name));
    program
        // libFuzzer writes to the first folder alone.
        .arg(&learnt)
        .arg(target.folder.join("corpus").join(name))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg(format!("-timeout={STUCK}"))
        .arg("-print_final_stats=1")
        .arg(match options.runs {
            Some(runs) => format!("-runs={runs}"),
            None => format!("-max_total_time={}", options.seconds),
        })
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());

    eprintln!("==> Fuzzing {name}");
    let began = Instant::now();
    let mut running = Running::start(&mut program)?;
    let stderr = running.child().stderr.take().context("a program without stderr")?;
    let mut said = Said::default();
    let mut pulse = Instant::now();
    // Not all that a program says of hostile input is text.
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        said.hear(&String::from_utf8_lossy(&line));
        if pulse.elapsed() >= PULSE {
            pulse = Instant::now();
            eprintln!("    {name}: {} executions in {} s", said.executions, began.elapsed().as_secs());
        }
    }
    let status = running.child().wait().context("cannot wait for a program")?;
    ensure!(said.executions > 0 || !status.success(), "{name} ran nothing");
    let finding =
        (!status.success()).then(|| (said.kept, said.tail.into_iter().collect::<Vec<_>>().join("\n")));
    Ok(Outcome { executions: said.executions, took: began.elapsed(), finding })
}

/// What libFuzzer has said so far.
#[derive(Default)]
struct Said {
    executions: u64,
    /// Where it put an input that fails.
    kept: Option<PathBuf>,
    /// The last lines that are no count.
    tail: VecDeque<String>,
}

impl Said {
    const TAIL: usize = 30;

    fn hear(&mut self, line: &str) {
        // Such as '#1024 pulse cov: 645 ft: 2393 ...', and in the end 'stat::number_of_executed_units: 2000'.
        let count = line.strip_prefix('#').and_then(|rest| rest.split(['\t', ' ']).next());
        let total = line.strip_prefix("stat::number_of_executed_units:").map(str::trim);
        if let Some(executions) = total.or(count).and_then(|number| number.parse().ok()) {
            self.executions = executions;
            return;
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.kept = Some(path.trim().into());
        }
        if self.tail.len() == Self::TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libfuzzer_is_understood() {
        let mut said = Said::default();
        said.hear("#2048\tpulse  cov: 645 ft: 2393 corp: 660/103Kb lim: 2048 exec/s: 17948 rss: 32Mb");
        assert_eq!(said.executions, 2048);
        said.hear("thread '<unnamed>' panicked at src/check.rs:140:5:");
        said.hear("artifact_prefix='f/'; Test unit written to f/crash-7c");
        said.hear("stat::number_of_executed_units: 39468");
        assert_eq!(said.executions, 39468);
        assert_eq!(said.kept.as_deref(), Some(Path::new("f/crash-7c")));
        assert!(said.tail[0].contains("panicked"));
        for _ in 0..100 {
            said.hear("x");
        }
        assert_eq!(said.tail.len(), Said::TAIL);
    }

    #[test]
    fn an_unknown_target_is_told_from_known_ones() {
        let targets = || ["a", "b"].map(|name| Target { name: name.into(), folder: PathBuf::new() }).into();
        let names = |given: &[&str]| {
            let given: Vec<_> = given.iter().map(ToString::to_string).collect();
            chosen(targets(), &given)
                .map(|targets| targets.into_iter().map(|target| target.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).expect("all"), ["a", "b"]);
        assert_eq!(names(&["b"]).expect("one"), ["b"]);
        assert_eq!(names(&["c"]).expect_err("none").to_string(), "there is no target `c`; there are a, b");
    }

    #[test]
    fn the_host_is_read_from_rustc() {
        assert_eq!(
            triple("rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\n").as_deref(),
            Some("x86_64-unknown-linux-gnu")
        );
        assert_eq!(triple(""), None);
    }
}
