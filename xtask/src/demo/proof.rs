//! What libvirt itself says is there, and QEMU's program of a file. Where a daemon holds it, its own client tells; libvirt's built-in test driver
//! lives in the server's process, so there the server passes the question on.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::stage::{EMBEDDED, Stage};
use crate::libvirtd;

/// What was asked, as commands, and what was said to each.
pub(super) struct Proof {
    pub(super) listings: Vec<(String, String)>,
}

impl Proof {
    /// All machines, networks and volumes.
    pub(super) fn of_everything(stage: &Stage) -> Result<Self> {
        if stage.uri == EMBEDDED {
            let mut inspect = Command::new(&stage.program);
            inspect.arg("inspect").arg("--data").arg(stage.data());
            return Ok(Self { listings: vec![("occi inspect".to_owned(), said(&mut inspect)?)] });
        }
        let mut listings = vec![virsh(stage, &["list", "--all"])?, virsh(stage, &["net-list", "--all"])?];
        let pools = said(libvirtd::virsh(&stage.uri).args(["--quiet", "pool-list", "--name"]))?;
        for pool in pools.split_whitespace() {
            listings.push(virsh(stage, &["vol-list", pool])?);
        }
        Ok(Self { listings })
    }

    /// What is attached to a machine; none where the server has no words for it.
    pub(super) fn of_attachments(stage: &Stage, id: &str) -> Result<Option<Self>> {
        if stage.uri == EMBEDDED {
            return Ok(None);
        }
        let machine = format!("occi-{id}");
        let listings =
            vec![virsh(stage, &["domblklist", &machine])?, virsh(stage, &["domiflist", &machine])?];
        Ok(Some(Self { listings }))
    }

    /// What one machine does.
    pub(super) fn of_state(stage: &Stage, id: &str) -> Result<Self> {
        Ok(Self { listings: vec![virsh(stage, &["domstate", &format!("occi-{id}")])?] })
    }

    /// How large one machine is.
    pub(super) fn of_size(stage: &Stage, id: &str) -> Result<Self> {
        Ok(Self { listings: vec![virsh(stage, &["dominfo", &format!("occi-{id}")])?] })
    }

    /// How one machine is run: the first line of its description says it.
    pub(super) fn of_type(stage: &Stage, id: &str) -> Result<Self> {
        let (asked, said) = virsh(stage, &["dumpxml", &format!("occi-{id}")])?;
        let first = said.lines().next().unwrap_or_default().to_owned();
        Ok(Self { listings: vec![(format!("{asked} | head -n 1"), first)] })
    }

    /// Which disks one machine has, and in which files that is which it began as an image.
    pub(super) fn of_disks(stage: &Stage, id: &str, image: &str) -> Result<Self> {
        let machine = format!("occi-{id}");
        let disks = virsh(stage, &["domblklist", &machine])?;
        let system = format!("{machine}-system-{image}");
        let (asked, said) = virsh(stage, &["vol-dumpxml", "--pool", "occi", &system])?;
        let files: Vec<_> = said.lines().filter(|line| line.contains("<path>")).map(str::trim).collect();
        Ok(Self { listings: vec![disks, (format!("{asked} | grep '<path>'"), files.join("\n"))] })
    }

    /// What is in a file with a disk, and on which others it rests.
    pub(super) fn of_disk(file: &Path) -> Result<Self> {
        let arguments = ["info", "--backing-chain"];
        let asked = format!("qemu-img {} {}", arguments.join(" "), file.display());
        Ok(Self { listings: vec![(asked, said(Command::new("qemu-img").args(arguments).arg(file))?)] })
    }

    /// Which files are in a folder.
    pub(super) fn of_folder(folder: &Path) -> Result<Self> {
        let asked = format!("ls {}", folder.display());
        Ok(Self { listings: vec![(asked, said(Command::new("ls").arg(folder))?)] })
    }

    /// Whether these words were said; an entity's id is part of the name of whatever is there for it.
    pub(super) fn has(&self, words: &str) -> bool {
        self.listings.iter().any(|(_, said)| said.contains(words))
    }

    /// Whether they were said each time that something was asked.
    pub(super) fn all_have(&self, words: &str) -> bool {
        self.listings.iter().all(|(_, said)| said.contains(words))
    }

    /// Whether all that was said is this.
    pub(super) fn is(&self, words: &str) -> bool {
        self.listings.iter().all(|(_, said)| said.trim() == words)
    }
}

fn virsh(stage: &Stage, arguments: &[&str]) -> Result<(String, String)> {
    Ok((format!("virsh {}", arguments.join(" ")), said(libvirtd::virsh(&stage.uri).args(arguments))?))
}

fn said(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
