//! Queues: pointers of the host's, from those who put to those who get.
//!
//! ```text
//!   putters ──▶ items, at most `capacity` ──▶ getters
//! ```
//!
//! Somebody waits to put only while it is full, and to get only while it is
//! empty. What is put while somebody waits to get is his at once, in his
//! future; what is got makes room for the first who waits to put, whose item
//! goes in the same call. So those who put and those who get are served in the
//! order in which they came, items come out in the queue's order (`items.rs`),
//! and a waiter that is cancelled has neither put nor got anything.
//!
//! Shutting it down ends the puts; what is in it still comes out. Shutting it
//! down *now* ends the gets too. What is left then is counted as done with, so
//! that nobody waits for it in vain, and stays where it is for whoever shut it
//! down to take with `try_get`: nothing is dropped.

use super::items::{Items, Order};
use super::line::{Held, Line, Lines, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, HostPointer, Object, Outcome, Source, Text};

/// A queue's slot.
pub struct Queue {
    items: Items,
    /// How many items it takes; 0 is any number.
    capacity: usize,
    /// Items that were put and not reported done.
    unfinished: u64,
    shut: Shut,
    pub(super) putters: Line,
    pub(super) getters: Line,
    pub(super) joiners: Line,
}

/// What is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shut {
    Nothing,
    Puts,
    PutsAndGets,
}

impl Queue {
    fn no_puts(&self) -> bool {
        self.shut >= Shut::Puts
    }

    fn is_full(&self) -> bool {
        self.capacity != 0 && self.items.len() >= self.capacity
    }

    /// What is put: only a queue that goes by priorities takes one, and there it is 0 where none is given.
    fn held(&self, item: HostPointer, priority: Option<i64>) -> Result<Held> {
        if priority.is_some() && !self.items.by_priority() {
            return Err(ROTA_ERR_INVALID.into());
        }
        Ok(Held { item, priority: priority.unwrap_or(0) })
    }

    fn put(&mut self, lines: &mut Lines, core: &mut Core, held: Held) -> Result<()> {
        if self.no_puts() {
            return Err(ROTA_ERR_SHUT.into());
        }
        if self.is_full() {
            return Err(ROTA_ERR_LIMIT.into());
        }
        if self.getters.is_empty() {
            self.items.push(held)?;
        } else {
            lines.serve(core, &mut self.getters, Outcome::value(0), Object::Result(held.item, None));
        }
        self.unfinished += 1;
        Ok(())
    }
}

impl Objects {
    /// A queue that is empty.
    pub fn queue_open(&mut self, capacity: usize, order: Order) -> Result<Key> {
        let none = Line::default();
        let items = Items::new(order, &self.memory);
        self.queues.insert(Queue {
            items,
            capacity,
            unfinished: 0,
            shut: Shut::Nothing,
            putters: none,
            getters: none,
            joiners: none,
        })
    }

    /// Puts an item, with a priority or without, or joins the line of those who want to.
    pub fn queue_put(&mut self, core: &mut Core, key: Key, item: HostPointer, priority: Option<i64>) -> Result<Handle> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let held = queue.held(item, priority)?;
        if queue.is_full() && !queue.no_puts() {
            return self.lines.join(core, &mut queue.putters, Owner::Put(key), held);
        }
        queue.put(&mut self.lines, core, held)?;
        Ok(core.future_done(Outcome::value(0), Text::None))
    }

    /// Puts an item if there is room.
    pub fn queue_try_put(&mut self, core: &mut Core, key: Key, item: HostPointer, priority: Option<i64>) -> Result<()> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let held = queue.held(item, priority)?;
        queue.put(&mut self.lines, core, held)
    }

    /// Gets the next item, in a future that holds it, or joins the line of those who want to.
    pub fn queue_get(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if queue.shut == Shut::PutsAndGets {
            return Err(ROTA_ERR_SHUT.into());
        }
        if queue.items.is_empty() && queue.shut == Shut::Nothing {
            return self.lines.join(core, &mut queue.getters, Owner::Get(key), NOTHING);
        }
        // The future first: an item that is out must have somewhere to go.
        core.futures.reserve()?;
        let item = self.queue_try_get(core, key)?;
        let future = core.future_new(Source::Promise)?;
        core.future_complete(future, Outcome::value(0), Text::None, Object::Result(item, None));
        Ok(core.future_handle(future))
    }

    /// Gets the next item if there is one.
    pub fn queue_try_get(&mut self, core: &mut Core, key: Key) -> Result<HostPointer> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let Some(item) = queue.items.pop() else {
            return Err(if queue.no_puts() { ROTA_ERR_SHUT } else { ROTA_ERR_PENDING }.into());
        };
        if let Some(next) = self.lines.serve(core, &mut queue.putters, Outcome::value(0), Object::None) {
            // It goes where the other one was: this takes no memory.
            queue.items.push(next)?;
            queue.unfinished += 1;
        }
        Ok(item)
    }

    /// How many items are in it.
    pub fn queue_size(&self, key: Key) -> Result<usize> {
        Ok(self.queues.get(key).ok_or(ROTA_ERR_HANDLE)?.items.len())
    }

    /// One item that was got is done with.
    pub fn queue_task_done(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        queue.unfinished = queue.unfinished.checked_sub(1).ok_or(ROTA_ERR_INVALID)?;
        if queue.unfinished == 0 {
            self.lines.serve_all(core, &mut queue.joiners, Outcome::value(0));
        }
        Ok(())
    }

    /// Waits until every item that was put is done with.
    pub fn queue_join(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if queue.unfinished == 0 {
            return Ok(core.future_done(Outcome::value(0), Text::None));
        }
        self.lines.join(core, &mut queue.joiners, Owner::Join(key), NOTHING)
    }

    /// Nothing is put any more; what is in it may be got.
    pub fn queue_shut(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        queue.shut = queue.shut.max(Shut::Puts);
        let shut = Outcome::failed(ROTA_ERR_SHUT.into(), 0);
        self.lines.serve_all(core, &mut queue.putters, shut);
        self.lines.serve_all(core, &mut queue.getters, shut);
        Ok(())
    }

    /// Nothing is put or got any more; what is in it counts as done with, and may be taken.
    pub fn queue_shut_now(&mut self, core: &mut Core, key: Key) -> Result<()> {
        self.queue_shut(core, key)?;
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if core::mem::replace(&mut queue.shut, Shut::PutsAndGets) == Shut::PutsAndGets {
            return Ok(());
        }
        queue.unfinished = queue.unfinished.saturating_sub(queue.items.len() as u64);
        if queue.unfinished == 0 {
            self.lines.serve_all(core, &mut queue.joiners, Outcome::value(0));
        }
        Ok(())
    }

    /// Ends it; those in line are told that they were cancelled, and what is in it is forgotten.
    pub fn queue_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut queue = self.queues.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        for line in [&mut queue.putters, &mut queue.getters, &mut queue.joiners] {
            self.lines.serve_all(core, line, Outcome::cancelled());
        }
        Ok(())
    }
}
