//! What other threads hand to a loop: many producers, one consumer, no lock.
//!
//! Nodes are pushed onto a stack; the consumer takes the whole stack at once
//! and turns it around, so what one thread pushed comes out in its order. A
//! stack that is only ever emptied whole has no ABA problem.
//!
//! Nodes come from a pool of blocks set aside when the inbox is opened, so that
//! posting does not allocate while they last, and from the system's allocator
//! (which is thread-safe; the loop's is not) beyond them. The pool's free list
//! *is* popped one by one, by many: its head carries a count beside the index,
//! and a pop that slept through 2^32 others is the one it would not notice.

use super::primitives::{AtomicPtr, AtomicU32, AtomicU64, Ordering, Place};
use crate::base::{rota_status, Result};
use core::alloc::Layout;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use std::alloc;

struct Node<T> {
    /// The next older node. Written by who owns the node.
    next: *mut Node<T>,
    /// In the pool's free list: the next free one, as index + 1. Read by poppers that may be too late, so atomic.
    next_free: AtomicU32,
    value: Place<T>,
}

impl<T: Copy> Node<T> {
    fn empty() -> Self {
        Node { next: ptr::null_mut(), next_free: AtomicU32::new(0), value: Place::default() }
    }
}

/// A queue from any thread to the one that consumes it.
pub struct Inbox<T: Copy + Send> {
    head: AtomicPtr<Node<T>>,
    /// What the consumer has turned around and not looked at yet, oldest first. The consumer's alone.
    taken: AtomicPtr<Node<T>>,
    /// Pops of the pool in the high half, index + 1 of its first free node in the low one.
    free: AtomicU64,
    pool: NonNull<Node<T>>,
    pool_size: u32,
    owns: PhantomData<T>,
}

// SAFETY: nodes are handed over whole through atomics with release and acquire; `T` is `Send`.
unsafe impl<T: Copy + Send> Send for Inbox<T> {}
// SAFETY: as above; every method works on atomics, and a node has one owner at any time.
unsafe impl<T: Copy + Send> Sync for Inbox<T> {}

impl<T: Copy + Send> Inbox<T> {
    /// An empty inbox with so many blocks set aside.
    pub fn new(set_aside: usize) -> Result<Self> {
        let pool_size = set_aside.min(1 << 20) as u32;
        let inbox = Inbox {
            head: AtomicPtr::new(ptr::null_mut()),
            taken: AtomicPtr::new(ptr::null_mut()),
            free: AtomicU64::new(0),
            pool: Self::allocate_pool(pool_size)?,
            pool_size,
            owns: PhantomData,
        };
        for index in (0..pool_size).rev() {
            // SAFETY: within the pool, not yet shared, and written before it is read.
            unsafe {
                inbox.pool.add(index as usize).write(Node::empty());
                inbox.give_back(inbox.pool.add(index as usize).as_ptr());
            }
        }
        Ok(inbox)
    }

    fn pool_layout(size: u32) -> Result<Layout> {
        Layout::array::<Node<T>>(size as usize).map_err(|_| rota_status::ROTA_ERR_LIMIT.into())
    }

    fn allocate_pool(size: u32) -> Result<NonNull<Node<T>>> {
        if size == 0 {
            return Ok(NonNull::dangling());
        }
        // SAFETY: the size is above zero.
        let pool = unsafe { alloc::alloc(Self::pool_layout(size)?) };
        NonNull::new(pool.cast()).ok_or(rota_status::ROTA_ERR_MEMORY.into())
    }

    /// Hands over a value. Whether the inbox was empty, so that the consumer must be woken.
    pub fn push(&self, value: T) -> Result<bool> {
        let node = self.node().ok_or(rota_status::ROTA_ERR_MEMORY)?;
        // SAFETY: the node is ours until the exchange below succeeds.
        unsafe { (*node).value.put(value) };
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: as above.
            unsafe { (*node).next = head };
            match self.head.compare_exchange_weak(head, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Ok(head.is_null()),
                Err(now) => head = now,
            }
        }
    }

    /// Whether nothing is there. By the consumer.
    pub fn is_empty(&self) -> bool {
        self.head.load(Ordering::Relaxed).is_null() && self.taken.load(Ordering::Relaxed).is_null()
    }

    /// Takes the oldest value of the batch under way. By the consumer only.
    pub fn pop(&self) -> Option<T> {
        let node = NonNull::new(self.taken.load(Ordering::Relaxed))?.as_ptr();
        // SAFETY: the consumer owns the nodes it has taken, and each holds a value since `push`; it is not looked at
        // again before the node is given back.
        unsafe {
            self.taken.store((*node).next, Ordering::Relaxed);
            let value = (*node).value.take();
            self.give_back(node);
            Some(value)
        }
    }

    /// Begins a batch if none is under way: all that is there now, the oldest first. What is pushed meanwhile waits for
    /// the next, so that a flood of posts does not hold up a turn. By the consumer only.
    pub fn begin(&self) {
        if !self.taken.load(Ordering::Relaxed).is_null() || self.head.load(Ordering::Relaxed).is_null() {
            return;
        }
        let mut newest = self.head.swap(ptr::null_mut(), Ordering::Acquire);
        let mut first = ptr::null_mut();
        while !newest.is_null() {
            // SAFETY: the whole stack is ours since the swap.
            let next = unsafe { core::mem::replace(&mut (*newest).next, first) };
            first = newest;
            newest = next;
        }
        self.taken.store(first, Ordering::Relaxed);
    }

    /// A node to fill: from the pool, or else from the system.
    fn node(&self) -> Option<*mut Node<T>> {
        let mut free = self.free.load(Ordering::Acquire);
        while let Some(index) = (free as u32).checked_sub(1) {
            // SAFETY: free indices are within the pool, whose nodes live as long as the inbox. The node may have been
            // taken by another meanwhile: only its atomic is read, and the exchange then fails.
            let node = unsafe { self.pool.add(index as usize).as_ptr() };
            // SAFETY: as above.
            let next = unsafe { &(*node).next_free }.load(Ordering::Relaxed);
            let after = ((free >> 32).wrapping_add(1) << 32) | u64::from(next);
            match self.free.compare_exchange_weak(free, after, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(node),
                Err(now) => free = now,
            }
        }
        // SAFETY: a node is not of size zero.
        let node: NonNull<Node<T>> = NonNull::new(unsafe { alloc::alloc(Layout::new::<Node<T>>()) })?.cast();
        // SAFETY: it is new, and as large as a node.
        unsafe { node.write(Node::empty()) };
        Some(node.as_ptr())
    }

    /// Takes back a node.
    ///
    /// # Safety
    /// It came from `node` (or is the pool's, new), and nobody else has it.
    unsafe fn give_back(&self, node: *mut Node<T>) {
        let offset = node.addr().wrapping_sub(self.pool.as_ptr().addr());
        if offset >= self.pool_size as usize * size_of::<Node<T>>() {
            // SAFETY: outside the pool, so the system gave it, with this layout.
            return unsafe { alloc::dealloc(node.cast(), Layout::new::<Node<T>>()) };
        }
        let index = (offset / size_of::<Node<T>>()) as u32;
        let mut free = self.free.load(Ordering::Relaxed);
        loop {
            // SAFETY: the node is within the pool.
            unsafe { &(*node).next_free }.store(free as u32, Ordering::Relaxed);
            let after = (free >> 32 << 32) | u64::from(index + 1);
            match self.free.compare_exchange_weak(free, after, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => free = now,
            }
        }
    }
}

impl<T: Copy + Send> Drop for Inbox<T> {
    fn drop(&mut self) {
        while !self.is_empty() {
            self.begin();
            while self.pop().is_some() {}
        }
        if let (1.., Ok(layout)) = (self.pool_size, Self::pool_layout(self.pool_size)) {
            // SAFETY: allocated in `new` with this layout; no node of it is in use any more.
            unsafe { alloc::dealloc(self.pool.as_ptr().cast(), layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    fn all<T: Copy + Send>(inbox: &Inbox<T>) -> Vec<T> {
        let next = || {
            inbox.begin();
            inbox.pop()
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn the_first_push_asks_for_a_wake() {
        let inbox = Inbox::new(2).unwrap();
        assert!(inbox.is_empty());
        assert!(inbox.push(1).unwrap());
        assert!(!inbox.push(2).unwrap() && !inbox.push(3).unwrap());
        assert_eq!(all(&inbox), [1, 2, 3]);
        assert!(inbox.is_empty() && inbox.pop().is_none());
        assert!(inbox.push(4).unwrap() && !inbox.push(5).unwrap());
        inbox.begin();
        assert_eq!(inbox.pop(), Some(4));
        assert!(inbox.push(6).unwrap());
        assert!(!inbox.is_empty());
        inbox.begin();
        assert_eq!((inbox.pop(), inbox.pop()), (Some(5), None), "a batch is what was there when it began");
        assert_eq!(all(&inbox), [6]);
        inbox.push(7).unwrap();
    }

    #[test]
    fn blocks_set_aside_come_back() {
        let inbox = Inbox::new(3).unwrap();
        let pool = inbox.pool.as_ptr() as usize..inbox.pool.as_ptr() as usize + 3 * size_of::<Node<usize>>();
        for round in 0..5usize {
            (0..4).for_each(|n| assert_eq!(inbox.push(round * 4 + n).unwrap(), n == 0));
            let mut at = inbox.head.load(Ordering::Acquire);
            let mut inside = 0;
            while !at.is_null() {
                inside += usize::from(pool.contains(&(at as usize)));
                // SAFETY: nothing takes from the inbox meanwhile.
                at = unsafe { (*at).next };
            }
            assert_eq!(inside, 3, "three of four nodes are the pool's");
            assert_eq!(all(&inbox).iter().sum::<usize>(), (0..4).map(|n| round * 4 + n).sum());
        }
    }

    #[test]
    fn each_thread_keeps_its_order() {
        const THREADS: usize = 4;
        const EACH: u64 = 5_000;
        let inbox = Arc::new(Inbox::new(64).unwrap());
        let producers: Vec<_> = (0..THREADS)
            .map(|who| {
                let inbox = inbox.clone();
                thread::spawn(move || {
                    for n in 0..EACH {
                        inbox.push((who, n)).unwrap();
                    }
                })
            })
            .collect();
        let mut next = [0u64; THREADS];
        while next.iter().sum::<u64>() < THREADS as u64 * EACH {
            for (who, n) in all(&inbox) {
                assert_eq!(n, next[who]);
                next[who] += 1;
            }
            thread::yield_now();
        }
        producers.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(inbox.is_empty());
    }
}
