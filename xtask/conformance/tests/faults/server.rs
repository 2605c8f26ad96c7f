//! The real server, on a folder and a port of its own.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use tempfile::TempDir;

pub(crate) struct Server {
    process: Child,
    address: String,
    _folder: TempDir,
}

/// A server that a test has for itself until this is dropped. Starting one takes longer than a run, so the next test has
/// it then, unless this one failed and may have left something there.
pub(crate) struct Turn(MutexGuard<'static, Option<Server>>);

/// Twice as many as two processors serve, since a run waits for the disk half of its time.
static SHARED: [Mutex<Option<Server>>; 4] = [const { Mutex::new(None) }; 4];

impl Turn {
    fn wait() -> MutexGuard<'static, Option<Server>> {
        static WAITING: AtomicUsize = AtomicUsize::new(0);
        if let Some(free) = SHARED.iter().find_map(|server| server.try_lock().ok()) {
            return free;
        }
        let server = &SHARED[WAITING.fetch_add(1, Ordering::Relaxed) % SHARED.len()];
        server.lock().unwrap_or_else(|failed| {
            let mut guard = failed.into_inner();
            *guard = None;
            server.clear_poison();
            guard
        })
    }
}

impl Deref for Turn {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.0.as_ref().unwrap()
    }
}

/// Without the extension whose entities stand for the others, nothing is in the server that nobody has made.
const EMPTY: &str = "administrators = []\n";

impl Server {
    /// One with all extensions, and nothing else in it.
    pub(crate) fn shared() -> Turn {
        let mut guard = Turn::wait();
        guard.get_or_insert_with(|| Self::start(&extensions(&program()), ""));
        Turn(guard)
    }

    /// One with all extensions that clients reach by another URL than its own.
    pub(crate) fn known_as(url: &str) -> Self {
        Self::start(&extensions(&program()), &format!("url = \"{url}\"\n"))
    }

    /// One with the extensions in a folder, and whatever else is to be configured.
    pub(crate) fn start(extensions: &Path, config: &str) -> Self {
        let program = program();
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        std::fs::write(folder.path().join("occi.toml"), format!("{EMPTY}{config}")).unwrap();
        // Shared ones are not dropped: they end when nobody holds the other end of their input.
        let mut process = Command::new("sh")
            .args(["-c", "\"$@\" </dev/null & read _; kill -9 $!", "-"])
            .arg(&program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .arg("--extensions")
            .arg(extensions)
            .arg("--config")
            .arg(folder.path().join("occi.toml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line.trim_end().strip_prefix("listening on http://") else {
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
            panic!("the server said {line:?}; its log:\n{log}");
        };
        Self { process, address: address.to_owned(), _folder: folder }
    }

    /// One with all extensions that offers OS templates of these names.
    pub(crate) fn with_images(folder: &Path, names: &[&str]) -> Self {
        for name in names {
            // Of no disk: what a system is, is none of the suite's business.
            std::fs::write(folder.join(format!("{name}.toml")), format!("title = \"{name}\"\n")).unwrap();
        }
        let config = format!("[hypervisor]\nimages = \"{}\"\n", folder.display());
        Self::start(&extensions(&program()), &config)
    }

    /// Everything that it holds, as text.
    pub(crate) fn entities(&self) -> String {
        self.read("/")
    }

    /// Everything that its query interface shows.
    pub(crate) fn categories(&self) -> String {
        self.read("/-/")
    }

    fn read(&self, path: &str) -> String {
        let mut answer = ureq::get(format!("http://{}{path}", self.address)).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    /// Such as `127.0.0.1:1234`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended_already = self.process.wait();
    }
}

fn program() -> PathBuf {
    // Whatever profile this is: beside its folder.
    let built =
        Path::new(env!("CARGO_BIN_EXE_occi-conformance")).ancestors().nth(2).unwrap().join("release/occi");
    let program = std::env::var_os("OCCI_BIN").map_or(built, PathBuf::from);
    let why = "`cargo xtask build` makes it, or name another in OCCI_BIN";
    assert!(program.exists(), "{} is not there; {why}", program.display());
    program
}

fn extensions(program: &Path) -> PathBuf {
    let named = ["OCCI_EXTENSIONS", "OCCI_TEST_EXTENSIONS"].into_iter().find_map(std::env::var_os);
    named.map_or_else(|| program.with_file_name("extensions"), PathBuf::from)
}
