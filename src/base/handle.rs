//! The 64 bits behind every handle.
//!
//! ```text
//!  63    58 57      48 47          24 23           0
//! [ kind 6 | loop 10  | generation 24 | slot 24      ]   a slot of a loop
//! [ kind 6 | loop 10  | 1 failed | 47 count/status   ]   a future that is a value
//! ```
//!
//! All zero is null, because no kind is zero. Generations start at 1. The kind
//! finds a number of the wrong noun, the loop a wrong thread, the generation
//! what has ended: none of them is ever dereferenced by the user, so nothing
//! can dangle. A slot whose generation would wrap is retired (`slab.rs`).

use super::slab::Key;

/// What a handle names. The numbers are part of the handle; 0 is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The loop itself.
    Loop = 1,
    /// A queued callback.
    Call = 2,
    /// An armed timer.
    Timer = 3,
    /// A future that has a slot.
    Future = 4,
    /// A future that carries its outcome in the handle.
    Value = 5,
    /// A task.
    Task = 6,
    /// A listening socket.
    Listener = 7,
    /// A connected stream.
    Stream = 8,
    /// A lock.
    Lock = 9,
    /// A semaphore.
    Semaphore = 10,
    /// An event.
    Event = 11,
    /// A queue.
    Queue = 12,
    /// A barrier.
    Barrier = 13,
    /// A cancel scope of a task.
    Scope = 14,
    /// A group of tasks.
    Group = 15,
    /// An owner tag.
    Owner = 16,
    /// A set of futures.
    Set = 17,
    /// A condition.
    Condition = 18,
    /// A reader-writer lock.
    Rwlock = 19,
    /// A once-cell.
    Once = 20,
    /// A channel.
    Channel = 21,
    /// A token.
    Token = 22,
}

/// How many bits name the loop.
pub const LOOP_BITS: u32 = 10;
/// How many loops can be open at once in a process.
pub const LOOPS: usize = 1 << LOOP_BITS;
/// How many bits count the reuses of a slot.
pub const GENERATION_BITS: u32 = 24;
/// How many bits name the slot.
pub const SLOT_BITS: u32 = 24;

const KIND_SHIFT: u32 = 58;
const LOOP_SHIFT: u32 = 48;
const FAILED: u64 = 1 << 47;
const PAYLOAD: u64 = FAILED - 1;

/// A handle's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Handle(pub u64);

impl Handle {
    /// The handle that names nothing.
    pub const NULL: Handle = Handle(0);

    /// The handle of a slot.
    pub fn new(kind: Kind, loop_number: u16, key: Key) -> Self {
        Handle(
            (kind as u64) << KIND_SHIFT
                | (loop_number as u64) << LOOP_SHIFT
                | (key.generation as u64) << SLOT_BITS
                | key.slot as u64,
        )
    }

    /// A complete future: a count that fits, or a failure.
    pub fn value(loop_number: u16, result: i64) -> Option<Self> {
        let (failed, size) = if result < 0 { (FAILED, result.unsigned_abs()) } else { (0, result as u64) };
        let bits = (Kind::Value as u64) << KIND_SHIFT | (loop_number as u64) << LOOP_SHIFT | failed | size;
        (size <= PAYLOAD).then_some(Handle(bits))
    }

    /// Whether it is the null handle.
    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// Whether it claims to be of this kind.
    pub fn is(self, kind: Kind) -> bool {
        self.0 >> KIND_SHIFT == kind as u64
    }

    /// The number of the loop it claims to belong to.
    pub fn loop_number(self) -> u16 {
        (self.0 >> LOOP_SHIFT) as u16 & (LOOPS as u16 - 1)
    }

    /// The slot it claims to name.
    pub fn key(self) -> Key {
        Key {
            slot: self.0 as u32 & ((1 << SLOT_BITS) - 1),
            generation: (self.0 >> SLOT_BITS) as u32 & ((1 << GENERATION_BITS) - 1),
        }
    }

    /// The outcome that a value future carries.
    pub fn carried(self) -> Option<i64> {
        self.is(Kind::Value).then(|| {
            let size = (self.0 & PAYLOAD) as i64;
            if self.0 & FAILED != 0 {
                -size
            } else {
                size
            }
        })
    }
}

macro_rules! convert {
    ($($name:ident)*) => {$(
        impl From<Handle> for $name {
            fn from(handle: Handle) -> Self {
                $name { id: handle.0 }
            }
        }

        impl From<$name> for Handle {
            fn from(handle: $name) -> Self {
                Handle(handle.id)
            }
        }
    )*};
}

convert!(rota_loop rota_call rota_timer rota_future rota_task rota_listener rota_stream);
convert!(rota_lock rota_semaphore rota_event rota_queue rota_barrier rota_condition rota_rwlock rota_once);
convert!(rota_scope rota_group rota_owner rota_set rota_channel rota_token);

/// An event loop. It belongs to the thread that opened it.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_loop {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A callback that stands in the queue of a loop.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_call {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// An armed timer; it ends when its callback has come and returned.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_timer {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// What an operation will come to.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_future {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A task: a coroutine that the loop drives.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_task {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A socket that accepts connections.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_listener {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A connection: bytes both ways.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_stream {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A lock that one holds and others wait for in line.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_lock {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// So many places that tasks take and give back.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_semaphore {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// Something that has happened or not, and those who wait for it.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_event {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A line of pointers from those who put to those who get.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_queue {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A place where so many meet before any of them goes on.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_barrier {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A stretch of a task's work that can be cancelled on its own, and given a deadline.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_scope {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// Tasks and operations that end together.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_group {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A tag for all that one script or level of the host's starts.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_owner {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// Futures that are handed out in the order in which they are done.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_set {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A place to wait, under a lock, for something to become true.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_condition {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A lock that many may hold to read, or one to write.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_rwlock {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A value that is made once, by the first who needs it.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_once {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A bounded line of pointers from any thread or loop to one loop.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_channel {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

/// A broadcast that something is to end: a shutdown, a level, a request.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_token {
    /// Private: zero is null, equal ids name the same thing.
    pub id: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_gives_back_what_was_put_in() {
        let key = Key { slot: 0xABCDEF, generation: 0x123456 };
        let handle = Handle::new(Kind::Stream, 1023, key);
        assert!(handle.is(Kind::Stream) && !handle.is(Kind::Task) && !handle.is_null());
        assert_eq!((handle.loop_number(), handle.key()), (1023, key));
    }

    #[test]
    fn values_carry_counts_and_failures() {
        for result in [0, 1, 4096, PAYLOAD as i64, -1, -33, -1_000_000, i32::MIN as i64] {
            assert_eq!(Handle::value(7, result).and_then(Handle::carried), Some(result));
        }
        assert_eq!(Handle::value(0, PAYLOAD as i64 + 1), None);
    }
}
