//! What is checked between any two events: all that the public calls tell, against the model.

use crate::model::{Fired, On, Request, State, Task};
use crate::world::{check, status, with};
use rota::base::handle::*;
use rota::base::rota_status::*;
use rota::base::{outcome, rota_failure};
use rota::ffi::event_loop::*;
use rota::ffi::group::*;
use rota::ffi::scope::*;
use rota::ffi::task::*;

/// What holds between any two events.
pub fn holds(at: rota_loop) {
    let count = with(|world| world.model.tasks.len());
    (0..count).for_each(task_holds);
    (0..with(|world| world.groups.len())).for_each(group_holds);
    (0..with(|world| world.scopes.len())).for_each(scope_holds);
    let stats = stats(at);
    let (ready, timers, tasks) = with(|world| {
        let lives = |task: &&Task| !matches!(task.state, State::Absent | State::Ended);
        let members = world.model.tasks[1..].iter().filter(lives).count() as u64;
        (world.model.queue.len() as u64, world.model.deadlines().len() as u64, members + 1)
    });
    let got = (stats.ready, stats.timers, stats.tasks);
    let root = with(|world| world.model.closing && world.model.tasks[0].state == State::Ended);
    let right = got == (ready, timers, tasks) || root && got == (ready, timers, tasks - 1);
    check(right, || format!("{got:?} are ready, timers and tasks; {:?} is right", (ready, timers, tasks)));
}

pub fn stats(at: rota_loop) -> rota_loop_stats {
    let mut stats = core::mem::MaybeUninit::<rota_loop_stats>::zeroed();
    let (told, stats) = unsafe {
        (*stats.as_mut_ptr()).size = size_of::<rota_loop_stats>();
        (rota_loop_get_stats(at, stats.as_mut_ptr()), stats.assume_init())
    };
    status("get_stats", told, ROTA_OK);
    stats
}

fn task_holds(task: usize) {
    let (id, slot, standing, runs, ends, frees) = with(|world| {
        let slot = world.model.tasks[task].clone();
        let standing = world.model.cancelling(task);
        (world.tasks[task], slot, standing, world.runs[task], world.ends[task], world.frees[task])
    });
    let ended = slot.state == State::Ended;
    check(frees == i32::from(ended), || format!("task {task} was let go {frees} times"));
    let returned = ended || slot.state == State::Leaving;
    check(ends == u32::from(returned), || format!("the body of task {task} returned {ends} times"));
    check(runs <= 1 && runs >= ends, || format!("the body of task {task} ran {runs} times"));
    let withdrawn = with(|world| u32::from(world.model.closing));
    check(slot.met <= slot.made + withdrawn, || format!("task {task} met more requests than were made: {slot:?}"));
    if slot.state == State::Absent || ended && task > 0 {
        return;
    }
    if ended && with(|world| world.model.closing) {
        return;
    }
    let mut got = u32::MAX;
    let told = unsafe { rota_task_get_cancelling(rota_task { id }, &mut got) };
    check(told == ROTA_OK && got == standing, || format!("cancelling of task {task}: {told:?}, {got}, not {standing}"));
    let waits = matches!(slot.state, State::Waiting(On::Promise));
    let held = waits && with(|world| world.model.next_due(task).is_some());
    check(!held, || format!("a request is held back from task {task}, and nothing shields it"));
}

fn group_holds(group: usize) {
    let (id, slot) = with(|world| (world.groups[group], world.model.groups[group].clone()));
    let handle = rota_group { id };
    let (mut count, mut errors) = (0, 0);
    let told = unsafe { rota_group_get_count(handle, &mut count) };
    if slot.over {
        return status("get_count", told, ROTA_ERR_HANDLE);
    }
    let members = slot.members.len();
    check(told == ROTA_OK && count == members, || format!("group {group} has {count} members, not {members}"));
    let told = unsafe { rota_group_get_error_count(handle, &mut errors) };
    let failures = slot.failures.len();
    check(told == ROTA_OK && errors == failures, || format!("group {group} has {errors} failures, not {failures}"));
    for (index, (task, short)) in slot.failures.iter().enumerate() {
        let mut failure =
            rota_failure { size: size_of::<rota_failure>(), outcome: outcome::EMPTY, name: core::ptr::null() };
        let told = unsafe { rota_group_get_error(handle, index, &mut failure) };
        let got = i64::from(failure.outcome.status);
        let right = told == ROTA_OK && got == *short;
        check(right, || format!("failure {index} of group {group} is {got}, not {short} of task {task}"));
    }
}

fn scope_holds(scope: usize) {
    let (id, slot, now) = with(|world| (world.scopes[scope], world.model.scopes[scope].clone(), world.model.now));
    let mut state = 9;
    let told = unsafe { rota_scope_get_state(rota_scope { id }, &mut state) };
    if slot.over {
        return status("get_state", told, ROTA_ERR_HANDLE);
    }
    let right = match slot.fired {
        Fired::No => ROTA_SCOPE_OPEN,
        Fired::TimedOut => ROTA_SCOPE_TIMED_OUT,
        Fired::Cancelled | Fired::Failed => ROTA_SCOPE_CANCELLED,
    };
    check(told == ROTA_OK && state == right, || format!("scope {scope} is in state {state}, not {right}"));
    let early = state == ROTA_SCOPE_TIMED_OUT && now < slot.deadline;
    check(!early, || format!("scope {scope} timed out before its deadline"));
    check(slot.request == Request::None || slot.linked, || format!("scope {scope} asks nobody"));
}
