//! A counted pointer for what several threads hold, whose lack of memory is a status.
//!
//! As std's `Arc` without weak ones; `Arc::new` ends the process where there is
//! no memory.

use super::primitives::{AtomicUsize, Ordering};
use crate::base::{rota_status, Result};
use core::alloc::Layout;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;
use std::alloc;

struct Block<T> {
    holders: AtomicUsize,
    value: T,
}

/// A value with several holders; the last one drops it.
pub struct Shared<T> {
    block: NonNull<Block<T>>,
    owns: PhantomData<Block<T>>,
}

// SAFETY: holders on several threads share the value and one of them drops it, as with `Arc`.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The first holder of a value.
    pub fn new(value: T) -> Result<Self> {
        // SAFETY: a block is not of size zero, since it has a counter.
        let block: *mut Block<T> = unsafe { alloc::alloc(Layout::new::<Block<T>>()) }.cast();
        let block = NonNull::new(block).ok_or(rota_status::ROTA_ERR_MEMORY)?;
        // SAFETY: it is new, and as large as a block.
        unsafe { block.write(Block { holders: AtomicUsize::new(1), value }) };
        Ok(Shared { block, owns: PhantomData })
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // SAFETY: a holder keeps the block alive. Relaxed: whoever makes another holder has the block already.
        unsafe { self.block.as_ref() }.holders.fetch_add(1, Ordering::Relaxed);
        Shared { block: self.block, owns: PhantomData }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a holder keeps the block alive, and nobody has it to himself.
        unsafe { &self.block.as_ref().value }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: a holder keeps the block alive. What each did with the value comes before its end.
        if unsafe { self.block.as_ref() }.holders.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        // SAFETY: this was the last holder; the block came from `new` with this layout.
        unsafe {
            self.block.drop_in_place();
            alloc::dealloc(self.block.as_ptr().cast(), Layout::new::<Block<T>>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_last_holder_drops_it() {
        let witness = Arc::new(());
        let first = Shared::new(witness.clone()).unwrap();
        let second = first.clone();
        let elsewhere = std::thread::spawn(move || drop(second));
        elsewhere.join().unwrap();
        assert_eq!(Arc::strong_count(&first), 2);
        drop(first);
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}
