//! A process that commits without pause is killed at random moments, many times over on one store. After each kill all
//! that it had been told is durable is there, nothing that it had been refused is, each batch is there whole or not at
//! all, and the indexes are what the entities say.
//!
//! The process is this program itself, run with a folder as its argument: it writes a line for each answer that it
//! got. A power cut is another matter: what a process has written survives its end even without an fsync, so this
//! test shows the order of answers and the atomicity of groups, and trusts the fsync to redb.

// A test that needs a `main` of its own is not built as a test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "this is a test")]

use occi_model::{CategoryId, Ends, Entity, Location};
use occi_store::{
    Batch, Entities, Expect, Options, Portion, Range, RedbStore, Set, Store, delete_entity, owner, put_entity,
};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// At least so many kills, and as many more as it takes for so many answers.
const KILLS: u32 = 40;
const ANSWERS: usize = 1000;

const CLIENTS: u64 = 16;
const TENANT: &str = "tenant";

fn main() {
    // Cargo may pass filters and flags for the usual harness; only the parent passes this name.
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--commit-in"), Some(folder)) => runtime().block_on(commit_without_end(Path::new(&folder))),
        _ => runtime().block_on(kill_many_times()),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn open(folder: &Path) -> Arc<dyn Store> {
    Arc::new(RedbStore::open(folder.join("store"), &Options::default()).unwrap())
}

/// The child: entities are made, changed and deleted, and refused batches are tried, until the end comes from outside.
async fn commit_without_end(folder: &Path) {
    let store = open(folder);
    say("ready");
    for client in 0..CLIENTS {
        let store = store.clone();
        tokio::spawn(async move {
            let mut random = Random::new(client);
            loop {
                live(&*store, Uuid::from_u128(random.next_u128()), &mut random).await;
            }
        });
    }
    std::future::pending::<()>().await;
}

/// The life of one entity, and of a link that leaves it, with a line for each answer.
async fn live(store: &dyn Store, id: Uuid, random: &mut Random) {
    let tenant: Arc<str> = TENANT.into();
    // A resource and a link in one batch: both or none.
    let (resource, link) = (resource(id), link(id));
    let mut batch = Batch::new();
    put_entity(&mut batch, None, &resource, None).unwrap();
    put_entity(&mut batch, None, &link, None).unwrap();
    let mut last = store.commit(batch).await.unwrap();
    say(&format!("made {id} {last}"));

    // Refused, and it says so before it would be made; the marker must never be seen.
    let mut refused = Batch::new();
    refused.expect(occi_store::keys::entity(TENANT, id), Expect::Absent).put(format!("refused {id}"), "");
    assert!(store.commit(refused).await.unwrap_err().is_conflict());

    for round in 0..random.next() % 4 {
        let stored = get(store, &tenant, id);
        let mixins = vec![category(&format!("mixin{}", round % 2))];
        let changed = Entity { title: Some(format!("round {round}")), mixins, ..(*stored.entity).clone() };
        let mut batch = Batch::new();
        put_entity(&mut batch, Some(&stored), &changed, None).unwrap();
        last = store.commit(batch).await.unwrap();
        say(&format!("made {id} {last}"));
    }
    if random.next().is_multiple_of(3) {
        say(&format!("deleting {id}"));
        let mut batch = Batch::new();
        delete_entity(&mut batch, &get(store, &tenant, id)).unwrap();
        delete_entity(&mut batch, &get(store, &tenant, link.id)).unwrap();
        store.commit(batch).await.unwrap();
        say(&format!("deleted {id}"));
    }
}

fn get(store: &dyn Store, tenant: &Arc<str>, id: Uuid) -> occi_store::Stored {
    Entities::new(&*store.read().unwrap(), tenant).get(id).unwrap().unwrap()
}

/// One write for one line: a kill leaves lines whole.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// What is known about an entity.
#[derive(Debug, Clone, Copy)]
enum Told {
    /// The child was answered that it is there, at this revision or, unheard, a later one.
    Made(u64),
    /// So it was, and the child had begun to delete it.
    Deleting(u64),
    /// The child was answered that it is gone, or it was found to be.
    Deleted,
    /// It was found at this revision, and no child knows of it any more.
    Held(u64),
}

async fn kill_many_times() {
    let folder = tempfile::tempdir().unwrap();
    let mut told: BTreeMap<Uuid, Told> = BTreeMap::new();
    let mut random = Random::new(99);
    let mut answers = 0;
    for kill in 0.. {
        if kill >= KILLS && answers >= ANSWERS {
            println!("{kill} kills, {answers} answers, {} entities: all as it was told", told.len());
            break;
        }
        assert!(kill < 10 * KILLS, "only {answers} answers: the kills come before anything happens");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--commit-in")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Now and then it is killed while it still opens the store.
        if kill % 5 > 0 {
            assert_eq!(lines.next().as_deref(), Some("ready"));
        }
        let reader = std::thread::spawn(move || lines.filter(|line| line != "ready").collect::<Vec<_>>());
        tokio::time::sleep(Duration::from_millis(random.next() % 150)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = reader.join().unwrap();
        answers += lines.len();
        for line in lines {
            note(&mut told, &line);
        }
        let store = open(folder.path());
        check(&*store, &mut told);
        // A proper end now and then: the next start is then one without repair.
        if kill % 4 == 0 {
            store.close().await.unwrap();
        }
    }
}

fn note(told: &mut BTreeMap<Uuid, Told>, line: &str) {
    let words: Vec<_> = line.split(' ').collect();
    let id = words[1].parse().unwrap();
    let state = match (words[0], told.get(&id)) {
        ("made", _) => Told::Made(words[2].parse().unwrap()),
        ("deleting", Some(Told::Made(revision))) => Told::Deleting(*revision),
        ("deleted", _) => Told::Deleted,
        _ => panic!("the child said {line}"),
    };
    told.insert(id, state);
}

/// Compares the store with what was told, and notes what is there: it must stay so, whoever is killed later.
fn check(store: &dyn Store, told: &mut BTreeMap<Uuid, Told>) {
    let view = store.read().unwrap();
    let tenant: Arc<str> = TENANT.into();
    let entities = Entities::new(&*view, &tenant);
    for (id, told) in told.iter_mut() {
        let held = entities.get(*id).unwrap().map(|stored| stored.revision.0);
        let whole = entities.links_from(*id).unwrap().len();
        assert_eq!(whole, usize::from(held.is_some()), "{id}: a batch is there in part");
        *told = match (*told, held) {
            // A later change may have been made, and its answer lost with the process.
            (Told::Made(revision) | Told::Deleting(revision), Some(held)) if held >= revision => {
                Told::Held(held)
            }
            (Told::Deleting(_) | Told::Deleted, None) => Told::Deleted,
            (Told::Held(revision), Some(held)) if held == revision => Told::Held(held),
            (told, held) => panic!("{id}: {told:?}, but the store has {held:?}"),
        };
        assert!(held.is_none_or(|held| held <= view.revision().0));
    }
    assert!(view.range(&Range::prefix("refused")).unwrap().is_empty(), "a refused batch left something");

    // Each entity is in its sets, and the sets have nothing else.
    let all = entities.list(Set::All, &Portion::default()).unwrap().items;
    let count = |set: Set<'_>| entities.count(set).unwrap();
    let of = |term: &str| {
        let id = category(term);
        let of = all
            .iter()
            .filter(|stored| stored.entity.kind == id || stored.entity.mixins.contains(&id))
            .count();
        assert_eq!(count(Set::Category(&id)), of, "{term}");
        of
    };
    assert_eq!(of("kind") + of("link"), all.len());
    of("mixin0");
    of("mixin1");
    for stored in &all {
        assert_eq!(entities.find_by_path(&stored.entity.location).unwrap().as_ref(), Some(stored));
        assert!(owner(&*view, stored.entity.id).unwrap().is_some());
    }
    let records = view.range(&Range::prefix(occi_store::keys::entities(TENANT))).unwrap().len();
    assert_eq!(records, all.len());
}

fn category(term: &str) -> CategoryId {
    CategoryId::new("http://example.org/crash#", term).unwrap()
}

fn resource(id: Uuid) -> Entity {
    Entity {
        id,
        location: Location::parse(&format!("/kind/{id}")).unwrap(),
        kind: category("kind"),
        mixins: vec![],
        tenant: TENANT.into(),
        title: None,
        summary: Some("something of some length, ".repeat(8)),
        attributes: [].into(),
        ends: None,
    }
}

fn link(source: Uuid) -> Entity {
    let id = Uuid::from_u128(!source.as_u128());
    let ends = Ends {
        source: resource(source).location,
        source_kind: category("kind"),
        source_id: source,
        target: "http://example.org/elsewhere".into(),
        target_kind: None,
        target_id: None,
    };
    // At a path of its own, so that the path index is used too.
    let location = Location::parse(&format!("/links/{}", source.simple())).unwrap();
    Entity { kind: category("link"), location, ends: Some(ends), summary: None, ..resource(id) }
}

/// Numbers that are different in each run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn new(salt: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
        Self((u64::from(std::process::id()) << 40) ^ (u64::from(now) << 8) ^ salt)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn next_u128(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }
}
