//! The end of a task: its body has returned, or will never run again.
//!
//! ```text
//!                  no group of its own left
//!   body returns ───────────────────────────────▶ ENDED: joins, its group, its free
//!        │                                          ▲
//!        └──────▶ LEAVING ── its groups are empty ──┘ in its turn
//!          some left: they are cancelled
//! ```
//!
//! First the task leaves its scopes, which may make another answer of the
//! body's; then it has its outcome. Groups that it owns and that still have
//! members are cancelled, and until the last of them is empty the task is
//! *leaving*: nobody learns of its end, and its user_data stays, which its
//! members may use. (Its stack, if it had one, is gone.) A leaving task keeps
//! its place in the ready queue, and the end of its last group takes it. So the
//! ends of tasks that own each other's groups come one by one, each in a turn of
//! its own, and never inside one another.
//!
//! A task is *asked* if a request of its own, or of a scope that was open when it
//! ended, was outstanding. Being cancelled is no failure of a task that was
//! asked; it is one of a task that was not.
//!
//! Who waits for it to start is told when the body has ended. Of its end, in this
//! order: those who join it, and the group that it belongs to, which may cancel
//! its other members.

use super::core::Core;
use super::event_loop::State;
use super::future::{Object, Unseen};
use super::hook::ROTA_TASK_ENDED;
use super::locals::Chain;
use super::members::Failure;
use super::outcome::Outcome;
use super::service::Service;
use super::task::TaskState;
use super::ties::Starting;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::Text;

impl<S: Service> State<S> {
    /// The body has returned `answer`, or will never run again and this is answered for it. The task's place in the
    /// ready queue is set aside. What it returns is the caller's to call.
    pub fn task_end(&mut self, key: Key, answer: i64) -> Option<HostFree> {
        self.core.tell_of_task(key, ROTA_TASK_ENDED);
        self.core.body_over(key);
        let task = self.core.tasks.get(key)?;
        if task.ties.is_some() {
            return self.task_end_tied(key, answer);
        }
        let asked = task.requests > 0;
        self.core.task_set_end(key, answer, asked, Text::None);
        self.core.ready.release_one();
        self.task_complete(key)
    }

    /// As `task_end`, of a task that has more than itself to see to.
    fn task_end_tied(&mut self, key: Key, answer: i64) -> Option<HostFree> {
        let asked = self.core.task_cancelling(key).is_ok_and(|requests| requests > 0);
        let answer = self.core.scopes_drop(key, answer);
        let ties = self.core.ties_of_mut(key);
        let (attached, reason) =
            ties.map_or((None, Text::None), |ties| (ties.attached.take(), core::mem::take(&mut ties.reason)));
        self.core.attached_end(attached);
        self.core.task_set_end(key, answer, asked, reason);
        self.core.start_ended(key);
        self.groups_give_up(key);
        if self.core.ties_of(key).is_some_and(|ties| ties.groups.is_some()) {
            if let Some(task) = self.core.tasks.get_mut(key) {
                task.state = TaskState::Leaving;
            }
            return None;
        }
        self.core.ready.release_one();
        self.task_complete(key)
    }

    /// The turn of a task that was leaving has come.
    pub(super) fn task_left(&mut self, key: Key) -> Option<HostFree> {
        let leaving = self.core.tasks.get(key).is_some_and(|task| task.state == TaskState::Leaving);
        if leaving {
            self.task_complete(key)
        } else {
            None
        }
    }

    /// The task has ended: everybody is told.
    fn task_complete(&mut self, key: Key) -> Option<HostFree> {
        let ties = self.core.ties_take(key);
        let member = ties.and_then(|ties| Some((ties.member?, ties.starting)));
        let joined = self.core.joins_answer(key, member.is_some());
        let task = self.core.tasks.get_mut(key)?;
        task.state = TaskState::Ended;
        task.facts.since = self.core.now;
        let (free, outcome, detached) = (task.free.take(), task.outcome, task.detached);
        let failed = outcome.is_error() || outcome.status == ROTA_ERR_CANCELLED as i32 && !task.asked;
        if let Some((member, starting)) = member {
            let (text, name) = (core::mem::take(&mut task.text), core::mem::take(&mut task.name));
            self.core.tasks.discard(key);
            let told = starting == Starting::Failed;
            let failure = (failed && !told).then_some(Failure { outcome, text, name });
            self.member_ended(member, outcome.status >= 0, failure);
        } else if joined {
            self.core.tasks.discard(key);
        } else if detached {
            self.core.task_forget(key);
        }
        free
    }
}

impl Core {
    /// The body is over: its stack goes back, and the values that it saw are let go of.
    fn body_over(&mut self, key: Key) {
        self.stack_over(key);
        let Some(task) = self.tasks.get_mut(key) else { return };
        self.locals.release(core::mem::replace(&mut task.locals, Chain::EMPTY));
    }

    /// What the body's answer makes of the task's outcome; `reason` is why it was asked to end.
    #[inline]
    fn task_set_end(&mut self, key: Key, answer: i64, asked: bool, reason: Text) {
        let Some(task) = self.tasks.get_mut(key) else { return };
        task.asked = asked;
        if answer >= 0 || answer != task.outcome.short() {
            task.text.set(Text::None);
            task.outcome = Outcome::from_short(answer).unwrap_or_else(|| {
                task.text = Text::Static(c"the body returned a negative number that is not a status");
                Outcome::failed(ROTA_ERR_INVALID.into(), 0)
            });
        }
        if asked && task.text.is_empty() && task.outcome.status == ROTA_ERR_CANCELLED as i32 {
            task.text = reason;
        }
    }

    /// Answers the joins of a task that has ended, who get what there is to tell, unless it is a `member` of a group,
    /// which gets that too. Whether there were any.
    fn joins_answer(&mut self, key: Key, member: bool) -> bool {
        let Some(task) = self.tasks.get_mut(key) else { return false };
        let Some((first, _)) = task.joins.take() else { return false };
        let (outcome, mut text) = (task.outcome, task.told(!member, &self.memory));
        let mut joins = Some(first);
        while let Some(join) = joins {
            joins = self.futures.get(join).and_then(|future| future.next_join);
            let copy = if joins.is_some() { self.text_copy(&text) } else { core::mem::take(&mut text) };
            self.future_complete(join, outcome, copy, Object::None);
        }
        true
    }

    /// The body has ended, and if somebody waits for the task to start, that will not come: he gets its failure.
    fn start_ended(&mut self, key: Key) {
        let Some(Starting::Waits(future)) = self.ties_of(key).map(|ties| ties.starting) else { return };
        let Some(task) = self.tasks.get(key) else { return };
        let (outcome, text) = match task.outcome.status {
            ..0 => (task.outcome, self.text_copy(&task.text)),
            0.. => (
                Outcome::failed(ROTA_ERR_INVALID.into(), 0),
                Text::Static(c"the task ended before it said that it had started"),
            ),
        };
        let told = self.future_complete(future, outcome, text, Object::None);
        if let Some(ties) = self.ties_of_mut(key) {
            ties.starting = if told { Starting::Failed } else { Starting::Over };
        }
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
