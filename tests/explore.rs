//! The cancel state machine, explored: every order of events over small programs, on the virtual clock.
//!
//! A *shape* is a program of up to four tasks: a root that opens groups, members
//! that wait, join each other, enter timeouts and shields, and open groups of
//! their own; with a habit for each task, which is what it does when it is asked
//! to end (`explore/shapes.rs`). An *event* comes from outside: the loop runs one
//! of its queue, the clock reaches the next deadline, a promise is completed or
//! failed, a task, scope or group is cancelled, a group or the loop is closed
//! (`explore/world.rs`). Between any two callbacks any event may come, so a turn
//! is cut at every place.
//!
//! A path is played from the start on a loop of its own. Beside it runs a model of
//! what the loop guarantees (`model.rs`, `groups.rs` and `steps.rs` there), which
//! is told of each event and of each call that a body makes, and says what each
//! must answer. Held against it are: every status and every outcome that a body
//! gets (a ready outcome wins, a request is delivered once and from furthest
//! outside, a shield holds it back, only who timed out says TIMEOUT); who goes on,
//! in which order; and after every event how many requests stand against each
//! task, whether and why each scope has fired, members and failures of each group
//! in their order, what stands in the queue and among the timers. Counted beside
//! it: each body runs once and returns once; each destructor runs once, after the
//! end of its task and of its groups' members; no task is told of more requests
//! than were made; no scope times out early. Each path is then run to its end:
//! what waits is completed, and the loop closes clean, without a task, a future or
//! a timer left.
//!
//! **What is exhaustive.** For each shape all orders of steps, completions and
//! deadlines, with at most one *disturbance* (a cancel, a failure, a close)
//! anywhere; two paths that lead to the same state, the model's, are followed
//! once. Plans of one task have every habit; of larger ones some combinations are
//! played, such that each task has each habit. `ROTA_EXPLORE_DEPTH=2` allows two
//! disturbances, and every combination up to three tasks: a few minutes, in
//! release. **What is not:** the other combinations of four tasks, bodies that
//! cancel somebody themselves, several who wait for one group or promise,
//! operations other than promises, joins and groups, groups that keep going or
//! that nobody owns, persistent scopes, moved deadlines, other threads:
//! `sequences.rs` has those at random, and `tests/c` by hand.
//!
//! What is found is printed with a line that plays that path alone:
//! `ROTA_EXPLORE_SHAPE=9,34 ROTA_EXPLORE_EVENTS='[Step, Cancel(1)]'`.
// Each unsafe block is a call of the C ABI, its pointers the test's.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks)]

#[path = "explore/bodies.rs"]
mod bodies;
#[path = "explore/checks.rs"]
mod checks;
#[path = "explore/model.rs"]
mod model;
#[path = "explore/shapes.rs"]
mod shapes;
#[path = "explore/world.rs"]
mod world;

use std::collections::HashSet;
use world::Event;

#[derive(Default)]
struct Counts {
    paths: usize,
    states: usize,
    events: usize,
}

/// Plays every order of events of a shape, `disturbances` of them at most.
fn explore(shape: &shapes::Shape, disturbances: usize, counts: &mut Counts) {
    let mut seen = HashSet::new();
    let mut waiting: Vec<Vec<Event>> = vec![Vec::new()];
    while let Some(mut path) = waiting.pop() {
        world::begin(shape);
        if let Some((last, known)) = path.split_last() {
            known.iter().for_each(|event| world::happens_again(*event));
            world::happens(*last);
        }
        // On from here with the first event that is possible; the others are played later.
        loop {
            let left = disturbances - path.iter().filter(|event| event.disturbs()).count();
            if !seen.insert(world::hash(left)) {
                break;
            }
            let mut next = world::events(left).into_iter();
            let Some(first) = next.next() else { break };
            waiting.extend(next.map(|event| [&path[..], &[event]].concat()));
            world::happens(first);
            path.push(first);
        }
        counts.events += path.len();
        counts.paths += 1;
        world::end();
    }
    counts.states += seen.len();
}

/// Plays the one path that the environment names, if it does.
fn replay() -> Option<()> {
    let shape = std::env::var("ROTA_EXPLORE_SHAPE").ok()?;
    let (plan, habits) = shape.split_once(',')?;
    world::begin(&shapes::one((plan.parse().ok()?, habits.parse().ok()?)));
    let events = std::env::var("ROTA_EXPLORE_EVENTS").unwrap_or_default();
    for event in events.trim_matches(['[', ']']).split(',').filter_map(Event::read) {
        world::happens(event);
    }
    world::end();
    Some(())
}

#[test]
fn every_order_of_events_keeps_the_rules() {
    if replay().is_some() {
        return;
    }
    let began = std::time::Instant::now();
    let depth = std::env::var("ROTA_EXPLORE_DEPTH").ok().and_then(|depth| depth.parse().ok());
    let disturbances = depth.unwrap_or(1);
    let (shapes, mut counts) = (shapes::all(if depth.is_some() { 3 } else { 1 }), Counts::default());
    for shape in &shapes {
        explore(shape, disturbances, &mut counts);
        if depth.is_some() {
            println!("{:?} {:?} {}: {} paths so far", began.elapsed(), shape.number, shape.name, counts.paths);
        }
    }
    let Counts { paths, states, events } = counts;
    println!("{} shapes, {paths} paths, {states} states, {events} events, {:?}", shapes.len(), began.elapsed());
    assert!(states > shapes.len() * 100, "the exploration has shrunk: {states} states");
}
