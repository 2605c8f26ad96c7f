//! A libvirt daemon of our own, for tests, measurements and the demonstration: in namespaces, so that nothing of it touches
//! this machine or outlives us. `libvirtd.sh` is what runs inside.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
    /// The connection that keeps the test driver's state.
    keeper: Option<Running>,
    daemon: Child,
}

impl Libvirtd {
    /// Starts it and waits until it answers. What it says is in a log of that name. Beside it is a switch, where there is one in that
    /// folder (`openvswitch`).
    pub(crate) fn start(workspace: &Workspace, name: &str, switch: Option<PathBuf>) -> Result<Self> {
        // Not under target/: a socket's path has room for a hundred characters.
        let sockets = tempfile::Builder::new()
            .prefix("occi-libvirt-")
            .tempdir()
            .context("cannot make a folder for libvirt's sockets")?
            .keep();
        let log = workspace.target.join(name).with_extension("log");
        let mut command = namespaces();
        let script = sockets.join("libvirtd.sh");
        std::fs::write(&script, INSIDE).context("cannot write to the folder for libvirt's sockets")?;
        let user = rustix::process::geteuid().as_raw().to_string();
        let group = rustix::process::getegid().as_raw().to_string();
        let uuid =
            std::fs::read_to_string("/proc/sys/kernel/random/uuid").context("a UUID of the kernel's")?;
        let uuid = uuid.trim().to_owned();
        command.arg("sh").args([&script, &sockets, &log]).args([user, group, uuid]);
        command.arg(switch.unwrap_or_default()).stdin(Stdio::piped());
        // Not as `Running`, which is killed: the end of its input lets it clear up, however we end.
        let daemon = command.spawn().context("cannot run unshare, which util-linux brings")?;
        let mut libvirtd = Self { sockets, log, keeper: None, daemon };
        libvirtd.wait_until_it_answers()?;
        // The test driver forgets everything when its last connection closes. One that stays open makes it behave as
        // a real hypervisor does when its clients die.
        let mut keeper = virsh(&libvirtd.test_uri());
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        libvirtd.keeper = Some(Running::start(&mut keeper)?);
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

    /// The bridges that networks may be joined to, where they could be made: one of Linux, and one of Open vSwitch.
    pub(crate) fn bridges(&self) -> [Option<&'static str>; 2] {
        // Their names are those in `libvirtd.sh`.
        [("bridge", "occi-br0"), ("openvswitch", "occi-ovs0")]
            .map(|(made, name)| self.sockets.join(made).exists().then_some(name))
    }

    fn socket(&self) -> PathBuf {
        self.sockets.join("libvirt-sock")
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.daemon.try_wait().context("cannot wait for libvirtd")? {
                bail!("libvirtd ended at once ({status}); it said:\n{}", tail(&self.log));
            }
            let answers = self.socket().exists()
                && virsh(&self.qemu_uri())
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
        drop(self.daemon.stdin.take());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) && matches!(self.daemon.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        let _ended_already = self.daemon.kill();
        let _ended_already = self.daemon.wait();
        let _removed_by_the_daemon = std::fs::remove_dir_all(&self.sockets);
    }
}

/// libvirt's own client.
pub(crate) fn virsh(uri: &str) -> Command {
    let mut virsh = Command::new("virsh");
    virsh.args(["--connect", uri]).env("LC_ALL", "C");
    virsh
}

/// Whether this machine lets us make the namespaces; the error says why not.
pub(crate) fn try_namespaces() -> Result<()> {
    let output = namespaces()
        .args(["sh", "-c", "mount -t tmpfs tmpfs /mnt"])
        .output()
        .context("only root may make namespaces, and there is no sudo")?;
    if !output.status.success() {
        bail!(
            "this machine does not let us make namespaces, so a libvirt daemon would touch it: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Only root may make these, and QEMU's driver needs the rights of a real root inside.
fn namespaces() -> Command {
    let mut unshare = if rustix::process::geteuid().is_root() {
        Command::new("unshare")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("unshare");
        sudo
    };
    unshare.args([
        "--mount",
        "--propagation",
        "private",
        "--net",
        "--uts",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]);
    unshare
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
