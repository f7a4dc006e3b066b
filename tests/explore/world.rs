//! One path: a loop, its tasks, the model beside it, and what is checked after every event.

use crate::bodies::{self, Place};
use crate::model::{Fired, Model, State};
use crate::shapes::{Body, Op, Shape};
use core::ffi::{c_char, c_void};
use rota::base::handle::*;
use rota::base::rota_status::{self, *};
use rota::ffi::event_loop::*;
use rota::ffi::future::*;
use rota::ffi::group::*;
use rota::ffi::loop_options::*;
use rota::ffi::scope::rota_scope_cancel;
use rota::ffi::task::*;
use rota::sys::clock::ROTA_CLOCK_VIRTUAL;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Something that comes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The loop runs the next of its queue.
    Step,
    /// The clock reaches the next deadline.
    Advance,
    /// The promise of a task is completed, or failed.
    Complete(usize),
    Fail(usize),
    Cancel(usize),
    CancelScope(usize),
    CancelGroup(usize),
    CloseGroup(usize),
    /// The loop is closed with a limit of 0.
    Close,
}

impl Event {
    /// Reads what `Debug` wrote.
    pub fn read(text: &str) -> Option<Event> {
        let text = text.trim().trim_end_matches(')');
        let (name, number) = text.split_once('(').unwrap_or((text, "0"));
        let number = number.parse().ok()?;
        Some(match name {
            "Step" => Event::Step,
            "Advance" => Event::Advance,
            "Complete" => Event::Complete(number),
            "Fail" => Event::Fail(number),
            "Cancel" => Event::Cancel(number),
            "CancelScope" => Event::CancelScope(number),
            "CancelGroup" => Event::CancelGroup(number),
            "CloseGroup" => Event::CloseGroup(number),
            "Close" => Event::Close,
            _ => return None,
        })
    }

    /// Whether it disturbs: of these a path has only so many.
    pub fn disturbs(self) -> bool {
        !matches!(self, Event::Step | Event::Advance | Event::Complete(_))
    }
}

pub struct World {
    pub shape: Shape,
    pub events: Vec<Event>,
    pub at: rota_loop,
    pub model: Model,
    pub places: Vec<Place>,
    pub tasks: Vec<u64>,
    pub promises: Vec<u64>,
    pub scopes: Vec<u64>,
    pub groups: Vec<u64>,
    pub runs: Vec<u32>,
    pub ends: Vec<u32>,
    pub frees: Vec<i32>,
    pub resumes: Vec<Option<i64>>,
    pub at_once: Vec<Option<i64>>,
    /// Who has to come in the step that is made.
    expected: Option<usize>,
    came: bool,
    in_close: bool,
    closed: bool,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Opens the world for a moment: never across a call of the library.
pub fn with<R>(look: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(|world| match world {
        Some(world) => look(world),
        None => std::process::abort(),
    })
}

/// Says what was violated and by which path, and ends the process: a panic cannot leave a body.
#[track_caller]
pub fn check(holds: bool, what: impl FnOnce() -> String) {
    if holds {
        return;
    }
    let at = std::panic::Location::caller();
    let what = what();
    let line = with(|world| {
        let bodies: Vec<String> = world.shape.bodies.iter().map(|body| format!("  {body:?}\n")).collect();
        let (events, number) = (format!("{:?}", world.events), world.shape.number);
        let replay = format!("ROTA_EXPLORE_SHAPE={},{} ROTA_EXPLORE_EVENTS='{events}'", number.0, number.1);
        let bodies = bodies.concat();
        let (name, model) = (world.shape.name, &world.model);
        format!("exploration: {what} ({at})\nshape: {name}\n{bodies}model: {model:?}\nreplay: {replay}\n")
    });
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    std::process::abort()
}

unsafe extern "C" fn log(_level: i32, _line: *const c_char, _data: *mut c_void) {}

pub fn status(what: &str, got: rota_status, expected: rota_status) {
    check(got == expected, || format!("{what} answered {got:?}, and {expected:?} is right"));
}

/// Opens a loop and spawns the root of a shape.
pub fn begin(shape: &Shape) {
    let count = shape.bodies.len();
    let mut options = core::mem::MaybeUninit::<rota_loop_options>::uninit();
    let mut options = unsafe {
        rota_loop_options_init(options.as_mut_ptr(), size_of::<rota_loop_options>());
        options.assume_init()
    };
    options.clock = ROTA_CLOCK_VIRTUAL;
    options.stack_size = 256 * 1024;
    options.log = Some(log);
    let (mut at, mut now) = (rota_loop { id: 0 }, 0);
    let opened = unsafe { rota_loop_open(&options, &mut at) };
    let asked = unsafe { rota_loop_get_now(at, &mut now) };
    // A body that waits for a promise does that first, and it is there before.
    let opens = |body: &Body| if body.ops.contains(&Op::Promise) { rota_future_open(at).id } else { 0 };
    let promises: Vec<u64> = shape.bodies.iter().map(opens).collect();
    let mut model = Model::new(count, now);
    promises.iter().zip(&mut model.tasks).for_each(|(id, task)| task.idle = *id != 0);
    WORLD.set(Some(World {
        shape: shape.clone(),
        events: Vec::new(),
        at,
        model,
        places: vec![Place::default(); count],
        tasks: vec![0; count],
        promises,
        scopes: Vec::new(),
        groups: Vec::new(),
        runs: vec![0; count],
        ends: vec![0; count],
        frees: vec![0; count],
        resumes: vec![None; count],
        at_once: vec![None; count],
        expected: None,
        came: false,
        in_close: false,
        closed: false,
    }));
    status("open", opened, ROTA_OK);
    status("get_now", asked, ROTA_OK);
    let spawned = bodies::with_options(0, |options, data, out, stepped| unsafe {
        match stepped {
            true => rota_loop_spawn_stepped(at, Some(bodies::step), data, options, out),
            false => rota_loop_spawn(at, Some(bodies::body), data, options, out),
        }
    });
    status("spawn", spawned, ROTA_OK);
    with(|world| world.model.spawn(None, 0));
}

/// A body is called or resumed: it is the one whose turn it is.
pub fn comes(task: usize) {
    let expected = with(|world| {
        world.came = true;
        if !world.in_close {
            return world.expected;
        }
        loop {
            let next = world.model.next_of_queue();
            match next.filter(|next| world.model.tasks[*next].state == State::Leaving) {
                Some(leaving) => world.model.task_ends(leaving),
                None => return next,
            }
        }
    });
    check(expected == Some(task), || format!("task {task} goes on, and {expected:?} should"));
}

fn step(at: rota_loop) {
    let expected = with(|world| {
        let expected = world.model.next_of_queue();
        world.expected = expected;
        world.came = false;
        expected
    });
    let leaves = expected.filter(|task| with(|world| world.model.tasks[*task].state == State::Leaving));
    if let Some(task) = leaves {
        with(|world| world.model.task_ends(task));
    }
    let turned = unsafe { rota_loop_turn(at, 0, 0, 1, core::ptr::null_mut()) };
    status("turn", turned, ROTA_OK);
    let came = with(|world| world.came);
    let right = came == (expected.is_some() && leaves.is_none());
    check(right, || format!("{expected:?} was to go on, and did not"));
}

fn close(at: rota_loop) {
    with(|world| {
        world.model.close();
        world.in_close = true;
    });
    let told = rota_loop_close(at, 0);
    let alive = with(|world| {
        while let Some(next) = world.model.next_of_queue() {
            if world.model.tasks[next].state == State::Leaving {
                world.model.task_ends(next);
            } else {
                world.model.queue.push_front(next);
                break;
            }
        }
        world.in_close = false;
        world.closed = told == ROTA_OK;
        (0..world.model.tasks.len()).any(|task| !matches!(world.model.tasks[task].state, State::Absent | State::Ended))
    });
    status("close", told, if alive { ROTA_ERR_BUSY } else { ROTA_OK });
}

/// What may happen next.
pub fn events(budget: usize) -> Vec<Event> {
    with(|world| {
        let (mut events, model) = (Vec::new(), &world.model);
        if world.closed {
            return events;
        }
        let due = model.deadlines().first().is_some_and(|first| first.0 <= model.now);
        if !model.queue.is_empty() || due {
            events.push(Event::Step);
        }
        if !due && !model.deadlines().is_empty() {
            events.push(Event::Advance);
        }
        let tasks = 0..model.tasks.len();
        events.extend(tasks.clone().filter(|task| model.is_open(*task)).map(Event::Complete));
        if budget == 0 {
            return events;
        }
        events.extend(tasks.clone().filter(|task| model.is_open(*task)).map(Event::Fail));
        events.extend(tasks.filter(|task| !model.is_over(*task)).map(Event::Cancel));
        let fresh = |scope: &usize| {
            let slot = &model.scopes[*scope];
            slot.group.is_none() && !slot.over && slot.fired == Fired::No
        };
        events.extend((0..model.scopes.len()).filter(fresh).map(Event::CancelScope));
        for (group, slot) in model.groups.iter().enumerate().filter(|(_, group)| !group.over) {
            if model.scopes[slot.scope].fired == Fired::No {
                events.push(Event::CancelGroup(group));
            }
            if !slot.closed {
                events.push(Event::CloseGroup(group));
            }
        }
        if !model.closing {
            events.push(Event::Close);
        }
        events
    })
}

/// Makes an event happen, and checks everything.
pub fn happens(event: Event) {
    happens_again(event);
    let (at, closed) = with(|world| (world.at, world.closed));
    if !closed {
        crate::checks::holds(at);
    }
}

/// Makes an event happen that has been checked on another path.
pub fn happens_again(event: Event) {
    let at = with(|world| {
        world.events.push(event);
        world.at
    });
    let null = core::ptr::null();
    match event {
        Event::Step => step(at),
        Event::Advance => {
            let delta = with(|world| {
                let next = world.model.deadlines().first().map_or(0, |first| first.0);
                let delta = next.saturating_sub(world.model.now);
                world.model.now += delta;
                delta
            });
            status("advance", rota_loop_advance(at, delta), ROTA_OK);
        }
        Event::Complete(task) | Event::Fail(task) => complete(task, event == Event::Fail(task)),
        Event::Cancel(task) => {
            let id = with(|world| world.tasks[task]);
            let right = with(|world| world.model.cancel(task));
            let told = unsafe { rota_task_cancel_with(rota_task { id }, c"by a path".as_ptr()) };
            status("cancel", told, if right { ROTA_OK } else { ROTA_ERR_DONE });
        }
        Event::CancelScope(scope) => {
            let id = with(|world| world.scopes[scope]);
            with(|world| world.model.scope_cancel(scope));
            status("scope_cancel", unsafe { rota_scope_cancel(rota_scope { id }, null) }, ROTA_OK);
        }
        Event::CancelGroup(group) => {
            let id = with(|world| world.groups[group]);
            with(|world| world.model.group_cancel(group));
            status("group_cancel", unsafe { rota_group_cancel(rota_group { id }, null) }, ROTA_OK);
        }
        Event::CloseGroup(group) => {
            let id = with(|world| world.groups[group]);
            let ended = with(|world| world.model.group_close(group));
            let right = if ended { ROTA_OK } else { ROTA_ERR_BUSY };
            status("group_close", rota_group_close(rota_group { id }), right);
        }
        Event::Close => close(at),
    }
}

fn complete(task: usize, fails: bool) {
    let id = with(|world| {
        world.model.complete(task, if fails { -1_000_001 } else { 7 });
        world.promises[task]
    });
    let told = match fails {
        true => unsafe { rota_future_fail(rota_future { id }, -1_000_001, core::ptr::null()) },
        false => rota_future_complete(rota_future { id }, 7),
    };
    status("complete", told, ROTA_OK);
}

/// What the path has come to, as a number: two that are the same have the same future.
pub fn hash(budget: usize) -> u64 {
    with(|world| {
        let mut hasher = DefaultHasher::new();
        let mut model = world.model.clone();
        // Counters that are only compared with each other, and tasks that nobody meets again.
        for task in &mut model.tasks {
            (task.made, task.met) = (task.made.saturating_sub(task.met), 0);
            if task.state == State::Ended {
                *task = crate::model::Task { state: State::Ended, ..crate::model::ABSENT };
            }
        }
        (&model, &world.places, &world.at_once, world.closed, budget).hash(&mut hasher);
        hasher.finish()
    })
}

/// Ends the path: everything is completed and runs out, and the loop closes clean.
pub fn end() {
    for _ in 0..200 {
        let next = events(0).into_iter().find(|event| matches!(event, Event::Step | Event::Complete(_)));
        let alive = with(|world| !matches!(world.model.tasks[0].state, State::Ended));
        match next {
            Some(event) => happens(event),
            None if !alive || with(|world| world.closed) => break,
            None => check(false, || "the path does not end".to_string()),
        }
    }
    if !with(|world| world.closed) {
        clean();
    }
    WORLD.set(None);
}

fn clean() {
    let (at, root, promises, closing) =
        with(|world| (world.at, world.tasks[0], world.promises.clone(), world.model.closing));
    let runs = with(|world| (0..world.runs.len()).all(|task| world.runs[task] == u32::from(world.tasks[task] != 0)));
    check(runs, || "a task was spawned whose body did not run".to_string());
    if !closing {
        status("detach", rota_task_detach(rota_task { id: root }), ROTA_OK);
        promises.iter().for_each(|id| _ = rota_future_close(rota_future { id: *id }));
        let left = crate::checks::stats(at);
        let none = (left.tasks, left.futures, left.timers, left.ready) == (0, 0, 0, 0);
        check(none, || format!("tasks {}, futures {}, timers {}", left.tasks, left.futures, left.timers));
    }
    status("close", rota_loop_close(at, 0), ROTA_OK);
}
