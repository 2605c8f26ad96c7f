//! `cargo xtask conformance`: the suite of `occi-conformance`, against any server, or against ours.
//!
//! With an endpoint it only passes its arguments on. Without one it starts our own server on a folder of its own, and
//! makes the page of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::progress;
use crate::running::{self, Running};
use crate::workspace::Workspace;

/// Where the page is.
const PAGE: &str = "docs/conformance.md";

/// Whether the arguments are for the suite alone: they name a server, or ask what there is to name.
pub(crate) fn needs_no_server(arguments: &[String]) -> bool {
    let alone = ["--endpoint", "--help", "-h", "--version", "-V"];
    arguments.iter().any(|one| alone.contains(&one.as_str()) || one.starts_with("--endpoint="))
}

/// The suite as it is, with these arguments; its exit code is ours.
pub(crate) fn ask(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    build(workspace)?;
    run(workspace, arguments)
}

fn build(workspace: &Workspace) -> Result<()> {
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--package", "occi-conformance"]);
    progress::step("Building the conformance suite", &mut build)?;
    Ok(())
}

fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    running::to_the_end(Command::new(workspace.release().join("occi-conformance")).args(arguments))
}

/// The suite against our own server, which is built already. The page is written where all of it was asked in the
/// usual way; with arguments the table is only printed.
pub(crate) fn ask_ours(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let page = workspace.root.join(PAGE);
    let mut all = arguments.to_vec();
    if arguments.is_empty() {
        all.extend(["--report".to_owned(), page.display().to_string()]);
    }
    build(workspace)?;
    let code = run_with_our_server(workspace, all)?;
    if arguments.is_empty() {
        eprintln!("{} is written", workspace.shown(&page));
    }
    Ok(code)
}

/// The suite, which its own tests have built, against our own server, as a test: nothing is written.
pub(crate) fn test_ours(workspace: &Workspace) -> Result<ExitCode> {
    eprintln!("==> Asking the server for every clause of the standard");
    run_with_our_server(workspace, Vec::new())
}

fn run_with_our_server(workspace: &Workspace, mut arguments: Vec<String>) -> Result<ExitCode> {
    let server = Server::start(&workspace.release().join("occi"), &workspace.extensions())?;
    arguments.extend(["--daring".to_owned(), "--endpoint".to_owned(), server.endpoint.clone()]);
    run(workspace, &arguments)
}

/// Our server, with all its defaults but the folder and the port.
struct Server {
    endpoint: String,
    _process: Running,
    _folder: TempDir,
}

impl Server {
    fn start(program: &Path, extensions: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let log = folder.path().join("log");
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--hypervisor", "test:///default", "--data"])
            .arg(folder.path().join("data"))
            .arg("--extensions")
            .arg(extensions)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).context("cannot write the server's log")?);
        let mut process = Running::start(&mut command)?;
        let stdout = process.child().stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("cannot read what the server says")?;
        let Some(endpoint) = line.trim_end().strip_prefix("listening on ") else {
            bail!("the server does not listen:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
        };
        Ok(Self { endpoint: endpoint.to_owned(), _process: process, _folder: folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_a_server_needs_none_of_ours() {
        let needs_none =
            |line: &str| needs_no_server(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(needs_none("--endpoint http://a --json") && needs_none("--endpoint=http://a"));
        assert!(needs_none("--help"));
        assert!(!needs_none("--only HTTP-24"));
    }
}
