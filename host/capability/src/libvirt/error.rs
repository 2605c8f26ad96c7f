//! Why the hypervisor, or the driver on its behalf, says no.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use virt::error::{ErrorDomain, ErrorNumber};

/// A refusal. Each case is one of the contract's fault codes, and its text is what the client may read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The entity has no such object at the hypervisor.
    #[error("{0}")]
    Missing(String),
    /// The object's present state, or its use by another, forbids it.
    #[error("{0}")]
    Conflict(String),
    /// What was asked for is not well formed.
    #[error("{0}")]
    Invalid(String),
    /// The caller may not.
    #[error("{0}")]
    Denied(String),
    /// This hypervisor cannot do it.
    #[error("{0}")]
    Unsupported(String),
    /// The hypervisor does not answer; the same call may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// It was not done in time; it may still happen.
    #[error("{0}")]
    Timeout(String),
    /// Anything else, in the hypervisor's words.
    #[error("{0}")]
    Failed(String),
}

/// What goes by another's doing is gone by then, and so often it is looked.
const GOING: Duration = Duration::from_millis(500);
const LOOKS: u32 = 5;

/// How often it is said that the hypervisor is away.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// The driver's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The fault code of the contract, such as 'conflict'.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Missing(_) => "missing",
            Error::Conflict(_) => "conflict",
            Error::Invalid(_) => "invalid",
            Error::Denied(_) => "denied",
            Error::Unsupported(_) => "unsupported",
            Error::Unavailable(_) => "unavailable",
            Error::Timeout(_) => "timeout",
            Error::Failed(_) => "failed",
        }
    }

    /// What is said where there is no way to the hypervisor. Why there is none, sockets and hosts by name, is for the
    /// operator's log and not for clients.
    pub(super) fn away() -> Self {
        Error::Unavailable("the hypervisor cannot be reached now; try again later".into())
    }
}

/// Says it to the operator, once in a while: a hypervisor that is away for hours is no news.
pub(super) fn say_no_way(why: &dyn std::fmt::Display) {
    static SAID: Mutex<Option<Instant>> = Mutex::new(None);
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.is_none_or(|said| said.elapsed() > SAID_EVERY) {
        *said = Some(Instant::now());
        tracing::warn!("no way to the hypervisor: {why}");
    }
}

/// Whether something was found.
pub(super) fn is_there<T>(found: Result<T>) -> Result<bool> {
    match found {
        Ok(_) => Ok(true),
        Err(Error::Missing(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What was found of an entity's; what only has its name or its id is somebody else's.
pub(super) fn ours<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Missing(_) | Error::Conflict(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The outcome of a removal. One that was refused is looked for once more: it may have gone by another's doing meanwhile, such
/// as a call that a process made before it was killed.
pub(super) fn gone<T>(removed: Result<()>, find: impl Fn() -> Result<T>) -> Result<()> {
    let Err(error) = removed else { return Ok(()) };
    let is_gone = |_| {
        thread::sleep(GOING / LOOKS);
        matches!(find(), Err(Error::Missing(_)))
    };
    match error {
        Error::Missing(_) => Ok(()),
        Error::Failed(_) if (0..LOOKS).any(is_gone) => Ok(()),
        _ => Err(error),
    }
}

impl From<virt::error::Error> for Error {
    fn from(error: virt::error::Error) -> Self {
        // Whatever the code: an error of the transport means that the daemon is not there.
        if matches!(error.domain(), ErrorDomain::Rpc)
            || matches!(error.code(), ErrorNumber::NoConnect | ErrorNumber::InvalidConn | ErrorNumber::Rpc)
        {
            say_no_way(&error);
            return Error::away();
        }
        // QEMU has no code for it.
        if error.message().contains("\"write\" lock") {
            tracing::info!(%error, "a volume is in use");
            return Error::Conflict(
                "a volume of the machine is in use by another one that runs: stop that one first, or detach it there".into(),
            );
        }
        let text = format!("the hypervisor answers: {}", error.message().trim_end());
        match error.code() {
            ErrorNumber::NoDomain
            | ErrorNumber::NoNetwork
            | ErrorNumber::NoStorageVolume
            | ErrorNumber::NoDomainSnapshot => Error::Missing(text),
            ErrorNumber::OperationInvalid
            | ErrorNumber::DomExist
            | ErrorNumber::NetworkExist
            | ErrorNumber::StorageVolExist
            | ErrorNumber::ResourceBusy => Error::Conflict(text),
            ErrorNumber::XmlError
            | ErrorNumber::XmlDetail
            | ErrorNumber::XmlInvalidSchema
            | ErrorNumber::InvalidArg
            | ErrorNumber::InvalidMac
            | ErrorNumber::Overflow => Error::Invalid(text),
            ErrorNumber::NoSupport
            | ErrorNumber::ConfigUnsupported
            | ErrorNumber::ArgumentUnsupported
            | ErrorNumber::OperationUnsupported => Error::Unsupported(text),
            ErrorNumber::OperationTimeout | ErrorNumber::AgentUnresponsive => Error::Timeout(text),
            _ => Error::Failed(text),
        }
    }
}

impl From<quick_xml::Error> for Error {
    fn from(error: quick_xml::Error) -> Self {
        Error::Failed(format!("the hypervisor's description of an object is not well-formed XML: {error}"))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Failed(format!("a description for the hypervisor could not be written: {error}"))
    }
}
