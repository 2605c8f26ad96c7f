//! What the two links have in common: the machine at their source, and a state that follows it.

use occi_sdk::machines::{Machine, State};
use occi_sdk::{Attributes, Change, End, Fault, Result};
use std::time::Duration;

const SOURCE: &str = "occi.core.source";
pub(crate) const TARGET: &str = "occi.core.target";

/// How long until it is looked again whether a machine can have what it should.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// The machine at a link's source.
pub(crate) fn machine() -> Result<Machine> {
    let refused = "the source has no machine; name a compute that this server holds";
    Machine::find(End::Source)?.ok_or_else(|| Fault::invalid(refused).on(SOURCE))
}

/// Whether an update is the question whether the link may have other ends.
pub(crate) fn change(wanted: &Attributes) -> bool {
    wanted.has(SOURCE) || wanted.has(TARGET)
}

/// A link is in use while its machine runs.
pub(crate) fn present(machine: &Machine) -> Result<Change> {
    let state = if machine.state()? == State::Running { "active" } else { "inactive" };
    Ok(Change::new().state(state).message(""))
}

/// What a link is that was to be as it says, and was attached again where it was not. What the machine cannot have now (a
/// network that is down, a volume that another uses) it may have later.
pub(crate) fn kept(attached: Result<Change>) -> Result<Change> {
    match attached {
        Err(fault) if !fault.is(Fault::TIMEOUT) && !fault.is(Fault::UNAVAILABLE) => {
            Ok(Change::new().state("inactive").message(fault.message).again(LOOK_AGAIN))
        }
        outcome => outcome,
    }
}
