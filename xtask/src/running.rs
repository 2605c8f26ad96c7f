//! Programs that we start: none of them outlives us, whichever way we end.

use std::process::{Child, Command, ExitCode};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The processes to end when a signal ends us.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Ends everything that is running, then us, on Ctrl-C and its kin.
pub(crate) fn stop_on_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Held until the end: nothing new may start in between.
            let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            for pid in running.iter() {
                let _gone_already = kill_process(*pid, Signal::KILL);
            }
            eprintln!("\nstopped by a signal");
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// A program that is killed, if it still runs, when this value goes or a signal ends us.
pub(crate) struct Running {
    child: Child,
    pid: Pid,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let child =
            command.spawn().with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let pid = Pid::from_child(&child);
        running.push(pid);
        Ok(Self { child, pid })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a service manager does.
    pub(crate) fn ask_to_end(&self) -> Result<()> {
        kill_process(self.pid, Signal::TERM).context("cannot send SIGTERM")
    }

    /// Lets it live on after us.
    pub(crate) fn release(self) {
        forget(self.pid);
        std::mem::forget(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Forgotten first: once waited for, the number may belong to another process.
        forget(self.pid);
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

fn forget(pid: Pid) {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != pid);
}

/// Runs a program with our own input and output; its exit code becomes ours.
pub(crate) fn to_the_end(command: &mut Command) -> Result<ExitCode> {
    let mut running = Running::start(command)?;
    let status = running.child().wait().context("cannot wait for a program")?;
    // Ended by a signal: no code of its own.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
