//! The capability `volumes`: `wit/volumes.wit` over [`libvirt`](crate::libvirt).

use occi_extension::bindings::types::{End, Fault};
use occi_extension::{CallState, Capability, Lent};
use uuid::Uuid;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::images::Images;
use crate::libvirt::{DiskFormat, Volume};
use crate::nodes::{Nodes, Wishes};
use crate::objects::{open, place, ruled, standing};
use generated::occi::extension::volumes::{self, Host, HostVolume};

/// Also for the capabilities whose functions take a volume.
#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
pub(crate) mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world volumes { import occi:extension/volumes@0.1.0; }",
        world: "occi:lent/volumes",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": occi_extension::bindings::types,
            "occi:extension/volumes.volume": crate::libvirt::Volume,
        },
    });
}

/// Block storage, a volume for each entity.
#[derive(Debug)]
pub struct Volumes {
    forgets: bool,
}

impl Volumes {
    /// Those of hypervisors, which are lent to the calls as well.
    pub fn new(nodes: &Nodes) -> Self {
        Self { forgets: nodes.forgets() }
    }
}

#[async_trait::async_trait]
impl Capability for Volumes {
    fn name(&self) -> &'static str {
        "volumes"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/volumes@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        volumes::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &[
            "volume.create",
            "volume.create-as",
            "volume.open",
            "volume.capacity",
            "volume.format",
            "volume.resize",
            "volume.remove",
        ]
    }

    fn has_outside_effects(&self) -> bool {
        true
    }

    fn forgets(&self) -> bool {
        self.forgets
    }

    async fn standing(&self, lent: &Lent, entity: Uuid) -> Result<Option<&'static str>, Fault> {
        standing("a volume at the hypervisor", lent, move |hypervisor| async move {
            hypervisor.volume(entity).is_there().await
        })
        .await
    }
}

fn unknown_format(word: &str) -> Fault {
    let word: String = word.chars().take(32).collect();
    Fault::new("invalid", format!("a volume is written as qcow2 or raw, not as {word:?}"))
}

impl Host for CallState {}

impl HostVolume for CallState {
    async fn create(&mut self, of: End, bytes: u64) -> wasmtime::Result<Result<Resource<Volume>, Fault>> {
        begin!(self, "volumes", "volume.create");
        let volume = match place(self, of, Wishes::default())?.await {
            Ok(place) => place.hypervisor.volume(place.entity),
            Err(fault) => return Ok(Err(fault)),
        };
        match volume.create(bytes).await {
            Ok(()) => Ok(Ok(self.table().push(volume)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn create_as(
        &mut self,
        of: End,
        bytes: u64,
        format: Option<String>,
        image: Option<String>,
    ) -> wasmtime::Result<Result<Resource<Volume>, Fault>> {
        begin!(self, "volumes", "volume.create-as");
        let volume = match place(self, of, Wishes::default())?.await {
            Ok(place) => place.hypervisor.volume(place.entity),
            Err(fault) => return Ok(Err(fault)),
        };
        let format = match format.map(|word| DiskFormat::of(&word).ok_or(word)).transpose() {
            Ok(format) => format,
            Err(word) => return Ok(Err(unknown_format(&word))),
        };
        let image = match image {
            Some(name) => match self.lent::<Images>()?.find_for_volume(&name).await {
                Ok(image) => Some(image),
                Err(error) => return Ok(Err(error.into())),
            },
            None => None,
        };
        // A copy takes as long as it is large.
        match self.aside(volume.create_as(bytes, format, image)).await {
            Ok(()) => Ok(Ok(self.table().push(volume)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn open(&mut self, of: End) -> wasmtime::Result<Result<Resource<Volume>, Fault>> {
        begin!(self, "volumes", "volume.open");
        match open::<Volume>(self, of)?.await {
            Ok(volume) => Ok(Ok(self.table().push(volume)?)),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn capacity(&mut self, volume: Resource<Volume>) -> wasmtime::Result<Result<u64, Fault>> {
        begin!(self, "volumes", "volume.capacity");
        let volume = self.table().get(&volume)?.clone();
        Ok(volume.capacity().await.map_err(Fault::from))
    }

    async fn format(&mut self, volume: Resource<Volume>) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "volumes", "volume.format");
        let volume = self.table().get(&volume)?.clone();
        Ok(volume.format().await.map(|format| format.as_str().to_owned()).map_err(Fault::from))
    }

    async fn resize(&mut self, volume: Resource<Volume>, bytes: u64) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "volumes", "volume.resize");
        Ok(match ruled(self, &volume)? {
            Ok(volume) => volume.resize(bytes).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn remove(&mut self, volume: Resource<Volume>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "volumes", "volume.remove");
        let volume = match ruled(self, &volume)? {
            Ok(volume) => volume,
            Err(fault) => return Ok(Err(fault)),
        };
        let removed = volume.remove().await;
        if removed.is_ok() {
            self.lent::<Nodes>()?.forget(volume.entity());
        }
        Ok(removed.map_err(Fault::from))
    }

    async fn drop(&mut self, volume: Resource<Volume>) -> wasmtime::Result<()> {
        self.table().delete(volume)?;
        Ok(())
    }
}
