//! A bounded line of items from many threads and loops to one loop.
//!
//! ```text
//!   senders in line, first come first served ──▶ items, at most `capacity` ──▶ receiver
//!      │ each with its item in hand
//!      └─ leaves (time over, cancelled): the item was never in
//! ```
//!
//! Everything is under one short lock, in which nobody sleeps and nobody's code
//! runs. A sender stands in line only while there is no room; taking an item out
//! lets the first in line put his in, in the same step. So whoever finds himself
//! still in line has sent nothing, and whoever does not has: a wake-up only says
//! "look", and may be lost, doubled or late without harm. Shut or ended, the
//! line lets nobody in; each sender takes himself out of it when he looks.
//!
//! The receiver is told once for many items: it says that it is hungry when it
//! finds nothing, and the item that comes then takes that back.

use super::primitives::{is_past, lock, Bells, Mutex};
use super::shared::Shared;
use crate::base::{rota_status, rota_status::*, Result};
use std::collections::VecDeque;
use std::time::Instant;

/// How a loop is told to look.
pub trait Tell {
    /// Something has happened; it cannot fail.
    fn tell(&self);
}

struct Sender<T, L> {
    /// Rises along the line.
    number: u64,
    item: T,
    /// The loop that sends; a blocked thread has none.
    from: Option<L>,
}

struct State<T, L> {
    items: VecDeque<T>,
    capacity: usize,
    line: VecDeque<Sender<T, L>>,
    next_number: u64,
    hungry: bool,
    shut: bool,
    /// What is left to say when it has ended.
    ended: Option<rota_status>,
}

/// The channel; `L` tells a loop.
pub struct Channel<T, L> {
    state: Mutex<State<T, L>>,
    bells: Bells,
    receiver: L,
}

impl<T: Copy, L> State<T, L> {
    /// Refuses what comes when it is over.
    fn refuse(&self) -> Result<()> {
        match self.ended {
            Some(status) => Err(status.into()),
            None if self.shut => Err(ROTA_ERR_SHUT.into()),
            None => Ok(()),
        }
    }

    /// Puts an item in if there is room. Whether the receiver is to be told.
    fn put(&mut self, item: T) -> Result<bool> {
        self.refuse()?;
        if self.items.len() >= self.capacity {
            return Err(ROTA_ERR_LIMIT.into());
        }
        self.items.push_back(item); // within what was reserved when it was opened
        Ok(core::mem::take(&mut self.hungry))
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.line.binary_search_by_key(&number, |sender| sender.number).ok()
    }

    /// What has become of a sender in line; `None` while he has to wait. He is not in line any more otherwise.
    fn look(&mut self, number: u64) -> Option<Result<()>> {
        let Some(place) = self.place(number) else { return Some(Ok(())) };
        let refused = self.refuse().err()?;
        self.line.remove(place);
        Some(Err(refused))
    }
}

impl<T: Copy, L: Tell> Channel<T, L> {
    /// An open channel with nothing in it; all its room is set aside now.
    pub fn open(capacity: usize, receiver: L) -> Result<Shared<Self>> {
        let mut items = VecDeque::new();
        items.try_reserve_exact(capacity).map_err(|_| ROTA_ERR_MEMORY)?;
        let line = VecDeque::new();
        let state = State { items, capacity, line, next_number: 0, hungry: false, shut: false, ended: None };
        Shared::new(Channel { state: Mutex::new(state), bells: Bells::default(), receiver })
    }

    /// Puts an item in if there is room: `ROTA_ERR_LIMIT` if there is none.
    pub fn try_send(&self, item: T) -> Result<()> {
        let hungry = lock(&self.state).put(item)?;
        if hungry {
            self.receiver.tell();
        }
        Ok(())
    }

    /// Puts an item in, or joins the line with it: his number there.
    pub fn send(&self, item: T, from: Option<L>) -> Result<Option<u64>> {
        let mut state = lock(&self.state);
        match state.put(item) {
            Ok(hungry) => {
                drop(state);
                if hungry {
                    self.receiver.tell();
                }
                Ok(None)
            }
            Err(error) if error.status == ROTA_ERR_LIMIT => {
                state.line.try_reserve(1).map_err(|_| ROTA_ERR_MEMORY)?;
                let number = state.next_number;
                state.next_number += 1;
                state.line.push_back(Sender { number, item, from });
                Ok(Some(number))
            }
            Err(error) => Err(error),
        }
    }

    /// Blocks the calling thread, which stands in line, until its item is in, until it is refused or its time is over.
    pub fn wait(&self, number: u64, deadline: Option<Instant>) -> Result<()> {
        let mut state = lock(&self.state);
        loop {
            if let Some(came_to) = state.look(number) {
                return came_to;
            }
            if is_past(deadline) {
                let place = state.place(number);
                place.and_then(|place| state.line.remove(place));
                return Err(ROTA_ERR_TIMEOUT.into());
            }
            state = self.bells.wait(number, state, deadline);
        }
    }

    /// What has become of a sender in line; `None` while he has to wait.
    pub fn look(&self, number: u64) -> Option<Result<()>> {
        lock(&self.state).look(number)
    }

    /// A sender wants to leave the line. Whether he did: otherwise his item was in already.
    pub fn leave(&self, number: u64) -> bool {
        let mut state = lock(&self.state);
        let place = state.place(number);
        place.and_then(|place| state.line.remove(place)).is_some()
    }

    /// Takes the oldest item out, and lets the first in line put his in. `ROTA_ERR_PENDING`: there is none, and the
    /// receiver is told of the next if he waits for it; `ROTA_ERR_SHUT`: and none will come.
    pub fn receive(&self, waits: bool) -> Result<T> {
        let mut state = lock(&self.state);
        let Some(item) = state.items.pop_front() else {
            state.refuse()?;
            state.hungry |= waits;
            return Err(ROTA_ERR_PENDING.into());
        };
        let admitted = if state.refuse().is_ok() { state.line.pop_front() } else { None };
        if let Some(sender) = &admitted {
            state.items.push_back(sender.item); // where the other one was
        }
        drop(state);
        if let Some(sender) = admitted {
            self.bell(&sender);
        }
        Ok(item)
    }

    fn bell(&self, sender: &Sender<T, L>) {
        match &sender.from {
            Some(sending) => sending.tell(),
            None => self.bells.ring(sender.number),
        }
    }

    /// Nothing is put in any more; what is in may be taken out.
    pub fn shut(&self) {
        lock(&self.state).shut = true;
        self.tell_all();
    }

    /// Nothing goes in or out any more, and this is why. What is in is forgotten. The first such end stays.
    pub fn end(&self, status: rota_status) {
        let mut state = lock(&self.state);
        state.ended.get_or_insert(status);
        state.items.clear();
        drop(state);
        self.tell_all();
    }

    fn tell_all(&self) {
        lock(&self.state).line.iter().for_each(|sender| self.bell(sender));
        self.receiver.tell();
    }

    /// How many items are in.
    pub fn size(&self) -> usize {
        lock(&self.state).items.len()
    }

    /// How many senders stand in line.
    pub fn waiting(&self) -> usize {
        lock(&self.state).line.len()
    }
}
