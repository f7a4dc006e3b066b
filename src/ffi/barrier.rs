//! Barriers.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_barrier, rota_future, rota_loop};
use crate::base::{rota_status, rota_status::*, Handle, Kind};

/// A barrier that `parties` tasks or callbacks of one loop pass together, again
/// and again. ROTA_ERR_INVALID: `parties` is 0.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_barrier(
    r#loop: rota_loop,
    parties: u32,
    out: *mut rota_barrier,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let barrier = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.barrier_open(parties)?;
            Ok(state.core.handle(Kind::Barrier, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, barrier.into()) }
    })
}

/// A future that is complete once as many wait as there are parties: the last
/// one lets all of them go. Its value says as which one this wait came, from 0.
/// Cancelling it leaves the barrier: another has to come instead.
#[no_mangle]
pub extern "C" fn rota_barrier_wait(barrier: rota_barrier) -> rota_future {
    let handle = Handle::from(barrier);
    guard_future(handle, registry::find_kind(handle, Kind::Barrier), |state| {
        state.service.sync.barrier_wait(&mut state.core, handle.key())
    })
}

/// How many wait at the barrier.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_barrier_get_waiting(barrier: rota_barrier, out: *mut u32) -> rota_status {
    let handle = Handle::from(barrier);
    guard_kind(handle, Kind::Barrier, |state| {
        let waiting = state.service.sync.barrier_waiting(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, waiting) }
    })
}

/// Empties the barrier: those who wait at it end with ROTA_ERR_CANCELLED, and it
/// begins again.
#[no_mangle]
pub extern "C" fn rota_barrier_reset(barrier: rota_barrier) -> rota_status {
    let handle = Handle::from(barrier);
    guard_kind(handle, Kind::Barrier, |state| state.service.sync.barrier_reset(&mut state.core, handle.key()))
}

/// Ends the barrier: those who wait at it end with ROTA_ERR_CANCELLED. Closing
/// its loop does the same. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_barrier_close(barrier: rota_barrier) -> rota_status {
    let handle = Handle::from(barrier);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Barrier, |state| state.service.sync.barrier_close(&mut state.core, handle.key()))
}
