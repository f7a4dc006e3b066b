//! Streams: connections with a reading and a writing half.
//!
//! ```text
//!   open ──close──▶ flushing (the handle is stale) ──all sent, or failed──▶ ended
//!     │                                                                     ▲
//!     └──────────────── close with nothing to send, abort ──────────────────┘
//! ```
//!
//! A stream that was closed while data given to `send` had not gone stays in
//! its slot until it has: the driver's tokens still find it, handles do not. A
//! driver that needs time to withdraw an operation keeps it there in the same way.

use super::reader::{check, Delimiter, Reader, Wanted};
use super::token::Role;
use super::writer::Writer;
use super::Io;
use crate::base::rota_status::ROTA_ERR_HANDLE;
use crate::base::{rota_address, Handle, Key, Result};
use crate::rt::Core;
use crate::sys::buffer::{HostBuffer, Source};
use crate::sys::driver::{OpOutcome, Socket};
use crate::sys::Memory;

/// Which stream, and its socket: what both halves need to ask the driver.
#[derive(Clone, Copy)]
pub struct Place {
    /// The stream.
    pub key: Key,
    /// Its socket.
    pub socket: Socket,
}

/// How a stream that was closed is to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Close,
    Reset,
}

/// A stream's slot.
pub struct Stream {
    socket: Socket,
    reader: Reader,
    writer: Writer,
    ending: Option<Ending>,
}

impl Stream {
    fn new(memory: &Memory, socket: Socket) -> Self {
        Stream { socket, reader: Reader::new(memory), writer: Writer::new(memory), ending: None }
    }
}

impl Io {
    /// A stream for a connected socket; without memory the socket is closed.
    pub(super) fn stream_open(&mut self, core: &mut Core, socket: Socket) -> Result<Key> {
        let opened = self.streams.insert(Stream::new(&core.memory, socket));
        if opened.is_err() {
            core.driver.close(socket);
        }
        opened
    }

    /// The stream behind a handle, with what its halves need.
    fn stream(&mut self, key: Key) -> Result<(&mut Stream, &mut super::Spares, Place)> {
        let stream = self.streams.get_mut(key).filter(|stream| stream.ending.is_none()).ok_or(ROTA_ERR_HANDLE)?;
        let place = Place { key, socket: stream.socket };
        Ok((stream, &mut self.spares, place))
    }

    fn read_wanted(&mut self, core: &mut Core, key: Key, buffer: HostBuffer, wanted: Wanted) -> Result<Handle> {
        let (stream, spares, place) = self.stream(key)?;
        check(&wanted, buffer.size())?;
        stream.reader.begin(core, spares, place, wanted, buffer)
    }

    /// Reads what there is.
    pub fn read(&mut self, core: &mut Core, key: Key, buffer: HostBuffer) -> Result<Handle> {
        self.read_wanted(core, key, buffer, Wanted::Some)
    }

    /// Fills the buffer.
    pub fn read_exactly(&mut self, core: &mut Core, key: Key, buffer: HostBuffer) -> Result<Handle> {
        self.read_wanted(core, key, buffer, Wanted::Exactly)
    }

    /// Reads up to and with `delimiter`, which is copied.
    pub fn read_until(&mut self, core: &mut Core, key: Key, buffer: HostBuffer, delimiter: &[u8]) -> Result<Handle> {
        let delimiter = Delimiter::new(&core.memory, delimiter)?;
        self.read_wanted(core, key, buffer, Wanted::Until(delimiter))
    }

    /// Reads a line.
    pub fn read_line(&mut self, core: &mut Core, key: Key, buffer: HostBuffer) -> Result<Handle> {
        self.read_wanted(core, key, buffer, Wanted::Line)
    }

    /// Writes all of `source`, which is borrowed.
    pub fn write(&mut self, core: &mut Core, key: Key, source: Source) -> Result<Handle> {
        let (stream, spares, place) = self.stream(key)?;
        stream.writer.write(core, spares, place, source)
    }

    /// Sends a copy of `bytes` in the background.
    pub fn send(&mut self, core: &mut Core, key: Key, bytes: &[u8]) -> Result<()> {
        let (stream, spares, place) = self.stream(key)?;
        stream.writer.send(core, spares, place, bytes)
    }

    /// Waits until there is little left to send.
    pub fn drain(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let (stream, _, place) = self.stream(key)?;
        stream.writer.drain(core, place)
    }

    /// When a drain waits.
    pub fn set_watermarks(&mut self, core: &mut Core, key: Key, low: usize, high: usize) -> Result<()> {
        self.stream(key)?.0.writer.set_watermarks(core, low, high)
    }

    /// Bytes given to `send` that have not gone yet.
    pub fn buffered(&mut self, key: Key) -> Result<usize> {
        Ok(self.stream(key)?.0.writer.buffered())
    }

    /// Ends the writing side.
    pub fn shutdown(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let (stream, _, place) = self.stream(key)?;
        stream.writer.shutdown(core, place)
    }

    /// Closes a stream: what is pending ends with its counts, what was given to `send` goes on.
    pub fn stream_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let (stream, spares, place) = self.stream(key)?;
        stream.ending = Some(Ending::Close);
        stream.reader.cancel(core, spares, place);
        stream.writer.release(core, spares, place);
        self.stream_settle(core, key);
        Ok(())
    }

    /// Resets a connection.
    pub fn stream_abort(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let (stream, spares, place) = self.stream(key)?;
        stream.ending = Some(Ending::Reset);
        stream.reader.cancel(core, spares, place);
        stream.writer.abort(core, spares, place);
        self.stream_settle(core, key);
        Ok(())
    }

    /// Ends a closed stream when nothing of it is left.
    fn stream_settle(&mut self, core: &mut Core, key: Key) {
        let Some(stream) = self.streams.get(key) else { return };
        let Some(ending) = stream.ending else { return };
        if !stream.reader.is_idle() || !stream.writer.is_idle() {
            return;
        }
        match ending {
            Ending::Close => core.driver.close(stream.socket),
            Ending::Reset => core.driver.reset(stream.socket),
        }
        self.streams.remove(key);
    }

    /// An operation of a stream's has ended.
    pub(super) fn stream_completed(&mut self, core: &mut Core, role: Role, key: Key, outcome: OpOutcome) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let place = Place { key, socket: stream.socket };
        match role {
            Role::Read => stream.reader.completed(core, &mut self.spares, place, outcome),
            _ => stream.writer.completed(core, &mut self.spares, place, outcome),
        }
        self.stream_settle(core, key);
    }

    /// `future` stands for an operation of a stream's that is to be withdrawn.
    pub(super) fn stream_cancel(&mut self, core: &mut Core, role: Role, key: Key, future: Key) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let place = Place { key, socket: stream.socket };
        match role {
            Role::Read => stream.reader.cancel(core, &mut self.spares, place),
            _ => stream.writer.cancel(core, &mut self.spares, place, role, future),
        }
    }

    /// Closes every stream that is open; how many still have something to send.
    pub(super) fn streams_shut_down(&mut self, core: &mut Core) -> usize {
        let mut at = 0;
        while let Some(key) = self.streams.next(at) {
            at = key.slot + 1;
            // One that is flushing already has no handle to close.
            let _ = self.stream_close(core, key);
        }
        self.streams.len()
    }

    /// The address on this side.
    pub fn local_address(&mut self, core: &Core, key: Key) -> Result<rota_address> {
        core.driver.local_address(self.stream(key)?.2.socket)
    }

    /// The address on the other side.
    pub fn peer_address(&mut self, core: &Core, key: Key) -> Result<rota_address> {
        core.driver.peer_address(self.stream(key)?.2.socket)
    }

    /// Whether small writes go out at once.
    pub fn set_no_delay(&mut self, core: &mut Core, key: Key, on: bool) -> Result<()> {
        core.driver.set_no_delay(self.stream(key)?.2.socket, on)
    }

    /// Whether a silent peer is probed.
    pub fn set_keep_alive(&mut self, core: &mut Core, key: Key, on: bool, idle_ns: u64) -> Result<()> {
        core.driver.set_keep_alive(self.stream(key)?.2.socket, on, idle_ns)
    }
}
