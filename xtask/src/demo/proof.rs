//! What libvirt itself says is there. Where a daemon holds it, its own client tells; libvirt's built-in test driver
//! lives in the server's process, so there the server passes the question on.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::stage::{EMBEDDED, Stage};
use crate::libvirtd;

/// The listing, and the command that made it.
pub(super) struct Proof {
    pub(super) asked: String,
    pub(super) said: String,
}

impl Proof {
    pub(super) fn from(stage: &Stage) -> Result<Self> {
        if stage.uri == EMBEDDED {
            let mut inspect = Command::new(&stage.program);
            inspect.arg("inspect").arg("--data").arg(stage.data());
            return Ok(Self { asked: "occi inspect".to_owned(), said: said(&mut inspect)? });
        }
        let virsh = |arguments: &[&str]| said(libvirtd::virsh(&stage.uri).args(arguments));
        let mut parts = vec![
            "machines:\n".to_owned(),
            virsh(&["list", "--all"])?,
            "networks:\n".to_owned(),
            virsh(&["net-list", "--all"])?,
        ];
        for pool in virsh(&["pool-list", "--name"])?.split_whitespace() {
            parts.push(format!("volumes in pool {pool}:\n"));
            parts.push(virsh(&["vol-list", "--details", pool])?);
        }
        Ok(Self {
            asked: "virsh list --all; virsh net-list --all; virsh vol-list".to_owned(),
            said: parts.concat(),
        })
    }

    /// Whether libvirt has something for an entity; its id is part of the name.
    pub(super) fn has(&self, id: &str) -> bool {
        self.said.contains(id)
    }
}

fn said(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
