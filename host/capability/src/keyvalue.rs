//! The capability `keyvalue`: `wasi:keyvalue/store`, small state of the extension's own for each tenant.
//!
//! What a call writes is held in its state, read by those that come after it in the operation, and committed together with
//! the entity or not at all; the store behind is only read here, through [`BucketReader`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use occi_extension::{BucketName, CallState, Capability, Fault, KeyValueView, Replaced};
use wasmtime::component::{HasSelf, Linker, Resource};

use generated::wasi::keyvalue::store::{self, Error, Host, HostBucket, KeyResponse};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world keyvalue { import wasi:keyvalue/store@0.2.0-draft2; }",
        world: "occi:lent/keyvalue",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": super::Bucket },
    });
}

/// The way to what is stored. A failure is told in words for the operator.
pub trait BucketReader: Send + Sync + 'static {
    /// All of it, as the last commit left it.
    fn view(&self) -> Result<Arc<dyn KeyValueView>, String>;
}

/// The reader that is lent to the calls.
pub struct Buckets(Box<dyn BucketReader>);

impl Buckets {
    /// Lend this one.
    pub fn new(reader: impl BucketReader) -> Self {
        Self(Box::new(reader))
    }

    /// What is stored now.
    pub(crate) fn view(&self) -> Result<Arc<dyn KeyValueView>, String> {
        self.0.view()
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buckets")
    }
}

/// A bucket that a guest has opened.
#[derive(Debug, Clone)]
#[expect(unreachable_pub, reason = "the generated code gives it another public name")]
pub struct Bucket(Arc<str>);

/// Small state of the extension's own.
#[derive(Debug)]
pub struct KeyValue;

impl Capability for KeyValue {
    fn name(&self) -> &'static str {
        "keyvalue"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["wasi:keyvalue/store@0.2.0-draft2"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        store::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["open", "bucket.get", "bucket.set", "bucket.delete", "bucket.exists", "bucket.list-keys"]
    }

    fn has_outside_effects(&self) -> bool {
        false
    }

    fn uses_data(&self) -> bool {
        true
    }
}

/// The longest name of a bucket, in bytes.
const NAME: usize = 64;
/// The longest key, in bytes.
const KEY: usize = 512;
/// The largest value, in bytes.
const VALUE: usize = 256 << 10;
/// How many stored keys one page of a list has.
const PAGE: usize = 100;

/// The one way to a bucket: by a name within the extension and the tenant of the call.
fn granted(name: &str) -> Result<Bucket, Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.len() <= NAME && name.bytes().all(fits) {
        Ok(Bucket(name.into()))
    } else {
        Err(Error::NoSuchStore)
    }
}

/// A key that the store takes.
fn key(key: &str) -> Result<&str, Error> {
    if key.is_empty() || key.len() > KEY {
        return Err(Error::Other(format!("a key has 1 to {KEY} bytes")));
    }
    Ok(key)
}

/// The stored part of a bucket, as the operation sees it.
struct Stored {
    view: Arc<dyn KeyValueView>,
    tenant: Arc<str>,
    extension: Arc<str>,
    bucket: Arc<str>,
}

impl Stored {
    fn of(state: &mut CallState, bucket: &Resource<Bucket>) -> wasmtime::Result<Result<Self, Error>> {
        let Bucket(name) = state.table().get(bucket)?.clone();
        let call = state.call();
        let (tenant, extension) = (Arc::clone(&call.tenant), Arc::clone(&call.extension));
        let buckets = state.lent::<Buckets>()?;
        let view = state.writes().view(|| buckets.view());
        Ok(view.map(|view| Self { view, tenant, extension, bucket: name }).map_err(unreadable))
    }

    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, Error> {
        self.view.get(&self.name(), key).map_err(unreadable)
    }

    fn keys(&self, after: Option<&str>) -> Result<Vec<String>, Error> {
        self.view.keys(&self.name(), after, PAGE).map_err(unreadable)
    }

    fn name(&self) -> BucketName<'_> {
        BucketName { tenant: &self.tenant, extension: &self.extension, bucket: &self.bucket }
    }
}

/// How the store fails is for the operator.
fn unreadable(error: impl fmt::Display) -> Error {
    tracing::error!(%error, "the key-value store cannot be read");
    Error::Other("the store cannot be read now".into())
}

/// The value of a key as this call sees it.
fn value(
    state: &mut CallState,
    bucket: &Resource<Bucket>,
    name: &str,
) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
    let stored = match Stored::of(state, bucket)? {
        Ok(stored) => stored,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(refused) = key(name) {
        return Ok(Err(refused));
    }
    Ok(match state.writes().get(&stored.bucket, name) {
        Some(written) => Ok(written.map(<[u8]>::to_vec)),
        None => stored.get(name).map(|found| found.map(|(value, _)| value)),
    })
}

fn write(
    state: &mut CallState,
    bucket: &Resource<Bucket>,
    name: &str,
    value: Option<Vec<u8>>,
) -> wasmtime::Result<Result<(), Error>> {
    let stored = match Stored::of(state, bucket)? {
        Ok(stored) => stored,
        Err(error) => return Ok(Err(error)),
    };
    let checked = key(name).and_then(|name| match &value {
        Some(value) if value.len() > VALUE => Err(Error::Other(format!("a value has at most {VALUE} bytes"))),
        Some(_) | None => stored.get(name),
    });
    Ok(checked.and_then(|found| {
        let over = found.map(|(value, revision)| Replaced { revision, bytes: value.len() });
        let written = state.writes().put(&stored.bucket, name, value, over);
        written.map_err(|refused| Error::Other(refused.to_string()))
    }))
}

/// A page of stored keys, with what the operation has written among them, and where to go on.
fn page(stored: Vec<String>, after: Option<&str>, written: BTreeMap<String, bool>) -> KeyResponse {
    // A full page says nothing of what comes behind its last key.
    let cursor = (stored.len() >= PAGE).then(|| stored.last().cloned()).flatten();
    let mut keys: BTreeSet<String> = stored.into_iter().collect();
    for (key, present) in written {
        let behind = after.is_none_or(|after| key.as_str() > after);
        let before = cursor.as_ref().is_none_or(|last| key <= *last);
        match (behind && before, present) {
            (true, true) => drop(keys.insert(key)),
            (true, false) => drop(keys.remove(&key)),
            (false, _) => {}
        }
    }
    KeyResponse { keys: keys.into_iter().collect(), cursor }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match &*fault.code {
            "missing" => Self::NoSuchStore,
            "denied" => Self::AccessDenied,
            _ => Self::Other(fault.message),
        }
    }
}

impl Host for CallState {
    async fn open(&mut self, identifier: String) -> wasmtime::Result<Result<Resource<Bucket>, Error>> {
        begin!(self, "keyvalue", "open");
        match granted(&identifier) {
            Ok(bucket) => Ok(Ok(self.table().push(bucket)?)),
            Err(refused) => Ok(Err(refused)),
        }
    }
}

impl HostBucket for CallState {
    async fn get(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        begin!(self, "keyvalue", "bucket.get");
        value(self, &bucket, &key)
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        begin!(self, "keyvalue", "bucket.set");
        write(self, &bucket, &key, Some(value))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> wasmtime::Result<Result<(), Error>> {
        begin!(self, "keyvalue", "bucket.delete");
        write(self, &bucket, &key, None)
    }

    async fn exists(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        begin!(self, "keyvalue", "bucket.exists");
        Ok(value(self, &bucket, &key)?.map(|found| found.is_some()))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<KeyResponse, Error>> {
        begin!(self, "keyvalue", "bucket.list-keys");
        let stored = match Stored::of(self, &bucket)? {
            Ok(stored) => stored,
            Err(error) => return Ok(Err(error)),
        };
        let written = self.writes().keys(&stored.bucket);
        let found = stored.keys(cursor.as_deref());
        Ok(found.map(|found| page(found, cursor.as_deref(), written)))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table().delete(bucket)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(keys: &[(&str, bool)]) -> BTreeMap<String, bool> {
        keys.iter().map(|(key, present)| ((*key).to_owned(), *present)).collect()
    }

    fn stored(keys: impl IntoIterator<Item = u32>) -> Vec<String> {
        keys.into_iter().map(|number| format!("{number:04}")).collect()
    }

    #[test]
    fn a_list_shows_what_the_call_wrote_and_not_what_it_deleted() {
        let KeyResponse { keys, cursor } =
            page(stored(1..4), None, written(&[("0002", false), ("0009", true)]));
        assert_eq!((keys, cursor), (stored([1, 3, 9]), None));
    }

    #[test]
    fn pages_hold_each_key_once_whatever_the_call_wrote() {
        let all = stored(0..250);
        let changes = written(&[("0000x", true), ("0099x", true), ("0150", false), ("9999", true)]);
        let (mut cursor, mut seen) = (None::<String>, Vec::new());
        loop {
            let after = cursor.clone();
            let behind = all.iter().filter(|key| after.as_ref().is_none_or(|after| *key > after));
            let answer = page(behind.take(PAGE).cloned().collect(), after.as_deref(), changes.clone());
            seen.extend(answer.keys);
            cursor = answer.cursor;
            if cursor.is_none() {
                break;
            }
        }
        let mut expected: BTreeSet<_> = all.into_iter().filter(|key| key != "0150").collect();
        expected.extend(["0000x".into(), "0099x".into(), "9999".into()]);
        assert_eq!(seen, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn names_of_buckets_are_short_and_plain() {
        for name in ["", "jobs", "a.b-c_D9"] {
            assert!(granted(name).is_ok(), "{name}");
        }
        for name in ["a/b", "ä", "a\0", &"a".repeat(65)] {
            assert!(matches!(granted(name), Err(Error::NoSuchStore)), "{name:?}");
        }
        assert!(key("").is_err() && key(&"k".repeat(513)).is_err() && key("ä/\u{1}").is_ok());
    }
}
