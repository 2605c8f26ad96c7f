//! Versions of one extension, each in place of the one before.

use super::{loader, tenant};
use crate::{Caller, CannotReplace, Change, Core, Place, Progress, Refusal, Replaced, Replacement, Tried};
use occi_extension::{Extension, Loader};
use occi_guest::Guest;
use occi_guest::boxes::{COLOR, COLOUR, manifest, renaming};
use occi_model::{AttributeName, CategoryDraft, CategoryId, Draft, Item, Location, Value};
use occi_store::{Batch, Entities, Options, Portion, RedbStore, Set, Store, Stored};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const KIND: &str = "http://example.com/occi#box";

/// A core on a store in memory, and what loads extensions for it.
struct Cloud {
    core: Arc<Core>,
    loader: Loader,
    _compiled: tempfile::TempDir,
}

impl Cloud {
    /// With the first version, and that many boxes.
    async fn new(boxes: usize) -> Self {
        let (loader, compiled) = loader();
        let store: Arc<dyn Store> = Arc::new(RedbStore::in_memory(&Options::default()).unwrap());
        let first = Arc::new(loader.manifest(&manifest("1.0.0", COLOUR, "")).unwrap());
        let core = Core::start(store, vec![first]).unwrap();
        let cloud = Self { core, loader, _compiled: compiled };
        for number in 0..boxes {
            cloud.create(&format!("red {number}")).await.unwrap();
        }
        cloud
    }

    async fn create(&self, colour: &str) -> Result<(), Refusal> {
        create(&self.core, colour).await
    }

    async fn replace(&self, next: Arc<Extension>) -> Result<Replaced, CannotReplace> {
        self.replace_as(Some(next), false).await
    }

    async fn replace_as(
        &self,
        next: Option<Arc<Extension>>,
        leaves_entities: bool,
    ) -> Result<Replaced, CannotReplace> {
        self.core.replace(replacement(next, leaves_entities, Arc::default())).await
    }

    /// The same where no time is left for what is to be done while all wait.
    async fn replace_at_once(
        &self,
        next: &Arc<Extension>,
        tried: Arc<Tried>,
    ) -> Result<Replaced, CannotReplace> {
        self.core.replace_now(replacement(Some(Arc::clone(next)), false, tried), Duration::ZERO).await
    }

    fn component(&self, guest: &Guest) -> Arc<Extension> {
        Arc::new(self.loader.component(&guest.build()).unwrap())
    }

    fn data(&self, manifest: &str) -> Arc<Extension> {
        Arc::new(self.loader.manifest(manifest).unwrap())
    }

    fn boxes(&self) -> Vec<Stored> {
        let view = self.core.read().unwrap();
        let kind = CategoryId::parse(KIND).unwrap();
        Entities::new(&*view, &tenant()).list(Set::Category(&kind), &Portion::default()).unwrap().items
    }

    /// How many boxes have which of the two attributes.
    fn counts(&self) -> (usize, usize) {
        let boxes = self.boxes();
        let having = |name: &str| boxes.iter().filter(|stored| stored.entity.get(name).is_some()).count();
        (having(COLOUR), having(COLOR))
    }

    /// Whether what was to be committed with the replacement is.
    fn is_recorded(&self) -> bool {
        !occi_store::extensions(&*self.core.read().unwrap()).unwrap().is_empty()
    }
}

fn replacement(next: Option<Arc<Extension>>, leaves_entities: bool, tried: Arc<Tried>) -> Replacement {
    let mut record = Batch::new();
    occi_store::put_extension(&mut record, "box", "said");
    let left = [COLOUR, COLOR].map(|name| AttributeName::parse(name).unwrap()).into();
    Replacement { name: "box".into(), next, leaves_entities, left, tried, record }
}

async fn create(core: &Arc<Core>, colour: &str) -> Result<(), Refusal> {
    let kind = CategoryId::parse(KIND).unwrap();
    let item = Item {
        categories: vec![CategoryDraft::new(kind.clone(), None)],
        attributes: [(AttributeName::parse(COLOUR).unwrap(), Value::from(colour))].into(),
        ..Item::default()
    };
    let draft = Draft { items: vec![item], ..Draft::default() };
    core.change(&Caller::default(), Change::Create { place: Place::Kind(kind), draft }).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_only_adds_takes_over() {
    let cloud = Cloud::new(3).await;
    let more = r#"
        [kind.attributes."com.example.box.size"]
        type = "integer"
        mutable = true
        default = 1
    "#;
    let replaced = cloud.replace(cloud.data(&manifest("1.1.0", COLOUR, more))).await.unwrap();
    assert_eq!((replaced.was.unwrap().version().to_string(), replaced.migrated), ("1.0.0".into(), 0));
    assert_eq!(cloud.core.snapshot().extensions()[0].version().to_string(), "1.1.0");
    assert!(cloud.is_recorded());
    cloud.create("red").await.unwrap();
    let boxes = cloud.boxes();
    let made_by = |stored: &Stored| stored.made_by.as_ref().unwrap().version.clone();
    assert_eq!(boxes.iter().map(made_by).collect::<Vec<_>>(), ["1.0.0", "1.0.0", "1.0.0", "1.1.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_attribute_is_brought_over() {
    let cloud = Cloud::new(300).await;
    let replaced = cloud.replace(cloud.component(&renaming("2.0.0"))).await.unwrap();
    assert_eq!(replaced.migrated, 300);
    assert_eq!(cloud.counts(), (0, 300));
    for (number, stored) in cloud.boxes().iter().enumerate() {
        assert_eq!(stored.entity.get(COLOR), Some(Value::Text(format!("red {number}"))));
        assert_eq!(stored.made_by.as_ref().unwrap().version, "2.0.0");
    }
    assert!(matches!(cloud.create("red").await, Err(Refusal::Violations(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_over_everything_stays() {
    let cloud = Cloud::new(3).await;
    let refused = cloud.replace(cloud.data(&manifest("2.0.0", COLOR, ""))).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "3 entities do not fit it: the attribute com.example.box.colour is not one of http://example.com/occi#box (3 \
         entities, such as LOCATION); define what they have, or export `occi:extension/migrate` to bring them over"
            .replace("LOCATION", cloud.boxes()[0].entity.location.as_str())
    );
    assert_eq!((cloud.counts(), cloud.is_recorded()), ((3, 0), false));
    cloud.create("red").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_brought_over_keeps_all_back() {
    let cloud = Cloud::new(50).await;
    cloud.create("trap").await.unwrap();
    cloud.create("red").await.unwrap();
    let CannotReplace::Breaks(breaks) = cloud.replace(cloud.component(&renaming("2.0.0"))).await.unwrap_err()
    else {
        panic!("it is not refused for what it breaks")
    };
    assert_eq!(breaks.entities(), 1);
    assert!(breaks.to_string().contains("extension box failed: wasm trap: wasm `unreachable`"), "{breaks}");
    assert_eq!((cloud.counts(), cloud.is_recorded()), ((52, 0), false));
    assert_eq!(cloud.core.snapshot().extensions()[0].version().to_string(), "1.0.0");
    cloud.create("red").await.unwrap();
}

/// Each failure may take a second.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_again_and_again_is_not_tried_on_all() {
    let cloud = Cloud::new(0).await;
    for _ in 0..40 {
        cloud.create("trap").await.unwrap();
    }
    let CannotReplace::Breaks(breaks) = cloud.replace(cloud.component(&renaming("2.0.0"))).await.unwrap_err()
    else {
        panic!("it is not refused for what it breaks")
    };
    assert!((3..=11).contains(&breaks.entities()), "{breaks}");
    let untried = format!("{} more were not tried", 40 - breaks.entities());
    assert!(breaks.to_string().contains(&untried), "{breaks}");
    assert_eq!(cloud.counts(), (40, 0));
}

/// While requests wait, only that is brought over which has changed since it was tried.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_tried_is_as_it_was_tried() {
    let cloud = Cloud::new(2).await;
    cloud.create("slow").await.unwrap();
    let next = cloud.component(&renaming("2.0.0"));
    let wanted = replacement(Some(Arc::clone(&next)), false, Arc::default());
    let tried = cloud.core.try_replacement(Duration::from_mins(1), &wanted, &[]).await.unwrap();
    assert_eq!(cloud.counts(), (3, 0));
    cloud.create("slow").await.unwrap();
    let refused = cloud.replace_at_once(&next, tried.into()).await.unwrap_err();
    let none = Progress { brought: 0, of: 1, within: Duration::ZERO };
    assert!(matches!(&refused, CannotReplace::Restless(progress) if *progress == none), "{refused}");
    assert_eq!((cloud.counts(), cloud.is_recorded()), ((4, 0), false));

    let tried = cloud.core.try_replacement(Duration::from_mins(1), &wanted, &[]).await.unwrap();
    let other = cloud.component(&renaming("2.0.1"));
    let refused = cloud.replace_at_once(&other, tried.into()).await.unwrap_err();
    assert!(matches!(refused, CannotReplace::Restless(Progress { of: 4, .. })), "{refused}");

    let tried = cloud.core.try_replacement(Duration::from_mins(1), &wanted, &[]).await.unwrap();
    assert_eq!(cloud.replace_at_once(&next, tried.into()).await.unwrap().migrated, 4);
    assert_eq!(cloud.counts(), (0, 4));
}

/// Nobody waits longer than a moment for what is under way for one of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_waited_for_before() {
    let cloud = Cloud::new(3).await;
    let next = cloud.component(&renaming("2.0.0"));
    let busy = cloud.boxes()[1].entity.clone();
    let under_way = cloud.core.locks.lock([busy.id]).await;
    let refused = cloud.replace(Arc::clone(&next)).await.unwrap_err();
    assert!(matches!(&refused, CannotReplace::Busy { such_as } if *such_as == busy.location), "{refused}");
    cloud.create("red").await.unwrap();
    assert_eq!(cloud.counts(), (4, 0));

    let wanted = replacement(Some(Arc::clone(&next)), false, Arc::default());
    let mut trial = Box::pin(cloud.core.try_replacement(Duration::from_mins(1), &wanted, &[]));
    assert!(timeout(Duration::from_millis(500), &mut trial).await.is_err());
    drop(under_way);
    let tried = trial.await.unwrap();
    assert_eq!(cloud.replace_at_once(&next, tried.into()).await.unwrap().migrated, 4);
}

/// Where they change faster than they can be tried, that does not go on for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_all_the_time_is_brought_over() {
    let cloud = Cloud::new(0).await;
    for _ in 0..40 {
        cloud.create("slow").await.unwrap();
    }
    let (core, boxes) = (Arc::clone(&cloud.core), cloud.boxes());
    let client = tokio::spawn(async move {
        for round in 0.. {
            for stored in &boxes {
                let colour = (AttributeName::parse(COLOUR).unwrap(), Value::from(format!("slow {round}")));
                let item = Item { attributes: [colour].into(), ..Item::default() };
                let (path, draft) =
                    (stored.entity.location.clone(), Draft { items: vec![item], ..Draft::default() });
                let change = Change::Update { path, draft, condition: crate::Condition::None };
                match core.change(&Caller::default(), change).await {
                    Ok(_) => {}
                    // It has another name by now.
                    Err(Refusal::Violations(_)) => return,
                    Err(other) => panic!("{other}"),
                }
                sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let next = cloud.component(&renaming("2.0.0"));
    let wanted = replacement(Some(Arc::clone(&next)), false, Arc::default());
    let tried = cloud.core.try_replacement(Duration::from_mins(1), &wanted, &[]).await.unwrap();
    let replaced = cloud.core.replace(replacement(Some(next), false, tried.into())).await.unwrap();
    assert_eq!((replaced.migrated, cloud.counts()), (40, (0, 40)));
    client.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_has_an_end() {
    let cloud = Cloud::new(0).await;
    for _ in 0..20 {
        cloud.create("slow").await.unwrap();
    }
    let wanted = replacement(Some(cloud.component(&renaming("2.0.0"))), false, Arc::default());
    let refused = cloud.core.try_replacement(Duration::ZERO, &wanted, &[]).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "its `migrate` has brought over only 0 of 20 entities in 0 s, and has no more time; make it faster"
    );
    cloud.create("slow").await.unwrap();
    assert_eq!(cloud.counts(), (21, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_leaves_entities_only_where_it_may() {
    let cloud = Cloud::new(2).await;
    let refused = cloud.replace_as(None, false).await.unwrap_err();
    assert!(matches!(refused, CannotReplace::InUse { entities: 2, .. }), "{refused}");
    cloud.create("red").await.unwrap();

    cloud.replace_as(None, true).await.unwrap();
    let location = cloud.boxes()[0].entity.location.clone();
    cloud.core.retrieve(&Caller::default(), &location).unwrap();
    let delete = |path: &Location| Change::Delete { path: path.clone(), condition: crate::Condition::None };
    let refused = cloud.core.change(&Caller::default(), delete(&location)).await.unwrap_err();
    assert!(matches!(refused, Refusal::NotLoaded(_)), "{refused}");

    cloud.replace(cloud.data(&manifest("1.0.0", COLOUR, ""))).await.unwrap();
    for stored in cloud.boxes() {
        cloud.core.change(&Caller::default(), delete(&stored.entity.location)).await.unwrap();
    }
    cloud.replace_as(None, false).await.unwrap();
    assert!(cloud.core.snapshot().extensions().is_empty());
}

/// What was left by one version is held against the next as if that had served until now.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_comes_after_an_absence_brings_over_what_was_left() {
    let cloud = Cloud::new(3).await;
    cloud.replace_as(None, true).await.unwrap();
    let refused = cloud.replace(cloud.data(&manifest("2.0.0", COLOR, ""))).await.unwrap_err();
    assert!(
        refused.to_string().contains("3 entities do not fit it: the attribute com.example.box.colour"),
        "{refused}"
    );
    assert!(cloud.core.snapshot().extensions().is_empty());
    let replaced = cloud.replace(cloud.component(&renaming("2.0.0"))).await.unwrap();
    assert_eq!((replaced.migrated, cloud.counts()), (3, (0, 3)));
    for stored in cloud.boxes() {
        assert_eq!(stored.made_by.unwrap().version, "2.0.0");
    }
    // The same version may always come back.
    cloud.replace_as(None, true).await.unwrap();
    let back = cloud.replace(cloud.component(&renaming("2.0.0"))).await.unwrap();
    assert_eq!(back.migrated, 0);
}

/// Whoever creates meanwhile is told by one version or the other, and leaves nothing that does not fit.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_under_way_is_no_way_around() {
    for _ in 0..10 {
        let cloud = Cloud::new(20).await;
        let creators: Vec<_> = (0..4)
            .map(|_| {
                let core = Arc::clone(&cloud.core);
                tokio::spawn(async move {
                    let mut made = 0;
                    loop {
                        match create(&core, "blue").await {
                            Ok(()) => made += 1,
                            Err(Refusal::Violations(_)) => return made,
                            Err(other) => panic!("{other}"),
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        cloud.replace(cloud.component(&renaming("2.0.0"))).await.unwrap();
        let mut made = 20;
        for creator in creators {
            made += creator.await.unwrap();
        }
        assert_eq!(cloud.counts(), (0, made));
    }
}
