//! The examples of docs/http.md: each command is run again, and what comes back must be what the page shows.
//!
//! With `OCCI_WRITE_GUIDE=1` the page is written anew instead.

use crate::server::Server;
use regex::{Captures, Regex};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// Where the page says that the server is.
const HOST: &str = "localhost:8787";

#[test]
fn the_examples_are_real() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/http.md");
    let page = fs::read_to_string(&path).unwrap();
    let now = run(&page);
    if env::var_os("OCCI_WRITE_GUIDE").is_some() {
        fs::write(&path, now).unwrap();
        return;
    }
    for (number, (shown, real)) in page.lines().zip(now.lines()).enumerate() {
        assert_eq!(
            shown,
            real,
            "docs/http.md:{} is not what the server does; OCCI_WRITE_GUIDE=1 writes it anew",
            number + 1
        );
    }
    assert_eq!(
        page.lines().count(),
        now.lines().count(),
        "docs/http.md is shorter or longer than it must be"
    );
}

/// The page, with what its commands print now.
fn run(page: &str) -> String {
    let server = Server::start();
    let mut console = Console::new(&server);
    let mut written = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        written += line;
        written += "\n";
        if line != "```console" {
            continue;
        }
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        for command in commands(&block) {
            writeln!(written, "$ {command}").unwrap();
            written += &console.run(&command);
        }
        written += "```\n";
    }
    written
}

/// The commands of a block, each of which goes on where a line ends in a backslash or within quotes.
fn commands(block: &[&str]) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = block.iter();
    while let Some(line) = lines.next() {
        let Some(begin) = line.strip_prefix("$ ") else { continue };
        let mut command = begin.to_owned();
        while command.ends_with('\\') || command.matches('\'').count() % 2 == 1 {
            command += "\n";
            command += lines.next().expect("a command has an end");
        }
        commands.push(command);
    }
    commands
}

/// A shell in which `curl` finds the server, and in which what differs from run to run looks the same.
struct Console {
    /// Where curl's settings are.
    home: tempfile::TempDir,
    /// What is different each time.
    fresh: Regex,
    /// What is shown for it, and what it is.
    shown: Vec<(String, String)>,
}

impl Console {
    fn new(server: &Server) -> Self {
        let home = tempfile::tempdir().unwrap();
        let settings =
            format!("silent\nshow-error\nnoproxy = \"*\"\nconnect-to = \"{HOST}:{}\"\n", server.address());
        fs::write(home.path().join(".curlrc"), settings).unwrap();
        let fresh = concat!(
            r"(?m)(?<id>\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b)",
            r#"|^etag: (?<tag>"[0-9]+(?<rendering>[a-z]*)")|(?<date>^date: .*$)"#,
            r"|(?<mac>\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b)"
        );
        Self { home, fresh: Regex::new(fresh).unwrap(), shown: Vec::new() }
    }

    /// What a command prints, as it is shown.
    fn run(&mut self, command: &str) -> String {
        let mut real = command.to_owned();
        for (shown, fresh) in &self.shown {
            real = real.replace(shown, fresh);
        }
        let output =
            Command::new("sh").args(["-c", &real]).env("CURL_HOME", self.home.path()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && error.is_empty(), "{real}\n{error}");
        let printed = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
        let mut shown =
            self.fresh.clone().replace_all(&printed, |found: &Captures<'_>| self.show(found)).into_owned();
        if !shown.ends_with('\n') {
            shown.push('\n');
        }
        shown
    }

    /// The same for the same, numbered as it appears.
    fn show(&mut self, found: &Captures<'_>) -> String {
        if let Some(id) = found.name("id") {
            self.shown_for(id.as_str(), "0193a000-0000-7000-8000-", |number| format!("{number:012}"))
        } else if let Some(mac) = found.name("mac") {
            self.shown_for(mac.as_str(), "52:54:00:00:00:", |number| format!("{number:02x}"))
        } else if let Some(tag) = found.name("tag") {
            let tag =
                self.shown_for(tag.as_str(), "\"", |number| format!("{number}{}\"", &found["rendering"]));
            format!("etag: {tag}")
        } else {
            "date: Wed, 25 Nov 2026 12:00:00 GMT".into()
        }
    }

    fn shown_for(&mut self, fresh: &str, prefix: &str, rest: impl Fn(usize) -> String) -> String {
        if let Some((shown, _)) = self.shown.iter().find(|(_, known)| known == fresh) {
            return shown.clone();
        }
        let number = 1 + self.shown.iter().filter(|(shown, _)| shown.starts_with(prefix)).count();
        let shown = format!("{prefix}{}", rest(number));
        self.shown.push((shown.clone(), fresh.to_owned()));
        shown
    }
}
