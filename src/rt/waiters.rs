//! Who waits for a future, in the order they came.
//!
//! Lines of waiters share one table, so that waiting takes no memory in the
//! steady state; the first of a line, who is mostly the only one, stands in the
//! future itself.

use super::owner::Tag;
use crate::base::{Key, Result};
use crate::sys::host::{HostPointer, HostThen};
use crate::sys::{Memory, Slab, Ticket};

/// Somebody who waits.
#[derive(Clone, Copy)]
pub enum Waiter {
    /// A callback.
    Then(HostThen, Tag),
    /// A completion that the host fetches.
    Drain(HostPointer),
    /// A task.
    Task(Key),
    /// `run_until`.
    Until,
    /// A member of a combination.
    Member(Key),
    /// An entry of a set.
    Listed(Key),
    /// A thread that is blocked.
    Blocked(Ticket),
    /// A member of a group.
    Group(Key),
}

impl Waiter {
    /// Whether it has a place in the ready queue set aside while it waits. A task, a combination and a group have their
    /// own.
    pub fn has_place(&self) -> bool {
        matches!(self, Waiter::Then(..) | Waiter::Drain(_) | Waiter::Blocked(_))
    }
}

/// No node.
const NONE: u32 = u32::MAX;

/// The waiters of one future: the first, and the ends of a list of the others, as slots: a node is in one line, which
/// ends it.
pub struct Line {
    first: Option<Waiter>,
    head: u32,
    tail: u32,
}

impl Default for Line {
    fn default() -> Self {
        Line { first: None, head: NONE, tail: NONE }
    }
}

struct Node {
    waiter: Waiter,
    next: u32,
}

/// The table behind all lines of a loop.
pub struct Waiters {
    nodes: Slab<Node>,
}

impl Waiters {
    /// An empty table.
    pub fn new(memory: Memory) -> Self {
        Waiters { nodes: Slab::new(memory, 1) }
    }

    /// Adds a waiter at the end of a line.
    #[inline]
    pub fn push(&mut self, line: &mut Line, waiter: Waiter) -> Result<()> {
        if line.first.is_none() {
            line.first = Some(waiter);
            return Ok(());
        }
        let slot = self.nodes.insert(Node { waiter, next: NONE })?.slot;
        match self.nodes.at_mut(line.tail) {
            Some(last) => last.next = slot,
            None => line.head = slot,
        }
        line.tail = slot;
        Ok(())
    }

    /// Takes the first waiter of a line.
    #[inline]
    pub fn pop(&mut self, line: &mut Line) -> Option<Waiter> {
        let first = line.first.take()?;
        if line.head != NONE {
            if let Some(node) = self.nodes.key_of(line.head).and_then(|key| self.nodes.remove(key)) {
                line.first = Some(node.waiter);
                line.head = node.next;
                line.tail = if node.next == NONE { NONE } else { line.tail };
            }
        }
        Some(first)
    }

    /// The first waiter of a line.
    pub fn first<'a>(&self, line: &'a Line) -> Option<&'a Waiter> {
        line.first.as_ref()
    }

    /// Takes the waiters out of a line for which `gone` holds.
    pub fn remove(&mut self, line: &mut Line, mut gone: impl FnMut(&Waiter) -> bool) {
        let mut kept = Line::default();
        while let Some(waiter) = self.pop(line) {
            if !gone(&waiter) {
                // A place has just been vacated, or the line's own first is free: it cannot fail.
                let pushed = self.push(&mut kept, waiter);
                debug_assert!(pushed.is_ok());
            }
        }
        *line = kept;
    }

    /// How many waiters of a line there are for which `is` holds.
    pub fn count(&self, line: &Line, is: impl Fn(&Waiter) -> bool) -> usize {
        let mut at = line.head;
        let mut count = usize::from(line.first.as_ref().is_some_and(&is));
        while let Some(node) = self.nodes.at(at) {
            count += usize::from(is(&node.waiter));
            at = node.next;
        }
        count
    }

    /// Whether `is` holds for any waiter of a line.
    pub fn any(&self, line: &Line, is: impl Fn(&Waiter) -> bool) -> bool {
        self.count(line, is) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(waiters: &mut Waiters, line: &mut Line) -> Vec<u32> {
        let next = || match waiters.pop(line)? {
            Waiter::Task(key) => Some(key.slot),
            _ => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn they_leave_in_the_order_they_came_whoever_went_before() {
        let mut waiters = Waiters::new(Memory::new(None, u64::MAX));
        for gone in 0..6u32 {
            let mut line = Line::default();
            for slot in 0..5 {
                waiters.push(&mut line, Waiter::Task(Key { slot, generation: 1 })).unwrap();
            }
            waiters.remove(&mut line, |waiter| matches!(waiter, Waiter::Task(key) if key.slot == gone));
            waiters.push(&mut line, Waiter::Task(Key { slot: 9, generation: 1 })).unwrap();
            assert!(waiters.any(&line, |waiter| matches!(waiter, Waiter::Task(key) if key.slot == 9)));
            let mut expected: Vec<u32> = (0..5).filter(|slot| *slot != gone).collect();
            expected.push(9);
            assert_eq!(tasks(&mut waiters, &mut line), expected);
        }
        assert_eq!(waiters.nodes.len(), 0);
    }
}
