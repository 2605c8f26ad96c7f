//! What the demonstration prints: requests and answers as they go over the wire, indented; in colour on a terminal.

use std::io::IsTerminal;

use clap::builder::styling::{AnsiColor, Style};

use super::client::{Answer, Request};

/// Answers carry more headers than a reader wants to see.
const TELLING: [&str; 9] = [
    "allow",
    "category",
    "content-type",
    "etag",
    "link",
    "location",
    "server",
    "x-occi-attribute",
    "x-occi-location",
];

const TITLE: Style = AnsiColor::Cyan.on_default().bold();
const SENT: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// What a stage has shown, for the end.
pub(super) struct Told {
    pub(super) title: String,
    pub(super) chapters: Vec<&'static str>,
    pub(super) exchanges: usize,
}

pub(super) struct Show {
    colour: bool,
}

impl Show {
    pub(super) fn on_stdout() -> Self {
        Self { colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    pub(super) fn stage(&self, title: &str) {
        println!("\n{}", self.styled(TITLE, &format!("━━━━ {title} ━━━━")));
    }

    pub(super) fn chapter(&self, title: &str) {
        println!("\n{}", self.styled(TITLE, &format!("── {title}")));
    }

    pub(super) fn say(&self, text: &str) {
        println!("{}", self.styled(QUIET, text));
    }

    pub(super) fn warning(&self, text: &str) {
        println!("{}", self.styled(BAD, text));
    }

    pub(super) fn request(&self, request: &Request) {
        println!("\n  {}", self.styled(SENT, &format!("> {} {}", request.method, request.path)));
        for (name, value) in &request.headers {
            println!("  {} {name}: {value}", self.styled(SENT, ">"));
        }
        if !request.body.is_empty() {
            print!("{}", indented(&request.body, &format!("  {}   ", self.styled(SENT, ">"))));
        }
    }

    /// An answer; of a long body only the first so many lines, cut to a line's width.
    pub(super) fn answer(&self, answer: &Answer, lines: Option<usize>) {
        let style = if answer.status.is_success() { GOOD } else { BAD };
        println!("  {}", self.styled(style, &format!("< {}", answer.status)));
        for (name, value) in answer.headers.iter().filter(|(name, _)| TELLING.contains(&name.as_str())) {
            println!("  {} {name}: {value}", self.styled(style, "<"));
        }
        let body = match lines {
            Some(count) => shortened(&answer.body, count, 110),
            None => readable(&answer.body),
        };
        if !body.is_empty() {
            print!("{}", indented(&body, &format!("  {}   ", self.styled(style, "<"))));
        }
    }

    pub(super) fn summary(&self, stages: &[Told]) {
        self.stage("What was shown");
        for told in stages {
            println!(
                "{} on {}: {} requests, each answered as expected",
                self.styled(GOOD, "✓"),
                told.title,
                told.exchanges
            );
            for chapter in &told.chapters {
                println!("    {} {chapter}", self.styled(GOOD, "✓"));
            }
        }
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// What something else said, a program or a machine's console.
pub(super) fn quote(text: &str) {
    print!("{}", indented(text, "    "));
}

fn indented(text: &str, by: &str) -> String {
    text.lines().flat_map(|line| [by, line, "\n"]).collect()
}

/// JSON goes over the wire in one line; here it has a line for each member.
fn readable(body: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => format!("{json:#}"),
        _ => body.to_owned(),
    }
}

fn shortened(text: &str, lines: usize, width: usize) -> String {
    let mut short: Vec<String> = text
        .lines()
        .take(lines)
        .map(|line| match line.char_indices().nth(width) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line.to_owned(),
        })
        .collect();
    let left = text.lines().count().saturating_sub(lines);
    if left > 0 {
        short.push(format!("… and {left} lines more"));
    }
    short.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_in_both_directions() {
        assert_eq!(shortened("äöü\nb\nc\n", 2, 2), "äö …\nb\n… and 1 lines more");
        assert_eq!(shortened("a\n", 2, 2), "a");
    }

    #[test]
    fn only_json_is_laid_out_anew() {
        assert_eq!(readable(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
        assert_eq!(readable("OK"), "OK");
    }

    #[test]
    fn without_colour_there_is_no_escape() {
        assert_eq!(Show { colour: false }.styled(BAD, "x"), "x");
        assert!(Show { colour: true }.styled(BAD, "x").contains('\u{1b}'));
    }
}
