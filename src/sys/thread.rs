//! Which thread this is, and whether it is inside a hook.
//!
//! Every thread that opens a loop gets a number that no other thread of the
//! process ever has, unlike its identity in the system or the address of its
//! thread-locals. Inside a hook (allocator, clock, log) the number is hidden,
//! so that the one comparison that every call makes anyway refuses there too.
//!
//! All that is the thread's own stands in one struct: in a shared library each
//! thread-local has to be asked for by a call, and several fields of one are had
//! for the price of the first. It has no destructor: one would pin the shared
//! library in the host's process (DESIGN.md, section 8).

use crate::base::Handle;
use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

struct Local {
    /// The thread's number, 0 before it has one and inside a hook.
    token: Cell<u64>,
    /// How many hooks it is inside.
    hooks: Cell<u64>,
    /// See `innermost`.
    innermost: Cell<Handle>,
    /// See `way_back`.
    way_back: Cell<*const ()>,
    /// See `os_error`.
    os_error: Cell<i32>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            token: Cell::new(0),
            hooks: Cell::new(0),
            innermost: Cell::new(Handle::NULL),
            way_back: Cell::new(ptr::null()),
            os_error: Cell::new(0),
        }
    };
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// This thread's number, or 0 if it has none yet or is inside a hook.
#[inline]
pub fn token() -> u64 {
    LOCAL.with(|local| local.token.get())
}

/// This thread's number, given now if it has none; `None` inside a hook.
pub fn token_or_new() -> Option<u64> {
    if in_hook() {
        return None;
    }
    LOCAL.with(|local| {
        if local.token.get() == 0 {
            local.token.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        Some(local.token.get())
    })
}

/// Whether this thread is inside a hook.
pub fn in_hook() -> bool {
    LOCAL.with(|local| local.hooks.get()) != 0
}

/// While it lives, this thread is inside a hook.
pub struct HookScope {
    token: u64,
    hooks: u64,
}

impl HookScope {
    /// Enters a hook; hooks may nest.
    pub fn enter() -> Self {
        LOCAL.with(|local| {
            let hooks = local.hooks.get();
            local.hooks.set(hooks + 1);
            HookScope { token: local.token.replace(0), hooks }
        })
    }
}

impl Drop for HookScope {
    fn drop(&mut self) {
        LOCAL.with(|local| {
            local.token.set(self.token);
            local.hooks.set(self.hooks);
        });
    }
}

/// Keeps the system's number of the last failed call of this thread.
pub fn set_os_error(number: i32) {
    LOCAL.with(|local| local.os_error.set(number));
}

/// The system's number of the last call of this thread that failed with one.
pub fn os_error() -> i32 {
    LOCAL.with(|local| local.os_error.get())
}

/// The task or the loop that runs on this thread, innermost; null if none does.
#[inline]
pub fn innermost() -> Handle {
    LOCAL.with(|local| local.innermost.get())
}

/// Something else is innermost now; what it was before.
#[inline]
pub fn replace_innermost(now: Handle) -> Handle {
    LOCAL.with(|local| local.innermost.replace(now))
}

/// The way back from the stack that this thread is on, for who switched to it; null on the thread's own.
#[inline]
pub fn way_back() -> *const () {
    LOCAL.with(|local| local.way_back.get())
}

/// This thread is on another stack now, or about to be; the way back that there was.
#[inline]
pub fn replace_way_back(now: *const ()) -> *const () {
    LOCAL.with(|local| local.way_back.replace(now))
}
