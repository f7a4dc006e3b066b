//! Reader-writer locks: many read, or one writes.
//!
//! One line for both, first come, first served: who comes while somebody waits
//! joins it, so that a writer who waits stops the readers that come after him,
//! and none of them waits for ever. Readers who stand next to each other go
//! together.
//!
//! ```text
//!   reading: r r        line: W r r W        the readers end: W goes; it ends: r r go; they end: W goes
//! ```

use super::line::{Line, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};

/// A reader-writer lock's slot. The first in line waits only while he cannot go.
#[derive(Default)]
pub struct Rwlock {
    readers: u32,
    writing: bool,
    /// The task that writes, or the only one that reads; it may have ended. None if that is not known.
    pub(super) holder: Option<Key>,
    pub(super) line: Line,
}

impl Rwlock {
    /// One more has it; `task` is who that is.
    fn admit(&mut self, writes: bool, task: Option<Key>) {
        self.holder = if self.readers == 0 { task } else { None };
        self.writing = writes;
        self.readers += u32::from(!writes);
    }

    fn may_go(&self, writes: bool) -> bool {
        !self.writing && (!writes || self.readers == 0) && self.readers < u32::MAX
    }
}

impl Objects {
    /// One that nobody holds.
    pub fn rwlock_open(&mut self) -> Result<Key> {
        self.rwlocks.insert(Rwlock::default())
    }

    /// Takes it to read or to write, or joins the line.
    pub fn rwlock_acquire(&mut self, core: &mut Core, key: Key, writes: bool) -> Result<Handle> {
        let rwlock = self.rwlocks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if !rwlock.line.is_empty() || !rwlock.may_go(writes) {
            let owner = if writes { Owner::Write(key) } else { Owner::Read(key) };
            return self.lines.join(core, &mut rwlock.line, owner, NOTHING);
        }
        let handle = core.future_done(Outcome::value(0), Default::default());
        rwlock.admit(writes, core.running_task());
        Ok(handle)
    }

    /// One who reads, or the one who writes, lets go.
    pub fn rwlock_release(&mut self, core: &mut Core, key: Key, writes: bool) -> Result<()> {
        let rwlock = self.rwlocks.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        match writes {
            true if rwlock.writing => rwlock.writing = false,
            false if rwlock.readers > 0 => rwlock.readers -= 1,
            _ => return Err(ROTA_ERR_INVALID.into()),
        }
        rwlock.holder = None;
        self.rwlock_advance(core, key);
        Ok(())
    }

    /// Lets those in line go who can, from the first on.
    pub(super) fn rwlock_advance(&mut self, core: &mut Core, key: Key) {
        let Some(rwlock) = self.rwlocks.get_mut(key) else { return };
        while let Some(first) = self.lines.first(&rwlock.line) {
            let writes = matches!(first.owner, Owner::Write(_));
            if !rwlock.may_go(writes) {
                return;
            }
            rwlock.admit(writes, core.future_waiting_task(first.future));
            self.lines.serve(core, &mut rwlock.line, Outcome::value(0), Object::None);
        }
    }

    /// How many read.
    pub fn rwlock_readers(&self, key: Key) -> Result<u32> {
        Ok(self.rwlocks.get(key).ok_or(ROTA_ERR_HANDLE)?.readers)
    }

    /// Whether somebody writes.
    pub fn rwlock_is_writing(&self, key: Key) -> Result<bool> {
        Ok(self.rwlocks.get(key).ok_or(ROTA_ERR_HANDLE)?.writing)
    }

    /// Ends it; those in line are told that they were cancelled.
    pub fn rwlock_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut rwlock = self.rwlocks.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        self.lines.serve_all(core, &mut rwlock.line, Outcome::cancelled());
        Ok(())
    }
}
