//! The capability `logging`: `wasi:logging`, into the operator's log.
//!
//! A line of a guest cannot be taken for one of the host's: it names its extension, and has neither breaks nor
//! control characters of its own. How much a call may log in all is in its state.

use occi_extension::{CallState, Capability, LogGrant, printable};
use wasmtime::component::{HasSelf, Linker};

use generated::wasi::logging::logging::{self, Host, Level};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world logging { import wasi:logging/logging@0.1.0-draft; }",
        world: "occi:lent/logging",
        imports: { default: async | trappable },
    });
}

/// The operator's log.
#[derive(Debug)]
pub struct Logging;

impl Capability for Logging {
    fn name(&self) -> &'static str {
        "logging"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["wasi:logging/logging@0.1.0-draft"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        logging::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn has_outside_effects(&self) -> bool {
        false
    }
}

/// The longest message that is kept whole, in bytes.
const MESSAGE: usize = 4 << 10;
/// The longest context, in bytes.
const CONTEXT: usize = 64;
/// What a line costs beside its text, so that empty ones have an end too.
const LINE: usize = 64;

impl Host for CallState {
    async fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        // What nobody reads costs nothing.
        let is_read = match level {
            Level::Trace => tracing::enabled!(target: "extension", tracing::Level::TRACE),
            Level::Debug => tracing::enabled!(target: "extension", tracing::Level::DEBUG),
            Level::Info => tracing::enabled!(target: "extension", tracing::Level::INFO),
            Level::Warn => tracing::enabled!(target: "extension", tracing::Level::WARN),
            Level::Error | Level::Critical => tracing::enabled!(target: "extension", tracing::Level::ERROR),
        };
        if !is_read {
            return Ok(());
        }
        let (context, message) = (start(&context, CONTEXT), start(&message, MESSAGE));
        let wanted = LINE + context.len() + message.len();
        match self.take_log_bytes(wanted) {
            LogGrant::Granted => {}
            LogGrant::LeftOut => return Ok(()),
            LogGrant::FirstLeftOut => {
                tracing::warn!(target: "extension", extension = &*self.call().extension, "logs too much; the rest is left out");
                return Ok(());
            }
        }
        let (context, message) = (printable(context), printable(message));
        let call = self.call();
        macro_rules! write {
            ($level:ident) => {
                tracing::event!(
                    target: "extension",
                    tracing::Level::$level,
                    extension = &*call.extension,
                    entity = %call.entity,
                    context,
                    "{message}"
                )
            };
        }
        match level {
            Level::Trace => write!(TRACE),
            Level::Debug => write!(DEBUG),
            Level::Info => write!(INFO),
            Level::Warn => write!(WARN),
            Level::Error | Level::Critical => write!(ERROR),
        }
        Ok(())
    }
}

/// The beginning of a text, at most so many bytes of it.
fn start(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(start("äöü", 3), "ä");
        assert_eq!(start("äöü", 99), "äöü");
    }
}
