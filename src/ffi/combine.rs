//! Futures made of futures.

use super::guard::guard_combined;
use super::registry;
use crate::base::handle::rota_future;
use crate::base::{Handle, Kind, Result};
use crate::io::Io;
use crate::rt::State;

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

fn of_one(future: rota_future, combine: impl FnOnce(&mut State<Io>, Handle) -> Result<Handle>) -> rota_future {
    let handle = Handle::from(future);
    if handle.is(Kind::Value) {
        return future;
    }
    guard_combined(handle, registry::find_kind(handle, Kind::Future), |state| combine(state, handle))
}
