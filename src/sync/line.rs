//! Lines: who waits for one thing, first come, first served.
//!
//! A waiter is a node in a table that all lines of a loop share, and a future
//! that stands for it. A line links its nodes both ways, so that a waiter who is
//! cancelled leaves from anywhere at once: a line holds only those who wait.
//!
//! ```text
//!   join ──▶ in the line ──▶ served: its future is complete, what it waited for is its own
//!                 │
//!                 └────────▶ cancelled: out of the line, nothing was given to it
//! ```
//!
//! What is given is given with the completion, in the same call: there is no
//! moment in between in which a cancel could lose it. A table that is full fails
//! the one who wants to join, never the one who serves.

use crate::base::{Handle, Key, Result};
use crate::rt::{Core, HostPointer, Memory, Object, Operation, Outcome, Slab, Source, Text};

/// The number of the operation that a future of a waiter stands for; those of `io` are smaller.
pub const WAITS: u8 = 64;

/// Whose line it is.
#[derive(Clone, Copy)]
pub enum Owner {
    /// A lock's.
    Lock(Key),
    /// A semaphore's.
    Semaphore(Key),
    /// An event's.
    Event(Key),
    /// A barrier's.
    Barrier(Key),
    /// A queue's, of those who put.
    Put(Key),
    /// A queue's, of those who get.
    Get(Key),
    /// A queue's, of those who wait until all is done.
    Join(Key),
    /// A channel's, of those who receive.
    Receive(Key),
}

struct Node {
    future: Key,
    owner: Owner,
    item: HostPointer,
    before: Option<Key>,
    after: Option<Key>,
}

/// The ends of a line.
#[derive(Clone, Copy, Default)]
pub struct Line {
    first: Option<Key>,
    last: Option<Key>,
    length: u32,
}

impl Line {
    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many wait.
    pub fn len(&self) -> u32 {
        self.length
    }
}

/// The table behind all lines of a loop.
pub struct Lines {
    nodes: Slab<Node>,
}

impl Lines {
    /// An empty table.
    pub fn new(memory: &Memory) -> Self {
        Lines { nodes: Slab::new(memory.clone(), 1) }
    }

    /// A future for the turn of one who joins the line at its end, with `item` in his hands.
    pub fn join(&mut self, core: &mut Core, line: &mut Line, owner: Owner, item: HostPointer) -> Result<Handle> {
        core.futures.reserve()?;
        let node = Node { future: Key::default(), owner, item, before: line.last, after: None };
        let key = self.nodes.insert(node)?;
        let future = match core.future_new(Source::Service(Operation { object: key, kind: WAITS })) {
            Ok(future) => future,
            Err(error) => {
                self.nodes.remove(key);
                return Err(error);
            }
        };
        if let Some(node) = self.nodes.get_mut(key) {
            node.future = future;
        }
        match line.last.and_then(|last| self.nodes.get_mut(last)) {
            Some(last) => last.after = Some(key),
            None => line.first = Some(key),
        }
        line.last = Some(key);
        line.length += 1;
        Ok(core.future_handle(future))
    }

    /// Serves the first of a line: completes his future with `outcome` and `object`, and returns what he held.
    /// Whoever calls this with an object has seen that somebody waits.
    pub fn serve(&mut self, core: &mut Core, line: &mut Line, outcome: Outcome, object: Object) -> Option<HostPointer> {
        let (future, item) = self.leave(line, line.first?)?;
        core.future_complete(future, outcome, Text::None, object);
        Some(item)
    }

    /// Serves everybody who stands in a line.
    pub fn serve_all(&mut self, core: &mut Core, line: &mut Line, outcome: Outcome) {
        while self.serve(core, line, outcome, Object::None).is_some() {}
    }

    /// Whose line a waiter stands in.
    pub fn owner(&self, waiter: Key) -> Option<Owner> {
        self.nodes.get(waiter).map(|node| node.owner)
    }

    /// A waiter leaves the line, from wherever he stands, and is told that he was cancelled.
    pub fn cancel(&mut self, core: &mut Core, line: &mut Line, waiter: Key) {
        if let Some((future, _)) = self.leave(line, waiter) {
            core.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
        }
    }

    fn leave(&mut self, line: &mut Line, waiter: Key) -> Option<(Key, HostPointer)> {
        let Node { future, item, before, after, .. } = self.nodes.remove(waiter)?;
        match before.and_then(|key| self.nodes.get_mut(key)) {
            Some(node) => node.after = after,
            None => line.first = after,
        }
        match after.and_then(|key| self.nodes.get_mut(key)) {
            Some(node) => node.before = before,
            None => line.last = before,
        }
        line.length -= 1;
        Some((future, item))
    }
}
