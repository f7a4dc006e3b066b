//! How a loop ends.
//!
//! Closing asks every task to end, once, and runs turns until they have. Callbacks
//! that are still pending come inside those turns with ROTA_ERR_CANCELLED. What
//! has not ended when the limit is reached makes the answer ROTA_ERR_BUSY: the
//! loop stays valid and may be closed again. After ROTA_OK nothing of the
//! loop's, kernel or thread, touches anything of the host's.

use super::core::ROTA_LOG_WARNING;
use super::event_loop::{Runtime, State, TurnLimits, Wait};
use super::future::{Object, Source, Unseen};
use super::service::Service;
use super::task::TaskState;
use super::timer::TimerAction;
use crate::base::{limits, rota_status::*, Key, Result};
use crate::sys::clock::monotonic;
use crate::sys::host::HostFree;

impl<S: Service> Runtime<S> {
    /// Ends everything within `limit_ns`; afterwards the loop may be dropped. `ROTA_ERR_BUSY` if something is left.
    pub fn close(&self, limit_ns: u64) -> Result<()> {
        let _running = self.enter()?;
        let began = monotonic();
        self.with(|state| {
            state.core.remote.close();
            if !core::mem::replace(&mut state.core.closing, true) {
                state.cancel_tasks();
            }
            Ok(())
        })?;
        for turns in 0u32.. {
            // A stop has nothing to end here, and would make every wait of ours end at once.
            self.remote().take_stop();
            let left = self.with(|state| Ok(state.close_pass()))?;
            let mut freed = false;
            while let Some(free) = self.with(|state| Ok(state.next_result()))? {
                freed = true;
                self.let_go(Some(free));
            }
            if left == Left::Nothing {
                if freed {
                    continue; // a destructor may have asked for a callback: once more
                }
                return Ok(());
            }
            let spent = monotonic().saturating_sub(began);
            if left == Left::Standing {
                return Err(ROTA_ERR_BUSY.into());
            }
            // Even without time what is ready runs, and the system is asked once: a host may close a little each frame.
            let turns_given = if left == Left::Ready { limits::CLOSE_TURNS } else { 1 };
            if spent >= limit_ns && turns >= turns_given {
                return Err(ROTA_ERR_BUSY.into());
            }
            let step =
                if left == Left::Waiting { limits::CLOSE_STEP_NS.min(limit_ns.saturating_sub(spent)) } else { 0 };
            self.one_turn(Wait { limit: Some(step), may_skip: false }, TurnLimits::default())?;
        }
        Err(ROTA_ERR_BUSY.into())
    }

    /// The highest generation that any of the loop's tables has reached.
    pub fn last_generation(&self) -> u32 {
        match self.state.try_borrow() {
            Ok(state) => state.core.last_generation().max(state.service.last_generation()),
            Err(_) => u32::MAX,
        }
    }

    /// Gives a poisoned loop up to be dropped: no callback runs, parked stacks are leaked.
    pub fn quiesce(&self) -> Result<()> {
        let Ok(state) = self.state.try_borrow() else { return Err(ROTA_ERR_REENTRANT.into()) };
        let (tasks, busy) = (state.core.tasks.len(), state.core.executor.busy());
        state.core.remote.close();
        state
            .core
            .log(ROTA_LOG_WARNING, format_args!("a poisoned loop is closed: {tasks} tasks and {busy} calls left"));
        Ok(())
    }
}

/// What stands in the way of the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing.
    Nothing,
    /// Things in the queue.
    Ready,
    /// Something that has to happen first.
    Waiting,
    /// Completions that the host has to fetch.
    Standing,
}

impl<S: Service> State<S> {
    /// Asks every task once, in one sweep: those in groups by their groups.
    fn cancel_tasks(&mut self) {
        self.core.sweep_begin();
        self.groups_cancel_all();
        let mut at = 0;
        while let Some(key) = self.core.tasks.next(at) {
            at = key.slot + 1;
            if !self.core.sweep_meets(key) {
                let _ = self.task_cancel(key);
            }
        }
        self.core.sweep = None;
    }

    /// Cancels what is pending, and says what is left.
    fn close_pass(&mut self) -> Left {
        self.cancel_host_timers();
        self.cancel_callbacks();
        if !self.core.ready.is_empty() {
            return Left::Ready;
        }
        if self.core.remote.has_posts() {
            // Where there is no memory, a posted completion waits until the one before has been fetched.
            return if self.has_room_for_post() { Left::Ready } else { Left::Standing };
        }
        let mut at = 0;
        while let Some(key) = self.core.tasks.next(at) {
            at = key.slot + 1;
            match self.core.tasks.get(key).map(|task| task.state) {
                Some(TaskState::Ended) => {
                    let _ = self.core.task_detach(key);
                }
                _ if self.service.end_waits(&mut self.core) => return Left::Ready,
                _ => return Left::Waiting,
            }
        }
        self.sets_close();
        if !self.core.ready.is_empty() {
            return Left::Ready;
        }
        if self.service.shut_down(&mut self.core) > 0 || self.core.executor.stop() > 0 {
            return Left::Waiting;
        }
        if !self.core.ready.is_empty() {
            return Left::Ready;
        }
        if !self.groups_close() {
            return Left::Waiting;
        }
        if !self.core.drain.is_empty() {
            return Left::Standing;
        }
        Left::Nothing
    }

    fn cancel_host_timers(&mut self) {
        let mut at = 0;
        while let Some(key) = self.core.timers.next(at) {
            at = key.slot + 1;
            if matches!(self.core.timers.get(key), Some(TimerAction::Host(..))) {
                let _ = self.core.timer_cancel(key);
            }
        }
    }

    /// Withdraws every future that only callbacks wait for. Tasks have been asked themselves, and combinations pass on
    /// what their outer futures are told, once.
    fn cancel_callbacks(&mut self) {
        let mut at = 0;
        while let Some(key) = self.core.futures.next(at) {
            at = key.slot + 1;
            let Some(future) = self.core.futures.get(key) else { continue };
            let told = match future.source {
                Source::Task(_) | Source::Group(_) | Source::Start(_) => true,
                Source::Combine(combine) => self.core.combine_asked(combine),
                _ => false,
            };
            if !future.done && !told && !self.core.future_has_keeper(key) {
                let _ = self.future_cancel(key);
            }
        }
    }

    /// Ends the next thing that nobody waits for any more and that holds something of the host's; its destructor.
    fn next_result(&mut self) -> Option<HostFree> {
        if let Some(free) = self.drain_release() {
            return Some(free);
        }
        if !self.core.ready.is_empty() || self.core.tasks.next(0).is_some() {
            return None;
        }
        let mut at = 0;
        while let Some(key) = self.core.futures.next(at) {
            at = key.slot + 1;
            if let Some(free) = self.end_leftover(key) {
                return Some(free);
            }
        }
        self.service.next_free()
    }

    fn end_leftover(&mut self, key: Key) -> Option<HostFree> {
        let future = self.core.futures.get(key)?;
        if !future.done || future.claims > 0 {
            return None;
        }
        match future.object {
            Object::Result(_, Some(_)) | Object::Stream(_) => self.future_end(key),
            _ => {
                let future = self.core.futures.remove(key)?;
                if !future.seen && future.outcome.is_error() {
                    self.core.report_unseen(Unseen::Future(key), &future.outcome, &future.text);
                }
                None
            }
        }
    }
}
