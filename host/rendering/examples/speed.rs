//! How fast requests are read and answers are written: a table, made by `cargo run --release --example speed` in this
//! crate. The exit code is 1 where a target is missed.
//!
//! Ordinary bodies of 1 MiB have a speed to reach; bodies of that size that were made to be slow have a time to keep, and
//! so have answers. Of the latter two the slowest is shown; of `-- --all`, each. Each figure is the best of several, since a busy machine makes times longer and none shorter.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program that measures, and says what")]

use occi_model::{AttributeName, CategoryId, Ends, Entity, Location, Representation, Value, View, core};
use occi_rendering::{MAX_ITEMS, MediaType, content_type, negotiate, parse, parse_filter, render};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: usize = 1 << 20;
const ROUNDS: usize = 7;
/// The longest that any input of that size may take.
const LONGEST: Duration = Duration::from_millis(50);
/// What an ordinary text body reaches, in MB/s.
const SPEED: f64 = 100.0;

fn main() -> ExitCode {
    let shows_all = std::env::args().any(|argument| argument == "--all");
    println!("| what | bytes | ms | MB/s | target | |\n|---|---|---|---|---|---|");
    let mut met = true;
    for (name, body) in ordinary() {
        let took =
            best(|| parse(MediaType::TextPlain, [], black_box(body.as_bytes())).expect("an ordinary body"));
        let row = Row { what: format!("text/plain: {name}"), bytes: body.len(), took };
        met &= row.print(&format!("at least {SPEED:.0} MB/s"), row.speed() >= SPEED);
    }
    for (what, rows) in [("bodies that were made to be slow", read()), ("answers of that size", written())] {
        let slowest = rows
            .iter()
            .max_by_key(|row| row.took)
            .map(|row| Row { what: format!("the slowest of {} {what}: {}", rows.len(), row.what), ..*row });
        for row in rows.iter().filter(|_| shows_all).chain(&slowest) {
            met &= row.print(&format!("at most {} ms", LONGEST.as_millis()), row.took <= LONGEST);
        }
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long each of the adversarial bodies takes to be read, in the way that takes longest.
fn read() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, body) in adversarial() {
        let bytes = black_box(body.as_bytes());
        let readings: [(&str, &dyn Fn()); 7] = [
            ("text/plain", &|| drop(parse(MediaType::TextPlain, [], bytes))),
            ("text/occi", &|| drop(parse(MediaType::TextOcci, headers(bytes), b""))),
            ("uri-list", &|| drop(parse(MediaType::UriList, [], bytes))),
            ("JSON", &|| drop(parse(MediaType::OcciJson, [], bytes))),
            ("filter", &|| drop(parse_filter(headers(bytes)))),
            ("Accept", &|| {
                let _ = black_box(negotiate([bytes]));
            }),
            ("Content-Type", &|| drop(content_type([bytes]))),
        ];
        let times = readings.map(|(reading, read)| (best(read), reading));
        let (took, reading) = times.into_iter().max().expect("several");
        rows.push(Row { what: format!("{name}, as {reading}"), bytes: body.len(), took });
    }
    rows
}

/// How long each answer takes to be written in each rendering.
fn written() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, representation) in representations() {
        for media_type in [MediaType::TextPlain, MediaType::TextOcci, MediaType::OcciJson] {
            let bytes =
                render(media_type, &representation, "http://example.com").map_or(0, |made| made.body.len());
            let took = best(|| render(media_type, black_box(&representation), "http://example.com"));
            rows.push(Row { what: format!("{name}, as {media_type}"), bytes, took });
        }
    }
    rows
}

struct Row {
    what: String,
    bytes: usize,
    took: Duration,
}

impl Row {
    /// In MB/s.
    #[allow(clippy::cast_precision_loss, reason = "of a size in bytes, nothing is lost")]
    fn speed(&self) -> f64 {
        self.bytes as f64 / self.took.as_secs_f64() / 1e6
    }

    fn print(&self, target: &str, met: bool) -> bool {
        let said = if met { "met" } else { "**missed**" };
        let (speed, ms) = (self.speed(), self.took.as_secs_f64() * 1e3);
        println!("| {} | {} | {ms:.2} | {speed:.0} | {target} | {said} |", self.what, self.bytes);
        met
    }
}

fn headers(value: &[u8]) -> [(&str, &[u8]); 4] {
    ["category", "link", "x-occi-attribute", "x-occi-location"].map(|name| (name, value))
}

fn best<T>(mut run: impl FnMut() -> T) -> Duration {
    let mut once = || {
        let began = Instant::now();
        black_box(run());
        began.elapsed()
    };
    (0..ROUNDS).map(|_| once()).min().unwrap_or_default()
}

/// Pieces one after the other, numbered, up to the size.
fn filled(start: &str, piece: impl Fn(usize) -> String, end: &str) -> String {
    let mut body = String::from(start);
    for number in 0.. {
        let piece = piece(number);
        if body.len() + piece.len() + end.len() > SIZE {
            break;
        }
        body.push_str(&piece);
    }
    body + end
}

fn ordinary() -> Vec<(&'static str, String)> {
    let kind = "Category: lamp; scheme=\"http://example.com/occi/households#\"; class=\"kind\"\r\n";
    let link = |number| {
        format!(
            "Link: </circuit/{number}>; rel=\"http://example.com/occi/households#circuit\"; \
             self=\"/circuitconnection/{number}\"; \
             category=\"http://example.com/occi/households#circuitconnection\"; \
             com.example.circuit.interface=\"eth{number}\"; com.example.circuit.number=\"00:11:22:33:44:55\"\r\n"
        )
    };
    let long = |number| {
        format!(
            "X-OCCI-Attribute: com.example.a{number}=\"{}\"\r\n",
            "a page of text with what it says, ".repeat(60)
        )
    };
    vec![
        ("attributes with text", filled(kind, long, "")),
        (
            "locations",
            filled("", |number| format!("X-OCCI-Location: http://example.com/example/{number:0100}\r\n"), ""),
        ),
        ("links", filled(kind, link, "")),
    ]
}

fn adversarial() -> Vec<(&'static str, String)> {
    let all = |piece: &str| filled("", |_| piece.to_owned(), "");
    let attribute = "X-OCCI-Attribute: ";
    vec![
        ("commas", all(",")),
        ("commas after a name", filled(attribute, |_| ",".into(), "")),
        ("semicolons after a name", filled("X-OCCI-Attribute: a=1", |_| ";".into(), "")),
        ("commas in a location", filled("X-OCCI-Location: /a", |_| ",".into(), "")),
        ("commas and spaces in a location", filled("X-OCCI-Location: /a", |_| " ,".into(), "")),
        ("quotes", all("\"")),
        ("backslashes", filled("X-OCCI-Attribute: a=\"", |_| "\\".into(), "")),
        ("escaped quotes", filled("X-OCCI-Attribute: a=\"", |_| "\\\"".into(), "\"")),
        ("one long value", filled("X-OCCI-Attribute: a=\"", |_| "x".into(), "\"")),
        ("one long word", all("x")),
        ("one long name", filled("", |_| "x".into(), "\n: 1")),
        ("one long term", filled("Category: ", |_| "x".into(), "")),
        ("a long digit", filled("X-OCCI-Attribute: a=", |_| "9".into(), "")),
        ("a long fraction", filled("X-OCCI-Attribute: a=0.", |_| "9".into(), "")),
        ("an unknown parameter", filled("Category: a; ", |_| "x".into(), "=1")),
        ("spaces", all(" ")),
        ("spaces after a name", filled(attribute, |_| " ".into(), "")),
        ("line ends", all("\n")),
        ("colons", all(":\n")),
        ("attributes in one line", filled(attribute, |number| format!("a{number}=1,"), "")),
        ("attributes in many lines", filled("", |number| format!("{attribute}a{number}=1\n"), "")),
        (
            "attributes in a link",
            filled("Link: </a>; category=\"http://x#a\"", |number| format!(";a{number}=1"), ""),
        ),
        ("links", filled("Link: ", |_| "</a>;rel=\"http://x#a\",".into(), "")),
        ("an open link", filled("Link: <", |_| "<".into(), "")),
        ("categories in one line", filled("Category: ", |_| "a;scheme=\"http://x#\",".into(), "")),
        (
            "a long list of identifiers",
            filled("Category: a;scheme=\"http://x#\";rel=\"", |_| "http://x#a ".into(), "\""),
        ),
        ("a link with many categories", filled("Link: </a>;category=\"", |_| "http://x#a ".into(), "\"")),
        ("locations", all("X-OCCI-Location: /a\n")),
        ("short URIs", all("/\n")),
        ("comments", all("#\n")),
        ("open arrays", all("[")),
        ("an array of empty arrays", filled("[", |_| "[],".into(), "[]]")),
        ("an array of locations", filled("[", |_| "\"/\",".into(), "\"\"]")),
        ("members", filled("{", |number| format!("\"a{number}\":1,"), "\"a\":1}")),
        ("JSON attributes", filled("{\"attributes\":{", |number| format!("\"a{number}\":1,"), "\"a\":1}}")),
        (
            "nested names",
            filled("{\"attributes\":{\"occi\":{", |number| format!("\"a{number}\":1,"), "\"a\":1}}}"),
        ),
        ("shuffled nested names", shuffled("{\"attributes\":{\"occi\":{")),
        ("shuffled members", shuffled("{\"attributes\":{\"a\":{")),
        ("an array in an attribute", filled("{\"attributes\":{\"a\":[", |_| "0,".into(), "0]}}")),
        ("objects in an attribute", filled("{\"attributes\":{\"a\":[", |_| "{\"\":0},".into(), "0]}}")),
        ("empty objects in an attribute", filled("{\"attributes\":{\"a\":[", |_| "{},".into(), "0]}}")),
        ("empty texts in an attribute", filled("{\"attributes\":{\"a\":[", |_| "\"\",".into(), "0]}}")),
        ("resources", filled("{\"resources\":[", |_| "{},".into(), "{}]}")),
        ("mixins", filled("{\"mixins\":[", |_| "\"http://x#a\",".into(), "\"http://x#a\"]}")),
        ("escapes in JSON", filled("{\"title\":\"", |_| "\\u0041".into(), "\"}")),
        ("a long number in JSON", filled("{\"attributes\":{\"a\":1.", |_| "1".into(), "}}")),
        ("a JSON text of white space", filled("{}", |_| " ".into(), "")),
        ("media ranges", all("*/*,")),
        ("parameters of a media range", filled("text/plain", |_| ";q".into(), "")),
    ]
}

/// As many resources with as many attributes as are taken, in no order.
fn shuffled(start: &str) -> String {
    let attribute = |number: usize| format!("\"{}\":1", number * 7919 % MAX_ITEMS);
    let attributes = (1..MAX_ITEMS).map(attribute).collect::<Vec<_>>().join(",");
    let resources = vec![format!("{start}{attributes}}}}}}}"); 4];
    format!("{{\"resources\":[{}]}}", resources.join(","))
}

fn entity(attributes: BTreeMap<AttributeName, Value>, ends: Option<Ends>) -> Entity {
    Entity {
        id: Uuid::nil(),
        location: Location::parse("/a/1").expect("a path"),
        kind: CategoryId::parse(core::RESOURCE).expect("a Kind"),
        mixins: Vec::new(),
        tenant: "t".into(),
        title: None,
        summary: None,
        attributes,
        ends,
    }
}

fn representations() -> Vec<(&'static str, Representation)> {
    let name = |name: &str| AttributeName::parse(name).expect("a name");
    let view =
        |entity| View { entity: Arc::new(entity), links: Vec::new(), actions: Vec::new(), console: None };
    let holding = |value: Value| Representation::Entity(view(entity([(name("a"), value)].into(), None)));
    let text = |piece: &str| holding(Value::Text(piece.repeat(SIZE / piece.len())));
    let many =
        (0..SIZE / 32).map(|number| (name(&format!("com.example.a{number}")), Value::Integer(1))).collect();
    let link = || {
        let kind = CategoryId::parse(core::RESOURCE).expect("a Kind");
        view(entity(
            BTreeMap::new(),
            Some(Ends {
                source: Location::parse("/a/1").expect("a path"),
                source_kind: kind.clone(),
                source_id: Uuid::nil(),
                target: "/a/2".into(),
                target_kind: Some(kind),
                target_id: None,
            }),
        ))
    };
    let links = (0..SIZE / 256).map(|_| link()).collect();
    vec![
        ("a long text", text("x")),
        ("quotes", text("\"")),
        ("control characters", text("\u{1}")),
        ("a list", holding(Value::List(vec![Value::Integer(1); SIZE / 2]))),
        ("attributes", Representation::Entity(view(entity(many, None)))),
        (
            "links",
            Representation::Entity(View {
                entity: Arc::new(entity(BTreeMap::new(), None)),
                links,
                actions: Vec::new(),
                console: None,
            }),
        ),
        (
            "a collection",
            Representation::Collection(
                (0..SIZE / 128).map(|_| view(entity(BTreeMap::new(), None))).collect(),
            ),
        ),
    ]
}
