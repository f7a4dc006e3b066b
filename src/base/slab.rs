//! Slots with generations: what a handle's key looks up.
//!
//! Free slots form a list through `next_free`, last freed first taken, so that
//! the hot slot stays in the cache. The generation counts the lives of a slot;
//! it goes up when the slot is vacated, and a slot whose generation would wrap
//! is retired: a stale key never finds a later tenant.

use super::handle::{GENERATION_BITS, SLOT_BITS};
use super::list::List;
use super::status::{rota_status, Result};
use allocator_api2::alloc::Allocator;

/// Names one life of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct Key {
    /// The index.
    pub slot: u32,
    /// Which life of it; at least 1 in a valid key.
    pub generation: u32,
}

const NONE: u32 = u32::MAX;
const LAST_GENERATION: u32 = (1 << GENERATION_BITS) - 1;

struct Slot<T> {
    generation: u32,
    next_free: u32,
    value: Option<T>,
}

/// A table of `T` that hands out keys and never mistakes an old one.
pub struct Slab<T, A: Allocator> {
    slots: List<Slot<T>, A>,
    free: u32,
    live: u32,
    first_generation: u32,
}

impl<T, A: Allocator> Slab<T, A> {
    /// An empty table whose slots begin with `first_generation` (at least 1).
    pub fn new(memory: A, first_generation: u32) -> Self {
        Slab { slots: List::new(memory), free: NONE, live: 0, first_generation: first_generation.max(1) }
    }

    /// How many slots are taken.
    pub fn len(&self) -> usize {
        self.live as usize
    }

    /// Whether no slot is taken.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Makes room for one more, so that the next `insert` cannot fail.
    pub fn reserve(&mut self) -> Result<()> {
        if self.free != NONE {
            return Ok(());
        }
        if self.slots.len() >= 1 << SLOT_BITS {
            return Err(rota_status::ROTA_ERR_LIMIT.into());
        }
        self.slots.reserve(1)
    }

    /// The key that the next `insert` will give, which then cannot fail.
    pub fn next_key(&mut self) -> Result<Key> {
        if self.free == NONE {
            self.add_slot()?;
        }
        Ok(Key { slot: self.free, generation: self.slots[self.free as usize].generation })
    }

    /// Puts `value` into a free slot. Inlined, and with no other use of `value`, so that it is built where it will stay
    /// instead of being copied there.
    #[inline]
    pub fn insert(&mut self, value: T) -> Result<Key> {
        if self.free == NONE {
            self.add_slot()?;
        }
        let slot = self.free;
        let entry = &mut self.slots[slot as usize];
        self.free = entry.next_free;
        entry.value = Some(value);
        self.live += 1;
        Ok(Key { slot, generation: entry.generation })
    }

    #[cold]
    fn add_slot(&mut self) -> Result<()> {
        if self.slots.len() >= 1 << SLOT_BITS {
            return Err(rota_status::ROTA_ERR_LIMIT.into());
        }
        let slot = self.slots.len() as u32;
        self.slots.push(Slot { generation: self.first_generation, next_free: NONE, value: None })?;
        self.free = slot;
        Ok(())
    }

    /// What `key` names, if it has not ended.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&T> {
        match self.slots.get(key.slot as usize) {
            Some(entry) if entry.generation == key.generation => entry.value.as_ref(),
            _ => None,
        }
    }

    /// What `key` names, if it has not ended.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slots.get_mut(key.slot as usize) {
            Some(entry) if entry.generation == key.generation => entry.value.as_mut(),
            _ => None,
        }
    }

    /// What stands in `slot`, whichever life it is in; for lists of slots that are known to be live.
    #[inline]
    pub fn at(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize).and_then(|entry| entry.value.as_ref())
    }

    /// As `at`, to change it.
    #[inline]
    pub fn at_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize).and_then(|entry| entry.value.as_mut())
    }

    /// The key of the life that `slot` is in now.
    #[inline]
    pub fn key_of(&self, slot: u32) -> Option<Key> {
        let entry = self.slots.get(slot as usize)?;
        entry.value.as_ref().map(|_| Key { slot, generation: entry.generation })
    }

    /// All that live, with their keys.
    pub fn each(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, entry)| {
            let value = entry.value.as_ref()?;
            Some((Key { slot: slot as u32, generation: entry.generation }, value))
        })
    }

    /// All that live, to change them.
    pub fn each_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(|entry| entry.value.as_mut())
    }

    /// Ends what `key` names and gives it back.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.slots.get_mut(key.slot as usize)?;
        if entry.generation != key.generation {
            return None;
        }
        let value = entry.value.take()?;
        self.vacate(key);
        Some(value)
    }

    /// Ends what `key` names, where it stands. Whether there was such a thing.
    #[inline]
    pub fn discard(&mut self, key: Key) -> bool {
        if self.get(key).is_none() {
            return false;
        }
        self.slots[key.slot as usize].value = None;
        self.vacate(key);
        true
    }

    #[inline]
    fn vacate(&mut self, key: Key) {
        self.live -= 1;
        let entry = &mut self.slots[key.slot as usize];
        if entry.generation < LAST_GENERATION {
            entry.generation += 1;
            entry.next_free = self.free;
            self.free = key.slot;
        }
    }

    /// The key of the first live slot at or after `slot`: `next(0)`, then `next(key.slot + 1)`, walks them all.
    pub fn next(&self, slot: u32) -> Option<Key> {
        (slot..self.slots.len() as u32).find_map(|slot| self.key_of(slot))
    }

    /// The highest generation that any slot has reached: a table that follows begins above it.
    pub fn last_generation(&self) -> u32 {
        self.slots.iter().map(|entry| entry.generation).max().unwrap_or(self.first_generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocator_api2::alloc::Global;

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut slab = Slab::new(Global, 1);
        let next = slab.next_key().unwrap();
        let first = slab.insert('a').unwrap();
        assert_eq!(first, next);
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b').unwrap();
        assert_eq!(first.slot, second.slot);
        assert_eq!(slab.remove(first), None);
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&'b')));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn a_slot_is_retired_before_its_generation_wraps() {
        let mut slab = Slab::new(Global, LAST_GENERATION - 1);
        let first = slab.insert(1).unwrap();
        slab.remove(first);
        let last = slab.insert(2).unwrap();
        assert_eq!((last.slot, last.generation), (0, LAST_GENERATION));
        slab.remove(last);
        assert_eq!(slab.insert(3).unwrap().slot, 1);
        assert_eq!((slab.get(last), slab.get(Key { slot: 0, generation: 0 })), (None, None));
    }

    #[test]
    fn next_walks_the_live_ones() {
        let mut slab = Slab::new(Global, 1);
        let keys: Vec<Key> = (0..5).map(|n| slab.insert(n).unwrap()).collect();
        slab.remove(keys[1]);
        slab.remove(keys[4]);
        let mut seen = Vec::new();
        let mut at = 0;
        while let Some(key) = slab.next(at) {
            seen.push(*slab.get(key).unwrap());
            at = key.slot + 1;
        }
        assert_eq!(seen, [0, 2, 3]);
    }
}
