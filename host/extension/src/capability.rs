//! What the host lends to extensions, as a trait; `occi-capability` implements it. This crate knows no single
//! capability: it asks each which interfaces it serves, and lets it link them.
//!
//! # How to write one
//!
//! The interface is a file in `wit/`. Let `bindgen!` make its traits, taking the shared types from here:
//!
//! ```ignore
//! mod generated {
//!     wasmtime::component::bindgen!({
//!         path: "../../wit",
//!         inline: "package occi:lent; world volumes { import occi:extension/volumes@0.1.0; }",
//!         world: "occi:lent/volumes",
//!         imports: { default: async | trappable },
//!         with: {
//!             "occi:extension/types": occi_extension::bindings::types,
//!             "occi:extension/volumes.volume": super::Volume,      // a `pub` type: what stands behind a handle
//!         },
//!     });
//! }
//! ```
//!
//! The traits are the capability's own, so they can be implemented for [`CallState`] right away:
//!
//! ```ignore
//! impl volumes::Host for CallState {}
//! impl volumes::HostVolume for CallState {
//!     async fn open(&mut self, of: End) -> wasmtime::Result<Result<Resource<Volume>, Fault>> {
//!         let id = match self.call().end(of) { Ok(id) => id, Err(fault) => return Ok(Err(fault)) };
//!         let hypervisor = self.lent::<Hypervisor>()?;             // an Arc: nothing stays borrowed over an await
//!         ...
//!         Ok(Ok(self.table().push(Volume { id })?))
//!     }
//! }
//!
//! impl Capability for Volumes {
//!     fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
//!         volumes::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
//!     }
//!     ...
//! }
//! ```
//!
//! Rules for what is implemented so
//! - What is wrong with the world or with the wish is a `fault` for the guest. A `wasmtime::Error` ends the call as a
//!   trap: keep it for a guest that broke the contract, and for a host that was put together wrongly.
//! - The call may be dropped at every await, when its time is over. What must not stop half-way is spawned and only
//!   waited for, so that it runs to its end in the background.
//! - Nothing blocks the thread: a guest of another tenant may be waiting for it.
//! - What takes long by its nature is waited for in [`CallState::aside`], so that other calls can run.
//! - A handle lives as long as the call. Keep no state of a call but in its [`CallState`].
//! - A function that can say no is one of [`Capability::functions`], and asks [`CallState::begin`] first.

use crate::bindings::types::{End, Fault};
use crate::console::Console;
use crate::entities::EntityView;
use crate::keyvalue::KeyValueWrites;
use crate::limits::Limiter;
use crate::logged::{LogAllowance, LogGrant};
use crate::manifest::{Manifest, OwnKeys};
use crate::place::Place;
use crate::subject::Subject;
use crate::time::{MachineTime, TimeSource};
use crate::turns::Turn;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;
use wasmtime::component::{Linker, ResourceTable};

/// One entry of `[capabilities]` in a manifest.
#[async_trait::async_trait]
pub trait Capability: Send + Sync + 'static {
    /// The name in the manifest: `[capabilities.NAME]`.
    fn name(&self) -> &'static str;

    /// The interfaces that it serves, by their full names, such as `occi:extension/volumes@0.1.0`.
    fn interfaces(&self) -> &'static [&'static str];

    /// Defines all functions of these interfaces. Called once for each extension that is loaded; only an extension
    /// that imports one of the interfaces gets them.
    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()>;

    /// The functions that can say no, such as `volume.create`: each asks [`CallState::begin`] before all else.
    fn functions(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether what a guest does with it is seen outside of this host's store. An operation that may do so is written
    /// down before it begins, so that it can be ended or undone after a crash; unless all of it [`Self::forgets`].
    fn has_outside_effects(&self) -> bool;

    /// Whether an extension must ask for it, and the operator grant it. One that opens nothing by itself, such as what can
    /// be waited for, comes along with the others.
    fn needs_grant(&self) -> bool {
        true
    }

    /// Whether it reads or writes the extension's key-value data ([`CallState::writes`]). Calls of one operation that do see
    /// each other's, so they come one after the other.
    fn uses_data(&self) -> bool {
        false
    }

    /// Whether what was made with it is gone when the host's process ends, as with libvirt's test driver.
    fn forgets(&self) -> bool {
        false
    }

    /// What stands outside under an entity's name, such as 'a machine at the hypervisor'; none where nothing does, or where it
    /// makes nothing of such a name.
    async fn standing(&self, lent: &Lent, entity: Uuid) -> Result<Option<&'static str>, Fault> {
        let _ = (lent, entity);
        Ok(None)
    }

    /// What it has on offer, where it has such things: a manifest can have a Mixin for each (`[[offer]]`).
    fn offers(&self, lent: &Lent) -> Option<Arc<dyn Offers>> {
        let _ = lent;
        None
    }

    /// Whether what it makes has consoles, so that a Kind of who asks for it may say that its entities have one.
    fn has_consoles(&self) -> bool {
        false
    }

    /// The console of an entity, whether or not anything stands under its name; none where it has none for any.
    async fn console(&self, lent: &Lent, entity: Uuid) -> Result<Option<Arc<dyn Console>>, Fault> {
        let _ = (lent, entity);
        Ok(None)
    }

    /// Whether it gives power over more than an extension's own entities, so that only those extensions are lent it which
    /// the operator names ([`Grants::administrators`](crate::Grants::administrators)).
    fn is_for_administrators(&self) -> bool {
        false
    }

    /// The keys that it has below `[capabilities.NAME]` in a manifest, each with a list of texts.
    fn keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// What it wants of the manifest of who asks for it, where that is not so; the keys are known to be its own.
    fn objections(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        Vec::new()
    }
}

/// Things that a capability has on offer, which come and go.
#[async_trait::async_trait]
pub trait Offers: Send + Sync + 'static {
    /// All of them as they are now.
    async fn all(&self) -> Result<Vec<Offered>, Fault>;

    /// Takes one away that a client has had made; `denied` where it is the operator's.
    async fn withdraw(&self, name: &str) -> Result<(), Fault>;
}

/// A thing that is on offer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offered {
    /// By which it is known; the term of its Mixin.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// What it is for, where the capability has things for several uses: an offer selects by that word. None is the usual one.
    pub purpose: Option<&'static str>,
    /// What can be told of it in numbers, by words of the capability; the default of an attribute can be one.
    pub figures: Vec<(&'static str, f64)>,
}

/// A thing that a call has had made, and that is on offer from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) capability: &'static str,
    pub(crate) purpose: Option<&'static str>,
    pub(crate) name: String,
}

/// Lets functions of capabilities fail, to see what an extension makes of it.
pub trait FaultInjection: Send + Sync + 'static {
    /// Asked before the function does anything; what is answered is then its answer.
    fn begin(&self, call: &CallContext, capability: &str, function: &str) -> Result<(), Fault>;
}

/// What capabilities work with (connections, pools, the store), by type. It is put together once at the start.
pub struct Lent {
    things: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    time: Arc<dyn TimeSource>,
    faults: Option<Arc<dyn FaultInjection>>,
}

impl Default for Lent {
    fn default() -> Self {
        Self { things: HashMap::new(), time: Arc::new(MachineTime), faults: None }
    }
}

impl Lent {
    /// Nothing but the machine's time.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one thing more; it replaces one of the same type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, thing: Arc<T>) -> Self {
        self.things.insert(TypeId::of::<T>(), thing);
        self
    }

    /// With another time than the machine's.
    #[must_use]
    pub fn at(self, time: Arc<dyn TimeSource>) -> Self {
        Self { time, ..self }
    }

    /// With functions that fail.
    #[must_use]
    pub fn failing(self, faults: Arc<dyn FaultInjection>) -> Self {
        Self { faults: Some(faults), ..self }
    }

    /// The thing of that type, if there is one.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.things.get(&TypeId::of::<T>()).cloned()?.downcast().ok()
    }
}

/// What the operation of a call ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Going {
    /// The entity that the call is about, and not only one of its roles.
    pub entity: bool,
    /// The resource that the entity leaves, where it is a link.
    pub source: bool,
}

/// On whose behalf a call is made, and what it is about. All that a capability does is derived from this.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The extension's name.
    pub extension: Arc<str>,
    /// The tenant to whom the entity belongs.
    pub tenant: Arc<str>,
    /// The entity that the call is about.
    pub entity: Uuid,
    /// The resource that the entity leaves, where it is a link.
    pub source: Option<Uuid>,
    /// The resource that the entity leads to, where it is a link and the resource one of this server.
    pub target: Option<Uuid>,
    /// What the operation ends.
    pub going: Going,
    /// Whether the source is of a Kind that the extension defines.
    pub source_is_own: bool,
    /// Whether the target is.
    pub target_is_own: bool,
    /// The resources of this server with which links join the entity that come to be together with it.
    pub joined: Arc<[Uuid]>,
    /// Names the operation; a repeated one, after a crash, has the same.
    pub operation: Uuid,
}

impl CallContext {
    /// The entity that an `end` means; `missing` where the call's subject has no such end here.
    pub fn end(&self, end: End) -> Result<Uuid, Fault> {
        let (found, name) = match end {
            End::Subject => (Some(self.entity), "subject"),
            End::Source => (self.source, "source"),
            End::Target => (self.target, "target"),
        };
        found.ok_or_else(|| Fault::new("missing", format!("the entity has no {name} on this server")))
    }

    /// Whether what belongs to one of those entities may be changed: the subject's may, and that of an end whose Kind
    /// the extension defines. Of another end it may be looked at, and something may be joined to it for the subject; it
    /// is `denied` to change it.
    pub fn may_change(&self, entity: Uuid) -> Result<(), Fault> {
        let is = |end: Option<Uuid>, is_own: bool| is_own && end == Some(entity);
        let may = entity == self.entity
            || is(self.source, self.source_is_own)
            || is(self.target, self.target_is_own);
        if may {
            return Ok(());
        }
        Err(Fault::new(
            "denied",
            format!(
                "{entity} is of a Kind that the extension {} does not define: by a link to it, it can be looked at and \
                 joined, and nothing else",
                self.extension
            ),
        ))
    }
}

/// The host's side of one call: what its functions find when the guest calls them.
pub struct CallState {
    table: ResourceTable,
    call: CallContext,
    subject: Arc<Subject>,
    lent: Arc<Lent>,
    /// Whether nobody knows yet if the call counts, so that nothing may be touched.
    is_trial: bool,
    kept: HashMap<TypeId, Box<dyn Any + Send>>,
    writes: KeyValueWrites,
    entities: Option<Arc<dyn EntityView>>,
    own_keys: Arc<OwnKeys>,
    made: Vec<Made>,
    place: Place,
    log_left: usize,
    logged: Arc<LogAllowance>,
    pub(crate) limiter: Limiter,
    pub(crate) turn: Turn,
    /// Whether a tick has found the guest computing before.
    pub(crate) is_long: bool,
    /// Ticks of computing that the guest has left.
    pub(crate) ticks_left: u64,
}

/// How much one call may log, in bytes.
const LOG_BYTES: usize = 64 << 10;
/// How many handles one call may hold at a time.
const HANDLES: usize = 1000;

impl CallState {
    pub(crate) fn new(
        call: CallContext,
        subject: Arc<Subject>,
        (lent, logged): (Arc<Lent>, Arc<LogAllowance>),
        place: Place,
        turn: Turn,
        limiter: Limiter,
        ticks: u64,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self {
            table,
            call,
            subject,
            lent,
            is_trial: false,
            kept: HashMap::new(),
            writes: KeyValueWrites::default(),
            entities: None,
            own_keys: Arc::default(),
            made: Vec::new(),
            place,
            log_left: LOG_BYTES,
            logged,
            limiter,
            turn,
            is_long: false,
            ticks_left: ticks,
        }
    }

    /// The same, on top of what the operation has of the key-value data.
    pub(crate) fn writing(self, writes: KeyValueWrites) -> Self {
        Self { writes, ..self }
    }

    /// The same, with other entities in sight.
    pub(crate) fn seeing(self, entities: Option<Arc<dyn EntityView>>) -> Self {
        Self { entities, ..self }
    }

    /// The same, of an extension that says this to its capabilities.
    pub(crate) fn declaring(self, own_keys: &Arc<OwnKeys>) -> Self {
        Self { own_keys: Arc::clone(own_keys), ..self }
    }

    /// The same, where nobody knows yet whether the call counts.
    pub(crate) fn on_trial(self, is_trial: bool) -> Self {
        Self { is_trial, ..self }
    }

    /// What stands behind the handles that the guest holds.
    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// What a capability keeps for as long as the call lasts, one thing of a type, beside the handles; made when it is first
    /// asked for.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "it was put there under its own type")]
    pub fn kept<T: Send + 'static>(&mut self, make: impl FnOnce(&Self) -> T) -> (&mut T, &mut ResourceTable) {
        let id = TypeId::of::<T>();
        if !self.kept.contains_key(&id) {
            let made = make(self);
            self.kept.insert(id, Box::new(made));
        }
        let kept = self.kept.get_mut(&id).and_then(|kept| kept.downcast_mut());
        (kept.expect("a thing of that type"), &mut self.table)
    }

    /// On whose behalf the call is made.
    pub fn call(&self) -> &CallContext {
        &self.call
    }

    /// What the extension's manifest says to its capabilities.
    pub fn own_keys(&self) -> &OwnKeys {
        &self.own_keys
    }

    /// The entity that the call is about.
    pub fn subject(&self) -> &Arc<Subject> {
        &self.subject
    }

    /// What the capability works with. It is an error of whoever put the host together if it is not there.
    pub fn lent<T: Send + Sync + 'static>(&self) -> wasmtime::Result<Arc<T>> {
        self.check_decided()?;
        self.shown()
    }

    /// The same, for what only shows the guest something that the host has: `migrate` may look, too.
    pub fn shown<T: Send + Sync + 'static>(&self) -> wasmtime::Result<Arc<T>> {
        self.offered()
            .ok_or_else(|| wasmtime::format_err!("the host lends no {}", std::any::type_name::<T>()))
    }

    /// The same, where the host may do without.
    pub fn offered<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.lent.get()
    }

    fn check_decided(&self) -> wasmtime::Result<()> {
        wasmtime::ensure!(
            !self.is_trial,
            "`migrate` may use no capability that changes or asks anything outside, since the host may not switch after all"
        );
        Ok(())
    }

    /// The other entities that the extension may see.
    pub fn entities(&self) -> wasmtime::Result<Arc<dyn EntityView>> {
        self.check_decided()?;
        self.entities.clone().ok_or_else(|| wasmtime::format_err!("the host shows no other entities"))
    }

    /// What time it is.
    pub fn time(&self) -> &dyn TimeSource {
        &*self.lent.time
    }

    /// To be asked by each of a capability's [`functions`](Capability::functions) before it does anything: what it is to
    /// answer instead, where its faults are rehearsed.
    pub fn begin(&self, capability: &str, function: &str) -> Result<(), Fault> {
        self.lent.faults.as_ref().map_or(Ok(()), |faults| faults.begin(&self.call, capability, function))
    }

    /// Whether nobody knows yet if the call counts, so that nothing outside may be changed or asked.
    pub fn is_trial(&self) -> bool {
        self.is_trial
    }

    /// The key-value changes of this call and of those before it in the operation, which are committed with its outcome
    /// or not at all.
    pub fn writes(&mut self) -> &mut KeyValueWrites {
        &mut self.writes
    }

    /// Notes that the call has made a thing which a capability has on offer from now on; the operation's answer shows its Mixin.
    /// `purpose` is what the thing is for ([`Offered::purpose`]).
    pub fn note_made(&mut self, capability: &'static str, purpose: Option<&'static str>, name: String) {
        self.made.push(Made { capability, purpose, name });
    }

    pub(crate) fn take_made(&mut self) -> Vec<Made> {
        std::mem::take(&mut self.made)
    }

    pub(crate) fn take_writes(&mut self) -> KeyValueWrites {
        std::mem::take(&mut self.writes)
    }

    /// Waits for what takes long by its nature, such as a guest system's shutdown. Meanwhile the call does not count
    /// among those of its extension that may run at once; afterwards it waits until it may run again.
    pub async fn aside<T>(&mut self, wait: impl Future<Output = T>) -> T {
        self.place.lend(wait).await
    }

    /// Whether the guest may log so many bytes more, in this call and as an extension; then they count as logged.
    pub fn take_log_bytes(&mut self, wanted: usize) -> LogGrant {
        match self.log_left.checked_sub(wanted) {
            Some(rest) => {
                self.log_left = rest;
                self.logged.take(wanted)
            }
            // The call has used up what it may log.
            None if std::mem::take(&mut self.log_left) > 0 => self.logged.leave_out(),
            None => LogGrant::LeftOut,
        }
    }
}
