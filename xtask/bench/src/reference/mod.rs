//! The programs to compare with: the least that does the same work. Each is written as its author would who wants it
//! fast, and no further.

pub(crate) mod answer;
pub(crate) mod define;
pub(crate) mod guest;
pub(crate) mod keep;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::TcpListener;

/// Serves on a free port, and says on which.
async fn listen(router: Router) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
    println!("listening on http://{}", listener.local_addr().context("where it listens")?);
    axum::serve(listener, router).await.context("cannot serve")
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")
}
