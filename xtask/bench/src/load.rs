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
    let result = run(url, &lua(request), seconds, folder)?;
    Ok(result.requests / result.micros * 1e6)
}

/// Within what time, in seconds, 99 of 100 requests were answered; that one failed is an error.
pub(crate) fn slow(url: &str, request: &Request<'_>, seconds: u32, folder: &Path) -> Result<f64> {
    Ok(run(url, &lua(request), seconds, folder)?.slow / 1e6)
}

/// Nine reads of an entity, then one like it is created in its collection, again and again: how many requests there
/// were, and within what time, in seconds, 99 of 100 were answered. That one failed is an error.
pub(crate) fn mixed(
    entity: &str,
    collection: &str,
    body: &str,
    seconds: u32,
    folder: &Path,
) -> Result<(f64, f64)> {
    let script = format!(
        r#"local count = 0
request = function()
  count = count + 1
  if count % 10 == 0 then
    return wrk.format("POST", "{collection}", {{["Content-Type"] = "text/plain"}}, [[{body}]])
  end
  return wrk.format("GET", nil, {{["Accept"] = "text/plain"}})
end
{DONE}"#
    );
    let result = run(entity, &script, seconds, folder)?;
    Ok((result.requests, result.slow / 1e6))
}

/// What wrk says at its end.
struct Outcome {
    requests: f64,
    micros: f64,
    /// The time within which 99 of 100 were answered, in microseconds.
    slow: f64,
}

fn run(url: &str, lua: &str, seconds: u32, folder: &Path) -> Result<Outcome> {
    let script = folder.join("load.lua");
    std::fs::write(&script, lua).context("cannot write a script")?;
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
        Some(&[requests, micros, slow, 0.0]) => Ok(Outcome { requests, micros, slow }),
        Some(&[_, _, _, failed]) => bail!("{failed} requests to {url} failed: {text}"),
        _ => bail!("wrk said something else: {text}"),
    }
}

/// Prints what [`run`] reads.
const DONE: &str = r#"done = function(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  print(string.format("result %d %d %d %d", summary.requests, summary.duration, latency:percentile(99), failed))
end
"#;

fn lua(request: &Request<'_>) -> String {
    let Request { method, header: (name, value), body } = request;
    format!(
        r#"wrk.method = "{method}"
wrk.headers["{name}"] = "{value}"
wrk.body = [[{body}]]
{DONE}"#
    )
}
