//! The loop: one turn, and the ways to drive turns.
//!
//! One turn, as DESIGN.md section 3 has it:
//!
//! ```text
//!   decide how long to wait ─▶ ask the system ─▶ queue what became ready ─▶ queue due timers
//!          ▲                                                                    │
//!          └───── run exactly the callbacks that stood in the queue then ◀──────┘
//! ```
//!
//! `Runtime` is the cell around everything: `with` opens it for the length of
//! one call, and nobody's code runs while it is open. A second opening can only
//! come from a hook, and is refused. A turn that a limit cut short remembers
//! how much of its batch is left, and the next call resumes it before the
//! system is asked again, so a budget changes no order.

use super::callback::Label;
use super::core::{Core, Settings};
use super::current::{Current, Scope};
use super::outcome::Outcome;
use super::owner::Tag;
use super::ready::Entry;
use super::remote::{Message, Remote};
use super::service::Service;
use super::waiters::Waiter;
use crate::base::{limits, rota_status::*, Handle, Key, Result};
use crate::sys::host::{HostPointer, HostTaskHook};
use core::cell::{Cell, RefCell};
use std::sync::Arc;

/// No deadline, no limit.
pub const ROTA_FOREVER: u64 = u64::MAX;

/// Everything that a loop has.
pub struct State<S> {
    /// The runtime's part.
    pub core: Core,
    /// The layer above.
    pub service: S,
    /// When the system was asked last, and what has happened since.
    polled: Polled,
}

#[derive(Clone, Copy, Default)]
struct Polled {
    /// The time then.
    at: u64,
    /// How many callbacks had run then.
    callbacks: u64,
    /// After so many more it is time to look at the clock.
    look: u64,
}

/// A loop.
pub struct Runtime<S: Service> {
    pub(super) state: RefCell<State<S>>,
    pub(super) number: u16,
    running: Cell<bool>,
    poisoned: Cell<bool>,
    left: Cell<usize>,
    /// How many eager tasks are starting inside each other.
    pub(super) eager: Cell<u32>,
    user_data: Cell<HostPointer>,
    pub(super) task_hook: Option<HostTaskHook>,
    remote: Arc<Remote>,
}

/// What bounds a turn; zero means no bound.
#[derive(Clone, Copy, Default)]
pub struct TurnLimits {
    /// No callback starts after so many nanoseconds.
    pub budget_ns: u64,
    /// So many callbacks at most.
    pub callbacks: u64,
}

/// What a turn did.
#[derive(Clone, Copy, Default)]
pub struct TurnFigures {
    /// Callbacks and steps that ran.
    pub callbacks: u64,
    /// What stands in the queue now.
    pub left: u64,
    /// The longest of them.
    pub longest_ns: u64,
    /// What stands in the queue of completions now.
    pub completions: u64,
    /// When the next turn is needed.
    pub next_deadline: u64,
    /// Whether a limit cut the turn short.
    pub cut: bool,
}

/// How a turn may wait.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    /// At most so long.
    pub limit: Option<u64>,
    /// Whether the system may be left alone while callbacks keep the queue filled.
    pub may_skip: bool,
}

/// While it lives, the loop's turns are made, and the loop is the innermost thing on its thread.
pub(super) struct Running<'a, S: Service> {
    runtime: &'a Runtime<S>,
    /// The owner that was set before, which is set again afterwards.
    owner: Option<Key>,
    _inside: Scope,
}

impl<S: Service> Drop for Running<'_, S> {
    fn drop(&mut self) {
        self.runtime.running.set(false);
        if let Ok(mut state) = self.runtime.state.try_borrow_mut() {
            state.core.owner_set(self.owner);
        }
    }
}

impl<S: Service> Runtime<S> {
    /// Opens a loop.
    pub fn open(number: u16, generation: u32, settings: Settings, service: impl FnOnce(&Core) -> S) -> Result<Self> {
        let core = Core::new(number, generation, settings)?;
        let (remote, task_hook) = (core.remote.clone(), core.task_hook);
        let service = service(&core);
        Ok(Runtime {
            state: RefCell::new(State { core, service, polled: Polled::default() }),
            number,
            running: Cell::new(false),
            poisoned: Cell::new(false),
            left: Cell::new(0),
            eager: Cell::new(0),
            user_data: Cell::new(HostPointer(core::ptr::null_mut())),
            task_hook,
            remote,
        })
    }

    /// The side that other threads see.
    pub fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    /// Opens the cell for one call.
    #[inline]
    pub fn with<R>(&self, call: impl FnOnce(&mut State<S>) -> Result<R>) -> Result<R> {
        if self.poisoned.get() {
            return Err(ROTA_ERR_PANIC.into());
        }
        match self.state.try_borrow_mut() {
            Ok(mut state) => call(&mut state),
            Err(_) => Err(ROTA_ERR_REENTRANT.into()),
        }
    }

    /// From now on every call but closing answers ROTA_ERR_PANIC.
    pub fn poison(&self) {
        self.poisoned.set(true);
        self.remote.poison();
    }

    /// Whether the loop is poisoned.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.get()
    }

    /// The host's pointer.
    pub fn user_data(&self) -> &Cell<HostPointer> {
        &self.user_data
    }

    /// Whether a turn is under way.
    pub fn is_running(&self) -> bool {
        self.running.get()
    }

    pub(super) fn enter(&self) -> Result<Running<'_, S>> {
        if self.poisoned.get() {
            return Err(ROTA_ERR_PANIC.into());
        }
        if self.running.replace(true) {
            return Err(ROTA_ERR_REENTRANT.into());
        }
        let inside = Scope::enter(Current { loop_number: self.number, task: None });
        let owner = self.state.try_borrow().ok().and_then(|state| state.core.owner_now());
        Ok(Running { runtime: self, owner, _inside: inside })
    }

    /// Runs until a stop is asked.
    pub fn run(&self) -> Result<()> {
        let _running = self.enter()?;
        self.with(|state| state.core.refuse_if_closing())?;
        loop {
            self.one_turn(Wait { limit: None, may_skip: true }, TurnLimits::default())?;
            if self.remote.take_stop() {
                return Ok(());
            }
        }
    }

    /// Runs until `future` is done; its outcome. `ROTA_ERR_STOPPED` if a stop came first: the claim is taken back.
    pub fn run_until(&self, future: Handle) -> Result<i64> {
        let running = self.enter()?;
        if let Some(carried) = future.carried() {
            return Ok(carried);
        }
        let key = future.key();
        let done = self.with(|state| {
            let done = state.core.futures.get(key).ok_or(ROTA_ERR_HANDLE)?.done;
            state.core.future_claim(key, Waiter::Until)?;
            state.core.until_done = done;
            Ok(done)
        })?;
        if let Err(error) = if done { Ok(()) } else { self.turns_until_done() } {
            // Whatever ended the wait, nobody waits any more: a claim that stayed would answer a later wait.
            let _ = self.with(|state| Ok(state.core.future_unclaim(key, |waiter| matches!(waiter, Waiter::Until))));
            return Err(error);
        }
        let (outcome, free) = self.with(|state| {
            let (outcome, _) =
                state.core.future_take_outcome(key).unwrap_or((Outcome::cancelled(), Default::default()));
            Ok((outcome, state.future_settle(key)))
        })?;
        drop(running);
        self.let_go(free);
        Ok(outcome.short())
    }

    fn turns_until_done(&self) -> Result<()> {
        loop {
            let turned = self.one_turn(Wait { limit: None, may_skip: true }, TurnLimits::default());
            let stopped = self.remote.take_stop().then_some(ROTA_ERR_STOPPED.into());
            if self.with(|state| Ok(state.core.until_done))? {
                return Ok(());
            }
            if let Some(error) = turned.err().or(stopped) {
                return Err(error);
            }
        }
    }

    /// One turn, or what a limit left of the last one. A stop that was asked makes it not wait, and is answered.
    pub fn turn(&self, wait_ns: u64, turn_limits: TurnLimits) -> Result<TurnFigures> {
        let _running = self.enter()?;
        // What the host has not fetched yet is something to do: the turn does not wait.
        let standing = self.with(|state| Ok(state.core.drain.len()))?;
        let limit = if standing > 0 { Some(0) } else { (wait_ns != ROTA_FOREVER).then_some(wait_ns) };
        let mut figures = self.one_turn(Wait { limit, may_skip: false }, turn_limits)?;
        self.remote.take_stop();
        self.with(|state| {
            figures.left = state.core.ready.len() as u64;
            figures.completions = state.core.drain.len() as u64;
            figures.next_deadline = state.core.next_deadline();
            Ok(())
        })?;
        Ok(figures)
    }

    /// Half of what a turn costs beside its callbacks is opening the cell and reading the clock: it is opened once, and
    /// the figures are only made where somebody asks for them (`turn`).
    pub(super) fn one_turn(&self, wait: Wait, turn_limits: TurnLimits) -> Result<TurnFigures> {
        let left = self.left.take();
        let (batch, debug) = self.with(|state| {
            if left == 0 {
                state.gather(wait)?;
            }
            let batch = if left == 0 { state.core.ready.len() } else { left };
            Ok((batch, state.core.debug))
        })?;
        if debug || turn_limits.budget_ns > 0 || turn_limits.callbacks > 0 {
            return self.run_measured(batch, turn_limits);
        }
        for _ in 0..batch {
            self.run_next()?;
        }
        Ok(TurnFigures { callbacks: batch as u64, ..TurnFigures::default() })
    }

    /// As `one_turn`, measured: for limits and for debug mode.
    #[cold]
    fn run_measured(&self, batch: usize, turn_limits: TurnLimits) -> Result<TurnFigures> {
        let (debug, slow) = self.with(|state| Ok((state.core.debug, state.core.slow_callback_ns)))?;
        let mut figures = TurnFigures::default();
        let began = crate::sys::clock::monotonic();
        let mut before = began;
        for done in 0..batch {
            let over = turn_limits.budget_ns > 0 && before.saturating_sub(began) >= turn_limits.budget_ns;
            if over && done > 0 || turn_limits.callbacks > 0 && done as u64 >= turn_limits.callbacks {
                self.left.set(batch - done);
                figures.cut = true;
                break;
            }
            let label = self.run_next()?;
            let after = crate::sys::clock::monotonic();
            let took = after.saturating_sub(before);
            figures.longest_ns = figures.longest_ns.max(took);
            figures.callbacks += 1;
            if debug {
                self.with(|state| {
                    if let Label::Task(key) = label {
                        state.core.stack_check(key);
                    }
                    if took > slow {
                        state.core.report_slow(label, took);
                    }
                    Ok(())
                })?;
            }
            before = after;
        }
        Ok(figures)
    }
}

impl Core {
    /// When a turn is needed at the latest: now if something is ready, `ROTA_FOREVER` if nothing but the system can
    /// bring something.
    pub fn next_deadline(&mut self) -> u64 {
        let standing = !self.ready.is_empty() || !self.drain.is_empty();
        if standing || self.remote.has_posts() || self.remote.stop_asked() || self.driver.is_due() {
            return self.read_clock();
        }
        self.timers.next_wakeup().unwrap_or(ROTA_FOREVER)
    }

    /// The answer to new work while the loop closes.
    pub fn refuse_if_closing(&self) -> Result<()> {
        if self.closing {
            return Err(ROTA_ERR_CLOSING.into());
        }
        Ok(())
    }
}

impl<S: Service> State<S> {
    /// Waits for the system and queues what is ready: the first half of a turn.
    #[inline]
    fn gather(&mut self, wait: Wait) -> Result<()> {
        self.core.counters.turns += 1;
        self.core.owner = Tag::NONE;
        if self.core.remote.has_posts() {
            self.take_posts();
        }
        if wait.may_skip && self.may_leave_system_alone() {
            return Ok(());
        }
        self.ask_system(wait)
    }

    #[inline(never)]
    fn ask_system(&mut self, wait: Wait) -> Result<()> {
        let idle = self.core.ready.is_empty() && !self.core.remote.stop_asked() && !self.core.remote.has_posts();
        if idle {
            self.core.stacks.settle();
        }
        let began = self.core.read_clock();
        let timeout = if !idle { Some(0) } else { self.idle_timeout(wait.limit) };
        self.poll(timeout)?;
        self.polled = Polled { at: self.core.read_clock(), callbacks: self.core.counters.callbacks, look: 1 };
        if idle && self.core.clock.jumps() {
            self.jump(began, wait)?;
        }
        self.take_posts();
        self.timers_due();
        Ok(())
    }

    /// While callbacks keep the queue filled the system is asked only now and then: every 256 callbacks, and before
    /// that when 100 us have gone by. Reading the clock costs several callbacks, so it is read after 1, 2, 4, 8 ... of
    /// them: quick ones pay for it seldom, and slow ones are noticed after the first.
    #[inline]
    fn may_leave_system_alone(&mut self) -> bool {
        let callbacks = self.core.counters.callbacks - self.polled.callbacks;
        if self.core.ready.is_empty()
            || self.core.remote.stop_asked()
            || callbacks >= limits::CALLBACKS_PER_POLL
            || self.core.clock.is_virtual()
        {
            return false;
        }
        if callbacks < self.polled.look {
            return true;
        }
        self.polled.look = callbacks * 2;
        self.core.read_clock().saturating_sub(self.polled.at) < limits::POLL_INTERVAL_NS
    }

    fn idle_timeout(&mut self, limit: Option<u64>) -> Option<u64> {
        if self.core.clock.jumps() && !self.core.timers.is_empty() && self.core.executor.busy() == 0 {
            return Some(0);
        }
        if self.core.clock.is_virtual() {
            let due = self.core.timers.next_wakeup().is_some_and(|next| next <= self.core.now);
            return if due { Some(0) } else { limit };
        }
        let until_timer = self.core.timers.next_wakeup().map(|next| next.saturating_sub(self.core.now));
        match (until_timer, limit) {
            (Some(timer), Some(limit)) => Some(timer.min(limit)),
            (timer, limit) => timer.or(limit),
        }
    }

    /// Nothing is ready and the clock is ours: it goes to the next deadline, within what the caller would wait.
    fn jump(&mut self, began: u64, wait: Wait) -> Result<()> {
        if !self.core.ready.is_empty() || self.core.executor.busy() > 0 || self.core.remote.has_posts() {
            return Ok(());
        }
        let furthest = wait.limit.map_or(u64::MAX, |limit| began.saturating_add(limit));
        if let Some(next) = self.core.timers.next_wakeup() {
            let target = next.min(furthest);
            self.core.clock.advance(target.saturating_sub(self.core.now))?;
            self.core.read_clock();
        }
        Ok(())
    }

    fn poll(&mut self, timeout: Option<u64>) -> Result<()> {
        self.core.counters.polls += 1;
        self.core.driver.wait(timeout, &mut self.core.completions)?;
        let empty = crate::sys::List::new(self.core.memory.clone());
        let mut completions = core::mem::replace(&mut self.core.completions, empty);
        self.core.counters.wakeups += u64::from(!completions.is_empty());
        for completion in completions.drain_all() {
            self.service.completed(&mut self.core, completion);
        }
        self.core.completions = completions;
        self.jobs_done();
        Ok(())
    }

    /// Does or queues what other threads posted; without memory the rest waits for the next turn.
    fn take_posts(&mut self) {
        self.core.remote.begin_batch();
        if self.core.remote.take_missed() {
            self.service.told(&mut self.core, None);
        }
        while self.has_room_for_post() {
            match self.core.remote.take() {
                Some(Message::Call(call)) => {
                    let _ = self.core.ready.push(Entry::Call(call));
                }
                Some(message) => self.posted(message),
                None => return,
            }
        }
    }

    /// Whether a post of any kind can be queued.
    pub(super) fn has_room_for_post(&mut self) -> bool {
        let drains = self.core.remote.posts_completions();
        self.core.ready.make_room().is_ok() && (!drains || self.core.drain.make_room().is_ok())
    }
}
