//! A network that comes to be at another hypervisor.

use std::cell::Cell;

use uuid::Uuid;
use virt::network::Network as Bridge;
use virt::sys;

use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::load::say;
use super::network;

/// A network that goes.
pub(super) struct NetworkMove {
    pub(super) entity: Uuid,
    bridge: Bridge,
    description: String,
    is_active: bool,
    /// Whether its machines are on a wire that others share.
    pub(super) is_bridged: bool,
    /// Whether it was not at the other side before.
    is_made: Cell<bool>,
}

impl NetworkMove {
    pub(super) fn of(live: &Live, entity: Uuid) -> Result<Self> {
        let bridge = network::find(live, entity)?;
        let side = match live.driver {
            Driver::Test => 0,
            Driver::Qemu => sys::VIR_NETWORK_XML_INACTIVE,
        };
        let (description, is_active) = (bridge.get_xml_desc(side)?, bridge.is_active()?);
        let is_bridged = network::is_bridged(&description);
        Ok(Self { entity, bridge, description, is_active, is_bridged, is_made: Cell::new(false) })
    }

    /// Makes it at another side, or leaves nothing there.
    pub(super) fn arrive(&self, live: &Live) -> Result<()> {
        self.define(live).inspect_err(|_| {
            say(self.withdraw(live));
        })
    }

    /// One that machines use there already is as it is.
    pub(super) fn define(&self, live: &Live) -> Result<()> {
        let made = match network::find(live, self.entity) {
            Ok(there) if network::is_used(live, self.entity)? => there,
            Ok(_) => Bridge::define_xml(&live.connect, &self.description)?,
            Err(Error::Missing(_)) => {
                let made = Bridge::define_xml(&live.connect, &self.description)?;
                self.is_made.set(true);
                made
            }
            Err(error) => return Err(error),
        };
        if self.is_active && !made.is_active()? {
            made.create()?;
        }
        Ok(())
    }

    pub(super) fn withdraw(&self, live: &Live) -> Result<()> {
        if !self.is_made.get() || network::is_used(live, self.entity)? {
            return Ok(());
        }
        network::discard(live, self.entity)
    }

    pub(super) fn leave(&self) -> Result<()> {
        network::cut(&self.bridge)?;
        Ok(self.bridge.undefine()?)
    }
}
