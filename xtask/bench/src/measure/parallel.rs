//! Two hundred virtual machines that are asked for at once, on libvirt's test driver, against a program that only makes the same
//! calls of libvirt, and against a bare server that is asked for the same and keeps the same. They create in turns, and remove what they
//! created.

use super::create::sample;
use super::{MACHINE, MACHINES, Options, folder, reference, tell};
use crate::burst::Burst;
use crate::figure::{Figure, Pair, Target, median, rate};
use crate::reference::define;
use anyhow::{Context, Result};
use std::thread;
use std::time::Instant;

/// How many are made at once.
const MANY: u16 = 200;
/// How many times each makes so many in a run, after so many times that only warm up.
const TURNS: usize = 40;
const WARM_UP: usize = 4;

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let folder = folder()?;
    let server = options.serve(&folder.path().join("data"))?;
    let mut burst = Burst::new(&server, MANY.into())?;
    let told = tell(folder.path(), &sample(options, folder.path(), MACHINES, MACHINE)?)?;
    let file = folder.path().join("bare.redb");
    let bare = reference(&["keep".as_ref(), "--machines".as_ref(), told.as_ref(), file.as_ref()])?;
    let mut bare_burst = Burst::new(&bare, MANY.into())?;
    let connect = define::open(define::TEST)?;
    let threads = thread::available_parallelism().context("the number of processors")?.get();
    let (mut pairs, mut served, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=options.runs {
        let (mut ours, mut bare, mut one, mut several) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for turn in 0..WARM_UP + TURNS {
            let rates = (
                create(&mut burst)?,
                create(&mut bare_burst)?,
                define::some(&connect, 1, MANY)?,
                define::some(&connect, threads, MANY)?,
            );
            if turn >= WARM_UP {
                ours.push(rates.0);
                bare.push(rates.1);
                one.push(rates.2);
                several.push(rates.3);
            }
        }
        let pair = Pair { ours: median(&ours), reference: median(&one) };
        let beside = Pair { reference: median(&bare), ..pair };
        eprintln!("    {MANY} computes at once, run {run}: {:.2}, {:.2}", pair.ratio(), beside.ratio());
        pairs.push(pair);
        served.push(beside);
        more.push(Pair { reference: median(&several), ..pair });
    }
    let what = format!("POST of {MANY} computes at once, durable");
    let same = format!("the same, against {threads} threads");
    let asked = "the same, against a bare server that is asked for the same, makes the same calls and keeps the same rows";
    Ok(vec![
        Figure::ratio(&what, &pairs, rate, Some(Target::AtLeast(0.8))),
        Figure::ratio(asked, &served, rate, None),
        Figure::ratio(&same, &more, rate, None),
    ])
}

/// How many a second; they are gone afterwards.
fn create(burst: &mut Burst) -> Result<f64> {
    let began = Instant::now();
    burst.send("POST", [MACHINES; MANY as usize], MACHINE)?;
    let made = burst.answers()?;
    let took = began.elapsed();
    let made: Option<Vec<String>> = made.into_iter().collect();
    burst.send("DELETE", made.context("the answer to a creation names no location")?, "")?;
    burst.answers()?;
    Ok(f64::from(MANY) / took.as_secs_f64())
}
