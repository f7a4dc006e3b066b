//! The only code that talks to the system and to the host.

pub mod buffer;
pub mod host;
pub mod memory;
pub mod thread;

pub use memory::Memory;

/// A growable array in the loop's memory.
pub type List<T> = crate::base::List<T, Memory>;
/// A queue in the loop's memory.
pub type Ring<T> = crate::base::Ring<T, Memory>;
/// A table in the loop's memory.
pub type Slab<T> = crate::base::Slab<T, Memory>;
/// A message in the loop's memory.
pub type Text = crate::base::Text<Memory>;
