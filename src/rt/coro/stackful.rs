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
use crate::sys::{thread, Memory};
use allocator_api2::boxed::Box;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use corosensei::stack::valgrind::ValgrindStackRegistration;
use corosensei::stack::StackPointer;
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
    way_back: *const (),
    /// How many tasks have had this stack.
    pub(super) lives: u32,
    /// Whether the stack is all zeros.
    pub(super) clean: bool,
    /// Whether a `Switch` to it is out.
    lent: bool,
    /// Whether its task began on zeros, so that it can be told how deep it went.
    watched: bool,
    /// Whether its task has been said to have written beyond the end.
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
            lent: false,
            watched: false,
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

/// A body on a stack of its own. It stays in its task while it runs: `Switch` reaches the shell by a pointer of its
/// own, and what is dropped meanwhile is leaked. `MaybeUninit` says that the box is not the only way to what is in it.
pub struct Stackful {
    /// Always there.
    shell: MaybeUninit<Box<Shell, Memory>>,
}

impl Stackful {
    /// A body that has not begun. With `watch` it begins on zeros, so that it can be told how deep it went.
    pub fn new(pool: &mut StackPool, wanted: StackWanted, watch: bool, task: rota_task, start: Start) -> Result<Self> {
        let mut shell = pool.take(wanted, watch)?;
        let Some(stack) = &shell.stack else { return Err(rota_status::ROTA_ERR_MEMORY.into()) };
        let place = Place { top: stack.top(), bottom: stack.bottom() };
        shell.coroutine = Some(Coroutine::with_stack(place, move |way_back: &WayBack, ()| {
            thread::replace_way_back(ptr::from_ref(way_back).cast());
            match start {
                Start::Body(body) => body.call(task),
                Start::Serve(body, stream) => body.call(task, stream),
            }
        }));
        shell.way_back = ptr::null();
        shell.watched = watch;
        shell.blamed = false;
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

    fn stack(&self) -> Option<&Stack> {
        // SAFETY: as in `switch`; a switch that is out does not touch this field.
        unsafe { (*self.shell()).stack.as_ref() }
    }

    /// The usable part of its stack.
    pub fn span(&self) -> Span {
        self.stack().map(Stack::span).unwrap_or_default()
    }

    /// The same, if the body began on zeros.
    pub fn watched(&self) -> Option<Span> {
        // SAFETY: as in `switch`; a switch that is out does not touch this field.
        unsafe { (*self.shell()).watched }.then(|| self.span())
    }

    /// Whether it has written beyond the end of a stack of the host's; said once.
    pub fn overflowed(&mut self) -> bool {
        let broken = self.stack().is_some_and(|stack| !stack.is_whole());
        // SAFETY: as in `switch`; a switch that is out does not touch this field.
        broken && !unsafe { core::mem::replace(&mut (*self.shell()).blamed, true) }
    }

    /// Gives the stack of a body that has ended back to the pool.
    pub fn recycle(self, pool: &mut StackPool) {
        if self.in_use() {
            return; // and leaked, by `drop`
        }
        // SAFETY: the shell is taken once: `self` is forgotten right after, so that its `drop` does not see it again.
        let mut shell = unsafe { self.shell.assume_init_read() };
        core::mem::forget(self);
        shell.coroutine = None;
        pool.put(shell);
    }
}

impl Drop for Stackful {
    /// The stack itself stays where it is, since only its pool can take it back; its arena is leaked with it.
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
