//! Looking at tasks: all of them, one of them, and a dump for people.

use super::guard::{guard_kind, guard_loop, hand_out, hand_out_sized, sized, wanted};
use crate::base::handle::{rota_future, rota_loop, rota_task};
use crate::base::{rota_status, rota_status::*, Handle, Kind};
use crate::sys::host::{rota_dump_fn, HostLine};
use core::ffi::{c_char, c_void};

/// What is known about a task. Times are the loop's, of the turn in which a
/// thing began: at most some 100 us before it.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_task_info {
    /// The size of this struct, set by you.
    pub size: usize,
    /// One of ROTA_TASK_STATE_...
    pub state: u32,
    /// Requests to end it that were not taken back.
    pub cancelling: u32,
    /// The task that was running when it was spawned, null if none was. It may
    /// have ended.
    pub parent: rota_task,
    /// What it waits for, null unless it waits.
    pub waits_for: rota_future,
    /// The task that has to go on first, null if none is known: the one whose
    /// end it waits for, or that holds the lock it waits for. Of several at
    /// once, the first.
    pub waits_for_task: rota_task,
    /// What it waits for, in a word or two ("sleep", "task", "lock", "read"); a
    /// static text, "" unless it waits.
    pub waits_for_what: *const c_char,
    /// Since when it is in its state.
    pub since_ns: u64,
    /// When it was spawned.
    pub spawned_ns: u64,
    /// How often its body was resumed; this stops at 4294967295.
    pub steps: u64,
    /// Where in your code it was spawned, in debug mode; else NULL.
    pub started_at: *const c_void,
    /// 1 if it has a stack of its own, 0 if it is stepped.
    pub stackful: u32,
    /// Zero.
    pub reserved: u32,
    /// The bytes of its stack, all that can be used; 0 if it has none, or ended.
    pub stack_size: usize,
    /// The most it has used of them so far, as rota_task_get_stack_used() says; 0
    /// where that does not know.
    pub stack_used_bytes: usize,
}

/// What is known about a task. `out->size` must be set.
///
/// # Safety
/// `out` may be written for `out->size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_info(task: rota_task, out: *mut rota_task_info) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        // SAFETY: the caller's word, passed on.
        unsafe { sized(out)? };
        let info = state.task_info(handle.key())?;
        let task = |key: Option<_>| key.map_or(Handle::NULL, |key| state.core.handle(Kind::Task, key)).into();
        let found = rota_task_info {
            size: 0,
            state: info.state,
            cancelling: info.cancelling,
            parent: task(info.parent),
            waits_for: info.future.map_or(Handle::NULL, |key| state.core.future_handle(key)).into(),
            waits_for_task: task(info.task),
            waits_for_what: info.what.as_ptr(),
            since_ns: info.since,
            spawned_ns: info.spawned,
            steps: info.steps,
            started_at: core::ptr::without_provenance(info.origin.address()),
            stackful: info.stackful.into(),
            reserved: 0,
            stack_size: state.core.task_stack_size(handle.key()).unwrap_or(0),
            stack_used_bytes: state.core.task_stack_used(handle.key()).unwrap_or(0),
        };
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_sized(out, &found) }
    })
}

/// The tasks that have not ended, in the order in which they were spawned: the
/// first `capacity` of them go to `buffer`, and how many there are to `count`.
/// It sorts them, in memory of the loop's (ROTA_ERR_MEMORY).
///
/// # Safety
/// `buffer` may be written for `capacity` handles (or `capacity` is 0), `count`
/// may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_get_tasks(
    r#loop: rota_loop,
    buffer: *mut rota_task,
    capacity: usize,
    count: *mut usize,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(count)?;
        if buffer.is_null() && capacity > 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        runtime.with(|state| {
            let tasks = state.core.tasks_in_order()?;
            for (at, key) in tasks.iter().take(capacity).enumerate() {
                // SAFETY: `at` is below `capacity`, for which the caller gave his word.
                unsafe { buffer.add(at).write(state.core.handle(Kind::Task, *key).into()) };
            }
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out(count, tasks.len()) }
        })
    })
}

/// Says where all tasks stand, in lines for people: a tree of who waits for
/// whom, since when, what for, and (in debug mode) started where; then each
/// deadlock with the tasks in it; those who wait longest; and whether anything
/// is under way that could wake them. The words may change between versions:
/// programs use rota_task_get_info().
///
/// `line` is called with each line before this returns, with nothing of the
/// loop's in use; it may call anything but what runs or closes the loop. To dump
/// from another thread, post a callback that does it:
///
///     static void print(const char *line, void *user_data) {
///         (void)user_data;
///         fprintf(stderr, "%s\n", line);
///     }
///     static void dump(rota_loop loop, rota_status status, void *user_data) {
///         if (status == ROTA_OK) rota_loop_dump_tasks(loop, print, user_data);
///     }
///     ...
///     rota_loop_post(loop, dump, NULL);
///
/// It takes memory for the lines (ROTA_ERR_MEMORY: none was said), and time in
/// proportion to the tasks.
///
/// # Safety
/// `line` may be called with `user_data`.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_dump_tasks(
    r#loop: rota_loop,
    line: rota_dump_fn,
    user_data: *mut c_void,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        let line = line.ok_or(ROTA_ERR_INVALID)?;
        // SAFETY: the caller's word, passed on.
        runtime.dump_tasks(unsafe { HostLine::new(line, user_data) })
    })
}
