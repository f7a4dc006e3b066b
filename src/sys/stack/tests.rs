use super::*;
use crate::sys::Memory;

fn arenas() -> Arenas {
    Arenas::new(&Memory::new(None, u64::MAX))
}

/// A stack's usable bytes, to be read and written.
fn bytes(stack: &mut Stack) -> &mut [u8] {
    let size = stack.span().size();
    // SAFETY: the pages above the guard are mapped and nobody runs on them; the borrow keeps the stack.
    unsafe { core::slice::from_raw_parts_mut(stack.bottom.add(limits::STACK_GUARD).as_ptr(), size) }
}

fn parts(stack: &Stack) -> (usize, usize) {
    (stack.bottom().get(), stack.top().get())
}

#[test]
fn classes_are_powers_of_two_that_are_large_enough() {
    for size in [0, 1, 16 << 10, (16 << 10) + 1, 100_000, 256 << 10, 1 << 30, usize::MAX] {
        let given = size_of_class(class_of(size));
        assert!(given >= size.min(limits::STACK_SIZE_MAX) && class_of(given) == class_of(size));
        assert!(given == limits::STACK_SIZE_MIN || given / 2 < size);
    }
    assert_eq!(class_of(usize::MAX) + 1, CLASSES);
}

#[test]
fn stacks_of_many_arenas_lie_apart_and_are_zero() {
    let mut arenas = arenas();
    let mut stacks: Vec<Stack> = (0..100).map(|_| arenas.take(0).unwrap().0).collect();
    for stack in &mut stacks {
        let bytes = bytes(stack);
        assert!(bytes.iter().all(|byte| *byte == 0));
        bytes.fill(0xff);
    }
    let mut places: Vec<(usize, usize)> = stacks.iter().map(parts).collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    for stack in stacks {
        arenas.give_back(stack);
    }
}

#[test]
fn what_is_given_back_comes_again_and_is_zero_where_that_is_said() {
    let mut arenas = arenas();
    let mut stack = arenas.take(2).unwrap().0;
    let (place, mapped) = (parts(&stack), arenas.mapped_bytes());
    bytes(&mut stack).fill(0xff);
    arenas.give_back(stack);
    for _ in 0..3 {
        let (mut again, clean) = arenas.take(2).unwrap();
        assert_eq!((parts(&again), arenas.mapped_bytes()), (place, mapped));
        assert_eq!(bytes(&mut again).iter().all(|byte| *byte == 0), clean);
        assert!(clean || !cfg!(target_os = "linux"));
        arenas.give_back(again);
    }
}

#[test]
fn arenas_that_are_free_go_but_one() {
    let mut arenas = arenas();
    let stacks: Vec<Stack> = (0..1000).map(|_| arenas.take(0).unwrap().0).collect();
    let most = arenas.mapped_bytes();
    assert!(!arenas.is_sparse(0));
    let mut stacks = stacks.into_iter();
    let last = stacks.next_back().unwrap();
    stacks.for_each(|stack| arenas.give_back(stack));
    assert!(arenas.mapped_bytes() < most && arenas.is_sparse(0));
    arenas.give_back(last);
    let least = arenas.mapped_bytes();
    let again = arenas.take(0).unwrap().0;
    assert_eq!(arenas.mapped_bytes(), least);
    arenas.give_back(again);
}

#[test]
fn classes_do_not_share_arenas() {
    let mut arenas = arenas();
    let (small, large) = (arenas.take(0).unwrap().0, arenas.take(5).unwrap().0);
    assert_eq!((small.class(), large.class()), (Some(0), Some(5)));
    assert_eq!((small.span().size(), large.span().size()), (size_of_class(0), size_of_class(5)));
    arenas.give_back(large);
    arenas.give_back(small);
}

#[test]
fn how_deep_it_was_used_is_seen_to_the_byte() {
    let mut arenas = arenas();
    let mut stack = arenas.take(class_of(1 << 20)).unwrap().0;
    let span = stack.span();
    assert_eq!(span.used(), Some(0));
    for depth in [1, 511, 512, 513, 5000, 300_001, span.size()] {
        let at = span.size() - depth;
        bytes(&mut stack)[at] = 1;
        assert_eq!(span.used(), Some(depth));
    }
    stack.clear();
    assert_eq!(span.used(), Some(0));
    arenas.give_back(stack);
}

#[test]
fn trimming_keeps_the_uppermost_pages() {
    let mut arenas = arenas();
    let mut stack = arenas.take(class_of(1 << 18)).unwrap().0;
    bytes(&mut stack).fill(0xff);
    stack.trim();
    assert_eq!(stack.span().used(), Some(limits::STACK_KEEP.next_multiple_of(pages::page_size())));
    arenas.give_back(stack);
}

#[test]
fn the_hosts_memory_is_aligned_and_watched() {
    let mut memory = vec![0u8; 20_000];
    let start = memory.as_mut_ptr().cast::<c_void>();
    for (skipped, size) in [(0, 20_000), (1, 19_000), (15, 16_384)] {
        // SAFETY: it lies within the vector, and nobody else uses it meanwhile.
        let given = unsafe { HostStack::new(start.byte_add(skipped), size) }.unwrap();
        let mut stack = Stack::on_host(given);
        let ((from, to), (bottom, top)) = (given.bounds(), parts(&stack));
        assert!(from <= bottom && bottom < from + ALIGNMENT && to - ALIGNMENT < top && top <= to);
        assert!(bottom % ALIGNMENT == 0 && top % ALIGNMENT == 0);
        assert!(stack.is_whole() && stack.is_host() && stack.class().is_none());
        stack.clear();
        assert!(stack.is_whole());
        assert_eq!(stack.span().used(), Some(0));
        // SAFETY: its own lowest byte.
        unsafe { stack.bottom.write(0) };
        assert!(!stack.is_whole());
    }
    // SAFETY: nothing is used.
    unsafe {
        assert!(HostStack::new(start, limits::STACK_SIZE_MIN - 1).is_none());
        assert!(HostStack::new(start, limits::STACK_SIZE_MAX + 1).is_none());
        assert!(HostStack::new(core::ptr::null_mut(), 20_000).is_none());
    }
}
