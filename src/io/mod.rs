//! Streams, listeners and names, built on what `rt` re-exports and on the driver.
//!
//! `Io` is the service that the runtime knows: it owns every stream, listener,
//! connect and request for a name, each in a slot that a handle or a token
//! finds. All of it changes only with the loop's state in hand, and nobody's
//! code is called from here: a future is completed, and the runtime calls
//! whoever waits in his turn. A token whose object has ended finds nothing, and
//! what it brought (a connection) is closed.

mod connect;
mod listener;
mod queue;
mod reader;
mod resolve;
mod spares;
mod stream;
mod token;
mod writer;

pub use self::connect::ConnectOptions;

use self::connect::Connecting;
use self::listener::Listener;
use self::resolve::Resolving;
use self::spares::Spares;
use self::stream::Stream;
use self::token::Role;
use crate::base::Key;
use crate::rt::{Core, Operation, Service, Tag};
use crate::sys::driver::Completion;
use crate::sys::resolver::Resolved;
use crate::sys::{Memory, Slab};
use core::ffi::CStr;

/// The streams, listeners, connects and requests of one loop.
pub struct Io {
    streams: Slab<Stream>,
    listeners: Slab<Listener>,
    connects: Slab<Connecting>,
    resolves: Slab<Resolving>,
    spares: Spares,
    /// A listener has to be tried again that has no timer to do so.
    starved: bool,
}

impl Io {
    /// Nothing yet; its tables begin with the loop's generation.
    pub fn new(memory: &Memory, generation: u32) -> Self {
        Io {
            streams: Slab::new(memory.clone(), generation),
            listeners: Slab::new(memory.clone(), generation),
            connects: Slab::new(memory.clone(), generation),
            resolves: Slab::new(memory.clone(), generation),
            spares: Spares::new(memory.clone()),
            starved: false,
        }
    }
}

impl Service for Io {
    fn completed(&mut self, core: &mut Core, completion: Completion) {
        let Completion { token, outcome } = completion;
        match token::read(token) {
            Some((Role::Accept, key, _)) => self.listener_completed(core, key, outcome),
            Some((Role::Connect, key, number)) => self.connect_completed(core, key, number, outcome),
            Some((role, key, _)) => self.stream_completed(core, role, key, outcome),
            None => {}
        }
        self.listeners_revive(core);
    }

    fn timer_due(&mut self, core: &mut Core, token: u64) {
        match token::read(token) {
            Some((Role::Accept, key, _)) => self.listener_rested(core, key),
            Some((Role::Connect, key, _)) => self.connect_due(core, key),
            _ => {}
        }
        self.listeners_revive(core);
    }

    fn resolved(&mut self, core: &mut Core, token: u64, result: Resolved) {
        match token::read(token) {
            Some((Role::Connect, key, _)) => self.connect_resolved(core, key, result),
            Some((Role::Resolve, key, _)) => self.resolve_answered(core, key, result),
            _ => {}
        }
    }

    fn cancel(&mut self, core: &mut Core, future: Key, operation: Operation) {
        let Operation { object, kind } = operation;
        match Role::from_number(kind) {
            Some(Role::Accept) => self.listener_cancel(core, object, future),
            Some(Role::Connect) => self.connect_cancel(core, object),
            Some(Role::Resolve) => self.resolve_cancel(core, object),
            Some(role) => self.stream_cancel(core, role, object, future),
            None => {}
        }
    }

    fn describe(&self, operation: Operation) -> (&'static CStr, Option<Key>) {
        (Role::from_number(operation.kind).map_or(c"", Role::word), None)
    }

    fn close_stream(&mut self, core: &mut Core, stream: Key) {
        let _ = self.stream_close(core, stream);
    }

    fn owner_cancel(&mut self, core: &mut Core, owner: Tag) {
        self.listeners_drop(core, owner);
    }

    fn owner_count(&self, owner: Tag) -> usize {
        self.listeners.each().filter(|(_, listener)| listener.serves_for(owner)).count()
    }

    /// Nothing of `io` is shared with other threads.
    fn told(&mut self, _: &mut Core, _: Option<Operation>) {}

    fn shut_down(&mut self, core: &mut Core) -> usize {
        self.listeners_shut_down(core);
        while let Some(key) = self.connects.next(0) {
            self.connect_cancel(core, key);
        }
        while let Some(key) = self.resolves.next(0) {
            self.resolve_cancel(core, key);
        }
        self.streams_shut_down(core)
    }

    fn counts(&self) -> (usize, usize) {
        (self.listeners.len(), self.streams.len())
    }

    fn last_generation(&self) -> u32 {
        self.streams
            .last_generation()
            .max(self.listeners.last_generation())
            .max(self.connects.last_generation())
            .max(self.resolves.last_generation())
    }
}
