//! Random calls on locks, conditions, reader-writer locks, semaphores, events, queues, barriers and once-cells.

use crate::handles::{any, remember, Noun};
use crate::ledger::{self, data, Kind};
use crate::world::{ensure, once_in, roll, status};
use crate::{bodies, loops};
use core::ptr::null_mut;
use rota::base::handle::*;
use rota::base::rota_status::*;
use rota::ffi::barrier::*;
use rota::ffi::condition::*;
use rota::ffi::event::*;
use rota::ffi::lock::*;
use rota::ffi::once::*;
use rota::ffi::queue::*;
use rota::ffi::rwlock::*;
use rota::ffi::semaphore::*;

fn lock() -> rota_lock {
    rota_lock { id: any(Noun::Lock) }
}

fn condition() -> rota_condition {
    rota_condition { id: any(Noun::Condition) }
}

fn rwlock() -> rota_rwlock {
    rota_rwlock { id: any(Noun::Rwlock) }
}

fn semaphore() -> rota_semaphore {
    rota_semaphore { id: any(Noun::Semaphore) }
}

fn event() -> rota_event {
    rota_event { id: any(Noun::Event) }
}

fn queue() -> rota_queue {
    rota_queue { id: any(Noun::Queue) }
}

fn barrier() -> rota_barrier {
    rota_barrier { id: any(Noun::Barrier) }
}

fn once() -> rota_once {
    rota_once { id: any(Noun::Once) }
}

/// A future that others may wait for, cancel or close.
fn keep(future: rota_future) {
    remember(Noun::Future, future.id);
}

fn open(at: usize) {
    let of = loops::handle(at);
    let (mut lock, mut condition, mut rwlock) =
        (rota_lock::default(), rota_condition::default(), rota_rwlock::default());
    let (mut semaphore, mut event, mut queue) =
        (rota_semaphore::default(), rota_event::default(), rota_queue::default());
    let (mut barrier, mut once) = (rota_barrier::default(), rota_once::default());
    unsafe {
        match roll(8) {
            0 => _ = status("open_lock", rota_loop_open_lock(of, &mut lock)),
            1 => _ = status("open_condition", rota_loop_open_condition(of, self::lock(), &mut condition)),
            2 => _ = status("open_rwlock", rota_loop_open_rwlock(of, &mut rwlock)),
            3 => {
                let flags = roll(3) as u32;
                status("open_semaphore", rota_loop_open_semaphore(of, roll(3), flags, &mut semaphore));
            }
            4 => _ = status("open_event", rota_loop_open_event(of, roll(3) as u32, &mut event)),
            5 => _ = status("open_queue", rota_loop_open_queue(of, roll(3) as usize, roll(4) as u32, &mut queue)),
            6 => _ = status("open_barrier", rota_loop_open_barrier(of, roll(4) as u32, &mut barrier)),
            _ => _ = status("open_once", rota_loop_open_once(of, &mut once)),
        }
    }
    remember(Noun::Lock, lock.id);
    remember(Noun::Condition, condition.id);
    remember(Noun::Rwlock, rwlock.id);
    remember(Noun::Semaphore, semaphore.id);
    remember(Noun::Event, event.id);
    remember(Noun::Queue, queue.id);
    remember(Noun::Barrier, barrier.id);
    remember(Noun::Once, once.id);
}

/// Items are accounts: each may come out once.
fn queues(at: usize) {
    let (mut size, mut item) = (0, null_mut());
    let priority = roll(3) as i64 - 1;
    match roll(10) {
        0 | 1 => keep(rota_queue_put(queue(), data(ledger::open_item(at)))),
        2 => keep(rota_queue_put_priority(queue(), data(ledger::open_item(at)), priority)),
        3 => _ = status("try_put", rota_queue_try_put(queue(), data(ledger::open_item(at)))),
        4 => {
            let put = rota_queue_try_put_priority(queue(), data(ledger::open_item(at)), priority);
            status("try_put_priority", put);
        }
        5 | 6 => keep(rota_queue_get(queue())),
        7 => {
            if status("try_get", unsafe { rota_queue_try_get(queue(), &mut item) }) == ROTA_OK {
                ledger::taken(item);
            }
        }
        8 => _ = status("get_size", unsafe { rota_queue_get_size(queue(), &mut size) }),
        _ => match roll(6) {
            0 => _ = status("queue_shutdown", rota_queue_shutdown(queue())),
            1 => _ = status("queue_shutdown_now", rota_queue_shutdown_now(queue())),
            2 => keep(rota_queue_join(queue())),
            _ => _ = status("task_done", rota_queue_task_done(queue())),
        },
    }
}

fn onces(at: usize) {
    let mut value = null_mut();
    match roll(5) {
        0 | 1 => keep(rota_once_begin(once())),
        2 => {
            let once = once();
            let account = ledger::open(Kind::Free, loops::of(once.id).unwrap_or(at));
            let set = unsafe { rota_once_set(once, data(account), Some(bodies::free)) };
            ledger::opened(account, status("once_set", set) == ROTA_OK);
        }
        3 => _ = status("once_give_up", rota_once_give_up(once())),
        _ => {
            if status("once_get", unsafe { rota_once_get(once(), &mut value) }) == ROTA_OK {
                let account = ledger::get(ledger::number(value));
                ensure(account.due == 1, || format!("a value that was let go: {account:?}"));
            }
        }
    }
}

fn close() {
    match roll(8) {
        0 => status("lock_close", rota_lock_close(lock())),
        1 => status("condition_close", rota_condition_close(condition())),
        2 => status("rwlock_close", rota_rwlock_close(rwlock())),
        3 => status("semaphore_close", rota_semaphore_close(semaphore())),
        4 => status("event_close", rota_event_close(event())),
        5 => status("queue_close", rota_queue_close(queue())),
        6 => status("barrier_close", rota_barrier_close(barrier())),
        _ => status("once_close", rota_once_close(once())),
    };
}

fn ask() {
    let (mut is, mut count, mut places) = (false, 0, 0);
    unsafe {
        match roll(6) {
            0 => status("lock_is_locked", rota_lock_is_locked(lock(), &mut is)),
            1 => status("get_readers", rota_rwlock_get_readers(rwlock(), &mut count)),
            2 => status("is_writing", rota_rwlock_is_writing(rwlock(), &mut is)),
            3 => status("get_value", rota_semaphore_get_value(semaphore(), &mut places)),
            4 => status("event_is_set", rota_event_is_set(event(), &mut is)),
            _ => status("get_waiting", rota_barrier_get_waiting(barrier(), &mut count)),
        }
    };
}

/// One random call.
pub fn act(at: usize) {
    match roll(40) {
        0..=4 => open(at),
        5..=7 => keep(rota_lock_acquire(lock())),
        8 | 9 => _ = status("lock_release", rota_lock_release(lock())),
        10..=12 => keep(rota_condition_wait(condition())),
        13 => _ = status("notify", rota_condition_notify(condition(), roll(3) as usize)),
        14 => _ = status("notify_all", rota_condition_notify_all(condition())),
        15 | 16 => keep(rota_rwlock_acquire_read(rwlock())),
        17 => keep(rota_rwlock_acquire_write(rwlock())),
        18 | 19 => _ = status("release_read", rota_rwlock_release_read(rwlock())),
        20 => _ = status("release_write", rota_rwlock_release_write(rwlock())),
        21 | 22 => keep(rota_semaphore_acquire(semaphore())),
        23 => _ = status("semaphore_release", rota_semaphore_release(semaphore())),
        24 => keep(rota_event_wait(event())),
        25 if once_in(3) => _ = status("event_clear", rota_event_clear(event())),
        25 => _ = status("event_set", rota_event_set(event())),
        26 => keep(rota_barrier_wait(barrier())),
        27 if once_in(3) => _ = status("barrier_reset", rota_barrier_reset(barrier())),
        28..=33 => queues(at),
        34..=36 => onces(at),
        37 if once_in(3) => close(),
        _ => ask(),
    }
}
