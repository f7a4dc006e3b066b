//! What ends a loop's wait from any thread.
//!
//! `asked` makes many wakes cost one write: it goes up with the first and down
//! when the loop has come out of its wait. It goes down *before* the loop looks
//! into its inbox:
//!
//! ```text
//!   poster:  push to the inbox ─▶ raise asked ─▶ was it down? then write
//!   loop:    wait ─▶ lower asked ─▶ look into the inbox
//! ```
//!
//! A poster that finds it up raised it before the loop lowered it, so the loop
//! sees the push; one that comes after finds it down and writes. The loop does
//! not wait at all while it is up: the write may still be on its way, and mio's
//! poll fallback can swallow one while it changes its table.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Ends the wait of one loop. Clones do the same; one may outlive the loop and then does nothing.
#[derive(Clone)]
pub struct Waker(Arc<State>);

struct State {
    asked: AtomicBool,
    system: mio::Waker,
}

impl Waker {
    pub(super) fn new(registry: &mio::Registry, token: mio::Token) -> std::io::Result<Self> {
        Ok(Waker(Arc::new(State { asked: AtomicBool::new(false), system: mio::Waker::new(registry, token)? })))
    }

    /// Ends the wait under way, or the next one. Whether this call had to tell the system.
    pub fn wake(&self) -> bool {
        if self.0.asked.swap(true, Ordering::AcqRel) {
            return false;
        }
        if self.0.system.wake().is_err() {
            // Nothing was written, so the next one must try again.
            self.0.asked.store(false, Ordering::Release);
        }
        true
    }

    /// Whether a wake stands that the loop has not seen.
    pub(super) fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Acquire)
    }

    /// The loop has come out of its wait.
    pub(super) fn answer(&self) {
        if self.0.asked.load(Ordering::Relaxed) {
            // Not a plain store: it must see what was pushed before the flag was raised.
            self.0.asked.swap(false, Ordering::AcqRel);
        }
    }
}
