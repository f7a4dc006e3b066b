//! Sets: futures that are handed out in the order in which they are done.
//!
//! ```text
//!   add ──▶ OPEN ── its future is done ──▶ DONE ── its turn, and somebody asks ──▶ handed out: its tag
//!              │                             │
//!              └──────── the set is closed ──┴──▶ let go, when it has ended
//! ```
//!
//! Each future that was added is an *entry*, which claims it. Entries that are
//! done stand in a line, in that order; those who ask for the next one (*nexts*,
//! each a future) stand in another. An entry that is done is noted, and the two
//! lines are brought together in the set's own turn, by its one place in the ready
//! queue; so sets in sets call nothing in a circle, and only adding and asking
//! take memory.
//!
//! What is handed out is kept, for the host to read and to close. A set that is
//! closed cancels the futures that it alone waits for, and stays until the last
//! has ended, but its handle finds nothing any more.

use super::core::Core;
use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::ready::Entry as Queued;
use super::service::Service;
use super::waiters::Waiter;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::{Memory, Slab, Text};

/// The ends of a list through a table.
type Ends = Option<(Key, Key)>;

/// A set's slot.
pub struct Set {
    /// Entries whose futures are not done.
    open: Ends,
    /// Entries that have not been handed out, in any state.
    count: usize,
    /// Entries that are done.
    done: Ends,
    /// Those who ask.
    nexts: Ends,
    /// Whether it stands in the ready queue.
    queued: bool,
    closed: bool,
}

/// What stands in a list of a set: an entry with its future (none for a value) and its tag, or a next.
struct Node {
    set: Key,
    future: Option<Key>,
    tag: u64,
    /// Whether it was asked to end because the set was closed.
    asked: bool,
    before: Option<Key>,
    after: Option<Key>,
}

impl Node {
    fn new(set: Key) -> Self {
        Node { set, future: None, tag: 0, asked: false, before: None, after: None }
    }
}

/// The tables of a loop's sets.
pub struct Sets {
    table: Slab<Set>,
    nodes: Slab<Node>,
}

impl Sets {
    /// Empty ones; handles of sets begin with the loop's generation.
    pub fn new(memory: &Memory, generation: u32) -> Self {
        Sets { table: Slab::new(memory.clone(), generation), nodes: Slab::new(memory.clone(), 1) }
    }

    /// The highest generation that the table has reached.
    pub fn last_generation(&self) -> u32 {
        self.table.last_generation()
    }

    fn get_mut(&mut self, key: Key) -> Result<&mut Set> {
        self.table.get_mut(key).filter(|set| !set.closed).ok_or(ROTA_ERR_HANDLE.into())
    }

    /// Appends a node to a list.
    fn push(&mut self, mut ends: Ends, key: Key) -> Ends {
        let last = ends.map(|(_, last)| last);
        if let Some(node) = self.nodes.get_mut(key) {
            (node.before, node.after) = (last, None);
        }
        if let Some(node) = last.and_then(|last| self.nodes.get_mut(last)) {
            node.after = Some(key);
        }
        let first = ends.get_or_insert((key, key)).0;
        Some((first, key))
    }

    /// Takes a node out of a list, from wherever it stands.
    fn unlink(&mut self, ends: Ends, key: Key) -> Ends {
        let (before, after) = self.nodes.get(key).map(|node| (node.before, node.after))?;
        if let Some(node) = before.and_then(|before| self.nodes.get_mut(before)) {
            node.after = after;
        }
        if let Some(node) = after.and_then(|after| self.nodes.get_mut(after)) {
            node.before = before;
        }
        let (first, last) = ends?;
        let first = if first == key { after } else { Some(first) };
        let last = if last == key { before } else { Some(last) };
        first.zip(last)
    }
}

impl Core {
    /// An empty set.
    pub fn set_open(&mut self) -> Result<Key> {
        self.ready.reserve_one()?;
        let set = Set { open: None, count: 0, done: None, nexts: None, queued: false, closed: false };
        let made = self.sets.table.insert(set);
        if made.is_err() {
            self.ready.release_one();
        }
        made
    }

    /// Adds a future. The handle is of this loop, or a value.
    pub fn set_add(&mut self, key: Key, future: Handle, tag: u64) -> Result<()> {
        self.sets.get_mut(key)?;
        let named = future.carried().is_none().then_some(future.key());
        let node = self.sets.nodes.insert(Node { future: named, tag, ..Node::new(key) })?;
        let set = self.sets.get_mut(key)?;
        let open = set.open;
        set.count += 1;
        let open = self.sets.push(open, node);
        self.sets.get_mut(key)?.open = open;
        let Some(named) = named else {
            self.set_entry_done(node);
            return Ok(());
        };
        let claimed = self.future_claim(named, Waiter::Listed(node));
        if claimed.is_err() {
            let open = self.sets.unlink(open, node);
            let set = self.sets.get_mut(key)?;
            set.open = open;
            set.count -= 1;
            self.sets.nodes.discard(node);
        }
        claimed
    }

    /// The future of an entry is done.
    pub(super) fn set_entry_done(&mut self, node: Key) {
        let Some(key) = self.sets.nodes.get(node).map(|node| node.set) else { return };
        let Some((open, done)) = self.sets.table.get(key).map(|set| (set.open, set.done)) else { return };
        let open = self.sets.unlink(open, node);
        let done = self.sets.push(done, node);
        if let Some(set) = self.sets.table.get_mut(key) {
            (set.open, set.done) = (open, done);
            if set.nexts.is_some() || set.closed {
                self.set_queue(key);
            }
        }
    }

    fn set_queue(&mut self, key: Key) {
        if let Some(set) = self.sets.table.get_mut(key).filter(|set| !set.queued) {
            set.queued = true;
            self.ready.push_reserved(Queued::Set(key));
        }
    }

    /// Its turn has come: sets the next place aside.
    pub(super) fn set_begin(&mut self, key: Key) {
        if let Some(set) = self.sets.table.get_mut(key) {
            set.queued = false;
            self.ready.reserve_left();
        }
    }

    /// A future for the tag of the next that is done.
    pub fn set_next(&mut self, key: Key) -> Result<Handle> {
        let set = self.sets.get_mut(key)?;
        if set.count == 0 {
            return Err(ROTA_ERR_DONE.into());
        }
        let waits = set.done.is_some();
        if set.nexts.is_none() && waits {
            if let Some(handle) = self.set_next_now(key)? {
                return Ok(handle);
            }
        }
        let node = self.sets.nodes.insert(Node::new(key))?;
        let future = match self.future_new(Source::Set(node)) {
            Ok(future) => future,
            Err(error) => {
                self.sets.nodes.discard(node);
                return Err(error);
            }
        };
        if let Some(node) = self.sets.nodes.get_mut(node) {
            node.future = Some(future);
        }
        let nexts = self.sets.get_mut(key)?.nexts;
        let nexts = self.sets.push(nexts, node);
        self.sets.get_mut(key)?.nexts = nexts;
        if waits {
            self.set_queue(key);
        }
        Ok(self.future_handle(future))
    }

    /// Hands out the first that is done at once, unless it was closed and is to end with that.
    fn set_next_now(&mut self, key: Key) -> Result<Option<Handle>> {
        let first = self.sets.get_mut(key)?.done.map(|(first, _)| first);
        let Some(node) = first.and_then(|first| self.sets.nodes.get(first)) else { return Ok(None) };
        let (future, tag) = (node.future, node.tag as i64);
        if future.and_then(|future| self.futures.get(future)).is_some_and(|slot| slot.closed) {
            return Ok(None);
        }
        self.futures.reserve()?;
        let handle = self.future_done(Outcome::value(tag), Text::None);
        self.set_take(key);
        if let Some(slot) = future.and_then(|future| self.futures.get_mut(future)) {
            slot.kept = true;
            slot.claims = slot.claims.saturating_sub(1);
        }
        Ok(Some(handle))
    }

    /// A next is cancelled: nothing was handed out to it.
    pub(super) fn set_next_cancel(&mut self, future: Key, node: Key) {
        if let Some(key) = self.sets.nodes.get(node).map(|node| node.set) {
            let nexts = self.sets.table.get(key).and_then(|set| set.nexts);
            let nexts = self.sets.unlink(nexts, node);
            if let Some(set) = self.sets.table.get_mut(key) {
                set.nexts = nexts;
            }
            self.sets.nodes.discard(node);
        }
        self.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
    }

    /// Answers the first who asks.
    fn set_answer(&mut self, key: Key, outcome: Outcome) -> bool {
        let nexts = self.sets.table.get(key).and_then(|set| set.nexts);
        let Some((first, _)) = nexts else { return false };
        let nexts = self.sets.unlink(nexts, first);
        if let Some(set) = self.sets.table.get_mut(key) {
            set.nexts = nexts;
        }
        if let Some(future) = self.sets.nodes.remove(first).and_then(|node| node.future) {
            self.future_complete(future, outcome, Text::None, Object::None);
        }
        true
    }

    /// Takes the first entry that is done.
    fn set_take(&mut self, key: Key) -> Option<Node> {
        let (first, _) = self.sets.table.get(key)?.done?;
        let done = self.sets.unlink(self.sets.table.get(key)?.done, first);
        let set = self.sets.table.get_mut(key)?;
        set.done = done;
        set.count -= 1;
        self.sets.nodes.remove(first)
    }

    /// The first open entry that has not been asked to end; it goes to the end of its list.
    fn set_ask_first(&mut self, key: Key) -> Option<(Key, Key)> {
        let open = self.sets.table.get(key)?.open;
        let (first, _) = open?;
        let node = self.sets.nodes.get_mut(first).filter(|node| !node.asked)?;
        node.asked = true;
        let future = node.future?;
        let open = self.sets.unlink(open, first);
        let open = self.sets.push(open, first);
        self.sets.table.get_mut(key)?.open = open;
        Some((first, future))
    }

    /// How many have not been handed out.
    pub fn set_count(&mut self, key: Key) -> Result<usize> {
        Ok(self.sets.get_mut(key)?.count)
    }
}

impl<S: Service> State<S> {
    /// Brings the two lines together, up to a destructor that the caller has to call; then it goes on here.
    pub fn set_step(&mut self, key: Key) -> Option<HostFree> {
        loop {
            let set = self.core.sets.table.get(key)?;
            let closed = set.closed;
            if set.count == 0 {
                while self.core.set_answer(key, Outcome::failed(ROTA_ERR_DONE.into(), 0)) {}
                if closed {
                    self.set_end(key);
                }
                return None;
            }
            if set.done.is_none() || set.nexts.is_none() && !closed {
                return None;
            }
            let node = self.core.set_take(key)?;
            if !closed {
                self.core.set_answer(key, Outcome::value(node.tag as i64));
            }
            let Some(future) = node.future else { continue };
            if let Some(slot) = self.core.futures.get_mut(future) {
                slot.kept |= !closed;
            }
            let free = self.future_let_go(future, !closed);
            if free.is_some() {
                return free;
            }
        }
    }

    /// Closes a set: those who ask are told, and what it alone waits for is cancelled. Steps are due after this.
    pub fn set_close(&mut self, key: Key) -> Result<()> {
        self.core.sets.get_mut(key)?.closed = true;
        while self.core.set_answer(key, Outcome::cancelled()) {}
        // Cancelling one may complete others: so the first is taken, and goes to the end, until all have been asked.
        while let Some((entry, future)) = self.core.set_ask_first(key) {
            if self.core.futures.get(future).is_some_and(|slot| slot.claims <= 1) {
                let _ = self.future_cancel(future);
            } else {
                self.set_withdraw(key, entry, future);
            }
        }
        Ok(())
    }

    /// Others wait for the future of an entry too: it is theirs now.
    fn set_withdraw(&mut self, key: Key, entry: Key, future: Key) {
        self.core.future_unclaim(future, |waiter| matches!(waiter, Waiter::Listed(of) if *of == entry));
        let open = self.core.sets.table.get(key).and_then(|set| set.open);
        let open = self.core.sets.unlink(open, entry);
        if let Some(set) = self.core.sets.table.get_mut(key) {
            set.open = open;
            set.count -= 1;
        }
        self.core.sets.nodes.discard(entry);
    }

    fn set_end(&mut self, key: Key) {
        if self.core.sets.table.remove(key).is_some_and(|set| !set.queued) {
            self.core.ready.release_one();
        }
    }

    /// Whether a closed set has still something to wait for.
    pub fn set_remains(&self, key: Key) -> bool {
        self.core.sets.table.get(key).is_some()
    }

    /// The loop ends: so do its sets, each in its turn.
    pub(super) fn sets_close(&mut self) {
        let mut at = 0;
        while let Some(key) = self.core.sets.table.next(at) {
            at = key.slot + 1;
            if self.set_close(key).is_ok() {
                self.core.set_queue(key);
            }
        }
    }
}
