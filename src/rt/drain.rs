//! Completions that the host fetches: what callbacks are to others, for those who cannot be called.
//!
//! ```text
//!   a drain waits for a future ── done ──▶ its turn in the ready queue ──▶ STANDING ──▶ HELD ──▶ answered
//!   a post from any thread ──────────────────────┘                         fetched │     │ the next is fetched
//! ```
//!
//! A drain is a claim like a callback, stands in the ready queue where a callback
//! would, and in its turn moves into the queue of completions, in a place that
//! was set aside for it when it began to wait. Fetching it answers the claim; the
//! future is held, so that it can be read, until the next one is fetched.
//!
//! Nobody but the host empties this queue. So a turn does not wait while anything
//! stands in it, and a loop is not closed before it is empty: each completion
//! comes exactly once. One more place than was ever reserved is kept, so that
//! posts get through, one after the other, where there is no memory.

use super::core::Core;
use super::event_loop::State;
use super::outcome::Outcome;
use super::service::Service;
use super::waiters::Waiter;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::host::{HostFree, HostPointer};
use crate::sys::{Memory, Ring};

/// One completion.
#[derive(Clone, Copy, Default)]
pub enum Completed {
    /// A place with nothing in it.
    #[default]
    Nothing,
    /// A future is done, and the host's pointer that was given for it.
    Future(Key, HostPointer),
    /// A thread posted this pointer.
    Post(HostPointer),
}

/// The queue of completions.
pub struct Drain {
    ring: Ring<Completed>,
    reserved: usize,
    held: Option<Key>,
}

impl Drain {
    /// An empty queue.
    pub fn new(memory: &Memory) -> Result<Self> {
        let mut drain = Drain { ring: Ring::new(memory.clone()), reserved: 0, held: None };
        drain.make_room()?;
        Ok(drain)
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// How many stand in it.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Makes sure that the next `reserve_for_post` finds a place.
    pub fn make_room(&mut self) -> Result<()> {
        self.ring.reserve(self.reserved + 1)
    }

    /// Sets a place aside, and keeps another one.
    pub fn reserve_one(&mut self) -> Result<()> {
        self.ring.reserve(self.reserved + 2)?;
        self.reserved += 1;
        Ok(())
    }

    /// Sets the place aside that `make_room` has found.
    pub fn reserve_for_post(&mut self) {
        self.reserved += 1;
        debug_assert!(self.ring.reserve(self.reserved).is_ok(), "no place was found for a post");
    }

    fn release_one(&mut self) {
        debug_assert!(self.reserved > 0);
        self.reserved -= 1;
    }

    /// Puts a completion into a place that was set aside for it.
    pub fn push_reserved(&mut self, completed: Completed) {
        self.release_one();
        let pushed = self.ring.push(completed);
        debug_assert!(pushed.is_ok(), "a reserved place was not there");
    }
}

impl Core {
    /// Sets aside the places that a waiter will need who is queued when the future is done.
    #[inline]
    pub(super) fn reserve_for(&mut self, waiter: &Waiter) -> Result<()> {
        if !waiter.has_place() {
            return Ok(());
        }
        self.ready.reserve_one()?;
        if matches!(waiter, Waiter::Drain(_)) {
            self.drain.reserve_one().inspect_err(|_| self.ready.release_one())?;
        }
        Ok(())
    }

    /// Gives them back.
    pub(super) fn release_for(&mut self, waiter: &Waiter) {
        if waiter.has_place() {
            self.ready.release_one();
        }
        if matches!(waiter, Waiter::Drain(_)) {
            self.drain.release_one();
        }
    }

    /// Fetches the next completion: its future, if it is not a post, what it came to, and the host's pointer. The one
    /// before must have been let go.
    pub fn drain_next(&mut self) -> Option<(Option<Key>, Outcome, HostPointer)> {
        let status = if self.closing { ROTA_ERR_CANCELLED } else { ROTA_OK };
        match self.drain.ring.pop()? {
            Completed::Nothing => None,
            Completed::Post(data) => Some((None, Outcome { status: status as i32, ..Outcome::default() }, data)),
            Completed::Future(key, data) => {
                let slot = self.futures.get_mut(key)?;
                slot.seen = true;
                slot.held = true;
                slot.claims = slot.claims.saturating_sub(1);
                self.drain.held = Some(key);
                Some((Some(key), slot.outcome, data))
            }
        }
    }
}

impl<S: Service> State<S> {
    /// Lets go of the completion that was fetched last; a destructor that is due.
    pub fn drain_release(&mut self) -> Option<HostFree> {
        let key = self.core.drain.held.take()?;
        self.core.futures.get_mut(key)?.held = false;
        self.future_settle(key)
    }
}
