//! From other threads: completing, failing, cancelling, and waiting blocked.

use super::guard::{guard, guard_number, hand_out_if_wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_group, rota_scope, rota_task};
use crate::base::{rota_outcome, rota_status, rota_status::*, Handle, Kind, Result};
use crate::rt::{current, Message, Outcome, Told};
use crate::sys::host::{rota_free_fn, HostResult};
use crate::sys::primitives::deadline_after;
use core::ffi::c_void;

/// Hands a message to the loop of a handle.
fn post(handle: impl Into<Handle>, kind: Kind, message: impl FnOnce(Handle) -> Result<Message>) -> rota_status {
    let handle = handle.into();
    guard(|| {
        registry::refuse_unless(handle, kind)?;
        let message = message(handle)?;
        registry::remote_of(handle, |remote| remote.post(message))
    })
}

/// As rota_future_complete(), from any thread: the loop completes the promise in
/// its next turn. ROTA_OK: it was handed over; if the promise has been completed
/// or has ended by then, nothing happens. What one thread posts, callbacks
/// included, is done in its order. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_future_post_complete(future: rota_future, value: i64) -> rota_status {
    post(future, Kind::Future, |future| match value {
        0.. => Ok(Message::Complete(future.key(), value)),
        _ => Err(ROTA_ERR_INVALID.into()),
    })
}

/// As rota_future_complete_with(), from any thread; otherwise as
/// rota_future_post_complete(). `result_free` (which may be NULL) is called on
/// the loop's thread if nobody takes the result, also when the promise was
/// completed or had ended before. If this call fails, the pointer stays yours;
/// if the loop is abandoned, it is leaked. Thread-safe.
///
/// # Safety
/// `result_free` is NULL or may be called with `result` on the loop's thread.
#[no_mangle]
pub unsafe extern "C" fn rota_future_post_complete_with(
    future: rota_future,
    result: *mut c_void,
    result_free: rota_free_fn,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    let result = unsafe { HostResult::new(result, result_free) };
    post(future, Kind::Future, |future| Ok(Message::Result(future.key(), result)))
}

/// As rota_future_fail() without a message, from any thread; otherwise as
/// rota_future_post_complete(). Thread-safe.
#[no_mangle]
pub extern "C" fn rota_future_post_fail(future: rota_future, status: i32) -> rota_status {
    post(future, Kind::Future, |future| match Outcome::from_short(i64::from(status)) {
        Some(_) if status < 0 => Ok(Message::Complete(future.key(), i64::from(status))),
        _ => Err(ROTA_ERR_INVALID.into()),
    })
}

/// As rota_task_cancel(), from any thread: the loop asks the task in its next
/// turn. ROTA_OK: it was handed over; if the task has ended by then, nothing
/// happens. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_task_post_cancel(task: rota_task) -> rota_status {
    post(task, Kind::Task, |task| Ok(Message::CancelTask(task.key())))
}

/// As rota_scope_cancel() without a reason, from any thread; otherwise as
/// rota_task_post_cancel(). Thread-safe.
#[no_mangle]
pub extern "C" fn rota_scope_post_cancel(scope: rota_scope) -> rota_status {
    post(scope, Kind::Scope, |scope| Ok(Message::CancelScope(scope.key())))
}

/// As rota_group_cancel() without a reason, from any thread; otherwise as
/// rota_task_post_cancel(). Thread-safe.
#[no_mangle]
pub extern "C" fn rota_group_post_cancel(group: rota_group) -> rota_status {
    post(group, Kind::Group, |group| Ok(Message::CancelGroup(group.key())))
}

/// Blocks the calling thread until the future is done, and returns what it came
/// to in short form: the value, or the negative status. It claims the future,
/// which thus ends unless something else holds it; an object in it stays there,
/// for the loop's thread to take. Thread-safe.
///
/// `timeout_ns` is of the system's clock, ROTA_FOREVER is no limit. The loop's
/// own thread has to turn it meanwhile; a timeout of 0 is too short for its
/// answer. `out` may be NULL; it is written when the future was done, with a
/// message only where that is the library's own, which lives for ever.
///
/// ROTA_ERR_TIMEOUT with `out` unwritten: the time is over, the claim is taken
/// back, the future goes on. ROTA_ERR_CANCELLED: it was cancelled, or its loop
/// was closed. ROTA_ERR_HANDLE: it had ended, or its loop was abandoned.
/// ROTA_ERR_CLOSING: its loop is closing. ROTA_ERR_REENTRANT: the calling thread
/// is the loop's own, or inside a callback or a task of another loop; it would
/// hold up what it waits for. A future that is a value is answered at once, on
/// any thread.
///
/// # Safety
/// `out` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_future_wait_blocking(
    future: rota_future,
    timeout_ns: u64,
    out: *mut rota_outcome,
) -> i64 {
    let handle = Handle::from(future);
    guard_number(|| {
        let told = match handle.carried() {
            Some(carried) => Told::carried(carried).ok_or(ROTA_ERR_HANDLE)?,
            None => blocked_until_done(handle, timeout_ns)?,
        };
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_if_wanted(out, told.to_host()) };
        Ok(told.outcome.short())
    })
}

fn blocked_until_done(future: Handle, timeout_ns: u64) -> Result<Told> {
    registry::refuse_unless(future, Kind::Future)?;
    let deadline = deadline_after(timeout_ns);
    let (remote, ticket) = registry::remote_of(future, |remote| {
        if registry::is_own(future) || current().is_some() {
            return Err(ROTA_ERR_REENTRANT.into());
        }
        Ok((remote.clone(), remote.begin_wait(future.key())?))
    })?;
    match remote.waits().wait(ticket, deadline) {
        Some(answer) => answer,
        None => {
            remote.end_wait(future.key(), ticket);
            Err(ROTA_ERR_TIMEOUT.into())
        }
    }
}
