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
use crate::sys::{thread, List, Memory};
use allocator_api2::boxed::Box;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

type WayBack = Yielder<(), ()>;

/// What a stack begins with.
#[derive(Clone, Copy)]
pub enum Start {
    /// A task's body.
    Body(HostBody),
    /// A body that serves a connection.
    Serve(HostServe, rota_stream),
}

/// What belongs to a stack, whether it waits for a task or has one. It comes and goes with the stack, so that spawning
/// allocates nothing while there are stacks in the pool.
struct Shell {
    /// While it has a task.
    coroutine: Option<Coroutine<(), (), i64, DefaultStack>>,
    /// While it has none.
    stack: Option<DefaultStack>,
    way_back: *const (),
    pooled: bool,
    /// Whether a `Switch` to it is out.
    lent: bool,
}

/// A body on a stack of its own. It stays in its task while it runs: `Switch` reaches the shell by a pointer of its
/// own, and what is dropped meanwhile is leaked. `MaybeUninit` says that the box is not the only way to what is in it.
pub struct Stackful {
    /// Always there.
    shell: MaybeUninit<Box<Shell, Memory>>,
}

impl Stackful {
    /// A body that has not begun. With `own_size` the stack is not from the pool.
    pub fn new(pool: &mut StackPool, size: usize, own_size: bool, task: rota_task, start: Start) -> Result<Self> {
        let mut shell = if own_size { pool.new_shell(size, false)? } else { pool.take(size)? };
        let stack = shell.stack.take().ok_or(rota_status::ROTA_ERR_MEMORY)?;
        shell.coroutine = Some(Coroutine::with_stack(stack, move |way_back: &WayBack, ()| {
            thread::replace_way_back(ptr::from_ref(way_back).cast());
            match start {
                Start::Body(body) => body.call(task),
                Start::Serve(body, stream) => body.call(task, stream),
            }
        }));
        shell.way_back = ptr::null();
        Ok(Stackful { shell: MaybeUninit::new(shell) })
    }

    fn shell(&self) -> *mut Shell {
        // SAFETY: it is always there. Only the address is taken: whoever looks behind it says why he may.
        unsafe { ptr::from_ref(&**self.shell.as_ptr()).cast_mut() }
    }

    /// What resumes the body; none while it runs.
    #[inline]
    pub fn switch(&mut self) -> Option<Switch> {
        let shell = self.shell();
        // SAFETY: the shell lives as long as `self`. `lent` is looked at and changed here and in `resume` only, which
        // does not hold a reference to it over a switch.
        unsafe {
            if core::mem::replace(&mut (*shell).lent, true) {
                return None;
            }
        }
        NonNull::new(shell).map(Switch)
    }

    /// Whether frames of the host's are on the stack.
    fn in_use(&self) -> bool {
        let shell = self.shell();
        // SAFETY: as in `switch`; the coroutine is looked at only while no switch to it is out, so that nobody has it.
        unsafe {
            (*shell).lent
                || (*shell).coroutine.as_ref().is_some_and(|coroutine| coroutine.started() && !coroutine.done())
        }
    }

    /// Gives the stack of a body that has ended back to the pool.
    pub fn recycle(self, pool: &mut StackPool) {
        if self.in_use() {
            return; // and leaked, by `drop`
        }
        // SAFETY: the shell is taken once: `self` is forgotten right after, so that its `drop` does not see it again.
        let mut shell = unsafe { self.shell.assume_init_read() };
        core::mem::forget(self);
        if shell.pooled {
            shell.stack = shell.coroutine.take().map(Coroutine::into_stack);
            pool.put(shell);
        }
    }
}

impl Drop for Stackful {
    fn drop(&mut self) {
        if self.in_use() {
            return; // frames of the host's are on it: leaked, never unwound
        }
        // SAFETY: nothing of the host's is on the stack, and the field is not
        // used after `drop`.
        unsafe { self.shell.assume_init_drop() };
    }
}

/// A switch to a body that stays in its task meanwhile, so that nothing is moved to and fro. There is one at a time;
/// while it is out the shell is neither freed nor given back, whatever becomes of the task.
pub struct Switch(NonNull<Shell>);

impl Switch {
    /// Runs the body until it suspends (`None`) or ends with an answer.
    #[inline]
    pub fn resume(self) -> Option<i64> {
        let shell = self.0.as_ptr();
        // SAFETY: the shell lives while it is lent, and nobody else touches its coroutine then (`Stackful::in_use`).
        let (coroutine, way_back) = unsafe { ((*shell).coroutine.as_mut()?, (*shell).way_back) };
        let before = thread::replace_way_back(way_back);
        let result = coroutine.resume(());
        let way_back = thread::replace_way_back(before);
        // SAFETY: as above; the loan ends here.
        unsafe {
            (*shell).way_back = way_back;
            (*shell).lent = false;
        }
        match result {
            CoroutineResult::Yield(()) => None,
            CoroutineResult::Return(answer) => Some(answer),
        }
    }
}

/// Leaves the body that is running on this thread until it is resumed. Only a running stackful body may call it.
pub fn suspend() {
    let way_back = thread::way_back().cast::<WayBack>();
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
    memory: Memory,
    free: List<Box<Shell, Memory>>,
    kept: usize,
    live: usize,
}

impl StackPool {
    /// A pool that keeps at most so many.
    pub fn new(memory: Memory, kept: u32) -> Self {
        StackPool { free: List::new(memory.clone()), memory, kept: kept as usize, live: 0 }
    }

    fn new_shell(&self, size: usize, pooled: bool) -> Result<Box<Shell, Memory>> {
        let shell =
            Shell { coroutine: None, stack: Some(new_stack(size)?), way_back: ptr::null(), pooled, lent: false };
        Box::try_new_in(shell, self.memory.clone()).map_err(|_| rota_status::ROTA_ERR_MEMORY.into())
    }

    fn take(&mut self, size: usize) -> Result<Box<Shell, Memory>> {
        let shell = match self.free.pop() {
            Some(shell) => shell,
            None => self.new_shell(size, true)?,
        };
        self.live += 1;
        Ok(shell)
    }

    fn put(&mut self, shell: Box<Shell, Memory>) {
        self.live = self.live.saturating_sub(1);
        if self.free.len() < self.kept {
            // Without memory for the list the stack is unmapped instead.
            let _ = self.free.push(shell);
        }
    }

    /// How many are in use, and how many wait.
    pub fn counts(&self) -> (usize, usize) {
        (self.live, self.free.len())
    }
}
