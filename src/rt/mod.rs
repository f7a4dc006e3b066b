//! The runtime: one turn, the ready queue, timers, futures, tasks.
