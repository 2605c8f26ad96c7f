//! What happens at the hypervisor without our doing: a guest that turns itself off, a network that an operator
//! takes down, a daemon that goes away.
//!
//! The safe `virt` crate does not register callbacks, so this file calls libvirt's C functions. What
//! an event means is not known here; the reader looks at the object.
#![allow(unsafe_code)]

use std::collections::HashSet;
use std::ffi::{CStr, c_char, c_int, c_uchar, c_void};
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use uuid::Uuid;
use virt::connect::Connect;
use virt::sys;

use super::error::{Error, Result};
use super::{device, name};

/// Something happened at the hypervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// To the machine or network of this entity, or to what was attached for it.
    Changed(Uuid),
    /// The machine of this entity has begun anew without having been off.
    Restarted(Uuid),
    /// To some of them, nobody knows which: the daemon was away, or the reader was slow. Look at all.
    Missed,
    /// The hypervisor does not answer, and has not for some seconds. `Missed` tells that it is back.
    Away,
}

/// A reader's end of the events. What happens before `next` is called is kept.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event; none after the last handle of the hypervisor is gone.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Event::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Tells the readers, and whoever keeps the connection.
#[derive(Debug, Clone)]
pub(super) struct Herald {
    events: broadcast::Sender<Event>,
    closed: Arc<Notify>,
    /// What was asked for and was not there.
    missing: Arc<Mutex<HashSet<Uuid>>>,
}

/// No more are remembered: whoever loses so many looks at all.
const MISSING: usize = 100_000;

impl Herald {
    pub(super) fn new() -> Self {
        // A reader that is further behind has to look at everything, which costs less than the memory for more.
        Self {
            events: broadcast::Sender::new(4096),
            closed: Arc::new(Notify::new()),
            missing: Arc::default(),
        }
    }

    pub(super) fn listen(&self) -> Events {
        Events(self.events.subscribe())
    }

    pub(super) fn tell(&self, event: Event) {
        // An error says that nobody listens, which is nobody's loss.
        _ = self.events.send(event);
    }

    /// It was asked for and is not there: should somebody define it, that is news.
    pub(super) fn is_missing(&self, entity: Uuid) {
        let mut missing = self.missing();
        if missing.len() < MISSING {
            missing.insert(entity);
        }
    }

    /// It is defined. We define all ours and know, except where it was missing.
    fn is_defined(&self, entity: Uuid) {
        if self.missing().remove(&entity) {
            self.tell(Event::Changed(entity));
        }
    }

    fn missing(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes up when a connection has broken.
    pub(super) async fn broken(&self) {
        self.closed.notified().await;
    }
}

/// After each round of libvirt's event loop. Where many machines change, each change would else wake this thread, at the cost of
/// whoever makes it; so one round tells of many. Nobody but the readers of events waits for it.
const PAUSE: Duration = Duration::from_millis(1);

/// Start libvirt's event loop on a thread of its own, once in the process. It must stand before the first connection
/// opens. libvirt's habit of printing each error to stderr ends here too.
pub(super) fn start_loop() -> Result<()> {
    static LOOP: OnceLock<Result<()>> = OnceLock::new();
    LOOP.get_or_init(|| {
        virt::error::clear_error_callback();
        virt::event::event_register_default_impl()?;
        thread::Builder::new()
            .name("libvirt-events".into())
            .spawn(|| {
                loop {
                    if let Err(error) = virt::event::event_run_default_impl() {
                        tracing::warn!(%error, "libvirt's event loop stumbles");
                        thread::sleep(Duration::from_millis(200));
                    }
                    thread::sleep(PAUSE);
                }
            })
            .map_err(|error| {
                Error::Failed(format!("the thread of libvirt's events cannot start: {error}"))
            })?;
        Ok(())
    })
    .clone()
}

/// The callbacks registered on one connection.
#[derive(Debug)]
pub(super) struct Watch {
    machines: c_int,
    restarts: c_int,
    devices: c_int,
    networks: c_int,
}

impl Watch {
    /// Have `herald` told what happens on this connection. Where the hypervisor has no such events, its objects are
    /// as they were when last looked at.
    pub(super) fn start(connect: &Connect, herald: &Herald) -> Self {
        let lent = || Box::into_raw(Box::new(herald.clone())).cast::<c_void>();
        let domain_changed: DomainChanged = domain_changed;
        let device_removed: DeviceRemoved = device_removed;
        let network_changed: NetworkChanged = network_changed;

        let of_machines = |event: u32, of, callback| {
            let lent = lent();
            // SAFETY: libvirt calls the callback with the arguments that belong to the event, whatever type it is
            // registered with. What is lent lives until libvirt calls `forget` on it.
            let registered = unsafe {
                sys::virConnectDomainEventRegisterAny(
                    connect.as_ptr(),
                    null_mut(),
                    event.cast_signed(),
                    Some(callback),
                    lent,
                    Some(forget),
                )
            };
            refused(registered, of, lent);
            registered
        };
        // SAFETY: the arguments of this event are those of `DomainChanged`.
        let callback = unsafe { transmute::<DomainChanged, unsafe extern "C" fn(_, _, _)>(domain_changed) };
        let machines = of_machines(sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE, "machines", callback);
        let restarts = of_machines(sys::VIR_DOMAIN_EVENT_ID_REBOOT, "restarts", domain_restarted);
        // SAFETY: the arguments of this event are those of `DeviceRemoved`.
        let callback = unsafe { transmute::<DeviceRemoved, unsafe extern "C" fn(_, _, _)>(device_removed) };
        let devices = of_machines(sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, "devices", callback);

        let lent_to_networks = lent();
        // SAFETY: as with machines; the arguments of this event are those of `NetworkChanged`.
        let networks = unsafe {
            sys::virConnectNetworkEventRegisterAny(
                connect.as_ptr(),
                null_mut(),
                sys::VIR_NETWORK_EVENT_ID_LIFECYCLE.cast_signed(),
                Some(transmute::<NetworkChanged, unsafe extern "C" fn(_, _, _)>(network_changed)),
                lent_to_networks,
                Some(forget),
            )
        };
        refused(networks, "networks", lent_to_networks);

        let lent_to_close = lent();
        // SAFETY: `closed` has the type that this function asks for; what is lent is as above.
        let closing = unsafe {
            sys::virConnectRegisterCloseCallback(connect.as_ptr(), Some(closed), lent_to_close, Some(forget))
        };
        refused(closing, "the connection", lent_to_close);

        Self { machines, restarts, devices, networks }
    }

    /// Undo `start`. libvirt keeps a connection open for as long as it has callbacks.
    pub(super) fn stop(&self, connect: &Connect) {
        for registered in [self.machines, self.restarts, self.devices] {
            if registered >= 0 {
                // SAFETY: the connection is valid for as long as it is borrowed; the id is from its registration.
                unsafe { sys::virConnectDomainEventDeregisterAny(connect.as_ptr(), registered) };
            }
        }
        if self.networks >= 0 {
            // SAFETY: as above.
            unsafe { sys::virConnectNetworkEventDeregisterAny(connect.as_ptr(), self.networks) };
        }
        // SAFETY: as above; where it was never registered, libvirt refuses.
        unsafe { sys::virConnectUnregisterCloseCallback(connect.as_ptr(), Some(closed)) };
    }
}

type DomainChanged =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, c_int, c_int, *mut c_void) -> c_int;
type DeviceRemoved = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, *const c_char, *mut c_void);
type NetworkChanged = unsafe extern "C" fn(sys::virConnectPtr, sys::virNetworkPtr, c_int, c_int, *mut c_void);

/// Where a registration failed, libvirt does not take what was lent for it.
fn refused(registered: c_int, of: &str, lent: *mut c_void) {
    if registered < 0 {
        let error = virt::error::Error::last_error();
        tracing::debug!(%error, "the hypervisor has no events of {of}");
        // SAFETY: `lent` was made for this registration, and libvirt did not keep it.
        unsafe { forget(lent) };
    }
}

unsafe extern "C" fn domain_changed(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    event: c_int,
    _detail: c_int,
    herald: *mut c_void,
) -> c_int {
    let is_defined = event == sys::VIR_DOMAIN_EVENT_DEFINED.cast_signed();
    // SAFETY: libvirt lends a valid domain for the length of this call; what is lent to the callback is a `Herald`, kept
    // until `forget`.
    unsafe {
        if let Some(machine) = machine(domain) {
            tell(&*herald.cast::<Herald>(), machine, is_defined);
        }
    }
    0
}

unsafe extern "C" fn domain_restarted(_: sys::virConnectPtr, domain: sys::virDomainPtr, herald: *mut c_void) {
    // SAFETY: as in `domain_changed`.
    unsafe {
        if let Some(machine) = machine(domain) {
            (*herald.cast::<Herald>()).tell(Event::Restarted(machine));
        }
    }
}

unsafe extern "C" fn device_removed(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    alias: *const c_char,
    herald: *mut c_void,
) {
    // SAFETY: as in `domain_changed`; libvirt lends the alias, a C string, for the length of this call.
    unsafe {
        if machine(domain).is_some()
            && let Some(attachment) = text(alias).and_then(device::attachment)
        {
            (*herald.cast::<Herald>()).tell(Event::Changed(attachment));
        }
    }
}

unsafe extern "C" fn network_changed(
    _: sys::virConnectPtr,
    network: sys::virNetworkPtr,
    event: c_int,
    _detail: c_int,
    herald: *mut c_void,
) {
    let is_defined = event == sys::VIR_NETWORK_EVENT_DEFINED.cast_signed();
    let mut id = [0; 16];
    // SAFETY: as in `machine` and `domain_changed`, of a network.
    unsafe {
        let answered = sys::virNetworkGetUUID(network, id.as_mut_ptr());
        if let Some(network) = ours(answered, id, sys::virNetworkGetName(network)) {
            tell(&*herald.cast::<Herald>(), network, is_defined);
        }
    }
}

unsafe extern "C" fn closed(_: sys::virConnectPtr, _reason: c_int, herald: *mut c_void) {
    // SAFETY: what is lent to the callback is a `Herald`, kept until `forget`.
    unsafe { &*herald.cast::<Herald>() }.closed.notify_one();
}

unsafe extern "C" fn forget(herald: *mut c_void) {
    // SAFETY: made by `Box::into_raw` from a `Box<Herald>`, and libvirt calls this once.
    drop(unsafe { Box::from_raw(herald.cast::<Herald>()) });
}

/// The entity of a machine of ours.
///
/// # Safety
/// The domain is valid.
pub(super) unsafe fn machine(domain: sys::virDomainPtr) -> Option<Uuid> {
    let mut id = [0; 16];
    // SAFETY: both functions only read the domain, the name lives as long as it, and the buffer has the 16 bytes
    // (VIR_UUID_BUFLEN) that are written.
    unsafe {
        let answered = sys::virDomainGetUUID(domain, id.as_mut_ptr());
        ours(answered, id, sys::virDomainGetName(domain))
    }
}

/// The entity, where libvirt has answered the id and the name is what we give to that one.
///
/// # Safety
/// As for `text`.
unsafe fn ours(answered: c_int, id: [c_uchar; 16], name: *const c_char) -> Option<Uuid> {
    let id = Uuid::from_bytes(id);
    // SAFETY: the caller's promise.
    let name = unsafe { text(name) }.filter(|_| answered == 0)?;
    (name::entity(name) == Some(id)).then_some(id)
}

/// # Safety
/// It is null or a C string that lives as long as the caller uses it.
pub(super) unsafe fn text<'a>(lent: *const c_char) -> Option<&'a str> {
    if lent.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(lent) }.to_str().ok()
}

fn tell(herald: &Herald, entity: Uuid, is_defined: bool) {
    if is_defined {
        herald.is_defined(entity);
    } else {
        herald.tell(Event::Changed(entity));
    }
}
