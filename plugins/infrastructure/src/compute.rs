//! Compute: a machine.
//!
//! - `stop` without a method asks the guest system and, if it does not listen, takes the power away: what is asked for
//!   is a machine that is off. With 'graceful' or 'acpioff' the guest system is asked and nothing more; if it takes
//!   too long, that is a fault and the machine runs on.
//! - `restart` without a method is 'graceful', which is 'warm': the guest system is asked to restart. 'cold' presses the
//!   reset button.
//! - `suspend` without a method is 'suspend': the memory stays in place. 'hibernate' writes it to disk.
//! - `save` keeps the machine and its disks under a name. 'deferred' is done at once too, since there is nothing to wait
//!   for.
//! - Changed attributes hold from the next start at the latest.

use crate::{outcome, size};
use occi_sdk::machines::{Machine, Plan, State};
use occi_sdk::{Actions, Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject};
use std::time::Duration;

const CORES: &str = "occi.compute.cores";
const MEMORY: &str = "occi.compute.memory";
const SHARE: &str = "occi.compute.share";
const ARCHITECTURE: &str = "occi.compute.architecture";
const HOSTNAME: &str = "occi.compute.hostname";
const TITLE: &str = "occi.core.title";

/// How long a guest system may take to shut down: as long as a call may last, less some time for the rest of it.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long it may take before the power is taken away, which takes some seconds itself.
const IMPATIENCE: Duration = Duration::from_secs(15);
/// The name of a saved machine where the client gives none. A later one takes its place.
const SAVED: &str = "saved";

pub(crate) struct Compute;

impl Lifecycle for Compute {
    fn create(subject: &Subject) -> Result<Change> {
        Machine::define(End::Subject, &plan(subject)?)?;
        Ok(Change::new().state("inactive"))
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        // One that is gone is not made again by the way: it would lack what was attached to it.
        Machine::open(End::Subject)?;
        Machine::define(End::Subject, &plan(&wanted.over(subject))?)?;
        Ok(Change::new())
    }

    fn delete(_subject: &Subject) -> Result<()> {
        match Machine::find(End::Subject)? {
            Some(machine) => machine.remove(),
            None => Ok(()),
        }
    }
}

impl Actions for Compute {
    fn act(subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        let Some(machine) = Machine::find(End::Subject)? else { return Ok(outcome::gone("machine")) };
        let method = parameters.text("method");
        let step = match (action, method.as_deref()) {
            ("start", None) => machine.start(),
            ("stop", None) => stop(&machine),
            ("stop", Some("graceful" | "acpioff")) => machine.shutdown(PATIENCE).map_err(deaf),
            ("stop", Some("poweroff")) => machine.power_off(),
            ("restart", None | Some("graceful" | "warm")) => machine.reboot(),
            ("restart", Some("cold")) => machine.reset(),
            ("suspend", None | Some("suspend")) => machine.pause(),
            ("suspend", Some("hibernate")) => machine.save(),
            // some clients spell it so.
            ("save", None | Some("hot" | "deferred" | "deffered")) => {
                machine.snapshot(parameters.text("name").as_deref().unwrap_or(SAVED))
            }
            (_, Some(method)) => {
                Err(Fault::invalid(format!("{action} knows no method {method}")).on("method"))
            }
            (_, None) => Err(Fault::unsupported(format!("a compute has no action {action}"))),
        };
        outcome::settle(subject, step, || present(&machine))
    }
}

impl Observe for Compute {
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        if cause == Cause::Recreate {
            return recreate(subject);
        }
        let Some(machine) = Machine::find(End::Subject)? else { return Ok(outcome::gone("machine")) };
        if cause == Cause::Restart {
            // An update that a crash cut short may have reached the hypervisor and not the attributes.
            Machine::define(End::Subject, &plan(subject)?)?;
        }
        present(&machine)
    }
}

/// Ask, then insist.
fn stop(machine: &Machine) -> Result<()> {
    match machine.shutdown(IMPATIENCE) {
        Err(fault) if fault.is(Fault::TIMEOUT) => machine.power_off(),
        answer => answer,
    }
}

/// The fault that says what else the client could do. It is the guest system that does not answer, not the hypervisor, of which
/// nothing more would be asked.
fn deaf(fault: Fault) -> Fault {
    if !fault.is(Fault::TIMEOUT) {
        return fault;
    }
    Fault::conflict(format!("{}; it runs on: use the method poweroff, or none", fault.message))
}

/// Make a machine again that the hypervisor has forgotten. One in the state 'error' is defined and stays in it.
fn recreate(subject: &Subject) -> Result<Change> {
    let machine = Machine::define(End::Subject, &plan(subject)?)?;
    let step = match subject.state().as_deref() {
        Some("active") => machine.start(),
        Some("suspended") => machine.start().and_then(|()| machine.pause()),
        Some("error") => return Ok(Change::new()),
        _ => Ok(()),
    };
    outcome::settle(subject, step, || present(&machine))
}

/// What the machine is now, and why.
fn present(machine: &Machine) -> Result<Change> {
    let (state, does) = match machine.state()? {
        State::Running => ("active", "running"),
        State::Paused => ("suspended", "paused"),
        State::Saved => ("suspended", "saved to disk"),
        State::Off => ("inactive", "off"),
        State::Crashed => ("error", "crashed"),
        _ => ("error", "in a state that OCCI has no name for"),
    };
    let message = match machine.reason()?.as_str() {
        "" | "unknown" if state != "error" => String::new(),
        "" | "unknown" => format!("the machine is {does}"),
        reason => format!("the machine is {does} ({reason})"),
    };
    Ok(Change::new().state(state).message(message))
}

fn plan(of: &dyn Read) -> Result<Plan> {
    let mut plan = Plan::new();
    if let Some(cores) = of.integer(CORES) {
        plan = plan.cores(count(cores, CORES)?);
    }
    if let Some(memory) = of.number(MEMORY) {
        plan = plan.memory(size::bytes(memory, MEMORY)?);
    }
    if let Some(share) = of.integer(SHARE) {
        plan = plan.shares(count(share, SHARE)?);
    }
    if let Some(architecture) = of.text(ARCHITECTURE) {
        plan = plan.architecture(match architecture.as_str() {
            "x64" => "x86_64",
            "x86" => "i686",
            _ => return Err(Fault::invalid("the architecture is x86 or x64").on(ARCHITECTURE)),
        });
    }
    if let Some(hostname) = of.text(HOSTNAME) {
        plan = plan.hostname(&hostname);
    }
    if let Some(title) = of.text(TITLE) {
        plan = plan.title(&title);
    }
    Ok(plan)
}

fn count(number: i64, attribute: &str) -> Result<u32> {
    match u32::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) | Err(_) => {
            Err(Fault::invalid(format!("{number} is out of range; give 1 to {}", u32::MAX)).on(attribute))
        }
    }
}
