//! The catalogue, as the capability `extensions` lends it.

use async_trait::async_trait;
use occi_capability::{Administration, CHANGING, Facts, Ledger};
use occi_catalogue::{Agreed, Catalogue, Listed, Order, Refused, Wish, ledger};
use occi_extension::Fault;
use std::sync::{Arc, OnceLock, Weak};
use uuid::Uuid;

/// The catalogue, once there is one: extensions are loaded before, and may be called.
#[derive(Clone, Default)]
pub(crate) struct Administered(Arc<OnceLock<Weak<Catalogue>>>);

impl Administered {
    /// From now on there is one.
    pub(crate) fn begin(&self, catalogue: &Arc<Catalogue>) {
        self.0.get_or_init(|| Arc::downgrade(catalogue));
    }

    fn catalogue(&self) -> Result<Arc<Catalogue>, Fault> {
        let catalogue = self.0.get().and_then(Weak::upgrade);
        catalogue.ok_or_else(|| Fault::new("unavailable", "the server is starting, or ends"))
    }
}

#[async_trait]
impl Administration for Administered {
    fn ledger(&self) -> Ledger {
        Ledger {
            bucket: ledger::BUCKET,
            entity_of: ledger::entity_of,
            name_of: ledger::name_of,
            order_for: ledger::order_for,
        }
    }

    fn facts(&self, name: &str, order: Option<&[u8]>) -> Result<Option<Facts>, Fault> {
        let listed = self.catalogue()?.find(name);
        let order = order.map(Order::from_bytes).transpose().map_err(|refused| told(&refused))?;
        Ok(match (listed, order) {
            (None, None) => None,
            (Some(listed), None) => Some(facts(listed)),
            (listed, Some(order)) => Some(ordered(name, listed, &order)),
        })
    }

    fn making(&self, entity: Uuid) -> Option<String> {
        self.catalogue().ok()?.making(entity)
    }

    fn is_ending(&self, entity: Uuid) -> bool {
        self.catalogue().is_ok_and(|catalogue| catalogue.is_ending(entity))
    }

    async fn agree(
        &self,
        by: &str,
        name: Option<&str>,
        wish: occi_capability::Wish,
    ) -> Result<occi_capability::Agreed, Fault> {
        let is_removal = matches!(wish, occi_capability::Wish::Remove);
        match self.catalogue()?.agree(by, name, wished(wish)).await {
            Ok(Agreed { listed, order }) => {
                let order = order.map(|order| order.to_bytes()).transpose();
                let order = order.map_err(|refused| told(&refused))?;
                Ok(occi_capability::Agreed { facts: facts(listed), order })
            }
            // It never came to be, or has gone.
            Err(Refused::Unknown { name, .. }) if is_removal => {
                let facts = Facts { name, ..Facts::default() };
                Ok(occi_capability::Agreed { facts, order: None })
            }
            Err(refused) => Err(told(&refused)),
        }
    }
}

fn wished(wish: occi_capability::Wish) -> Wish {
    match wish {
        occi_capability::Wish::Install(content) => Wish::Install(content),
        occi_capability::Wish::RollBack => Wish::RollBack,
        occi_capability::Wish::Enable => Wish::Enable,
        occi_capability::Wish::Disable { leave_entities } => {
            Wish::Disable { leaves_entities: leave_entities }
        }
        occi_capability::Wish::Remove => Wish::Remove,
    }
}

/// An extension of which something was ordered that is not done, or could not be.
fn ordered(name: &str, listed: Option<Listed>, order: &Order) -> Facts {
    let mut facts = listed.map_or_else(
        || {
            let (version, digest) =
                order.brings().map(|(version, digest)| (version.into(), digest.into())).unzip();
            Facts { name: name.to_owned(), version, digest, state: "failed".into(), ..Facts::default() }
        },
        facts,
    );
    match order.problem() {
        Some(problem) => facts.problem = Some(problem.to_owned()),
        None => facts.state = CHANGING.into(),
    }
    facts
}

fn facts(listed: Listed) -> Facts {
    Facts {
        state: crate::ext::word(listed.state).to_owned(),
        name: listed.name,
        version: Some(listed.version),
        publisher: listed.publisher,
        digest: Some(listed.digest),
        previous: listed.previous,
        capabilities: listed.capabilities,
        file: Some(listed.file),
        problem: listed.problem,
        calls: listed.calls,
        failures: listed.failures,
    }
}

/// What a client is told. Where things lie on the server's disk is for its operator.
fn told(refused: &Refused) -> Fault {
    match refused {
        Refused::Load(_) | Refused::Probe(_) => Fault::new("invalid", refused.to_string()),
        Refused::Unknown { .. } => Fault::new("missing", refused.to_string()),
        Refused::Occupied { name, .. } => {
            Fault::new("conflict", format!("there is a file already where that of {name} would be"))
        }
        Refused::SameName { .. }
        | Refused::Replace(_)
        | Refused::HasEntities { .. }
        | Refused::Drops { .. }
        | Refused::NoPrevious(_)
        | Refused::OtherPrevious { .. }
        | Refused::Overtaken { .. }
        | Refused::Removed(_)
        | Refused::SwitchedOff(_)
        | Refused::OtherName { .. }
        | Refused::Itself(_) => Fault::new("conflict", refused.to_string()),
        Refused::Crowded => Fault::new("unavailable", refused.to_string()),
        Refused::File { .. } | Refused::Internal(_) => {
            tracing::error!("what an extension was asked for cannot be done: {refused}");
            Fault::new("failed", "the server cannot do it; its log says why")
        }
    }
}
