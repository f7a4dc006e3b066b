//! Kinds of task bodies.
//!
//! A body is resumed, and it waits or ends. *Stackful*: a C function on a stack
//! of its own, which waits in the middle of its calls. *Stepped*: a C function
//! that returns in order to wait, and is called again.

mod pool;
mod stackful;

pub use pool::{StackPool, StackWanted};
pub use stackful::{suspend, Stackful, Start};

use crate::sys::host::HostStep;

/// What a stepped body returns in order to wait: what rota_task_wait() gave it.
pub const ROTA_STEP_WAIT: i64 = i64::MIN;

/// The body of a task.
pub enum Body {
    /// On a stack of its own.
    Stackful(Stackful),
    /// Called again for each step.
    Stepped(HostStep),
}
