//! Which extensions are installed, and since when what they define is as it is. What is said of one is opaque here; who
//! installs extensions reads it.

use crate::contract::{Batch, Expect, Range, ReadView, Revision, Value};
use crate::error::StoreError;
use crate::keys;

/// Adds to a batch that an extension is installed, in place of what was said of it before.
pub fn put_extension(batch: &mut Batch, name: &str, record: impl Into<Value>) {
    batch.put(keys::extension(name), record);
}

/// Adds to a batch that an extension is not installed any more.
pub fn delete_extension(batch: &mut Batch, name: &str) {
    batch.delete(keys::extension(name));
}

/// All extensions that are installed, in the order of their names.
pub fn extensions(view: &dyn ReadView) -> Result<Vec<(String, Value)>, StoreError> {
    let prefix = keys::extensions();
    let named = |entry: crate::Entry| {
        let name = std::str::from_utf8(&entry.key[prefix.len()..]);
        let name = name.map_err(|error| StoreError::broken(&entry.key, &error))?.to_owned();
        Ok((name, entry.value))
    };
    view.range(&Range::prefix(prefix.clone()))?.into_iter().map(named).collect()
}

/// When an extension's definitions were last changed in a way that what was made under the earlier ones does not fit;
/// none if never.
pub fn definitions(view: &dyn ReadView, extension: &str) -> Result<Option<Revision>, StoreError> {
    Ok(view.get(&keys::definitions(extension))?.map(|held| held.revision))
}

/// Adds to a batch that an extension's definitions are changed in such a way.
pub fn change_definitions(batch: &mut Batch, extension: &str) {
    batch.put(keys::definitions(extension), Value::new());
}

/// Makes a batch conflict where an extension's definitions were changed since: for one with an entity that was checked
/// against them.
pub fn require_definitions(batch: &mut Batch, extension: &str, since: Option<Revision>) {
    batch.expect(keys::definitions(extension), since.map_or(Expect::Absent, Expect::Revision));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Store;
    use crate::keys::Subject;
    use crate::testing::{store, wait};

    #[test]
    fn what_is_installed_is_found_by_name() {
        let store = store();
        let mut batch = Batch::new();
        put_extension(&mut batch, "note", "1");
        put_extension(&mut batch, "a-note", "2");
        change_definitions(&mut batch, "b-note");
        wait(store.commit(batch)).unwrap();
        let all = extensions(&*store.read().unwrap()).unwrap();
        assert_eq!(all, [("a-note".into(), "2".into()), ("note".into(), "1".into())]);
        let mut batch = Batch::new();
        delete_extension(&mut batch, "note");
        wait(store.commit(batch)).unwrap();
        assert_eq!(extensions(&*store.read().unwrap()).unwrap().len(), 1);
    }

    #[test]
    fn what_was_checked_against_old_definitions_is_not_committed() {
        let store = store();
        let change = |store: &dyn Store| {
            let mut batch = Batch::new();
            change_definitions(&mut batch, "note");
            wait(store.commit(batch)).unwrap();
            definitions(&*store.read().unwrap(), "note").unwrap()
        };
        let commit = |since| {
            let mut batch = Batch::new();
            require_definitions(&mut batch, "note", since);
            batch.put("k", "v");
            wait(store.commit(batch))
        };
        commit(None).unwrap();
        let first = change(&*store);
        commit(first).unwrap();
        let second = change(&*store);
        for old in [None, first] {
            let error = commit(old).unwrap_err();
            let StoreError::Conflict { key, .. } = error else { panic!("{error}") };
            assert_eq!(Subject::of(&key), Some(Subject::Definitions));
        }
        commit(second).unwrap();
    }
}
