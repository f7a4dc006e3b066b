//! Streams, listeners and names, built on what `rt` re-exports and on the driver.

use crate::base::Key;
use crate::rt::{Core, Operation, Service};
use crate::sys::driver::Completion;
use crate::sys::host::HostServe;
use crate::sys::resolver::Resolved;
use crate::sys::Memory;

/// The layer.
pub struct Io;
impl Io {
    /// New.
    pub fn new(_: &Memory, _: u32) -> Self {
        Io
    }
}
impl Service for Io {
    fn completed(&mut self, _: &mut Core, _: Completion) {}
    fn timer_due(&mut self, _: &mut Core, _: u64) {}
    fn resolved(&mut self, _: &mut Core, _: u64, _: Resolved) {}
    fn cancel(&mut self, _: &mut Core, _: Key, _: Operation) {}
    fn close_stream(&mut self, _: &mut Core, _: Key) {}
    fn serve_body(&self, _: Key) -> Option<HostServe> {
        None
    }
    fn shut_down(&mut self, _: &mut Core) -> usize {
        0
    }
    fn counts(&self) -> (usize, usize) {
        (0, 0)
    }
    fn last_generation(&self) -> u32 {
        1
    }
}
