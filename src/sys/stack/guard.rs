//! What lies below a stack.
//!
//! Where the kernel has lightweight guards (Linux 6.13) they are marks in its page tables and cost no mapping.
//! Elsewhere a guard is a mapping of its own, which splits the arena's: two more for each stack, and a process may have
//! so many only (vm.max_map_count, 65530 as a rule). We count those that we made, in the whole process, and say so
//! before the end is reached.

use super::pages;
use crate::base::{limits, Result};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Mappings that guards have cost so far, of all loops of the process: the limit is the process's too.
static MAPPINGS: AtomicUsize = AtomicUsize::new(0);

/// Mappings that one guard costs: its own, and the stack's, which it cuts off.
const MAPPINGS_PER_GUARD: usize = 2;

/// Guards have used up most of the mappings that the process may have.
#[derive(Clone, Copy, Debug)]
pub struct Crowding {
    /// What they have taken.
    pub mappings: usize,
    /// What the process may have.
    pub limit: usize,
}

/// How one loop makes its guards.
pub struct Guards {
    lightly: bool,
    /// How many mappings the process may have; read when the first guard takes some.
    limit: Option<usize>,
    crowding: Option<Crowding>,
    said: bool,
}

impl Guards {
    /// Lightweight ones, until the kernel says that it has none.
    pub fn new() -> Self {
        Guards { lightly: true, limit: None, crowding: None, said: false }
    }

    /// Puts a guard at `start`; how many mappings that took.
    ///
    /// # Safety
    /// The pages are part of an arena, and no stack.
    pub unsafe fn put(&mut self, start: NonNull<u8>) -> Result<usize> {
        // SAFETY: the caller's word.
        if self.lightly && unsafe { pages::guard_lightly(start, limits::STACK_GUARD)? } {
            return Ok(0);
        }
        self.lightly = false;
        // SAFETY: the caller's word.
        unsafe { pages::guard_by_mapping(start, limits::STACK_GUARD)? };
        let mappings = MAPPINGS.fetch_add(MAPPINGS_PER_GUARD, Ordering::Relaxed) + MAPPINGS_PER_GUARD;
        let limit = *self.limit.get_or_insert_with(mappings_allowed);
        if !self.said && mappings >= limit / 4 * 3 {
            self.said = true;
            self.crowding = Some(Crowding { mappings, limit });
        }
        Ok(MAPPINGS_PER_GUARD)
    }

    /// So many mappings are gone.
    pub fn taken_away(&self, mappings: usize) {
        MAPPINGS.fetch_sub(mappings, Ordering::Relaxed);
    }

    /// Whether the mappings run out, once.
    pub fn crowding(&mut self) -> Option<Crowding> {
        self.crowding.take()
    }
}

/// How many mappings a process may have, where there is a limit that can be read.
fn mappings_allowed() -> usize {
    use std::io::Read;
    let mut text = [0; 24];
    let read = std::fs::File::open("/proc/sys/vm/max_map_count").and_then(|mut file| file.read(&mut text));
    let digits = text[..read.unwrap_or(0)].trim_ascii();
    core::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX)
}
