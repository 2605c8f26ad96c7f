//! One call: a fresh sandbox, an end to its time and its memory, and its outcome as a value. The sandbox is gone
//! with the call, and so is whatever went wrong in it.

use crate::bindings::types;
use crate::breaker::Breaker;
use crate::budget::Budget;
use crate::capability::{CallContext, CallState, Going, Lent, Made};
use crate::contract::{self, Agreement};
use crate::convert;
use crate::engine::TICK;
use crate::entities::EntityView;
use crate::error::{CallError, Clock};
use crate::extension::Extension;
use crate::keyvalue::{KeyValueBase, KeyValueChanges, KeyValueWrites};
use crate::limits::{HostCalls, Limiter, Limits, TooManyHostCalls};
use crate::logged::LogAllowance;
use crate::place::{Place, Places};
use crate::printable::printable;
use crate::subject::Subject;
use crate::turns::Turns;
use occi_model::{Attributes, CategoryId, Change};
use semver::Version;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use uuid::Uuid;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, Resource,
};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline, WasmBacktrace};

/// What every call is about.
#[derive(Debug, Clone)]
pub struct Call {
    /// Names the operation; the same when it is repeated after a crash.
    pub operation: Uuid,
    /// The Kind or Mixin, or the owner of the Action, for which the extension is called.
    pub role: CategoryId,
    /// The entity.
    pub subject: Arc<Subject>,
    /// What the operation ends.
    pub going: Going,
    /// Whether that resource is of a Kind that the extension defines.
    pub source_is_own: bool,
    /// Whether the resource that the entity leads to is.
    pub target_is_own: bool,
    /// The other ends of the links that come to be with the entity.
    pub joined: Arc<[Uuid]>,
    /// What it finds of the extension's key-value data.
    pub data: KeyValueBase,
    /// What it may see of other entities; none where it may see nothing.
    pub entities: Option<Arc<dyn EntityView>>,
}

impl Call {
    /// A call about an entity that stands by itself.
    pub fn about(operation: Uuid, role: CategoryId, subject: Arc<Subject>) -> Self {
        let data = KeyValueBase::default();
        Self {
            operation,
            role,
            subject,
            going: Going::default(),
            source_is_own: false,
            target_is_own: false,
            joined: Arc::default(),
            data,
            entities: None,
        }
    }
}

/// What a call comes to, all of it still to be checked and committed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What the entity shall be.
    pub change: Change,
    /// When to observe again, counted from now.
    pub again: Option<Duration>,
    /// What shall be in the extension's key-value store.
    pub writes: KeyValueChanges,
    /// The Mixins for what it has made that is on offer from now on.
    pub made: Vec<CategoryId>,
}

/// What a call leaves beside its answer.
struct Left {
    writes: KeyValueChanges,
    /// What it has made that is on offer, by the capability and its name there.
    made: Vec<Made>,
}

/// An extension's code, linked.
pub(crate) struct Code {
    pre: InstancePre<CallState>,
    exports: Exports,
    limits: Limits,
    places: Places,
    /// Observations and trials have places of their own: slow calls of clients must not keep the truth from being seen.
    observing: Places,
    breaker: Breaker,
    tally: Tally,
    turns: Turns,
    budget: Budget,
    logged: Arc<LogAllowance>,
    pub(crate) lent: Arc<Lent>,
}

/// How often an extension was called, but for what was only asked to observe or to try.
#[derive(Debug, Default)]
struct Tally {
    done: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// What came of an extension's calls, each so often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tallied {
    /// It did what it was to do.
    pub done: u64,
    /// It said no.
    pub refused: u64,
    /// It trapped, went beyond a limit, or answered what the contract does not allow.
    pub failed: u64,
}

impl Tally {
    fn record<T>(&self, way: Way, outcome: &Result<T, CallError>) {
        let counter = match outcome {
            _ if !matches!(way, Way::Client | Way::Ending) => return,
            Ok(_) => &self.done,
            Err(error) if error.is_failure() => &self.failed,
            Err(error) if error.was_called() => &self.refused,
            Err(_) => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// For whom a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A client waits.
    Client,
    /// An entity ends, or what was begun is undone: that is never held back.
    Ending,
    /// Somebody wants to know what an entity is now.
    Observing,
    /// Nobody knows yet whether it counts, so nothing is lent that changes or asks anything outside.
    Trial,
}

/// Where the functions stand that the host may call, found once.
pub(crate) struct Exports {
    pub(crate) lifecycle: Option<Lifecycle>,
    pub(crate) act: Option<ComponentExportIndex>,
    pub(crate) observe: Option<ComponentExportIndex>,
    pub(crate) migrate: Option<ComponentExportIndex>,
}

pub(crate) struct Lifecycle {
    create: ComponentExportIndex,
    update: ComponentExportIndex,
    delete: ComponentExportIndex,
}

// The parameters and results of the contract. The handle is always the subject's.
type OnEntity<'c> = (&'c str, &'c str, Resource<Subject>);
type OnUpdate<'c> = (&'c str, &'c str, Resource<Subject>, &'c [types::Attribute]);
type OnAct<'c> = (&'c str, &'c str, Resource<Subject>, &'c str, &'c [types::Attribute]);
type OnObserve<'c> = (&'c str, Resource<Subject>, &'c str);
type OnMigrate<'c> = (&'c str, &'c str, Resource<Subject>);
type Changed = (Result<types::Change, types::Fault>,);
type Gone = (Result<(), types::Fault>,);

/// How long a call waits until another of the same extension is done.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many observations of one extension run at once, beside its other calls.
const OBSERVATIONS: usize = 8;
/// How much a guest may hand over to the host at a time, in bytes: with a call, or as its answer.
const HOST_CALL_BYTES: usize = 2 << 20;
/// How many handles of resources a guest may hold.
const HANDLES: usize = 1000;
/// How many functions of a backtrace are told.
const FRAMES: usize = 8;
/// How much of a fault's message is told, in bytes.
const MESSAGE: usize = 4 << 10;

impl Extension {
    /// The entity is about to exist.
    pub async fn create(&self, call: Call) -> Result<Outcome, CallError> {
        let export = self.lifecycle().map(|lifecycle| &lifecycle.create);
        let operation = call.operation.to_string();
        let params: OnEntity<'_> = (&operation, call.role.as_str(), Subject::handle());
        self.change(export, Way::Client, &call, params).await
    }

    /// A client changes attributes of the entity to the wanted ones; the subject still has the old ones.
    pub async fn update(&self, call: Call, wanted: &Attributes) -> Result<Outcome, CallError> {
        let export = self.lifecycle().map(|lifecycle| &lifecycle.update);
        let operation = call.operation.to_string();
        let wanted: Vec<_> = convert::attributes_to_guest(wanted).collect();
        let params: OnUpdate<'_> = (&operation, call.role.as_str(), Subject::handle(), &wanted);
        self.change(export, Way::Client, &call, params).await
    }

    /// The entity is about to go.
    pub async fn delete(&self, call: Call) -> Result<Outcome, CallError> {
        let export = self.lifecycle().map(|lifecycle| &lifecycle.delete);
        let Some((code, export)) = self.code.as_ref().zip(export) else { return Ok(Outcome::default()) };
        let operation = call.operation.to_string();
        let params: OnEntity<'_> = (&operation, call.role.as_str(), Subject::handle());
        let ended = async {
            let ((answer,), left) = self.call::<_, Gone>(code, Way::Ending, export, &call, params).await?;
            self.accepted(answer)?;
            Ok(Outcome { writes: left.writes, ..Outcome::default() })
        };
        let outcome = ended.await;
        code.tally.record(Way::Ending, &outcome);
        outcome
    }

    /// A client invokes the action with that term.
    pub async fn act(&self, call: Call, action: &str, parameters: &Attributes) -> Result<Outcome, CallError> {
        let export = self.code.as_ref().and_then(|code| code.exports.act.as_ref());
        let operation = call.operation.to_string();
        let parameters: Vec<_> = convert::attributes_to_guest(parameters).collect();
        let params: OnAct<'_> = (&operation, call.role.as_str(), Subject::handle(), action, &parameters);
        self.change(export, Way::Client, &call, params).await
    }

    /// The world has moved; what the cause may be is in the contract.
    pub async fn observe(&self, call: Call, cause: &str) -> Result<Outcome, CallError> {
        let export = self.code.as_ref().and_then(|code| code.exports.observe.as_ref());
        let params: OnObserve<'_> = (call.role.as_str(), Subject::handle(), cause);
        self.change(export, Way::Observing, &call, params).await
    }

    /// The entity is of an older version; what makes it one of this. It may look and not touch, as nothing is decided yet.
    pub async fn migrate(&self, call: Call, from: &Version) -> Result<Outcome, CallError> {
        let export = self.code.as_ref().and_then(|code| code.exports.migrate.as_ref());
        let from = from.to_string();
        let params: OnMigrate<'_> = (&from, call.role.as_str(), Subject::handle());
        self.change(export, Way::Trial, &call, params).await
    }

    /// Instantiates the code once, as each call does, and calls nothing.
    pub async fn probe(&self) -> Result<(), CallError> {
        let Some(code) = &self.code else { return Ok(()) };
        let ids = self.kinds().iter().map(|kind| &kind.id).chain(self.mixins().iter().map(|mixin| &mixin.id));
        let Some(role) = ids.into_iter().next().cloned() else { return Ok(()) };
        let subject = Arc::new(Subject::nobody(&role));
        let call = Call::about(Uuid::nil(), role, subject);
        let mut store = self.enter(code, Way::Trial, &call).await?;
        let done = timeout(code.limits.timeout, instantiate(&mut store, code)).await;
        self.leave(code, &call, &store, done).map(drop)
    }

    /// How often it was called, but for what was only asked to observe or to try.
    pub fn tally(&self) -> Tallied {
        let Some(Code { tally, .. }) = &self.code else { return Tallied::default() };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tallied { done: read(&tally.done), refused: read(&tally.refused), failed: read(&tally.failed) }
    }

    fn lifecycle(&self) -> Option<&Lifecycle> {
        self.code.as_ref()?.exports.lifecycle.as_ref()
    }

    /// Calls a function that answers a change. Where the extension has no such function, nothing is to be done.
    async fn change<P>(
        &self,
        export: Option<&ComponentExportIndex>,
        way: Way,
        call: &Call,
        params: P,
    ) -> Result<Outcome, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync,
    {
        let Some((code, export)) = self.code.as_ref().zip(export) else { return Ok(Outcome::default()) };
        if way != Way::Client {
            return self.propose(code, way, export, call, params).await;
        }
        let tenant = &call.subject.entity.tenant;
        if let Err(wait) = code.breaker.admit(tenant, Instant::now()) {
            return Err(CallError::Suspended { extension: Arc::clone(self.name()), wait });
        }
        let outcome = self.propose(code, way, export, call, params).await;
        if outcome.as_ref().err().is_none_or(CallError::was_called) {
            let has_failed = outcome.as_ref().is_err_and(CallError::is_failure);
            code.breaker.record(tenant, has_failed, Instant::now());
        }
        outcome
    }

    async fn propose<P>(
        &self,
        code: &Code,
        way: Way,
        export: &ComponentExportIndex,
        call: &Call,
        params: P,
    ) -> Result<Outcome, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync,
    {
        let proposed = async {
            let ((answer,), left) = self.call::<P, Changed>(code, way, export, call, params).await?;
            let (change, again) = convert::change_from_guest(self.accepted(answer)?).map_err(|reason| {
                tracing::warn!(extension = &**self.name(), operation = %call.operation, "broken answer: {reason}");
                CallError::Broken { extension: Arc::clone(self.name()), reason }
            })?;
            let made = left.made.iter().filter_map(|made| self.offered_as(made)).collect();
            Ok(Outcome { change, again, writes: left.writes, made })
        };
        let outcome = proposed.await;
        code.tally.record(way, &outcome);
        outcome
    }

    fn accepted<T>(&self, answer: Result<T, types::Fault>) -> Result<T, CallError> {
        answer.map_err(|fault| {
            let end = fault.message.floor_char_boundary(MESSAGE);
            let fault = types::Fault { message: printable(&fault.message[..end]), ..fault };
            CallError::Refused { extension: Arc::clone(self.name()), fault }
        })
    }

    async fn call<P, R>(
        &self,
        code: &Code,
        way: Way,
        export: &ComponentExportIndex,
        call: &Call,
        params: P,
    ) -> Result<(R, Left), CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let mut store = self.enter(code, way, call).await?;
        let done = timeout(code.limits.timeout, run(&mut store, code, export, params)).await;
        let answer = self.leave(code, call, &store, done)?;
        let state = store.data_mut();
        Ok((answer, Left { writes: state.take_writes().into_own(), made: state.take_made() }))
    }

    /// A sandbox for one call.
    async fn enter(&self, code: &Code, way: Way, call: &Call) -> Result<Store<CallState>, CallError> {
        let Ok(Some(place)) = timeout(PATIENCE, code.places(way).take()).await else {
            return Err(CallError::Unavailable { extension: Arc::clone(self.name()) });
        };
        Ok(Store::new(code.pre.engine(), self.state(code, way, call, place)))
    }

    /// What became of a call.
    fn leave<R>(
        &self,
        code: &Code,
        call: &Call,
        store: &Store<CallState>,
        done: Result<wasmtime::Result<R>, Elapsed>,
    ) -> Result<R, CallError> {
        let (limits, extension) = (code.limits, Arc::clone(self.name()));
        let error = match done {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => self.failure(limits, &store.data().limiter, &error),
            Err(_) => CallError::TimedOut { extension, limit: limits.timeout, clock: Clock::Wall },
        };
        // Here, since this is the last place that knows the operation and the entity.
        let backtrace = match &error {
            CallError::Trapped { backtrace, .. } => backtrace.join(" < "),
            _ => String::new(),
        };
        let (operation, entity) = (call.operation, call.subject.entity.id);
        tracing::warn!(extension = &**self.name(), %operation, %entity, backtrace, "call failed: {error}");
        Err(error)
    }

    fn state(&self, code: &Code, way: Way, call: &Call, place: Place) -> CallState {
        let entity = &call.subject.entity;
        let context = CallContext {
            extension: Arc::clone(self.name()),
            tenant: Arc::clone(&entity.tenant),
            entity: entity.id,
            source: entity.ends.as_ref().map(|ends| ends.source_id),
            target: entity.ends.as_ref().and_then(|ends| ends.target_id),
            going: call.going,
            source_is_own: call.source_is_own,
            target_is_own: call.target_is_own,
            joined: Arc::clone(&call.joined),
            operation: call.operation,
        };
        let ticks = code.limits.deadline.as_millis().div_ceil(TICK.as_millis());
        let ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
        let subject = Arc::clone(&call.subject);
        let lent = (Arc::clone(&code.lent), Arc::clone(&code.logged));
        let limiter = Limiter::new(code.limits.memory, code.budget.clone());
        let state = CallState::new(context, subject, lent, place, code.turns.begin(), limiter, ticks);
        let state = state.writing(KeyValueWrites::on(call.data.clone())).seeing(call.entities.clone());
        state.declaring(&self.manifest().own_keys).on_trial(way == Way::Trial)
    }

    fn failure(&self, limits: Limits, limiter: &Limiter, error: &wasmtime::Error) -> CallError {
        let extension = Arc::clone(self.name());
        if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
            return CallError::Unavailable { extension };
        }
        let trap = error.downcast_ref::<Trap>();
        if trap == Some(&Trap::Interrupt) {
            return CallError::TimedOut { extension, limit: limits.deadline, clock: Clock::Computing };
        }
        if error.is::<TooManyHostCalls>() {
            return CallError::TooManyHostCalls { extension, limit: limits.host_calls };
        }
        // A guest that gets no memory mostly gives up in a way of its own.
        if limiter.is_host_full {
            return CallError::Unavailable { extension };
        }
        if limiter.refused {
            return CallError::OverMemory { extension, limit: limits.memory };
        }
        let reason = match trap {
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
        let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
            // Without what would fill the log.
            Some(name) => printable(&name.chars().take(120).collect::<String>()),
            None => format!("function {}", frame.func_index()),
        };
        CallError::Trapped { extension, reason, backtrace: frames.iter().take(FRAMES).map(name).collect() }
    }
}

async fn run<P, R>(
    store: &mut Store<CallState>,
    code: &Code,
    export: &ComponentExportIndex,
    params: P,
) -> wasmtime::Result<R>
where
    P: ComponentNamedList + Lower + Send + Sync,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let turn = store.data().turn.clone();
    let mut call = pin!(async {
        let instance = instantiate(store, code).await?;
        let function = instance.get_typed_func::<P, R>(&mut *store, export)?;
        function.call_async(&mut *store, params).await
    });
    poll_fn(move |context| {
        let polled = call.as_mut().poll(context);
        if polled.is_pending() {
            // It waits, for a turn or for the host, and lets others have the processor meanwhile.
            turn.release();
        }
        polled
    })
    .await
}

/// A fresh instance under all limits.
async fn instantiate(store: &mut Store<CallState>, code: &Code) -> wasmtime::Result<Instance> {
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(HOST_CALL_BYTES);
    store.set_max_component_handles(HANDLES);
    let mut host_calls = HostCalls::new(code.limits.host_calls);
    store.call_hook(move |_, hook| Ok(host_calls.pass(hook)?));
    store.set_epoch_deadline(1);
    // Tokio's own yield lets it look at sockets and timers too, even when all threads are busy with guests.
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        if state.ticks_left == 0 {
            return Ok(UpdateDeadline::Interrupt);
        }
        state.ticks_left -= 1;
        // The first tick may find a call that has only just begun.
        if !std::mem::replace(&mut state.is_long, true) {
            return Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(state.turn.clone().next())))
    });
    code.pre.instantiate_async(&mut *store).await
}

impl Code {
    pub(crate) fn new(
        name: &Arc<str>,
        pre: InstancePre<CallState>,
        exports: Exports,
        limits: Limits,
        (turns, budget): (Turns, Budget),
        lent: Arc<Lent>,
    ) -> Self {
        let places = Places::new(limits.concurrency);
        let observing = Places::new(limits.concurrency.min(OBSERVATIONS));
        let breaker = Breaker::new(name);
        let tally = Tally::default();
        let logged = Arc::new(LogAllowance::new());
        Self { pre, exports, limits, places, observing, breaker, tally, turns, budget, logged, lent }
    }

    fn places(&self, way: Way) -> &Places {
        match way {
            Way::Client | Way::Ending => &self.places,
            Way::Observing | Way::Trial => &self.observing,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn exports(&self) -> &Exports {
        &self.exports
    }
}

impl Exports {
    /// Finds what was agreed on, and checks that each function has the contract's parameters and results.
    pub(crate) fn find(pre: &InstancePre<CallState>, agreement: &Agreement) -> wasmtime::Result<Self> {
        let lifecycle = || -> wasmtime::Result<_> {
            Ok(Lifecycle {
                create: function::<OnEntity<'_>, Changed>(pre, "lifecycle", "create")?,
                update: function::<OnUpdate<'_>, Changed>(pre, "lifecycle", "update")?,
                delete: function::<OnEntity<'_>, Gone>(pre, "lifecycle", "delete")?,
            })
        };
        Ok(Self {
            lifecycle: agreement.exports("lifecycle").then(lifecycle).transpose()?,
            act: agreement
                .exports("actions")
                .then(|| function::<OnAct<'_>, Changed>(pre, "actions", "act"))
                .transpose()?,
            observe: agreement
                .exports("observe")
                .then(|| function::<OnObserve<'_>, Changed>(pre, "observe", "observe"))
                .transpose()?,
            migrate: agreement
                .exports("migrate")
                .then(|| function::<OnMigrate<'_>, Changed>(pre, "migrate", "migrate"))
                .transpose()?,
        })
    }
}

fn function<P, R>(
    pre: &InstancePre<CallState>,
    interface: &str,
    name: &str,
) -> wasmtime::Result<ComponentExportIndex>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let component = pre.component();
    let full = contract::interface(interface);
    let found = component
        .get_export_index(None, full.as_str())
        .and_then(|instance| component.get_export(Some(&instance), name));
    let Some((ComponentItem::ComponentFunc(ty), index)) = found else {
        wasmtime::bail!("it exports {full} without the function `{name}`");
    };
    if let Err(error) = ty.typecheck::<P, R>(&pre.instance_type()) {
        wasmtime::bail!("its function `{name}` of {full} has another type: {error:#}");
    }
    Ok(index)
}
