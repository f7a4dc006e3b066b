//! The reading half of a stream.
//!
//! ```text
//!   begin ──▶ satisfied by what is there? ── yes ──▶ done at once
//!                  ▲          │ no
//!                  │          ▼
//!   completed ─────┴───── receive ── pending ──▶ waits in `op`
//! ```
//!
//! One read at a time. Plain and exact reads receive straight into the host's
//! buffer. Reads with a delimiter receive into `ahead`, because what stands
//! behind the delimiter belongs to the next read, and because a read that fails
//! or is cancelled must leave in the stream what it has not delivered; later
//! reads of any sort take from there first. `ahead` is given back when it is
//! empty; while a receive into it is pending it is the driver's.
//!
//! How the stream ended is remembered, because the system tells an error once.

use super::spares::Spares;
use super::stream::Place;
use super::token::Role;
use crate::base::rota_status::{ROTA_ERR_BUSY, ROTA_ERR_CANCELLED, ROTA_ERR_EOF, ROTA_ERR_LIMIT, ROTA_ERR_MEMORY};
use crate::base::{limits, rota_status, Error, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};
use crate::sys::buffer::{HostBuffer, Target};
use crate::sys::driver::{Direction, OpOutcome, Start};
use crate::sys::{List, Memory, Text};

/// What a read is to fetch.
pub enum Wanted {
    /// Whatever comes.
    Some,
    /// As much as the buffer holds.
    Exactly,
    /// Up to and with a delimiter.
    Until(Delimiter),
    /// Up to and with a newline, or the end of the stream.
    Line,
}

/// What ends a read; a copy.
pub enum Delimiter {
    /// As most are.
    Short([u8; 16], usize),
    /// The others.
    Long(List<u8>),
}

impl Delimiter {
    /// A copy of `bytes`.
    pub fn new(memory: &Memory, bytes: &[u8]) -> Result<Self> {
        let mut short = [0; 16];
        if let Some(room) = short.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            return Ok(Delimiter::Short(short, bytes.len()));
        }
        let mut long = List::new(memory.clone());
        long.reserve_exact(bytes.len())?;
        long.extend_from_slice(bytes)?;
        Ok(Delimiter::Long(long))
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Delimiter::Short(bytes, size) => &bytes[..*size],
            Delimiter::Long(list) => list,
        }
    }
}

#[derive(Clone, Copy)]
enum End {
    Eof,
    Failed(Error),
}

struct ReadOp {
    future: Key,
    wanted: Wanted,
    buffer: HostBuffer,
    /// How much of the buffer holds delivered bytes.
    filled: usize,
    /// How much of `ahead` is known not to begin a delimiter.
    scanned: usize,
    /// Why it is to end although the stream has not.
    stopped: Option<Error>,
}

/// The state of the reading half.
pub struct Reader {
    ahead: List<u8>,
    /// Where the bytes in `ahead` begin that nobody has had yet.
    start: usize,
    end: Option<End>,
    op: Option<ReadOp>,
}

impl Reader {
    /// Nothing has been read.
    pub fn new(memory: &Memory) -> Self {
        Reader { ahead: List::new(memory.clone()), start: 0, end: None, op: None }
    }

    /// Whether no read is under way.
    pub fn is_idle(&self) -> bool {
        self.op.is_none()
    }

    /// Starts a read.
    pub fn begin(
        &mut self,
        core: &mut Core,
        spares: &mut Spares,
        place: Place,
        wanted: Wanted,
        buffer: HostBuffer,
    ) -> Result<Handle> {
        if self.op.is_some() {
            return Err(ROTA_ERR_BUSY.into());
        }
        core.futures.reserve()?;
        let mut op = ReadOp { future: Key::default(), wanted, buffer, filled: 0, scanned: 0, stopped: None };
        if let Some(outcome) = self.advance(core, spares, place, &mut op) {
            return Ok(core.future_done(outcome, Text::None));
        }
        op.future = core.future_new(Role::Read.of(place.key))?;
        let handle = core.future_handle(op.future);
        self.op = Some(op);
        Ok(handle)
    }

    /// A receive has ended.
    pub fn completed(&mut self, core: &mut Core, spares: &mut Spares, place: Place, outcome: OpOutcome) {
        let Some(mut op) = self.op.take() else { return };
        self.arrived(&mut op, outcome);
        match self.advance(core, spares, place, &mut op) {
            Some(outcome) => {
                core.future_complete(op.future, outcome, Text::None, Object::None);
            }
            None => self.op = Some(op),
        }
    }

    /// Ends the read that is under way; what it has received and not delivered stays in the stream.
    pub fn cancel(&mut self, core: &mut Core, spares: &mut Spares, place: Place) {
        let Some(op) = &mut self.op else { return };
        op.stopped = Some(ROTA_ERR_CANCELLED.into());
        if let Some(outcome) = core.driver.withdraw(place.socket, Direction::Read) {
            self.completed(core, spares, place, outcome);
        }
    }

    /// Receives until the read is satisfied or has to wait (`None`).
    fn advance(&mut self, core: &mut Core, spares: &mut Spares, place: Place, op: &mut ReadOp) -> Option<Outcome> {
        loop {
            if let Some(outcome) = self.satisfy(op) {
                self.give_back(spares);
                return Some(outcome);
            }
            let target = match op.wanted {
                Wanted::Some | Wanted::Exactly => Target::Host(op.buffer.from(op.filled)),
                Wanted::Until(_) | Wanted::Line => match self.lend(spares) {
                    Ok(list) => Target::Owned(list),
                    Err(error) => return Some(Outcome::failed(error, 0)),
                },
            };
            match core.driver.receive(place.socket, Role::Read.token(place.key), target) {
                Start::Done(outcome) => self.arrived(op, outcome),
                Start::Pending => return None,
            }
        }
    }

    fn arrived(&mut self, op: &mut ReadOp, outcome: OpOutcome) {
        match outcome.list {
            Some(list) => self.ahead = list,
            None => op.filled += outcome.count,
        }
        match outcome.error {
            Some(error) if [ROTA_ERR_CANCELLED, ROTA_ERR_MEMORY].contains(&error.status) => op.stopped = Some(error),
            Some(error) => self.end = Some(End::Failed(error)),
            None if outcome.count == 0 => self.end = Some(End::Eof),
            None => {}
        }
    }

    /// What the read comes to with what is there, if that is enough.
    fn satisfy(&mut self, op: &mut ReadOp) -> Option<Outcome> {
        let delimiter = match &op.wanted {
            Wanted::Some | Wanted::Exactly => {
                self.deliver(op, usize::MAX);
                let enough = matches!(op.wanted, Wanted::Some) && op.filled > 0;
                if enough || op.filled == op.buffer.size() {
                    return Some(Outcome::count(op.filled));
                }
                return self.stop(op);
            }
            Wanted::Until(delimiter) => delimiter.as_slice(),
            Wanted::Line => b"\n",
        };
        match find(&self.ahead[self.start..], op.scanned, op.buffer.size(), delimiter) {
            Found::At(end) => Some(self.deliver(op, end)),
            Found::Limit => Some(Outcome::failed(ROTA_ERR_LIMIT.into(), 0)),
            Found::Not(scanned) => {
                op.scanned = scanned;
                self.stop(op)
            }
        }
    }

    /// What a read that is not satisfied comes to, if it must not go on.
    fn stop(&mut self, op: &mut ReadOp) -> Option<Outcome> {
        if let Some(error) = op.stopped {
            return Some(Outcome::failed(error, op.filled));
        }
        match (self.end?, &op.wanted) {
            (End::Failed(error), _) => Some(Outcome::failed(error, op.filled)),
            (End::Eof, Wanted::Some) => Some(Outcome::count(0)),
            (End::Eof, Wanted::Exactly) => Some(Outcome::failed(ROTA_ERR_EOF.into(), op.filled)),
            (End::Eof, Wanted::Line) => Some(self.deliver(op, usize::MAX)),
            (End::Eof, Wanted::Until(_)) => {
                self.deliver(op, usize::MAX);
                Some(Outcome::failed(ROTA_ERR_EOF.into(), op.filled))
            }
        }
    }

    /// Moves at most `most` bytes from `ahead` to the host's buffer.
    fn deliver(&mut self, op: &mut ReadOp, most: usize) -> Outcome {
        let there = &self.ahead[self.start..];
        if !there.is_empty() {
            let count = op.buffer.from(op.filled).fill(&there[..there.len().min(most)]);
            self.start += count;
            op.filled += count;
        }
        Outcome::count(op.filled)
    }

    /// `ahead` with room at its end, to be received into.
    fn lend(&mut self, spares: &mut Spares) -> Result<List<u8>> {
        if self.start > 0 {
            self.ahead.drop_front(self.start);
            self.start = 0;
        }
        if self.ahead.capacity() == 0 {
            return spares.take(limits::LOOKAHEAD);
        }
        if self.ahead.len() == self.ahead.capacity() {
            self.ahead.reserve(limits::LOOKAHEAD)?;
        }
        let empty = List::new(spares.memory());
        Ok(core::mem::replace(&mut self.ahead, empty))
    }

    fn give_back(&mut self, spares: &mut Spares) {
        if self.start == self.ahead.len() && self.ahead.capacity() > 0 {
            self.start = 0;
            spares.put(core::mem::replace(&mut self.ahead, List::new(spares.memory())));
        }
    }
}

enum Found {
    /// It ends here.
    At(usize),
    /// Not in what is there; before this it cannot begin.
    Not(usize),
    /// Not within the buffer's size.
    Limit,
}

/// Looks for `delimiter` in the first `size` bytes, at no place twice however the bytes come in pieces.
fn find(there: &[u8], scanned: usize, size: usize, delimiter: &[u8]) -> Found {
    let there = &there[..there.len().min(size)];
    let from = scanned.min(there.len());
    let at = match delimiter {
        [byte] => memchr::memchr(*byte, &there[from..]),
        _ => find_words(&there[from..], delimiter),
    };
    match at {
        Some(at) => Found::At(from + at + delimiter.len()),
        None if there.len() == size => Found::Limit,
        None => Found::Not(from.max((there.len() + 1).saturating_sub(delimiter.len()))),
    }
}

/// Apart, because the searcher takes a kilobyte of stack, which every read that waits would keep.
#[inline(never)]
fn find_words(there: &[u8], delimiter: &[u8]) -> Option<usize> {
    memchr::memmem::find(there, delimiter)
}

/// Whether a read of this sort makes sense with a buffer of this size.
pub fn check(wanted: &Wanted, size: usize) -> Result<()> {
    let delimiter = match wanted {
        Wanted::Some | Wanted::Exactly => return Ok(()),
        Wanted::Until(delimiter) => delimiter.as_slice().len(),
        Wanted::Line => 1,
    };
    if delimiter == 0 || delimiter > size {
        return Err(rota_status::ROTA_ERR_INVALID.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` in pieces of `step` bytes; where the delimiter ends, or where the limit was met.
    fn search(text: &[u8], delimiter: &[u8], size: usize, step: usize) -> core::result::Result<usize, usize> {
        let (mut scanned, mut there) = (0, 0);
        loop {
            match find(&text[..there], scanned, size, delimiter) {
                Found::At(end) => return Ok(end),
                Found::Limit => return Err(there),
                Found::Not(further) => scanned = further,
            }
            assert!(there < text.len(), "neither found nor limited");
            there = (there + step).min(text.len());
        }
    }

    #[test]
    fn a_delimiter_is_found_however_it_is_split() {
        for step in 1..12 {
            assert_eq!(search(b"ab\r\n\r\r\n\r\nrest", b"\r\n\r\n", 64, step), Ok(9), "step {step}");
            assert_eq!(search(b"aaaaaab", b"aab", 7, step), Ok(7), "step {step}");
            assert_eq!(search(b"line\nnext", b"\n", 64, step), Ok(5), "step {step}");
        }
    }

    #[test]
    fn a_delimiter_that_ends_behind_the_limit_is_not_found() {
        for step in 1..12 {
            assert_eq!(search(b"0123--45", b"--", 6, step), Ok(6), "step {step}");
            assert!(search(b"0123--45", b"--", 5, step).is_err(), "step {step}");
        }
    }

    #[test]
    fn a_delimiter_of_any_length_is_kept() {
        let memory = Memory::new(None, u64::MAX);
        for length in [1, 15, 16, 17, 5000] {
            let mut bytes = List::new(memory.clone());
            bytes.resize(length, 7).unwrap();
            let delimiter = Delimiter::new(&memory, &bytes).unwrap();
            assert_eq!(delimiter.as_slice(), &bytes[..]);
            let wanted = Wanted::Until(delimiter);
            assert!(check(&wanted, length).is_ok() && check(&wanted, length - 1).is_err());
        }
        assert!(check(&Wanted::Until(Delimiter::new(&memory, b"").unwrap()), 8).is_err());
        assert!(check(&Wanted::Line, 0).is_err() && check(&Wanted::Some, 0).is_ok());
    }
}
