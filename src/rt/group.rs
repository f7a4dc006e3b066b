//! Groups: tasks and operations that end together.
//!
//! ```text
//!                 ┌──────────── the group ────────────┐
//!   its owner ◀───┤ a scope: deadline, request, state │
//!   (a task,      │ members: tasks, futures           ├──▶ wait futures
//!    or nobody)   │ failures, in the order they came  │
//!                 └───────────────────────────────────┘
//!
//!           a failure, its deadline, a cancel           no member left
//!   OPEN ────────────────────────────────────▶ FIRED ───────────────────┐
//!    │ ▲  every member is asked, and its owner; nothing is spawned      │
//!    │ └── members come and go                                          ▼
//!    └──────────────── no member left: the waits are done ──▶ EMPTY ──▶ ended:
//!                                                    closed, or its owner's end
//! ```
//!
//! A group is a scope plus members. The scope (`scope.rs`) knows whether and why
//! the group has fired, and carries the request to the owner, in whose list it
//! stands from the opening on until the owner waits for the group or somebody
//! closes it. Firing happens once: every member is asked to end, by a request of
//! the member's own, and then the owner, by the scope's.
//!
//! **Asking does not recurse.** Asking a member that waits for another group fires
//! that one, whose members are asked after ours: groups that have to ask stand in
//! a list, and whoever puts the first one in works it off. All of it is one
//! sweep (`cancel.rs`), which asks each task once.
//!
//! **What a group comes to**, once it is empty: the first failure; without one
//! TIMEOUT if its deadline fired it, CANCELLED if somebody cancelled it; else how
//! many members succeeded. So an error is never hidden behind the cancelling
//! that came with it, and a request from outside that met the waiting owner, and
//! was not answered CANCELLED, is due (`cancel.rs`).
//!
//! **Structure.** Who owns a group and who belongs to it is settled when they are
//! made. The end of an owner waits for its groups (`ending.rs`), so who belongs
//! to a group, or to a group of a member and so on, cannot wait for the group's
//! end or its owner's: that wait is refused.
//!
//! What holds, between any two calls:
//!
//! 1. `count` is the number of members in the list, those of futures that are
//!    done and have not been dealt with included.
//! 2. A wait future is pending exactly while it is in the list of waits, and then
//!    `count > 0`.
//! 3. The group's scope has fired exactly once it was asked to end; a group that
//!    has fired takes no member, and each member has been asked.
//! 4. There is room in `failures` for one of each member.
//! 5. A closed group has members, and has fired; it ends with the last of them.
//! 6. An owner's slot lives as long as its groups; it is leaving if its body ended.
//! 7. A group has one place in the ready queue: it stands there, or it is set aside.

use super::core::Core;
use super::event_loop::State;
use super::future::Unseen;
use super::members::{Failure, Member, What};
use super::outcome::Outcome;
use super::ready::Entry;
use super::scope::{Fired, NewScope};
use super::service::Service;
use super::task::TaskState;
use crate::base::{rota_status::*, Key, Kind, Result};
use crate::sys::{List, Memory, Slab, Text};

/// A group's slot.
pub struct Group {
    pub(super) scope: Key,
    pub(super) owner: Option<Key>,
    /// The owner's next group.
    pub(super) next_owned: Option<Key>,
    name: Text,
    /// Whether a failure cancels nobody.
    pub(super) keep_going: bool,
    /// Whether it ends when it is empty.
    closed: bool,
    /// Whether anybody has seen that it has failures.
    pub(super) looked: bool,
    /// Whether it stands in the ready queue.
    pub(super) queued: bool,
    /// The next of those that have to ask.
    next_asking: Option<Key>,
    /// The first and the last member, and how many there are.
    pub(super) members: Option<(Key, Key)>,
    pub(super) count: usize,
    /// Members whose futures are done.
    pub(super) arrived: Option<(Key, Key)>,
    pub(super) succeeded: i64,
    pub(super) failures: List<Failure>,
    /// The first and the last of the futures for its end, and how many there are.
    pub(super) waits: Option<(Key, Key)>,
    pub(super) wait_count: u32,
    /// The walk that came by last, and where that goes next.
    pub(super) walk: u32,
    pub(super) walk_next: Option<Key>,
}

/// What a new group is.
pub struct NewGroup {
    /// For logs.
    pub name: Text,
    /// On the loop's clock; `u64::MAX` is none.
    pub deadline: u64,
    /// Whether a failure cancels nobody.
    pub keep_going: bool,
    /// The task that owns it.
    pub owner: Option<Key>,
}

/// The tables of a loop's groups.
pub struct Groups {
    pub(super) table: Slab<Group>,
    pub(super) members: Slab<Member>,
    /// The first and the last of those that have to ask their members.
    asking: Option<(Key, Key)>,
    /// Whether somebody works that list off.
    busy: bool,
}

impl Groups {
    /// Empty ones.
    pub fn new(memory: &Memory, generation: u32) -> Self {
        Groups {
            table: Slab::new(memory.clone(), generation),
            members: Slab::new(memory.clone(), 1),
            asking: None,
            busy: false,
        }
    }

    /// The highest generation that a group's handle has.
    pub fn last_generation(&self) -> u32 {
        self.table.last_generation()
    }

    fn asking_push(&mut self, key: Key) {
        let before = self.asking.map(|(_, last)| last);
        self.asking = Some((self.asking.map_or(key, |(first, _)| first), key));
        if let Some(group) = before.and_then(|last| self.table.get_mut(last)) {
            group.next_asking = Some(key);
        }
    }

    fn asking_pop(&mut self) -> Option<Key> {
        let (first, last) = self.asking?;
        let next = self.table.get_mut(first).and_then(|group| group.next_asking.take());
        self.asking = next.map(|next| (next, last));
        Some(first)
    }
}

impl Core {
    /// A new group without members.
    pub fn group_open(&mut self, new: NewGroup) -> Result<Key> {
        if let Some(owner) = new.owner {
            self.ties_make(owner)?;
        }
        self.ready.reserve_one()?;
        let made = self.group_insert(new);
        match made {
            Ok(key) => self.note_origin(Kind::Group, key),
            Err(_) => self.ready.release_one(),
        }
        made
    }

    fn group_insert(&mut self, new: NewGroup) -> Result<Key> {
        let key = self.groups.table.insert(Group {
            scope: Key { slot: 0, generation: 0 },
            owner: new.owner,
            next_owned: None,
            name: new.name,
            keep_going: new.keep_going,
            closed: false,
            looked: false,
            queued: false,
            next_asking: None,
            members: None,
            count: 0,
            arrived: None,
            succeeded: 0,
            failures: List::new(self.memory.clone()),
            waits: None,
            wait_count: 0,
            walk: 0,
            walk_next: None,
        })?;
        let scope = NewScope { deadline: new.deadline, shield: false, persistent: false };
        let scope = match self.scope_new(scope, Some(key)) {
            Ok(scope) => scope,
            Err(error) => {
                self.groups.table.discard(key);
                return Err(error);
            }
        };
        let before = new.owner.and_then(|owner| self.ties_of_mut(owner)).and_then(|ties| ties.groups.replace(key));
        if let Some(group) = self.groups.table.get_mut(key) {
            group.scope = scope;
            group.next_owned = before;
        }
        if let Some(owner) = new.owner {
            self.scope_link(owner, scope);
        }
        Ok(key)
    }

    pub(super) fn group(&self, key: Key) -> Result<&Group> {
        self.groups.table.get(key).ok_or(ROTA_ERR_HANDLE.into())
    }

    /// A group's scope.
    pub fn group_scope(&self, key: Key) -> Result<Key> {
        Ok(self.group(key)?.scope)
    }

    /// How many members have not ended.
    pub fn group_count(&self, key: Key) -> Result<usize> {
        Ok(self.group(key)?.count)
    }

    pub(super) fn group_fired(&self, key: Key) -> Result<Fired> {
        self.scope_fired(self.group(key)?.scope)
    }

    pub(super) fn group_is_owned_by(&self, key: Key, task: Key) -> bool {
        self.groups.table.get(key).is_some_and(|group| group.owner == Some(task))
    }

    /// The group of a task's innermost scope, if that is a group's.
    pub(super) fn task_innermost_group(&self, task: Key) -> Option<Key> {
        self.ties_of(task).and_then(|ties| self.scopes.get(ties.scope?)).and_then(|scope| scope.group)
    }

    /// What an empty group has come to.
    pub(super) fn group_outcome(&self, key: Key) -> (Outcome, Text) {
        let Ok(group) = self.group(key) else { return (Outcome::cancelled(), Text::None) };
        if let Some(first) = group.failures.first() {
            return (first.outcome, self.text_through(&first.outcome, &first.text, &first.name));
        }
        let Some(scope) = self.scopes.get(group.scope) else { return (Outcome::cancelled(), Text::None) };
        let status = match scope.fired {
            Fired::TimedOut => ROTA_ERR_TIMEOUT,
            Fired::Cancelled => ROTA_ERR_CANCELLED,
            Fired::No | Fired::Failed => return (Outcome::value(group.succeeded), Text::None),
        };
        (Outcome::failed(status.into(), 0), self.text_copy(&scope.reason))
    }

    /// The last member has ended: who waits is told, and a closed group ends.
    pub(super) fn group_emptied(&mut self, key: Key) {
        self.group_waits_answer(key);
        if self.groups.table.get(key).is_some_and(|group| group.closed) {
            self.group_end(key);
        }
    }

    /// Ends an empty group. An owner that only waited for this goes on to its end.
    pub(super) fn group_end(&mut self, key: Key) {
        let Some(group) = self.groups.table.get(key) else { return };
        let (scope, owner) = (group.scope, group.owner);
        self.scope_unlink(scope);
        self.scope_end(scope);
        if let Some(owner) = owner {
            self.group_disown(key, owner);
        }
        let Some(group) = self.groups.table.remove(key) else { return };
        if !group.queued {
            self.ready.release_one();
        }
        if let Some(first) = group.failures.first().filter(|_| !group.looked) {
            let text = self.text_through(&first.outcome, &first.text, &first.name);
            self.report_unseen(Unseen::Group(key, &group.name), &first.outcome, &text);
        }
    }

    /// Takes a group out of its owner's list.
    fn group_disown(&mut self, key: Key, owner: Key) {
        let next = self.groups.table.get(key).and_then(|group| group.next_owned);
        let Some(ties) = self.ties_of_mut(owner) else { return };
        if ties.groups == Some(key) {
            ties.groups = next;
        } else {
            let mut at = ties.groups;
            while let Some(group) = at.and_then(|at| self.groups.table.get_mut(at)) {
                at = group.next_owned;
                if at == Some(key) {
                    group.next_owned = next;
                }
            }
        }
        let left = self.ties_of(owner).is_some_and(|ties| ties.groups.is_some());
        if !left && self.tasks.get(owner).is_some_and(|task| task.state == TaskState::Leaving) {
            self.ready.push_reserved(Entry::Task(owner));
        }
    }
}

impl<S: Service> State<S> {
    /// Cancels a group, unless it has fired.
    pub fn group_cancel(&mut self, key: Key, reason: Text) {
        if let (Ok(Fired::No), Ok(scope)) = (self.core.group_fired(key), self.core.group_scope(key)) {
            self.scope_fire(scope, Fired::Cancelled, reason);
        }
    }

    /// Ends a group that is empty; else cancels it, and it ends by itself: ROTA_ERR_BUSY.
    pub fn group_close(&mut self, key: Key) -> Result<()> {
        let group = self.core.group(key)?;
        let (scope, empty) = (group.scope, group.count == 0);
        self.core.scope_unlink(scope);
        if empty {
            self.core.group_end(key);
            return Ok(());
        }
        self.group_set_closed(key, Text::None);
        Err(ROTA_ERR_BUSY.into())
    }

    fn group_set_closed(&mut self, key: Key, reason: Text) {
        if let Some(group) = self.core.groups.table.get_mut(key) {
            group.closed = true;
        }
        self.group_cancel(key, reason);
    }

    /// The body of a task has ended: its groups end, at once or when they are empty.
    pub(super) fn groups_give_up(&mut self, owner: Key) {
        let mut at = self.core.ties_of(owner).and_then(|ties| ties.groups);
        while let Some(key) = at {
            let Ok(group) = self.core.group(key) else { return };
            at = group.next_owned;
            if group.count == 0 {
                self.core.group_end(key);
            } else {
                self.group_set_closed(key, Text::Static(c"the task that opened the group has ended"));
            }
        }
    }

    /// The loop closes: every group that has not fired does. Its owner is asked by the loop itself.
    pub(super) fn groups_cancel_all(&mut self) {
        let mut at = 0;
        while let Some(key) = self.core.groups.table.next(at) {
            at = key.slot + 1;
            if let (Ok(Fired::No), Ok(scope)) = (self.core.group_fired(key), self.core.group_scope(key)) {
                self.core.scope_unlink(scope);
            }
        }
        at = 0;
        while let Some(key) = self.core.groups.table.next(at) {
            at = key.slot + 1;
            self.group_cancel(key, Text::Static(c"the loop is closing"));
        }
    }

    /// The loop closes, and no task is left: ends what is empty. Whether all were.
    pub(super) fn groups_close(&mut self) -> bool {
        let (mut at, mut all) = (0, true);
        while let Some(key) = self.core.groups.table.next(at) {
            at = key.slot + 1;
            match self.core.group_count(key) {
                Ok(0) => self.core.group_end(key),
                _ => all = false,
            }
        }
        all
    }

    /// A group that has fired asks its members, and then its owner. If others are being asked already it waits for its
    /// turn.
    pub(super) fn group_ask(&mut self, key: Key) {
        self.core.groups.asking_push(key);
        if core::mem::replace(&mut self.core.groups.busy, true) {
            return;
        }
        let outermost = self.core.sweep_begin();
        while let Some(key) = self.core.groups.asking_pop() {
            self.group_ask_members(key);
            if let Ok(scope) = self.core.group_scope(key) {
                self.scope_ask(scope);
            }
        }
        self.core.groups.busy = false;
        if outermost {
            self.core.sweep = None;
        }
    }

    /// Nobody's code runs meanwhile, and no member leaves the list.
    fn group_ask_members(&mut self, key: Key) {
        let mut at = self.core.groups.table.get(key).and_then(|group| group.members).map(|(first, _)| first);
        while let Some(member) = at.and_then(|member| self.core.groups.members.get(member)) {
            let what = member.what;
            at = member.next;
            match what {
                What::Task(task) if self.core.sweep_meets(task) => {}
                What::Task(task) => {
                    let reason = self.core.group_reason(key);
                    let _ = self.task_cancel_with(task, reason);
                }
                What::Future(future) => _ = self.future_cancel(future),
            }
        }
    }
}

impl Core {
    fn group_reason(&self, key: Key) -> Text {
        let scope = self.group(key).ok().and_then(|group| self.scopes.get(group.scope));
        scope.map_or(Text::None, |scope| self.text_copy(&scope.reason))
    }
}
