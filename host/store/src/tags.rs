//! Tags: the Mixins that clients make for themselves (CORE-47). Whether a name is free in the registry is asked there;
//! here two clients that make one tag at once, or two with one path, are told apart.

use crate::contract::{Batch, Entry, Expect, Range, ReadView, Revision};
use crate::error::StoreError;
use crate::{keys, record};
use occi_model::{CategoryId, InvalidIdentifier, Location, Mixin, Origin};
use serde::{Deserialize, Serialize};

/// A tag as the store has it.
#[derive(Debug, Clone)]
pub struct Tag {
    /// The Mixin; it has neither attributes nor actions (CORE-27).
    pub mixin: Mixin,
    /// The revision that made it.
    pub revision: Revision,
}

/// The form that is written.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    id: &'a str,
    title: Option<&'a str>,
    #[serde(borrow)]
    depends: Vec<&'a str>,
    #[serde(borrow)]
    applies: Vec<&'a str>,
    location: &'a str,
}

/// All tags of a tenant, in the order of their type identifiers.
pub fn tags(view: &dyn ReadView, tenant: &str) -> Result<Vec<Tag>, StoreError> {
    view.range(&Range::prefix(keys::tags(tenant)))?.iter().map(decode).collect()
}

/// One tag of a tenant.
pub fn tag(view: &dyn ReadView, tenant: &str, id: &CategoryId) -> Result<Option<Tag>, StoreError> {
    let key = keys::tag(tenant, id);
    let held = view.get(&key)?;
    held.map(|held| decode(&Entry { key, value: held.value, revision: held.revision })).transpose()
}

/// Adds to a batch that a tag is made. The batch then conflicts where the tenant has one of this name or with this
/// path. [`StoreError::Invalid`] where it has attributes or actions, which no tag has (CORE-27).
pub fn put_tag(batch: &mut Batch, tenant: &str, mixin: &Mixin) -> Result<(), StoreError> {
    if !mixin.attributes.is_empty() || !mixin.actions.is_empty() {
        let message = format!("{} has attributes or actions; a tag has none: leave them out", mixin.id);
        return Err(StoreError::Invalid(message));
    }
    let names = |ids: &'_ [CategoryId]| -> Vec<String> { ids.iter().map(ToString::to_string).collect() };
    let (depends, applies) = (names(&mixin.depends), names(&mixin.applies));
    let record = Record {
        id: mixin.id.as_str(),
        title: mixin.title.as_deref(),
        depends: depends.iter().map(String::as_str).collect(),
        applies: applies.iter().map(String::as_str).collect(),
        location: mixin.location.as_str(),
    };
    let (key, path) = (keys::tag(tenant, &mixin.id), keys::tag_path(tenant, &mixin.location));
    for key in [&key, &path] {
        batch.expect(key.clone(), Expect::Absent);
    }
    batch.put(key, record::write(VERSION, &record)?);
    batch.put(path, mixin.id.to_string());
    Ok(())
}

/// Adds to a batch that a tag goes. The batch then conflicts where it went already. Taking it off its members is the
/// caller's; [`require_tag`] keeps it from being given to others meanwhile.
pub fn delete_tag(batch: &mut Batch, tenant: &str, tag: &Tag) {
    require_tag(batch, tenant, tag);
    batch.delete(keys::tag(tenant, &tag.mixin.id)).delete(keys::tag_path(tenant, &tag.mixin.location));
}

/// Makes a batch conflict where a tag is no longer there: for one that gives it to an entity.
pub fn require_tag(batch: &mut Batch, tenant: &str, tag: &Tag) {
    batch.expect(keys::tag(tenant, &tag.mixin.id), Expect::Revision(tag.revision));
}

fn decode(entry: &Entry) -> Result<Tag, StoreError> {
    let record: Record<'_> = record::read(VERSION, &entry.key, &entry.value)?;
    let mixin = record.into_mixin().map_err(|error| StoreError::broken(&entry.key, &error))?;
    Ok(Tag { mixin, revision: entry.revision })
}

impl Record<'_> {
    fn into_mixin(self) -> Result<Mixin, InvalidIdentifier> {
        let ids = |names: Vec<&str>| names.into_iter().map(CategoryId::parse).collect::<Result<Vec<_>, _>>();
        Ok(Mixin {
            id: CategoryId::parse(self.id)?,
            title: self.title.map(Into::into),
            depends: ids(self.depends)?,
            applies: ids(self.applies)?,
            attributes: Vec::new(),
            actions: Vec::new(),
            location: Location::parse(self.location)?,
            origin: Origin::Client,
            exclusive: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Store;
    use crate::keys::Subject;
    use crate::testing::{category, store, wait};

    fn mixin(term: &str, path: &str) -> Mixin {
        Mixin {
            id: category(term),
            title: Some("A tag".into()),
            depends: vec![category("other")],
            applies: vec![category("kind"), category("kind2")],
            attributes: Vec::new(),
            actions: Vec::new(),
            location: Location::parse(path).unwrap(),
            origin: Origin::Client,
            exclusive: false,
        }
    }

    fn put(store: &dyn Store, mixin: &Mixin) -> Result<Revision, StoreError> {
        let mut batch = Batch::new();
        put_tag(&mut batch, "tenant", mixin)?;
        wait(store.commit(batch))
    }

    #[test]
    fn a_tag_comes_back_as_it_was_and_goes() {
        let store = store();
        let made = mixin("mine", "/mine/");
        let revision = put(&*store, &made).unwrap();
        put(&*store, &mixin("another", "/another/")).unwrap();
        let view = store.read().unwrap();
        let found = tag(&*view, "tenant", &made.id).unwrap().unwrap();
        assert_eq!(format!("{:?}", found.mixin), format!("{made:?}"));
        assert_eq!(found.revision, revision);
        let ids: Vec<_> = tags(&*view, "tenant").unwrap().into_iter().map(|tag| tag.mixin.id).collect();
        assert_eq!(ids, [category("another"), category("mine")]);
        assert!(tags(&*view, "other").unwrap().is_empty());
        assert!(tag(&*view, "other", &made.id).unwrap().is_none());

        let mut give = Batch::new();
        give.put("x", "");
        require_tag(&mut give, "tenant", &found);
        wait(store.commit(give.clone())).unwrap();
        let mut delete = Batch::new();
        delete_tag(&mut delete, "tenant", &found);
        wait(store.commit(delete.clone())).unwrap();
        assert_eq!(tags(&*store.read().unwrap(), "tenant").unwrap().len(), 1);
        for batch in [give, delete] {
            assert!(wait(store.commit(batch)).unwrap_err().is_conflict());
        }
        put(&*store, &made).unwrap();
    }

    #[test]
    fn a_name_and_a_path_are_taken_once() {
        let store = store();
        put(&*store, &mixin("mine", "/mine/")).unwrap();
        for (again, subject) in
            [(mixin("mine", "/x/"), Subject::Tag), (mixin("x", "/mine/"), Subject::TagPath)]
        {
            match put(&*store, &again) {
                Err(StoreError::Conflict { key, .. }) => assert_eq!(Subject::of(&key), Some(subject)),
                outcome => panic!("a conflict, and not {outcome:?}"),
            }
        }
    }

    #[test]
    fn what_has_content_is_no_tag() {
        // CORE-27
        let with_action = Mixin { actions: vec![category("act")], ..mixin("mine", "/mine/") };
        let error = put_tag(&mut Batch::new(), "tenant", &with_action).unwrap_err();
        assert!(error.to_string().contains("leave them out"), "{error}");
    }
}
