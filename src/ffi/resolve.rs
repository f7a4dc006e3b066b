//! Names to addresses.

use super::guard::{guard, guard_future, text};
use super::options::{self, Options};
use super::registry;
use crate::base::address::{ROTA_FAMILY_ANY, ROTA_FAMILY_IPV4, ROTA_FAMILY_IPV6};
use crate::base::handle::{rota_future, rota_loop};
use crate::base::{limits, rota_status, rota_status::*, Handle, Result};
use core::ffi::c_char;

/// How to resolve a name.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_resolve_options {
    /// sizeof(rota_resolve_options), set by rota_resolve_options_init().
    pub size: usize,
    /// ROTA_FAMILY_...: only these addresses.
    pub family: u32,
    /// Zero: there are none yet.
    pub flags: u32,
}

// SAFETY: integers, the size first.
unsafe impl Options for rota_resolve_options {}

/// Fills in the defaults. `size` is `sizeof *options`.
///
/// # Safety
/// `options` may be written for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_resolve_options_init(options: *mut rota_resolve_options, size: usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    guard(|| unsafe { options::init(options, size) })
}

/// Finds the addresses of `host`, a name or a number, with the port of
/// `service`, a name or a number too; NULL is port 0. The future's value is how
/// many there are; rota_future_take_addresses() hands them out, the preferred
/// one first. Names are asked on another thread. Cancelling ends the future at
/// once. `options` may be NULL.
///
/// ROTA_ERR_NOT_FOUND: there is no such host or service; ROTA_ERR_RESOLVE: the
/// name service failed; ROTA_ERR_NO_THREADS: it is a name, and the loop was
/// opened without threads.
///
/// # Safety
/// `host` and `service` are NUL-terminated, or NULL where that is allowed.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_resolve(
    r#loop: rota_loop,
    host: *const c_char,
    service: *const c_char,
    options: *const rota_resolve_options,
) -> rota_future {
    let handle = Handle::from(r#loop);
    guard_future(handle, registry::find_loop(handle), |state| {
        // SAFETY: the caller's word, passed on.
        let options = unsafe { options::read(options)? };
        let family = family(options.family)?;
        if options.flags != 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        // SAFETY: the caller's word, passed on.
        let host = unsafe { name(host)? };
        // SAFETY: the caller's word, passed on.
        let service = if service.is_null() { None } else { Some(unsafe { name(service)? }) };
        state.service.io.resolve(&mut state.core, host, service, family)
    })
}

/// The name of a host or a service: not empty, and of a length that names have.
///
/// # Safety
/// `bytes` is NULL or NUL-terminated.
pub(super) unsafe fn name<'a>(bytes: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: the caller's word, passed on.
    match unsafe { text(bytes, limits::NAME_MAX) } {
        Ok([]) => Err(ROTA_ERR_INVALID.into()),
        Err(error) if error.status == ROTA_ERR_LIMIT => Err(ROTA_ERR_INVALID.into()),
        other => other,
    }
}

/// A family that there is.
pub(super) fn family(family: u32) -> Result<u32> {
    match family {
        ROTA_FAMILY_ANY | ROTA_FAMILY_IPV4 | ROTA_FAMILY_IPV6 => Ok(family),
        _ => Err(ROTA_ERR_INVALID.into()),
    }
}
