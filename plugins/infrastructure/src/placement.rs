//! The Mixin placement: at which of several hypervisors a compute's machine is. What it asks for holds when the compute comes to be,
//! and when it is changed, which moves a machine that is off.

use crate::{PLACEMENT, compute};
use occi_sdk::entities::Entity;
use occi_sdk::machines::{Machine, Plan};
use occi_sdk::{Attributes, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject};

const LABELS: &str = "org.example.placement.labels";
const NEAR: &str = "org.example.placement.near";
const APART: &str = "org.example.placement.apart";
const NODE: &str = "org.example.placement.node";

pub(crate) struct Placement;

impl Lifecycle for Placement {
    fn create(subject: &Subject) -> Result<Change> {
        // The machine of a new compute came to be where it is wanted.
        if !subject.is_new() {
            compute::replace(subject, subject)?;
        }
        present(&Machine::open(End::Subject)?)
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        if [LABELS, NEAR, APART].iter().any(|name| wanted.has(name)) {
            compute::replace(subject, &wanted.over(subject))?;
        }
        present(&Machine::open(End::Subject)?)
    }

    fn delete(_subject: &Subject) -> Result<()> {
        // It stays where it is.
        Ok(())
    }
}

impl Observe for Placement {
    fn observe(_subject: &Subject, _cause: occi_sdk::Cause) -> Result<Change> {
        match Machine::find(End::Subject)? {
            Some(machine) => present(&machine),
            None => Ok(Change::new()),
        }
    }
}

fn present(machine: &Machine) -> Result<Change> {
    Ok(Change::new().set(NODE, machine.node()?))
}

/// The plan with where the machine is wanted to be.
pub(crate) fn wanted(mut plan: Plan, subject: &Subject, of: &dyn Read) -> Result<Plan> {
    if !subject.has_mixin(PLACEMENT) {
        return Ok(plan);
    }
    let labels = of.text(LABELS).unwrap_or_default();
    let labels: Vec<&str> = words(&labels).collect();
    if !labels.is_empty() {
        plan = plan.labels(labels);
    }
    for other in others(subject, of, NEAR)? {
        plan = plan.near(&other);
    }
    for other in others(subject, of, APART)? {
        plan = plan.apart(&other);
    }
    Ok(plan)
}

fn others(subject: &Subject, of: &dyn Read, attribute: &str) -> Result<Vec<Entity>> {
    let text = of.text(attribute).unwrap_or_default();
    let find = |location: &str| {
        if location == subject.location() {
            return Err(Fault::invalid("it cannot be near itself, nor apart from itself").on(attribute));
        }
        let refused = || Fault::invalid(format!("there is no resource at {location}")).on(attribute);
        Entity::find(location)?.ok_or_else(refused)
    };
    words(&text).map(find).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}
