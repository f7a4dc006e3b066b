//! Random calls on futures made of futures, on sets, on completions that are fetched, and on causes.

use crate::handles::{any, remember, Noun};
use crate::ledger::{self, data, Kind};
use crate::tasks::{brought as future_brought, settle};
use crate::world::{ensure, once_in, roll, status, with};
use crate::{bodies, loops};
use core::ffi::{c_char, c_void, CStr};
use rota::base::handle::*;
use rota::base::{outcome, rota_failure, rota_status, rota_status::*};
use rota::ffi::cause::*;
use rota::ffi::combine::*;
use rota::ffi::drain::*;

use rota::ffi::future::*;
use rota::ffi::map::*;
use rota::ffi::set::*;
use rota::ffi::timer::rota_loop_sleep;
use std::collections::HashMap;

/// What is known of futures that are made of others, by their handles.
#[derive(Default)]
pub struct Made {
    /// What a map answered.
    mapped: HashMap<u64, i64>,
    /// Who runs in a race.
    races: HashMap<u64, Vec<u64>>,
    /// Which are nexts of sets.
    nexts: HashMap<u64, ()>,
    /// How often completions were fetched, or let go by closing.
    pub fetches: u64,
}

fn future() -> rota_future {
    rota_future { id: any(Noun::Future) }
}

fn outcome_of(future: u64) -> rota_status {
    let mut told = outcome::EMPTY;
    unsafe { rota_future_get_outcome(rota_future { id: future }, &mut told) }
}

fn is_pending(future: rota_future) -> bool {
    outcome_of(future.id) == ROTA_ERR_PENDING
}

/// What a waiter was told of a future made of others.
pub fn brought(future: u64, result: i64) {
    let (mapped, runner, is_next) = with(|world| {
        let made = &world.made;
        let runner = made.races.get(&future).filter(|_| result >= 0).map(|race| race.get(result as usize).copied());
        (made.mapped.get(&future).copied(), runner, made.nexts.contains_key(&future))
    });
    if let Some(answer) = mapped.filter(|answer| *answer >= 0 && result >= 0) {
        ensure(answer == result, || format!("a map answered {answer} and brought {result}"));
    }
    if let Some(runner) = runner {
        let Some(runner) = runner else { return ensure(false, || format!("nobody runs in place {result}")) };
        ensure(outcome_of(runner) != ROTA_ERR_PENDING, || "the winner is not done".to_string());
        let _ = rota_future_close(rota_future { id: runner });
    }
    if is_next && result >= 0 {
        ensure(outcome_of(result as u64) != ROTA_ERR_PENDING, || "what a set handed out is not done".to_string());
        let _ = rota_future_close(rota_future { id: result as u64 });
    }
}

/// A few futures, mostly of one loop.
fn some(at: usize) -> Vec<rota_future> {
    let all = (0..roll(5)).map(|_| future());
    all.filter(|future| loops::of(future.id) == Some(at) || once_in(30)).collect()
}

fn many(at: usize) {
    let (futures, handle) = (some(at), loops::handle(at));
    let (list, count, flags) = (futures.as_ptr(), futures.len(), roll(3) as u32);
    let timeout = [0, 1_000_000, u64::MAX][roll(3) as usize];
    let made = unsafe {
        match roll(4) {
            0 => rota_loop_gather(handle, list, count, flags),
            1 => rota_loop_wait(handle, list, count, flags, timeout),
            _ => {
                let race = rota_loop_race(handle, list, count, flags);
                if is_pending(race) {
                    with(|world| world.made.races.insert(race.id, futures.iter().map(|future| future.id).collect()));
                }
                race
            }
        }
    };
    remember(Noun::Future, made.id);
}

fn one() {
    let timeout = [0, 500_000, 3_000_000, u64::MAX][roll(4) as usize];
    let made = match once_in(3) {
        true => rota_future_shield(future()),
        false => rota_future_wait_for(future(), timeout),
    };
    remember(Noun::Future, made.id);
}

fn follow() {
    let inner = future();
    let Some(at) = loops::of(inner.id) else { return };
    let account = ledger::open(Kind::Follow, at);
    ledger::change(account, |account| account.handle = inner.id);
    let outer = unsafe {
        match once_in(2) {
            true => rota_future_map(inner, Some(maps), data(account)),
            false => rota_future_chain(inner, Some(chains), data(account)),
        }
    };
    ledger::change(account, |account| account.outer = outer.id);
    ledger::opened(account, is_pending(outer));
    remember(Noun::Future, outer.id);
}

unsafe extern "C" fn maps(_future: rota_future, result: i64, data: *mut c_void) -> i64 {
    let account = ledger::get(ledger::came(data, Kind::Follow));
    future_brought(account.handle, result, true);
    bodies::acts(2);
    let answer = match roll(4) {
        0 => result,
        1 => -1_000_000 - roll(4) as i64,
        2 => -(roll(30) as i64),
        _ => roll(1000) as i64,
    };
    // A panic is what must never be answered.
    let answer = if answer == ROTA_ERR_PANIC as i64 { 0 } else { answer };
    with(|world| world.made.mapped.insert(account.outer, answer));
    answer
}

unsafe extern "C" fn chains(given: rota_future, result: i64, data: *mut c_void) -> rota_future {
    let account = ledger::get(ledger::came(data, Kind::Follow));
    future_brought(account.handle, result, true);
    bodies::acts(2);
    match roll(6) {
        0 => given,
        1 => rota_future { id: account.outer },
        2 => rota_loop_sleep(loops::handle(account.at), roll(1_000_000)),
        _ => future(),
    }
}

fn sets(at: usize) {
    let mut set = rota_set { id: any(Noun::Set) };
    let mut count = 0;
    match roll(10) {
        0 | 1 => {
            set.id = 0;
            if status("open_set", unsafe { rota_loop_open_set(loops::handle(at), &mut set) }) == ROTA_OK {
                remember(Noun::Set, set.id);
            }
        }
        2..=5 => {
            let future = future();
            // The handle of a value, or a forged one, may be larger than a tag.
            let tag = if once_in(20) { u64::MAX } else { future.id & i64::MAX as u64 };
            let added = status("set_add", rota_set_add(set, future, tag));
            ensure(tag <= i64::MAX as u64 || added != ROTA_OK, || "a tag that is too large".to_string());
        }
        6 | 7 => {
            let next = rota_set_next(set);
            if is_pending(next) {
                with(|world| world.made.nexts.insert(next.id, ()));
            }
            remember(Noun::Future, next.id);
        }
        8 => _ = status("set_get_count", unsafe { rota_set_get_count(set, &mut count) }),
        _ => _ = status("set_close", rota_set_close(set)),
    }
}

fn drain(at: usize) {
    let future = future();
    if once_in(4) {
        let account = ledger::open(Kind::Drain, at);
        let posted = rota_loop_post_completion(loops::handle(at), data(account));
        ledger::opened(account, posted == ROTA_OK);
        status("post_completion", posted);
        return;
    }
    let Some(of) = loops::of(future.id) else { return };
    let account = ledger::open(Kind::Drain, of);
    ledger::change(account, |account| account.handle = future.id);
    let taken = rota_future_drain(future, data(account));
    ledger::opened(account, taken == ROTA_OK);
    status("drain", taken);
    if taken == ROTA_OK && once_in(5) {
        let mut removed = 9;
        let told = unsafe { rota_future_remove_drain(future, data(account), &mut removed) };
        if status("remove_drain", told) == ROTA_OK {
            ensure(removed <= 1, || format!("{removed} drains were removed"));
            ledger::change(account, |account| account.due -= removed as u32);
        }
    }
}

fn text(text: *const c_char) -> String {
    ensure(!text.is_null(), || "no text".to_string());
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Fetches the next completion of a loop; whether there was one.
pub fn fetch(at: usize) -> bool {
    let mut done = unsafe { core::mem::zeroed::<rota_completion>() };
    done.size = size_of::<rota_completion>();
    let fetch = with(|world| {
        world.made.fetches += 1;
        world.made.fetches
    });
    if status("next_completion", unsafe { rota_loop_next_completion(loops::handle(at), &mut done) }) != ROTA_OK {
        return false;
    }
    let account = ledger::get(ledger::came(done.user_data, Kind::Drain));
    ensure(account.at == at, || "a completion of another loop".to_string());
    let short = if done.outcome.status < 0 { i64::from(done.outcome.status) } else { done.outcome.value };
    ensure(short == done.result, || format!("a completion with {} and {short}", done.result));
    ensure((account.handle == 0) == (done.future.id == 0), || "a post with a future, or none without".to_string());
    if done.future.id != 0 {
        let message = text(done.outcome.message);
        ensure(outcome_of(done.future.id) == ROTA_OK, || "a completion whose future has ended".to_string());
        future_brought(account.handle, done.result, true);
        bodies::acts(1);
        let held = with(|world| world.made.fetches) == fetch;
        ensure(!held || text(done.outcome.message) == message, || "the message of a completion changed".to_string());
    }
    true
}

fn because() {
    let (promise, cause) = (future(), future());
    let failure = -1_000_000 - roll(9) as i32;
    let failed = unsafe { rota_future_fail_because(promise, failure, c"because".as_ptr(), cause) };
    if status("fail_because", failed) == ROTA_OK {
        settle(promise.id, i64::from(failure));
    }
}

fn causes() {
    let mut cause = unsafe { core::mem::zeroed::<rota_failure>() };
    cause.size = size_of::<rota_failure>();
    let (future, task) = (future(), rota_task { id: any(Noun::Task) });
    let of_task = once_in(2);
    for depth in 0.. {
        let told = match of_task {
            true => unsafe { rota_task_get_cause(task, depth, &mut cause) },
            false => unsafe { rota_future_get_cause(future, depth, &mut cause) },
        };
        if status("get_cause", told) != ROTA_OK {
            return;
        }
        ensure(depth < 64 && cause.outcome.status < 0, || format!("cause {depth} is {}", cause.outcome.status));
        let _ = (text(cause.name), text(cause.outcome.message));
    }
}

/// One random call.
pub fn act(at: usize) {
    match roll(20) {
        0..=3 => many(at),
        4..=6 => one(),
        7..=10 => follow(),
        11..=13 => sets(at),
        14..=16 => drain(at),
        17 => _ = fetch(at),
        18 => because(),
        _ => causes(),
    }
}
