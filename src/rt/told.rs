//! For whom something is done: the task that runs, and whoever will be told what a future comes to.
//!
//! Mostly a future tells the first who waits for it. Where its only claim is a
//! combination's (a time limit, a shield), it is told to whoever waits for the
//! combination, and so on upwards: a combination is made after its members, so
//! that way ends.
//!
//! `sync` asks: whoever is told that he has a lock holds it, and nobody does for
//! whom no one is left to be told.

use super::core::Core;
use super::current;
use super::task::TaskState;
use super::waiters::Waiter;
use crate::base::Key;

impl Core {
    /// The task of this loop that is running, if that is what is innermost on this thread.
    #[inline]
    pub fn running_task(&self) -> Option<Key> {
        current::get().filter(|now| now.loop_number == self.number).and_then(|now| now.task)
    }

    /// Whether a task has still to end.
    pub fn task_lives(&self, key: Key) -> bool {
        self.tasks.get(key).is_some_and(|task| task.state != TaskState::Ended)
    }

    /// The task that will be told what a pending future comes to.
    pub fn future_waiting_task(&self, mut key: Key) -> Option<Key> {
        loop {
            let (claims, first) = self.future_first_waiter(key)?;
            match first? {
                Waiter::Task(task) => return Some(task),
                Waiter::Member(member) if claims == 1 => key = self.member_outer(member)?,
                _ => return None,
            }
        }
    }

    /// Whether nobody will be told what a pending future comes to: it was closed, and no claim is left.
    pub fn future_is_forgotten(&self, mut key: Key) -> bool {
        while let Some((1, Some(Waiter::Member(member)))) = self.future_first_waiter(key) {
            match self.member_outer(member) {
                Some(outer) => key = outer,
                None => return false,
            }
        }
        self.futures.get(key).is_none_or(|future| future.closed && future.claims == 0)
    }
}
