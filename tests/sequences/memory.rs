//! An allocator for loops that counts its blocks, and fails now and then.

use crate::world::{ensure, Dice};
use core::ffi::c_void;
use rota::sys::host::rota_allocator;
use std::alloc::{alloc, dealloc, Layout};

/// What one loop's allocator knows. It has dice of its own: it is called in the middle of things.
pub struct Purse {
    pub blocks: usize,
    /// One in so many allocations fails; 0: none.
    pub odds: u64,
    pub dice: Dice,
}

impl Purse {
    fn refuses(&mut self) -> bool {
        self.odds > 0 && self.dice.next().is_multiple_of(self.odds)
    }
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("the library asks for a sound layout")
}

unsafe extern "C" fn take(size: usize, align: usize, purse: *mut c_void) -> *mut c_void {
    let purse = unsafe { &mut *purse.cast::<Purse>() };
    if purse.refuses() {
        return core::ptr::null_mut();
    }
    purse.blocks += 1;
    unsafe { alloc(layout(size, align)).cast() }
}

unsafe extern "C" fn change(
    block: *mut c_void,
    old_size: usize,
    new_size: usize,
    align: usize,
    purse: *mut c_void,
) -> *mut c_void {
    if unsafe { &mut *purse.cast::<Purse>() }.refuses() {
        return core::ptr::null_mut();
    }
    unsafe { std::alloc::realloc(block.cast(), layout(old_size, align), new_size).cast() }
}

unsafe extern "C" fn give(block: *mut c_void, size: usize, align: usize, purse: *mut c_void) {
    let purse = unsafe { &mut *purse.cast::<Purse>() };
    ensure(purse.blocks > 0, || "a block was given back that was never taken".to_string());
    purse.blocks -= 1;
    unsafe { dealloc(block.cast(), layout(size, align)) }
}

pub fn allocator(purse: *mut Purse) -> rota_allocator {
    rota_allocator { alloc: Some(take), realloc: Some(change), dealloc: Some(give), user_data: purse.cast() }
}
