//! The serial console of a machine: the end of what was written down of it, and the line itself (`stream`).

mod stream;

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};
use virt::domain::Domain;
use virt::error::Error as VirtError;

use self::stream::Stream;
use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::machine::{Machine, State, find, state};

/// The console of a machine, whether the machine exists or not.
#[derive(Debug, Clone)]
pub struct Console(Machine);

/// An open console. To drop it closes it.
#[derive(Debug)]
pub struct Line {
    machine: Machine,
    /// There until it is dropped.
    stream: Option<Stream>,
}

/// Why an open console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The machine has no power any more, or is gone.
    Off,
    /// Somebody else has taken the console over.
    Taken,
    /// The connection to the hypervisor broke.
    Lost,
}

/// So long a console that is closed may take until others can have it.
const LETTING_GO: Duration = Duration::from_secs(2);

/// A machine's console ends a little before libvirt knows that it is off.
const GOING_OFF: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Machine {
    /// Its console.
    pub fn console(&self) -> Console {
        Console(self.clone())
    }
}

impl Console {
    /// The last bytes of what the machine printed, `most` at most. Nothing where it has printed nothing yet, and on a
    /// hypervisor elsewhere, whose files are not here.
    pub async fn printed(&self, most: usize) -> Result<Vec<u8>> {
        let config = self.0.hypervisor.config();
        check_real(Driver::of(&config.uri)?)?;
        let Some(file) = config.console_log(self.0.entity) else {
            return Err(Error::Unsupported(
                "nothing is kept of what machines print; its operator names a folder for it (`hypervisor.consoles`)".into(),
            ));
        };
        let read = tokio::task::spawn_blocking(move || end_of(&file, most).map_err(|error| (file, error)));
        match read.await {
            Ok(Ok(end)) => Ok(end),
            Ok(Err((file, error))) => {
                tracing::warn!(file = %file.display(), %error, "what a machine printed cannot be read");
                Err(Error::Failed(
                    "what the machine printed cannot be read; the server's log says why".into(),
                ))
            }
            Err(_) => Err(Error::Failed("the reading of what the machine printed broke off".into())),
        }
    }

    /// Opens it for both ways. Somebody who has it open loses it with `take`, and keeps it without.
    pub async fn open(&self, take: bool) -> Result<Line> {
        let entity = self.0.entity;
        check_real(Driver::of(&self.0.hypervisor.config().uri)?)?;
        let open = move |live: Live| {
            let domain = find(&live, entity)?;
            Stream::open(live, &domain, take).map_err(|refused| refused_to_open(&domain, refused))
        };
        let stream = self.0.hypervisor.workers().apart(open).await?;
        Ok(Line { machine: self.0.clone(), stream: Some(stream) })
    }

    /// Ends it for whoever has it open.
    async fn end_other(&self) -> Result<()> {
        let entity = self.0.entity;
        let end = move |live: Live| {
            let domain = find(&live, entity)?;
            Ok(Stream::end_other(live, &domain)?)
        };
        self.0.hypervisor.workers().apart(end).await
    }
}

impl Line {
    /// What was printed since, and was not read yet; waits where there is nothing. Beyond 256 KiB that are not read what comes
    /// is dropped, as libvirt would keep it without bound. Where the future is dropped nothing is.
    pub async fn read(&self) -> Result<Bytes, Ended> {
        let Some(stream) = &self.stream else { return Err(Ended::Lost) };
        match stream.read().await {
            Some(printed) => Ok(printed),
            None => Err(self.ended(stream).await),
        }
    }

    /// Types something. Waits for as long as not all of what was typed before is on its way.
    pub async fn write(&self, typed: Bytes) -> Result<(), Ended> {
        let Some(stream) = &self.stream else { return Err(Ended::Lost) };
        if stream.write(typed).await { Ok(()) } else { Err(self.ended(stream).await) }
    }

    /// Why it ended, as far as can be seen now.
    async fn ended(&self, stream: &Stream) -> Ended {
        let began = Instant::now();
        loop {
            if stream.is_cut_off() {
                return Ended::Lost;
            }
            match self.machine.state().await {
                Ok(State::Off | State::Saved | State::Crashed) | Err(Error::Missing(_)) => return Ended::Off,
                Ok(State::Running | State::Paused) if began.elapsed() >= GOING_OFF => return Ended::Taken,
                Ok(State::Running | State::Paused) => sleep(LOOK_AGAIN).await,
                Err(_) => return Ended::Lost,
            }
        }
    }
}

impl Drop for Line {
    /// Where the machine takes nothing of what was typed, the end of the stream waits behind that. Then the console is taken
    /// over from another connection, which ends it at the daemon, and let go with that connection.
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        let console = self.machine.console();
        // Without a runtime the process ends, and its connections with it.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if timeout(LETTING_GO, stream.end()).await.is_err() {
                let ended = console.end_other().await;
                tracing::debug!(machine = %console.0.entity, ?ended, "a console did not end by itself");
            }
        });
    }
}

/// libvirt's imitation has no machine behind a machine.
fn check_real(driver: Driver) -> Result<()> {
    match driver {
        Driver::Qemu => Ok(()),
        Driver::Test => Err(Error::Unsupported(
            "machines of libvirt's test driver print nothing and have no console; there is one on QEMU (`hypervisor.uri`)"
                .into(),
        )),
    }
}

/// libvirt has one code for whatever keeps a console from being opened.
fn refused_to_open(domain: &Domain, refused: VirtError) -> Error {
    match state(domain) {
        Ok(state @ (State::Off | State::Saved | State::Crashed)) => {
            Error::Conflict(format!("the machine is {state}, so nobody is at its console: start it first"))
        }
        Ok(State::Running | State::Paused) if refused.message().contains("console session") => Error::Conflict(
            "somebody has the console open already: wait until it is closed, or take it over with `?take=true`".into(),
        ),
        Ok(State::Running | State::Paused) | Err(_) => refused.into(),
    }
}

/// The last bytes of a file; nothing where there is none.
fn end_of(file: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut file = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut end = Vec::new();
    // More may have been written since.
    file.take(most).read_to_end(&mut end)?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_is_read_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.log");
        assert_eq!(end_of(&file, 8).unwrap(), b"", "there is none yet");
        std::fs::write(&file, "one\ntwo\nthree\n").unwrap();
        assert_eq!(end_of(&file, 6).unwrap(), b"three\n");
        assert_eq!(end_of(&file, 1000).unwrap(), b"one\ntwo\nthree\n");
        assert_eq!(end_of(&file, 0).unwrap(), b"");
        assert!(end_of(folder.path(), 8).is_err(), "it is a folder");
    }
}
