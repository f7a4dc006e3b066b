//! Blocking calls: a future for what another thread returns.

use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::service::Service;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::executor::{Work, WorkResult};
use crate::sys::host::HostJob;
use crate::sys::Text;

/// A key in one word, for those who carry a token.
pub fn token_of(key: Key) -> u64 {
    u64::from(key.generation) << 32 | u64::from(key.slot)
}

/// The key that a token carries.
pub fn key_of(token: u64) -> Key {
    Key { slot: token as u32, generation: (token >> 32) as u32 }
}

impl<S: Service> State<S> {
    /// Starts a blocking call.
    pub fn call_blocking(&mut self, job: HostJob) -> Result<Key> {
        let future = self.core.future_new(Source::Promise)?;
        match self.core.executor.submit(Work::Host(job), token_of(future)) {
            Ok(id) => {
                if let Some(slot) = self.core.futures.get_mut(future) {
                    slot.source = Source::Job(id);
                }
                Ok(future)
            }
            Err(error) => {
                self.core.futures.remove(future);
                Err(error)
            }
        }
    }

    /// Completes the futures of calls that have returned.
    pub(super) fn jobs_done(&mut self) {
        while let Some(done) = self.core.executor.drain() {
            match done.result {
                WorkResult::Host(answer) => {
                    let (outcome, text) = match Outcome::from_short(answer) {
                        Some(outcome) => (outcome, Text::None),
                        None => (
                            Outcome::failed(ROTA_ERR_INVALID.into(), 0),
                            Text::Static(c"the call returned a negative number that is not a status"),
                        ),
                    };
                    let future = key_of(done.token);
                    self.core.future_complete(future, outcome, text, Object::None);
                    // A blocking call holds no object, so no destructor can be due.
                    let _ = self.future_settle_closed(future);
                }
                WorkResult::Resolve(result) => self.service.resolved(&mut self.core, done.token, result),
            }
        }
    }

    /// Ends a future that was closed while it could not end.
    pub(super) fn future_settle_closed(&mut self, key: Key) -> Option<crate::sys::host::HostFree> {
        match self.core.futures.get(key) {
            Some(future) if future.closed => self.future_settle(key),
            _ => None,
        }
    }
}
