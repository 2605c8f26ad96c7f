//! The folder was changed while no host served.

use super::{Site, a_while, child, eventually, manifest};
use crate::State;

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_breaks_nothing_is_followed() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    let host = site.start().await;
    assert_eq!(host.serves("box").as_deref(), Some("1.0.0"), "before the first request");
    host.create("box", &["colour"]).await;
    host.stop().await;
    site.write("box.toml", &manifest("box", "2.0.0", &["colour", "size"]));
    let host = site.start().await;
    eventually("it is followed", || host.serves("box").as_deref() == Some("2.0.0")).await;
    host.stop().await;
    let host = site.start().await;
    assert_eq!(host.serves("box").as_deref(), Some("2.0.0"));
    assert_eq!(host.listed("box").unwrap().previous.as_deref(), Some("1.0.0"));
    host.catalogue.install(manifest("box", "3.0.0", &["colour"]).into()).await.unwrap();
    assert_eq!(host.catalogue.roll_back("box").await.unwrap().version, "2.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_breaks_something_is_not() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    let host = site.start().await;
    host.create("box", &["colour"]).await;
    host.stop().await;
    site.write("box.toml", &manifest("box", "2.0.0", &["color"]));
    for _ in 0..2 {
        let host = site.start().await;
        assert_eq!(host.serves("box").as_deref(), Some("1.0.0"));
        eventually("it is refused", || host.refused("box.toml").is_some()).await;
        assert_eq!(host.serves("box").as_deref(), Some("1.0.0"));
        host.create("box", &["colour"]).await;
        host.stop().await;
    }
    site.remove("box.toml");
    let host = site.start().await;
    assert_eq!(host.serves("box").as_deref(), Some("1.0.0"), "from its copy");
    eventually("it is said", || host.listed("box").unwrap().problem.is_some()).await;
    assert_eq!(host.refused("box.toml"), None);
}

/// What was left by a version that was removed is held against what comes later, at a start too.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_comes_back_fits_what_was_left() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    let host = site.start().await;
    host.create("box", &["colour"]).await;
    host.catalogue.remove("box", true).await.unwrap();
    host.stop().await;
    site.write("box.toml", &manifest("box", "2.0.0", &["color"]));
    let host = site.start().await;
    eventually("it is refused", || host.refused("box.toml").is_some_and(|why| why.contains("colour"))).await;
    assert_eq!(host.serves("box"), None);
    site.write("box.toml", &manifest("box", "2.0.0", &["color", "colour"]));
    eventually("it serves", || host.serves("box").as_deref() == Some("2.0.0")).await;
}

/// A file is one extension's: another that took it meanwhile comes in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_has_taken_is_followed() {
    let site = Site::new();
    for with_entity in [false, true] {
        site.write("box.toml", &manifest("box", "1.0.0", &[]));
        let host = site.start().await;
        eventually("it serves", || host.serves("box").is_some()).await;
        if with_entity {
            host.create("box", &[]).await;
        }
        host.stop().await;
        site.write("box.toml", &manifest("other", "1.0.0", &[]));
        let host = site.start().await;
        if with_entity {
            let is_refused =
                || host.refused("box.toml").is_some_and(|why| why.contains("1 of its entities exist"));
            eventually("it says why", is_refused).await;
            assert!(host.serves("other").is_none() && host.serves("box").is_some());
            host.end_all("box").await;
        }
        eventually("the other serves", || host.serves("other").is_some() && host.listed("box").is_none())
            .await;
        host.catalogue.remove("other", false).await.unwrap();
        host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_gone_is_followed() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    site.write("odd.toml", &manifest("odd", "1.0.0", &[]));
    site.start().await.stop().await;
    site.remove("box.toml");
    std::fs::rename(site.file("odd.toml"), site.file("even.toml")).unwrap();
    let host = site.start().await;
    eventually("it is gone", || host.listed("box").is_none()).await;
    eventually("it is found", || host.listed("odd").unwrap().file == "even.toml").await;
    assert!(host.serves("odd").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_contradict_each_other() {
    let site = Site::new();
    site.write("a.toml", &child("a", "c"));
    site.write("b.toml", &manifest("b", "1.0.0", &[]));
    site.write("c.toml", &manifest("c", "1.0.0", &[]));
    let clash = manifest("b", "1.0.0", &[]).replace("name = \"b\"", "name = \"d\"");
    site.write("d.toml", &clash);
    site.write("e.toml", &manifest("c", "9.0.0", &[]));
    site.write("f.toml", "no manifest");
    std::fs::create_dir(site.file("g.toml")).unwrap();
    let host = site.start().await;
    for _ in 0..2 {
        assert_eq!(["a", "b", "c"].map(|name| host.serves(name).is_some()), [true; 3]);
        let refused: Vec<_> = host.catalogue.list().refused.into_iter().map(|refused| refused.file).collect();
        assert_eq!(refused, ["d.toml", "e.toml", "f.toml", "g.toml"]);
        a_while().await;
    }
    // The first makes room.
    site.remove("b.toml");
    eventually("the other serves", || host.listed("d").is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_said() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    let host = site.start().await;
    host.create("box", &[]).await;
    host.stop().await;
    site.remove("box.toml");
    std::fs::remove_dir_all(site.dir.path().join("own/extensions")).unwrap();
    let host = site.start().await;
    assert_eq!(host.serves("box"), None);
    a_while().await;
    // Its entities would be nobody's.
    let removed = host.catalogue.remove("box", false).await.unwrap_err();
    let disabled = host.catalogue.disable("box", false).await.unwrap_err();
    for refused in [removed, disabled] {
        assert!(refused.to_string().contains("/box/"), "{refused}");
    }
    let listed = host.listed("box").unwrap();
    assert_eq!((listed.state, listed.problem.is_some()), (State::Failed, true));
    // It is there again.
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    eventually("it serves", || host.serves("box").is_some()).await;
}
