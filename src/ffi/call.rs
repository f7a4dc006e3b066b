//! Callbacks in the queue.

use super::guard::{guard_kind, guard_loop, hand_out_if_wanted};
use crate::base::handle::{rota_call, rota_loop};
use crate::base::{rota_status, rota_status::*, Handle, Kind};
use crate::sys::host::{rota_call_fn, HostCall};
use core::ffi::c_void;

/// Queues a callback for the next turn: once, first in first out, never inside
/// this call. `out` may be NULL if you will not cancel it.
///
/// # Safety
/// `callback` may be called with `user_data`; `out` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_call_soon(
    r#loop: rota_loop,
    callback: rota_call_fn,
    user_data: *mut c_void,
    out: *mut rota_call,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        let callback = callback.ok_or(ROTA_ERR_INVALID)?;
        // SAFETY: the caller's word, passed on.
        let call = unsafe { HostCall::new(callback, user_data) };
        runtime.with(|state| {
            let core = &mut state.core;
            core.refuse_if_closing()?;
            if out.is_null() {
                return core.call_soon(call);
            }
            let key = core.call_soon_cancellable(call)?;
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out_if_wanted(out, core.handle(Kind::Call, key).into()) };
            Ok(())
        })
    })
}

/// Cancels a queued callback: it comes in its place with ROTA_ERR_CANCELLED, so
/// that you can let go of its `user_data`. ROTA_ERR_HANDLE: it has come already.
#[no_mangle]
pub extern "C" fn rota_call_cancel(call: rota_call) -> rota_status {
    let handle = Handle::from(call);
    guard_kind(handle, Kind::Call, |state| state.core.call_cancel(handle.key()))
}
