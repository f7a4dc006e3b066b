//! Kinds of task bodies.
//!
//! A body is resumed, and it waits or ends. *Stackful*: a C function on a stack
//! of its own, which waits in the middle of its calls. *Stepped*: a C function
//! that returns in order to wait, and is called again.

mod pool;
mod stackful;

pub use pool::{StackPool, StackWanted};
pub use stackful::{suspend, Stackful, Start, Switch};

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

/// One step of a body.
pub enum Step {
    /// The switch to its stack.
    Stackful(Switch),
    /// Called again.
    Stepped(HostStep),
}

impl Body {
    /// What makes the next step, while the body stays where it is; none while one is under way on its stack.
    #[inline]
    pub fn step(&mut self) -> Option<Step> {
        match self {
            Body::Stackful(stackful) => stackful.switch().map(Step::Stackful),
            Body::Stepped(step) => Some(Step::Stepped(*step)),
        }
    }
}
