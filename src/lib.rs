//! rota: asyncio for C.
//!
//! An event loop, futures and tasks behind one C header. The modules stand in
//! layer order, and imports point upwards in this list only; ARCHITECTURE.md
//! is the map, tests/layers.rs holds the code to it.

pub mod base;

#[allow(unsafe_code)]
pub mod sys;

pub mod rt;

pub mod sync;

pub mod io;

#[allow(unsafe_code)]
pub mod ffi;
