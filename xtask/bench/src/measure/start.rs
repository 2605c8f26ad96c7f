//! The start with the infrastructure extension and compiled code in the cache, and the memory of a server that has
//! nothing to do.

use super::{Options, folder};
use crate::figure::{Figure, Target};
use anyhow::{Context, Result};
use std::thread;
use std::time::Duration;

/// How many starts.
const STARTS: usize = 11;
/// After this time nothing of the start goes on any more.
const IDLE: Duration = Duration::from_secs(1);

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let folder = folder()?;
    let (data, extensions) = (folder.path().join("data"), folder.path().join("extensions"));
    std::fs::create_dir(&extensions).context("cannot make a folder")?;
    let file = "infrastructure.wasm";
    std::fs::copy(options.extensions.join(file), extensions.join(file))
        .context("the infrastructure extension")?;
    // The first start compiles.
    options.serve_only(&extensions, &data)?.stop()?;

    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = options.serve_only(&extensions, &data)?;
        times.push(server.took.as_secs_f64() * 1e3);
        thread::sleep(IDLE);
        memory.push(server.memory()? / f64::from(1 << 20));
        server.stop()?;
    }
    Ok(vec![
        Figure::alone("From start to 'listening'", &times, "ms", Some(Target::AtMost(150.0))),
        Figure::alone("Resident memory, idle", &memory, "MiB", Some(Target::AtMost(80.0))),
    ])
}
