//! The folder is changed while a host serves.

use super::{Site, a_while, child, eventually, manifest};
use std::fs::File;
use std::io::Write as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_changes_and_goes() {
    let site = Site::new();
    let host = site.start().await;
    assert_eq!(host.serves("box"), None);
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    eventually("it serves", || host.serves("box").as_deref() == Some("1.0.0")).await;
    host.create("box", &["colour"]).await;
    // One more attribute breaks nothing.
    site.write("box.toml", &manifest("box", "1.1.0", &["colour", "size"]));
    eventually("it is replaced", || host.serves("box").as_deref() == Some("1.1.0")).await;
    assert_eq!(host.listed("box").unwrap().previous.as_deref(), Some("1.0.0"));
    site.write("other.toml", &manifest("other", "1.0.0", &[]));
    eventually("another serves", || host.serves("other").is_some()).await;
    site.remove("other.toml");
    eventually("it is gone", || host.listed("other").is_none()).await;
    assert_eq!(host.serves("box").as_deref(), Some("1.1.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_serve_leaves_what_does() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    let host = site.start().await;
    host.create("box", &["colour"]).await;
    for (content, says) in [
        ("[extension]\n".to_owned(), "manifest"),
        ("\0asm".to_owned(), ""),
        (manifest("box", "2.0.0", &["color"]), "com.example.colour"),
    ] {
        site.write("box.toml", &content);
        eventually("it is refused", || host.refused("box.toml").is_some_and(|reason| reason.contains(says)))
            .await;
        assert_eq!(host.serves("box").as_deref(), Some("1.0.0"), "{content}");
    }
    // What was in its way has gone.
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    eventually("it is as it was", || host.refused("box.toml").is_none()).await;
    site.write("box.toml", &manifest("box", "1.5.0", &["color"]));
    eventually("it is refused", || host.refused("box.toml").is_some()).await;
    host.end_all("box").await;
    eventually("it serves", || host.serves("box").as_deref() == Some("1.5.0")).await;
    // It is mended.
    site.write("box.toml", &manifest("box", "2.0.0", &["colour", "color"]));
    eventually("it serves", || host.serves("box").as_deref() == Some("2.0.0")).await;
    assert_eq!(host.refused("box.toml"), None);
    // As it was before: that is another replacement.
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    eventually("it is back", || host.serves("box").as_deref() == Some("1.0.0")).await;
    // A file that is refused and goes is not spoken of any more.
    site.write("bad.toml", "no");
    eventually("it is refused", || host.refused("bad.toml").is_some()).await;
    site.remove("bad.toml");
    eventually("it is forgotten", || host.refused("bad.toml").is_none()).await;
}

/// As those who lay out a folder's versions do: the link changes, and no file is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_file_is_followed() {
    let site = Site::new();
    let host = site.start().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let version = |version: &str| {
        let file = elsewhere.path().join(format!("{version}.toml"));
        std::fs::write(&file, manifest("box", version, &[])).unwrap();
        file
    };
    std::os::unix::fs::symlink(version("1.0.0"), site.file("box.toml")).unwrap();
    eventually("it serves", || host.serves("box").as_deref() == Some("1.0.0")).await;
    std::os::unix::fs::symlink(version("1.1.0"), site.file(".next")).unwrap();
    std::fs::rename(site.file(".next"), site.file("box.toml")).unwrap();
    eventually("it is replaced", || host.serves("box").as_deref() == Some("1.1.0")).await;
    std::os::unix::fs::symlink(elsewhere.path(), site.file("dir.toml")).unwrap();
    eventually("it says why", || host.refused("dir.toml").is_some_and(|reason| reason.contains("no"))).await;
}

/// Nobody tells of what is written behind a link, or by another of a file's names.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_behind_links_is_followed() {
    let site = Site::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let behind = |name: &str| elsewhere.path().join(name);
    let version = |version: &str| {
        let folder = behind(version);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("box.toml"), manifest("box", version, &[])).unwrap();
        std::os::unix::fs::symlink(&folder, behind("next")).unwrap();
        std::fs::rename(behind("next"), behind("data")).unwrap();
    };
    version("1.0.0");
    std::os::unix::fs::symlink(behind("data/box.toml"), site.file("box.toml")).unwrap();
    std::fs::write(behind("crate.toml"), manifest("crate", "1.0.0", &[])).unwrap();
    std::fs::hard_link(behind("crate.toml"), site.file("crate.toml")).unwrap();
    let host = site.start().await;
    assert_eq!(["box", "crate"].map(|name| host.serves(name)), [(); 2].map(|()| Some("1.0.0".into())));
    version("1.1.0");
    std::fs::write(behind("crate.toml"), manifest("crate", "1.1.0", &[])).unwrap();
    for name in ["box", "crate"] {
        eventually("it is replaced", || host.serves(name).as_deref() == Some("1.1.0")).await;
    }
    // As long as it was, and as if it was written at the same moment.
    let written = std::fs::metadata(behind("crate.toml")).unwrap().modified().unwrap();
    std::fs::write(behind("crate.toml"), manifest("crate", "1.2.0", &[])).unwrap();
    std::fs::File::open(behind("crate.toml")).unwrap().set_modified(written).unwrap();
    eventually("it is replaced", || host.serves("crate").as_deref() == Some("1.2.0")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_takes_the_place_of_another_is_followed() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    let host = site.start().await;
    let (folder, away) = (site.file(""), site.file("../away"));
    std::fs::rename(&folder, &away).unwrap();
    a_while().await;
    assert!(host.serves("box").is_some(), "what serves is not taken away with it");
    host.catalogue.remove("box", false).await.unwrap_err();
    std::fs::create_dir(&folder).unwrap();
    site.write("box.toml", &manifest("box", "1.1.0", &[]));
    eventually("it is replaced", || host.serves("box").as_deref() == Some("1.1.0")).await;
    site.write("other.toml", &manifest("other", "1.0.0", &[]));
    eventually("it is followed", || host.serves("other").is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_take_anothers_file_leaves_what_serves() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    let host = site.start().await;
    site.write("box.toml", &child("lid", "crate"));
    eventually("it is refused", || host.refused("box.toml").is_some_and(|why| why.contains("crate"))).await;
    assert_eq!(host.serves("box").as_deref(), Some("1.0.0"));
    site.write("box.toml", &manifest("lid", "1.0.0", &[]));
    eventually("it serves", || host.serves("lid").is_some()).await;
    assert_eq!(host.listed("box"), None);
}

/// Files, not only what has such a name.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_a_files_name_is_refused_until_it_goes() {
    let site = Site::new();
    let folder = site.file("box.toml");
    std::fs::create_dir(&folder).unwrap();
    let host = site.start().await;
    eventually("it is refused", || host.refused("box.toml").is_some()).await;
    std::fs::remove_dir(&folder).unwrap();
    eventually("it is forgotten", || host.refused("box.toml").is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_file_went_ends_with_its_last_entity() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    let host = site.start().await;
    let problem = || host.listed("box").unwrap().problem;
    for ends_by in ["its entities", "its file", "its entities"] {
        host.create("box", &[]).await;
        site.remove("box.toml");
        eventually("it says why", || {
            problem().is_some_and(|problem| problem.contains("1 of its entities exist"))
        })
        .await;
        if ends_by == "its file" {
            site.write("box.toml", &manifest("box", "1.0.0", &[]));
            eventually("all is well", || problem().is_none()).await;
        }
        host.end_all("box").await;
        if ends_by == "its entities" {
            eventually("it is gone", || host.listed("box").is_none()).await;
            site.write("box.toml", &manifest("box", "1.0.0", &[]));
            eventually("it serves", || host.serves("box").is_some()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_file_is_not_looked_at() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    let host = site.start().await;
    // The first half would serve as it is.
    let mut file = File::create(site.file("box.toml")).unwrap();
    file.write_all(manifest("box", "2.0.0", &[]).as_bytes()).unwrap();
    file.sync_all().unwrap();
    site.write(".hidden.toml", &manifest("hidden", "1.0.0", &[]));
    site.write("box.toml~", &manifest("backup", "1.0.0", &[]));
    a_while().await;
    assert_eq!(host.serves("box").as_deref(), Some("1.0.0"));
    assert_eq!(host.catalogue.list().extensions.len(), 1);
    file.write_all(b"mutable = true").unwrap();
    drop(file);
    eventually("it is refused", || host.refused("box.toml").is_some()).await;
    assert_eq!(host.serves("box").as_deref(), Some("1.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_gets_another_name() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    let host = site.start().await;
    host.create("box", &[]).await;
    std::fs::rename(site.file("box.toml"), site.file("crate.toml")).unwrap();
    eventually("it is followed", || host.listed("box").unwrap().file == "crate.toml").await;
    a_while().await;
    let listed = host.listed("box").unwrap();
    assert_eq!((listed.problem, listed.previous), (None, None));
    // Away for a moment, as some editors do it.
    site.remove("crate.toml");
    site.write("crate.toml", &manifest("box", "1.0.1", &[]));
    eventually("it is replaced", || host.serves("box").as_deref() == Some("1.0.1")).await;
    // One name in two files.
    site.write("again.toml", &manifest("box", "3.0.0", &[]));
    eventually("it is refused", || host.refused("again.toml").is_some_and(|why| why.contains("crate.toml")))
        .await;
    site.remove("crate.toml");
    eventually("the other file takes over", || host.serves("box").as_deref() == Some("3.0.0")).await;
    assert_eq!(host.listed("box").unwrap().problem, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_waits_for_another() {
    let site = Site::new();
    let host = site.start().await;
    site.write("a.toml", &child("a", "b"));
    eventually("it waits", || host.refused("a.toml").is_some()).await;
    site.write("b.toml", &manifest("b", "1.0.0", &[]));
    eventually("both serve", || host.serves("a").is_some() && host.serves("b").is_some()).await;
    assert_eq!(host.refused("a.toml"), None);
    // And cannot be left alone.
    site.remove("b.toml");
    eventually("it stays", || host.listed("b").unwrap().problem.is_some()).await;
    assert!(host.serves("b").is_some());
    site.remove("a.toml");
    eventually("it goes", || host.listed("a").is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_leaves_what_has_entities() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    let host = site.start().await;
    host.create("box", &[]).await;
    site.remove("box.toml");
    eventually("it is said", || host.listed("box").unwrap().problem.is_some()).await;
    assert!(host.listed("box").unwrap().problem.unwrap().contains("1 of its entities exist"));
    assert!(host.serves("box").is_some());
    site.write("box.toml", &manifest("box", "1.0.0", &[]));
    eventually("it is as before", || host.listed("box").unwrap().problem.is_none()).await;
}
