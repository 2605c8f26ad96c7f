//! `occi ext`: the extensions of a running server, over its control socket; and extensions in files.

mod build;
mod dev;
mod file;
mod new;
mod test;

use crate::client;
use crate::control::{ENTITIES, EXTENSIONS};
use anyhow::Context;
use clap::{Args, Subcommand};
use hyper::Method;
use occi_catalogue::{Listed, Listing, State};
use occi_extension::{MAX_SIZE, printable};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct Ext {
    /// The folder of the running server, for the commands that ask one.
    #[arg(long, value_name = "DIR", default_value = "./occi-data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Begin an extension: a folder with the smallest whole one, and the SDK of its language.
    New {
        /// What it is written in.
        #[arg(long, value_name = "LANGUAGE")]
        lang: new::Language,
        /// Its name, and that of the folder: a path may go before it.
        name: PathBuf,
    },
    /// Make one file of an extension's folder, and do with it what `check` does.
    Build {
        /// The folder, with a manifest.toml and code.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// The file to make [default: NAME.wasm in the folder's `target`]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The server's configuration, which says what is granted.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Keep an extension's folder in service while it is written: build, install, again at each change; and show its log.
    Dev {
        /// The folder, with a manifest.toml and code.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Show the extensions, and the files that could not be put into service.
    List {
        /// Print JSON instead of tables.
        #[arg(long)]
        json: bool,
    },
    /// Install an extension, or another version of one.
    Install {
        /// A component with its manifest inside, or a manifest alone.
        file: PathBuf,
    },
    /// Show what an extension in a file says about itself.
    Inspect {
        /// A component with its manifest inside, or a manifest alone.
        file: PathBuf,
    },
    /// Do with a file what a server would do before it serves it, and say what is wrong.
    Check {
        /// A component with its manifest inside, or a manifest alone.
        file: PathBuf,
        /// The server's configuration, which says what is granted.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Play scenarios with an extension, in a server of its own, and say what is not as they expect it.
    Test {
        /// An extension's folder, which is built first; or a component with its manifest inside, or a manifest alone.
        #[arg(default_value = ".")]
        extension: PathBuf,
        /// Scenarios, or folders with some [default: the folder `scenarios` in the extension's, here, or beside the file]
        scenarios: Vec<PathBuf>,
    },
    /// Put the version that served before into service again.
    Rollback {
        /// The extension.
        name: String,
    },
    /// Switch an extension on.
    Enable {
        /// The extension.
        name: String,
    },
    /// Switch an extension off, and keep it installed.
    Disable {
        /// The extension.
        name: String,
        #[command(flatten)]
        leaving: Leave,
    },
    /// Remove an extension and its file.
    Remove {
        /// The extension.
        name: String,
        #[command(flatten)]
        leaving: Leave,
    },
    /// Forget entities whose extension serves no more, which no client can delete, and such Mixins of those whose extension
    /// does. What an extension made outside, and keeps for itself, stays (`occi inspect`).
    Forget {
        /// Paths of entities; Kinds by their identifiers, for all entities of them; or Mixins, to take them off all that have
        /// them.
        #[arg(required = true)]
        what: Vec<String>,
    },
}

#[derive(Args)]
struct Leave {
    /// Although it has entities: they stay, and can be read but not changed.
    #[arg(long)]
    leave_entities: bool,
}

/// Does what was asked, and prints what came of it.
pub(crate) fn run(Ext { data, command }: &Ext) -> anyhow::Result<()> {
    match command {
        Command::New { lang, name } => new::new(*lang, name),
        Command::Build { folder, output, config } => {
            build::build(folder, output.as_deref(), config.as_deref())
        }
        Command::Dev { folder } => dev::dev(data, folder),
        Command::List { json } => list(data, *json),
        Command::Install { file } => say(data, &Method::POST, EXTENSIONS, read(file)?),
        Command::Inspect { file } => file::inspect(file),
        Command::Check { file, config } => file::check(file, config.as_deref()),
        Command::Test { extension, scenarios } => test::test(extension, scenarios),
        Command::Rollback { name } => say(data, &Method::POST, &path(name, "/rollback"), Vec::new()),
        Command::Enable { name } => say(data, &Method::POST, &path(name, "/enable"), Vec::new()),
        Command::Disable { name, leaving } => {
            say(data, &Method::POST, &(path(name, "/disable") + leaving.query()), Vec::new())
        }
        Command::Remove { name, leaving } => {
            client::ask(data, &Method::DELETE, &(path(name, "") + leaving.query()), Vec::new())?;
            client::print(&format!("{name} is removed\n"))
        }
        Command::Forget { what } => what.iter().try_for_each(|what| {
            let named: String = form_urlencoded::byte_serialize(what.as_bytes()).collect();
            let path = format!("{ENTITIES}?what={named}");
            let count = client::ask(data, &Method::DELETE, &path, Vec::new())?;
            client::print(&format!("{what}: {count} forgotten\n"))
        }),
    }
}

impl Leave {
    fn query(&self) -> &'static str {
        if self.leave_entities { "?leave-entities=true" } else { "" }
    }
}

/// A file's bytes; of one that is too large as many as tell the server so.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file);
    let read = opened.and_then(|file| file.take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes));
    read.with_context(|| file.display().to_string())?;
    Ok(bytes)
}

/// The path of an extension. What is no name of one is nowhere, and the server says so.
fn path(name: &str, rest: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' }).collect();
    format!("{EXTENSIONS}/{name}{rest}")
}

fn say(data: &Path, method: &Method, path: &str, body: Vec<u8>) -> anyhow::Result<()> {
    let answer = client::ask(data, method, path, body)?;
    let Listed { name, version, state, .. } = serde_json::from_str(&answer).context("the server's answer")?;
    client::print(&format!("{name} {version} is {}\n", word(state)))
}

fn list(data: &Path, json: bool) -> anyhow::Result<()> {
    let answer = client::ask(data, &Method::GET, EXTENSIONS, Vec::new())?;
    if json {
        return client::print(&format!("{answer}\n"));
    }
    client::print(&table(&serde_json::from_str(&answer).context("the server's answer")?)?)
}

fn table(listing: &Listing) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        " {:<24} {:<10} {:<9} {:<10} {:<8} File",
        "Extension", "Version", "State", "Previous", "Draining"
    )?;
    for listed in &listing.extensions {
        let Listed { name, version, state, previous, draining, file, problem, .. } = listed;
        let previous = previous.as_deref().unwrap_or("-");
        writeln!(out, " {name:<24} {version:<10} {:<9} {previous:<10} {draining:<8} {file}", word(*state))?;
        if let Some(problem) = problem {
            writeln!(out, "     {}", problem.replace('\n', "\n     "))?;
        }
    }
    for file in &listing.preparing {
        writeln!(out, "\n {} is being checked, compiled and tried", printable(file))?;
    }
    for refused in &listing.refused {
        let reason = refused.reason.replace('\n', "\n     ");
        writeln!(out, "\n {} is not in service:\n     {reason}", printable(&refused.file))?;
    }
    Ok(out)
}

pub(crate) fn word(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Disabled => "disabled",
        State::Failed => "failed",
    }
}
