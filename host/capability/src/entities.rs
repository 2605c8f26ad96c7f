//! The capability `entities`: `wit/entities.wit`, other entities of the tenant to be read and to be linked. Which of them an
//! extension may see, and which links it may have, is decided where calls are made
//! ([`EntityView`](occi_extension::EntityView)). That a link is to be made or ended is written down among the key-value
//! changes of the operation, so that it is committed with it or not at all; who reads it there carries it out.

use occi_extension::bindings::types::{Attribute, Fault};
use occi_extension::{
    CallState, Capability, EntityListing, EntitySet, LinkOrder, Manifest, OwnEntry, Subject,
    attributes_from_guest,
};
use occi_model::CategoryId;
use wasmtime::component::{HasSelf, Linker, Resource};

use generated::occi::extension::entities::{self, Host, HostListing};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world entities { import occi:extension/entities@0.1.0; }",
        world: "occi:lent/entities",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": occi_extension::bindings::types,
            "occi:extension/entities.listing": super::Listing,
        },
    });
}

/// How many entities are shown at a time.
const PAGE: usize = 100;
/// How many links one call may have made or ended.
const ORDERS: usize = 16;

/// A listing that a guest has opened.
#[expect(unreachable_pub, reason = "the generated code gives it another public name")]
pub struct Listing(Box<dyn EntityListing>);

/// Other entities of the tenant.
#[derive(Debug)]
pub struct Entities;

impl Capability for Entities {
    fn name(&self) -> &'static str {
        "entities"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/entities@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        entities::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &[
            "find",
            "link",
            "unlink",
            "listing.members",
            "listing.links-from",
            "listing.links-to",
            "listing.next",
        ]
    }

    fn has_outside_effects(&self) -> bool {
        false
    }

    /// The Kinds whose entities are read beside the extension's own, and those of links that it has made and ended;
    /// `occi-operation` holds to them.
    fn keys(&self) -> &'static [&'static str] {
        &["kinds", "links"]
    }

    fn objections(&self, manifest: &Manifest) -> Vec<String> {
        let kinds = self.keys().iter().flat_map(|key| manifest.own_keys.entries(self.name(), key));
        let objection = |kind: OwnEntry<'_>| {
            CategoryId::parse(kind.text).err().map(|invalid| kind.fault(invalid.to_string()))
        };
        kinds.filter_map(objection).collect()
    }
}

/// How many orders a call has given.
struct Given(usize);

/// Writes an order down; the location of its link.
fn order(
    state: &mut CallState,
    agreed: impl FnOnce(&mut CallState) -> wasmtime::Result<Result<LinkOrder, Fault>>,
) -> wasmtime::Result<Result<String, Fault>> {
    if state.kept(|_| Given(0)).0.0 >= ORDERS {
        return Ok(Err(Fault::new("invalid", format!("one call has {ORDERS} links made or ended at most"))));
    }
    let LinkOrder { location, key, value } = match agreed(state)? {
        Ok(order) => order,
        Err(fault) => return Ok(Err(fault)),
    };
    if let Err(refused) = state.writes().put(LinkOrder::BUCKET, &key, Some(value), None) {
        return Ok(Err(Fault::new("invalid", refused.to_string())));
    }
    state.kept(|_| Given(0)).0.0 += 1;
    Ok(Ok(location))
}

/// The one way to a listing.
fn open(state: &mut CallState, set: EntitySet) -> wasmtime::Result<Result<Resource<Listing>, Fault>> {
    match state.entities()?.list(set) {
        Ok(listing) => Ok(Ok(state.table().push(Listing(listing))?)),
        Err(fault) => Ok(Err(fault)),
    }
}

impl Host for CallState {
    async fn find(&mut self, location: String) -> wasmtime::Result<Result<Resource<Subject>, Fault>> {
        begin!(self, "entities", "find");
        match self.entities()?.find(&location) {
            Ok(entity) => Ok(Ok(self.table().push(entity)?)),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn link(
        &mut self,
        kind: String,
        target: String,
        attributes: Vec<Attribute>,
    ) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "entities", "link");
        order(self, |state| {
            let (view, from) = (state.entities()?, &state.subject().entity);
            Ok(match attributes_from_guest(attributes) {
                Ok(attributes) => view.link(from, &kind, &target, attributes),
                Err(reason) => Err(Fault::new("invalid", reason)),
            })
        })
    }

    async fn unlink(&mut self, location: String) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "entities", "unlink");
        let ordered = order(self, |state| Ok(state.entities()?.unlink(&state.subject().entity, &location)))?;
        Ok(ordered.map(drop))
    }
}

impl HostListing for CallState {
    async fn members(&mut self, category: String) -> wasmtime::Result<Result<Resource<Listing>, Fault>> {
        begin!(self, "entities", "listing.members");
        match CategoryId::parse(&category) {
            Ok(category) => open(self, EntitySet::Members(category)),
            Err(invalid) => Ok(Err(Fault::new("invalid", invalid.to_string()))),
        }
    }

    async fn links_from(
        &mut self,
        of: Resource<Subject>,
    ) -> wasmtime::Result<Result<Resource<Listing>, Fault>> {
        begin!(self, "entities", "listing.links-from");
        let id = self.seen(&of)?.entity.id;
        open(self, EntitySet::LinksFrom(id))
    }

    async fn links_to(
        &mut self,
        of: Resource<Subject>,
    ) -> wasmtime::Result<Result<Resource<Listing>, Fault>> {
        begin!(self, "entities", "listing.links-to");
        let id = self.seen(&of)?.entity.id;
        open(self, EntitySet::LinksTo(id))
    }

    async fn next(
        &mut self,
        listing: Resource<Listing>,
    ) -> wasmtime::Result<Result<Option<Vec<Resource<Subject>>>, Fault>> {
        begin!(self, "entities", "listing.next");
        let page = match self.table().get_mut(&listing)?.0.next(PAGE) {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(Ok(None)),
            Err(fault) => return Ok(Err(fault)),
        };
        let handles = page.into_iter().map(|entity| self.table().push(entity));
        Ok(Ok(Some(handles.collect::<Result<_, _>>()?)))
    }

    async fn drop(&mut self, listing: Resource<Listing>) -> wasmtime::Result<()> {
        self.table().delete(listing)?;
        Ok(())
    }
}
