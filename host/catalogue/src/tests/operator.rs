//! What an operator asks for.

use super::{Site, a_while, child, eventually, manifest};
use crate::{Order, Refused, Stage, State, Wish};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn installed_replaced_and_rolled_back() {
    let site = Site::new();
    let host = site.start().await;
    let (first, second) = (manifest("box", "1.0.0", &[]), manifest("box", "2.0.0", &["size"]));
    let listed = host.catalogue.install(first.clone().into()).await.unwrap();
    assert_eq!((&*listed.version, listed.state, &*listed.file), ("1.0.0", State::Active, "box.toml"));
    assert_eq!(site.read("box.toml"), first);
    assert!(matches!(host.catalogue.roll_back("box").await, Err(Refused::NoPrevious(_))));
    let listed = host.catalogue.install(second.clone().into()).await.unwrap();
    assert_eq!((&*listed.version, listed.previous.as_deref()), ("2.0.0", Some("1.0.0")));
    let listed = host.catalogue.roll_back("box").await.unwrap();
    assert_eq!((&*listed.version, listed.previous.as_deref()), ("1.0.0", Some("2.0.0")));
    assert_eq!(site.read("box.toml"), first);
    // And forward again.
    let listed = host.catalogue.roll_back("box").await.unwrap();
    assert_eq!((&*listed.version, listed.previous.as_deref()), ("2.0.0", Some("1.0.0")));
    a_while().await;
    assert_eq!(host.serves("box").as_deref(), Some("2.0.0"), "the folder says the same");
    // The same once more is no replacement.
    let again = host.catalogue.install(second.into()).await.unwrap();
    assert_eq!(again.previous.as_deref(), Some("1.0.0"));
    // What is made with the second cannot go back.
    host.create("box", &["size"]).await;
    let refused = host.catalogue.roll_back("box").await.unwrap_err();
    assert!(refused.to_string().contains("com.example.size"), "{refused}");
    assert_eq!(host.serves("box").as_deref(), Some("2.0.0"));
    assert!(site.read("box.toml").contains("2.0.0"));
    host.catalogue.remove("box", true).await.unwrap();
    assert!(!site.file("box.toml").exists() && host.listed("box").is_none());
    a_while().await;
    let copies = std::fs::read_dir(site.dir.path().join("own/extensions")).unwrap().count();
    assert_eq!(copies, 0, "nobody goes back to them");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_the_folder_as_it_was() {
    let site = Site::new();
    site.write("b.toml", &manifest("box", "1.0.0", &["colour"]));
    site.write("other.toml", &manifest("odd", "1.0.0", &[]));
    let host = site.start().await;
    host.create("box", &["colour"]).await;
    let refused = host.catalogue.install(manifest("box", "2.0.0", &[]).into()).await.unwrap_err();
    assert_eq!(refused.stage(), Stage::Active);
    assert!(refused.to_string().contains("com.example.colour"), "{refused}");
    assert!(site.read("b.toml").contains("1.0.0") && !site.file("box.toml").exists());
    let refused = host.catalogue.install(b"[extension]".to_vec()).await.unwrap_err();
    assert_eq!(refused.stage(), Stage::Checked);
    // Another extension has a Kind of that name.
    let clash = manifest("box", "1.0.0", &[]).replace("name = \"box\"", "name = \"clash\"");
    let refused = host.catalogue.install(clash.into()).await.unwrap_err();
    assert_eq!(refused.stage(), Stage::Active);
    assert!(!site.file("clash.toml").exists());
    let refused = host.catalogue.install(manifest("other", "1.0.0", &[]).into()).await.unwrap_err();
    assert!(matches!(refused, Refused::Occupied { .. }), "{refused}");
    assert!(site.read("other.toml").contains("odd"));
    let refused = host.catalogue.enable("bx").await.unwrap_err();
    assert!(refused.to_string().contains("box, odd"), "{refused}");
    a_while().await;
    assert_eq!(host.serves("box").as_deref(), Some("1.0.0"));
    assert_eq!(host.catalogue.list().refused, []);
}

/// Though it cannot serve yet.
#[tokio::test(flavor = "multi_thread")]
async fn anothers_file_is_not_replaced() {
    let site = Site::new();
    let host = site.start().await;
    site.write("box.toml", &child("lid", "crate"));
    eventually("it is refused", || host.refused("box.toml").is_some()).await;
    let refused = host.catalogue.install(manifest("box", "1.0.0", &[]).into()).await.unwrap_err();
    assert!(matches!(refused, Refused::Occupied { .. }), "{refused}");
    assert_eq!(site.read("box.toml"), child("lid", "crate"));
    // Nor by what had the file before.
    host.catalogue.install(manifest("tin", "1.0.0", &[]).into()).await.unwrap();
    host.catalogue.install(manifest("tin", "1.1.0", &[]).into()).await.unwrap();
    host.create("tin", &[]).await;
    site.write("tin.toml", &child("lid", "crate"));
    eventually("it is refused", || host.refused("tin.toml").is_some()).await;
    let installed = host.catalogue.install(manifest("tin", "1.2.0", &[]).into()).await;
    for outcome in [installed, host.catalogue.roll_back("tin").await] {
        assert!(matches!(outcome, Err(Refused::Occupied { .. })), "{outcome:?}");
    }
    host.catalogue.remove("tin", true).await.unwrap();
    assert_eq!(site.read("tin.toml"), child("lid", "crate"));
    site.write("box.toml", "half of what it was");
    host.catalogue.install(manifest("box", "1.0.0", &[]).into()).await.unwrap();
}

/// Be it no extension at all, or too large for one.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_replaced() {
    let site = Site::new();
    let host = site.start().await;
    host.catalogue.install(manifest("box", "1.0.0", &[]).into()).await.unwrap();
    host.create("box", &[]).await;
    let broken = std::fs::File::create(site.file("box.toml")).unwrap();
    broken.set_len(70 << 20).unwrap();
    drop(broken);
    eventually("it is refused", || host.refused("box.toml").is_some()).await;
    // What cannot serve leaves it as it is.
    let unfit = manifest("box", "2.0.0", &[]).replace("occi#", "occi/other#");
    host.catalogue.install(unfit.into()).await.unwrap_err();
    assert_eq!(std::fs::metadata(site.file("box.toml")).unwrap().len(), 70 << 20);
    host.catalogue.install(manifest("box", "1.1.0", &[]).into()).await.unwrap();
    assert_eq!(host.serves("box").as_deref(), Some("1.1.0"));
    assert_eq!(host.refused("box.toml"), None);
    assert_eq!(std::fs::read_dir(site.file("")).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_and_on() {
    let site = Site::new();
    site.write("box.toml", &manifest("box", "1.0.0", &["colour"]));
    let host = site.start().await;
    host.create("box", &[]).await;
    let refused = host.catalogue.disable("box", false).await.unwrap_err();
    assert!(refused.to_string().contains("1 of its entities exist"), "{refused}");
    assert_eq!(host.catalogue.disable("box", true).await.unwrap().state, State::Disabled);
    assert_eq!(host.serves("box"), None);
    assert_eq!(host.catalogue.disable("box", false).await.unwrap().state, State::Disabled, "it is so");
    let refused = host.catalogue.remove("box", false).await.unwrap_err();
    assert!(matches!(refused, Refused::HasEntities { .. }), "{refused}");
    // Another version is noted, and serves when it is switched on.
    site.write("box.toml", &manifest("box", "1.1.0", &["colour", "size"]));
    eventually("it is noted", || host.listed("box").unwrap().version == "1.1.0").await;
    assert_eq!(host.serves("box"), None);
    host.stop().await;
    let host = site.start().await;
    assert_eq!(host.listed("box").unwrap().state, State::Disabled, "also after a restart");
    assert_eq!(host.catalogue.enable("box").await.unwrap().state, State::Active);
    assert_eq!(host.catalogue.enable("box").await.unwrap().state, State::Active);
    assert_eq!(host.serves("box").as_deref(), Some("1.1.0"));
    host.create("box", &["size"]).await;
}

/// Whoever asks may go away at any moment: what has begun is done to its end.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_need_wait_for_the_end() {
    let site = Site::new();
    let host = site.start().await;
    host.catalogue.install(manifest("box", "1.0.0", &[]).into()).await.unwrap();
    for number in 1..=80 {
        let next = manifest("box", &format!("1.{number}.0"), &[]);
        let patience = Duration::from_micros(100 * number);
        _ = tokio::time::timeout(patience, host.catalogue.install(next.into())).await;
        let _changing = host.catalogue.changing.lock().await;
        let version = host.serves("box").unwrap();
        let content = site.read("box.toml");
        assert!(content.contains(&format!("\"{version}\"")), "{version} serves, of {content}");
        assert_eq!(std::fs::read_dir(site.file("")).unwrap().count(), 1);
    }
}

/// What another has put in its place meanwhile stays.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_overtaken_unseen() {
    let site = Site::new();
    let host = site.start().await;
    for version in ["1.0.0", "1.1.0"] {
        host.catalogue.install(manifest("box", version, &[]).into()).await.unwrap();
    }
    let asked = |version: Option<&str>| {
        let (catalogue, version) = (Arc::clone(&host.catalogue), version.map(str::to_owned));
        tokio::spawn(async move {
            match version {
                Some(version) => catalogue.install(manifest("box", &version, &[]).into()).await,
                None => catalogue.roll_back("box").await,
            }
        })
    };
    for together in [[Some("1.2.0"), Some("1.3.0")], [Some("1.4.0"), None]] {
        let changing = host.catalogue.changing.lock().await;
        let asked = together.map(asked);
        // Each has seen what serves, and waits.
        a_while().await;
        drop(changing);
        let mut served = Vec::new();
        for asked in asked {
            match asked.await.unwrap() {
                Ok(listed) => served.push(listed.version),
                Err(Refused::Overtaken { .. } | Refused::OtherPrevious { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(served, [host.serves("box").unwrap()]);
    }
}

/// What is switched off while it is tried whether it can be switched on stays so.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_word_is_to_switch_off() {
    let site = Site::new();
    let host = site.start().await;
    host.catalogue.install(manifest("box", "1.0.0", &[]).into()).await.unwrap();
    host.catalogue.disable("box", true).await.unwrap();
    let changing = host.catalogue.changing.lock().await;
    let (first, second) = (Arc::clone(&host.catalogue), Arc::clone(&host.catalogue));
    let off = tokio::spawn(async move { first.disable("box", true).await });
    a_while().await;
    let on = tokio::spawn(async move { second.enable("box").await });
    a_while().await;
    drop(changing);
    assert_eq!(off.await.unwrap().unwrap().state, State::Disabled);
    assert!(matches!(on.await.unwrap(), Err(Refused::SwitchedOff(_))));
    assert_eq!(host.catalogue.enable("box").await.unwrap().state, State::Active);
}

/// Its entities stay its own, and its schemes its publisher's.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_serve_is_not_lost() {
    let site = Site::new();
    let host = site.start().await;
    let by = |text: String, publisher: &str| {
        text.replace("[extension]", &format!("[extension]\npublisher = \"{publisher}\""))
    };
    let install = async |text: String| host.catalogue.install(text.into()).await;
    let own = by(manifest("box", "1.0.0", &[]), "example.com");
    install(own.clone()).await.unwrap();
    host.create("box", &[]).await;
    host.catalogue.disable("box", true).await.unwrap();
    let thief = install(by(manifest("thief", "1.0.0", &[]), "example.org")).await.unwrap_err();
    assert!(thief.to_string().contains("example.com"), "{thief}");
    // A version that does not know them.
    let other = manifest("lid", "2.0.0", &[]).replace("name = \"lid\"", "name = \"box\"");
    assert_eq!(install(by(other, "example.com")).await.unwrap().state, State::Disabled);
    assert!(matches!(host.catalogue.enable("box").await, Err(Refused::Drops { .. })));
    assert!(matches!(host.catalogue.remove("box", false).await, Err(Refused::HasEntities { .. })));
    install(own).await.unwrap();
    host.catalogue.enable("box").await.unwrap();
    host.end_all("box").await;
    host.catalogue.remove("box", false).await.unwrap();
}

/// What entities ask for: nothing is changed by an agreement, and carried out twice it is as if once.
#[tokio::test(flavor = "multi_thread")]
async fn ordered_and_carried_out() {
    let site = Site::new();
    let host = site.start().await;
    let install = |text: &str| Wish::Install(text.as_bytes().to_vec());
    let carry_out = async |name: &str, order: &Order| {
        // As it is kept.
        let order = Order::from_bytes(&order.to_bytes().unwrap()).unwrap();
        host.catalogue.carry_out(name, &order.shall).await
    };
    let (first, second) = (manifest("box", "1.0.0", &[]), manifest("box", "2.0.0", &["size"]));
    let agreed = host.catalogue.agree("by", None, install(&first)).await.unwrap();
    assert_eq!((&*agreed.listed.name, host.listed("box")), ("box", None));
    for _ in 0..2 {
        carry_out("box", agreed.order.as_ref().unwrap()).await.unwrap();
        assert_eq!(host.serves("box").as_deref(), Some("1.0.0"));
    }
    let agreed = host.catalogue.agree("by", Some("box"), install(&first)).await.unwrap();
    assert_eq!(agreed.order, None, "it is so already");
    let agreed = host.catalogue.agree("by", Some("box"), install(&second)).await.unwrap();
    carry_out("box", &agreed.order.unwrap()).await.unwrap();
    let back = host.catalogue.agree("by", Some("box"), Wish::RollBack).await.unwrap().order.unwrap();
    for _ in 0..2 {
        carry_out("box", &back).await.unwrap();
        assert_eq!(host.serves("box").as_deref(), Some("1.0.0"), "back, and not forth again");
    }
    // The operator was faster.
    let forth = host.catalogue.agree("by", Some("box"), Wish::RollBack).await.unwrap().order.unwrap();
    host.catalogue.install(manifest("box", "3.0.0", &[]).into()).await.unwrap();
    assert!(matches!(carry_out("box", &forth).await, Err(Refused::OtherPrevious { .. })));
    let other = host.catalogue.agree("by", Some("box"), install(&manifest("odd", "1.0.0", &[]))).await;
    assert!(matches!(other, Err(Refused::OtherName { .. })));
    for wish in [Wish::Remove, Wish::Disable { leaves_entities: true }] {
        assert!(matches!(host.catalogue.agree("box", Some("box"), wish).await, Err(Refused::Itself(_))));
    }
    let gone = host.catalogue.agree("by", Some("box"), Wish::Remove).await.unwrap().order.unwrap();
    for _ in 0..2 {
        carry_out("box", &gone).await.unwrap();
        assert_eq!(host.listed("box"), None);
    }
}
