//! Eager tasks: the one kind of body that runs inside a call.
//!
//! ```text
//!   rota_loop_spawn
//!     cell open:   the task is made; its place in the ready queue is set aside, not taken
//!     cell closed: *out is written; then step(): the body, up to its first wait
//! ```
//!
//! From then on the task is like any other. What it completes is queued, also its
//! own end. The loop counts as running meanwhile, so that it is neither closed nor
//! run from inside, and the spawner is the innermost thing again afterwards.
//! Bodies that spawn eagerly in bodies nest on the host's stacks: at the limit a
//! task starts in the next turn instead.

use super::core::Core;
use super::coro::Step;
use super::event_loop::Runtime;
use super::hook::ROTA_TASK_RESUMED;
use super::ready::Entry;
use super::service::Service;
use super::task::TaskState;
use crate::base::{limits, Key, Result};

impl Core {
    /// The first step of a task that has just been made and is not queued; `None` if it was queued instead.
    fn task_begin_eager(&mut self, key: Key, nested: u32) -> Option<Step> {
        let task = self.tasks.get_mut(key)?;
        if nested >= limits::EAGER_NESTING {
            self.ready.push_reserved(Entry::Task(key));
            return None;
        }
        let step = task.body.as_mut()?.step()?;
        task.state = TaskState::Running;
        task.facts.resumes(self.now);
        self.owner = task.acts_for;
        self.tell_of_task(key, ROTA_TASK_RESUMED);
        Some(step)
    }
}

impl<S: Service> Runtime<S> {
    /// Runs a task that was made with `eager` up to its first wait. Whoever made it calls this once, with the cell
    /// closed and its handle handed out.
    pub fn start_eager(&self, key: Key) -> Result<()> {
        let nested = self.eager.get();
        let (step, owner) = self.with(|state| {
            let owner = state.core.owner_now();
            Ok((state.core.task_begin_eager(key, nested), owner))
        })?;
        if let Some(step) = step {
            let _running = self.enter().ok();
            self.eager.set(nested + 1);
            let stepped = self.step(key, step);
            self.eager.set(nested);
            stepped?;
            self.with(|state| {
                state.core.owner_set(owner);
                Ok(())
            })?;
        }
        Ok(())
    }
}
