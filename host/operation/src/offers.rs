//! Mixins for what extensions have on offer, such as images that machines begin as. They come and go while the server runs;
//! one that is not on offer any more is known for as long as an entity has it.

use crate::core::Core;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use crate::{Caller, Collection, Reply};
use occi_extension::Extension;
use occi_model::{Attribute, CategoryId, CategoryView, Mixin, Representation};
use occi_store::{ReadView, StoreError};
use std::sync::Arc;

impl Core {
    /// Has the registry know what extensions have on offer now. What a capability cannot tell stays as it is.
    pub async fn renew_offers(&self) -> Result<(), Refusal> {
        let mut found = Vec::new();
        for extension in self.snapshot().extensions() {
            if extension.manifest().offers.is_empty() {
                continue;
            }
            match extension.look_for_offers().await {
                Ok(mixins) => found.push((Arc::clone(extension), mixins)),
                Err(fault) => {
                    tracing::warn!(
                        extension = &**extension.name(),
                        "what is on offer cannot be told: {}",
                        fault.message
                    );
                }
            }
        }
        let _defining = self.defining.lock().await;
        for (extension, mixins) in found {
            let snapshot = self.snapshot();
            if snapshot.named(extension.name()).is_some_and(|serving| Arc::ptr_eq(serving, &extension)) {
                self.offer(&snapshot, &extension, mixins)?;
            }
        }
        Ok(())
    }

    /// Where the new Mixins contradict other categories, those that were there stay.
    fn offer(
        &self,
        snapshot: &Snapshot,
        extension: &Arc<Extension>,
        mixins: Vec<Mixin>,
    ) -> Result<(), Refusal> {
        let was = extension.offered();
        let mixins = with_held(extension, &*self.read()?, mixins)?;
        let default = |attribute: &Attribute| (attribute.name.clone(), attribute.default.clone());
        let shown = |mixin: &Mixin| {
            let defaults: Vec<_> = mixin.attributes.iter().map(default).collect();
            (mixin.id.clone(), mixin.title.clone(), defaults)
        };
        if was.iter().map(shown).eq(mixins.iter().map(shown)) {
            return Ok(());
        }
        extension.offer(mixins);
        match snapshot.with_tags(snapshot.tags().to_vec()) {
            Ok(next) => self.snapshot.store(Arc::new(next)),
            Err(clash) => {
                extension.offer(was.to_vec());
                tracing::error!(
                    extension = &**extension.name(),
                    "what is on offer does not go with the other categories: {clash}"
                );
            }
        }
        Ok(())
    }

    /// Takes away what clients had had made, with its Mixins, which no entity may have.
    pub(crate) async fn withdraw_offers(
        self: &Arc<Self>,
        caller: &Caller,
        offers: Vec<(CategoryId, Arc<Extension>)>,
    ) -> Result<(), Refusal> {
        let snapshot = self.snapshot();
        for (id, _) in &offers {
            let members = crate::list::members(self, &snapshot, caller, &Collection::Mixin(id.clone()))?;
            if !members.is_empty() {
                return Err(Refusal::Conflict(format!(
                    "{id} is what {} entities began as; it can go when they have",
                    members.len()
                )));
            }
        }
        for (id, extension) in offers {
            extension.withdraw_offer(&id).await?;
        }
        self.renew_offers().await
    }

    /// What was just made, as the answer to who had it made.
    pub(crate) async fn offers_made(&self, made: &[CategoryId]) -> Result<Reply, Refusal> {
        self.renew_offers().await?;
        let snapshot = self.snapshot();
        let views = made.iter().filter_map(|id| snapshot.registry().mixin(id));
        Ok(Reply::new(Representation::Categories(views.cloned().map(CategoryView::Mixin).collect())))
    }
}

/// Gives an extension that is about to serve what the version before it had on offer, and what entities have.
pub(crate) fn inherit(
    next: &Extension,
    old: Option<&Arc<Extension>>,
    view: &dyn ReadView,
) -> Result<(), StoreError> {
    let mut mixins = next.offered().to_vec();
    if mixins.is_empty() {
        let of_old = old.map(|old| old.offered()).unwrap_or_default();
        mixins.extend(of_old.iter().filter_map(|mixin| next.offered_still(mixin)));
    }
    next.offer(with_held(next, view, mixins)?);
    Ok(())
}

/// What is on offer, and what is not any more and entities have.
fn with_held(
    extension: &Extension,
    view: &dyn ReadView,
    mut mixins: Vec<Mixin>,
) -> Result<Vec<Mixin>, StoreError> {
    for offer in &extension.manifest().offers {
        for held in occi_store::categories_in(view, Caller::DEFAULT_TENANT, &offer.scheme)? {
            if mixins.iter().all(|mixin| mixin.id != held) {
                mixins.extend(extension.offered_once(&held));
            }
        }
    }
    mixins.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(mixins)
}
