//! The host: its callbacks, its hooks, its buffers, as types that `rt` and `io` can hold.
//!
//! `ffi` makes these values from raw pointers; that is the unsafe step, and the
//! promise made there (the header's: the function and its `user_data` stay
//! valid until the last call, a buffer until its operation has ended) is what
//! makes every call here sound. User code is called from this file only, with
//! one method for each signature, and always by a caller that holds nothing:
//! `rt/callback.rs` for callbacks, `rt/coro` for bodies, the executor for jobs.
//! Hooks run inside our work; `HookScope` makes every call in them answer
//! ROTA_ERR_REENTRANT.

// Pointers pass through these calls to the host, for whom they were made; nothing here follows them.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

use super::thread::HookScope;
use crate::base::handle::{rota_future, rota_loop, rota_stream, rota_task, rota_timer};
use crate::base::outcome::rota_outcome;
use crate::base::status::rota_status;
use core::alloc::Layout;
use core::ffi::{c_char, c_void, CStr};

/// A callback queued with rota_loop_call_soon() or rota_loop_post(). `status`
/// is ROTA_OK, or ROTA_ERR_CANCELLED when it was cancelled or the loop closes.
#[allow(non_camel_case_types)]
pub type rota_call_fn = Option<unsafe extern "C" fn(r#loop: rota_loop, status: rota_status, user_data: *mut c_void)>;

/// A timer's callback. `status` is ROTA_OK when it fired, ROTA_ERR_CANCELLED
/// when it was cancelled or the loop closes.
#[allow(non_camel_case_types)]
pub type rota_timer_fn = Option<unsafe extern "C" fn(timer: rota_timer, status: rota_status, user_data: *mut c_void)>;

/// A future's callback. `result` is the short form of the outcome: the value,
/// at or above zero, or the negative status. rota_future_get_outcome() has the
/// full one until the callback returns.
#[allow(non_camel_case_types)]
pub type rota_future_fn = Option<unsafe extern "C" fn(future: rota_future, result: i64, user_data: *mut c_void)>;

/// What rota_future_map() makes of a future: the short form of what it came to
/// is `result`, what is returned is the short form of another outcome.
#[allow(non_camel_case_types)]
pub type rota_map_fn = Option<unsafe extern "C" fn(future: rota_future, result: i64, user_data: *mut c_void) -> i64>;

/// What rota_future_chain() goes on with: `result` is what `future` came to, in
/// the short form, what is returned is waited for.
#[allow(non_camel_case_types)]
pub type rota_chain_fn =
    Option<unsafe extern "C" fn(future: rota_future, result: i64, user_data: *mut c_void) -> rota_future>;

/// Lets go of what a `user_data` or a result points to. Called exactly once.
#[allow(non_camel_case_types)]
pub type rota_free_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The body of a stackful task. What it returns is the task's outcome: a value
/// at or above zero, or a negative status.
#[allow(non_camel_case_types)]
pub type rota_task_fn = Option<unsafe extern "C" fn(task: rota_task, user_data: *mut c_void) -> i64>;

/// The body of a stepped task: called once to begin, with an empty outcome, and
/// again with the outcome of what it waited for. It returns what
/// rota_task_wait() returned in order to wait, and anything else to end.
#[allow(non_camel_case_types)]
pub type rota_step_fn =
    Option<unsafe extern "C" fn(task: rota_task, outcome: *const rota_outcome, user_data: *mut c_void) -> i64>;

/// The body of a task that serves one connection. The stream is the body's to
/// close.
#[allow(non_camel_case_types)]
pub type rota_serve_fn =
    Option<unsafe extern "C" fn(task: rota_task, stream: rota_stream, user_data: *mut c_void) -> i64>;

/// A line of a dump, without a newline, which lives for the call. Called inside
/// the call that asked for the dump.
#[allow(non_camel_case_types)]
pub type rota_dump_fn = Option<unsafe extern "C" fn(line: *const c_char, user_data: *mut c_void)>;

/// A blocking call, made on another thread. What it returns is the future's
/// outcome: a value at or above zero, or a negative status.
#[allow(non_camel_case_types)]
pub type rota_job_fn = Option<unsafe extern "C" fn(user_data: *mut c_void) -> i64>;

/// Hook: a line for the host's log. `level` is one of ROTA_LOG_..., `message`
/// lives for the call.
#[allow(non_camel_case_types)]
pub type rota_log_fn = Option<unsafe extern "C" fn(level: i32, message: *const c_char, user_data: *mut c_void)>;

/// Hook: something happened to a task. `event` is one of ROTA_TASK_SPAWNED,
/// ROTA_TASK_RESUMED, ROTA_TASK_PAUSED and ROTA_TASK_ENDED.
#[allow(non_camel_case_types)]
pub type rota_task_hook_fn = Option<unsafe extern "C" fn(task: rota_task, event: u32, user_data: *mut c_void)>;

/// Hook: the time in nanoseconds since any fixed moment. It should not go back;
/// if it does, the loop goes on as if it stood still.
#[allow(non_camel_case_types)]
pub type rota_clock_fn = Option<unsafe extern "C" fn(user_data: *mut c_void) -> u64>;

/// What a host's executor runs: call it once, with its `job`, on any thread but
/// the loop's.
#[allow(non_camel_case_types)]
pub type rota_work_fn = Option<unsafe extern "C" fn(job: *mut c_void)>;

/// Hook: the host's executor takes a job and returns 0, or a negative number to
/// refuse it. What it takes it must run: `work(job)`, once, on any other thread.
#[allow(non_camel_case_types)]
pub type rota_executor_fn =
    Option<unsafe extern "C" fn(work: rota_work_fn, job: *mut c_void, user_data: *mut c_void) -> i32>;

/// Hook: a new block of `size` bytes at a multiple of `align`, or NULL.
#[allow(non_camel_case_types)]
pub type rota_alloc_fn = Option<unsafe extern "C" fn(size: usize, align: usize, user_data: *mut c_void) -> *mut c_void>;

/// Hook: `block` moved to a block of `new_size` bytes, or NULL and the old one
/// stays as it is.
#[allow(non_camel_case_types)]
pub type rota_realloc_fn = Option<
    unsafe extern "C" fn(
        block: *mut c_void,
        old_size: usize,
        new_size: usize,
        align: usize,
        user_data: *mut c_void,
    ) -> *mut c_void,
>;

/// Hook: takes back a block.
#[allow(non_camel_case_types)]
pub type rota_dealloc_fn =
    Option<unsafe extern "C" fn(block: *mut c_void, size: usize, align: usize, user_data: *mut c_void)>;

/// The host's allocator, for everything that belongs to a loop. All of it zero
/// means the system's; otherwise all three functions are needed. They are
/// called on the loop's thread only.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_allocator {
    /// Gives a block.
    pub alloc: rota_alloc_fn,
    /// Resizes a block.
    pub realloc: rota_realloc_fn,
    /// Takes a block back; named so because `free` is a macro to some hosts.
    pub dealloc: rota_dealloc_fn,
    /// Handed to all three.
    pub user_data: *mut c_void,
}

macro_rules! host_callback {
    ($(#[$doc:meta])* $name:ident: fn($($arg:ident: $type:ty),*) $(-> $result:ty)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name {
            function: unsafe extern "C" fn($($arg: $type,)* user_data: *mut c_void) $(-> $result)?,
            user_data: *mut c_void,
        }

        impl $name {
            /// # Safety
            /// `function` may be called with `user_data` as often as its kind
            /// allows, on the thread its kind says, until its last call.
            pub unsafe fn new(
                function: unsafe extern "C" fn($($arg: $type,)* user_data: *mut c_void) $(-> $result)?,
                user_data: *mut c_void,
            ) -> Self {
                $name { function, user_data }
            }

            /// Whether both stand for the same function and data.
            pub fn same(self, other: Self) -> bool {
                core::ptr::fn_addr_eq(self.function, other.function) && self.user_data == other.user_data
            }

            /// What it is called with.
            pub fn data(self) -> HostPointer {
                HostPointer(self.user_data)
            }

            /// Calls the host.
            #[inline]
            pub fn call(self, $($arg: $type),*) $(-> $result)? {
                // SAFETY: promised when the value was made.
                unsafe { (self.function)($($arg,)* self.user_data) }
            }
        }
    };
}

host_callback!(
    /// A queued callback.
    HostCall: fn(r#loop: rota_loop, status: rota_status)
);
host_callback!(
    /// A timer's callback.
    HostTimer: fn(timer: rota_timer, status: rota_status)
);
host_callback!(
    /// A future's callback.
    HostThen: fn(future: rota_future, result: i64)
);
host_callback!(
    /// What maps a future.
    HostMap: fn(future: rota_future, result: i64) -> i64
);
host_callback!(
    /// What a chain goes on with.
    HostChain: fn(future: rota_future, result: i64) -> rota_future
);
host_callback!(
    /// A destructor.
    HostFree: fn()
);
host_callback!(
    /// The body of a stackful task.
    HostBody: fn(task: rota_task) -> i64
);
host_callback!(
    /// The body of a stepped task.
    HostStep: fn(task: rota_task, outcome: *const rota_outcome) -> i64
);
host_callback!(
    /// The body of a task that serves a connection.
    HostServe: fn(task: rota_task, stream: rota_stream) -> i64
);
host_callback!(
    /// Somebody who reads a dump.
    HostLine: fn(line: *const c_char)
);
host_callback!(
    /// A blocking call.
    HostJob: fn() -> i64
);

/// The host's destructor for whatever is dropped.
#[derive(Clone, Copy)]
pub struct HostDrop(unsafe extern "C" fn(*mut c_void));

impl HostDrop {
    /// # Safety
    /// `function` may be called with the data of whatever is dropped, once for each.
    pub unsafe fn new(function: unsafe extern "C" fn(*mut c_void)) -> Self {
        HostDrop(function)
    }

    /// The destructor of something with this data.
    pub fn of(self, data: HostPointer) -> HostFree {
        HostFree { function: self.0, user_data: data.0 }
    }
}

// SAFETY: a job is made to be called on another thread; the header says so to
// the host, who gives the function and the data for that.
unsafe impl Send for HostJob {}
// SAFETY: a posted callback crosses threads on its way to the loop; the header
// says so to the host.
unsafe impl Send for HostCall {}

/// A result of the host's on its way to a future, and how to let go of it.
#[derive(Clone, Copy)]
pub struct HostResult {
    pointer: *mut c_void,
    free: rota_free_fn,
}

impl HostResult {
    /// # Safety
    /// `free` may be called once with `pointer`, on the loop's thread.
    pub unsafe fn new(pointer: *mut c_void, free: rota_free_fn) -> Self {
        HostResult { pointer, free }
    }

    /// The pointer, and its destructor.
    pub fn parts(self) -> (HostPointer, Option<HostFree>) {
        // SAFETY: promised when the value was made.
        let free = self.free.map(|free| unsafe { HostFree::new(free, self.pointer) });
        (HostPointer(self.pointer), free)
    }
}

// SAFETY: it crosses threads on its way to the loop; the header says so to the
// host, who gives it away for that.
unsafe impl Send for HostResult {}

/// A pointer of the host's that we only carry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HostPointer(pub *mut c_void);

// SAFETY: it is a word to us, which is never followed; whose it is on which thread is between the host and the host.
unsafe impl Send for HostPointer {}

/// The host's log hook.
#[derive(Clone, Copy)]
pub struct HostLog {
    function: unsafe extern "C" fn(i32, *const c_char, *mut c_void),
    user_data: *mut c_void,
}

impl HostLog {
    /// # Safety
    /// `function` may be called with `user_data` until the loop is closed.
    pub unsafe fn new(function: unsafe extern "C" fn(i32, *const c_char, *mut c_void), user_data: *mut c_void) -> Self {
        HostLog { function, user_data }
    }

    /// Hands the host a line.
    pub fn call(self, level: i32, message: &CStr) {
        let _inside = HookScope::enter();
        // SAFETY: promised when the value was made; the text lives for the call.
        unsafe { (self.function)(level, message.as_ptr(), self.user_data) }
    }
}

/// The host's hook that is told of tasks.
#[derive(Clone, Copy)]
pub struct HostTaskHook {
    function: unsafe extern "C" fn(rota_task, u32, *mut c_void),
    user_data: *mut c_void,
}

impl HostTaskHook {
    /// # Safety
    /// `function` may be called with `user_data` until the loop is closed.
    pub unsafe fn new(function: unsafe extern "C" fn(rota_task, u32, *mut c_void), user_data: *mut c_void) -> Self {
        HostTaskHook { function, user_data }
    }

    /// Tells the host.
    pub fn call(self, task: rota_task, event: u32) {
        let _inside = HookScope::enter();
        // SAFETY: promised when the value was made.
        unsafe { (self.function)(task, event, self.user_data) }
    }
}

/// The host's clock hook.
#[derive(Clone, Copy)]
pub struct HostClock {
    function: unsafe extern "C" fn(*mut c_void) -> u64,
    user_data: *mut c_void,
}

impl HostClock {
    /// # Safety
    /// `function` may be called with `user_data` until the loop is closed.
    pub unsafe fn new(function: unsafe extern "C" fn(*mut c_void) -> u64, user_data: *mut c_void) -> Self {
        HostClock { function, user_data }
    }

    /// Asks the host for the time.
    pub fn call(self) -> u64 {
        let _inside = HookScope::enter();
        // SAFETY: promised when the value was made.
        unsafe { (self.function)(self.user_data) }
    }
}

/// The host's executor hook.
#[derive(Clone, Copy)]
pub struct HostExecutor {
    function: unsafe extern "C" fn(rota_work_fn, *mut c_void, *mut c_void) -> i32,
    user_data: *mut c_void,
}

impl HostExecutor {
    /// # Safety
    /// `function` may be called with `user_data` until the loop is closed.
    pub unsafe fn new(
        function: unsafe extern "C" fn(rota_work_fn, *mut c_void, *mut c_void) -> i32,
        user_data: *mut c_void,
    ) -> Self {
        HostExecutor { function, user_data }
    }

    /// Offers the host a job; whether it took it.
    pub fn call(self, work: unsafe extern "C" fn(*mut c_void), job: *mut c_void) -> bool {
        let _inside = HookScope::enter();
        // SAFETY: promised when the value was made; `work` and `job` belong together.
        unsafe { (self.function)(Some(work), job, self.user_data) >= 0 }
    }
}

/// The host's allocator hooks.
#[derive(Clone, Copy)]
pub struct HostAllocator {
    alloc: unsafe extern "C" fn(usize, usize, *mut c_void) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, usize, usize, usize, *mut c_void) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, usize, usize, *mut c_void),
    user_data: *mut c_void,
}

impl HostAllocator {
    /// The hooks if all three are there.
    ///
    /// # Safety
    /// They keep the header's promises until the loop is closed.
    pub unsafe fn new(hooks: &rota_allocator) -> Option<Self> {
        Some(HostAllocator {
            alloc: hooks.alloc?,
            realloc: hooks.realloc?,
            free: hooks.dealloc?,
            user_data: hooks.user_data,
        })
    }

    /// A block, or null; one that is not aligned is handed back and counts as null.
    pub fn alloc(&self, layout: Layout) -> *mut u8 {
        let _inside = HookScope::enter();
        // SAFETY: promised when the value was made.
        let block: *mut u8 = unsafe { (self.alloc)(layout.size(), layout.align(), self.user_data) }.cast();
        if block.addr().is_multiple_of(layout.align()) {
            return block;
        }
        // SAFETY: the block is the hook's own, given a moment ago.
        unsafe { (self.free)(block.cast(), layout.size(), layout.align(), self.user_data) };
        core::ptr::null_mut()
    }

    /// `block` in a new size, or null and the old one stays.
    pub fn realloc(&self, block: *mut u8, old: Layout, new_size: usize) -> *mut u8 {
        let _inside = HookScope::enter();
        // SAFETY: promised when the value was made; `block` came from `alloc` with `old`.
        unsafe { (self.realloc)(block.cast(), old.size(), new_size, old.align(), self.user_data) }.cast()
    }

    /// Gives a block back.
    pub fn free(&self, block: *mut u8, layout: Layout) {
        let _inside = HookScope::enter();
        // SAFETY: promised when the value was made; `block` came from `alloc` or `realloc` with `layout`.
        unsafe { (self.free)(block.cast(), layout.size(), layout.align(), self.user_data) }
    }
}
