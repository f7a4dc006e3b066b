//! Which thread this is, and whether it is inside a hook.
//!
//! Every thread that opens a loop gets a number that no other thread of the
//! process ever has, unlike its identity in the system or the address of its
//! thread-locals. Inside a hook (allocator, clock, log) the number is hidden,
//! so that the one comparison that every call makes anyway refuses there too.
//! Neither thread-local has a destructor: one would pin the shared library
//! in the host's process (DESIGN.md, section 8).

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    static TOKEN: Cell<u64> = const { Cell::new(0) };
    static HIDDEN: Cell<u64> = const { Cell::new(0) };
    static OS_ERROR: Cell<i32> = const { Cell::new(0) };
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// This thread's number, or 0 if it has none yet or is inside a hook.
#[inline]
pub fn token() -> u64 {
    TOKEN.get()
}

/// This thread's number, given now if it has none; `None` inside a hook.
pub fn token_or_new() -> Option<u64> {
    if in_hook() {
        return None;
    }
    if TOKEN.get() == 0 {
        TOKEN.set(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    Some(TOKEN.get())
}

/// Whether this thread is inside a hook.
pub fn in_hook() -> bool {
    HIDDEN.get() != 0
}

/// While it lives, this thread is inside a hook.
pub struct HookScope {
    token: u64,
    hidden: u64,
}

impl HookScope {
    /// Enters a hook; hooks may nest.
    pub fn enter() -> Self {
        let scope = HookScope { token: TOKEN.get(), hidden: HIDDEN.get() };
        HIDDEN.set(scope.hidden + 1);
        TOKEN.set(0);
        scope
    }
}

impl Drop for HookScope {
    fn drop(&mut self) {
        TOKEN.set(self.token);
        HIDDEN.set(self.hidden);
    }
}

/// Keeps the system's number of the last failed call of this thread.
pub fn set_os_error(number: i32) {
    OS_ERROR.set(number);
}

/// The system's number of the last call of this thread that failed with one.
pub fn os_error() -> i32 {
    OS_ERROR.get()
}
