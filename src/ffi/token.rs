//! Tokens.

use super::guard::{guard, guard_future, guard_kind, guard_loop, hand_out, hand_out_text, wanted};
use super::registry;
use super::scope::reason_of;
use crate::base::handle::{rota_future, rota_loop, rota_task, rota_token};
use crate::base::{rota_status, rota_status::*, Handle, Kind};
use core::ffi::c_char;
use core::sync::atomic::Ordering;

/// A token: one call cancels it, and whoever looks, waits or is attached learns
/// that something is to end. A token below a `parent` of the same loop is
/// cancelled with it, at once if it is cancelled already; a null `parent` is
/// none.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_token(
    r#loop: rota_loop,
    parent: rota_token,
    out: *mut rota_token,
) -> rota_status {
    let (handle, parent) = (Handle::from(r#loop), Handle::from(parent));
    guard_loop(handle, |runtime| {
        wanted(out)?;
        let ours = parent.is(Kind::Token) && parent.loop_number() == handle.loop_number();
        if !parent.is_null() && !ours {
            return Err(ROTA_ERR_HANDLE.into());
        }
        let token = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let parent = ours.then(|| parent.key());
            let key = state.service.sync.token_open(&mut state.core, parent)?;
            Ok(state.core.handle(Kind::Token, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, token.into()) }
    })
}

/// Cancels a token and all below it: those who wait for it go on, and the tasks
/// that are attached are asked to end, in the next turn, as by
/// rota_task_cancel_with(). `reason` is copied; NULL is none. A token that is
/// cancelled stays as it is, with its first reason.
///
/// # Safety
/// `reason` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_token_cancel(token: rota_token, reason: *const c_char) -> rota_status {
    let handle = Handle::from(token);
    guard_kind(handle, Kind::Token, |state| {
        state.service.sync.token_reason(handle.key())?;
        // SAFETY: the caller's word, passed on.
        let reason = unsafe { reason_of(state.core.memory.clone(), reason)? };
        state.service.sync.token_cancel(&mut state.core, handle.key(), reason)
    })
}

/// As rota_token_cancel() without a reason, from any thread: from now on
/// rota_token_is_cancelled() says so of this token; all else, tokens below it
/// included, follows in the loop's next turn. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_token_post_cancel(token: rota_token) -> rota_status {
    let handle = Handle::from(token);
    guard(|| {
        registry::refuse_unless(handle, Kind::Token)?;
        registry::remote_of(handle, |remote| {
            let raised = remote.tokens().find(handle.key(), |flag| flag.swap(true, Ordering::AcqRel));
            if !raised.ok_or(ROTA_ERR_HANDLE)? {
                remote.tell(crate::sync::token_object(handle.key()));
            }
            Ok(())
        })
    })
}

/// Whether a token is cancelled, for those who look now and then. Thread-safe.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_token_is_cancelled(token: rota_token, out: *mut bool) -> rota_status {
    let handle = Handle::from(token);
    guard(|| {
        registry::refuse_unless(handle, Kind::Token)?;
        let flag = registry::remote_of(handle, |remote| {
            Ok(remote.tokens().find(handle.key(), |flag| flag.load(Ordering::Acquire)).ok_or(ROTA_ERR_HANDLE)?)
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, flag) }
    })
}

/// Why a token was cancelled, cut to fit and with a NUL; "" if it was not, or
/// without a reason. Its whole length goes to `length`, which may be NULL.
///
/// # Safety
/// `buffer` may be written for `size` bytes, `length` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_token_get_reason(
    token: rota_token,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
) -> rota_status {
    let handle = Handle::from(token);
    guard_kind(handle, Kind::Token, |state| {
        let reason = state.service.sync.token_reason(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_text(reason.as_bytes(), buffer, size, length) }
    })
}

/// A future that is complete, with 0, once the token is cancelled. If the token
/// is closed before, it ends with ROTA_ERR_CANCELLED.
#[no_mangle]
pub extern "C" fn rota_token_wait(token: rota_token) -> rota_future {
    let handle = Handle::from(token);
    guard_future(handle, registry::find_kind(handle, Kind::Token), |state| {
        state.service.sync.token_wait(&mut state.core, handle.key())
    })
}

/// A task of the same loop is asked to end when the token is cancelled, once; in
/// the next turn if it is cancelled already. It is let go when it ends, so that
/// a token may outlive any number of tasks; attaching it again changes nothing
/// before it is asked. ROTA_ERR_DONE: it has ended.
#[no_mangle]
pub extern "C" fn rota_token_attach(token: rota_token, task: rota_task) -> rota_status {
    let (handle, task) = (Handle::from(token), Handle::from(task));
    guard_kind(handle, Kind::Token, |state| {
        if !task.is(Kind::Task) || task.loop_number() != handle.loop_number() {
            return Err(ROTA_ERR_HANDLE.into());
        }
        state.service.sync.token_attach(&mut state.core, handle.key(), task.key())
    })
}

/// Ends the token: who waits for it ends with ROTA_ERR_CANCELLED; tasks that are
/// attached go on, and tokens below it stand on their own. Closing its loop does
/// the same. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_token_close(token: rota_token) -> rota_status {
    let handle = Handle::from(token);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Token, |state| state.service.sync.token_close(&mut state.core, handle.key()))
}
