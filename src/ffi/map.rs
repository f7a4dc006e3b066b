//! What follows a future.

use super::future::find_future;
use super::guard::guard_combined;
use crate::base::handle::rota_future;
use crate::base::{rota_status::*, Handle};
use crate::rt::Continuation;
use crate::sys::host::{rota_chain_fn, rota_map_fn, HostChain, HostMap};
use core::ffi::c_void;

/// A future that is done with what `map` returns for what `future` came to: a
/// value at or above zero, or a negative status. Returning the failure that it
/// was given passes that on with its message.
///
/// `map` comes once, in a later turn, like a callback of `future`, which is to
/// be read in it likewise; also for a failure, and when the new future is
/// cancelled: `future` is cancelled then, or, if others wait for it too, let go,
/// and `map` is told ROTA_ERR_CANCELLED at once. What it returns counts all the
/// same. An object stays in `future` until it is taken.
///
/// If it cannot start it is a failed future, `map` never comes, and `future`
/// stays as it was.
///
/// # Safety
/// `map` may be called with `user_data`.
#[no_mangle]
pub unsafe extern "C" fn rota_future_map(future: rota_future, map: rota_map_fn, user_data: *mut c_void) -> rota_future {
    // SAFETY: the caller's word, passed on.
    goes_on(future, map.map(|map| Continuation::Map(unsafe { HostMap::new(map, user_data) })))
}

/// A future that goes on after `future` with the one that `next` returns: it is
/// done as that is, with its outcome, its message and its object. That one may
/// be `future` itself, to be done as it was, or a value.
///
/// `next` comes once, like `map` of rota_future_map(). What it returns is
/// claimed, as by rota_future_wait_for(). Cancelling the new future cancels what
/// it waits for now, if nobody else does; after `next` was told so, what it
/// returns is waited for (as a task may clean up), until it is cancelled again.
///
/// ROTA_ERR_HANDLE: what `next` returned is null, has ended, or is of another
/// loop; ROTA_ERR_INVALID: it waits for the new future itself, so that nothing
/// would ever end it. If it cannot start it is a failed future, `next` never
/// comes, and `future` stays as it was.
///
/// # Safety
/// `next` may be called with `user_data`.
#[no_mangle]
pub unsafe extern "C" fn rota_future_chain(
    future: rota_future,
    next: rota_chain_fn,
    user_data: *mut c_void,
) -> rota_future {
    // SAFETY: the caller's word, passed on.
    goes_on(future, next.map(|next| Continuation::Chain(unsafe { HostChain::new(next, user_data) })))
}

fn goes_on(future: rota_future, host: Option<Continuation>) -> rota_future {
    let handle = Handle::from(future);
    guard_combined(handle, find_future(handle), |state| state.continue_with(handle, host.ok_or(ROTA_ERR_INVALID)?))
}
