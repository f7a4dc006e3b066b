//! The boundary between readiness, completion and simulation.
//!
//! Above this file nothing knows which kind of system it runs on. `io` asks a
//! driver for operations and is told of outcomes:
//!
//! ```text
//!   io ── receive, send, accept, connect ──▶ driver ── Start::Done(outcome)      at once
//!                                                  └── Start::Pending            later:
//!   rt ── wait(timeout, completions) ──────▶ driver ── Completion { token, outcome }
//!   io ── withdraw(socket, direction) ─────▶ driver ── Some(outcome)             it has ended now
//!                                                  └── None                      its completion will come
//! ```
//!
//! A socket has at most one pending operation in each direction (accept and
//! receive read, connect and send write). An operation owns its buffer from
//! start to end and hands an owned one back in its outcome. Every outcome has
//! an exact count, whatever else it says. `token` is the caller's; it comes
//! back with the completion. The selector driver tries the system call at once
//! and waits for readiness only when it would block; a ring driver would
//! submit it; a simulated one would schedule it.

use super::buffer::{Source, Target};
use super::selector::SelectorDriver;
use super::waker::Waker;
use super::{List, Memory};
use crate::base::{rota_address, Error, Key, Result};

/// Names a socket of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket(pub Key);

/// Which of a socket's two operations is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Accept, receive.
    Read,
    /// Connect, send.
    Write,
}

/// What an operation of a driver came to.
pub struct OpOutcome {
    /// Why it ended early; `ROTA_ERR_CANCELLED` if it was withdrawn.
    pub error: Option<Error>,
    /// How many bytes moved, in any case. A receive that ended well with 0 has seen the end of the stream.
    pub count: usize,
    /// The connection that an accept brought.
    pub accepted: Option<(Socket, rota_address)>,
    /// The list of a `Target::Owned` or `Source::Owned`, back again (the sent part not removed).
    pub list: Option<List<u8>>,
}

/// How an operation started.
pub enum Start {
    /// It has ended already; no completion comes.
    Done(OpOutcome),
    /// Its completion will come.
    Pending,
}

/// The end of an operation that was pending.
pub struct Completion {
    /// The caller's, from the start of the operation.
    pub token: u64,
    /// What it came to.
    pub outcome: OpOutcome,
}

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub struct ListenOptions {
    /// Connections that may wait to be accepted.
    pub backlog: u32,
    /// SO_REUSEPORT: several listeners share the port.
    pub reuse_port: bool,
    /// Whether an IPv6 socket leaves IPv4 alone.
    pub ipv6_only: bool,
}

/// Which driver a loop has. A match is one predictable branch.
pub enum Driver {
    /// Readiness: epoll, kqueue, IOCP's AFD, or poll.
    Selector(SelectorDriver),
}
