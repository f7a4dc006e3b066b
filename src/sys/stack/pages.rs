//! Pages: mapped, given up, unmapped.

use crate::base::{rota_status, Error, Result};
use crate::sys::error::from_number;
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use std::io;

/// The size of a page.
pub fn page_size() -> usize {
    // SAFETY: it only asks; every system has an answer.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// The error of a call that could not give memory, whatever the system calls it.
pub fn no_memory() -> Error {
    let number = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    Error::os(rota_status::ROTA_ERR_MEMORY, number)
}

/// Fresh pages, all zero, which take memory when they are touched.
pub fn map(size: usize) -> Result<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | MAP_STACK;
    // SAFETY: a new mapping where the system likes; nothing that is there is touched.
    let start = unsafe { libc::mmap(ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    match NonNull::new(start.cast::<u8>()) {
        Some(start) if start.as_ptr().cast::<c_void>() != libc::MAP_FAILED => {
            no_huge_pages(start, size);
            Ok(start)
        }
        _ => Err(no_memory()),
    }
}

/// Address space is only reserved here: where the system counts what is promised, it counts pages when they are used.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MAP_STACK: i32 = libc::MAP_STACK | libc::MAP_NORESERVE;
/// Where it means something, a stack has to lie on such pages.
#[cfg(any(target_os = "openbsd", target_os = "netbsd", target_os = "dragonfly"))]
const MAP_STACK: i32 = libc::MAP_STACK;
/// Elsewhere it would mean a mapping that grows by itself.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "openbsd",
    target_os = "netbsd",
    target_os = "dragonfly"
)))]
const MAP_STACK: i32 = 0;

/// One touched page of a stack must not become two megabytes.
fn no_huge_pages(start: NonNull<u8>, size: usize) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: advice about a mapping of ours; a kernel without huge pages refuses it, which is fine.
    unsafe {
        libc::madvise(start.as_ptr().cast(), size, libc::MADV_NOHUGEPAGE);
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (start, size);
}

/// Takes a mapping away. It may fail where that would split one for which there is no room in the kernel's table.
///
/// # Safety
/// The pages were mapped by `map`, and nobody uses them any more.
pub unsafe fn unmap(start: NonNull<u8>, size: usize) -> bool {
    // SAFETY: the caller's word.
    unsafe { libc::munmap(start.as_ptr().cast(), size) == 0 }
}

/// Whether pages that were given up are zero when they are touched again.
pub const GIVEN_UP_ARE_ZERO: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Gives the system pages back; what stood in them may be gone.
///
/// # Safety
/// Whole pages that were mapped by `map`, in which nothing stands that is still needed.
pub unsafe fn give_up(start: NonNull<u8>, size: usize) {
    // SAFETY: the caller's word. Where it fails the pages stay, which costs memory and nothing else.
    unsafe { libc::madvise(start.as_ptr().cast(), size, libc::MADV_DONTNEED) };
}

/// Fills pages with zeros; where the system can, by giving them back.
///
/// # Safety
/// As for `give_up`.
pub unsafe fn clear(start: NonNull<u8>, size: usize) {
    // SAFETY: the caller's word.
    if GIVEN_UP_ARE_ZERO && unsafe { libc::madvise(start.as_ptr().cast(), size, libc::MADV_DONTNEED) } == 0 {
        return;
    }
    // SAFETY: the caller's word: the pages are mapped, and nothing in them is needed.
    unsafe { start.write_bytes(0, size) };
}

/// Makes pages that end the process when they are touched, without a mapping of their own. `Ok(false)`: this kernel
/// cannot.
///
/// # Safety
/// As for `give_up`; nobody touches them afterwards but by mistake.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub unsafe fn guard_lightly(start: NonNull<u8>, size: usize) -> Result<bool> {
    /// Linux 6.13; libc does not name it yet.
    const MADV_GUARD_INSTALL: i32 = 102;
    // SAFETY: the caller's word.
    if unsafe { libc::madvise(start.as_ptr().cast(), size, MADV_GUARD_INSTALL) } == 0 {
        return Ok(true);
    }
    let error = no_memory();
    match error.os_error {
        // Older kernels do not know it, and none does it in locked memory.
        libc::EINVAL => Ok(false),
        _ => Err(error),
    }
}

/// Only Linux has them.
///
/// # Safety
/// None is needed: it does nothing.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub unsafe fn guard_lightly(_: NonNull<u8>, _: usize) -> Result<bool> {
    Ok(false)
}

/// Makes pages that end the process when they are touched, in a mapping of their own.
///
/// # Safety
/// As for `guard_lightly`.
pub unsafe fn guard_by_mapping(start: NonNull<u8>, size: usize) -> Result<()> {
    // SAFETY: the caller's word.
    match unsafe { libc::mprotect(start.as_ptr().cast(), size, libc::PROT_NONE) } {
        0 => Ok(()),
        _ => Err(no_memory()),
    }
}

/// The address of the first page at or above `from` that is in memory; `end` if there is none.
pub fn first_touched(from: usize, end: usize) -> Result<usize> {
    const AT_ONCE: usize = 256;
    let page = page_size();
    let mut touched = [0; AT_ONCE];
    let mut at = from - from % page;
    while at < end {
        let count = (end - at).div_ceil(page).min(AT_ONCE);
        let start = ptr::with_exposed_provenance_mut::<c_void>(at);
        // SAFETY: it writes one byte for each page into an array that has one for each.
        if unsafe { libc::mincore(start, count * page, touched.as_mut_ptr().cast()) } != 0 {
            return Err(from_number(io::Error::last_os_error().raw_os_error().unwrap_or(0)));
        }
        if let Some(first) = touched[..count].iter().position(|byte: &u8| byte & 1 != 0) {
            return Ok((at + first * page).max(from));
        }
        at += count * page;
    }
    Ok(end)
}

/// Copies bytes of this process, whoever's they are; whether it could. The system does it, so that checkers which
/// watch every access do not take it for a mistake: below a running stack they let nobody read.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn peek(from: usize, into: &mut [u8]) -> bool {
    let length = into.len();
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: length };
    let remote = libc::iovec { iov_base: ptr::with_exposed_provenance_mut(from), iov_len: length };
    // SAFETY: it writes to `into` only; what cannot be read is an error.
    unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) == length as isize }
}

/// Only Linux can do this.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn peek(_: usize, _: &mut [u8]) -> bool {
    false
}
