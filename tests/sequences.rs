//! Random sequences of calls through the C ABI, held against the header's rules.
//!
//! From a seed a sequence opens loops of every kind and makes random calls of
//! every exported function, from outside, from callbacks and from tasks, with
//! live, stale and forged handles. What is checked: each answer is a status of
//! the header's; each accepted callback comes once, never inside the call that
//! took it and never after its loop has closed; destructors run once; a promise
//! brings what it was completed with; the bytes that a stream brings are those
//! that were sent; a closed loop leaves no memory, descriptor or thread behind.
//!
//! `ROTA_SEED=n` plays one sequence and says what it does; `ROTA_FUZZ_SECONDS=n`
//! plays further ones for so long, from `ROTA_FUZZ_FROM` on or from anywhere.
//! The seed fixes the choices, not what the system and other threads do
//! meanwhile: a failure may need several replays.
// Each unsafe block is a call of the C ABI, its pointers the test's.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks)]

#[path = "sequences/bodies.rs"]
mod bodies;
#[path = "sequences/combine.rs"]
mod combine;
#[path = "sequences/groups.rs"]
mod groups;
#[path = "sequences/handles.rs"]
mod handles;
#[path = "sequences/ledger.rs"]
mod ledger;
#[path = "sequences/loops.rs"]
mod loops;
#[path = "sequences/memory.rs"]
mod memory;
#[path = "sequences/streams.rs"]
mod streams;
#[path = "sequences/sync.rs"]
mod sync;
#[path = "sequences/tasks.rs"]
mod tasks;
#[path = "sequences/wire.rs"]
mod wire;
#[path = "sequences/world.rs"]
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What every run plays: whatever has once found something stays here.
const FIXED: std::ops::Range<u64> = 1..81;
/// How long one sequence may take, under a checker too.
const LIMIT_SECONDS: u64 = 120;

/// When the sequence that is being played began, in seconds; the watchdog looks at it.
static BEGAN: AtomicU64 = AtomicU64::new(u64::MAX);
static SEED: AtomicU64 = AtomicU64::new(0);

/// A sequence that does not end is a failure too.
fn watch(since: Instant) {
    std::thread::spawn(move || loop {
        std::thread::park_timeout(Duration::from_secs(1));
        let began = BEGAN.load(Ordering::Acquire);
        if began != u64::MAX && since.elapsed().as_secs() > began.saturating_add(LIMIT_SECONDS) {
            world::die(SEED.load(Ordering::Acquire), "it does not end");
        }
    });
}

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

fn descriptors() -> usize {
    entries("/proc/self/fd")
}

fn threads() -> usize {
    entries("/proc/self/task")
}

/// Plays one sequence and checks what it leaves behind.
fn play(seed: u64, loud: bool, since: Instant) {
    SEED.store(seed, Ordering::Release);
    BEGAN.store(since.elapsed().as_secs(), Ordering::Release);
    let (before, ran) = (descriptors(), threads());
    let abandoned = loops::play(seed, loud);
    if !abandoned {
        let after = descriptors();
        world::ensure(after == before, || format!("{before} descriptors before, {after} after"));
        // A thread that was joined may stand in /proc for a moment longer.
        let end = Instant::now() + Duration::from_secs(10);
        while threads() > ran && Instant::now() < end {
            std::thread::yield_now();
        }
        world::ensure(threads() <= ran, || format!("{ran} threads before, {} after", threads()));
    }
    BEGAN.store(u64::MAX, Ordering::Release);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn random_sequences_of_calls_keep_the_rules() {
    let since = Instant::now();
    watch(since);
    if let Some(seed) = number("ROTA_SEED") {
        for _ in 0..number("ROTA_FUZZ_REPEAT").unwrap_or(1) {
            play(seed, true, since);
        }
        return;
    }
    FIXED.for_each(|seed| play(seed, false, since));
    let Some(seconds) = number("ROTA_FUZZ_SECONDS") else { return };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let unheard = now.map_or(0, |now| now.as_nanos() as u64) % 1_000_000_000_000;
    let mut seed = number("ROTA_FUZZ_FROM").unwrap_or(unheard);
    let (first, began) = (seed, Instant::now());
    while began.elapsed() < Duration::from_secs(seconds) {
        seed += 1;
        play(seed, false, since);
    }
    println!("random sequences: {} fixed, {} new from {first} on", FIXED.count(), seed - first);
}
