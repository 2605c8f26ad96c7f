//! `occi inspect`: asks a running server over its control socket, and prints tables as `virsh list` does.

use crate::client;
use crate::control::{Arrival, INVENTORY, Inventory, METRICS, Machine, Node};
use anyhow::Context;
use hyper::Method;
use std::fmt::Write as _;
use std::path::Path;

/// Prints what the server on this folder has at its hypervisors.
pub(crate) fn inspect(data: &Path, json: bool) -> anyhow::Result<()> {
    let body = client::ask(data, &Method::GET, INVENTORY, Vec::new())?;
    if json {
        return client::print(&format!("{body}\n"));
    }
    let inventory: Inventory = serde_json::from_str(&body).context("the server's answer")?;
    client::print(&table(&inventory)?)
}

/// Prints what the extensions of the server on this folder count.
pub(crate) fn metrics(data: &Path) -> anyhow::Result<()> {
    client::print(&client::ask(data, &Method::GET, METRICS, Vec::new())?)
}

fn table(inventory: &Inventory) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for Node { name, uri, problem } in &inventory.nodes {
        match problem {
            None => writeln!(out, "{name}: libvirt at {uri}")?,
            Some(problem) => writeln!(out, "{name}: libvirt at {uri}, of which nothing is known: {problem}")?,
        }
    }
    writeln!(out, "\n {:<43} {:<9} Cores  Node", "Domain", "State")?;
    for machine in &inventory.machines {
        let Machine { node, name, state, cores } = machine;
        writeln!(out, " {name:<43} {state:<9} {cores:>5}  {node}")?;
    }
    writeln!(out, "\n {:<43} {:<21} Node", "Volume", "Capacity")?;
    for volume in inventory.volumes.iter().chain(&inventory.own_disks) {
        let capacity = format!("{} bytes", volume.capacity);
        writeln!(out, " {:<43} {capacity:<21} {}", volume.name, volume.node)?;
    }
    writeln!(out, "\n {:<43} {:<9} Node", "Network", "State")?;
    for network in &inventory.networks {
        let state = if network.active { "active" } else { "inactive" };
        writeln!(out, " {:<43} {state:<9} {}", network.name, network.node)?;
    }
    writeln!(out, "\n {:<43} {:<43} Of", "Attached", "To")?;
    for attachment in &inventory.attachments {
        let side = if attachment.live { "the running domain" } else { "its definition" };
        writeln!(out, " {:<43} {:<43} {side}", attachment.to, attachment.machine)?;
    }
    if !inventory.arrivals.is_empty() {
        writeln!(out, "\n {:<43} {:<9} Node", "Came from elsewhere", "Copy")?;
    }
    for Arrival { node, name, is_whole } in &inventory.arrivals {
        let copy = if *is_whole { "whole" } else { "in part" };
        writeln!(out, " {name:<43} {copy:<9} {node}")?;
    }
    if !inventory.strays.is_empty() {
        writeln!(out, "\n Without an entity")?;
    }
    for stray in &inventory.strays {
        writeln!(out, " {stray}")?;
    }
    Ok(out)
}
