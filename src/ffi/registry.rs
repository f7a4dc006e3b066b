//! Which loop a handle's number stands for, and whose thread it is.
//!
//! A fixed table of atomics, so that a call finds its loop without a lock: the
//! slot names the thread that opened the loop, and on that thread, and only
//! there, the pointer may be followed. It stays valid meanwhile, because only
//! that same thread can close the loop, and closing is refused while the loop
//! runs anything. Other threads reach the loop's `Remote` through a lock that
//! they share and only closing takes for itself.
//!
//! A handle of a future, a task or the like names its loop by number only. From
//! another thread the loop's generation tells an old one: the tables of a loop
//! begin with it, so a handle below it is of a loop that has gone.
//!
//! A number is used again only when its tables can go on counting generations
//! where the last loop stopped, so that no old handle finds a new thing.

use super::services::Services;
use crate::base::handle::{GENERATION_BITS, LOOPS};
use crate::base::{rota_status, rota_status::*, Handle, Kind, Result};
use crate::rt::{Remote, Runtime};
use crate::sys::thread;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

/// A loop with everything on it.
pub type Loop = Runtime<Services>;

struct Slot {
    /// The number of the thread that opened the loop, or 0.
    owner: AtomicU64,
    /// Valid on that thread while `owner` is set.
    runtime: AtomicPtr<Loop>,
    /// The generation of the loop, or of the next one.
    generation: AtomicU32,
    /// What other threads may use.
    remote: RwLock<Option<Arc<Remote>>>,
}

static SLOTS: [Slot; LOOPS] = [const {
    Slot {
        owner: AtomicU64::new(0),
        runtime: AtomicPtr::new(ptr::null_mut()),
        generation: AtomicU32::new(1),
        remote: RwLock::new(None),
    }
}; LOOPS];

/// Held while a number is chosen; the next one to look at.
static NEXT: Mutex<usize> = Mutex::new(0);

/// Marks a number that is being opened.
const OPENING: u64 = u64::MAX;
/// A number whose generations have come this far is left to the last.
const WORN: u32 = 1 << (GENERATION_BITS - 1);

/// Opens a loop under a free number; `open` gets the number and the first generation.
pub fn open(open: impl FnOnce(u16, u32) -> Result<Loop>) -> Result<Handle> {
    let Some(token) = thread::token_or_new() else { return Err(ROTA_ERR_REENTRANT.into()) };
    let number = reserve().ok_or(ROTA_ERR_LIMIT)?;
    let slot = &SLOTS[number];
    let generation = slot.generation.load(Ordering::Relaxed);
    let runtime = match open(number as u16, generation) {
        Ok(runtime) => Box::new(runtime),
        Err(error) => {
            slot.owner.store(0, Ordering::Release);
            return Err(error);
        }
    };
    if let Ok(mut remote) = slot.remote.write() {
        *remote = Some(runtime.remote().clone());
    }
    slot.runtime.store(Box::into_raw(runtime), Ordering::Relaxed);
    slot.owner.store(token, Ordering::Release);
    Ok(Handle::new(Kind::Loop, number as u16, crate::base::Key { slot: 0, generation }))
}

/// Takes the next free number round the table; one whose generations are worn only if there is no other.
fn reserve() -> Option<usize> {
    let mut next = NEXT.lock().ok()?;
    let free = |number: &usize| SLOTS[*number].owner.load(Ordering::Acquire) == 0;
    let order = |from: usize| (0..LOOPS).map(move |step| (from + step) % LOOPS);
    let fresh = |number: &usize| SLOTS[*number].generation.load(Ordering::Relaxed) < WORN;
    let number = order(*next).find(|number| free(number) && fresh(number)).or_else(|| order(*next).find(free))?;
    let generation = &SLOTS[number].generation;
    if generation.load(Ordering::Relaxed) >= WORN {
        generation.store(1, Ordering::Relaxed);
    }
    SLOTS[number].owner.store(OPENING, Ordering::Relaxed);
    *next = (number + 1) % LOOPS;
    Some(number)
}

/// The loop with this number, on its own thread.
#[inline]
pub fn find<'a>(number: u16) -> Result<&'a Loop> {
    let slot = &SLOTS[number as usize & (LOOPS - 1)];
    let owner = slot.owner.load(Ordering::Relaxed);
    if owner == 0 || owner != thread::token() {
        return Err(refusal(owner).into());
    }
    // SAFETY: `owner` is this thread's own number, which only this thread
    // stored, after the pointer; only this thread closes the loop, and
    // `take_closed` is refused while a call into the loop is under way.
    Ok(unsafe { &*slot.runtime.load(Ordering::Relaxed) })
}

#[cold]
fn refusal(owner: u64) -> rota_status {
    if thread::in_hook() {
        ROTA_ERR_REENTRANT
    } else if owner == 0 {
        ROTA_ERR_HANDLE
    } else {
        ROTA_ERR_THREAD
    }
}

/// The loop that a loop's handle names, on its own thread.
pub fn find_loop<'a>(handle: Handle) -> Result<&'a Loop> {
    check_loop(handle)?;
    find(handle.loop_number())
}

fn check_loop(handle: Handle) -> Result<()> {
    let generation = SLOTS[handle.loop_number() as usize].generation.load(Ordering::Relaxed);
    if !handle.is(Kind::Loop) || handle.key().slot != 0 || handle.key().generation != generation {
        return Err(ROTA_ERR_HANDLE.into());
    }
    Ok(())
}

/// The loop that a handle of some kind belongs to, on its own thread.
#[inline]
pub fn find_kind<'a>(handle: Handle, kind: Kind) -> Result<&'a Loop> {
    if !handle.is(kind) {
        return Err(ROTA_ERR_HANDLE.into());
    }
    find(handle.loop_number())
}

/// From any thread: does something with what other threads may use of a loop.
pub fn remote<R>(handle: Handle, call: impl FnOnce(&Remote) -> Result<R>) -> Result<R> {
    if thread::in_hook() {
        return Err(ROTA_ERR_REENTRANT.into());
    }
    check_loop(handle)?;
    let remote = SLOTS[handle.loop_number() as usize].remote.read().map_err(|_| ROTA_ERR_HANDLE)?;
    check_loop(handle)?;
    let remote = remote.as_ref().ok_or(ROTA_ERR_HANDLE)?;
    remote.refuse_if_poisoned()?;
    call(remote)
}

/// Refuses, on any thread, what is not a handle of this kind, and everything inside a hook.
pub fn refuse_unless(handle: Handle, kind: Kind) -> Result<()> {
    if thread::in_hook() {
        return Err(ROTA_ERR_REENTRANT.into());
    }
    if !handle.is(kind) {
        return Err(ROTA_ERR_HANDLE.into());
    }
    Ok(())
}

/// From any thread: as `remote`, for the loop that a handle of another kind belongs to.
pub fn remote_of<R>(handle: Handle, call: impl FnOnce(&Arc<Remote>) -> Result<R>) -> Result<R> {
    let slot = &SLOTS[handle.loop_number() as usize];
    let remote = slot.remote.read().map_err(|_| ROTA_ERR_HANDLE)?;
    let remote = remote.as_ref().ok_or(ROTA_ERR_HANDLE)?;
    if handle.key().generation < slot.generation.load(Ordering::Relaxed) {
        return Err(ROTA_ERR_HANDLE.into());
    }
    remote.refuse_if_poisoned()?;
    call(remote)
}

/// Whether the calling thread is the one that opened the loop of a handle.
pub fn is_own(handle: Handle) -> bool {
    let owner = SLOTS[handle.loop_number() as usize].owner.load(Ordering::Relaxed);
    owner != 0 && owner == thread::token()
}

/// Refuses posts from now on. When it returns, those that were accepted are all in the loop's inbox: a post holds the
/// lock that is taken here, so that none is under way between its acceptance and its arrival.
pub fn refuse_posts(handle: Handle, runtime: &Loop) {
    runtime.remote().close();
    drop(SLOTS[handle.loop_number() as usize].remote.write());
}

/// Ends a handle of a loop that has been closed or is given up; the loop comes back to be dropped. A thread that is
/// still blocked on it is told `status`.
pub fn take_closed(handle: Handle, last_generation: u32, status: rota_status) -> Result<Box<Loop>> {
    let runtime = find_loop(handle)?;
    if runtime.is_running() {
        return Err(ROTA_ERR_REENTRANT.into());
    }
    let slot = &SLOTS[handle.loop_number() as usize];
    if let Ok(mut remote) = slot.remote.write() {
        slot.generation.store(last_generation.saturating_add(1), Ordering::Relaxed);
        *remote = None;
    }
    runtime.remote().end(status);
    let runtime = slot.runtime.swap(ptr::null_mut(), Ordering::Relaxed);
    slot.owner.store(0, Ordering::Release);
    // SAFETY: it came from `Box::into_raw` in `open`, and `find` hands it out
    // no more; no frame of this thread is inside it, since it does not run.
    Ok(unsafe { Box::from_raw(runtime) })
}
