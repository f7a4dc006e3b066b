//! Events: something has happened, or it has not yet.
//!
//! Setting one lets everybody go who waits, and whoever comes until it is
//! cleared. One that resets itself lets one go: the first who waits, or the next
//! who comes; so it is set only while nobody waits, and never twice.

use super::line::{Line, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};

/// An event's slot. Somebody waits only while it is not set.
#[derive(Default)]
pub struct Event {
    set: bool,
    auto_reset: bool,
    pub(super) line: Line,
}

impl Objects {
    /// An event that has not happened; whether it is over as soon as one has been told.
    pub fn event_open(&mut self, auto_reset: bool) -> Result<Key> {
        self.events.insert(Event { auto_reset, ..Event::default() })
    }

    /// It has happened: everybody who waits is told (or the first), also if it is cleared before he runs.
    pub fn event_set(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let event = self.events.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if event.auto_reset {
            let told = self.lines.serve(core, &mut event.line, Outcome::value(0), Object::None);
            event.set |= told.is_none();
            return Ok(());
        }
        event.set = true;
        self.lines.serve_all(core, &mut event.line, Outcome::value(0));
        Ok(())
    }

    /// It has not happened, from now on.
    pub fn event_clear(&mut self, key: Key) -> Result<()> {
        self.events.get_mut(key).ok_or(ROTA_ERR_HANDLE)?.set = false;
        Ok(())
    }

    /// Whether it has happened.
    pub fn event_is_set(&self, key: Key) -> Result<bool> {
        Ok(self.events.get(key).ok_or(ROTA_ERR_HANDLE)?.set)
    }

    /// Waits until it has happened.
    pub fn event_wait(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let event = self.events.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if event.set {
            event.set = !event.auto_reset;
            return Ok(core.future_done(Outcome::value(0), Default::default()));
        }
        self.lines.join(core, &mut event.line, Owner::Event(key), NOTHING)
    }

    /// Ends it; those who wait are told that they were cancelled.
    pub fn event_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut event = self.events.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        self.lines.serve_all(core, &mut event.line, Outcome::cancelled());
        Ok(())
    }
}
