//! That an extension wants a link made or ended: written down with the commit of the operation in which it asked, among its
//! key-value data, in a bucket that no guest can open. [`orders`](crate::orders) has it carried out.

use crate::effect::Writes;
use crate::refusal::Refusal;
use occi_extension::LinkOrder;
use occi_model::{AttributeName, CategoryDraft, Ends, Entity, Item, Location, core as names};
use occi_store::record;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One link that shall be, or shall not be any more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    /// From how many orders the call stems that gave it, each from the one before.
    pub(crate) depth: u8,
    pub(crate) wish: Wish,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wish {
    /// This link, with the attributes that were given. Its id is made beforehand, so that it is not made twice.
    Link(Box<Entity>),
    /// No link there that leaves this resource.
    Unlink { source: Uuid, location: Location },
    /// That the extension hears of a refusal: what it wanted there is not so.
    Hear { location: Location },
}

/// The form that is written.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    depth: u8,
    wish: StoredWish,
}

#[derive(Serialize, Deserialize)]
enum StoredWish {
    Link(Vec<u8>),
    Unlink { source: Uuid, location: String },
    Hear { location: String },
}

impl Order {
    /// So many may stem one from the other, so that what refuses and what asks anew do not go on for ever.
    pub(crate) const DEEPEST: u8 = 4;

    /// Where the link is, or will be.
    pub(crate) fn location(&self) -> &Location {
        match &self.wish {
            Wish::Link(link) => &link.location,
            Wish::Unlink { location, .. } | Wish::Hear { location } => location,
        }
    }

    /// As it is to be written down, for the resource that the link leaves.
    pub(crate) fn write(&self, subject: Uuid) -> Result<LinkOrder, Refusal> {
        // Ids of this version sort as they were made.
        let key = format!("{subject}/{}", Uuid::now_v7());
        Ok(LinkOrder { location: self.location().to_string(), key, value: self.encode()? })
    }

    /// The value that is written.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Refusal> {
        let wish = match &self.wish {
            Wish::Link(link) => StoredWish::Link(record::encode_whole(link)?),
            Wish::Unlink { source, location } => {
                StoredWish::Unlink { source: *source, location: location.as_str().to_owned() }
            }
            Wish::Hear { location } => StoredWish::Hear { location: location.as_str().to_owned() },
        };
        postcard::to_extend(&Stored { depth: self.depth, wish }, vec![VERSION])
            .map_err(|error| Refusal::Internal(format!("an order cannot be written: {error}")))
    }

    /// As it was written down.
    pub(crate) fn read(key: &str, value: &[u8]) -> Result<Self, Refusal> {
        let broken = |why: String| Refusal::Internal(format!("the order {key} cannot be read: {why}"));
        let Some((&VERSION, stored)) = value.split_first() else {
            return Err(broken("this version of the server knows no such form".into()));
        };
        let Stored { depth, wish } =
            postcard::from_bytes(stored).map_err(|error| broken(error.to_string()))?;
        let wish = match wish {
            StoredWish::Link(link) => {
                let link = record::decode_whole(key.as_bytes(), &link);
                Wish::Link(Box::new(link.map_err(|error| broken(error.to_string()))?))
            }
            StoredWish::Unlink { source, location } => {
                Wish::Unlink { source, location: Location::parse(&location)? }
            }
            StoredWish::Hear { location } => Wish::Hear { location: Location::parse(&location)? },
        };
        Ok(Self { depth, wish })
    }
}

/// The resource whose order has that key.
pub(crate) fn subject_of(key: &str) -> Option<Uuid> {
    Uuid::parse_str(key.split_once('/')?.0).ok()
}

/// A link as a client would describe it.
pub(crate) fn described(link: &Entity) -> Item {
    let mut attributes = link.attributes.clone();
    let ends = link.ends.as_ref();
    // By their ids: their paths may be others' by then.
    let target = |ends: &Ends| ends.target_id.map_or_else(|| ends.target.clone(), |id| id.to_string());
    let texts = [
        (names::TITLE, link.title.clone()),
        (names::SOURCE, ends.map(|ends| ends.source_id.to_string())),
        (names::TARGET, ends.map(target)),
    ];
    for (name, text) in texts {
        let named = AttributeName::parse(name).ok().zip(text);
        attributes.extend(named.map(|(name, text)| (name, text.into())));
    }
    Item { categories: vec![CategoryDraft::new(link.kind.clone(), None)], attributes, ..Item::default() }
}

/// An order that is being carried out, as the operation sees it that does so.
#[derive(Debug)]
pub(crate) struct Errand {
    /// From how many orders its calls stem.
    pub(crate) depth: u8,
    /// That it is struck, which is committed with what it asked for.
    pub(crate) strike: Writes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_model::CategoryId;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let source = Uuid::from_u128(1);
        let kind = CategoryId::parse("http://example.com/occi#rope").unwrap();
        let link = Entity {
            id: Uuid::from_u128(2),
            location: Location::parse("/rope/2").unwrap(),
            kind: kind.clone(),
            mixins: Vec::new(),
            tenant: "default".into(),
            title: Some("a rope".into()),
            summary: None,
            attributes: [(AttributeName::parse("com.example.length").unwrap(), 7.into())].into(),
            ends: Some(Ends {
                source: Location::parse("/a").unwrap(),
                source_kind: kind.clone(),
                source_id: source,
                target: "/b".into(),
                target_kind: Some(kind),
                target_id: Some(Uuid::from_u128(3)),
            }),
        };
        let item = described(&link);
        let told =
            |name: &str| item.attributes.get(name).and_then(|value| value.as_text()).map(str::to_owned);
        let target = Uuid::from_u128(3).to_string();
        assert_eq!((told(names::SOURCE), told(names::TARGET)), (Some(source.to_string()), Some(target)));
        assert_eq!((told(names::TITLE), item.attributes.len()), (Some("a rope".into()), 4));
        let location = link.location.clone();
        for wish in [
            Wish::Link(Box::new(link)),
            Wish::Unlink { source, location: location.clone() },
            Wish::Hear { location: location.clone() },
        ] {
            let order = Order { depth: 3, wish };
            let written = order.write(source).unwrap();
            assert_eq!(
                (written.location.as_str(), subject_of(&written.key)),
                (location.as_str(), Some(source))
            );
            assert_eq!(Order::read(&written.key, &written.value).unwrap(), order);
            let half = &written.value[..written.value.len() / 2];
            for broken in [&b""[..], &[VERSION], &[VERSION + 1, 0], half] {
                assert!(Order::read(&written.key, broken).is_err(), "{broken:?}");
            }
        }
        assert_eq!(subject_of("nonsense"), None);
    }
}
