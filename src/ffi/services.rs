//! What a loop has above the runtime: `io` and `sync` side by side, as the one service that the runtime knows.
//!
//! Everything but cancelling is `io`'s alone; which of the two a future stands for is told by the number of its
//! operation.

use crate::base::Key;
use crate::io::Io;
use crate::rt::{Core, Operation, Service};
use crate::sync::{self, Objects};
use crate::sys::driver::Completion;
use crate::sys::resolver::Resolved;

/// Both services of a loop.
pub struct Services {
    /// Streams, listeners, names.
    pub io: Io,
    /// Locks and their like.
    pub sync: Objects,
}

impl Services {
    /// Nothing yet; the tables begin with the loop's generation.
    pub fn new(core: &Core, generation: u32) -> Self {
        Services { io: Io::new(&core.memory, generation), sync: Objects::new(&core.memory, generation) }
    }
}

impl Service for Services {
    fn completed(&mut self, core: &mut Core, completion: Completion) {
        self.io.completed(core, completion);
    }

    fn timer_due(&mut self, core: &mut Core, token: u64) {
        self.io.timer_due(core, token);
    }

    fn resolved(&mut self, core: &mut Core, token: u64, result: Resolved) {
        self.io.resolved(core, token, result);
    }

    fn cancel(&mut self, core: &mut Core, future: Key, operation: Operation) {
        match operation.kind {
            sync::WAITS => self.sync.cancel(core, operation.object),
            sync::SENDS => self.sync.send_cancel(core, operation.object),
            _ => self.io.cancel(core, future, operation),
        }
    }

    fn close_stream(&mut self, core: &mut Core, stream: Key) {
        self.io.close_stream(core, stream);
    }

    fn told(&mut self, core: &mut Core, object: Option<Operation>) {
        self.sync.told(core, object);
    }

    fn shut_down(&mut self, core: &mut Core) -> usize {
        self.sync.shut_down(core);
        self.io.shut_down(core)
    }

    fn counts(&self) -> (usize, usize) {
        self.io.counts()
    }

    fn last_generation(&self) -> u32 {
        self.io.last_generation().max(self.sync.last_generation())
    }
}
