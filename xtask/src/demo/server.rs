//! The server of the story: started, asked to end, killed, started again.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::stage::Stage;
use crate::running::Running;

/// The first start compiles every extension, which takes a second or two where nothing else runs.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Server {
    process: Running,
}

impl Server {
    /// Starts it and waits for the one line that says that it listens.
    pub(super) fn start(stage: &Stage) -> Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(stage.log())
            .with_context(|| format!("cannot write {}", stage.log().display()))?;
        let mut command = Command::new(&stage.program);
        command
            .arg("serve")
            .args(["--listen", &stage.address.to_string()])
            .arg("--data")
            .arg(stage.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C is for us; we end the server ourselves.
            .process_group(0);
        if let Some(config) = &stage.config {
            command.arg("--config").arg(config);
        }
        let mut process = Running::start(&mut command)?;
        let stdout = process.child().stdout.take().context("the server has no output")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let _nobody_waits_any_more = match BufReader::new(stdout).read_line(&mut line) {
                Ok(0) | Err(_) => Ok(()),
                Ok(_) => sender.send(line),
            };
        });
        let expected = format!("listening on http://{}", stage.address);
        match receiver.recv_timeout(PATIENCE) {
            Ok(line) if line.trim_end() == expected => Ok(Self { process }),
            Ok(line) => bail!("the server printed '{}', not '{expected}'", line.trim_end()),
            Err(_) => bail!(
                "the server does not listen; its log, {}, ends with:\n{}",
                stage.log().display(),
                last_lines(&std::fs::read_to_string(stage.log()).unwrap_or_default(), 15)
            ),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// SIGKILL: nothing in the server runs after it.
    pub(super) fn kill(self) {
        drop(self.process);
    }

    /// SIGTERM, and an exit code that says that all is well.
    pub(super) fn end(mut self) -> Result<()> {
        self.process.ask_to_end()?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(15) {
            match self.process.child().try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the server ended with {status}"),
                None => thread::sleep(Duration::from_millis(20)),
            }
        }
        bail!("the server does not end when asked to")
    }

    /// Leaves it running after us.
    pub(super) fn stay(self) {
        self.process.release();
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
