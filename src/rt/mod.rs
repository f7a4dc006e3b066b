//! The runtime: one turn, the ready queue, timers, futures, tasks.
//!
//! What `sync` and `io` may use is what is re-exported here, and nothing else:
//! they are proof that it suffices.

mod attach;
mod call;
mod callback;
mod cancel;
mod cause;
mod circles;
mod close;
mod combine;
mod combine_cancel;
mod core;
#[allow(unsafe_code)]
mod coro;
mod current;
mod drain;
mod dump;
mod eager;
mod ending;
mod event_loop;
mod future;
mod gather;
mod group;
mod group_wait;
mod hook;
mod info;
mod job;
mod join;
mod locals;
mod map;
mod members;
mod origins;
mod outcome;
mod owner;
mod post;
mod race;
mod ready;
mod remote;
mod scope;
mod service;
mod set;
mod stacks;
mod task;
mod ties;
mod timer;
mod timers;
mod told;
mod wait_for;
mod waiters;

pub use self::cause::Failure;
pub use self::core::{Core, Counters, Settings};
pub use self::core::{ROTA_LOG_DEBUG, ROTA_LOG_ERROR, ROTA_LOG_INFO, ROTA_LOG_WARNING};
pub use self::coro::{StackWanted, Start, ROTA_STEP_WAIT};
pub use self::current::{get as current, is_innermost};
pub use self::event_loop::{Runtime, State, TurnFigures, TurnLimits, ROTA_FOREVER};
pub use self::future::{Future, Object, Source};
pub use self::gather::{Gather, Until};
pub use self::group::NewGroup;
pub use self::hook::{ROTA_TASK_ENDED, ROTA_TASK_PAUSED, ROTA_TASK_RESUMED, ROTA_TASK_SPAWNED};
pub use self::info::{
    TaskInfo, ROTA_TASK_STATE_ENDED, ROTA_TASK_STATE_LEAVING, ROTA_TASK_STATE_QUEUED, ROTA_TASK_STATE_RUNNING,
    ROTA_TASK_STATE_WAITING,
};
pub use self::job::{key_of, token_of};
pub use self::map::Continuation;
pub use self::outcome::Outcome;
pub use self::owner::Tag;
pub use self::race::Race;
pub use self::remote::{Channel, Message, Remote, Teller, Told};
pub use self::scope::{Fired, NewScope};
pub use self::service::{Operation, Service};
pub use self::task::{NewTask, Next, TaskState};
pub use self::timer::TimerAction;
pub use self::waiters::Waiter;
pub use crate::sys::host::{HostFree, HostPointer};
pub use crate::sys::{Memory, Ring, Shared, Slab, Text};
