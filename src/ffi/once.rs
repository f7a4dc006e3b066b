//! Once-cells.

use super::guard::{guard_future, guard_kind, guard_loop, guard_runtime, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_loop, rota_once};
use crate::base::{rota_status, rota_status::*, Handle, Kind};
use crate::sys::host::{rota_free_fn, HostFree, HostPointer};
use core::ffi::c_void;

/// A cell for a value that tasks or callbacks of one loop need, and that is made
/// once, by the first of them.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_once(r#loop: rota_loop, out: *mut rota_once) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let once = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.once_open()?;
            Ok(state.core.handle(Kind::Once, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, once.into()) }
    })
}

/// A future that is complete with 0 once the value is there, for rota_once_get();
/// or with 1 for the one who is to make it, the first to ask: that one has to
/// call rota_once_set(), or rota_once_give_up() if it fails or is cancelled on
/// the way. All others wait until then. Cancelling ends this one wait; a future
/// that is complete with 1 is to make the value all the same. If he who was
/// told cannot any more (his owner was cancelled, the future closed unread), any
/// other may give up for him; until then the others wait.
#[no_mangle]
pub extern "C" fn rota_once_begin(once: rota_once) -> rota_future {
    let handle = Handle::from(once);
    guard_future(handle, registry::find_kind(handle, Kind::Once), |state| {
        state.service.sync.once_begin(&mut state.core, handle.key())
    })
}

/// Puts the value in the cell and lets everybody go who waits for it. When the
/// cell or its loop is closed, `value_free` (which may be NULL) is called with it
/// once. If this call fails the value stays yours: ROTA_ERR_INVALID: nobody was
/// told to make it; ROTA_ERR_DONE: it is there already.
///
/// # Safety
/// `value_free` is NULL or may be called with `value`.
#[no_mangle]
pub unsafe extern "C" fn rota_once_set(once: rota_once, value: *mut c_void, value_free: rota_free_fn) -> rota_status {
    let handle = Handle::from(once);
    // SAFETY: the caller's word, passed on.
    let free = value_free.map(|free| unsafe { HostFree::new(free, value) });
    guard_kind(handle, Kind::Once, |state| {
        state.service.sync.once_set(&mut state.core, handle.key(), HostPointer(value), free)
    })
}

/// The value could not be made: the first who waits is told to make it, or else
/// the next who asks. Errors as rota_once_set().
#[no_mangle]
pub extern "C" fn rota_once_give_up(once: rota_once) -> rota_status {
    let handle = Handle::from(once);
    guard_kind(handle, Kind::Once, |state| state.service.sync.once_give_up(&mut state.core, handle.key()))
}

/// The value, which stays the cell's. ROTA_ERR_PENDING: it is not there.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_once_get(once: rota_once, out: *mut *mut c_void) -> rota_status {
    let handle = Handle::from(once);
    guard_kind(handle, Kind::Once, |state| {
        wanted(out)?;
        let value = state.service.sync.once_get(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, value.0) }
    })
}

/// Ends the cell: its value is let go, inside this call, and those who wait end
/// with ROTA_ERR_CANCELLED. Closing its loop does the same, the values last.
/// Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_once_close(once: rota_once) -> rota_status {
    let handle = Handle::from(once);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_runtime(registry::find_kind(handle, Kind::Once), |runtime| {
        let free = runtime.with(|state| state.service.sync.once_close(&mut state.core, handle.key()))?;
        runtime.let_go(free);
        Ok(())
    })
}
