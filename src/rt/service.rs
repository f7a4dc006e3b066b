//! What the runtime asks of the layer that is built on it.
//!
//! `rt` never names a stream; `io` supplies this one object, known by its type
//! at compile time, so that a completion reaches its stream by a direct call.

use super::core::Core;
use super::owner::Tag;
use crate::base::Key;
use crate::sys::driver::Completion;
use crate::sys::host::HostFree;
use crate::sys::resolver::Resolved;
use core::ffi::CStr;

/// The operation of the service that a future stands for: the service's own numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Which of the service's objects.
    pub object: Key,
    /// What it is doing.
    pub kind: u8,
}

/// The layer above.
pub trait Service: Sized {
    /// An operation of the driver has ended.
    fn completed(&mut self, core: &mut Core, completion: Completion);
    /// A timer that the service armed is due.
    fn timer_due(&mut self, core: &mut Core, token: u64);
    /// A name that the service asked for is resolved, or could not be.
    fn resolved(&mut self, core: &mut Core, token: u64, result: Resolved);
    /// `future` stands for `operation`, which is to be withdrawn: completes the future now, with an exact count,
    /// or later where the driver needs time.
    fn cancel(&mut self, core: &mut Core, future: Key, operation: Operation);
    /// What one waits for whose future stands for `operation`, in a word or two, and the task that holds it up, where
    /// one is known to; that task may have ended.
    fn describe(&self, operation: Operation) -> (&'static CStr, Option<Key>);
    /// A future ended that held this connection and nobody took it.
    fn close_stream(&mut self, core: &mut Core, stream: Key);
    /// Closes what serves for an owner; its operations are cancelled as futures.
    fn owner_cancel(&mut self, core: &mut Core, owner: Tag);
    /// How many things serve for an owner.
    fn owner_count(&self, owner: Tag) -> usize;
    /// Another thread told that something happened to this object; `None`: to any of them.
    fn told(&mut self, core: &mut Core, object: Option<Operation>);
    /// Closes all it has. Called until it returns 0; what it returns is what still has to end.
    fn shut_down(&mut self, core: &mut Core) -> usize;
    /// The loop closes, nothing is ready, and tasks wait: ends waits that nobody else will end. Whether there were any.
    fn end_waits(&mut self, _core: &mut Core) -> bool {
        false
    }
    /// After all was closed: a destructor that is left to call, until there is none.
    fn next_free(&mut self) -> Option<HostFree> {
        None
    }
    /// How many listeners and streams it has.
    fn counts(&self) -> (usize, usize);
    /// The highest generation its tables have reached.
    fn last_generation(&self) -> u32;
}
