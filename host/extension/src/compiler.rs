//! From a component to machine code.
//!
//! A few kilobytes can be written so that the compiler takes minutes and gigabytes over them. So whoever serves has each
//! component compiled by a process of its own, which may take what honest code of its size takes several times over, and no
//! more.

use crate::engine;
use crate::error::LoadError;
use crate::turns::processors;
use rustix::process::{self, Pid, PidfdFlags, Resource, Rlimit, Signal};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use wasmtime::Engine;

/// Who compiles.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// Who loads an extension, however long it takes.
    #[default]
    Own,
    /// A process for each component.
    Process {
        /// Its program and first arguments. With those of [`Task`] after them, it is to do what [`Task::carry_out`] does.
        command: (PathBuf, &'static str),
        /// How long it may use a processor for each mebibyte of the component, in seconds.
        seconds: u64,
    },
}

/// What bounds one compilation.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// It computes no longer than so many seconds, even if it may for longer.
    pub seconds: Option<u64>,
    /// It is ended once nobody wants it any more, which is asked now and then.
    pub is_wanted: &'a (dyn Fn() -> bool + Sync),
}

impl Bounds<'static> {
    /// None but those that hold anyway.
    pub const NONE: Self = Self { seconds: None, is_wanted: &|| true };
}

/// How often that is asked.
const LOOK: Duration = Duration::from_millis(500);

/// What a process that compiles is told, each as an argument.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// How much address space a memory of a guest has, in bytes; code is good for that alone.
    pub reservation: u64,
    /// How long it may use a processor, in seconds.
    pub seconds: u64,
    /// How much memory it may take, in bytes.
    pub memory: u64,
}

/// What honest code may take of it, in bytes: so much in any case, and so much for each mebibyte. An allocator that takes a
/// gigabyte at a time is counted with all of it.
const MEMORY: (u64, u64) = (2 << 30, 64 << 20);

/// How many times longer it may take on the clock.
const PATIENCE: u64 = 10;

/// For so long it competes with those who serve: what is over soon disturbs them least.
const BRIEF: Duration = Duration::from_millis(500);
/// How much it gives way to them afterwards.
const NICE: i32 = 10;

/// The exit code of a process that says what is wrong with the component.
const REFUSED: u8 = 3;

impl Compiler {
    /// The machine code.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        reservation: u64,
        component: &[u8],
        bounds: Bounds<'_>,
    ) -> Result<Vec<u8>, LoadError> {
        match self {
            Self::Own => engine
                .precompile_component(component)
                .map_err(|error| LoadError::Compile(format!("{error:#}"))),
            Self::Process { command: (program, argument), seconds } => {
                let size = (component.len() as u64).div_ceil(1 << 20).max(1);
                let task = Task {
                    reservation,
                    seconds: bounds.seconds.into_iter().fold(size.saturating_mul(*seconds), u64::min),
                    memory: MEMORY.0.saturating_add(size.saturating_mul(MEMORY.1)),
                };
                let mut command = Command::new(program);
                command
                    .arg(argument)
                    .args([task.reservation, task.seconds, task.memory].map(|n| n.to_string()))
                    // Wasmtime compiles with as many threads as there are processors; little code is compiled nearly as
                    // soon by one, and those who serve keep the other processors.
                    .env("RAYON_NUM_THREADS", size.min(processors() as u64).to_string());
                let failed = |error| LoadError::Unfinished(format!("it does not start: {error}"));
                let (status, code, said) = run(command, component, bounds.is_wanted).map_err(failed)?;
                task.outcome(status, code, &said)
            }
        }
    }
}

/// Gives a process its input, and waits for what it says; or ends it.
fn run(
    mut command: Command,
    input: &[u8],
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> io::Result<(ExitStatus, Vec<u8>, String)> {
    // What it says is why it fails, not what it does. Where memory fails a backtrace may wait for itself.
    command.env_remove("RUST_LOG").env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    // Nobody else gets its number before it is waited for.
    let process = process::pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
    let (goes_on, end) = mpsc::channel::<()>();
    let output = thread::scope(move |scope| {
        scope.spawn(move || {
            while end.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                if let (false, Ok(process)) = (is_wanted(), &process) {
                    // It may have ended by itself.
                    let _gone = process::pidfd_send_signal(process, Signal::KILL);
                    return;
                }
            }
        });
        // Ends with this.
        let _goes_on = goes_on;
        if let Some(mut stdin) = child.stdin.take()
            && let Err(error) = stdin.write_all(input)
        {
            // Its end says why.
            tracing::debug!("the compiler has not read everything: {error}");
        }
        child.wait_with_output()
    })?;
    Ok((output.status, output.stdout, String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

impl Task {
    /// Reads a component and writes its machine code, as the process that [`Compiler::Process`] names: its standard input and
    /// output. Where that cannot be, the last of its words say why, and this is its exit code.
    pub fn carry_out(self, mut input: impl Read, mut output: impl Write, mut words: impl Write) -> u8 {
        let mut compiled = || -> wasmtime::Result<()> {
            self.confine()?;
            let mut component = Vec::new();
            input.read_to_end(&mut component)?;
            let code = engine::for_compiling(self.reservation)?.precompile_component(&component)?;
            Ok(output.write_all(&code)?)
        };
        match compiled() {
            Ok(()) => 0,
            Err(error) => {
                // Who does not listen does not hear it.
                let _unheard = writeln!(words, "{error:#}");
                REFUSED
            }
        }
    }

    /// From now on this process takes no more than that, gives way to others where it takes long, and ends with who has
    /// started it.
    fn confine(self) -> io::Result<()> {
        let most = |most, hard| Rlimit { current: Some(most), maximum: Some(hard) };
        process::set_parent_process_death_signal(Some(Signal::KILL))?;
        process::setrlimit(Resource::Core, most(0, 0))?;
        process::setrlimit(Resource::Cpu, most(self.seconds, self.seconds.saturating_add(1)))?;
        process::setrlimit(Resource::Data, most(self.memory, self.memory))?;
        // Others may keep it from computing, but not for ever: whoever has started it waits.
        let longest = Duration::from_secs(self.seconds.saturating_mul(PATIENCE));
        let watch = move || {
            thread::sleep(BRIEF.min(longest));
            give_way();
            thread::sleep(longest.saturating_sub(BRIEF));
            process::kill_process(process::getpid(), Signal::XCPU)
        };
        thread::Builder::new().name("patience".into()).spawn(watch)?;
        Ok(())
    }

    fn outcome(self, status: ExitStatus, code: Vec<u8>, said: &str) -> Result<Vec<u8>, LoadError> {
        let is_signal = |signal: Signal| status.signal() == Some(signal.as_raw());
        match status.code() {
            Some(0) => Ok(code),
            Some(refused) if refused == i32::from(REFUSED) => Err(LoadError::Compile(said.to_owned())),
            _ if is_signal(Signal::XCPU) => {
                Err(LoadError::Costly { most: format!("{} s of computing", self.seconds) })
            }
            // What an allocation that fails ends in.
            _ if is_signal(Signal::ABORT) => {
                Err(LoadError::Costly { most: format!("{} MiB of memory", self.memory >> 20) })
            }
            Some(_) => Err(LoadError::Compile(format!("the compiler failed with {status}: {said}"))),
            None => Err(LoadError::Unfinished(status.to_string())),
        }
    }
}

/// From now on all threads of this process give way to others, as far as they can be found: where they cannot, it competes.
fn give_way() {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return };
    let ids = threads.filter_map(|thread| thread.ok()?.file_name().to_str()?.parse().ok());
    for id in ids.filter_map(Pid::from_raw) {
        // It may have ended meanwhile.
        let _gone = process::setpriority_process(Some(id), NICE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn how_a_process_ends_says_whose_fault_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let compile_within = |bounds: Bounds<'_>, script: &str| {
            let path = folder.path().join("script");
            std::fs::write(&path, script).unwrap();
            let argument: &'static str = path.to_str().unwrap().to_owned().leak();
            let compiler = Compiler::Process { command: ("/bin/sh".into(), argument), seconds: 7 };
            compiler.compile(&engine::for_compiling(1 << 30).unwrap(), 1 << 30, b"code", bounds)
        };
        let compile = |script: &str| compile_within(Bounds::NONE, script);
        assert_eq!(compile("printf \"$1 $2 $3 $(cat)\"").unwrap(), b"1073741824 7 2214592512 code");
        let refused = |script: &str| compile(script).unwrap_err().to_string();
        assert_eq!(refused("cat > /dev/null; echo no >&2; exit 3"), "cannot be compiled: no");
        assert!(refused("kill -XCPU $$").contains("more than 7 s of computing"));
        assert!(refused("kill -ABRT $$").contains("more than 2112 MiB of memory"));
        assert!(refused("kill -KILL $$").contains("was ended before it was done (signal: 9"));
        assert!(refused("echo oh >&2; exit 101").contains("failed with exit status: 101: oh"));
        // One whose work nobody wants any more is ended.
        let began = Instant::now();
        let bounds = Bounds { is_wanted: &|| false, ..Bounds::NONE };
        let refused = compile_within(bounds, "exec sleep 60").unwrap_err();
        assert!(matches!(refused, LoadError::Unfinished(_)), "{refused}");
        assert!(began.elapsed() < Duration::from_secs(30));
        let nothing = Compiler::Process { command: (folder.path().join("nothing"), ""), seconds: 7 };
        let engine = engine::for_compiling(1 << 30).unwrap();
        let refused = nothing
            .compile(&engine, 1 << 30, b"code", Bounds { seconds: Some(1), ..Bounds::NONE })
            .unwrap_err();
        assert!(matches!(refused, LoadError::Unfinished(_)), "{refused}");
    }
}
