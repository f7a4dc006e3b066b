//! Once-cells: a value that is made once, by the first who needs it.
//!
//! ```text
//!            begin: 1                  set
//!   EMPTY ─────────────▶ BEING MADE ────────▶ THERE: begin says 0
//!      ▲                  │      ▲
//!      │ give up,         │      │ give up: the first who waits is asked to make it
//!      └──────────────────┘      │
//!        nobody waits            └ begin: joins the line
//! ```
//!
//! The value's destructor is called once: by whoever closes the cell, or, when
//! the loop closes, after everything else has ended, so that all who could use
//! the value are gone (`next_free`).

use super::line::{Line, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, HostFree, HostPointer, Object, Outcome};

/// How far the value is.
#[derive(Clone, Copy)]
enum Stage {
    Empty,
    /// The task that makes it, if it is one; it may have ended.
    Made(Option<Key>),
    There(HostPointer, Option<HostFree>),
}

/// A once-cell's slot. Somebody waits only while the value is being made.
pub struct Once {
    stage: Stage,
    pub(super) line: Line,
}

impl Once {
    /// The task that makes the value.
    pub(super) fn maker(&self) -> Option<Key> {
        match self.stage {
            Stage::Made(task) => task,
            _ => None,
        }
    }

    fn expect_making(&self) -> Result<()> {
        match self.stage {
            Stage::Empty => Err(ROTA_ERR_INVALID.into()),
            Stage::Made(_) => Ok(()),
            Stage::There(..) => Err(ROTA_ERR_DONE.into()),
        }
    }
}

/// What `begin` says to the one who is to make the value.
const MAKE: i64 = 1;

impl Objects {
    /// A cell without a value.
    pub fn once_open(&mut self) -> Result<Key> {
        self.onces.insert(Once { stage: Stage::Empty, line: Line::default() })
    }

    /// 0 once the value is there, or 1 for the one who is to make it.
    pub fn once_begin(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let once = self.onces.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        match once.stage {
            Stage::Empty => {
                let handle = core.future_done(Outcome::value(MAKE), Default::default());
                once.stage = Stage::Made(core.running_task());
                Ok(handle)
            }
            Stage::Made(_) => self.lines.join(core, &mut once.line, Owner::Once(key), NOTHING),
            Stage::There(..) => Ok(core.future_done(Outcome::value(0), Default::default())),
        }
    }

    /// The value is made; everybody who waits is told.
    pub fn once_set(&mut self, core: &mut Core, key: Key, value: HostPointer, free: Option<HostFree>) -> Result<()> {
        let once = self.onces.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        once.expect_making()?;
        once.stage = Stage::There(value, free);
        self.lines.serve_all(core, &mut once.line, Outcome::value(0));
        Ok(())
    }

    /// The value could not be made: the first who waits is to make it.
    pub fn once_give_up(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let once = self.onces.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        once.expect_making()?;
        let Some(first) = self.lines.first(&once.line) else {
            once.stage = Stage::Empty;
            return Ok(());
        };
        once.stage = Stage::Made(core.future_waiting_task(first.future));
        self.lines.serve(core, &mut once.line, Outcome::value(MAKE), Object::None);
        Ok(())
    }

    /// The value, if it is there.
    pub fn once_get(&self, key: Key) -> Result<HostPointer> {
        match self.onces.get(key).ok_or(ROTA_ERR_HANDLE)?.stage {
            Stage::There(value, _) => Ok(value),
            _ => Err(ROTA_ERR_PENDING.into()),
        }
    }

    /// Ends it; those who wait are told that they were cancelled. The value's destructor is the caller's to call.
    pub fn once_close(&mut self, core: &mut Core, key: Key) -> Result<Option<HostFree>> {
        let mut once = self.onces.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        self.lines.serve_all(core, &mut once.line, Outcome::cancelled());
        match once.stage {
            Stage::There(_, free) => Ok(free),
            _ => Ok(None),
        }
    }

    /// The loop closes: nobody waits for a value any more. Values that are there stay until `next_free`.
    pub(super) fn onces_shut_down(&mut self, core: &mut Core) {
        let mut at = 0;
        while let Some(key) = self.onces.next(at) {
            at = key.slot + 1;
            if let Some(once) = self.onces.get_mut(key) {
                self.lines.serve_all(core, &mut once.line, Outcome::cancelled());
            }
        }
    }

    /// After all was closed: the destructor of a value that is still there.
    pub fn next_free(&mut self) -> Option<HostFree> {
        while let Some(key) = self.onces.next(self.onces_freed) {
            self.onces_freed = key.slot + 1;
            if let Some(Once { stage: Stage::There(_, Some(free)), .. }) = self.onces.remove(key) {
                return Some(free);
            }
        }
        None
    }
}
