//! Many futures at once: `gather`, which claims them, and `wait`, which only watches.
//!
//! A gather answers each claim when its future is done, and completes the outer
//! future when all are, or at the first failure; with `CancelRest` that failure
//! is kept until the others, which it cancels, have ended. Cancelled, it cancels
//! what it alone waits for and is done when that has ended, so that no buffer of
//! theirs is in use any more; if one of them failed, before or when it was asked to
//! end, that is the outcome. After an early failure it stays behind its outer
//! future until the rest has ended. Failures behind the first reach the log.
//!
//! A wait is done when enough have been, or when its time is over; whatever it
//! watched is left as it is.

use super::combine::Rule;
use super::event_loop::State;
use super::future::Object;
use super::outcome::Outcome;
use super::service::Service;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::Text;

/// What a gather does about failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// The first fails it; the others go on.
    FirstError,
    /// The first fails it, and the others are cancelled.
    CancelRest,
    /// They are counted.
    All,
}

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// One that is done.
    First,
    /// One that failed, or all.
    FirstError,
    /// All.
    All,
}

impl<S: Service> State<S> {
    /// A future that is done when all of `futures` are.
    pub fn gather_many(&mut self, futures: impl Iterator<Item = Handle>, how: Gather) -> Result<Handle> {
        self.many_new(futures, Rule::Gather(how), u64::MAX)
    }

    /// A future whose value is how many of `futures` are done `until` then, or after `timeout_ns`.
    pub fn wait_for_many(
        &mut self,
        futures: impl Iterator<Item = Handle>,
        until: Until,
        timeout_ns: u64,
    ) -> Result<Handle> {
        let deadline = self.core.deadline_after(timeout_ns);
        self.many_new(futures, Rule::Wait(until), deadline)
    }

    fn many_new(&mut self, futures: impl Iterator<Item = Handle>, rule: Rule, deadline: u64) -> Result<Handle> {
        let key = self.core.combine_new(rule)?;
        let started = self.many_add(key, futures, rule).and_then(|()| self.core.combine_arm(key, deadline));
        if let Err(error) = started {
            self.core.combine_undo(key);
            return Err(error);
        }
        // Values among them may be all that was waited for: the first step sees to it.
        self.core.combine_queue(key);
        let outer = self.core.combines.get(key).ok_or(ROTA_ERR_HANDLE)?.outer;
        Ok(self.core.future_handle(outer))
    }

    fn many_add(&mut self, key: Key, futures: impl Iterator<Item = Handle>, rule: Rule) -> Result<()> {
        let gathers = matches!(rule, Rule::Gather(_));
        for future in futures {
            let Some(carried) = future.carried() else {
                self.core.combine_add(key, future.key(), gathers)?;
                continue;
            };
            let Some(combine) = self.core.combines.get_mut(key) else { continue };
            combine.note(carried < 0);
            if gathers && carried < 0 && combine.answer.is_none() {
                combine.answer = Outcome::from_short(carried).map(|outcome| (outcome, Text::None));
            }
        }
        Ok(())
    }

    /// A future that a gather claimed is done.
    pub(super) fn gather_member_done(&mut self, key: Key, future: Key, failed: bool) -> Option<HostFree> {
        let combine = self.core.combines.get(key)?;
        if !self.core.combine_is_live(combine) {
            return self.future_let_go(future, true);
        }
        let counts = matches!(combine.rule, Rule::Gather(Gather::All));
        let combine = self.core.combines.get_mut(key)?;
        combine.note(failed);
        if counts || !failed {
            self.core.future_answer(future);
            return self.future_settle_closed(future);
        }
        // That it was cancelled, as it was asked to be, gives way to what went wrong.
        let asked = combine.cancelling;
        if combine.answer.as_ref().is_some_and(|(answer, _)| !asked || answer.is_error()) {
            return self.future_let_go(future, true);
        }
        let taken = self.core.future_take_outcome(future);
        if let Some(combine) = self.core.combines.get_mut(key) {
            combine.answer = taken;
        }
        self.future_settle_closed(future)
    }

    /// After a step of a gather: completes the outer future when its outcome is known, ends when nothing is claimed.
    pub(super) fn gather_finish(&mut self, key: Key, how: Gather) -> Option<HostFree> {
        let live = self.core.combine_is_live(self.core.combines.get(key)?);
        let combine = self.core.combines.get_mut(key)?;
        let over = combine.open == 0;
        let answer = match how {
            _ if !live => None,
            _ if combine.cancelling => {
                over.then(|| combine.answer.take().unwrap_or((Outcome::cancelled(), Text::None)))
            }
            Gather::All => over.then(|| (Outcome::value(combine.failed), Text::None)),
            Gather::CancelRest if !over => None,
            _ => combine.answer.take().or(over.then(Default::default)),
        };
        let free = answer.and_then(|(outcome, text)| self.combine_complete(key, outcome, text, Object::None));
        if over {
            self.core.combine_end(key);
        }
        free
    }

    /// After a step of a wait: completes the outer future when enough are done, or its time is over.
    pub(super) fn wait_finish(&mut self, key: Key, until: Until) -> Option<HostFree> {
        let combine = self.core.combines.get(key)?;
        let enough = match until {
            Until::First => combine.done > 0,
            Until::FirstError => combine.failed > 0,
            Until::All => false,
        };
        let live = self.core.combine_is_live(combine);
        if live && !enough && !combine.expired && combine.open > 0 {
            return None;
        }
        let outcome = Outcome::value(combine.done);
        let free = if live { self.combine_complete(key, outcome, Text::None, Object::None) } else { None };
        self.core.combine_end(key);
        free
    }
}
