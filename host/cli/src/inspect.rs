//! `occi inspect`: asks a running server over its control socket, and prints tables as `virsh list` does.

use crate::client;
use crate::control::{INVENTORY, Inventory, METRICS, Machine};
use anyhow::Context;
use hyper::Method;
use std::fmt::Write as _;
use std::path::Path;

/// Prints what the server on this folder has at its hypervisor.
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
    writeln!(out, "libvirt at {}\n", inventory.uri)?;
    writeln!(out, " {:<43} {:<9} Cores", "Domain", "State")?;
    for machine in &inventory.machines {
        let Machine { name, state, cores } = machine;
        writeln!(out, " {name:<43} {state:<9} {cores:>5}")?;
    }
    writeln!(out, "\n {:<43} Capacity", "Volume")?;
    for volume in inventory.volumes.iter().chain(&inventory.own_disks) {
        writeln!(out, " {:<43} {} bytes", volume.name, volume.capacity)?;
    }
    writeln!(out, "\n {:<43} State", "Network")?;
    for network in &inventory.networks {
        writeln!(out, " {:<43} {}", network.name, if network.active { "active" } else { "inactive" })?;
    }
    writeln!(out, "\n {:<43} {:<43} Of", "Attached", "To")?;
    for attachment in &inventory.attachments {
        let side = if attachment.live { "the running domain" } else { "its definition" };
        writeln!(out, " {:<43} {:<43} {side}", attachment.to, attachment.machine)?;
    }
    if !inventory.strays.is_empty() {
        writeln!(out, "\n Without an entity")?;
    }
    for stray in &inventory.strays {
        writeln!(out, " {stray}")?;
    }
    Ok(out)
}
