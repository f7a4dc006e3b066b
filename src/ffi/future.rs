//! Futures: completing them, waiting by callback, what they came to.

use super::guard::{guard, guard_kind, guard_loop, guard_runtime, hand_out, hand_out_if_wanted, text, wanted};
use super::registry::{self, Loop};
use super::services::Services;
use crate::base::handle::{rota_future, rota_loop, rota_stream};
use crate::base::{limits, outcome, rota_address, rota_outcome, rota_status, rota_status::*, Handle, Kind, Result};
use crate::rt::{Object, Outcome, Source, State, Waiter};
use crate::sys::host::{rota_free_fn, rota_future_fn, HostFree, HostPointer, HostThen};
use crate::sys::Text;
use core::ffi::{c_char, c_void};

/// A future of your own, a promise: complete it with rota_future_complete() or
/// its sisters. It ends when it is done and those who waited have been answered,
/// or when you close it.
#[no_mangle]
pub extern "C" fn rota_future_open(r#loop: rota_loop) -> rota_future {
    let handle = Handle::from(r#loop);
    let mut made = Handle::NULL;
    let status = guard_loop(handle, |runtime| {
        made = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.core.future_new(Source::Promise)?;
            Ok(state.core.future_handle(key))
        })?;
        Ok(())
    });
    if status != ROTA_OK {
        made = Handle::value(handle.loop_number(), status as i64).unwrap_or(Handle::NULL);
    }
    made.into()
}

/// Completes a promise with a number at or above zero. Its callbacks are queued
/// in the order they were added, and never run inside this call.
/// ROTA_ERR_DONE: it is done already; ROTA_ERR_INVALID: the number is negative,
/// or the future stands for an operation.
#[no_mangle]
pub extern "C" fn rota_future_complete(future: rota_future, value: i64) -> rota_status {
    complete(
        future,
        || if value < 0 { Err(ROTA_ERR_INVALID.into()) } else { Ok(Outcome::value(value)) },
        |_| Ok(Text::None),
        Object::None,
    )
}

/// Completes a promise with a pointer, for rota_future_take_result(). If nobody
/// takes it, `result_free` (which may be NULL) is called with it once. If this
/// call fails, the pointer stays yours.
///
/// # Safety
/// `result_free` is NULL or may be called with `result`.
#[no_mangle]
pub unsafe extern "C" fn rota_future_complete_with(
    future: rota_future,
    result: *mut c_void,
    result_free: rota_free_fn,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    let free = result_free.map(|free| unsafe { HostFree::new(free, result) });
    complete(future, || Ok(Outcome::default()), |_| Ok(Text::None), Object::Result(HostPointer(result), free))
}

/// Fails a promise with a status of this library, or one of your own at or below
/// ROTA_STATUS_HOST. `message` is copied; it may be NULL.
///
/// # Safety
/// `message` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_future_fail(future: rota_future, status: i32, message: *const c_char) -> rota_status {
    let outcome = || match Outcome::from_short(i64::from(status)) {
        Some(outcome) if status < 0 => Ok(outcome),
        _ => Err(ROTA_ERR_INVALID.into()),
    };
    let message = |memory| {
        if message.is_null() {
            return Ok(Text::None);
        }
        // SAFETY: the caller's word, passed on.
        Text::copy(memory, unsafe { text(message, limits::MESSAGE_MAX)? })
    };
    complete(future, outcome, message, Object::None)
}

fn complete(
    future: rota_future,
    outcome: impl FnOnce() -> Result<Outcome>,
    message: impl FnOnce(crate::sys::Memory) -> Result<Text>,
    object: Object,
) -> rota_status {
    let handle = Handle::from(future);
    if handle.is(Kind::Value) {
        return ROTA_ERR_DONE;
    }
    guard_kind(handle, Kind::Future, |state| {
        let slot = state.core.futures.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        if slot.done {
            return Err(ROTA_ERR_DONE.into());
        }
        if !matches!(slot.source, Source::Promise) {
            return Err(ROTA_ERR_INVALID.into());
        }
        let outcome = outcome()?;
        let message = message(state.core.memory.clone())?;
        state.core.future_complete(handle.key(), outcome, message, object);
        Ok(())
    })
}

/// Calls `callback` when the future is done, once, in a later turn, also if it
/// is done already. The callback is a claim: when the last one has been
/// answered, the future ends, unless it is kept or holds an object that nobody
/// took.
///
/// # Safety
/// `callback` may be called with `user_data`.
#[no_mangle]
pub unsafe extern "C" fn rota_future_then(
    future: rota_future,
    callback: rota_future_fn,
    user_data: *mut c_void,
) -> rota_status {
    let handle = Handle::from(future);
    // SAFETY: the caller's word, passed on.
    let then = callback.map(|callback| unsafe { HostThen::new(callback, user_data) });
    guard_runtime(find_future(handle), |runtime| {
        let then = then.ok_or(ROTA_ERR_INVALID)?;
        runtime.with(|state| {
            let owner = state.core.owner;
            claim(state, handle, Waiter::Then(then, owner))
        })
    })
}

/// The loop of a future, which may be a value.
pub(super) fn find_future<'a>(handle: Handle) -> Result<&'a Loop> {
    match handle.carried() {
        Some(_) => registry::find(handle.loop_number()),
        None => registry::find_kind(handle, Kind::Future),
    }
}

/// Adds a claim to a future, which may be a value.
pub(super) fn claim(state: &mut State<Services>, handle: Handle, waiter: Waiter) -> Result<()> {
    let (key, made) = state.core.future_with_slot(handle)?;
    let claimed = state.core.future_claim(key, waiter);
    if claimed.is_err() && made {
        state.core.futures.remove(key);
    }
    claimed
}

/// Takes back every callback of the future that is this one with this
/// `user_data`; it does not come. How many those were goes to `removed`, which
/// may be NULL. Callbacks that completing has queued already are not recalled.
///
/// # Safety
/// `removed` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_future_remove(
    future: rota_future,
    callback: rota_future_fn,
    user_data: *mut c_void,
    removed: *mut usize,
) -> rota_status {
    let handle = Handle::from(future);
    guard_kind(handle, Kind::Future, |state| {
        let callback = callback.ok_or(ROTA_ERR_INVALID)?;
        // SAFETY: only compared, never called.
        let gone = unsafe { HostThen::new(callback, user_data) };
        state.core.futures.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        let count = state
            .core
            .future_unclaim(handle.key(), |waiter| matches!(waiter, Waiter::Then(then, _) if then.same(gone)));
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_if_wanted(removed, count) };
        Ok(())
    })
}

/// Cancels what the future stands for, whoever waits for it: an operation is
/// withdrawn and says exactly how much it did, a promise ends cancelled, a
/// joined task is asked to end, a blocking call that has begun goes on to its
/// end. ROTA_ERR_DONE: it is done already.
#[no_mangle]
pub extern "C" fn rota_future_cancel(future: rota_future) -> rota_status {
    let handle = Handle::from(future);
    if handle.is(Kind::Value) {
        return ROTA_ERR_DONE;
    }
    guard_kind(handle, Kind::Future, |state| state.future_cancel(handle.key()))
}

/// Holds the future until rota_future_close(), however many have been answered.
#[no_mangle]
pub extern "C" fn rota_future_keep(future: rota_future) -> rota_status {
    let handle = Handle::from(future);
    if handle.is(Kind::Value) {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Future, |state| {
        state.core.futures.get_mut(handle.key()).ok_or(ROTA_ERR_HANDLE)?.kept = true;
        Ok(())
    })
}

/// Withdraws the operation if it is pending, lets go of an object that nobody
/// took, and ends the future. Closing null, or a future that is a value,
/// succeeds and does nothing. A join, or a wait for a group or for the start of a
/// task, is taken back: the task or the group goes on.
///
/// ROTA_ERR_BUSY: it cannot end yet, because somebody waits for it (he is
/// answered in the next turn, ROTA_ERR_CANCELLED if it was pending) or because a
/// blocking call has not returned; it ends by itself then.
#[no_mangle]
pub extern "C" fn rota_future_close(future: rota_future) -> rota_status {
    let handle = Handle::from(future);
    if handle.is_null() || handle.is(Kind::Value) {
        return ROTA_OK;
    }
    guard_runtime(registry::find_kind(handle, Kind::Future), |runtime| {
        let free = runtime.with(|state| state.future_close(handle.key()))?;
        runtime.let_go(free);
        Ok(())
    })
}

/// What the future came to. ROTA_ERR_PENDING: it is not done yet. The message
/// lives until the future ends.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_future_get_outcome(future: rota_future, out: *mut rota_outcome) -> rota_status {
    let handle = Handle::from(future);
    if let Some(carried) = handle.carried() {
        return guard(|| {
            let told = Outcome::from_short(carried).ok_or(ROTA_ERR_HANDLE)?;
            let answer = rota_outcome {
                status: told.status,
                value: told.value,
                moved_bytes: told.value as u64,
                ..outcome::EMPTY
            };
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out(out, answer) }
        });
    }
    guard_kind(handle, Kind::Future, |state| {
        let slot = state.core.futures.get_mut(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        if !slot.done {
            return Err(ROTA_ERR_PENDING.into());
        }
        wanted(out)?;
        slot.seen = true;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, slot.outcome.to_host(&slot.text)) }
    })
}

/// Takes the connection that an accept or a connect brought; it is yours to
/// close then. The future ends unless it is kept or somebody still waits.
/// ROTA_ERR_PENDING: it is not done; ROTA_ERR_INVALID: it holds no connection.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_future_take_stream(future: rota_future, out: *mut rota_stream) -> rota_status {
    take(future, out, |core, object| match object {
        Object::Stream(key) => Ok(core.handle(Kind::Stream, *key).into()),
        _ => Err(ROTA_ERR_INVALID.into()),
    })
}

/// Takes the pointer of rota_future_complete_with(); it is yours then. As
/// rota_future_take_stream() otherwise.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_future_take_result(future: rota_future, out: *mut *mut c_void) -> rota_status {
    take(future, out, |_, object| match object {
        Object::Result(pointer, _) => Ok(pointer.0),
        _ => Err(ROTA_ERR_INVALID.into()),
    })
}

fn take<T>(future: rota_future, out: *mut T, of: impl FnOnce(&crate::rt::Core, &Object) -> Result<T>) -> rota_status {
    let handle = Handle::from(future);
    if handle.is(Kind::Value) {
        return ROTA_ERR_INVALID;
    }
    guard_kind(handle, Kind::Future, |state| {
        wanted(out)?;
        let core = &mut state.core;
        let slot = core.futures.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        if !slot.done {
            return Err(ROTA_ERR_PENDING.into());
        }
        let taken = of(core, &slot.object)?;
        if let Some(slot) = core.futures.get_mut(handle.key()) {
            slot.object = Object::None;
        }
        core.future_released(handle.key());
        // SAFETY: the functions above pass a pointer that may be written.
        unsafe { hand_out(out, taken) }
    })
}

/// Takes the addresses that rota_loop_resolve() found, as many as `capacity`
/// allows, and drops the rest; how many there were in all goes to `count`,
/// which may be NULL. The future ends unless it is kept or somebody still
/// waits.
///
/// # Safety
/// `buffer` may be written for `capacity` addresses, `count` is NULL or may be
/// written.
#[no_mangle]
pub unsafe extern "C" fn rota_future_take_addresses(
    future: rota_future,
    buffer: *mut rota_address,
    capacity: usize,
    count: *mut usize,
) -> rota_status {
    if buffer.is_null() && capacity > 0 {
        return ROTA_ERR_INVALID;
    }
    let mut found = 0usize;
    take(future, &raw mut found, |_, object| match object {
        Object::Addresses(list) => {
            for (at, address) in list.iter().enumerate().take(capacity) {
                // SAFETY: `at` is below `capacity`; the rest is the caller's word.
                unsafe { buffer.add(at).write(*address) };
            }
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out_if_wanted(count, list.len()) };
            Ok(list.len())
        }
        _ => Err(ROTA_ERR_INVALID.into()),
    })
}
