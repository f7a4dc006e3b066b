//! Structs that grow: the first field is the size that the caller knows.
//!
//! A caller that was compiled with an older header passes a smaller struct: the
//! fields that it does not know are zero, which is every default. One that was
//! compiled with a newer header passes a larger struct: it is understood as
//! long as the fields that we do not know are zero.

use crate::base::{rota_status::*, Result};
use core::mem::{size_of, MaybeUninit};

/// A struct of options: plain data whose first field is its size and whose zero is every default.
///
/// # Safety
/// Any bytes are a valid value, and the first field is a `usize`.
pub unsafe trait Options: Copy {}

/// What the caller passed; NULL is all defaults.
///
/// # Safety
/// `options` is NULL, or its first field says how many bytes may be read.
pub unsafe fn read<T: Options>(options: *const T) -> Result<T> {
    let mut known = MaybeUninit::<T>::zeroed();
    if !options.is_null() {
        // SAFETY: the caller's word: the first field is readable.
        let size = unsafe { options.cast::<usize>().read_unaligned() };
        if size < size_of::<usize>() || size > 16 * size_of::<T>() {
            return Err(ROTA_ERR_INVALID.into());
        }
        let shared = size.min(size_of::<T>());
        // SAFETY: `shared` bytes are within both.
        unsafe { core::ptr::copy_nonoverlapping(options.cast::<u8>(), known.as_mut_ptr().cast(), shared) };
        for at in shared..size {
            // SAFETY: the caller says that `size` bytes may be read.
            if unsafe { *options.cast::<u8>().add(at) } != 0 {
                return Err(ROTA_ERR_INVALID.into());
            }
        }
    }
    // SAFETY: any bytes are a valid value of `T`.
    Ok(unsafe { known.assume_init() })
}

/// All defaults, for a caller whose struct has `size` bytes.
///
/// # Safety
/// `options` is NULL, or `size` bytes of it may be written.
pub unsafe fn init<T: Options>(options: *mut T, size: usize) -> Result<()> {
    if options.is_null() || size < size_of::<usize>() || size > 16 * size_of::<T>() {
        return Err(ROTA_ERR_INVALID.into());
    }
    // SAFETY: the caller's word; the first field is the size.
    unsafe {
        core::ptr::write_bytes(options.cast::<u8>(), 0, size);
        options.cast::<usize>().write_unaligned(size);
    }
    Ok(())
}
