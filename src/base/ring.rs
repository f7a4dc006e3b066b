//! A queue in a ring: first in, first out, in memory that is reused.

use super::list::List;
use super::status::Result;
use allocator_api2::alloc::Allocator;

/// The size that the first push allocates.
const FIRST_CAPACITY: usize = 64;

/// A growable queue of small values.
///
/// `head` and `tail` count for ever and are masked into the array, whose size
/// is a power of two: `tail - head` is the length, empty and full are told apart.
pub struct Ring<T: Copy + Default, A: Allocator> {
    slots: List<T, A>,
    head: usize,
    tail: usize,
}

impl<T: Copy + Default, A: Allocator> Ring<T, A> {
    /// An empty queue, which allocates nothing yet.
    pub fn new(memory: A) -> Self {
        Ring { slots: List::new(memory), head: 0, tail: 0 }
    }

    /// How many values stand in it.
    #[inline]
    pub fn len(&self) -> usize {
        self.tail.wrapping_sub(self.head)
    }

    /// Whether it is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.tail == self.head
    }

    /// Makes room for `more` values, so that as many pushes cannot fail.
    pub fn reserve(&mut self, more: usize) -> Result<()> {
        while self.slots.len() - self.len() < more {
            self.grow()?;
        }
        Ok(())
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        if self.len() == self.slots.len() {
            self.grow()?;
        }
        let mask = self.slots.len() - 1;
        self.slots[self.tail & mask] = value;
        self.tail = self.tail.wrapping_add(1);
        Ok(())
    }

    /// The oldest value, where it stands.
    #[inline]
    pub fn first(&self) -> Option<&T> {
        if self.is_empty() {
            return None;
        }
        self.slots.get(self.head & (self.slots.len() - 1))
    }

    /// The value at `place`, counted from the oldest.
    pub fn get(&self, place: usize) -> Option<&T> {
        if place >= self.len() {
            return None;
        }
        self.slots.get(self.head.wrapping_add(place) & (self.slots.len() - 1))
    }

    /// As `get`, to change it.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        if place >= self.len() {
            return None;
        }
        let mask = self.slots.len() - 1;
        self.slots.get_mut(self.head.wrapping_add(place) & mask)
    }

    /// All values, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// Drops the oldest value, which `first` has shown.
    #[inline]
    pub fn drop_first(&mut self) {
        debug_assert!(!self.is_empty());
        self.head = self.head.wrapping_add(1);
    }

    /// Takes the oldest value.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let value = self.slots[self.head & mask];
        self.head = self.head.wrapping_add(1);
        Some(value)
    }

    /// Doubles the array; the values move to its front, in order.
    #[cold]
    fn grow(&mut self) -> Result<()> {
        let old = self.slots.len();
        let live = self.len();
        self.slots.resize(if old == 0 { FIRST_CAPACITY } else { old * 2 }, T::default())?;
        if old > 0 {
            let start = self.head & (old - 1);
            self.slots[..old].rotate_left(start);
        }
        self.head = 0;
        self.tail = live;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocator_api2::alloc::Global;

    #[test]
    fn order_survives_growth_at_every_offset() {
        for offset in 0..FIRST_CAPACITY {
            let mut ring = Ring::new(Global);
            for n in 0..offset {
                ring.push(n).unwrap();
                assert_eq!(ring.pop(), Some(n));
            }
            for n in 0..FIRST_CAPACITY * 3 {
                ring.push(n).unwrap();
            }
            for n in 0..FIRST_CAPACITY * 3 {
                assert_eq!(ring.pop(), Some(n));
            }
            assert!(ring.is_empty() && ring.pop().is_none());
        }
    }
}
