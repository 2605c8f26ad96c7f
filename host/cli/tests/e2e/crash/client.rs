//! One client: what it does, and what it may know of it.

use crate::http::{Answer, Request};
use crate::occi::{action, body, kind, kind_id};
use crate::server::Server;
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const CLIENTS: u64 = 8;

/// The most entities of one client; then it rather deletes.
const MOST: usize = 8;

/// What a client may know of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    Gone,
    /// It was asked for and not answered: either is right.
    Unsure,
}

#[derive(Debug)]
pub(super) struct Thing {
    pub(super) term: &'static str,
    pub(super) presence: Presence,
    /// None where an action was asked for and not answered.
    pub(super) state: Option<&'static str>,
    /// Where it is a link. None of them is known where other ends were asked for and not answered.
    pub(super) ends: Option<Ends>,
    /// A compute's cores. None where others were asked for and not answered.
    pub(super) cores: Option<u64>,
    /// What was asked for and what was answered, for who must find out what went wrong.
    pub(super) history: Vec<String>,
}

/// What a client may know of a link's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) now: [Uuid; 2],
    /// Others that were asked for, and no answer came.
    pub(super) or: Option<[Uuid; 2]>,
}

impl Ends {
    fn contain(&self, id: Uuid) -> bool {
        self.now.contains(&id) || self.or.is_some_and(|ends| ends.contains(&id))
    }

    pub(super) fn may_be(&self, ends: [Uuid; 2]) -> bool {
        self.now == ends || self.or == Some(ends)
    }
}

impl Thing {
    /// One that is about to be asked for.
    fn new(term: &'static str, state: &'static str, ends: Option<[Uuid; 2]>) -> Self {
        let ends = ends.map(|now| Ends { now, or: None });
        let cores = (term == "compute").then_some(1);
        Self { term, presence: Presence::Unsure, state: Some(state), ends, cores, history: Vec::new() }
    }
}

/// One client, with what it knows of its entities.
pub(super) struct Client {
    random: Random,
    pub(super) things: BTreeMap<Uuid, Thing>,
}

/// The server is gone.
pub(super) struct NoAnswer;

impl Client {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), things: BTreeMap::new() }
    }

    /// What it knows of the entity of an id.
    pub(super) fn thing(&self, id: &str) -> Option<&Thing> {
        self.things.get(&id.parse().ok()?)
    }

    /// One request. What it may have done is noted before it is sent, what it has done when it is answered.
    pub(super) fn step(&mut self, server: &Server) -> Result<(), NoAnswer> {
        let there: Vec<_> = self
            .things
            .iter()
            .filter(|(_, thing)| thing.presence == Presence::There)
            .map(|(id, _)| *id)
            .collect();
        let chosen = there.get(usize::try_from(self.random.below(MOST as u64)).unwrap()).copied();
        match (self.random.below(12), chosen) {
            (0, _) => self.create_refused(server),
            (1..=3, Some(id)) if there.len() >= MOST => self.delete(server, id),
            (1, Some(id)) => self.delete(server, id),
            (2..=5, Some(id)) => self.act(server, id),
            (6..=7, _) => self.create_link(server),
            (8..=9, Some(id)) if self.things[&id].ends.is_some() => self.retarget(server, id),
            (8..=9, Some(id)) if self.things[&id].term == "compute" => self.update(server, id),
            _ if there.len() >= MOST => self.delete(server, there[0]),
            (_, _) => {
                let term = ["compute", "storage", "network"][usize::try_from(self.random.below(3)).unwrap()];
                let (state, size): (_, &[&str]) = match term {
                    "storage" => ("offline", &["occi.storage.size=0.01"]),
                    _ => ("inactive", &[]),
                };
                self.create(server, term, size, "", Thing::new(term, state, None))
            }
        }
    }

    fn create(
        &mut self,
        server: &Server,
        term: &str,
        attributes: &[&str],
        link: &str,
        thing: Thing,
    ) -> Result<(), NoAnswer> {
        let id = Uuid::new_v4();
        self.things.insert(id, thing);
        let own = format!("occi.core.id=\"{id}\"");
        let text = body(&[&kind(term)], &[&[&*own], attributes].concat()) + link;
        let answer = self.send(server.post(&format!("/{term}/")).text(&text), &[id])?;
        let thing = self.things.get_mut(&id).unwrap();
        thing.presence = match answer.status {
            201 => Presence::There,
            // Not wanted so, or, of a second link to a volume, not possible now.
            400 | 409 => Presence::Gone,
            _ => panic!("{text}: {answer}"),
        };
        Ok(())
    }

    /// A creation that cannot succeed: some at once, some after the extension has made a machine.
    fn create_refused(&mut self, server: &Server) -> Result<(), NoAnswer> {
        let network = self.one(|thing| thing.term == "network");
        let (attributes, link): (&[&str], _) = match network {
            // A network is no storage.
            Some(network) => (
                &[],
                format!(
                    "Link: </network/{network}>; rel=\"{}\"; category=\"{}\"\n",
                    kind_id("storage"),
                    kind_id("storagelink")
                ),
            ),
            None => (&["occi.compute.memory=0"], String::new()),
        };
        // It is known before the answer comes that it can only be refused.
        let thing = Thing { presence: Presence::Gone, ..Thing::new("compute", "inactive", None) };
        self.create(server, "compute", attributes, &link, thing)
    }

    /// Lets a link join others, of those that this client has.
    fn retarget(&mut self, server: &Server, id: Uuid) -> Result<(), NoAnswer> {
        let term = self.things[&id].term;
        let to = if term == "storagelink" { "storage" } else { "network" };
        let (Some(source), Some(target)) =
            (self.one(|thing| thing.term == "compute"), self.one(|thing| thing.term == to))
        else {
            return Ok(());
        };
        let ends = |client: &mut Self, change: fn(&mut Ends, [Uuid; 2])| {
            change(client.things.get_mut(&id).unwrap().ends.as_mut().unwrap(), [source, target]);
        };
        ends(self, |ends, asked| ends.or = Some(asked));
        let text = body(
            &[],
            &[
                &format!("occi.core.source=\"/compute/{source}\""),
                &format!("occi.core.target=\"/{to}/{target}\""),
            ],
        );
        let answer = self.send(server.post(&format!("/{term}/{id}")).text(text), &[id])?;
        match answer.status {
            200 => ends(self, |ends, asked| *ends = Ends { now: asked, or: None }),
            // The volume is attached elsewhere.
            400 | 409 => ends(self, |ends, _| ends.or = None),
            _ => panic!("{answer}"),
        }
        Ok(())
    }

    /// Gives a compute another number of cores.
    fn update(&mut self, server: &Server, id: Uuid) -> Result<(), NoAnswer> {
        let asked = 1 + self.random.below(8);
        self.things.get_mut(&id).unwrap().cores = None;
        let text = body(&[], &[&format!("occi.compute.cores={asked}")]);
        let answer = self.send(server.post(&format!("/compute/{id}")).text(text), &[id])?;
        self.things.get_mut(&id).unwrap().cores = match answer.status {
            200 => Some(asked),
            _ => panic!("{answer}"),
        };
        Ok(())
    }

    fn create_link(&mut self, server: &Server) -> Result<(), NoAnswer> {
        let (term, to) = if self.random.below(2) == 0 {
            ("storagelink", "storage")
        } else {
            ("networkinterface", "network")
        };
        let (Some(source), Some(target)) =
            (self.one(|thing| thing.term == "compute"), self.one(|thing| thing.term == to))
        else {
            return Ok(());
        };
        let ends = [
            format!("occi.core.source=\"/compute/{source}\""),
            format!("occi.core.target=\"/{to}/{target}\""),
        ];
        let state = match self.things[&source].state {
            Some("active") => "active",
            _ => "inactive",
        };
        let thing = Thing::new(term, state, Some([source, target]));
        self.create(server, term, &[&ends[0], &ends[1]], "", thing)
    }

    fn act(&mut self, server: &Server, id: Uuid) -> Result<(), NoAnswer> {
        let thing = self.things.get_mut(&id).unwrap();
        let term = thing.term;
        let (verb, method, next): (_, &[&str], _) = match (term, thing.state) {
            ("compute", Some("inactive" | "suspended")) => ("start", &[], "active"),
            ("compute", Some("active")) if self.random.below(2) == 0 => ("suspend", &[], "suspended"),
            ("compute", Some("active")) => ("stop", &["method=\"poweroff\""], "inactive"),
            ("network", Some("inactive")) => ("up", &[], "active"),
            ("network", Some("active")) => ("down", &[], "inactive"),
            ("storage", Some("offline")) => ("online", &[], "online"),
            ("storage", Some("online")) => ("offline", &[], "offline"),
            (_, _) => return Ok(()),
        };
        let before = thing.state.take();
        let text = body(&[&action(term, verb)], method);
        let answer = self.send(server.post(&format!("/{term}/{id}?action={verb}")).text(text), &[id])?;
        self.things.get_mut(&id).unwrap().state = match answer.status {
            200 => Some(next),
            // A machine that runs keeps its network up.
            409 if verb == "down" => before,
            _ => panic!("{answer}"),
        };
        Ok(())
    }

    fn delete(&mut self, server: &Server, id: Uuid) -> Result<(), NoAnswer> {
        let term = self.things[&id].term;
        // Links go with their ends.
        let goes = |(other, thing): &(&Uuid, &Thing)| {
            thing.presence == Presence::There
                && (**other == id || thing.ends.is_some_and(|ends| ends.contain(id)))
        };
        let doomed: Vec<_> = self.things.iter().filter(goes).map(|(id, _)| *id).collect();
        let note = |client: &mut Self, presence| {
            for id in &doomed {
                client.things.get_mut(id).unwrap().presence = presence;
            }
        };
        note(self, Presence::Unsure);
        let answer = self.send(server.delete(&format!("/{term}/{id}")), &doomed)?;
        assert_eq!(answer.status, 200, "{answer}");
        note(self, Presence::Gone);
        Ok(())
    }

    /// Sends a request that is about some of the entities.
    fn send(&mut self, request: Request, about: &[Uuid]) -> Result<Answer, NoAnswer> {
        let asked = request.to_string();
        let answer = request.try_send();
        let status = answer.as_ref().map_or_else(ToString::to_string, |answer| answer.status.to_string());
        for id in about {
            self.things.get_mut(id).unwrap().history.push(format!("{asked}: {status}"));
        }
        answer.map_err(|_| NoAnswer)
    }

    /// One of those that are there.
    fn one(&mut self, wanted: impl Fn(&Thing) -> bool) -> Option<Uuid> {
        let found: Vec<_> = self
            .things
            .iter()
            .filter(|(_, thing)| thing.presence == Presence::There && wanted(thing))
            .map(|(id, _)| *id)
            .collect();
        let at = self.random.below(u64::try_from(found.len()).unwrap().max(1));
        found.get(usize::try_from(at).unwrap()).copied()
    }
}

/// `SplitMix64`: enough to choose by.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
