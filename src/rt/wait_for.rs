//! One future that is done as another one is: `wait_for`, within a time, and `shield`, which is cancelled alone.
//!
//! ```text
//!                        inner done: its outcome, message and object
//!   WAITING ───────────────────────────────────────────────▶ outer done
//!      │ time over, or cancelled                                ▲
//!      │ (shield: the outer is done at once, and waits no more) │ inner ended
//!      ├─ our claim is the last ──▶ inner is cancelled ─────────┤ (CANCELLED becomes TIMEOUT)
//!      └─ others wait for it too ──▶ we let go ─────────────────┘
//! ```
//!
//! The end of the inner operation is waited for, so that nothing of the host's
//! is in use any more when the outer future is done, and the count of bytes is
//! the last one. If it ends otherwise in spite of being cancelled, that is the
//! outcome: it is never lost.

use super::combine::Rule;
use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::service::Service;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::Text;

impl<S: Service> State<S> {
    /// A future that is done as `inner` is, or with ROTA_ERR_TIMEOUT after `timeout_ns`.
    pub fn wait_for(&mut self, inner: Key, timeout_ns: u64) -> Result<Handle> {
        let deadline = self.core.deadline_after(timeout_ns);
        self.one_new(inner, Rule::WaitFor, deadline)
    }

    /// A future that is done as `inner` is, and is cancelled without it.
    pub fn shield(&mut self, inner: Key) -> Result<Handle> {
        self.one_new(inner, Rule::Shield, u64::MAX)
    }

    fn one_new(&mut self, inner: Key, rule: Rule, deadline: u64) -> Result<Handle> {
        let slot = self.core.futures.get(inner).ok_or(ROTA_ERR_HANDLE)?;
        if slot.done && slot.claims == 0 && !slot.is_read() {
            return self.one_done(inner);
        }
        let key = self.core.combine_new(rule)?;
        let started = self.core.combine_add(key, inner, true).and_then(|()| self.core.combine_arm(key, deadline));
        if let Err(error) = started {
            self.core.combine_undo(key);
            return Err(error);
        }
        let outer = self.core.combines.get(key).ok_or(ROTA_ERR_HANDLE)?.outer;
        Ok(self.core.future_handle(outer))
    }

    /// Nobody else waits for it and it is done: so is the outer future.
    fn one_done(&mut self, inner: Key) -> Result<Handle> {
        let outer = self.core.future_new(Source::Promise)?;
        if let Some(slot) = self.core.futures.get_mut(inner) {
            slot.claims += 1;
        }
        let (outcome, text, object) = self.one_take(inner);
        self.core.future_complete(outer, outcome, text, object);
        Ok(self.core.future_handle(outer))
    }

    /// Takes all that a done future came to; our claim is answered.
    fn one_take(&mut self, inner: Key) -> (Outcome, Text, Object) {
        let slot = self.core.futures.get_mut(inner);
        let object = slot.map_or(Object::None, |slot| core::mem::replace(&mut slot.object, Object::None));
        let (outcome, text) = self.core.future_take_outcome(inner).unwrap_or((Outcome::cancelled(), Text::None));
        // It holds nothing any more, so no destructor can be due.
        let _ = self.future_settle_closed(inner);
        (outcome, text, object)
    }

    /// The inner future is done.
    pub(super) fn take_over(&mut self, key: Key, inner: Key) -> Option<HostFree> {
        let combine = self.core.combines.get(key)?;
        if !self.core.combine_is_live(combine) {
            return self.future_let_go(inner, false);
        }
        let timed_out = combine.expired && !combine.cancelling;
        let (mut outcome, text, object) = self.one_take(inner);
        if timed_out && outcome.status == ROTA_ERR_CANCELLED as i32 {
            outcome.status = ROTA_ERR_TIMEOUT as i32;
        }
        self.combine_complete(key, outcome, text, object)
    }

    /// After a step: ends when there is nothing left to wait for.
    pub(super) fn one_finish(&mut self, key: Key) -> Option<HostFree> {
        let combine = self.core.combines.get(key).filter(|combine| combine.open == 0)?;
        let status = if combine.cancelling { ROTA_ERR_CANCELLED } else { ROTA_ERR_TIMEOUT };
        let free = if self.core.combine_is_live(combine) {
            // Others still wait for the inner future: the outer one is done without it.
            self.combine_complete(key, Outcome::failed(status.into(), 0), Text::None, Object::None)
        } else {
            None
        };
        self.core.combine_end(key);
        free
    }
}
