//! What is in a queue, in the order in which it comes out.

use super::line::Held;
use crate::base::{Heap, List, Result};
use crate::rt::{HostPointer, Memory, Ring};

/// Which comes out next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    Fifo,
    /// The newest.
    Lifo,
    /// The one with the smallest number, the oldest of equals.
    Priority,
}

/// The items. What is put after something was taken takes no memory.
pub enum Items {
    /// The oldest comes out first.
    Fifo(Ring<Option<HostPointer>>),
    /// The newest.
    Lifo(List<HostPointer, Memory>),
    /// The smallest.
    Priority(Heap<HostPointer, Memory>),
}

impl Items {
    /// None yet.
    pub fn new(order: Order, memory: &Memory) -> Self {
        match order {
            Order::Fifo => Items::Fifo(Ring::new(memory.clone())),
            Order::Lifo => Items::Lifo(List::new(memory.clone())),
            Order::Priority => Items::Priority(Heap::new(memory.clone())),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Items::Fifo(items) => items.len(),
            Items::Lifo(items) => items.len(),
            Items::Priority(items) => items.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they are ordered by their numbers.
    pub fn by_priority(&self) -> bool {
        matches!(self, Items::Priority(_))
    }

    /// Adds one.
    pub fn push(&mut self, held: Held) -> Result<()> {
        match self {
            Items::Fifo(items) => items.push(Some(held.item)),
            Items::Lifo(items) => items.push(held.item),
            Items::Priority(items) => items.push(held.priority, held.item),
        }
    }

    /// Takes the next.
    pub fn pop(&mut self) -> Option<HostPointer> {
        match self {
            Items::Fifo(items) => items.pop().flatten(),
            Items::Lifo(items) => items.pop(),
            Items::Priority(items) => items.pop(),
        }
    }
}
