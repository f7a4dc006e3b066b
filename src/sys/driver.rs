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
use crate::base::{rota_address, rota_status, Error, Key, Result};

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

/// Readiness: whatever mio uses on this system.
pub const ROTA_DRIVER_SELECTOR: u32 = 0;

macro_rules! each {
    ($driver:expr, $inner:ident => $call:expr) => {
        match $driver {
            Driver::Selector($inner) => $call,
        }
    };
}

impl OpOutcome {
    /// An operation that ended well, having moved `count` bytes.
    pub fn done(count: usize) -> Self {
        OpOutcome { error: None, count, accepted: None, list: None }
    }

    /// An operation that failed after `count` bytes.
    pub fn failed(error: Error, count: usize) -> Self {
        OpOutcome { error: Some(error), count, accepted: None, list: None }
    }
}

impl Driver {
    /// Opens a driver of one of the ROTA_DRIVER_... kinds. Its sockets' keys begin with `first_generation`.
    pub fn open(kind: u32, memory: &Memory, first_generation: u32) -> Result<Driver> {
        match kind {
            ROTA_DRIVER_SELECTOR => Ok(Driver::Selector(SelectorDriver::open(memory, first_generation)?)),
            _ => Err(rota_status::ROTA_ERR_INVALID.into()),
        }
    }

    /// What ends a wait from any thread.
    pub fn waker(&self) -> Waker {
        each!(self, driver => driver.waker())
    }

    /// What a host's own loop may watch: readable when there are events. -1 where the system has no such thing.
    pub fn descriptor(&self) -> i64 {
        each!(self, driver => driver.descriptor())
    }

    /// Whether a wait would not wait, although the descriptor may not show it.
    pub fn is_due(&self) -> bool {
        each!(self, driver => driver.is_due())
    }

    /// Waits for events and appends what has ended. It may return early, never
    /// late by choice: `None` waits for ever, `Some(0)` only looks, and who wants
    /// the whole time looks at the clock and waits again. Lack of memory loses
    /// nothing: what cannot be told now is told by the next call.
    pub fn wait(&mut self, timeout_ns: Option<u64>, completions: &mut List<Completion>) -> Result<()> {
        each!(self, driver => driver.wait(timeout_ns, completions))
    }

    /// A socket that listens at `address`; port 0 picks one.
    pub fn listen(&mut self, address: &rota_address, options: &ListenOptions) -> Result<Socket> {
        each!(self, driver => driver.listen(address, options))
    }

    /// Takes one connection from a listening socket.
    pub fn accept(&mut self, socket: Socket, token: u64) -> Start {
        each!(self, driver => driver.accept(socket, token))
    }

    /// Begins a connection. What fails at once is an error, and there is no
    /// socket; what fails later leaves the socket to be closed.
    pub fn connect(&mut self, address: &rota_address, token: u64) -> Result<(Socket, Start)> {
        each!(self, driver => driver.connect(address, token))
    }

    /// Receives at least one byte, or the end of the stream.
    pub fn receive(&mut self, socket: Socket, token: u64, target: Target) -> Start {
        each!(self, driver => driver.receive(socket, token, target))
    }

    /// Sends all of `source`.
    pub fn send(&mut self, socket: Socket, token: u64, source: Source) -> Start {
        each!(self, driver => driver.send(socket, token, source))
    }

    /// Asks the pending operation of one direction to end now.
    pub fn withdraw(&mut self, socket: Socket, direction: Direction) -> Option<OpOutcome> {
        each!(self, driver => driver.withdraw(socket, direction))
    }

    /// Tells the peer that nothing more comes.
    pub fn shutdown(&mut self, socket: Socket) -> Result<()> {
        each!(self, driver => driver.shutdown(socket))
    }

    /// Closes a socket. Its operations should have been withdrawn; they are dropped otherwise.
    pub fn close(&mut self, socket: Socket) {
        each!(self, driver => driver.close(socket));
    }

    /// Closes a connection such that the peer sees a reset.
    pub fn reset(&mut self, socket: Socket) {
        each!(self, driver => driver.reset(socket));
    }

    /// The address on this side.
    pub fn local_address(&self, socket: Socket) -> Result<rota_address> {
        each!(self, driver => driver.local_address(socket))
    }

    /// The address on the other side.
    pub fn peer_address(&self, socket: Socket) -> Result<rota_address> {
        each!(self, driver => driver.peer_address(socket))
    }

    /// Whether small writes go out at once. They do unless this says otherwise.
    pub fn set_no_delay(&mut self, socket: Socket, on: bool) -> Result<()> {
        each!(self, driver => driver.set_no_delay(socket, on))
    }

    /// Whether a silent peer is probed, and after how long (0: the system's choice).
    pub fn set_keep_alive(&mut self, socket: Socket, on: bool, idle_ns: u64) -> Result<()> {
        each!(self, driver => driver.set_keep_alive(socket, on, idle_ns))
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        each!(self, driver => driver.sockets())
    }

    /// How many operations are pending.
    pub fn pending(&self) -> usize {
        each!(self, driver => driver.pending())
    }

    /// The highest generation that a socket's key has had.
    pub fn last_generation(&self) -> u32 {
        each!(self, driver => driver.last_generation())
    }
}
