//! Blocking calls on other threads.

use super::guard::guard_future;
use super::registry;
use crate::base::handle::{rota_future, rota_loop};
use crate::base::{rota_status::*, Handle};
use crate::sys::host::{rota_job_fn, HostJob};
use core::ffi::c_void;

/// Calls `job` on another thread: one of the loop's, made when they are needed
/// and at most `max_threads` of them, or the host's executor. The future's
/// outcome is what the job returns. Cancelling withdraws a job that has not
/// begun; one that has begun goes on, and its outcome is what it returns.
/// `user_data` is in use until the future is done.
///
/// ROTA_ERR_NO_THREADS: the loop was opened without threads, or the host's
/// executor refused.
///
/// # Safety
/// `job` may be called with `user_data` on another thread.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_call_blocking(
    r#loop: rota_loop,
    job: rota_job_fn,
    user_data: *mut c_void,
) -> rota_future {
    let handle = Handle::from(r#loop);
    guard_future(handle, registry::find_loop(handle), |state| {
        let job = job.ok_or(ROTA_ERR_INVALID)?;
        // SAFETY: the caller's word, passed on.
        let key = state.call_blocking(unsafe { HostJob::new(job, user_data) })?;
        Ok(state.core.future_handle(key))
    })
}
