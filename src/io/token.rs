//! What `io` gives the driver, the timers and the resolver to bring back: which object, which operation.
//!
//! ```text
//!  63  60 59   48 47          24 23           0
//! [ role | part  | generation 24 | slot 24      ]
//! ```
//!
//! The generation is what makes a late completion harmless: its object has
//! ended, the key finds nothing. `part` tells the attempts of one connect apart.

use crate::base::handle::{GENERATION_BITS, SLOT_BITS};
use crate::base::Key;
use crate::rt::{Operation, Source};
use core::ffi::CStr;

/// The operations of `io`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// A listener takes a connection.
    Accept = 1,
    /// A stream reads.
    Read = 2,
    /// A stream writes.
    Write = 3,
    /// Waiting for a stream to have less to send.
    Drain = 4,
    /// Ending a stream's writing side.
    Shutdown = 5,
    /// Connecting to a host.
    Connect = 6,
    /// Looking up a name.
    Resolve = 7,
}

const ROLES: [Role; 7] =
    [Role::Accept, Role::Read, Role::Write, Role::Drain, Role::Shutdown, Role::Connect, Role::Resolve];
const GENERATION_SHIFT: u32 = SLOT_BITS;
const PART_SHIFT: u32 = SLOT_BITS + GENERATION_BITS;
const ROLE_SHIFT: u32 = 60;

/// How many attempts of one connect can be told apart.
pub const PARTS: usize = 1 << (ROLE_SHIFT - PART_SHIFT);

impl Role {
    /// The role with this number.
    pub fn from_number(number: u8) -> Option<Role> {
        ROLES.into_iter().find(|role| *role as u8 == number)
    }

    /// What one waits for, in a word.
    pub fn word(self) -> &'static CStr {
        match self {
            Role::Accept => c"accept",
            Role::Read => c"read",
            Role::Write => c"write",
            Role::Drain => c"drain",
            Role::Shutdown => c"shutdown",
            Role::Connect => c"connect",
            Role::Resolve => c"resolve",
        }
    }

    /// What a future of this operation stands for.
    pub fn of(self, object: Key) -> Source {
        Source::Service(Operation { object, kind: self as u8 })
    }

    /// The token of this operation.
    pub fn token(self, object: Key) -> u64 {
        self.token_part(object, 0)
    }

    /// The token of one part of this operation, below `PARTS`.
    pub fn token_part(self, object: Key, part: usize) -> u64 {
        debug_assert!(part < PARTS);
        (self as u64) << ROLE_SHIFT
            | (part as u64) << PART_SHIFT
            | u64::from(object.generation) << GENERATION_SHIFT
            | u64::from(object.slot)
    }
}

/// What a token says: the operation, its object and its part.
pub fn read(token: u64) -> Option<(Role, Key, usize)> {
    let bits = |shift: u32, count: u32| (token >> shift) & ((1 << count) - 1);
    let key = Key { slot: bits(0, SLOT_BITS) as u32, generation: bits(GENERATION_SHIFT, GENERATION_BITS) as u32 };
    let role = Role::from_number((token >> ROLE_SHIFT) as u8)?;
    Some((role, key, bits(PART_SHIFT, ROLE_SHIFT - PART_SHIFT) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_back_what_was_put_in() {
        let key = Key { slot: 0xABCDEF, generation: 0xFFFFFF };
        for role in ROLES {
            assert_eq!(read(role.token_part(key, PARTS - 1)), Some((role, key, PARTS - 1)));
        }
        assert_eq!(read(0), None);
    }
}
