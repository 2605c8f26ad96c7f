//! Every transition and every attribute, against the SDK's host in memory. The ids name the requirements of the
//! standard, GFD.224, that a test holds.

mod compute;
mod failing;
mod links;
mod network;
mod placement;
mod storage;

use super::*;
use occi_sdk::testing::{Entity, Host};
use occi_sdk::{Attribute, Value};

type Cloud = Host<Infrastructure>;

/// The state, and why.
fn state(entity: &Entity) -> (&str, &str) {
    (entity.state.as_deref().unwrap_or_default(), entity.message.as_deref().unwrap_or_default())
}

/// The code of a fault and the attribute that it names.
fn refusal(answer: Result<()>) -> (String, String) {
    let fault = answer.unwrap_err();
    assert!(!fault.message.is_empty());
    (fault.code, fault.attribute.unwrap_or_default())
}

fn pair(code: &str, attribute: &str) -> (String, String) {
    (code.into(), attribute.into())
}

/// The parameter of an action.
fn method(method: &str) -> Attributes {
    Attributes::from([("method", method)])
}

fn none() -> Attributes {
    Attributes::default()
}

/// A compute that exists, is off, and shows the defaults.
fn compute(cloud: &Cloud) -> Entity {
    let mut compute = cloud
        .resource(COMPUTE)
        .with("occi.compute.cores", 1)
        .with("occi.compute.memory", 0.5)
        .with("occi.compute.architecture", "x64");
    cloud.create(&mut compute).unwrap();
    compute
}

fn running(cloud: &Cloud) -> Entity {
    let mut compute = compute(cloud);
    cloud.act(&mut compute, "start", none()).unwrap();
    compute
}

fn network(cloud: &Cloud) -> Entity {
    let mut network = cloud.resource(NETWORK);
    cloud.create(&mut network).unwrap();
    network
}

fn storage(cloud: &Cloud) -> Entity {
    let mut storage = cloud.resource(STORAGE).with("occi.storage.size", 1.0);
    cloud.create(&mut storage).unwrap();
    storage
}
