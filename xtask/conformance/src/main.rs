//! `occi-conformance`: the suite as a program.

#![forbid(unsafe_code)]
// A program for a terminal speaks by printing.
#![allow(clippy::print_stderr)]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use occi_conformance::{Error, Options, Report, Trust, run};

/// Ask an OCCI server for every clause of OCCI 1.2, and of the HTTP rendering of OCCI 1.1.
///
/// The suite works with the Kinds that it finds at the query interface, makes entities and Mixins of its own, and
/// deletes them again; what it did not make, it leaves alone. Where nobody else has anything in a collection it is emptied as
/// a whole (HTTP-34), with what others make there at that very moment. Most of what a run leaves that was interrupted
/// has a name or title that begins with 'conformance-'. Point it at a server where making, starting and deleting
/// resources costs nothing.
///
/// Exit status: 0 if no MUST fails, 1 if one does, 2 for wrong usage or an endpoint that cannot be reached.
#[derive(Parser)]
#[command(name = "occi-conformance", version)]
struct Arguments {
    #[arg(
        long,
        value_name = "URL",
        help = "The root of the server, such as https://occi.example.org; its query interface is at /-/ below it"
    )]
    endpoint: String,
    /// A header for each request, such as 'Authorization: Basic dTpw'; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A file of certificates (PEM) of authorities to be trusted beside the web's, where the endpoint has TLS
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// Let certificates go unchecked; the report says so
    #[arg(long, conflicts_with = "authorities")]
    insecure: bool,
    /// Only these clauses and documents, such as HTTP-24,TXT; what is held against every answer is still asked of all
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    only: Vec<String>,
    /// Ask also what a wrong server loses something of its own by: whether it lets one of its Mixins go (H11-08)
    #[arg(long)]
    daring: bool,
    /// Write the table to a file, too, as Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
    /// How long one answer may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

fn main() -> ExitCode {
    match ask(&Arguments::parse()) {
        Ok(report) if report.conforms() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the suite, prints, and then writes what is to be written, so that a wrong path costs nothing but the file.
fn ask(arguments: &Arguments) -> Result<Report, Error> {
    let trust = match &arguments.authorities {
        Some(path) => Trust::WebAnd(path.clone()),
        None if arguments.insecure => Trust::Anybody,
        None => Trust::Web,
    };
    let report = run(&Options {
        endpoint: arguments.endpoint.clone(),
        headers: arguments.headers.clone(),
        only: arguments.only.clone(),
        daring: arguments.daring,
        timeout: Duration::from_secs(arguments.timeout),
        trust,
    })?;
    let text = if arguments.json { report.json() + "\n" } else { report.table() };
    // Whoever reads may have seen enough.
    let _closed = std::io::stdout().write_all(text.as_bytes());
    if let Some(path) = &arguments.report {
        let written = std::fs::write(path, report.markdown());
        written.map_err(|why| Error::Report { path: path.clone(), why })?;
    }
    Ok(report)
}
