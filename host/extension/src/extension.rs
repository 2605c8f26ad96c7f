//! An extension that is loaded: its data, and how to call it (in [`crate::call`]).

use crate::bindings::types::Fault;
use crate::call::Code;
use crate::capability::{Capability, Made, Offers};
use crate::console::Console;
use crate::digest::Digest;
use crate::error::CallError;
use crate::limits::Limits;
use crate::manifest::{Manifest, Offer};
use arc_swap::ArcSwap;
use occi_model::{Action, AttributeName, CategoryId, Kind, Mixin};
use semver::Version;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// What defines Kinds, Mixins and Actions, and does the work of their entities.
pub struct Extension {
    manifest: Manifest,
    digest: Digest,
    /// None where the manifest is all there is.
    pub(crate) code: Option<Code>,
    reach: Reach,
    administers: bool,
    uses_data: bool,
    /// Those by which something is made outside.
    reaching: Vec<Arc<dyn Capability>>,
    /// What there is behind each of the manifest's offers.
    offering: Vec<(Offer, Arc<dyn Offers>)>,
    /// The Mixins for what is on offer.
    offered: ArcSwap<Vec<Mixin>>,
    /// What makes that which has a console.
    consoles: Option<Arc<dyn Capability>>,
}

/// Where what its calls do is seen, by the capabilities that it is lent.
struct Reach {
    outside: bool,
    lasting: bool,
    forgets: bool,
}

impl Extension {
    pub(crate) fn new(
        manifest: Manifest,
        digest: Digest,
        code: Option<Code>,
        uses: &[Arc<dyn Capability>],
    ) -> Self {
        let mut reach = Reach { outside: false, lasting: false, forgets: false };
        let (mut administers, mut uses_data) = (false, false);
        for capability in uses {
            reach.outside |= capability.has_outside_effects();
            reach.lasting |= capability.has_outside_effects() && !capability.forgets();
            reach.forgets |= capability.forgets();
            uses_data |= capability.uses_data();
            administers |= capability.is_for_administrators();
        }
        let reaching = uses.iter().filter(|capability| capability.has_outside_effects()).cloned().collect();
        let lent = code.as_ref().map(|code| &code.lent);
        let behind = |offer: &Offer| {
            let capability = uses.iter().find(|capability| capability.name() == offer.of)?;
            Some((offer.clone(), capability.offers(lent?)?))
        };
        let offering = manifest.offers.iter().filter_map(behind).collect();
        let offered = ArcSwap::default();
        let consoles = uses.iter().find(|capability| capability.has_consoles()).cloned();
        Self { manifest, digest, code, reach, administers, uses_data, reaching, offering, offered, consoles }
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// By which the operator knows it.
    pub fn name(&self) -> &Arc<str> {
        &self.manifest.name
    }

    /// Its own version.
    pub fn version(&self) -> &Version {
        &self.manifest.version
    }

    /// The digest of its bytes, or of its manifest where that is all.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The Kinds that it defines.
    pub fn kinds(&self) -> &[Kind] {
        &self.manifest.kinds
    }

    /// The Mixins that it defines.
    pub fn mixins(&self) -> &[Mixin] {
        &self.manifest.mixins
    }

    /// The Mixins for what is on offer, as they were given last.
    pub fn offered(&self) -> Arc<Vec<Mixin>> {
        self.offered.load_full()
    }

    /// Gives it other Mixins for what is on offer. Who serves it sees to it that a registry knows them.
    pub fn offer(&self, mixins: Vec<Mixin>) {
        self.offered.store(Arc::new(mixins));
    }

    /// The Mixins for what is on offer now, each once.
    pub async fn look_for_offers(&self) -> Result<Vec<Mixin>, Fault> {
        let mut mixins = Vec::new();
        for (offer, things) in &self.offering {
            mixins.extend(things.all().await?.iter().filter_map(|thing| offer.mixin(thing)));
        }
        mixins.sort_by(|one, other| one.id.cmp(&other.id));
        mixins.dedup_by(|one, other| one.id == other.id);
        Ok(mixins)
    }

    /// The Mixin for a thing that a capability has on offer.
    pub(crate) fn offered_as(&self, Made { capability, purpose, name }: &Made) -> Option<CategoryId> {
        let mut offers = self.manifest.offers.iter();
        offers.find(|offer| offer.of == *capability && offer.purpose.as_deref() == *purpose)?.id(name)
    }

    /// The Mixin by that name as it is where what it stands for is not on offer any more.
    pub fn offered_once(&self, mixin: &CategoryId) -> Option<Mixin> {
        self.manifest.offers.iter().find_map(|offer| offer.without_thing(offer.name(mixin)?))
    }

    /// A Mixin that an older version had on offer, as this one has it.
    pub fn offered_still(&self, mixin: &Mixin) -> Option<Mixin> {
        let known = self.offered_once(&mixin.id)?;
        let offer = self.manifest.offers.iter().find(|offer| offer.name(&mixin.id).is_some())?;
        let mut attributes = mixin.attributes.clone();
        attributes.retain(|declared| offer.defaults.iter().any(|(name, _)| *name == declared.name));
        Some(Mixin { title: mixin.title.clone(), attributes, ..known })
    }

    /// Takes away what a Mixin stands for, if a client has had it made.
    pub async fn withdraw_offer(&self, mixin: &CategoryId) -> Result<(), CallError> {
        for (offer, things) in &self.offering {
            if let Some(name) = offer.name(mixin) {
                let refused = |fault| CallError::Refused { extension: Arc::clone(self.name()), fault };
                return things.withdraw(name).await.map_err(refused);
            }
        }
        Ok(())
    }

    /// The Actions that it defines.
    pub fn actions(&self) -> &[Action] {
        &self.manifest.actions
    }

    /// The names of its Kinds and Mixins, of which entities can be.
    pub fn types(&self) -> Vec<CategoryId> {
        let kinds = self.kinds().iter().map(|kind| kind.id.clone());
        kinds.chain(self.mixins().iter().map(|mixin| mixin.id.clone())).collect()
    }

    /// The names of all attributes that its Kinds and Mixins declare.
    pub fn attributes(&self) -> impl Iterator<Item = &AttributeName> {
        let of_kinds = self.kinds().iter().flat_map(|kind| &kind.attributes);
        of_kinds
            .chain(self.mixins().iter().flat_map(|mixin| &mixin.attributes))
            .map(|declared| &declared.name)
    }

    /// The schemes in which it names something.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        let kinds = self.kinds().iter().map(|kind| &kind.id);
        let mixins = self.mixins().iter().map(|mixin| &mixin.id);
        let actions = self.actions().iter().map(|action| &action.id);
        let offers = self.manifest.offers.iter().map(|offer| offer.scheme.as_str());
        kinds.chain(mixins).chain(actions).map(CategoryId::scheme).chain(offers)
    }

    /// Whether every entity of an older version is one of this, to be seen from their definitions alone. Where it says
    /// no there may be none that is not.
    pub fn takes_all_of(&self, older: &Self) -> bool {
        let kind = |old: &Kind| self.kinds().iter().any(|kind| kind.takes_all_of(old));
        let mixin = |old: &Mixin| self.mixins().iter().any(|mixin| mixin.takes_all_of(old));
        let offers = &self.manifest.offers;
        let offer = |old: &Offer| offers.iter().any(|offer| offer.takes_all_of(old));
        older.kinds().iter().all(kind)
            && older.mixins().iter().all(mixin)
            && older.manifest.offers.iter().all(offer)
    }

    /// What one call may use, and what it may keep; none where there is no code.
    pub fn limits(&self) -> Option<Limits> {
        self.code.as_ref().map(Code::limits)
    }

    /// Whether it wants to know when entities come, change and go. A call is no error where it does not: it does
    /// nothing.
    pub fn has_lifecycle(&self) -> bool {
        self.code.as_ref().is_some_and(|code| code.exports().lifecycle.is_some())
    }

    /// Whether it has actions.
    pub fn has_actions(&self) -> bool {
        self.code.as_ref().is_some_and(|code| code.exports().act.is_some())
    }

    /// Whether it wants to know when the world has moved.
    pub fn has_observe(&self) -> bool {
        self.code.as_ref().is_some_and(|code| code.exports().observe.is_some())
    }

    /// Whether it can bring entities of an older version to this one.
    pub fn has_migrate(&self) -> bool {
        self.code.as_ref().is_some_and(|code| code.exports().migrate.is_some())
    }

    /// Whether a call may do something that is seen outside of this host's store, and that no transaction takes back.
    pub fn uses_outside_capabilities(&self) -> bool {
        self.reach.outside
    }

    /// What stands outside under the name of an entity that is about to be made: it would take that over for its own. What its
    /// capabilities cannot tell is a refusal in their words.
    pub async fn standing(&self, entity: Uuid) -> Result<Option<&'static str>, CallError> {
        let Some(code) = &self.code else { return Ok(None) };
        for capability in &self.reaching {
            let standing = capability.standing(&code.lent, entity).await;
            let refused = |fault| CallError::Refused { extension: Arc::clone(self.name()), fault };
            if let Some(what) = standing.map_err(refused)? {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    /// The console of an entity; none where nothing that it is lent has consoles.
    pub async fn console(&self, entity: Uuid) -> Result<Option<Arc<dyn Console>>, Fault> {
        match (&self.code, &self.consoles) {
            (Some(code), Some(consoles)) => consoles.console(&code.lent, entity).await,
            (None, _) | (_, None) => Ok(None),
        }
    }

    /// Whether something of that outlives the host's process: such an operation is written down before it begins.
    pub fn has_lasting_effects(&self) -> bool {
        self.reach.lasting
    }

    /// Whether its calls read or write its key-value data, so that those of one operation come one after the other.
    pub fn uses_data(&self) -> bool {
        self.uses_data
    }

    /// Whether it has power over more than its own entities, which are then kept by the host itself.
    pub fn administers(&self) -> bool {
        self.administers
    }

    /// Whether what its calls made outside is gone when the host's process ends.
    pub fn forgets(&self) -> bool {
        self.reach.forgets
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension({} {} {})", self.name(), self.version(), self.digest)
    }
}
