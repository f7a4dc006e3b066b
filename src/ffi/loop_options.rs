//! How a loop is opened: the options, and what they mean.

use super::guard::guard;
use super::options::{self, Options};
use crate::base::{limits, rota_status, rota_status::*, Result};
use crate::rt::Settings;
use crate::sys::clock::{Clock, ROTA_CLOCK_HOST};
use crate::sys::host::{
    rota_allocator, rota_clock_fn, rota_executor_fn, rota_log_fn, rota_task_hook_fn, HostAllocator, HostClock,
    HostExecutor, HostLog, HostTaskHook,
};
use crate::sys::Memory;
use core::ffi::c_void;

/// Debug mode: reports callbacks that ran too long, and says more in the log.
pub const ROTA_LOOP_DEBUG: u32 = 1;
/// The loop makes no thread; what needs one answers ROTA_ERR_NO_THREADS, unless
/// the host brings an executor.
pub const ROTA_LOOP_NO_THREADS: u32 = 2;

/// How to open a loop. Prepare it with rota_loop_options_init(); zero is every
/// default. The struct is copied; hooks and their data are in use until the
/// loop is closed.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_loop_options {
    /// The size of this struct, set by the init function.
    pub size: usize,
    /// ROTA_LOOP_... bits.
    pub flags: u32,
    /// ROTA_DRIVER_...
    pub driver: u32,
    /// ROTA_CLOCK_...
    pub clock: u32,
    /// Threads for blocking calls at most; 0 means 8, 1024 is the most.
    pub max_threads: u32,
    /// Hook: the host's clock, with ROTA_CLOCK_HOST.
    pub clock_hook: rota_clock_fn,
    /// Handed to it.
    pub clock_data: *mut c_void,
    /// Hook: the host's log.
    pub log: rota_log_fn,
    /// Handed to it.
    pub log_data: *mut c_void,
    /// Hook: the host's threads, used instead of the loop's own.
    pub executor: rota_executor_fn,
    /// Handed to it.
    pub executor_data: *mut c_void,
    /// Hooks: the host's allocator.
    pub allocator: rota_allocator,
    /// The most bytes that the loop's own containers may take; 0 is no limit.
    pub memory_limit: u64,
    /// What debug mode calls too long; 0 means 100 ms.
    pub slow_callback_ns: u64,
    /// The stack of a task that names no size, in bytes of address space, of which
    /// only touched pages take memory; 0 means 256 KiB, and powers of two are given.
    pub stack_size: usize,
    /// Stacks kept for reuse; 0 means 1024. Those that nobody needs for a while
    /// keep 16 KiB of memory each.
    pub stacks_kept: u32,
    /// Zero.
    pub reserved: u32,
    /// Hook: is told when a task is spawned, resumed, paused and ended.
    pub task_hook: rota_task_hook_fn,
    /// Handed to it.
    pub task_hook_data: *mut c_void,
}

// SAFETY: integers, pointers and nullable function pointers; the size first.
unsafe impl Options for rota_loop_options {}

/// Fills in the defaults. `size` is `sizeof *options`.
///
/// # Safety
/// `options` may be written for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_options_init(options: *mut rota_loop_options, size: usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    guard(|| unsafe { options::init(options, size) })
}

/// What the runtime is told.
pub(super) fn settings(options: &rota_loop_options) -> Result<Settings> {
    let known = ROTA_LOOP_DEBUG | ROTA_LOOP_NO_THREADS;
    let allocator = &options.allocator;
    let hooks = [allocator.alloc.is_some(), allocator.realloc.is_some(), allocator.dealloc.is_some()];
    let threads = if options.max_threads == 0 { limits::THREADS } else { options.max_threads };
    let stack_size = if options.stack_size == 0 { limits::STACK_SIZE } else { options.stack_size };
    if options.flags & !known != 0
        || options.reserved != 0
        || hooks.iter().any(|hook| *hook != hooks[0])
        || threads > limits::THREADS_MAX
        || stack_size > limits::STACK_SIZE_MAX
    {
        return Err(ROTA_ERR_INVALID.into());
    }
    let limit = if options.memory_limit == 0 { u64::MAX } else { options.memory_limit };
    // SAFETY: whoever opens a loop promises (in the header) that its hooks stay
    // valid until it is closed.
    let (allocator, log, executor, task_hook) = unsafe {
        (
            HostAllocator::new(allocator),
            options.log.map(|hook| HostLog::new(hook, options.log_data)),
            options.executor.map(|hook| HostExecutor::new(hook, options.executor_data)),
            options.task_hook.map(|hook| HostTaskHook::new(hook, options.task_hook_data)),
        )
    };
    Ok(Settings {
        memory: Memory::new(allocator, limit),
        driver: options.driver,
        clock: clock(options)?,
        log,
        task_hook,
        executor,
        threads_allowed: options.flags & ROTA_LOOP_NO_THREADS == 0 || options.executor.is_some(),
        max_threads: threads,
        debug: options.flags & ROTA_LOOP_DEBUG != 0,
        slow_callback_ns: match options.slow_callback_ns {
            0 => limits::SLOW_CALLBACK_NS,
            given => given,
        },
        stack_size,
        stacks_kept: if options.stacks_kept == 0 { limits::STACKS_KEPT } else { options.stacks_kept },
    })
}

fn clock(options: &rota_loop_options) -> Result<Clock> {
    if options.clock_hook.is_some() != (options.clock == ROTA_CLOCK_HOST) {
        return Err(ROTA_ERR_INVALID.into());
    }
    // SAFETY: as for the other hooks.
    let hook = options.clock_hook.map(|hook| unsafe { HostClock::new(hook, options.clock_data) });
    Clock::new(options.clock, hook)
}
