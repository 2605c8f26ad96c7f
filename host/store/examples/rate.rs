//! How fast the store is on this machine: durable creations by many clients at once, reads, and the start after a
//! crash.
//!
//!     cargo run --release -p occi-store --example rate -- [FOLDER [CLIENTS [ENTITIES]]]
//!
//! FOLDER (default: the current one) decides which disk is measured; the file in it is removed at the end.

use occi_model::{AttributeName, CategoryId, Entity, Location, Value};
use occi_store::{Batch, Entities, Options, Portion, RedbStore, Set, Store, put_entity};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const TENANT: &str = "tenant";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| ".".into(), PathBuf::from);
    let clients: usize = arguments.next().map_or(Ok(64), |number| number.parse())?;
    let entities: usize = arguments.next().map_or(Ok(200_000), |number| number.parse())?;
    let folder = folder.join(format!("rate-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let measured = measure(&folder.join("store"), clients, entities);
    std::fs::remove_dir_all(folder)?;
    measured
}

#[allow(clippy::print_stdout, reason = "the figures are what it is for")]
fn measure(path: &PathBuf, clients: usize, entities: usize) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(path, &Options::default())?);

    let start = Instant::now();
    let (made, mut times) = runtime.block_on(create(&store, clients, entities))?;
    let seconds = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!(
        "{} durable creations by {clients} clients: {:.0} a second; each took {:?} at the median, {:?} at p99",
        made.len(),
        f64::from(u32::try_from(made.len())?) / seconds,
        at(50),
        at(99)
    );

    let tenant: Arc<str> = TENANT.into();
    let start = Instant::now();
    for path in made.iter().cycle().take(1_000_000) {
        let view = store.read()?;
        Entities::new(&*view, &tenant).find_by_path(path)?.ok_or("an entity is missing")?;
    }
    println!("one entity by its path: {:?}", start.elapsed() / 1_000_000);
    let start = Instant::now();
    for path in made.iter().take(100).cycle().take(1_000_000) {
        let view = store.read()?;
        Entities::new(&*view, &tenant).find_by_path(path)?.ok_or("an entity is missing")?;
    }
    println!("one of a hundred entities by its path: {:?}", start.elapsed() / 1_000_000);

    let view = store.read()?;
    let kind = CategoryId::new("http://example.org/rate#", "thing")?;
    let thousand = Portion::page(None, 1000);
    let start = Instant::now();
    let listed = Entities::new(&*view, &tenant).list(Set::Category(&kind), &thousand)?.items.len();
    println!("a page of {listed} entities of a kind: {:?}", start.elapsed());
    let start = Instant::now();
    let listed = Entities::new(&*view, &tenant).locations(Set::Category(&kind), &thousand)?.items.len();
    println!("a page of {listed} locations of a kind: {:?}", start.elapsed());
    drop(view);

    // What a killed process leaves: the file as it is while it is open.
    let killed = path.with_extension("killed");
    std::fs::copy(path, &killed)?;
    let bytes = std::fs::metadata(&killed)?.len();
    let start = Instant::now();
    drop(RedbStore::open(&killed, &Options::default())?);
    println!("start after a kill: {:?}, with {} MiB", start.elapsed(), bytes >> 20);
    runtime.block_on(store.close())?;
    drop(store);
    let start = Instant::now();
    drop(RedbStore::open(path, &Options::default())?);
    println!("start after a proper end: {:?}", start.elapsed());
    Ok(())
}

/// Creates entities, `clients` at once, and says where they are and how long each took.
async fn create(
    store: &Arc<dyn Store>,
    clients: usize,
    entities: usize,
) -> Result<(Vec<Location>, Vec<Duration>), Box<dyn Error>> {
    let each = entities.div_ceil(clients);
    let client = |store: Arc<dyn Store>| async move {
        let mut made = Vec::with_capacity(each);
        for _ in 0..each {
            let start = Instant::now();
            let entity = entity().map_err(|error| error.to_string())?;
            let mut batch = Batch::new();
            put_entity(&mut batch, None, &entity, None).map_err(|error| error.to_string())?;
            store.commit(batch).await.map_err(|error| error.to_string())?;
            made.push((entity.location, start.elapsed()));
        }
        Ok::<_, String>(made)
    };
    let tasks: Vec<_> = (0..clients).map(|_| tokio::spawn(client(store.clone()))).collect();
    let (mut locations, mut times) = (Vec::new(), Vec::new());
    for task in tasks {
        for (location, time) in task.await?? {
            locations.push(location);
            times.push(time);
        }
    }
    Ok((locations, times))
}

/// One with as many attributes as an entity of the standard's has.
fn entity() -> Result<Entity, Box<dyn Error>> {
    // Ids that grow with time lie side by side, so that a commit writes few pages.
    let id = Uuid::now_v7();
    let attribute = |name: &str, value: Value| Ok::<_, Box<dyn Error>>((AttributeName::parse(name)?, value));
    Ok(Entity {
        id,
        location: Location::parse(&format!("/thing/{id}"))?,
        kind: CategoryId::new("http://example.org/rate#", "thing")?,
        mixins: vec![CategoryId::new("http://example.org/rate/templates#", "small")?],
        tenant: TENANT.into(),
        title: Some("A thing of ordinary size".into()),
        summary: None,
        attributes: [
            attribute("org.example.cores", Value::Integer(2))?,
            attribute("org.example.hostname", "host-17.example.org".into())?,
            attribute("org.example.memory", Value::Number(4.0))?,
            attribute("org.example.share", Value::Integer(0))?,
            attribute("org.example.state", "active".into())?,
            attribute("org.example.state.message", "it was started".into())?,
        ]
        .into(),
        ends: None,
    })
}
