//! The programs that are measured: each a process of its own, which says where it listens when it is ready.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that runs as long as this value lives.
pub(crate) struct Server {
    child: Child,
    /// Such as `http://127.0.0.1:4711`.
    pub(crate) url: String,
    /// From its start until it said that it listens.
    pub(crate) took: Duration,
}

impl Server {
    pub(crate) fn start(program: &Path, arguments: &[&OsStr]) -> Result<Self> {
        let began = Instant::now();
        // util-linux's setpriv becomes the program; whichever way we end, it ends with us.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(arguments)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run setpriv")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).context("cannot read what a server says")?;
        }
        let took = began.elapsed();
        match line.trim_end().strip_prefix("listening on ") {
            Some(url) => Ok(Self { child, url: url.to_owned(), took }),
            None => {
                let status = child.wait().context("cannot wait for a server")?;
                bail!("{} did not start ({status})", program.display())
            }
        }
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS")?;
        Ok(kibibytes * 1024.0)
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot send SIGTERM")?;
        let status = self.child.wait().context("cannot wait for a server")?;
        if !status.success() {
            bail!("a server did not end well ({status})");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}
