//! What is kept of the entities that stand for extensions: for which one each stands, and what was ordered. It is in the
//! key-value data of the extension that defines them, as the capability `extensions` writes it there with each operation;
//! the bucket's name is one that no guest can open.

use crate::order::Order;
use occi_operation::Caller;
use occi_store::{Batch, Bucket, Expect, ReadView, Revision, StoreError, keys};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The bucket.
pub const BUCKET: &str = "extensions/";

/// The key of the entity that stands for an extension.
pub fn entity_of(name: &str) -> String {
    format!("entity/{name}")
}

/// The key of the extension for which an entity stands.
pub fn name_of(entity: Uuid) -> String {
    format!("name/{entity}")
}

/// The key of what was ordered for an extension.
pub fn order_for(name: &str) -> String {
    format!("order/{name}")
}

/// All of it, of one administering extension.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) entities: BTreeMap<String, Uuid>,
    /// With the revision in which each was written.
    pub(crate) orders: BTreeMap<String, (Order, Revision)>,
}

impl Ledger {
    pub(crate) fn read(view: &dyn ReadView, administrator: &str) -> Result<Self, StoreError> {
        let mut ledger = Self::default();
        for (key, found) in bucket(administrator).list(view, None, usize::MAX)? {
            if let Some(name) = key.strip_prefix("entity/") {
                let id = std::str::from_utf8(&found.value).ok().and_then(|id| Uuid::parse_str(id).ok());
                ledger.entities.extend(id.map(|id| (name.to_owned(), id)));
            } else if let Some(name) = key.strip_prefix("order/") {
                match Order::from_bytes(&found.value) {
                    Ok(order) => drop(ledger.orders.insert(name.to_owned(), (order, found.revision))),
                    Err(error) => tracing::error!(extension = name, "an order cannot be read: {error}"),
                }
            }
        }
        Ok(ledger)
    }

    /// Whether that key of the store is in the ledger of that extension.
    pub(crate) fn holds(administrator: &str, key: &[u8]) -> bool {
        key.starts_with(&keys::bucket(Caller::DEFAULT_TENANT, administrator, BUCKET))
    }
}

fn bucket(administrator: &str) -> Bucket {
    Bucket::new(Caller::DEFAULT_TENANT, administrator, BUCKET)
}

/// The order is done with, or could not be carried out; unless there is another by now.
pub(crate) fn settle(administrator: &str, name: &str, over: Revision, left: Option<Vec<u8>>) -> Batch {
    let (bucket, key, mut batch) = (bucket(administrator), order_for(name), Batch::new());
    bucket.expect(&mut batch, &key, Expect::Revision(over));
    match left {
        Some(order) => bucket.put(&mut batch, &key, order),
        None => bucket.delete(&mut batch, &key),
    }
    batch
}

/// No entity stands for that extension any more, nor does that entity for any.
pub(crate) fn forget(administrator: &str, name: &str, entity: Uuid) -> Batch {
    let (bucket, mut batch) = (bucket(administrator), Batch::new());
    bucket.delete(&mut batch, &entity_of(name));
    bucket.delete(&mut batch, &name_of(entity));
    batch
}
