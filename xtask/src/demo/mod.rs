//! The demonstration.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::Consent;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// Leave the server running at the end, and print three requests to try
    #[arg(long)]
    stay: bool,
    /// Show it on this libvirt only, such as qemu:///system
    #[arg(long)]
    uri: Option<String>,
}

pub(crate) fn run(_workspace: &Workspace, _consent: Consent, _options: &Options) -> Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
