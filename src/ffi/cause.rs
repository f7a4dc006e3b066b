//! Where failures came from.

use super::future::find_future;
use super::guard::{guard_kind, guard_runtime, guard_short, hand_out_sized, sized, text};
use super::registry;
use super::services::Services;
use super::task::running;
use crate::base::handle::{rota_future, rota_task};
use crate::base::{limits, rota_failure, rota_status, rota_status::*, Handle, Kind, Result};
use crate::rt::{Failure, Object, Outcome, Source, State};
use crate::sys::{Memory, Text};
use core::ffi::c_char;

/// The failure that is `depth` steps behind what the future came to: 0 is what
/// led to it, 1 what led to that. `out->size` must be set.
///
///     rota_outcome outcome;
///     rota_failure cause = {0};
///     size_t depth;
///     cause.size = sizeof cause;
///     rota_future_get_outcome(future, &outcome);
///     printf("%s: %s", rota_strerror(outcome.status), outcome.message);
///     for (depth = 0;
///          rota_future_get_cause(future, depth, &cause) == ROTA_OK; depth++) {
///         printf(", because %s %s: %s", cause.name,
///                rota_strerror(cause.outcome.status), cause.outcome.message);
///     }
///
/// A failure that came through the end of a task to which you gave a name comes
/// first in its own chain, with that name. Whatever passes a failure on
/// (rota_future_wait_for(), a gather, a race, ...) passes its chain on. Of more
/// than 16 the first, the root, and the latest are kept. The texts live until the
/// future ends.
///
/// ROTA_ERR_PENDING: it is not done yet; ROTA_ERR_NOT_FOUND: there is nothing so
/// far behind it, or it did not fail.
///
/// # Safety
/// `out` may be written for `out->size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_future_get_cause(
    future: rota_future,
    depth: usize,
    out: *mut rota_failure,
) -> rota_status {
    let handle = Handle::from(future);
    guard_runtime(find_future(handle), |runtime| {
        let cause = runtime.with(|state| {
            // SAFETY: the caller's word, passed on.
            unsafe { sized(out)? };
            if handle.carried().is_some() {
                return Err(ROTA_ERR_NOT_FOUND.into());
            }
            let slot = state.core.futures.get_mut(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
            if !slot.done {
                return Err(ROTA_ERR_PENDING.into());
            }
            slot.seen = true;
            let failure = Failure { outcome: &slot.outcome, text: &slot.text };
            failure.cause(depth).ok_or(ROTA_ERR_NOT_FOUND.into())
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_sized(out, &cause) }
    })
}

/// As rota_future_get_cause(), of what the task's last await came to. The texts
/// live until its next await.
///
/// # Safety
/// `out` may be written for `out->size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_cause(task: rota_task, depth: usize, out: *mut rota_failure) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        let slot = state.core.tasks.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        // SAFETY: the caller's word, passed on.
        unsafe { sized(out)? };
        let failure = Failure { outcome: &slot.outcome, text: &slot.text };
        let cause = failure.cause(depth).ok_or(ROTA_ERR_NOT_FOUND)?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_sized(out, &cause) }
    })
}

/// As rota_future_fail(), and says what led to it: `cause`, a future that is done
/// and has failed, becomes the first in the chain, with its own chain behind it.
/// It is not consumed, and counts as looked at.
///
/// ROTA_ERR_PENDING: `cause` is not done; ROTA_ERR_INVALID: it did not fail.
///
/// # Safety
/// `message` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_future_fail_because(
    future: rota_future,
    status: i32,
    message: *const c_char,
    cause: rota_future,
) -> rota_status {
    let (handle, cause) = (Handle::from(future), Handle::from(cause));
    if handle.is(Kind::Value) {
        return ROTA_ERR_DONE;
    }
    guard_kind(handle, Kind::Future, |state| {
        let slot = state.core.futures.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        if slot.done {
            return Err(ROTA_ERR_DONE.into());
        }
        check_cause(state, handle, cause)?;
        let slot = state.core.futures.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        if !matches!(slot.source, Source::Promise) {
            return Err(ROTA_ERR_INVALID.into());
        }
        let outcome = failure(status)?;
        // SAFETY: the caller's word, passed on.
        let own = unsafe { copied(&state.core.memory, message)? };
        let (key, made) = state.core.future_with_slot(cause)?;
        let text = state.core.text_because(own, key);
        if made {
            state.core.futures.discard(key);
        }
        state.core.future_complete(handle.key(), outcome, text?, Object::None);
        Ok(())
    })
}

/// Whether a future of this loop is there, is done, and has failed.
fn check_cause(state: &State<Services>, handle: Handle, cause: Handle) -> Result<()> {
    let short = match cause.carried() {
        Some(short) => short,
        None => {
            let ours = cause.is(Kind::Future) && cause.loop_number() == handle.loop_number();
            let slot = state.core.futures.get(cause.key()).filter(|_| ours).ok_or(ROTA_ERR_HANDLE)?;
            if !slot.done {
                return Err(ROTA_ERR_PENDING.into());
            }
            slot.outcome.short()
        }
    };
    if short < 0 {
        Ok(())
    } else {
        Err(ROTA_ERR_INVALID.into())
    }
}

/// In a task's body, the last thing before it returns: says that the task fails
/// with `status`, in the words of `message` (copied, may be NULL), because of
/// what its last await came to, if that was a failure. Returns `status`:
///
///     if (rota_await(rota_stream_read_exactly(conn, header, 16)) < 0) {
///         return rota_task_fail(task, MY_ERR_PROTOCOL, "reading the header");
///     }
///
/// Where memory is short, what there is to tell gets lost, and the status is the
/// same. ROTA_ERR_INVALID: `status` is none that a task can fail with;
/// ROTA_ERR_LIMIT: the message is longer than 4095 bytes; ROTA_ERR_NO_TASK: the
/// task is not the one that runs. Nothing is changed then.
///
/// # Safety
/// `message` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_task_fail(task: rota_task, status: i32, message: *const c_char) -> i64 {
    let handle = Handle::from(task);
    guard_short(registry::find_kind(handle, Kind::Task), |runtime| {
        running(handle)?;
        let outcome = failure(status)?;
        runtime.with(|state| {
            // SAFETY: the caller's word, passed on.
            let own = match unsafe { copied(&state.core.memory, message) } {
                Err(error) if error.status != ROTA_ERR_MEMORY => return Err(error),
                copied => copied.unwrap_or_default(),
            };
            state.core.task_fail(handle.key(), outcome, own);
            Ok(i64::from(status))
        })
    })
}

/// A status with which something fails.
fn failure(status: i32) -> Result<Outcome> {
    match Outcome::from_short(i64::from(status)) {
        Some(outcome) if status < 0 => Ok(outcome),
        _ => Err(ROTA_ERR_INVALID.into()),
    }
}

/// A copy of the caller's message.
///
/// # Safety
/// `message` is NULL or NUL-terminated.
unsafe fn copied(memory: &Memory, message: *const c_char) -> Result<Text> {
    if message.is_null() {
        return Ok(Text::None);
    }
    // SAFETY: the caller's word, passed on.
    Text::copy(memory.clone(), unsafe { text(message, limits::MESSAGE_MAX)? })
}
