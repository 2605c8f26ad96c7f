//! GET of one entity while machines are started at a hypervisor that takes its time, against the same with nothing else to do.

use super::{MACHINE, MACHINES, Options, folder};
use crate::burst::Burst;
use crate::client;
use crate::figure::{Figure, Target, time};
use crate::load::{self, Request};
use crate::process::Server;
use crate::wire::Wire;
use anyhow::{Context, Result, ensure};
use std::cell::{Cell, RefCell};
use std::thread;
use std::time::Duration;

/// What each call of libvirt takes longer.
const DELAY: Duration = Duration::from_millis(50);
/// How many starts are to run all the time, and how many are asked for so that as many do at the end.
const AT_LEAST: usize = 100;
const STARTS: usize = 200;
/// After this time nothing of the starts and stops goes on any more.
const IDLE: Duration = Duration::from_secs(1);

const START: &str = "Category: start; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/action#\"; class=\"action\"\n";
const STOP: &str = "Category: stop; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/action#\"; class=\"action\"\n\
     X-OCCI-Attribute: method=\"poweroff\"\n";

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let what = format!(
        "99 of 100 GETs of one entity answered within, while {AT_LEAST} starts and more wait for a hypervisor that takes {} ms for each call",
        DELAY.as_millis()
    );
    let Some(uri) = &options.test_driver else {
        return Ok(vec![Figure::skipped(&what, "no libvirt daemon")]);
    };
    let wire = Wire::new(uri, DELAY)?;
    let folder = folder()?;
    let server = options.serve_on(&wire.uri, "", &folder.path().join("data"))?;
    let entity = client::create(&format!("{}{MACHINES}", server.url), MACHINE)?;
    let starts = RefCell::new(Starts::new(&server, &wire)?);
    let slow = || load::slow(&entity, &GET, options.seconds, folder.path());
    let least = Cell::new(STARTS);
    let ours = || {
        let (slow, unanswered) = starts.borrow_mut().during(slow)?;
        least.set(least.get().min(unanswered));
        Ok(slow)
    };
    let pairs = options.compare(&what, ours, slow)?;
    starts.into_inner().remove()?;
    client::delete(&entity)?;
    let what = format!("{what} (of {STARTS}, {} were not answered at the end)", least.get());
    Ok(vec![Figure::ratio(&what, &pairs, time, Some(Target::AtMost(2.0)))])
}

const GET: Request<'_> = Request { method: "GET", header: ("Accept", "text/plain"), body: "" };

/// Machines that are started, all at once.
struct Starts<'a> {
    wire: &'a Wire,
    burst: Burst,
    machines: Vec<String>,
}

impl<'a> Starts<'a> {
    fn new(server: &Server, wire: &'a Wire) -> Result<Self> {
        let mut burst = Burst::new(server, STARTS)?;
        burst.send("POST", [MACHINES; STARTS], MACHINE)?;
        let machines: Option<Vec<String>> = burst.answers()?.into_iter().collect();
        Ok(Self { wire, burst, machines: machines.context("the answer to a creation names no location")? })
    }

    /// What `run` answers while they are being started, and how many are not at its end; they are off again afterwards.
    fn during<T>(&mut self, run: impl Fn() -> Result<T>) -> Result<(T, usize)> {
        self.wire.set_slow(true);
        self.act("start", START)?;
        let answer = run()?;
        let unanswered = self.burst.unanswered()?;
        self.wire.set_slow(false);
        ensure!(
            unanswered >= AT_LEAST,
            "only {unanswered} starts ran at the end of a measurement: they were too quick, or it lasted too long"
        );
        self.burst.answers()?;
        self.act("stop", STOP)?;
        self.burst.answers()?;
        thread::sleep(IDLE);
        Ok((answer, unanswered))
    }

    fn act(&mut self, action: &str, body: &str) -> Result<()> {
        let urls = self.machines.iter().map(|machine| format!("{machine}?action={action}"));
        self.burst.send("POST", urls, body)
    }

    fn remove(mut self) -> Result<()> {
        self.burst.send("DELETE", &self.machines, "")?;
        self.burst.answers().map(drop)
    }
}
