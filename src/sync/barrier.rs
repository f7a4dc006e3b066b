//! Barriers: nobody goes on before so many have come.
//!
//! The last to come lets everybody go in the same call, and the barrier is
//! empty again: whoever comes next is the first of the next round, though those
//! of the last one may not have run yet.

use super::line::{Line, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome, Text};

/// A barrier's slot. Fewer wait than it takes to go on.
pub struct Barrier {
    parties: u32,
    pub(super) line: Line,
}

impl Objects {
    /// A barrier that `parties` pass together.
    pub fn barrier_open(&mut self, parties: u32) -> Result<Key> {
        if parties == 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        self.barriers.insert(Barrier { parties, line: Line::default() })
    }

    /// Waits for the others, or lets them go.
    pub fn barrier_wait(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let barrier = self.barriers.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let last = barrier.parties - 1;
        if barrier.line.len() < last {
            return self.lines.join(core, &mut barrier.line, Owner::Barrier(key), NOTHING);
        }
        for place in 0..last {
            self.lines.serve(core, &mut barrier.line, Outcome::value(i64::from(place)), Object::None);
        }
        Ok(core.future_done(Outcome::value(i64::from(last)), Text::None))
    }

    /// How many wait.
    pub fn barrier_waiting(&self, key: Key) -> Result<u32> {
        Ok(self.barriers.get(key).ok_or(ROTA_ERR_HANDLE)?.line.len())
    }

    /// Those who wait are told that they were cancelled.
    pub fn barrier_reset(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let barrier = self.barriers.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        self.lines.serve_all(core, &mut barrier.line, Outcome::cancelled());
        Ok(())
    }

    /// Ends it; those who wait are told that they were cancelled.
    pub fn barrier_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        self.barrier_reset(core, key)?;
        self.barriers.remove(key);
        Ok(())
    }
}
