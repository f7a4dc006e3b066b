//! Completions that the host fetches instead of being called.

use super::future::{claim, find_future};
use super::guard::{guard, guard_kind, guard_loop, guard_runtime, hand_out_if_wanted, hand_out_sized, sized};
use super::registry;
use crate::base::handle::{rota_future, rota_loop};
use crate::base::{outcome, rota_outcome, rota_status, rota_status::*, Handle, Kind};
use crate::rt::Waiter;
use crate::sys::host::HostPointer;
use core::ffi::c_void;

/// What rota_loop_next_completion() fetches.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_completion {
    /// The size of this struct, set by you.
    pub size: usize,
    /// The future that is done; null for a post. For a future that was a value
    /// when it was drained this is a new one.
    pub future: rota_future,
    /// The short form of the outcome: the value, or the negative status.
    pub result: i64,
    /// The whole of it.
    pub outcome: rota_outcome,
    /// Your pointer.
    pub user_data: *mut c_void,
}

/// As rota_future_then() without a callback: when the future is done, a
/// completion with `user_data` is put into the loop's queue of completions, in
/// the turn in which a callback would have come, for rota_loop_next_completion()
/// to fetch. For hosts that cannot be called, or not there.
///
///     rota_completion done = {0};
///     done.size = sizeof done;
///     rota_loop_turn(loop, 0, budget_ns, 0, NULL);
///     while (rota_loop_next_completion(loop, &done) == ROTA_OK) handle(&done);
///
/// Whatever a callback can do has its drained form: a timer is a drained
/// rota_loop_sleep(), a post is rota_loop_post_completion(), which is also for
/// what is to come later on the loop's own thread.
#[no_mangle]
pub extern "C" fn rota_future_drain(future: rota_future, user_data: *mut c_void) -> rota_status {
    let handle = Handle::from(future);
    guard_runtime(find_future(handle), |runtime| {
        runtime.with(|state| claim(state, handle, Waiter::Drain(HostPointer(user_data))))
    })
}

/// Takes back every drain of the future that has this `user_data`, as
/// rota_future_remove() does with callbacks. How many those were goes to
/// `removed`, which may be NULL.
///
/// # Safety
/// `removed` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_future_remove_drain(
    future: rota_future,
    user_data: *mut c_void,
    removed: *mut usize,
) -> rota_status {
    let handle = Handle::from(future);
    guard_kind(handle, Kind::Future, |state| {
        state.core.futures.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        let count = state
            .core
            .future_unclaim(handle.key(), |waiter| matches!(waiter, Waiter::Drain(data) if data.0 == user_data));
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_if_wanted(removed, count) };
        Ok(())
    })
}

/// Fetches the next completion, in the order in which callbacks would have
/// come. `out->size` must be set. ROTA_ERR_PENDING: there is none now.
///
/// The future and the message of its outcome live until the next call of this,
/// whatever it answers, or until the loop is closed: take an object, or keep the
/// future, before. This may be called at any time on the loop's thread, also in
/// callbacks.
///
/// Nobody else empties the queue. While anything stands in it, rota_loop_turn()
/// does not wait, rota_loop_get_next_deadline() is now, and rota_loop_close()
/// answers ROTA_ERR_BUSY as soon as nothing else is left to end: fetch what
/// there is, and close again. (What was pending comes with ROTA_ERR_CANCELLED
/// then, and so do posts.) rota_loop_run() and rota_loop_run_until() do not look
/// at it, so drain in callbacks if you use them, or use rota_loop_turn().
/// rota_loop_abandon() drops it.
///
/// # Safety
/// `out` may be written for `out->size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_next_completion(r#loop: rota_loop, out: *mut rota_completion) -> rota_status {
    guard_loop(r#loop, |runtime| {
        // SAFETY: the caller's word, passed on.
        unsafe { sized(out)? };
        // A destructor may fetch completions itself: what it fetched last is let go too.
        while let Some(free) = runtime.with(|state| Ok(state.drain_release()))? {
            runtime.let_go(Some(free));
        }
        let fetched = runtime.with(|state| {
            let (key, told, data) = state.core.drain_next().ok_or(ROTA_ERR_PENDING)?;
            let slot = key.and_then(|key| state.core.futures.get(key));
            let whole = match slot {
                Some(slot) => told.to_host(&slot.text),
                None => rota_outcome { status: told.status, ..outcome::EMPTY },
            };
            Ok(rota_completion {
                size: 0,
                future: key.map_or(Handle::NULL, |key| state.core.future_handle(key)).into(),
                result: told.short(),
                outcome: whole,
                user_data: data.0,
            })
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_sized(out, &fetched) }
    })
}

/// As rota_loop_post() without a callback: puts a completion with `user_data`
/// and a null future into the loop's queue of completions, and ends the loop's
/// wait. Posts of one thread keep their order, whichever kind they are.
/// Thread-safe.
#[no_mangle]
pub extern "C" fn rota_loop_post_completion(r#loop: rota_loop, user_data: *mut c_void) -> rota_status {
    guard(|| registry::remote(Handle::from(r#loop), |remote| remote.post_completion(HostPointer(user_data))))
}
