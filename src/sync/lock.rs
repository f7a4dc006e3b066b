//! Locks: one holds it, the others stand in line.
//!
//! Letting go of a lock that somebody waits for hands it to him: it is locked
//! all the while, so that nobody can come in between.

use super::line::{Line, Owner};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};

/// A lock's slot. Somebody waits only while it is locked.
#[derive(Default)]
pub struct Lock {
    locked: bool,
    pub(super) line: Line,
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
            return self.lines.join(core, &mut lock.line, Owner::Lock(key), super::NOTHING);
        }
        let handle = core.future_done(Outcome::value(0), Default::default());
        lock.locked = true;
        Ok(handle)
    }

    /// Hands it to the first in line, or unlocks it.
    pub fn lock_release(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let lock = self.locks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if !lock.locked {
            return Err(ROTA_ERR_INVALID.into());
        }
        let served = self.lines.serve(core, &mut lock.line, Outcome::value(0), Object::None);
        lock.locked = served.is_some();
        Ok(())
    }

    /// Whether somebody holds it.
    pub fn lock_is_locked(&self, key: Key) -> Result<bool> {
        Ok(self.locks.get(key).ok_or(ROTA_ERR_HANDLE)?.locked)
    }

    /// Ends it; those in line are told that they were cancelled.
    pub fn lock_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut lock = self.locks.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        self.lines.serve_all(core, &mut lock.line, Outcome::cancelled());
        Ok(())
    }
}
