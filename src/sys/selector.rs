//! The selector driver: tries the system call, and waits for readiness only when it would block.
//!
//! A socket's slot is its token in mio, with the generation beside it, so that
//! a report about a socket that has been closed finds nothing. One report gives
//! the pending operation of each direction one try.
//!
//! `late` lists the sockets that must be tried though no report will come: a
//! send that has had its share, and operations whose completion could not be
//! told for lack of memory. It always has room for every socket, made when the
//! socket is. While it is not empty a wait does not wait.

mod entry;
mod pause;
mod socket;
mod source;
#[cfg(test)]
mod tests;

use self::entry::{Entry, Progress, ReadOp, Reading, WriteOp, Writing};
use self::socket::{Slices, System, Tried};
use self::source::Watched;
use super::buffer::{Source, Target};
use super::driver::{Completion, Direction, ListenOptions, OpOutcome, Socket, Start};
use super::error::from_io;
use super::waker::Waker;
use super::{List, Memory, Ring, Slab};
use crate::base::limits::EVENTS_PER_WAIT;
use crate::base::{rota_address, rota_status, Error, Key, Result};
use mio::event::Event;
use mio::{Events, Poll, Token};
use std::io;

/// The driver for systems that report readiness.
pub struct SelectorDriver {
    poll: Poll,
    events: Events,
    waker: Waker,
    sockets: Slab<Entry>,
    late: Ring<Key>,
    slices: Slices,
    pending: usize,
}

const WAKER: Token = Token(usize::MAX);
const SLOT: u64 = (1 << crate::base::handle::SLOT_BITS) - 1;

/// A key as mio carries it; with 32-bit words the high bits of the generation are lost.
fn token_of(key: Key) -> Token {
    Token(((key.generation as u64) << crate::base::handle::SLOT_BITS | key.slot as u64) as usize)
}

const GONE: Error = Error { status: rota_status::ROTA_ERR_HANDLE, os_error: 0 };
const TAKEN: Error = Error { status: rota_status::ROTA_ERR_BUSY, os_error: 0 };

impl SelectorDriver {
    pub(super) fn open(memory: &Memory, first_generation: u32) -> Result<Self> {
        let build = || {
            let poll = Poll::new()?;
            let waker = Waker::new(poll.registry(), WAKER)?;
            Ok((poll, waker))
        };
        let (poll, waker) = build().map_err(|error: io::Error| from_io(&error))?;
        Ok(SelectorDriver {
            poll,
            events: Events::with_capacity(EVENTS_PER_WAIT),
            waker,
            sockets: Slab::new(memory.clone(), first_generation),
            late: Ring::new(memory.clone()),
            slices: List::new(memory.clone()),
            pending: 0,
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    #[cfg(all(unix, not(mio_unsupported_force_poll_poll)))]
    pub(super) fn descriptor(&self) -> i64 {
        use std::os::fd::AsRawFd;
        self.poll.as_raw_fd().into()
    }

    #[cfg(not(all(unix, not(mio_unsupported_force_poll_poll))))]
    pub(super) fn descriptor(&self) -> i64 {
        -1
    }

    pub(super) fn is_due(&self) -> bool {
        !self.late.is_empty() || self.waker.is_asked()
    }

    pub(super) fn wait(&mut self, timeout_ns: Option<u64>, completions: &mut List<Completion>) -> Result<()> {
        // No more can end than is pending, nor more than two for each event. One above: `serve` wants room for two.
        let most = self.pending.min(2 * EVENTS_PER_WAIT) + 1;
        if completions.reserve(most).is_err() && completions.capacity() - completions.len() < 2 {
            return Err(rota_status::ROTA_ERR_MEMORY.into());
        }
        let timeout_ns = if self.is_due() { Some(0) } else { timeout_ns };
        let result = pause::wait(&mut self.poll, &mut self.events, timeout_ns);
        self.waker.answer();
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            Err(error) => return Err(from_io(&error)),
            Ok(()) => {}
        }
        // Those that wait without an event first: they are the oldest. What they append has its turn in the next wait.
        for _ in 0..self.late.len() {
            let Some(key) = self.late.pop() else { break };
            if let Some(entry) = self.sockets.get_mut(key) {
                entry.late = false;
                self.serve(key, completions);
            }
        }
        let events = core::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in events.iter() {
            if let Some(key) = self.note(event) {
                self.serve(key, completions);
            }
        }
        self.events = events;
        Ok(())
    }

    /// Notes what an event says; the socket it is about.
    fn note(&mut self, event: &Event) -> Option<Key> {
        if event.token() == WAKER {
            return None;
        }
        let key = self.sockets.key_of((event.token().0 as u64 & SLOT) as u32)?;
        if token_of(key) != event.token() {
            return None;
        }
        let entry = self.sockets.get_mut(key)?;
        let broken = event.is_error() || event.is_read_closed() && event.is_write_closed();
        entry.ended |= broken || event.is_read_closed();
        entry.read_ready |= entry.ended || event.is_readable();
        entry.write_ready |= broken || event.is_writable() || event.is_write_closed();
        if source::RENEWED {
            // What was reported was also taken back.
            entry.watched.read &= !(event.is_readable() || event.is_read_closed());
            entry.watched.write &= !event.is_writable();
            if broken {
                entry.watched = Watched::default();
            }
        }
        Some(key)
    }

    /// Gives the pending operations of a socket one try each.
    fn serve(&mut self, key: Key, completions: &mut List<Completion>) {
        let Some(entry) = self.sockets.get_mut(key) else { return };
        if entry.read.is_none() && entry.write.is_none() {
            return;
        }
        if completions.capacity() - completions.len() < 2 {
            return self.postpone(key);
        }
        let read = if entry.read_ready { entry.read.take() } else { None };
        let write = if entry.write_ready { entry.write.take() } else { None };
        if let Some(ReadOp { token, kind }) = read {
            self.pending -= 1;
            if let Start::Done(outcome) = self.read(key, token, kind) {
                // There is room: looked at above.
                let _ = completions.push(Completion { token, outcome });
            }
        }
        if let Some(WriteOp { token, kind }) = write {
            self.pending -= 1;
            if let Start::Done(outcome) = self.write(key, token, kind) {
                let _ = completions.push(Completion { token, outcome });
            }
        }
        if source::RENEWED {
            self.renew(key);
        }
    }

    /// Lets a socket be tried by the next wait, event or not.
    fn postpone(&mut self, key: Key) {
        if let Some(entry) = self.sockets.get_mut(key) {
            if !entry.late {
                // Room was made when the socket was.
                entry.late = self.late.push(key).is_ok();
            }
        }
    }

    /// Tries an operation that reads; lets it wait where it must.
    fn read(&mut self, key: Key, token: u64, mut kind: Reading) -> Start {
        let Some(entry) = self.sockets.get_mut(key) else { return Start::Done(kind.outcome(Some(GONE), 0)) };
        if entry.read.is_some() {
            return Start::Done(kind.outcome(Some(TAKEN), 0));
        }
        if entry.read_ready || entry.ended {
            let progress = match &mut kind {
                Reading::Receive(target) => entry.receive(target),
                Reading::Accept => match self.accept_one(key) {
                    Ok(Some(outcome)) => return Start::Done(outcome),
                    Ok(None) => Progress::Waits,
                    Err(error) => Progress::Ended(Some(error), 0),
                },
            };
            if let Progress::Ended(error, count) = progress {
                return Start::Done(kind.outcome(error, count));
            }
        }
        if let Err(error) = self.watch(key, Watched { read: true, write: false }) {
            return Start::Done(kind.outcome(Some(error), 0));
        }
        if let Some(entry) = self.sockets.get_mut(key) {
            entry.read = Some(ReadOp { token, kind });
            self.pending += 1;
        }
        Start::Pending
    }

    /// Tries an operation that writes; lets it wait where it must.
    fn write(&mut self, key: Key, token: u64, mut kind: Writing) -> Start {
        let Some(entry) = self.sockets.get_mut(key) else { return Start::Done(kind.outcome(Some(GONE), 0)) };
        if entry.write.is_some() {
            return Start::Done(kind.outcome(Some(TAKEN), 0));
        }
        if entry.write_ready {
            let progress = match &mut kind {
                Writing::Connect => entry.connect(),
                Writing::Send { source, size, sent } => entry.send(source, *size, sent, &mut self.slices),
            };
            match progress {
                Progress::Ended(error, count) => return Start::Done(kind.outcome(error, count)),
                Progress::Shares => self.postpone(key),
                Progress::Waits => {}
            }
        }
        // Most who write also read: one registration for both.
        if let Err(error) = self.watch(key, Watched { read: !source::RENEWED, write: true }) {
            let sent = kind.sent();
            return Start::Done(kind.outcome(Some(error), sent));
        }
        if let Some(entry) = self.sockets.get_mut(key) {
            entry.write = Some(WriteOp { token, kind });
            self.pending += 1;
        }
        Start::Pending
    }

    /// Accepts a connection and gives it a slot.
    fn accept_one(&mut self, key: Key) -> Result<Option<OpOutcome>> {
        // First, so that no connection is taken and then lost.
        self.reserve()?;
        let Some(entry) = self.sockets.get_mut(key) else { return Err(GONE) };
        match socket::accept(&entry.io) {
            Tried::Done((io, address)) => {
                let key = self.sockets.insert(Entry::new(io))?;
                Ok(Some(OpOutcome { accepted: Some((Socket(key), address)), ..OpOutcome::done(0) }))
            }
            Tried::Blocked => {
                entry.read_ready = false;
                entry.ended = false;
                Ok(None)
            }
            Tried::Failed(error) => Err(error),
        }
    }

    /// Makes sure that `more` is reported of a socket.
    fn watch(&mut self, key: Key, more: Watched) -> Result<()> {
        let Some(entry) = self.sockets.get_mut(key) else { return Err(GONE) };
        let before = entry.watched;
        let wanted = Watched { read: before.read || more.read, write: before.write || more.write };
        if wanted != before {
            source::watch(self.poll.registry(), &entry.io, token_of(key), before, wanted)
                .map_err(|error| from_io(&error))?;
            entry.watched = wanted;
        }
        Ok(())
    }

    /// On the poll fallback: asks again for what is still waited for, where a report has taken it back.
    fn renew(&mut self, key: Key) {
        let Some(entry) = self.sockets.get_mut(key) else { return };
        let more = Watched { read: entry.read.is_some(), write: entry.write.is_some() };
        if more != Watched::default() && self.watch(key, more).is_err() {
            // Tried again by the next wait.
            self.postpone(key);
        }
    }

    /// Makes room for one more socket.
    fn reserve(&mut self) -> Result<()> {
        self.sockets.reserve()?;
        self.late.reserve(self.sockets.len() + 1 - self.late.len())
    }

    fn add(&mut self, io: System) -> Result<Key> {
        self.reserve()?;
        self.sockets.insert(Entry::new(io))
    }

    fn io(&self, socket: Socket) -> Result<&System> {
        self.sockets.get(socket.0).map(|entry| &entry.io).ok_or(GONE)
    }
}

/// What `Driver` forwards; it says there what each is for.
impl SelectorDriver {
    pub(super) fn listen(&mut self, address: &rota_address, options: &ListenOptions) -> Result<Socket> {
        let io = socket::listen(address, options)?;
        self.add(io).map(Socket)
    }

    pub(super) fn accept(&mut self, socket: Socket, token: u64) -> Start {
        self.read(socket.0, token, Reading::Accept)
    }

    pub(super) fn connect(&mut self, address: &rota_address, token: u64) -> Result<(Socket, Start)> {
        let (io, done) = socket::connect(address)?;
        let key = self.add(io)?;
        if done {
            return Ok((Socket(key), Start::Done(OpOutcome::done(0))));
        }
        if let Some(entry) = self.sockets.get_mut(key) {
            entry.write_ready = false;
        }
        match self.write(key, token, Writing::Connect) {
            Start::Done(OpOutcome { error: Some(error), .. }) => {
                self.close(Socket(key));
                Err(error)
            }
            start => Ok((Socket(key), start)),
        }
    }

    pub(super) fn receive(&mut self, socket: Socket, token: u64, target: Target) -> Start {
        let room = match &target {
            Target::Host(buffer) => buffer.size(),
            Target::Owned(list) => list.capacity() - list.len(),
        };
        if room == 0 {
            return Start::Done(Reading::Receive(target).outcome(None, 0));
        }
        self.read(socket.0, token, Reading::Receive(target))
    }

    pub(super) fn send(&mut self, socket: Socket, token: u64, source: Source) -> Start {
        let size = source.size();
        self.write(socket.0, token, Writing::Send { source, size, sent: 0 })
    }

    pub(super) fn withdraw(&mut self, socket: Socket, direction: Direction) -> Option<OpOutcome> {
        let entry = self.sockets.get_mut(socket.0)?;
        let outcome = match direction {
            Direction::Read => entry.withdraw_read(),
            Direction::Write => entry.withdraw_write(),
        }?;
        self.pending -= 1;
        Some(outcome)
    }

    pub(super) fn shutdown(&mut self, socket: Socket) -> Result<()> {
        socket::shutdown(self.io(socket)?)
    }

    pub(super) fn close(&mut self, socket: Socket) {
        let Some(entry) = self.sockets.remove(socket.0) else { return };
        self.pending -= usize::from(entry.read.is_some()) + usize::from(entry.write.is_some());
        if entry.late {
            for _ in 0..self.late.len() {
                match self.late.pop() {
                    Some(key) if key != socket.0 => drop(self.late.push(key)),
                    _ => {}
                }
            }
        }
        // The fallback may know it although nothing is asked of it.
        if source::RENEWED || entry.watched != Watched::default() {
            source::unwatch(self.poll.registry(), &entry.io);
        }
    }

    pub(super) fn reset(&mut self, socket: Socket) {
        if let Ok(io) = self.io(socket) {
            socket::reset_on_close(io);
        }
        self.close(socket);
    }

    pub(super) fn local_address(&self, socket: Socket) -> Result<rota_address> {
        socket::local_address(self.io(socket)?)
    }

    pub(super) fn peer_address(&self, socket: Socket) -> Result<rota_address> {
        socket::peer_address(self.io(socket)?)
    }

    pub(super) fn set_no_delay(&mut self, socket: Socket, on: bool) -> Result<()> {
        socket::set_no_delay(self.io(socket)?, on)
    }

    pub(super) fn set_keep_alive(&mut self, socket: Socket, on: bool, idle_ns: u64) -> Result<()> {
        socket::set_keep_alive(self.io(socket)?, on, idle_ns)
    }

    pub(super) fn sockets(&self) -> usize {
        self.sockets.len()
    }

    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    pub(super) fn last_generation(&self) -> u32 {
        self.sockets.last_generation()
    }
}
