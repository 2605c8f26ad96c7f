//! Block storage: the capability `volumes`. A volume belongs to an entity; the host derives its name from that
//! entity.

use crate::fault::{Result, found};
use crate::outside::volumes as outside;
use crate::subject::End;

/// The volume of an entity.
pub struct Volume(outside::Volume);

impl Volume {
    /// Create the volume of an entity with so many bytes. A volume that exists already with that size is answered;
    /// with another size it is 'conflict'.
    pub fn create(of: End, bytes: u64) -> Result<Self> {
        outside::Volume::create(of, bytes).map(Self)
    }

    /// The same in a format, 'qcow2' or 'raw', or in the operator's where none is named; and as a copy of what is on the disk of
    /// an image for volumes ([`crate::images`]), or empty where none is named. 'missing' where there is no such image, 'invalid'
    /// where it is larger.
    pub fn create_as(of: End, bytes: u64, format: Option<&str>, image: Option<&str>) -> Result<Self> {
        outside::Volume::create_as(of, bytes, format, image).map(Self)
    }

    /// The volume of an entity; 'missing' if there is none.
    pub fn open(of: End) -> Result<Self> {
        outside::Volume::open(of).map(Self)
    }

    /// The volume of an entity, or none.
    pub fn find(of: End) -> Result<Option<Self>> {
        found(Self::open(of))
    }

    /// Its capacity in bytes.
    pub fn capacity(&self) -> Result<u64> {
        self.0.capacity()
    }

    /// How it is written at the hypervisor, such as 'qcow2'. With one that is 'raw' a machine keeps no snapshot of itself.
    pub fn format(&self) -> Result<String> {
        self.0.format()
    }

    /// Change the capacity, in bytes. Shrinking is 'invalid'.
    pub fn resize(&self, bytes: u64) -> Result<()> {
        self.0.resize(bytes)
    }

    /// Delete the volume and its data; 'conflict' while a machine uses it.
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }

    pub(crate) fn outside(&self) -> &outside::Volume {
        &self.0
    }
}
