//! What the system's error numbers mean as statuses. The number itself is always kept.

use crate::base::rota_status::{self, *};
use crate::base::Error;
use std::io;

/// The error of a failed call of the system's.
#[cold]
pub fn from_io(error: &io::Error) -> Error {
    match error.raw_os_error() {
        Some(number) => from_number(number),
        // mio refuses a few things by itself; none of them is ours to meet.
        None => ROTA_ERR_OS.into(),
    }
}

/// The error with this errno.
pub fn from_number(number: i32) -> Error {
    Error::os(status(number), number)
}

fn status(number: i32) -> rota_status {
    match number {
        libc::ECONNRESET => ROTA_ERR_RESET,
        libc::EPIPE => ROTA_ERR_BROKEN_PIPE,
        libc::ECONNREFUSED => ROTA_ERR_REFUSED,
        libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EHOSTDOWN | libc::ENETDOWN => ROTA_ERR_UNREACHABLE,
        libc::EADDRINUSE => ROTA_ERR_ADDRESS_IN_USE,
        libc::EADDRNOTAVAIL => ROTA_ERR_ADDRESS,
        libc::EMFILE | libc::ENFILE => ROTA_ERR_DESCRIPTORS,
        libc::ENOMEM | libc::ENOBUFS => ROTA_ERR_MEMORY,
        libc::EACCES | libc::EPERM => ROTA_ERR_ACCESS,
        libc::ENOTCONN => ROTA_ERR_NOT_CONNECTED,
        libc::ETIMEDOUT => ROTA_ERR_TIMEOUT,
        libc::EINVAL => ROTA_ERR_INVALID,
        libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::EOPNOTSUPP | libc::ENOSYS => ROTA_ERR_UNSUPPORTED,
        _ => ROTA_ERR_OS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_meaning_and_itself() {
        let reset = from_number(libc::ECONNRESET);
        assert_eq!((reset.status, reset.os_error), (ROTA_ERR_RESET, libc::ECONNRESET));
        let other = from_io(&io::Error::from_raw_os_error(libc::EISDIR));
        assert_eq!((other.status, other.os_error), (ROTA_ERR_OS, libc::EISDIR));
    }
}
