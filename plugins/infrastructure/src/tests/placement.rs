//! Where machines are wanted to be, and what is shown when their hypervisor is away.

use super::*;
use occi_sdk::Cause;
use occi_sdk::testing::Wishes;

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|&text| text.into()).collect()
}

#[test]
fn what_is_wanted_reaches_the_host_when_the_compute_comes_to_be_or_it_is_changed() {
    let cloud = Cloud::new();
    let (database, disk) = (compute(&cloud), storage(&cloud));
    cloud.place(&database);
    cloud.place(&disk);
    let mut web = cloud
        .resource(COMPUTE)
        .mixin(PLACEMENT)
        .with("org.example.placement.labels", "ssd, gpu")
        .with("org.example.placement.near", disk.location().as_str())
        .with("org.example.placement.apart", database.location().as_str());
    cloud.create(&mut web).unwrap();
    let wishes = |web: &Entity| cloud.machine(web).unwrap().wishes;
    let (labels, near, apart) = (texts(&["ssd", "gpu"]), vec![disk.location()], vec![database.location()]);
    let expected = Wishes { labels, near, apart };
    assert_eq!(wishes(&web), expected);
    assert_eq!(web.get("org.example.placement.node"), Some(Value::from("default")));

    // Where it is matters to nothing else.
    cloud.update(&mut web, [("occi.compute.cores", 2)]).unwrap();
    assert_eq!(wishes(&web), expected);
    cloud.update(&mut web, [("org.example.placement.labels", "tape")]).unwrap();
    assert_eq!(wishes(&web), Wishes { labels: texts(&["tape"]), ..expected });
}

#[test]
fn whom_it_is_to_be_near_must_be_there() {
    let cloud = Cloud::new();
    for name in ["org.example.placement.near", "org.example.placement.apart"] {
        let mut web = cloud.resource(COMPUTE).mixin(PLACEMENT).with(name, "/compute/nobody");
        assert_eq!(refusal(cloud.create(&mut web)), pair("invalid", name));
        let mut web = cloud.resource(COMPUTE).mixin(PLACEMENT);
        let itself = web.location();
        web = web.with(name, itself.as_str());
        assert_eq!(refusal(cloud.create(&mut web)), pair("invalid", name));
    }
}

#[test]
fn of_a_machine_whose_hypervisor_is_away_nothing_is_known_until_it_is_back() {
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    let silent = || Fault::unavailable("the hypervisor cannot be reached now");
    // One question that is not answered says nothing yet.
    cloud.fail("machine.open", silent());
    assert!(cloud.observe(&mut compute, Cause::Event).is_err());
    assert_eq!(state(&compute).0, "active");

    cloud.set_away(true);
    cloud.fail("machine.open", silent());
    cloud.observe(&mut compute, Cause::Event).unwrap();
    assert_eq!(
        state(&compute),
        ("error", "the hypervisor does not answer, so what the machine does is not known")
    );
    cloud.set_away(false);
    cloud.observe(&mut compute, Cause::Restart).unwrap();
    assert_eq!(state(&compute).0, "active");
}
