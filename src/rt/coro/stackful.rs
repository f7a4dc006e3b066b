//! Bodies with stacks of their own: corosensei switches between the stacks that `pool.rs` keeps.
//!
//! ```text
//!   the loop's stack                     the task's stack
//!   resume() ──────────── switch ──────▶ body runs ... rota_await()
//!   returns Suspended ◀── switch ─────── suspend()
//!   resume() ──────────── switch ──────▶ suspend() returns, body goes on
//!   returns Ended(n) ◀─────────────────── body returns n; the stack goes back to the pool
//! ```
//!
//! A C body's frames cannot be unwound, so a stack that is still in use is
//! never unwound and never reused: dropping such a body leaks its stack
//! (DESIGN.md, section 3). `suspend` finds its way back through a pointer that
//! `resume` sets for this thread, and puts back when the switch returns, so
//! that loops may be turned from inside tasks of other loops.

use super::pool::{StackPool, StackWanted};
use crate::base::handle::{rota_stream, rota_task};
use crate::base::{rota_status, Result};
use crate::sys::host::{HostBody, HostServe};
use crate::sys::stack::{Span, Stack};
use crate::sys::Memory;
use allocator_api2::boxed::Box;
use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ptr;
use corosensei::stack::valgrind::ValgrindStackRegistration;
use corosensei::stack::StackPointer;
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

/// Where the stack is on which a coroutine runs. The stack itself is the shell's.
struct Place {
    top: StackPointer,
    bottom: StackPointer,
}

// SAFETY: a `Stack` has at least 16 KiB and both ends where the switch wants them. Below those of our own are guard
// pages; below the host's there are none, which the header tells the host, whose memory it is.
unsafe impl corosensei::stack::Stack for Place {
    fn base(&self) -> StackPointer {
        self.top
    }

    fn limit(&self) -> StackPointer {
        self.bottom
    }
}

/// What belongs to a stack, whether it waits for a task or has one. It comes and goes with the stack, so that spawning
/// allocates nothing while there are stacks in the pool.
pub(super) struct Shell {
    /// While it has a task. Before the stack, on which it lies.
    coroutine: Option<Coroutine<(), (), i64, Place>>,
    stack: Option<Stack>,
    /// Tells valgrind that a jump to this stack is no large frame.
    registration: Option<ValgrindStackRegistration>,
    way_back: *const Switch,
    /// How many tasks have had this stack.
    pub(super) lives: u32,
    /// Whether the stack is all zeros.
    pub(super) clean: bool,
    /// Whether a task has been said to have written beyond its end.
    blamed: bool,
}

impl Shell {
    /// A shell without a stack.
    pub(super) fn bare(memory: &Memory) -> Result<Box<Self, Memory>> {
        let shell = Shell {
            coroutine: None,
            stack: None,
            registration: None,
            way_back: ptr::null(),
            lives: 0,
            clean: false,
            blamed: false,
        };
        Box::try_new_in(shell, memory.clone()).map_err(|_| rota_status::ROTA_ERR_MEMORY.into())
    }

    /// Gives it a stack.
    pub(super) fn seat(&mut self, stack: Stack, clean: bool) {
        let start = ptr::with_exposed_provenance_mut(stack.bottom().get());
        self.registration = Some(ValgrindStackRegistration::new(start, stack.top().get() - stack.bottom().get()));
        self.stack = Some(stack);
        self.lives = 0;
        self.clean = clean;
        self.blamed = false;
    }

    /// Takes its stack, on which nobody runs.
    pub(super) fn unseat(&mut self) -> Option<Stack> {
        self.coroutine = None;
        self.registration = None;
        self.stack.take()
    }

    /// Its stack, if nobody runs on it.
    pub(super) fn idle_stack(&mut self) -> Option<&mut Stack> {
        match self.coroutine {
            None => self.stack.as_mut(),
            Some(_) => None,
        }
    }
}

/// A body on a stack of its own. One pointer: it is taken out of its task and put back at every switch.
pub struct Stackful {
    shell: ManuallyDrop<Box<Shell, Memory>>,
}

impl Stackful {
    /// A body that has not begun. With `clear` its stack is all zeros.
    pub fn new(pool: &mut StackPool, wanted: StackWanted, clear: bool, task: rota_task, start: Start) -> Result<Self> {
        let mut shell = pool.take(wanted, clear)?;
        let Some(stack) = &shell.stack else { return Err(rota_status::ROTA_ERR_MEMORY.into()) };
        let place = Place { top: stack.top(), bottom: stack.bottom() };
        shell.coroutine = Some(Coroutine::with_stack(place, move |way_back: &Switch, ()| {
            WAY_BACK.set(way_back);
            match start {
                Start::Body(body) => body.call(task),
                Start::Serve(body, stream) => body.call(task, stream),
            }
        }));
        shell.way_back = ptr::null();
        Ok(Stackful { shell: ManuallyDrop::new(shell) })
    }

    /// Runs the body until it suspends (`None`) or ends with an answer.
    #[inline]
    pub fn resume(&mut self) -> Option<i64> {
        let shell = &mut **self.shell;
        let coroutine = shell.coroutine.as_mut()?;
        let before = WAY_BACK.replace(shell.way_back);
        let result = coroutine.resume(());
        shell.way_back = WAY_BACK.replace(before);
        match result {
            CoroutineResult::Yield(()) => None,
            CoroutineResult::Return(answer) => Some(answer),
        }
    }

    /// The usable part of its stack.
    pub fn span(&self) -> Span {
        self.shell.stack.as_ref().map(Stack::span).unwrap_or_default()
    }

    /// Whether it has written beyond the end of a stack of the host's; said once.
    pub fn overflowed(&mut self) -> bool {
        let broken = self.shell.stack.as_ref().is_some_and(|stack| !stack.is_whole());
        broken && !core::mem::replace(&mut self.shell.blamed, true)
    }

    /// Gives the stack of a body that has ended back to the pool.
    pub fn recycle(mut self, pool: &mut StackPool) {
        if !self.shell.coroutine.as_ref().is_some_and(Coroutine::done) {
            return;
        }
        // SAFETY: the shell is taken once: `self` is forgotten right after, so that its `drop` does not see it again.
        let mut shell = unsafe { ManuallyDrop::take(&mut self.shell) };
        core::mem::forget(self);
        shell.coroutine = None;
        pool.put(shell);
    }
}

impl Drop for Stackful {
    /// The stack itself stays where it is, since only its pool can take it back; its arena is leaked with it.
    fn drop(&mut self) {
        let in_use = |coroutine: &Coroutine<(), (), i64, Place>| coroutine.started() && !coroutine.done();
        if self.shell.coroutine.as_ref().is_some_and(in_use) {
            return; // frames of the host's are on it: leaked, never unwound
        }
        // SAFETY: nothing of the host's is on the stack, and the field is not
        // used after `drop`.
        unsafe { ManuallyDrop::drop(&mut self.shell) };
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
