//! What is running on this thread, innermost.
//!
//! A thread may have several loops, and a task of one may turn another. Only
//! the innermost one may await; `Scope` puts back what was before, so that
//! after the inner turn the task is the innermost thing again.

use crate::base::Key;
use core::cell::Cell;

/// What a loop is doing on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// The loop's number.
    pub loop_number: u16,
    /// The task whose body is running, if it is a task.
    pub task: Option<Key>,
}

thread_local! {
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

/// What is running on this thread, innermost.
#[inline]
pub fn get() -> Option<Current> {
    CURRENT.get()
}

/// While it lives, something else is innermost.
pub struct Scope(Option<Current>);

impl Scope {
    /// Makes `now` the innermost.
    #[inline]
    pub fn enter(now: Current) -> Self {
        Scope(CURRENT.replace(Some(now)))
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}
