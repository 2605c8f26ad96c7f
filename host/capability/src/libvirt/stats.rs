//! What libvirt tells of many machines at once.
//!
//! The safe `virt` crate hands out libvirt's own list of it and frees none of that, so this file calls libvirt's C functions.
//! What each figure means is not known here.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::ptr::null_mut;
use std::slice;

use uuid::Uuid;
use virt::domain::Domain;
use virt::sys;

use super::error::Result;
use super::events;

/// What is told of one machine.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) machine: Uuid,
    /// Another each time that it is started.
    pub(super) run: u32,
    pub(super) figures: Vec<(String, Value)>,
}

/// A figure of libvirt's, of whatever type it is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Text(String),
}

/// What is asked: whether it has power, and what its CPUs, memory, disks and interfaces do.
const ASKED: u32 = sys::VIR_DOMAIN_STATS_STATE
    | sys::VIR_DOMAIN_STATS_CPU_TOTAL
    | sys::VIR_DOMAIN_STATS_BALLOON
    | sys::VIR_DOMAIN_STATS_VCPU
    | sys::VIR_DOMAIN_STATS_BLOCK
    | sys::VIR_DOMAIN_STATS_INTERFACE;

/// Of a machine to which something is being done it tells what it knows without waiting for that.
const NOBODY_WAITS: u32 = sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

/// What libvirt tells of those machines among `domains` that are ours and are there. All are of one connection.
pub(super) fn of(domains: &[&Domain]) -> Result<Vec<Told>> {
    let mut asked: Vec<_> = domains.iter().map(|domain| domain.as_ptr()).chain([null_mut()]).collect();
    let mut list = null_mut();
    // SAFETY: the array ends with null, and its domains are valid for as long as they are borrowed. libvirt keeps none of it,
    // and writes a list of its own, which ends with null too, where it does not answer -1.
    let count = unsafe { sys::virDomainListGetStats(asked.as_mut_ptr(), ASKED, &raw mut list, NOBODY_WAITS) };
    let Ok(count) = usize::try_from(count) else { return Err(virt::error::Error::last_error().into()) };
    let list = List(list);
    // SAFETY: libvirt has written a list of so many records, all of them valid until it is freed; `told` keeps none.
    let records = unsafe { slice::from_raw_parts(list.0, count) };
    // SAFETY: as above.
    Ok(records.iter().filter_map(|record| unsafe { told(&**record) }).collect())
}

/// libvirt's list, freed with its records and their figures.
struct List(*mut sys::virDomainStatsRecordPtr);

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: it is of `virDomainListGetStats`, and freed once.
        unsafe { sys::virDomainStatsRecordListFree(self.0) }
    }
}

/// What a record says, if it is about a machine of ours.
///
/// # Safety
/// The record is libvirt's.
unsafe fn told(record: &sys::virDomainStatsRecord) -> Option<Told> {
    // SAFETY: the domain and the figures of a record are valid for as long as it is.
    unsafe {
        let machine = events::machine(record.dom)?;
        let run = sys::virDomainGetID(record.dom);
        let count = usize::try_from(record.nparams).unwrap_or(0);
        // A list of nothing may begin nowhere.
        let params = if count == 0 { &[] } else { slice::from_raw_parts(record.params.cast_const(), count) };
        Some(Told { machine, run, figures: params.iter().filter_map(|param| figure(param)).collect() })
    }
}

/// A figure with its name; none where it is of a type that is not known.
///
/// # Safety
/// The parameter is libvirt's: its value is of the type that it says.
unsafe fn figure(param: &sys::virTypedParameter) -> Option<(String, Value)> {
    // SAFETY: the caller's promise; a text is a C string that lives as long as the parameter.
    let value = unsafe {
        match u32::try_from(param.type_).ok()? {
            sys::VIR_TYPED_PARAM_INT => Value::Number(param.value.i.into()),
            sys::VIR_TYPED_PARAM_UINT => Value::Number(param.value.ui.into()),
            sys::VIR_TYPED_PARAM_LLONG => Value::Number(wide(param.value.l)),
            sys::VIR_TYPED_PARAM_ULLONG => Value::Number(unsigned(param.value.ul)),
            sys::VIR_TYPED_PARAM_DOUBLE => Value::Number(param.value.d),
            sys::VIR_TYPED_PARAM_BOOLEAN => Value::Number(param.value.b.into()),
            sys::VIR_TYPED_PARAM_STRING => Value::Text(events::text(param.value.s)?.to_owned()),
            _ => return None,
        }
    };
    Some((name(&param.field)?, value))
}

fn name(field: &[c_char]) -> Option<String> {
    let bytes: Vec<u8> = field.iter().map(|&byte| byte.to_ne_bytes()[0]).collect();
    CStr::from_bytes_until_nul(&bytes).ok()?.to_str().ok().map(str::to_owned)
}

#[expect(clippy::cast_precision_loss, reason = "as exact as a figure can be; whole below 2^53")]
fn wide(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "as exact as a figure can be; whole below 2^53")]
pub(super) fn unsigned(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sys::_virTypedParameter__bindgen_ty_1 as Raw;

    fn param(name: &[u8], type_: u32, value: Raw) -> sys::virTypedParameter {
        let mut field = [0; 80];
        for (to, from) in field.iter_mut().zip(name) {
            *to = c_char::from_ne_bytes([*from]);
        }
        sys::virTypedParameter { field, type_: type_.cast_signed(), value }
    }

    fn read(name: &[u8], type_: u32, value: Raw) -> Option<(String, Value)> {
        // SAFETY: each test gives the value of the type that it names, and its texts are constants.
        unsafe { figure(&param(name, type_, value)) }
    }

    #[test]
    fn figures_of_each_type_are_read() {
        let text = c"/volumes/occi-1";
        for (type_, value, expected) in [
            (sys::VIR_TYPED_PARAM_INT, Raw { i: -3 }, Value::Number(-3.0)),
            (sys::VIR_TYPED_PARAM_UINT, Raw { ui: u32::MAX }, Value::Number(4_294_967_295.0)),
            (sys::VIR_TYPED_PARAM_LLONG, Raw { l: -1 }, Value::Number(-1.0)),
            (sys::VIR_TYPED_PARAM_ULLONG, Raw { ul: 1 << 53 }, Value::Number(9_007_199_254_740_992.0)),
            (sys::VIR_TYPED_PARAM_DOUBLE, Raw { d: 0.5 }, Value::Number(0.5)),
            (sys::VIR_TYPED_PARAM_BOOLEAN, Raw { b: 1 }, Value::Number(1.0)),
            (
                sys::VIR_TYPED_PARAM_STRING,
                Raw { s: text.as_ptr().cast_mut() },
                Value::Text("/volumes/occi-1".into()),
            ),
        ] {
            assert_eq!(read(b"block.0.path", type_, value), Some(("block.0.path".into(), expected)));
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(read(b"a", 8, Raw { ul: 0 }), None, "a type of a later libvirt");
        assert_eq!(read(b"a", sys::VIR_TYPED_PARAM_STRING, Raw { s: null_mut() }), None);
        assert_eq!(read(b"\xff", sys::VIR_TYPED_PARAM_INT, Raw { i: 0 }), None);
        assert_eq!(read(&[b'a'; 80], sys::VIR_TYPED_PARAM_INT, Raw { i: 0 }), None, "its name has no end");
    }

    #[test]
    fn nothing_is_told_of_no_machine() {
        assert!(of(&[]).is_err(), "libvirt wants one at least");
    }
}
