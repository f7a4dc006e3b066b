//! Callbacks in the queue: those that nobody holds, and those that can be cancelled.
//!
//! A cancelled one stays where it stands and comes with ROTA_ERR_CANCELLED.

use super::core::Core;
use super::owner::Tag;
use super::ready::Entry;
use crate::base::{rota_status::*, Key, Kind, Result};
use crate::sys::host::HostCall;

/// A queued callback that can be cancelled.
pub struct Call {
    /// What to call.
    pub call: HostCall,
    /// Whether it comes with ROTA_ERR_CANCELLED.
    pub cancelled: bool,
    /// Whose it is.
    pub owner: Tag,
}

impl Core {
    /// Queues a callback without a handle. It gets a slot all the same in debug mode, to know where it came from, and
    /// where it has an owner.
    #[inline]
    pub fn call_soon(&mut self, call: HostCall) -> Result<()> {
        if self.debug || self.owner != Tag::NONE {
            return self.call_soon_cancellable(call).map(drop);
        }
        self.ready.push(Entry::Call(call))
    }

    /// Queues a callback that can be cancelled.
    pub fn call_soon_cancellable(&mut self, call: HostCall) -> Result<Key> {
        let key = self.calls.insert(Call { call, cancelled: false, owner: self.owner })?;
        self.note_origin(Kind::Call, key);
        match self.ready.push(Entry::Slot(key)) {
            Ok(()) => Ok(key),
            Err(error) => {
                self.calls.remove(key);
                Err(error)
            }
        }
    }

    /// Marks a queued callback as cancelled.
    pub fn call_cancel(&mut self, key: Key) -> Result<()> {
        self.calls.get_mut(key).ok_or(ROTA_ERR_HANDLE)?.cancelled = true;
        Ok(())
    }
}
