//! Reader-writer locks.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_loop, rota_rwlock};
use crate::base::{rota_status, rota_status::*, Handle, Kind};

/// A lock among tasks and callbacks of one loop that many may hold to read, or
/// one to write. It belongs to no task: whoever has the handle may release it.
///
/// First come, first served: a writer who waits stops the readers that come
/// after him, and readers next to each other go together. So a reader must not
/// take it again while it holds it: a writer may wait in between.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_rwlock(r#loop: rota_loop, out: *mut rota_rwlock) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let rwlock = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.rwlock_open()?;
            Ok(state.core.handle(Kind::Rwlock, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, rwlock.into()) }
    })
}

/// A future for the lock, to read: once it is complete, with 0, it is held.
/// Cancelling it, or the task that awaits it, leaves the line; one that is
/// complete holds the lock all the same, and has to release it.
#[no_mangle]
pub extern "C" fn rota_rwlock_acquire_read(rwlock: rota_rwlock) -> rota_future {
    acquire(rwlock, false)
}

/// As rota_rwlock_acquire_read(), to write.
#[no_mangle]
pub extern "C" fn rota_rwlock_acquire_write(rwlock: rota_rwlock) -> rota_future {
    acquire(rwlock, true)
}

fn acquire(rwlock: rota_rwlock, writes: bool) -> rota_future {
    let handle = Handle::from(rwlock);
    guard_future(handle, registry::find_kind(handle, Kind::Rwlock), |state| {
        state.service.sync.rwlock_acquire(&mut state.core, handle.key(), writes)
    })
}

/// One reader lets go of the lock. ROTA_ERR_INVALID: nobody reads.
#[no_mangle]
pub extern "C" fn rota_rwlock_release_read(rwlock: rota_rwlock) -> rota_status {
    release(rwlock, false)
}

/// The writer lets go of the lock. ROTA_ERR_INVALID: nobody writes.
#[no_mangle]
pub extern "C" fn rota_rwlock_release_write(rwlock: rota_rwlock) -> rota_status {
    release(rwlock, true)
}

fn release(rwlock: rota_rwlock, writes: bool) -> rota_status {
    let handle = Handle::from(rwlock);
    guard_kind(handle, Kind::Rwlock, |state| state.service.sync.rwlock_release(&mut state.core, handle.key(), writes))
}

/// How many hold the lock to read.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_rwlock_get_readers(rwlock: rota_rwlock, out: *mut u32) -> rota_status {
    let handle = Handle::from(rwlock);
    guard_kind(handle, Kind::Rwlock, |state| {
        let readers = state.service.sync.rwlock_readers(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, readers) }
    })
}

/// Whether somebody holds the lock to write.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_rwlock_is_writing(rwlock: rota_rwlock, out: *mut bool) -> rota_status {
    let handle = Handle::from(rwlock);
    guard_kind(handle, Kind::Rwlock, |state| {
        let writing = state.service.sync.rwlock_is_writing(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, writing) }
    })
}

/// Ends the lock, held or not: those who wait for it end with
/// ROTA_ERR_CANCELLED. Closing its loop does the same. Closing null succeeds
/// and does nothing.
#[no_mangle]
pub extern "C" fn rota_rwlock_close(rwlock: rota_rwlock) -> rota_status {
    let handle = Handle::from(rwlock);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Rwlock, |state| state.service.sync.rwlock_close(&mut state.core, handle.key()))
}
