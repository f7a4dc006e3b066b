//! Whether what is waited for comes back to where one stands: through tasks, combinations and groups.
//!
//! A sweep (`cancel.rs`) that comes by a task for the second time asks it no more.
//! Whoever waits for that task goes on waiting for its answer, which will come;
//! unless the task waits for him. Then nobody would ever answer, and he is let go.
//!
//! From a task the way goes on to the future that it waits for, and from there in
//! one line, until it comes to a combination or to a group, where it parts. Those
//! stand in two lists, through their own slots, until they have been walked
//! through, and each is once: so the walk ends, and takes no memory.

use super::core::Core;
use super::future::Source;
use super::members::What;
use super::task::TaskState;
use crate::base::Key;

/// The walk: its number, where it goes to, and what it has still to walk through.
struct Walk {
    number: u32,
    target: Key,
    combine: Option<Key>,
    group: Option<Key>,
}

impl Core {
    /// Whether a task waits for the future `target`, through however much else.
    pub(super) fn task_waits_for(&mut self, task: Key, target: Key) -> bool {
        self.round = self.round.wrapping_add(1).max(1);
        let mut walk = Walk { number: self.round, target, combine: None, group: None };
        if self.walk_task(task, &mut walk) {
            return true;
        }
        loop {
            let found = if let Some(key) = walk.combine {
                walk.combine = self.combines.get(key).and_then(|combine| combine.walk_next);
                self.walk_combine(key, &mut walk)
            } else if let Some(key) = walk.group {
                walk.group = self.groups.table.get(key).and_then(|group| group.walk_next);
                self.walk_group(key, &mut walk)
            } else {
                return false;
            };
            if found {
                return true;
            }
        }
    }

    fn walk_combine(&mut self, key: Key, walk: &mut Walk) -> bool {
        let mut at = self.combines.first_waiting(key);
        while let Some((member, future)) = at {
            if self.walk_future(future, walk) {
                return true;
            }
            at = self.combines.next_waiting(member);
        }
        false
    }

    fn walk_group(&mut self, key: Key, walk: &mut Walk) -> bool {
        let mut at = self.groups.table.get(key).and_then(|group| group.members).map(|(first, _)| first);
        while let Some(member) = at.and_then(|member| self.groups.members.get(member)) {
            at = member.next;
            let found = match member.what {
                What::Task(task) => self.walk_task(task, walk),
                What::Future(future) => self.walk_future(future, walk),
            };
            if found {
                return true;
            }
        }
        false
    }

    fn walk_task(&mut self, task: Key, walk: &mut Walk) -> bool {
        match self.tasks.get(task).map(|task| task.state) {
            Some(TaskState::Waiting(future)) => self.walk_future(future, walk),
            Some(TaskState::Leaving) => {
                let mut at = self.ties_of(task).and_then(|ties| ties.groups);
                while let Some(group) = at {
                    self.walk_to_group(group, walk);
                    at = self.groups.table.get(group).and_then(|group| group.next_owned);
                }
                false
            }
            _ => false,
        }
    }

    /// From a future in one line, from task to task. Tasks that wait for each other alone are a circle without us.
    fn walk_future(&mut self, mut at: Key, walk: &mut Walk) -> bool {
        for _ in 0..=self.tasks.len() {
            if at == walk.target {
                return true;
            }
            let task = match self.futures.get(at).filter(|slot| !slot.done).map(|slot| slot.source) {
                Some(Source::Task(task) | Source::Start(task)) => task,
                Some(Source::Group(group)) => {
                    self.walk_to_group(group, walk);
                    return false;
                }
                Some(Source::Combine(combine)) => {
                    self.walk_to_combine(combine, walk);
                    return false;
                }
                _ => return false,
            };
            match self.tasks.get(task).map(|task| task.state) {
                Some(TaskState::Waiting(next)) => at = next,
                _ => return self.walk_task(task, walk),
            }
        }
        false
    }

    fn walk_to_combine(&mut self, key: Key, walk: &mut Walk) {
        if let Some(combine) = self.combines.get_mut(key).filter(|combine| combine.walk != walk.number) {
            combine.walk = walk.number;
            combine.walk_next = walk.combine.replace(key);
        }
    }

    fn walk_to_group(&mut self, key: Key, walk: &mut Walk) {
        if let Some(group) = self.groups.table.get_mut(key).filter(|group| group.walk != walk.number) {
            group.walk = walk.number;
            group.walk_next = walk.group.replace(key);
        }
    }
}
