//! The C ABI: one file per noun, in the order of the header.
//!
//! Each exported function makes the same three moves: check, call, hand out.
//! It holds no logic. `guard` stands between a panic and the host, `registry`
//! finds the loop behind a handle, `options` reads structs that may be older
//! or newer than this library.

mod guard;
mod options;
mod registry;

pub mod address;
pub mod blocking;
pub mod call;
pub mod event_loop;
pub mod future;
pub mod library;
pub mod listener;
pub mod loop_options;
pub mod resolve;
pub mod stream;
pub mod task;
pub mod timer;
