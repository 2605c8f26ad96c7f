//! What the host lends to extensions: machines, volumes and networks over libvirt, key-value, logging.
//!
//! A capability says what an extension may reach; which extension was granted it is decided in `occi-extension`,
//! and which entity a call is about in `occi-operation`.

#[cfg(feature = "libvirt")]
pub mod libvirt;
