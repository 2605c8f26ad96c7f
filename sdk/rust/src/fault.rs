//! Why an extension, or a capability, says no.

pub use crate::bindings::imports::occi::extension::types::Fault;

/// What every call of an extension and of a capability answers.
pub type Result<T> = std::result::Result<T, Fault>;

/// One constructor for each code that the contract names. The message is read by the client: it says what is wrong
/// and what would mend it.
impl Fault {
    /// The request, or one of its attributes, makes no sense.
    pub const INVALID: &'static str = "invalid";
    /// It cannot be done in the state that things are in.
    pub const CONFLICT: &'static str = "conflict";
    /// It is not allowed.
    pub const DENIED: &'static str = "denied";
    /// There is no such thing.
    pub const MISSING: &'static str = "missing";
    /// It makes sense, and cannot be done here.
    pub const UNSUPPORTED: &'static str = "unsupported";
    /// Something that is needed does not answer now; trying again may help.
    pub const UNAVAILABLE: &'static str = "unavailable";
    /// It took too long.
    pub const TIMEOUT: &'static str = "timeout";
    /// It went wrong, and no other code fits.
    pub const FAILED: &'static str = "failed";

    /// A fault with a code, which may be one that a later version of the contract adds.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), attribute: None }
    }

    /// The request, or one of its attributes, makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Self::INVALID, message)
    }

    /// It cannot be done in the state that things are in.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Self::CONFLICT, message)
    }

    /// It is not allowed.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(Self::DENIED, message)
    }

    /// There is no such thing.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(Self::MISSING, message)
    }

    /// It makes sense, and cannot be done here.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Self::UNSUPPORTED, message)
    }

    /// Something that is needed does not answer now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Self::UNAVAILABLE, message)
    }

    /// It took too long.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(Self::TIMEOUT, message)
    }

    /// It went wrong, and no other code fits.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Self::FAILED, message)
    }

    /// Name the attribute that the client must change.
    #[must_use]
    pub fn on(mut self, attribute: &str) -> Self {
        self.attribute = Some(attribute.into());
        self
    }

    /// Whether it has that code.
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

/// What was looked for, or none where the answer is 'missing'.
pub(crate) fn found<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(thing) => Ok(Some(thing)),
        Err(fault) if fault.is(Fault::MISSING) => Ok(None),
        Err(fault) => Err(fault),
    }
}
