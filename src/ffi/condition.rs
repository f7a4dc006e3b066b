//! Conditions.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_condition, rota_future, rota_lock, rota_loop};
use crate::base::{rota_status, rota_status::*, Handle, Kind};

/// A condition under a lock of the same loop: tasks and callbacks that hold the
/// lock wait here for something to become true. A lock may have many.
/// ROTA_ERR_HANDLE: the lock has ended, or is another loop's.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_condition(
    r#loop: rota_loop,
    lock: rota_lock,
    out: *mut rota_condition,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let (under, of) = (Handle::from(lock), Handle::from(r#loop));
        if !under.is(Kind::Lock) || under.loop_number() != of.loop_number() {
            return Err(ROTA_ERR_HANDLE.into());
        }
        let condition = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.condition_open(under.key())?;
            Ok(state.core.handle(Kind::Condition, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, condition.into()) }
    })
}

/// Lets go of the lock, which has to be held, and waits to be notified. The
/// future is complete, with 0, when this wait was notified and holds the lock
/// again; the first to wait is the first to be notified. What was waited for may
/// have changed until then: look again, and wait again if need be.
///
/// Cancelling the future, or the task that awaits it, makes it end with
/// ROTA_ERR_CANCELLED, and that only once the lock is held again: so after 0 and
/// ROTA_ERR_CANCELLED alike the lock has to be released. A wait that was notified
/// before ends with 0 all the same. Only closing the future while nobody waits
/// for it gives the lock up; a notification that it had goes to the next.
///
/// ROTA_ERR_SHUT: the lock, the condition or the loop was closed; the lock is
/// not held. ROTA_ERR_INVALID: nobody holds the lock. A wait that cannot begin
/// leaves the lock as it was.
#[no_mangle]
pub extern "C" fn rota_condition_wait(condition: rota_condition) -> rota_future {
    let handle = Handle::from(condition);
    guard_future(handle, registry::find_kind(handle, Kind::Condition), |state| {
        state.service.sync.condition_wait(&mut state.core, handle.key())
    })
}

/// Notifies the first `count` of those who wait, or as many as there are: each
/// goes on in its turn, once it has the lock. The lock may be held, which is
/// usual, or not. Nobody is notified later for want of somebody now.
#[no_mangle]
pub extern "C" fn rota_condition_notify(condition: rota_condition, count: usize) -> rota_status {
    let handle = Handle::from(condition);
    guard_kind(handle, Kind::Condition, |state| {
        state.service.sync.condition_notify(&mut state.core, handle.key(), count)
    })
}

/// Notifies everybody who waits.
#[no_mangle]
pub extern "C" fn rota_condition_notify_all(condition: rota_condition) -> rota_status {
    rota_condition_notify(condition, usize::MAX)
}

/// Ends the condition: those who wait for it end with ROTA_ERR_SHUT, and do not
/// hold the lock; those who were notified get it in their turn. Closing its loop
/// does the same. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_condition_close(condition: rota_condition) -> rota_status {
    let handle = Handle::from(condition);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Condition, |state| state.service.sync.condition_close(&mut state.core, handle.key()))
}
