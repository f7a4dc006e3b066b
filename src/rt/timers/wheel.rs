//! The wheel itself: which slot a time belongs to, and the lists of the slots.
//!
//! Level 0 has 64 slots of 2^14 ns (16 us), and every level above has 64 slots,
//! each as long as the whole level below. The highest group of bits in which a
//! time differs from `elapsed` names the level, the time's own bits there name
//! the slot:
//!
//! ```text
//!  bits 63..62   61..56          25..20     19..14     13..0
//!      level 8  level 7  . . .  level 1    level 0    not looked at
//!       146 y     2.3 y           1 ms       16 us     a slot's length
//!
//!            |elapsed
//!  level 1   [ ][#][ ][b][ ][ ] . . .      # is what level 0 spreads out
//!            .   `--------------.
//!  level 0   [ ][e][a][ ][ ] . . [ ]       e holds what is due soon or overdue
//! ```
//!
//! So whatever stands on a level is later than all that stands below it, and
//! slots of one level come up in the order of their numbers. Above level 0 the
//! slot of `elapsed` itself is always empty: its content is on lower levels.
//!
//! A slot is a doubly linked list through the entries of the slab. It is in no
//! order: what comes due is sorted then.

use super::Entry;
use crate::base::Slab;
use allocator_api2::alloc::Allocator;

/// Levels that it takes to cover 64 bits.
pub const LEVELS: usize = 9;
const SLOTS: usize = 64;
const TICK_BITS: u32 = 14;
const LEVEL_BITS: u32 = 6;

/// No entry: the end of a list.
pub const NONE: u32 = u32::MAX;
/// No place: the entry stands in no slot.
pub const NOWHERE: u16 = u16::MAX;

/// The heads of the slots, and the time that they are seen from.
pub struct Wheel {
    elapsed: u64,
    occupied: [u64; LEVELS],
    heads: [u32; LEVELS * SLOTS],
}

fn shift(level: usize) -> u32 {
    TICK_BITS + LEVEL_BITS * level as u32
}

impl Wheel {
    /// An empty wheel that stands at `now`.
    pub fn new(now: u64) -> Self {
        Wheel { elapsed: now, occupied: [0; LEVELS], heads: [NONE; LEVELS * SLOTS] }
    }

    /// The place of a time; all that is past belongs to the slot that is up.
    #[inline]
    fn place(&self, time: u64) -> u16 {
        let time = time.max(self.elapsed);
        let differing = (time ^ self.elapsed) >> TICK_BITS | 1;
        let level = (63 - differing.leading_zeros()) / LEVEL_BITS;
        let slot = time >> shift(level as usize) & (SLOTS as u64 - 1);
        (level as u16) << LEVEL_BITS | slot as u16
    }

    /// When the slot at an occupied place begins.
    #[inline]
    pub fn start(&self, place: u16) -> u64 {
        let level = usize::from(place >> LEVEL_BITS);
        let slot = u64::from(place) & (SLOTS as u64 - 1);
        // On the highest level nothing stands above the slot's own bits.
        let above = self.elapsed.checked_shr(shift(level + 1)).unwrap_or(0);
        (above << LEVEL_BITS | slot) << shift(level)
    }

    /// The last moment of the slot at an occupied place.
    pub fn end(&self, place: u16) -> u64 {
        self.start(place) | ((1 << shift(usize::from(place >> LEVEL_BITS))) - 1)
    }

    /// Whether an entry at `place` would be looked at early enough for `time`.
    #[inline]
    pub fn covers(&self, place: u16, time: u64) -> bool {
        place != NOWHERE && self.start(place) <= time.max(self.elapsed)
    }

    /// The occupied place that comes up first.
    pub fn first(&self) -> Option<u16> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        Some((level as u16) << LEVEL_BITS | self.occupied[level].trailing_zeros() as u16)
    }

    /// The entry that the list at `place` begins with.
    pub fn head(&self, place: u16) -> u32 {
        self.heads[usize::from(place)]
    }

    /// Empties the slot at `place` and hands out the list it had.
    pub fn detach(&mut self, place: u16) -> u32 {
        self.occupied[usize::from(place >> LEVEL_BITS)] &= !(1 << (place & (SLOTS as u16 - 1)));
        core::mem::replace(&mut self.heads[usize::from(place)], NONE)
    }

    /// Moves on to `now`. Gives, for each level, the slots that have come up: they must be emptied,
    /// from the lowest level to the highest, before anything but that is asked of the wheel.
    pub fn advance(&mut self, now: u64) -> [u64; LEVELS] {
        let mut ripe = [0; LEVELS];
        for (level, ripe) in ripe.iter_mut().enumerate() {
            let above = shift(level + 1);
            let next_round = (self.elapsed ^ now).checked_shr(above).is_some_and(|bits| bits != 0);
            if next_round {
                *ripe = self.occupied[level];
                continue;
            }
            let slot = now >> shift(level) & (SLOTS as u64 - 1);
            *ripe = self.occupied[level] & (u64::MAX >> (SLOTS as u64 - 1 - slot));
            break;
        }
        self.elapsed = now;
        ripe
    }

    /// Puts an entry that stands nowhere into the slot of its deadline.
    #[inline]
    pub fn link<T: Copy, A: Allocator>(&mut self, entries: &mut Slab<Entry<T>, A>, at: u32) {
        let Some(entry) = entries.at_mut(at) else { return };
        let place = self.place(entry.deadline);
        let head = &mut self.heads[usize::from(place)];
        let second = core::mem::replace(head, at);
        entry.place = place;
        entry.previous = NONE;
        entry.next = second;
        if let Some(second) = entries.at_mut(second) {
            second.previous = at;
        }
        self.occupied[usize::from(place >> LEVEL_BITS)] |= 1 << (place & (SLOTS as u16 - 1));
    }

    /// Takes an entry out of its slot, if it stands in one.
    #[inline]
    pub fn unlink<T: Copy, A: Allocator>(&mut self, entries: &mut Slab<Entry<T>, A>, at: u32) {
        let Some(entry) = entries.at_mut(at) else { return };
        let place = core::mem::replace(&mut entry.place, NOWHERE);
        if place == NOWHERE {
            return;
        }
        let (previous, next) = (entry.previous, entry.next);
        if let Some(next) = entries.at_mut(next) {
            next.previous = previous;
        }
        if let Some(previous) = entries.at_mut(previous) {
            previous.next = next;
        } else if next == NONE {
            self.detach(place);
        } else {
            self.heads[usize::from(place)] = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_within_the_slot_of_its_place() {
        let times = (0..64).flat_map(|bit| [1 << bit, (1 << bit) - 1, (1 << bit) + 12345, u64::MAX - (1 << bit)]);
        for elapsed in times.clone() {
            let wheel = Wheel::new(elapsed);
            for time in times.clone().filter(|time| *time >= elapsed) {
                let place = wheel.place(time);
                assert!((wheel.start(place)..=wheel.end(place)).contains(&time), "{elapsed} {time}");
                let up = wheel.start(place) <= elapsed;
                assert_eq!(up, place < 64 && time >> TICK_BITS == elapsed >> TICK_BITS, "{elapsed} {time}");
            }
        }
    }

    #[test]
    fn later_places_come_up_later() {
        let wheel = Wheel::new(0x0123_4567_89AB_CDEF);
        let mut last = 0;
        for place in (0..LEVELS as u16 * 64).filter(|place| wheel.start(*place) > wheel.elapsed && *place < 8 * 64 + 4)
        {
            assert!(wheel.start(place) > last);
            last = wheel.end(place);
        }
        assert_eq!(last, u64::MAX);
    }
}
