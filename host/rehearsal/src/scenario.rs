//! A scenario as its author writes it, in TOML; docs/extensions.md has the reference. What is wrong is said with its line.

use humantime::{parse_duration, parse_rfc3339};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use toml::Spanned;
use toml::value::Datetime;

/// The functions that can say no, by the names of their capabilities.
pub type Functions = BTreeMap<&'static str, &'static [&'static str]>;

/// What is done with an extension, step by step, and what is to be seen.
#[derive(Debug)]
pub struct Scenario {
    pub(crate) file: PathBuf,
    pub(crate) name: String,
    pub(crate) time: SystemTime,
    pub(crate) form: Form,
    pub(crate) steps: Vec<Step>,
}

/// A scenario that cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It, or an extension that it names, cannot be read.
    #[error("{}: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It does not have the form of one.
    #[error("{}: {error}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// Something in it cannot be meant.
    #[error("{}, line {line}: {message}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What is wrong and what would be right.
        message: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Form {
    name: Option<String>,
    time: Option<Spanned<Datetime>>,
    #[serde(default)]
    pub(crate) seed: u64,
    /// Other extensions that are there, by their files.
    #[serde(default)]
    pub(crate) with: Vec<PathBuf>,
    /// What the operator has set for the extension.
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, String>,
    #[serde(default)]
    step: Vec<Spanned<StepForm>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepForm {
    request: Option<Spanned<String>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(rename = "type")]
    content_type: Option<String>,
    #[serde(default)]
    body: String,
    advance: Option<Spanned<String>>,
    #[serde(default)]
    restart: bool,
    #[serde(default)]
    expect: Expect,
    #[serde(default)]
    save: BTreeMap<String, String>,
    #[serde(default)]
    fault: Vec<Spanned<PlannedFault>>,
    #[serde(default)]
    http: Vec<Spanned<Exchange>>,
}

/// What is to be seen of a step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The whole body.
    pub(crate) body: Option<String>,
    /// Lines that the body has.
    #[serde(default)]
    pub(crate) shows: Vec<String>,
    /// Lines that it has not.
    #[serde(default)]
    pub(crate) hides: Vec<String>,
    /// Lines that are logged meanwhile.
    #[serde(default)]
    pub(crate) log: Vec<String>,
}

/// A fault that takes the place of a function's answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedFault {
    pub(crate) capability: String,
    pub(crate) function: String,
    /// Which of the step's calls of that function, counted from 1.
    #[serde(default = "first")]
    pub(crate) call: NonZeroU32,
    pub(crate) code: String,
    #[serde(default = "rehearsed")]
    pub(crate) message: String,
}

/// A request that the extension is expected to send elsewhere, and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    /// Method and URL.
    pub(crate) request: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
    #[serde(default = "ok")]
    pub(crate) status: u16,
    #[serde(default, rename = "answer-headers")]
    pub(crate) answer_headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) answer: String,
}

fn first() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn rehearsed() -> String {
    "a fault that is rehearsed".into()
}

fn ok() -> u16 {
    200
}

/// One step, checked.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) act: Act,
    pub(crate) expect: Expect,
    pub(crate) save: BTreeMap<String, String>,
    pub(crate) faults: Vec<PlannedFault>,
    pub(crate) http: Vec<Exchange>,
}

/// What is done.
#[derive(Debug)]
pub(crate) enum Act {
    /// A client sends a request.
    Request { method: String, path: String, headers: BTreeMap<String, String>, body: String },
    /// Time goes by.
    Advance(Duration),
    /// The server ends, and starts again with what its store has.
    Restart,
}

/// What a capability may answer (`fault` of the contract).
const CODES: [&str; 8] =
    ["invalid", "conflict", "denied", "missing", "unsupported", "unavailable", "timeout", "failed"];
/// No clock is set further, and no extension waits longer.
const LONGEST: Duration = Duration::from_hours(24 * 366 * 10);
/// When scenarios begin that do not say it.
const BEGIN: &str = "2030-01-01T00:00:00Z";

impl Scenario {
    /// Reads a file; faults are checked against the functions that capabilities have.
    pub fn read(file: &Path, functions: &Functions) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| ScenarioError::Unreadable { file: file.into(), error })?;
        Self::parse(file, &text, functions)
    }

    pub(crate) fn parse(file: &Path, text: &str, functions: &Functions) -> Result<Self, ScenarioError> {
        let form: Form = toml::from_str(text)
            .map_err(|error| ScenarioError::Malformed { file: file.into(), error: error.into() })?;
        let source = Source { file, text };
        let begin = form.time.as_ref().map_or(BEGIN.into(), |time| time.as_ref().to_string());
        let time = parse_rfc3339(&begin).map_err(|_| {
            let start = form.time.as_ref().map_or(0, |time| time.span().start);
            source.wrong(start, format!("`{begin}` is no time in UTC; write it like {BEGIN}"))
        })?;
        if form.step.is_empty() {
            return Err(source.wrong(0, "there is no step; add [[step]] with request = \"GET /-/\""));
        }
        let steps = form.step.iter().map(|step| source.step(step, functions)).collect::<Result<_, _>>()?;
        let stem = || file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        let name = form.name.clone().unwrap_or_else(stem);
        Ok(Self { file: file.into(), name, time, form, steps })
    }

    /// What its author calls it, or its file's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The text, to say where in it something is wrong.
struct Source<'t> {
    file: &'t Path,
    text: &'t str,
}

impl Source<'_> {
    fn step(&self, step: &Spanned<StepForm>, functions: &Functions) -> Result<Step, ScenarioError> {
        let start = step.span().start;
        let form = step.as_ref().clone();
        let act = match (&form.request, &form.advance, form.restart) {
            (Some(request), None, false) => self.request(request, &form)?,
            (None, Some(advance), false) => {
                let duration = parse_duration(advance.as_ref()).map_err(|error| {
                    let message =
                        format!("`{}`: {error}; write it like \"90s\" or \"2h 30m\"", advance.as_ref());
                    self.wrong(advance.span().start, message)
                })?;
                if duration > LONGEST {
                    return Err(self.wrong(advance.span().start, "a step is no longer than ten years"));
                }
                Act::Advance(duration)
            }
            (None, None, true) => Act::Restart,
            _ => {
                return Err(self.wrong(
                    start,
                    "a step does one thing: request = \"GET /path\", advance = \"90s\" or restart = true",
                ));
            }
        };
        if !matches!(act, Act::Request { .. }) && form.asks_of_an_answer() {
            let message = "only a request has an answer; this step may have expect.log, and [[step.fault]] and [[step.http]]";
            return Err(self.wrong(start, message));
        }
        let expect = &form.expect;
        if expect.body.is_some() && !(expect.shows.is_empty() && expect.hides.is_empty()) {
            let message = "expect.body is the whole body; leave it out, or expect.shows and expect.hides";
            return Err(self.wrong(start, message));
        }
        for fault in &form.fault {
            self.check_fault(fault, functions)?;
        }
        for exchange in &form.http {
            let request = &exchange.as_ref().request;
            if !request.split_once(' ').is_some_and(|(_, url)| url.contains("://")) {
                let message =
                    format!("`{request}` is no request; write it like \"GET https://api.example.com/path\"");
                return Err(self.wrong(exchange.span().start, message));
            }
        }
        Ok(Step {
            line: self.line(start),
            act,
            expect: form.expect,
            save: form.save,
            faults: form.fault.into_iter().map(Spanned::into_inner).collect(),
            http: form.http.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    fn request(&self, request: &Spanned<String>, form: &StepForm) -> Result<Act, ScenarioError> {
        let text = request.as_ref();
        let parts = text.split_once(' ').map(|(method, path)| (method, path.trim()));
        let Some((method, path)) = parts.filter(|(_, path)| path.starts_with(['/', '{'])) else {
            let message =
                format!("`{text}` is no request; write it like \"POST /note/\" or \"GET {{{{note}}}}\"");
            return Err(self.wrong(request.span().start, message));
        };
        let mut headers = form.headers.clone();
        if let Some(content_type) = &form.content_type {
            headers.insert("Content-Type".into(), content_type.clone());
        }
        Ok(Act::Request { method: method.into(), path: path.into(), headers, body: form.body.clone() })
    }

    fn check_fault(&self, fault: &Spanned<PlannedFault>, functions: &Functions) -> Result<(), ScenarioError> {
        let PlannedFault { capability, function, code, .. } = fault.as_ref();
        let start = fault.span().start;
        let failing = functions.iter().filter(|(_, functions)| !functions.is_empty());
        let Some((_, known)) = failing.clone().find(|(name, _)| *name == capability) else {
            let names: Vec<_> = failing.map(|(name, _)| *name).collect();
            let message =
                format!("no function of `{capability}` can fail; those of {} can", names.join(", "));
            return Err(self.wrong(start, message));
        };
        if !known.contains(&function.as_str()) {
            let message = format!(
                "`{capability}` has no function `{function}` that can fail; it has {}",
                known.join(", ")
            );
            return Err(self.wrong(start, message));
        }
        if !CODES.contains(&code.as_str()) {
            let message = format!("`{code}` is no code of a fault; write one of {}", CODES.join(", "));
            return Err(self.wrong(start, message));
        }
        Ok(())
    }

    fn wrong(&self, offset: usize, message: impl Into<String>) -> ScenarioError {
        ScenarioError::Wrong { file: self.file.into(), line: self.line(offset), message: message.into() }
    }

    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }
}

impl StepForm {
    fn asks_of_an_answer(&self) -> bool {
        let Expect { status, headers, body, shows, hides, log: _ } = &self.expect;
        status.is_some()
            || body.is_some()
            || !(headers.is_empty() && shows.is_empty() && hides.is_empty() && self.save.is_empty())
    }
}
