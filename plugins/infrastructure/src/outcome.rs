//! What an entity is after a step, or when its thing at the hypervisor is gone.

use occi_sdk::{Change, Fault, Result, Subject};

/// The state after a step, as `present` tells it. Where the step failed and the state is what it was before, nothing
/// has happened and the fault is the answer; where the state is another, the fault says why. A hypervisor that does not
/// answer is not asked again, for that would not be answered either.
pub(crate) fn settle(
    subject: &Subject,
    step: Result<()>,
    present: impl FnOnce() -> Result<Change>,
) -> Result<Change> {
    let fault = match step {
        Ok(()) => return present(),
        Err(fault) if fault.is(Fault::TIMEOUT) || fault.is(Fault::UNAVAILABLE) => return Err(fault),
        Err(fault) => fault,
    };
    match present() {
        Ok(now) if now.state != subject.state() => Ok(now.message(fault.message)),
        Ok(_) | Err(_) => Err(fault),
    }
}

/// The hypervisor has no such thing any more.
pub(crate) fn gone(thing: &str) -> Change {
    Change::new().state("error").message(format!("the hypervisor has no such {thing}"))
}
