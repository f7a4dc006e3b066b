//! Events.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_event, rota_future, rota_loop};
use crate::base::{rota_status, rota_status::*, Handle, Kind};

/// Setting the event lets one waiter go and clears it again.
pub const ROTA_EVENT_AUTO_RESET: u32 = 1;

/// An event for tasks and callbacks of one loop, which is not set yet. `flags`
/// is 0 or ROTA_EVENT_AUTO_RESET.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_event(r#loop: rota_loop, flags: u32, out: *mut rota_event) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        if flags & !ROTA_EVENT_AUTO_RESET != 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        let event = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.event_open(flags & ROTA_EVENT_AUTO_RESET != 0)?;
            Ok(state.core.handle(Kind::Event, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, event.into()) }
    })
}

/// Sets the event: everybody who waits for it is woken, in order, also if it is
/// cleared before he runs. Setting it again changes nothing. With
/// ROTA_EVENT_AUTO_RESET only the first who waits is woken, and the event stays
/// clear; if nobody waits it is set, once, for the next who comes.
#[no_mangle]
pub extern "C" fn rota_event_set(event: rota_event) -> rota_status {
    let handle = Handle::from(event);
    guard_kind(handle, Kind::Event, |state| state.service.sync.event_set(&mut state.core, handle.key()))
}

/// Clears the event: who waits from now on waits until it is set again.
#[no_mangle]
pub extern "C" fn rota_event_clear(event: rota_event) -> rota_status {
    let handle = Handle::from(event);
    guard_kind(handle, Kind::Event, |state| state.service.sync.event_clear(handle.key()))
}

/// Whether the event is set.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_event_is_set(event: rota_event, out: *mut bool) -> rota_status {
    let handle = Handle::from(event);
    guard_kind(handle, Kind::Event, |state| {
        let set = state.service.sync.event_is_set(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, set) }
    })
}

/// A future that is complete, with 0, once the event is set; at once if it is,
/// which clears one with ROTA_EVENT_AUTO_RESET. Cancelling it ends this one wait.
#[no_mangle]
pub extern "C" fn rota_event_wait(event: rota_event) -> rota_future {
    let handle = Handle::from(event);
    guard_future(handle, registry::find_kind(handle, Kind::Event), |state| {
        state.service.sync.event_wait(&mut state.core, handle.key())
    })
}

/// Ends the event: those who wait for it end with ROTA_ERR_CANCELLED. Closing
/// its loop does the same. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_event_close(event: rota_event) -> rota_status {
    let handle = Handle::from(event);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Event, |state| state.service.sync.event_close(&mut state.core, handle.key()))
}
