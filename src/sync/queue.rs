//! Queues: pointers of the host's, from those who put to those who get.
//!
//! ```text
//!   putters ──▶ items, at most `capacity` ──▶ getters
//! ```
//!
//! Somebody waits to put only while it is full, and to get only while it is
//! empty. What is put while somebody waits to get is his at once, in his
//! future; what is got makes room for the first who waits to put, whose item
//! goes in the same call. So items come out in the order in which they were
//! put, and a waiter that is cancelled has neither put nor got anything.

use super::line::{Line, Owner};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, HostPointer, Object, Outcome, Ring, Source, Text};

/// A queue's slot.
pub struct Queue {
    items: Ring<Option<HostPointer>>,
    /// How many items it takes; 0 is any number.
    capacity: usize,
    /// Items that were put and not reported done.
    unfinished: u64,
    shut: bool,
    pub(super) putters: Line,
    pub(super) getters: Line,
    pub(super) joiners: Line,
}

impl Queue {
    fn is_full(&self) -> bool {
        self.capacity != 0 && self.items.len() >= self.capacity
    }
}

impl Objects {
    /// A queue that is empty.
    pub fn queue_open(&mut self, capacity: usize) -> Result<Key> {
        let none = Line::default();
        let items = Ring::new(self.memory.clone());
        self.queues.insert(Queue {
            items,
            capacity,
            unfinished: 0,
            shut: false,
            putters: none,
            getters: none,
            joiners: none,
        })
    }

    /// Puts an item, or joins the line of those who want to.
    pub fn queue_put(&mut self, core: &mut Core, key: Key, item: HostPointer) -> Result<Handle> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if queue.is_full() && !queue.shut {
            return self.lines.join(core, &mut queue.putters, Owner::Put(key), item);
        }
        self.queue_try_put(core, key, item)?;
        Ok(core.future_done(Outcome::value(0), Text::None))
    }

    /// Puts an item if there is room.
    pub fn queue_try_put(&mut self, core: &mut Core, key: Key, item: HostPointer) -> Result<()> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if queue.shut {
            return Err(ROTA_ERR_SHUT.into());
        }
        if queue.is_full() {
            return Err(ROTA_ERR_LIMIT.into());
        }
        if queue.getters.is_empty() {
            queue.items.push(Some(item))?;
        } else {
            self.lines.serve(core, &mut queue.getters, Outcome::value(0), Object::Result(item, None));
        }
        queue.unfinished += 1;
        Ok(())
    }

    /// Gets the oldest item, in a future that holds it, or joins the line of those who want to.
    pub fn queue_get(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if queue.items.is_empty() && !queue.shut {
            return self.lines.join(core, &mut queue.getters, Owner::Get(key), super::NOTHING);
        }
        // The future first: an item that is out must have somewhere to go.
        core.futures.reserve()?;
        let item = self.queue_try_get(core, key)?;
        let future = core.future_new(Source::Promise)?;
        core.future_complete(future, Outcome::value(0), Text::None, Object::Result(item, None));
        Ok(core.future_handle(future))
    }

    /// Gets the oldest item if there is one.
    pub fn queue_try_get(&mut self, core: &mut Core, key: Key) -> Result<HostPointer> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let Some(item) = queue.items.pop().flatten() else {
            return Err(if queue.shut { ROTA_ERR_SHUT } else { ROTA_ERR_PENDING }.into());
        };
        if let Some(next) = self.lines.serve(core, &mut queue.putters, Outcome::value(0), Object::None) {
            // It goes where the other one was: this takes no memory.
            queue.items.push(Some(next))?;
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
        self.lines.join(core, &mut queue.joiners, Owner::Join(key), super::NOTHING)
    }

    /// Nothing is put any more; what is in it may be got.
    pub fn queue_shut(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let queue = self.queues.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        queue.shut = true;
        let shut = Outcome::failed(ROTA_ERR_SHUT.into(), 0);
        self.lines.serve_all(core, &mut queue.putters, shut);
        self.lines.serve_all(core, &mut queue.getters, shut);
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
