//! Many futures of which the first decides: `race`.
//!
//! ```text
//!                 one is done (with `Success`: went well)       the others have ended
//!   ALL CLAIMED ──────────────────────────────────────▶ DECIDED ─────────────────────▶ outer: its place
//!        │                the others are cancelled, or let go
//!        └─ cancelled, or all have failed ──────────────────────────────────────────▶ outer: that failure
//! ```
//!
//! The winner is given back as it is, with its outcome and its object, kept for
//! the host to read and to close. The others are waited for, so that nothing of
//! theirs is in use any more when the outer future is done; what they brought
//! after all is let go with them. A winner stays one, whoever cancels the race
//! after that, and one that is done in spite of being cancelled has won.

use super::combine::{Arrived, Rule};
use super::event_loop::State;
use super::future::Object;
use super::outcome::Outcome;
use super::service::Service;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::Text;

/// What wins a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    /// Being done.
    First,
    /// Being done well.
    Success,
}

impl<S: Service> State<S> {
    /// A future whose value is the place of the first of `futures` that is done.
    pub fn race(&mut self, futures: impl Iterator<Item = Handle>, how: Race) -> Result<Handle> {
        let key = self.core.combine_new(Rule::Race(how))?;
        if let Err(error) = self.race_add(key, futures, how) {
            self.core.combine_undo(key);
            return Err(error);
        }
        // One that is done already has won: the first step sees to the others.
        self.core.combine_queue(key);
        let outer = self.core.combines.get(key).ok_or(ROTA_ERR_HANDLE)?.outer;
        Ok(self.core.future_handle(outer))
    }

    fn race_add(&mut self, key: Key, futures: impl Iterator<Item = Handle>, how: Race) -> Result<()> {
        for (index, future) in futures.enumerate() {
            let index = index as u32;
            let failed = match future.carried() {
                Some(carried) => Some(carried < 0),
                None => {
                    self.core.combine_add_at(key, future.key(), true, index)?;
                    let slot = self.core.futures.get(future.key()).filter(|slot| slot.done);
                    slot.map(|slot| slot.outcome.status < 0)
                }
            };
            let Some(combine) = self.core.combines.get_mut(key) else { continue };
            let wins = failed.is_some_and(|failed| how == Race::First || !failed);
            if wins && combine.winner.is_none() {
                combine.winner = Some(index);
            }
            if let Some(carried) = future.carried().filter(|carried| *carried < 0 && combine.answer.is_none()) {
                combine.answer = Outcome::from_short(carried).map(|outcome| (outcome, Text::None));
            }
        }
        Ok(())
    }

    /// One that runs in the race is done.
    pub(super) fn race_member_done(&mut self, key: Key, how: Race, arrived: Arrived) -> Option<HostFree> {
        let Arrived { future, index, failed } = arrived;
        let combine = self.core.combines.get(key)?;
        let outer = self.core.futures.get(combine.outer);
        // Nobody will hear who has won where the race is done already, or was closed.
        let (live, closed) = outer.map_or((false, true), |outer| (!outer.done, outer.closed || outer.done));
        let wins = live && combine.winner.is_none() && self.race_wins(combine.cancelling, how, future);
        let first_failure = combine.winner.is_none() && combine.answer.is_none();
        if wins || combine.winner == Some(index) {
            return self.race_won(key, index, future, closed);
        }
        if !live || !failed || how == Race::First {
            return self.future_let_go(future, false);
        }
        // Failures are what such a race is for: this one has been looked at.
        if first_failure {
            let taken = self.core.future_take_outcome(future);
            if let Some(combine) = self.core.combines.get_mut(key) {
                combine.answer = taken;
            }
        } else {
            self.core.future_answer(future);
        }
        self.future_settle_closed(future)
    }

    /// Whether a future that is done wins: to be cancelled by the race is no way to.
    fn race_wins(&self, cancelling: bool, how: Race, future: Key) -> bool {
        let Some(slot) = self.core.futures.get(future) else { return false };
        match how {
            Race::First => !(cancelling && slot.outcome.status == ROTA_ERR_CANCELLED as i32),
            Race::Success => slot.outcome.status >= 0,
        }
    }

    /// The winner is given back, unless the race was closed, so that nobody will hear of it.
    fn race_won(&mut self, key: Key, index: u32, future: Key, closed: bool) -> Option<HostFree> {
        if let Some(combine) = self.core.combines.get_mut(key) {
            combine.winner = Some(index);
        }
        if let Some(slot) = self.core.futures.get_mut(future) {
            slot.kept |= !closed;
        }
        self.future_let_go(future, !closed)
    }

    /// After a step: completes the outer future when all have ended.
    pub(super) fn race_finish(&mut self, key: Key) -> Option<HostFree> {
        let combine = self.core.combines.get_mut(key).filter(|combine| combine.open == 0)?;
        let failure = combine.answer.take().filter(|_| !combine.cancelling);
        let (outcome, text) = match combine.winner {
            Some(index) => (Outcome::value(i64::from(index)), Text::None),
            None => failure.unwrap_or((Outcome::cancelled(), Text::None)),
        };
        let free = self.combine_complete(key, outcome, text, Object::None);
        self.core.combine_end(key);
        free
    }
}
