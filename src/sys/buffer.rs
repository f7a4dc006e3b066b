//! Memory that an operation reads into or writes from: the host's, borrowed, or the loop's own.
//!
//! A borrowed buffer is the host's until its operation has ended; the header
//! makes the host promise that, `ffi` turns the promise into one of these
//! values, and a driver touches it between the start of an operation and its
//! end only. A completion driver may hold it for the kernel during that time,
//! which is why an operation owns its buffer and hands it back when it ends.

use super::{List, Memory};
use crate::base::Result;
use core::slice;

/// The host's memory, to be written to.
#[derive(Clone, Copy)]
pub struct HostBuffer {
    start: *mut u8,
    size: usize,
}

/// The host's memory, to be read from.
#[derive(Clone, Copy)]
pub struct HostBytes {
    start: *const u8,
    size: usize,
}

impl HostBuffer {
    /// # Safety
    /// `size` bytes at `start` may be written until the operation that gets
    /// this buffer has ended; nobody else touches them meanwhile.
    pub unsafe fn new(start: *mut u8, size: usize) -> Self {
        HostBuffer { start, size }
    }

    /// How many bytes fit.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The part from `offset` on.
    pub fn from(&self, offset: usize) -> Self {
        let offset = offset.min(self.size);
        HostBuffer { start: self.start.wrapping_add(offset), size: self.size - offset }
    }

    /// Copies `bytes` to its front, as many as fit; how many those are.
    pub fn fill(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.size);
        // SAFETY: `count` bytes are within the buffer that `new` was promised,
        // and `bytes` is ours, so they do not overlap.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start, count) };
        count
    }

    pub(super) fn as_mut_ptr(&self) -> *mut u8 {
        self.start
    }
}

impl HostBytes {
    /// # Safety
    /// `size` bytes at `start` may be read until the operation that gets them
    /// has ended; nobody writes them meanwhile.
    pub unsafe fn new(start: *const u8, size: usize) -> Self {
        HostBytes { start, size }
    }

    /// How many bytes there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The part from `offset` on.
    pub fn from(&self, offset: usize) -> Self {
        let offset = offset.min(self.size);
        HostBytes { start: self.start.wrapping_add(offset), size: self.size - offset }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        if self.size == 0 {
            return &[];
        }
        // SAFETY: `new` was promised that these bytes may be read for as long
        // as the value is in use.
        unsafe { slice::from_raw_parts(self.start, self.size) }
    }
}

/// Where received bytes go.
pub enum Target {
    /// To the front of the host's buffer.
    Host(HostBuffer),
    /// Behind what the list holds, into its spare capacity, which must not be empty.
    Owned(List<u8>),
}

/// Where sent bytes come from.
pub enum Source {
    /// From the host.
    Host(HostBytes),
    /// From several places of the host's, in order.
    Vector(List<HostBytes>),
    /// From the list, beginning at the offset.
    Owned(List<u8>, usize),
}

impl Source {
    /// How many bytes there are in all.
    pub fn size(&self) -> usize {
        match self {
            Source::Host(bytes) => bytes.size,
            Source::Vector(list) => list.iter().fold(0usize, |sum, bytes| sum.saturating_add(bytes.size)),
            Source::Owned(list, offset) => list.len() - offset,
        }
    }
}

/// An empty list in `memory`, with room for exactly `size` bytes.
pub fn owned(memory: &Memory, size: usize) -> Result<List<u8>> {
    let mut list = List::new(memory.clone());
    list.reserve_exact(size)?;
    Ok(list)
}
