//! What a machine is in its saved memory. The safe `virt` crate has no function for it.
#![allow(unsafe_code)]

use std::ffi::CStr;

use virt::domain::Domain;
use virt::error::Error as Refused;
use virt::sys;

use super::error::Result;

/// The description of the machine as it was saved.
pub(super) fn description(domain: &Domain) -> Result<String> {
    // SAFETY: the domain is valid for as long as it is borrowed.
    let text = unsafe { sys::virDomainManagedSaveGetXMLDesc(domain.as_ptr(), 0) };
    if text.is_null() {
        return Err(Refused::last_error().into());
    }
    // SAFETY: libvirt has made a C string, which is now ours and is read before it is freed.
    let description = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // SAFETY: libvirt allocates with `malloc` and leaves it to the caller to free; nothing refers to it any more.
    unsafe { libc::free(text.cast()) };
    Ok(description)
}
