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
//! the one who wants to join, never the one who serves. A waiter goes from one
//! line to another as the node that he is, which takes no memory either.

use crate::base::{Handle, Key, Result};
use crate::rt::{Core, HostPointer, Memory, Object, Operation, Outcome, Slab, Source, Text};

/// The number of the operation that a future of a waiter stands for; those of `io` are smaller.
pub const WAITS: u8 = 64;

/// Whose line it is.
#[derive(Clone, Copy)]
pub enum Owner {
    /// A lock's.
    Lock(Key),
    /// A condition's.
    Condition(Key),
    /// A lock's, of one who waited for a condition under it and comes back: notified by the condition, or cancelled.
    Back { lock: Key, notified: Option<Key> },
    /// A reader-writer lock's, of one who reads.
    Read(Key),
    /// A reader-writer lock's, of one who writes.
    Write(Key),
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
    /// A token's.
    Token(Key),
    /// A once-cell's.
    Once(Key),
}

/// What one who waits has in his hands: an item that he puts, with its priority.
#[derive(Clone, Copy)]
pub struct Held {
    pub item: HostPointer,
    pub priority: i64,
}

/// Nothing.
pub const NOTHING: Held = Held { item: HostPointer(core::ptr::null_mut()), priority: 0 };

/// One who waits.
#[derive(Clone, Copy)]
pub struct Waiting {
    pub waiter: Key,
    pub future: Key,
    pub owner: Owner,
}

struct Node {
    future: Key,
    owner: Owner,
    held: Held,
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

    /// A future for the turn of one who joins the line at its end, with what he holds.
    pub fn join(&mut self, core: &mut Core, line: &mut Line, owner: Owner, held: Held) -> Result<Handle> {
        core.futures.reserve()?;
        let node = Node { future: Key::default(), owner, held, before: line.last, after: None };
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
        self.append(line, key);
        Ok(core.future_handle(future))
    }

    /// Serves the first of a line: completes his future with `outcome` and `object`, and returns what he held.
    /// Whoever calls this with an object has seen that somebody waits.
    pub fn serve(&mut self, core: &mut Core, line: &mut Line, outcome: Outcome, object: Object) -> Option<Held> {
        self.serve_one(core, line, line.first?, outcome, object)
    }

    /// As `serve`, for one who may stand anywhere in the line.
    pub fn serve_one(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        waiter: Key,
        outcome: Outcome,
        object: Object,
    ) -> Option<Held> {
        let Node { future, held, before, after, .. } = self.nodes.remove(waiter)?;
        self.close_up(line, before, after);
        core.future_complete(future, outcome, Text::None, object);
        Some(held)
    }

    /// Serves everybody who stands in a line.
    pub fn serve_all(&mut self, core: &mut Core, line: &mut Line, outcome: Outcome) {
        while self.serve(core, line, outcome, Object::None).is_some() {}
    }

    /// A waiter leaves the line, from wherever he stands, and is told that he was cancelled.
    pub fn cancel(&mut self, core: &mut Core, line: &mut Line, waiter: Key) {
        self.serve_one(core, line, waiter, Outcome::cancelled(), Object::None);
    }

    /// A waiter leaves one line and joins the end of another, as `owner`.
    pub fn change(&mut self, from: &mut Line, to: &mut Line, waiter: Key, owner: Owner) {
        let Some(node) = self.nodes.get_mut(waiter) else { return };
        node.owner = owner;
        let before = core::mem::replace(&mut node.before, to.last);
        let after = node.after.take();
        self.close_up(from, before, after);
        self.append(to, waiter);
    }

    /// Whose line a waiter stands in.
    pub fn owner(&self, waiter: Key) -> Option<Owner> {
        self.nodes.get(waiter).map(|node| node.owner)
    }

    /// The first of a line.
    pub fn first(&self, line: &Line) -> Option<Waiting> {
        self.waiting(line.first?)
    }

    /// The first of a line for whom `is` holds.
    pub fn find(&self, line: &Line, is: impl Fn(&Owner) -> bool) -> Option<Waiting> {
        let mut at = line.first;
        while let Some(node) = at.and_then(|key| self.nodes.get(key)) {
            if is(&node.owner) {
                return self.waiting(at?);
            }
            at = node.after;
        }
        None
    }

    fn waiting(&self, waiter: Key) -> Option<Waiting> {
        let node = self.nodes.get(waiter)?;
        Some(Waiting { waiter, future: node.future, owner: node.owner })
    }

    /// The end of a line becomes `key`, who knows already who stands before him.
    fn append(&mut self, line: &mut Line, key: Key) {
        match line.last.and_then(|last| self.nodes.get_mut(last)) {
            Some(last) => last.after = Some(key),
            None => line.first = Some(key),
        }
        line.last = Some(key);
        line.length += 1;
    }

    /// One has left who stood between these two.
    fn close_up(&mut self, line: &mut Line, before: Option<Key>, after: Option<Key>) {
        match before.and_then(|key| self.nodes.get_mut(key)) {
            Some(node) => node.after = after,
            None => line.first = after,
        }
        match after.and_then(|key| self.nodes.get_mut(key)) {
            Some(node) => node.before = before,
            None => line.last = before,
        }
        line.length -= 1;
    }
}
