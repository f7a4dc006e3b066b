//! The end of a task: its body has returned, or will never run again.
//!
//! First the task leaves its scopes, which may make another answer of the
//! body's. Then it has its outcome: joins are answered, and it goes, or stays for
//! the join that is to come.
//!
//! What its scopes asked counts: a task is *asked* if a request of its own, or
//! of a scope that was open when it ended, was outstanding. Being cancelled is no
//! failure of a task that was asked; it is one of a task that was not.

use super::core::Core;
use super::coro::Body;
use super::event_loop::State;
use super::future::{Object, Unseen};
use super::hook::ROTA_TASK_ENDED;
use super::locals::Chain;
use super::outcome::Outcome;
use super::service::Service;
use super::task::TaskState;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::Text;

impl<S: Service> State<S> {
    /// The body has returned `answer`, or whoever drops it answers for it. What it returns is the caller's to call.
    pub fn task_end(&mut self, key: Key, answer: i64) -> Option<HostFree> {
        self.core.ready.release_one();
        self.core.tell_of_task(key, ROTA_TASK_ENDED);
        self.core.task_release(key);
        let asked = self.core.task_cancelling(key).is_ok_and(|requests| requests > 0);
        let answer = self.core.scopes_drop(key, answer);
        self.core.task_set_end(key, answer, asked);
        self.core.task_complete(key)
    }
}

impl Core {
    /// The body is over: its stack goes back, and the values that it saw are let go of.
    fn task_release(&mut self, key: Key) {
        let Some(task) = self.tasks.get_mut(key) else { return };
        if let Some(Body::Stackful(stackful)) = task.body.take() {
            stackful.recycle(&mut self.stacks);
        }
        self.locals.release(core::mem::replace(&mut task.locals, Chain::EMPTY));
    }

    /// What the body's answer makes of the task's outcome.
    fn task_set_end(&mut self, key: Key, answer: i64, asked: bool) {
        let reason = self.ties_take(key).map_or(Text::None, |ties| ties.reason);
        let Some(task) = self.tasks.get_mut(key) else { return };
        task.asked = asked;
        if answer >= 0 || answer != task.outcome.short() {
            (task.outcome, task.text) = match Outcome::from_short(answer) {
                Some(outcome) => (outcome, Text::None),
                None => (
                    Outcome::failed(ROTA_ERR_INVALID.into(), 0),
                    Text::Static(c"the body returned a negative number that is not a status"),
                ),
            };
        }
        if asked && task.text.is_empty() && task.outcome.status == ROTA_ERR_CANCELLED as i32 {
            task.text = reason;
        }
    }

    /// The task has its outcome: joins are answered.
    fn task_complete(&mut self, key: Key) -> Option<HostFree> {
        let task = self.tasks.get_mut(key)?;
        task.state = TaskState::Ended;
        task.facts.since = self.now;
        let free = task.free.take();
        let mut joins = task.joins.take().map(|(first, _)| first);
        let joined = joins.is_some();
        let (outcome, text, detached) = (task.outcome, core::mem::take(&mut task.text), task.detached);
        while let Some(join) = joins {
            joins = self.futures.get(join).and_then(|future| future.next_join);
            let copy = self.text_copy(&text);
            self.future_complete(join, outcome, copy, Object::None);
        }
        if joined {
            self.tasks.discard(key);
        } else if let Some(task) = self.tasks.get_mut(key) {
            task.text = text;
            if detached {
                self.task_forget(key);
            }
        }
        free
    }

    /// Lets go of a task that has ended and that nobody joined.
    fn task_forget(&mut self, key: Key) {
        if let Some(task) = self.tasks.get(key) {
            let cancelled = task.outcome.status == ROTA_ERR_CANCELLED as i32;
            if task.outcome.is_error() || cancelled && !task.asked {
                self.report_unseen(Unseen::Task(key, &task.name), &task.outcome, &task.text);
            }
        }
        self.tasks.discard(key);
    }

    /// Nobody will join it.
    pub fn task_detach(&mut self, key: Key) -> Result<()> {
        let task = self.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        task.detached = true;
        if task.state == TaskState::Ended {
            self.task_forget(key);
        }
        Ok(())
    }
}
