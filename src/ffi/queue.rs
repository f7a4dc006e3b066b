//! Queues.

use super::guard::{guard_future, guard_kind, guard_loop, hand_out, wanted};
use super::registry;
use crate::base::handle::{rota_future, rota_loop, rota_queue};
use crate::base::{rota_status, rota_status::*, Handle, Kind};
use crate::sync::Order;
use crate::sys::host::HostPointer;
use core::ffi::c_void;

/// The oldest item comes out first.
pub const ROTA_QUEUE_FIFO: u32 = 0;
/// The newest item comes out first.
pub const ROTA_QUEUE_LIFO: u32 = 1;
/// The item with the smallest priority comes out first, the oldest of equals.
pub const ROTA_QUEUE_PRIORITY: u32 = 2;

/// A queue of pointers between tasks and callbacks of one loop. It holds at
/// most `capacity` of them; 0 is any number. `order` is ROTA_QUEUE_FIFO,
/// ROTA_QUEUE_LIFO or ROTA_QUEUE_PRIORITY. What the pointers point to stays
/// yours: nothing here reads it or lets go of it, and NULL is an item like
/// others.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_open_queue(
    r#loop: rota_loop,
    capacity: usize,
    order: u32,
    out: *mut rota_queue,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        let order = match order {
            ROTA_QUEUE_FIFO => Order::Fifo,
            ROTA_QUEUE_LIFO => Order::Lifo,
            ROTA_QUEUE_PRIORITY => Order::Priority,
            _ => return Err(ROTA_ERR_INVALID.into()),
        };
        let queue = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.sync.queue_open(capacity, order)?;
            Ok(state.core.handle(Kind::Queue, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, queue.into()) }
    })
}

/// A future that is complete, with 0, once the item is in the queue: at once if
/// there is room, else in the order in which they were put. Cancelled or failed,
/// it has put nothing. Where the order is by priority, this one is 0.
/// ROTA_ERR_SHUT: the queue was shut down.
#[no_mangle]
pub extern "C" fn rota_queue_put(queue: rota_queue, item: *mut c_void) -> rota_future {
    put(queue, item, None)
}

/// As rota_queue_put(), with a priority: the smallest comes out first, and equals
/// in the order in which they were put. Those who wait for room get it in the
/// order in which they came, whatever they put. ROTA_ERR_INVALID: the queue has
/// another order.
#[no_mangle]
pub extern "C" fn rota_queue_put_priority(queue: rota_queue, item: *mut c_void, priority: i64) -> rota_future {
    put(queue, item, Some(priority))
}

fn put(queue: rota_queue, item: *mut c_void, priority: Option<i64>) -> rota_future {
    let handle = Handle::from(queue);
    guard_future(handle, registry::find_kind(handle, Kind::Queue), |state| {
        state.service.sync.queue_put(&mut state.core, handle.key(), HostPointer(item), priority)
    })
}

/// A future for the next item; rota_future_take_result() hands it out. The
/// first to ask is the first to get one. Cancelling it while it is pending
/// leaves the line; once it is complete it holds the item until that is taken,
/// also if the task that awaits it is cancelled then. Closing it drops the item.
/// ROTA_ERR_SHUT: the queue was shut down, and is empty; or it was shut down now.
#[no_mangle]
pub extern "C" fn rota_queue_get(queue: rota_queue) -> rota_future {
    let handle = Handle::from(queue);
    guard_future(handle, registry::find_kind(handle, Kind::Queue), |state| {
        state.service.sync.queue_get(&mut state.core, handle.key())
    })
}

/// Puts an item if there is room now. ROTA_ERR_LIMIT: it is full; ROTA_ERR_SHUT:
/// it was shut down.
#[no_mangle]
pub extern "C" fn rota_queue_try_put(queue: rota_queue, item: *mut c_void) -> rota_status {
    try_put(queue, item, None)
}

/// As rota_queue_try_put(), with a priority as in rota_queue_put_priority().
#[no_mangle]
pub extern "C" fn rota_queue_try_put_priority(queue: rota_queue, item: *mut c_void, priority: i64) -> rota_status {
    try_put(queue, item, Some(priority))
}

fn try_put(queue: rota_queue, item: *mut c_void, priority: Option<i64>) -> rota_status {
    let handle = Handle::from(queue);
    guard_kind(handle, Kind::Queue, |state| {
        state.service.sync.queue_try_put(&mut state.core, handle.key(), HostPointer(item), priority)
    })
}

/// Takes the next item if there is one now. ROTA_ERR_PENDING: it is empty;
/// ROTA_ERR_SHUT: it is empty, and was shut down.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_queue_try_get(queue: rota_queue, out: *mut *mut c_void) -> rota_status {
    let handle = Handle::from(queue);
    guard_kind(handle, Kind::Queue, |state| {
        wanted(out)?;
        let item = state.service.sync.queue_try_get(&mut state.core, handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, item.0) }
    })
}

/// How many items are in the queue.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_queue_get_size(queue: rota_queue, out: *mut usize) -> rota_status {
    let handle = Handle::from(queue);
    guard_kind(handle, Kind::Queue, |state| {
        let size = state.service.sync.queue_size(handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, size) }
    })
}

/// Says that an item which came out of the queue is done with, for
/// rota_queue_join(). ROTA_ERR_INVALID: as many were done as were put.
#[no_mangle]
pub extern "C" fn rota_queue_task_done(queue: rota_queue) -> rota_status {
    let handle = Handle::from(queue);
    guard_kind(handle, Kind::Queue, |state| state.service.sync.queue_task_done(&mut state.core, handle.key()))
}

/// A future that is complete, with 0, once every item that was put is done with:
/// see rota_queue_task_done().
#[no_mangle]
pub extern "C" fn rota_queue_join(queue: rota_queue) -> rota_future {
    let handle = Handle::from(queue);
    guard_future(handle, registry::find_kind(handle, Kind::Queue), |state| {
        state.service.sync.queue_join(&mut state.core, handle.key())
    })
}

/// Nothing is put from now on: who waits to put, or tries, gets ROTA_ERR_SHUT.
/// Items that are in it come out as before; once it is empty, who waits to get,
/// or tries, gets ROTA_ERR_SHUT. Shutting it again changes nothing.
#[no_mangle]
pub extern "C" fn rota_queue_shutdown(queue: rota_queue) -> rota_status {
    let handle = Handle::from(queue);
    guard_kind(handle, Kind::Queue, |state| state.service.sync.queue_shut(&mut state.core, handle.key()))
}

/// As rota_queue_shutdown(), and nothing is got from now on either: who waits to
/// get, or begins to, has ROTA_ERR_SHUT, also while items are left. No item is
/// dropped: those that are in the queue stay there for rota_queue_try_get(), with
/// which whoever shuts it down takes them, to let go of them. They count as done
/// with: rota_queue_join() waits for those only that had come out before.
/// Shutting it again changes nothing.
#[no_mangle]
pub extern "C" fn rota_queue_shutdown_now(queue: rota_queue) -> rota_status {
    let handle = Handle::from(queue);
    guard_kind(handle, Kind::Queue, |state| state.service.sync.queue_shut_now(&mut state.core, handle.key()))
}

/// Ends the queue: who waits for it ends with ROTA_ERR_CANCELLED, and items that
/// are in it are forgotten; take them first if they have to be let go. Closing
/// its loop does the same. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_queue_close(queue: rota_queue) -> rota_status {
    let handle = Handle::from(queue);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Queue, |state| state.service.sync.queue_close(&mut state.core, handle.key()))
}
