//! Task-local values.

use super::guard::{guard_kind, guard_runtime, hand_out, wanted};
use super::registry;
use crate::base::handle::rota_task;
use crate::base::{rota_status, Handle, Kind};
use crate::sys::host::{rota_free_fn, HostFree, HostPointer};
use core::ffi::c_void;

/// Sets a value that the task carries along under `key`, which is the address
/// of anything of yours (never read, not NULL); it takes the place of what the
/// task saw there. Tasks that it spawns from now on begin with its values as
/// they are then, and share them: what parent or child set later the other does
/// not see. A task that is spawned elsewhere, or for a connection, begins with
/// none. It costs a step for each key that the task has.
///
/// `value_free` may be NULL; otherwise it is called with `value` once, when the
/// last task that sees it has ended or set another value there (of a task that
/// ends, what it set last goes first). On an error it
/// is not called, and `value` stays yours. ROTA_ERR_DONE: its body has returned.
///
/// # Safety
/// `value_free` may be called with `value`.
#[no_mangle]
pub unsafe extern "C" fn rota_task_set_local(
    task: rota_task,
    key: *const c_void,
    value: *mut c_void,
    value_free: rota_free_fn,
) -> rota_status {
    let handle = Handle::from(task);
    // SAFETY: the caller's word, passed on.
    let free = value_free.map(|free| unsafe { HostFree::new(free, value) });
    guard_runtime(registry::find_kind(handle, Kind::Task), |runtime| {
        wanted(key.cast_mut())?;
        runtime.set_local(handle.key(), key.addr(), HostPointer(value), free)
    })
}

/// What the task sees under `key`: set by itself, or had from its parent. It
/// stays valid while the task runs and sets no other value there.
/// ROTA_ERR_NOT_FOUND: nothing. ROTA_ERR_DONE: its body has returned.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_local(
    task: rota_task,
    key: *const c_void,
    out: *mut *mut c_void,
) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        wanted(key.cast_mut())?;
        wanted(out)?;
        let value = state.core.task_get_local(handle.key(), key.addr())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, value.0) }
    })
}
