//! Futures made of futures.

use super::guard::guard_combined;
use super::registry;
use super::services::Services;
use crate::base::handle::{rota_future, rota_loop};
use crate::base::{limits, rota_status::*, Handle, Kind, Result};
use crate::rt::{Gather, Race, State, Until};

/// A gather cancels the others when one has failed, and is done when they have
/// ended.
pub const ROTA_GATHER_CANCEL_REST: u32 = 1;
/// A gather waits for all, whatever they come to, and counts those that failed.
pub const ROTA_GATHER_ALL: u32 = 2;

/// Wait until all are done.
pub const ROTA_WAIT_ALL: u32 = 0;
/// Wait until one is done.
pub const ROTA_WAIT_FIRST: u32 = 1;
/// Wait until one has failed, or all are done.
pub const ROTA_WAIT_FIRST_ERROR: u32 = 2;

/// A race is won by the first that does well; if all fail, it fails as the first
/// that did.
pub const ROTA_RACE_SUCCESS: u32 = 1;

/// A future that is done as `future` is, with its outcome, its message and its
/// object, or with ROTA_ERR_TIMEOUT when `timeout_ns` have gone by. It is a
/// claim on `future`, which ends with it unless it is kept. At the end of the
/// time, or when it is cancelled itself, it cancels `future`, if its claim is
/// the only one, and is done when that has ended: with the bytes that moved in
/// `moved_bytes`, or with what `future` came to after all. If others wait too
/// it lets go of `future` and is done at once. A time of 0 is for what is done
/// already, ROTA_FOREVER is no end. A value comes back as it is.
///
/// If it cannot start it is a failed future, and `future` stays as it was,
/// yours to wait for or to close.
#[no_mangle]
pub extern "C" fn rota_future_wait_for(future: rota_future, timeout_ns: u64) -> rota_future {
    of_one(future, |state, inner| state.wait_for(inner.key(), timeout_ns))
}

/// A future that is done as `future` is, as rota_future_wait_for() without an
/// end; but cancelling or closing it leaves `future` alone: it is done at once
/// then, with ROTA_ERR_CANCELLED. `future` goes on, and when it is done ends
/// with what it holds, unless it is kept or others wait for it; an error that
/// nobody looked at reaches the log.
#[no_mangle]
pub extern "C" fn rota_future_shield(future: rota_future) -> rota_future {
    of_one(future, |state, inner| state.shield(inner.key()))
}

fn of_one(future: rota_future, combine: impl FnOnce(&mut State<Services>, Handle) -> Result<Handle>) -> rota_future {
    let handle = Handle::from(future);
    if handle.is(Kind::Value) {
        return future;
    }
    guard_combined(handle, registry::find_kind(handle, Kind::Future), |state| combine(state, handle))
}

/// A future that is done when all of `futures` are: with 0, or with the outcome
/// of the first that failed or was cancelled, as soon as that is known; the
/// others go on. `flags` is 0, ROTA_GATHER_CANCEL_REST or ROTA_GATHER_ALL. With
/// no futures it is done with 0 at once.
///
/// The gather is a claim on each, and answers it when that one is done: keep
/// (rota_future_keep()) those whose outcomes you want to read one by one, and
/// close them then. Objects stay in their own futures until you take them.
/// Cancelling the gather cancels those that nobody else waits for, lets go of
/// the others, and ends when the former have ended: with ROTA_ERR_CANCELLED, or
/// with the failure of one of them, as it does uncancelled. Failures behind the
/// first reach the log, unless `flags` say that they are counted.
///
/// ROTA_ERR_HANDLE: one of them is not of this loop, or has ended;
/// ROTA_ERR_LIMIT: more than 2^20. If it cannot start, all stay as they were.
///
/// # Safety
/// `futures` may be read for `count` handles, or `count` is 0.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_gather(
    r#loop: rota_loop,
    futures: *const rota_future,
    count: usize,
    flags: u32,
) -> rota_future {
    let handle = Handle::from(r#loop);
    guard_combined(handle, registry::find_loop(handle), |state| {
        let how = match flags {
            0 => Gather::FirstError,
            ROTA_GATHER_CANCEL_REST => Gather::CancelRest,
            ROTA_GATHER_ALL => Gather::All,
            _ => return Err(ROTA_ERR_INVALID.into()),
        };
        // SAFETY: the caller's word, passed on.
        match unsafe { list(handle, futures, count)? } {
            [] => Handle::value(handle.loop_number(), 0).ok_or(ROTA_ERR_LIMIT.into()),
            futures => state.gather_many(futures.iter().copied().map(Handle::from), how),
        }
    })
}

/// A future that is done when enough of `futures` are, or when `timeout_ns`
/// have gone by (ROTA_FOREVER: no end); its value is how many of them are done
/// then. `until` is ROTA_WAIT_ALL, ROTA_WAIT_FIRST or ROTA_WAIT_FIRST_ERROR.
/// With no futures it is done with 0 at once.
///
/// It only watches: no future is cancelled, claimed or ended by it, so all of
/// them are yours afterwards as they were, to wait for, to read or to close;
/// keep those that somebody else's answer may end. Errors as
/// rota_loop_gather().
///
/// # Safety
/// `futures` may be read for `count` handles, or `count` is 0.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_wait(
    r#loop: rota_loop,
    futures: *const rota_future,
    count: usize,
    until: u32,
    timeout_ns: u64,
) -> rota_future {
    let handle = Handle::from(r#loop);
    guard_combined(handle, registry::find_loop(handle), |state| {
        let until = match until {
            ROTA_WAIT_ALL => Until::All,
            ROTA_WAIT_FIRST => Until::First,
            ROTA_WAIT_FIRST_ERROR => Until::FirstError,
            _ => return Err(ROTA_ERR_INVALID.into()),
        };
        // SAFETY: the caller's word, passed on.
        match unsafe { list(handle, futures, count)? } {
            [] => Handle::value(handle.loop_number(), 0).ok_or(ROTA_ERR_LIMIT.into()),
            futures => state.wait_for_many(futures.iter().copied().map(Handle::from), until, timeout_ns),
        }
    })
}

/// A future whose value is the place (from 0) in `futures` of the first that is
/// done, however it is done. The others are cancelled where nobody else waits
/// for them, and the race is done when those have ended. `flags` is 0 or
/// ROTA_RACE_SUCCESS.
///
///     rota_future two[2] = {rota_stream_read(stream, buffer, size),
///                           rota_event_wait(give_up)};
///     int64_t first = rota_await(rota_loop_race(loop, two, 2, 0));
///     if (first == 0) n = rota_await(two[0]);
///     if (first >= 0) rota_future_close(two[first]);
///
/// It is a claim on each. The winner is yours: it is kept, for you to read and
/// to close, with the object it holds. The others end with what they brought
/// after all, unless you keep them or others wait for them too. Of those that
/// are done at the start, the first in the list wins; one that is done in spite
/// of being cancelled has won too. An error of a loser reaches the log, if
/// nobody looks at it; with ROTA_RACE_SUCCESS failures count as looked at.
///
/// Cancelling the race cancels those that nobody else waits for, lets go of the
/// others, and ends with ROTA_ERR_CANCELLED when the former have ended; not if
/// it is decided by then. ROTA_ERR_INVALID: no futures, or unknown flags; other
/// errors as rota_loop_gather().
///
/// # Safety
/// `futures` may be read for `count` handles, or `count` is 0.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_race(
    r#loop: rota_loop,
    futures: *const rota_future,
    count: usize,
    flags: u32,
) -> rota_future {
    let handle = Handle::from(r#loop);
    guard_combined(handle, registry::find_loop(handle), |state| {
        let how = match flags {
            0 => Race::First,
            ROTA_RACE_SUCCESS => Race::Success,
            _ => return Err(ROTA_ERR_INVALID.into()),
        };
        // SAFETY: the caller's word, passed on.
        match unsafe { list(handle, futures, count)? } {
            [] => Err(ROTA_ERR_INVALID.into()),
            futures => state.race(futures.iter().copied().map(Handle::from), how),
        }
    })
}

/// The caller's futures, all of one loop.
///
/// # Safety
/// `futures` may be read for `count` handles, or `count` is 0.
unsafe fn list<'a>(of: Handle, futures: *const rota_future, count: usize) -> Result<&'a [rota_future]> {
    if count == 0 {
        return Ok(&[]);
    }
    if futures.is_null() || !futures.is_aligned() {
        return Err(ROTA_ERR_INVALID.into());
    }
    if count > limits::COMBINED_MAX {
        return Err(ROTA_ERR_LIMIT.into());
    }
    // SAFETY: the caller's word; it is aligned, and not too large.
    let futures = unsafe { core::slice::from_raw_parts(futures, count) };
    let fits = |handle: Handle| {
        (handle.is(Kind::Future) || handle.is(Kind::Value)) && handle.loop_number() == of.loop_number()
    };
    match futures.iter().all(|future| fits(Handle::from(*future))) {
        true => Ok(futures),
        false => Err(ROTA_ERR_HANDLE.into()),
    }
}
