//! What goes over each connection, and what comes.
//!
//! A direction is known by the ports of its two ends. Its sender writes down
//! every piece it gave, its receiver every read it asked for, both in order;
//! what a piece came to is filled in when its future tells. At the end the
//! bytes that came must be a prefix of the pieces, each cut to what went of it.
//! Buffers live here from the call until the future has ended, no longer.

use crate::world::{ensure, with, World};
use rota::base::handle::rota_future;
use rota::base::{outcome, rota_outcome, rota_status::*};
use rota::ffi::future::{rota_future_close, rota_future_get_outcome};
use std::collections::HashMap;

/// From the port of the sender to the port of the receiver.
pub type Way = (u16, u16);

enum Bytes {
    /// Borrowed by the operation.
    Lent(Vec<u8>, u64),
    /// It has ended, and these moved.
    Moved(Vec<u8>),
    /// It has ended, and nobody knows what moved.
    Unknown,
}

#[derive(Default)]
pub struct Wire {
    sent: HashMap<Way, Vec<Bytes>>,
    read: HashMap<Way, Vec<Bytes>>,
    /// The ways of streams by their handles: of what they send. What they read comes the other way.
    pub ways: HashMap<u64, Way>,
    /// Operations whose stream is not known: only their buffers matter.
    strays: Vec<Bytes>,
    marks: u64,
}

pub fn back(way: Way) -> Way {
    (way.1, way.0)
}

impl Wire {
    fn list(&mut self, way: Option<Way>, reading: bool) -> &mut Vec<Bytes> {
        match way {
            None => &mut self.strays,
            Some(way) if reading => self.read.entry(way).or_default(),
            Some(way) => self.sent.entry(way).or_default(),
        }
    }

    /// Takes the buffer of an operation back; whether what moved fits in it.
    fn take_back(&mut self, future: u64, moved: Option<usize>) -> bool {
        let lists = self.sent.values_mut().chain(self.read.values_mut()).chain([&mut self.strays]);
        let is_its = |bytes: &&mut Bytes| matches!(bytes, Bytes::Lent(_, id) if *id == future);
        let Some(bytes) = lists.flat_map(|list| list.iter_mut()).find(is_its) else { return true };
        let Bytes::Lent(mut buffer, _) = core::mem::replace(bytes, Bytes::Unknown) else { return true };
        let Some(moved) = moved else { return true };
        let fits = moved <= buffer.len();
        buffer.truncate(moved);
        *bytes = Bytes::Moved(buffer);
        fits
    }

    /// Bytes that stand nowhere else, with line ends among them.
    pub fn fresh(&mut self, size: usize) -> Vec<u8> {
        self.marks += 1;
        let mark = self.marks.wrapping_mul(0x9E37_79B9);
        let block = (0..997u64).map(|at| if at % 61 == 60 { b'\n' } else { ((mark + at * 7) >> (at % 3)) as u8 });
        block.collect::<Vec<u8>>().into_iter().cycle().take(size).collect()
    }
}

/// Notes that a buffer was lent to the operation behind `future`.
pub fn lent(way: Option<Way>, reading: bool, bytes: Vec<u8>, future: u64) {
    with(|world| world.wire.list(way, reading).push(Bytes::Lent(bytes, future)));
}

/// Notes what was sent as a copy.
pub fn copied(way: Option<Way>, bytes: Vec<u8>) {
    with(|world| world.wire.list(way, false).push(Bytes::Moved(bytes)));
}

/// Looks which operations have ended, takes their buffers back, and closes their futures.
pub fn sweep() {
    let ids = with(|world| {
        let wire = &world.wire;
        let lists = wire.sent.values().chain(wire.read.values()).chain([&wire.strays]);
        let lent = |bytes: &Bytes| if let Bytes::Lent(_, future) = bytes { Some(*future) } else { None };
        lists.flat_map(|list| list.iter().filter_map(lent)).collect::<Vec<u64>>()
    });
    for id in ids {
        let mut told: rota_outcome = outcome::EMPTY;
        match unsafe { rota_future_get_outcome(rota_future { id }, &mut told) } {
            ROTA_OK => {
                ended(id, Some(told.moved_bytes as usize));
                // It was kept, for us.
                let _ = rota_future_close(rota_future { id });
            }
            ROTA_ERR_PENDING | ROTA_ERR_REENTRANT => {}
            _ => ended(id, None),
        }
    }
}

/// Before the future of an operation is closed: it is cancelled, so that its count can be read.
pub fn cancel(future: u64) {
    if rota::ffi::future::rota_future_cancel(rota_future { id: future }) == ROTA_OK {
        sweep();
    }
}

/// An operation has ended: its buffer is the test's again.
pub fn ended(future: u64, moved: Option<usize>) {
    let fits = with(|world| world.wire.take_back(future, moved));
    ensure(fits, || format!("{moved:?} bytes moved, more than the buffer has"));
}

/// Buffers that a loop may still touch, because it was abandoned, are leaked; what was sent before stays known.
pub fn leak(world: &mut World) {
    let wire = &mut world.wire;
    let lists = wire.sent.values_mut().chain(wire.read.values_mut()).chain([&mut wire.strays]);
    for bytes in lists.flatten() {
        if let Bytes::Lent(buffer, _) = bytes {
            core::mem::forget(core::mem::take(buffer));
            *bytes = Bytes::Unknown;
        }
    }
}

fn all(list: &[Bytes]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    for piece in list {
        match piece {
            Bytes::Moved(more) => bytes.extend_from_slice(more),
            _ => return (bytes, false),
        }
    }
    (bytes, true)
}

/// Every byte that came was sent, in that order.
pub fn check() {
    let wire = with(|world| core::mem::take(&mut world.wire));
    for (way, list) in &wire.read {
        let none = Vec::new();
        let sent = wire.sent.get(way).unwrap_or(&none);
        let lent = list.iter().chain(sent).any(|bytes| matches!(bytes, Bytes::Lent(..)));
        ensure(!lent, || "an operation of a closed loop has not ended".to_string());
        let (came, _) = all(list);
        let (went, whole) = all(sent);
        let shared = came.len().min(went.len());
        let same = came[..shared] == went[..shared] && (came.len() <= went.len() || !whole);
        ensure(same, || {
            let at = came.iter().zip(&went).position(|(one, other)| one != other);
            format!("{way:?}: {} bytes went, {} came, the first wrong one is {at:?}", went.len(), came.len())
        });
    }
}
