//! A word with memcheck, valgrind's usual tool.
//!
//! It takes what lies below a stack pointer for dead. That is right for stacks of ours; memory of the host's is its own
//! again when the task has ended, and memcheck has to be told. The instructions below do nothing on a processor: they
//! turn a register round to where it was, which no compiler emits, and valgrind knows them by that.

/// Says that memory may be used again, and that nothing that matters stands in it.
pub fn alive_again(start: usize, size: usize) {
    /// 'M', 'C', and the number of the request among those of this tool.
    const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;
    request(&[MAKE_MEM_UNDEFINED, start, size, 0, 0, 0]);
}

#[cfg(all(target_arch = "x86_64", unix))]
fn request(words: &[usize; 6]) {
    // SAFETY: rdi is turned by 128 bits in all, which changes nothing, and rbx is exchanged with itself. Under valgrind
    // the six words are read, and rdx is written.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inout("rdx") 0usize => _,
            options(nostack),
        );
    }
}

#[cfg(all(target_arch = "aarch64", unix))]
fn request(words: &[usize; 6]) {
    // SAFETY: x12 is turned by 128 bits in all, which changes nothing, and x10 is joined with itself. Under valgrind
    // the six words are read, and x3 is written.
    unsafe {
        core::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #61",
            "ror x12, x12, #51",
            "orr x10, x10, x10",
            in("x4") words.as_ptr(),
            inout("x3") 0usize => _,
            options(nostack),
        );
    }
}

/// Elsewhere it is not asked.
#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), unix)))]
fn request(_: &[usize; 6]) {}
