//! Mappings out of which stacks are carved.
//!
//! A stack is carved once: its guard is made then, and stays. One that is given back loses its pages and is free
//! for the next of its class. Arenas begin small and double, so that a loop with three tasks reserves little, and one
//! with a million needs few. An arena that is wholly free is unmapped, but for one of each class.

use super::guard::{Crowding, Guards};
use super::{pages, size_of_class, Home, Stack, CLASSES};
use crate::base::{limits, rota_status, Key, Result};
use crate::sys::{Memory, Slab};
use core::ptr::NonNull;

/// Stacks that an arena has at most: a bit for each says whether it is free.
const MOST: usize = 1024;
const WORD: usize = u64::BITS as usize;

struct Arena {
    start: NonNull<u8>,
    count: usize,
    /// How many have been carved so far: those are in use or free.
    carved: usize,
    /// How many are in use.
    out: usize,
    /// Mappings that the guards cost.
    mappings: usize,
    free: [u64; MOST / WORD],
}

impl Arena {
    fn has_room(&self) -> bool {
        self.out < self.count
    }

    /// A carved stack that is free, the lowest.
    fn take_free(&mut self) -> Option<usize> {
        let word = self.free.iter().position(|word| *word != 0)?;
        let bit = self.free[word].trailing_zeros() as usize;
        self.free[word] &= !(1 << bit);
        Some(word * WORD + bit)
    }
}

/// The arenas of one class.
struct Class {
    arenas: Slab<Arena>,
    /// The one that was carved from last.
    current: Option<Key>,
    /// One that is wholly free, and stays.
    spare: Option<Key>,
    /// Stacks that all arenas together have.
    capacity: usize,
    /// Stacks in use.
    out: usize,
}

/// A loop's arenas.
pub struct Arenas {
    classes: [Class; CLASSES],
    guards: Guards,
}

fn stride(class: usize) -> usize {
    size_of_class(class).next_multiple_of(pages::page_size()) + limits::STACK_GUARD
}

impl Arenas {
    /// None yet.
    pub fn new(memory: &Memory) -> Self {
        let class = |_| Class { arenas: Slab::new(memory.clone(), 1), current: None, spare: None, capacity: 0, out: 0 };
        Arenas { classes: core::array::from_fn(class), guards: Guards::new() }
    }

    /// A stack of a class, and whether it is all zeros.
    pub fn take(&mut self, class: usize) -> Result<(Stack, bool)> {
        let key = match self.with_room(class) {
            Some(key) => key,
            None => self.map(class)?,
        };
        let of = &mut self.classes[class];
        let arena = of.arenas.get_mut(key).ok_or(rota_status::ROTA_ERR_MEMORY)?;
        let stride = stride(class);
        let (index, fresh) = match arena.take_free() {
            Some(index) => (index, false),
            None => (arena.carved, true),
        };
        // SAFETY: `index` is below `count`, since the arena has room, so the address lies within its mapping.
        let bottom = unsafe { arena.start.add(index * stride) };
        if fresh {
            // SAFETY: these pages were never handed out.
            arena.mappings += unsafe { self.guards.put(bottom)? };
            arena.carved += 1;
        }
        arena.out += 1;
        of.out += 1;
        of.current = Some(key);
        let home = Home::Arena { class: class as u8, index: index as u16, arena: key };
        Ok((Stack { bottom, size: stride, home }, fresh || pages::GIVEN_UP_ARE_ZERO))
    }

    /// An arena that has room: the last one used, or the first.
    fn with_room(&self, class: usize) -> Option<Key> {
        let of = &self.classes[class];
        if of.out == of.capacity {
            return None;
        }
        let has_room = |key: &Key| of.arenas.get(*key).is_some_and(Arena::has_room);
        if let Some(key) = of.current.filter(has_room) {
            return Some(key);
        }
        let mut at = 0;
        while let Some(key) = of.arenas.next(at) {
            if has_room(&key) {
                return Some(key);
            }
            at = key.slot + 1;
        }
        None
    }

    /// A new arena; a small one where there is no address space for a large one.
    fn map(&mut self, class: usize) -> Result<Key> {
        let of = &mut self.classes[class];
        of.arenas.reserve()?;
        let stride = stride(class);
        let first = (limits::ARENA_FIRST / stride).clamp(1, limits::ARENA_FIRST_STACKS);
        let most = (limits::ARENA_MOST / stride).clamp(1, MOST);
        let mut count = of.capacity.clamp(first, most.max(first));
        let start = loop {
            match pages::map(count * stride) {
                Ok(start) => break start,
                Err(error) if count == 1 => return Err(error),
                Err(_) => count /= 2,
            }
        };
        let arena = Arena { start, count, carved: 0, out: 0, mappings: 0, free: [0; MOST / WORD] };
        let key = of.arenas.insert(arena)?;
        of.capacity += count;
        Ok(key)
    }

    /// Takes a stack back on which nobody runs any more.
    pub fn give_back(&mut self, stack: Stack) {
        let Home::Arena { class, index, arena: key } = stack.home else { return };
        // SAFETY: whole pages of a mapping of ours, on which nobody runs any more.
        unsafe { pages::give_up(stack.bottom.add(limits::STACK_GUARD), stack.span().size()) };
        let of = &mut self.classes[class as usize];
        let Some(arena) = of.arenas.get_mut(key) else { return };
        arena.free[index as usize / WORD] |= 1 << (index as usize % WORD);
        arena.out -= 1;
        of.out -= 1;
        if arena.out == 0 {
            self.unused(class as usize, key);
        }
    }

    /// An arena is wholly free: one stays.
    fn unused(&mut self, class: usize, key: Key) {
        let of = &mut self.classes[class];
        let is_unused = |key: &Key| of.arenas.get(*key).is_some_and(|arena| arena.out == 0);
        match of.spare.filter(is_unused) {
            Some(spare) if spare != key => {
                let Some(arena) = of.arenas.get(key) else { return };
                // SAFETY: mapped in `map` with this size; none of its stacks is in use.
                if unsafe { pages::unmap(arena.start, arena.count * stride(class)) } {
                    self.guards.taken_away(arena.mappings);
                    of.capacity -= arena.count;
                    of.arenas.discard(key);
                }
            }
            _ => of.spare = Some(key),
        }
    }

    /// Whether far more is mapped than is in use: then those who keep stacks for later should keep fewer.
    pub fn is_sparse(&self, class: usize) -> bool {
        let of = &self.classes[class];
        of.capacity > 4 * of.out.max(limits::ARENA_FIRST_STACKS)
    }

    /// Whether guards use up the process's mappings; said once.
    pub fn crowding(&mut self) -> Option<Crowding> {
        self.guards.crowding()
    }

    /// Address space that is mapped.
    pub fn mapped_bytes(&self) -> usize {
        self.classes.iter().enumerate().map(|(class, of)| of.capacity * stride(class)).sum()
    }
}

impl Drop for Arenas {
    /// Arenas of which a stack is still in use stay for ever.
    fn drop(&mut self) {
        for (class, of) in self.classes.iter_mut().enumerate() {
            let mut at = 0;
            while let Some(key) = of.arenas.next(at) {
                at = key.slot + 1;
                if let Some(arena) = of.arenas.get(key).filter(|arena| arena.out == 0) {
                    // SAFETY: mapped in `map` with this size; none of its stacks is in use.
                    if unsafe { pages::unmap(arena.start, arena.count * stride(class)) } {
                        self.guards.taken_away(arena.mappings);
                    }
                }
            }
        }
    }
}
