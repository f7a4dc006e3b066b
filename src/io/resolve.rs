//! Names: addresses for whoever asks, in a future that holds them.
//!
//! Numbers are answered at once. Names go to another thread; a request that is
//! cancelled meanwhile has lost its slot, so that its answer finds nobody.

use super::token::Role;
use super::Io;
use crate::base::{rota_address, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome};
use crate::sys::executor::{JobId, Work};
use crate::sys::resolver::{resolve_literal, ResolveRequest, Resolved};
use crate::sys::{List, Text};

/// A request's slot.
pub struct Resolving {
    future: Key,
    job: Option<JobId>,
}

/// Asks another thread; the answer comes with `token`.
pub fn ask(core: &mut Core, host: &[u8], service: Option<&[u8]>, family: u32, token: u64) -> Result<JobId> {
    let request = ResolveRequest::new(Some(host), service, family)?;
    core.executor.submit(Work::Resolve(request), token)
}

/// The one address that a numeric host and service name; a service that is not given is port 0.
pub fn literal(core: &Core, host: &[u8], service: Option<&[u8]>, family: u32) -> Result<Option<List<rota_address>>> {
    let Some(address) = resolve_literal(host, service.unwrap_or(b"0"), family) else { return Ok(None) };
    let mut list = List::new(core.memory.clone());
    list.push(address?)?;
    Ok(Some(list))
}

impl Io {
    /// A future for the addresses of a name.
    pub fn resolve(&mut self, core: &mut Core, host: &[u8], service: Option<&[u8]>, family: u32) -> Result<Handle> {
        self.resolves.reserve()?;
        core.futures.reserve()?;
        let found = literal(core, host, service, family)?;
        let key = self.resolves.insert(Resolving { future: Key::default(), job: None })?;
        let future = core.future_new(Role::Resolve.of(key))?;
        if let Some(resolving) = self.resolves.get_mut(key) {
            resolving.future = future;
        }
        let handle = core.future_handle(future);
        if let Some(addresses) = found {
            self.resolve_answered(core, key, Ok(addresses));
            return Ok(handle);
        }
        match ask(core, host, service, family, Role::Resolve.token(key)) {
            Ok(job) => {
                if let Some(resolving) = self.resolves.get_mut(key) {
                    resolving.job = Some(job);
                }
                Ok(handle)
            }
            Err(error) => {
                self.resolves.remove(key);
                core.futures.remove(future);
                Err(error)
            }
        }
    }

    /// The answer has come.
    pub(super) fn resolve_answered(&mut self, core: &mut Core, key: Key, result: Resolved) {
        let Some(Resolving { future, .. }) = self.resolves.remove(key) else { return };
        match result {
            Ok(addresses) => {
                let outcome = Outcome::value(addresses.len() as i64);
                core.future_complete(future, outcome, Text::None, Object::Addresses(addresses));
            }
            Err(failure) => {
                core.future_complete(future, Outcome::failed(failure.error, 0), failure.message, Object::None);
            }
        }
    }

    /// Nobody wants the answer any more.
    pub(super) fn resolve_cancel(&mut self, core: &mut Core, key: Key) {
        let Some(Resolving { future, job }) = self.resolves.remove(key) else { return };
        if let Some(job) = job {
            core.executor.withdraw(job);
        }
        core.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
    }
}
