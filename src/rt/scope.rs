//! Scopes: stretches of one task's work that can be cancelled, and given a deadline, on their own.
//!
//! ```text
//!   the task's own requests          asked from anywhere, taken back by uncancel
//!   └─ scope A, deadline 5 s         \
//!      └─ scope B, SHIELD             } a list through `outer`, from the innermost on
//!         └─ scope C, deadline 1 s   /
//!
//!           its deadline, or a cancel              left
//!   OPEN ────────────────────────────▶ FIRED ────────────▶ ended
//!     └──────────────────────────────────────────────────────▲
//! ```
//!
//! A scope fires once, and how is its state for good. Firing makes **one
//! request** to the task, which is the scope's own: leaving the scope takes back
//! exactly that one, wherever it stands (due, passed on, arrived). `cancel.rs`
//! says how requests reach the task.
//!
//! **A shield** holds back the requests from outside it: those of the task
//! itself and of scopes further out. They stay due until it is left. **A
//! persistent** scope's request stays due after it has arrived, so that every
//! wait inside meets it.
//!
//! **Leaving** ends what is still open inside first, from the innermost on. Each
//! scope that timed out turns ROTA_ERR_CANCELLED into ROTA_ERR_TIMEOUT, unless
//! another request is outstanding that could have brought it: one from outside,
//! that no shield holds back, and that was not there when the scope was entered.
//!
//! What holds, between any two calls:
//!
//! 1. A scope is in its task's list exactly while `task` names that task; the
//!    task's body has not ended then. Only a group's may be in none.
//! 2. `request` is `None` unless the scope has fired and is in a list. A
//!    persistent scope's is never `PassedOn` or `Arrived`.
//! 3. `PassedOn` means that the task waits, or that what it waited for is done
//!    and it has not gone on yet.
//! 4. A timer is armed exactly while the scope has a deadline and has not fired.

use super::cancel::Asker;
use super::core::Core;
use super::event_loop::State;
use super::service::Service;
use super::task::TaskState;
use super::timer::TimerAction;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::Text;

/// Whether a scope has fired, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fired {
    /// It has not.
    No,
    /// Its deadline has passed.
    TimedOut,
    /// Somebody cancelled it.
    Cancelled,
    /// It is a group's, and a member failed.
    Failed,
}

/// Where a scope's request to its task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// There is none.
    None,
    /// It has to be delivered.
    Due,
    /// What the task waits for was asked: it answers, or the request is due.
    PassedOn,
    /// The task was told.
    Arrived,
}

/// A scope's slot.
pub struct Scope {
    /// The task in whose list it stands.
    pub(super) task: Option<Key>,
    /// The next scope of the list, further out.
    pub(super) outer: Option<Key>,
    /// The group whose scope it is: it stays as long as the group, in a list or not.
    pub(super) group: Option<Key>,
    /// Whether requests from outside wait until it is left.
    pub(super) shield: bool,
    /// Whether its request arrives again and again.
    pub(super) persistent: bool,
    pub(super) fired: Fired,
    pub(super) request: Request,
    pub(super) reason: Text,
    deadline: u64,
    timer: Option<Key>,
    /// How many requests from outside were outstanding when it was entered.
    pub(super) entry: u32,
}

/// What a new scope is.
#[derive(Clone, Copy)]
pub struct NewScope {
    /// On the loop's clock; `u64::MAX` is none.
    pub deadline: u64,
    /// Whether requests from outside wait until it is left.
    pub shield: bool,
    /// Whether its request arrives again and again.
    pub persistent: bool,
}

impl Core {
    /// A new innermost scope of a task.
    pub fn scope_enter(&mut self, task: Key, new: NewScope) -> Result<Key> {
        let slot = self.tasks.get(task).ok_or(ROTA_ERR_HANDLE)?;
        if slot.is_over() {
            return Err(ROTA_ERR_DONE.into());
        }
        self.ties_make(task)?;
        let key = self.scope_new(new, None)?;
        self.scope_link(task, key);
        Ok(key)
    }

    /// A scope becomes the innermost of a task that has ties.
    pub(super) fn scope_link(&mut self, task: Key, key: Key) {
        let Some(ties) = self.ties_of_mut(task) else { return };
        let outer = ties.scope.replace(key);
        let outstanding = self.task_outstanding(task, outer);
        if let Some(scope) = self.scopes.get_mut(key) {
            scope.task = Some(task);
            scope.outer = outer;
            scope.entry = if scope.shield { 0 } else { outstanding };
        }
    }

    /// A group's scope leaves the list that it is in: its request is taken back.
    pub(super) fn scope_unlink(&mut self, key: Key) {
        let Some(scope) = self.scopes.get_mut(key) else { return };
        scope.request = Request::None;
        let (Some(task), outer) = (scope.task.take(), scope.outer.take()) else { return };
        let Some(mut at) = self.ties_of(task).and_then(|ties| ties.scope) else { return };
        if at == key {
            if let Some(ties) = self.ties_of_mut(task) {
                ties.scope = outer;
            }
            return;
        }
        while let Some(scope) = self.scopes.get_mut(at) {
            match scope.outer {
                Some(next) if next != key => at = next,
                _ => return scope.outer = outer,
            }
        }
    }

    /// A scope that is in no list yet.
    pub(super) fn scope_new(&mut self, new: NewScope, group: Option<Key>) -> Result<Key> {
        let key = self.scopes.insert(Scope {
            task: None,
            outer: None,
            group,
            shield: new.shield,
            persistent: new.persistent,
            fired: Fired::No,
            request: Request::None,
            reason: Text::None,
            deadline: u64::MAX,
            timer: None,
            entry: 0,
        })?;
        let armed = self.scope_set_deadline(key, new.deadline);
        if let Err(error) = armed {
            self.scopes.discard(key);
            return Err(error);
        }
        Ok(key)
    }

    /// Moves the deadline of a scope that has not fired; `u64::MAX` is none.
    pub fn scope_set_deadline(&mut self, key: Key, deadline: u64) -> Result<()> {
        let scope = self.scopes.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if scope.fired != Fired::No {
            return Err(ROTA_ERR_DONE.into());
        }
        match scope.timer {
            _ if deadline == u64::MAX => {
                if let Some(timer) = scope.timer.take() {
                    self.timers.cancel(timer);
                }
            }
            Some(timer) => _ = self.timers.rearm(timer, deadline),
            None => scope.timer = Some(self.timers.arm(deadline, TimerAction::Scope(key))?),
        }
        scope.deadline = deadline;
        Ok(())
    }

    /// The deadline of a scope.
    pub fn scope_deadline(&self, key: Key) -> Result<u64> {
        Ok(self.scopes.get(key).ok_or(ROTA_ERR_HANDLE)?.deadline)
    }

    /// Whether a scope has fired, and why.
    pub fn scope_fired(&self, key: Key) -> Result<Fired> {
        Ok(self.scopes.get(key).ok_or(ROTA_ERR_HANDLE)?.fired)
    }

    /// The nearest deadline of a task's scopes and of the group it is in, up to a shield.
    pub fn task_deadline(&self, task: Key) -> Result<u64> {
        self.tasks.get(task).ok_or(ROTA_ERR_HANDLE)?;
        let mut nearest = u64::MAX;
        let mut at = self.ties_of(task).and_then(|ties| ties.scope);
        while let Some(scope) = at.and_then(|key| self.scopes.get(key)) {
            nearest = nearest.min(scope.deadline);
            if scope.shield {
                return Ok(nearest);
            }
            at = scope.outer;
        }
        let around = self.task_group(task).and_then(|group| self.group_scope(group).ok());
        Ok(around.and_then(|scope| self.scopes.get(scope)).map_or(nearest, |scope| nearest.min(scope.deadline)))
    }

    /// How many requests are outstanding of the scopes from `at` outwards, up to a shield, and of the task itself.
    pub(super) fn task_outstanding(&self, task: Key, mut at: Option<Key>) -> u32 {
        let mut count = 0;
        while let Some(scope) = at.and_then(|key| self.scopes.get(key)) {
            count += u32::from(scope.request != Request::None);
            if scope.shield {
                return count;
            }
            at = scope.outer;
        }
        count + self.tasks.get(task).map_or(0, |task| task.requests)
    }

    /// Whether a shield holds back what comes from outside `of`; `None` is what comes from outside all scopes.
    pub(super) fn task_is_shielded(&self, task: Key, of: Option<Key>) -> bool {
        let mut at = self.ties_of(task).and_then(|ties| ties.scope);
        while let Some(key) = at.filter(|key| Some(*key) != of) {
            match self.scopes.get(key) {
                Some(scope) if !scope.shield => at = scope.outer,
                found => return found.is_some(),
            }
        }
        false
    }

    /// Ends a scope that is in no list.
    pub(super) fn scope_end(&mut self, key: Key) {
        if let Some(timer) = self.scopes.remove(key).and_then(|scope| scope.timer) {
            self.timers.cancel(timer);
        }
    }

    /// The innermost scope of a task ends, or leaves the list if it is a group's; what `result` is outside it.
    fn scope_drop(&mut self, task: Key, result: i64) -> i64 {
        let Some(key) = self.ties_of(task).and_then(|ties| ties.scope) else { return result };
        let Some(scope) = self.scopes.get(key) else { return result };
        let (outer, shield, entry, of_group) = (scope.outer, scope.shield, scope.entry, scope.group.is_some());
        let timed_out = scope.fired == Fired::TimedOut;
        self.scope_unlink(key);
        if !of_group {
            self.scope_end(key);
        }
        let others = if shield { 0 } else { self.task_outstanding(task, outer) };
        if timed_out && result == ROTA_ERR_CANCELLED as i64 && others <= entry {
            return ROTA_ERR_TIMEOUT as i64;
        }
        result
    }

    /// The body has ended: so have its scopes. What its answer is outside them.
    pub(super) fn scopes_drop(&mut self, task: Key, mut answer: i64) -> i64 {
        while self.ties_of(task).is_some_and(|ties| ties.scope.is_some()) {
            answer = self.scope_drop(task, answer);
        }
        answer
    }
}

impl<S: Service> State<S> {
    /// Leaves a scope and all inside it; what `result` is outside them.
    pub fn scope_leave(&mut self, key: Key, mut result: i64) -> Result<i64> {
        let scope = self.core.scopes.get(key).ok_or(ROTA_ERR_HANDLE)?;
        let (None, Some(task)) = (scope.group, scope.task) else { return Err(ROTA_ERR_INVALID.into()) };
        let shielded = self.core.task_is_shielded(task, scope.outer);
        while self.core.scopes.get(key).is_some() {
            let group = self.core.task_innermost_group(task);
            result = self.core.scope_drop(task, result);
            if let Some(group) = group {
                self.group_cancel(group, Text::Static(c"the scope around the group was left"));
            }
        }
        if shielded {
            self.task_deliver_due(task);
        }
        Ok(result)
    }

    /// Cancels a scope.
    pub fn scope_cancel(&mut self, key: Key, reason: Text) -> Result<()> {
        match self.core.scope_fired(key)? {
            Fired::No => self.scope_fire(key, Fired::Cancelled, reason),
            _ => return Err(ROTA_ERR_DONE.into()),
        }
        Ok(())
    }

    /// The deadline of a scope has passed.
    pub(super) fn scope_expire(&mut self, key: Key) {
        if let Some(scope) = self.core.scopes.get_mut(key) {
            scope.timer = None;
            self.scope_fire(key, Fired::TimedOut, Text::Static(c"the deadline has passed"));
        }
    }

    /// A scope that has not fired does. A group's asks its members, and then its owner.
    pub(super) fn scope_fire(&mut self, key: Key, fired: Fired, reason: Text) {
        let Some(scope) = self.core.scopes.get_mut(key) else { return };
        scope.fired = fired;
        scope.reason = reason;
        if let Some(timer) = scope.timer.take() {
            self.core.timers.cancel(timer);
        }
        match scope.group {
            Some(group) => self.group_ask(group),
            None => self.scope_ask(key),
        }
    }

    /// A scope that has fired asks its task, if it is in a list.
    pub(super) fn scope_ask(&mut self, key: Key) {
        let Some(scope) = self.core.scopes.get_mut(key) else { return };
        let Some(task) = scope.task else { return };
        scope.request = Request::Due;
        let Some(TaskState::Waiting(future)) = self.core.tasks.get(task).map(|task| task.state) else { return };
        if !self.core.task_is_shielded(task, Some(key)) {
            self.task_deliver(task, Asker::Scope(key), future);
        }
    }
}
