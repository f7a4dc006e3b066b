//! Waiting with nanoseconds.
//!
//! mio rounds a wait up to the next millisecond. A wait is therefore cut into
//! whole milliseconds, rounded down, which mio waits, and a rest, for which
//! ppoll(2) watches the selector's own descriptor. The caller looks at the
//! clock and waits again. Where neither is to be had the rest is a millisecond:
//! late, never early, never spinning.

use mio::{Events, Poll};
use std::io;
use std::time::Duration;

const MILLISECOND: u64 = 1_000_000;

/// Fills `events`; `None` waits for ever. May come back early with none.
pub fn wait(poll: &mut Poll, events: &mut Events, timeout_ns: Option<u64>) -> io::Result<()> {
    let timeout = match timeout_ns {
        None => None,
        Some(0) => Some(Duration::ZERO),
        Some(ns) if ns < MILLISECOND => {
            if !rest(poll, ns)? {
                events.clear();
                return Ok(());
            }
            Some(Duration::from_nanos(REST))
        }
        Some(ns) if EXACT => Some(Duration::from_nanos(ns)),
        Some(ns) => Some(Duration::from_millis(ns / MILLISECOND)),
    };
    poll.poll(events, timeout)
}

// kqueue takes nanoseconds as they are.
const EXACT: bool = cfg!(all(
    not(mio_unsupported_force_poll_poll),
    any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd", target_os = "openbsd")
));

#[cfg(all(any(target_os = "linux", target_os = "android"), not(mio_unsupported_force_poll_poll)))]
const REST: u64 = 0;
#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(mio_unsupported_force_poll_poll))))]
const REST: u64 = MILLISECOND;

/// Waits for less than a millisecond; whether the selector should be asked.
#[cfg(all(any(target_os = "linux", target_os = "android"), not(mio_unsupported_force_poll_poll)))]
fn rest(poll: &Poll, ns: u64) -> io::Result<bool> {
    use std::os::fd::AsRawFd;
    let mut watched = libc::pollfd { fd: poll.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let time = libc::timespec { tv_sec: 0, tv_nsec: ns as _ };
    // SAFETY: one pollfd and one timespec, both ours for the call; no signal mask.
    match unsafe { libc::ppoll(&mut watched, 1, &time, core::ptr::null()) } {
        -1 => Err(io::Error::last_os_error()),
        ready => Ok(ready > 0),
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(mio_unsupported_force_poll_poll))))]
fn rest(_: &Poll, _: u64) -> io::Result<bool> {
    Ok(true)
}
