//! What can be asked about a task: where it stands, since when, what for, and who holds it up.
//!
//! Times are those of the turn in which something began: no clock is read for
//! them. Whom a task waits for follows from its future: a join names the task, an
//! operation of the service may know who holds it up (`Service::describe`), a
//! combination passes on what its members say.

use super::combine::Rule;
use super::core::Core;
use super::event_loop::State;
use super::future::Source;
use super::map::Continuation;
use super::service::Service;
use super::task::TaskState;
use crate::base::{rota_status::*, Key, Kind, Result};
use crate::sys::origin::Origin;
use crate::sys::List;
use core::ffi::CStr;

/// It stands in the ready queue.
pub const ROTA_TASK_STATE_QUEUED: u32 = 1;
/// Its body runs, or has something else run inside it.
pub const ROTA_TASK_STATE_RUNNING: u32 = 2;
/// It waits for a future.
pub const ROTA_TASK_STATE_WAITING: u32 = 3;
/// Its body has returned, and nobody has joined it yet.
pub const ROTA_TASK_STATE_ENDED: u32 = 4;
/// Its body has returned, and it ends when the groups that it owns are empty.
pub const ROTA_TASK_STATE_LEAVING: u32 = 5;

/// Where a task came from, and how long it has been where it is.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    /// Who spawned it; a key of no generation is nobody's.
    pub(super) parent: Key,
    /// When.
    pub(super) spawned: u64,
    /// Its number among those spawned at the same time; it wraps.
    number: u32,
    /// How often it was resumed, as far as this counts.
    pub(super) steps: u32,
    /// Since when it is in its state.
    pub(super) since: u64,
}

impl Facts {
    /// Its body begins or goes on.
    #[inline]
    pub(super) fn resumes(&mut self, now: u64) {
        self.steps = self.steps.saturating_add(1);
        self.since = now;
    }
}

/// What is known about a task.
pub struct TaskInfo {
    /// One of ROTA_TASK_STATE_...
    pub state: u32,
    /// Requests to cancel it that were not taken back.
    pub cancelling: u32,
    /// Who spawned it; that task may have ended.
    pub parent: Option<Key>,
    /// What it waits for.
    pub future: Option<Key>,
    /// Who holds it up.
    pub task: Option<Key>,
    /// What it waits for, in a word or two.
    pub what: &'static CStr,
    /// Since when it is in its state.
    pub since: u64,
    /// When it was spawned.
    pub spawned: u64,
    /// How often it was resumed.
    pub steps: u64,
    /// Whether it has a stack of its own.
    pub stackful: bool,
    /// Where it was started, in debug mode.
    pub origin: Origin,
}

impl Core {
    /// What is noted about a task that begins now.
    pub(super) fn new_facts(&mut self, parent: Option<Key>) -> Facts {
        self.spawned = self.spawned.wrapping_add(1);
        let (now, number) = (self.now, self.spawned);
        Facts { parent: parent.unwrap_or_default(), spawned: now, number, steps: 0, since: now }
    }

    /// The tasks that have not ended, in the order in which they were spawned.
    pub fn tasks_in_order(&self) -> Result<List<Key>> {
        let mut tasks = List::new(self.memory.clone());
        let mut at = 0;
        while let Some(key) = self.tasks.next(at) {
            at = key.slot + 1;
            if self.tasks.get(key).is_some_and(|task| task.state != TaskState::Ended) {
                tasks.push(key)?;
            }
        }
        // The younger one has the smaller distance from the task that was spawned last.
        let age = |key: &Key| {
            let facts = self.tasks.get(*key).map(|task| &task.facts);
            facts.map_or((0, 0), |facts| (facts.spawned, u32::MAX - self.spawned.wrapping_sub(facts.number)))
        };
        tasks.sort_unstable_by_key(age);
        Ok(tasks)
    }
}

impl<S: Service> State<S> {
    /// What is known about a task.
    pub fn task_info(&self, key: Key) -> Result<TaskInfo> {
        let task = self.core.tasks.get(key).ok_or(ROTA_ERR_HANDLE)?;
        let (state, future) = match task.state {
            TaskState::Queued => (ROTA_TASK_STATE_QUEUED, None),
            TaskState::Running => (ROTA_TASK_STATE_RUNNING, None),
            TaskState::Waiting(future) => (ROTA_TASK_STATE_WAITING, Some(future)),
            TaskState::Leaving => (ROTA_TASK_STATE_LEAVING, None),
            TaskState::Ended => (ROTA_TASK_STATE_ENDED, None),
        };
        let mut holder = None;
        self.task_held_up_by(key, |found| {
            holder.get_or_insert(found);
            Ok(())
        })?;
        Ok(TaskInfo {
            state,
            cancelling: self.core.task_cancelling(key)?,
            parent: (task.facts.parent.generation > 0).then_some(task.facts.parent),
            future,
            task: holder,
            what: future.map_or(c"", |future| self.future_word(future)),
            since: task.facts.since,
            spawned: task.facts.spawned,
            steps: task.facts.steps.into(),
            stackful: task.stackful,
            origin: self.core.origin(Kind::Task, key),
        })
    }

    /// What a future stands for, in a word or two.
    fn future_word(&self, future: Key) -> &'static CStr {
        match self.core.futures.get(future).map(|future| future.source) {
            None => c"",
            Some(Source::Promise) => c"promise",
            Some(Source::Timer(_)) => c"sleep",
            Some(Source::Task(_)) => c"task",
            Some(Source::Job(_)) => c"blocking call",
            Some(Source::Group(_)) => c"group",
            Some(Source::Start(_)) => c"start",
            Some(Source::Set(_)) => c"set",
            Some(Source::Service(operation)) => self.service.describe(operation).0,
            Some(Source::Combine(combine)) => match self.core.combines.get(combine).map(|combine| combine.rule) {
                Some(Rule::WaitFor) => c"wait_for",
                Some(Rule::Shield) => c"shield",
                Some(Rule::Gather(_)) => c"gather",
                Some(Rule::Wait(_)) => c"wait",
                Some(Rule::Race(_)) => c"race",
                Some(Rule::Continue(Continuation::Map(_))) => c"map",
                Some(Rule::Continue(Continuation::Chain(_))) => c"chain",
                None => c"",
            },
        }
    }

    /// Calls `visit` with each task that has to go on before this one does.
    pub(super) fn task_held_up_by(&self, key: Key, mut visit: impl FnMut(Key) -> Result<()>) -> Result<()> {
        let future = match self.core.tasks.get(key).map(|task| task.state) {
            Some(TaskState::Waiting(future)) => future,
            Some(TaskState::Leaving) => return self.core.owned_members(key, visit),
            _ => return Ok(()),
        };
        let combine = match self.core.futures.get(future).map(|future| future.source) {
            Some(Source::Combine(combine)) => combine,
            Some(Source::Group(group)) => return self.core.group_members(group, &mut visit),
            _ => return self.future_holder(future).map_or(Ok(()), visit),
        };
        let mut member = self.core.combines.first_waiting(combine);
        while let Some((key, future)) = member {
            if let Some(task) = self.future_holder(future) {
                visit(task)?;
            }
            member = self.core.combines.next_waiting(key);
        }
        Ok(())
    }

    /// The task that holds up a future; of a combination the first that does. Combinations are made after their
    /// members, so the way through them ends.
    fn future_holder(&self, mut future: Key) -> Option<Key> {
        let holder = loop {
            match self.core.futures.get(future)?.source {
                Source::Task(task) | Source::Start(task) => break task,
                Source::Group(group) => break self.core.group_first_task(group)?,
                Source::Service(operation) => break self.service.describe(operation).1?,
                Source::Combine(combine) => future = self.core.combines.first_waiting(combine)?.1,
                Source::Promise | Source::Timer(_) | Source::Job(_) | Source::Set(_) => return None,
            }
        };
        self.core.tasks.get(holder).filter(|task| task.state != TaskState::Ended).map(|_| holder)
    }
}
