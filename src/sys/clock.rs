//! Where a loop's time comes from: the system, the host, or the caller's hand.

use super::host::HostClock;
use crate::base::{rota_status, Result};
use core::cell::Cell;

/// The system's monotonic clock.
pub const ROTA_CLOCK_SYSTEM: u32 = 0;
/// A clock that moves only by rota_loop_advance().
pub const ROTA_CLOCK_VIRTUAL: u32 = 1;
/// As ROTA_CLOCK_VIRTUAL, and it jumps to the next deadline when nothing else
/// is ready.
pub const ROTA_CLOCK_VIRTUAL_JUMP: u32 = 2;
/// The host's clock hook.
pub const ROTA_CLOCK_HOST: u32 = 3;

/// A loop's clock, in nanoseconds since some fixed moment.
pub enum Clock {
    /// CLOCK_MONOTONIC.
    System,
    /// Moves only when advanced.
    Virtual {
        /// The time.
        now: u64,
    },
    /// Moves when advanced, and to the next deadline when the loop is idle.
    VirtualJump {
        /// The time.
        now: u64,
    },
    /// The host's, and the latest time it gave.
    Host(HostClock, Cell<u64>),
}

impl Clock {
    /// A clock of one of the ROTA_CLOCK_... kinds; virtual ones begin at 0.
    pub fn new(kind: u32, hook: Option<HostClock>) -> Result<Self> {
        match (kind, hook) {
            (ROTA_CLOCK_SYSTEM, _) => Ok(Clock::System),
            (ROTA_CLOCK_VIRTUAL, _) => Ok(Clock::Virtual { now: 0 }),
            (ROTA_CLOCK_VIRTUAL_JUMP, _) => Ok(Clock::VirtualJump { now: 0 }),
            (ROTA_CLOCK_HOST, Some(hook)) => Ok(Clock::Host(hook, Cell::new(0))),
            _ => Err(rota_status::ROTA_ERR_INVALID.into()),
        }
    }

    /// The time; it never goes back.
    #[inline]
    pub fn now(&self) -> u64 {
        match self {
            Clock::System => monotonic(),
            Clock::Virtual { now } | Clock::VirtualJump { now } => *now,
            Clock::Host(hook, last) => {
                last.set(hook.call().max(last.get()));
                last.get()
            }
        }
    }

    /// Moves a virtual clock forward; it stops at the end of time.
    pub fn advance(&mut self, delta_ns: u64) -> Result<()> {
        match self {
            Clock::Virtual { now } | Clock::VirtualJump { now } => {
                *now = now.saturating_add(delta_ns);
                Ok(())
            }
            _ => Err(rota_status::ROTA_ERR_UNSUPPORTED.into()),
        }
    }

    /// Whether the system's time has no meaning for it: waiting does not bring a deadline nearer.
    pub fn is_virtual(&self) -> bool {
        matches!(self, Clock::Virtual { .. } | Clock::VirtualJump { .. })
    }

    /// Whether it jumps to the next deadline when the loop is idle.
    pub fn jumps(&self) -> bool {
        matches!(self, Clock::VirtualJump { .. })
    }
}

/// CLOCK_MONOTONIC in nanoseconds; waits are measured by the same clock.
#[inline]
pub fn monotonic() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours to be written.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::c_void;

    unsafe extern "C" fn from_cell(user_data: *mut c_void) -> u64 {
        // SAFETY: the test passes a live `Cell<u64>`.
        unsafe { &*user_data.cast::<Cell<u64>>() }.get()
    }

    #[test]
    fn a_host_clock_that_goes_back_stands_still() {
        let time = Cell::new(10u64);
        // SAFETY: `time` outlives the clock.
        let hook = unsafe { HostClock::new(from_cell, core::ptr::from_ref(&time).cast_mut().cast()) };
        let clock = Clock::new(ROTA_CLOCK_HOST, Some(hook)).ok().unwrap();
        let mut seen = Vec::new();
        for now in [10, 12, 7, 13] {
            time.set(now);
            seen.push(clock.now());
        }
        assert_eq!(seen, [10, 12, 12, 13]);
    }

    #[test]
    fn only_virtual_clocks_are_advanced() {
        let mut clock = Clock::new(ROTA_CLOCK_VIRTUAL_JUMP, None).ok().unwrap();
        clock.advance(5).unwrap();
        assert_eq!((clock.now(), clock.is_virtual(), clock.jumps()), (5, true, true));
        clock.advance(u64::MAX).unwrap();
        assert_eq!(clock.now(), u64::MAX);
        let mut system = Clock::System;
        assert_eq!(system.advance(1).unwrap_err().status, rota_status::ROTA_ERR_UNSUPPORTED);
        let before = system.now();
        assert!(before > 0 && system.now() >= before && !system.is_virtual());
        assert!(Clock::new(ROTA_CLOCK_HOST, None).is_err() && Clock::new(4, None).is_err());
    }
}
