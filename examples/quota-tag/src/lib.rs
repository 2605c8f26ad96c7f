//! Budgets: how many computes, cores and memory those may have together that carry the Mixin. README.md walks through it.

mod account;
mod limits;
#[cfg(test)]
mod tests;

use account::Account;
use limits::{Amounts, Limits, MIB_IN_GIB};
use occi_sdk::{AttributeSet, Attributes, Change, Lifecycle, Read, Result, Subject, metrics};

/// What a compute claims, and of which budget.
#[derive(AttributeSet)]
#[occi(prefix = "occi.compute")]
struct Claim {
    #[occi(name = "com.example.quota.budget")]
    budget: String,
    cores: i64,
    memory: f64,
}

struct Quota;

impl Lifecycle for Quota {
    fn create(subject: &Subject) -> Result<Change> {
        Claim::read(subject)?.enter(subject)?;
        Ok(Change::new())
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        let claim = Claim::read(&wanted.over(subject))?;
        claim.enter(subject)?;
        match subject.text(Claim::BUDGET) {
            Some(left) if left != claim.budget => Account::open(&left)?.strike(&subject.id())?,
            Some(_) | None => {}
        }
        Ok(Change::new())
    }

    fn delete(subject: &Subject) -> Result<()> {
        let budget = subject.text(Claim::BUDGET);
        budget.map_or(Ok(()), |budget| Account::open(&budget)?.strike(&subject.id()))
    }
}

occi_sdk::export!(Quota: lifecycle);

impl Claim {
    /// Have it counted, in place of what was counted for that compute; refused where the budget would be exceeded.
    fn enter(&self, subject: &Subject) -> Result<()> {
        let limits = Limits::of(&self.budget)?;
        let (account, id) = (Account::open(&self.budget)?, subject.id());
        let (claimed, held) = (self.amounts(), account.held_by(&id)?);
        let others = account.held_by_others(&id)?;
        if let Err(refused) = limits.check(&self.budget, claimed, held, others) {
            // For an operator who wonders whether the budgets are too small. A figure that is lost changes no answer.
            _ = metrics::count("refusals", 1);
            return Err(refused);
        }
        account.enter(&id, claimed, subject.operation())
    }

    fn amounts(&self) -> Amounts {
        #[allow(clippy::cast_possible_truncation, reason = "it ends at the greatest, which no budget has")]
        let memory = (self.memory * MIB_IN_GIB).ceil() as i64;
        [1, self.cores, memory]
    }
}
