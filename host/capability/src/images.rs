//! The capability `images`: `wit/images.wit` over a [folder](Images) of descriptions and [`libvirt`](crate::libvirt).

mod description;
mod folder;

use std::sync::Arc;

use occi_extension::bindings::types::Fault;
use occi_extension::{CallState, Capability, Lent, Offered, Offers};
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::libvirt::Machine;
use crate::nodes::Nodes;
use crate::objects::ruled;
pub use folder::Images;
use generated::occi::extension::images::{self, Host};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world images { import occi:extension/images@0.1.0; }",
        world: "occi:lent/images",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": occi_extension::bindings::types,
            "occi:extension/volumes": crate::volumes::generated::occi::extension::volumes,
            "occi:extension/networks": crate::networks::generated::occi::extension::networks,
            "occi:extension/machines": crate::machines::generated::occi::extension::machines,
        },
    });
}

/// Images on offer, and new ones that are made of machines.
#[derive(Debug)]
pub struct ImageCatalogue {
    forgets: bool,
}

impl ImageCatalogue {
    /// Those that machines of hypervisors begin as. The folder is lent to the calls.
    pub fn new(nodes: &Nodes) -> Self {
        Self { forgets: nodes.forgets() }
    }
}

/// Its name in a manifest.
const NAME: &str = "images";

#[async_trait::async_trait]
impl Capability for ImageCatalogue {
    fn name(&self) -> &'static str {
        NAME
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/images@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        images::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["make"]
    }

    fn has_outside_effects(&self) -> bool {
        true
    }

    fn forgets(&self) -> bool {
        self.forgets
    }

    fn offers(&self, lent: &Lent) -> Option<Arc<dyn Offers>> {
        Some(lent.get::<Images>()?)
    }
}

#[async_trait::async_trait]
impl Offers for Images {
    async fn all(&self) -> Result<Vec<Offered>, Fault> {
        let images = self.list().await?;
        Ok(images.into_iter().map(|image| Offered { name: image.name, title: image.title }).collect())
    }

    async fn withdraw(&self, name: &str) -> Result<(), Fault> {
        Ok(self.remove(name).await?)
    }
}

impl Host for CallState {
    async fn make(
        &mut self,
        of: Resource<Machine>,
        title: String,
    ) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "images", "make");
        let machine = match ruled(self, &of)? {
            Ok(machine) => machine,
            Err(fault) => return Ok(Err(fault)),
        };
        let images = self.lent::<Images>()?;
        // A disk takes as long as it is large.
        match self.aside(images.make(&machine, &title)).await {
            Ok(name) => {
                self.note_made(NAME, name.clone());
                Ok(Ok(name))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }
}
