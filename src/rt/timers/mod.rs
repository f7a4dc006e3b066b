//! Timers: armed, moved and cancelled in constant time, never early, in order.
//!
//! A timer is an entry in a slab, found by its key. While it waits it stands in
//! a slot of the wheel (`wheel.rs`). `expire` looks at the slots that have come
//! up: what is due goes to the due list, which is sorted by deadline and then
//! by age; the rest moves to the finer slot that it belongs to now.
//!
//! ```text
//!            arm                expire               pop_due
//!    T ------------> armed ------------> due -----------------> firing
//!                    |  ^                 |  |                   |  |  |
//!                    |  `---- rearm ------+--)-------------------'  |  | finish
//!                    `------- cancel --------+----------------------'  v
//!                               `--------------------------------> ended
//! ```
//!
//! A timer that fires keeps its slot, so that its callback may still re-arm it,
//! until `finish`. Only then does its key go stale.
//!
//! **Re-arming is lazy.** A slot only has to come up in time: where the slot that
//! an entry stands in begins no later than the new deadline, only deadline and
//! age are written. The entry moves when its slot comes up, which is once for
//! any number of re-armings: a timeout pushed away by every byte costs one store.
//!
//! **The due list has stale records** where a due timer was cancelled or re-armed.
//! A record counts only while its entry is due with the same sequence number.
//! Arming reserves room for all timers there are, so `expire` needs no memory.
//!
//! **The bound** is a time before which nothing is due. Arming keeps it exact; when
//! the timer that it came from goes away, `settled` is cleared and the next
//! `next_wakeup` looks for a better one, moving lazily re-armed entries as it goes,
//! with a limit on how much it looks at.

mod wheel;

use crate::base::{Key, List, Result, Slab};
use allocator_api2::alloc::Allocator;
use wheel::{Wheel, LEVELS, NONE, NOWHERE};

/// The deadline of a timer that never fires.
pub const NEVER: u64 = u64::MAX;
/// Entries that one search for the next wake-up looks at: enough to be exact where timers are few,
/// and less than a microsecond where they are many.
const SEARCH_LIMIT: u32 = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits for its deadline, in the wheel unless that is `NEVER`.
    Armed,
    /// Waits in the due list.
    Due,
    /// Was popped; `finish` ends it.
    Firing,
}

/// One timer. The links and the place belong to the wheel. In this order what a lazy re-arming
/// touches lies together, next to the slab's generation: most often in one cache line.
#[repr(C)]
pub(crate) struct Entry<T> {
    payload: T,
    next: u32,
    previous: u32,
    deadline: u64,
    sequence: u64,
    place: u16,
    state: State,
}

/// Which arming of which timer has become due.
#[derive(Clone, Copy)]
struct Due {
    deadline: u64,
    sequence: u64,
    key: Key,
}

/// All timers of a loop; `T` is what is to happen.
pub struct Timers<T: Copy, A: Allocator + Clone> {
    entries: Slab<Entry<T>, A>,
    wheel: Wheel,
    /// Sorted from `due_head` on; before that popped already.
    due: List<Due, A>,
    due_head: usize,
    /// How many entries are in state `Due`.
    due_live: usize,
    /// The number of armings so far: a timer's age.
    armings: u64,
    /// The latest time that was seen.
    now: u64,
    /// No armed timer's deadline is before this.
    bound: u64,
    /// Whether looking for a later bound is of no use.
    settled: bool,
}

impl<T: Copy, A: Allocator + Clone> Timers<T, A> {
    /// No timers, at the time `now`. Keys begin with `first_generation`.
    pub fn new(memory: A, first_generation: u32, now: u64) -> Self {
        Timers {
            entries: Slab::new(memory.clone(), first_generation),
            wheel: Wheel::new(now),
            due: List::new(memory),
            due_head: 0,
            due_live: 0,
            armings: 0,
            now,
            bound: NEVER,
            settled: true,
        }
    }

    /// How many timers there are: armed, due or firing.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is to happen when the timer fires.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&T> {
        self.entries.get(key).map(|entry| &entry.payload)
    }

    /// What is to happen when the timer fires, to change it.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.entries.get_mut(key).map(|entry| &mut entry.payload)
    }

    /// The first timer in a slot at or after `slot`, whatever its state.
    pub fn next(&self, slot: u32) -> Option<Key> {
        self.entries.next(slot)
    }

    /// What is to happen, for all timers there are.
    pub fn each(&self) -> impl Iterator<Item = &T> {
        self.entries.each().map(|(_, entry)| &entry.payload)
    }

    /// When it fires, or fired where it is firing.
    #[inline]
    pub fn deadline(&self, key: Key) -> Option<u64> {
        self.entries.get(key).map(|entry| entry.deadline)
    }

    /// Whether it was popped, and has neither been finished nor re-armed since.
    pub fn is_firing(&self, key: Key) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.state == State::Firing)
    }

    /// The highest generation that any slot has reached.
    pub fn last_generation(&self) -> u32 {
        self.entries.last_generation()
    }

    /// A new timer that fires at `deadline`, or at the next `expire` where that is past.
    pub fn arm(&mut self, deadline: u64, payload: T) -> Result<Key> {
        let needed = self.entries.len() + 1;
        if self.due.capacity() < needed {
            self.due.reserve(needed - self.due.len())?;
        }
        let sequence = self.armings;
        let (next, previous, place, state) = (NONE, NONE, NOWHERE, State::Armed);
        let key = self.entries.insert(Entry { deadline, sequence, next, previous, place, state, payload })?;
        self.armings += 1;
        if deadline != NEVER {
            self.wheel.link(&mut self.entries, key.slot);
        }
        self.came(deadline);
        Ok(key)
    }

    /// Gives the timer a new deadline and the age of a new one, whatever state it is in.
    /// Where it was due or firing it is armed again. False where the key is stale.
    #[inline]
    pub fn rearm(&mut self, key: Key, deadline: u64) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        let left = core::mem::replace(&mut entry.deadline, deadline);
        entry.sequence = self.armings;
        self.armings += 1;
        let before = core::mem::replace(&mut entry.state, State::Armed);
        if deadline == NEVER || !self.wheel.covers(entry.place, deadline) {
            self.wheel.unlink(&mut self.entries, key.slot);
            if deadline != NEVER {
                self.wheel.link(&mut self.entries, key.slot);
            }
        }
        self.went(before, left);
        self.came(deadline);
        true
    }

    /// Ends the timer, whatever state it is in, and gives back what was to happen.
    #[inline]
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        self.entries.get(key)?;
        self.wheel.unlink(&mut self.entries, key.slot);
        let entry = self.entries.remove(key)?;
        self.went(entry.state, entry.deadline);
        Some(entry.payload)
    }

    /// When to call `expire` next: no later than the earliest deadline, and later than now unless
    /// something is due. Exact, or where very many timers are near each other a time from which
    /// the next answer is better. None where nothing will ever be due.
    pub fn next_wakeup(&mut self) -> Option<u64> {
        if self.due_live > 0 {
            return Some(self.now);
        }
        if !self.settled {
            self.settle();
        }
        (self.bound != NEVER).then_some(self.bound)
    }

    /// Makes due what is due at `now`; `pop_due` hands it out. A clock that went back stands still.
    pub fn expire(&mut self, now: u64) {
        self.now = self.now.max(now);
        if self.now < self.bound || self.bound == NEVER {
            return;
        }
        self.tidy_due();
        let sorted = self.due.len();
        let ripe = self.wheel.advance(self.now);
        for (level, mut slots) in ripe.into_iter().enumerate().take(LEVELS) {
            while slots != 0 {
                self.empty((level as u16) << 6 | slots.trailing_zeros() as u16);
                slots &= slots - 1;
            }
        }
        self.settled = false;
        if self.due.len() > sorted {
            self.due.sort_unstable_by_key(|due| (due.deadline, due.sequence));
        }
    }

    /// The next timer that is due, by deadline and then by age. It is firing until `finish`.
    pub fn pop_due(&mut self) -> Option<(Key, T)> {
        while let Some(due) = self.due.get(self.due_head).copied() {
            self.due_head += 1;
            match self.entries.get_mut(due.key) {
                Some(entry) if entry.state == State::Due && entry.sequence == due.sequence => {
                    entry.state = State::Firing;
                    self.due_live -= 1;
                    return Some((due.key, entry.payload));
                }
                _ => {}
            }
        }
        self.tidy_due();
        None
    }

    /// After a popped timer was served: ends it, unless it was re-armed or cancelled meanwhile.
    /// Says whether this call ended it.
    #[inline]
    pub fn finish(&mut self, key: Key) -> bool {
        self.is_firing(key) && self.entries.remove(key).is_some()
    }

    /// A timer is armed for `deadline` now.
    #[inline]
    fn came(&mut self, deadline: u64) {
        if deadline <= self.bound {
            self.bound = deadline;
            self.settled = true;
        }
    }

    /// A timer that was in state `before` no longer waits for `deadline`.
    #[inline]
    fn went(&mut self, before: State, deadline: u64) {
        match before {
            State::Armed if deadline == self.bound => self.settled = false,
            State::Due => self.due_live -= 1,
            State::Armed | State::Firing => {}
        }
    }

    /// Drops the records that are popped or stale, so that there is room for every timer again.
    fn tidy_due(&mut self) {
        if self.due_live == 0 {
            self.due.clear();
        } else if self.due_live < self.due.len() {
            self.due.drop_front(self.due_head);
            let entries = &self.entries;
            self.due.retain(|due| {
                entries.get(due.key).is_some_and(|entry| entry.state == State::Due && entry.sequence == due.sequence)
            });
        }
        self.due_head = 0;
    }

    /// Takes the entries out of a slot that has come up: to the due list, or to where they belong now.
    fn empty(&mut self, place: u16) {
        let mut at = self.wheel.detach(place);
        while let Some(key) = self.entries.key_of(at) {
            let Some(entry) = self.entries.at_mut(at) else { return };
            at = entry.next;
            entry.place = NOWHERE;
            let due = Due { deadline: entry.deadline, sequence: entry.sequence, key };
            if due.deadline <= self.now && self.due.push(due).is_ok() {
                entry.state = State::Due;
                self.due_live += 1;
            } else {
                self.wheel.link(&mut self.entries, key.slot);
            }
        }
    }

    /// Looks for the best bound that `SEARCH_LIMIT` entries can tell.
    fn settle(&mut self) {
        self.settled = true;
        let mut budget = SEARCH_LIMIT;
        while let Some(place) = self.wheel.first() {
            // A bound that has passed must give way to an exact one, or the caller would not wait.
            let limited = self.bound > self.now || self.wheel.start(place) > self.now;
            let end = self.wheel.end(place);
            let mut least = NEVER;
            let mut at = self.wheel.head(place);
            while let Some(entry) = self.entries.at(at) {
                if limited && budget == 0 {
                    self.bound = self.bound.max(self.wheel.start(place));
                    return;
                }
                budget = budget.saturating_sub(1);
                let (slot, deadline) = (at, entry.deadline);
                at = entry.next;
                if deadline <= end {
                    least = least.min(deadline);
                } else {
                    self.wheel.unlink(&mut self.entries, slot);
                    self.wheel.link(&mut self.entries, slot);
                }
            }
            if least != NEVER {
                self.bound = least;
                return;
            }
        }
        self.bound = NEVER;
    }
}

#[cfg(test)]
mod tests;
