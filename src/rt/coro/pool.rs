//! Stacks that wait for their next task.
//!
//! ```text
//!            take                          the body returns
//!   shelf ─────────▶ a task runs on it ─────────────────────▶ shelf, the hottest on top
//!     ▲                                                        │    │
//!     │ none there: carved                           too many  │    │ before the loop waits: those
//!     │                                                        ▼    ▼ that nobody needed lately
//!   arenas (sys/stack) ◀──────────── all pages back ───────────┘   trimmed: all pages but the uppermost
//! ```
//!
//! There is a shelf for each size. What a stack has touched stays in memory while it is hot, so that the next task
//! finds it there. Two rules keep a burst from staying for ever: each stack is trimmed once in so many tasks, however
//! hot it is; and before the loop waits, stacks that have lain still since it waited last are trimmed, a few at a time.
//! Where far more is mapped than is used they are given up altogether, so that their arenas become free.

use super::stackful::Shell;
use crate::base::{limits, rota_status, Result};
use crate::sys::stack::{class_of, Arenas, Crowding, HostStack, Stack, CLASSES};
use crate::sys::{List, Memory};
use allocator_api2::boxed::Box;

/// The stack that a new task wants.
#[derive(Clone, Copy, Default)]
pub enum StackWanted {
    /// As the loop's options say.
    #[default]
    Usual,
    /// Of at least this size.
    Size(usize),
    /// The host's memory.
    Host(HostStack),
}

/// The stacks of one size that wait.
struct Shelf {
    free: List<Box<Shell, Memory>>,
    /// The fewest there were since the loop waited last: so many, from the bottom, nobody needed.
    still: usize,
    /// How many of them, from the bottom, have been trimmed.
    trimmed: usize,
}

/// All stacks of a loop.
pub struct StackPool {
    memory: Memory,
    arenas: Arenas,
    shelves: [Shelf; CLASSES],
    /// The shelves that have ever been used, a bit for each.
    used: u32,
    /// Shells without a stack.
    bare: List<Box<Shell, Memory>>,
    /// The host's stacks that are in use, by address.
    given: List<(usize, usize)>,
    /// The class of the stacks that a task gets which names no size.
    usual: usize,
    kept: usize,
    waiting: usize,
    live: usize,
}

impl StackPool {
    /// A pool that keeps at most so many, and gives stacks of a usual size.
    pub fn new(memory: Memory, usual: usize, kept: u32) -> Self {
        let shelf = |_| Shelf { free: List::new(memory.clone()), still: 0, trimmed: 0 };
        StackPool {
            arenas: Arenas::new(&memory),
            shelves: core::array::from_fn(shelf),
            used: 0,
            bare: List::new(memory.clone()),
            given: List::new(memory.clone()),
            usual: class_of(usual),
            kept: kept as usize,
            waiting: 0,
            live: 0,
            memory,
        }
    }

    /// A shell with a stack; with `clear` the stack is all zeros.
    pub(super) fn take(&mut self, wanted: StackWanted, clear: bool) -> Result<Box<Shell, Memory>> {
        let class = match wanted {
            StackWanted::Usual => self.usual,
            StackWanted::Size(size) => class_of(size),
            StackWanted::Host(given) => return self.take_given(given, clear),
        };
        let shelf = &mut self.shelves[class];
        let mut shell = match shelf.free.pop() {
            Some(shell) => {
                let left = shelf.free.len();
                shelf.still = shelf.still.min(left);
                shelf.trimmed = shelf.trimmed.min(left);
                self.waiting -= 1;
                shell
            }
            None => self.carve(class)?,
        };
        if clear && !shell.clean {
            shell.idle_stack().map(Stack::clear);
        }
        shell.clean = false;
        self.live += 1;
        Ok(shell)
    }

    #[cold]
    fn carve(&mut self, class: usize) -> Result<Box<Shell, Memory>> {
        let mut shell = self.bare_shell()?;
        match self.arenas.take(class) {
            Ok((stack, clean)) => shell.seat(stack, clean),
            Err(error) => {
                self.put_bare(shell);
                return Err(error);
            }
        }
        self.used |= 1 << class;
        Ok(shell)
    }

    #[cold]
    fn take_given(&mut self, given: HostStack, clear: bool) -> Result<Box<Shell, Memory>> {
        let (start, end) = given.bounds();
        let at = self.given.partition_point(|other| other.1 <= start);
        if self.given.get(at).is_some_and(|other| other.0 < end) {
            return Err(rota_status::ROTA_ERR_BUSY.into());
        }
        self.given.reserve(1)?;
        let mut shell = self.bare_shell()?;
        self.given.push((start, end))?;
        self.given[at..].rotate_right(1);
        let mut stack = Stack::on_host(given);
        if clear {
            stack.clear();
        }
        shell.seat(stack, false);
        self.live += 1;
        Ok(shell)
    }

    fn bare_shell(&mut self) -> Result<Box<Shell, Memory>> {
        match self.bare.pop() {
            Some(shell) => Ok(shell),
            None => Shell::bare(&self.memory),
        }
    }

    fn put_bare(&mut self, shell: Box<Shell, Memory>) {
        if self.bare.len() < self.kept {
            // Without memory for the list it is dropped instead.
            let _ = self.bare.push(shell);
        }
    }

    /// Takes a shell back on whose stack nobody runs any more.
    pub(super) fn put(&mut self, mut shell: Box<Shell, Memory>) {
        self.live = self.live.saturating_sub(1);
        let Some(class) = shell.idle_stack().and_then(|stack| stack.class()) else { return self.give_back(shell) };
        let free = &mut self.shelves[class].free;
        if self.waiting >= self.kept || free.reserve(1).is_err() {
            return self.give_back(shell);
        }
        shell.lives += 1;
        if shell.lives.is_multiple_of(limits::STACK_LIVES) {
            shell.idle_stack().map(Stack::trim);
        }
        // The place for it has just been made.
        self.waiting += usize::from(free.push(shell).is_ok());
    }

    #[cold]
    fn give_back(&mut self, mut shell: Box<Shell, Memory>) {
        if let Some(stack) = shell.unseat() {
            let start = stack.bottom().get();
            match stack.is_host() {
                true => {
                    let at = self.given.partition_point(|other| other.1 <= start);
                    if at < self.given.len() {
                        self.given.remove(at);
                    }
                    stack.leave_host();
                }
                false => self.arenas.give_back(stack),
            }
        }
        self.put_bare(shell);
    }

    /// The loop is about to wait: gives memory back that was not needed lately.
    pub fn settle(&mut self) {
        let mut left = self.used;
        let mut budget = limits::STACKS_TRIMMED;
        while left != 0 {
            let class = left.trailing_zeros() as usize;
            left &= left - 1;
            self.settle_shelf(class, &mut budget);
        }
    }

    fn settle_shelf(&mut self, class: usize, budget: &mut usize) {
        while *budget > 0 {
            let shelf = &mut self.shelves[class];
            if shelf.still > 0 && self.arenas.is_sparse(class) {
                let shell = shelf.free.remove(0);
                shelf.still -= 1;
                shelf.trimmed = shelf.trimmed.saturating_sub(1);
                self.waiting -= 1;
                self.give_back(shell);
            } else if shelf.trimmed < shelf.still {
                shelf.free[shelf.trimmed].idle_stack().map(Stack::trim);
                shelf.trimmed += 1;
            } else {
                break;
            }
            *budget -= 1;
        }
        let shelf = &mut self.shelves[class];
        shelf.still = shelf.free.len();
    }

    /// How many are in use, and how many wait.
    pub fn counts(&self) -> (usize, usize) {
        (self.live, self.waiting)
    }

    /// Address space that is mapped for stacks.
    pub fn mapped_bytes(&self) -> usize {
        self.arenas.mapped_bytes()
    }

    /// Whether guards use up the process's mappings; said once.
    pub fn crowding(&mut self) -> Option<Crowding> {
        self.arenas.crowding()
    }
}

impl Drop for StackPool {
    /// What waits goes back, so that the arenas can go.
    fn drop(&mut self) {
        for class in 0..CLASSES {
            while let Some(mut shell) = self.shelves[class].free.pop() {
                if let Some(stack) = shell.unseat() {
                    self.arenas.give_back(stack);
                }
            }
        }
    }
}
