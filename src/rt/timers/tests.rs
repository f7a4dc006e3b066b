//! The timers against a model that is a sorted map, and each promise by itself.

use super::{Timers, LEVELS, NEVER};
use crate::base::{rota_status, Key};
use crate::sys::Memory;
use allocator_api2::alloc::Global;
use std::collections::{BTreeMap, BTreeSet};

const SECOND: u64 = 1_000_000_000;
const YEAR: u64 = 365 * 86400 * SECOND;

/// Numbers that look random, the same in every run (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A delay of up to `scale`; a few are zero, never, or a thousand times as long.
    fn delay(&mut self, scale: u64) -> u64 {
        match self.below(40) {
            0 => 0,
            1 => NEVER,
            2..=4 => self.below(scale).saturating_mul(1000),
            5..=9 => self.below(scale / 50 + 1),
            _ => self.below(scale),
        }
    }
}

/// What the timers should be: armed and due ones in order of deadline and age.
struct Model {
    timers: Timers<u64, Global>,
    numbers: Numbers,
    scale: u64,
    now: u64,
    age: u64,
    /// Payload, key, deadline, age of all that live.
    live: Vec<(u64, Key, u64, u64)>,
    armed: BTreeSet<(u64, u64, u64)>,
    due: BTreeSet<(u64, u64, u64)>,
    firing: Vec<u64>,
    ended: Vec<Key>,
    fired: u64,
    next_payload: u64,
}

impl Model {
    fn new(seed: u64, scale: u64, now: u64) -> Self {
        let (armed, due) = (BTreeSet::new(), BTreeSet::new());
        let (live, firing, ended) = (Vec::new(), Vec::new(), Vec::new());
        let (timers, numbers) = (Timers::new(Global, 1, now), Numbers(seed));
        Model { timers, numbers, scale, now, age: 0, live, armed, due, firing, ended, fired: 0, next_payload: 0 }
    }

    fn deadline(&mut self) -> u64 {
        match self.numbers.below(50) {
            0 => self.now.saturating_sub(self.numbers.below(self.scale)),
            _ => self.now.saturating_add(self.numbers.delay(self.scale)),
        }
    }

    fn arm(&mut self) {
        let (deadline, payload) = (self.deadline(), self.next_payload);
        let key = self.timers.arm(deadline, payload).unwrap();
        self.next_payload += 1;
        self.live.push((payload, key, deadline, self.age));
        self.armed.insert((deadline, self.age, payload));
        self.age += 1;
    }

    /// Some live timer's place in `live`, and the timer taken out of the sets.
    fn pick(&mut self) -> Option<usize> {
        let index = self.numbers.below(self.live.len().max(1) as u64) as usize;
        let (payload, key, deadline, age) = *self.live.get(index)?;
        assert_eq!(self.timers.get(key), Some(&payload));
        assert_eq!(self.timers.deadline(key), Some(deadline));
        assert_eq!(self.timers.is_firing(key), self.firing.contains(&payload));
        self.armed.remove(&(deadline, age, payload));
        self.due.remove(&(deadline, age, payload));
        self.firing.retain(|other| *other != payload);
        Some(index)
    }

    fn cancel(&mut self) {
        let Some(index) = self.pick() else { return };
        let (payload, key, ..) = self.live.swap_remove(index);
        assert_eq!(self.timers.cancel(key), Some(payload));
        self.ended.push(key);
    }

    fn rearm(&mut self) {
        let Some(index) = self.pick() else { return };
        let deadline = self.deadline();
        let (payload, key, ..) = self.live[index];
        assert!(self.timers.rearm(key, deadline));
        self.live[index] = (payload, key, deadline, self.age);
        self.armed.insert((deadline, self.age, payload));
        self.age += 1;
    }

    fn expire(&mut self) {
        let now = match self.numbers.below(20) {
            0 => self.now.saturating_sub(self.numbers.below(self.scale)),
            1 => self.now + self.numbers.below(self.scale) * 10,
            2 => self.now,
            3..=8 => self.timers.next_wakeup().unwrap_or(self.now),
            _ => self.now + self.numbers.below(self.scale) / 10,
        };
        self.timers.expire(now);
        self.now = self.now.max(now);
        while let Some(first) = self.armed.first().copied().filter(|first| first.0 <= self.now && first.0 != NEVER) {
            self.armed.remove(&first);
            self.due.insert(first);
        }
    }

    fn pop(&mut self) {
        let expected = self.due.pop_first().map(|(_, _, payload)| payload);
        let popped = self.timers.pop_due();
        assert_eq!(popped.map(|(_, payload)| payload), expected);
        if let Some((key, payload)) = popped {
            assert!(self.timers.is_firing(key));
            self.firing.push(payload);
            self.fired += 1;
        }
    }

    /// Finishes the oldest that fires, and something that does not fire.
    fn finish(&mut self) {
        if let Some(armed) = self.live.iter().find(|timer| !self.firing.contains(&timer.0)) {
            assert!(!self.timers.finish(armed.1), "what does not fire is not ended");
        }
        if self.firing.is_empty() {
            return;
        }
        let payload = self.firing.remove(0);
        let index = self.live.iter().position(|timer| timer.0 == payload).unwrap();
        let (_, key, ..) = self.live.swap_remove(index);
        assert!(self.timers.finish(key));
        self.ended.push(key);
    }

    fn check(&mut self, exact: bool) {
        assert_eq!(self.timers.len(), self.live.len());
        assert_eq!(self.timers.is_empty(), self.live.is_empty());
        if let Some(key) = self.ended.pop() {
            assert!(self.timers.get(key).is_none() && self.timers.deadline(key).is_none());
            assert!(self.timers.cancel(key).is_none() && !self.timers.rearm(key, 0) && !self.timers.finish(key));
        }
        let wakeup = self.timers.next_wakeup();
        let earliest = self.armed.first().map(|first| first.0).filter(|deadline| *deadline != NEVER);
        match earliest {
            _ if !self.due.is_empty() => assert_eq!(wakeup, Some(self.now)),
            None => assert_eq!(wakeup, None),
            Some(earliest) if exact || earliest <= self.now => assert_eq!(wakeup, Some(earliest)),
            Some(earliest) => assert!(wakeup.is_some_and(|at| self.now < at && at <= earliest)),
        }
    }

    fn step(&mut self, most: usize) {
        match self.numbers.below(100) {
            0..=39 if self.live.len() < most => self.arm(),
            0..=54 => self.cancel(),
            55..=79 => self.rearm(),
            80..=87 => self.expire(),
            88..=93 => self.pop(),
            _ => self.finish(),
        }
    }
}

/// Steps with at most `most` timers at once. Says how many fired.
fn walk(seed: u64, scale: u64, steps: u32, most: usize, exact: bool) -> u64 {
    let mut model = Model::new(seed, scale, seed % 1000 * (YEAR / 7));
    let mut fired = 0;
    for step in 0..steps {
        model.step(most);
        model.check(exact);
        // 292 years on, before the model's own sums overflow, another world begins.
        if model.now > NEVER / 2 {
            fired += model.fired;
            model = Model::new(seed + u64::from(step), scale, 0);
        }
    }
    fired + model.fired
}

#[test]
fn any_sequence_of_calls_does_what_a_sorted_map_would() {
    for (seed, scale) in [100, 20_000, 1_000_000, SECOND, 3600 * SECOND, 2 * YEAR].into_iter().enumerate() {
        let fired = walk(0x9E37_79B9_7F4A_7C15 + seed as u64, scale, 60_000, 400, false);
        assert!(fired > 1000, "{fired} fired at scale {scale}");
    }
}

#[test]
fn the_wakeup_is_exact_where_timers_are_few() {
    for (seed, scale) in [100, 50_000, 10_000_000, 30 * SECOND, YEAR].into_iter().enumerate() {
        let fired = walk(0xD1B5_4A32_D192_ED03 + seed as u64, scale, 20_000, 30, true);
        assert!(fired > 300, "{fired} fired at scale {scale}");
    }
}

#[test]
fn waking_when_told_reaches_every_timer_in_few_steps() {
    let mut numbers = Numbers(7);
    let mut timers = Timers::new(Global, 1, 0);
    let mut expected = BTreeMap::new();
    for n in 0..20_000_u64 {
        // Crowds of a thousand, so that the search gives up before it has seen them all.
        let deadline = (n / 1000) * (n / 1000) * 700 * SECOND + SECOND + numbers.below(50_000_000);
        timers.arm(deadline, n).unwrap();
        expected.insert((deadline, n), n);
    }
    let mut idle = 0;
    while let Some(now) = timers.next_wakeup() {
        timers.expire(now);
        idle += 1;
        while let Some((key, payload)) = timers.pop_due() {
            let ((deadline, _), first) = expected.pop_first().unwrap();
            assert_eq!((deadline, payload), (now, first));
            assert!(timers.finish(key));
            idle = 0;
        }
        assert!(idle <= LEVELS);
    }
    assert!(expected.is_empty() && timers.is_empty());
}

#[test]
fn what_is_due_comes_by_deadline_and_then_by_age() {
    let mut timers = Timers::new(Global, 1, 0);
    let keys: Vec<Key> =
        [50, 9_000_000, 50, 1_000_000, 50, 9_000_000].iter().map(|at| timers.arm(*at, *at).unwrap()).collect();
    // The first of its deadline becomes the last by being armed anew for the same one.
    assert!(timers.rearm(keys[0], 50));
    timers.expire(49);
    assert_eq!(timers.pop_due(), None);
    timers.expire(SECOND);
    let order: Vec<Key> = std::iter::from_fn(|| timers.pop_due()).map(|(key, _)| key).collect();
    assert_eq!(order, [keys[2], keys[4], keys[0], keys[3], keys[1], keys[5]]);
}

#[test]
fn a_firing_timer_ends_unless_it_is_armed_again() {
    let mut timers = Timers::new(Global, 1, 100);
    let key = timers.arm(0, 'a').unwrap();
    timers.expire(100);
    assert!(!timers.is_firing(key) && timers.next_wakeup() == Some(100));
    assert_eq!(timers.pop_due(), Some((key, 'a')));
    assert!(timers.is_firing(key) && timers.len() == 1 && timers.next_wakeup().is_none());
    assert!(timers.rearm(key, 200));
    assert!(!timers.finish(key) && timers.deadline(key) == Some(200));
    timers.expire(200);
    assert_eq!(timers.pop_due(), Some((key, 'a')));
    assert!(timers.finish(key) && !timers.finish(key) && timers.is_empty());
    assert_eq!(timers.last_generation(), 2);
}

#[test]
fn a_due_timer_can_still_be_cancelled_or_moved() {
    let mut timers = Timers::new(Global, 1, 0);
    let keys = [1, 2, 3].map(|at| timers.arm(at, at).unwrap());
    timers.expire(3);
    assert_eq!(timers.cancel(keys[0]), Some(1));
    assert!(timers.rearm(keys[1], 10));
    assert_eq!(timers.pop_due(), Some((keys[2], 3)));
    assert_eq!(timers.pop_due(), None);
    assert_eq!((timers.next_wakeup(), timers.len()), (Some(10), 2));
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut timers = Timers::new(Global, 1, 1000 * SECOND);
    let key = timers.arm(1001 * SECOND, ()).unwrap();
    for now in [0, 999 * SECOND, 1001 * SECOND - 1, 5] {
        timers.expire(now);
        assert_eq!((timers.pop_due(), timers.next_wakeup()), (None, Some(1001 * SECOND)));
    }
    timers.expire(1001 * SECOND);
    assert_eq!(timers.pop_due(), Some((key, ())));
}

#[test]
fn never_is_never_and_the_moment_before_is_not() {
    let mut timers = Timers::new(Global, 1, 0);
    let never = timers.arm(NEVER, 'n').unwrap();
    assert_eq!(timers.next_wakeup(), None);
    let last = timers.arm(NEVER - 1, 'l').unwrap();
    let moved = timers.arm(7, 'm').unwrap();
    assert!(timers.rearm(moved, NEVER));
    assert_eq!(timers.next_wakeup(), Some(NEVER - 1));
    timers.expire(NEVER);
    assert_eq!((timers.pop_due(), timers.pop_due()), (Some((last, 'l')), None));
    assert_eq!((timers.next_wakeup(), timers.deadline(never)), (None, Some(NEVER)));
    assert!(timers.rearm(never, 5));
    timers.expire(0);
    assert_eq!(timers.pop_due(), Some((never, 'n')));
}

#[test]
fn next_finds_every_timer_while_a_loop_closes() {
    let mut timers = Timers::new(Global, 1, 0);
    let keys: Vec<Key> = (0..100_000).map(|n| timers.arm(n * 1000, n).unwrap()).collect();
    timers.expire(50_000_000);
    timers.pop_due().unwrap();
    timers.cancel(keys[10]).unwrap();
    let (mut ended, mut at) = (0, 0);
    while let Some(key) = timers.next(at) {
        at = key.slot + 1;
        assert!(timers.cancel(key).is_some());
        ended += 1;
        if ended == 60_000 {
            at = timers.arm(0, 0).unwrap().slot;
        }
    }
    assert_eq!((ended, timers.len(), timers.next_wakeup()), (100_000, 0, None));
}

#[test]
fn the_steady_state_takes_no_memory() {
    let memory = Memory::new(None, u64::MAX);
    let mut timers = Timers::new(memory.clone(), 1, 0);
    let keys: Vec<Key> = (0..5000).map(|n| timers.arm(n * 10_000, n).unwrap()).collect();
    let used = memory.used();
    let mut numbers = Numbers(3);
    for round in 1..200 {
        let now = round * 1_000_000;
        for key in &keys[..2500] {
            assert!(timers.rearm(*key, now + numbers.below(3_000_000)));
        }
        timers.expire(now);
        // Every other round leaves what is due standing, to be armed again while it is due.
        while let Some((key, _)) = timers.pop_due().filter(|_| round % 2 == 0) {
            assert!(timers.rearm(key, now + 500_000) && !timers.finish(key));
        }
        let extra = timers.cancel(keys[round as usize + 4000]).unwrap();
        timers.arm(now, extra).unwrap();
        timers.next_wakeup();
    }
    assert!(timers.len() == 5000 && used > 0);
    assert_eq!((memory.used(), memory.peak()), (used, used));
}

#[test]
fn without_memory_arming_fails_and_nothing_is_lost() {
    let mut least = usize::MAX;
    for limit in (0..40_000).step_by(1111) {
        let mut timers = Timers::new(Memory::new(None, limit), 1, 0);
        let refused = loop {
            match timers.arm(timers.len() as u64 * 5000, timers.len()) {
                Ok(_) => {}
                Err(error) => break error.status,
            }
        };
        assert_eq!(refused, rota_status::ROTA_ERR_MEMORY);
        let armed = timers.len();
        least = least.min(armed);
        timers.expire(SECOND);
        for n in 0..armed {
            let (key, payload) = timers.pop_due().unwrap();
            assert!(payload == n && timers.finish(key));
        }
        assert!(timers.is_empty() && timers.pop_due().is_none());
    }
    assert_eq!(least, 0);
}
