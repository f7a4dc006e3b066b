//! The C ABI: one file per noun.
//!
//! Each exported function makes the same three moves: check, call, hand out.
//! It holds no logic. `guard` stands between a panic and the host, `registry`
//! finds the loop behind a handle, `options` reads structs that may be older
//! or newer than this library. The order of the nouns below is the order of
//! the header; the blank lines keep rustfmt from sorting it.

mod guard;
mod options;
mod registry;
mod services;

pub mod library;

pub mod loop_options;

pub mod event_loop;

pub mod call;

pub mod timer;

pub mod future;

pub mod combine;

pub mod map;

pub mod set;

pub mod drain;

pub mod cause;

pub mod task;

pub mod local;

pub mod scope;

pub mod group;

pub mod owner;

pub mod dump;

pub mod blocking;

pub mod post;

pub mod address;

pub mod resolve;

pub mod listener;

pub mod stream;

pub mod lock;

pub mod condition;

pub mod rwlock;

pub mod semaphore;

pub mod event;

pub mod queue;

pub mod barrier;

pub mod once;

pub mod channel;

pub mod token;
