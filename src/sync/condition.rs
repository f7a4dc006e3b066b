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

use super::line::{Line, Owner, NOTHING};
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
        let condition = self.conditions.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let lock = condition.lock;
        for _ in 0..count {
            let Some(condition) = self.conditions.get_mut(key) else { break };
            let Some(first) = self.lines.first(&condition.line) else { break };
            self.condition_leave(core, key, first.waiter, Owner::Back { lock, notified: Some(key) });
        }
        Ok(())
    }

    /// One goes from the condition's line to the lock's, and has the lock if it is free.
    fn condition_leave(&mut self, core: &mut Core, key: Key, waiter: Key, owner: Owner) {
        let Some(condition) = self.conditions.get_mut(key) else { return };
        let Some(lock) = self.locks.get_mut(condition.lock) else { return };
        let of = condition.lock;
        self.lines.change(&mut condition.line, &mut lock.line, waiter, owner);
        self.lock_hand_over(core, of);
    }

    /// One who waits for a condition is not to wait any longer.
    pub(super) fn condition_cancel(&mut self, core: &mut Core, key: Key, future: Key, waiter: Key) {
        let Some(condition) = self.conditions.get_mut(key) else { return };
        if core.future_is_forgotten(future) {
            return self.lines.cancel(core, &mut condition.line, waiter);
        }
        let owner = Owner::Back { lock: condition.lock, notified: None };
        self.condition_leave(core, key, waiter, owner);
    }

    /// One who comes back from a condition is not to wait for the lock any longer: he does, unless nobody would know.
    pub(super) fn back_cancel(&mut self, core: &mut Core, lock: Key, notified: Option<Key>, future: Key, waiter: Key) {
        if !core.future_is_forgotten(future) {
            return;
        }
        if let Some(lock) = self.locks.get_mut(lock) {
            self.lines.cancel(core, &mut lock.line, waiter);
        }
        if let Some(condition) = notified {
            let _ = self.condition_notify(core, condition, 1);
        }
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
            if lock.holder.is_some_and(|holder| core.task_lives(holder)) {
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
