//! `cargo xtask`: the project's own commands. It builds without any system package, since it is what finds out
//! which ones are missing; everything else in this workspace may ask for some.
//!
//! A command reads like its description in `Command`: make sure of what it needs, then do it.

// A program for a terminal speaks by printing.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod c;
mod check;
mod conformance;
mod demo;
mod fuzz;
mod guest_system;
mod guests;
mod javascript;
mod libvirtd;
mod needs;
mod openvswitch;
mod packages;
mod prerequisites;
mod progress;
mod python;
mod running;
mod skipped;
mod test;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use occi_builder::{Project, Unmet};

use crate::needs::Need;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own commands", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    consent: Consent,
}

/// What is done to the machine only if asked for.
#[derive(Args, Clone, Copy)]
struct Consent {
    /// Let rustup download its wasm32-unknown-unknown target, if no toolchain here can build extensions
    #[arg(long, global = true)]
    install_rustup_target: bool,
    /// Never install anything; stop, or skip what can be skipped, and say what is missing
    #[arg(long, global = true)]
    no_install: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Check what the other commands need from this machine, and install what is missing
    Prerequisites,
    /// Build the server, and the extensions that it loads by default, into target/release
    Build {
        /// Leave the server out
        #[arg(long)]
        extensions_only: bool,
    },
    /// Build one extension, from any folder that has a manifest.toml, into one file
    Extension {
        /// With a Cargo.toml beside the manifest (a member of this workspace), a world.wit and sources in C,
        /// a package.json and code in JavaScript, an extension.py, or no code
        folder: PathBuf,
        /// The file to make, such as NAME.wasm
        file: PathBuf,
    },
    /// Formatting and lints, as CI wants them
    Check,
    /// Build, then run every test with the services that it needs
    Test {
        /// Fail where a test is skipped, since what it needs cannot be had on this machine
        #[arg(long)]
        no_skips: bool,
        /// Given to `cargo test`, such as a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run one command, such as a single crate's tests, with the services and variables that `test` gives
    With {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Build, then show the server at work: each request, each answer, and what the hypervisor says
    Demo(demo::Options),
    /// Ask a server for every clause of the standard: any by `--endpoint URL`, else ours, into docs/conformance.md
    Conformance {
        /// Given to the suite; `-- --help` shows what it takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Send the parsers, and the server, what nobody would think of, and see that each keeps its promises
    Fuzz(fuzz::Options),
    /// Measure the server against bare programs that do the same
    Bench {
        /// Given to the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            // 2 is for what the user must mend on the machine; anything else that fails is 1.
            ExitCode::from(if error.is::<Unmet>() { 2 } else { 1 })
        }
    }
}

fn run(Arguments { command, consent }: Arguments) -> Result<ExitCode> {
    running::stop_on_signals()?;
    let workspace = Workspace::find()?;
    match command {
        Command::Prerequisites => {
            prerequisites::ensure(needs::BUILD, consent)?;
            match prerequisites::machines(&workspace, consent) {
                Ok(_) => println!("Everything is here: the server, extensions, and machines that boot."),
                Err(reason) => {
                    println!("The server and extensions can be built; machines cannot boot here: {reason:#}");
                }
            }
        }
        Command::Build { extensions_only: true } => {
            prerequisites::ensure(needs::EXTENSIONS, consent)?;
            guests::build(&workspace)?;
        }
        Command::Build { extensions_only: false } => build(&workspace, consent)?,
        Command::Extension { folder, file } => {
            let project = Project::in_folder(&folder)?
                .with_context(|| format!("{} has no manifest.toml", folder.display()))?;
            prerequisites::ensure(needs::of(project.code), consent)?;
            guests::build_one(&workspace, project, &file)?;
        }
        Command::Check => {
            prerequisites::ensure(&[Need::Host], consent)?;
            check::run(&workspace)?;
        }
        Command::Test { no_skips, arguments } => {
            // The tests bring the server with them; built alone, it would be built twice, with other features.
            prerequisites::ensure(needs::TEST, consent)?;
            guests::build(&workspace)?;
            guests::build_others(&workspace)?;
            return test::run(&workspace, consent, no_skips, &arguments);
        }
        Command::With { command } => return test::with(&workspace, consent, &command),
        Command::Demo(options) => {
            if !options.no_build {
                build(&workspace, consent)?;
            }
            return demo::run(&workspace, consent, &options);
        }
        Command::Conformance { arguments } => {
            if conformance::needs_no_server(&arguments) {
                return conformance::ask(&workspace, &arguments);
            }
            build(&workspace, consent)?;
            return conformance::ask_ours(&workspace, &arguments);
        }
        Command::Fuzz(options) => return fuzz::run(&workspace, consent, &options),
        Command::Bench { arguments } => {
            build(&workspace, consent)?;
            // What attacks, and what is written in other languages.
            prerequisites::ensure(needs::TEST, consent)?;
            guests::build_others(&workspace)?;
            return bench::run(&workspace, consent, &arguments);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn build(workspace: &Workspace, consent: Consent) -> Result<()> {
    prerequisites::ensure(needs::BUILD, consent)?;
    let mut host = workspace.cargo();
    host.args(["build", "--release", "--package", "occi"]);
    progress::step("Building the server", &mut host)?;
    guests::build(workspace)
}
