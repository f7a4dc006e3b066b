//! Stacks for tasks: memory of our own, or of the host's.
//!
//! ```text
//!   an arena: one mapping, many stacks
//!   ┌───────┬──────────────┬───────┬──────────────┬───────┬─────────── ...
//!   │ guard │ stack 0      │ guard │ stack 1      │ guard │ stack 2
//!   └───────┴──────────────┴───────┴──────────────┴───────┴─────────── ...
//!           ▲              ▲
//!           low            top: a stack grows down from here; only pages that were touched take memory
//! ```
//!
//! A `Stack` is what somebody runs on. It is not let go of by being dropped: it has to be given back (`Arenas`), since
//! one that is forgotten may still have frames on it. Its arena then stays mapped for ever, so that nothing else comes
//! to lie there (DESIGN.md, section 3: leaked, never reused).
//!
//! **Overflow** runs into the guard below, which ends the process, and never into a neighbour, unless a single frame
//! skips the whole guard without touching it; compilers touch every page of a large frame when they are told to
//! (-fstack-clash-protection). Below the host's own memory we cannot put a guard: there a word at the low end tells
//! afterwards (`is_whole`).

mod arenas;
mod guard;
mod memcheck;
mod pages;
mod span;

pub use arenas::Arenas;
pub use guard::Crowding;
pub use span::Span;

use crate::base::{limits, Key};
use core::ffi::c_void;
use core::num::NonZeroUsize;
use core::ptr::NonNull;

/// The sizes of stacks are the powers of two from the least to the most; a class is its number among them.
pub const CLASSES: usize = (limits::STACK_SIZE_MAX / limits::STACK_SIZE_MIN).ilog2() as usize + 1;

/// Where the switch wants both ends of a stack, on every processor.
const ALIGNMENT: usize = 16;

/// What stands at the low end of the host's stacks.
const CANARY: u64 = 0x726f_7461_2073_746b;

/// The class of the stacks that have at least `size` bytes.
pub fn class_of(size: usize) -> usize {
    let size = size.clamp(limits::STACK_SIZE_MIN, limits::STACK_SIZE_MAX).next_power_of_two();
    (size / limits::STACK_SIZE_MIN).ilog2() as usize
}

/// The size of the stacks of a class.
pub fn size_of_class(class: usize) -> usize {
    limits::STACK_SIZE_MIN << class
}

/// Memory of the host's for one stack.
#[derive(Clone, Copy)]
pub struct HostStack {
    memory: NonNull<u8>,
    size: usize,
}

impl HostStack {
    /// Memory that a task runs on; `None` for NULL, for less than the least that we give, and for more than the most.
    ///
    /// # Safety
    /// From the moment that it is used by a task until that has ended, the memory is the task's alone.
    pub unsafe fn new(memory: *mut c_void, size: usize) -> Option<Self> {
        let fits = (limits::STACK_SIZE_MIN..=limits::STACK_SIZE_MAX).contains(&size);
        let memory = NonNull::new(memory.cast::<u8>()).filter(|at| fits && at.addr().checked_add(size).is_some())?;
        Some(HostStack { memory, size })
    }

    /// Where it begins and ends.
    pub fn bounds(&self) -> (usize, usize) {
        let start = self.memory.addr().get();
        (start, start + self.size)
    }
}

/// A stack that somebody runs on.
pub struct Stack {
    bottom: NonNull<u8>,
    /// From the bottom, with the guard, to the top.
    size: usize,
    home: Home,
}

/// Where a stack comes from.
#[derive(Clone, Copy)]
enum Home {
    Arena { class: u8, index: u16, arena: Key },
    Host,
}

impl Stack {
    /// The host's memory as a stack; a canary is put at its low end.
    pub fn on_host(given: HostStack) -> Self {
        let (start, end) = given.bounds();
        let skipped = start.next_multiple_of(ALIGNMENT) - start;
        let size = (end - end % ALIGNMENT) - (start + skipped);
        // SAFETY: at least 16 KiB were given, so there is an aligned word behind the skipped bytes; the host's promise
        // (`HostStack::new`) is that nobody else uses them.
        let bottom = unsafe {
            let bottom = given.memory.add(skipped);
            bottom.cast::<u64>().write(CANARY);
            bottom
        };
        Stack { bottom, size, home: Home::Host }
    }

    /// The end from which it grows down.
    pub fn top(&self) -> NonZeroUsize {
        self.bottom.addr().saturating_add(self.size)
    }

    /// The other end, below the guard.
    pub fn bottom(&self) -> NonZeroUsize {
        self.bottom.addr()
    }

    /// Whether it is the host's.
    pub fn is_host(&self) -> bool {
        matches!(self.home, Home::Host)
    }

    /// The class of the stacks it is one of, unless it is the host's.
    pub fn class(&self) -> Option<usize> {
        match self.home {
            Home::Arena { class, .. } => Some(class as usize),
            Home::Host => None,
        }
    }

    /// Whether nothing was written beyond its end, as far as can be told.
    pub fn is_whole(&self) -> bool {
        // SAFETY: `on_host` wrote it, and the memory is borrowed as long as this value is in use.
        !self.is_host() || unsafe { self.bottom.cast::<u64>().read_volatile() } == CANARY
    }

    /// The part that can be used.
    pub fn span(&self) -> Span {
        let below = if self.is_host() { size_of::<u64>() } else { limits::STACK_GUARD };
        Span::new(self.bottom.addr().get() + below, self.top().get(), !self.is_host())
    }

    /// Fills it with zeros. Nobody may be running on it.
    pub fn clear(&mut self) {
        let span = self.span();
        if self.is_host() {
            // SAFETY: all of it but the canary is ours to overwrite, and nobody runs on it.
            unsafe { self.bottom.add(size_of::<u64>()).write_bytes(0, span.size()) };
        } else {
            // SAFETY: whole pages of a mapping of ours, on which nobody runs.
            unsafe { pages::clear(self.bottom.add(limits::STACK_GUARD), span.size()) };
        }
    }

    /// Gives memory back to the host. Nobody may be running on it.
    pub fn leave_host(self) {
        memcheck::alive_again(self.bottom.addr().get(), self.size);
    }

    /// Gives the system its pages back, but the uppermost. Nobody may be running on it.
    pub fn trim(&mut self) {
        let keep = limits::STACK_KEEP.next_multiple_of(pages::page_size());
        let size = self.span().size();
        if !self.is_host() && size > keep {
            // SAFETY: whole pages of a mapping of ours, on which nobody runs.
            unsafe { pages::give_up(self.bottom.add(limits::STACK_GUARD), size - keep) };
        }
    }
}

#[cfg(test)]
mod tests;
