//! How combinations are cancelled.
//!
//! A request to cancel the outer future is noted, and met by the step: the
//! members' futures are cancelled where our claim is the last, and let go where
//! others wait too. The same happens at the end of its time, and to the rest when
//! one of many has decided it.
//!
//! **Circles.** A task can wait for a combination that waits for that task. What
//! follows from one request is one sweep (`cancel.rs`), whose number (`round`) the
//! combination keeps until its step goes on with it. What the sweep comes back to
//! is not asked again: its future is done at once, with ROTA_ERR_CANCELLED, and
//! so the circle opens. Several sweeps can be on their way in one circle, each a
//! turn behind another; so that they do not wipe out each other's numbers for
//! ever, one that comes to what a later one has asked ends there. The latest goes
//! all the way round.

use super::combine::Rule;
use super::core::Core;
use super::event_loop::State;
use super::future::Object;
use super::outcome::Outcome;
use super::service::Service;
use crate::base::Key;
use crate::sys::Text;

impl Core {
    /// The outer future is to be cancelled.
    pub(super) fn combine_cancel(&mut self, key: Key) {
        let round = self.sweep_number();
        let Some(combine) = self.combines.get_mut(key) else { return };
        let alone = matches!(combine.rule, Rule::Shield | Rule::Wait(_));
        let asked = combine.ask_due || combine.cancelling;
        // Numbers begin again after the highest.
        let later = combine.round.wrapping_sub(round) as i32 > 0;
        if alone || combine.round == round {
            let outer = combine.outer;
            self.future_complete(outer, Outcome::cancelled(), Text::None, Object::None);
        } else if asked && later {
            return;
        } else {
            combine.ask_due = true;
            combine.round = round;
        }
        self.combine_queue(key);
    }

    /// Whether a request to cancel it has been made.
    pub(super) fn combine_asked(&self, key: Key) -> bool {
        self.combines.get(key).is_some_and(|combine| combine.ask_due || combine.cancelling)
    }

    /// Its time is over.
    pub(super) fn combine_expire(&mut self, key: Key) {
        let Some(combine) = self.combines.get_mut(key) else { return };
        combine.timer = None;
        combine.expiry_due = true;
        self.combine_queue(key);
    }
}

impl<S: Service> State<S> {
    /// Its members are cancelled: by the request that was made to it, or by one of its own.
    pub(super) fn combine_pass_on(&mut self, key: Key, asked: bool) {
        let own = self.core.sweep_number();
        let Some(combine) = self.core.combines.get_mut(key) else { return };
        if !asked {
            combine.round = own;
        }
        self.core.sweep = Some(combine.round);
        self.combine_cancel_members(key);
        self.core.sweep = None;
    }

    /// Cancels the futures whose last claim is ours, and lets go of the others.
    fn combine_cancel_members(&mut self, key: Key) {
        let mut at = self.core.combines.get(key).and_then(|combine| combine.members).map(|(first, _)| first);
        while let Some(member) = at {
            let Some(slot) = self.core.combines.members.get(member) else { return };
            at = slot.next;
            if !slot.waiting {
                continue;
            }
            let future = slot.future;
            if self.core.futures.get(future).is_some_and(|slot| slot.claims <= 1) {
                let _ = self.future_cancel(future);
                continue;
            }
            self.core.member_withdraw(member);
            if let Some(combine) = self.core.combines.get_mut(key) {
                combine.open -= 1;
            }
        }
    }
}
