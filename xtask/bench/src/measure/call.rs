//! One call of an extension, in a fresh instance that uses no capability, against the same call of the same component
//! by a bare Wasmtime program. The two are called in turns, thousands of times.

use super::{Options, folder};
use crate::figure::{Figure, Pair, Target, median, time};
use crate::reference::guest::Guest;
use anyhow::{Context, Result};
use occi_extension::{Call, Extension, Grants, Lent, Loader, Settings, Subject};
use occi_model::{AttributeName, Attributes, CategoryId, Entity, Location, Value};
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

const KIND: &str = "http://example.com/occi/note#note";
const ACTION: &str = "stamp";
/// The attribute that every note has.
const TEXT: &str = "com.example.note.text";
/// The attribute that the action counts up.
const STAMPS: &str = "com.example.note.stamps";

/// How many calls of each make a run, after so many that only warm up.
const CALLS: usize = 4000;
const WARM_UP: usize = 400;

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let bytes = std::fs::read(options.extensions.join("note.wasm")).context("the extension of notes")?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime")?;
    let cache = folder()?;
    let grants = Grants { capabilities: [].into(), key: String::new(), administrators: [].into() };
    let loader = Loader::new(Settings::default(), cache.path(), Vec::new(), grants, Lent::new())?;
    let ours = loader.component(&bytes)?;
    let bare = Guest::load(&bytes).map_err(said)?;
    let mut pairs = Vec::new();
    for run in 1..=options.runs {
        let pair = runtime.block_on(turns(&ours, &bare))?;
        eprintln!("    call of an extension, run {run}: {:.2}", pair.ours / pair.reference);
        pairs.push(pair);
    }
    Ok(vec![Figure::ratio("Call of an extension", &pairs, time, Some(Target::AtMost(1.3)))])
}

async fn turns(ours: &Extension, bare: &Guest) -> Result<Pair> {
    let subject =
        Arc::new(Subject { entity: Arc::new(note()?), mixins: Vec::new(), state: None, is_new: true });
    let role = CategoryId::parse(KIND)?;
    let parameters = Attributes::new();
    let (mut our_times, mut bare_times) = (Vec::new(), Vec::new());
    for turn in 0..WARM_UP + CALLS {
        let operation = Uuid::new_v4();

        let began = Instant::now();
        let call = Call::about(operation, role.clone(), Arc::clone(&subject));
        let outcome = ours.act(call, ACTION, &parameters).await?;
        let our_time = began.elapsed();

        let began = Instant::now();
        let change = bare.act(&operation.to_string(), KIND, ACTION).await.map_err(said)?;
        let bare_time = began.elapsed();

        anyhow::ensure!(outcome.change.set.len() == 1 && change.set.len() == 1, "the note was not stamped");
        if turn >= WARM_UP {
            our_times.push(our_time.as_secs_f64());
            bare_times.push(bare_time.as_secs_f64());
        }
    }
    Ok(Pair { ours: median(&our_times), reference: median(&bare_times) })
}

/// Wasmtime has an error type of its own.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn said(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

fn note() -> Result<Entity> {
    let id = Uuid::new_v4();
    Ok(Entity {
        id,
        location: Location::parse(&format!("/note/{id}"))?,
        kind: CategoryId::parse(KIND)?,
        mixins: Vec::new(),
        tenant: "default".into(),
        title: None,
        summary: None,
        attributes: [
            (AttributeName::parse(TEXT)?, "a note".into()),
            (AttributeName::parse(STAMPS)?, Value::Integer(1)),
        ]
        .into(),
        ends: None,
    })
}
