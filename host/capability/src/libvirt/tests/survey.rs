//! What all machines use. The test driver has nothing that computes, reads or sends, so the rest is QEMU's to show.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn shown(readings: Result<Readings>) -> Result<Vec<(&'static str, f64)>, &'static str> {
    code(readings).map(|readings| readings.iter().map(|(measure, value)| (measure.name(), value)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_with_power_are_told_of_as_far_as_anything_is_known() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    for number in [2, 1, 3] {
        let plan = MachinePlan { cores: Some(2), memory: Some(64 << 20), ..MachinePlan::default() };
        hypervisor.machine(id(number)).define(plan).await.unwrap();
    }
    let survey = hypervisor.survey().await.unwrap();
    assert_eq!(survey.all(), []);
    for number in [2, 1] {
        hypervisor.machine(id(number)).start().await.unwrap();
    }
    // A machine that is not ours is not told of.
    outside(hypervisor, |live| {
        let foreign =
            "<domain type='test'><name>foreign</name><memory>1024</memory><os><type>hvm</type></os></domain>";
        Ok(Domain::create_xml(&live.connect, foreign, 0).map(drop)?)
    })
    .await;
    let survey = hypervisor.survey_within(Duration::ZERO).await.unwrap();
    let entities: Vec<_> = survey.all().iter().map(|(entity, _)| *entity).collect();
    assert_eq!(entities, [id(1), id(2)], "in order");
    assert_eq!(survey.of(id(3)), None);
    let size = vec![("vcpus", 2.0), ("memory_bytes", f64::from(64 << 20))];
    assert_eq!(shown(Ok(*survey.of(id(1)).unwrap())), Ok(size.clone()));
    assert_eq!(shown(hypervisor.readings(id(1), None).await), Ok(size));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_and_has_nothing_to_read_is_not_missing() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    assert_eq!(shown(hypervisor.readings(id(1), None).await), Err("missing"));
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    // Since the last survey.
    assert_eq!(shown(hypervisor.readings(id(1), None).await), Ok(vec![]));

    hypervisor.volume(id(2)).create(512).await.unwrap();
    assert_eq!(shown(hypervisor.readings(id(12), Some(id(1))).await), Err("missing"));
    machine.attach_volume(id(12), id(2)).await.unwrap();
    assert_eq!(shown(hypervisor.readings(id(12), Some(id(1))).await), Ok(vec![]));
    for (entity, source) in [(id(12), None), (id(12), Some(id(3))), (id(2), None)] {
        assert_eq!(shown(hypervisor.readings(entity, source).await), Err("missing"), "{entity}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_is_kept_for_some_seconds_and_one_is_under_way_at_a_time() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let first = hypervisor.survey().await.unwrap();
    assert!(Arc::ptr_eq(&first, &hypervisor.survey().await.unwrap()));
    let next = hypervisor.survey_within(Duration::ZERO).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &next));
    assert!(Arc::ptr_eq(&next, &hypervisor.survey().await.unwrap()));

    // No long call is answered for a while, so that those who ask come together.
    let hung = Hung::all_long_calls_of(hypervisor).await;
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let hypervisor = hypervisor.clone();
            tokio::spawn(async move { hypervisor.survey_within(Duration::ZERO).await.unwrap() })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    hung.end().await;
    let mut told = Vec::new();
    for asked in asking {
        told.push(asked.await.unwrap());
    }
    assert!(told.iter().all(|survey| Arc::ptr_eq(survey, &told[0])));
    assert!(!Arc::ptr_eq(&told[0], &next));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_begun_for_who_asks_right_after_the_last() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let mut last = hypervisor.survey().await.unwrap();
    for _ in 0..2000 {
        let next = hypervisor.survey_within(Duration::ZERO).await.unwrap();
        assert!(!Arc::ptr_eq(&last, &next));
        last = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_its_time_is_not_waited_for() {
    let (one, other) = (private().await, private().await);
    let last = one.hypervisor.survey().await.unwrap();
    let hung = Hung::all_long_calls_of(&one.hypervisor).await;
    let also_hung = Hung::all_long_calls_of(&other.hypervisor).await;
    let (stale, none) = tokio::join!(one.hypervisor.survey_within(Duration::ZERO), other.hypervisor.survey());
    assert!(Arc::ptr_eq(&stale.unwrap(), &last));
    assert_eq!(code(none.map(drop)), Err("unavailable"));
    hung.end().await;
    also_hung.end().await;
    assert!(!Arc::ptr_eq(&one.hypervisor.survey_within(Duration::ZERO).await.unwrap(), &last));
    other.hypervisor.survey().await.unwrap();
}

/// Calls that are not answered.
struct Hung {
    gate: Arc<std::sync::Barrier>,
    calls: Vec<tokio::task::JoinHandle<Result<()>>>,
}

impl Hung {
    async fn all_long_calls_of(hypervisor: &Hypervisor) -> Self {
        let at_once = HypervisorConfig::default().long.at_once;
        let gate = Arc::new(std::sync::Barrier::new(at_once + 1));
        let begun = Arc::new(AtomicUsize::new(0));
        let call = |_| {
            let (hypervisor, gate, begun) = (hypervisor.clone(), Arc::clone(&gate), Arc::clone(&begun));
            let wait = move |_: &connection::Live| {
                begun.fetch_add(1, Ordering::Relaxed);
                gate.wait();
                Ok(())
            };
            tokio::spawn(async move { hypervisor.workers().call(Lane::Long, Hold::Nothing, wait).await })
        };
        let calls = (0..at_once).map(call).collect();
        while begun.load(Ordering::Relaxed) < at_once {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { gate, calls }
    }

    async fn end(self) {
        tokio::task::spawn_blocking(move || self.gate.wait()).await.unwrap();
        for call in self.calls {
            call.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_hypervisor_that_is_away_is_unavailable() {
    let config =
        HypervisorConfig { uri: "qemu+unix:///system?socket=/nowhere".into(), ..HypervisorConfig::default() };
    let hypervisor = Hypervisor::open(config).await.unwrap();
    assert_eq!(code(hypervisor.survey().await.map(drop)), Err("unavailable"));
    assert_eq!(code(hypervisor.readings(id(1), None).await.map(drop)), Err("unavailable"));
}
