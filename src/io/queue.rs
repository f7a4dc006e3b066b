//! A queue of things that own memory: first in, first out, with removal in the middle.
//!
//! `base::Ring` holds small copies only. Here a list is read from `head`, and
//! the places before it are given back when they are half of the list, so that
//! each element is moved once on average.

use crate::base::Result;
use crate::sys::{List, Memory};

/// A growable queue.
pub struct Queue<T> {
    items: List<Option<T>>,
    head: usize,
}

impl<T> Queue<T> {
    /// An empty queue, which allocates nothing yet.
    pub fn new(memory: Memory) -> Self {
        Queue { items: List::new(memory), head: 0 }
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.head == self.items.len()
    }

    /// Appends an element.
    pub fn push(&mut self, item: T) -> Result<()> {
        self.items.push(Some(item))
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<T> {
        let item = self.items.get_mut(self.head)?.take();
        self.head += 1;
        if self.is_empty() {
            self.items.clear();
            self.head = 0;
        } else if self.head * 2 > self.items.len() {
            self.items.drop_front(self.head);
            self.head = 0;
        }
        item
    }

    /// The youngest.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.items[self.head..].last_mut().and_then(Option::as_mut)
    }

    /// Takes the oldest for which `is` holds.
    pub fn take(&mut self, is: impl Fn(&T) -> bool) -> Option<T> {
        let found = self.items[self.head..].iter().position(|item| item.as_ref().is_some_and(&is))?;
        self.items.remove(self.head + found)
    }

    /// Keeps the elements for which `keep` holds, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.items.retain(|item| item.as_mut().is_some_and(&mut keep));
        self.head = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_survives_removal_and_reuse() {
        let mut queue = Queue::new(Memory::new(None, u64::MAX));
        let (mut next, mut expected) = (0, 0);
        for round in 1..50 {
            for _ in 0..round {
                queue.push(next).unwrap();
                next += 1;
            }
            for _ in 0..round - 1 {
                assert_eq!(queue.pop(), Some(expected));
                expected += 1;
            }
        }
        assert_eq!(queue.take(|n| *n == next - 1), Some(next - 1));
        assert_eq!(queue.last_mut().copied(), Some(next - 2));
        queue.retain(|n| *n % 2 == 0);
        let first = expected + expected % 2;
        for n in (first..next - 1).step_by(2) {
            assert_eq!(queue.pop(), Some(n));
        }
        assert!(queue.is_empty() && queue.pop().is_none() && queue.take(|_| true).is_none());
    }
}
