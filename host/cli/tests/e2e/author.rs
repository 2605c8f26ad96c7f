//! What an author does, with the real binary and nothing else of this repository: an extension is begun, one line of it is changed,
//! it is built, and answers. The tools are those that `cargo xtask test` has installed for the SDKs.

use crate::occi::body;
use crate::server::{OCCI, PATIENCE, Server, eventually, extensions};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// What `occi ext test` says of it.
const PLAYED: &str = "my-lamp 0.1.0\nok      each call counts\n";

/// An author at work in a folder of a project, which is called `my-lamp`.
struct Author {
    above: TempDir,
}

impl Author {
    fn begins_in(language: &str) -> Self {
        let above = tempfile::tempdir().unwrap();
        let mut new = Command::new(OCCI);
        new.args(["ext", "new", "--lang", language, "my-lamp"]).current_dir(above.path());
        succeeds(&mut new);
        Self { above }
    }

    fn folder(&self) -> PathBuf {
        self.above.path().join("my-lamp")
    }

    /// A command in the project's folder.
    fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(args).current_dir(self.folder());
        command
    }

    fn changes(&self, file: &str, from: &str, to: &str) {
        let file = self.folder().join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// The one line of the example, in the code and in what is expected of it.
    fn counts_by_two(&self, file: &str) {
        self.changes(file, "+ 1", "+ 2");
        self.changes("scenarios/count.toml", "count=1", "count=2");
    }

    /// Builds it, has a server take the file, and counts.
    fn builds_and_counts_by_two(&self) {
        self.builds_by(&mut self.command(OCCI, &["ext", "build"]));
    }

    fn builds_by(&self, build: &mut Command) {
        let built = succeeds(build);
        assert!(built.starts_with("target/my-lamp.wasm\nmy-lamp 0.1.0 of example.com\n"), "{built}");
        assert!(built.contains("wasi:logging/logging@0.1.0-draft (logging)"), "{built}");
        assert!(built.contains("A server takes it"), "{built}");
        let (server, _folder) = server();
        let data = server.data();
        let install = ["ext", "install", "target/my-lamp.wasm", "--data", data.to_str().unwrap()];
        assert_eq!(succeeds(&mut self.command(OCCI, &install)), "my-lamp 0.1.0 is active\n");
        let lamp = made(&server);
        assert_eq!(counted(&server, &lamp), "2");
        assert_eq!(counted(&server, &lamp), "4");
    }
}

/// Standard output of what goes well.
#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    assert!(status.success(), "{command:?}\n{}{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// Standard error of what does not.
#[track_caller]
fn fails(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success(), "{command:?}\n{}", text(&output.stdout));
    text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// This repository's own target folder.
fn target() -> PathBuf {
    extensions().join("../..").canonicalize().unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A server without extensions, and the folder for them.
fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Server::of(&folder, ""), folder)
}

fn made(server: &Server) -> String {
    let kind = r#"Category: my-lamp; scheme="http://example.com/occi/my-lamp#"; class="kind""#;
    server.post("/my-lamp/").text(body(&[kind], &[])).answers(201).location()
}

/// What a lamp shows when it has counted once more.
fn counted(server: &Server, lamp: &str) -> String {
    let action = r#"Category: count; scheme="http://example.com/occi/my-lamp/action#"; class="action""#;
    let answer = server.post(&format!("{lamp}?action=count")).text(body(&[action], &[])).answers(200);
    answer.attribute("com.example.my-lamp.count").unwrap_or_default().to_owned()
}

#[test]
fn an_extension_is_begun_in_rust() {
    let author = Author::begins_in("rust");
    // What has been compiled for the extensions of this repository is taken from there: by the same versions, and here for
    // the test by the same settings.
    fs::copy(repository().join("Cargo.lock"), author.folder().join("Cargo.lock")).unwrap();
    let sharing = |command: &mut Command| {
        command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    };
    let mut tests = author.command("cargo", &["test", "--release"]);
    for setting in ["codegen-units = 1", "debug = false", "overflow-checks = false"] {
        tests.args(["--config", &format!("profile.release.package.'*'.{setting}")]);
    }
    sharing(&mut tests);
    succeeds(&mut tests);
    author.counts_by_two("src/lib.rs");
    let mut played = author.command(OCCI, &["ext", "test"]);
    sharing(&mut played);
    assert_eq!(succeeds(&mut played), PLAYED);
    let mut build = author.command(OCCI, &["ext", "build"]);
    sharing(&mut build);
    author.builds_by(&mut build);
}

#[test]
fn an_extension_is_begun_in_c() {
    let author = Author::begins_in("c");
    fs::create_dir(author.folder().join("target")).unwrap();
    succeeds(&mut author.command("cc", &["-o", "target/test", "tests/counter.c"]));
    succeeds(&mut author.command(author.folder().join("target/test"), &[]));
    author.counts_by_two("src/counter.h");
    assert_eq!(succeeds(&mut author.command(OCCI, &["ext", "test"])), PLAYED);
    author.builds_and_counts_by_two();
}

#[test]
fn an_extension_is_begun_in_javascript() {
    let author = Author::begins_in("javascript");
    let lacking = fails(&mut author.command(OCCI, &["ext", "build"]));
    assert!(lacking.contains("`npm install` in ."), "{lacking}");
    // What that installs.
    let installed = author.folder().join("node_modules");
    fs::create_dir(&installed).unwrap();
    for package in fs::read_dir(repository().join("sdk/javascript/node_modules")).unwrap() {
        let package = package.unwrap();
        symlink(package.path().canonicalize().unwrap(), installed.join(package.file_name())).unwrap();
    }
    symlink("../occi/sdk/javascript", installed.join("occi-extension")).unwrap();
    succeeds(&mut author.command("npm", &["test"]));
    author.counts_by_two("extension.js");
    author.builds_and_counts_by_two();
}

#[test]
fn an_extension_is_begun_in_python() {
    let author = Author::begins_in("python");
    // What its README has the author install.
    symlink(target().join("guests/python/environment"), author.folder().join(".venv")).unwrap();
    let mut tests = author.command(author.folder().join(".venv/bin/python"), &["-m", "unittest"]);
    succeeds(tests.env("PYTHONPATH", "occi/sdk/python/src"));
    author.counts_by_two("extension.py");
    author.builds_and_counts_by_two();
}

#[test]
fn the_line_that_the_manifest_lacks_is_named() {
    let author = Author::begins_in("c");
    author.changes("manifest.toml", "[capabilities.logging]", "");
    let refused = fails(&mut author.command(OCCI, &["ext", "build"]));
    assert!(refused.contains("add [capabilities.logging] to it"), "{refused}");
    assert!(!author.folder().join("target/my-lamp.wasm").exists());
}

/// `occi ext dev`, with what it has printed.
struct Dev {
    running: Child,
    said: PathBuf,
}

impl Dev {
    fn begins(author: &Author, server: &Server) -> Self {
        let said = author.above.path().join("said");
        let data = server.data();
        let mut dev = author.command(OCCI, &["ext", "dev", "--data", data.to_str().unwrap()]);
        let running = dev.stdin(Stdio::null()).stdout(fs::File::create(&said).unwrap()).spawn().unwrap();
        Self { running, said }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }

    #[track_caller]
    fn says(&self, what: &str, times: usize) {
        eventually(&format!("{what:?}, {times} times, after {PATIENCE:?}"), || {
            self.said().matches(what).count() == times
        });
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("`occi ext dev` said:\n{}", self.said());
        }
        let _ended_already = self.running.kill();
        let _ended_already = self.running.wait();
    }
}

#[test]
fn a_change_is_in_service_at_once_and_its_log_is_shown() {
    let author = Author::begins_in("c");
    let (mut server, _folder) = server();
    let mut dev = Dev::begins(&author, &server);
    dev.says("my-lamp 0.1.0 is active\n", 1);
    let lamp = made(&server);
    assert_eq!(counted(&server, &lamp), "1");
    dev.says(" INFO counted to 1 ", 1);

    dev.says("waiting for a change", 1);
    author.changes("src/counter.h", "+ 1", "+ 10");
    dev.says("my-lamp 0.1.0 is active\n", 2);
    assert_eq!(counted(&server, &lamp), "11");
    dev.says(" INFO counted to 11 ", 1);

    // What does not compile, or is refused, leaves in service what serves.
    dev.says("waiting for a change", 2);
    author.changes("src/counter.h", "+ 10", "+");
    dev.says("error: Building my-lamp", 1);
    assert_eq!(counted(&server, &lamp), "21");
    dev.says("waiting for a change", 3);
    author.changes("src/counter.h", "return count +;", "if (count) __builtin_trap(); return count;");
    dev.says("my-lamp 0.1.0 is active\n", 3);

    // A call that fails is shown as well.
    let action = r#"Category: count; scheme="http://example.com/occi/my-lamp/action#"; class="action""#;
    server.post(&format!("{lamp}?action=count")).text(body(&[action], &[])).answers(500);
    dev.says(" WARN call failed", 1);

    server.restart();
    dev.says("the server has ended", 1);
    assert!(dev.running.try_wait().unwrap().is_none(), "it goes on");
}
