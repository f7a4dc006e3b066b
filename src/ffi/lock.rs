//! Locks.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_lock, rota_loop};
use crate::base::{rota_status, rota_status::*, Handle, Kind};

/// A lock among tasks and callbacks of one loop, which nobody holds yet. It
/// belongs to no task: whoever has the handle may release it.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_lock(r#loop: rota_loop, out: *mut rota_lock) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let lock = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.lock_open()?;
            Ok(state.core.handle(Kind::Lock, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, lock.into()) }
    })
}

/// A future for the lock: once it is complete, with 0, the lock is held. A lock
/// that is free is held at once; else the first to ask is the first to get it.
/// Cancelling the future, or the task that awaits it, leaves the line; one that
/// is complete holds the lock all the same, and has to release it.
#[no_mangle]
pub extern "C" fn rota_lock_acquire(lock: rota_lock) -> rota_future {
    let handle = Handle::from(lock);
    guard_future(handle, registry::find_kind(handle, Kind::Lock), |state| {
        state.service.sync.lock_acquire(&mut state.core, handle.key())
    })
}

/// Hands the lock to the first who waits for it, or frees it. ROTA_ERR_INVALID:
/// nobody holds it.
#[no_mangle]
pub extern "C" fn rota_lock_release(lock: rota_lock) -> rota_status {
    let handle = Handle::from(lock);
    guard_kind(handle, Kind::Lock, |state| state.service.sync.lock_release(&mut state.core, handle.key()))
}

/// Whether somebody holds the lock.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_lock_is_locked(lock: rota_lock, out: *mut bool) -> rota_status {
    let handle = Handle::from(lock);
    guard_kind(handle, Kind::Lock, |state| {
        let locked = state.service.sync.lock_is_locked(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, locked) }
    })
}

/// Ends the lock, held or not: those who wait for it end with
/// ROTA_ERR_CANCELLED. Closing its loop does the same. Closing null succeeds
/// and does nothing.
#[no_mangle]
pub extern "C" fn rota_lock_close(lock: rota_lock) -> rota_status {
    let handle = Handle::from(lock);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Lock, |state| state.service.sync.lock_close(&mut state.core, handle.key()))
}
