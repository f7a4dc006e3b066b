//! Channels.

use super::guard::{guard, guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_channel, rota_future, rota_loop};
use crate::base::{rota_status, rota_status::*, Handle, Kind, Result};
use crate::rt::{current, Channel, Shared};
use crate::sys::host::HostPointer;
use crate::sys::primitives::deadline_after;
use core::ffi::c_void;

/// A channel: pointers from any thread and any loop to this loop, which
/// receives. It holds at most `capacity` of them, at least 1, and takes the room
/// for them now, from the system. What they point to stays yours: nothing here
/// reads it or lets go of it, and NULL is an item like others.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_channel(
    r#loop: rota_loop,
    capacity: usize,
    out: *mut rota_channel,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let channel = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.channel_open(&mut state.core, capacity)?;
            Ok(state.core.handle(Kind::Channel, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, channel.into()) }
    })
}

/// Does something with what threads share of a channel, on any thread.
fn with<R>(channel: Handle, call: impl FnOnce(&Shared<Channel>) -> Result<R>) -> Result<R> {
    registry::refuse_unless(channel, Kind::Channel)?;
    registry::remote_of(channel, |remote| remote.channels().find(channel.key(), call).ok_or(ROTA_ERR_HANDLE)?)
}

/// Sends an item, from any thread: ROTA_OK, it is in, behind all that were sent
/// before. While there is no room it blocks the calling thread, for `timeout_ns`
/// of the system's clock at most (ROTA_FOREVER: no limit); those who wait for
/// room, threads and loops alike, get it in the order in which they came.
/// With any other answer the item is not in, and stays yours. Thread-safe.
///
/// ROTA_ERR_LIMIT: there is no room, and `timeout_ns` is 0. ROTA_ERR_TIMEOUT: the
/// time is over. ROTA_ERR_SHUT: the channel was shut down. ROTA_ERR_CANCELLED: it
/// was closed meanwhile. ROTA_ERR_HANDLE: it was closed before, or its loop was
/// abandoned. ROTA_ERR_REENTRANT: there is no room, and the thread may not block:
/// it is the receiving loop's own, or inside a callback or a task; use
/// rota_loop_send() there.
///
/// # Safety
/// None: the pointer is only carried.
#[no_mangle]
pub unsafe extern "C" fn rota_channel_send(channel: rota_channel, item: *mut c_void, timeout_ns: u64) -> rota_status {
    let (handle, item) = (Handle::from(channel), HostPointer(item));
    guard(|| {
        let may_block = timeout_ns > 0 && current().is_none() && !registry::is_own(handle);
        let waits = with(handle, |shared| {
            if may_block {
                return Ok(shared.send(item, None)?.map(|number| (shared.clone(), number)));
            }
            match shared.try_send(item) {
                Err(error) if error.status == ROTA_ERR_LIMIT && timeout_ns > 0 => Err(ROTA_ERR_REENTRANT.into()),
                tried => tried.map(|()| None),
            }
        })?;
        match waits {
            Some((shared, number)) => shared.wait(number, deadline_after(timeout_ns)),
            None => Ok(()),
        }
    })
}

/// A future of this loop's that is complete, with 0, once the item is in the
/// channel, which may be of any loop and thread: at once if there is room, else
/// in the order in which they came, as with rota_channel_send(). Cancelled or
/// failed, it has put nothing in; a cancel that comes too late to take the item
/// back completes it with 0. Its failures are those of rota_channel_send().
///
/// # Safety
/// None: the pointer is only carried.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_send(r#loop: rota_loop, channel: rota_channel, item: *mut c_void) -> rota_future {
    let (handle, channel) = (Handle::from(r#loop), Handle::from(channel));
    guard_future(handle, registry::find_loop(handle), |state| {
        let shared = with(channel, |shared| Ok(shared.clone()))?;
        state.service.sync.channel_send(&mut state.core, shared, HostPointer(item))
    })
}

/// A future for the oldest item; rota_future_take_result() hands it out. The
/// first to ask is the first to get one. Cancelling it while it is pending
/// leaves the line; once it is complete it holds the item until that is taken.
/// Closing it drops the item. ROTA_ERR_SHUT: the channel was shut down, and is
/// empty.
#[no_mangle]
pub extern "C" fn rota_channel_receive(channel: rota_channel) -> rota_future {
    let handle = Handle::from(channel);
    guard_future(handle, registry::find_kind(handle, Kind::Channel), |state| {
        state.service.sync.channel_receive(&mut state.core, handle.key())
    })
}

/// Takes the oldest item if there is one now. ROTA_ERR_PENDING: it is empty, or
/// others wait for its items; ROTA_ERR_SHUT: it is empty, and was shut down.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_channel_try_receive(channel: rota_channel, out: *mut *mut c_void) -> rota_status {
    let handle = Handle::from(channel);
    guard_kind(handle, Kind::Channel, |state| {
        wanted(out)?;
        let item = state.service.sync.channel_try_receive(&mut state.core, handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, item.0) }
    })
}

/// Nothing is sent from now on: who waits for room, or tries, gets
/// ROTA_ERR_SHUT. Items that are in it come out as before; once it is empty, who
/// waits to receive, or tries, gets ROTA_ERR_SHUT. Shutting it again changes
/// nothing. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_channel_shutdown(channel: rota_channel) -> rota_status {
    guard(|| {
        with(channel.into(), |shared| {
            shared.shut();
            Ok(())
        })
    })
}

/// How many items are in the channel. Thread-safe.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_channel_get_size(channel: rota_channel, out: *mut usize) -> rota_status {
    guard(|| {
        let size = with(channel.into(), |shared| Ok(shared.size()))?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, size) }
    })
}

/// How many senders, threads and loops, wait for room. Thread-safe.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_channel_get_waiting(channel: rota_channel, out: *mut usize) -> rota_status {
    guard(|| {
        let waiting = with(channel.into(), |shared| Ok(shared.waiting()))?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, waiting) }
    })
}

/// Ends the channel: who waits on either side ends with ROTA_ERR_CANCELLED, and
/// items that are in it are forgotten; shut it down and take them first if they
/// have to be let go. Closing its loop does the same. Closing null succeeds and
/// does nothing.
#[no_mangle]
pub extern "C" fn rota_channel_close(channel: rota_channel) -> rota_status {
    let handle = Handle::from(channel);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Channel, |state| state.service.sync.channel_close(&mut state.core, handle.key()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::handle::rota_token;
    use crate::ffi::{event_loop::*, future::*, token::*};
    use core::ptr::{null, null_mut};

    fn is_done(future: rota_future) -> bool {
        let mut outcome = crate::base::outcome::EMPTY;
        // SAFETY: a place for the answer.
        unsafe { rota_future_get_outcome(future, &mut outcome) == ROTA_OK }
    }

    /// The room for messages comes from the system, whose lack of memory no test can make: so they are taken away.
    #[test]
    fn what_a_lost_message_would_have_told_is_found_by_looking_everywhere() {
        let (mut ours, mut full, mut empty) = (rota_loop::default(), rota_channel::default(), rota_channel::default());
        let (mut token, mut item) = (rota_token::default(), null_mut());
        // SAFETY: places for the answers, and items that nobody follows.
        let (send, receive) = unsafe {
            assert_eq!(rota_loop_open(null(), &mut ours), ROTA_OK);
            assert_eq!(rota_loop_open_channel(ours, 1, &mut full), ROTA_OK);
            assert_eq!(rota_loop_open_channel(ours, 1, &mut empty), ROTA_OK);
            assert_eq!(rota_loop_open_token(ours, rota_token::default(), &mut token), ROTA_OK);
            assert_eq!(rota_channel_send(full, null_mut(), 0), ROTA_OK);
            (rota_loop_send(ours, full, null_mut()), rota_channel_receive(empty))
        };
        let wait = rota_token_wait(token);
        // SAFETY: as above.
        unsafe {
            assert_eq!(rota_channel_try_receive(full, &mut item), ROTA_OK);
            assert_eq!(rota_channel_send(empty, null_mut(), 0), ROTA_OK);
            assert_eq!(rota_token_post_cancel(token), ROTA_OK);
        }
        let remote = registry::find_loop(ours.into()).map(|runtime| runtime.remote().clone()).ok().unwrap();
        remote.begin_batch();
        assert_eq!(core::iter::from_fn(|| remote.take()).count(), 3);
        let turned = || {
            // SAFETY: no figures are wanted.
            assert_eq!(unsafe { rota_loop_turn(ours, 0, 0, 0, null_mut()) }, ROTA_OK);
            [send, receive, wait].map(is_done)
        };
        assert_eq!(turned(), [false; 3]);
        remote.miss();
        assert_eq!(turned(), [true; 3]);
        assert_eq!(rota_loop_close(ours, 0), ROTA_OK);
    }
}
