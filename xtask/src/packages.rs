//! The system's package manager: what an installation would do, and doing it. Only apt is known.
//!
//! apt may answer a wish by removing or downgrading something else. So every installation is tried without effect
//! first, and what it would do is a value that can be judged. Why things are needed is not known here; see `needs`.

mod plan;

use std::process::Command;

use anyhow::{Context, Result, ensure};
use occi_builder::path_of;

pub(crate) use plan::Plan;

use crate::progress;

/// apt, with the right to use it.
pub(crate) struct Apt {
    sudo: bool,
}

impl Apt {
    /// None where there is no apt, or where we may not install with it.
    pub(crate) fn find() -> Option<Self> {
        if !on_path("apt-get") {
            return None;
        }
        let root = rustix::process::geteuid().is_root();
        (root || on_path("sudo")).then_some(Self { sudo: !root })
    }

    /// Fetches the lists of what can be had.
    pub(crate) fn update(&self) -> Result<()> {
        progress::step("Reading the package lists", self.apt_get().args(["update", "--quiet"]))?;
        Ok(())
    }

    /// The gentlest way to get these packages: one that removes nothing and downgrades nothing; else one that takes
    /// from the archive that a package in the way came from; else one that downgrades the package in the way.
    pub(crate) fn plan(packages: &[&str]) -> Result<Plan> {
        let wanted: Vec<String> = packages.iter().map(ToString::to_string).collect();
        let plain = simulate(wanted.clone())?;
        if plain.removed.is_empty() {
            return Ok(plain);
        }
        let mut ways = Vec::new();
        let mut downgrades = Vec::new();
        for package in &plain.removed {
            let installed = installed_version(package)?;
            for offer in plan::offers(&output("apt-cache", &["madison", package])?) {
                if Some(&offer.version) == installed.as_ref() {
                    // The package came from there; what it must agree with is likely there too.
                    ways.push([vec!["--target-release".to_owned(), offer.suite], wanted.clone()].concat());
                } else {
                    let pinned = format!("{package}={}", offer.version);
                    downgrades.push([wanted.clone(), vec!["--allow-downgrades".to_owned(), pinned]].concat());
                }
            }
        }
        ways.append(&mut downgrades);
        for way in ways {
            if let Ok(plan) = simulate(way)
                && plan.removed.is_empty()
            {
                return Ok(plan);
            }
        }
        Ok(plain)
    }

    /// Carries out a plan. apt itself is forbidden to remove anything.
    pub(crate) fn install(&self, plan: &Plan) -> Result<()> {
        ensure!(plan.removed.is_empty(), "this would remove {}", plan.removed.join(", "));
        let mut apt = self.apt_get();
        apt.args(["install", "--yes", "--no-install-recommends", "--no-remove"]).args(&plan.arguments);
        progress::step("Installing packages", &mut apt)?;
        Ok(())
    }

    fn apt_get(&self) -> Command {
        let mut command = if self.sudo {
            let mut sudo = Command::new("sudo");
            sudo.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            sudo
        } else {
            Command::new("apt-get")
        };
        command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
        command
    }
}

/// What apt-get install would do with these arguments. Needs no rights.
fn simulate(arguments: Vec<String>) -> Result<Plan> {
    let output = apt_query("apt-get")
        .args(["install", "--simulate", "--no-install-recommends"])
        .args(&arguments)
        .output()
        .context("cannot run apt-get")?;
    ensure!(
        output.status.success(),
        "apt cannot install {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(Plan::read(arguments, &String::from_utf8_lossy(&output.stdout)))
}

/// Fetches a package's file into a folder, without installing it, and answers its contents' folder.
pub(crate) fn extract(package: &str, into: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    let fetched = tempfile::tempdir_in(into).context("cannot make a folder")?;
    let mut apt = apt_query("apt-get");
    // apt drops its rights to download, and warns where its user cannot write; the folder is ours alone.
    apt.args(["download", "--option", "APT::Sandbox::User=root", package]).current_dir(fetched.path());
    progress::step(&format!("Fetching {package} (not installed, only unpacked)"), &mut apt)?;
    let file = std::fs::read_dir(fetched.path())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .with_context(|| format!("apt-get download {package} left no file"))?;
    let mut dpkg = Command::new("dpkg-deb");
    dpkg.arg("--extract").arg(file).arg(into);
    progress::step(&format!("Unpacking {package}"), &mut dpkg)?;
    Ok(())
}

/// What a package depends on, by name.
pub(crate) fn dependencies(package: &str) -> Result<Vec<String>> {
    Ok(plan::dependencies(&output("apt-cache", &["depends", package])?))
}

/// Whether a program can be found by its name.
pub(crate) fn on_path(program: &str) -> bool {
    path_of(program).is_some()
}

fn installed_version(package: &str) -> Result<Option<String>> {
    let version = output("dpkg-query", &["--show", "--showformat=${Version}", package])?;
    Ok((!version.is_empty()).then_some(version))
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output =
        apt_query(program).args(arguments).output().with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Questions need no rights, and their answers are read by us, so they come in the language of the source.
fn apt_query(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C");
    command
}
