//! How a socket is made known to mio: the one place that knows descriptors from handles.
//!
//! Everywhere but on the poll fallback a registration reports edges and stays
//! as it is, so it is made when an operation first has to wait and widened
//! when one first waits to write. mio's poll fallback takes back an interest
//! once it has reported it, and forgets a socket that has hung up, so there it
//! is renewed for every operation that waits.

use super::socket::System;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use std::io;
use std::os::fd::AsRawFd;

/// Whether mio runs on poll(2) here.
pub const RENEWED: bool = cfg!(any(
    mio_unsupported_force_poll_poll,
    target_os = "aix",
    target_os = "haiku",
    target_os = "hurd",
    target_os = "nto",
    target_os = "espidf",
    target_os = "vita"
));

/// What was asked to be reported of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Watched {
    pub read: bool,
    pub write: bool,
}

impl Watched {
    fn interest(self) -> Interest {
        match (self.read, self.write) {
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (false, true) => Interest::WRITABLE,
            _ => Interest::READABLE,
        }
    }
}

/// Asks for `wanted` to be reported, where `before` was already.
pub fn watch(registry: &Registry, io: &System, token: Token, before: Watched, wanted: Watched) -> io::Result<()> {
    let descriptor = io.as_raw_fd();
    let mut source = SourceFd(&descriptor);
    if before == Watched::default() {
        return match registry.register(&mut source, token, wanted.interest()) {
            // The fallback still knows it: its interests were all taken back.
            Err(error) if RENEWED && error.kind() == io::ErrorKind::AlreadyExists => {
                registry.reregister(&mut source, token, wanted.interest())
            }
            result => result,
        };
    }
    match registry.reregister(&mut source, token, wanted.interest()) {
        // The fallback forgot it when it hung up.
        Err(error) if RENEWED && error.kind() == io::ErrorKind::NotFound => {
            registry.register(&mut source, token, wanted.interest())
        }
        result => result,
    }
}

/// Takes a socket back from the selector.
pub fn unwatch(registry: &Registry, io: &System) {
    let descriptor = io.as_raw_fd();
    // It may have been forgotten already; closing it ends every report in any case.
    let _ = registry.deregister(&mut SourceFd(&descriptor));
}
