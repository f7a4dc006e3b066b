//! Semaphores: so many places, and a line for those who found none.
//!
//! A place that comes back while somebody waits is his at once, so that
//! somebody waits only while there are none.

use super::line::{Line, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};

/// A semaphore's slot.
pub struct Semaphore {
    value: u64,
    most: u64,
    pub(super) line: Line,
}

impl Objects {
    /// A semaphore with `value` places, which never has more than `most`.
    pub fn semaphore_open(&mut self, value: u64, most: u64) -> Result<Key> {
        self.semaphores.insert(Semaphore { value, most, line: Line::default() })
    }

    /// Takes a place, or joins the line.
    pub fn semaphore_acquire(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let semaphore = self.semaphores.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if semaphore.value == 0 {
            return self.lines.join(core, &mut semaphore.line, Owner::Semaphore(key), NOTHING);
        }
        let handle = core.future_done(Outcome::value(0), Default::default());
        semaphore.value -= 1;
        Ok(handle)
    }

    /// Gives a place to the first in line, or back.
    pub fn semaphore_release(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let semaphore = self.semaphores.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if semaphore.value >= semaphore.most {
            return Err(ROTA_ERR_LIMIT.into());
        }
        let served = self.lines.serve(core, &mut semaphore.line, Outcome::value(0), Object::None);
        semaphore.value += u64::from(served.is_none());
        Ok(())
    }

    /// How many places are free.
    pub fn semaphore_value(&self, key: Key) -> Result<u64> {
        Ok(self.semaphores.get(key).ok_or(ROTA_ERR_HANDLE)?.value)
    }

    /// Ends it; those in line are told that they were cancelled.
    pub fn semaphore_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut semaphore = self.semaphores.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        self.lines.serve_all(core, &mut semaphore.line, Outcome::cancelled());
        Ok(())
    }
}
