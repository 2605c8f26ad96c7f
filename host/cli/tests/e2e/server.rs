//! A server: started, stopped, killed and started again on the same folder.

use crate::http::{Answer, Request, agent};
use crate::occi::{self, body, kind};
use occi_services::service;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use ureq::Agent;

/// The binary under test.
pub(crate) const OCCI: &str = env!("CARGO_BIN_EXE_occi");

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a server is told.
#[derive(Default)]
pub(crate) struct Options {
    /// The configuration file's text.
    pub(crate) config: String,
    /// libvirt's URI; none leaves it to the server.
    pub(crate) hypervisor: Option<String>,
    /// The folder with the extensions; none takes those that are built, but for the one whose entities stand for all of
    /// them: most tests want a server that holds what they have made and nothing else.
    pub(crate) extensions: Option<PathBuf>,
}

pub(crate) struct Server {
    folder: TempDir,
    options: Options,
    running: Option<Running>,
    agent: Agent,
}

struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    base: String,
}

/// The system that machines boot in tests.
pub(crate) struct GuestSystem {
    /// Of the QEMU on which they do.
    pub(crate) uri: String,
    pub(crate) kernel: String,
    pub(crate) initrd: String,
}

impl GuestSystem {
    /// Its kernel's command line.
    pub(crate) const COMMAND_LINE: &str = "console=ttyS0 quiet panic=1";

    /// How long it may take for anything, under emulation on a busy machine.
    pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

    /// None, which is counted, where there is no QEMU to test with.
    pub(crate) fn find() -> Option<Self> {
        let uri = service("OCCI_TEST_QEMU_URI")?;
        Some(Self { uri, kernel: service("OCCI_TEST_KERNEL")?, initrd: service("OCCI_TEST_INITRD")? })
    }

    /// The part of a configuration by which all machines boot it.
    pub(crate) fn boot(&self) -> String {
        let Self { kernel, initrd, .. } = self;
        format!(
            "[hypervisor.boot]\nkernel = {kernel:?}\ninitrd = {initrd:?}\ncmdline = {:?}\n",
            Self::COMMAND_LINE
        )
    }
}

impl Server {
    /// One with every setting at its default.
    pub(crate) fn start() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn configured(config: &str) -> Self {
        Self::with(Options { config: config.into(), ..Options::default() })
    }

    /// One on QEMU, where there is one to test with.
    pub(crate) fn on_qemu() -> Option<Self> {
        let uri = service("OCCI_TEST_QEMU_URI")?;
        Some(Self::with(Options { hypervisor: Some(uri), ..Options::default() }))
    }

    /// One with the extensions in a folder, and whatever else is to be configured.
    pub(crate) fn of(extensions: &TempDir, config: &str) -> Self {
        let extensions = Some(extensions.path().into());
        Self::with(Options { config: config.into(), extensions, ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if options.extensions.is_none() {
            lay_out_extensions(&folder.path().join(EXTENSIONS));
        }
        let mut server = Self { folder, options, running: None, agent: agent() };
        server.begin();
        server
    }

    /// Another configuration for the next start.
    pub(crate) fn set_config(&mut self, config: &str) {
        self.options.config = config.into();
    }

    /// Starts it on its folder, and waits until it serves.
    pub(crate) fn begin(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let (mut child, mut stdout) = self.spawn();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(base) = line.strip_prefix("listening on ").and_then(|rest| rest.strip_suffix('\n')) else {
            let status = child.wait().unwrap();
            panic!("the server said {line:?} and ended with {status}; its log:\n{}", self.log());
        };
        self.running = Some(Running { child, stdout, base: base.to_owned() });
    }

    fn spawn(&self) -> (Child, BufReader<ChildStdout>) {
        let config = self.folder.path().join("occi.toml");
        std::fs::write(&config, &self.options.config).unwrap();
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = Command::new(OCCI);
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config);
        command.arg("--data").arg(self.data());
        let own = || self.folder.path().join(EXTENSIONS);
        command.arg("--extensions").arg(self.options.extensions.clone().unwrap_or_else(own));
        if let Some(uri) = &self.options.hypervisor {
            command.args(["--hypervisor", uri]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        (child, stdout)
    }

    /// Tells it to stop, as an operator does, and waits until it has. What it said on standard output besides its
    /// first line is no more than nothing.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.terminate();
        let mut running = self.running.take().unwrap();
        let status = wait(&mut running.child);
        let mut rest = String::new();
        running.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "standard output holds one line");
        status
    }

    /// SIGTERM, without waiting.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.running.as_ref().unwrap().child), Signal::TERM).unwrap();
    }

    /// SIGKILL, without waiting.
    pub(crate) fn send_kill(&self) {
        kill_process(Pid::from_child(&self.running.as_ref().unwrap().child), Signal::KILL).unwrap();
    }

    /// Starts it, and kills it after a while, whether or not it serves by then.
    pub(crate) fn begin_and_kill(&mut self, after: Duration) {
        let (mut child, _) = self.spawn();
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGKILL: it has no chance to do anything more.
    pub(crate) fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        assert!(self.stop().success(), "{}", self.log());
        self.begin();
    }

    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        self.begin();
    }

    /// Such as `http://127.0.0.1:1234`.
    pub(crate) fn base(&self) -> &str {
        &self.running.as_ref().unwrap().base
    }

    /// Such as `127.0.0.1:1234`.
    pub(crate) fn address(&self) -> &str {
        self.base().trim_start_matches("http://")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What it has written to standard error, over all of its runs.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }

    /// What is at its hypervisor, by the operator's command.
    pub(crate) fn inspect(&self) -> Value {
        self.try_inspect().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, or why it cannot be told.
    pub(crate) fn try_inspect(&self) -> Result<Value, String> {
        let output =
            Command::new(OCCI).args(["inspect", "--json", "--data"]).arg(self.data()).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Has its operator say something of its hypervisors: whether it was done, and what was answered.
    pub(crate) fn node(&self, arguments: &[&str]) -> (bool, String) {
        let data = self.data();
        let output = run(&[&["node", "--data", data.to_str().unwrap()], arguments].concat());
        let said = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// What its extensions count, by the same command.
    pub(crate) fn metrics(&self) -> String {
        let output =
            Command::new(OCCI).args(["inspect", "--metrics", "--data"]).arg(self.data()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// One property of the thing at the hypervisor that belongs to an entity; none where there is no such thing.
    pub(crate) fn at_hypervisor(&self, list: &str, path: &str, property: &str) -> Option<Value> {
        let name = format!("occi-{}", path.rsplit('/').next().unwrap());
        let all = self.inspect();
        let found = all[list].as_array().unwrap().iter().find(|thing| thing["name"] == *name)?;
        Some(found[property].clone())
    }

    pub(crate) fn request(&self, method: &'static str, path: &str) -> Request {
        Request::new(&self.agent, method, format!("{}{path}", self.base()))
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub(crate) fn put(&self, path: &str) -> Request {
        self.request("PUT", path)
    }

    pub(crate) fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// A new entity of Infrastructure; its path.
    #[track_caller]
    pub(crate) fn create(&self, term: &str, attributes: &[&str]) -> String {
        let body = body(&[&kind(term)], attributes);
        self.post(&format!("/{term}/")).text(body).answers(201).location()
    }

    /// A new note; its path.
    #[track_caller]
    pub(crate) fn note(&self, text: &str) -> String {
        let text = format!("com.example.note.text={text:?}");
        self.post("/note/").text(body(&[occi::NOTE], &[&text])).answers(201).location()
    }

    /// A new link of Infrastructure; its path.
    #[track_caller]
    pub(crate) fn link(&self, term: &str, source: &str, target: &str) -> String {
        let ends = [format!("occi.core.source={source:?}"), format!("occi.core.target={target:?}")];
        self.create(term, &[&ends[0], &ends[1]])
    }

    /// Waits until a compute's console has shown these words.
    #[track_caller]
    pub(crate) fn prints(&self, compute: &str, words: &str) {
        let began = Instant::now();
        loop {
            let printed = self.get(&format!("{compute}/console?lines=1000")).answers(200).body;
            if printed.contains(words) {
                return;
            }
            assert!(began.elapsed() < GuestSystem::PATIENCE, "no {words:?} in {printed:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Invokes an action of Infrastructure on what is at a path.
    #[track_caller]
    pub(crate) fn act(&self, path: &str, term: &str, parameters: &[&str]) -> Answer {
        let kind = path.split('/').nth(1).unwrap();
        self.post(&format!("{path}?action={term}"))
            .text(body(&[&occi::action(kind, term)], parameters))
            .send()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ended_already = running.child.kill();
            let _ended_already = running.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// Waits for a process that is expected to end.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(began.elapsed() < PATIENCE, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs the binary to its end; for a start that is expected to fail.
pub(crate) fn run(arguments: &[&str]) -> Output {
    run_with(arguments, None)
}

/// Runs `occi ext`; what it prints, or its error.
pub(crate) fn ext(arguments: &[&str]) -> Result<String, String> {
    let output = run(&[&["ext"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// The same as [`run`] with a variable of its environment.
pub(crate) fn run_with(arguments: &[&str], variable: Option<(&str, &str)>) -> Output {
    let mut child = Command::new(OCCI)
        .args(arguments)
        .envs(variable)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = wait(&mut child);
    let output = child.wait_with_output().unwrap();
    Output { status, ..output }
}

/// The server's own folder of extensions.
const EXTENSIONS: &str = "extensions";

/// The extensions that are built, without the one whose entities stand for them.
fn lay_out_extensions(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for built in std::fs::read_dir(extensions()).unwrap() {
        let (path, name) = built.map(|built| (built.path(), built.file_name())).unwrap();
        if name != "extensions.wasm" {
            std::os::unix::fs::symlink(path, folder.join(name)).unwrap();
        }
    }
}

/// The folder with the extensions that are built.
pub(crate) fn extensions() -> PathBuf {
    let folder = match std::env::var_os("OCCI_TEST_EXTENSIONS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(OCCI).parent().unwrap().join("extensions"),
    };
    let built = folder.join("infrastructure.wasm");
    assert!(built.exists(), "{} is not there; `cargo xtask build` makes it", built.display());
    folder
}

/// Asks again and again until the answer is yes: for what happens in the background.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}
