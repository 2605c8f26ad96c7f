//! What libvirt itself says is there. Where a daemon holds it, its own client tells; libvirt's built-in test driver
//! lives in the server's process, so there the server passes the question on.

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

    /// What libvirt says of one machine.
    pub(super) fn of_machine(stage: &Stage, id: &str) -> Result<Self> {
        Ok(Self { listings: vec![virsh(stage, &["dominfo", &format!("occi-{id}")])?] })
    }

    /// Whether libvirt has something for an entity; its id is part of the name.
    pub(super) fn has(&self, id: &str) -> bool {
        self.listings.iter().any(|(_, said)| said.contains(id))
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
