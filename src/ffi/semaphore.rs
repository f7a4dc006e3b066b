//! Semaphores.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_loop, rota_semaphore};
use crate::base::{rota_status, rota_status::*, Handle, Kind};

/// The value that a semaphore starts with is also the most it may have.
pub const ROTA_SEMAPHORE_BOUNDED: u32 = 1;

/// A semaphore with `value` places for tasks and callbacks of one loop. `flags`
/// is 0 or ROTA_SEMAPHORE_BOUNDED.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_semaphore(
    r#loop: rota_loop,
    value: u64,
    flags: u32,
    out: *mut rota_semaphore,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let most = match flags {
            0 => u64::MAX,
            ROTA_SEMAPHORE_BOUNDED => value,
            _ => return Err(ROTA_ERR_INVALID.into()),
        };
        let semaphore = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.semaphore_open(value, most)?;
            Ok(state.core.handle(Kind::Semaphore, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, semaphore.into()) }
    })
}

/// A future for a place: once it is complete, with 0, the place is taken. A free
/// one is taken at once; else the first to ask is the first to get one.
/// Cancelling is as for rota_lock_acquire().
#[no_mangle]
pub extern "C" fn rota_semaphore_acquire(semaphore: rota_semaphore) -> rota_future {
    let handle = Handle::from(semaphore);
    guard_future(handle, registry::find_kind(handle, Kind::Semaphore), |state| {
        state.service.sync.semaphore_acquire(&mut state.core, handle.key())
    })
}

/// Gives a place to the first who waits for one, or back. ROTA_ERR_LIMIT: it has
/// as many as it may have.
#[no_mangle]
pub extern "C" fn rota_semaphore_release(semaphore: rota_semaphore) -> rota_status {
    let handle = Handle::from(semaphore);
    guard_kind(handle, Kind::Semaphore, |state| state.service.sync.semaphore_release(&mut state.core, handle.key()))
}

/// How many places are free; if somebody waits, it is 0.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_semaphore_get_value(semaphore: rota_semaphore, out: *mut u64) -> rota_status {
    let handle = Handle::from(semaphore);
    guard_kind(handle, Kind::Semaphore, |state| {
        let value = state.service.sync.semaphore_value(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, value) }
    })
}

/// Ends the semaphore: those who wait for a place end with ROTA_ERR_CANCELLED.
/// Closing its loop does the same. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_semaphore_close(semaphore: rota_semaphore) -> rota_status {
    let handle = Handle::from(semaphore);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Semaphore, |state| state.service.sync.semaphore_close(&mut state.core, handle.key()))
}
