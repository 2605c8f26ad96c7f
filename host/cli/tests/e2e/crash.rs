//! Eight clients create, act and delete while the server is killed at random moments. After each restart what was
//! acknowledged is there, what was refused is not, and the store and the hypervisor agree.
//!
//! `OCCI_TEST_KILLS` is how often it is killed (15 if unset); `OCCI_TEST_SEED` repeats the choices of a run, if not its
//! timing.

use crate::occi::{action, body, kind, kind_id};
use crate::server::{Options, Server, eventually};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

const CLIENTS: u64 = 8;

/// The most entities of one client; then it rather deletes.
const MOST: usize = 8;

/// libvirt's test driver in the server's own process: it forgets everything, and recovery makes it again.
#[test]
fn on_a_hypervisor_that_forgets() {
    let server = Server::start();
    crash(server);
}

/// One that goes on while the server is dead, as a real hypervisor does.
#[test]
fn on_a_hypervisor_that_goes_on() {
    let Ok(uri) = std::env::var("OCCI_TEST_LIBVIRT_TEST_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_LIBVIRT_TEST_URI; `cargo xtask test` sets it");
        return;
    };
    crash(Server::with(Options { hypervisor: Some(uri), ..Options::default() }));
}

fn crash(mut server: Server) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let kills = number("OCCI_TEST_KILLS").unwrap_or(15);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let seed = number("OCCI_TEST_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    eprintln!("OCCI_TEST_SEED={seed}");
    let mut random = Random(seed);
    let mut clients: Vec<_> = (0..CLIENTS).map(|number| Client::new(seed ^ (number << 32))).collect();
    // Others may use the same hypervisor.
    let strangers = Inventory::of(&server);
    for kill in 1..=kills {
        std::thread::scope(|scope| {
            let threads: Vec<_> = clients
                .iter_mut()
                .map(|client| {
                    let server = &server;
                    scope.spawn(move || while client.step(server).is_ok() {})
                })
                .collect();
            std::thread::sleep(Duration::from_millis(5 + random.below(150)));
            server.send_kill();
            let failed = threads.into_iter().filter_map(|thread| thread.join().err()).count();
            assert_eq!(failed, 0, "a client had an answer that cannot be");
        });
        server.kill();
        // Now and then it dies again before it serves, in the middle of recovery perhaps.
        while random.below(3) == 0 {
            server.begin_and_kill(Duration::from_millis(random.below(80)));
        }
        server.begin();
        check(&server, &mut clients, &strangers, kill);
    }
    let log = server.log();
    let complaints: Vec<_> = log
        .lines()
        .filter(|line| line.contains(" ERROR ") || line.contains("panicked") || line.contains(" WARN "))
        // Expected of a hypervisor that forgets, and of a store whose server was killed.
        .filter(|line| {
            !line.contains("was made again, and is empty") && !line.contains("was not closed properly")
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    server.delete("/").answers(200);
    assert_eq!(Inventory::of(&server), strangers, "nothing is left behind");
}

/// What a client may know of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    Gone,
    /// It was asked for and not answered: either is right.
    Unsure,
}

#[derive(Debug)]
struct Thing {
    term: &'static str,
    presence: Presence,
    /// None where an action was asked for and not answered.
    state: Option<&'static str>,
    /// Where it is a link.
    ends: Option<[Uuid; 2]>,
}

/// One client, with what it knows of its entities.
struct Client {
    random: Random,
    things: BTreeMap<Uuid, Thing>,
}

/// The server is gone.
struct NoAnswer;

impl Client {
    fn new(seed: u64) -> Self {
        Self { random: Random(seed), things: BTreeMap::new() }
    }

    /// One request. What it may have done is noted before it is sent, what it has done when it is answered.
    fn step(&mut self, server: &Server) -> Result<(), NoAnswer> {
        let there: Vec<_> = self
            .things
            .iter()
            .filter(|(_, thing)| thing.presence == Presence::There)
            .map(|(id, _)| *id)
            .collect();
        let chosen = there.get(usize::try_from(self.random.below(MOST as u64)).unwrap()).copied();
        match (self.random.below(10), chosen) {
            (0, _) => self.create_refused(server),
            (1..=3, Some(id)) if there.len() >= MOST => self.delete(server, id),
            (1, Some(id)) => self.delete(server, id),
            (2..=5, Some(id)) => self.act(server, id),
            (6..=7, _) => self.create_link(server),
            _ if there.len() >= MOST => self.delete(server, there[0]),
            (_, _) => {
                let term = ["compute", "storage", "network"][usize::try_from(self.random.below(3)).unwrap()];
                let (state, size): (_, &[&str]) = match term {
                    "storage" => ("offline", &["occi.storage.size=0.01"]),
                    _ => ("inactive", &[]),
                };
                self.create(
                    server,
                    term,
                    size,
                    "",
                    Thing { term, presence: Presence::Unsure, state: Some(state), ends: None },
                )
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
        let answer = server.post(&format!("/{term}/")).text(&text).try_send().map_err(|_| NoAnswer)?;
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
        let thing = Thing { term: "compute", presence: Presence::Gone, state: None, ends: None };
        self.create(server, "compute", attributes, &link, thing)?;
        assert!(self.things.values().all(|thing| thing.term != "compute"
            || thing.state.is_some()
            || thing.presence != Presence::There));
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
        let thing =
            Thing { term, presence: Presence::Unsure, state: Some(state), ends: Some([source, target]) };
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
        thing.state = None;
        let text = body(&[&action(term, verb)], method);
        let sent = server.post(&format!("/{term}/{id}?action={verb}")).text(text).try_send();
        let answer = sent.map_err(|_| NoAnswer)?;
        self.things.get_mut(&id).unwrap().state = Some(next);
        assert_eq!(answer.status, 200, "{answer}");
        Ok(())
    }

    fn delete(&mut self, server: &Server, id: Uuid) -> Result<(), NoAnswer> {
        let term = self.things[&id].term;
        // Links go with their ends.
        let goes = |(other, thing): &(&Uuid, &mut Thing)| {
            **other == id || thing.ends.is_some_and(|ends| ends.contains(&id))
        };
        let mut doomed: Vec<_> = self.things.iter_mut().filter(goes).map(|(_, thing)| thing).collect();
        doomed.retain(|thing| thing.presence != Presence::Gone);
        for thing in &mut doomed {
            thing.presence = Presence::Unsure;
        }
        let answer = server.delete(&format!("/{term}/{id}")).try_send().map_err(|_| NoAnswer)?;
        assert_eq!(answer.status, 200, "{answer}");
        for thing in doomed {
            thing.presence = Presence::Gone;
        }
        Ok(())
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

/// An entity as the server lists it.
struct Listed {
    term: String,
    state: String,
    ends: Option<[Uuid; 2]>,
}

fn list(server: &Server) -> BTreeMap<Uuid, Listed> {
    let all = server.get("/").accept("application/json").answers(200).json();
    let id =
        |text: &Value| -> Uuid { text.as_str().unwrap().rsplit(['/', ':']).next().unwrap().parse().unwrap() };
    let listed = |entity: &Value| {
        let term = entity["kind"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let state = entity["attributes"][format!("occi.{term}.state")].as_str().unwrap().to_owned();
        let ends =
            entity.get("source").map(|source| [id(&source["location"]), id(&entity["target"]["location"])]);
        (id(&entity["id"]), Listed { term, state, ends })
    };
    let lists = ["resources", "links"].into_iter().filter_map(|name| all.get(name)?.as_array());
    lists.flatten().map(listed).collect()
}

/// What is at the hypervisor, with its state.
#[derive(Debug, PartialEq, Eq)]
struct Inventory([BTreeSet<(String, String)>; 3]);

impl Inventory {
    fn of(server: &Server) -> Self {
        let found = server.inspect();
        let set = |list: &str, property: &str| {
            let name = |thing: &Value| thing["name"].as_str().unwrap().to_owned();
            let things = found[list].as_array().unwrap().iter();
            things
                .map(|thing| (name(thing), thing.get(property).map_or_else(String::new, Value::to_string)))
                .collect()
        };
        Self([set("machines", "state"), set("volumes", ""), set("networks", "active")])
    }

    /// What it should be, by what the server lists.
    fn expected(listed: &BTreeMap<Uuid, Listed>) -> Self {
        let set = |term: &str, state: fn(&str) -> String| {
            let things = listed.iter().filter(|(_, entity)| entity.term == term);
            things.map(|(id, entity)| (format!("occi-{id}"), state(&entity.state))).collect()
        };
        let machine = |state: &str| match state {
            "active" => "\"running\"".into(),
            "suspended" => "\"paused\"".into(),
            "inactive" => "\"off\"".into(),
            other => other.to_owned(),
        };
        Self([
            set("compute", machine),
            set("storage", |_| String::new()),
            set("network", |state| (state == "active").to_string()),
        ])
    }

    fn without(mut self, others: &Self) -> Self {
        for (own, others) in self.0.iter_mut().zip(&others.0) {
            own.retain(|(name, _)| !others.iter().any(|(other, _)| other == name));
        }
        self
    }

    fn names(&self) -> [BTreeSet<&str>; 3] {
        self.0.each_ref().map(|set| set.iter().map(|(name, _)| name.as_str()).collect())
    }
}

/// Compares what the clients know, what the server lists, and what is at the hypervisor; then the clients learn what
/// became of what they did not know.
fn check(server: &Server, clients: &mut [Client], strangers: &Inventory, kill: u64) {
    let listed = list(server);
    // Which things there are holds at once; which state they are in is looked up in the background where the
    // hypervisor went on meanwhile.
    assert_eq!(
        Inventory::of(server).without(strangers).names(),
        Inventory::expected(&listed).names(),
        "kill {kill}: the hypervisor and the store agree\n{}",
        server.log()
    );
    let mut last = None;
    eventually("the hypervisor's states and the store's agree", || {
        let (found, expected) =
            (Inventory::of(server).without(strangers), Inventory::expected(&list(server)));
        if found != expected {
            let seen = format!("kill {kill}: found {found:?}\nexpected {expected:?}");
            if last.as_ref() != Some(&seen) {
                eprintln!("{seen}");
                last = Some(seen);
            }
            return false;
        }
        true
    });
    let mut known = BTreeSet::new();
    for client in clients {
        for (id, thing) in &mut client.things {
            let found = listed.get(id);
            match thing.presence {
                Presence::There => assert!(found.is_some(), "kill {kill}: {id} was acknowledged: {thing:?}"),
                Presence::Gone => {
                    assert!(found.is_none(), "kill {kill}: {id} was refused or deleted: {thing:?}")
                }
                Presence::Unsure => {}
            }
            let Some(found) = found else {
                thing.presence = Presence::Gone;
                continue;
            };
            known.insert(*id);
            thing.presence = Presence::There;
            assert_eq!((&*found.term, found.ends), (thing.term, thing.ends), "kill {kill}: {id}");
            assert_ne!(found.state, "error", "kill {kill}: {id} {thing:?}\n{}", server.log());
            // A link's state follows its compute's.
            if let (Some(state), None) = (thing.state, thing.ends) {
                assert_eq!(found.state, state, "kill {kill}: {id} {thing:?}");
            }
            thing.state = ["active", "inactive", "suspended", "online", "offline"]
                .into_iter()
                .find(|state| *state == found.state);
        }
        client.things.retain(|_, thing| thing.presence == Presence::There);
    }
    let unknown: Vec<_> = listed.keys().filter(|id| !known.contains(id)).collect();
    assert!(unknown.is_empty(), "kill {kill}: nobody asked for {unknown:?}");
    for (id, entity) in &listed {
        let ends = entity.ends.into_iter().flatten();
        assert!(
            ends.into_iter().all(|end| listed.contains_key(&end)),
            "kill {kill}: the link {id} has both ends"
        );
        // A link is active while its compute is.
        if let Some([source, _]) = entity.ends {
            assert_eq!(entity.state == "active", listed[&source].state == "active", "kill {kill}: {id}");
        }
    }
}

/// `SplitMix64`: enough to choose by.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
