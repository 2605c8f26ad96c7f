//! The capability `images`: `wit/images.wit` over a [folder](Images) of descriptions and [`libvirt`](crate::libvirt).

mod description;
mod folder;
mod making;

use std::sync::Arc;

use occi_extension::bindings::types::Fault;
use occi_extension::{CallState, Capability, Lent, Manifest, Offered, Offers};
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::libvirt::{Machine, Volume};
use crate::nodes::Nodes;
use crate::objects::ruled;
use description::Use;
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

/// Images on offer, and new ones that are made of machines and of volumes.
#[derive(Debug)]
pub struct ImageCatalogue {
    forgets: bool,
}

impl ImageCatalogue {
    /// Those that machines and volumes of hypervisors begin as. The folder is lent to the calls.
    pub fn new(nodes: &Nodes) -> Self {
        Self { forgets: nodes.forgets() }
    }
}

/// Its name in a manifest.
const NAME: &str = "images";

/// How large the volumes are at least that begin as an image, in GiB: what the default of an attribute can be.
const SIZE: &str = "size-gib";

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
        &["make", "make-of-volume"]
    }

    fn has_outside_effects(&self) -> bool {
        true
    }

    fn forgets(&self) -> bool {
        self.forgets
    }

    fn objections(&self, manifest: &Manifest) -> Vec<String> {
        let mut objections = Vec::new();
        for offer in manifest.offers.iter().filter(|offer| offer.of == NAME) {
            let of_volumes = Use::Volume.word();
            if offer.purpose.is_some() && offer.purpose.as_deref() != of_volumes {
                objections.push(format!(
                    "`use` of the offer in {} is \"volume\", or left out for what machines begin as",
                    offer.scheme
                ));
            }
            let has_size = offer.purpose.as_deref() == of_volumes;
            let unknown = offer.defaults.iter().filter(|(_, figure)| !has_size || figure != SIZE);
            objections.extend(unknown.map(|(attribute, figure)| {
                format!(
                    "no image tells `{figure}`, which the offer in {} wants for {attribute}; those for volumes tell `{SIZE}`",
                    offer.scheme
                )
            }));
        }
        objections
    }

    fn offers(&self, lent: &Lent) -> Option<Arc<dyn Offers>> {
        Some(lent.get::<Images>()?)
    }
}

#[async_trait::async_trait]
impl Offers for Images {
    async fn all(&self) -> Result<Vec<Offered>, Fault> {
        let images = self.list().await?.into_iter().map(|image| Offered {
            name: image.name,
            title: image.title,
            purpose: image.purpose.word(),
            figures: image.bytes.map(|bytes| (SIZE, gib(bytes))).into_iter().collect(),
        });
        Ok(images.collect())
    }

    async fn withdraw(&self, name: &str) -> Result<(), Fault> {
        Ok(self.remove(name).await?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for whole sectors of what any file system holds")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
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
                self.note_made(NAME, Use::System.word(), name.clone());
                Ok(Ok(name))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn make_of_volume(
        &mut self,
        of: Resource<Volume>,
        title: String,
    ) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "images", "make-of-volume");
        let volume = match ruled(self, &of)? {
            Ok(volume) => volume,
            Err(fault) => return Ok(Err(fault)),
        };
        let images = self.lent::<Images>()?;
        match self.aside(images.make_of_volume(&volume, &title)).await {
            Ok(name) => {
                self.note_made(NAME, Use::Volume.word(), name.clone());
                Ok(Ok(name))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_offer_is_of_a_use_that_there_is() {
        let config = crate::libvirt::HypervisorConfig::default();
        let nodes = Nodes::from(crate::libvirt::Hypervisor::open(config).await.unwrap());
        let objections = |more: &str| {
            let offer = "[capabilities.images]\n[[offer]]\nof = \"images\"\nscheme = \"http://example.com/occi/image#\"\nlocation = \"/mixin/image/\"\n";
            let manifest = occi_guest::manifest(&format!("{offer}{more}"));
            ImageCatalogue::new(&nodes).objections(&Manifest::parse(&manifest).unwrap())
        };
        assert_eq!(objections(""), [""; 0]);
        assert_eq!(
            objections("use = \"volume\"\ndefaults = { \"com.example.size\" = \"size-gib\" }"),
            [""; 0]
        );
        for (wrong, said) in [
            ("use = \"volumes\"", "is \"volume\", or left out"),
            (
                "use = \"volume\"\ndefaults = { \"com.example.size\" = \"size\" }",
                "those for volumes tell `size-gib`",
            ),
            ("defaults = { \"com.example.size\" = \"size-gib\" }", "no image tells `size-gib`"),
        ] {
            let found = objections(wrong);
            assert!(found.len() == 1 && found[0].contains(said), "{found:?}");
        }
    }
}
