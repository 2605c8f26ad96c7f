//! Compute.

use super::*;

#[test]
fn a_compute_with_its_kind_alone_is_a_machine_that_is_off() {
    // INF-03
    let cloud = Cloud::new();
    let mut compute = cloud.resource(COMPUTE);
    cloud.create(&mut compute).unwrap();
    assert_eq!(state(&compute), ("inactive", ""));
    let machine = cloud.machine(&compute).unwrap();
    assert_eq!((machine.state.as_str(), machine.cores, machine.memory), ("off", None, None));
}

#[test]
fn every_attribute_reaches_the_machine() {
    // INF-04
    let cloud = Cloud::new();
    let mut compute = cloud
        .resource(COMPUTE)
        .with("occi.compute.cores", 4)
        .with("occi.compute.memory", 1.5)
        .with("occi.compute.share", 512)
        .with("occi.compute.architecture", "x86")
        .with("occi.compute.hostname", "web.example.org")
        .with("occi.core.title", "Web");
    cloud.create(&mut compute).unwrap();
    let machine = cloud.machine(&compute).unwrap();
    assert_eq!((machine.cores, machine.memory, machine.shares), (Some(4), Some(1_610_612_736), Some(512)));
    assert_eq!(machine.architecture.as_deref(), Some("i686"));
    assert_eq!(machine.hostname.as_deref(), Some("web.example.org"));
    assert_eq!(machine.title.as_deref(), Some("Web"));
}

#[test]
fn an_update_changes_the_machine_and_keeps_its_state() {
    // INF-17: a new resource template is an update of the attributes that it brings.
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    cloud.update(&mut compute, [("occi.compute.cores", 8)]).unwrap();
    cloud.update(&mut compute, [("occi.compute.architecture", "x86")]).unwrap();
    let machine = cloud.machine(&compute).unwrap();
    assert_eq!((machine.state.as_str(), machine.cores, machine.memory), ("running", Some(8), Some(1 << 29)));
    assert_eq!(machine.architecture.as_deref(), Some("i686"));
    assert_eq!(compute.state.as_deref(), Some("active"));
}

#[test]
fn values_that_no_machine_can_have_are_refused_by_name() {
    let cloud = Cloud::new();
    for (name, value) in [
        ("occi.compute.cores", Value::from(0)),
        ("occi.compute.cores", Value::from(-1)),
        ("occi.compute.cores", Value::from(1_i64 << 32)),
        ("occi.compute.share", Value::from(0)),
        ("occi.compute.memory", Value::from(0.0)),
        ("occi.compute.memory", Value::from(1e20)),
        ("occi.compute.architecture", Value::from("arm")),
    ] {
        let mut refused = cloud.resource(COMPUTE).with(name, value.clone());
        assert_eq!(refusal(cloud.create(&mut refused)), pair("invalid", name));
        assert!(cloud.machine(&refused).is_none());

        let mut kept = compute(&cloud);
        let before = (kept.clone(), cloud.machine(&kept));
        let wanted = Attributes::from(vec![Attribute { name: name.into(), value }]);
        assert_eq!(refusal(cloud.update(&mut kept, wanted)), pair("invalid", name));
        assert_eq!((kept.clone(), cloud.machine(&kept)), before);
    }
}

#[test]
fn each_action_with_each_method_leads_where_the_diagram_says() {
    // INF-05, the state diagram and the table of actions.
    for (from, action, with, to, call) in [
        ("inactive", "start", "", ("active", "the machine is running (booted)"), "machine.start"),
        ("suspended", "start", "", ("active", "the machine is running (unpaused)"), "machine.start"),
        ("hibernated", "start", "", ("active", "the machine is running (restored)"), "machine.start"),
        ("active", "stop", "", ("inactive", "the machine is off (shutdown)"), "machine.shutdown"),
        ("active", "stop", "graceful", ("inactive", "the machine is off (shutdown)"), "machine.shutdown"),
        ("active", "stop", "acpioff", ("inactive", "the machine is off (shutdown)"), "machine.shutdown"),
        ("active", "stop", "poweroff", ("inactive", "the machine is off (destroyed)"), "machine.power-off"),
        ("active", "restart", "", ("active", "the machine is running (booted)"), "machine.restart"),
        ("active", "restart", "graceful", ("active", "the machine is running (booted)"), "machine.restart"),
        ("active", "restart", "warm", ("active", "the machine is running (booted)"), "machine.restart"),
        ("active", "suspend", "", ("suspended", "the machine is paused (user)"), "machine.pause"),
        ("active", "suspend", "suspend", ("suspended", "the machine is paused (user)"), "machine.pause"),
        (
            "active",
            "suspend",
            "hibernate",
            ("suspended", "the machine is saved to disk (saved)"),
            "machine.save",
        ),
        ("active", "save", "", ("active", "the machine is running (booted)"), "images.make"),
        ("active", "save", "hot", ("active", "the machine is running (booted)"), "images.make"),
    ] {
        for (cloud, expected) in [(Cloud::new(), vec![call]), (Cloud::crashing(), vec![call, call])] {
            let mut compute = compute(&cloud);
            if from != "inactive" {
                cloud.act(&mut compute, "start", none()).unwrap();
            }
            match from {
                "suspended" => cloud.act(&mut compute, "suspend", none()).unwrap(),
                "hibernated" => cloud.act(&mut compute, "suspend", method("hibernate")).unwrap(),
                _ => {}
            }
            cloud.calls();
            cloud.act(&mut compute, action, if with.is_empty() { none() } else { method(with) }).unwrap();
            assert_eq!(state(&compute), to, "{from} {action} {with}");
            assert_eq!(cloud.calls(), expected, "{from} {action} {with}");
        }
    }
}

#[test]
fn a_machine_is_saved_as_an_image() {
    // INF-06; Q-59: some clients spell the method so.
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    compute.attributes.insert("occi.core.title".into(), "Web".into());
    cloud.calls();
    cloud.act(&mut compute, "save", Attributes::from([("name", "before the upgrade")])).unwrap();
    assert_eq!(cloud.calls(), ["images.make"]);
    for spelt in ["deferred", "deffered"] {
        cloud.act(&mut compute, "save", method(spelt)).unwrap();
        assert_eq!(cloud.calls(), ["machine.shutdown", "images.make", "machine.start"], "{spelt}");
        assert_eq!(compute.state.as_deref(), Some("active"));
    }
    assert_eq!(cloud.images(), ["before-the-upgrade", "web", "web"]);
}

#[test]
fn an_image_that_cannot_be_made_leaves_the_machine_as_it_was() {
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    cloud.fail("images.make", Fault::conflict("the disk is too large"));
    assert_eq!(refusal(cloud.act(&mut compute, "save", none())), pair("conflict", ""));
    assert_eq!(compute.state.as_deref(), Some("active"));
    // The machine was stopped for it, and runs again.
    cloud.fail("images.make", Fault::conflict("the disk is too large"));
    assert_eq!(refusal(cloud.act(&mut compute, "save", method("deferred"))), pair("conflict", ""));
    assert_eq!(compute.state.as_deref(), Some("active"));
    assert_eq!(cloud.machine(&compute).unwrap().state, "running");
}

const OS_TEMPLATE: &str = "http://example.org/occi/infrastructure/os_tpl#debian-12";

#[test]
fn an_os_template_is_the_image_that_the_machine_begins_as() {
    // INF-11, INF-13
    let cloud = Cloud::new();
    let mut compute = cloud.resource(COMPUTE).mixin(OS_TEMPLATE);
    cloud.create(&mut compute).unwrap();
    assert_eq!(cloud.machine(&compute).unwrap().image.as_deref(), Some("debian-12"));
    assert_eq!(cloud.calls(), ["machine.define"], "once, with all that it is");
    compute.mixins.clear();
    cloud.associate(&mut compute, "http://example.org/occi/infrastructure/os_tpl#alpine").unwrap();
    assert_eq!(cloud.machine(&compute).unwrap().image.as_deref(), Some("alpine"));
    compute.mixins.clear();
    cloud.act(&mut compute, "start", none()).unwrap();
    let refused = cloud.associate(&mut compute, OS_TEMPLATE);
    assert_eq!(refusal(refused), pair("conflict", ""));
    assert_eq!(cloud.machine(&compute).unwrap().image.as_deref(), Some("alpine"));
    cloud.dissociate(&mut compute, OS_TEMPLATE).unwrap();
    assert_eq!(cloud.machine(&compute).unwrap().image.as_deref(), Some("alpine"), "its disk stays");
}

#[test]
fn a_resource_template_brings_a_disk_that_goes_with_the_machine() {
    // GFD.222
    let cloud = Cloud::new();
    let mut compute = cloud
        .resource(COMPUTE)
        .mixin("http://schemas.ogf.org/occi/infrastructure#resource_tpl")
        .with("occi.compute.ephemeral_storage.size", 10.0);
    cloud.create(&mut compute).unwrap();
    assert_eq!(cloud.machine(&compute).unwrap().scratch, Some(10 << 30));
    let device = "occi.compute.ephemeral_storage.deviceid";
    assert_eq!(compute.get(device), Some("vda".into()));
    assert_eq!(refusal(cloud.update(&mut compute, [(device, "vdz")])), pair("unsupported", device));
    cloud.update(&mut compute, [("occi.compute.ephemeral_storage.size", 20.0)]).unwrap();
    assert_eq!(cloud.machine(&compute).unwrap().scratch, Some(20 << 30));
}

/// The files that a compute's system is told.
fn told(cloud: &Cloud, compute: &Entity) -> Vec<(String, String)> {
    let seed = cloud.machine(compute).unwrap().seed;
    seed.into_iter().map(|(name, content)| (name, String::from_utf8(content).unwrap())).collect()
}

fn file(name: &str, content: &str) -> (String, String) {
    (name.into(), content.into())
}

#[test]
fn what_the_system_is_told() {
    // INF-18, INF-19
    let cloud = Cloud::new();
    let keys = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me\n\nssh-rsa AAAAB3NzaC1yc2EAAAA=";
    let mut compute = cloud
        .resource(COMPUTE)
        .mixin(SSH_KEY)
        .mixin(USER_DATA)
        .with("occi.compute.hostname", "web.example.org")
        .with("occi.credentials.ssh.publickey", keys)
        .with("occi.compute.userdata", "I2Nsb3VkLWNvbmZpZwo=");
    cloud.create(&mut compute).unwrap();
    assert_eq!(cloud.calls(), ["machine.define"]);
    let meta = format!(
        r#"instance-id: "{}"
local-hostname: "web.example.org"
public-keys:
  - "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me"
  - "ssh-rsa AAAAB3NzaC1yc2EAAAA="
"#,
        compute.id
    );
    assert_eq!(told(&cloud, &compute), [file("meta-data", &meta), file("user-data", "#cloud-config\n")]);

    // At each start with its links as they are then.
    let (lan, wan) = (network(&cloud), network(&cloud).with("occi.network.address", "10.0.0.0/22"));
    let first = cloud
        .link(NETWORK_INTERFACE, &compute, &lan)
        .with("occi.networkinterface.interface", "eth0")
        .with("occi.networkinterface.mac", "52:54:00:00:00:0A");
    let second = cloud
        .link(NETWORK_INTERFACE, &compute, &wan)
        .mixin(IP_NETWORK_INTERFACE)
        .with("occi.networkinterface.interface", "eth1")
        .with("occi.networkinterface.mac", "52:54:00:00:00:0b")
        .with("occi.networkinterface.allocation", "static")
        .with("occi.networkinterface.address", "10.0.1.9")
        .with("occi.networkinterface.gateway", "10.0.0.1");
    for entity in [&wan, &first, &second] {
        cloud.place(entity);
    }
    cloud.act(&mut compute, "start", none()).unwrap();
    let config = r#"version: 2
ethernets:
  eth0:
    match:
      macaddress: "52:54:00:00:00:0a"
    dhcp4: true
  eth1:
    match:
      macaddress: "52:54:00:00:00:0b"
    addresses: ["10.0.1.9/22"]
    routes:
      - to: "0.0.0.0/0"
        via: "10.0.0.1"
"#;
    let now = told(&cloud, &compute);
    assert!(now.contains(&file("network-config", config)), "{now:?}");

    // It is told no more than the Mixins say that it has.
    cloud.dissociate(&mut compute, USER_DATA).unwrap();
    assert!(told(&cloud, &compute).contains(&file("user-data", "")));
    cloud.dissociate(&mut compute, SSH_KEY).unwrap();
    assert_eq!(told(&cloud, &compute), []);
}

#[test]
fn what_is_no_key_is_refused() {
    let cloud = Cloud::new();
    for wrong in [
        "",
        "\n",
        "hello",
        "ssh-rsa",
        "ssh-rsa AAAA",
        "ssh-rsa AAAAB3NzaC1yc2EAAAA=\nhello",
        "ssh-rsa a:b:c:d:e:f:g:h:i",
    ] {
        let mut compute =
            cloud.resource(COMPUTE).mixin(SSH_KEY).with("occi.credentials.ssh.publickey", wrong);
        let refused = cloud.create(&mut compute);
        assert_eq!(refusal(refused), pair("invalid", "occi.credentials.ssh.publickey"), "{wrong:?}");
        assert!(cloud.machine(&compute).is_none());
    }
}

#[test]
fn what_has_no_such_action_or_method_says_so() {
    let cloud = Cloud::new();
    let mut compute = compute(&cloud);
    assert_eq!(refusal(cloud.act(&mut compute, "stop", method("gently"))), pair("invalid", "method"));
    assert_eq!(refusal(cloud.act(&mut compute, "fly", none())), pair("unsupported", ""));
    let mut link = cloud.link(STORAGE_LINK, &compute, &storage(&cloud));
    assert_eq!(refusal(cloud.act(&mut link, "online", none())), pair("unsupported", ""));
}

#[test]
fn a_machine_on_its_way_is_looked_at_again() {
    let cloud = Cloud::new();
    for (reason, again) in [("starting up", Some(1000)), ("user", None)] {
        let mut compute = running(&cloud);
        cloud.meddle(&compute, |it| (it.state, it.reason) = ("paused".into(), reason.into()));
        cloud.observe(&mut compute, Cause::Restart).unwrap();
        assert_eq!(compute.again, again, "{reason}");
    }
}

#[test]
fn an_observed_compute_is_what_its_machine_is() {
    let cloud = Cloud::new();
    for (machine, reason, expected) in [
        ("running", "booted", ("active", "the machine is running (booted)")),
        ("running", "unknown", ("active", "")),
        ("paused", "I/O error", ("suspended", "the machine is paused (I/O error)")),
        ("saved", "saved", ("suspended", "the machine is saved to disk (saved)")),
        ("off", "destroyed", ("inactive", "the machine is off (destroyed)")),
        ("off", "unknown", ("inactive", "")),
        (
            "crashed",
            "panicked",
            ("error", "the guest system panicked, and the machine stands still: start it, or power it off"),
        ),
        ("crashed", "unknown", ("error", "the machine is crashed")),
        ("dreaming", "unknown", ("error", "the machine is in a state that OCCI has no name for")),
    ] {
        for cause in [Cause::Event, Cause::Timer, Cause::Restart] {
            let mut compute = running(&cloud);
            cloud.meddle(&compute, |it| (it.state, it.reason) = (machine.into(), reason.into()));
            cloud.observe(&mut compute, cause).unwrap();
            assert_eq!(state(&compute), expected, "{machine} {cause:?}");
        }
    }
}

#[test]
fn a_machine_that_is_gone_is_an_error_for_the_observer_and_for_actions() {
    for cause in [Cause::Event, Cause::Timer, Cause::Restart] {
        let cloud = Cloud::new();
        let mut compute = running(&cloud);
        cloud.forget();
        cloud.observe(&mut compute, cause).unwrap();
        assert_eq!(state(&compute), ("error", "the hypervisor has no such machine"));
        assert!(cloud.machine(&compute).is_none(), "it is not made again");
    }
    let cloud = Cloud::new();
    let mut compute = compute(&cloud);
    cloud.forget();
    cloud.act(&mut compute, "start", none()).unwrap();
    assert_eq!(state(&compute), ("error", "the hypervisor has no such machine"));
    assert_eq!(refusal(cloud.update(&mut compute, [("occi.compute.cores", 2)])), pair("missing", ""));
    assert!(cloud.machine(&compute).is_none(), "nor by a change");
}

#[test]
fn a_forgotten_machine_is_made_again_in_its_state() {
    for (before, after) in
        [("inactive", "off"), ("active", "running"), ("suspended", "paused"), ("error", "off")]
    {
        for cloud in [Cloud::new(), Cloud::crashing()] {
            let mut compute = compute(&cloud);
            compute.state = Some(before.into());
            cloud.forget();
            cloud.observe(&mut compute, Cause::Recreate).unwrap();
            let machine = cloud.machine(&compute).unwrap();
            assert_eq!(
                (machine.state.as_str(), machine.cores, machine.memory),
                (after, Some(1), Some(1 << 29))
            );
            assert_eq!(compute.state.as_deref(), Some(before));
        }
    }
}

#[test]
fn a_machine_that_cannot_be_started_again_is_told_as_it_is() {
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    cloud.forget();
    cloud.fail("machine.start", Fault::failed("no memory is left"));
    cloud.observe(&mut compute, Cause::Recreate).unwrap();
    assert_eq!(state(&compute), ("inactive", "no memory is left"));
}

#[test]
fn after_a_crash_the_machine_follows_the_attributes_again() {
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    // The update reached the hypervisor, and the server died before it was recorded.
    cloud.meddle(&compute, |machine| machine.cores = Some(8));
    cloud.observe(&mut compute, Cause::Restart).unwrap();
    assert_eq!(cloud.machine(&compute).unwrap().cores, Some(1));
    assert_eq!(compute.state.as_deref(), Some("active"));
}

#[test]
fn a_running_compute_can_be_deleted_and_twice() {
    // README: DELETE of an active compute stops and removes it.
    let cloud = Cloud::crashing();
    let compute = running(&cloud);
    cloud.delete(&compute).unwrap();
    assert!(cloud.machine(&compute).is_none());
    cloud.delete(&compute).unwrap();
}

#[test]
fn a_repeated_creation_makes_one_machine() {
    let cloud = Cloud::crashing();
    let compute = compute(&cloud);
    assert_eq!(cloud.calls(), ["machine.define", "machine.define"]);
    assert_eq!(state(&compute), ("inactive", ""));
}
