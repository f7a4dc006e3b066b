//! What an operation came to, as C sees it.

use super::status::rota_status;
use core::ffi::c_char;

/// What an operation came to.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct rota_outcome {
    /// A rota_status, or one of the host's own at or below ROTA_STATUS_HOST.
    pub status: i32,
    /// The system's error number (errno), or 0.
    pub os_error: i32,
    /// The result: a count or a number at or above zero; 0 on failure.
    pub value: i64,
    /// How many bytes moved, also when it failed or was cancelled.
    pub moved_bytes: u64,
    /// What went wrong in words, "" if there is nothing to add. Never NULL.
    /// It lives until the task's next await, until the callback returns, or
    /// until the future ends, whichever it was read in.
    pub message: *const c_char,
}

/// What failed, and through which task it came.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct rota_failure {
    /// The size of this struct, set by the caller.
    pub size: usize,
    /// What it came to. Its message lives as long as what it was read from: until
    /// the group or the future ends, or until the task's next await.
    pub outcome: rota_outcome,
    /// The name of the task that failed, "" if it was none. Never NULL. It lives as
    /// long as the message.
    pub name: *const c_char,
}

/// An outcome that says nothing yet.
pub const EMPTY: rota_outcome =
    rota_outcome { status: rota_status::ROTA_OK as i32, os_error: 0, value: 0, moved_bytes: 0, message: c"".as_ptr() };
