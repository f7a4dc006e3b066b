//! Owners: all that one script or level started.

use super::guard::{guard_kind, guard_loop, guard_runtime, hand_out, hand_out_if_wanted, wanted};
use super::registry;
use crate::base::handle::{rota_loop, rota_owner};
use crate::base::{rota_status, rota_status::*, Handle, Kind};
use crate::sys::host::{rota_free_fn, HostDrop};

/// Opens an owner: a tag for all that a script, a level or a plugin starts, so
/// that it can be cancelled together. What is started while the owner is set
/// (rota_loop_set_owner()) belongs to it, and runs with it set, so that what
/// that starts belongs to it too: queued callbacks, timers, callbacks of
/// futures, tasks, operations (their futures), and listeners that serve. Posts
/// belong to nobody; neither do streams, locks and the like, which are yours to
/// close.
///
/// `dropped` may be NULL; otherwise it is called with the `user_data` of each
/// callback that rota_owner_cancel() drops.
///
/// # Safety
/// `dropped` may be called with the `user_data` of what the owner starts; `out`
/// may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_owner(
    r#loop: rota_loop,
    dropped: rota_free_fn,
    out: *mut rota_owner,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        // SAFETY: the caller's word, passed on.
        let dropped = dropped.map(|dropped| unsafe { HostDrop::new(dropped) });
        runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.core.owner_open(dropped)?;
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out(out, state.core.handle(Kind::Owner, key).into()) }
        })
    })
}

/// From now on what is started belongs to `owner`; null: to nobody. The owner
/// that was set goes to `before`, null if none was; `before` may be NULL. This
/// holds until a callback returns, in a task also across its waits, and in your
/// own code outside the loop until you set another. A callback or task that is
/// nobody's begins with none set; what a destructor sets, ends with it. Setting one does not change whose the running
/// task is.
///
/// # Safety
/// `before` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_set_owner(
    r#loop: rota_loop,
    owner: rota_owner,
    before: *mut rota_owner,
) -> rota_status {
    let (handle, number) = (Handle::from(owner), Handle::from(r#loop).loop_number());
    guard_loop(r#loop, |runtime| {
        runtime.with(|state| {
            let core = &mut state.core;
            let known =
                handle.is(Kind::Owner) && handle.loop_number() == number && core.owners.get(handle.key()).is_some();
            if !handle.is_null() && !known {
                return Err(ROTA_ERR_HANDLE.into());
            }
            let old = core.owner_now().map_or(Handle::NULL, |key| core.handle(Kind::Owner, key));
            core.owner_set(known.then(|| handle.key()));
            // SAFETY: the caller's word, passed on.
            unsafe { hand_out_if_wanted(before, old.into()) };
            Ok(())
        })
    })
}

/// Cancels all that belongs to an owner. Its callbacks are dropped: they do not
/// come, `dropped` is called instead. Stepped tasks are dropped: they are not
/// called again, `user_data_free` is called, and who joined them is answered
/// ROTA_ERR_CANCELLED; one that runs, or whose turn has come, ends in that turn.
/// Stackful tasks are asked to end, as by rota_task_cancel(), by the first call
/// only. Nobody joins its tasks afterwards: their handles end with them. Its
/// operations are cancelled and their futures closed, also those that others
/// wait for or shield, and promises. What a stepped task held (a lock, a place)
/// stays held: release it in `user_data_free`. (So the function of a map or a chain is called, and a
/// completion comes to be fetched, if something was still to come.) Listeners
/// that serve for it are closed.
///
/// What has not ended goes to `left`, which may be NULL: as
/// rota_owner_get_count(). At 0 nothing of the owner's comes any more. Until
/// then turn the loop and look again; what its tasks started while they cleaned
/// up you may cancel by calling this again. Called from one of the destructors
/// that it calls, it only counts.
///
/// It looks through all that the loop has, and takes no memory.
///
/// # Safety
/// `left` is NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_owner_cancel(owner: rota_owner, left: *mut usize) -> rota_status {
    let handle = Handle::from(owner);
    guard_runtime(registry::find_kind(handle, Kind::Owner), |runtime| {
        let count = runtime.owner_cancel(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_if_wanted(left, count) };
        Ok(())
    })
}

/// How much that belongs to the owner has not ended: callbacks that are to
/// come, tasks that have not ended, operations that are pending or whose outcome
/// is on its way, serving listeners. A callback that runs may count until it
/// returns. It looks through all that the loop has.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_owner_get_count(owner: rota_owner, out: *mut usize) -> rota_status {
    let handle = Handle::from(owner);
    guard_kind(handle, Kind::Owner, |state| {
        let count = state.owner_count(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, count) }
    })
}

/// Ends an owner. ROTA_ERR_BUSY: something of it has not ended, and the owner
/// stays. Null closes nothing and succeeds. Owners that are left when the loop
/// is closed end with it.
#[no_mangle]
pub extern "C" fn rota_owner_close(owner: rota_owner) -> rota_status {
    let handle = Handle::from(owner);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Owner, |state| state.owner_close(handle.key()))
}
