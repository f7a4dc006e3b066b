//! All of a loop's state but the service: what every part of the runtime works on.
//!
//! There is one `Core` per loop, in one cell together with the service
//! (`event_loop.rs`). Having a `&mut Core` means that nobody's code is running:
//! a callback or a task is only ever called after the cell has been let go
//! (`callback.rs`), so nothing here can be entered twice.

use super::attach::Attachments;
use super::call::Call;
use super::combine::Combines;
use super::coro::StackPool;
use super::drain::Drain;
use super::future::Future;
use super::group::Groups;
use super::locals::Locals;
use super::origins::Origins;
use super::outcome::Outcome;
use super::owner::{Owner, Tag};
use super::ready::Ready;
use super::remote::Remote;
use super::scope::Scope;
use super::set::Sets;
use super::task::Task;
use super::ties::Ties;
use super::timer::TimerAction;
use super::timers::Timers;
use super::waiters::Waiters;
use crate::base::handle::rota_loop;
use crate::base::{limits, Handle, Key, Kind, Result};
use crate::sys::clock::Clock;
use crate::sys::driver::{Completion, Driver};
use crate::sys::executor::Executor;
use crate::sys::host::{HostExecutor, HostLog, HostTaskHook};
use crate::sys::{List, Memory, Slab, Text};
use core::fmt;
use std::sync::Arc;

/// Levels of the log hook.
pub const ROTA_LOG_ERROR: i32 = 1;
/// Something that ought to be looked at, and was survived.
pub const ROTA_LOG_WARNING: i32 = 2;
/// Something worth knowing.
pub const ROTA_LOG_INFO: i32 = 3;
/// Details, in debug mode only.
pub const ROTA_LOG_DEBUG: i32 = 4;

/// How a loop is opened; `ffi` makes it from the C options.
pub struct Settings {
    /// The host's allocator and limit.
    pub memory: Memory,
    /// Which driver.
    pub driver: u32,
    /// Which clock.
    pub clock: Clock,
    /// The log hook.
    pub log: Option<HostLog>,
    /// The hook that is told of tasks.
    pub task_hook: Option<HostTaskHook>,
    /// The executor hook.
    pub executor: Option<HostExecutor>,
    /// Whether threads may be made.
    pub threads_allowed: bool,
    /// How many at most.
    pub max_threads: u32,
    /// Debug mode.
    pub debug: bool,
    /// What debug mode calls slow.
    pub slow_callback_ns: u64,
    /// The stack of a task that names no size.
    pub stack_size: usize,
    /// How many stacks are kept for reuse.
    pub stacks_kept: u32,
}

/// Counters since the loop was opened.
#[derive(Clone, Copy, Default)]
pub struct Counters {
    /// Turns.
    pub turns: u64,
    /// Callbacks and steps of tasks.
    pub callbacks: u64,
    /// Times the system was asked.
    pub polls: u64,
    /// Times the system was asked and had something.
    pub wakeups: u64,
}

/// The state of a loop.
pub struct Core {
    /// The loop's number in its handles.
    pub number: u16,
    /// The loop's own generation.
    pub generation: u32,
    /// Where all containers take their memory.
    pub memory: Memory,
    /// The clock.
    pub clock: Clock,
    /// The time of this turn.
    pub now: u64,
    /// The system.
    pub driver: Driver,
    /// What is to be called.
    pub ready: Ready,
    /// Queued callbacks with handles.
    pub calls: Slab<Call>,
    /// Armed timers.
    pub timers: Timers<TimerAction, Memory>,
    /// Futures with slots.
    pub futures: Slab<Future>,
    /// Those who wait for futures.
    pub waiters: Waiters,
    /// Completions that the host fetches.
    pub drain: Drain,
    /// Futures made of futures.
    pub combines: Combines,
    /// Owners.
    pub owners: Slab<Owner>,
    /// Whose all is that is started now.
    pub owner: Tag,
    /// Sets of futures.
    pub sets: Sets,
    /// Tasks.
    pub tasks: Slab<Task>,
    /// Values that tasks carry along.
    pub locals: Locals,
    /// What tasks have beside their slots.
    pub(super) ties: Slab<Ties>,
    /// Tasks that are asked to end together.
    pub(super) attachments: Attachments,
    /// Cancel scopes.
    pub(super) scopes: Slab<Scope>,
    /// Groups of tasks and operations.
    pub(super) groups: Groups,
    /// Stacks of tasks.
    pub stacks: StackPool,
    /// The most that a task which has ended used of its stack, as far as debug mode saw.
    pub stack_peak: usize,
    /// Blocking calls.
    pub executor: Executor,
    /// The side that other threads see.
    pub remote: Arc<Remote>,
    /// Reused for what the driver reports.
    pub completions: List<Completion>,
    /// Debug mode.
    pub debug: bool,
    /// Where things were started, in debug mode.
    pub origins: Origins,
    /// What debug mode calls slow.
    pub slow_callback_ns: u64,
    /// The log hook.
    pub log: Option<HostLog>,
    /// The hook that is told of tasks.
    pub task_hook: Option<HostTaskHook>,
    /// Counters.
    pub counters: Counters,
    /// Whether the loop takes no new work.
    pub closing: bool,
    /// Numbers the sweeps of requests to cancel (`cancel.rs`).
    pub(super) round: u32,
    /// The one that is under way.
    pub(super) sweep: Option<u32>,
    /// Numbers the tasks.
    pub(super) spawned: u32,
    /// Set when the future that `run_until` waits for is complete.
    pub until_done: bool,
    /// The stack of a task that names no size.
    pub stack_size: usize,
}

impl Core {
    /// The state of a loop that has just been opened as `number`; its tables begin with `generation`.
    pub fn new(number: u16, generation: u32, settings: Settings) -> Result<Self> {
        let memory = settings.memory;
        let driver = Driver::open(settings.driver, &memory, generation)?;
        let waker = driver.waker();
        let clock = settings.clock;
        let now = clock.now();
        let mut completions = List::new(memory.clone());
        completions.reserve_exact(limits::EVENTS_PER_WAIT)?;
        Ok(Core {
            number,
            generation,
            now,
            clock,
            driver,
            ready: Ready::new(memory.clone())?,
            calls: Slab::new(memory.clone(), generation),
            timers: Timers::new(memory.clone(), generation, now),
            futures: Slab::new(memory.clone(), generation),
            waiters: Waiters::new(memory.clone()),
            drain: Drain::new(&memory)?,
            combines: Combines::new(&memory),
            owners: Slab::new(memory.clone(), generation),
            owner: Tag::NONE,
            sets: Sets::new(&memory, generation),
            tasks: Slab::new(memory.clone(), generation),
            locals: Locals::new(&memory),
            ties: Slab::new(memory.clone(), 1),
            attachments: Attachments::new(&memory),
            scopes: Slab::new(memory.clone(), generation),
            groups: Groups::new(&memory, generation),
            stacks: StackPool::new(memory.clone(), settings.stack_size, settings.stacks_kept),
            stack_peak: 0,
            executor: Executor::new(
                &memory,
                waker.clone(),
                settings.max_threads,
                settings.executor,
                settings.threads_allowed,
            ),
            remote: Arc::new(Remote::new(waker)?),
            completions,
            debug: settings.debug,
            origins: Origins::new(&memory),
            slow_callback_ns: settings.slow_callback_ns,
            log: settings.log,
            task_hook: settings.task_hook,
            counters: Counters::default(),
            closing: false,
            round: 0,
            sweep: None,
            spawned: 0,
            until_done: false,
            stack_size: settings.stack_size,
            memory,
        })
    }

    /// The handle of one of this loop's things.
    pub fn handle(&self, kind: Kind, key: Key) -> Handle {
        Handle::new(kind, self.number, key)
    }

    /// The loop's own handle.
    pub fn loop_handle(&self) -> rota_loop {
        self.handle(Kind::Loop, Key { slot: 0, generation: self.generation }).into()
    }

    /// The time now.
    pub fn read_clock(&mut self) -> u64 {
        self.now = self.clock.now();
        self.now
    }

    /// Tells the host something, if it wants to hear.
    pub fn log(&self, level: i32, arguments: fmt::Arguments<'_>) {
        if let Some(hook) = self.log {
            let text = Text::format(self.memory.clone(), arguments);
            if let Text::Owned(bytes) = &text {
                if let Ok(line) = core::ffi::CStr::from_bytes_with_nul(bytes) {
                    hook.call(level, line);
                }
            }
        }
    }

    /// The highest generation that any of the tables has reached.
    pub fn last_generation(&self) -> u32 {
        self.calls
            .last_generation()
            .max(self.futures.last_generation())
            .max(self.tasks.last_generation())
            .max(self.owners.last_generation())
            .max(self.sets.last_generation())
            .max(self.timers.last_generation())
            .max(self.scopes.last_generation())
            .max(self.groups.last_generation())
            .max(self.driver.last_generation())
    }

    /// A future that an error at the start of an operation becomes: the handle itself, unless there is more to tell.
    pub fn failed(&self, outcome: Outcome) -> Handle {
        Handle::value(self.number, outcome.short()).unwrap_or(Handle::NULL)
    }
}
