//! The only code that talks to the system and to the host.

pub mod buffer;
pub mod channel;
pub mod clock;
pub mod directory;
pub mod driver;
mod error;
pub mod executor;
pub mod host;
pub mod inbox;
pub mod memory;
#[cfg(all(test, loom))]
mod models;
pub mod origin;
pub mod primitives;
pub mod resolver;
pub mod selector;
pub mod shared;
pub mod stack;
pub mod thread;
mod threads;
pub mod waits;
pub mod waker;

pub use clock::Clock;
pub use directory::Directory;
pub use driver::{Completion, Direction, Driver, ListenOptions, OpOutcome, Socket, Start};
pub use executor::{Executor, JobDone, JobId, Work, WorkResult};
pub use inbox::Inbox;
pub use memory::Memory;
pub use resolver::{resolve_literal, ResolveFailure, ResolveRequest, Resolved};
pub use shared::Shared;
pub use waits::{Ticket, Waits};
pub use waker::Waker;

/// A growable array in the loop's memory.
pub type List<T> = crate::base::List<T, Memory>;
/// A queue in the loop's memory.
pub type Ring<T> = crate::base::Ring<T, Memory>;
/// A table in the loop's memory.
pub type Slab<T> = crate::base::Slab<T, Memory>;
/// A message in the loop's memory.
pub type Text = crate::base::Text<Memory>;
