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

/// The hypervisor has not answered for a while. What a machine does may change meanwhile; a volume or a network stays what it is.
pub(crate) fn unknown(is_machine: bool) -> Change {
    if is_machine {
        let why = "the hypervisor does not answer, so what the machine does is not known";
        Change::new().state("error").message(why)
    } else {
        Change::new()
    }
}
