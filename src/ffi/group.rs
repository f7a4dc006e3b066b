//! Groups: tasks and operations that end together.

use super::guard::{guard, guard_combined, guard_kind, guard_loop, hand_out, hand_out_sized, sized, text, wanted};
use super::options::{self, Options};
use super::registry;
use super::scope::reason_of;
use super::task::{guard_spawn, rota_task_options};
use crate::base::handle::{rota_future, rota_group, rota_loop, rota_scope, rota_task};
use crate::base::{limits, rota_failure, rota_status, rota_status::*, Handle, Key, Kind, Result};
use crate::rt::{current, Core, Fired, NewGroup, NewTask, Start};
use crate::sys::host::{rota_step_fn, rota_task_fn, HostBody, HostStep};
use crate::sys::Text;
use core::ffi::{c_char, c_void};

/// A member's failure cancels nobody: the others go on.
pub const ROTA_GROUP_KEEP_GOING: u32 = 1;
/// No task owns the group, also if a task opens it.
pub const ROTA_GROUP_FREE: u32 = 2;

/// How to open a group. Prepare it with rota_group_options_init(); zero is every
/// default.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_group_options {
    /// The size of this struct, set by the init function.
    pub size: usize,
    /// For logs: at most 255 bytes of UTF-8, copied. NULL means "group".
    pub name: *const c_char,
    /// The time that its members have, from the opening on; 0 means no end.
    pub timeout_ns: u64,
    /// ROTA_GROUP_... bits.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

// SAFETY: integers and a pointer; the size first.
unsafe impl Options for rota_group_options {}

/// Fills in the defaults. `size` is `sizeof *options`.
///
/// # Safety
/// `options` may be written for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_group_options_init(options: *mut rota_group_options, size: usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    guard(|| unsafe { options::init(options, size) })
}

/// Opens a group: spawn tasks into it, wait for all of them, close it. When a
/// member fails, all others are asked to end; so they are when its time is over,
/// or when it is cancelled. `options` may be NULL.
///
/// If a task opens it (and not with ROTA_GROUP_FREE), that task *owns* it. It is
/// asked to end too, by one request that waiting for the group or closing it
/// takes back; and its own end waits for the group: what has not ended when its
/// body returns is cancelled, and joins, and the user_data_free, come after. So
/// no task of the group outlives it. Any other group belongs to who has the
/// handle, until the loop is closed.
///
/// # Safety
/// `options` is NULL or prepared by its init function; `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_group(
    r#loop: rota_loop,
    options: *const rota_group_options,
    out: *mut rota_group,
) -> rota_status {
    let handle = Handle::from(r#loop);
    guard_loop(handle, |runtime| {
        wanted(out)?;
        // SAFETY: the caller's word, passed on.
        let options: rota_group_options = unsafe { options::read(options)? };
        if options.flags & !(ROTA_GROUP_KEEP_GOING | ROTA_GROUP_FREE) != 0 || options.reserved != 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        let owner = if options.flags & ROTA_GROUP_FREE != 0 { None } else { running_task(handle) };
        let group = runtime.with(|state| {
            let core = &mut state.core;
            if owner.is_none() {
                core.refuse_if_closing()?;
            }
            let name = match options.name.is_null() {
                true => Text::Static(c"group"),
                // SAFETY: the caller's word, passed on.
                false => Text::copy(core.memory.clone(), unsafe { text(options.name, limits::TASK_NAME_MAX)? })?,
            };
            let deadline = core.deadline_after(if options.timeout_ns == 0 { u64::MAX } else { options.timeout_ns });
            let keep_going = options.flags & ROTA_GROUP_KEEP_GOING != 0;
            let key = core.group_open(NewGroup { name, deadline, keep_going, owner })?;
            Ok(core.handle(Kind::Group, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, group.into()) }
    })
}

/// The task that runs, innermost, if it is one of the handle's loop.
fn running_task(of: Handle) -> Option<Key> {
    current().filter(|now| now.loop_number == of.loop_number()).and_then(|now| now.task)
}

/// As rota_loop_spawn(), as a member of the group. Any code on the loop's thread
/// may do this. The task needs no join, and is let go when it ends: what it
/// fails with is the group's. `out` is NULL or gets its handle, to cancel it, or
/// to join it before it ends. A task that returns ROTA_ERR_CANCELLED has failed
/// unless somebody had asked it to end.
///
/// ROTA_ERR_CANCELLED: the group has been cancelled, its time is over, or a
/// member has failed; nothing is started.
///
/// # Safety
/// As for rota_loop_spawn().
#[no_mangle]
pub unsafe extern "C" fn rota_group_spawn(
    group: rota_group,
    body: rota_task_fn,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    unsafe {
        spawn_member(group, user_data, options, out, with_stack(body, user_data), |core, group, new, start| {
            core.group_spawn(group, new, start)
        })
    }
}

/// As rota_group_spawn(), for a stepped body (rota_loop_spawn_stepped()).
///
/// # Safety
/// As for rota_loop_spawn().
#[no_mangle]
pub unsafe extern "C" fn rota_group_spawn_stepped(
    group: rota_group,
    body: rota_step_fn,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    unsafe {
        spawn_member(group, user_data, options, out, by_steps(body, user_data), |core, group, new, start| {
            core.group_spawn(group, new, start)
        })
    }
}

/// As rota_group_spawn(), and returns a future that is done when the new task
/// calls rota_task_started(), with the value that it gives: a server that
/// listens, say, gives its port. If the task ends before, the future fails as
/// the task did (ROTA_ERR_INVALID if it did not), and that failure is not the
/// group's. Cancelling the future asks the task to end; closing it lets the task
/// go on.
///
/// # Safety
/// As for rota_loop_spawn().
#[no_mangle]
pub unsafe extern "C" fn rota_group_start(
    group: rota_group,
    body: rota_task_fn,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
) -> rota_future {
    // SAFETY: the caller's word, passed on.
    unsafe { start_member(group, user_data, options, out, with_stack(body, user_data)) }
}

/// As rota_group_start(), for a stepped body (rota_loop_spawn_stepped()).
///
/// # Safety
/// As for rota_loop_spawn().
#[no_mangle]
pub unsafe extern "C" fn rota_group_start_stepped(
    group: rota_group,
    body: rota_step_fn,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
) -> rota_future {
    // SAFETY: the caller's word, passed on.
    unsafe { start_member(group, user_data, options, out, by_steps(body, user_data)) }
}

/// How a stackful member is started.
///
/// # Safety
/// `body` may be called with `user_data`.
unsafe fn with_stack(body: rota_task_fn, user_data: *mut c_void) -> impl FnOnce(&mut Core, NewTask) -> Result<Key> {
    // SAFETY: the caller's word, passed on.
    let body = body.map(|body| unsafe { HostBody::new(body, user_data) });
    move |core, new| core.task_spawn(new, Start::Body(body.ok_or(ROTA_ERR_INVALID)?))
}

/// How a stepped member is started.
///
/// # Safety
/// `body` may be called with `user_data`.
unsafe fn by_steps(body: rota_step_fn, user_data: *mut c_void) -> impl FnOnce(&mut Core, NewTask) -> Result<Key> {
    // SAFETY: the caller's word, passed on.
    let step = body.map(|body| unsafe { HostStep::new(body, user_data) });
    move |core, new| core.task_spawn_stepped(new, step.ok_or(ROTA_ERR_INVALID)?)
}

/// # Safety
/// As for rota_loop_spawn().
unsafe fn spawn_member<F: FnOnce(&mut Core, NewTask) -> Result<Key>>(
    group: rota_group,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
    start: F,
    member: impl FnOnce(&mut Core, Key, NewTask, F) -> Result<Key>,
) -> rota_status {
    let handle = Handle::from(group);
    // SAFETY: the caller's word, passed on.
    unsafe {
        guard_spawn(registry::find_kind(handle, Kind::Group), user_data, options, out, |core, new| {
            member(core, handle.key(), NewTask { detached: true, ..new }, start)
        })
    }
}

/// # Safety
/// As for rota_loop_spawn().
unsafe fn start_member(
    group: rota_group,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
    start: impl FnOnce(&mut Core, NewTask) -> Result<Key>,
) -> rota_future {
    let mut future = Handle::NULL;
    // SAFETY: the caller's word, passed on.
    let status = unsafe {
        spawn_member(group, user_data, options, out, start, |core, group, new, start| {
            let (task, started) = core.group_start(group, new, start)?;
            future = started;
            Ok(task)
        })
    };
    if status != ROTA_OK {
        future = Handle::value(Handle::from(group).loop_number(), status as i64).unwrap_or(Handle::NULL);
    }
    future.into()
}

/// Says that a task which rota_group_start() began is ready: the future that it
/// returned is done with `value`, at or above zero. ROTA_ERR_DONE: it has said so
/// already, or the future was closed; ROTA_ERR_INVALID: the task was not started
/// in this way, or `value` is negative.
#[no_mangle]
pub extern "C" fn rota_task_started(task: rota_task, value: i64) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        if value < 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        state.core.task_started(handle.key(), value)
    })
}

/// Makes an operation a member of the group, a claim on `future`: its failure is
/// the group's, and the group's end cancels it, whoever else waits for it. Where
/// it was cancelled it has not failed. If this call fails, `future` stays as it
/// was. ROTA_ERR_CANCELLED as rota_group_spawn(); ROTA_ERR_INVALID: the future
/// stands for the end of this group, or of one that this group's owner belongs
/// to.
#[no_mangle]
pub extern "C" fn rota_group_add(group: rota_group, future: rota_future) -> rota_status {
    let (handle, future) = (Handle::from(group), Handle::from(future));
    guard_kind(handle, Kind::Group, |state| {
        let ours = future.is(Kind::Future) && future.loop_number() == handle.loop_number();
        if !ours && !future.is(Kind::Value) {
            return Err(ROTA_ERR_HANDLE.into());
        }
        state.group_add(handle.key(), future)
    })
}

/// A future that is done when the group has no member left (at once if it has
/// none): with the first failure, also of a member that failed after it was
/// asked to end; or with ROTA_ERR_TIMEOUT if the group's time was over,
/// ROTA_ERR_CANCELLED if it was cancelled; or with how many members have
/// succeeded since it was opened. All failures are in rota_group_get_error().
///
/// Cancelling it, where it is the only one and its claim the last, cancels the
/// group, and it is done when all have ended; so does cancelling the owner while
/// it waits. If the group has been asked to end already, cancelling only takes
/// the wait back; the owner waits on. If the owner asks for this future and has
/// been asked to end since it opened the group, the group is cancelled at once
/// (rota_task_uncancel() before says that it is to go on). Several may wait, and
/// again; a group that was not asked to end takes new members after.
/// ROTA_ERR_INVALID: the task that asks for it, or waits for it, is a member of
/// the group.
#[no_mangle]
pub extern "C" fn rota_group_wait(group: rota_group) -> rota_future {
    let handle = Handle::from(group);
    guard_combined(handle, registry::find_kind(handle, Kind::Group), |state| {
        state.group_wait(handle.key(), running_task(handle))
    })
}

/// Asks all members to end, and the owner, if it does not wait for the group;
/// nothing more is spawned in it. `reason` is copied: it is the outcome's message
/// where the request arrives; it may be NULL. ROTA_ERR_DONE: a member has failed
/// already, the time is over, or it was cancelled before.
///
/// # Safety
/// `reason` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_group_cancel(group: rota_group, reason: *const c_char) -> rota_status {
    let handle = Handle::from(group);
    guard_kind(handle, Kind::Group, |state| {
        let scope = state.core.group_scope(handle.key())?;
        if state.core.scope_fired(scope)? != Fired::No {
            return Err(ROTA_ERR_DONE.into());
        }
        // SAFETY: the caller's word, passed on.
        let reason = unsafe { reason_of(state.core.memory.clone(), reason)? };
        state.scope_cancel(scope, reason)
    })
}

/// The group's scope: to move its deadline, or to ask whether and why the group
/// was asked to end. It ends with the group; it is not for leaving.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_group_get_scope(group: rota_group, out: *mut rota_scope) -> rota_status {
    let handle = Handle::from(group);
    guard_kind(handle, Kind::Group, |state| {
        let scope = state.core.group_scope(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, state.core.handle(Kind::Scope, scope).into()) }
    })
}

/// How many members have not ended.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_group_get_count(group: rota_group, out: *mut usize) -> rota_status {
    let handle = Handle::from(group);
    guard_kind(handle, Kind::Group, |state| {
        let count = state.core.group_count(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, count) }
    })
}

/// How many members have failed.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_group_get_error_count(group: rota_group, out: *mut usize) -> rota_status {
    let handle = Handle::from(group);
    guard_kind(handle, Kind::Group, |state| {
        let count = state.core.group_error_count(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, count) }
    })
}

/// One of the failures, in the order in which they came, from 0. Its texts live
/// until the group ends. ROTA_ERR_NOT_FOUND: there are not so many. Failures of a
/// group that nobody waited for and nobody asked about reach the log.
///
/// # Safety
/// `out` may be written for `out->size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_group_get_error(group: rota_group, index: usize, out: *mut rota_failure) -> rota_status {
    let handle = Handle::from(group);
    guard_kind(handle, Kind::Group, |state| {
        // SAFETY: the caller's word, passed on.
        let size = unsafe { sized(out)? };
        let failure = state.core.group_error(handle.key(), index)?;
        let told = rota_failure { size, outcome: failure.outcome.to_host(&failure.text), name: failure.name.as_ptr() };
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_sized(out, &told) }
    })
}

/// Ends a group without members; its request to its owner is taken back. Closing
/// null succeeds and does nothing. ROTA_ERR_BUSY: it has members; it is cancelled,
/// and ends by itself with the last of them.
#[no_mangle]
pub extern "C" fn rota_group_close(group: rota_group) -> rota_status {
    let handle = Handle::from(group);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Group, |state| state.group_close(handle.key()))
}
