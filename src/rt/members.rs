//! The members of groups: how they come, how they end, and what has failed.
//!
//! A member is a task or a future. The end of a task is told by `ending.rs`, in
//! the turn in which it ends. A future tells by a waiter in its line
//! (`Waiter::Group`), which is a claim; completing it only notes the member as
//! *arrived* and queues its group, whose step then answers the claims in a turn
//! of its own, where destructors may be called.
//!
//! A task's failure is a failing status, or ROTA_ERR_CANCELLED of a task that
//! nobody asked. Of a future it is a failing status other than
//! ROTA_ERR_CANCELLED: whoever cancelled it meant to.

use super::core::Core;
use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::ready::Entry;
use super::scope::Fired;
use super::service::Service;
use super::task::NewTask;
use super::ties::{Starting, Ties};
use super::waiters::Waiter;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::Text;

/// A task or a future in a group.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// A task, which has this member in its ties.
    Task(Key),
    /// A future that is claimed.
    Future(Key),
}

/// A member's slot.
pub(super) struct Member {
    pub(super) group: Key,
    pub(super) what: What,
    pub(super) next: Option<Key>,
    before: Option<Key>,
    next_arrived: Option<Key>,
}

/// What a member failed with.
pub struct Failure {
    /// In numbers.
    pub outcome: Outcome,
    /// In words.
    pub text: Text,
    /// The task's name.
    pub name: Text,
}

impl Core {
    /// Calls `visit` with each task that a group has to wait for: its members, and those that its futures stand for.
    pub(super) fn group_members(&self, group: Key, visit: &mut impl FnMut(Key) -> Result<()>) -> Result<()> {
        let mut at = self.groups.table.get(group).and_then(|group| group.members).map(|(first, _)| first);
        while let Some(member) = at.and_then(|key| self.groups.members.get(key)) {
            match member.what {
                What::Task(task) => visit(task)?,
                What::Future(future) => {
                    if let Some(Source::Task(task)) = self.futures.get(future).map(|future| future.source) {
                        visit(task)?;
                    }
                }
            }
            at = member.next;
        }
        Ok(())
    }

    /// The first of them.
    pub(super) fn group_first_task(&self, group: Key) -> Option<Key> {
        let mut first = None;
        let mut keep = |task| {
            first.get_or_insert(task);
            Ok(())
        };
        let _ = self.group_members(group, &mut keep);
        first
    }

    /// Calls `visit` with each task that the groups of an owner have to wait for.
    pub(super) fn owned_members(&self, owner: Key, mut visit: impl FnMut(Key) -> Result<()>) -> Result<()> {
        let mut at = self.ties_of(owner).and_then(|ties| ties.groups);
        while let Some(group) = at {
            self.group_members(group, &mut visit)?;
            at = self.groups.table.get(group).and_then(|group| group.next_owned);
        }
        Ok(())
    }

    /// The group that a task belongs to.
    pub(super) fn task_group(&self, task: Key) -> Option<Key> {
        let member = self.ties_of(task)?.member?;
        Some(self.groups.members.get(member)?.group)
    }

    /// Whether `is` holds for a group around a task, and that group's owner: its own group, the group of that one's
    /// owner, and so on.
    pub(super) fn task_is_below(&self, mut task: Key, is: impl Fn(Key, Option<Key>) -> bool) -> bool {
        while let Some(group) = self.task_group(task) {
            let owner = self.groups.table.get(group).and_then(|group| group.owner);
            if is(group, owner) {
                return true;
            }
            let Some(owner) = owner else { return false };
            task = owner;
        }
        false
    }

    /// Makes room for one more member and for its failure.
    fn group_admit(&mut self, key: Key) -> Result<()> {
        if self.group_fired(key)? != Fired::No {
            return Err(ROTA_ERR_CANCELLED.into());
        }
        let group = self.groups.table.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        group.failures.reserve(group.count + 1)
    }

    fn member_link(&mut self, group: Key, what: What) -> Result<Key> {
        let before = self.group(group)?.members.map(|(_, last)| last);
        let new = Member { group, what, next: None, before, next_arrived: None };
        let member = self.groups.members.insert(new)?;
        if let Some(last) = before.and_then(|last| self.groups.members.get_mut(last)) {
            last.next = Some(member);
        }
        if let Some(group) = self.groups.table.get_mut(group) {
            group.members = Some((group.members.map_or(member, |(first, _)| first), member));
            group.count += 1;
        }
        Ok(member)
    }

    /// Takes a member out of its group; which that is.
    fn member_unlink(&mut self, member: Key) -> Option<Key> {
        let gone = self.groups.members.remove(member)?;
        if let Some(before) = gone.before.and_then(|key| self.groups.members.get_mut(key)) {
            before.next = gone.next;
        }
        if let Some(next) = gone.next.and_then(|key| self.groups.members.get_mut(key)) {
            next.before = gone.before;
        }
        let group = self.groups.table.get_mut(gone.group)?;
        group.count -= 1;
        group.members = group.members.and_then(|(first, last)| {
            let first = if first == member { gone.next } else { Some(first) };
            let last = if last == member { gone.before } else { Some(last) };
            first.zip(last)
        });
        Some(gone.group)
    }

    /// Spawns a task, by `start`, as a member of a group.
    pub fn group_spawn(
        &mut self,
        group: Key,
        new: NewTask,
        start: impl FnOnce(&mut Core, NewTask) -> Result<Key>,
    ) -> Result<Key> {
        self.group_admit(group)?;
        let ties = self.ties.insert(Ties::default())?;
        let linked = self.member_link(group, What::Task(Key { slot: 0, generation: 0 }));
        let spawned = linked.and_then(|member| start(self, new).inspect_err(|_| _ = self.member_unlink(member)));
        let (Ok(member), Ok(task)) = (linked, spawned) else {
            self.ties.discard(ties);
            return spawned;
        };
        if let Some(slot) = self.groups.members.get_mut(member) {
            slot.what = What::Task(task);
        }
        if let Some(ties) = self.ties.get_mut(ties) {
            ties.member = Some(member);
        }
        if let Some(slot) = self.tasks.get_mut(task) {
            slot.ties = Some(ties);
        }
        Ok(task)
    }

    /// As `group_spawn`, with a future that is done when the task says that it has started.
    pub fn group_start(
        &mut self,
        group: Key,
        new: NewTask,
        start: impl FnOnce(&mut Core, NewTask) -> Result<Key>,
    ) -> Result<(Key, Handle)> {
        let future = self.future_new(Source::Promise)?;
        match self.group_spawn(group, new, start) {
            Ok(task) => {
                if let Some(slot) = self.futures.get_mut(future) {
                    slot.source = Source::Start(task);
                }
                if let Some(ties) = self.ties_of_mut(task) {
                    ties.starting = Starting::Waits(future);
                }
                Ok((task, self.future_handle(future)))
            }
            Err(error) => {
                self.futures.discard(future);
                Err(error)
            }
        }
    }

    /// A task says that it has started.
    pub fn task_started(&mut self, task: Key, value: i64) -> Result<()> {
        self.tasks.get(task).ok_or(ROTA_ERR_HANDLE)?;
        let ties = self.ties_of_mut(task).ok_or(ROTA_ERR_INVALID)?;
        match ties.starting {
            Starting::No => Err(ROTA_ERR_INVALID.into()),
            Starting::Over | Starting::Failed => Err(ROTA_ERR_DONE.into()),
            Starting::Waits(future) => {
                ties.starting = Starting::Over;
                self.future_complete(future, Outcome::value(value), Text::None, Object::None);
                Ok(())
            }
        }
    }

    /// The future for the start of a task is closed; the task goes on.
    pub(super) fn start_remove(&mut self, future: Key, task: Key) {
        if let Some(ties) = self.ties_of_mut(task) {
            ties.starting = Starting::Over;
        }
        self.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
    }

    /// The future of a member is done: the group's step is made in its turn.
    pub(super) fn group_arrived(&mut self, member: Key) {
        let Some(slot) = self.groups.members.get(member) else { return };
        let key = slot.group;
        let Some(group) = self.groups.table.get_mut(key) else { return };
        let before = group.arrived.map(|(_, last)| last);
        group.arrived = Some((group.arrived.map_or(member, |(first, _)| first), member));
        if !core::mem::replace(&mut group.queued, true) {
            self.ready.push_reserved(Entry::Group(key));
        }
        if let Some(slot) = before.and_then(|last| self.groups.members.get_mut(last)) {
            slot.next_arrived = Some(member);
        }
    }

    /// The turn of a group's step has come: sets the next place aside.
    pub(super) fn group_begin(&mut self, key: Key) {
        if let Some(group) = self.groups.table.get_mut(key) {
            group.queued = false;
            self.ready.reserve_left();
        }
    }

    fn group_next_arrived(&mut self, key: Key) -> Option<Key> {
        let group = self.groups.table.get_mut(key)?;
        let (first, last) = group.arrived?;
        let next = self.groups.members.get(first)?.next_arrived;
        group.arrived = next.map(|next| (next, last));
        Some(first)
    }

    /// How many members have failed.
    pub fn group_error_count(&self, key: Key) -> Result<usize> {
        Ok(self.group(key)?.failures.len())
    }

    /// One of the failures, in the order in which they came. Somebody has seen it now.
    pub fn group_error(&mut self, key: Key, index: usize) -> Result<&Failure> {
        let group = self.groups.table.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let failure = group.failures.get(index).ok_or(ROTA_ERR_NOT_FOUND)?;
        group.looked = true;
        Ok(failure)
    }
}

impl<S: Service> State<S> {
    /// Adds a future to a group, or what one carries.
    pub fn group_add(&mut self, key: Key, future: Handle) -> Result<()> {
        self.core.group_admit(key)?;
        if let Some(carried) = future.carried() {
            let outcome = Outcome::from_short(carried).ok_or(ROTA_ERR_HANDLE)?;
            let failure = outcome.is_error().then_some(Failure { outcome, text: Text::None, name: Text::None });
            self.group_note(key, outcome.status >= 0, failure);
            return Ok(());
        }
        let future = future.key();
        let source = self.core.futures.get(future).ok_or(ROTA_ERR_HANDLE)?.source;
        let owner = self.core.group(key)?.owner;
        let circle = matches!(source, Source::Group(waited) if waited == key);
        if circle || owner.is_some_and(|owner| self.core.future_is_above(future, owner)) {
            return Err(ROTA_ERR_INVALID.into());
        }
        let member = self.core.member_link(key, What::Future(future))?;
        let claimed = self.core.future_claim(future, Waiter::Group(member));
        if claimed.is_err() {
            self.core.member_unlink(member);
        }
        claimed
    }

    /// The future for the start of a task is cancelled: the task is asked to end. If the sweep has done so already, its
    /// answer is waited for, as by a join.
    pub(super) fn start_cancel(&mut self, future: Key, task: Key) {
        if !self.core.sweep_has_met(task) {
            let _ = self.task_cancel(task);
        } else if self.core.task_waits_for(task, future) {
            self.core.start_remove(future, task);
        }
    }

    /// Makes the step of a group, up to a destructor that the caller has to call; then it goes on here.
    pub(super) fn group_step(&mut self, key: Key) -> Option<HostFree> {
        while let Some(member) = self.core.group_next_arrived(key) {
            let Some(What::Future(future)) = self.core.groups.members.get(member).map(|slot| slot.what) else {
                continue;
            };
            let outcome = self.core.futures.get(future).map_or_else(Outcome::cancelled, |slot| slot.outcome);
            let failure = if outcome.is_error() {
                let text = self.core.future_take_outcome(future).map_or(Text::None, |(_, text)| text);
                Some(Failure { outcome, text, name: Text::None })
            } else {
                self.core.future_answer(future);
                None
            };
            let free = self.future_settle_closed(future);
            self.member_ended(member, outcome.status >= 0, failure);
            if free.is_some() {
                return free;
            }
        }
        None
    }

    /// A member has ended.
    pub(super) fn member_ended(&mut self, member: Key, succeeded: bool, failure: Option<Failure>) {
        let Some(key) = self.core.member_unlink(member) else { return };
        self.group_note(key, succeeded, failure);
        if self.core.group_count(key).is_ok_and(|count| count == 0) {
            self.core.group_emptied(key);
        }
    }

    /// Notes what a member came to. The first failure fires the group.
    fn group_note(&mut self, key: Key, succeeded: bool, failure: Option<Failure>) {
        let Some(group) = self.core.groups.table.get_mut(key) else { return };
        group.succeeded += i64::from(succeeded);
        let Some(failure) = failure else { return };
        let (scope, keep_going) = (group.scope, group.keep_going);
        group.looked = false;
        // A place was set aside when the member came.
        let noted = group.failures.push(failure);
        debug_assert!(noted.is_ok());
        if !keep_going && self.core.scope_fired(scope) == Ok(Fired::No) {
            self.scope_fire(scope, Fired::Failed, Text::Static(c"a member of the group failed"));
        }
    }
}
