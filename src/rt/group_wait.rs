//! Who waits for the end of a group: each wait is a future, and a group has a list of them.
//!
//! Waits are to a group what joins are to a task: cancelling the only one cancels
//! the group, and the wait is done when its members have ended; one of several,
//! or one for a group that has fired, is only taken back. The owner's is different in one thing: cancelling the
//! owner while it waits cancels the group, whoever else waits too (`cancel.rs`);
//! and so does waiting, if the owner has been asked to end before, and has been
//! told: a body that goes from ROTA_ERR_CANCELLED to its wait means its members.

use super::core::Core;
use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::scope::Fired;
use super::service::Service;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::sys::Text;

impl Core {
    /// Whether the owner of a group whose scope is in its list has been asked to end since it opened the group: by a
    /// request from outside that no shield holds back.
    fn group_owner_asked(&self, scope: Key, owner: Key) -> bool {
        let Some(slot) = self.scopes.get(scope).filter(|slot| slot.task == Some(owner)) else { return false };
        !self.task_is_shielded(owner, Some(scope)) && self.task_outstanding(owner, slot.outer) > slot.entry
    }

    /// A future for the end of a group that has members.
    fn group_wait_new(&mut self, key: Key) -> Result<Key> {
        let future = self.future_new(Source::Group(key))?;
        let Some(group) = self.groups.table.get_mut(key) else { return Err(ROTA_ERR_HANDLE.into()) };
        group.wait_count += 1;
        let (first, before) = group.waits.map_or((future, None), |(first, last)| (first, Some(last)));
        group.waits = Some((first, future));
        if let Some(slot) = before.and_then(|last| self.futures.get_mut(last)) {
            slot.next_join = Some(future);
        }
        Ok(future)
    }

    /// Takes a wait back: the group goes on.
    pub(super) fn group_wait_remove(&mut self, future: Key, group: Key) {
        let Some(slot) = self.groups.table.get_mut(group) else { return };
        slot.wait_count = slot.wait_count.saturating_sub(1);
        let mut at = slot.waits.take().map(|(first, _)| first);
        let mut kept: Option<(Key, Key)> = None;
        while let Some(wait) = at {
            at = self.futures.get_mut(wait).and_then(|slot| slot.next_join.take());
            if wait == future {
                continue;
            }
            if let Some(slot) = kept.and_then(|(_, last)| self.futures.get_mut(last)) {
                slot.next_join = Some(wait);
            }
            kept = Some((kept.map_or(wait, |(first, _)| first), wait));
        }
        if let Some(slot) = self.groups.table.get_mut(group) {
            slot.waits = kept;
        }
        self.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
    }

    /// The group is empty: every wait is done.
    pub(super) fn group_waits_answer(&mut self, key: Key) {
        let Some(group) = self.groups.table.get_mut(key) else { return };
        let Some((first, _)) = group.waits.take() else { return };
        group.wait_count = 0;
        group.looked = true;
        let (outcome, text) = self.group_outcome(key);
        let mut at = Some(first);
        while let Some(wait) = at {
            at = self.futures.get_mut(wait).and_then(|slot| slot.next_join.take());
            let copy = self.text_copy(&text);
            self.future_complete(wait, outcome, copy, Object::None);
        }
    }
}

impl<S: Service> State<S> {
    /// A future for the end of a group's members. `caller` is the task that asks for it: who owns the group has no
    /// need of its request any more, and if he is to end himself, so are the members.
    pub fn group_wait(&mut self, key: Key, caller: Option<Key>) -> Result<Handle> {
        let group = self.core.group(key)?;
        let (scope, empty) = (group.scope, group.count == 0);
        let owner = group.owner.filter(|_| group.owner == caller);
        if caller.is_some_and(|task| self.core.task_is_below(task, |group, _| group == key)) {
            return Err(ROTA_ERR_INVALID.into());
        }
        let future = if empty { None } else { Some(self.core.group_wait_new(key)?) };
        let asked = owner.is_some_and(|owner| self.core.group_owner_asked(scope, owner));
        if owner.is_some() {
            self.core.scope_unlink(scope);
        }
        if let Some(future) = future {
            if asked {
                self.group_cancel(key, Text::Static(c"the task that opened the group was asked to end"));
            }
            return Ok(self.core.future_handle(future));
        }
        let (outcome, text) = self.core.group_outcome(key);
        if let Some(group) = self.core.groups.table.get_mut(key) {
            group.looked = true;
        }
        Ok(self.core.future_done(outcome, text))
    }

    /// A wait is cancelled: so is the group, unless others wait too, or it has fired.
    pub(super) fn group_wait_cancel(&mut self, future: Key, group: Key) {
        let open = self.core.group_fired(group) == Ok(Fired::No);
        match self.core.group(group) {
            Ok(slot) if open && slot.wait_count <= 1 => self.group_cancel(group, Text::None),
            _ => self.core.group_wait_remove(future, group),
        }
    }
}
