//! The fake of the capability `extensions`. What is asked for leaves the extension in the state `changing`; the test says
//! what becomes of it. A component is the text `NAME VERSION`.

use super::world::{World, world};
use crate::{End, Fault, Result};

/// An extension of the host, for the test to look at and to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// The id of the entity that stands for it.
    pub entity: String,
    /// Its name.
    pub name: String,
    /// By its manifest.
    pub version: Option<String>,
    /// By its manifest.
    pub publisher: Option<String>,
    /// The version that served before.
    pub previous: Option<String>,
    /// What it was granted.
    pub capabilities: Vec<String>,
    /// Its file in the host's folder.
    pub file: Option<String>,
    /// One of the contract's states.
    pub state: String,
    /// Why it is not as it was asked to be.
    pub problem: Option<String>,
    /// How often it was called.
    pub calls: u64,
    /// How many of these calls failed.
    pub failures: u64,
}

/// The extension as it was when it was opened.
pub(crate) struct Extension(std::cell::RefCell<Installed>);

impl Extension {
    pub(crate) fn open() -> Result<Self> {
        world(|world| {
            world.question("extension.open")?;
            Ok(Self(found(world)?.clone().into()))
        })
    }

    pub(crate) fn install(content: &[u8]) -> Result<Self> {
        world(|world| {
            world.enter("extension.install")?;
            let text = String::from_utf8_lossy(content).into_owned();
            let (name, version) =
                text.split_once(' ').ok_or_else(|| Fault::invalid("it is not a WebAssembly component"))?;
            let entity = world.id(End::Subject)?;
            let mut next = match found(world) {
                Ok(known) if known.name != name => {
                    return Err(Fault::conflict("these are the bytes of another extension"));
                }
                Ok(known) => Installed { previous: known.version.clone(), ..known.clone() },
                Err(_) => Installed { entity, name: name.into(), ..Installed::default() },
            };
            next.version = Some(version.into());
            next.state = "changing".into();
            world.extensions.retain(|known| known.entity != next.entity);
            world.extensions.push(next.clone());
            Ok(Self(next.into()))
        })
    }

    pub(crate) fn remove() -> Result<()> {
        world(|world| {
            world.enter("extension.remove")?;
            let entity = world.id(End::Subject)?;
            world.extensions.retain(|known| known.entity != entity);
            Ok(())
        })
    }

    pub(crate) fn name(&self) -> String {
        self.0.borrow().name.clone()
    }

    pub(crate) fn version(&self) -> Option<String> {
        self.0.borrow().version.clone()
    }

    pub(crate) fn publisher(&self) -> Option<String> {
        self.0.borrow().publisher.clone()
    }

    pub(crate) fn digest(&self) -> Option<String> {
        self.version().map(|version| format!("digest of {} {version}", self.name()))
    }

    pub(crate) fn previous(&self) -> Option<String> {
        self.0.borrow().previous.clone()
    }

    pub(crate) fn capabilities(&self) -> Vec<String> {
        self.0.borrow().capabilities.clone()
    }

    pub(crate) fn file(&self) -> Option<String> {
        self.0.borrow().file.clone()
    }

    pub(crate) fn state(&self) -> String {
        self.0.borrow().state.clone()
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.0.borrow().problem.clone()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.0.borrow().calls
    }

    pub(crate) fn failures(&self) -> u64 {
        self.0.borrow().failures
    }

    pub(crate) fn roll_back(&self) -> Result<()> {
        self.change("extension.roll-back", |it| std::mem::swap(&mut it.version, &mut it.previous))
    }

    pub(crate) fn enable(&self) -> Result<()> {
        self.change("extension.enable", |_| {})
    }

    pub(crate) fn disable(&self, leave_entities: bool) -> Result<()> {
        self.change(if leave_entities { "extension.disable-leaving" } else { "extension.disable" }, |_| {})
    }

    fn change(&self, call: &str, change: impl FnOnce(&mut Installed)) -> Result<()> {
        world(|world| {
            world.enter(call)?;
            let known = found(world)?;
            change(known);
            known.state = "changing".into();
            *self.0.borrow_mut() = known.clone();
            Ok(())
        })
    }
}

/// The one for which the subject stands.
fn found(world: &mut World) -> Result<&mut Installed> {
    let entity = world.id(End::Subject)?;
    let known = world.extensions.iter_mut().find(|known| known.entity == entity);
    known.ok_or_else(|| Fault::missing("the entity stands for no extension of this server"))
}
