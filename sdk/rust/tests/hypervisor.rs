//! The fake keeps what the contract in `wit/` promises, so that a test on it says something about the real one.

use occi_sdk::keyvalue::Store;
use occi_sdk::machines::{self, Machine, Nic, State};
use occi_sdk::networks::{self, Network};
use occi_sdk::testing::{Entity, Host};
use occi_sdk::volumes::Volume;
use occi_sdk::{End, Fault, Result, config, images};
use std::time::Duration;

struct Nothing;

const KIND: &str = "http://example.com/occi#thing";

/// Something that an extension does in a call.
fn within<R>(host: &Host<Nothing>, entity: &Entity, call: impl Fn() -> Result<R>) -> Result<R> {
    host.call(entity, KIND, |_| call())
}

/// One step in the life of a machine.
type Step = fn(&Machine) -> Result<()>;

fn machine() -> Result<Machine> {
    Machine::define(End::Subject, &machines::Plan::new().cores(2).title("a"))
}

#[test]
fn a_machine_goes_through_its_states() {
    let host = Host::<Nothing>::new();
    let owner = host.resource(KIND);
    within(&host, &owner, || {
        assert!(Machine::open(End::Subject).is_err_and(|fault| fault.is(Fault::MISSING)));
        let machine = machine()?;
        assert_eq!(machine.state()?, State::Off);
        machine.shutdown(Duration::ZERO)?;
        machine.power_off()?;
        for refused in [machine.pause(), machine.save(), machine.reboot(), machine.reset()] {
            assert!(refused.is_err_and(|fault| fault.is(Fault::CONFLICT)), "it is off");
        }
        let steps: [(Step, State, &str); 7] = [
            (Machine::start, State::Running, "booted"),
            (Machine::start, State::Running, "booted"),
            (Machine::reboot, State::Running, "booted"),
            (Machine::pause, State::Paused, "user"),
            (Machine::pause, State::Paused, "user"),
            (Machine::start, State::Running, "unpaused"),
            (Machine::save, State::Saved, "saved"),
        ];
        for (step, state, reason) in steps {
            step(&machine)?;
            assert_eq!((machine.state()?, machine.reason()?), (state, reason.into()));
        }
        assert!(machine.shutdown(Duration::ZERO).is_err_and(|fault| fault.is(Fault::CONFLICT)));
        machine.start()?;
        assert_eq!((machine.state()?, machine.reason()?), (State::Running, "restored".into()));
        Machine::define(End::Subject, &machines::Plan::new().cores(4))?;
        assert_eq!(machine.state()?, State::Running, "a new definition leaves the state alone");
        machine.remove()?;
        assert!(machine.state().is_err_and(|fault| fault.is(Fault::MISSING)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_guest_system_may_be_deaf_and_a_call_may_fail_once() {
    let host = Host::<Nothing>::new();
    let owner = host.resource(KIND);
    within(&host, &owner, || machine()?.start()).unwrap();
    host.meddle(&owner, |machine| machine.deaf = true);
    let ask = || Machine::open(End::Subject)?.shutdown(Duration::from_millis(20));
    assert!(within(&host, &owner, ask).unwrap_err().message.contains("20 ms"));
    let anew = || Machine::open(End::Subject)?.restart(Duration::from_millis(30));
    assert!(within(&host, &owner, anew).unwrap_err().message.contains("30 ms"));
    host.fail("machine.power-off", Fault::unavailable("not now"));
    let cut = || Machine::open(End::Subject)?.power_off();
    assert!(within(&host, &owner, cut).unwrap_err().is(Fault::UNAVAILABLE));
    within(&host, &owner, cut).unwrap();
    assert_eq!(
        host.calls(),
        [
            "machine.define",
            "machine.start",
            "machine.shutdown",
            "machine.restart",
            "machine.power-off",
            "machine.power-off"
        ]
    );
}

#[test]
fn a_volume_has_one_size_at_a_time_and_stays_while_it_is_attached() {
    let host = Host::<Nothing>::new();
    let (owner, disk) = (host.resource(KIND), host.resource(KIND));
    within(&host, &owner, machine).unwrap();
    within(&host, &disk, || {
        let volume = Volume::create(End::Subject, 1024)?;
        Volume::create(End::Subject, 1024)?;
        assert!(Volume::create(End::Subject, 512).is_err_and(|fault| fault.is(Fault::CONFLICT)));
        assert!(volume.resize(512).is_err_and(|fault| fault.is(Fault::INVALID)));
        volume.resize(2048)?;
        assert_eq!((volume.capacity()?, &*volume.format()?), (2048, "qcow2"));
        assert!(
            Volume::create_as(End::Subject, 2048, Some("raw"), None)
                .is_err_and(|fault| fault.is(Fault::CONFLICT))
        );
        assert_eq!(images::make_of_volume(&volume, "Of old")?, "of-old");
        Ok(())
    })
    .unwrap();
    let copy = host.resource(KIND);
    within(&host, &copy, || {
        let create = |bytes, format, image| Volume::create_as(End::Subject, bytes, format, image).map(drop);
        assert!(create(1024, None, Some("of-old")).is_err_and(|fault| fault.is(Fault::INVALID)));
        assert!(create(4096, None, Some("none")).is_err_and(|fault| fault.is(Fault::MISSING)));
        assert!(create(4096, Some("vmdk"), None).is_err_and(|fault| fault.is(Fault::INVALID)));
        create(4096, Some("raw"), Some("of-old"))
    })
    .unwrap();
    let kept = host.volume_as(&copy).unwrap();
    assert_eq!((&*kept.format, kept.image.as_deref()), ("raw", Some("of-old")));
    assert_eq!(host.volume_images(), ["of-old"]);

    let link = host.link(KIND, &owner, &disk);
    let (attach, detach) = (
        || Machine::open(End::Source)?.attach_volume(&Volume::open(End::Target)?),
        || Machine::open(End::Source)?.detach_volume(&Volume::open(End::Target)?),
    );
    assert_eq!(within(&host, &link, attach).unwrap(), "vdb");
    assert_eq!(within(&host, &link, attach).unwrap(), "vdb");
    assert_eq!(within(&host, &host.link(KIND, &owner, &disk), attach).unwrap(), "vdc");
    let remove = || Volume::open(End::Subject)?.remove();
    assert!(within(&host, &disk, remove).unwrap_err().is(Fault::CONFLICT));
    within(&host, &link, detach).unwrap();
    within(&host, &link, detach).unwrap();
    assert_eq!(host.machine(&owner).unwrap().disks.len(), 1);
    host.meddle(&owner, |machine| machine.disks.clear());
    within(&host, &disk, remove).unwrap();
    assert_eq!(host.volume(&disk), None);
}

#[test]
fn a_network_stays_up_while_a_running_machine_uses_it() {
    let host = Host::<Nothing>::new();
    let (owner, net) = (host.resource(KIND), host.resource(KIND));
    within(&host, &owner, machine).unwrap();
    let plan =
        || networks::Plan::new().vlan(7).address("10.0.0.0/8").gateway("10.0.0.1").dhcp(true).title("a");
    within(&host, &net, || Network::define(End::Subject, &plan())?.up()).unwrap();
    within(&host, &net, || Network::define(End::Subject, &plan())).unwrap();
    assert!(host.network(&net).unwrap().active, "a new definition leaves the state alone");

    let link = host.link(KIND, &owner, &net);
    let attach = |mac| {
        within(&host, &link, || Machine::open(End::Source)?.attach_network(&Network::open(End::Target)?, mac))
    };
    let first = attach(Some("52:54:00:aa:bb:cc")).unwrap();
    assert_eq!(first, Nic { device: "eth0".into(), mac: "52:54:00:aa:bb:cc".into() });
    assert_eq!(attach(None).unwrap(), first, "what is attached already answers the interface");

    let (down, remove) = (|| Network::open(End::Subject)?.down(), || Network::open(End::Subject)?.remove());
    within(&host, &owner, || Machine::open(End::Subject)?.start()).unwrap();
    assert!(within(&host, &net, down).unwrap_err().is(Fault::CONFLICT));
    within(&host, &owner, || Machine::open(End::Subject)?.power_off()).unwrap();
    within(&host, &net, down).unwrap();
    assert!(within(&host, &net, remove).unwrap_err().is(Fault::CONFLICT));
    within(&host, &link, || Machine::open(End::Source)?.detach_network(&Network::open(End::Target)?))
        .unwrap();
    within(&host, &net, remove).unwrap();
    assert_eq!(host.network(&net), None);
}

#[test]
fn a_machine_has_room_for_so_many_devices() {
    let host = Host::<Nothing>::new();
    let (owner, disk) = (host.resource(KIND), host.resource(KIND));
    within(&host, &owner, machine).unwrap();
    within(&host, &disk, || Volume::create(End::Subject, 512)).unwrap();
    let attach = || Machine::open(End::Source)?.attach_volume(&Volume::open(End::Target)?);
    let answers = (0..26).map(|_| within(&host, &host.link(KIND, &owner, &disk), attach));
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers[24].as_deref(), Ok("vdz"));
    assert!(answers[25].as_ref().is_err_and(|fault| fault.is(Fault::CONFLICT)));
}

#[test]
fn a_store_keeps_what_is_put_into_it() {
    let host = Host::<Nothing>::new();
    let owner = host.resource(KIND);
    within(&host, &owner, || {
        let store = Store::open("")?;
        assert_eq!(store.get("a")?, None);
        store.set("a", b"1")?;
        store.set("b", b"2")?;
        assert_eq!((store.get("a")?, store.exists("b")?), (Some(b"1".to_vec()), true));
        store.delete("b")?;
        store.delete("b")?;
        assert_eq!(Store::open("")?.keys()?, ["a"]);
        assert!(Store::open("other")?.keys()?.is_empty());
        Ok(())
    })
    .unwrap();
    host.fail("keyvalue.get", Fault::failed("the disk is full"));
    let fault = within(&host, &owner, || Store::open("")?.get("a")).unwrap_err();
    assert_eq!((fault.code.as_str(), fault.message.as_str()), ("failed", "the disk is full"));
}

#[test]
fn a_configuration_is_what_was_set() {
    let host = Host::<Nothing>::new();
    let owner = host.resource(KIND);
    host.configure("region", "north");
    within(&host, &owner, || {
        assert_eq!((config::get("region")?.as_deref(), config::get("zone")?), (Some("north"), None));
        assert_eq!(config::all()?, [("region".to_owned(), "north".to_owned())]);
        Ok(())
    })
    .unwrap();
    host.fail("config.get", Fault::failed("it cannot be read"));
    assert_eq!(within(&host, &owner, || config::get("region")).unwrap_err().message, "it cannot be read");
}
