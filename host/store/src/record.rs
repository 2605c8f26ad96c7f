//! The stored form of an entity, its only one. The model's types have no serde of their own, so that what is stored
//! changes only here, and then with a new version.
//!
//! A record is a byte with the version of its form, and then postcard. It has neither id nor tenant: its key has
//! them, and nothing that is written twice can disagree. Texts are read where they lie and copied once, into the
//! entity.

use crate::contract::{Key, Revision};
use crate::error::StoreError;
use occi_model::{AttributeName, Attributes, CategoryId, Ends, Entity, InvalidIdentifier, Location, Value};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// An entity as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The entity.
    pub entity: Arc<Entity>,
    /// The revision that wrote it last: its ETag.
    pub revision: Revision,
    /// When it was made, in nanoseconds since 1970. Collections are in this order.
    pub created: u64,
    /// The extension that made it; none where none did.
    pub made_by: Option<MadeBy>,
}

/// An extension in one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeBy {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The form that is written.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    created: u64,
    #[serde(borrow)]
    made_by: Option<(&'a str, &'a str)>,
    location: &'a str,
    kind: &'a str,
    mixins: Vec<&'a str>,
    title: Option<&'a str>,
    summary: Option<&'a str>,
    attributes: Vec<(&'a str, RecordValue<'a>)>,
    ends: Option<RecordEnds<'a>>,
}

#[derive(Serialize, Deserialize)]
struct RecordEnds<'a> {
    source: &'a str,
    source_kind: &'a str,
    source_id: [u8; 16],
    target: &'a str,
    target_kind: Option<&'a str>,
    target_id: Option<[u8; 16]>,
}

// The order of the variants is part of the form.
#[derive(Serialize, Deserialize)]
enum RecordValue<'a> {
    Text(&'a str),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    List(#[serde(borrow)] Vec<RecordValue<'a>>),
    Hash(#[serde(borrow)] Vec<(&'a str, RecordValue<'a>)>),
}

/// The record of an entity.
pub(crate) fn encode(entity: &Entity, created: u64, made_by: Option<&MadeBy>) -> Result<Vec<u8>, StoreError> {
    let record = Record {
        created,
        made_by: made_by.map(|made_by| (&*made_by.name, &*made_by.version)),
        location: entity.location.as_str(),
        kind: entity.kind.as_str(),
        mixins: entity.mixins.iter().map(CategoryId::as_str).collect(),
        title: entity.title.as_deref(),
        summary: entity.summary.as_deref(),
        attributes: entity.attributes.iter().map(|(name, value)| (name.as_str(), value.into())).collect(),
        ends: entity.ends.as_ref().map(RecordEnds::from),
    };
    write(VERSION, &record)
}

/// The entity of a record that lies under `key`, which names tenant and id.
pub(crate) fn decode(
    key: &[u8],
    tenant: &Arc<str>,
    id: Uuid,
    revision: Revision,
    bytes: &[u8],
) -> Result<Stored, StoreError> {
    let record: Record<'_> = read(VERSION, key, bytes)?;
    let created = record.created;
    let made_by = record.made_by.map(|(name, version)| MadeBy { name: name.into(), version: version.into() });
    let entity = record.into_entity(tenant.clone(), id).map_err(|error| StoreError::broken(key, &error))?;
    Ok(Stored { entity: Arc::new(entity), revision, created, made_by })
}

/// An entity by itself, for an intent: with its id and its tenant.
pub fn encode_whole(entity: &Entity) -> Result<Vec<u8>, StoreError> {
    let whole = (entity.id.into_bytes(), &*entity.tenant, encode(entity, 0, None)?);
    write(VERSION, &whole)
}

/// The entity that [`encode_whole`] wrote. `key` is where it was found, for the error.
pub fn decode_whole(key: &[u8], bytes: &[u8]) -> Result<Entity, StoreError> {
    let (id, tenant, record): ([u8; 16], &str, &[u8]) = read(VERSION, key, bytes)?;
    let stored = decode(key, &tenant.into(), Uuid::from_bytes(id), Revision::default(), record)?;
    Ok(Arc::unwrap_or_clone(stored.entity))
}

/// A stored form with the byte of its version.
pub(crate) fn write(version: u8, record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(record, vec![version])
        .map_err(|error| StoreError::Invalid(format!("this cannot be stored: {error}")))
}

/// Reads what [`write()`] has written in the same version.
pub(crate) fn read<'bytes, T: Deserialize<'bytes>>(
    version: u8,
    key: &[u8],
    bytes: &'bytes [u8],
) -> Result<T, StoreError> {
    let Some((&found, body)) = bytes.split_first() else {
        return Err(StoreError::broken(key, "it is empty"));
    };
    if found != version {
        let reason =
            format!("it has form {found}, this release knows {version}; use the release that wrote it");
        return Err(StoreError::broken(key, &reason));
    }
    match postcard::take_from_bytes(body) {
        Ok((record, [])) => Ok(record),
        Ok((_, rest)) => Err(StoreError::broken(key, &format!("it has {} bytes too many", rest.len()))),
        Err(error) => Err(StoreError::broken(key, &error)),
    }
}

/// The id that a value consists of.
pub(crate) fn read_id(key: &Key, value: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(value).map_err(|error| StoreError::broken(key, &error))
}

impl Record<'_> {
    fn into_entity(self, tenant: Arc<str>, id: Uuid) -> Result<Entity, InvalidIdentifier> {
        let attribute = |(name, value)| Ok((AttributeName::parse(name)?, Value::from(value)));
        Ok(Entity {
            id,
            location: Location::parse(self.location)?,
            kind: CategoryId::parse(self.kind)?,
            mixins: self.mixins.into_iter().map(CategoryId::parse).collect::<Result<_, _>>()?,
            tenant,
            title: self.title.map(Into::into),
            summary: self.summary.map(Into::into),
            attributes: self.attributes.into_iter().map(attribute).collect::<Result<Attributes, _>>()?,
            ends: self.ends.map(Ends::try_from).transpose()?,
        })
    }
}

impl<'a> From<&'a Ends> for RecordEnds<'a> {
    fn from(ends: &'a Ends) -> Self {
        Self {
            source: ends.source.as_str(),
            source_kind: ends.source_kind.as_str(),
            source_id: ends.source_id.into_bytes(),
            target: &ends.target,
            target_kind: ends.target_kind.as_ref().map(CategoryId::as_str),
            target_id: ends.target_id.map(Uuid::into_bytes),
        }
    }
}

impl TryFrom<RecordEnds<'_>> for Ends {
    type Error = InvalidIdentifier;

    fn try_from(ends: RecordEnds<'_>) -> Result<Self, InvalidIdentifier> {
        Ok(Self {
            source: Location::parse(ends.source)?,
            source_kind: CategoryId::parse(ends.source_kind)?,
            source_id: Uuid::from_bytes(ends.source_id),
            target: ends.target.into(),
            target_kind: ends.target_kind.map(CategoryId::parse).transpose()?,
            target_id: ends.target_id.map(Uuid::from_bytes),
        })
    }
}

impl<'a> From<&'a Value> for RecordValue<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text),
            Value::Integer(number) => Self::Integer(*number),
            Value::Number(number) => Self::Number(*number),
            Value::Boolean(truth) => Self::Boolean(*truth),
            Value::List(values) => Self::List(values.iter().map(Self::from).collect()),
            Value::Hash(values) => {
                Self::Hash(values.iter().map(|(name, value)| (name.as_str(), value.into())).collect())
            }
        }
    }
}

impl From<RecordValue<'_>> for Value {
    fn from(value: RecordValue<'_>) -> Self {
        match value {
            RecordValue::Text(text) => Self::Text(text.into()),
            RecordValue::Integer(number) => Self::Integer(number),
            RecordValue::Number(number) => Self::Number(number),
            RecordValue::Boolean(truth) => Self::Boolean(truth),
            RecordValue::List(values) => Self::List(values.into_iter().map(Self::from).collect()),
            RecordValue::Hash(values) => {
                Self::Hash(values.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{any_entity, resource};
    use proptest::prelude::*;

    const KEY: &[u8] = b"key";

    fn made_by() -> MadeBy {
        MadeBy { name: "extension".into(), version: "1.2.3".into() }
    }

    proptest! {
        #[test]
        fn any_entity_comes_back_as_it_was(entity in any_entity(), created: u64, revision: u64, made: bool) {
            let made_by = made.then(made_by);
            let record = encode(&entity, created, made_by.as_ref()).unwrap();
            let stored = decode(KEY, &entity.tenant, entity.id, Revision(revision), &record).unwrap();
            let whole = decode_whole(KEY, &encode_whole(&entity).unwrap()).unwrap();
            prop_assert_eq!(&whole, &entity);
            let expected = Stored { entity: Arc::new(entity), revision: Revision(revision), created, made_by };
            prop_assert_eq!(stored, expected);
        }

        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            let record = [&[VERSION][..], &bytes].concat();
            if let Err(error) = decode(KEY, &"tenant".into(), Uuid::nil(), Revision(1), &record) {
                prop_assert!(matches!(error, StoreError::Broken { ref key, .. } if key == KEY), "{}", error);
            }
        }

        #[test]
        fn a_record_that_is_cut_or_has_more_is_broken(entity in any_entity(), cut: prop::sample::Index) {
            let mut record = encode(&entity, 0, None).unwrap();
            let broken = |record: &[u8]| {
                let read = decode(KEY, &entity.tenant, entity.id, Revision(1), record);
                matches!(read, Err(StoreError::Broken { .. }))
            };
            prop_assert!(broken(&record[..cut.index(record.len())]));
            record.push(0);
            prop_assert!(broken(&record));
        }
    }

    #[test]
    fn the_form_stays_what_it_is() {
        // Stores in the field have it: a change here is a new version, and this record must still be read.
        let entity = Entity {
            title: Some("A".into()),
            attributes: [(
                AttributeName::parse("a.b").unwrap(),
                Value::List(vec![Value::Integer(-1), true.into()]),
            )]
            .into(),
            ..resource(1, "/a/b")
        };
        let record = encode(&entity, 300, Some(&made_by())).unwrap();
        let expected = b"\x01\xac\x02\x01\x09extension\x051.2.3\x04/a/b\x1chttp://example.org/test#kind\x00\x01\x01A\x00\
            \x01\x03a.b\x04\x02\x01\x01\x03\x01\x00";
        assert_eq!(record.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn a_form_of_another_release_is_said_to_be_one() {
        let mut record = encode(&resource(1, "/a"), 0, None).unwrap();
        record[0] = 2;
        let error = decode(KEY, &"tenant".into(), Uuid::nil(), Revision(1), &record).unwrap_err();
        assert!(error.to_string().contains("it has form 2, this release knows 1"), "{error}");
    }
}
