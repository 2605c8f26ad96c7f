//! What the guest system of a machine is asked by ACPI, which it may do soon, late or never.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use virt::sys;

use super::connection::Driver;
use super::error::{Error, Result};
use super::events::{Event, Events};
use super::machine::{Machine, State, find, step};
use super::worker::Lane;

/// A guest that was still starting up misses the power button; it is pressed again after so long.
const PRESS_AGAIN: Duration = Duration::from_secs(10);

/// Where a machine's end is awaited, how often it is looked at in case its event is lost.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// The longest that is waited.
const MOST: Duration = Duration::from_hours(24);

impl Machine {
    /// Ask the guest system by ACPI to shut down and wait until it is off; 'timeout' after `wait`. Succeeds on a
    /// machine that is off.
    pub async fn shutdown(&self, wait: Duration) -> Result<()> {
        let mut events = self.hypervisor.events();
        let end = Instant::now() + wait.min(MOST);
        let mut press = Instant::now();
        loop {
            match self.state().await.map_err(silent)? {
                State::Off | State::Crashed => return Ok(()),
                State::Running => {}
                state @ (State::Paused | State::Saved) => return Err(deaf(state)),
            }
            let now = Instant::now();
            if now >= end {
                return Err(too_late("shut down", wait));
            }
            if now >= press {
                self.press_power_button().await.map_err(silent)?;
                press = now + PRESS_AGAIN;
            }
            _ = self.news(&mut events, end).await;
        }
    }

    /// Ask the guest system by ACPI to restart and wait until its machine has begun anew; 'timeout' after `wait`.
    pub async fn restart(&self, wait: Duration) -> Result<()> {
        let mut events = self.hypervisor.events();
        let end = Instant::now() + wait.min(MOST);
        let mut press = None;
        let mut is_anew = false;
        loop {
            match self.state().await.map_err(silent)? {
                State::Running if is_anew => return Ok(()),
                State::Running => {}
                // Between the end of the old system and the beginning of the new one it stands still.
                State::Paused if press.is_some() => {}
                state @ (State::Paused | State::Saved) => return Err(deaf(state)),
                state @ (State::Off | State::Crashed) => {
                    return Err(Error::Conflict(format!("the machine is {state}: start it first")));
                }
            }
            let now = Instant::now();
            if now >= end {
                return Err(too_late("restart", wait));
            }
            if !is_anew && press.is_none_or(|press| now >= press) {
                is_anew = self.ask_to_restart().await.map_err(silent)?;
                press = Some(now + PRESS_AGAIN);
                if is_anew {
                    continue;
                }
            }
            match self.news(&mut events, end).await {
                Some(Event::Restarted(_)) => is_anew = true,
                Some(Event::Missed) if !is_anew => {
                    return Err(Error::Unavailable(
                        "nobody knows whether the guest system has restarted: the hypervisor was away meanwhile".into(),
                    ));
                }
                _ => {}
            }
        }
    }

    /// Ask the guest system by ACPI to restart.
    pub async fn reboot(&self) -> Result<()> {
        self.ask_to_restart().await.map(drop)
    }

    /// Whether it has begun anew already: what has no guest system does so at once, and nobody tells of it.
    async fn ask_to_restart(&self) -> Result<bool> {
        let entity = self.entity;
        self.once(Lane::Long, move |live| {
            let flags = match live.driver {
                Driver::Test => sys::VIR_DOMAIN_REBOOT_DEFAULT,
                Driver::Qemu => sys::VIR_DOMAIN_REBOOT_ACPI_POWER_BTN,
            };
            let domain = find(live, entity)?;
            step(&domain, None, domain.reboot(flags))?;
            Ok(live.driver == Driver::Test)
        })
        .await
    }

    async fn press_power_button(&self) -> Result<()> {
        let entity = self.entity;
        let pressed = self.change(Lane::Long, move |live| {
            let flags = match live.driver {
                Driver::Test => sys::VIR_DOMAIN_SHUTDOWN_DEFAULT,
                Driver::Qemu => sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
            };
            let domain = find(live, entity)?;
            match domain.shutdown_flags(flags) {
                // It went off by itself just now; whoever waits for that looks again.
                Err(refused) if domain.is_active()? => Err(refused.into()),
                Ok(_) | Err(_) => Ok(()),
            }
        });
        pressed.await
    }

    /// The next that happens to it, or to nobody knows what; none where that takes long.
    async fn news(&self, events: &mut Events, end: Instant) -> Option<Event> {
        let pause = end.saturating_duration_since(Instant::now()).min(LOOK_AGAIN);
        let next = timeout(pause, async {
            loop {
                match events.next().await {
                    Some(Event::Changed(entity) | Event::Restarted(entity)) if entity != self.entity => {}
                    event => return event,
                }
            }
        });
        next.await.ok().flatten()
    }
}

fn deaf(state: State) -> Error {
    Error::Conflict(format!("the machine is {state} and hears nothing: start it first, or power it off"))
}

fn too_late(did_not: &str, wait: Duration) -> Error {
    Error::Timeout(format!("the guest system did not {did_not} within {} s", wait.as_secs_f32()))
}

/// A hypervisor that does not answer is not a guest system that does not.
fn silent(error: Error) -> Error {
    match error {
        Error::Timeout(text) => Error::Unavailable(text),
        other => other,
    }
}
