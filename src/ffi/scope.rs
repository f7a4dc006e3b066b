//! Cancel scopes: stretches of a task's work that can be cancelled, and given a deadline, on their own.

use super::guard::{guard_kind, guard_short, hand_out, text, wanted};
use super::registry;
use super::services::Services;
use crate::base::handle::{rota_scope, rota_task};
use crate::base::{limits, rota_status, rota_status::*, Handle, Kind, Result};
use crate::rt::{Fired, NewScope, State};
use crate::sys::{Memory, Text};
use core::ffi::c_char;

/// A scope's shield: requests to end that are made to the task itself, or by
/// scopes further out, wait until this one is left. Its own arrive, and those of
/// scopes inside it.
pub const ROTA_SCOPE_SHIELD: u32 = 1;
/// Once the scope has been cancelled or has timed out, every operation that
/// starts in it and every wait is answered ROTA_ERR_CANCELLED, until it is left;
/// those in a shield inside it are spared.
pub const ROTA_SCOPE_PERSISTENT: u32 = 2;

/// The scope has not fired.
pub const ROTA_SCOPE_OPEN: u32 = 0;
/// Its deadline has passed.
pub const ROTA_SCOPE_TIMED_OUT: u32 = 1;
/// It was cancelled.
pub const ROTA_SCOPE_CANCELLED: u32 = 2;

/// Begins a scope of the task's work, inside those that are open. When the
/// loop's clock (rota_loop_get_now()) reaches `deadline_ns`, the task is asked
/// to end what it does in the scope: ROTA_ERR_CANCELLED arrives where it waits,
/// once, as from rota_task_cancel(). ROTA_FOREVER: no deadline; one that has
/// passed asks in the next turn. `flags` are ROTA_SCOPE_... bits. Leave it with
/// rota_scope_leave(); a task that ends leaves its scopes.
///
/// Any code on the loop's thread may do this, for any task. ROTA_ERR_DONE: it
/// has ended.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_enter_scope(
    task: rota_task,
    deadline_ns: u64,
    flags: u32,
    out: *mut rota_scope,
) -> rota_status {
    enter(task, flags, out, |_| deadline_ns)
}

/// As rota_task_enter_scope(), with a deadline `timeout_ns` from now and no
/// flags:
///
///     rota_scope scope;
///     rota_task_enter_timeout(task, 1000000000, &scope);
///     int64_t result = rota_await(rota_stream_read(stream, buffer, size));
///     result = rota_scope_leave(scope, result);
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_enter_timeout(
    task: rota_task,
    timeout_ns: u64,
    out: *mut rota_scope,
) -> rota_status {
    enter(task, 0, out, |state| state.core.deadline_after(timeout_ns))
}

fn enter(
    task: rota_task,
    flags: u32,
    out: *mut rota_scope,
    deadline: impl FnOnce(&mut State<Services>) -> u64,
) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        wanted(out)?;
        if flags & !(ROTA_SCOPE_SHIELD | ROTA_SCOPE_PERSISTENT) != 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        let new = NewScope {
            deadline: deadline(state),
            shield: flags & ROTA_SCOPE_SHIELD != 0,
            persistent: flags & ROTA_SCOPE_PERSISTENT != 0,
        };
        let key = state.core.scope_enter(handle.key(), new)?;
        // SAFETY: the callers pass on the word of theirs.
        unsafe { hand_out(out, state.core.handle(Kind::Scope, key).into()) }
    })
}

/// Ends the scope, and what is still open inside it, from the innermost on.
/// Give it the result of the work in short form and go on with what it returns:
/// ROTA_ERR_TIMEOUT for ROTA_ERR_CANCELLED if the scope's deadline brought
/// that, `result` otherwise. Where others asked the task to end too, itself or a
/// scope further out, it stays ROTA_ERR_CANCELLED and is theirs.
///
/// The scope's own request is taken back, whether it has arrived or not. An
/// outcome that came in spite of it wins: rota_scope_get_state() tells before.
/// For null it returns `result`, for a scope that has ended ROTA_ERR_HANDLE, for
/// a group's ROTA_ERR_INVALID. A group that was opened inside it is cancelled.
#[no_mangle]
pub extern "C" fn rota_scope_leave(scope: rota_scope, result: i64) -> i64 {
    let handle = Handle::from(scope);
    if handle.is_null() {
        return result;
    }
    guard_short(registry::find_kind(handle, Kind::Scope), |runtime| {
        runtime.with(|state| state.scope_leave(handle.key(), result))
    })
}

/// Asks the task to end what it does in the scope, as the deadline would; the
/// result stays ROTA_ERR_CANCELLED when the scope is left. `reason` is copied:
/// it is the outcome's message where the request arrives; it may be NULL.
/// ROTA_ERR_DONE: it has been cancelled or has timed out already.
///
/// # Safety
/// `reason` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_scope_cancel(scope: rota_scope, reason: *const c_char) -> rota_status {
    let handle = Handle::from(scope);
    guard_kind(handle, Kind::Scope, |state| {
        // SAFETY: the caller's word, passed on.
        let reason = unsafe { reason_of(state.core.memory.clone(), reason)? };
        state.scope_cancel(handle.key(), reason)
    })
}

/// A copy of the reason that C passed; NULL is none.
///
/// # Safety
/// `reason` is NULL or NUL-terminated.
pub(super) unsafe fn reason_of(memory: Memory, reason: *const c_char) -> Result<Text> {
    if reason.is_null() {
        return Ok(Text::None);
    }
    // SAFETY: the caller's word, passed on.
    Text::copy(memory, unsafe { text(reason, limits::MESSAGE_MAX)? })
}

/// Moves the deadline, earlier or later; ROTA_FOREVER is none. ROTA_ERR_DONE: the
/// scope has been cancelled or has timed out.
#[no_mangle]
pub extern "C" fn rota_scope_set_deadline(scope: rota_scope, deadline_ns: u64) -> rota_status {
    let handle = Handle::from(scope);
    guard_kind(handle, Kind::Scope, |state| state.core.scope_set_deadline(handle.key(), deadline_ns))
}

/// The scope's deadline on the loop's clock, ROTA_FOREVER if it has none.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_scope_get_deadline(scope: rota_scope, out: *mut u64) -> rota_status {
    let handle = Handle::from(scope);
    guard_kind(handle, Kind::Scope, |state| {
        let deadline = state.core.scope_deadline(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, deadline) }
    })
}

/// Whether the scope has asked its task to end, and why: ROTA_SCOPE_OPEN (it has
/// not), ROTA_SCOPE_TIMED_OUT or ROTA_SCOPE_CANCELLED (a group's also because a
/// member failed).
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_scope_get_state(scope: rota_scope, out: *mut u32) -> rota_status {
    let handle = Handle::from(scope);
    guard_kind(handle, Kind::Scope, |state| {
        let told = match state.core.scope_fired(handle.key())? {
            Fired::No => ROTA_SCOPE_OPEN,
            Fired::TimedOut => ROTA_SCOPE_TIMED_OUT,
            Fired::Cancelled | Fired::Failed => ROTA_SCOPE_CANCELLED,
        };
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, told) }
    })
}

/// When the task will be asked to end at the latest: the nearest deadline of its
/// scopes, where a shield hides those outside it. ROTA_FOREVER: never.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_deadline(task: rota_task, out: *mut u64) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        let deadline = state.core.task_deadline(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, deadline) }
    })
}
