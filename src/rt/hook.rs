//! The hook that is told of tasks: for tracers and profilers.
//!
//! ```text
//!   SPAWNED ──▶ RESUMED ──▶ PAUSED ──▶ RESUMED ... ──▶ ENDED
//! ```
//!
//! It is called in the middle of our work, like every hook. A loop without one
//! pays for a test at each of these moments.

use super::core::Core;
use super::event_loop::Runtime;
use super::service::Service;
use crate::base::{Handle, Key, Kind};

/// The task was made.
pub const ROTA_TASK_SPAWNED: u32 = 1;
/// Its body begins or goes on. An eager task is resumed inside its spawner.
pub const ROTA_TASK_RESUMED: u32 = 2;
/// Its body waits, or was made to yield.
pub const ROTA_TASK_PAUSED: u32 = 3;
/// Its body has returned.
pub const ROTA_TASK_ENDED: u32 = 4;

impl Core {
    /// Tells the host, if it wants to hear.
    #[inline]
    pub(super) fn tell_of_task(&self, key: Key, event: u32) {
        if let Some(hook) = self.task_hook {
            hook.call(self.handle(Kind::Task, key).into(), event);
        }
    }
}

impl<S: Service> Runtime<S> {
    /// As `Core::tell_of_task`, without opening the state.
    #[inline]
    pub(super) fn tell_of_task(&self, key: Key, event: u32) {
        if let Some(hook) = self.task_hook {
            hook.call(Handle::new(Kind::Task, self.number, key).into(), event);
        }
    }
}
