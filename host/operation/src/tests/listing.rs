//! Listings that are read slowly.

use super::{KIND, entity, of_the_kind, tenant};
use crate::{Caller, Collection};
use occi_model::{CategoryId, Filter};
use occi_store::{Batch, Entities};
use std::time::Duration;
use uuid::Uuid;

/// What is left of a listing is read as it is later, once the moment that it showed is let go: nothing is shown twice, and
/// what has gone is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_moment_is_let_go() {
    const ALL: u128 = 1000;
    let cloud =
        super::Cloud::new(&[of_the_kind()], (1..=ALL).map(|number| entity(number, "calm", &[]))).await;
    let kind = Collection::Kind(CategoryId::parse(KIND).unwrap());
    let list = || cloud.core.list(&Caller::default(), kind.clone(), Filter::default(), None).unwrap();
    let (mut held, mut limited) = (list(), list());
    limited.limit(Duration::from_millis(10));
    let read = |listing: &mut crate::Listing| {
        let mut all = Vec::new();
        while let Some(some) = listing.locations().unwrap() {
            all.extend(some);
        }
        all
    };
    let mut shown = limited.locations().unwrap().unwrap();
    let first = held.locations().unwrap().unwrap();
    assert_eq!(shown, first);

    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut batch = Batch::new();
    for number in [1, ALL] {
        let view = cloud.core.read().unwrap();
        let stored = Entities::new(&*view, &tenant()).get(Uuid::from_u128(number)).unwrap().unwrap();
        occi_store::delete_entity(&mut batch, &stored).unwrap();
    }
    cloud.core.commit(batch).await.unwrap();

    let rest = read(&mut held);
    assert_eq!(first.len() + rest.len(), 1000, "one moment");
    shown.extend(read(&mut limited));
    assert_eq!(shown.len(), 999, "what was shown before it went, and not what went before it was");
    assert_eq!(shown[..], [first, rest].concat()[..999]);
}
