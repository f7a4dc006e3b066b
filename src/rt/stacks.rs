//! What is known of stacks while tasks run on them: how deep they went, and whether they ran out.
//!
//! Debug mode starts each task on a stack of zeros and keeps where it lies, in a table beside the tasks' own, so that a
//! loop that is not debugged pays nothing. A task that runs may be asked too.

use super::core::{Core, ROTA_LOG_ERROR, ROTA_LOG_WARNING};
use super::coro::{StackWanted, Stackful};
use super::task::TaskState;
use crate::base::{limits, rota_status::*, Error, Key, Kind, Result};
use crate::sys::stack::Span;
use crate::sys::{List, Memory};

/// Where the stacks of tasks lie that debug mode watches, by the task's slot.
pub struct StackWatch {
    spans: List<(u32, Span)>,
    /// The most that any task that has ended used.
    deepest: usize,
}

impl StackWatch {
    /// None yet.
    pub fn new(memory: &Memory) -> Self {
        StackWatch { spans: List::new(memory.clone()), deepest: 0 }
    }

    /// The most that any task that has ended used, as far as debug mode saw.
    pub fn deepest(&self) -> usize {
        self.deepest
    }

    fn get(&self, key: Key) -> Option<Span> {
        let (generation, span) = self.spans.get(key.slot as usize)?;
        (*generation == key.generation).then_some(*span)
    }
}

impl Core {
    /// In debug mode, keeps where a new task's stack lies. Lack of memory only loses that.
    #[inline]
    pub(super) fn stack_watch(&mut self, key: Key, body: &Stackful) {
        if self.debug {
            let (spans, slot) = (&mut self.stack_watch.spans, key.slot as usize);
            if spans.len() > slot || spans.resize(slot + 1, Default::default()).is_ok() {
                spans[slot] = (key.generation, body.span());
            }
        }
    }

    /// How much of its stack a task has used at most, in bytes.
    pub fn task_stack_used(&self, key: Key) -> Result<usize> {
        let task = self.tasks.get(key).ok_or(ROTA_ERR_HANDLE)?;
        if task.state == TaskState::Ended {
            return Err(ROTA_ERR_DONE.into());
        }
        self.stack_watch.get(key).and_then(|span| span.used()).ok_or(ROTA_ERR_UNSUPPORTED.into())
    }

    /// The size of the stack that a task runs on, where debug mode saw it start.
    pub fn task_stack_size(&self, key: Key) -> Option<usize> {
        self.stack_watch.get(key).map(|span| span.size())
    }

    /// A task has left its stack to wait: in debug mode its end is looked at.
    #[inline]
    pub(super) fn stack_left(&mut self, key: Key, body: &mut Stackful) {
        if self.debug {
            self.stack_check(key, body);
        }
    }

    fn stack_check(&mut self, key: Key, body: &mut Stackful) {
        if body.overflowed() {
            let (size, origin) = (body.span().size(), self.origin(Kind::Task, key));
            let Some(task) = self.tasks.get(key) else { return };
            let name = &task.name;
            self.log(
                ROTA_LOG_ERROR,
                format_args!(
                    "task {name} wrote beyond the end of the {size} bytes of stack that it was given; \
                     it was started at {origin}"
                ),
            );
        }
    }

    /// A task's body has ended: its stack goes back.
    pub(super) fn stack_over(&mut self, key: Key, mut body: Stackful) {
        self.stack_check(key, &mut body);
        if let Some(span) = self.stack_watch.get(key) {
            self.stack_measure(key, span);
        }
        body.recycle(&mut self.stacks);
    }

    #[cold]
    fn stack_measure(&mut self, key: Key, span: Span) {
        self.stack_watch.spans[key.slot as usize] = Default::default();
        let Some(used) = span.used() else { return };
        self.stack_watch.deepest = self.stack_watch.deepest.max(used);
        if used > span.size() / 8 * limits::STACK_EIGHTHS {
            let (size, origin) = (span.size(), self.origin(Kind::Task, key));
            let Some(task) = self.tasks.get(key) else { return };
            let name = &task.name;
            self.log(
                ROTA_LOG_WARNING,
                format_args!("task {name} used {used} of the {size} bytes of its stack; it was started at {origin}"),
            );
        }
    }

    /// A new stack was carved: says so if few more can be.
    pub(super) fn stack_crowding(&mut self) {
        if let Some(crowding) = self.stacks.crowding() {
            let (mappings, limit) = (crowding.mappings, crowding.limit);
            self.log(
                ROTA_LOG_WARNING,
                format_args!(
                    "guards of stacks take {mappings} of the {limit} mappings that the process may have \
                     (vm.max_map_count): this kernel has no lightweight guards"
                ),
            );
        }
    }

    /// There was no stack for a task.
    pub(super) fn stack_refused(&mut self, wanted: StackWanted, error: &Error) {
        if error.status == ROTA_ERR_MEMORY && error.os_error != 0 {
            let size = match wanted {
                StackWanted::Size(size) => size,
                _ => self.stack_size,
            };
            let (live, kept) = self.stacks.counts();
            let number = error.os_error;
            self.log(
                ROTA_LOG_ERROR,
                format_args!(
                    "no stack of {size} bytes beside {live} in use and {kept} kept: the system's error is {number}; \
                     address space, or mappings (vm.max_map_count), have run out"
                ),
            );
        }
    }
}
