//! The demonstration: the server does its work before one's eyes, first on libvirt's built-in test driver, which needs
//! no daemon, then on QEMU, where a machine really boots.
//!
//! `story` is what happens; `client` and `server` are the two sides of it; `proof` asks libvirt; `show` prints.

mod client;
mod proof;
mod server;
mod show;
mod stage;
mod story;
mod templates;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::guest_system::GuestSystem;
use crate::libvirtd::Libvirtd;
use crate::workspace::Workspace;
use crate::{Consent, prerequisites};
use show::{Show, Told};
use stage::Stage;

#[derive(Args)]
pub(crate) struct Options {
    /// Leave a server running at the end, and print three requests to try
    #[arg(long)]
    stay: bool,
    /// Show what was built last, and build nothing
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Show it on this hypervisor alone: `test:///default`, `qemu:///system` in a daemon of its own, or any other libvirt
    #[arg(long, value_name = "URI")]
    hypervisor: Option<String>,
}

/// Every stage in turn. What the server answers otherwise than the story has it is an error.
pub(crate) fn run(workspace: &Workspace, consent: Consent, options: &Options) -> Result<ExitCode> {
    let show = Show::on_stdout();
    let mut summary = Vec::new();
    match options.hypervisor.as_deref() {
        Some(stage::EMBEDDED) => summary.push(tell(&Stage::embedded(workspace)?, &show)?),
        Some(QEMU) => summary.push(on_qemu(workspace, &prerequisites::machines(workspace, consent)?, &show)?),
        Some(uri) => {
            let system = prerequisites::machines(workspace, consent)?;
            summary.push(tell(&Stage::on_libvirt(workspace, uri, uri.to_owned(), &system)?, &show)?);
        }
        None => {
            summary.push(tell(&Stage::embedded(workspace)?, &show)?);
            match prerequisites::machines(workspace, consent) {
                Ok(system) => summary.push(on_qemu(workspace, &system, &show)?),
                Err(reason) => show.warning(&format!("not shown: machines that boot. Reason: {reason:#}")),
            }
        }
    }
    show.summary(&summary);
    if options.stay {
        stay(workspace, &show)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// QEMU, as its users name it.
const QEMU: &str = "qemu:///system";

/// In a daemon that nothing else is in, and that ends with us.
fn on_qemu(workspace: &Workspace, system: &GuestSystem, show: &Show) -> Result<Told> {
    let libvirtd = Libvirtd::start(workspace, "libvirtd", None)?;
    let title = format!("{QEMU}, in a daemon of this demonstration's own");
    tell(&Stage::on_libvirt(workspace, &libvirtd.qemu_uri(), title, system)?, show)
}

fn tell(stage: &Stage, show: &Show) -> Result<Told> {
    story::tell(stage, show).with_context(|| format!("the server's log is {}", stage.log().display()))
}

fn stay(workspace: &Workspace, show: &Show) -> Result<()> {
    let mut stage = Stage::to_stay(workspace)?;
    // The address that the documentation names, if it is free.
    if std::net::TcpListener::bind("127.0.0.1:8787").is_ok() {
        stage.address = ([127, 0, 0, 1], 8787).into();
    }
    let server = server::Server::start(&stage)?;
    let base = format!("http://{}", stage.address);
    show.chapter("The server stays");
    show.say(&format!("It runs as process {0}; `kill {0}` ends it. Three requests to try:", server.id()));
    show::quote(&format!(
        "curl {base}/-/\n\
         curl -X POST {base}/compute/ -H 'Content-Type: text/plain' \
         --data 'Category: compute; scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\"'\n\
         curl {base}/compute/ -H 'Accept: application/occi+json'"
    ));
    server.stay();
    Ok(())
}
