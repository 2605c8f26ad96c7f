//! One step after the other, up to the first that does not go as expected: those after it would only fail of it.

use crate::lines::Lines;
use crate::names::Names;
use crate::observed::{AUTHORITY, Answer, Observed};
use crate::props::{Props, Running, Stage};
use crate::scenario::{Act, Scenario, Step};
use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use occi_extension::TimeSource;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;

/// What clients that say nothing else want, and send.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");

/// How often something may be done while time goes on.
const HALTS: usize = 10_000;

/// How a scenario went wrong.
#[derive(Debug)]
pub struct Failure {
    file: PathBuf,
    /// Of the step, counted from 1; none where it did not come to that.
    line: Option<usize>,
    reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Plays a scenario from beginning to end, on a thread of its own choosing: all that is logged meanwhile by this thread is
/// the scenario's.
pub fn play(scenario: &Scenario, stage: &dyn Stage) -> Result<(), Failure> {
    let failed = |line, reason| Failure { file: scenario.file.clone(), line, reason };
    // One thread, so that the same scenario goes the same way each time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(None, format!("no runtime for it: {error}")))?;
    let lines = Lines::default();
    let _logged = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    runtime.block_on(async {
        let mut player =
            Player::begin(scenario, stage, lines).await.map_err(|reason| failed(None, reason))?;
        for step in &scenario.steps {
            player.step(step).await.map_err(|reason| failed(Some(step.line), reason))?;
        }
        Ok(())
    })
}

struct Player<'s> {
    stage: &'s dyn Stage,
    props: Props,
    /// None only while it starts again.
    running: Option<Running>,
    names: Names,
    lines: Lines,
}

impl<'s> Player<'s> {
    async fn begin(scenario: &Scenario, stage: &'s dyn Stage, lines: Lines) -> Result<Self, String> {
        let props = Props::of(scenario, stage.extension(), stage.store()?)?;
        let running = Some(stage.start(&props).await?);
        Ok(Self { stage, props, running, names: Names::default(), lines })
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let mut exchanges = step.http.clone();
        for exchange in &mut exchanges {
            exchange.request = self.names.fill(&exchange.request)?;
            exchange.answer = self.names.fill(&exchange.answer)?;
        }
        self.props.servers.expect(&exchanges);
        self.props.faults.plan(&step.faults);
        self.lines.take();

        let (title, answer) = self.act(&step.act).await?;
        self.running()?.core.rest().await;

        let mut remarks = self.props.faults.unreached();
        for (name, from) in &step.save {
            match answer.as_ref().and_then(|answer| answer.value(from)) {
                Some(value) => self.names.bind(name, &value),
                None => remarks.push(format!("save.{name}: the answer has no header or attribute `{from}`")),
            }
        }
        let (asked, unasked) = self.props.servers.take();
        let observed = Observed { answer, asked, unasked, log: self.lines.take() };
        let (transcript, more) = observed.against(&step.expect, &mut self.names);
        remarks.extend(more);
        if transcript.is_as_expected() && remarks.is_empty() {
            return Ok(());
        }
        let shown =
            if transcript.is_as_expected() { transcript.seen().to_owned() } else { transcript.difference() };
        let remarks: Vec<_> = remarks.iter().map(|remark| format!("! {remark}")).collect();
        Err(format!("{title}\n{shown}{}", remarks.join("\n")))
    }

    /// Does what a step says; what that was, and the answer where there is one.
    async fn act(&mut self, act: &Act) -> Result<(String, Option<Answer>), String> {
        Ok(match act {
            Act::Request { method, path, headers, body } => {
                let request = self.request(method, path, headers, body)?;
                (format!("{method} {path}"), Some(self.send(request).await?))
            }
            Act::Advance(duration) => {
                self.advance(*duration).await?;
                (format!("{} later", humantime::format_duration(*duration)), None)
            }
            Act::Restart => {
                self.restart().await?;
                ("after a restart".into(), None)
            }
        })
    }

    fn running(&self) -> Result<&Running, String> {
        self.running.as_ref().ok_or_else(|| "the server has not started again".into())
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &BTreeMap<String, String>,
        body: &str,
    ) -> Result<Request<Body>, String> {
        let mut request =
            Request::builder().method(method).uri(self.names.fill(path)?).header(HOST, AUTHORITY);
        let Some(all) = request.headers_mut() else { return no_request(request.body(Body::empty())) };
        all.insert(ACCEPT, TEXT);
        if !body.is_empty() {
            all.insert(CONTENT_TYPE, TEXT);
        }
        for (name, value) in headers {
            let value = self.names.fill(value)?;
            let header = name.parse::<HeaderName>().ok().zip(value.parse::<HeaderValue>().ok());
            let (name, value) = header.ok_or_else(|| format!("`{name}: {value}` is no header"))?;
            all.insert(name, value);
        }
        no_request(request.body(Body::from(self.names.fill(body)?)))
    }

    async fn send(&self, request: Request<Body>) -> Result<Answer, String> {
        let (head, body) = self.running()?.host.clone().answer(request).await.into_parts();
        let body = body.collect().await.map_err(|error| format!("the answer breaks off: {error}"))?;
        Ok(Answer { head, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
    }

    /// Lets time go on, with a halt whenever something is to be done.
    async fn advance(&self, duration: Duration) -> Result<(), String> {
        let (core, time) = (&self.running()?.core, &self.props.time);
        let end = time.instant() + duration;
        for _ in 0..HALTS {
            let Some(next) = core.next_time().filter(|next| *next <= end) else {
                time.go_on_to(end);
                return Ok(());
            };
            time.go_on_to(next);
            core.rest().await;
        }
        Err(format!(
            "more than {HALTS} times something is to be done on the way; advance less, or ask for a later `again`"
        ))
    }

    /// Nothing is left but the store.
    async fn restart(&mut self) -> Result<(), String> {
        if let Some(running) = self.running.take() {
            running.core.finish().await;
        }
        self.running = Some(self.stage.start(&self.props).await?);
        Ok(())
    }
}

fn no_request(made: http::Result<Request<Body>>) -> Result<Request<Body>, String> {
    made.map_err(|error| format!("it is no request: {error}"))
}
