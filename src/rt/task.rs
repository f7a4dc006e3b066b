//! Tasks: coroutines that the loop drives from one wait to the next.
//!
//! ```text
//!   spawn         its turn          it waits               what it waits for is done
//!  ──────▶ QUEUED ────────▶ RUNNING ────────▶ WAITING(future) ────────┐
//!             ▲                │ │                                    │
//!             │ yield, budget  │ │ the body returns                   │
//!             ├────────────────┘ └────────▶ ENDED ──▶ joined, detached│
//!             └───────────────────────────────────────────────────────┘
//! ```
//!
//! A task always has a place in the ready queue: either it stands in it, or one
//! is set aside. A task that ended keeps its outcome until it is joined, or is
//! detached.
//!
//! How a task is asked to end stands in `cancel.rs`, who waits for its end in `join.rs`.

use super::core::Core;
use super::coro::{Body, StackWanted, Stackful, Start};
use super::event_loop::State;
use super::future::{Object, Unseen};
use super::outcome::Outcome;
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
    /// Its body has returned.
    Ended,
}

/// A task's slot.
pub struct Task {
    /// Where it stands.
    pub state: TaskState,
    /// The body, while it does not run.
    pub body: Option<Body>,
    /// Whether the body is on a stack of its own.
    pub stackful: bool,
    /// The future whose outcome it gets when it goes on.
    pub answer: Option<Key>,
    /// What a stepped body wants to wait for when it returns.
    pub next: Option<Handle>,
    /// Requests to cancel that have not been taken back.
    pub requests: u32,
    /// Requests that still have to be delivered.
    pub(super) due: u32,
    /// Requests that were passed on to what the task waits for: it answers them, or they are due.
    pub(super) passed_on: u32,
    /// The delivery that came by last: one that comes by again goes in a circle.
    pub(super) round: u32,
    /// How often it may go on without waiting.
    pub budget: u32,
    /// What its last wait came to; after its end, what the task came to.
    pub outcome: Outcome,
    /// And in words.
    pub text: Text,
    /// For logs.
    pub name: Text,
    /// Whether nobody will join it.
    pub detached: bool,
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
}

impl Core {
    /// A new task with a stack, queued for the next turn.
    pub fn task_spawn(&mut self, new: NewTask, start: Start) -> Result<Key> {
        let stack = new.stack;
        let key = self.task_insert(new, true)?;
        let handle = self.handle(Kind::Task, key).into();
        match Stackful::new(&mut self.stacks, stack, self.debug, handle, start) {
            Ok(body) => {
                self.stack_crowding();
                self.stack_watch(key, &body);
                Ok(self.task_start(key, Body::Stackful(body)))
            }
            Err(error) => {
                self.stack_refused(stack, &error);
                self.tasks.discard(key);
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
        let key = self.task_insert(new, false)?;
        Ok(self.task_start(key, Body::Stepped(step)))
    }

    fn task_insert(&mut self, new: NewTask, stackful: bool) -> Result<Key> {
        self.ready.reserve_one()?;
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
            detached: new.detached,
            free: new.free,
            joins: None,
            join_count: 0,
        });
        if inserted.is_err() {
            self.ready.release_one();
        }
        inserted
    }

    fn task_start(&mut self, key: Key, body: Body) -> Key {
        if let Some(task) = self.tasks.get_mut(key) {
            task.body = Some(body);
        }
        self.note_origin(Kind::Task, key);
        self.ready.push_reserved(Entry::Task(key));
        key
    }

    /// What a task waited for is done: it goes on in its turn.
    pub fn task_wake(&mut self, key: Key) {
        if let Some(task) = self.tasks.get_mut(key) {
            if matches!(task.state, TaskState::Waiting(_)) {
                task.state = TaskState::Queued;
                self.ready.push_reserved(Entry::Task(key));
            }
        }
    }

    /// Its turn has come: takes the body out to be run, and sets the next place aside.
    pub fn task_begin(&mut self, key: Key) -> Option<Body> {
        let task = self.tasks.get_mut(key)?;
        let body = task.body.take()?;
        task.state = TaskState::Running;
        task.budget = limits::TASK_BUDGET;
        self.ready.reserve_left();
        Some(body)
    }

    /// Fetches what the task waited for; the short form.
    fn task_collect(&mut self, key: Key) -> i64 {
        let answer = self.tasks.get_mut(key).and_then(|task| task.answer.take());
        let taken = answer.and_then(|future| self.future_take_outcome(future));
        let Some(task) = self.tasks.get_mut(key) else { return ROTA_ERR_HANDLE as i64 };
        if let Some((outcome, text)) = taken {
            task.outcome = outcome;
            task.text = text;
            let answered = u32::from(outcome.status == ROTA_ERR_CANCELLED as i32);
            task.due += core::mem::take(&mut task.passed_on).saturating_sub(answered);
        }
        task.outcome.short()
    }

    /// Puts the running task back into the queue.
    pub fn task_requeue(&mut self, key: Key) {
        if let Some(task) = self.tasks.get_mut(key) {
            task.state = TaskState::Queued;
            self.ready.push_reserved(Entry::Task(key));
        }
    }

    /// A wait is over at once: the task goes on, or is made to yield where it has done so too often.
    fn task_go_on(&mut self, key: Key, short: i64) -> Begun {
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
            let answered = u32::from(outcome.status == ROTA_ERR_CANCELLED as i32);
            task.due += core::mem::take(&mut task.passed_on).saturating_sub(answered);
            task.outcome = outcome;
            task.text = Text::None;
        }
        outcome.short()
    }

    /// The body has returned: joins are answered. What has to be let go is the caller's to call.
    pub fn task_end(&mut self, key: Key, answer: i64) -> Option<HostFree> {
        self.ready.release_one();
        let task = self.tasks.get_mut(key)?;
        if answer >= 0 || answer != task.outcome.short() {
            (task.outcome, task.text) = match Outcome::from_short(answer) {
                Some(outcome) => (outcome, Text::None),
                None => (
                    Outcome::failed(ROTA_ERR_INVALID.into(), 0),
                    Text::Static(c"the body returned a negative number that is not a status"),
                ),
            };
        }
        task.state = TaskState::Ended;
        let free = task.free.take();
        let mut joins = task.joins.take().map(|(first, _)| first);
        let joined = joins.is_some();
        let (outcome, text, detached) = (task.outcome, core::mem::take(&mut task.text), task.detached);
        while let Some(join) = joins {
            joins = self.futures.get(join).and_then(|future| future.next_join);
            let copy = match &text {
                Text::None => Text::None,
                Text::Static(text) => Text::Static(text),
                Text::Owned(_) => Text::copy(self.memory.clone(), text.as_bytes()).unwrap_or_default(),
            };
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

    /// Lets go of a task that has ended and that nobody joined. Being cancelled is no failure, but of one whom nobody
    /// asked to end it is.
    fn task_forget(&mut self, key: Key) {
        if let Some(task) = self.tasks.get(key) {
            let cancelled = task.outcome.status == ROTA_ERR_CANCELLED as i32;
            if task.outcome.is_error() || cancelled && task.requests == 0 {
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

    /// What a stepped body waits for when it returns.
    pub fn task_set_next(&mut self, key: Key, future: Handle) -> Result<()> {
        let task = self.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if task.stackful {
            return Err(ROTA_ERR_NO_TASK.into());
        }
        task.next = Some(future);
        Ok(())
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
        let waited = self.core.tasks.get(key).and_then(|task| task.answer);
        let short = self.core.task_collect(key);
        (short, waited.and_then(|future| self.future_settle(future)))
    }

    /// The running task begins to wait for `future`. An error changes nothing.
    pub fn task_await(&mut self, key: Key, future: Handle) -> Result<Begun> {
        let core = &mut self.core;
        let short = if let Some(carried) = future.carried() {
            let outcome = if carried < 0 {
                Outcome::from_short(carried).ok_or(ROTA_ERR_HANDLE)?
            } else {
                Outcome { moved: carried as u64, ..Outcome::value(carried) }
            };
            core.task_set_outcome(key, outcome)
        } else {
            let waited = future.key();
            if core.future_is_join_of(waited, key) {
                return Err(ROTA_ERR_INVALID.into());
            }
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
    pub fn task_await_step(&mut self, key: Key, future: Handle) -> Begun {
        self.task_await(key, future).unwrap_or_else(|error| {
            let short = self.core.task_set_outcome(key, Outcome::failed(error, 0));
            self.core.task_go_on(key, short)
        })
    }

    fn task_park(&mut self, key: Key, waited: Key) -> Result<Begun> {
        self.core.future_claim(waited, Waiter::Task(key))?;
        if let Some(task) = self.core.tasks.get_mut(key) {
            task.state = TaskState::Waiting(waited);
            task.answer = Some(waited);
        }
        if self.core.task_take_due(key) {
            self.task_deliver(key, waited);
        }
        Ok(Begun::Parked)
    }
}
