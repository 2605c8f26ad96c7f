//! How fast the server is, each time beside a program that does the same work and nothing else.
//!
//! `measure` runs the comparisons ([`measure`]) and prints their figures as JSON; `cargo xtask bench` makes a page of
//! them. The other commands are the programs to compare with ([`reference`]), each a process of its own.

// A program for a terminal speaks by printing.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod burst;
mod client;
mod figure;
mod load;
mod measure;
mod process;
mod reference;
mod wire;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(about = "Measures the server against bare programs that do the same")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and print the figures as JSON
    Measure(measure::Options),
    /// Reference: answer every GET with the same bytes
    Answer {
        /// The answer, as JSON
        answer: PathBuf,
    },
    /// Reference: keep the same rows for every POST, and answer when they are durable
    Keep {
        /// The rows of one entity, as JSON
        rows: PathBuf,
        /// The file to keep them in
        data: PathBuf,
        /// They are of a virtual machine, which is defined at libvirt's test driver
        #[arg(long)]
        machines: bool,
    },
    /// Reference: define machines for a while, and print how many a second
    Define {
        /// How many threads do so
        threads: usize,
        /// For how long
        seconds: u64,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Measure(options) => {
            let figures = measure::all(&options)?;
            let json = serde_json::to_string_pretty(&figures).context("the figures cannot be written")?;
            println!("{json}");
            Ok(())
        }
        Command::Answer { answer } => reference::answer::serve(&answer),
        Command::Keep { rows, data, machines } => reference::keep::serve(&rows, &data, machines),
        Command::Define { threads, seconds } => {
            println!("{}", reference::define::rate(threads, std::time::Duration::from_secs(seconds))?);
            Ok(())
        }
    }
}
