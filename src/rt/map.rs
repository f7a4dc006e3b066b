//! What follows a future: `map`, another number for it, and `chain`, another future after it.
//!
//! ```text
//!               inner done                    the host's function has returned
//!   WAITING ──────────────────▶ CALLED ──┬─ map: a number ─────────────▶ outer is done with it
//!      │ cancelled: inner is cancelled,  └─ chain: a future ──▶ WAITING for that ──▶ outer is done as it is
//!      └─ or let go, and called at once
//! ```
//!
//! The host's function is called once in any case, in the turn of a callback of
//! the inner future, which is read in it as in such a callback. The answer wins
//! over a request to cancel that is made meanwhile. In a chain, a request that
//! the first future has met is not made to the second one too: as in a task, one
//! that is asked may clean up.
//!
//! A chain is the only combination that comes to wait for something new. What it
//! is given must not be made of its own outer future: nobody could ever end it.

use super::combine::{Due, Rule};
use super::core::Core;
use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::owner::Tag;
use super::service::Service;
use crate::base::{rota_status::*, Handle, Key, Kind, Result};
use crate::sys::host::{HostChain, HostFree, HostMap};
use crate::sys::Text;

/// What the host goes on with.
#[derive(Clone, Copy)]
pub enum Continuation {
    /// A number for a number.
    Map(HostMap),
    /// A future for a number.
    Chain(HostChain),
}

impl Core {
    /// Whether a future is made of another one, through however many combinations.
    pub(super) fn future_is_made_of(&mut self, future: Key, other: Key) -> bool {
        let walk = self.sweep_number();
        let mut next = self.combine_walk(future, walk, None);
        while let Some(key) = next {
            let Some(combine) = self.combines.get(key) else { return false };
            let mut at = combine.members.map(|(first, _)| first);
            next = combine.walk_next;
            while let Some(slot) = at.and_then(|member| self.combines.members.get(member)) {
                at = slot.next;
                if slot.waiting {
                    if slot.future == other {
                        return true;
                    }
                    next = self.combine_walk(slot.future, walk, next);
                }
            }
        }
        future == other
    }

    /// Puts the combination behind a future on the list of those to walk to, unless it was there.
    fn combine_walk(&mut self, future: Key, walk: u32, next: Option<Key>) -> Option<Key> {
        let Some(Source::Combine(key)) = self.futures.get(future).map(|slot| slot.source) else { return next };
        match self.combines.get_mut(key).filter(|combine| combine.walk != walk) {
            Some(combine) => {
                (combine.walk, combine.walk_next) = (walk, next);
                Some(key)
            }
            None => next,
        }
    }
}

impl<S: Service> State<S> {
    /// A future that is done as the host says when `inner` is done.
    pub fn continue_with(&mut self, inner: Handle, host: Continuation) -> Result<Handle> {
        let (future, made) = self.core.future_with_slot(inner)?;
        let started = self.continue_new(future, host);
        if started.is_err() && made {
            self.core.futures.discard(future);
        }
        started
    }

    fn continue_new(&mut self, inner: Key, host: Continuation) -> Result<Handle> {
        let key = self.core.combine_new(Rule::Continue(host))?;
        if let Err(error) = self.core.combine_add(key, inner, true) {
            self.core.combine_undo(key);
            return Err(error);
        }
        let outer = self.core.combines.get(key).ok_or(ROTA_ERR_HANDLE)?.outer;
        Ok(self.core.future_handle(outer))
    }

    /// The future is done that it waits for.
    pub(super) fn continue_member_done(&mut self, key: Key, host: Continuation, future: Key) -> Option<Due> {
        let combine = self.core.combines.get_mut(key)?;
        if core::mem::replace(&mut combine.called, true) {
            return self.take_over(key, future).map(Due::Free);
        }
        self.core.owner = self.core.futures.get(combine.outer).map_or(Tag::NONE, |outer| outer.owner);
        Some(Due::Call(host, future, self.core.future_begin_call(future)))
    }

    /// After a step: calls the host at once where others go on waiting for the inner future, or ends.
    pub(super) fn continue_finish(&mut self, key: Key, host: Continuation) -> Option<Due> {
        let combine = self.core.combines.get_mut(key).filter(|combine| combine.open == 0)?;
        if core::mem::replace(&mut combine.called, true) {
            return self.one_finish(key).map(Due::Free);
        }
        self.core.owner = self.core.futures.get(combine.outer).map_or(Tag::NONE, |outer| outer.owner);
        let future = self.core.combine_first(key)?;
        Some(Due::Call(host, future, ROTA_ERR_CANCELLED as i64))
    }

    /// A map has its answer.
    pub(super) fn map_answered(&mut self, key: Key, inner: Key, given: i64, answer: i64) -> Option<HostFree> {
        let (outcome, text) = match Outcome::from_short(answer) {
            None => (
                Outcome::failed(ROTA_ERR_INVALID.into(), 0),
                Text::Static(c"the callback returned a negative number that is not a status"),
            ),
            Some(outcome) if answer >= 0 => (outcome, Text::None),
            Some(outcome) => self.map_failure(inner, outcome, answer == given),
        };
        let free = self.future_settle(inner);
        // A map's outer future holds nothing, so no destructor can be due.
        let _ = self.combine_complete(key, outcome, text, Object::None);
        self.core.combine_end(key);
        free
    }

    /// A failure that is passed on keeps what there is to tell; another one has it as its cause.
    fn map_failure(&mut self, inner: Key, outcome: Outcome, same: bool) -> (Outcome, Text) {
        let memory = &self.core.memory;
        let slot = self.core.futures.get_mut(inner).filter(|slot| slot.done && slot.outcome.status < 0);
        let Some(slot) = slot else { return (outcome, Text::None) };
        let text = slot.text_for_another(0, memory);
        if same {
            return (slot.outcome, text);
        }
        (outcome, Text::None.because(slot.outcome.numbers(), text, memory).unwrap_or_else(|alone| alone))
    }

    /// A chain has the future that it goes on with.
    pub(super) fn chain_answered(&mut self, key: Key, inner: Key, next: Handle) -> Option<HostFree> {
        if let Err((outcome, text)) = self.chain_wait_on(key, next) {
            // It takes nothing over, so no destructor can be due.
            let _ = self.combine_complete(key, outcome, text, Object::None);
            self.core.combine_end(key);
        }
        self.future_settle(inner)
    }

    /// Waits for what the chain was given; else what the outer future is done with.
    fn chain_wait_on(&mut self, key: Key, next: Handle) -> core::result::Result<(), (Outcome, Text)> {
        let refused = |status: crate::base::rota_status, text| (Outcome::failed(status.into(), 0), Text::Static(text));
        if let Some(outcome) = next.carried().and_then(|carried| Outcome::carried(carried).ok()) {
            return Err((outcome, Text::None));
        }
        let ours = next.is(Kind::Future) && next.loop_number() == self.core.number;
        if !ours || self.core.futures.get(next.key()).is_none() {
            return Err(refused(ROTA_ERR_HANDLE, c"the callback returned no future of this loop"));
        }
        let outer = self.core.combines.get(key).map_or(Key::default(), |combine| combine.outer);
        if self.core.future_is_made_of(next.key(), outer) {
            return Err(refused(ROTA_ERR_INVALID, c"the callback returned what waits for the chain itself"));
        }
        self.core.combine_wait_on(key, next.key()).map_err(|error| (Outcome::failed(error, 0), Text::None))
    }
}
