//! Random calls on scopes and groups.

use crate::handles::{self, any, remember, Noun};
use crate::ledger::data;
use crate::world::{answered, ensure, once_in, roll, status, with};
use crate::{bodies, loops, tasks};
use core::ffi::c_char;
use core::ptr::null;
use rota::base::handle::*;
use rota::base::{outcome, rota_failure, rota_status::*};
use rota::ffi::group::*;
use rota::ffi::scope::*;
use rota::ffi::task::rota_task_cancel_with;

fn task() -> rota_task {
    rota_task { id: any(Noun::Task) }
}

fn scope() -> rota_scope {
    rota_scope { id: any(Noun::Scope) }
}

fn group() -> rota_group {
    rota_group { id: any(Noun::Group) }
}

fn reason() -> *const c_char {
    if once_in(2) {
        c"for no reason".as_ptr()
    } else {
        null()
    }
}

fn enter(task: rota_task, at: usize) {
    let mut entered = rota_scope { id: 0 };
    let told = unsafe {
        match once_in(2) {
            true => rota_task_enter_timeout(task, tasks::delay(), &mut entered),
            false => {
                let deadline = tasks::now(at).saturating_add(tasks::delay()).saturating_sub(1000);
                rota_task_enter_scope(task, deadline, roll(5) as u32, &mut entered)
            }
        }
    };
    status("enter_scope", told);
    if told == ROTA_OK {
        handles::entered(entered.id);
    }
    remember(Noun::Scope, entered.id);
}

fn leave() {
    let (left, result) = (scope(), [0, ROTA_ERR_CANCELLED as i64, 7][roll(3) as usize]);
    let told = answered("scope_leave", rota_scope_leave(left, result));
    let refused = [ROTA_ERR_HANDLE, ROTA_ERR_INVALID, ROTA_ERR_THREAD].iter().any(|status| *status as i64 == told);
    let timed_out = result == ROTA_ERR_CANCELLED as i64 && told == ROTA_ERR_TIMEOUT as i64;
    ensure(refused || timed_out || told == result, || format!("left with {result}, told {told}"));
}

fn scopes(at: usize) {
    let (mut deadline, mut state) = (0, 9);
    unsafe {
        match roll(12) {
            0..=4 => enter(task(), at),
            5..=7 => leave(),
            8 => _ = status("scope_cancel", rota_scope_cancel(scope(), reason())),
            9 => {
                let moved = rota_scope_set_deadline(scope(), tasks::now(at).saturating_add(tasks::delay()));
                status("scope_set_deadline", moved);
            }
            10 => {
                status("scope_get_deadline", rota_scope_get_deadline(scope(), &mut deadline));
                if status("scope_get_state", rota_scope_get_state(scope(), &mut state)) == ROTA_OK {
                    ensure(state <= 2, || format!("a scope in state {state}"));
                }
            }
            _ => {
                status("task_get_deadline", rota_task_get_deadline(task(), &mut deadline));
                status("task_cancel_with", rota_task_cancel_with(task(), reason()));
            }
        }
    }
}

fn open(at: usize) {
    let mut opened = rota_group { id: 0 };
    let options = rota_group_options {
        size: size_of::<rota_group_options>(),
        name: reason(),
        timeout_ns: if once_in(2) { 0 } else { tasks::delay() },
        flags: roll(4) as u32,
        reserved: u32::from(once_in(40)),
    };
    let options = if once_in(3) { null() } else { &raw const options };
    status("open_group", unsafe { rota_loop_open_group(loops::handle(at), options, &mut opened) });
    remember(Noun::Group, opened.id);
}

fn spawn() {
    let group = group();
    let Some(at) = loops::of(group.id) else { return };
    let (body, step) = (Some(bodies::body as _), Some(bodies::step as _));
    tasks::spawn_by(at, |account, options, out| unsafe {
        match roll(2) {
            0 => rota_group_spawn(group, body, data(account), options, out),
            _ => rota_group_spawn_stepped(group, step, data(account), options, out),
        }
    });
}

/// The handle of the task that is started says whether it was.
fn start() {
    let group = group();
    let Some(at) = loops::of(group.id) else { return };
    let (body, step) = (Some(bodies::body as _), Some(bodies::step as _));
    tasks::spawn_by(at, |account, options, out| unsafe {
        let mut task = rota_task { id: 0 };
        let future = match roll(2) {
            0 => rota_group_start(group, body, data(account), options, &mut task),
            _ => rota_group_start_stepped(group, step, data(account), options, &mut task),
        };
        remember(Noun::Future, future.id);
        if task.id == 0 {
            let mut told = outcome::EMPTY;
            let failed = rota::ffi::future::rota_future_get_outcome(future, &mut told);
            ensure(failed == ROTA_OK && told.status < 0, || "a start that failed, and not its future".to_string());
            return ROTA_ERR_BUSY;
        }
        if !out.is_null() {
            *out = task;
        }
        ROTA_OK
    });
}

fn ask() {
    let (mut count, mut scope) = (0, rota_scope { id: 0 });
    let mut failure =
        rota_failure { size: size_of::<rota_failure>(), outcome: outcome::EMPTY, name: core::ptr::null() };
    unsafe {
        status("group_get_count", rota_group_get_count(group(), &mut count));
        if status("group_get_scope", rota_group_get_scope(group(), &mut scope)) == ROTA_OK {
            remember(Noun::Scope, scope.id);
        }
        let asked = group();
        if status("group_get_error_count", rota_group_get_error_count(asked, &mut count)) == ROTA_OK && count > 0 {
            let told = rota_group_get_error(asked, roll(count as u64) as usize, &mut failure);
            ensure(told == ROTA_OK, || format!("there are {count} errors, and one answers {told:?}"));
            ensure(failure.outcome.status < 0 && !failure.name.is_null(), || "an error that is none".to_string());
        }
    }
}

/// Joins are left out: a task could wait for its own end that way, which nothing breaks.
fn add() {
    let future = rota_future { id: any(Noun::Future) };
    if !with(|world| world.ledger.joins.contains_key(&future.id)) {
        status("group_add", rota_group_add(group(), future));
    }
}

fn groups(at: usize) {
    match roll(16) {
        0..=2 => open(at),
        3..=6 => spawn(),
        7 => start(),
        8 => _ = status("task_started", rota_task_started(task(), roll(9) as i64 - 1)),
        9 | 10 => add(),
        11 | 12 => remember(Noun::Future, rota_group_wait(group()).id),
        13 => _ = status("group_cancel", unsafe { rota_group_cancel(group(), reason()) }),
        14 => _ = status("group_close", rota_group_close(group())),
        _ => ask(),
    }
}

/// One random call.
pub fn act(at: usize) {
    if once_in(2) {
        scopes(at);
    } else {
        groups(at);
    }
}
