//! The loop's memory: the host's allocator or the system's, counted and capped.
//!
//! Every container of `base`, `rt`, `sync` and `io` takes its memory here, so
//! that one loop's use can be seen (`rota_loop_get_stats`), limited, and given
//! back to the host's allocator to the last byte. Refusal is a status.

use super::host::HostAllocator;
use allocator_api2::alloc::{AllocError, Allocator, Layout};
use core::cell::Cell;
use core::ptr::NonNull;
use std::rc::Rc;

/// A loop's memory. Clones share it; it is used on the loop's thread only.
#[derive(Clone)]
pub struct Memory(Rc<State>);

struct State {
    hooks: Option<HostAllocator>,
    limit: u64,
    used: Cell<u64>,
    peak: Cell<u64>,
}

impl Memory {
    /// Memory from the host's allocator, or the system's; at most `limit` bytes at once.
    pub fn new(hooks: Option<HostAllocator>, limit: u64) -> Self {
        Memory(Rc::new(State { hooks, limit, used: Cell::new(0), peak: Cell::new(0) }))
    }

    /// How many bytes are in use.
    pub fn used(&self) -> u64 {
        self.0.used.get()
    }

    /// How many bytes were in use at most.
    pub fn peak(&self) -> u64 {
        self.0.peak.get()
    }

    fn take(&self, more: usize) -> Result<(), AllocError> {
        let used = self.0.used.get().checked_add(more as u64).ok_or(AllocError)?;
        if used > self.0.limit {
            return Err(AllocError);
        }
        self.0.used.set(used);
        self.0.peak.set(self.0.peak.get().max(used));
        Ok(())
    }

    fn give_back(&self, size: usize) {
        self.0.used.set(self.0.used.get() - size as u64);
    }

    fn allocate_raw(&self, layout: Layout) -> *mut u8 {
        match &self.0.hooks {
            Some(hooks) => hooks.alloc(layout),
            // SAFETY: `allocate` calls this with a size above zero only.
            None => unsafe { std::alloc::alloc(layout) },
        }
    }
}

// SAFETY: blocks come from one allocator per `Memory`, stay valid until they
// are deallocated, and clones share the allocator; moving a `Memory` moves an
// `Rc` and no block.
unsafe impl Allocator for Memory {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.size() == 0 {
            let dangling = NonNull::new(core::ptr::without_provenance_mut(layout.align())).ok_or(AllocError)?;
            return Ok(NonNull::slice_from_raw_parts(dangling, 0));
        }
        self.take(layout.size())?;
        match NonNull::new(self.allocate_raw(layout)) {
            Some(block) => Ok(NonNull::slice_from_raw_parts(block, layout.size())),
            None => {
                self.give_back(layout.size());
                Err(AllocError)
            }
        }
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        if layout.size() == 0 {
            return;
        }
        self.give_back(layout.size());
        match &self.0.hooks {
            Some(hooks) => hooks.free(block.as_ptr(), layout),
            // SAFETY: the caller passes a block of ours with its layout, and
            // without hooks it came from this allocator.
            None => unsafe { std::alloc::dealloc(block.as_ptr(), layout) },
        }
    }

    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if old.size() == 0 || old.align() != new.align() {
            let grown = self.allocate(new)?;
            // SAFETY: both blocks are at least `old.size()` long and distinct;
            // the old one is given back once, with its own layout.
            unsafe {
                core::ptr::copy_nonoverlapping(block.as_ptr(), grown.cast().as_ptr(), old.size());
                self.deallocate(block, old);
            }
            return Ok(grown);
        }
        self.take(new.size() - old.size())?;
        let grown = match &self.0.hooks {
            Some(hooks) => hooks.realloc(block.as_ptr(), old, new.size()),
            // SAFETY: the block and its layout are the caller's word, the new
            // size is above zero and fits the alignment since `new` is a layout.
            None => unsafe { std::alloc::realloc(block.as_ptr(), old, new.size()) },
        };
        match NonNull::new(grown) {
            Some(grown) => Ok(NonNull::slice_from_raw_parts(grown, new.size())),
            None => {
                self.give_back(new.size() - old.size());
                Err(AllocError)
            }
        }
    }
}
