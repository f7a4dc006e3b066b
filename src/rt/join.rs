//! Who waits for the end of a task: each join is a future, and a task has a list of them.

use super::core::Core;
use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::service::Service;
use super::task::{Task, TaskState};
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::sys::Text;

impl Core {
    /// A future for the end of a task.
    pub fn task_join(&mut self, key: Key) -> Result<Handle> {
        let task = self.tasks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if task.state == TaskState::Ended {
            let mut gone = self.tasks.remove(key).ok_or(ROTA_ERR_HANDLE)?;
            let text = gone.told(true, &self.memory);
            return Ok(self.future_done(gone.outcome, text));
        }
        let future = self.future_new(Source::Task(key))?;
        let Some(task) = self.tasks.get_mut(key) else { return Err(ROTA_ERR_HANDLE.into()) };
        task.join_count += 1;
        let (first, before) = task.joins.map_or((future, None), |(first, last)| (first, Some(last)));
        task.joins = Some((first, future));
        if let Some(slot) = before.and_then(|last| self.futures.get_mut(last)) {
            slot.next_join = Some(future);
        }
        Ok(self.future_handle(future))
    }

    /// Whether a future stands for the end of a task.
    pub(super) fn future_is_join_of(&self, future: Key, task: Key) -> bool {
        self.futures.get(future).is_some_and(|slot| matches!(slot.source, Source::Task(joined) if joined == task))
    }

    /// Whether a future stands for an end that cannot come before this task's, which thus cannot wait for it: that of
    /// the task itself, of a group that it belongs to, or of a task that owns such a group.
    pub fn future_is_above(&self, future: Key, task: Key) -> bool {
        match self.futures.get(future).map(|slot| slot.source) {
            Some(Source::Task(joined)) => joined == task || self.task_is_below(task, |_, owner| owner == Some(joined)),
            Some(Source::Group(waited)) => self.task_is_below(task, |group, _| group == waited),
            _ => false,
        }
    }

    /// Takes a join back: the task is not asked to end.
    pub fn join_remove(&mut self, future: Key, task: Key) {
        let mut at = None;
        if let Some(task) = self.tasks.get_mut(task) {
            task.join_count = task.join_count.saturating_sub(1);
            at = task.joins.take().map(|(first, _)| first);
        }
        let mut kept: Option<(Key, Key)> = None;
        while let Some(join) = at {
            at = self.futures.get_mut(join).and_then(|slot| slot.next_join.take());
            if join == future {
                continue;
            }
            if let Some(slot) = kept.and_then(|(_, last)| self.futures.get_mut(last)) {
                slot.next_join = Some(join);
            }
            kept = Some((kept.map_or(join, |(first, _)| first), join));
        }
        if let Some(task) = self.tasks.get_mut(task) {
            task.joins = kept;
        }
        self.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
    }
}

impl<S: Service> State<S> {
    /// A join is cancelled: the task is asked to end, unless others join it too or its body has ended. If the sweep has
    /// asked it already, its answer is waited for, unless it waits for that of the join.
    pub fn join_cancel(&mut self, future: Key, task: Key) {
        let alone = |joined: &Task| joined.join_count <= 1 && !joined.is_over();
        if !self.core.tasks.get(task).is_some_and(alone) {
            self.core.join_remove(future, task);
        } else if !self.core.sweep_has_met(task) {
            let _ = self.task_cancel(task);
        } else if self.core.task_waits_for(task, future) {
            self.core.join_remove(future, task);
        }
    }
}
