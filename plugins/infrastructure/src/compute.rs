//! Compute: a machine.
//!
//! - `stop` without a method asks the guest system and, if it does not listen, takes the power away: what is asked for
//!   is a machine that is off. With 'graceful' or 'acpioff' the guest system is asked and nothing more; if it takes
//!   too long, that is a fault and the machine runs on.
//! - `restart` without a method is 'graceful', which is 'warm': the guest system is asked to restart; if it takes too long,
//!   that is a fault and the machine runs on. 'cold' takes the power away and starts it again.
//! - Out of 'error' lead `start` and, for a machine that still has power, `stop`: one whose guest system has panicked stays as
//!   it is until then, for whoever looks into it.
//! - `suspend` without a method is 'suspend': the memory stays in place. 'hibernate' writes it to disk.
//! - `save` makes an image of the disk that the machine boots from, which is an OS template from then on (INF-06). 'hot', or no
//!   method, copies it while the machine runs; 'deferred' stops the machine first, as `stop` does, and starts it again.
//! - The speed that clients of OCCI 1.1 name is shown, and nothing is made of it.
//! - Changed attributes hold from the next start at the latest. An OS template takes the place of another (INF-13) while the
//!   compute is inactive alone.

use crate::{SSH_KEY, USER_DATA, outcome, placement, seed, size};
use occi_sdk::machines::{Machine, Plan, State};
use occi_sdk::{
    Actions, Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject, images,
};
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
/// The scheme of OS templates: the term of each is the name of an image.
const OS_TEMPLATES: &str = "http://example.org/occi/infrastructure/os_tpl#";
/// The profile of resource templates, GFD.222.
const EPHEMERAL_SIZE: &str = "occi.compute.ephemeral_storage.size";
const EPHEMERAL_DEVICE: &str = "occi.compute.ephemeral_storage.deviceid";

pub(crate) struct Compute;

impl Lifecycle for Compute {
    fn create(subject: &Subject) -> Result<Change> {
        Ok(define(subject, subject, None)?.state("inactive"))
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        // One that is gone is not made again by the way: it would lack what was attached to it.
        Machine::open(End::Subject)?;
        if wanted.has(EPHEMERAL_DEVICE) {
            return Err(
                Fault::unsupported("the hypervisor chooses the device; leave it out").on(EPHEMERAL_DEVICE)
            );
        }
        define(subject, &wanted.over(subject), None)
    }

    fn delete(_subject: &Subject) -> Result<()> {
        Machine::discard(End::Subject)
    }
}

/// What a compute is beyond its Kind: a template, or what its system is told when it boots. All of it is the machine's plan.
pub(crate) struct Part;

impl Lifecycle for Part {
    fn create(subject: &Subject) -> Result<Change> {
        if subject.role() == SSH_KEY {
            seed::check_keys(subject)?;
        }
        // The machine of a new compute was made with all of it.
        if subject.is_new() { Ok(Change::new()) } else { Compute::update(subject, &Attributes::default()) }
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        if subject.role() == SSH_KEY {
            seed::check_keys(&wanted.over(subject))?;
        }
        Compute::update(subject, wanted)
    }

    fn delete(subject: &Subject) -> Result<()> {
        // A system and its disks stay until others take their place. The compute may be on its way out.
        let is_told = [SSH_KEY, USER_DATA].contains(&subject.role());
        if is_told && Machine::find(End::Subject)?.is_some() {
            define(subject, subject, Some(subject.role()))?;
        }
        Ok(())
    }
}

impl Actions for Compute {
    fn act(subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        let Some(machine) = Machine::find(End::Subject)? else { return Ok(outcome::gone("machine")) };
        let method = parameters.text("method");
        let has_crashed = subject.state().as_deref() == Some("error") && machine.state()? == State::Crashed;
        let step = match (action, method.as_deref()) {
            ("start", None) => start(subject, &machine),
            ("stop", None | Some("poweroff")) if has_crashed => end(&machine),
            ("stop", Some("graceful" | "acpioff")) if has_crashed => Err(Fault::conflict(
                "no guest system runs that could be asked: use the method poweroff, or none",
            )),
            ("stop", None) => stop(&machine),
            ("stop", Some("graceful" | "acpioff")) => {
                machine.shutdown(PATIENCE).map_err(|fault| deaf(fault, "poweroff, or none"))
            }
            ("stop", Some("poweroff")) => machine.power_off(),
            ("restart", None | Some("graceful" | "warm")) => {
                machine.restart(PATIENCE).map_err(|fault| deaf(fault, "cold"))
            }
            ("restart", Some("cold")) => machine.power_off().and_then(|()| start(subject, &machine)),
            ("suspend", None | Some("suspend")) => machine.pause(),
            ("suspend", Some("hibernate")) => machine.save(),
            // some clients spell it so.
            ("save", None | Some("hot")) => save(subject, &machine, parameters),
            ("save", Some("deferred" | "deffered")) => {
                let saved = stop(&machine).and_then(|()| save(subject, &machine, parameters));
                // It runs again, whatever became of the image; also where it is off although stopping it has failed.
                let is_off = saved.is_ok() || matches!(machine.state(), Ok(State::Off));
                let started = if is_off { start(subject, &machine) } else { Ok(()) };
                started.and(saved)
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
            define(subject, subject, None)?;
        }
        present(&machine)
    }
}

/// Start it, with what its system is told as it is now: its links may be others.
fn start(subject: &Subject, machine: &Machine) -> Result<()> {
    if [SSH_KEY, USER_DATA].iter().any(|told| subject.has_mixin(told)) && machine.state()? == State::Off {
        define(subject, subject, None)?;
    }
    machine.start()
}

/// Make an OS template of it.
fn save(subject: &Subject, machine: &Machine, parameters: &Attributes) -> Result<()> {
    let named = parameters.text("name").or_else(|| subject.text(TITLE));
    images::make(machine, named.as_deref().unwrap_or("saved")).map(drop)
}

/// Ask, then insist.
fn stop(machine: &Machine) -> Result<()> {
    match machine.shutdown(IMPATIENCE) {
        Err(fault) if fault.is(Fault::TIMEOUT) => machine.power_off(),
        answer => answer,
    }
}

/// Take the power away from a machine that has crashed.
fn end(machine: &Machine) -> Result<()> {
    machine.power_off()?;
    if machine.state()? == State::Crashed {
        return Err(Fault::conflict("the machine has no power since it crashed: start it, or delete it"));
    }
    Ok(())
}

/// The fault that says what else the client could do. It is the guest system that does not answer, not the hypervisor, of which
/// nothing more would be asked.
fn deaf(fault: Fault, methods: &str) -> Fault {
    if !fault.is(Fault::TIMEOUT) {
        return fault;
    }
    Fault::conflict(format!("{}; it runs on: use the method {methods}", fault.message))
}

/// Make a machine again that the hypervisor has forgotten. One in the state 'error' is defined and stays in it.
fn recreate(subject: &Subject) -> Result<Change> {
    replace(subject, subject)?;
    let machine = Machine::open(End::Subject)?;
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
    let reason = machine.reason()?;
    let message = match reason.as_str() {
        "" | "unknown" if state != "error" => String::new(),
        "" | "unknown" => format!("the machine is {does}"),
        "panicked" => {
            "the guest system panicked, and the machine stands still: start it, or power it off".into()
        }
        reason => format!("the machine is {does} ({reason})"),
    };
    let change = Change::new().state(state).message(message);
    // A libvirt that was ended meanwhile does not tell what became of it.
    Ok(if PASSING.contains(&reason.as_str()) { change.again(Duration::from_secs(1)) } else { change })
}

/// Why machines are paused for a moment.
const PASSING: [&str; 5] = ["starting up", "migrating", "saving", "dumping", "creating snapshot"];

/// Have the machine be what the compute is, with these attributes and without one of its Mixins; what it shows by that.
fn define(subject: &Subject, of: &dyn Read, without: Option<&str>) -> Result<Change> {
    let mut plan = plan(subject, of, without)?;
    if subject.is_new() {
        plan = placement::wanted(plan, subject, of)?;
    }
    let machine = Machine::define(End::Subject, &plan)?;
    Ok(match of.number(EPHEMERAL_SIZE).map(|_| machine.scratch()).transpose()?.flatten() {
        Some(device) => Change::new().set(EPHEMERAL_DEVICE, device),
        None => Change::new(),
    })
}

/// The same, and have the machine be where it is wanted.
pub(crate) fn replace(subject: &Subject, of: &dyn Read) -> Result<()> {
    let plan = placement::wanted(plan(subject, of, None)?, subject, of)?;
    Machine::define(End::Subject, &plan).map(drop)
}

fn plan(subject: &Subject, of: &dyn Read, without: Option<&str>) -> Result<Plan> {
    let mut plan = Plan::new();
    let mixins = subject.mixins();
    if let Some(image) = mixins.iter().find_map(|mixin| mixin.strip_prefix(OS_TEMPLATES)) {
        plan = plan.image(image);
    }
    if let Some(size) = of.number(EPHEMERAL_SIZE) {
        plan = plan.scratch(size::bytes(size, EPHEMERAL_SIZE)?);
    }
    for (name, content) in seed::files(subject, of, without)? {
        plan = plan.seed(name, content.as_bytes());
    }
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
