//! How a task is asked to end.
//!
//! **Cancelling** is a request. Each belongs to the task itself, which counts
//! them (`requests`), or to one of its scopes, which make one each
//! (`scope.rs`). Each is delivered once, as ROTA_ERR_CANCELLED:
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
//!
//! ```text
//!             the task waits        answered CANCELLED
//!    DUE ───────────────────▶ PASSED ON ───────────▶ ARRIVED
//!     │ ▲                         │                     ▲
//!     │ └─────────────────────────┘ answered otherwise  │
//!     └─────────────────────────────────────────────────┘
//!          the next operation, or the next wait
//! ```
//!
//! Where several requests could be delivered, the one from **furthest outside**
//! goes first: the task's own, then its scopes' from the outermost on. One
//! answer is the arrival of one request. So when nested deadlines pass together,
//! what arrives is the outer one's, and leaving the inner scope drops its own
//! before anybody has met it. A shield holds back what comes from outside it
//! (rule 3 without an end); leaving the shield delivers it.
//!
//! What holds, between any two calls: `due + passed_on <= requests`; `passed_on`
//! is 0 unless the task waits, or what it waited for is done and it has not gone
//! on yet.

use super::core::Core;
use super::event_loop::State;
use super::future::Source;
use super::outcome::Outcome;
use super::scope::Request;
use super::service::Service;
use super::task::TaskState;
use super::waiters::Waiter;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::Text;

/// Whose a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// The task's own.
    Task,
    /// A scope's.
    Scope(Key),
}

impl Core {
    /// The request that is delivered next, if one is due.
    fn task_next_due(&self, key: Key) -> Option<Asker> {
        let task = self.tasks.get(key)?;
        let own = (task.due > 0).then_some(Asker::Task);
        let Some(ties) = task.ties else { return own };
        let (mut at, mut found) = (self.ties.get(ties)?.scope, None);
        while let Some((scope, slot)) = at.and_then(|scope| Some((scope, self.scopes.get(scope)?))) {
            if slot.request == Request::Due {
                found = Some(Asker::Scope(scope));
            }
            if slot.shield {
                return found;
            }
            at = slot.outer;
        }
        own.or(found)
    }

    /// Delivers a request that is due, if there is one, to whoever asks: why it was made.
    pub fn task_take_due(&mut self, key: Key) -> Option<Text> {
        let asker = self.task_next_due(key)?;
        let reason = self.request_reason(key, asker);
        self.request_move(key, asker, Request::Arrived);
        Some(reason)
    }

    /// A request that is due is passed on, or has arrived.
    fn request_move(&mut self, key: Key, asker: Asker, to: Request) {
        match asker {
            Asker::Task => {
                if let Some(task) = self.tasks.get_mut(key) {
                    task.due -= 1;
                    task.passed_on += u32::from(to == Request::PassedOn);
                }
            }
            Asker::Scope(scope) => {
                if let Some(scope) = self.scopes.get_mut(scope).filter(|scope| !scope.persistent) {
                    scope.request = to;
                }
            }
        }
    }

    fn request_reason(&self, key: Key, asker: Asker) -> Text {
        let reason = match asker {
            Asker::Task => self.ties_of(key).map(|ties| &ties.reason),
            Asker::Scope(scope) => self.scopes.get(scope).map(|scope| &scope.reason),
        };
        reason.map_or(Text::None, |reason| self.text_copy(reason))
    }

    /// A wait is over, with this status: the reason of the request that it answers. What else was passed on is due.
    #[inline]
    pub(super) fn task_answered(&mut self, key: Key, status: i32) -> Text {
        let Some(task) = self.tasks.get_mut(key) else { return Text::None };
        let cancelled = status == ROTA_ERR_CANCELLED as i32;
        let passed_on = core::mem::take(&mut task.passed_on);
        task.due += passed_on.saturating_sub(u32::from(cancelled));
        match task.ties {
            Some(_) => self.scopes_answered(key, cancelled, passed_on > 0),
            None => Text::None,
        }
    }

    fn scopes_answered(&mut self, key: Key, cancelled: bool, own: bool) -> Text {
        let (mut passed_on, mut persists, mut hidden) = (None, None, false);
        let mut at = self.ties_of(key).and_then(|ties| ties.scope);
        while let Some((scope, slot)) = at.and_then(|scope| Some((scope, self.scopes.get_mut(scope)?))) {
            if slot.request == Request::PassedOn {
                slot.request = Request::Due;
                passed_on = Some(scope);
            } else if slot.persistent && slot.request == Request::Due && !hidden {
                persists = Some(scope);
            }
            hidden |= slot.shield;
            at = slot.outer;
        }
        if !cancelled {
            return Text::None;
        }
        match passed_on.or(persists) {
            _ if own => self.request_reason(key, Asker::Task),
            Some(scope) => {
                self.request_move(key, Asker::Scope(scope), Request::Arrived);
                self.request_reason(key, Asker::Scope(scope))
            }
            None => Text::None,
        }
    }

    /// How many requests to end a task has had that were not taken back, its scopes' included.
    pub fn task_cancelling(&self, key: Key) -> Result<u32> {
        let mut count = self.tasks.get(key).ok_or(ROTA_ERR_HANDLE)?.requests;
        let mut at = self.ties_of(key).and_then(|ties| ties.scope);
        while let Some(scope) = at.and_then(|scope| self.scopes.get(scope)) {
            count += u32::from(scope.request != Request::None);
            at = scope.outer;
        }
        Ok(count)
    }

    /// Takes one of the task's own requests back; how many are left. With the last one goes what was not delivered.
    pub fn task_uncancel(&mut self, key: Key) -> Result<u32> {
        let task = self.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        task.requests = task.requests.saturating_sub(1);
        task.due = task.due.min(task.requests);
        task.passed_on = task.passed_on.min(task.requests - task.due);
        self.task_cancelling(key)
    }
}

impl<S: Service> State<S> {
    /// Asks a task to end.
    pub fn task_cancel(&mut self, key: Key) -> Result<()> {
        let task = self.core.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if task.is_over() {
            return Err(ROTA_ERR_DONE.into());
        }
        task.requests += 1;
        task.due += 1;
        let TaskState::Waiting(future) = task.state else { return Ok(()) };
        if !self.core.task_is_shielded(key, None) {
            self.task_deliver(key, Asker::Task, future);
        }
        Ok(())
    }

    /// As `task_cancel`, and says why.
    pub fn task_cancel_with(&mut self, key: Key, reason: Text) -> Result<()> {
        let task = self.core.tasks.get(key).ok_or(ROTA_ERR_HANDLE)?;
        if task.is_over() {
            return Err(ROTA_ERR_DONE.into());
        }
        if !reason.is_empty() {
            self.core.ties_make(key)?.reason = reason;
        }
        self.task_cancel(key)
    }

    /// Delivers a request that is due to a task that waits.
    pub(super) fn task_deliver_due(&mut self, key: Key) {
        let Some(TaskState::Waiting(future)) = self.core.tasks.get(key).map(|task| task.state) else { return };
        if let Some(asker) = self.core.task_next_due(key) {
            self.task_deliver(key, asker, future);
        }
    }

    /// Delivers a request to a waiting task.
    pub(super) fn task_deliver(&mut self, key: Key, asker: Asker, future: Key) {
        let (round, before) = (self.core.request_round(), self.core.passing);
        self.core.passing = Some(round);
        self.task_deliver_on(key, asker, future, round);
        self.core.passing = before;
    }

    /// A chain of tasks that wait for each other is followed, not recursed into;
    /// in a circle the request goes round once.
    fn task_deliver_on(&mut self, mut key: Key, mut asker: Asker, mut future: Key, round: u32) {
        loop {
            self.core.request_move(key, asker, Request::PassedOn);
            if let Some(task) = self.core.tasks.get_mut(key) {
                task.round = round;
            }
            let Some(slot) = self.core.futures.get(future).filter(|slot| !slot.done) else { return };
            let owned = match slot.source {
                Source::Group(group) if self.core.group_is_owned_by(group, key) => Some(group),
                _ => None,
            };
            if let Some(group) = owned {
                // Whoever else waits for it: its owner does not go on before its members have ended.
                return self.group_cancel(group, Text::None);
            }
            if slot.claims > 1 {
                return self.task_release(key, future);
            }
            let (Source::Task(next) | Source::Start(next)) = slot.source else {
                let _ = self.future_cancel(future);
                return;
            };
            let joins = matches!(slot.source, Source::Task(_));
            let Some(task) = self.core.tasks.get_mut(next) else { return };
            if joins && (task.join_count > 1 || task.round == round) {
                return self.core.join_remove(future, next);
            }
            task.requests += 1;
            task.due += 1;
            let TaskState::Waiting(further) = task.state else { return };
            if self.core.task_is_shielded(next, None) {
                return;
            }
            (key, asker, future) = (next, Asker::Task, further);
        }
    }

    /// The task stops waiting for a future that others still wait for.
    fn task_release(&mut self, key: Key, future: Key) {
        self.core.future_unclaim(future, |waiter| matches!(waiter, Waiter::Task(task) if *task == key));
        self.core.task_set_outcome(key, Outcome::cancelled());
        self.core.task_wake(key);
    }
}
