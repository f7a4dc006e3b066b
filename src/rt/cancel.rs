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
//! 2. to the task alone, if others wait for the same future, or if nobody is
//!    left who could be asked (a task that is leaving, a group that has fired);
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
//! **A sweep** is all that follows from one request: it runs down a chain of tasks
//! that wait for each other, and down into groups and their members, and asks
//! each task once. Combinations pass it on in a turn of their own, and go on with
//! its number (`combine_cancel.rs`). Where it comes by a task again, whoever waits
//! for that one waits on for its answer; unless the task waits for him, through
//! however much else (`circles.rs`): he is let go alone, and the circle opens.
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

    /// Delivers a request that is due, if there is one, to whoever asks: why it was made. Every operation that a task
    /// starts comes by here.
    #[inline]
    pub fn task_take_due(&mut self, key: Key) -> Option<Text> {
        match self.tasks.get(key) {
            Some(task) if task.due > 0 || task.ties.is_some() => self.task_take_next_due(key),
            _ => None,
        }
    }

    #[inline(never)]
    fn task_take_next_due(&mut self, key: Key) -> Option<Text> {
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
        if task.passed_on == 0 && task.ties.is_none() {
            return Text::None;
        }
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
        if task.requests == 0 {
            if let Some(ties) = self.ties_of_mut(key) {
                ties.reason = Text::None;
            }
        }
        self.task_cancelling(key)
    }

    /// The number of the sweep that is under way, or of a new one.
    pub(super) fn sweep_number(&mut self) -> u32 {
        self.sweep.unwrap_or_else(|| {
            self.round = self.round.wrapping_add(1).max(1);
            self.round
        })
    }

    /// A sweep begins, unless this is a part of one; whether it does.
    pub(super) fn sweep_begin(&mut self) -> bool {
        let begins = self.sweep.is_none();
        self.sweep = Some(self.sweep_number());
        begins
    }

    /// The sweep comes by a task: whether it has been there before.
    pub(super) fn sweep_meets(&mut self, key: Key) -> bool {
        let met = self.sweep_has_met(key);
        if let (Some(task), Some(sweep)) = (self.tasks.get_mut(key), self.sweep) {
            task.round = sweep;
        }
        met
    }

    /// Whether the sweep that is under way has come by a task.
    pub(super) fn sweep_has_met(&self, key: Key) -> bool {
        self.sweep.is_some_and(|sweep| self.tasks.get(key).is_some_and(|task| task.round == sweep))
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

    /// Delivers a request to a waiting task. A chain of tasks that wait for each other is followed, not recursed into.
    pub(super) fn task_deliver(&mut self, key: Key, asker: Asker, future: Key) {
        let outermost = self.core.sweep_begin();
        self.core.sweep_meets(key);
        let (mut key, mut asker, mut future) = (key, asker, future);
        while let Some((next, further)) = self.task_pass_on(key, asker, future) {
            (key, asker, future) = (next, Asker::Task, further);
        }
        if outermost {
            self.core.sweep = None;
        }
    }

    /// Passes a request on to what a task waits for. If that is another task, which has been asked now and waits too:
    /// that task, and for what.
    fn task_pass_on(&mut self, key: Key, asker: Asker, future: Key) -> Option<(Key, Key)> {
        self.core.request_move(key, asker, Request::PassedOn);
        let slot = self.core.futures.get(future).filter(|slot| !slot.done)?;
        let (source, shared) = (slot.source, slot.claims > 1);
        match source {
            // Whoever else waits for it: its owner does not go on before its members have ended.
            Source::Group(group) if self.core.group_is_owned_by(group, key) => self.group_cancel(group, Text::None),
            _ if shared => self.task_release(key, future),
            Source::Task(next) | Source::Start(next) => return self.task_pass_on_to(future, next),
            _ => _ = self.future_cancel(future),
        }
        None
    }

    /// Somebody waits with `future` for the end of `next`, or for its start.
    fn task_pass_on_to(&mut self, future: Key, next: Key) -> Option<(Key, Key)> {
        let joined = self.core.future_is_join_of(future, next);
        let task = self.core.tasks.get(next)?;
        if joined && (task.join_count > 1 || task.is_over()) {
            self.core.join_remove(future, next);
            return None;
        }
        if self.core.sweep_meets(next) {
            match self.core.task_waits_for(next, future) {
                true if joined => self.core.join_remove(future, next),
                true => self.core.start_remove(future, next),
                false => {}
            }
            return None;
        }
        let task = self.core.tasks.get_mut(next)?;
        task.requests += 1;
        task.due += 1;
        let TaskState::Waiting(further) = task.state else { return None };
        if self.core.task_is_shielded(next, None) {
            return None;
        }
        Some((next, further))
    }

    /// The task stops waiting for a future that others still wait for.
    fn task_release(&mut self, key: Key, future: Key) {
        self.core.future_unclaim(future, |waiter| matches!(waiter, Waiter::Task(task) if *task == key));
        self.core.task_set_outcome(key, Outcome::cancelled());
        self.core.task_wake(key);
    }
}
