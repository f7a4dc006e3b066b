//! The one place where the loop calls callbacks and steps tasks.
//!
//! Take, call, put back: everything is taken out of the cell first, the cell is
//! closed, the host is called, and what is left to do is done after. All other
//! code only adds to the queue.

use super::combine::Due;
use super::core::{Core, ROTA_LOG_WARNING};
use super::coro::{suspend, Step, ROTA_STEP_WAIT};
use super::current::{self, Current, Scope};
use super::event_loop::{Runtime, State};
use super::hook::ROTA_TASK_PAUSED;
use super::map::Continuation;
use super::outcome::Outcome;
use super::owner::Tag;
use super::ready::Entry;
use super::service::Service;
use super::task::{Begun, Next};
use crate::base::handle::rota_loop;
use crate::base::{outcome, rota_outcome, rota_status, rota_status::*, Handle, Key, Kind, Result};
use crate::sys::host::{HostCall, HostFree, HostLine, HostStep};
use crate::sys::Text;

/// What ran, for the report of a slow callback.
#[derive(Clone, Copy)]
pub enum Label {
    /// A callback that another thread posted, or that was queued before debug mode was on.
    Post,
    /// A queued callback.
    Call(Key),
    /// A timer's.
    Timer(Key),
    /// A future's.
    Future(Key),
    /// A step of a task.
    Task(Key),
}

/// What a stepped body's return makes of it.
enum Stepped {
    /// What it waits for is over: it is called again.
    Goes(rota_outcome),
    /// It waits.
    Waits,
    /// It has ended, with this answer, and something is to be let go of.
    Ends(i64, Option<HostFree>),
}

/// The first thing in the queue.
enum First {
    /// A plain callback.
    Call(HostCall),
    /// A task, if it can go on.
    Task(Key, Option<Step>),
    /// Something else, which still stands in the queue.
    Other,
}

impl<S: Service> Runtime<S> {
    /// Runs the first thing in the queue. What is most frequent and shortest, a plain callback or a task that goes on,
    /// stands here alone, so that it does not pay for what the others need.
    #[inline]
    pub(super) fn run_next(&self) -> Result<Label> {
        let (next, handle, status) = self.with(|state| {
            let core = &mut state.core;
            core.counters.callbacks += 1;
            core.owner = Tag::NONE;
            let status = if core.closing { ROTA_ERR_CANCELLED } else { ROTA_OK };
            let next = match core.ready.pop_call() {
                Some(call) => First::Call(call),
                None => core.ready.pop_task().map_or(First::Other, |key| First::Task(key, core.task_begin(key))),
            };
            Ok((next, core.loop_handle(), status))
        })?;
        match next {
            First::Call(call) => {
                call.call(handle, status);
                Ok(Label::Post)
            }
            First::Task(key, Some(step)) => {
                self.step(key, step)?;
                Ok(Label::Task(key))
            }
            First::Task(key, None) => {
                self.let_go(self.with(|state| Ok(state.task_left(key)))?);
                Ok(Label::Task(key))
            }
            First::Other => self.run_other(handle, status),
        }
    }

    #[inline(never)]
    fn run_other(&self, handle: rota_loop, status: rota_status) -> Result<Label> {
        match self.with(|state| Ok(state.core.next_entry()))? {
            // `run_next` has taken them.
            Entry::Nothing | Entry::Call(_) | Entry::Task(_) => Ok(Label::Post),
            Entry::Slot(key) => {
                if let Some(queued) = self.with(|state| Ok(state.core.calls.remove(key)))? {
                    queued.call.call(handle, if queued.cancelled { ROTA_ERR_CANCELLED } else { status });
                }
                Ok(Label::Call(key))
            }
            Entry::Then(key, then, _) => {
                let result = self.with(|state| Ok(state.core.future_begin_call(key)))?;
                then.call(Handle::new(Kind::Future, self.number, key).into(), result);
                self.let_go(self.with(|state| Ok(state.future_settle(key)))?);
                Ok(Label::Future(key))
            }
            Entry::Timer(key) => self.run_timer(key, status),
            Entry::TimerCancelled(key, timer, _) => {
                timer.call(Handle::new(Kind::Timer, self.number, key).into(), ROTA_ERR_CANCELLED);
                Ok(Label::Timer(key))
            }
            ours => self.run_ours(ours),
        }
    }

    /// Steps that the runtime makes for itself; the host is called if they let go of something, or go on with it.
    fn run_ours(&self, entry: Entry) -> Result<Label> {
        match entry {
            Entry::Combine(key) => self.run_combine(key),
            Entry::Set(key) => self.run_set(key),
            Entry::Drain(completed) => {
                self.with(|state| {
                    state.core.drain.push_reserved(completed);
                    Ok(())
                })?;
                Ok(Label::Post)
            }
            Entry::Group(key) => {
                self.with(|state| {
                    state.core.group_begin(key);
                    Ok(())
                })?;
                while let Some(free) = self.with(|state| Ok(state.group_step(key)))? {
                    self.let_go(Some(free));
                }
                Ok(Label::Post)
            }
            Entry::Blocked(key, ticket) => {
                self.let_go(self.with(|state| Ok(state.blocked_answer(key, ticket)))?);
                Ok(Label::Future(key))
            }
            Entry::Ask(circle) => {
                self.with(|state| {
                    state.circle_begin(circle);
                    Ok(())
                })?;
                Ok(Label::Post)
            }
            Entry::Free(free) => {
                self.let_go(Some(free));
                Ok(Label::Post)
            }
            _ => Ok(Label::Post),
        }
    }

    /// Calls a timer's callback; it may arm the timer again.
    fn run_timer(&self, key: Key, status: rota_status) -> Result<Label> {
        if let Some((timer, fired)) = self.with(|state| Ok(state.core.timer_begin(key)))? {
            let status = if status == ROTA_OK { fired } else { status };
            timer.call(Handle::new(Kind::Timer, self.number, key).into(), status);
            self.with(|state| {
                state.core.timer_end(key);
                Ok(())
            })?;
        }
        Ok(Label::Timer(key))
    }

    /// The step of a combination.
    fn run_combine(&self, key: Key) -> Result<Label> {
        let outer = self.with(|state| Ok(state.core.combine_begin(key)))?;
        while let Some(due) = self.with(|state| Ok(state.combine_step(key)))? {
            self.let_go(match due {
                Due::Free(free) => Some(free),
                Due::Call(host, future, result) => self.go_on(key, host, future, result)?,
            });
        }
        Ok(outer.map_or(Label::Post, Label::Future))
    }

    /// The turn of a set.
    fn run_set(&self, key: Key) -> Result<Label> {
        self.with(|state| {
            state.core.set_begin(key);
            Ok(())
        })?;
        while let Some(free) = self.with(|state| Ok(state.set_step(key)))? {
            self.let_go(Some(free));
        }
        Ok(Label::Post)
    }

    /// Calls what the host gave for a future of a combination; a destructor that is due after that.
    fn go_on(&self, key: Key, host: Continuation, future: Key, result: i64) -> Result<Option<HostFree>> {
        let handle = Handle::new(Kind::Future, self.number, future).into();
        match host {
            Continuation::Map(map) => {
                let answer = map.call(handle, result);
                self.with(|state| Ok(state.map_answered(key, future, result, answer)))
            }
            Continuation::Chain(chain) => {
                let next = chain.call(handle, result);
                self.with(|state| Ok(state.chain_answered(key, future, next.into())))
            }
        }
    }

    /// Calls a destructor that is due. The loop counts as running meanwhile: it is not closed from in there. The owner
    /// that it sets is not set afterwards, for whoever made the call that led to it.
    pub fn let_go(&self, free: Option<HostFree>) {
        if let Some(free) = free {
            let owner = self.with(|state| Ok(state.core.owner_now()));
            let running = self.enter().ok();
            let inside = Scope::enter(Current { loop_number: self.number, task: None });
            free.call();
            drop(inside);
            drop(running);
            if let Ok(owner) = owner {
                let _ = self.with(|state| {
                    state.core.owner_set(owner);
                    Ok(())
                });
            }
        }
    }

    /// Hands the host a dump of the tasks, line by line. The loop counts as running meanwhile.
    pub fn dump_tasks(&self, host: HostLine) -> Result<()> {
        let lines = self.with(|state| state.task_lines())?;
        let _running = self.enter().ok();
        let _inside = Scope::enter(Current { loop_number: self.number, task: None });
        for line in lines.each() {
            host.call(line.as_ptr());
        }
        Ok(())
    }

    /// Runs a task until it waits or ends.
    pub(super) fn step(&self, key: Key, step: Step) -> Result<()> {
        let inside = Scope::enter(Current { loop_number: self.number, task: Some(key) });
        let ended = match step {
            Step::Stackful(switch) => switch.resume(),
            Step::Stepped(step) => self.run_steps(key, step)?,
        };
        drop(inside);
        let Some(answer) = ended else {
            self.tell_of_task(key, ROTA_TASK_PAUSED);
            return Ok(());
        };
        let (free, locals) = self.with(|state| Ok((state.task_end(key, answer), state.core.locals.has_dead())))?;
        self.let_go(free);
        if locals {
            self.let_locals_go();
        }
        Ok(())
    }

    /// Calls a stepped body until it waits for something that is not over (`None`) or ends.
    fn run_steps(&self, key: Key, step: HostStep) -> Result<Option<i64>> {
        let handle = Handle::new(Kind::Task, self.number, key).into();
        let (given, free) = self.with(|state| {
            let (_, free) = state.task_resumed(key);
            if let Some(Next::Turn) = state.core.tasks.get_mut(key).and_then(|task| task.next.take()) {
                state.task_yielded(key);
            }
            Ok((state.core.task_given(key), free))
        })?;
        let given = match free {
            Some(_) => {
                self.let_go(free);
                self.with(|state| Ok(state.core.task_given(key)))?
            }
            None => given,
        };
        let Some(mut given) = given else { return Ok(Some(ROTA_ERR_CANCELLED as i64)) };
        loop {
            let answer = step.call(handle, &given);
            match self.with(|state| Ok(state.step_begun(key, answer)))? {
                Stepped::Goes(outcome) => given = outcome,
                Stepped::Waits => return Ok(None),
                Stepped::Ends(answer, free) => {
                    self.let_go(free);
                    return Ok(Some(answer));
                }
            }
        }
    }

    /// The running stackful task waits for `future`; the short form of what it came to.
    pub fn await_future(&self, future: Handle) -> i64 {
        let waited = self.park(|state, key| state.task_await(key, future), State::task_resumed);
        waited.unwrap_or_else(|error| error.status as i64)
    }

    /// The running task gives up its turn: a stackful one now, a stepped one when it returns what this returns.
    pub fn await_turn(&self, key: Key) -> Result<i64> {
        match self.park(|state, key| Ok(state.core.task_yield(key)), State::task_yielded) {
            Err(error) if error.status == ROTA_ERR_NO_TASK => {
                self.with(|state| state.core.task_set_next(key, Next::Turn))?;
                Ok(ROTA_STEP_WAIT)
            }
            done => done,
        }
    }

    /// Leaves the running task's stack unless it is over at once; `resumed` says what it came to.
    #[inline]
    fn park(
        &self,
        begin: impl FnOnce(&mut State<S>, Key) -> Result<Begun>,
        resumed: impl FnOnce(&mut State<S>, Key) -> (i64, Option<HostFree>),
    ) -> Result<i64> {
        let key = match current::get() {
            Some(Current { loop_number, task: Some(key) }) if loop_number == self.number => key,
            _ => return Err(ROTA_ERR_NO_TASK.into()),
        };
        let begun = self.with(|state| match state.core.tasks.get(key) {
            Some(task) if task.stackful => begin(state, key),
            _ => Err(ROTA_ERR_NO_TASK.into()),
        })?;
        match begun {
            Begun::Over(short) => Ok(short),
            Begun::Parked => {
                suspend();
                let (short, free) = self.with(|state| Ok(resumed(state, key)))?;
                if free.is_some() {
                    self.let_go(free);
                }
                Ok(short)
            }
        }
    }
}

impl<S: Service> State<S> {
    /// A stepped body has returned `answer`.
    fn step_begun(&mut self, key: Key, answer: i64) -> Stepped {
        let next = self.core.tasks.get_mut(key).and_then(|task| task.next.take());
        if answer != ROTA_STEP_WAIT {
            return Stepped::Ends(answer, None);
        }
        if self.core.task_is_given_up(key) {
            return Stepped::Ends(ROTA_ERR_CANCELLED as i64, self.task_give_up(key, next));
        }
        let Some(next) = next else { return Stepped::Ends(self.core.task_misused(key), None) };
        match self.task_begin_wait(key, next) {
            Begun::Over(_) => Stepped::Goes(self.core.task_outcome(key)),
            Begun::Parked => Stepped::Waits,
        }
    }
}

impl Core {
    /// Takes the first thing out of the queue, and sets the owner of what is called for it. Timers that are due say
    /// theirs when they begin.
    fn next_entry(&mut self) -> Entry {
        let entry = self.ready.pop().unwrap_or_default();
        self.owner = match entry {
            Entry::Slot(key) => self.calls.get(key).map_or(Tag::NONE, |call| call.owner),
            Entry::Then(_, _, owner) | Entry::TimerCancelled(_, _, owner) => owner,
            _ => Tag::NONE,
        };
        entry
    }

    /// The outcome of a task's last wait, as C sees it; it lives until the next.
    pub fn task_outcome(&self, key: Key) -> rota_outcome {
        self.tasks.get(key).map_or(outcome::EMPTY, |task| task.outcome.to_host(&task.text))
    }

    /// What a stepped body is told; nothing if its owner was cancelled before it was called.
    fn task_given(&self, key: Key) -> Option<rota_outcome> {
        (!self.task_is_given_up(key)).then(|| self.task_outcome(key))
    }

    /// A stepped body returned ROTA_STEP_WAIT and has nothing to wait for.
    fn task_misused(&mut self, key: Key) -> i64 {
        let outcome = Outcome::failed(ROTA_ERR_INVALID.into(), 0);
        let short = self.task_set_outcome(key, outcome);
        if let Some(task) = self.tasks.get_mut(key) {
            task.text = Text::Static(c"the body returned ROTA_STEP_WAIT without rota_task_wait()");
        }
        short
    }

    /// Debug mode: something held up the loop.
    pub(super) fn report_slow(&self, label: Label, took_ns: u64) {
        let (what, kind, key) = match label {
            Label::Post => return self.log(ROTA_LOG_WARNING, format_args!("a post took {} us", took_ns / 1000)),
            Label::Call(key) => ("a callback", Kind::Call, key),
            Label::Timer(key) => ("a timer's callback", Kind::Timer, key),
            Label::Future(key) => ("a callback of a future", Kind::Future, key),
            Label::Task(key) => ("a step of a task", Kind::Task, key),
        };
        let origin = self.origin(kind, key);
        self.log(ROTA_LOG_WARNING, format_args!("{what} took {} us; it was started at {origin}", took_ns / 1000));
    }
}
