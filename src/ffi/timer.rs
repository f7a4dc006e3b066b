//! Timers and sleeps.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, hand_out_if_wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_loop, rota_timer};
use crate::base::{rota_status, rota_status::*, Handle, Kind, Result};
use crate::rt::Core;
use crate::sys::host::{rota_timer_fn, HostTimer};
use core::ffi::c_void;

/// Calls `callback` once, `delay_ns` from now or a little later, never earlier.
/// Timers with equal deadlines fire in the order in which they were armed.
/// `out` may be NULL if you will not cancel or move it.
///
/// # Safety
/// `callback` may be called with `user_data`; `out` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_call_later(
    r#loop: rota_loop,
    delay_ns: u64,
    callback: rota_timer_fn,
    user_data: *mut c_void,
    out: *mut rota_timer,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    unsafe { arm(r#loop, callback, user_data, out, |core| core.read_clock().saturating_add(delay_ns)) }
}

/// As rota_loop_call_later(), at a moment of the loop's clock
/// (rota_loop_get_now()); one that has passed means the next turn.
///
/// # Safety
/// `callback` may be called with `user_data`; `out` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_call_at(
    r#loop: rota_loop,
    deadline_ns: u64,
    callback: rota_timer_fn,
    user_data: *mut c_void,
    out: *mut rota_timer,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    unsafe { arm(r#loop, callback, user_data, out, |_| deadline_ns) }
}

/// # Safety
/// `callback` may be called with `user_data`; `out` is NULL or may be written.
#[inline]
unsafe fn arm(
    r#loop: rota_loop,
    callback: rota_timer_fn,
    user_data: *mut c_void,
    out: *mut rota_timer,
    deadline: impl FnOnce(&mut Core) -> u64,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        let callback = callback.ok_or(ROTA_ERR_INVALID)?;
        // SAFETY: the caller's word, passed on.
        let timer = unsafe { HostTimer::new(callback, user_data) };
        runtime.with(|state| {
            let core = &mut state.core;
            core.refuse_if_closing()?;
            let deadline = deadline(core);
            let key = core.timer_arm(deadline, timer)?;
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out_if_wanted(out, core.handle(Kind::Timer, key).into()) };
            Ok(())
        })
    })
}

/// Cancels a timer: its callback comes in the next turn with ROTA_ERR_CANCELLED,
/// so that you can let go of its `user_data`. ROTA_ERR_DONE: its callback is
/// running, or it was cancelled already; ROTA_ERR_HANDLE: it has ended.
#[no_mangle]
pub extern "C" fn rota_timer_cancel(timer: rota_timer) -> rota_status {
    let handle = Handle::from(timer);
    guard_kind(handle, Kind::Timer, |state| state.core.timer_cancel(handle.key()))
}

/// Moves a timer to `delay_ns` from now, earlier or later than it was; it is
/// then as young as one that was armed now. Allowed inside its own callback,
/// which then comes again: so a timer repeats. ROTA_ERR_DONE: it was cancelled.
#[no_mangle]
pub extern "C" fn rota_timer_rearm(timer: rota_timer, delay_ns: u64) -> rota_status {
    rearm(timer, |core| core.read_clock().saturating_add(delay_ns))
}

/// As rota_timer_rearm(), to a moment of the loop's clock.
#[no_mangle]
pub extern "C" fn rota_timer_rearm_at(timer: rota_timer, deadline_ns: u64) -> rota_status {
    rearm(timer, |_| deadline_ns)
}

#[inline]
fn rearm(timer: rota_timer, deadline: impl FnOnce(&mut Core) -> u64) -> rota_status {
    let handle = Handle::from(timer);
    guard_kind(handle, Kind::Timer, |state| {
        state.core.refuse_if_closing()?;
        let deadline = deadline(&mut state.core);
        state.core.timer_rearm(handle.key(), deadline)
    })
}

/// When a timer is due, on the loop's clock.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_timer_get_deadline(timer: rota_timer, out: *mut u64) -> rota_status {
    let handle = Handle::from(timer);
    guard_kind(handle, Kind::Timer, |state| {
        let deadline = state.core.timer_deadline(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, deadline) }
    })
}

/// A future that is done `delay_ns` from now, with the value 0.
#[no_mangle]
pub extern "C" fn rota_loop_sleep(r#loop: rota_loop, delay_ns: u64) -> rota_future {
    sleep(r#loop, |core| Ok(core.read_clock().saturating_add(delay_ns)))
}

/// A future that is done at a moment of the loop's clock, with the value 0.
#[no_mangle]
pub extern "C" fn rota_loop_sleep_until(r#loop: rota_loop, deadline_ns: u64) -> rota_future {
    sleep(r#loop, |_| Ok(deadline_ns))
}

fn sleep(r#loop: rota_loop, deadline: impl FnOnce(&mut Core) -> Result<u64>) -> rota_future {
    let handle = Handle::from(r#loop);
    guard_future(handle, registry::find_loop(handle), |state| {
        let deadline = deadline(&mut state.core)?;
        let key = state.core.sleep_until(deadline)?;
        Ok(state.core.future_handle(key))
    })
}
