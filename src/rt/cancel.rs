//! How a task is asked to end.
//!
//! **Cancelling** is a request; requests are counted. Each is delivered once, as
//! ROTA_ERR_CANCELLED:
//!
//! 1. to the future it waits for, if its claim is the only one: the operation
//!    is withdrawn and its outcome, exact counts included, is what the task
//!    gets. What cannot be withdrawn at once (another task, a blocking call)
//!    is asked, and the task goes on waiting for its answer: if that is another
//!    than ROTA_ERR_CANCELLED, the request is due;
//! 2. to the task alone, if others wait for the same future;
//! 3. otherwise (it is queued, running, or its outcome is ready) the request is
//!    *due*: the next operation it starts, or the next wait that is not over
//!    already, is answered ROTA_ERR_CANCELLED instead.

use super::core::Core;
use super::event_loop::State;
use super::future::Source;
use super::outcome::Outcome;
use super::service::Service;
use super::task::TaskState;
use super::waiters::Waiter;
use crate::base::{rota_status::*, Key, Result};

impl Core {
    /// Delivers a request that is due, if there is one.
    pub fn task_take_due(&mut self, key: Key) -> bool {
        let Some(task) = self.tasks.get_mut(key).filter(|task| task.due > 0) else { return false };
        task.due -= 1;
        true
    }

    /// One more request waits for the answer of what the task waits for.
    fn task_pass_on(&mut self, key: Key, round: u32) {
        if let Some(task) = self.tasks.get_mut(key) {
            task.passed_on += 1;
            task.round = round;
        }
    }

    /// Takes one request back; how many are left. With the last one goes what was not delivered.
    pub fn task_uncancel(&mut self, key: Key) -> Result<u32> {
        let task = self.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        task.requests = task.requests.saturating_sub(1);
        task.due = task.due.min(task.requests);
        task.passed_on = task.passed_on.min(task.requests - task.due);
        Ok(task.requests)
    }
}

impl<S: Service> State<S> {
    /// Asks a task to end.
    pub fn task_cancel(&mut self, key: Key) -> Result<()> {
        let task = self.core.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if task.state == TaskState::Ended {
            return Err(ROTA_ERR_DONE.into());
        }
        task.requests += 1;
        match task.state {
            TaskState::Waiting(future) => self.task_deliver(key, future),
            _ => task.due += 1,
        }
        Ok(())
    }

    /// Delivers a request to a waiting task.
    pub(super) fn task_deliver(&mut self, key: Key, future: Key) {
        let (round, before) = (self.core.request_round(), self.core.passing);
        self.core.passing = Some(round);
        self.task_deliver_on(key, future, round);
        self.core.passing = before;
    }

    /// A chain of tasks that wait for each other is followed, not recursed into; in a circle the request goes round
    /// once.
    fn task_deliver_on(&mut self, mut key: Key, mut future: Key, round: u32) {
        self.core.task_pass_on(key, round);
        loop {
            let Some(slot) = self.core.futures.get(future).filter(|slot| !slot.done) else { return };
            if slot.claims > 1 {
                return self.task_release(key, future);
            }
            let Source::Task(next) = slot.source else {
                let _ = self.future_cancel(future);
                return;
            };
            let Some(task) = self.core.tasks.get_mut(next) else { return };
            if task.join_count > 1 || task.round == round {
                return self.core.join_remove(future, next);
            }
            task.requests += 1;
            let TaskState::Waiting(further) = task.state else {
                task.due += 1;
                return;
            };
            self.core.task_pass_on(next, round);
            (key, future) = (next, further);
        }
    }

    /// The task stops waiting for a future that others still wait for.
    fn task_release(&mut self, key: Key, future: Key) {
        self.core.future_unclaim(future, |waiter| matches!(waiter, Waiter::Task(task) if *task == key));
        self.core.task_set_outcome(key, Outcome::cancelled());
        self.core.task_wake(key);
    }
}
