//! Storage.

use super::*;
use occi_sdk::logging::Level;

const SIZE: &str = "occi.storage.size";
const FORMAT: &str = "org.example.storage.format";
const TEMPLATES: &str = "http://example.org/occi/infrastructure/storage_tpl#";

#[test]
fn a_storage_goes_online_and_offline() {
    // INF-05, the state diagram.
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let mut storage = cloud.resource(STORAGE).with(SIZE, 10.25);
        cloud.create(&mut storage).unwrap();
        assert_eq!(state(&storage), ("offline", ""));
        assert_eq!(cloud.volume(&storage), Some(11_005_853_696));
        cloud.act(&mut storage, "online", none()).unwrap();
        assert_eq!(state(&storage), ("online", ""));
        cloud.act(&mut storage, "offline", none()).unwrap();
        assert_eq!(state(&storage), ("offline", ""));
        assert_eq!(refusal(cloud.act(&mut storage, "shrink", none())), pair("unsupported", ""));
        cloud.delete(&storage).unwrap();
        assert_eq!(cloud.volume(&storage), None);
        cloud.delete(&storage).unwrap();
    }
}

#[test]
fn a_size_that_no_volume_can_have_is_refused_by_name() {
    let cloud = Cloud::new();
    for size in [0.0, -1.0, 1e300] {
        let mut storage = cloud.resource(STORAGE).with(SIZE, size);
        assert_eq!(refusal(cloud.create(&mut storage)), pair("invalid", SIZE));
    }
    assert_eq!(refusal(cloud.create(&mut cloud.resource(STORAGE))), pair("invalid", SIZE));
    assert_eq!(cloud.calls(), [""; 0]);
}

#[test]
fn a_storage_grows_and_does_not_shrink() {
    // INF-04
    let cloud = Cloud::crashing();
    let mut storage = storage(&cloud);
    cloud.update(&mut storage, [(SIZE, 2.0)]).unwrap();
    assert_eq!(cloud.volume(&storage), Some(2 << 30));
    assert_eq!(storage.get(SIZE), Some(2.0.into()));
    assert_eq!(refusal(cloud.update(&mut storage, [(SIZE, 1.0)])), pair("invalid", SIZE));
    assert_eq!(refusal(cloud.update(&mut storage, [(SIZE, -1.0)])), pair("invalid", SIZE));
    assert_eq!((cloud.volume(&storage), storage.get(SIZE)), (Some(2 << 30), Some(2.0.into())));
    cloud.calls();
    cloud.update(&mut storage, [("occi.core.title", "Data")]).unwrap();
    assert!(cloud.calls().is_empty());
}

#[test]
fn a_storage_is_resized_by_clients_of_1_1() {
    // OCCI 1.1: the action does what a changed size does, and the state is what it was.
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let mut storage = storage(&cloud);
        cloud.act(&mut storage, "online", none()).unwrap();
        let to = |size: f64| Attributes::from([("size", size)]);
        cloud.act(&mut storage, "resize", to(2.5)).unwrap();
        assert_eq!(cloud.volume(&storage), Some(5 << 29));
        assert_eq!((storage.get(SIZE), state(&storage)), (Some(2.5.into()), ("online", "")));
        cloud.act(&mut storage, "resize", to(2.5)).unwrap();
        for wrong in [to(2.0), to(0.0), to(-1.0), none()] {
            assert_eq!(refusal(cloud.act(&mut storage, "resize", wrong)), pair("invalid", "size"));
        }
        assert_eq!((cloud.volume(&storage), storage.get(SIZE)), (Some(5 << 29), Some(2.5.into())));
        cloud.forget();
        cloud.act(&mut storage, "resize", to(3.0)).unwrap();
        assert_eq!(state(&storage), ("error", "the hypervisor has no such volume"));
    }
}

#[test]
fn a_storage_is_backed_up_by_clients_of_1_1() {
    // OCCI 1.1: what was made is an image, which the host answers with; the state is what it was.
    let cloud = Cloud::new();
    let mut storage = storage(&cloud);
    cloud.act(&mut storage, "online", none()).unwrap();
    cloud.act(&mut storage, "backup", none()).unwrap();
    cloud.update(&mut storage, [("occi.core.title", "Data")]).unwrap();
    cloud.act(&mut storage, "snapshot", none()).unwrap();
    assert_eq!(cloud.volume_images(), ["data-snapshot", "storage-backup"]);
    assert_eq!(state(&storage), ("online", ""));
    cloud.fail("images.make-of-volume", Fault::conflict("the disk is too large"));
    assert_eq!(refusal(cloud.act(&mut storage, "backup", none())), pair("conflict", ""));
    assert_eq!(state(&storage), ("online", ""));
}

#[test]
fn a_storage_begins_as_a_template() {
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let mut first = storage(&cloud);
        cloud.act(&mut first, "backup", none()).unwrap();
        let template = format!("{TEMPLATES}storage-backup");
        let begun = |size: f64| {
            let storage = cloud.resource(STORAGE).mixin(STORAGE_TEMPLATE).mixin(&template);
            storage.with(SIZE, size)
        };
        assert_eq!(refusal(cloud.create(&mut begun(0.5))), pair("invalid", SIZE));
        let mut second = begun(2.0);
        cloud.create(&mut second).unwrap();
        let kept = cloud.volume_as(&second).unwrap();
        assert_eq!((kept.capacity, kept.image.as_deref()), (2 << 30, Some("storage-backup")));
        cloud.update(&mut second, [(SIZE, 3.0)]).unwrap();
        assert_eq!(cloud.volume(&second), Some(3 << 30));

        assert_eq!(refusal(cloud.associate(&mut first, &template)), pair("conflict", ""));
        let unknown = format!("{TEMPLATES}unknown");
        let mut none = cloud.resource(STORAGE).with(SIZE, 1.0).mixin(&unknown);
        assert_eq!(refusal(cloud.create(&mut none)), pair("missing", ""));
    }
}

#[test]
fn a_storage_is_written_as_its_format_says() {
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let mut raw = cloud.resource(STORAGE).with(SIZE, 1.0).mixin(STORAGE_FORMAT).with(FORMAT, "raw");
        cloud.create(&mut raw).unwrap();
        assert_eq!(cloud.volume_as(&raw).unwrap().format, "raw");
        assert_eq!(raw.get(FORMAT), Some("raw".into()));
        cloud.update(&mut raw, [(FORMAT, "raw")]).unwrap();
        assert_eq!(refusal(cloud.update(&mut raw, [(FORMAT, "qcow2")])), pair("denied", FORMAT));

        // Who does not say it is told how it is, also of one that is there.
        let mut other = storage(&cloud);
        cloud.associate(&mut other, STORAGE_FORMAT).unwrap();
        assert_eq!(other.get(FORMAT), Some("qcow2".into()));
        let mut wrong = storage(&cloud).with(FORMAT, "raw");
        assert_eq!(refusal(cloud.associate(&mut wrong, STORAGE_FORMAT)), pair("denied", FORMAT));
        cloud.forget();
        cloud.observe(&mut raw, Cause::Recreate).unwrap();
        assert_eq!(cloud.volume_as(&raw).unwrap().format, "raw");
    }
}

#[test]
fn a_storage_in_use_stays() {
    let cloud = Cloud::new();
    let (compute, storage) = (compute(&cloud), storage(&cloud));
    let mut link = cloud.link(STORAGE_LINK, &compute, &storage);
    cloud.create(&mut link).unwrap();
    assert_eq!(refusal(cloud.delete(&storage)), pair("conflict", ""));
    cloud.delete(&link).unwrap();
    cloud.delete(&storage).unwrap();
}

#[test]
fn a_volume_that_is_gone_is_an_error() {
    for cause in [Cause::Event, Cause::Timer, Cause::Restart] {
        let cloud = Cloud::new();
        let mut storage = storage(&cloud);
        cloud.observe(&mut storage, cause).unwrap();
        assert_eq!(state(&storage), ("offline", ""));
        cloud.forget();
        cloud.observe(&mut storage, cause).unwrap();
        assert_eq!(state(&storage), ("error", "the hypervisor has no such volume"));
    }
    for action in ["online", "offline"] {
        let cloud = Cloud::new();
        let mut storage = storage(&cloud);
        cloud.forget();
        cloud.act(&mut storage, action, none()).unwrap();
        assert_eq!(state(&storage), ("error", "the hypervisor has no such volume"));
    }
}

#[test]
fn a_volume_that_is_back_is_offline() {
    let cloud = Cloud::new();
    let mut storage = storage(&cloud);
    storage.state = Some("error".into());
    storage.message = Some("the hypervisor has no such volume".into());
    cloud.observe(&mut storage, Cause::Restart).unwrap();
    assert_eq!(state(&storage), ("offline", ""));
}

#[test]
fn after_a_crash_the_size_is_what_the_volume_has() {
    let cloud = Cloud::new();
    let mut storage = storage(&cloud);
    cloud.update(&mut storage, [(SIZE, 2.0)]).unwrap();
    // The volume had grown, and the server died before that was recorded.
    let mut storage = storage.with(SIZE, 1.0);
    cloud.observe(&mut storage, Cause::Restart).unwrap();
    assert_eq!(storage.get(SIZE), Some(2.0.into()));

    // What is no whole number of sectors stays as the client wrote it.
    let mut odd = cloud.resource(STORAGE).with(SIZE, 0.1);
    cloud.create(&mut odd).unwrap();
    cloud.observe(&mut odd, Cause::Restart).unwrap();
    assert_eq!(odd.get(SIZE), Some(0.1.into()));
}

#[test]
fn a_forgotten_volume_is_made_again_empty_and_the_operator_is_told() {
    let cloud = Cloud::new();
    let mut storage = storage(&cloud);
    cloud.act(&mut storage, "online", none()).unwrap();
    cloud.forget();
    cloud.observe(&mut storage, Cause::Recreate).unwrap();
    assert_eq!(cloud.volume(&storage), Some(1 << 30));
    assert_eq!(state(&storage), ("online", ""));
    let told = format!("the volume of {} was made again, and is empty", storage.location());
    assert_eq!(cloud.log(), [(Level::Warn, told)]);
}
