//! The bodies of the tasks: they play their shape's list, and hold each answer against the model's.

use crate::model::{Model, On, State, CANCELLED};
use crate::shapes::{Habit, Op};
use crate::world::{check, with};
use core::ffi::c_void;
use rota::base::handle::*;
use rota::base::rota_outcome;
use rota::base::rota_status::{self, *};
use rota::ffi::future::*;
use rota::ffi::group::*;
use rota::ffi::scope::*;
use rota::ffi::task::*;

/// Where a body is in its list.
#[derive(Clone, Debug, Default, Hash)]
pub struct Place {
    at: usize,
    /// What it will return after its cleanup.
    cleaning: Option<i64>,
    swallowed: bool,
    pub scopes: Vec<usize>,
    pub groups: Vec<usize>,
    begun: bool,
    waits: Option<On>,
}

/// What a body does next.
enum Next {
    Wait(On, rota_future, Option<i64>),
    End(i64),
}

/// What a member that fails by itself returns.
pub fn own_status(task: usize) -> i64 {
    -1_000_100 - task as i64
}

fn expect<T: PartialEq + core::fmt::Debug>(what: &str, task: usize, got: T, expected: T) {
    check(got == expected, || format!("task {task}: {what} answered {got:?}, and {expected:?} is right"));
}

fn model<R>(change: impl FnOnce(&mut Model) -> R) -> R {
    with(|world| change(&mut world.model))
}

fn handle(task: usize) -> rota_task {
    with(|world| rota_task { id: world.tasks[task] })
}

fn place<R>(task: usize, change: impl FnOnce(&mut Place) -> R) -> R {
    with(|world| change(&mut world.places[task]))
}

/// Leaves the innermost scope.
fn leave(task: usize, result: i64) -> i64 {
    let Some(scope) = place(task, |place| place.scopes.pop()) else { return result };
    let id = with(|world| world.scopes[scope]);
    let expected = model(|model| model.leave(scope, result));
    let passed = model(|model| model.scopes[scope].deadline <= model.now);
    let told = rota_scope_leave(rota_scope { id }, result);
    expect("leave", task, told, expected);
    check(told == result || passed, || format!("task {task}: {told} before the deadline"));
    told
}

fn end(task: usize, mut result: i64) -> Next {
    while place(task, |place| !place.scopes.is_empty()) {
        result = leave(task, result);
    }
    Next::End(result)
}

/// A promise that nobody has yet.
fn open_promise(task: usize) -> Next {
    let (at, closing) = with(|world| (world.at, world.model.closing));
    model(|model| model.tasks[task].promise = None);
    let future = rota_future_open(at);
    with(|world| world.promises[task] = future.id);
    Next::Wait(On::Promise, future, closing.then_some(ROTA_ERR_CLOSING as i64))
}

fn cancelled(task: usize) -> Option<Next> {
    let habit = with(|world| world.shape.bodies[task].habit);
    let swallowed = place(task, |place| core::mem::replace(&mut place.swallowed, true));
    match habit {
        Habit::Cleans => {
            place(task, |place| place.cleaning = Some(CANCELLED));
            Some(open_promise(task))
        }
        Habit::Swallows if !swallowed => {
            let (mut left, expected) = (u32::MAX, model(|model| model.uncancel(task)));
            let told = unsafe { rota_task_uncancel(handle(task), &mut left) };
            expect("uncancel", task, (told, left), (ROTA_OK, expected));
            None
        }
        Habit::GoesOn => {
            place(task, |place| place.at += 1);
            Some(play(task, false))
        }
        Habit::Ends | Habit::Swallows => Some(end(task, CANCELLED)),
        Habit::Fails => Some(Next::End(own_status(task))),
    }
}

/// What the list says next, up to a wait or the end. `repeats` is whether its wait is done again.
fn play(task: usize, repeats: bool) -> Next {
    let mut last = 0;
    loop {
        let at = place(task, |place| place.at);
        let Some(op) = with(|world| world.shape.bodies[task].ops.get(at).copied()) else { return end(task, 1) };
        match op {
            Op::Enter(shield, timeout) => enter(task, shield, timeout),
            Op::Leave => last = leave(task, last),
            Op::Open(timeout) => open_group(task, timeout),
            Op::Spawn(member) => spawn(task, member),
            Op::Promise => {
                let fresh = !repeats && place(task, |place| !core::mem::replace(&mut place.begun, true));
                if !fresh {
                    return open_promise(task);
                }
                return Next::Wait(On::Promise, rota_future { id: with(|world| world.promises[task]) }, None);
            }
            Op::Join(joined) => {
                let known = model(|model| model.join(task, joined));
                return Next::Wait(On::Join(joined), rota_task_join(handle(joined)), known);
            }
            Op::Group => {
                let Some(group) = place(task, |place| place.groups.last().copied()) else { return end(task, 1) };
                let known = model(|model| model.group_wait(group));
                let id = with(|world| world.groups[group]);
                return Next::Wait(On::Group(group), rota_group_wait(rota_group { id }), known);
            }
        }
        place(task, |place| place.at += 1);
    }
}

fn enter(task: usize, shield: bool, timeout: u64) {
    let (scope, deadline) = model(|model| {
        let scope = model.enter(task, shield, timeout);
        (scope, model.scopes[scope].deadline)
    });
    let mut entered = rota_scope { id: 0 };
    let told = unsafe { rota_task_enter_scope(handle(task), deadline, u32::from(shield), &mut entered) };
    expect("enter", task, told, ROTA_OK);
    with(|world| world.scopes.push(entered.id));
    place(task, |place| place.scopes.push(scope));
}

fn open_group(task: usize, timeout: u64) {
    let at = with(|world| world.at);
    let mut opened = rota_group { id: 0 };
    let options = rota_group_options {
        size: size_of::<rota_group_options>(),
        name: core::ptr::null(),
        timeout_ns: timeout,
        flags: 0,
        reserved: 0,
    };
    let told = unsafe { rota_loop_open_group(at, &options, &mut opened) };
    expect("open_group", task, told, ROTA_OK);
    let mut scope = rota_scope { id: 0 };
    expect("get_scope", task, unsafe { rota_group_get_scope(opened, &mut scope) }, ROTA_OK);
    let group = model(|model| model.open_group(task, timeout));
    with(|world| {
        world.groups.push(opened.id);
        world.scopes.push(scope.id);
    });
    place(task, |place| place.groups.push(group));
}

fn spawn(task: usize, member: usize) {
    let Some(group) = place(task, |place| place.groups.last().copied()) else { return };
    let id = with(|world| world.groups[group]);
    let (over, closing) = model(|model| (model.groups[group].over, model.closing));
    let told = with_options(member, |options, data, out, stepped| unsafe {
        match stepped {
            true => rota_group_spawn_stepped(rota_group { id }, Some(step), data, options, out),
            false => rota_group_spawn(rota_group { id }, Some(body), data, options, out),
        }
    });
    let expected = match () {
        () if over => ROTA_ERR_HANDLE,
        () if closing => ROTA_ERR_CLOSING,
        () if model(|model| model.spawn(Some(group), member)) => ROTA_OK,
        () => ROTA_ERR_CANCELLED,
    };
    expect("spawn", task, told, expected);
    if told != ROTA_OK {
        with(|world| world.frees[member] -= 1);
    }
}

/// Spawns a task of the shape by `start`.
pub fn with_options(
    task: usize,
    start: impl FnOnce(*const rota_task_options, *mut c_void, *mut rota_task, bool) -> rota_status,
) -> rota_status {
    let mut options = core::mem::MaybeUninit::<rota_task_options>::uninit();
    let mut options = unsafe {
        rota_task_options_init(options.as_mut_ptr(), size_of::<rota_task_options>());
        options.assume_init()
    };
    options.user_data_free = Some(free);
    let stepped = with(|world| world.shape.bodies[task].stepped);
    let mut out = rota_task { id: 0 };
    let told = start(&options, core::ptr::without_provenance_mut(task + 1), &mut out, stepped);
    with(|world| world.tasks[task] = out.id);
    told
}

/// A body goes on with what its wait came to.
fn goes_on(task: usize, result: Option<i64>) -> Next {
    let Some(result) = result else { return play(task, false) };
    // What a group or a task came to may be that without a request to who waited.
    if result == CANCELLED && place(task, |place| place.waits == Some(On::Promise)) {
        model(|model| model.tasks[task].met += 1);
    }
    if let Some(answer) = place(task, |place| place.cleaning) {
        return end(task, answer);
    }
    match result {
        CANCELLED => match cancelled(task) {
            Some(next) => next,
            None => play(task, true),
        },
        ..0 => end(task, result),
        0.. => {
            place(task, |place| place.at += 1);
            play(task, false)
        }
    }
}

/// The loop calls or resumes a body, or goes on with it at once.
fn resumed(task: usize) {
    crate::world::comes(task);
    with(|world| {
        let answer = world.model.goes_on(task);
        world.resumes[task] = answer;
    });
}

/// Begins a wait: what the model expects it to give at once.
fn begins(task: usize, on: On, known: Option<i64>) -> Option<i64> {
    place(task, |place| place.waits = Some(on));
    model(|model| model.wait(task, on, known))
}

fn ends(task: usize, answer: i64) -> i64 {
    with(|world| {
        world.ends[task] += 1;
        world.model.body_ends(task, answer);
    });
    answer
}

fn number(data: *mut c_void) -> usize {
    data.addr() - 1
}

fn begins_life(task: usize) {
    let runs = with(|world| {
        world.runs[task] += 1;
        world.runs[task]
    });
    check(runs == 1, || format!("the body of task {task} runs again"));
    resumed(task);
}

pub unsafe extern "C" fn body(_task: rota_task, data: *mut c_void) -> i64 {
    let task = number(data);
    begins_life(task);
    let mut next = goes_on(task, None);
    loop {
        let (on, future, known) = match next {
            Next::End(answer) => return ends(task, answer),
            Next::Wait(on, future, known) => (on, future, known),
        };
        let expected = begins(task, on, known);
        let told = rota_await(future);
        let expected = match expected {
            Some(short) => short,
            None => {
                resumed(task);
                with(|world| world.resumes[task].unwrap_or(0))
            }
        };
        expect("a wait", task, told, expected);
        next = goes_on(task, Some(told));
    }
}

pub unsafe extern "C" fn step(this: rota_task, outcome: *const rota_outcome, data: *mut c_void) -> i64 {
    let task = number(data);
    let outcome = unsafe { *outcome };
    let told = if outcome.status < 0 { i64::from(outcome.status) } else { outcome.value };
    let next = if with(|world| world.runs[task] == 0) {
        begins_life(task);
        goes_on(task, None)
    } else {
        let expected = match with(|world| world.at_once[task].take()) {
            Some(short) => short,
            None => {
                resumed(task);
                with(|world| world.resumes[task].unwrap_or(0))
            }
        };
        expect("a wait", task, told, expected);
        goes_on(task, Some(told))
    };
    match next {
        Next::End(answer) => ends(task, answer),
        Next::Wait(on, future, known) => {
            let waits = rota_task_wait(this, future);
            let expected = begins(task, on, known);
            with(|world| world.at_once[task] = expected);
            if waits != i64::MIN {
                with(|world| world.at_once[task] = None);
                check(expected == Some(waits), || format!("task {task}: cannot wait, {waits}"));
                return ends(task, waits);
            }
            waits
        }
    }
}

/// The destructor of a task's user_data: after its end, and that comes after those of its groups' members.
unsafe extern "C" fn free(data: *mut c_void) {
    let task = number(data);
    with(|world| world.frees[task] += 1);
    let alive = model(|model| {
        let members = (0..model.tasks.len()).filter(|member| {
            let owner = model.tasks[*member].group.map(|group| model.groups[group].owner);
            owner == Some(task) && !matches!(model.tasks[*member].state, State::Absent | State::Ended)
        });
        members.collect::<Vec<usize>>()
    });
    check(alive.is_empty(), || format!("task {task} is let go before its members {alive:?} have ended"));
}
