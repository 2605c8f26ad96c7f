//! `occi node`: the hypervisors of a running server, over its control socket.

use crate::client::{self, Log};
use crate::control::{Listed, NODES};
use anyhow::Context;
use clap::{Args, Subcommand};
use hyper::Method;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Node {
    /// The folder of the running server.
    #[arg(long, value_name = "DIR", default_value = "./occi-data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show them.
    List {
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Move an entity's machine, volume or network to one. A machine that runs goes on running.
    Move {
        /// The path of the entity, such as /compute/web.
        what: String,
        /// Where it is to be.
        node: String,
        /// Even if other machines are left behind with which it shares a network.
        #[arg(long)]
        alone: bool,
    },
    /// Move everything away from one, which takes nothing new from then on.
    Drain {
        /// Its name.
        node: String,
    },
    /// Let one take what is new again.
    Resume {
        /// Its name.
        node: String,
    },
}

pub(crate) fn run(Node { data, command }: &Node) -> anyhow::Result<()> {
    match command {
        Command::List { json } => {
            let body = client::ask(data, &Method::GET, NODES, Vec::new())?;
            if *json {
                return client::print(&format!("{body}\n"));
            }
            client::print(&table(
                &serde_json::from_str::<Vec<Listed>>(&body).context("the server's answer")?,
            )?)
        }
        Command::Move { what, node, alone } => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("what", what).append_pair("alone", if *alone { "true" } else { "false" });
            let path = format!("{NODES}/{node}/take?{}", query.finish());
            let moved = client::ask(data, &Method::POST, &path, Vec::new())?;
            let there = format!("{what} is at {node} already\n");
            client::print(if moved.is_empty() { &there } else { &moved })
        }
        Command::Drain { node } => {
            let mut said = Log::post(data, &format!("{NODES}/{node}/drain"))?;
            while let Some(line) = said.next() {
                client::print(&line)?;
            }
            Ok(())
        }
        Command::Resume { node } => {
            client::ask(data, &Method::POST, &format!("{NODES}/{node}/resume"), Vec::new()).map(drop)
        }
    }
}

fn table(nodes: &[Listed]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, " {:<20} {:<10} {:>16}  {:<20} URI", "Node", "New", "Unclaimed MiB", "Labels")?;
    for Listed { name, uri, labels, takes_new, unclaimed_memory } in nodes {
        let new = if *takes_new { "taken" } else { "not taken" };
        let unclaimed = unclaimed_memory.map_or_else(|| "away".into(), |bytes| (bytes >> 20).to_string());
        let labels = labels.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        writeln!(out, " {name:<20} {new:<10} {unclaimed:>16}  {labels:<20} {uri}")?;
    }
    Ok(out)
}
