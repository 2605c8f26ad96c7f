//! What a tenant may have at most: of an attribute's values over all its entities of a category, or of the entities themselves.
//!
//! What there is is counted once, when it is first asked for, and then kept by the commits; this process alone writes to the store.
//! What is under way counts as if it were there already, so two that fit one by one do not pass together.

use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use arc_swap::ArcSwap;
use occi_model::{AttributeName, CategoryId, Entity, Value};
use occi_store::{Entities, Portion, ReadView, Set, StoreError};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What each tenant may have at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowance {
    /// Of entities of that Kind, or with that Mixin.
    pub category: CategoryId,
    /// The sum of this attribute's values; the number of the entities where there is none.
    pub attribute: Option<AttributeName>,
    /// So much.
    pub most: f64,
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            Some(attribute) => write!(f, "{} of {attribute} in all of {}", self.most, self.category),
            None => write!(f, "{} of {}", self.most, self.category),
        }
    }
}

/// Amounts are counted in billionths, so that sums of fractions come out even.
type Amount = i128;

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is beyond the range stops at its end, and is no amount"
)]
fn amount(number: f64) -> Amount {
    (number * 1e9).round() as Amount
}

impl Allowance {
    /// How much of it an entity takes.
    fn taken(&self, snapshot: &Snapshot, entity: &Entity) -> Amount {
        if entity.kind != self.category
            && !snapshot.registry().mixins_of(entity).any(|id| *id == self.category)
        {
            return 0;
        }
        let Some(attribute) = &self.attribute else { return amount(1.0) };
        match entity.get(attribute.as_str()) {
            #[expect(
                clippy::cast_precision_loss,
                reason = "no quota is beyond the range in which integers are exact"
            )]
            Some(Value::Integer(number)) => amount(number as f64),
            Some(Value::Number(number)) => amount(number),
            _ => 0,
        }
    }
}

/// What a tenant has of one allowance.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// What is committed.
    has: Amount,
    /// What operations under way may come to take.
    claimed: Amount,
}

type Key = (Arc<str>, usize);

/// All allowances, and what is had of them.
#[derive(Debug, Default)]
pub(crate) struct Allowances {
    rules: ArcSwap<Vec<Allowance>>,
    held: Mutex<HashMap<Key, Held>>,
}

/// What an operation may come to take. It is free again when this goes.
#[derive(Debug, Default)]
pub(crate) struct Claim {
    of: Option<Arc<Allowances>>,
    claimed: Vec<(Key, Amount)>,
}

/// By how much a tenant has more, by the allowance's number.
pub(crate) type Taken = HashMap<Key, Amount>;

impl Allowances {
    pub(crate) fn set(&self, rules: Vec<Allowance>) {
        self.rules.store(Arc::new(rules));
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Claims what entities would take that become others; none is one that is new, or that goes.
    pub(crate) fn claim<'e>(
        self: &Arc<Self>,
        read: impl Fn() -> Result<Arc<dyn ReadView>, StoreError>,
        snapshot: &Snapshot,
        changes: impl Iterator<Item = (Option<&'e Entity>, &'e Entity)>,
    ) -> Result<Claim, Refusal> {
        let rules = self.rules.load();
        if rules.is_empty() {
            return Ok(Claim::default());
        }
        let mut taken = Taken::new();
        for (before, after) in changes {
            count(&rules, &mut taken, snapshot, before, Some(after));
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut claim = Claim { of: Some(Arc::clone(self)), claimed: Vec::new() };
        for (key, more) in taken.into_iter().filter(|(_, more)| *more > 0) {
            let (rule, has) = (&rules[key.1], look(&mut held, &read, snapshot, &rules, &key)?);
            let left = (amount(rule.most) - has.has - has.claimed).max(0);
            if more > left {
                // What is claimed already is free again, which takes the lock.
                drop(held);
                let (left, asked) = (shown(left), shown(more));
                return Err(Refusal::Allowance { allowance: rule.to_string(), left, asked });
            }
            has.claimed += more;
            claim.claimed.push((key, more));
        }
        drop(held);
        Ok(claim)
    }

    /// Adds what a change makes of it, to be kept once it is committed.
    pub(crate) fn count(
        &self,
        taken: &mut Taken,
        snapshot: &Snapshot,
        before: Option<&Entity>,
        after: Option<&Entity>,
    ) {
        let rules = self.rules.load();
        if !rules.is_empty() {
            count(&rules, taken, snapshot, before, after);
        }
    }

    /// It is committed. What was not asked for yet is counted when it is.
    pub(crate) fn keep(&self, taken: Taken) {
        if taken.is_empty() {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, more) in taken {
            if let Some(held) = held.get_mut(&key) {
                held.has += more;
            }
        }
    }
}

fn count(
    rules: &[Allowance],
    taken: &mut Taken,
    snapshot: &Snapshot,
    before: Option<&Entity>,
    after: Option<&Entity>,
) {
    let Some(tenant) = after.or(before).map(|entity| &entity.tenant) else { return };
    for (number, rule) in rules.iter().enumerate() {
        let by = |entity: Option<&Entity>| entity.map_or(0, |entity| rule.taken(snapshot, entity));
        let more = by(after) - by(before);
        if more != 0 {
            *taken.entry((Arc::clone(tenant), number)).or_default() += more;
        }
    }
}

/// What is had of one, counted where nobody has asked before.
fn look<'h>(
    held: &'h mut HashMap<Key, Held>,
    read: impl Fn() -> Result<Arc<dyn ReadView>, StoreError>,
    snapshot: &Snapshot,
    rules: &[Allowance],
    key: &Key,
) -> Result<&'h mut Held, Refusal> {
    if !held.contains_key(key) {
        // With the lock held: who commits has come by here before, or is counted.
        let (view, rule) = (read()?, &rules[key.1]);
        let entities = Entities::new(&*view, &key.0);
        let (mut has, mut after) = (0, None);
        loop {
            let page = entities.list(Set::Category(&rule.category), &Portion::page(after, PORTION))?;
            has += page.items.iter().map(|stored| rule.taken(snapshot, &stored.entity)).sum::<Amount>();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        held.insert(key.clone(), Held { has, claimed: 0 });
    }
    Ok(held.entry(key.clone()).or_default())
}

/// How many entities are counted at a time.
const PORTION: usize = 1000;

/// An amount for people.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn shown(amount: Amount) -> f64 {
    amount as f64 / 1e9
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(of) = &self.of else { return };
        let mut held = of.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, more) in self.claimed.drain(..) {
            if let Some(held) = held.get_mut(&key) {
                held.claimed -= more;
            }
        }
    }
}
