//! POST of one virtual machine on QEMU, against the same calls of libvirt by themselves: what the server's own part of it takes. The
//! two are called in turns, at one daemon.

use super::{MACHINE, MACHINES, Options, folder};
use crate::client;
use crate::figure::{Figure, Pair, Target, median};
use crate::reference::define;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Instant;
use virt::connect::Connect;

const WHAT: &str = "POST of a compute on QEMU, durable, beyond the calls of libvirt";

/// How many of each make a run, after so many that only warm up.
const TURNS: usize = 40;
const WARM_UP: usize = 5;

/// As the reference defines them, whatever the hardware could do.
const CONFIG: &str = "[hypervisor]\ndomain-type = \"qemu\"\n";

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let Some(uri) = &options.qemu else { return Ok(vec![Figure::skipped(WHAT, "no libvirt daemon")]) };
    let folder = folder()?;
    let data = folder.path().join("data");
    let server = options.serve_on(uri, CONFIG, &data)?;
    let collection = format!("{}{MACHINES}", server.url);
    let connect = define::open(uri)?;
    let mut pairs = Vec::new();
    for run in 1..=options.runs {
        let pair = turns(&collection, &connect, &data.join("consoles"))?;
        eprintln!("    {WHAT}, run {run}: {:.1} ms", (pair.ours - pair.reference) * 1e3);
        pairs.push(pair);
    }
    Ok(vec![Figure::difference(WHAT, &pairs, Some(Target::AtMost(10.0)))])
}

/// One run; what it made is gone afterwards.
fn turns(collection: &str, connect: &Connect, consoles: &Path) -> Result<Pair> {
    let (mut our_times, mut bare_times) = (Vec::new(), Vec::new());
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for turn in 0..WARM_UP + TURNS {
        let began = Instant::now();
        ours.push(client::create(collection, MACHINE)?);
        let our_time = began.elapsed();

        let (machine, bare_time) = define::on_qemu(connect, consoles)?;
        bare.push(machine);

        if turn >= WARM_UP {
            our_times.push(our_time.as_secs_f64());
            bare_times.push(bare_time.as_secs_f64());
        }
    }
    ours.iter().try_for_each(|machine| client::delete(machine))?;
    for machine in bare {
        machine.undefine().context("a machine cannot be removed")?;
    }
    Ok(Pair { ours: median(&our_times), reference: median(&bare_times) })
}
