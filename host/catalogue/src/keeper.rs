//! Holds extensions and the entities that stand for them together: carries out what was ordered, makes and ends entities
//! as extensions come and go, and has those observed whose extension has changed.

use crate::catalogue::{Catalogue, aside};
use crate::ledger::{self, Ledger};
use crate::order::{Order, Shall};
use crate::record::Listed;
use crate::refused::Refused;
use crate::tending::{kind_of, locked};
use occi_extension::{Digest, Extension};
use occi_operation::{Cause, Refusal};
use occi_store::{Event, Revision, Store, StoreError, Watch};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How often it is looked at what nobody tells: how often extensions were called.
const TICK: Duration = Duration::from_secs(2);

/// Longer than a request can last, of which bytes were staged and which is neither committed nor refused yet.
const UNDER_WAY: Duration = Duration::from_mins(2);

/// What an entity was last told to show.
type Shown = (Digest, Listed, Option<Order>);

struct Keeper {
    catalogue: Weak<Catalogue>,
    store: Arc<dyn Store>,
    /// By the names of the extension that defines the entity and of the one for which it stands.
    shown: HashMap<(Arc<str>, String), Shown>,
    /// What could not be done, and was said.
    complaints: HashSet<String>,
    at_work: AtWork,
}

/// The orders that are being carried out, by the same names.
type AtWork = Arc<Mutex<HashSet<(Arc<str>, String)>>>;

/// Keeps until the catalogue is gone.
pub(crate) fn start(catalogue: &Arc<Catalogue>) -> Result<(), StoreError> {
    let (store, news) = (Arc::clone(&catalogue.tending.store), Arc::clone(&catalogue.news));
    forget_staged(catalogue, Duration::ZERO)?;
    let watch = follow(&*store)?;
    let catalogue = Arc::downgrade(catalogue);
    let (shown, complaints, at_work) = Default::default();
    let keeper = Keeper { catalogue, store, shown, complaints, at_work };
    tokio::spawn(keeper.run(watch, news));
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "as what maps errors has it")]
fn internal(error: Refused) -> Refusal {
    Refusal::Internal(error.to_string())
}

fn follow(store: &dyn Store) -> Result<Watch, StoreError> {
    store.watch(store.read()?.revision().next())
}

/// Removes the bytes that refused requests have left, but for those that came within this time.
fn forget_staged(catalogue: &Catalogue, within: Duration) -> Result<(), StoreError> {
    let view = catalogue.tending.store.read()?;
    let mut kept = HashSet::new();
    for administrator in catalogue.administrators() {
        let orders = Ledger::read(&*view, administrator.name())?.orders;
        kept.extend(orders.values().filter_map(|(order, _)| Some(order.brings()?.1.to_owned())));
    }
    catalogue.staged.retain(&kept, within);
    Ok(())
}

impl Catalogue {
    /// The extensions that define entities which stand for extensions.
    fn administrators(&self) -> Vec<Arc<Extension>> {
        let snapshot = self.core.snapshot();
        snapshot.extensions().iter().filter(|extension| kind_of(extension).is_some()).cloned().collect()
    }
}

impl Keeper {
    async fn run(mut self, mut watch: Watch, news: Arc<Notify>) {
        loop {
            {
                let Some(catalogue) = self.catalogue.upgrade() else { return };
                if let Err(error) = self.keep(&catalogue).await {
                    self.complain(format!("the entities of extensions are not as these are: {error}"));
                }
            }
            let next = Instant::now() + TICK;
            loop {
                let told = tokio::select! {
                    () = news.notified() => break,
                    () = sleep_until(next) => break,
                    told = watch.next() => told,
                };
                match told {
                    Ok(event) if self.concerns(&event) => break,
                    Ok(_) => {}
                    Err(StoreError::Closed) => return,
                    // There was more than could be told.
                    Err(_) => match follow(&*self.store) {
                        Ok(anew) => {
                            watch = anew;
                            break;
                        }
                        Err(_) => return,
                    },
                }
            }
        }
    }

    fn concerns(&self, event: &Event) -> bool {
        let Some(catalogue) = self.catalogue.upgrade() else { return true };
        let keys = || event.put.iter().chain(&event.deleted);
        let in_ledger = |of: &Arc<Extension>| keys().any(|key| Ledger::holds(of.name(), key));
        catalogue.administrators().iter().any(in_ledger)
    }

    async fn keep(&mut self, catalogue: &Arc<Catalogue>) -> Result<(), Refusal> {
        let staging = Arc::clone(catalogue);
        aside(move || Ok(forget_staged(&staging, UNDER_WAY))).await.map_err(internal)??;
        for administrator in catalogue.administrators() {
            self.begin_orders(catalogue, administrator.name())?;
            self.match_entities(catalogue, &administrator).await?;
        }
        Ok(())
    }

    /// Has what was ordered carried out, each by itself: one that takes long keeps back no other.
    fn begin_orders(&self, catalogue: &Arc<Catalogue>, administrator: &Arc<str>) -> Result<(), Refusal> {
        let ledger = Ledger::read(&*self.store.read()?, administrator)?;
        for (name, (order, revision)) in ledger.orders {
            let key = (Arc::clone(administrator), name);
            if order.problem.is_some() || !locked(&self.at_work).insert(key.clone()) {
                continue;
            }
            let (catalogue, at_work) = (Arc::clone(catalogue), Arc::clone(&self.at_work));
            tokio::spawn(async move {
                let settled = carry_out(&catalogue, &key.0, &key.1, order, revision).await;
                locked(&at_work).remove(&key);
                match settled {
                    // Something else may have been ordered meanwhile.
                    Ok(()) => catalogue.news.notify_one(),
                    Err(refusal) => {
                        tracing::error!(extension = key.1, "what was ordered is not settled: {refusal}");
                    }
                }
            });
        }
        Ok(())
    }

    async fn match_entities(
        &mut self,
        catalogue: &Arc<Catalogue>,
        administrator: &Arc<Extension>,
    ) -> Result<(), Refusal> {
        let ledger = Ledger::read(&*self.store.read()?, administrator.name())?;
        let listing = catalogue.list().extensions.into_iter();
        let listed: BTreeMap<_, _> = listing.map(|listed| (listed.name.clone(), listed)).collect();
        let (core, tending) = (&catalogue.core, &catalogue.tending);
        for (name, id) in &ledger.entities {
            if !listed.contains_key(name) && !ledger.orders.contains_key(name) {
                self.shown.remove(&(Arc::clone(administrator.name()), name.clone()));
                if let Err(refusal) = tending.end(core, administrator.name(), name, *id).await {
                    self.complain(format!("the entity of {name}, which has gone, is not ended: {refusal}"));
                }
            }
        }
        for (name, listed) in listed {
            let order = ledger.orders.get(&name).map(|(order, _)| order.clone());
            let key = (Arc::clone(administrator.name()), name.clone());
            if let Some((Order { problem: Some(_), .. }, revision)) = ledger.orders.get(&name)
                && let Some((_, was, Some(Order { problem: Some(_), .. }))) = self.shown.get(&key)
                && (&was.digest, was.state) != (&listed.digest, listed.state)
            {
                // What could not be done is of no interest any more; unless something else was asked for by now.
                let settled = ledger::settle(administrator.name(), &name, *revision, None);
                match self.store.commit(settled).await {
                    Err(error) if !error.is_conflict() => return Err(error.into()),
                    Ok(_) | Err(_) => {}
                }
                self.shown.remove(&key);
                continue;
            }
            let is_changing = order.as_ref().is_some_and(|order| order.problem.is_none());
            let shown = (administrator.digest(), listed, order);
            match ledger.entities.get(&name) {
                None if !is_changing => {
                    if let Err(refusal) = tending.make(core, administrator, &name).await {
                        self.complain(format!("no entity could be made for {name}: {refusal}"));
                    }
                }
                Some(id) if self.shown.get(&key) != Some(&shown) => core.observe(*id, Cause::Event),
                // It may be about to go.
                None | Some(_) => {}
            }
            self.shown.insert(key, shown);
        }
        Ok(())
    }

    /// Says it once.
    fn complain(&mut self, what: String) {
        if !self.complaints.contains(&what) {
            tracing::error!("{what}");
            self.complaints.insert(what);
        }
    }
}

async fn carry_out(
    catalogue: &Arc<Catalogue>,
    administrator: &str,
    name: &str,
    order: Order,
    revision: Revision,
) -> Result<(), Refusal> {
    let problem = catalogue.carry_out(name, &order.shall).await.err();
    let left = match problem {
        Some(refused) => {
            tracing::error!(extension = name, "what was ordered could not be done: {refused}");
            let order = Order { problem: Some(refused.to_string()), ..order.clone() };
            Some(order.to_bytes().map_err(internal)?)
        }
        None => None,
    };
    match catalogue.tending.store.commit(ledger::settle(administrator, name, revision, left)).await {
        Err(error) if !error.is_conflict() => return Err(error.into()),
        Ok(_) | Err(_) => {}
    }
    if let Shall::Install(release) = &order.shall {
        catalogue.staged.forget(&release.digest);
    }
    Ok(())
}
