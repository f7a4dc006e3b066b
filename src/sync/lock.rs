//! Locks: one holds it, the others stand in line.
//!
//! Letting go of a lock that somebody waits for hands it to him: it is locked
//! all the while, so that nobody can come in between. In its line stand also
//! those who come back from a condition (`condition.rs`).

use super::line::{Line, Lines, Owner, Waiting, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};

/// A lock's slot. Somebody waits only while it is locked.
#[derive(Default)]
pub struct Lock {
    pub(super) locked: bool,
    /// The task that took it, or was handed it; it may have ended. None for a callback.
    pub(super) holder: Option<Key>,
    /// The first of the conditions that stand on it.
    pub(super) conditions: Option<Key>,
    pub(super) line: Line,
}

impl Lock {
    fn give(&mut self, lines: &mut Lines, core: &mut Core, first: Waiting, outcome: Outcome) {
        self.locked = true;
        self.holder = core.future_waiting_task(first.future);
        lines.serve(core, &mut self.line, outcome, Object::None);
    }
}

impl Objects {
    /// A lock that nobody holds.
    pub fn lock_open(&mut self) -> Result<Key> {
        self.locks.insert(Lock::default())
    }

    /// Locks it, or joins the line.
    pub fn lock_acquire(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let lock = self.locks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if lock.locked {
            return self.lines.join(core, &mut lock.line, Owner::Lock(key), NOTHING);
        }
        let handle = core.future_done(Outcome::value(0), Default::default());
        lock.locked = true;
        lock.holder = core.running_task();
        Ok(handle)
    }

    /// Hands it to the first in line, or unlocks it.
    pub fn lock_release(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let lock = self.locks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if !lock.locked {
            return Err(ROTA_ERR_INVALID.into());
        }
        lock.locked = false;
        lock.holder = None;
        if !lock.line.is_empty() {
            self.lock_hand_over(core, key);
        }
        Ok(())
    }

    /// Gives a lock that nobody holds to the first in line.
    pub(super) fn lock_hand_over(&mut self, core: &mut Core, key: Key) {
        while let Some(lock) = self.locks.get_mut(key).filter(|lock| !lock.locked) {
            let Some(first) = self.lines.first(&lock.line) else { return };
            let Owner::Back { notified, .. } = first.owner else {
                return lock.give(&mut self.lines, core, first, Outcome::value(0));
            };
            if self.back_forget(core, first) {
                continue;
            }
            let outcome = if notified.is_some() { Outcome::value(0) } else { Outcome::cancelled() };
            if let Some(lock) = self.locks.get_mut(key) {
                lock.give(&mut self.lines, core, first, outcome);
            }
            return;
        }
    }

    /// Whether somebody holds it.
    pub fn lock_is_locked(&self, key: Key) -> Result<bool> {
        Ok(self.locks.get(key).ok_or(ROTA_ERR_HANDLE)?.locked)
    }

    /// Ends it: those in line are told that they were cancelled, and those who wait for its conditions, who must know
    /// that they do not hold it, that it was shut.
    pub fn lock_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut lock = self.locks.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        while let Some(first) = self.lines.first(&lock.line) {
            let outcome = match first.owner {
                Owner::Back { .. } => Outcome::failed(ROTA_ERR_SHUT.into(), 0),
                _ => Outcome::cancelled(),
            };
            self.lines.serve(core, &mut lock.line, outcome, Object::None);
        }
        self.conditions_shut(core, lock.conditions);
        Ok(())
    }
}
