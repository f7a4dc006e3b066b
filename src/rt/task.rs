//! Tasks: coroutines that the loop drives from one wait to the next.
//!
//! ```text
//!   spawn         its turn          it waits               what it waits for is done
//!  ──────▶ QUEUED ────────▶ RUNNING ────────▶ WAITING(future) ────────┐
//!             ▲                │ │                                    │
//!             │ yield, budget  │ │ the body returns                   │
//!             ├────────────────┘ ├────────▶ ENDED ──▶ joined, detached│
//!             │                  │            ▲                       │
//!             │                  └──▶ LEAVING ┘ its groups are empty  │
//!             └───────────────────────────────────────────────────────┘
//! ```
//!
//! A task always has a place in the ready queue: either it stands in it, or one
//! is set aside. A task that ended keeps its outcome until it is joined, or is
//! detached.
//!
//! How a task is asked to end stands in `cancel.rs`, who waits for its end in `join.rs`,
//! what its end does in `ending.rs`.

use super::core::Core;
use super::coro::{Body, StackWanted, Stackful, Start, Step};
use super::event_loop::State;
use super::hook::{ROTA_TASK_RESUMED, ROTA_TASK_SPAWNED};
use super::info::Facts;
use super::locals::Chain;
use super::outcome::Outcome;
use super::owner::Tag;
use super::ready::Entry;
use super::service::Service;
use super::waiters::Waiter;
use crate::base::{limits, rota_status::*, Handle, Key, Kind, Result};
use crate::sys::host::{HostFree, HostStep};
use crate::sys::Text;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It stands in the ready queue.
    Queued,
    /// Its body runs.
    Running,
    /// It waits for a future.
    Waiting(Key),
    /// Its body has returned, and what it owns has not ended.
    Leaving,
    /// It has ended.
    Ended,
}

/// What a stepped body waits for when it returns.
#[derive(Clone, Copy)]
pub enum Next {
    /// A future.
    Future(Handle),
    /// Its next turn; it stands here until that has come.
    Turn,
}

impl Task {
    /// Whether its body has returned.
    pub fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Leaving | TaskState::Ended)
    }

    /// Whether there is anything about requests to cancel to look for: mostly there is not.
    #[inline]
    fn is_tied(&self) -> bool {
        self.due > 0 || self.passed_on > 0 || self.ties.is_some()
    }
}

/// A task's slot.
pub struct Task {
    /// Where it stands.
    pub state: TaskState,
    /// The body, until it has ended.
    pub body: Option<Body>,
    /// Whether the body is on a stack of its own.
    pub stackful: bool,
    /// The future whose outcome it gets when it goes on.
    pub answer: Option<Key>,
    /// What a stepped body wants to wait for when it returns.
    pub next: Option<Next>,
    /// Its own requests to cancel that have not been taken back; its scopes have theirs.
    pub requests: u32,
    /// Requests that still have to be delivered.
    pub(super) due: u32,
    /// Requests that were passed on to what the task waits for: it answers them, or they are due.
    pub(super) passed_on: u32,
    /// The sweep that came by last.
    pub(super) round: u32,
    /// How often it may go on without waiting.
    pub budget: u32,
    /// What its last wait came to; after its end, what the task came to.
    pub outcome: Outcome,
    /// And in words.
    pub text: Text,
    /// For logs.
    pub name: Text,
    /// The values that it sees.
    pub(super) locals: Chain,
    /// Where it came from, and how long it has been where it is.
    pub(super) facts: Facts,
    /// Whose it is.
    pub(super) owner: Tag,
    /// Whose all is that it starts when it goes on.
    pub(super) acts_for: Tag,
    /// Whether its owner was cancelled: a stepped one is not called again.
    pub(super) given_up: bool,
    /// Whether nobody will join it.
    pub detached: bool,
    /// Whether it had been asked to end when it did.
    pub(super) asked: bool,
    /// Its scopes and the like, once it had any.
    pub(super) ties: Option<Key>,
    /// Lets go of the body's user_data.
    pub free: Option<HostFree>,
    /// The first and the last of the joins, a list through their futures, and how many there are.
    pub(super) joins: Option<(Key, Key)>,
    pub(super) join_count: u32,
}

/// What a new task is.
pub struct NewTask {
    /// For logs.
    pub name: Text,
    /// The stack it runs on, if it is not stepped.
    pub stack: StackWanted,
    /// Lets go of the body's user_data.
    pub free: Option<HostFree>,
    /// Whether nobody will join it.
    pub detached: bool,
    /// Who spawned it: it begins with that one's values.
    pub parent: Option<Key>,
    /// Whether it is not queued, because the caller starts it (`Runtime::start_eager`).
    pub eager: bool,
}

impl Core {
    /// A new task with a stack, queued for the next turn.
    pub fn task_spawn(&mut self, new: NewTask, start: Start) -> Result<Key> {
        let (stack, eager) = (new.stack, new.eager);
        let key = self.task_insert(new, true)?;
        let handle = self.handle(Kind::Task, key).into();
        match Stackful::new(&mut self.stacks, stack, self.debug, handle, start) {
            Ok(body) => {
                self.stack_crowding();
                Ok(self.task_start(key, Body::Stackful(body), eager))
            }
            Err(error) => {
                self.stack_refused(stack, &error);
                let locals = self.tasks.remove(key).map_or(Chain::EMPTY, |task| task.locals);
                self.locals.release(locals);
                self.ready.release_one();
                Err(error)
            }
        }
    }

    /// A new stepped task, queued for the next turn.
    pub fn task_spawn_stepped(&mut self, new: NewTask, step: HostStep) -> Result<Key> {
        if matches!(new.stack, StackWanted::Host(_)) {
            return Err(ROTA_ERR_INVALID.into());
        }
        let eager = new.eager;
        let key = self.task_insert(new, false)?;
        Ok(self.task_start(key, Body::Stepped(step), eager))
    }

    fn task_insert(&mut self, new: NewTask, stackful: bool) -> Result<Key> {
        self.ready.reserve_one()?;
        let parent = new.parent.and_then(|parent| self.tasks.get(parent));
        let locals = parent.map_or(Chain::EMPTY, |parent| parent.locals);
        let facts = self.new_facts(new.parent);
        let inserted = self.tasks.insert(Task {
            state: TaskState::Queued,
            body: None,
            stackful,
            answer: None,
            next: None,
            requests: 0,
            due: 0,
            passed_on: 0,
            round: 0,
            budget: limits::TASK_BUDGET,
            outcome: Outcome::default(),
            text: Text::None,
            name: new.name,
            locals,
            facts,
            owner: self.owner,
            acts_for: self.owner,
            given_up: false,
            detached: new.detached,
            asked: false,
            ties: None,
            free: new.free,
            joins: None,
            join_count: 0,
        });
        match inserted {
            Ok(_) => _ = self.locals.share(locals),
            Err(_) => self.ready.release_one(),
        }
        inserted
    }

    fn task_start(&mut self, key: Key, body: Body, eager: bool) -> Key {
        if let Some(task) = self.tasks.get_mut(key) {
            task.body = Some(body);
        }
        self.note_origin(Kind::Task, key);
        self.tell_of_task(key, ROTA_TASK_SPAWNED);
        if !eager {
            self.ready.push_reserved(Entry::Task(key));
        }
        key
    }

    /// What a task waited for is done: it goes on in its turn.
    pub fn task_wake(&mut self, key: Key) {
        if let Some(task) = self.tasks.get_mut(key) {
            if matches!(task.state, TaskState::Waiting(_)) {
                task.state = TaskState::Queued;
                task.facts.since = self.now;
                self.ready.push_reserved(Entry::Task(key));
            }
        }
    }

    /// Its turn has come: what makes its next step; its place in the queue is set aside again.
    #[inline]
    pub fn task_begin(&mut self, key: Key) -> Option<Step> {
        let task = self.tasks.get_mut(key)?;
        let step = task.body.as_mut()?.step()?;
        task.state = TaskState::Running;
        task.budget = limits::TASK_BUDGET;
        task.facts.resumes(self.now);
        self.owner = task.acts_for;
        self.ready.reserve_left();
        self.tell_of_task(key, ROTA_TASK_RESUMED);
        Some(step)
    }

    /// Fetches what the task waited for; the short form.
    fn task_collect(&mut self, key: Key) -> i64 {
        let answer = self.tasks.get_mut(key).and_then(|task| task.answer.take());
        let taken = answer.and_then(|future| self.future_take_outcome(future));
        let Some(task) = self.tasks.get_mut(key) else { return ROTA_ERR_HANDLE as i64 };
        if let Some((outcome, text)) = taken {
            task.outcome = outcome;
            task.text.set(text);
            if task.is_tied() {
                self.task_note_answer(key, outcome.status);
            }
            return outcome.short();
        }
        task.outcome.short()
    }

    /// What was passed on is answered; the request's reason is the message where there is no other.
    #[cold]
    fn task_note_answer(&mut self, key: Key, status: i32) {
        let reason = self.task_answered(key, status);
        if let Some(task) = self.tasks.get_mut(key).filter(|task| task.text.is_empty() && !reason.is_empty()) {
            task.text = reason;
        }
    }

    /// Puts the running task back into the queue.
    pub fn task_requeue(&mut self, key: Key) {
        if let Some(task) = self.tasks.get_mut(key) {
            task.state = TaskState::Queued;
            task.facts.since = self.now;
            task.acts_for = self.owner;
            self.ready.push_reserved(Entry::Task(key));
        }
    }

    /// A wait is over at once: the task goes on, or is made to yield where it has done so too often.
    pub(super) fn task_go_on(&mut self, key: Key, short: i64) -> Begun {
        let Some(task) = self.tasks.get_mut(key) else { return Begun::Over(short) };
        task.budget = task.budget.saturating_sub(1);
        if task.budget == 0 {
            self.task_requeue(key);
            return Begun::Parked;
        }
        Begun::Over(short)
    }

    /// Gives the task an outcome that no future has.
    pub fn task_set_outcome(&mut self, key: Key, outcome: Outcome) -> i64 {
        if let Some(task) = self.tasks.get_mut(key) {
            task.answer = None;
            task.outcome = outcome;
            task.text.set(Text::None);
            if task.is_tied() {
                self.task_note_answer(key, outcome.status);
            }
        }
        outcome.short()
    }

    /// Answers the running task with a request that is due, if there is one: the short form.
    #[inline]
    pub fn task_refuse(&mut self, key: Key) -> Option<i64> {
        match self.tasks.get(key) {
            Some(task) if task.is_tied() => self.task_refuse_due(key),
            _ => None,
        }
    }

    #[inline(never)]
    fn task_refuse_due(&mut self, key: Key) -> Option<i64> {
        let reason = self.task_take_due(key)?;
        let short = self.task_set_outcome(key, Outcome::cancelled());
        if let Some(task) = self.tasks.get_mut(key) {
            task.text = reason;
        }
        Some(short)
    }

    /// What a stepped body waits for when it returns.
    pub fn task_set_next(&mut self, key: Key, next: Next) -> Result<()> {
        let task = self.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if task.stackful {
            return Err(ROTA_ERR_NO_TASK.into());
        }
        task.next = Some(next);
        Ok(())
    }

    /// The running task gives up its turn, unless a request meets it here.
    pub fn task_yield(&mut self, key: Key) -> Begun {
        if let Some(short) = self.task_refuse(key) {
            return self.task_go_on(key, short);
        }
        self.task_requeue(key);
        Begun::Parked
    }
}

/// How a wait began.
pub enum Begun {
    /// It is over already: the short form.
    Over(i64),
    /// The task has to leave, and goes on when it is called again.
    Parked,
}

impl<S: Service> State<S> {
    /// The task goes on: fetches what it waited for; the short form, and a destructor to call.
    pub fn task_resumed(&mut self, key: Key) -> (i64, Option<HostFree>) {
        let Some(task) = self.core.tasks.get(key) else { return (ROTA_ERR_HANDLE as i64, None) };
        match task.answer {
            Some(future) => (self.core.task_collect(key), self.future_settle(future)),
            None => (task.outcome.short(), None),
        }
    }

    /// The task goes on after it gave up its turn, and meets a request that came meanwhile.
    pub fn task_yielded(&mut self, key: Key) -> (i64, Option<HostFree>) {
        let refused = self.core.task_refuse(key);
        (refused.unwrap_or_else(|| self.core.task_set_outcome(key, Outcome::default())), None)
    }

    /// The running task begins to wait for `future`. An error changes nothing.
    pub fn task_await(&mut self, key: Key, future: Handle) -> Result<Begun> {
        let core = &mut self.core;
        let short = if let Some(carried) = future.carried() {
            core.task_set_outcome(key, Outcome::carried(carried)?)
        } else {
            let waited = future.key();
            let slot = core.futures.get_mut(waited).ok_or(ROTA_ERR_HANDLE)?;
            if !slot.done {
                return self.task_park(key, waited);
            }
            slot.claims += 1;
            if let Some(task) = core.tasks.get_mut(key) {
                task.answer = Some(waited);
            }
            core.task_collect(key)
        };
        Ok(core.task_go_on(key, short))
    }

    /// As `task_await`, for a stepped body, which has left already: that it cannot wait is what it is told.
    pub fn task_begin_wait(&mut self, key: Key, next: Next) -> Begun {
        let Next::Future(future) = next else {
            let begun = self.core.task_yield(key);
            if let (Begun::Parked, Some(task)) = (&begun, self.core.tasks.get_mut(key)) {
                task.next = Some(next);
            }
            return begun;
        };
        self.task_await(key, future).unwrap_or_else(|error| {
            let short = self.core.task_set_outcome(key, Outcome::failed(error, 0));
            self.core.task_go_on(key, short)
        })
    }

    fn task_park(&mut self, key: Key, waited: Key) -> Result<Begun> {
        let core = &mut self.core;
        if core.future_is_above(waited, key) {
            return Err(ROTA_ERR_INVALID.into());
        }
        let slot = core.futures.get_mut(waited).ok_or(ROTA_ERR_HANDLE)?;
        core.waiters.push(&mut slot.waiters, Waiter::Task(key))?;
        slot.claims += 1;
        let Some(task) = core.tasks.get_mut(key) else { return Err(ROTA_ERR_HANDLE.into()) };
        task.state = TaskState::Waiting(waited);
        task.facts.since = core.now;
        task.acts_for = core.owner;
        task.answer = Some(waited);
        if task.is_tied() {
            self.task_deliver_due(key);
        }
        Ok(Begun::Parked)
    }
}
