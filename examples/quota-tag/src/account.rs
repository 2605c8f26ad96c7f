//! What is held of a budget, in the key-value store: one key for each compute. So those of one request that go side by side
//! do not write over each other, as they would a sum.

use crate::limits::Amounts;
use occi_sdk::keyvalue::Store;
use occi_sdk::{Fault, Result};

pub(crate) struct Account<'a> {
    budget: &'a str,
    claims: Store,
}

impl<'a> Account<'a> {
    pub(crate) fn open(budget: &'a str) -> Result<Self> {
        Ok(Self { budget, claims: Store::open(budget)? })
    }

    /// What a compute holds.
    pub(crate) fn held_by(&self, id: &str) -> Result<Amounts> {
        let Some(claim) = self.claims.get(id)? else { return Ok(Amounts::default()) };
        parse(&claim).ok_or_else(|| Fault::failed(format!("what {id} holds of {} is lost", self.budget)))
    }

    /// What all others hold together.
    pub(crate) fn held_by_others(&self, id: &str) -> Result<Amounts> {
        let mut together = Amounts::default();
        for other in self.claims.keys()?.iter().filter(|other| *other != id) {
            for (sum, amount) in together.iter_mut().zip(self.held_by(other)?) {
                *sum = sum.saturating_add(amount);
            }
        }
        Ok(together)
    }

    /// Note what a compute holds from now on. Whoever else takes something of the budget at the same time writes `turn`,
    /// too: so the host has one of them begin anew, who then sees what the other holds. The claims alone would not show
    /// that, as each is a key of its own.
    pub(crate) fn enter(&self, id: &str, claimed: Amounts, turn: &str) -> Result<()> {
        Store::open("")?.set(self.budget, turn.as_bytes())?;
        self.claims.set(id, claimed.map(|amount| amount.to_string()).join(" ").as_bytes())
    }

    /// It holds nothing more. That is no one's loss, so it takes no turn.
    pub(crate) fn strike(&self, id: &str) -> Result<()> {
        self.claims.delete(id)
    }
}

fn parse(claim: &[u8]) -> Option<Amounts> {
    let amounts: Option<Vec<i64>> =
        std::str::from_utf8(claim).ok()?.split(' ').map(|amount| amount.parse().ok()).collect();
    amounts?.try_into().ok()
}
