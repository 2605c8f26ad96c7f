//! What this machine lacks: found out, said, and installed if there is a way.

use std::process::Command;

use anyhow::{Context, Result, bail};
use occi_builder::Unmet;
use occi_builder::toolchain::{self, Toolchain};

use crate::guest_system::GuestSystem;
use crate::needs::{Need, THINGS};
use crate::packages::{Apt, Plan};
use crate::workspace::Workspace;
use crate::{Consent, guest_system, libvirtd, progress};

/// Packages that are missing, and what for.
struct Missing {
    packages: Vec<&'static str>,
    reasons: Vec<String>,
}

/// Makes sure that all of these needs are met. Does nothing, and asks no package manager, where they are.
pub(crate) fn ensure(needs: &[Need], consent: Consent) -> Result<()> {
    if needs.contains(&Need::Guests) && consent.install_rustup_target && Toolchain::find().is_none() {
        let mut rustup = Command::new("rustup");
        progress::step("Fetching rustup's target", rustup.args(["target", "add", toolchain::TARGET]))?;
    }
    let missing = missing(needs);
    if missing.packages.is_empty() {
        return Ok(());
    }
    eprintln!("This machine lacks:");
    for reason in &missing.reasons {
        eprintln!("  {reason}");
    }
    install(&missing, consent)?;
    let still = self::missing(needs);
    if !still.packages.is_empty() {
        bail!(Unmet::new(format!("installed, and still missing:\n  {}", still.reasons.join("\n  "))));
    }
    Ok(())
}

/// What machines that boot need, and a system for them to boot; the error is why they cannot boot here.
pub(crate) fn machines(workspace: &Workspace, consent: Consent) -> Result<GuestSystem> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("the guest system is for x86_64 on Linux");
    }
    daemon(consent)?;
    guest_system::build(workspace)
}

/// What a libvirt daemon of our own needs; the error is why there can be none here.
pub(crate) fn daemon(consent: Consent) -> Result<()> {
    ensure(&[Need::Machines], consent)?;
    libvirtd::try_namespaces()
}

fn missing(needs: &[Need]) -> Missing {
    let mut missing = Missing { packages: Vec::new(), reasons: Vec::new() };
    let mut add = |packages: &[&'static str], why: &str| {
        missing.packages.extend(packages);
        missing.reasons.push(format!("{}: {why}", packages.join(", ")));
    };
    for thing in THINGS.iter().filter(|thing| needs.contains(&thing.for_) && !(thing.there)()) {
        add(thing.packages, thing.why);
    }
    if needs.contains(&Need::Guests) && Toolchain::find().is_none() {
        add(toolchain::DEBIAN, "extensions are built for WebAssembly, and rustup's target is not installed");
    }
    missing
}

fn install(missing: &Missing, consent: Consent) -> Result<()> {
    let apt = if consent.no_install { None } else { Apt::find() };
    let Some(apt) = apt else {
        bail!(Unmet::new(by_hand(missing)));
    };
    apt.update()?;
    let plan = Apt::plan(&missing.packages).with_context(|| Unmet::new(by_hand(missing)))?;
    if !plan.removed.is_empty() {
        bail!(Unmet::new(format!(
            "installing {} would remove {}, which is yours to decide; nothing was changed. {}",
            missing.packages.join(", "),
            plan.removed.join(", "),
            by_hand(missing)
        )));
    }
    announce(&plan);
    apt.install(&plan)
}

fn announce(plan: &Plan) {
    eprintln!("apt will install {}: {}", plan.installed.len(), plan.installed.join(" "));
    for change in &plan.downgraded {
        eprintln!(
            "NOTE: apt will also change {change}: no archive configured here has versions that agree otherwise."
        );
    }
}

fn by_hand(missing: &Missing) -> String {
    let mut advice = format!("please install what Debian calls: {}", missing.packages.join(" "));
    if missing.packages.iter().any(|package| toolchain::DEBIAN.contains(package)) {
        advice.push_str("; for extensions, ");
        advice.push_str(toolchain::MENDED_BY);
        advice.push_str(" will do; this command with --install-rustup-target does the first");
    }
    advice
}
