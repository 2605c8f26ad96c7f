//! The driver against libvirt's own imitation of a hypervisor, which needs no daemon.
//!
//! What only QEMU can show is in `host/capability/tests/qemu.rs`.

mod calls;
mod files;
mod inventory;
mod links;
mod machines;
mod meter;
mod networks;
mod survey;
mod volumes;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use tokio::time::timeout;
use virt::domain::Domain;
use virt::sys;

use super::*;

/// A hypervisor that no other test shares: a private one belongs to the connection that opened it.
struct Private {
    hypervisor: Hypervisor,
    _node: NamedTempFile,
}

async fn private() -> Private {
    let mut node = NamedTempFile::new().unwrap();
    node.write_all(b"<node><cpu><mhz>1000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>2</sockets><cores>4</cores><threads>1</threads></cpu><memory>8388608</memory></node>").unwrap();
    let config = HypervisorConfig {
        uri: format!("test:///{}", node.path().display()),
        volumes: "/occi-test-volumes".into(),
        ..HypervisorConfig::default()
    };
    Private { hypervisor: Hypervisor::open(config).await.unwrap(), _node: node }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0xdead_beef << 96 | number)
}

fn code<T>(answer: Result<T>) -> Result<T, &'static str> {
    answer.map_err(|error| error.code())
}

/// The definition that libvirt holds.
async fn definition(machine: &Machine) -> String {
    let entity = machine.entity;
    machine
        .call(Lane::Short, Hold::Nothing, move |live| {
            Ok(machine::find(live, entity)?.get_xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?)
        })
        .await
        .unwrap()
}

/// Do something at the hypervisor that is not our doing.
async fn outside<T: Send + 'static>(
    hypervisor: &Hypervisor,
    work: impl Fn(&connection::Live) -> Result<T> + Send + 'static,
) -> T {
    hypervisor.workers().call(Lane::Short, Hold::Nothing, work).await.unwrap()
}
