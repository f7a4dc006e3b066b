//! A blocking call as it goes from the loop's thread to another one and back.
//!
//! ```text
//!   Waiting ──a thread takes it──▶ Running ──▶ on the stack of done ones ──▶ freed by the loop
//!      └────withdrawn──▶ Withdrawn ──the host runs the empty shell──▶ done ─┘
//! ```
//!
//! A block is the loop's memory: made and freed on the loop's thread. Other
//! threads only link it and fill in its result; who takes it from Waiting owns
//! it until it stands on the stack of done ones.

use super::Work;
use crate::base::Key;
use crate::sys::resolver::Answer;
use crate::sys::waker::Waker;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One call, and what it came to.
pub struct Block {
    /// In the queue (guarded by its lock), then in the stack of done ones.
    next: UnsafeCell<*mut Block>,
    state: AtomicU8,
    pub work: Work,
    pub result: UnsafeCell<RawResult>,
    pub token: u64,
    pub key: Key,
    shared: Arc<Shared>,
}

/// What another thread leaves in a block.
pub enum RawResult {
    /// Nothing: it was withdrawn.
    None,
    Host(i64),
    Resolve(Answer),
}

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Block {
    pub fn new(work: Work, token: u64, shared: Arc<Shared>) -> Self {
        Block {
            next: UnsafeCell::new(ptr::null_mut()),
            state: AtomicU8::new(WAITING),
            work,
            result: UnsafeCell::new(RawResult::None),
            token,
            key: Key::default(),
            shared,
        }
    }

    /// Takes it back if it has not begun; whether it will never begin.
    pub fn withdraw(&self) -> bool {
        self.state.compare_exchange(WAITING, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub fn is_withdrawn(&self) -> bool {
        self.state.load(Ordering::Acquire) == WITHDRAWN
    }

    /// Makes the call, unless it was withdrawn.
    fn run(&self) {
        if self.state.compare_exchange(WAITING, RUNNING, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        let result = match &self.work {
            Work::Host(job) => RawResult::Host(job.call()),
            Work::Resolve(request) => RawResult::Resolve(request.ask()),
        };
        // SAFETY: who moved it to Running owns the result until the block is done.
        unsafe { *self.result.get() = result };
    }
}

/// What the loop's thread and the others share. It outlives the loop where a call does.
pub struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    done: AtomicPtr<Block>,
    waker: Waker,
}

/// Calls that wait for a thread, and the threads that wait for calls.
pub struct Queue {
    first: *mut Block,
    last: *mut Block,
    pub length: usize,
    pub idle: usize,
    /// Threads end when they find nothing to do.
    pub stopping: bool,
}

// SAFETY: the blocks that it links are handed over under the lock that it lies in.
unsafe impl Send for Queue {}

impl Shared {
    pub fn new(waker: Waker) -> Arc<Self> {
        let queue = Queue { first: ptr::null_mut(), last: ptr::null_mut(), length: 0, idle: 0, stopping: false };
        let (queue, changed) = (Mutex::new(queue), Condvar::new());
        Arc::new(Shared { queue, changed, done: AtomicPtr::new(ptr::null_mut()), waker })
    }

    pub fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held; if something did, the links are still whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wake_one(&self) {
        self.changed.notify_one();
    }

    pub fn wake_all(&self) {
        self.changed.notify_all();
    }

    /// Waits until there is a call to make, or `None`: the thread is to end.
    pub fn next(&self, begun: impl Fn()) -> Option<*mut Block> {
        let mut queue = self.lock();
        loop {
            if let Some(block) = queue.pop() {
                begun();
                return Some(block);
            }
            if queue.stopping {
                return None;
            }
            queue.idle += 1;
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// Puts a block onto the stack of done ones. It is the loop's from here on.
    ///
    /// # Safety
    /// The block is the caller's.
    unsafe fn finish(&self, block: *mut Block) {
        let mut head = self.done.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's word, until the exchange succeeds.
            unsafe { *(*block).next.get() = head };
            match self.done.compare_exchange_weak(head, block, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes the done ones, oldest first, linked; on the loop's thread.
    pub fn take_done(&self) -> *mut Block {
        if self.done.load(Ordering::Relaxed).is_null() {
            return ptr::null_mut();
        }
        let mut newest = self.done.swap(ptr::null_mut(), Ordering::Acquire);
        let mut first = ptr::null_mut();
        while !newest.is_null() {
            // SAFETY: the whole stack is the caller's since the swap.
            let next = unsafe { core::mem::replace(&mut *(*newest).next.get(), first) };
            first = newest;
            newest = next;
        }
        first
    }
}

impl Queue {
    /// # Safety
    /// The block stays until it is popped or removed.
    pub unsafe fn push(&mut self, block: *mut Block) {
        // SAFETY: the caller's word for the new one, an earlier caller's for the last one.
        unsafe {
            *(*block).next.get() = ptr::null_mut();
            match self.last.is_null() {
                true => self.first = block,
                false => *(*self.last).next.get() = block,
            }
        }
        self.last = block;
        self.length += 1;
    }

    fn pop(&mut self) -> Option<*mut Block> {
        let block = self.first;
        if block.is_null() {
            return None;
        }
        // SAFETY: queued blocks stay until they are popped.
        self.first = unsafe { *(*block).next.get() };
        if self.first.is_null() {
            self.last = ptr::null_mut();
        }
        self.length -= 1;
        Some(block)
    }

    /// Takes a block out of the middle; whether it stood there.
    pub fn remove(&mut self, block: *mut Block) -> bool {
        let mut before = ptr::null_mut();
        let mut at = self.first;
        while !at.is_null() && at != block {
            before = at;
            // SAFETY: queued blocks stay until they are popped.
            at = unsafe { *(*at).next.get() };
        }
        if at.is_null() {
            return false;
        }
        // SAFETY: as above; `before` is null or the one in front.
        unsafe {
            let next = *(*at).next.get();
            match before.is_null() {
                true => self.first = next,
                false => *(*before).next.get() = next,
            }
        }
        if self.last == block {
            self.last = before;
        }
        self.length -= 1;
        true
    }
}

/// The block behind `block` in a list of done ones.
///
/// # Safety
/// The block came from `take_done` and has not been freed.
pub unsafe fn following(block: *mut Block) -> *mut Block {
    // SAFETY: the caller's word.
    unsafe { *(*block).next.get() }
}

/// Makes the call of a block that is the caller's, on a thread of ours, and hands it back.
/// `ended` runs before the loop can know that the call has.
///
/// # Safety
/// The block came from `Shared::next` of this `shared`.
pub unsafe fn run(shared: &Shared, block: *mut Block, ended: impl FnOnce()) {
    // SAFETY: the caller's word: it stays until `finish`.
    unsafe { (*block).run() };
    ended();
    // SAFETY: as above.
    unsafe { shared.finish(block) };
    shared.waker.wake();
}

/// What the host's executor runs, once.
pub unsafe extern "C" fn run_hooked(job: *mut c_void) {
    let block: *mut Block = job.cast();
    // SAFETY: the host passes on what it was given, once; the block stays until `finish`. After that the loop may free
    // it at any moment, so what is still needed is taken first.
    unsafe {
        let shared = (*block).shared.clone();
        (*block).run();
        shared.finish(block);
        shared.waker.wake();
    }
}
