//! Sets of futures.

use super::guard::{guard_future, guard_kind, guard_loop, guard_runtime, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_loop, rota_set};
use crate::base::{rota_status, rota_status::*, Handle, Kind};

/// An empty set, for futures that are to be handed out one by one, in the order
/// in which they are done.
///
///     rota_loop_open_set(loop, &set);
///     for (i = 0; i < count; i++) rota_set_add(set, rota_..., i);
///     while ((tag = rota_await(rota_set_next(set))) >= 0) {
///         ... futures[tag] is done; more may be added
///         rota_future_close(futures[tag]);
///     }
///     rota_set_close(set);
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_set(r#loop: rota_loop, out: *mut rota_set) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let set = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.core.set_open()?;
            Ok(state.core.handle(Kind::Set, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, set.into()) }
    })
}

/// Adds a future of the set's loop, done or not, with a number at or below
/// INT64_MAX by which you will know it: an index, or the future's own `id`, which
/// is never larger. The set is a claim on it until it is handed out. A future may
/// be added more than once.
///
/// ROTA_ERR_HANDLE: the set or the future has ended, or they are of two loops;
/// ROTA_ERR_INVALID: the tag is too large. If it fails, the future is as it was.
#[no_mangle]
pub extern "C" fn rota_set_add(set: rota_set, future: rota_future, tag: u64) -> rota_status {
    let (handle, future) = (Handle::from(set), Handle::from(future));
    guard_kind(handle, Kind::Set, |state| {
        let fits = future.is(Kind::Future) || future.is(Kind::Value);
        if !fits || future.loop_number() != handle.loop_number() {
            return Err(ROTA_ERR_HANDLE.into());
        }
        if tag > i64::MAX as u64 {
            return Err(ROTA_ERR_INVALID.into());
        }
        state.core.set_add(handle.key(), future, tag)
    })
}

/// A future whose value is the tag of the next that is done: of those that are
/// done already the first that was. That one is handed out with this: it is no
/// longer in the set, and kept for you to read and to close, with the object it
/// holds. (One that you closed yourself meanwhile has ended.) Several may ask;
/// they are answered in the order in which they came.
///
/// It fails with ROTA_ERR_DONE when nothing is left in the set. Cancelling it
/// takes nothing out of the set.
#[no_mangle]
pub extern "C" fn rota_set_next(set: rota_set) -> rota_future {
    let handle = Handle::from(set);
    guard_future(handle, registry::find_kind(handle, Kind::Set), |state| state.core.set_next(handle.key()))
}

/// How many have not been handed out, whether they are done or not.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_set_get_count(set: rota_set, out: *mut usize) -> rota_status {
    let handle = Handle::from(set);
    guard_kind(handle, Kind::Set, |state| {
        let count = state.core.set_count(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, count) }
    })
}

/// Ends the set with what was not handed out: pending futures are cancelled where
/// nobody else waits for them (a joined task is asked to end), others let go;
/// those that are done end with what they hold, unless they are kept, and an
/// error that nobody looked at reaches the log. Those who wait for the next end
/// with ROTA_ERR_CANCELLED. Closing the loop does the same. Closing null succeeds
/// and does nothing.
///
/// ROTA_ERR_BUSY: something of it needs time to end, and will end by itself; the
/// handle has ended.
#[no_mangle]
pub extern "C" fn rota_set_close(set: rota_set) -> rota_status {
    let handle = Handle::from(set);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_runtime(registry::find_kind(handle, Kind::Set), |runtime| {
        let key = handle.key();
        runtime.with(|state| state.set_close(key))?;
        while let Some(free) = runtime.with(|state| Ok(state.set_step(key)))? {
            runtime.let_go(Some(free));
        }
        match runtime.with(|state| Ok(state.set_remains(key)))? {
            true => Err(ROTA_ERR_BUSY.into()),
            false => Ok(()),
        }
    })
}
