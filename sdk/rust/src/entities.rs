//! Other entities of the tenant, to be read and linked: the capability `entities`.
//!
//! An extension reads its own (those whose Kind it defines, or who have one of its Mixins), and those of the Kinds that its
//! manifest names:
//!
//! ```toml
//! [capabilities.entities]
//! kinds = ["http://schemas.ogf.org/occi/infrastructure#compute"]
//! ```
//!
//! They are seen as they were when the operation looked first. Another request may change them before this one
//! is committed: what must hold until then is kept in [`crate::keyvalue`].
//!
//! Links that leave the subject of a call, a resource, are made by [`link`] and ended by [`unlink`]: those of its own Kinds, and
//! of those that its manifest names in `links`. That happens once the operation is committed; where it is refused then, the
//! subject is observed with [`Cause::Refused`](crate::Cause::Refused).

use crate::attributes::{Attribute, Attributes, Read, Value};
use crate::fault::{Result, found};
use crate::outside::entities as outside;
use crate::outside::types;
use crate::subject::Subject;

/// An entity as it is for the whole call. Attributes are read by the methods of [`Read`].
pub struct Entity(types::Entity);

impl Entity {
    /// The entity at a location, such as `/compute/web`; 'missing' if there is none.
    pub fn open(location: &str) -> Result<Self> {
        outside::find(location).map(Self)
    }

    /// The entity at a location, or none.
    pub fn find(location: &str) -> Result<Option<Self>> {
        found(Self::open(location))
    }

    pub(crate) fn outside(&self) -> &types::Entity {
        &self.0
    }

    /// The value of `occi.core.id`.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// The path under which clients see it.
    pub fn location(&self) -> String {
        self.0.location()
    }

    /// The type identifier of its Kind.
    pub fn kind(&self) -> String {
        self.0.kind()
    }

    /// The type identifiers of its Mixins, those that they depend on included.
    pub fn mixins(&self) -> Vec<String> {
        self.0.mixins()
    }

    /// The value of the Kind's state attribute, where there is one.
    pub fn state(&self) -> Option<String> {
        self.0.state()
    }

    /// All its attributes.
    pub fn attributes(&self) -> Vec<Attribute> {
        self.0.attributes()
    }

    /// The location of a link's source; none on a resource.
    pub fn source(&self) -> Option<String> {
        self.0.source()
    }

    /// The location, or the foreign URI, of a link's target; none on a resource.
    pub fn target(&self) -> Option<String> {
        self.0.target()
    }

    /// The links that leave it.
    pub fn links(&self) -> Result<Entities> {
        Entities::of(outside::Listing::links_from(&self.0))
    }

    /// The links that lead to it.
    pub fn links_to(&self) -> Result<Entities> {
        Entities::of(outside::Listing::links_to(&self.0))
    }
}

impl Read for Entity {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name)
    }
}

/// Entities in the order in which they were made. Some are held at a time; a call can hold 1,000.
pub struct Entities {
    listing: outside::Listing,
    held: std::vec::IntoIter<types::Entity>,
}

/// The members of the collection of a Kind or a Mixin.
pub fn members(category: &str) -> Result<Entities> {
    Entities::of(outside::Listing::members(category))
}

/// The links that leave the subject of the call.
pub fn links(of: &Subject) -> Result<Entities> {
    Entities::of(outside::Listing::links_from(of.entity()))
}

/// The links that lead to the subject of the call.
pub fn links_to(of: &Subject) -> Result<Entities> {
    Entities::of(outside::Listing::links_to(of.entity()))
}

/// Has a link of that Kind lead from the subject of the call to what is at a location, such as `/network/lan`, with attributes
/// that a client may give; the location that it will have. 16 links are made and ended in one call at most.
pub fn link(kind: &str, target: &str, attributes: impl Into<Attributes>) -> Result<String> {
    let attributes: Vec<Attribute> = attributes.into().iter().cloned().collect();
    outside::link(kind, target, &attributes)
}

/// Has a link go that leaves the subject of the call; it may be one that is not made yet. Succeeds where there is none.
pub fn unlink(location: &str) -> Result<()> {
    outside::unlink(location)
}

impl Entities {
    fn of(listing: Result<outside::Listing>) -> Result<Self> {
        Ok(Self { listing: listing?, held: Vec::new().into_iter() })
    }
}

impl Iterator for Entities {
    type Item = Result<Entity>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entity) = self.held.next() {
                return Some(Ok(Entity(entity)));
            }
            match self.listing.next() {
                Ok(Some(next)) => self.held = next.into_iter(),
                Ok(None) => return None,
                Err(fault) => return Some(Err(fault)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;
    use crate::{Actions, Change, Fault, Lifecycle};

    const KIND: &str = "http://example.com/occi#lamp";
    const LINK: &str = "http://example.com/occi#wire";

    struct Lamp;

    impl Lifecycle for Lamp {
        /// One lamp of a colour, and none that hangs on nothing.
        fn create(subject: &Subject) -> Result<Change> {
            let colour = subject.text("colour");
            for lamp in members(KIND)? {
                if lamp?.text("colour") == colour {
                    return Err(Fault::conflict("there is one"));
                }
            }
            let wires = links_to(subject)?.collect::<Result<Vec<_>>>()?;
            let source = wires.first().and_then(Entity::source);
            let socket = Entity::find(&source.unwrap_or_default())?;
            socket.map(|socket| Change::new().set("socket", socket.id())).ok_or(Fault::missing("no socket"))
        }
    }

    #[test]
    fn what_a_test_places_is_seen() {
        let host = Host::<Lamp>::new();
        let mut lamp = host.resource(KIND).with("colour", "red");
        let socket = host.resource("http://example.com/occi#socket");
        assert_eq!(host.create(&mut lamp).unwrap_err().code, Fault::MISSING);
        host.place(&socket);
        host.place(&host.link(LINK, &socket, &lamp));
        host.create(&mut lamp).unwrap();
        assert_eq!(lamp.get("socket"), Some(socket.id.into()));
        host.place(&lamp);
        let mut other = host.resource(KIND).with("colour", "red");
        assert_eq!(host.create(&mut other).unwrap_err().code, Fault::CONFLICT);
        host.fail("entities.members", Fault::denied("not that Kind"));
        assert_eq!(host.create(&mut other).unwrap_err().code, Fault::DENIED);
    }

    struct Stack;

    impl Lifecycle for Stack {
        /// A new one is linked to the network that it names.
        fn create(subject: &Subject) -> Result<Change> {
            let network = subject.text("network").unwrap_or_default();
            let wire = link(LINK, &network, [("mtu", 1500_i64)])?;
            if subject.text("mood").is_some() {
                return Err(Fault::conflict("not in that mood"));
            }
            Ok(Change::new().set("wire", wire))
        }
    }

    impl Actions for Stack {
        fn act(subject: &Subject, action: &str, _parameters: &Attributes) -> Result<Change> {
            let wire = subject.text("wire").unwrap_or_default();
            match action {
                "cut" => unlink(&wire)?,
                _ => (0..20).try_for_each(|_| {
                    link(LINK, &subject.text("network").unwrap_or_default(), Attributes::default()).map(drop)
                })?,
            }
            Ok(Change::new())
        }
    }

    #[test]
    fn links_are_made_and_ended_with_the_call_or_not_at_all() {
        for host in [Host::<Stack>::new, Host::<Stack>::crashing] {
            let host = host();
            let network = host.resource("http://example.com/occi#network");
            let mut stack = host.resource(KIND).with("network", network.location());
            assert_eq!(host.create(&mut stack).unwrap_err().code, Fault::MISSING);
            host.place(&network);
            let mut moody = host.resource(KIND).with("network", network.location()).with("mood", "bad");
            assert_eq!(host.create(&mut moody).unwrap_err().code, Fault::CONFLICT);
            assert_eq!(host.links(&moody), []);
            host.create(&mut stack).unwrap();
            let [wire] = &host.links(&stack)[..] else { panic!("one wire") };
            assert_eq!(
                (wire.target.as_ref(), wire.get("mtu")),
                (Some(&network.location()), Some(1500_i64.into()))
            );
            assert_eq!(stack.get("wire"), Some(wire.location().into()));
            assert_eq!(host.act(&mut stack, "many", Attributes::default()).unwrap_err().code, Fault::INVALID);
            assert_eq!(host.links(&stack).len(), 1);
            for _ in 0..2 {
                host.act(&mut stack, "cut", Attributes::default()).unwrap();
                assert_eq!(host.links(&stack), []);
            }
        }
        let host = Host::<Stack>::new();
        for (call, code) in [("entities.link", Fault::DENIED), ("entities.unlink", Fault::FAILED)] {
            host.fail(call, Fault { code: code.into(), message: "not now".into(), attribute: None });
        }
        let mut stack = host.resource(KIND);
        assert_eq!(host.create(&mut stack).unwrap_err().code, Fault::DENIED);
        assert_eq!(host.act(&mut stack, "cut", Attributes::default()).unwrap_err().code, Fault::FAILED);
    }
}
