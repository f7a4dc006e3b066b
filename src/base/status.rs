//! The one list of statuses, and the error that carries one through the library.
//!
//! `rota_status` is the C enum itself, spelled as in C, so that a search finds
//! both sides. Values are fixed for ever; new ones are only added.

/// The outcome of a call: ROTA_OK, or what went wrong. Values never change.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum rota_status {
    /// It worked.
    ROTA_OK = 0,
    /// An argument is NULL, out of its range, or has unknown bits.
    ROTA_ERR_INVALID = -1,
    /// The handle is null, forged, of another kind, or what it named has ended.
    ROTA_ERR_HANDLE = -2,
    /// Called from a thread that is not the loop's.
    ROTA_ERR_THREAD = -3,
    /// Cancelled before it was complete.
    ROTA_ERR_CANCELLED = -4,
    /// Not allowed here: running or closing a loop from inside itself, or
    /// anything at all inside a hook.
    ROTA_ERR_REENTRANT = -5,
    /// Not ended yet, or in use; it will end by itself, and may be asked again.
    ROTA_ERR_BUSY = -6,
    /// There is no memory, or the loop's memory limit is reached.
    ROTA_ERR_MEMORY = -7,
    /// The library failed inside this loop, which is poisoned: only closing it
    /// or abandoning it works.
    ROTA_ERR_PANIC = -8,
    /// The outcome is not there yet.
    ROTA_ERR_PENDING = -9,
    /// It is complete already.
    ROTA_ERR_DONE = -10,
    /// Only a task may do this, and no such task is the innermost thing running.
    ROTA_ERR_NO_TASK = -11,
    /// The loop was stopped before what was waited for was complete.
    ROTA_ERR_STOPPED = -12,
    /// The time given for it ran out.
    ROTA_ERR_TIMEOUT = -13,
    /// A limit was reached: of objects, of loops, or the size given.
    ROTA_ERR_LIMIT = -14,
    /// Not possible with these options, or on this system.
    ROTA_ERR_UNSUPPORTED = -15,
    /// It needs a thread, and the host forbade threads.
    ROTA_ERR_NO_THREADS = -16,
    /// The loop is closing and takes no new work.
    ROTA_ERR_CLOSING = -17,
    /// Another error of the system; the outcome or rota_os_error() has its number.
    ROTA_ERR_OS = -20,
    /// The peer ended the stream before all that was asked for had come.
    ROTA_ERR_EOF = -21,
    /// The peer reset the connection.
    ROTA_ERR_RESET = -22,
    /// The peer no longer reads.
    ROTA_ERR_BROKEN_PIPE = -23,
    /// Nobody listens at that address.
    ROTA_ERR_REFUSED = -24,
    /// No way leads to that address.
    ROTA_ERR_UNREACHABLE = -25,
    /// The address is in use already.
    ROTA_ERR_ADDRESS_IN_USE = -26,
    /// Not an address, or not one of this machine.
    ROTA_ERR_ADDRESS = -27,
    /// What was asked for is not there: no host or service of that name, no
    /// value under that key.
    ROTA_ERR_NOT_FOUND = -28,
    /// The name service failed; trying again may help.
    ROTA_ERR_RESOLVE = -29,
    /// The process or the system has no descriptors left.
    ROTA_ERR_DESCRIPTORS = -30,
    /// The system does not permit it.
    ROTA_ERR_ACCESS = -31,
    /// The socket is not connected.
    ROTA_ERR_NOT_CONNECTED = -32,
    /// The stream was shut down for writing, or the queue was shut down.
    ROTA_ERR_SHUT = -33,
    /// A task ended by an exception of its language (C++, say), which whoever
    /// joins it in that language gets.
    ROTA_ERR_EXCEPTION = -40,
}

use rota_status::*;

/// Every status with the phrase that `rota_strerror` gives for it.
#[rustfmt::skip]
pub const TABLE: &[(rota_status, &str, &str)] = &[
    (ROTA_OK, "ROTA_OK\0", "success\0"),
    (ROTA_ERR_INVALID, "ROTA_ERR_INVALID\0", "an argument is NULL, out of range or has unknown bits\0"),
    (ROTA_ERR_HANDLE, "ROTA_ERR_HANDLE\0", "the handle is null, of another kind, or what it named has ended\0"),
    (ROTA_ERR_THREAD, "ROTA_ERR_THREAD\0", "called from a thread that is not the loop's\0"),
    (ROTA_ERR_CANCELLED, "ROTA_ERR_CANCELLED\0", "cancelled\0"),
    (ROTA_ERR_REENTRANT, "ROTA_ERR_REENTRANT\0", "not allowed inside the same loop or inside a hook\0"),
    (ROTA_ERR_BUSY, "ROTA_ERR_BUSY\0", "not ended yet, or in use\0"),
    (ROTA_ERR_MEMORY, "ROTA_ERR_MEMORY\0", "out of memory\0"),
    (ROTA_ERR_PANIC, "ROTA_ERR_PANIC\0", "the library failed inside this loop; close it\0"),
    (ROTA_ERR_PENDING, "ROTA_ERR_PENDING\0", "not complete yet\0"),
    (ROTA_ERR_DONE, "ROTA_ERR_DONE\0", "complete already\0"),
    (ROTA_ERR_NO_TASK, "ROTA_ERR_NO_TASK\0", "only the task that is running may do this\0"),
    (ROTA_ERR_STOPPED, "ROTA_ERR_STOPPED\0", "the loop was stopped first\0"),
    (ROTA_ERR_TIMEOUT, "ROTA_ERR_TIMEOUT\0", "timed out\0"),
    (ROTA_ERR_LIMIT, "ROTA_ERR_LIMIT\0", "a limit was reached\0"),
    (ROTA_ERR_UNSUPPORTED, "ROTA_ERR_UNSUPPORTED\0", "not possible with these options or on this system\0"),
    (ROTA_ERR_NO_THREADS, "ROTA_ERR_NO_THREADS\0", "it needs a thread, and the host forbade threads\0"),
    (ROTA_ERR_CLOSING, "ROTA_ERR_CLOSING\0", "the loop is closing and takes no new work\0"),
    (ROTA_ERR_OS, "ROTA_ERR_OS\0", "a system error\0"),
    (ROTA_ERR_EOF, "ROTA_ERR_EOF\0", "the stream ended before all that was asked for had come\0"),
    (ROTA_ERR_RESET, "ROTA_ERR_RESET\0", "the peer reset the connection\0"),
    (ROTA_ERR_BROKEN_PIPE, "ROTA_ERR_BROKEN_PIPE\0", "the peer no longer reads\0"),
    (ROTA_ERR_REFUSED, "ROTA_ERR_REFUSED\0", "connection refused\0"),
    (ROTA_ERR_UNREACHABLE, "ROTA_ERR_UNREACHABLE\0", "the address cannot be reached\0"),
    (ROTA_ERR_ADDRESS_IN_USE, "ROTA_ERR_ADDRESS_IN_USE\0", "the address is in use\0"),
    (ROTA_ERR_ADDRESS, "ROTA_ERR_ADDRESS\0", "not an address, or not one of this machine\0"),
    (ROTA_ERR_NOT_FOUND, "ROTA_ERR_NOT_FOUND\0", "no host or service of that name\0"),
    (ROTA_ERR_RESOLVE, "ROTA_ERR_RESOLVE\0", "the name service failed; try again\0"),
    (ROTA_ERR_DESCRIPTORS, "ROTA_ERR_DESCRIPTORS\0", "no descriptors left\0"),
    (ROTA_ERR_ACCESS, "ROTA_ERR_ACCESS\0", "not permitted\0"),
    (ROTA_ERR_NOT_CONNECTED, "ROTA_ERR_NOT_CONNECTED\0", "not connected\0"),
    (ROTA_ERR_SHUT, "ROTA_ERR_SHUT\0", "the stream was shut down for writing, or the queue was shut down\0"),
    (ROTA_ERR_EXCEPTION, "ROTA_ERR_EXCEPTION\0", "the task ended by an exception of its language\0"),
];

/// A failed call: its status and, where the system said no, the system's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Never `ROTA_OK`.
    pub status: rota_status,
    /// errno, or 0.
    pub os_error: i32,
}

/// What the library's own functions return.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// An error of the system's.
    pub const fn os(status: rota_status, os_error: i32) -> Self {
        Error { status, os_error }
    }
}

impl From<rota_status> for Error {
    fn from(status: rota_status) -> Self {
        Error { status, os_error: 0 }
    }
}

/// Where statuses of the host's own start; they go down from here.
pub const ROTA_STATUS_HOST: i32 = -1_000_000;

impl rota_status {
    /// The status with this number, if there is one.
    pub fn from_number(number: i64) -> Option<Self> {
        TABLE.iter().map(|row| row.0).find(|status| *status as i64 == number)
    }
}

/// Whether a negative number may be the outcome of a future: one of ours, or of the host's range.
pub fn is_failure(number: i64) -> bool {
    (i32::MIN as i64..=ROTA_STATUS_HOST as i64).contains(&number)
        || (number < 0 && rota_status::from_number(number).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_is_terminated_and_every_number_is_its_own() {
        for (i, (status, name, phrase)) in TABLE.iter().enumerate() {
            assert!(name.ends_with('\0') && phrase.ends_with('\0'));
            assert_eq!(format!("{status:?}\0"), *name);
            assert!(TABLE[i + 1..].iter().all(|other| other.0 as i32 != *status as i32));
        }
    }

    #[test]
    fn failures_are_ours_or_the_hosts() {
        assert!(is_failure(-1) && is_failure(-1_000_000) && is_failure(i32::MIN as i64));
        assert!(!is_failure(0) && !is_failure(-19) && !is_failure(-999_999) && !is_failure(i64::MIN));
    }
}
