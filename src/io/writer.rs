//! The writing half of a stream: what is to be sent, in the order in which it was given.
//!
//! ```text
//!   write, send ──▶ nothing under way? ── yes ──▶ send at once ── all of it went ──▶ done
//!                          │ no                        │ pending
//!                          ▼                           ▼
//!                       waiting ───── its turn ──▶ current (with the driver)
//! ```
//!
//! The driver has one of them at a time, `current`; only while it has one does
//! anything wait. A *write* borrows the host's bytes and has a future. A *chunk*
//! is a copy made by `send`; as long as it waits, further small ones are added
//! to it. A shutdown waits its turn like the others.
//!
//! A write that is cancelled before its turn is simply gone. One that had begun
//! ends with the exact count of what went, and those behind it go on. When one
//! fails, all that wait fail with it, having sent nothing, chunks are dropped,
//! and every later one is refused with the same error.

use super::queue::Queue;
use super::spares::Spares;
use super::stream::Place;
use super::token::Role;
use crate::base::rota_status::{ROTA_ERR_CANCELLED, ROTA_ERR_DONE, ROTA_ERR_INVALID, ROTA_ERR_SHUT};
use crate::base::{limits, Error, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome, ROTA_LOG_WARNING};
use crate::sys::buffer::Source;
use crate::sys::driver::{Direction, OpOutcome, Start};
use crate::sys::{List, Memory, Text};

/// A chunk that waits takes further bytes up to this size; then a new one begins.
const CHUNK_MAX: usize = limits::HIGH_WATER;

enum Item {
    Write(Key, Source),
    Chunk(List<u8>),
    Shutdown(Key),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    Write(Key),
    Chunk(usize),
}

/// The state of the writing half.
pub struct Writer {
    current: Option<Current>,
    waiting: Queue<Item>,
    /// Bytes of chunks, the current one in full.
    buffered: usize,
    low: usize,
    high: usize,
    /// Above the high mark, and not at the low one since.
    above: bool,
    drains: List<Key>,
    failed: Option<Error>,
    shut: bool,
    /// The handle is gone: nobody will see what fails.
    released: bool,
}

fn finish(core: &mut Core, future: Key, error: Option<Error>, count: usize) {
    let outcome = match error {
        Some(error) => Outcome::failed(error, count),
        None => Outcome::count(count),
    };
    core.future_complete(future, outcome, Text::None, Object::None);
}

impl Writer {
    /// Nothing has been written.
    pub fn new(memory: &Memory) -> Self {
        Writer {
            current: None,
            waiting: Queue::new(memory.clone()),
            buffered: 0,
            low: limits::LOW_WATER,
            high: limits::HIGH_WATER,
            above: false,
            drains: List::new(memory.clone()),
            failed: None,
            shut: false,
            released: false,
        }
    }

    /// Whether nothing is with the driver and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.current.is_none()
    }

    /// Bytes given to `send` that have not gone yet.
    pub fn buffered(&self) -> usize {
        self.buffered
    }

    fn refuse(&self) -> Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None if self.shut => Err(ROTA_ERR_SHUT.into()),
            None => Ok(()),
        }
    }

    /// Writes all of `source`.
    pub fn write(&mut self, core: &mut Core, spares: &mut Spares, place: Place, source: Source) -> Result<Handle> {
        self.refuse()?;
        if source.size() == 0 {
            return Ok(core.future_done(Outcome::default(), Text::None));
        }
        core.futures.reserve()?;
        if self.current.is_some() {
            let future = core.future_new(Role::Write.of(place.key))?;
            if let Err(error) = self.waiting.push(Item::Write(future, source)) {
                core.futures.remove(future);
                return Err(error);
            }
            return Ok(core.future_handle(future));
        }
        match core.driver.send(place.socket, Role::Write.token(place.key), source) {
            Start::Done(OpOutcome { error: None, count, .. }) => {
                Ok(core.future_done(Outcome::count(count), Text::None))
            }
            Start::Done(OpOutcome { error: Some(error), count, .. }) => {
                self.fail(core, spares, error);
                Ok(core.future_done(Outcome::failed(error, count), Text::None))
            }
            Start::Pending => {
                let future = core.future_new(Role::Write.of(place.key))?;
                self.current = Some(Current::Write(future));
                Ok(core.future_handle(future))
            }
        }
    }

    /// Sends a copy of `bytes` when its turn comes.
    pub fn send(&mut self, core: &mut Core, spares: &mut Spares, place: Place, bytes: &[u8]) -> Result<()> {
        self.refuse()?;
        if bytes.is_empty() {
            return Ok(());
        }
        match self.waiting.last_mut() {
            Some(Item::Chunk(chunk)) if chunk.len() + bytes.len() <= CHUNK_MAX => chunk.extend_from_slice(bytes)?,
            _ => {
                let mut chunk = spares.take(bytes.len())?;
                chunk.extend_from_slice(bytes)?;
                self.waiting.push(Item::Chunk(chunk))?;
            }
        }
        self.buffered += bytes.len();
        self.pump(core, spares, place);
        self.above |= self.buffered > self.high;
        self.failed.map_or(Ok(()), Err)
    }

    /// A future for the moment when there is little left to send.
    pub fn drain(&mut self, core: &mut Core, place: Place) -> Result<Handle> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.above {
            return Ok(core.future_done(Outcome::default(), Text::None));
        }
        self.drains.reserve(1)?;
        let future = core.future_new(Role::Drain.of(place.key))?;
        self.drains.push(future)?;
        Ok(core.future_handle(future))
    }

    /// Above how many bytes a drain waits, and until how many are left.
    pub fn set_watermarks(&mut self, core: &mut Core, low: usize, high: usize) -> Result<()> {
        if low > high {
            return Err(ROTA_ERR_INVALID.into());
        }
        (self.low, self.high) = (low, high);
        self.above |= self.buffered > high;
        self.relieve(core);
        Ok(())
    }

    /// Ends the writing side after all that waits.
    pub fn shutdown(&mut self, core: &mut Core, place: Place) -> Result<Handle> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.shut {
            return Err(ROTA_ERR_DONE.into());
        }
        if self.current.is_none() {
            core.driver.shutdown(place.socket)?;
            self.shut = true;
            return Ok(core.future_done(Outcome::default(), Text::None));
        }
        let future = core.future_new(Role::Shutdown.of(place.key))?;
        if let Err(error) = self.waiting.push(Item::Shutdown(future)) {
            core.futures.remove(future);
            return Err(error);
        }
        self.shut = true;
        Ok(core.future_handle(future))
    }

    /// What the driver had has ended.
    pub fn completed(&mut self, core: &mut Core, spares: &mut Spares, place: Place, outcome: OpOutcome) {
        if let Some(current) = self.current.take() {
            self.ended(core, spares, current, outcome);
            self.pump(core, spares, place);
        }
    }

    fn ended(&mut self, core: &mut Core, spares: &mut Spares, current: Current, outcome: OpOutcome) {
        if let Some(list) = outcome.list {
            spares.put(list);
        }
        match current {
            Current::Write(future) => finish(core, future, outcome.error, outcome.count),
            Current::Chunk(size) => {
                // What of it did not go is lost with it, and told by `fail`.
                let went = if outcome.error.is_none() { size } else { outcome.count };
                self.buffered = self.buffered.saturating_sub(went);
            }
        }
        match outcome.error {
            Some(error) if error.status != ROTA_ERR_CANCELLED => self.fail(core, spares, error),
            _ => self.relieve(core),
        }
    }

    /// Gives the driver what is next.
    fn pump(&mut self, core: &mut Core, spares: &mut Spares, place: Place) {
        while self.current.is_none() {
            let Some(item) = self.waiting.pop() else { return };
            let (current, source) = match item {
                Item::Write(future, source) => (Current::Write(future), source),
                Item::Chunk(list) => (Current::Chunk(list.len()), Source::Owned(list, 0)),
                Item::Shutdown(future) => {
                    let error = core.driver.shutdown(place.socket).err();
                    finish(core, future, error, 0);
                    continue;
                }
            };
            match core.driver.send(place.socket, Role::Write.token(place.key), source) {
                Start::Done(outcome) => self.ended(core, spares, current, outcome),
                Start::Pending => self.current = Some(current),
            }
        }
    }

    /// Answers the drains when there is little left.
    fn relieve(&mut self, core: &mut Core) {
        if self.above && self.buffered <= self.low {
            self.above = false;
            self.answer_drains(core, None);
        }
    }

    fn answer_drains(&mut self, core: &mut Core, error: Option<Error>) {
        for future in self.drains.iter() {
            finish(core, *future, error, 0);
        }
        self.drains.clear();
    }

    /// Nothing goes any more.
    fn fail(&mut self, core: &mut Core, spares: &mut Spares, error: Error) {
        self.failed = Some(error);
        let lost = core::mem::take(&mut self.buffered);
        while let Some(item) = self.waiting.pop() {
            match item {
                Item::Write(future, _) | Item::Shutdown(future) => finish(core, future, Some(error), 0),
                Item::Chunk(list) => spares.put(list),
            }
        }
        self.above = false;
        self.answer_drains(core, Some(error));
        if lost > 0 && self.released {
            core.log(
                ROTA_LOG_WARNING,
                format_args!("{lost} bytes of a closed stream could not be sent: {:?}", error.status),
            );
        }
    }

    /// Cancels what `future` stands for.
    pub fn cancel(&mut self, core: &mut Core, spares: &mut Spares, place: Place, role: Role, future: Key) {
        if self.current == Some(Current::Write(future)) {
            self.withdraw(core, spares, place);
            return;
        }
        match role {
            Role::Drain => self.drains.retain(|drain| *drain != future),
            _ => {
                let gone = |item: &Item| matches!(item, Item::Write(key, _) | Item::Shutdown(key) if *key == future);
                // A shutdown that is taken back leaves the stream open for writing.
                if let Some(Item::Shutdown(_)) = self.waiting.take(gone) {
                    self.shut = false;
                }
            }
        }
        finish(core, future, Some(ROTA_ERR_CANCELLED.into()), 0);
    }

    /// Takes back what the driver has; the next one goes.
    fn withdraw(&mut self, core: &mut Core, spares: &mut Spares, place: Place) {
        if let Some(outcome) = core.driver.withdraw(place.socket, Direction::Write) {
            self.completed(core, spares, place, outcome);
        }
    }

    /// The stream is closed: everything that has a future ends, and chunks go on.
    pub fn release(&mut self, core: &mut Core, spares: &mut Spares, place: Place) {
        self.released = true;
        let cancelled = Some(ROTA_ERR_CANCELLED.into());
        self.waiting.retain(|item| match item {
            Item::Write(future, _) | Item::Shutdown(future) => {
                finish(core, *future, cancelled, 0);
                false
            }
            Item::Chunk(_) => true,
        });
        self.above = false;
        self.answer_drains(core, cancelled);
        if let Some(Current::Write(_)) = self.current {
            self.withdraw(core, spares, place);
        }
    }

    /// The stream is reset: nothing goes any more.
    pub fn abort(&mut self, core: &mut Core, spares: &mut Spares, place: Place) {
        self.released = true;
        self.buffered = 0;
        self.fail(core, spares, ROTA_ERR_CANCELLED.into());
        self.withdraw(core, spares, place);
    }
}
