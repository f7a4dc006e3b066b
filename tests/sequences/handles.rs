//! Handles: those that were handed out, whether they live or not, and forged ones.

use crate::world::{once_in, roll, with};

/// The nouns that have handles of their own, beside the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    Call,
    Timer,
    Future,
    Task,
    Listener,
    Stream,
    Lock,
    Condition,
    Rwlock,
    Semaphore,
    Event,
    Queue,
    Barrier,
    Once,
    Set,
    Scope,
    Group,
}

const NOUNS: [Noun; 17] = [
    Noun::Call,
    Noun::Timer,
    Noun::Future,
    Noun::Task,
    Noun::Listener,
    Noun::Stream,
    Noun::Lock,
    Noun::Condition,
    Noun::Rwlock,
    Noun::Semaphore,
    Noun::Event,
    Noun::Queue,
    Noun::Barrier,
    Noun::Once,
    Noun::Set,
    Noun::Scope,
    Noun::Group,
];

#[derive(Default)]
pub struct Handles {
    lists: [Vec<u64>; NOUNS.len()],
    /// Every task whose body has begun.
    begun: Vec<u64>,
    /// Every scope that was entered.
    entered: Vec<u64>,
}

/// How many of a noun are remembered; among them some have ended.
const REMEMBERED: usize = 24;

/// Remembers a handle; another one may be forgotten for it.
pub fn remember(noun: Noun, id: u64) {
    if id == 0 {
        return;
    }
    let place = roll(REMEMBERED as u64) as usize;
    with(|world| {
        let list = &mut world.handles.lists[noun as usize];
        if list.len() < REMEMBERED {
            list.push(id);
        } else {
            list[place] = id;
        }
    });
}

/// The body of a task has begun.
pub fn begun(id: u64) {
    with(|world| {
        if !world.handles.begun.contains(&id) {
            world.handles.begun.push(id);
        }
    });
}

/// Every task whose body has begun; most have ended.
pub fn all_begun() -> Vec<u64> {
    with(|world| world.handles.begun.clone())
}

/// A scope was entered.
pub fn entered(id: u64) {
    with(|world| world.handles.entered.push(id));
}

/// Every scope that was entered; most have been left.
pub fn all_entered() -> Vec<u64> {
    with(|world| world.handles.entered.clone())
}

/// A handle for a call: mostly one that was handed out, rarely null, of another noun, or forged.
pub fn any(noun: Noun) -> u64 {
    match roll(60) {
        0 => 0,
        1 => known(NOUNS[roll(NOUNS.len() as u64) as usize]),
        2 => forged(known(noun)),
        _ => known(noun),
    }
}

fn known(noun: Noun) -> u64 {
    let count = with(|world| world.handles.lists[noun as usize].len() as u64);
    if count == 0 {
        return 0;
    }
    // The youngest are the likeliest to live.
    let back = if once_in(3) { roll(count) } else { roll(count.min(6)) };
    with(|world| world.handles.lists[noun as usize][(count - 1 - back) as usize])
}

/// Another generation of the same slot, or another noun; never what is alive by chance.
fn forged(id: u64) -> u64 {
    match roll(3) {
        0 => id ^ (0x80_0000 << 24),
        1 => id ^ (0x3F << 58),
        _ => id ^ 0x7F_0000,
    }
}
