//! A libvirt daemon of our own, for tests and the demonstration: in namespaces, so that nothing of it touches this
//! machine or outlives us. `libvirtd.sh` is what runs inside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::running::Running;
use crate::workspace::Workspace;

const INSIDE: &str = include_str!("libvirtd.sh");

/// How long the daemon may take until it answers; on a busy machine it has taken two seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon that runs as long as this value lives.
pub(crate) struct Libvirtd {
    sockets: PathBuf,
    log: PathBuf,
    // In this order: the connection that keeps the test driver's state goes before the daemon.
    keeper: Option<Running>,
    daemon: Running,
}

impl Libvirtd {
    /// Starts it and waits until it answers.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        // Not under target/: a socket's path has room for a hundred characters.
        let sockets = tempfile::Builder::new()
            .prefix("occi-libvirt-")
            .tempdir()
            .context("cannot make a folder for libvirt's sockets")?
            .keep();
        let log = workspace.target.join("libvirtd.log");
        let mut command = namespaces();
        command.args(["sh", "-c", INSIDE, "libvirtd.sh"]).args([&sockets, &log]).stdin(Stdio::piped());
        let daemon = Running::start(&mut command)?;
        let mut libvirtd = Self { sockets, log, keeper: None, daemon };
        libvirtd.wait_until_it_answers()?;
        // The test driver forgets everything when its last connection closes. One that stays open makes it behave as
        // a real hypervisor does when its clients die.
        let mut virsh = libvirtd.virsh(&libvirtd.test_uri());
        virsh.stdin(Stdio::piped()).stdout(Stdio::null());
        libvirtd.keeper = Some(Running::start(&mut virsh)?);
        Ok(libvirtd)
    }

    /// QEMU, through this daemon.
    pub(crate) fn qemu_uri(&self) -> String {
        format!("qemu+unix:///system?socket={}", self.socket().display())
    }

    /// libvirt's built-in test driver, through this daemon: it survives its clients.
    pub(crate) fn test_uri(&self) -> String {
        format!("test+unix:///default?socket={}", self.socket().display())
    }

    /// libvirt's own client on one of these URIs.
    pub(crate) fn virsh(&self, uri: &str) -> Command {
        let mut virsh = Command::new("virsh");
        virsh.args(["--quiet", "--connect", uri]).env("LC_ALL", "C");
        virsh
    }

    fn socket(&self) -> PathBuf {
        self.sockets.join("libvirt-sock")
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.daemon.child().try_wait().context("cannot wait for libvirtd")? {
                bail!("libvirtd ended at once ({status}); it said:\n{}", tail(&self.log));
            }
            let answers = self.socket().exists()
                && self
                    .virsh(&self.qemu_uri())
                    .arg("uri")
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .is_ok_and(|status| status.success());
            if answers {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("libvirtd does not answer after {} s; it said:\n{}", PATIENCE.as_secs(), tail(&self.log))
    }
}

impl Drop for Libvirtd {
    fn drop(&mut self) {
        drop(self.keeper.take());
        // The end of its input is the daemon's sign to stop.
        drop(self.daemon.child().stdin.take());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if !matches!(self.daemon.child().try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether this machine lets us make the namespaces; the error says why not.
pub(crate) fn try_namespaces() -> Result<()> {
    let output = namespaces()
        .args(["sh", "-c", "mount -t tmpfs tmpfs /mnt"])
        .output()
        .context("cannot run unshare, which util-linux brings")?;
    if !output.status.success() {
        bail!(
            "this machine does not let us make namespaces, so a libvirt daemon would touch it: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn namespaces() -> Command {
    let mut unshare = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    unshare.args(["--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    unshare
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
