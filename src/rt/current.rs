//! What is running on this thread, innermost.
//!
//! A thread may have several loops, and a task of one may turn another. Only
//! the innermost one may await; `Scope` puts back what was before, so that
//! after the inner turn the task is the innermost thing again.

use crate::base::{Handle, Key, Kind};
use crate::sys::thread;

/// What a loop is doing on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// The loop's number.
    pub loop_number: u16,
    /// The task whose body is running, if it is a task.
    pub task: Option<Key>,
}

impl Current {
    fn handle(self) -> Handle {
        match self.task {
            Some(task) => Handle::new(Kind::Task, self.loop_number, task),
            None => Handle::new(Kind::Loop, self.loop_number, Key::default()),
        }
    }
}

/// What is running on this thread, innermost.
#[inline]
pub fn get() -> Option<Current> {
    let now = thread::innermost();
    (!now.is_null()).then(|| Current { loop_number: now.loop_number(), task: now.is(Kind::Task).then(|| now.key()) })
}

/// Whether this task is what is running on this thread, innermost.
#[inline]
pub fn is_innermost(task: Handle) -> bool {
    thread::innermost() == task
}

/// While it lives, something else is innermost.
pub struct Scope(Handle);

impl Scope {
    /// Makes `now` the innermost.
    #[inline]
    pub fn enter(now: Current) -> Self {
        Scope(thread::replace_innermost(now.handle()))
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        thread::replace_innermost(self.0);
    }
}
