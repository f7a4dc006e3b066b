//! Loops: opened in every way, driven in every way, closed at any moment.

use crate::handles::{self, any, Noun};
use crate::ledger::{self, Kind};
use crate::memory::{self, Purse};
use crate::world::{answered, ensure, once_in, roll, status, tell, with, Dice, World};
use crate::{bodies, combine, groups, streams, sync, tasks, wire};
use core::ffi::c_void;
use rota::base::handle::{rota_future, rota_loop, rota_scope, rota_task};
use rota::base::rota_status::{self, *};
use rota::ffi::event_loop::*;
use rota::ffi::loop_options::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Closing was begun, and answered ROTA_ERR_BUSY.
    Closing,
    Closed,
    Abandoned,
}

pub struct Record {
    handle: rota_loop,
    state: State,
    purse: Option<Box<Purse>>,
    /// The calls that drive it: while there is one, it is neither driven nor closed.
    driven: bool,
    system_clock: bool,
}

impl Record {
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Closed | State::Abandoned)
    }
}

#[derive(Default)]
pub struct Loops {
    pub all: Vec<Record>,
    /// Ports on which one listens, or did.
    ports: Vec<u16>,
    /// The loop behind a handle's number; numbers are used again.
    numbers: std::collections::HashMap<u64, usize>,
    abandoned: bool,
}

const MOST: usize = 3;

/// The bits of a handle that name its loop.
fn number_of(id: u64) -> u64 {
    (id >> 48) & 0x3FF
}

/// The loop of a handle, by its place.
pub fn of(id: u64) -> Option<usize> {
    with(|world| world.loops.numbers.get(&number_of(id)).copied())
}

pub fn handle(at: usize) -> rota_loop {
    with(|world| world.loops.all[at].handle)
}

pub fn listens(port: u16) {
    with(|world| world.loops.ports.push(port));
}

/// A port on which somebody listens, as a rule.
pub fn any_port() -> u16 {
    let count = with(|world| world.loops.ports.len()) as u64;
    match count {
        0 => 1,
        _ => {
            let at = roll(count) as usize;
            with(|world| world.loops.ports[at])
        }
    }
}

fn open_loops() -> Vec<usize> {
    with(|world| {
        let all = world.loops.all.iter().enumerate();
        all.filter(|(_, record)| !record.is_over()).map(|(at, _)| at).collect()
    })
}

/// A loop: mostly an open one, sometimes one that was closed.
pub fn pick() -> Option<usize> {
    let open = open_loops();
    let count = with(|world| world.loops.all.len()) as u64;
    match count {
        0 => None,
        _ if open.is_empty() || once_in(50) => Some(roll(count) as usize),
        _ => Some(open[roll(open.len() as u64) as usize]),
    }
}

fn open() {
    if with(|world| world.loops.all.iter().filter(|record| !record.is_over()).count()) >= MOST {
        return;
    }
    let mut options = core::mem::MaybeUninit::<rota_loop_options>::uninit();
    let mut options = unsafe {
        rota_loop_options_init(options.as_mut_ptr(), size_of::<rota_loop_options>());
        options.assume_init()
    };
    options.clock = roll(3) as u32;
    options.flags = [0, 0, ROTA_LOOP_DEBUG, ROTA_LOOP_NO_THREADS][roll(4) as usize];
    options.max_threads = roll(3) as u32;
    options.stack_size = 512 * 1024;
    options.stacks_kept = roll(4) as u32;
    options.slow_callback_ns = roll(2) * 1_000_000;
    options.log = Some(bodies::log);
    if once_in(4) {
        options.memory_limit = 20_000 + roll(200_000);
    }
    let odds = [0, 0, 10, 60, 300][roll(5) as usize];
    let seed = roll(u64::MAX);
    let mut purse = once_in(2).then(|| Box::new(Purse { blocks: 0, odds, dice: Dice(seed) }));
    if let Some(purse) = &mut purse {
        options.allocator = memory::allocator(&mut **purse);
    }
    let mut handle = rota_loop { id: 0 };
    let opened = status("open", unsafe { rota_loop_open(&options, &mut handle) });
    if opened != ROTA_OK {
        ensure(handle.id == 0, || "a handle was written by a call that failed".to_string());
        ensure(purse.is_none_or(|purse| purse.blocks == 0), || "a loop that did not open left memory".to_string());
        return;
    }
    with(|world| {
        world.loops.numbers.insert(number_of(handle.id), world.loops.all.len());
        let system_clock = options.clock == 0;
        let state = State::Open;
        world.loops.all.push(Record { handle, state, purse, driven: false, system_clock });
    });
}

/// A loop counts as driven from now on if it `is`; whether it did before, for `end_driven`.
pub fn begin_driven(at: usize, is: bool) -> bool {
    with(|world| {
        let driven = &mut world.loops.all[at].driven;
        core::mem::replace(driven, is || *driven)
    })
}

/// It counts as it did before.
pub fn end_driven(at: usize, before: bool) {
    with(|world| world.loops.all[at].driven = before);
}

/// Drives a loop with one of the calls for it; inside itself that is refused.
fn drive(at: usize, call: impl FnOnce(rota_loop) -> i64, name: &str) -> i64 {
    let (handle, driven, over) = with(|world| {
        let record = &mut world.loops.all[at];
        (record.handle, core::mem::replace(&mut record.driven, true), record.is_over())
    });
    let answer = answered(name, call(handle));
    if over {
        ensure(answer == ROTA_ERR_HANDLE as i64, || format!("{name} of a loop that is closed: {answer}"));
    } else if driven {
        ensure(answer == ROTA_ERR_REENTRANT as i64, || format!("{name} of a loop inside itself: {answer}"));
    }
    with(|world| world.loops.all[at].driven = driven);
    answer
}

/// One turn, with all sorts of limits.
pub fn turn(at: usize) {
    let mut figures = core::mem::MaybeUninit::<rota_turn_figures>::zeroed();
    let mut figures = unsafe {
        figures.as_mut_ptr().cast::<usize>().write(size_of::<rota_turn_figures>());
        figures.assume_init()
    };
    let wait = [0, 0, 0, 1000, 100_000, 1_000_000][roll(6) as usize];
    let (budget, most) = ([0, 0, 1, 10_000][roll(4) as usize], [0, 0, 1, 3][roll(4) as usize]);
    drive(at, |handle| unsafe { rota_loop_turn(handle, wait, budget, most, &mut figures) as i64 }, "turn");
}

/// Running needs somebody who stops it: asked before, or by a timer that nobody else knows.
fn run(at: usize) {
    let (driven, system) = with(|world| (world.loops.all[at].driven, world.loops.all[at].system_clock));
    if driven {
        return turn(at);
    }
    if system && once_in(2) {
        let account = ledger::open(Kind::Timer, at);
        let timer = unsafe {
            rota::ffi::timer::rota_loop_call_later(
                handle(at),
                roll(2_000_000),
                Some(bodies::stopper),
                ledger::data(account),
                core::ptr::null_mut(),
            )
        };
        ledger::opened(account, timer == ROTA_OK);
        if timer != ROTA_OK {
            return;
        }
    } else if status("stop", rota_loop_stop(handle(at))) != ROTA_OK {
        return;
    }
    if once_in(2) {
        drive(at, |handle| rota_loop_run(handle) as i64, "run");
    } else {
        let future = any(Noun::Future);
        let answer = drive(at, |handle| rota_loop_run_until(handle, rota_future { id: future }), "run_until");
        tasks::brought(future, answer, false);
    }
}

/// Closes a loop with any limit, or (rarely) gives it up.
pub fn close(at: usize, limit: u64) -> rota_status {
    let handle = handle(at);
    let over = with(|world| world.loops.all[at].is_over());
    let answer = drive(at, |handle| rota_loop_close(handle, limit) as i64, "loop_close");
    if over || with(|world| world.loops.all[at].driven) {
        return ROTA_ERR_REENTRANT;
    }
    let known = [ROTA_OK, ROTA_ERR_BUSY, ROTA_ERR_MEMORY].map(|status| status as i64);
    ensure(known.contains(&answer), || format!("closing a loop answered {answer}"));
    with(|world| world.made.fetches += 1);
    if answer != ROTA_OK as i64 {
        with(|world| world.loops.all[at].state = State::Closing);
        // What it does in between may close the loop.
        while combine::fetch(at) {}
        return ROTA_ERR_BUSY;
    }
    wire::sweep();
    with(|world| world.loops.all[at].state = State::Closed);
    ledger::settle(at);
    let blocks = with(|world| world.loops.all[at].purse.as_ref().map_or(0, |purse| purse.blocks));
    ensure(blocks == 0, || format!("a closed loop has {blocks} blocks of its allocator"));
    let mut out = core::ptr::null_mut();
    let stale = unsafe { rota_loop_get_user_data(handle, &mut out) };
    ensure(stale == ROTA_ERR_HANDLE, || format!("a closed loop answers {stale:?}"));
    ROTA_OK
}

fn abandon(at: usize) {
    let driven = with(|world| world.loops.all[at].driven);
    if driven {
        ensure(rota_loop_abandon(handle(at)) != ROTA_OK, || "a loop was abandoned inside itself".to_string());
        return;
    }
    let stats = stats(handle(at));
    let idle = stats.tasks + stats.jobs + stats.futures == 0;
    if status("abandon", rota_loop_abandon(handle(at))) == ROTA_OK {
        with(|world| {
            let record = &mut world.loops.all[at];
            record.state = State::Abandoned;
            world.loops.abandoned = true;
            if !idle {
                // What stacks and blocking calls still use is leaked by the library, and so here.
                core::mem::forget(record.purse.take());
                wire::leak(world);
            }
        });
    }
}

fn ask(at: usize) {
    let handle = handle(at);
    let (mut number, mut descriptor, mut pointer) = (0, 0, core::ptr::null_mut::<c_void>());
    let mut current = rota_loop { id: 0 };
    let mut stats = core::mem::MaybeUninit::<rota_loop_stats>::zeroed();
    unsafe {
        stats.as_mut_ptr().cast::<usize>().write(size_of::<rota_loop_stats>());
        match roll(10) {
            0 => status("get_now", rota_loop_get_now(handle, &mut number)),
            1 => status("get_descriptor", rota_loop_get_descriptor(handle, &mut descriptor)),
            2 => status("get_next_deadline", rota_loop_get_next_deadline(handle, &mut number)),
            3 => status("set_debug", rota_loop_set_debug(handle, once_in(2))),
            4 => status("get_user_data", rota_loop_get_user_data(handle, &mut pointer)),
            5 => status("set_user_data", rota_loop_set_user_data(handle, pointer)),
            6 => status("get_current", rota_loop_get_current(&mut current)),
            7 => status("get_stats", rota_loop_get_stats(handle, stats.as_mut_ptr())),
            8 => status("wake", rota_loop_wake(handle)),
            _ => status("stop", rota_loop_stop(handle)),
        }
    };
}

/// Calls from another thread: those that are marked for it work, others are refused.
fn elsewhere(at: usize) {
    let handle = handle(at);
    let open = with(|world| !world.loops.all[at].is_over());
    let account = ledger::open(Kind::Post, at);
    let number = account;
    let (posted, refused) = std::thread::scope(|scope| {
        let other = scope.spawn(move || unsafe {
            let posted = rota_loop_post(handle, Some(bodies::post), ledger::data(number));
            let _ = (rota_loop_wake(handle), rota_loop_stop(handle));
            (posted, rota_loop_advance(handle, 1))
        });
        other.join().expect("the other thread")
    });
    ledger::opened(account, posted == ROTA_OK);
    status("post", posted);
    ensure(!open || refused == ROTA_ERR_THREAD, || format!("a call from another thread: {refused:?}"));
}

/// One random call of any sort.
pub fn act() {
    wire::sweep();
    let Some(at) = pick() else { return open() };
    match roll(100) {
        0..=1 => open(),
        2..=15 => turn(at),
        16..=19 => run(at),
        20..=23 => ask(at),
        24 => elsewhere(at),
        25 if once_in(3) => _ = close(at, [0, 0, 1, 1_000_000, 10_000_000][roll(5) as usize]),
        26 if once_in(60) && with(|world| world.may_leak) => abandon(at),
        27..=29 => _ = status("advance", rota_loop_advance(handle(at), roll(3_000_000))),
        30..=37 => sync::act(at),
        38..=51 => combine::act(at),
        52..=67 => streams::act(),
        68..=77 => groups::act(at),
        _ => tasks::act(at),
    }
}

/// Closes everything: closing asks each task once, so a task that went on is asked again by hand.
fn close_all() {
    let began = std::time::Instant::now();
    let mut rounds = 0;
    loop {
        let open = open_loops();
        if open.is_empty() {
            return;
        }
        // The host's memory is there again, as it must be for an end.
        with(|world| {
            world.loops.all.iter_mut().filter_map(|record| record.purse.as_mut()).for_each(|purse| purse.odds = 0)
        });
        for at in open {
            close(at, roll(3) * 1_000_000);
        }
        // Whoever is in a shield is not reached by a request.
        for id in handles::all_entered() {
            let _ = rota::ffi::scope::rota_scope_leave(rota_scope { id }, 0);
        }
        for id in handles::all_begun() {
            let _ = rota::ffi::task::rota_task_cancel(rota_task { id });
        }
        rounds += 1;
        if rounds > 50 && began.elapsed().as_secs() >= 1 {
            give_up_flushing();
        }
        let long = began.elapsed().as_secs() > 60 && rounds > 200;
        ensure(!long, || format!("loops do not close: {}", left()));
    }
}

/// Two closed streams that both have more to send than the system takes wait for each other: nobody reads.
fn give_up_flushing() {
    for at in open_loops() {
        let stats = stats(handle(at));
        if stats.tasks + stats.jobs + stats.futures + stats.ready == 0 && stats.streams > 0 {
            abandon(at);
        }
    }
}

fn stats(handle: rota_loop) -> rota_loop_stats {
    let mut stats = core::mem::MaybeUninit::<rota_loop_stats>::zeroed();
    unsafe {
        stats.as_mut_ptr().cast::<usize>().write(size_of::<rota_loop_stats>());
        let _ = rota_loop_get_stats(handle, stats.as_mut_ptr());
        stats.assume_init()
    }
}

fn left() -> String {
    let of = |at| {
        let stats = stats(handle(at));
        format!(
            "ready {} timers {} futures {} tasks {} listeners {} streams {} jobs {} completions {}; ",
            stats.ready,
            stats.timers,
            stats.futures,
            stats.tasks,
            stats.listeners,
            stats.streams,
            stats.jobs,
            stats.completions
        )
    };
    open_loops().into_iter().map(of).collect()
}

/// Plays one sequence; whether it abandoned a loop, which may leave things behind.
pub fn play(seed: u64, loud: bool) -> bool {
    with(|world| *world = World::new(seed, loud));
    let steps = 20 + roll(400) as u32;
    with(|world| world.steps = 4 * steps);
    for _ in 0..steps {
        act();
    }
    tell(|| "the end: everything is closed".to_string());
    // Bodies may do no more than end.
    with(|world| world.steps = 0);
    close_all();
    wire::sweep();
    wire::check();
    let abandoned = with(|world| world.loops.abandoned);
    with(|world| *world = World::new(0, false));
    abandoned
}
