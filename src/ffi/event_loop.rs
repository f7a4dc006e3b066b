//! The loop: opening, driving, asking, closing.

use super::guard::{guard, guard_loop, guard_short, hand_out, hand_out_sized, sized, wanted};
use super::loop_options::{rota_loop_options, settings};
use super::options;
use super::registry;
use super::services::Services;
use crate::base::handle::{rota_future, rota_loop};
use crate::base::{rota_status, rota_status::*, Handle, Kind};
use crate::rt::{current, Message, Runtime, Service, TurnLimits};
use crate::sys::host::{rota_call_fn, HostCall, HostPointer};
use core::ffi::c_void;

/// Opens a loop that belongs to the calling thread: all its callbacks and tasks
/// run there, inside the calls that drive it. `options` may be NULL. A process
/// may have 1024 loops at once (ROTA_ERR_LIMIT), a thread any number of them.
///
/// Close it with rota_loop_close() when you are done.
///
/// # Safety
/// `options` is NULL or prepared by rota_loop_options_init(), `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open(options: *const rota_loop_options, out: *mut rota_loop) -> rota_status {
    guard(|| {
        wanted(out)?;
        // SAFETY: the caller's word, passed on.
        let options = unsafe { options::read(options)? };
        let settings = settings(&options)?;
        quiet_panics();
        let handle = registry::open(|number, generation| {
            Runtime::open(number, generation, settings, |core| Services::new(core, generation))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, handle.into()) }
    })
}

/// In the shared and static library, whose std is their own, a panic that is caught prints nothing. The Rust crate
/// leaves its program's hook alone.
fn quiet_panics() {
    #[cfg(feature = "capi")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    }
}

/// Closes a loop: asks every task to end and runs turns until they have, for at
/// most `limit_ns` (ROTA_FOREVER is allowed). Callbacks that are still pending
/// come in there with ROTA_ERR_CANCELLED. Null closes nothing and succeeds.
///
/// ROTA_OK: everything of the loop has ended, its handles are stale, no
/// callback comes any more. ROTA_ERR_BUSY: a task refused to end, a blocking
/// call has not returned, a peer has not taken what was given to
/// rota_stream_send(), or there are completions that you have not fetched
/// (rota_loop_next_completion()); the loop takes no new work (ROTA_ERR_CLOSING), stays
/// valid, and may be turned, closed again or abandoned. Tasks are asked by the
/// first call only, so that their cleanup is left in peace. What is left stands
/// in rota_loop_get_stats(), as tasks, jobs, streams and completions. ROTA_ERR_REENTRANT:
/// called from inside the loop.
#[no_mangle]
pub extern "C" fn rota_loop_close(r#loop: rota_loop, limit_ns: u64) -> rota_status {
    let handle = Handle::from(r#loop);
    if handle.is_null() {
        return ROTA_OK;
    }
    let mut last_generation = 0;
    let closed = guard_loop(handle, |runtime| {
        if runtime.is_running() {
            return Err(ROTA_ERR_REENTRANT.into());
        }
        registry::refuse_posts(handle, runtime);
        if runtime.is_poisoned() {
            runtime.quiesce()?;
        } else {
            runtime.close(limit_ns)?;
        }
        last_generation = runtime.last_generation();
        Ok(())
    });
    if closed != ROTA_OK {
        return closed;
    }
    guard(|| registry::take_closed(handle, last_generation, ROTA_ERR_CANCELLED).map(drop))
}

/// Gives a loop up without waiting: its handles are stale and no callback comes.
/// Stacks of tasks that have not ended are leaked, with whatever lies on them,
/// and so is what a blocking call still uses; nothing is unwound. No
/// `user_data_free` or `result_free` is called, unsent data is dropped.
/// ROTA_ERR_REENTRANT: called from inside the loop.
#[no_mangle]
pub extern "C" fn rota_loop_abandon(r#loop: rota_loop) -> rota_status {
    let handle = Handle::from(r#loop);
    if handle.is_null() {
        return ROTA_OK;
    }
    let mut last_generation = 0;
    let given_up = guard_loop(handle, |runtime| {
        if runtime.is_running() {
            return Err(ROTA_ERR_REENTRANT.into());
        }
        runtime.quiesce()?;
        last_generation = runtime.last_generation();
        Ok(())
    });
    if given_up != ROTA_OK {
        return given_up;
    }
    guard(|| registry::take_closed(handle, last_generation, ROTA_ERR_HANDLE).map(drop))
}

/// Runs the loop until rota_loop_stop(). ROTA_ERR_REENTRANT: it runs already.
#[no_mangle]
pub extern "C" fn rota_loop_run(r#loop: rota_loop) -> rota_status {
    guard_loop(r#loop, |runtime| runtime.run())
}

/// Runs the loop until `future` is done, and returns what it came to in the
/// short form: the value, or the negative status. It claims the future, which
/// thus ends. ROTA_ERR_STOPPED: the loop was stopped first; the future goes on.
#[no_mangle]
pub extern "C" fn rota_loop_run_until(r#loop: rota_loop, future: rota_future) -> i64 {
    let (handle, future) = (Handle::from(r#loop), Handle::from(future));
    guard_short(registry::find_loop(handle), |runtime| {
        let ours = future.is(Kind::Future) && future.loop_number() == handle.loop_number();
        if !ours && future.carried().is_none() {
            return Err(ROTA_ERR_HANDLE.into());
        }
        runtime.run_until(future)
    })
}

/// What a turn did.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_turn_figures {
    /// The size of this struct, set by you.
    pub size: usize,
    /// Callbacks and steps of tasks that ran.
    pub callbacks: u64,
    /// How many are ready and wait for the next turn.
    pub left: u64,
    /// How long the longest took; measured when a limit was given or in debug
    /// mode, else 0.
    pub longest_ns: u64,
    /// When a turn is needed at the latest, as rota_loop_get_next_deadline()
    /// says it.
    pub next_deadline_ns: u64,
    /// 1 if a limit cut the turn short: the next call resumes it.
    pub cut: u32,
    /// Zero.
    pub reserved: u32,
    /// How many stand in the queue of completions.
    pub completions: u64,
}

/// One turn: waits at most `wait_ns` if nothing is ready and no completion
/// stands to be fetched (0: not at all), then runs what is ready. Stops starting
/// callbacks after `budget_ns`, and after `max_callbacks` (0: no such limit); at
/// least one runs in any case. A turn that was cut short is resumed by the next
/// call, in the same order.
///
/// `figures` may be NULL; otherwise its `size` must be set.
///
/// # Safety
/// `figures` is NULL or may be written for `figures->size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_turn(
    r#loop: rota_loop,
    wait_ns: u64,
    budget_ns: u64,
    max_callbacks: u64,
    figures: *mut rota_turn_figures,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        if !figures.is_null() {
            // SAFETY: the caller's word, passed on.
            unsafe { sized(figures)? };
        }
        let did = runtime.turn(wait_ns, TurnLimits { budget_ns, callbacks: max_callbacks })?;
        if figures.is_null() {
            return Ok(());
        }
        let answer = rota_turn_figures {
            size: 0,
            callbacks: did.callbacks,
            left: did.left,
            longest_ns: did.longest_ns,
            next_deadline_ns: did.next_deadline,
            cut: u32::from(did.cut),
            reserved: 0,
            completions: did.completions,
        };
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_sized(figures, &answer) }
    })
}

/// Asks the loop to stop: the turn is finished, then the call that drives the
/// loop returns. If none does, the next one makes exactly one turn, without
/// waiting. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_loop_stop(r#loop: rota_loop) -> rota_status {
    guard(|| {
        registry::remote(Handle::from(r#loop), |remote| {
            remote.stop();
            Ok(())
        })
    })
}

/// Ends a wait of the loop. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_loop_wake(r#loop: rota_loop) -> rota_status {
    guard(|| {
        registry::remote(Handle::from(r#loop), |remote| {
            remote.wake();
            Ok(())
        })
    })
}

/// Queues a callback from any thread; it runs on the loop's thread, once. Posts
/// of one thread keep their order, and many of them wake the loop once.
/// Thread-safe.
///
/// # Safety
/// `callback` may be called with `user_data` on the loop's thread.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_post(
    r#loop: rota_loop,
    callback: rota_call_fn,
    user_data: *mut c_void,
) -> rota_status {
    guard(|| {
        let callback = callback.ok_or(ROTA_ERR_INVALID)?;
        // SAFETY: the caller's word, passed on.
        let call = unsafe { HostCall::new(callback, user_data) };
        registry::remote(Handle::from(r#loop), |remote| remote.post(Message::Call(call)))
    })
}

/// The time on the loop's clock, in nanoseconds.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_get_now(r#loop: rota_loop, out: *mut u64) -> rota_status {
    guard_loop(r#loop, |runtime| {
        let now = runtime.with(|state| Ok(state.core.read_clock()))?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, now) }
    })
}

/// Moves a virtual clock forward. Timers that become due fire in the next turn,
/// by their deadlines. ROTA_ERR_UNSUPPORTED: the clock is not virtual.
#[no_mangle]
pub extern "C" fn rota_loop_advance(r#loop: rota_loop, delta_ns: u64) -> rota_status {
    guard_loop(r#loop, |runtime| runtime.with(|state| state.core.clock.advance(delta_ns)))
}

/// A descriptor of the system's that becomes readable when a turn has something
/// to do from outside, for nesting the loop in another one: watch it, and call
/// rota_loop_turn() when it is readable or the next deadline has come. It stays
/// the loop's; do not read from it or close it. ROTA_ERR_UNSUPPORTED: this
/// system has none.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_get_descriptor(r#loop: rota_loop, out: *mut i64) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let descriptor = runtime.with(|state| Ok(state.core.driver.descriptor()))?;
        if descriptor < 0 {
            return Err(ROTA_ERR_UNSUPPORTED.into());
        }
        if descriptor < 0 {
            return Err(ROTA_ERR_UNSUPPORTED.into());
        }
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, descriptor) }
    })
}

/// When a turn is needed at the latest, on the loop's clock: now if something
/// is ready, ROTA_FOREVER if there is nothing to wait for but the descriptor. It
/// may be earlier than the next timer, never later.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_get_next_deadline(r#loop: rota_loop, out: *mut u64) -> rota_status {
    guard_loop(r#loop, |runtime| {
        let deadline = runtime.with(|state| Ok(state.core.next_deadline()))?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, deadline) }
    })
}

/// Turns debug mode on or off.
#[no_mangle]
pub extern "C" fn rota_loop_set_debug(r#loop: rota_loop, on: bool) -> rota_status {
    guard_loop(r#loop, |runtime| {
        runtime.with(|state| {
            state.core.debug = on;
            Ok(())
        })
    })
}

/// Keeps a pointer of yours with the loop. The loop never touches it.
///
/// # Safety
/// None: the pointer is only carried.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_set_user_data(r#loop: rota_loop, user_data: *mut c_void) -> rota_status {
    guard_loop(r#loop, |runtime| {
        runtime.with(|_| {
            runtime.user_data().set(HostPointer(user_data));
            Ok(())
        })
    })
}

/// The pointer that rota_loop_set_user_data() kept; NULL before.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_get_user_data(r#loop: rota_loop, out: *mut *mut c_void) -> rota_status {
    guard_loop(r#loop, |runtime| {
        let user_data = runtime.with(|_| Ok(runtime.user_data().get().0))?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, user_data) }
    })
}

/// The loop whose callback or task is running on this thread, innermost.
/// ROTA_ERR_HANDLE: none is.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_get_current(out: *mut rota_loop) -> rota_status {
    guard(|| {
        let now = current().ok_or(ROTA_ERR_HANDLE)?;
        let handle = registry::find(now.loop_number)?.with(|state| Ok(state.core.loop_handle()))?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, handle) }
    })
}

/// What a loop has done, has, and takes.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_loop_stats {
    /// The size of this struct, set by you.
    pub size: usize,
    /// Turns since the loop was opened.
    pub turns: u64,
    /// Callbacks and steps of tasks.
    pub callbacks: u64,
    /// Times the system was asked.
    pub polls: u64,
    /// Times the system was asked and had something.
    pub wakeups: u64,
    /// Ready to run, now.
    pub ready: u64,
    /// Armed timers and sleeps, now.
    pub timers: u64,
    /// Futures with a slot, now.
    pub futures: u64,
    /// Tasks that have not ended or have not been joined, now.
    pub tasks: u64,
    /// Listeners, now.
    pub listeners: u64,
    /// Streams, now; also those that still send after they were closed.
    pub streams: u64,
    /// Blocking calls, now.
    pub jobs: u64,
    /// Bytes that the loop's containers take, now.
    pub memory_bytes: u64,
    /// Bytes that they took at most.
    pub memory_peak_bytes: u64,
    /// Stacks in use, now.
    pub stacks: u64,
    /// Stacks kept for reuse, now.
    pub stacks_kept: u64,
    /// Completions that you have not fetched, now.
    pub completions: u64,
    /// Address space mapped for stacks, now; memory is taken by touched pages only.
    pub stacks_mapped_bytes: u64,
    /// The most that a task that has ended used of its stack, as far as debug mode
    /// saw; otherwise 0.
    pub stack_peak_bytes: u64,
}

/// What the loop has done, has, and takes. `out->size` must be set.
///
/// # Safety
/// `out` may be written for `out->size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_get_stats(r#loop: rota_loop, out: *mut rota_loop_stats) -> rota_status {
    guard_loop(r#loop, |runtime| {
        let stats = runtime.with(|state| {
            let core = &state.core;
            let (listeners, streams) = state.service.counts();
            let (stacks, stacks_kept) = core.stacks.counts();
            Ok(rota_loop_stats {
                size: 0,
                turns: core.counters.turns,
                callbacks: core.counters.callbacks,
                polls: core.counters.polls,
                wakeups: core.counters.wakeups,
                ready: core.ready.len() as u64,
                timers: core.timers.len() as u64,
                futures: core.futures.len() as u64,
                tasks: core.tasks.len() as u64,
                listeners: listeners as u64,
                streams: streams as u64,
                jobs: core.executor.busy() as u64,
                memory_bytes: core.memory.used(),
                memory_peak_bytes: core.memory.peak(),
                stacks: stacks as u64,
                stacks_kept: stacks_kept as u64,
                completions: core.drain.len() as u64,
                stacks_mapped_bytes: core.stacks.mapped_bytes() as u64,
                stack_peak_bytes: core.stack_peak as u64,
            })
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_sized(out, &stats) }
    })
}
