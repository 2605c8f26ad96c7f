//! Load, made by wrk: 64 clients that each keep a connection and wait for an answer before they ask again.

use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use std::process::Command;

/// How many clients.
const CLIENTS: &str = "64";

/// What the clients ask for, all of them the same again and again.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) header: (&'a str, &'a str),
    pub(crate) body: &'a str,
}

/// How many requests were answered in a second; that one failed is an error.
pub(crate) fn rate(url: &str, request: &Request<'_>, seconds: u32, folder: &Path) -> Result<f64> {
    let script = folder.join("load.lua");
    std::fs::write(&script, lua(request)).context("cannot write a script")?;
    let duration = format!("{seconds}s");
    let output = Command::new("wrk")
        .args(["--threads", "2", "--connections", CLIENTS, "--duration", &duration, "--script"])
        .arg(&script)
        .arg(url)
        .output()
        .context("cannot run wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
    let numbers: Option<Vec<f64>> = text
        .lines()
        .find_map(|line| line.strip_prefix("result "))
        .and_then(|line| line.split(' ').map(|number| number.parse().ok()).collect());
    match numbers.as_deref() {
        Some(&[requests, micros, 0.0]) => Ok(requests / micros * 1e6),
        Some(&[_, _, failed]) => bail!("{failed} requests to {url} failed: {text}"),
        _ => bail!("wrk said something else: {text}"),
    }
}

fn lua(request: &Request<'_>) -> String {
    let Request { method, header: (name, value), body } = request;
    format!(
        r#"wrk.method = "{method}"
wrk.headers["{name}"] = "{value}"
wrk.body = [[{body}]]
done = function(summary)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  print(string.format("result %d %d %d", summary.requests, summary.duration, failed))
end
"#
    )
}
