//! What a machine is to be, as a guest says it part by part; and what it is told of an interface.

use occi_extension::{CallState, Subject};
use wasmtime::component::Resource;

use super::generated::occi::extension::machines::{HostNic, HostPlan};
use crate::libvirt::{MachinePlan, Nic};
use crate::nodes::Wishes;

/// A plan as a guest fills it in.
#[derive(Debug, Default)]
pub struct DraftPlan {
    pub(super) plan: MachinePlan,
    /// The name of the image.
    pub(super) image: Option<String>,
    /// Where it is to be.
    pub(super) wishes: Wishes,
}

impl HostPlan for CallState {
    async fn new(&mut self) -> wasmtime::Result<Resource<DraftPlan>> {
        Ok(self.table().push(DraftPlan::default())?)
    }

    async fn cores(&mut self, plan: Resource<DraftPlan>, count: u32) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.cores = Some(count);
        Ok(())
    }

    async fn memory(&mut self, plan: Resource<DraftPlan>, bytes: u64) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.memory = Some(bytes);
        Ok(())
    }

    async fn shares(&mut self, plan: Resource<DraftPlan>, weight: u32) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.shares = Some(weight);
        Ok(())
    }

    async fn architecture(&mut self, plan: Resource<DraftPlan>, name: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.architecture = Some(name);
        Ok(())
    }

    async fn hostname(&mut self, plan: Resource<DraftPlan>, name: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.hostname = Some(name);
        Ok(())
    }

    async fn title(&mut self, plan: Resource<DraftPlan>, text: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.title = Some(text);
        Ok(())
    }

    async fn image(&mut self, plan: Resource<DraftPlan>, name: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.image = Some(name);
        Ok(())
    }

    async fn scratch(&mut self, plan: Resource<DraftPlan>, bytes: u64) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.scratch = Some(bytes);
        Ok(())
    }

    async fn seed(
        &mut self,
        plan: Resource<DraftPlan>,
        name: String,
        content: Vec<u8>,
    ) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.seed.push((name, content));
        Ok(())
    }

    async fn labels(&mut self, plan: Resource<DraftPlan>, labels: Vec<String>) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.wishes.labels.extend(labels);
        Ok(())
    }

    async fn near(&mut self, plan: Resource<DraftPlan>, other: Resource<Subject>) -> wasmtime::Result<()> {
        let other = self.seen(&other)?.entity.id;
        self.table().get_mut(&plan)?.wishes.near.push(other);
        Ok(())
    }

    async fn apart(&mut self, plan: Resource<DraftPlan>, other: Resource<Subject>) -> wasmtime::Result<()> {
        let other = self.seen(&other)?.entity.id;
        self.table().get_mut(&plan)?.wishes.apart.push(other);
        Ok(())
    }

    async fn drop(&mut self, plan: Resource<DraftPlan>) -> wasmtime::Result<()> {
        self.table().delete(plan)?;
        Ok(())
    }
}

impl HostNic for CallState {
    async fn device(&mut self, nic: Resource<Nic>) -> wasmtime::Result<String> {
        Ok(self.table().get(&nic)?.device.clone())
    }

    async fn mac(&mut self, nic: Resource<Nic>) -> wasmtime::Result<String> {
        Ok(self.table().get(&nic)?.mac.clone())
    }

    async fn drop(&mut self, nic: Resource<Nic>) -> wasmtime::Result<()> {
        self.table().delete(nic)?;
        Ok(())
    }
}
