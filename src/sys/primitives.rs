//! What threads share memory with: std's, or under `--cfg loom` those that a model checker drives.
//!
//! `inbox.rs`, `waits.rs` and `channel.rs` take theirs from here, so that their
//! models (`models.rs`) try the interleavings of the code that is shipped.

use core::mem::MaybeUninit;
use std::time::Instant;

#[cfg(loom)]
pub use loom::sync::{
    atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    Condvar, Mutex, MutexGuard,
};
#[cfg(not(loom))]
pub use std::sync::{
    atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    Condvar, Mutex, MutexGuard,
};

#[cfg(not(loom))]
type Cell<T> = core::cell::UnsafeCell<MaybeUninit<T>>;
#[cfg(loom)]
type Cell<T> = loom::cell::UnsafeCell<MaybeUninit<T>>;

/// Room for a value that one thread leaves for another.
pub struct Place<T>(Cell<T>);

impl<T> Default for Place<T> {
    fn default() -> Self {
        Place(Cell::new(MaybeUninit::uninit()))
    }
}

impl<T: Copy> Place<T> {
    /// Leaves a value.
    ///
    /// # Safety
    /// Nobody else uses the place meanwhile.
    pub unsafe fn put(&self, value: T) {
        #[cfg(not(loom))]
        // SAFETY: the caller's word: this is the only access.
        unsafe {
            (*self.0.get()).write(value);
        }
        #[cfg(loom)]
        // SAFETY: as above; loom checks it.
        self.0.with_mut(|place| unsafe { (*place).write(value) });
    }

    /// The value that was left.
    ///
    /// # Safety
    /// Nobody else uses the place meanwhile, and a value was left.
    pub unsafe fn take(&self) -> T {
        #[cfg(not(loom))]
        // SAFETY: the caller's word: it holds a value, which is copied.
        return unsafe { (*self.0.get()).assume_init() };
        #[cfg(loom)]
        // SAFETY: as above; loom checks who else is there.
        self.0.with(|place| unsafe { (*place).assume_init() })
    }
}

/// Takes a lock. Nothing panics while it is held, so what it guards is whole even if the lock says otherwise.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// How many bells a house has: those who wait share them by number, and look for themselves whether it was for them.
const BELLS: usize = if cfg!(loom) { 2 } else { 16 };

/// What blocked threads are woken with: no allocation for each, and few wake for nothing.
pub struct Bells([Condvar; BELLS]);

impl Default for Bells {
    fn default() -> Self {
        Bells(core::array::from_fn(|_| Condvar::new()))
    }
}

impl Bells {
    /// Wakes whoever waits under a number that shares its bell with this one.
    pub fn ring(&self, number: u64) {
        self.0[number as usize % BELLS].notify_all();
    }

    /// Wakes everybody.
    pub fn ring_all(&self) {
        self.0.iter().for_each(Condvar::notify_all);
    }

    /// Waits for the bell of a number, until `deadline` at most: it may have been for another.
    pub fn wait<'a, T>(&self, number: u64, guard: MutexGuard<'a, T>, deadline: Option<Instant>) -> MutexGuard<'a, T> {
        let bell = &self.0[number as usize % BELLS];
        let Some(deadline) = deadline else {
            return bell.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner());
        };
        let left = deadline.saturating_duration_since(Instant::now());
        match bell.wait_timeout(guard, left) {
            Ok((guard, _)) => guard,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }
}

/// The moment that is so many nanoseconds from now; none if that is never.
pub fn deadline_after(timeout_ns: u64) -> Option<Instant> {
    match timeout_ns {
        u64::MAX => None,
        _ => Instant::now().checked_add(core::time::Duration::from_nanos(timeout_ns)),
    }
}

/// Whether a deadline has come.
pub fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}
