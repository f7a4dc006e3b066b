//! A growable array whose lack of memory is a status.
//!
//! The only file that may call the growing methods of a `Vec`; everything else
//! in `base`, `rt`, `sync` and `io` grows through here (clippy.toml, tests/tidy.rs).

use super::status::{rota_status, Error, Result};
use allocator_api2::alloc::Allocator;
use allocator_api2::vec::Vec;
use core::ops::{Deref, DerefMut};

/// `Vec` over the loop's allocator, with fallible growth only.
pub struct List<T, A: Allocator>(Vec<T, A>);

const NO_MEMORY: Error = Error { status: rota_status::ROTA_ERR_MEMORY, os_error: 0 };

impl<T, A: Allocator> List<T, A> {
    /// An empty list, which allocates nothing yet.
    pub fn new(memory: A) -> Self {
        List(Vec::new_in(memory))
    }

    /// Makes room for `more` further elements.
    pub fn reserve(&mut self, more: usize) -> Result<()> {
        self.0.try_reserve(more).map_err(|_| NO_MEMORY)
    }

    /// Makes room for exactly `more` further elements, where slack would be waste.
    pub fn reserve_exact(&mut self, more: usize) -> Result<()> {
        self.0.try_reserve_exact(more).map_err(|_| NO_MEMORY)
    }

    /// Appends one element.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        match self.0.push_within_capacity(value) {
            Ok(()) => Ok(()),
            Err(value) => self.push_slow(value),
        }
    }

    #[cold]
    fn push_slow(&mut self, value: T) -> Result<()> {
        self.reserve(1)?;
        self.0.push_within_capacity(value).map_err(|_| NO_MEMORY)
    }

    /// Removes and returns the last element.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    /// Removes the element at `index`, keeping the order of the others.
    pub fn remove(&mut self, index: usize) -> T {
        self.0.remove(index)
    }

    /// Removes the element at `index`, putting the last one in its place.
    pub fn swap_remove(&mut self, index: usize) -> T {
        self.0.swap_remove(index)
    }

    /// Keeps the elements for which `keep` holds, in order.
    pub fn retain(&mut self, keep: impl FnMut(&mut T) -> bool) {
        self.0.retain_mut(keep);
    }

    /// Drops all elements and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Drops the elements from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// How many elements fit without growing.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Takes all elements out, in order, and keeps the memory.
    pub fn drain_all(&mut self) -> impl Iterator<Item = T> + '_ {
        self.0.drain(..)
    }

    /// The array itself, for `sys`, where the system fills its spare room. It must not be grown through this.
    pub fn raw(&mut self) -> &mut Vec<T, A> {
        &mut self.0
    }

    /// Drops the first `count` elements; the rest moves to the front.
    pub fn drop_front(&mut self, count: usize) {
        drop(self.0.drain(..count));
    }
}

impl<T: Clone, A: Allocator> List<T, A> {
    /// Appends a copy of each element of `other`.
    #[allow(clippy::disallowed_methods)] // after the reservation it cannot fail
    pub fn extend_from_slice(&mut self, other: &[T]) -> Result<()> {
        self.reserve(other.len())?;
        self.0.extend_from_slice(other);
        Ok(())
    }

    /// Grows to `len` elements with copies of `value`, or cuts down to it.
    #[allow(clippy::disallowed_methods)] // after the reservation it cannot fail
    pub fn resize(&mut self, len: usize, value: T) -> Result<()> {
        self.reserve(len.saturating_sub(self.0.len()))?;
        self.0.resize(len, value);
        Ok(())
    }
}

impl<T, A: Allocator> Deref for List<T, A> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, A: Allocator> DerefMut for List<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
