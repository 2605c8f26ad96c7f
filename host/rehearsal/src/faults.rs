//! The faults of a step, and which of them came to pass.

use crate::scenario::PlannedFault;
use occi_extension::{CallContext, Fault, FaultInjection};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) struct Faults {
    /// Whose calls they are for.
    extension: Arc<str>,
    planned: Mutex<Vec<Planned>>,
}

struct Planned {
    fault: PlannedFault,
    /// How often the function was called.
    calls: u32,
}

impl Faults {
    pub(crate) fn of(extension: Arc<str>) -> Self {
        Self { extension, planned: Mutex::default() }
    }

    /// Those of a step, instead of those of the one before.
    pub(crate) fn plan(&self, faults: &[PlannedFault]) {
        *self.planned() = faults.iter().map(|fault| Planned { fault: fault.clone(), calls: 0 }).collect();
    }

    /// What is to be said of those that did not come to pass.
    pub(crate) fn unreached(&self) -> Vec<String> {
        let planned = self.planned();
        let unreached = planned.iter().filter(|planned| planned.calls < planned.fault.call.get());
        let said = |Planned { fault: PlannedFault { capability, function, call, .. }, calls }: &Planned| {
            format!(
                "the fault of {capability}, {function}, call {call}, was never reached: it was called {calls} times"
            )
        };
        unreached.map(said).collect()
    }

    fn planned(&self) -> MutexGuard<'_, Vec<Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultInjection for Faults {
    fn begin(&self, call: &CallContext, capability: &str, function: &str) -> Result<(), Fault> {
        if call.extension != self.extension {
            return Ok(());
        }
        let mut outcome = Ok(());
        for Planned { fault, calls } in &mut *self.planned() {
            if fault.capability == capability && fault.function == function {
                *calls = calls.saturating_add(1);
                if *calls == fault.call.get() {
                    let (code, message) = (fault.code.clone(), fault.message.clone());
                    outcome = Err(Fault::new(code, message));
                }
            }
        }
        outcome
    }
}
