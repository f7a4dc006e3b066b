//! What knows nothing of loops or systems: statuses, handles, containers, limits.

pub mod address;
pub mod cause;
pub mod handle;
pub mod heap;
pub mod limits;
pub mod list;
pub mod outcome;
pub mod ring;
pub mod slab;
pub mod status;
pub mod text;

pub use address::rota_address;
pub use cause::Numbers;
pub use handle::{Handle, Kind};
pub use heap::Heap;
pub use list::List;
pub use outcome::{rota_failure, rota_outcome};
pub use ring::Ring;
pub use slab::{Key, Slab};
pub use status::{rota_status, Error, Result};
pub use text::Text;
