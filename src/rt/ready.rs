//! The ready queue: what is to be called, in order.
//!
//! Completing a future, firing a timer or waking a task must not fail for lack
//! of memory. Whoever may have to be queued later therefore reserves his place
//! when he is registered (`reserve_one`), and takes it later (`push_reserved`)
//! or lets it go (`release_one`). `push` is for what is queued at once: it may
//! fail, and never uses a reserved place. One more place than was ever reserved
//! is kept, so that posts get through, one a turn, where there is no memory.

use super::drain::Completed;
use super::owner::Tag;
use crate::base::{Key, Result};
use crate::sys::host::{HostCall, HostFree, HostThen, HostTimer};
use crate::sys::{Memory, Ring, Ticket};

/// One thing to be called.
#[derive(Clone, Copy, Default)]
pub enum Entry {
    /// A place in the queue with nothing in it.
    #[default]
    Nothing,
    /// A callback that nobody holds a handle of.
    Call(HostCall),
    /// A callback that can be cancelled.
    Slot(Key),
    /// A timer that is due, or cancelled after it was.
    Timer(Key),
    /// A timer that was cancelled before it was due; its handle has ended.
    TimerCancelled(Key, HostTimer, Tag),
    /// A callback of a complete future.
    Then(Key, HostThen, Tag),
    /// A completion that the host will fetch.
    Drain(Completed),
    /// A task that goes on.
    Task(Key),
    /// A combination of futures to which something happened.
    Combine(Key),
    /// A set of which something is to be handed out, or let go.
    Set(Key),
    /// A thread that is blocked until this future, which is done.
    Blocked(Key, Ticket),
    /// A circle of tasks that are to be asked to end.
    Ask(Key),
    /// A posted result that came too late.
    Free(HostFree),
    /// A group of which some members' futures are done.
    Group(Key),
}

/// The queue.
pub struct Ready {
    ring: Ring<Entry>,
    reserved: usize,
}

impl Ready {
    /// An empty queue.
    pub fn new(memory: Memory) -> Result<Self> {
        let mut ready = Ready { ring: Ring::new(memory), reserved: 0 };
        ready.make_room()?;
        Ok(ready)
    }

    /// How many stand in it.
    #[inline]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// All that stands in it, in order.
    pub fn each(&self) -> impl Iterator<Item = &Entry> {
        self.ring.iter()
    }

    /// What stands at a place, counted from the first.
    pub fn get(&self, place: usize) -> Option<Entry> {
        self.ring.get(place).copied()
    }

    /// Leaves nothing at a place.
    pub fn clear(&mut self, place: usize) {
        if let Some(entry) = self.ring.get_mut(place) {
            *entry = Entry::Nothing;
        }
    }

    /// Whether nothing stands in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Makes sure that the next `push` cannot fail.
    pub fn make_room(&mut self) -> Result<()> {
        self.ring.reserve(self.reserved + 1)
    }

    /// Queues an entry now.
    #[inline]
    pub fn push(&mut self, entry: Entry) -> Result<()> {
        self.ring.reserve(self.reserved + 1)?;
        self.ring.push(entry)
    }

    /// Sets a place aside.
    #[inline]
    pub fn reserve_one(&mut self) -> Result<()> {
        self.ring.reserve(self.reserved + 2)?;
        self.reserved += 1;
        Ok(())
    }

    /// Sets aside the place that was left by the entry that was just popped.
    #[inline]
    pub fn reserve_left(&mut self) {
        self.reserved += 1;
        debug_assert!(self.ring.reserve(self.reserved).is_ok(), "the place that was just left must be free");
    }

    /// Gives a place back that is not needed.
    #[inline]
    pub fn release_one(&mut self) {
        debug_assert!(self.reserved > 0);
        self.reserved -= 1;
    }

    /// Queues an entry in a place that was set aside for it.
    #[inline]
    pub fn push_reserved(&mut self, entry: Entry) {
        self.release_one();
        let pushed = self.ring.push(entry);
        debug_assert!(pushed.is_ok(), "a reserved place was not there");
    }

    /// Takes the first if it is a task.
    #[inline]
    pub fn pop_task(&mut self) -> Option<Key> {
        let Some(Entry::Task(key)) = self.ring.first() else { return None };
        let key = *key;
        self.ring.drop_first();
        Some(key)
    }

    /// Takes the first if it is a plain callback. Copying a whole entry out would cost more than the call: what is
    /// written in one width and read in another waits in the processor.
    #[inline]
    pub fn pop_call(&mut self) -> Option<HostCall> {
        let Some(Entry::Call(call)) = self.ring.first() else { return None };
        let call = *call;
        self.ring.drop_first();
        Some(call)
    }

    /// Takes the first.
    #[inline]
    pub fn pop(&mut self) -> Option<Entry> {
        self.ring.pop()
    }
}
