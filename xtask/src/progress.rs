//! A long step, shown while it lasts: on a terminal as one line with the time that has passed and the last thing that
//! the program said, elsewhere as plain lines.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::running::Running;

/// Runs a program to its end and shows what it says on stderr. Its stdout is the answer. A program that fails is an
/// error, and everything that it said is printed.
pub(crate) fn step(what: &str, command: &mut Command) -> Result<Vec<u8>> {
    if std::io::stderr().is_terminal() { on_terminal(what, command) } else { in_lines(what, command) }
}

fn in_lines(what: &str, command: &mut Command) -> Result<Vec<u8>> {
    eprintln!("==> {what}");
    let began = Instant::now();
    let mut running = Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let mut output = Vec::new();
    if let Some(mut stdout) = running.child().stdout.take() {
        std::io::copy(&mut stdout, &mut output).context("cannot read what a program says")?;
    }
    finish(what, &mut running)?;
    if began.elapsed() > Duration::from_secs(10) {
        eprintln!("    took {} s", began.elapsed().as_secs());
    }
    Ok(output)
}

fn on_terminal(what: &str, command: &mut Command) -> Result<Vec<u8>> {
    let bar = ProgressBar::new_spinner().with_message(String::new()).with_prefix(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));

    let mut running =
        Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    // Both pipes are read at once, since a full one would stop the program.
    let stdout = running.child().stdout.take();
    let output = thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stdout) = stdout {
            let _ends_with_the_program = std::io::copy(&mut stdout, &mut bytes);
        }
        bytes
    });
    let mut said = String::new();
    if let Some(stderr) = running.child().stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            bar.set_message(line.trim().to_owned());
            said.push_str(&line);
            said.push('\n');
        }
    }
    let output = output.join().unwrap_or_default();
    let ended = finish(what, &mut running);
    bar.finish_and_clear();
    match &ended {
        Ok(()) => eprintln!("✓ {what} ({} s)", bar.elapsed().as_secs()),
        Err(_) => eprint!("{said}{}", String::from_utf8_lossy(&output)),
    }
    ended.map(|()| output)
}

fn finish(what: &str, running: &mut Running) -> Result<()> {
    let status = running.child().wait().context("cannot wait for a program")?;
    if !status.success() {
        bail!("{what}: failed ({status})");
    }
    Ok(())
}
