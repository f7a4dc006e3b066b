//! Buffers that are kept between two uses, so that a steady state allocates none.
//!
//! They belong to the loop, not to a stream: an idle connection holds nothing.

use crate::base::{limits, Result};
use crate::sys::{buffer, List, Memory};

/// How many are kept: as many as streams that are busy in one turn, as a rule.
const KEPT: usize = 32;
/// The largest that is kept; bigger ones are rare, and memory better given back.
const LARGEST: usize = 4 * limits::LOOKAHEAD;

/// The buffers.
pub struct Spares {
    memory: Memory,
    lists: List<List<u8>>,
}

impl Spares {
    /// None yet.
    pub fn new(memory: Memory) -> Self {
        Spares { lists: List::new(memory.clone()), memory }
    }

    /// Where the buffers come from.
    pub fn memory(&self) -> Memory {
        self.memory.clone()
    }

    /// An empty buffer with room for `size` bytes or more.
    pub fn take(&mut self, size: usize) -> Result<List<u8>> {
        match self.lists.pop() {
            Some(list) if list.capacity() >= size => Ok(list),
            Some(list) => {
                self.put(list);
                buffer::owned(&self.memory, size)
            }
            None => buffer::owned(&self.memory, size.max(limits::LOOKAHEAD)),
        }
    }

    /// Takes back a buffer that is not needed.
    pub fn put(&mut self, mut list: List<u8>) {
        let fits = (limits::LOOKAHEAD..=LARGEST).contains(&list.capacity());
        if fits && self.lists.len() < KEPT {
            list.clear();
            // Without memory for one more it is freed, which is what it would be without us.
            let _ = self.lists.push(list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_and_without_an_allocation() {
        let memory = Memory::new(None, u64::MAX);
        let mut spares = Spares::new(memory.clone());
        let mut list = spares.take(10).unwrap();
        list.extend_from_slice(b"used").unwrap();
        spares.put(list);
        let used = memory.used();
        let list = spares.take(limits::LOOKAHEAD).unwrap();
        assert!(list.is_empty() && memory.used() == used);
        spares.put(list);
        let big = spares.take(LARGEST + 1).unwrap();
        spares.put(big);
        assert_eq!(memory.used(), used);
    }
}
