//! What ties a task to others beside what it waits for: scopes, groups, circles, and in what words it was asked to end.
//!
//! Most tasks have none of it, so it stands beside their slots: a task without
//! ties carries one empty option. They are made when first needed, and go when
//! the task has ended (`ending.rs`).

use super::core::Core;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::Text;

/// Whether somebody waits for a task to say that it has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Starting {
    /// It was not spawned for that.
    #[default]
    No,
    /// This future is done when it says so.
    Waits(Key),
    /// It has said so, or the future was closed.
    Over,
    /// Its body ended before: who waited has got its failure.
    Failed,
}

/// The ties of one task.
#[derive(Default)]
pub struct Ties {
    /// The innermost of its scopes.
    pub(super) scope: Option<Key>,
    /// The first of the groups that it owns.
    pub(super) groups: Option<Key>,
    /// What it is to the group that it belongs to.
    pub(super) member: Option<Key>,
    /// Whether somebody waits for it to say that it has started.
    pub(super) starting: Starting,
    /// The first of its places in circles that ask it to end (`attach.rs`).
    pub(super) attached: Option<Key>,
    /// Why it was asked to end, in the words of who asked last and gave any.
    pub(super) reason: Text,
}

impl Core {
    /// The ties of a task that has some.
    pub(super) fn ties_of(&self, task: Key) -> Option<&Ties> {
        self.tasks.get(task)?.ties.and_then(|ties| self.ties.get(ties))
    }

    /// As `ties_of`, to change them.
    pub(super) fn ties_of_mut(&mut self, task: Key) -> Option<&mut Ties> {
        self.tasks.get(task)?.ties.and_then(|ties| self.ties.get_mut(ties))
    }

    /// Makes sure that a task has ties.
    pub(super) fn ties_make(&mut self, task: Key) -> Result<&mut Ties> {
        let slot = self.tasks.get_mut(task).ok_or(ROTA_ERR_HANDLE)?;
        let key = match slot.ties {
            Some(key) => key,
            None => *slot.ties.insert(self.ties.insert(Ties::default())?),
        };
        self.ties.get_mut(key).ok_or(ROTA_ERR_HANDLE.into())
    }

    /// The task has ended: they go, and are the caller's to look at once more.
    pub(super) fn ties_take(&mut self, task: Key) -> Option<Ties> {
        let ties = self.tasks.get_mut(task)?.ties.take()?;
        self.ties.remove(ties)
    }

    /// A copy of a text, as far as memory allows.
    pub fn text_copy(&self, text: &Text) -> Text {
        text.duplicate(&self.memory)
    }
}
