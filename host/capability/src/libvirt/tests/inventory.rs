//! What is ours at the hypervisor, what is not, and what happens to it without us.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_holds_what_is_ours() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    assert_eq!(hypervisor.inventory().await, Ok(Inventory::default()));
    foreign_machine(hypervisor, "test", id(77)).await;
    hypervisor.machine(id(2)).define(MachinePlan::default()).await.unwrap();
    hypervisor.machine(id(1)).define(MachinePlan::default()).await.unwrap();
    hypervisor.machine(id(1)).start().await.unwrap();
    hypervisor.volume(id(3)).create(512).await.unwrap();
    hypervisor.network(id(4)).define(NetworkPlan::default()).await.unwrap();
    hypervisor.machine(id(2)).attach_volume(id(5), id(3)).await.unwrap();
    let place = volume::Place::of(hypervisor.config());
    outside(hypervisor, move |live| {
        let side = side::Side { live, place: &place };
        side.mark_arrived(&name::of(id(3)))?;
        side.announce(&name::of(id(6)))?;
        // Of nothing that is ours.
        side.announce("theirs")
    })
    .await;
    let found = |machine, state| Found { machine, state, cores: 1 };
    let inventory = Inventory {
        machines: vec![found(id(1), State::Running), found(id(2), State::Off)],
        own_disks: Vec::new(),
        volumes: vec![FoundVolume { volume: id(3), name: name::of(id(3)), capacity: 512 }],
        networks: vec![(id(4), false)],
        attachments: vec![Attached { machine: id(2), attachment: id(5), to: name::of(id(3)), live: false }],
        arrivals: vec![
            Arrival { name: name::of(id(3)), is_whole: true },
            Arrival { name: name::of(id(6)), is_whole: false },
        ],
    };
    assert_eq!(hypervisor.inventory().await, Ok(inventory));
}

async fn foreign_machine(hypervisor: &Hypervisor, name: &'static str, id: Uuid) {
    outside(hypervisor, move |live| {
        let xml = format!(
            "<domain type='test'><name>{name}</name><uuid>{id}</uuid><memory>1024</memory><os><type>hvm</type></os></domain>"
        );
        Ok(Domain::define_xml(&live.connect, &xml).map(drop)?)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_left_alone() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    // One has the id of an entity and another name, the other the name and another id.
    foreign_machine(hypervisor, "theirs", id(1)).await;
    foreign_machine(hypervisor, Box::leak(name::of(id(2)).into_boxed_str()), id(99)).await;
    for machine in [hypervisor.machine(id(1)), hypervisor.machine(id(2))] {
        assert_eq!(code(machine.define(MachinePlan::default()).await), Err("conflict"));
    }
    assert_eq!(code(hypervisor.machine(id(1)).remove().await), Err("conflict"));
    hypervisor.machine(id(2)).remove().await.unwrap();
    outside(hypervisor, |live| {
        for id in [id(1), id(99)] {
            Domain::lookup_by_uuid(&live.connect, id)?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_without_us_is_told() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, network) = (hypervisor.machine(id(1)), hypervisor.network(id(2)));
    foreign_machine(hypervisor, "theirs", id(9)).await;
    let mut events = hypervisor.events();
    machine.define(MachinePlan::default()).await.unwrap();
    network.define(NetworkPlan::default()).await.unwrap();
    outside(hypervisor, |live| {
        Domain::lookup_by_uuid(&live.connect, id(9))?.create()?;
        Domain::lookup_by_uuid(&live.connect, id(1))?.create()?;
        Ok(())
    })
    .await;
    // That they were defined, and that another's machine starts, is nobody's news.
    let mut next = async || timeout(Duration::from_secs(5), events.next()).await.unwrap();
    assert_eq!(next().await, Some(Event::Changed(id(1))));
    outside(hypervisor, |live| {
        virt::network::Network::lookup_by_uuid(&live.connect, id(2))?.create()?;
        Ok(())
    })
    .await;
    assert_eq!(next().await, Some(Event::Changed(id(2))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_too_slow_is_told_to_look_at_everything() {
    let herald = events::Herald::new();
    let mut events = herald.listen();
    for _ in 0..10_000 {
        herald.tell(Event::Changed(id(1)));
    }
    assert_eq!(events.next().await, Some(Event::Missed));
    drop(herald);
    while let Some(event) = events.next().await {
        assert_eq!(event, Event::Changed(id(1)));
    }
}
