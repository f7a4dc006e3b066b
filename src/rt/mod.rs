//! The runtime: one turn, the ready queue, timers, futures, tasks.

pub mod timers;
