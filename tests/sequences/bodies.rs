//! What the library calls: callbacks, bodies, destructors. Each checks that it may come, and then does random things.

use crate::handles::{self, any, remember, Noun};
use crate::ledger::{self, Kind};
use crate::world::{ensure, fail, once_in, roll, tell, with};
use crate::{loops, streams, tasks};
use core::ffi::{c_char, c_void};
use rota::base::handle::*;
use rota::base::rota_status::{self, *};
use rota::base::{outcome, rota_outcome};
use rota::ffi::stream::rota_stream_close;
use rota::ffi::task::*;
use rota::ffi::timer::*;

/// How deep callbacks act inside callbacks: a loop may be driven from another one's.
const DEEPEST: u32 = 4;

/// A few random calls, from inside whatever is running.
pub fn acts(most: u64) {
    let count = roll(most + 1);
    let depth = with(|world| world.depth);
    for _ in 0..count {
        let may = with(|world| {
            let may = depth < DEEPEST && world.steps > 0;
            world.depth = depth + 1;
            world.steps -= u32::from(may);
            may
        });
        if may {
            loops::act();
        }
        with(|world| world.depth = depth);
    }
}

fn is_one_of(status: rota_status) {
    let known = matches!(status, ROTA_OK | ROTA_ERR_CANCELLED);
    ensure(known, || format!("a callback was told {status:?}"));
}

pub unsafe extern "C" fn log(_level: i32, message: *const c_char, _data: *mut c_void) {
    ensure(!message.is_null(), || "a line of the log without text".to_string());
}

pub unsafe extern "C" fn call(_loop: rota_loop, status: rota_status, data: *mut c_void) {
    ledger::came(data, Kind::Call);
    is_one_of(status);
    acts(2);
}

pub unsafe extern "C" fn post(_loop: rota_loop, status: rota_status, data: *mut c_void) {
    ledger::came(data, Kind::Post);
    is_one_of(status);
    acts(1);
}

pub unsafe extern "C" fn stopper(_timer: rota_timer, _status: rota_status, data: *mut c_void) {
    let at = ledger::get(ledger::came(data, Kind::Timer)).at;
    let _ = rota::ffi::event_loop::rota_loop_stop(loops::handle(at));
}

pub unsafe extern "C" fn timer(timer: rota_timer, status: rota_status, data: *mut c_void) {
    let number = ledger::came(data, Kind::Timer);
    is_one_of(status);
    let (account, mut now) = (ledger::get(number), 0);
    let _ = unsafe { rota::ffi::event_loop::rota_loop_get_now(loops::handle(account.at), &mut now) };
    let early = status == ROTA_OK && now < account.deadline;
    ensure(!early, || format!("a timer for {} fired at {now}", account.deadline));
    acts(1);
    if once_in(4) {
        tasks::rearm(timer);
    }
}

pub unsafe extern "C" fn then(future: rota_future, result: i64, data: *mut c_void) {
    let account = ledger::get(ledger::came(data, Kind::Then));
    tell(|| format!("then: {result}"));
    let mut told = outcome::EMPTY;
    if future.id == account.handle {
        let got = unsafe { rota::ffi::future::rota_future_get_outcome(future, &mut told) };
        ensure(got == ROTA_OK, || format!("no outcome in a future's callback: {got:?}"));
        let short = if told.status < 0 { i64::from(told.status) } else { told.value };
        ensure(short == result, || format!("a callback was told {result}, the outcome is {short}"));
    }
    tasks::brought(account.handle, result, true);
    acts(2);
}

pub unsafe extern "C" fn free(data: *mut c_void) {
    let number = ledger::number(data);
    let account = ledger::get(number);
    let known = account.kind == Kind::Free && account.came == 0 && (account.due == 1 || account.opening);
    ensure(known, || format!("a destructor ran that is not due: {account:?}"));
    ledger::change(number, |account| {
        account.due = 0;
        account.came += 1;
    });
}

/// A task's user_data is the body's account; its destructor has its own.
pub unsafe extern "C" fn free_task(data: *mut c_void) {
    let body = ledger::get(ledger::number(data));
    let Some(partner) = body.partner else { fail("a destructor that nobody gave") };
    ensure(body.opening || body.returned.is_some(), || format!("a destructor before its body returned: {body:?}"));
    unsafe { free(ledger::data(partner)) };
}

pub unsafe extern "C" fn job(data: *mut c_void) -> i64 {
    // Another thread's: the world is not its own. The number is the answer.
    for _ in 0..data.addr() % 50 {
        std::thread::yield_now();
    }
    data.addr() as i64
}

/// Waits for something, and checks what it brought.
fn wait(task: rota_task, at: usize) -> i64 {
    // Whoever resumes the task is as deep as he is, not as deep as who resumed it last.
    let below = |call: &dyn Fn() -> i64| {
        with(|world| world.depth -= 1);
        let result = call();
        with(|world| world.depth += 1);
        result
    };
    let future = match roll(5) {
        0 => rota_loop_sleep(loops::handle(at), roll(2_000_000)),
        4 => rota::ffi::group::rota_group_wait(rota_group { id: any(Noun::Group) }),
        1 => return crate::world::answered("yield", below(&|| rota_task_yield(task))),
        2 => tasks::join(rota_task { id: any(Noun::Task) }),
        _ => rota_future { id: any(Noun::Future) },
    };
    let result = crate::world::answered("await", below(&|| rota_await(future)));
    tasks::brought(future.id, result, false);
    result
}

/// What a body answers with.
fn outcome_of(task: rota_task, last: i64) -> i64 {
    match roll(5) {
        0 => last,
        3 => unsafe { rota::ffi::cause::rota_task_fail(task, -1_000_000 - roll(5) as i32, c"failed".as_ptr()) },
        1 => -1_000_000 - roll(5) as i64,
        2 => ROTA_ERR_CANCELLED as i64,
        _ => roll(1000) as i64,
    }
}

fn body_steps(task: rota_task, at: usize) -> i64 {
    handles::begun(task.id);
    let (mut last, mut left) = (0, roll(8));
    with(|world| world.depth += 1);
    while left > 0 {
        left -= 1;
        acts(2);
        if once_in(2) {
            last = wait(task, at);
        }
        if last == ROTA_ERR_CANCELLED as i64 && !once_in(3) {
            break;
        }
    }
    with(|world| world.depth -= 1);
    outcome_of(task, last)
}

pub unsafe extern "C" fn body(task: rota_task, data: *mut c_void) -> i64 {
    let number = ledger::came(data, Kind::Body);
    let at = ledger::get(number).at;
    let answer = body_steps(task, at);
    ledger::change(number, |account| account.returned = Some(answer));
    answer
}

pub unsafe extern "C" fn serve(task: rota_task, stream: rota_stream, data: *mut c_void) -> i64 {
    let at = ledger::get(ledger::number(data)).at;
    ensure(with(|world| !world.loops.all[at].is_over()), || "a connection for a loop that is closed".to_string());
    streams::met(stream);
    let answer = body_steps(task, at);
    if once_in(2) {
        let _ = rota_stream_close(stream);
    }
    answer
}

pub unsafe extern "C" fn step(task: rota_task, outcome: *const rota_outcome, data: *mut c_void) -> i64 {
    let number = ledger::number(data);
    let account = ledger::change(number, |account| {
        account.calls += 1;
        *account
    });
    if account.calls == 1 {
        handles::begun(task.id);
        ledger::came(data, Kind::Body);
    }
    ensure(account.returned.is_none(), || "a step after the last".to_string());
    let told = unsafe { *outcome };
    crate::world::answered("step", i64::from(told.status));
    acts(2);
    let cancelled = told.status == ROTA_ERR_CANCELLED as i32 && !once_in(3);
    if account.calls < 8 && !once_in(4) && !cancelled {
        let future = match roll(3) {
            0 => rota_loop_sleep(loops::handle(account.at), roll(2_000_000)).id,
            1 => tasks::join(rota_task { id: any(Noun::Task) }).id,
            _ => any(Noun::Future),
        };
        let waits = rota_task_wait(task, rota_future { id: future });
        remember(Noun::Future, future);
        if waits == i64::MIN {
            return waits;
        }
        crate::world::answered("wait", waits);
    }
    let answer = outcome_of(task, i64::from(told.status));
    ledger::change(number, |account| account.returned = Some(answer));
    answer
}
