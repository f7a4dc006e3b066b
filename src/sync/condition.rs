//! Conditions: waiting, under a lock, for something to become true.
//!
//! ```text
//!   wait: lets go of the lock                 notified, or cancelled
//!  ─────────────────────────▶ condition's line ─────────────────────▶ lock's line ──▶ done: the lock is held
//!                                  │ lock or condition closed                │ lock closed
//!                                  └──────────────▶ shut ◀───────────────────┘     done: it is not held
//! ```
//!
//! Whoever leaves the condition's line goes to the end of the lock's, as the
//! node that he is, so that notifying takes no memory. How he left decides his
//! outcome: 0 if he was notified, ROTA_ERR_CANCELLED if he was cancelled first.
//! Once notified he counts as served: cancelling him changes nothing any more,
//! and the notification is his.
//!
//! One case is different. A future that was closed and that nobody waits for
//! must not get the lock, since nobody would let go of it: it leaves whichever
//! line it stands in at once, and a notification that it had goes to the next.

use super::line::{Line, Owner, Waiting, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};

/// A condition's slot.
pub struct Condition {
    lock: Key,
    /// The next condition on the same lock.
    next: Option<Key>,
    line: Line,
}

impl Objects {
    /// A condition under a lock.
    pub fn condition_open(&mut self, lock: Key) -> Result<Key> {
        let under = self.locks.get_mut(lock).ok_or(ROTA_ERR_HANDLE)?;
        let key = self.conditions.insert(Condition { lock, next: under.conditions, line: Line::default() })?;
        under.conditions = Some(key);
        Ok(key)
    }

    /// Lets go of the lock, which somebody must hold, and joins the line.
    pub fn condition_wait(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let condition = self.conditions.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let lock = condition.lock;
        if !self.locks.get(lock).ok_or(ROTA_ERR_SHUT)?.locked {
            return Err(ROTA_ERR_INVALID.into());
        }
        let future = self.lines.join(core, &mut condition.line, Owner::Condition(key), NOTHING)?;
        self.lock_release(core, lock)?;
        Ok(future)
    }

    /// The first `count` of those who wait go to the lock's line.
    pub fn condition_notify(&mut self, core: &mut Core, key: Key, count: usize) -> Result<()> {
        self.conditions.get(key).ok_or(ROTA_ERR_HANDLE)?;
        for _ in 0..count {
            let Some(lock) = self.condition_move_first(key) else { break };
            self.lock_hand_over(core, lock);
        }
        Ok(())
    }

    /// The first in the condition's line is notified; the lock to whose line he goes.
    fn condition_move_first(&mut self, key: Key) -> Option<Key> {
        let condition = self.conditions.get(key)?;
        let first = self.lines.first(&condition.line)?;
        self.condition_move(key, first.waiter, Some(key))
    }

    fn condition_move(&mut self, key: Key, waiter: Key, notified: Option<Key>) -> Option<Key> {
        let condition = self.conditions.get_mut(key)?;
        let lock = condition.lock;
        let to = &mut self.locks.get_mut(lock)?.line;
        self.lines.change(&mut condition.line, to, waiter, Owner::Back { lock, notified });
        Some(lock)
    }

    /// One who waits for a condition is not to wait any longer.
    pub(super) fn condition_cancel(&mut self, core: &mut Core, key: Key, future: Key, waiter: Key) {
        if core.future_is_forgotten(future) {
            if let Some(condition) = self.conditions.get_mut(key) {
                self.lines.cancel(core, &mut condition.line, waiter);
            }
        } else if let Some(lock) = self.condition_move(key, waiter, None) {
            self.lock_hand_over(core, lock);
        }
    }

    /// One who comes back from a condition leaves the lock's line if nobody would know that he has the lock. Whether
    /// he did. Everybody else goes on waiting for it, cancelled or not.
    pub(super) fn back_forget(&mut self, core: &mut Core, back: Waiting) -> bool {
        let Owner::Back { lock, notified } = back.owner else { return false };
        if !core.future_is_forgotten(back.future) {
            return false;
        }
        if let Some(lock) = self.locks.get_mut(lock) {
            self.lines.cancel(core, &mut lock.line, back.waiter);
            core.future_released(back.future);
        }
        if let Some(condition) = notified {
            let _ = self.condition_move_first(condition);
        }
        true
    }

    /// Ends it; those who wait for it are told that it was shut. Those who were notified go on waiting for the lock.
    pub fn condition_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut condition = self.conditions.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        self.lines.serve_all(core, &mut condition.line, Outcome::failed(ROTA_ERR_SHUT.into(), 0));
        let Some(lock) = self.locks.get_mut(condition.lock) else { return Ok(()) };
        if lock.conditions == Some(key) {
            lock.conditions = condition.next;
            return Ok(());
        }
        let mut at = lock.conditions;
        while let Some(other) = at.and_then(|at| self.conditions.get_mut(at)) {
            if other.next == Some(key) {
                other.next = condition.next;
                break;
            }
            at = other.next;
        }
        Ok(())
    }

    /// The lock of these conditions has ended.
    pub(super) fn conditions_shut(&mut self, core: &mut Core, mut at: Option<Key>) {
        while let Some(condition) = at.and_then(|key| self.conditions.get_mut(key)) {
            self.lines.serve_all(core, &mut condition.line, Outcome::failed(ROTA_ERR_SHUT.into(), 0));
            at = condition.next.take();
        }
    }

    /// The loop closes and nothing is ready: those who come back to a lock whose holder has no task that could let go
    /// of it are told that it was shut.
    pub fn end_waits(&mut self, core: &mut Core) -> bool {
        let (mut at, mut ended) = (0, false);
        while let Some(key) = self.locks.next(at) {
            at = key.slot + 1;
            let Some(lock) = self.locks.get_mut(key) else { break };
            if lock.line.is_empty() || lock.holder.is_some_and(|holder| core.task_lives(holder)) {
                continue;
            }
            while let Some(found) = self.lines.find(&lock.line, |owner| matches!(owner, Owner::Back { .. })) {
                let shut = Outcome::failed(ROTA_ERR_SHUT.into(), 0);
                self.lines.serve_one(core, &mut lock.line, found.waiter, shut, Object::None);
                ended = true;
            }
        }
        ended
    }
}
