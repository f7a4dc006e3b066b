//! Timers: arming, cancelling and moving the host's, and what is due.
//!
//! ```text
//!            due                    its turn in the queue
//!   ARMED ─────────▶ QUEUED ──────────────────────▶ RUNNING ──▶ ended
//!     ▲ │              │ cancel: comes with CANCELLED │
//!     │ │ cancel       ▼                              │
//!     │ └─▶ ended   CANCELLED                         │
//!     └───────────────────────── rearm ───────────────┘
//! ```
//!
//! Every armed timer of the host has a place in the ready queue set aside.

use super::core::Core;
use super::outcome::Outcome;
use super::owner::Tag;
use super::ready::Entry;
use super::service::Service;
use crate::base::{rota_status::*, Key, Kind, Result};
use crate::rt::event_loop::State;
use crate::rt::future::{Object, Source};
use crate::sys::host::HostTimer;
use crate::sys::Text;

/// Where a timer of the host's stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In the wheel.
    Armed,
    /// Due, and in the ready queue.
    Queued,
    /// As `Queued`, and cancelled since.
    Cancelled,
    /// Its callback is running.
    Running,
}

/// What happens when a timer is due.
#[derive(Clone, Copy)]
pub enum TimerAction {
    /// The host is called.
    Host(HostTimer, Phase, Tag),
    /// A sleep is over.
    Sleep(Key),
    /// The time of a combination of futures is over.
    Combine(Key),
    /// The deadline of a scope has passed.
    Scope(Key),
    /// The layer above is told.
    Service(u64),
}

impl Core {
    /// Arms a timer of the host's.
    pub fn timer_arm(&mut self, deadline: u64, timer: HostTimer) -> Result<Key> {
        self.ready.reserve_one()?;
        let armed = self.timers.arm(deadline, TimerAction::Host(timer, Phase::Armed, self.owner));
        match armed {
            Ok(key) => self.note_origin(Kind::Timer, key),
            Err(_) => self.ready.release_one(),
        }
        armed
    }

    /// A future that is done at `deadline`.
    pub fn sleep_until(&mut self, deadline: u64) -> Result<Key> {
        let future = self.future_new(Source::Promise)?;
        match self.timers.arm(deadline, TimerAction::Sleep(future)) {
            Ok(timer) => {
                if let Some(slot) = self.futures.get_mut(future) {
                    slot.source = Source::Timer(timer);
                }
                Ok(future)
            }
            Err(error) => {
                self.futures.remove(future);
                Err(error)
            }
        }
    }

    fn timer_phase(&self, key: Key) -> Result<Phase> {
        match self.timers.get(key) {
            Some(TimerAction::Host(_, phase, _)) => Ok(*phase),
            _ => Err(ROTA_ERR_HANDLE.into()),
        }
    }

    /// When a timer of the host's is due.
    pub fn timer_deadline(&self, key: Key) -> Result<u64> {
        self.timer_phase(key)?;
        self.timers.deadline(key).ok_or(ROTA_ERR_HANDLE.into())
    }

    fn timer_set_phase(&mut self, key: Key, new: Phase) {
        if let Some(TimerAction::Host(_, phase, _)) = self.timers.get_mut(key) {
            *phase = new;
        }
    }

    /// Cancels a timer of the host's; its callback comes with ROTA_ERR_CANCELLED.
    pub fn timer_cancel(&mut self, key: Key) -> Result<()> {
        match self.timer_phase(key)? {
            Phase::Armed => {
                if let Some(TimerAction::Host(timer, _, owner)) = self.timers.cancel(key) {
                    self.ready.push_reserved(Entry::TimerCancelled(key, timer, owner));
                }
                Ok(())
            }
            Phase::Queued => {
                self.timer_set_phase(key, Phase::Cancelled);
                Ok(())
            }
            Phase::Cancelled | Phase::Running => Err(ROTA_ERR_DONE.into()),
        }
    }

    /// Moves a timer of the host's to another deadline, also from inside its own callback.
    pub fn timer_rearm(&mut self, key: Key, deadline: u64) -> Result<()> {
        let phase = self.timer_phase(key)?;
        if phase == Phase::Cancelled {
            return Err(ROTA_ERR_DONE.into());
        }
        if phase != Phase::Armed {
            self.ready.reserve_one()?;
        }
        self.timers.rearm(key, deadline);
        self.timer_set_phase(key, Phase::Armed);
        Ok(())
    }

    /// The callback whose turn in the queue has come, with its owner set, and the status it gets; `None` if the timer
    /// was moved meanwhile.
    pub fn timer_begin(&mut self, key: Key) -> Option<(HostTimer, crate::base::rota_status)> {
        let Some(TimerAction::Host(timer, phase, owner)) = self.timers.get_mut(key) else { return None };
        let status = match phase {
            Phase::Queued => ROTA_OK,
            Phase::Cancelled => ROTA_ERR_CANCELLED,
            Phase::Armed | Phase::Running => return None,
        };
        let timer = *timer;
        *phase = Phase::Running;
        self.owner = *owner;
        Some((timer, status))
    }

    /// After the callback: the timer has ended unless it was armed again.
    pub fn timer_end(&mut self, key: Key) {
        if matches!(self.timer_phase(key), Ok(Phase::Running)) {
            self.timers.finish(key);
        }
    }
}

impl<S: Service> State<S> {
    /// Queues what is due, by deadline and then by age.
    pub fn timers_due(&mut self) {
        let now = self.core.now;
        self.core.timers.expire(now);
        while let Some((key, action)) = self.core.timers.pop_due() {
            match action {
                TimerAction::Host(..) => {
                    self.core.timer_set_phase(key, Phase::Queued);
                    self.core.ready.push_reserved(Entry::Timer(key));
                }
                TimerAction::Sleep(future) => {
                    self.core.timers.finish(key);
                    self.core.future_complete(future, Outcome::default(), Text::None, Object::None);
                }
                TimerAction::Combine(combine) => {
                    self.core.timers.finish(key);
                    self.core.combine_expire(combine);
                }
                TimerAction::Scope(scope) => {
                    self.core.timers.finish(key);
                    self.scope_expire(scope);
                }
                TimerAction::Service(token) => {
                    self.core.timers.finish(key);
                    self.service.timer_due(&mut self.core, token);
                }
            }
        }
    }
}
