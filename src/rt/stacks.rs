//! What is known of stacks while tasks run on them: how deep they went, and whether they ran out.
//!
//! Debug mode starts each task on a stack of zeros, so that the lowest byte which is not zero any more tells how deep
//! it went. A task that runs may be asked too.

use super::core::{Core, ROTA_LOG_ERROR, ROTA_LOG_WARNING};
use super::coro::{Body, StackWanted, Stackful};
use super::task::TaskState;
use crate::base::{limits, rota_status::*, Error, Key, Kind, Result};
use crate::sys::stack::Span;

impl Core {
    /// How much of its stack a task has used at most, in bytes.
    pub fn task_stack_used(&self, key: Key) -> Result<usize> {
        if self.tasks.get(key).ok_or(ROTA_ERR_HANDLE)?.state == TaskState::Ended {
            return Err(ROTA_ERR_DONE.into());
        }
        let watched = self.task_stack(key).and_then(Stackful::watched);
        watched.and_then(|span| span.used()).ok_or(ROTA_ERR_UNSUPPORTED.into())
    }

    /// The size of the stack that a task has; none if it is stepped, or over.
    pub fn task_stack_size(&self, key: Key) -> Option<usize> {
        self.task_stack(key).map(|stackful| stackful.span().size())
    }

    fn task_stack(&self, key: Key) -> Option<&Stackful> {
        match self.tasks.get(key)?.body.as_ref()? {
            Body::Stackful(stackful) => Some(stackful),
            Body::Stepped(_) => None,
        }
    }

    /// Looks whether a task has written beyond the end of its stack, as far as can be seen.
    pub(super) fn stack_check(&mut self, key: Key) {
        let Some(task) = self.tasks.get_mut(key) else { return };
        let Some(Body::Stackful(stackful)) = &mut task.body else { return };
        if stackful.overflowed() {
            let (size, origin) = (stackful.span().size(), self.origin(Kind::Task, key));
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

    /// A task's body has ended: its stack is looked at, and goes back.
    pub(super) fn stack_over(&mut self, key: Key) {
        self.stack_check(key);
        let Some(Body::Stackful(stackful)) = self.tasks.get_mut(key).and_then(|task| task.body.take()) else { return };
        if let Some(span) = stackful.watched() {
            self.stack_measure(key, span);
        }
        stackful.recycle(&mut self.stacks);
    }

    #[cold]
    fn stack_measure(&mut self, key: Key, span: Span) {
        let Some(used) = span.used() else { return };
        self.stack_peak = self.stack_peak.max(used);
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
