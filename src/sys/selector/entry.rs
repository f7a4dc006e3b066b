//! A socket of the selector driver: what is known of it, and what it waits for.
//!
//! ```text
//!              short read, blocked                event
//!   ready ───────────────────────────▶ drained ───────────▶ ready
//! ```
//!
//! Both directions begin ready, as far as we know: the first try finds out. A
//! short read or write means drained, without a second call to make sure: the
//! selector reports the next edge. After a hang-up no further edge may come, so
//! from then on reading is always tried.

use super::socket::{self, Slices, System, Tried};
use super::source::Watched;
use crate::base::limits::SEND_MAX;
use crate::base::{rota_status, Error};
use crate::sys::buffer::{Source, Target};
use crate::sys::driver::OpOutcome;

/// One socket.
pub struct Entry {
    pub io: System,
    /// What the selector was asked to report.
    pub watched: Watched,
    pub read_ready: bool,
    pub write_ready: bool,
    /// The peer has ended its side, or an error stands: reading never blocks again.
    pub ended: bool,
    /// It stands in the driver's list of sockets to be tried without an event.
    pub late: bool,
    pub read: Option<ReadOp>,
    pub write: Option<WriteOp>,
}

/// A pending operation that reads.
pub struct ReadOp {
    pub token: u64,
    pub kind: Reading,
}

pub enum Reading {
    Accept,
    Receive(Target),
}

/// A pending operation that writes.
pub struct WriteOp {
    pub token: u64,
    pub kind: Writing,
}

pub enum Writing {
    Connect,
    Send { source: Source, size: usize, sent: usize },
}

/// What a try of an operation came to.
pub enum Progress {
    /// It has ended: why early, and its exact count.
    Ended(Option<Error>, usize),
    /// It waits for an event.
    Waits,
    /// It has had its share; it goes on without an event, after others.
    Shares,
}

impl Entry {
    pub fn new(io: System) -> Self {
        Entry {
            io,
            watched: Watched::default(),
            read_ready: true,
            write_ready: true,
            ended: false,
            late: false,
            read: None,
            write: None,
        }
    }

    /// Tries to receive, once.
    pub fn receive(&mut self, target: &mut Target) -> Progress {
        match socket::receive(&self.io, target) {
            Tried::Done((count, room)) => {
                self.read_ready = count == room || count == 0;
                Progress::Ended(None, count)
            }
            Tried::Blocked => {
                self.read_ready = false;
                self.ended = false;
                Progress::Waits
            }
            Tried::Failed(error) => Progress::Ended(Some(error), 0),
        }
    }

    /// Sends until all is sent, the socket is full, or it has had its share.
    pub fn send(&mut self, source: &Source, size: usize, sent: &mut usize, slices: &mut Slices) -> Progress {
        let mut share = SEND_MAX;
        while *sent < size {
            if share == 0 {
                return Progress::Shares;
            }
            match socket::send(&self.io, source, *sent, share, slices) {
                Tried::Done((count, offered)) => {
                    *sent += count;
                    share -= count;
                    if count < offered {
                        self.write_ready = false;
                        return Progress::Waits;
                    }
                }
                Tried::Blocked => {
                    self.write_ready = false;
                    return Progress::Waits;
                }
                Tried::Failed(error) => return Progress::Ended(Some(error), *sent),
            }
        }
        Progress::Ended(None, *sent)
    }

    /// Asks what the connection came to.
    pub fn connect(&mut self) -> Progress {
        match socket::connected(&self.io) {
            Tried::Done(()) => Progress::Ended(None, 0),
            Tried::Blocked => {
                self.write_ready = false;
                Progress::Waits
            }
            Tried::Failed(error) => Progress::Ended(Some(error), 0),
        }
    }

    /// Ends the pending read because it was withdrawn: it has taken nothing.
    pub fn withdraw_read(&mut self) -> Option<OpOutcome> {
        let op = self.read.take()?;
        Some(op.kind.outcome(Some(rota_status::ROTA_ERR_CANCELLED.into()), 0))
    }

    /// Ends the pending write because it was withdrawn.
    pub fn withdraw_write(&mut self) -> Option<OpOutcome> {
        let op = self.write.take()?;
        let sent = op.kind.sent();
        Some(op.kind.outcome(Some(rota_status::ROTA_ERR_CANCELLED.into()), sent))
    }
}

impl Reading {
    /// Its outcome, with the list that it owned.
    pub fn outcome(self, error: Option<Error>, count: usize) -> OpOutcome {
        let list = match self {
            Reading::Receive(Target::Owned(list)) => Some(list),
            _ => None,
        };
        OpOutcome { error, count, accepted: None, list }
    }
}

impl Writing {
    pub fn sent(&self) -> usize {
        match self {
            Writing::Connect => 0,
            Writing::Send { sent, .. } => *sent,
        }
    }

    /// Its outcome, with the list that it owned.
    pub fn outcome(self, error: Option<Error>, count: usize) -> OpOutcome {
        let list = match self {
            Writing::Send { source: Source::Owned(list, _), .. } => Some(list),
            _ => None,
        };
        OpOutcome { error, count, accepted: None, list }
    }
}
