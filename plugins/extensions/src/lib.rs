//! The extensions of the server as OCCI resources: seen, installed, replaced, rolled back, switched off and on, and removed
//! by plain requests.
//!
//! The host makes and ends the entities of extensions that come and go otherwise, and has an entity observed when its
//! extension has changed. What a client asks for is only asked for here, too: the host carries it out once the request is
//! committed, and the state is `changing` until then.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use occi_sdk::extensions::Extension;
use occi_sdk::{Actions, Attributes, Cause, Change, Fault, Lifecycle, Observe, Read, Result, Subject, Value};

struct Extensions;

/// An attribute of the Kind.
macro_rules! attribute {
    ($name:literal) => {
        concat!("org.example.extension.", $name)
    };
}

const CONTENT: &str = attribute!("content");
const NAME: &str = attribute!("name");
const VERSION: &str = attribute!("version");
const PUBLISHER: &str = attribute!("publisher");
const DIGEST: &str = attribute!("digest");
const PREVIOUS: &str = attribute!("previous");
const CAPABILITIES: &str = attribute!("capabilities");
const FILE: &str = attribute!("file");
const CALLS: &str = attribute!("calls");
const FAILURES: &str = attribute!("failures");

impl Lifecycle for Extensions {
    fn create(subject: &Subject) -> Result<Change> {
        if let Some(content) = subject.text(CONTENT) {
            return Ok(shown(&install(&content)?));
        }
        match Extension::find()? {
            // The host makes the entity of an extension that it has.
            Some(extension) => Ok(shown(&extension)),
            None => {
                let missing = "say what is to be installed: a component, or a manifest, in Base64";
                Err(Fault::invalid(missing).on(CONTENT))
            }
        }
    }

    fn update(_subject: &Subject, wanted: &Attributes) -> Result<Change> {
        match wanted.text(CONTENT) {
            Some(content) => Ok(shown(&install(&content)?)),
            None => Ok(Change::new()),
        }
    }

    fn delete(_subject: &Subject) -> Result<()> {
        Extension::remove()
    }
}

impl Actions for Extensions {
    fn act(_subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        let extension = Extension::open()?;
        match action {
            "rollback" => extension.roll_back()?,
            "enable" => extension.enable()?,
            "disable" => extension.disable(parameters.boolean("leave_entities").unwrap_or_default())?,
            _ => return Err(Fault::unsupported(format!("an extension has no action {action}"))),
        }
        Ok(shown(&extension))
    }
}

impl Observe for Extensions {
    fn observe(_subject: &Subject, _cause: Cause) -> Result<Change> {
        // Where there is no extension any more the host is about to end the entity.
        Ok(Extension::find()?.map_or_else(Change::new, |extension| shown(&extension)))
    }
}

fn install(content: &str) -> Result<Extension> {
    // Line breaks are what tools put in.
    let content: String = content.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(content).map_err(|error| {
        Fault::invalid(format!("this is no Base64 of RFC 4648, section 4: {error}")).on(CONTENT)
    })?;
    Extension::install(&bytes).map_err(|fault| fault.on(CONTENT))
}

/// What the entity shows of its extension. The content is not kept.
fn shown(extension: &Extension) -> Change {
    let change = Change::new().clear(CONTENT).set(NAME, extension.name()).state(&extension.state());
    let texts = [
        (VERSION, extension.version()),
        (PUBLISHER, extension.publisher()),
        (DIGEST, extension.digest()),
        (PREVIOUS, extension.previous()),
        (FILE, extension.file()),
    ];
    let change = texts.into_iter().fold(change, |change, (name, text)| match text {
        Some(text) => change.set(name, text),
        None => change.clear(name),
    });
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    change
        .set(CAPABILITIES, Value::Structured(list(&extension.capabilities())))
        .set(CALLS, number(extension.calls()))
        .set(FAILURES, number(extension.failures()))
        .message(extension.problem().unwrap_or_default())
}

/// Names as a JSON array: those of capabilities need no escapes.
fn list(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(","))
}

occi_sdk::export!(Extensions: lifecycle, actions, observe);

#[cfg(test)]
mod tests;
