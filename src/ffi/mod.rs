//! The C ABI: one file per noun, in the order of the header.

pub mod library;
