//! Random calls on callbacks, timers, futures and tasks.

use crate::handles::{any, remember, Noun};
use crate::ledger::{self, data, Kind};
use crate::world::{answered, ensure, once_in, roll, status, with};
use crate::{bodies, loops, wire};
use core::ptr::{null, null_mut};
use rota::base::handle::*;
use rota::base::rota_status::{self, *};
use rota::base::{outcome, rota_address};
use rota::ffi::blocking::rota_loop_call_blocking;
use rota::ffi::call::*;
use rota::ffi::event_loop::rota_loop_post;
use rota::ffi::future::*;
use rota::ffi::library::*;
use rota::ffi::resolve::*;
use rota::ffi::task::*;
use rota::ffi::timer::*;

fn future() -> rota_future {
    rota_future { id: any(Noun::Future) }
}

fn task() -> rota_task {
    rota_task { id: any(Noun::Task) }
}

fn timer() -> rota_timer {
    rota_timer { id: any(Noun::Timer) }
}

/// What a waiter was told of a future, held against what is known of it.
pub fn brought(future: u64, result: i64, in_callback: bool) {
    let (promised, is_promise, join) = with(|world| {
        let ledger = &world.ledger;
        let body = ledger.joins.get(&future).map(|number| ledger.accounts[*number]);
        (ledger.promised.get(&future).copied(), ledger.promises.contains_key(&future), body)
    });
    let cancelled = result == ROTA_ERR_CANCELLED as i64;
    // Outside a callback the wait itself may fail.
    let refused = !in_callback && result < 0 && result > -1_000_000;
    if is_promise && !(refused && promised != Some(result)) {
        let right = promised.map_or(cancelled, |promised| promised == result);
        ensure(right, || format!("a promise of {promised:?} brought {result}"));
    }
    if let Some(body) = join {
        // A scope in which the body ended may have turned its answer into a timeout.
        let timed_out = result == ROTA_ERR_TIMEOUT as i64;
        let right = body.returned.map_or(cancelled, |returned| {
            returned == result || cancelled || timed_out && returned == ROTA_ERR_CANCELLED as i64
        });
        ensure(right || refused, || format!("a task returned {:?}, its join brought {result}", body.returned));
    }
    crate::combine::brought(future, result);
}

fn call_soon(at: usize) {
    let account = ledger::open(Kind::Call, at);
    let mut call = rota_call { id: 0 };
    let out = if once_in(2) { &raw mut call } else { null_mut() };
    let queued =
        unsafe { rota::ffi::call::rota_loop_call_soon(loops::handle(at), Some(bodies::call), data(account), out) };
    ledger::opened(account, queued == ROTA_OK);
    status("call_soon", queued);
    remember(Noun::Call, call.id);
}

fn post(at: usize) {
    let account = ledger::open(Kind::Post, at);
    let posted = unsafe { rota_loop_post(loops::handle(at), Some(bodies::post), data(account)) };
    ledger::opened(account, posted == ROTA_OK);
    status("post", posted);
}

pub fn now(at: usize) -> u64 {
    let mut now = 0;
    let _ = unsafe { rota::ffi::event_loop::rota_loop_get_now(loops::handle(at), &mut now) };
    now
}

pub fn delay() -> u64 {
    match roll(8) {
        0 => 0,
        1 => u64::MAX - roll(3),
        2 => roll(1 << 50),
        _ => roll(3_000_000),
    }
}

fn arm(at: usize) {
    let account = ledger::open(Kind::Timer, at);
    let (now, delay) = (now(at), delay());
    let mut timer = rota_timer { id: 0 };
    let armed = unsafe {
        match once_in(2) {
            true => rota_loop_call_later(loops::handle(at), delay, Some(bodies::timer), data(account), &mut timer),
            false => {
                let moment = now.saturating_add(delay);
                rota_loop_call_at(loops::handle(at), moment, Some(bodies::timer), data(account), &mut timer)
            }
        }
    };
    ledger::change(account, |account| {
        account.handle = timer.id;
        account.deadline = now.saturating_add(delay);
    });
    ledger::opened(account, armed == ROTA_OK);
    status("call_later", armed);
    remember(Noun::Timer, timer.id);
}

/// Moves a timer; the account is found by its handle.
pub fn rearm(timer: rota_timer) {
    let number =
        with(|world| world.ledger.accounts.iter().position(|it| it.kind == Kind::Timer && it.handle == timer.id));
    let Some(number) = number.filter(|_| timer.id != 0) else { return };
    let (now, delay) = (now(ledger::get(number).at), delay());
    let moved = match once_in(2) {
        true => rota_timer_rearm(timer, delay),
        false => rota_timer_rearm_at(timer, now.saturating_add(delay)),
    };
    if status("rearm", moved) == ROTA_OK {
        ledger::change(number, |account| {
            account.deadline = now.saturating_add(delay);
            // Inside its own callback it comes again.
            account.due = 1;
        });
    }
}

fn timers(at: usize) {
    let mut deadline = 0;
    match roll(6) {
        0..=2 => arm(at),
        3 => _ = status("timer_cancel", rota_timer_cancel(timer())),
        4 => rearm(timer()),
        _ => _ = status("get_deadline", unsafe { rota_timer_get_deadline(timer(), &mut deadline) }),
    }
}

fn promise(at: usize) {
    let future = rota_future_open(loops::handle(at));
    let mut told = outcome::EMPTY;
    if unsafe { rota_future_get_outcome(future, &mut told) } == ROTA_ERR_PENDING {
        with(|world| world.ledger.promises.insert(future.id, at));
        remember(Noun::Future, future.id);
    }
}

fn complete() {
    let future = future();
    let promise = with(|world| world.ledger.promises.get(&future.id).copied());
    let (done, brings) = match roll(3) {
        0 => {
            let value = roll(1 << 40) as i64 - i64::from(once_in(9)) * (1 << 41);
            (rota_future_complete(future, value), value)
        }
        1 => {
            let message = if once_in(2) { c"it was to fail".as_ptr() } else { null() };
            let failure = if once_in(2) { -1_000_000 - roll(9) as i32 } else { -(roll(40) as i32) };
            // A panic is what must never be answered.
            let failure = if failure == ROTA_ERR_PANIC as i32 { ROTA_ERR_EOF as i32 } else { failure };
            (unsafe { rota_future_fail(future, failure, message) }, i64::from(failure))
        }
        _ => {
            let account = ledger::open(Kind::Free, promise.unwrap_or(0));
            ledger::change(account, |account| account.handle = future.id);
            let done = unsafe { rota_future_complete_with(future, data(account), Some(bodies::free)) };
            ledger::opened(account, done == ROTA_OK);
            (done, 0)
        }
    };
    if status("complete", done) == ROTA_OK {
        ensure(promise.is_some(), || "what is no promise was completed".to_string());
        settle(future.id, brings);
    }
}

/// A promise brings this.
pub fn settle(future: u64, brings: i64) {
    let before = with(|world| world.ledger.promised.insert(future, brings));
    ensure(before.is_none(), || format!("a promise was completed twice: {before:?}, {brings}"));
}

fn then() {
    let future = future();
    let Some(at) = loops::of(future.id) else { return };
    let account = ledger::open(Kind::Then, at);
    ledger::change(account, |account| account.handle = future.id);
    let taken = unsafe { rota_future_then(future, Some(bodies::then), data(account)) };
    ledger::opened(account, taken == ROTA_OK);
    status("then", taken);
    if taken == ROTA_OK && once_in(5) {
        let mut removed = 9;
        let told = unsafe { rota_future_remove(future, Some(bodies::then), data(account), &mut removed) };
        if status("remove", told) == ROTA_OK {
            ensure(removed <= 1, || format!("{removed} callbacks were removed"));
            ledger::change(account, |account| account.due -= removed as u32);
        }
    }
}

fn cancel() {
    let future = future();
    let promise = with(|world| world.ledger.promises.contains_key(&future.id));
    if status("future_cancel", rota_future_cancel(future)) == ROTA_OK && promise {
        settle(future.id, ROTA_ERR_CANCELLED as i64);
    }
}

fn close() {
    let future = future();
    if once_in(2) {
        cancel_known(future);
    }
    let mut told = outcome::EMPTY;
    let pending = unsafe { rota_future_get_outcome(future, &mut told) } == ROTA_ERR_PENDING;
    let closed = status("future_close", rota_future_close(future));
    let promise = with(|world| world.ledger.promises.contains_key(&future.id));
    if pending && promise && matches!(closed, ROTA_OK | ROTA_ERR_BUSY) {
        settle(future.id, ROTA_ERR_CANCELLED as i64);
    }
}

fn cancel_known(future: rota_future) {
    if !with(|world| world.ledger.promises.contains_key(&future.id)) {
        wire::cancel(future.id);
    }
}

fn take() {
    let (mut result, mut count) = (null_mut(), 0);
    let mut addresses = [rota_address::default(); 2];
    if once_in(2) {
        let buffer = addresses.as_mut_ptr();
        let taken = unsafe { rota_future_take_addresses(future(), buffer, roll(3) as usize, &mut count) };
        status("take_addresses", taken);
        return;
    }
    let future = future();
    if status("take_result", unsafe { rota_future_take_result(future, &mut result) }) == ROTA_OK {
        ledger::taken(result);
    }
}

fn spawn(at: usize) {
    spawn_by(at, |body, options, out| unsafe {
        match once_in(2) {
            true => rota_loop_spawn(loops::handle(at), Some(bodies::body), data(body), options, out),
            false => rota_loop_spawn_stepped(loops::handle(at), Some(bodies::step), data(body), options, out),
        }
    });
}

/// Spawns a task by `start`, which gets the body's account.
pub fn spawn_by(at: usize, start: impl FnOnce(usize, &rota_task_options, *mut rota_task) -> rota_status) {
    let (body, free) = (ledger::open(Kind::Body, at), ledger::open(Kind::Free, at));
    ledger::change(body, |account| account.partner = Some(free));
    let mut options = rota_task_options {
        size: size_of::<rota_task_options>(),
        name: null(),
        // No small ones: bodies turn loops, unoptimised.
        stack_size: [0, 0, 300_000, 5_000_000][roll(4) as usize],
        user_data_free: None,
        flags: 0,
        reserved: 0,
        stack: null_mut(),
    };
    let destroys = once_in(2);
    options.user_data_free = destroys.then_some(bodies::free_task);
    options.name = if once_in(2) { c"some task".as_ptr() } else { null() };
    let eager = once_in(4);
    options.flags = if once_in(40) { 1 << 31 } else { u32::from(eager) * ROTA_TASK_EAGER };
    ledger::change(body, |account| account.eager = eager);
    let mut task = rota_task { id: 0 };
    let out = if once_in(4) { null_mut() } else { &raw mut task };
    // The loop counts as driven while an eager body runs.
    let driven = loops::begin_driven(at, eager);
    let spawned = start(body, &options, out);
    loops::end_driven(at, driven);
    status("spawn", spawned);
    ledger::opened(body, spawned == ROTA_OK);
    let freed = ledger::get(free).came;
    // An eager body may have returned already; what it owned may not have ended.
    let ended = ledger::get(body).returned.is_some();
    let most = u32::from(destroys && (spawned != ROTA_OK || ended));
    let right = freed == most || ended && freed < most;
    ensure(right, || format!("{spawned:?}, and {freed} destructors"));
    ensure(spawned == ROTA_OK || ledger::get(body).came == 0, || format!("{spawned:?}, and the body has begun"));
    ledger::opened(free, destroys && spawned == ROTA_OK);
    with(|world| world.ledger.tasks.insert(task.id, body));
    remember(Noun::Task, task.id);
}

/// A join, with the body whose end it stands for.
pub fn join(task: rota_task) -> rota_future {
    let future = rota_task_join(task);
    let mut told = outcome::EMPTY;
    if unsafe { rota_future_get_outcome(future, &mut told) } == ROTA_ERR_PENDING {
        with(|world| {
            if let Some(body) = world.ledger.tasks.get(&task.id).copied() {
                world.ledger.joins.insert(future.id, body);
            }
        });
    }
    remember(Noun::Future, future.id);
    future
}

fn tasks(at: usize) {
    let (mut count, mut length, mut name) = (0, 0, [0; 16]);
    let (mut told, mut current) = (outcome::EMPTY, rota_task { id: 0 });
    unsafe {
        match roll(14) {
            0..=4 => spawn(at),
            5 | 6 => _ = join(task()),
            7 => _ = status("detach", rota_task_detach(task())),
            8 => _ = status("task_cancel", rota_task_cancel(task())),
            9 => _ = status("uncancel", rota_task_uncancel(task(), &mut count)),
            10 => _ = status("get_cancelling", rota_task_get_cancelling(task(), &mut count)),
            11 => _ = status("get_name", rota_task_get_name(task(), name.as_mut_ptr(), roll(17) as usize, &mut length)),
            12 => _ = status("get_outcome", rota_task_get_outcome(task(), &mut told)),
            _ => {
                if status("get_current", rota_task_get_current(&mut current)) == ROTA_OK {
                    cancels_itself(current);
                }
            }
        }
    }
}

fn cancels_itself(current: rota_task) {
    if once_in(2) {
        status("cancel itself", rota_task_cancel(current));
    } else {
        let join = rota_task_join(current);
        let mut told = outcome::EMPTY;
        let failed = unsafe { rota_future_get_outcome(join, &mut told) };
        ensure(failed == ROTA_OK && told.status < 0, || format!("a task joins itself: {failed:?}, {}", told.status));
        let _ = rota_future_close(join);
    }
}

fn library(at: usize) {
    let mut address = rota_address::default();
    unsafe {
        match roll(4) {
            0 => _ = status("parse", rota::ffi::address::rota_address_parse(c"::1".as_ptr(), 7, &mut address)),
            1 => ensure(!rota_strerror(-(roll(50) as i32)).is_null(), || "no text for a status".to_string()),
            2 => ensure(!rota_status_name(-(roll(50) as i32)).is_null(), || "no name for a status".to_string()),
            _ => {
                let future = rota_loop_resolve(loops::handle(at), c"127.0.0.1".as_ptr(), c"80".as_ptr(), null());
                remember(Noun::Future, future.id);
            }
        }
    }
    let _ = (rota_os_error(), rota_version(), rota_version_text());
}

/// One random call.
pub fn act(at: usize) {
    match roll(40) {
        0..=3 => call_soon(at),
        4 => _ = status("call_cancel", rota_call_cancel(rota_call { id: any(Noun::Call) })),
        5 => post(at),
        6..=11 => timers(at),
        12 | 13 => remember(Noun::Future, rota_loop_sleep(loops::handle(at), delay()).id),
        14 | 15 => promise(at),
        16..=18 => complete(),
        19..=22 => then(),
        23 => cancel(),
        24 => close(),
        25 => _ = status("future_keep", rota_future_keep(future())),
        26 => take(),
        27 => {
            // Only a task may, and here none is the innermost: but a task's body calls this too.
            let mut current = rota_task { id: 0 };
            if unsafe { rota_task_get_current(&mut current) } != ROTA_OK {
                let future = future();
                let short = answered("await", rota_await(future));
                ensure(short < 0, || format!("awaited outside a task: {short}"));
            }
        }
        28 => {
            let answer = data(roll(300) as usize);
            let future = unsafe { rota_loop_call_blocking(loops::handle(at), Some(bodies::job), answer) };
            remember(Noun::Future, future.id);
        }
        29 => library(at),
        _ => tasks(at),
    }
}
