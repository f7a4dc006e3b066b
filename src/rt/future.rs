//! Futures: what will come once, and who waits for it.
//!
//! ```text
//!             complete, fail, cancel
//!   PENDING ─────────────────────────▶ DONE ──▶ ended: the handle is stale
//!      │                                 │
//!      │ wait: a claim, with a place     │ each claim is answered in its turn;
//!      │ in the ready queue              │ the last answer ends the future
//! ```
//!
//! **Claims.** Waiting (a callback, a task, `run_until`) is a claim. A future
//! ends when it is done and its last claim has been answered. Three things hold
//! it longer: that nobody has claimed it yet, that it is *kept*, and that it
//! still holds an object (a connection, a result, addresses) that nobody took.
//! Closing it ends it in any case.
//!
//! **Completion** never runs anybody: it queues the waiters in the order in
//! which they came, in places that were set aside when they came, so it cannot
//! fail. **Cancelling** asks whatever the future stands for (`Source`); what
//! that is decides whether it is done at once.

use super::cause::Failure;
use super::core::{Core, ROTA_LOG_ERROR};
use super::drain::Completed;
use super::event_loop::State;
use super::outcome::Outcome;
use super::owner::Tag;
use super::ready::Entry;
use super::service::{Operation, Service};
use super::waiters::{Line, Waiter};
use crate::base::{rota_address, rota_status::*, Handle, Key, Kind, Result};
use crate::sys::executor::JobId;
use crate::sys::host::{HostFree, HostPointer};
use crate::sys::{List, Memory, Text};
use core::fmt;

/// What a future stands for: whom to ask when it is to be cancelled.
#[derive(Clone, Copy)]
pub enum Source {
    /// The host completes it.
    Promise,
    /// A sleep.
    Timer(Key),
    /// The end of a task.
    Task(Key),
    /// A blocking call.
    Job(JobId),
    /// Other futures.
    Combine(Key),
    /// The end of a group's members.
    Group(Key),
    /// That a task says that it has started.
    Start(Key),
    /// The next of a set: who asks for it.
    Set(Key),
    /// An operation of the layer above.
    Service(Operation),
}

/// What a future can hold besides numbers.
pub enum Object {
    /// Nothing.
    None,
    /// A connection.
    Stream(Key),
    /// A pointer of the host's, and how to let go of it.
    Result(HostPointer, Option<HostFree>),
    /// The addresses of a name.
    Addresses(List<rota_address>),
}

/// A future's slot.
pub struct Future {
    /// Whom to ask.
    pub source: Source,
    /// Whether it is done.
    pub done: bool,
    /// Whether it stays until it is closed.
    pub kept: bool,
    /// Whether anybody has seen the outcome.
    pub seen: bool,
    /// Whether it was closed while something still held it.
    pub closed: bool,
    /// Whether one of its callbacks is running: it does not end before that returns.
    pub calling: bool,
    /// Whose it is.
    pub owner: Tag,
    /// Whether the host has it from the queue of completions: it does not end before the next is fetched.
    pub held: bool,
    /// Claims that have not been answered.
    pub claims: u32,
    /// What it came to, when done.
    pub outcome: Outcome,
    /// And in words.
    pub text: Text,
    /// What it holds.
    pub object: Object,
    /// The next join of the same task, for a future that stands for a task's end.
    pub next_join: Option<Key>,
    pub(super) waiters: Line,
}

impl Future {
    /// The message for one who has so many of the claims: the last gets it, others a copy as far as memory allows.
    #[inline]
    pub(super) fn text_for_another(&mut self, claims: u32, memory: &Memory) -> Text {
        match &self.text {
            Text::None => Text::None,
            Text::Static(text) => Text::Static(text),
            _ if self.claims <= claims && !self.kept && !self.held => core::mem::take(&mut self.text),
            text => text.duplicate(memory),
        }
    }

    fn over(&self) -> bool {
        self.done && self.claims == 0 && !self.is_read() && !self.kept && matches!(self.object, Object::None)
    }

    /// Whether the host is reading it, in a callback or as a completion that it fetched.
    pub(super) fn is_read(&self) -> bool {
        self.calling || self.held
    }
}

/// What failed without anybody looking.
pub(super) enum Unseen<'a> {
    /// A future.
    Future(Key),
    /// A task, by its name.
    Task(Key, &'a Text),
    /// A group, by its name.
    Group(Key, &'a Text),
}

impl Unseen<'_> {
    fn named(&self) -> (Kind, Key) {
        match self {
            Unseen::Future(key) => (Kind::Future, *key),
            Unseen::Task(key, _) => (Kind::Task, *key),
            Unseen::Group(key, _) => (Kind::Group, *key),
        }
    }
}

impl fmt::Display for Unseen<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unseen::Future(_) => out.write_str("a future"),
            Unseen::Task(_, name) => write!(out, "task {name}"),
            Unseen::Group(_, name) => write!(out, "a member of group {name}"),
        }
    }
}

/// Shows what is there.
struct Shown<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Shown<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |shown| shown.fmt(out))
    }
}

impl Core {
    /// Whether a task, or a combination that has still to be asked, is among those who wait for a future: they see to
    /// it.
    pub fn future_has_keeper(&self, key: Key) -> bool {
        let keeps = |waiter: &Waiter| match waiter {
            Waiter::Task(_) => true,
            Waiter::Member(member) => self.member_is_keeper(*member),
            Waiter::Then(..) | Waiter::Drain(_) | Waiter::Until | Waiter::Blocked(_) => false,
            Waiter::Listed(_) | Waiter::Group(_) => false,
        };
        self.futures.get(key).is_some_and(|future| self.waiters.any(&future.waiters, keeps))
    }

    /// Whether one of those who wait for a future is so.
    pub(super) fn future_has_waiter(&self, key: Key, is: impl Fn(&Waiter) -> bool) -> bool {
        self.futures.get(key).is_some_and(|future| self.waiters.any(&future.waiters, is))
    }

    /// How many of those who wait for a future are so.
    pub(super) fn future_count_waiters(&self, key: Key, is: impl Fn(&Waiter) -> bool) -> usize {
        self.futures.get(key).map_or(0, |future| self.waiters.count(&future.waiters, is))
    }

    /// How many claims a pending future has, and the first who waits for it.
    pub(super) fn future_first_waiter(&self, key: Key) -> Option<(u32, Option<Waiter>)> {
        let future = self.futures.get(key)?;
        Some((future.claims, self.waiters.first(&future.waiters).copied()))
    }

    /// A new future for `source`.
    pub fn future_new(&mut self, source: Source) -> Result<Key> {
        let key = self.futures.insert(Future {
            source,
            done: false,
            kept: false,
            seen: false,
            closed: false,
            calling: false,
            owner: self.owner,
            held: false,
            claims: 0,
            outcome: Outcome::default(),
            text: Text::None,
            object: Object::None,
            next_join: None,
            waiters: Line::default(),
        })?;
        self.note_origin(Kind::Future, key);
        Ok(key)
    }

    /// The handle of a future.
    pub fn future_handle(&self, key: Key) -> Handle {
        self.handle(Kind::Future, key)
    }

    /// A future that is done already: the handle itself where it can carry the outcome.
    pub fn future_done(&mut self, outcome: Outcome, text: Text) -> Handle {
        let plain =
            text.is_empty() && text.story().is_none() && outcome.os_error == 0 && outcome.moved == outcome.value as u64;
        if plain || outcome.status == ROTA_ERR_MEMORY as i32 {
            if let Some(handle) = Handle::value(self.number, outcome.short()) {
                return handle;
            }
        }
        match self.future_new(Source::Promise) {
            Ok(key) => {
                self.future_complete(key, outcome, text, Object::None);
                self.future_handle(key)
            }
            Err(_) => self.failed(outcome),
        }
    }

    /// The future that a handle names; one that is a value gets a slot, which is told by `true`.
    pub fn future_with_slot(&mut self, handle: Handle) -> Result<(Key, bool)> {
        let Some(carried) = handle.carried() else { return Ok((handle.key(), false)) };
        let outcome = Outcome::carried(carried)?;
        let key = self.future_new(Source::Promise)?;
        self.future_complete(key, outcome, Text::None, Object::None);
        Ok((key, true))
    }

    /// Completes a future and queues those who wait. Whether it was still pending; if not, nothing changes and
    /// `object` is let go by the caller's rules.
    pub fn future_complete(&mut self, key: Key, outcome: Outcome, text: Text, object: Object) -> bool {
        let Some(future) = self.futures.get_mut(key).filter(|future| !future.done) else {
            return false;
        };
        future.done = true;
        future.outcome = outcome;
        future.text = text;
        future.object = object;
        let mut waiters = core::mem::take(&mut future.waiters);
        while let Some(waiter) = self.waiters.pop(&mut waiters) {
            self.future_notify(key, waiter);
        }
        true
    }

    fn future_notify(&mut self, key: Key, waiter: Waiter) {
        match waiter {
            Waiter::Then(then, owner) => self.ready.push_reserved(Entry::Then(key, then, owner)),
            Waiter::Drain(data) => self.ready.push_reserved(Entry::Drain(Completed::Future(key, data))),
            Waiter::Task(task) => self.task_wake(task),
            Waiter::Until => self.until_done = true,
            Waiter::Member(member) => self.member_arrived(member),
            Waiter::Listed(entry) => self.set_entry_done(entry),
            Waiter::Blocked(ticket) => self.ready.push_reserved(Entry::Blocked(key, ticket)),
            Waiter::Group(member) => self.group_arrived(member),
        }
    }

    /// Adds a claim. A done future queues the waiter at once; a task must not claim a done future (it goes on).
    pub fn future_claim(&mut self, key: Key, waiter: Waiter) -> Result<()> {
        let done = self.futures.get(key).ok_or(ROTA_ERR_HANDLE)?.done;
        self.reserve_for(&waiter)?;
        if let Some(future) = self.futures.get_mut(key).filter(|future| !future.done) {
            if let Err(error) = self.waiters.push(&mut future.waiters, waiter) {
                self.release_for(&waiter);
                return Err(error);
            }
        }
        if let Some(future) = self.futures.get_mut(key) {
            future.claims += 1;
        }
        if done {
            self.future_notify(key, waiter);
        }
        Ok(())
    }

    /// As `future_claim`, and claims nothing: the waiter is told, and the future ends without it.
    pub fn future_watch(&mut self, key: Key, waiter: Waiter) -> Result<()> {
        let future = self.futures.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if !future.done {
            return self.waiters.push(&mut future.waiters, waiter);
        }
        self.future_notify(key, waiter);
        Ok(())
    }

    /// Takes watchers away.
    pub fn future_unwatch(&mut self, key: Key, of: impl Fn(&Waiter) -> bool) {
        if let Some(future) = self.futures.get_mut(key).filter(|future| !future.done) {
            self.waiters.remove(&mut future.waiters, of);
        }
    }

    /// Takes back the claims of all waiters for which `of` holds, all of one kind; how many those were.
    pub fn future_unclaim(&mut self, key: Key, mut of: impl FnMut(&Waiter) -> bool) -> usize {
        let Some(future) = self.futures.get_mut(key).filter(|future| !future.done) else {
            return 0;
        };
        let (mut removed, mut like) = (0, Waiter::Until);
        self.waiters.remove(&mut future.waiters, |waiter| {
            let hit = of(waiter);
            if hit {
                (removed, like) = (removed + 1, *waiter);
            }
            hit
        });
        future.claims -= removed as u32;
        for _ in 0..removed {
            self.release_for(&like);
        }
        removed
    }

    /// Answers one claim of a done future, and ends the future if that was the last.
    pub fn future_answer(&mut self, key: Key) {
        let Some(future) = self.futures.get_mut(key) else { return };
        future.seen = true;
        future.claims = future.claims.saturating_sub(1);
        if future.over() {
            self.futures.discard(key);
        }
    }

    /// The turn of a callback has come: its claim is answered, and the future stays until it returns. The short form.
    pub fn future_begin_call(&mut self, key: Key) -> i64 {
        let Some(future) = self.futures.get_mut(key) else { return ROTA_ERR_HANDLE as i64 };
        future.seen = true;
        future.calling = true;
        future.claims = future.claims.saturating_sub(1);
        future.outcome.short()
    }

    /// The outcome of a done future, for someone who has claimed it; the claim is answered. The text goes with the
    /// last claim, others get a copy as far as memory allows.
    #[inline]
    pub fn future_take_outcome(&mut self, key: Key) -> Option<(Outcome, Text)> {
        let future = self.futures.get_mut(key).filter(|future| future.done)?;
        let outcome = future.outcome;
        let text = future.text_for_another(1, &self.memory);
        future.seen = true;
        future.claims = future.claims.saturating_sub(1);
        if future.over() {
            self.futures.discard(key);
        }
        Some((outcome, text))
    }

    /// After an object was taken, or the last claim: ends a done future unless something else holds it.
    pub fn future_released(&mut self, key: Key) {
        if let Some(future) = self.futures.get_mut(key) {
            future.seen = true;
            if future.over() {
                self.futures.discard(key);
            }
        }
    }

    /// Says in the log that an outcome was an error and nobody looked.
    pub(super) fn report_unseen(&self, what: Unseen<'_>, outcome: &Outcome, text: &Text) {
        let (kind, key) = what.named();
        let began = self.debug.then(|| self.origin(kind, key));
        let (before, began) = (if began.is_some() { ", started at " } else { "" }, Shown(began));
        let told = Failure { outcome, text };
        self.log(ROTA_LOG_ERROR, format_args!("nobody looked at the failure of {what}{before}{began}: {told}"));
    }
}

impl<S: Service> State<S> {
    /// Cancels what a pending future stands for. Done at once, unless what it stands for needs time.
    pub fn future_cancel(&mut self, key: Key) -> Result<()> {
        let future = self.core.futures.get(key).ok_or(ROTA_ERR_HANDLE)?;
        if future.done {
            return Err(ROTA_ERR_DONE.into());
        }
        match future.source {
            Source::Promise => self.cancelled(key),
            Source::Timer(timer) => {
                self.core.timers.cancel(timer);
                self.cancelled(key);
            }
            Source::Task(task) => self.join_cancel(key, task),
            Source::Job(job) => {
                if self.core.executor.withdraw(job) {
                    self.cancelled(key);
                }
            }
            Source::Combine(combine) => self.core.combine_cancel(combine),
            Source::Group(group) => self.group_wait_cancel(key, group),
            Source::Start(task) => self.start_cancel(key, task),
            Source::Set(next) => self.core.set_next_cancel(key, next),
            Source::Service(operation) => self.service.cancel(&mut self.core, key, operation),
        }
        Ok(())
    }

    fn cancelled(&mut self, key: Key) {
        self.core.future_complete(key, Outcome::cancelled(), Text::None, Object::None);
    }

    /// Withdraws and ends a future; a destructor that is due is the caller's to call. `ROTA_ERR_BUSY` if it cannot end
    /// yet: claims are answered first, and a call on another thread has to return. A join is only taken back.
    pub fn future_close(&mut self, key: Key) -> Result<Option<HostFree>> {
        let future = self.core.futures.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        future.kept = false;
        future.closed = true;
        future.seen |= !future.done;
        match future.source {
            _ if future.done => {}
            Source::Task(task) => self.core.join_remove(key, task),
            Source::Group(group) => self.core.group_wait_remove(key, group),
            Source::Start(task) => self.core.start_remove(key, task),
            _ => self.future_cancel(key)?,
        }
        match self.core.futures.get(key) {
            Some(future) if !future.done || future.claims > 0 => Err(ROTA_ERR_BUSY.into()),
            Some(future) if future.is_read() => Ok(None),
            _ => Ok(self.future_end(key)),
        }
    }

    /// After a callback of the future, or what a closed one waited for: ends it if nothing holds it any more.
    pub fn future_settle(&mut self, key: Key) -> Option<HostFree> {
        let future = self.core.futures.get_mut(key)?;
        future.calling = false;
        if future.over() {
            self.core.futures.discard(key);
        } else if future.closed && future.done && future.claims == 0 && !future.held {
            return self.future_end(key);
        }
        None
    }

    /// Ends a done future with what it holds; the destructor of a result is for the caller to call.
    pub fn future_end(&mut self, key: Key) -> Option<HostFree> {
        let future = self.core.futures.remove(key)?;
        if !future.seen && future.outcome.is_error() {
            self.core.report_unseen(Unseen::Future(key), &future.outcome, &future.text);
        }
        match future.object {
            Object::Stream(stream) => self.service.close_stream(&mut self.core, stream),
            Object::Result(_, free) => return free,
            Object::None | Object::Addresses(_) => {}
        }
        None
    }
}
