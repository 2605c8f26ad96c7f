//! The layout of all keys, in this one place.
//!
//! Everything of a tenant lies together, in front of all else in a key:
//!
//! | key                                     | value          | what                                               |
//! |-----------------------------------------|----------------|----------------------------------------------------|
//! | `t` tenant `e` id                       | [record]       | an entity                                          |
//! | `t` tenant `p` path                     | id             | a path that does not end in the id of its entity   |
//! | `t` tenant `c` category, created, id    | location       | the entities of a Kind or a Mixin                  |
//! | `t` tenant `d` directory, created, id   | location       | the entities directly below a path                 |
//! | `t` tenant `s` id, created, id          | location       | the links that leave a resource                    |
//! | `t` tenant `l` id, created, id          | location       | the links that lead to a resource                  |
//! | `t` tenant `g` category                 | [tag]          | a tag                                              |
//! | `t` tenant `h` path                     | category       | the path of a tag's collection                     |
//! | `t` tenant `k` extension, bucket, key   | any            | the data of an extension                           |
//! | `i` operation                           | any            | an intent                                          |
//! | `o` id                                  | tenant         | to whom the entity with an id belongs              |
//! | `w` id                                  | time           | when an entity is to be asked about again          |
//! | `x` extension                           | any            | an extension that is installed                     |
//! | `y` extension                           | nothing        | when what it defines last broke what there was     |
//!
//! A text is its bytes and then 0 1, with each 0 in it written 0 255: texts then sort as their bytes do, and no
//! text's key begins another's. An id is 16 bytes. 'Created' is the time of creation in nanoseconds since 1970 in 8
//! bytes, big-endian: members of a collection stand in the order in which they were made, which never changes, and new
//! ones are written side by side. Only the id parts two of the same nanosecond.
//!
//! An entity whose path ends in its own id (those that the server names) is found by the id, so that it needs no key
//! `p`: one write less for each creation.
//!
//! [record]: mod@crate::record
//! [tag]: mod@crate::tags

use crate::contract::Key;
use occi_model::{CategoryId, Location};
use uuid::Uuid;

const TENANT: u8 = b't';
const INTENT: u8 = b'i';
const OWNER: u8 = b'o';
const TIMER: u8 = b'w';
const EXTENSION: u8 = b'x';
const DEFINITIONS: u8 = b'y';

const ENTITY: u8 = b'e';
const PATH: u8 = b'p';
const CATEGORY: u8 = b'c';
const DIRECTORY: u8 = b'd';
const SOURCE: u8 = b's';
const TARGET: u8 = b'l';
const TAG: u8 = b'g';
const TAG_PATH: u8 = b'h';
const KEY_VALUE: u8 = b'k';

/// The length of an id in a key.
const ID: usize = 16;

/// What a key is about. After a conflict it says which of its assumptions a batch was wrong in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An entity: it was changed or deleted, or its id is taken.
    Entity,
    /// The path of an entity: it is taken.
    Path,
    /// An index; nobody expects anything of one.
    Index,
    /// A tag: it was changed or removed, or there is one already.
    Tag,
    /// The path of a tag's collection: it is taken.
    TagPath,
    /// The data of an extension.
    KeyValue,
    /// An intent.
    Intent,
    /// When an entity is to be asked about again.
    Timer,
    /// An extension: it was installed or removed.
    Extension,
    /// What an extension defines: it is not what it was.
    Definitions,
}

impl Subject {
    /// What a key of this layout is about; none for any other key.
    pub fn of(key: &[u8]) -> Option<Self> {
        match key.split_first()? {
            (&INTENT, _) => Some(Self::Intent),
            (&TIMER, _) => Some(Self::Timer),
            (&EXTENSION, _) => Some(Self::Extension),
            (&DEFINITIONS, _) => Some(Self::Definitions),
            // An id is unique among all tenants: what belongs to the entity elsewhere has its name from it.
            (&OWNER, _) => Some(Self::Entity),
            (&TENANT, rest) => match rest[text_length(rest)?..].first()? {
                &ENTITY => Some(Self::Entity),
                &PATH => Some(Self::Path),
                &CATEGORY | &DIRECTORY | &SOURCE | &TARGET => Some(Self::Index),
                &TAG => Some(Self::Tag),
                &TAG_PATH => Some(Self::TagPath),
                &KEY_VALUE => Some(Self::KeyValue),
                _ => None,
            },
            _ => None,
        }
    }
}

/// An entity.
pub fn entity(tenant: &str, id: Uuid) -> Key {
    Writer::space(tenant, ENTITY, ID).id(id).end()
}

/// All entities of a tenant, in the order of their ids.
pub fn entities(tenant: &str) -> Key {
    Writer::space(tenant, ENTITY, 0).end()
}

/// A path that does not end in the id of its entity.
pub fn path(tenant: &str, path: &Location) -> Key {
    Writer::space(tenant, PATH, path.as_str().len()).text(path.as_str()).end()
}

/// The members of a category; [`member`] behind it makes the key of one.
pub fn category(tenant: &str, category: &CategoryId) -> Key {
    Writer::space(tenant, CATEGORY, category.as_str().len() + MEMBER).text(category.as_str()).end()
}

/// The members of all categories in a scheme: a prefix.
pub fn categories_in(tenant: &str, scheme: &str) -> Key {
    Writer::space(tenant, CATEGORY, scheme.len()).open_text(scheme).end()
}

/// The category of which a key makes an entity a member; none where it does no such thing.
pub fn category_of(tenant: &str, key: &[u8]) -> Option<CategoryId> {
    let rest = key.strip_prefix(&*Writer::space(tenant, CATEGORY, 0).end())?;
    // Type identifiers have no zeros in them.
    let text = std::str::from_utf8(&rest[..rest.iter().position(|byte| *byte == 0)?]).ok()?;
    CategoryId::parse(text).ok()
}

/// The entities directly below a path that ends in `/`; [`member`] behind it makes the key of one.
pub fn directory(tenant: &str, directory: &str) -> Key {
    Writer::space(tenant, DIRECTORY, directory.len() + MEMBER).text(directory).end()
}

/// The entities at any depth below a path that ends in `/`: a prefix.
pub fn below(tenant: &str, directory: &str) -> Key {
    Writer::space(tenant, DIRECTORY, directory.len()).open_text(directory).end()
}

/// The links that leave a resource; [`member`] behind it makes the key of one.
pub fn links_from(tenant: &str, source: Uuid) -> Key {
    Writer::space(tenant, SOURCE, ID + MEMBER).id(source).end()
}

/// The links that lead to a resource; [`member`] behind it makes the key of one.
pub fn links_to(tenant: &str, target: Uuid) -> Key {
    Writer::space(tenant, TARGET, ID + MEMBER).id(target).end()
}

/// The length of what [`member`] adds.
const MEMBER: usize = size_of::<u64>() + ID;

/// One entity among the members of a set.
pub fn member(set: &Key, created: u64, id: Uuid) -> Key {
    let mut key = Vec::with_capacity(set.len() + MEMBER);
    key.extend_from_slice(set);
    key.extend_from_slice(&created.to_be_bytes());
    key.extend_from_slice(id.as_bytes());
    key.into()
}

/// To whom the entity with an id belongs.
pub fn owner(id: Uuid) -> Key {
    let mut key = Vec::with_capacity(1 + ID);
    key.push(OWNER);
    key.extend_from_slice(id.as_bytes());
    key.into()
}

/// Everything of all tenants: a prefix.
pub fn tenants() -> Key {
    Key::from_static(&[TENANT])
}

/// Everything of a tenant: a prefix.
pub fn tenant(tenant: &str) -> Key {
    Writer::of(tenant, 0).end()
}

/// Whose a key is; none where it is not of a tenant.
pub fn tenant_of(key: &[u8]) -> Option<String> {
    let rest = key.strip_prefix(&[TENANT])?;
    let mut bytes = rest[..text_length(rest)? - 2].iter();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(*byte);
        if *byte == 0 {
            bytes.next();
        }
    }
    String::from_utf8(text).ok().filter(|text| key.starts_with(&tenant(text)))
}

/// A tag.
pub fn tag(tenant: &str, category: &CategoryId) -> Key {
    Writer::space(tenant, TAG, category.as_str().len()).text(category.as_str()).end()
}

/// All tags of a tenant.
pub fn tags(tenant: &str) -> Key {
    Writer::space(tenant, TAG, 0).end()
}

/// The path of a tag's collection.
pub fn tag_path(tenant: &str, path: &Location) -> Key {
    Writer::space(tenant, TAG_PATH, path.as_str().len()).text(path.as_str()).end()
}

/// All data of an extension, in whichever bucket: a prefix.
pub fn data(tenant: &str, extension: &str) -> Key {
    Writer::space(tenant, KEY_VALUE, extension.len() + 2).text(extension).end()
}

/// A bucket of an extension's data; [`key_value`] makes the key of one datum.
pub fn bucket(tenant: &str, extension: &str, bucket: &str) -> Key {
    Writer::space(tenant, KEY_VALUE, extension.len() + bucket.len() + 2).text(extension).text(bucket).end()
}

/// One datum of an extension. Its key is the last part, and stands as it is.
pub fn key_value(bucket: &Key, key: &str) -> Key {
    [bucket, key.as_bytes()].concat().into()
}

/// The intent of an operation.
pub fn intent(operation: Uuid) -> Key {
    let mut key = vec![INTENT];
    key.extend_from_slice(operation.as_bytes());
    key.into()
}

/// When an entity is to be asked about again.
pub fn timer(entity: Uuid) -> Key {
    let mut key = vec![TIMER];
    key.extend_from_slice(entity.as_bytes());
    key.into()
}

/// All of those.
pub fn timers() -> Key {
    Key::from_static(&[TIMER])
}

/// All intents.
pub fn intents() -> Key {
    Key::from_static(&[INTENT])
}

/// An extension that is installed. Its name is the last part, and stands as it is.
pub fn extension(name: &str) -> Key {
    [&[EXTENSION], name.as_bytes()].concat().into()
}

/// All extensions.
pub fn extensions() -> Key {
    Key::from_static(&[EXTENSION])
}

/// What an extension defines.
pub fn definitions(extension: &str) -> Key {
    [&[DEFINITIONS], extension.as_bytes()].concat().into()
}

/// The id at the end of a key.
pub fn id_at_end(key: &[u8]) -> Option<Uuid> {
    key.last_chunk().map(|bytes| Uuid::from_bytes(*bytes))
}

/// The id in the last segment of a path, in the one form in which ids are written, so that it can be found by it.
pub fn id_in_path(path: &Location) -> Option<Uuid> {
    let (_, segment) = path.as_str().rsplit_once('/')?;
    // `Uuid` reads other forms too; in those a path is a name like any other.
    let hyphenated =
        segment.len() == uuid::fmt::Hyphenated::LENGTH && !segment.bytes().any(|b| b.is_ascii_uppercase());
    hyphenated.then(|| Uuid::try_parse(segment).ok()).flatten()
}

/// The path, with its `/`, directly below which an entity stands.
pub fn directory_of(path: &Location) -> &str {
    let path = path.as_str();
    path.rfind('/').map_or(path, |slash| &path[..=slash])
}

/// The length of a text at the beginning of a key, its end mark included.
fn text_length(key: &[u8]) -> Option<usize> {
    key.windows(2).position(|pair| pair == [0, 1]).map(|end| end + 2)
}

/// Writes the parts of a key one after the other.
struct Writer(Vec<u8>);

impl Writer {
    /// The beginning of a tenant's keys, with room for `more` bytes.
    fn of(tenant: &str, more: usize) -> Self {
        let mut key = Vec::with_capacity(1 + tenant.len() + 2 + more);
        key.push(TENANT);
        Self(key).text(tenant)
    }

    /// The beginning of a tenant's keys of one sort, with room for `more` bytes.
    fn space(tenant: &str, sort: u8, more: usize) -> Self {
        let mut key = Self::of(tenant, 1 + more + 2);
        key.0.push(sort);
        key
    }

    fn text(mut self, text: &str) -> Self {
        self = self.open_text(text);
        self.0.extend_from_slice(&[0, 1]);
        self
    }

    /// A text without its end: what begins with it.
    fn open_text(mut self, text: &str) -> Self {
        for (nth, part) in text.split('\0').enumerate() {
            if nth > 0 {
                self.0.extend_from_slice(&[0, u8::MAX]);
            }
            self.0.extend_from_slice(part.as_bytes());
        }
        self
    }

    fn id(mut self, id: Uuid) -> Self {
        self.0.extend_from_slice(id.as_bytes());
        self
    }

    fn end(self) -> Key {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Range;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_sort_as_their_bytes_and_none_begins_another(a in "[\0\u{1}ab\u{ff}]{0,4}", b in "[\0\u{1}ab\u{ff}]{0,4}") {
            let key = |text: &str| Writer(Vec::new()).text(text).end();
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.as_bytes().cmp(b.as_bytes()));
            prop_assert_eq!(key(&a).starts_with(&key(&b)), a == b);
        }

        #[test]
        fn no_tenant_sees_into_another(a in "[\0\u{1}ab]{0,3}", b in "[\0\u{1}ab]{0,3}", id: u128) {
            prop_assume!(a != b);
            let others = Range::prefix(entities(&a));
            let key = entity(&b, Uuid::from_u128(id));
            prop_assert!(key < others.from || key >= others.to.unwrap());
            prop_assert_eq!(tenant_of(&key), Some(b));
        }

        #[test]
        fn a_key_of_a_tenant_begins_as_that_ones_do(key: Vec<u8>) {
            let key = [&[TENANT][..], &key].concat();
            if let Some(found) = tenant_of(&key) {
                prop_assert!(key.starts_with(&tenant(&found)));
            }
        }
    }

    #[test]
    fn a_key_says_what_it_is_about() {
        let location = Location::parse("/a/b").unwrap();
        let id = CategoryId::parse("http://a#b").unwrap();
        let set = category("\0te\0", &id);
        for (key, subject) in [
            (entity("\0te\0", Uuid::nil()), Subject::Entity),
            (path("", &location), Subject::Path),
            (member(&set, 1, Uuid::nil()), Subject::Index),
            (member(&links_from("t", Uuid::nil()), 1, Uuid::nil()), Subject::Index),
            (tag("t", &id), Subject::Tag),
            (tag_path("t", &location), Subject::TagPath),
            (key_value(&bucket("t", "e", "b"), "k"), Subject::KeyValue),
            (intent(Uuid::nil()), Subject::Intent),
            (timer(Uuid::nil()), Subject::Timer),
            (extension("note"), Subject::Extension),
            (definitions("note"), Subject::Definitions),
        ] {
            assert_eq!(Subject::of(&key), Some(subject), "{}", key.escape_ascii());
        }
        for key in [&b""[..], b"t", b"ta", b"ta\0\x01", b"ta\0\x01?", b"z"] {
            assert_eq!(Subject::of(key), None, "{}", key.escape_ascii());
        }
    }

    #[test]
    fn only_one_form_of_an_id_is_an_id_in_a_path() {
        let found = |path: &str| id_in_path(&Location::parse(path).unwrap());
        let id = Uuid::from_u128(0xabcd);
        assert_eq!(found(&format!("/a/{id}")), Some(id));
        for path in [
            format!("/a/{id}/"),
            format!("/a/{id}x"),
            format!("/{}", id.simple()),
            format!("/{id:X}"),
            "/".into(),
        ] {
            assert_eq!(found(&path), None, "{path}");
        }
    }
}
