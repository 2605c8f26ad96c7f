//! What the host lends to extensions: machines, volumes and networks over libvirt, key-value, configuration, logging, clocks,
//! randomness, a folder, other entities, figures, requests to other servers, and the extensions themselves.
//!
//! One file a capability, each between its interface in `wit/` and what stands behind it. A capability says what an
//! extension may reach; which extension was granted it is decided in `occi-extension`, and which entity a call is
//! about in `occi-operation`. So each capability has one function through which every handle comes, and it takes an
//! end of the call's entity, never an id.
//!
//! In reading order: [`Config`], [`Logging`], [`Clocks`], [`Random`], [`KeyValue`], [`Folder`], [`Entities`]; [`Http`], with [`Io`]; [`Extensions`]; [`libvirt`], the hypervisor itself; then [`Volumes`], [`Networks`],
//! [`Machines`] and [`ImageCatalogue`], which lend it, and [`Metrics`].

#[macro_use]
mod begin;
mod clocks;
mod config;
mod entities;
mod extensions;
mod folder;
mod http;
mod io;
mod keyvalue;
mod logging;
mod random;

#[cfg(feature = "libvirt")]
mod console;
#[cfg(feature = "libvirt")]
mod images;
#[cfg(feature = "libvirt")]
pub mod libvirt;
#[cfg(feature = "libvirt")]
mod machines;
#[cfg(feature = "libvirt")]
mod metrics;
#[cfg(feature = "libvirt")]
mod networks;
#[cfg(feature = "libvirt")]
mod nodes;
#[cfg(feature = "libvirt")]
mod objects;
#[cfg(feature = "libvirt")]
mod volumes;

pub use clocks::Clocks;
pub use config::{Config, ConfigValues};
pub use entities::Entities;
pub use extensions::{Administration, Administrator, Agreed, CHANGING, Extensions, Facts, Ledger, Wish};
pub use folder::{Folder, FolderQuota, Folders};
pub use http::{Http, HttpGrant, HttpGrants, HttpStandIn, Origin, StandIn};
pub use io::Io;
pub use keyvalue::{BucketReader, Buckets, KeyValue};
pub use logging::Logging;
pub use random::{Random, SeededRandom};
#[cfg(feature = "libvirt")]
pub use {
    images::{ImageCatalogue, Images},
    machines::{DraftPlan, Machines},
    metrics::{Figures, Metrics},
    networks::{Bridges, NetworkDraft, Networks},
    nodes::{Node, Nodes, Wishes},
    volumes::Volumes,
};

/// What a guest is told when the hypervisor refuses.
#[cfg(feature = "libvirt")]
impl From<libvirt::Error> for occi_extension::Fault {
    fn from(error: libvirt::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

#[cfg(test)]
#[cfg(feature = "libvirt")]
mod tests;
