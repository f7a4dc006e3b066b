//! Bodies with stacks of their own: corosensei switches, this file owns the stacks.
//!
//! ```text
//!   the loop's stack                     the task's stack
//!   resume() ──────────── switch ──────▶ body runs ... rota_await()
//!   returns Suspended ◀── switch ─────── suspend()
//!   resume() ──────────── switch ──────▶ suspend() returns, body goes on
//!   returns Ended(n) ◀─────────────────── body returns n; the stack goes to the pool
//! ```
//!
//! A C body's frames cannot be unwound, so a stack that is still in use is
//! never unwound and never reused: dropping such a body leaks its stack
//! (DESIGN.md, section 3). `suspend` finds its way back through a pointer that
//! `resume` sets for this thread, and puts back when the switch returns, so
//! that loops may be turned from inside tasks of other loops.

use crate::base::handle::{rota_stream, rota_task};
use crate::base::{limits, rota_status, Result};
use crate::sys::host::{HostBody, HostServe};
use crate::sys::{List, Memory};
use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ptr;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

type Switch = Yielder<(), ()>;

thread_local! {
    /// The way back of the innermost body that runs on this thread.
    static WAY_BACK: Cell<*const Switch> = const { Cell::new(ptr::null()) };
}

/// What a stack begins with.
#[derive(Clone, Copy)]
pub enum Start {
    /// A task's body.
    Body(HostBody),
    /// A body that serves a connection.
    Serve(HostServe, rota_stream),
}

/// A body on a stack of its own.
pub struct Stackful {
    coroutine: ManuallyDrop<Coroutine<(), (), i64, DefaultStack>>,
    way_back: *const Switch,
    pooled: bool,
}

impl Stackful {
    /// A body that has not begun. `stack_size` is None for a stack from the pool.
    pub fn new(pool: &mut StackPool, size: usize, own_size: bool, task: rota_task, start: Start) -> Result<Self> {
        let stack = if own_size { new_stack(size)? } else { pool.take(size)? };
        let coroutine = Coroutine::with_stack(stack, move |way_back: &Switch, ()| {
            WAY_BACK.set(way_back);
            match start {
                Start::Body(body) => body.call(task),
                Start::Serve(body, stream) => body.call(task, stream),
            }
        });
        Ok(Stackful { coroutine: ManuallyDrop::new(coroutine), way_back: ptr::null(), pooled: !own_size })
    }

    /// Runs the body until it suspends (`None`) or ends with an answer.
    pub fn resume(&mut self) -> Option<i64> {
        let before = WAY_BACK.replace(self.way_back);
        let result = self.coroutine.resume(());
        self.way_back = WAY_BACK.replace(before);
        match result {
            CoroutineResult::Yield(()) => None,
            CoroutineResult::Return(answer) => Some(answer),
        }
    }

    /// Gives the stack of a body that has ended back to the pool.
    pub fn recycle(mut self, pool: &mut StackPool) {
        if !self.coroutine.done() {
            return;
        }
        // SAFETY: the coroutine is taken once: `self` is forgotten right after,
        // so that its `drop` does not see the field again.
        let coroutine = unsafe { ManuallyDrop::take(&mut self.coroutine) };
        let pooled = self.pooled;
        core::mem::forget(self);
        let stack = coroutine.into_stack();
        if pooled {
            pool.put(stack);
        }
    }
}

impl Drop for Stackful {
    fn drop(&mut self) {
        if self.coroutine.started() && !self.coroutine.done() {
            return; // frames of the host's are on it: leaked, never unwound
        }
        // SAFETY: nothing of the host's is on the stack, and the field is not
        // used after `drop`.
        unsafe { ManuallyDrop::drop(&mut self.coroutine) };
    }
}

/// Leaves the body that is running on this thread until it is resumed. Only a running stackful body may call it.
pub fn suspend() {
    let way_back = WAY_BACK.get();
    assert!(!way_back.is_null(), "suspend outside a stackful body");
    // SAFETY: `resume` set it to the switch of the body that runs now, and the
    // switch lives on that body's own stack, which is the one we are on.
    unsafe { (*way_back).suspend(()) };
}

fn new_stack(size: usize) -> Result<DefaultStack> {
    let size = size.clamp(limits::STACK_SIZE_MIN, limits::STACK_SIZE_MAX);
    DefaultStack::new(size)
        .map_err(|error| crate::base::Error::os(rota_status::ROTA_ERR_MEMORY, error.raw_os_error().unwrap_or(0)))
}

/// Stacks of one size that wait for their next task, the hottest on top.
pub struct StackPool {
    free: List<DefaultStack>,
    kept: usize,
    live: usize,
}

impl StackPool {
    /// A pool that keeps at most so many.
    pub fn new(memory: Memory, kept: u32) -> Self {
        StackPool { free: List::new(memory), kept: kept as usize, live: 0 }
    }

    fn take(&mut self, size: usize) -> Result<DefaultStack> {
        let stack = match self.free.pop() {
            Some(stack) => stack,
            None => new_stack(size)?,
        };
        self.live += 1;
        Ok(stack)
    }

    fn put(&mut self, stack: DefaultStack) {
        self.live = self.live.saturating_sub(1);
        if self.free.len() < self.kept {
            // Without memory for the list the stack is unmapped instead.
            let _ = self.free.push(stack);
        }
    }

    /// How many are in use, and how many wait.
    pub fn counts(&self) -> (usize, usize) {
        (self.live, self.free.len())
    }
}
