//! Tasks: spawning, waiting, joining, cancelling.

use super::guard::{guard, guard_future, guard_kind, guard_runtime, guard_short};
use super::guard::{hand_out, hand_out_if_wanted, hand_out_text, text, wanted};
use super::options::{self, Options};
use super::registry::{self, Loop};
use crate::base::handle::{rota_future, rota_loop, rota_task};
use crate::base::{limits, rota_outcome, rota_status, rota_status::*, Handle, Key, Kind, Result};
use crate::rt::{current, is_innermost, Core, NewTask, Next, StackWanted, Start};
use crate::sys::host::{rota_free_fn, rota_step_fn, rota_task_fn, HostBody, HostFree, HostStep};
use crate::sys::stack::HostStack;
use crate::sys::thread::in_hook;
use crate::sys::Text;
use core::ffi::{c_char, c_void};

/// Starts the body at once, inside the call that spawns it, up to its first
/// wait; the handle is written first. Its end is queued like any other. Eager
/// tasks that spawn eager tasks nest 16 deep, the next one starts in the next
/// turn.
pub const ROTA_TASK_EAGER: u32 = 1;

/// How to start a task. Prepare it with rota_task_options_init(); zero is every
/// default.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_task_options {
    /// The size of this struct, set by the init function.
    pub size: usize,
    /// For logs: at most 255 bytes of UTF-8, copied. NULL means "task".
    pub name: *const c_char,
    /// A stack of at least this size instead of the loop's usual one, in bytes:
    /// powers of two are given. With `stack`: its size.
    pub stack_size: usize,
    /// Called with `user_data` once, when the task has ended (after its body,
    /// and after the groups that it owns); also when spawning fails.
    pub user_data_free: rota_free_fn,
    /// ROTA_TASK_... bits.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// Memory of yours for the stack: `stack_size` bytes, 16384 at least, 1 GiB
    /// at most. It is borrowed until the task has ended (its join is done, or
    /// `user_data_free` is called), and overwritten. Nothing guards its end: a
    /// word at the low end is checked when the task ends, in debug mode also
    /// whenever it waits, and the log says as an error that it was overwritten.
    /// ROTA_ERR_BUSY: another task of the loop runs on some of it; that a task
    /// of another loop does is not seen. What a task runs on that
    /// rota_loop_abandon() left must not be used again.
    ///
    /// NULL: a stack of ours. The 64 KiB below it end the process when they are
    /// touched; a function with a larger frame may step over them, unless it was
    /// compiled with -fstack-clash-protection.
    pub stack: *mut c_void,
}

// SAFETY: integers, pointers and a nullable function pointer; the size first.
unsafe impl Options for rota_task_options {}

/// Fills in the defaults. `size` is `sizeof *options`.
///
/// # Safety
/// `options` may be written for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_task_options_init(options: *mut rota_task_options, size: usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    guard(|| unsafe { options::init(options, size) })
}

/// Starts a task with a stack of its own: `body` runs in the next turn, and
/// waits with rota_await() wherever it likes. `options` may be NULL. With `out`
/// NULL the task is detached; otherwise join it or detach it, or it stays after
/// its end until the loop is closed.
///
/// # Safety
/// `body` may be called with `user_data`; `options` is NULL or prepared by its
/// init function; `out` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_spawn(
    r#loop: rota_loop,
    body: rota_task_fn,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    let body = body.map(|body| unsafe { HostBody::new(body, user_data) });
    // SAFETY: the caller's word, passed on.
    unsafe {
        guard_spawn(registry::find_loop(r#loop.into()), user_data, options, out, |core, new| {
            core.task_spawn(new, Start::Body(body.ok_or(ROTA_ERR_INVALID)?))
        })
    }
}

/// Starts a stepped task: `body` is called in the next turn, and again each time
/// what it waits for is done; it keeps its place in `user_data`. Otherwise as
/// rota_loop_spawn().
///
/// # Safety
/// As for rota_loop_spawn().
#[no_mangle]
pub unsafe extern "C" fn rota_loop_spawn_stepped(
    r#loop: rota_loop,
    body: rota_step_fn,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    let step = body.map(|body| unsafe { HostStep::new(body, user_data) });
    // SAFETY: the caller's word, passed on.
    unsafe {
        guard_spawn(registry::find_loop(r#loop.into()), user_data, options, out, |core, new| {
            core.task_spawn_stepped(new, step.ok_or(ROTA_ERR_INVALID)?)
        })
    }
}

/// Starts a task on the loop that was found, by `start`, inside the guard.
///
/// # Safety
/// As for rota_loop_spawn().
pub(super) unsafe fn guard_spawn(
    find: Result<&Loop>,
    user_data: *mut c_void,
    options: *const rota_task_options,
    out: *mut rota_task,
    start: impl FnOnce(&mut Core, NewTask) -> Result<Key>,
) -> rota_status {
    // SAFETY: the caller's word, passed on.
    let given = unsafe { options::read(options) };
    let free = given.ok().and_then(|options: rota_task_options| options.user_data_free);
    // SAFETY: the caller's word, passed on.
    let free = free.map(|free| unsafe { HostFree::new(free, user_data) });
    let mut made = false;
    let status = guard_runtime(find, |runtime| {
        let options = given?;
        let eager = options.flags & ROTA_TASK_EAGER != 0;
        if options.flags & !ROTA_TASK_EAGER != 0 || options.reserved != 0 || options.stack_size > limits::STACK_SIZE_MAX
        {
            return Err(ROTA_ERR_INVALID.into());
        }
        let stack = match (options.stack.is_null(), options.stack_size) {
            (true, 0) => StackWanted::Usual,
            (true, size) => StackWanted::Size(size),
            // SAFETY: the caller's word, passed on.
            (false, size) => StackWanted::Host(unsafe { HostStack::new(options.stack, size) }.ok_or(ROTA_ERR_INVALID)?),
        };
        let key = runtime.with(|state| {
            let core = &mut state.core;
            core.refuse_if_closing()?;
            let name = match options.name.is_null() {
                true => Text::Static(c"task"),
                // SAFETY: the caller's word, passed on.
                false => Text::copy(core.memory.clone(), unsafe { text(options.name, limits::TASK_NAME_MAX)? })?,
            };
            let parent = current().filter(|now| now.loop_number == core.number).and_then(|now| now.task);
            let new = NewTask { name, stack, free, detached: out.is_null(), parent, eager };
            let key = start(core, new)?;
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out_if_wanted(out, core.handle(Kind::Task, key).into()) };
            Ok(key)
        })?;
        made = true;
        if eager {
            runtime.start_eager(key)?;
        }
        Ok(())
    });
    match free {
        Some(free) if !made => free.call(),
        _ => {}
    }
    status
}

/// Waits until the future is done and returns what it came to in the short form:
/// the value, or the negative status; the full outcome is in
/// rota_task_get_outcome() until the task's next await. The future ends with
/// this, if nobody else waits for it and it holds no object.
///
/// Only inside a stackful task, as the innermost thing that runs
/// (ROTA_ERR_NO_TASK otherwise, and nothing is consumed). Waiting for what is
/// done already does not give up the turn, but after 128 of those in one turn
/// the task is made to yield.
#[no_mangle]
pub extern "C" fn rota_await(future: rota_future) -> i64 {
    let handle = Handle::from(future);
    let find = || {
        let now = current().ok_or(if in_hook() { ROTA_ERR_REENTRANT } else { ROTA_ERR_NO_TASK })?;
        let runtime = registry::find(now.loop_number)?;
        if handle.carried().is_some() {
            return Ok(runtime);
        }
        if !handle.is(Kind::Future) {
            return Err(ROTA_ERR_HANDLE.into());
        }
        if now.loop_number != handle.loop_number() {
            registry::find(handle.loop_number())?;
            return Err(ROTA_ERR_NO_TASK.into());
        }
        Ok(runtime)
    };
    guard_short(find(), |runtime| Ok(runtime.await_future(handle)))
}

/// Gives up the turn; `task` must be the task that runs. Returns 0, or
/// ROTA_ERR_CANCELLED if the task was asked to end. A stepped body returns what
/// this returns, as with rota_task_wait(): it is called again in the next turn,
/// and its outcome says the same.
#[no_mangle]
pub extern "C" fn rota_task_yield(task: rota_task) -> i64 {
    let handle = Handle::from(task);
    guard_short(registry::find_kind(handle, Kind::Task), |runtime| {
        running(handle)?;
        runtime.await_turn(handle.key())
    })
}

/// For a stepped body: says what to wait for. Return what this returns; the body
/// is called again with the outcome when `future` is done.
#[no_mangle]
pub extern "C" fn rota_task_wait(task: rota_task, future: rota_future) -> i64 {
    let (handle, future) = (Handle::from(task), Handle::from(future));
    guard_short(registry::find_kind(handle, Kind::Task), |runtime| {
        runtime.with(|state| {
            running(handle)?;
            let ours = future.is(Kind::Future) && future.loop_number() == handle.loop_number();
            if future.carried().is_none() && !(ours && state.core.futures.get(future.key()).is_some()) {
                return Err(ROTA_ERR_HANDLE.into());
            }
            if state.core.future_is_above(future.key(), handle.key()) && future.carried().is_none() {
                return Err(ROTA_ERR_INVALID.into());
            }
            state.core.task_set_next(handle.key(), Next::Future(future))?;
            Ok(crate::rt::ROTA_STEP_WAIT)
        })
    })
}

/// Whether the task is the one that runs, innermost.
pub(super) fn running(task: Handle) -> Result<()> {
    match is_innermost(task) {
        true => Ok(()),
        false => Err(ROTA_ERR_NO_TASK.into()),
    }
}

/// A future for the end of a task: its value is what the body returned, its
/// failure the body's. Cancelling it, where it is the only join and its claim
/// the last, asks the task to end. A task that has ended is let go by this.
/// ROTA_ERR_INVALID: the task would wait for itself.
#[no_mangle]
pub extern "C" fn rota_task_join(task: rota_task) -> rota_future {
    let handle = Handle::from(task);
    guard_future(handle, registry::find_kind(handle, Kind::Task), |state| {
        if running(handle).is_ok() {
            return Err(ROTA_ERR_INVALID.into());
        }
        state.core.task_join(handle.key())
    })
}

/// Says that nobody will join the task: it is let go when it ends. An error that
/// nobody looked at goes to the log.
#[no_mangle]
pub extern "C" fn rota_task_detach(task: rota_task) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| state.core.task_detach(handle.key()))
}

/// Asks a task to end. Once per request, ROTA_ERR_CANCELLED arrives where the
/// task waits; it may clean up with further awaits, and may refuse. What it
/// waits for is withdrawn if nobody else does; a blocking call that runs goes
/// on, a joined task is asked in its turn, and the task waits for their answer.
/// An outcome that is ready, or that they answer, wins: the request then meets
/// the task at its next operation, which starts nothing. ROTA_ERR_DONE: it has
/// ended.
#[no_mangle]
pub extern "C" fn rota_task_cancel(task: rota_task) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| state.task_cancel(handle.key()))
}

/// As rota_task_cancel(), and says why: `reason` is copied, and is the outcome's
/// message where the request arrives, and of the task's own outcome if it ends
/// with ROTA_ERR_CANCELLED. NULL is none. A later reason takes the place of an
/// earlier one.
///
/// # Safety
/// `reason` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_task_cancel_with(task: rota_task, reason: *const c_char) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        // SAFETY: the caller's word, passed on.
        let reason = unsafe { super::scope::reason_of(state.core.memory.clone(), reason)? };
        state.task_cancel_with(handle.key(), reason)
    })
}

/// Takes one request back that was made to the task itself, not those of its
/// scopes; how many are left, theirs included, goes to `left`, which may be
/// NULL. With the last one goes a request that was not delivered yet.
///
/// # Safety
/// `left` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_uncancel(task: rota_task, left: *mut u32) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        let requests = state.core.task_uncancel(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_if_wanted(left, requests) };
        Ok(())
    })
}

/// How many requests to end the task has had that were not taken back, those of
/// its scopes included.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_cancelling(task: rota_task, out: *mut u32) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        let requests = state.core.task_cancelling(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, requests) }
    })
}

/// Copies the task's name into `buffer`, cut to fit and NUL-terminated; its full
/// length goes to `length`, which may be NULL.
///
/// # Safety
/// `buffer` may be written for `size` bytes, `length` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_name(
    task: rota_task,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        let name = &state.core.tasks.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?.name;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_text(name.as_bytes(), buffer, size, length) }
    })
}

/// How many bytes of its stack the task has used at most so far, also while it
/// runs. Only for a stackful task that was started in debug mode, which starts it
/// on a stack of zeros and finds the lowest byte that is not zero any more
/// (ROTA_ERR_UNSUPPORTED otherwise; where the system does not let the library
/// look, too). ROTA_ERR_DONE: it has ended; in debug mode the log warns then if
/// it used more than three quarters.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_stack_used(task: rota_task, out: *mut usize) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        wanted(out)?;
        let used = state.core.task_stack_used(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, used) }
    })
}

/// The full outcome of the task's last await. The message lives until its next.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_outcome(task: rota_task, out: *mut rota_outcome) -> rota_status {
    let handle = Handle::from(task);
    guard_kind(handle, Kind::Task, |state| {
        let slot = state.core.tasks.get(handle.key()).ok_or(ROTA_ERR_HANDLE)?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, slot.outcome.to_host(&slot.text)) }
    })
}

/// The task that is running on this thread, innermost. ROTA_ERR_NO_TASK: none is.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_task_get_current(out: *mut rota_task) -> rota_status {
    guard(|| {
        wanted(out)?;
        let now = current().ok_or(ROTA_ERR_NO_TASK)?;
        registry::find(now.loop_number)?;
        let key = now.task.ok_or(ROTA_ERR_NO_TASK)?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, Handle::new(Kind::Task, now.loop_number, key).into()) }
    })
}
