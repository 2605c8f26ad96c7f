//! Compiled code: taken where it is as it was left, made anew where it is not.

use super::guest::Guest;
use super::{Host, call};
use occi_model::Attributes;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn folder(host: &Host) -> PathBuf {
    host.cache.path().join("code")
}

fn file(host: &Host, extension: &str) -> PathBuf {
    let mut files = fs::read_dir(folder(host)).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|found| found == extension)).unwrap()
}

fn written(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

async fn works(host: &Host) {
    let extension = host.load(&Guest::deeds().build());
    extension.act(call(), "ok", &Attributes::new()).await.unwrap();
}

#[tokio::test]
async fn code_is_compiled_once() {
    let host = Host::new();
    works(&host).await;
    let code = file(&host, "cwasm");
    let before = written(&code);
    assert_eq!(fs::metadata(folder(&host)).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&code).unwrap().permissions().mode() & 0o777, 0o600);
    works(&host).await;
    assert_eq!(written(&code), before);
    assert_eq!(
        fs::read_dir(folder(&host)).unwrap().count(),
        2,
        "the code and its seal, and nothing left over"
    );
}

#[tokio::test]
async fn code_that_is_not_as_it_was_left_is_compiled_anew() {
    let host = Host::new();
    works(&host).await;
    let (code, seal) = (file(&host, "cwasm"), file(&host, "sha256"));
    let good = fs::read(&code).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&flipped[..], &good[..good.len() / 2], b"", &Guest::deeds().build()] {
        fs::write(&code, bad).unwrap();
        works(&host).await;
        assert_eq!(fs::read(&code).unwrap(), good, "mended");
    }
    fs::remove_file(&seal).unwrap();
    fs::write(&code, &flipped).unwrap();
    works(&host).await;
    assert_eq!(fs::read(&code).unwrap(), good, "code without its seal is not trusted");
}

#[tokio::test]
async fn the_code_of_another_component_is_not_taken_for_this_one() {
    let host = Host::new();
    works(&host).await;
    let (code, seal) = (file(&host, "cwasm"), file(&host, "sha256"));
    let (stolen, its_seal) = (fs::read(&code).unwrap(), fs::read(&seal).unwrap());
    fs::remove_file(&code).unwrap();
    fs::remove_file(&seal).unwrap();

    let mut other = Guest::deeds();
    other.body = other.body.replace("not today", "tomorrow!");
    let other = other.build();
    host.load(&other);
    let (code, seal) = (file(&host, "cwasm"), file(&host, "sha256"));
    fs::write(&code, &stolen).unwrap();
    fs::write(&seal, its_seal).unwrap();
    let error = host.load(&other).act(call(), "refuse", &Attributes::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "extension deeds: tomorrow! (com.example.note)");
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let host = Host::new();
    fs::create_dir(folder(&host)).unwrap();
    fs::set_permissions(folder(&host), fs::Permissions::from_mode(0o777)).unwrap();
    let error = crate::cache::Cache::open(&folder(&host)).unwrap_err().to_string();
    assert!(error.contains("others may write to it; run `chmod 700` on it"), "{error}");
}

#[tokio::test]
async fn a_folder_that_fails_costs_time_alone() {
    let host = Host::new();
    let loader = host.loader();
    fs::remove_dir_all(folder(&host)).unwrap();
    let extension = loader.component(&Guest::deeds().build()).unwrap();
    extension.act(call(), "ok", &Attributes::new()).await.unwrap();
}
