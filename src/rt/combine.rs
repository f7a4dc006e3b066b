//! Futures made of futures: what all combinations have in common.
//!
//! ```text
//!   inner futures        members          the combination        the outer future
//!    F1 ── done ──▶ Waiter::Member(m1) ─┐
//!    F2 ── done ──▶ Waiter::Member(m2) ─┼─▶ Entry::Combine ──▶ its step ──▶ done
//!    its timer, a request to cancel ────┘   (once, queued)
//! ```
//!
//! A combination waits for its inner futures through *members*, which stand in
//! their lines like any other waiter. Whatever happens to it (a member's future
//! is done, its time is over, its outer future is to be cancelled) is noted, and
//! its one place in the ready queue is taken: the *step* is made in its turn, by
//! the loop. So nothing here calls anything in a circle, however deeply
//! combinations are nested, and nothing allocates but the start.
//!
//! A member is a claim, or only watches (`wait`): a watcher holds nothing, ends
//! nothing and has seen nothing. A combination whose outer future is done may
//! live on, until what it claimed has ended. How it is cancelled stands in
//! `combine_cancel.rs`.

use super::core::Core;
use super::event_loop::State;
use super::future::{Object, Source};
use super::gather::{Gather, Until};
use super::map::Continuation;
use super::outcome::Outcome;
use super::race::Race;
use super::ready::Entry;
use super::service::Service;
use super::waiters::Waiter;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::host::HostFree;
use crate::sys::{Memory, Slab, Text};

/// What a combination makes of its members.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// As its one member, within a time.
    WaitFor,
    /// As its one member, which is not cancelled with it.
    Shield,
    /// When all have been.
    Gather(Gather),
    /// When enough have been; it only watches.
    Wait(Until),
    /// When the first has been, and the others have ended.
    Race(Race),
    /// As the host says when its one member is done.
    Continue(Continuation),
}

/// What the caller of a step has to call before the step goes on.
pub(super) enum Due {
    /// A destructor.
    Free(HostFree),
    /// A function of the host's for a future, and what it is told.
    Call(Continuation, Key, i64),
}

/// A member whose future is done.
pub(super) struct Arrived {
    pub(super) future: Key,
    /// Its place among the members.
    pub(super) index: u32,
    pub(super) failed: bool,
}

/// A combination.
pub struct Combine {
    pub(super) rule: Rule,
    /// The future that it completes.
    pub(super) outer: Key,
    pub(super) members: Option<(Key, Key)>,
    arrived: Option<(Key, Key)>,
    /// Members that have not been dealt with.
    pub(super) open: usize,
    /// The timer, while it is armed.
    pub(super) timer: Option<Key>,
    /// Whether it stands in the ready queue.
    queued: bool,
    /// A request to cancel that the step has not met yet.
    pub(super) ask_due: bool,
    /// The number of the request that it passes on, or has passed on last.
    pub(super) round: u32,
    /// Whether its members were cancelled because the outer future was.
    pub(super) cancelling: bool,
    /// The end of its time, which the step has not met yet.
    pub(super) expiry_due: bool,
    /// Whether its time is over.
    pub(super) expired: bool,
    /// Whether its members were cancelled because of what another came to.
    rest_cancelled: bool,
    /// Whether the host's function for its one member has been called.
    pub(super) called: bool,
    /// Which of many has won.
    pub(super) winner: Option<u32>,
    /// The first failure among many.
    pub(super) answer: Option<(Outcome, Text)>,
    /// How many of many are done.
    pub(super) done: i64,
    /// How many of those failed.
    pub(super) failed: i64,
    /// The walk that came by last, and where that goes next.
    pub(super) walk: u32,
    pub(super) walk_next: Option<Key>,
}

impl Combine {
    /// One of many is done.
    pub(super) fn note(&mut self, failed: bool) {
        self.done += 1;
        self.failed += i64::from(failed);
    }

    /// Whether the rest is to be cancelled now, because one has failed, or won.
    fn take_rest_due(&mut self) -> bool {
        let decided = match self.rule {
            Rule::Gather(Gather::CancelRest) => self.answer.is_some(),
            Rule::Race(_) => self.winner.is_some(),
            _ => false,
        };
        let due = decided && !self.rest_cancelled;
        self.rest_cancelled |= due;
        due
    }
}

pub(super) struct Member {
    combine: Key,
    pub(super) future: Key,
    /// Its place among the members.
    index: u32,
    /// Whether it is a claim; else it only watches.
    claims: bool,
    /// Whether it still stands in the future's line.
    pub(super) waiting: bool,
    /// Whether the future failed.
    failed: bool,
    pub(super) next: Option<Key>,
    next_arrived: Option<Key>,
}

/// The tables of a loop's combinations.
pub struct Combines {
    table: Slab<Combine>,
    pub(super) members: Slab<Member>,
}

impl Combines {
    /// Empty ones.
    pub fn new(memory: &Memory) -> Self {
        Combines { table: Slab::new(memory.clone(), 1), members: Slab::new(memory.clone(), 1) }
    }

    /// The combination that a key names.
    pub(super) fn get(&self, key: Key) -> Option<&Combine> {
        self.table.get(key)
    }

    /// The first member of a combination whose future is not done: the member, and that future.
    pub(super) fn first_waiting(&self, key: Key) -> Option<(Key, Key)> {
        self.waiting_from(self.table.get(key)?.members.map(|(first, _)| first))
    }

    /// The next after this one.
    pub(super) fn next_waiting(&self, member: Key) -> Option<(Key, Key)> {
        self.waiting_from(self.members.get(member)?.next)
    }

    fn waiting_from(&self, mut at: Option<Key>) -> Option<(Key, Key)> {
        loop {
            let member = self.members.get(at?)?;
            if member.waiting {
                return Some((at?, member.future));
            }
            at = member.next;
        }
    }

    /// As `get`, to change it.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Combine> {
        self.table.get_mut(key)
    }
}

impl Core {
    /// A new combination without members, and its outer future.
    pub(super) fn combine_new(&mut self, rule: Rule) -> Result<Key> {
        self.ready.reserve_one()?;
        let made = self.combine_insert(rule);
        if made.is_err() {
            self.ready.release_one();
        }
        made
    }

    fn combine_insert(&mut self, rule: Rule) -> Result<Key> {
        let outer = self.future_new(Source::Promise)?;
        let inserted = self.combines.table.insert(Combine {
            rule,
            outer,
            members: None,
            arrived: None,
            open: 0,
            timer: None,
            queued: false,
            ask_due: false,
            round: 0,
            cancelling: false,
            expiry_due: false,
            expired: false,
            rest_cancelled: false,
            called: false,
            winner: None,
            walk: 0,
            walk_next: None,
            answer: None,
            done: 0,
            failed: 0,
        });
        match (inserted, self.futures.get_mut(outer)) {
            (Ok(key), Some(future)) => future.source = Source::Combine(key),
            _ => drop(self.futures.remove(outer)),
        }
        inserted
    }

    /// Adds a member for `future`.
    pub(super) fn combine_add(&mut self, key: Key, future: Key, claims: bool) -> Result<()> {
        self.combine_add_at(key, future, claims, 0)
    }

    /// As `combine_add`, where the members' places matter.
    pub(super) fn combine_add_at(&mut self, key: Key, future: Key, claims: bool, index: u32) -> Result<()> {
        let (waiting, failed) = (true, false);
        let new = Member { combine: key, future, index, claims, waiting, failed, next: None, next_arrived: None };
        let member = self.combines.members.insert(new)?;
        let Some(combine) = self.combines.table.get_mut(key) else { return Err(ROTA_ERR_HANDLE.into()) };
        let before = combine.members;
        let (first, last) = before.map_or((member, None), |(first, last)| (first, Some(last)));
        combine.members = Some((first, member));
        combine.open += 1;
        let waits = if claims {
            self.future_claim(future, Waiter::Member(member))
        } else {
            self.future_watch(future, Waiter::Member(member))
        };
        if waits.is_err() {
            self.combines.members.discard(member);
            if let Some(combine) = self.combines.table.get_mut(key) {
                combine.members = before;
                combine.open -= 1;
            }
            return waits;
        }
        if let Some(slot) = last.and_then(|last| self.combines.members.get_mut(last)) {
            slot.next = Some(member);
        }
        Ok(())
    }

    /// Its one member, which has been dealt with, waits for another future.
    pub(super) fn combine_wait_on(&mut self, key: Key, future: Key) -> Result<()> {
        self.futures.get(future).ok_or(ROTA_ERR_HANDLE)?;
        let Some(combine) = self.combines.table.get_mut(key) else { return Err(ROTA_ERR_HANDLE.into()) };
        let Some((member, _)) = combine.members else { return Err(ROTA_ERR_HANDLE.into()) };
        combine.open = 1;
        if let Some(slot) = self.combines.members.get_mut(member) {
            (slot.future, slot.waiting, slot.next_arrived) = (future, true, None);
        }
        let claimed = self.future_claim(future, Waiter::Member(member));
        if claimed.is_err() {
            let slot = self.combines.members.get_mut(member);
            slot.into_iter().for_each(|slot| slot.waiting = false);
            self.combines.table.get_mut(key).into_iter().for_each(|combine| combine.open = 0);
        }
        claimed
    }

    /// The future of its first member.
    pub(super) fn combine_first(&self, key: Key) -> Option<Key> {
        let (first, _) = self.combines.table.get(key)?.members?;
        self.combines.members.get(first).map(|slot| slot.future)
    }

    /// The moment that is so far from now; `u64::MAX` is never.
    pub fn deadline_after(&mut self, timeout_ns: u64) -> u64 {
        match timeout_ns {
            u64::MAX => u64::MAX,
            _ => self.read_clock().saturating_add(timeout_ns),
        }
    }

    /// Gives it a time; `u64::MAX` is none.
    pub(super) fn combine_arm(&mut self, key: Key, deadline: u64) -> Result<()> {
        if deadline == u64::MAX {
            return Ok(());
        }
        let timer = self.timers.arm(deadline, super::timer::TimerAction::Combine(key))?;
        if let Some(combine) = self.combines.table.get_mut(key) {
            combine.timer = Some(timer);
        }
        Ok(())
    }

    /// Takes back a combination that could not be started: its futures are as they were.
    pub(super) fn combine_undo(&mut self, key: Key) {
        let Some(combine) = self.combines.table.get(key) else { return };
        let (outer, mut at) = (combine.outer, combine.members.map(|(first, _)| first));
        while let Some(member) = at {
            let Some(slot) = self.combines.members.get(member) else { break };
            let (future, claims) = (slot.future, slot.claims);
            at = slot.next;
            match self.futures.get_mut(future) {
                Some(future) if future.done => future.claims -= u32::from(claims),
                _ => self.member_withdraw(member),
            }
        }
        self.futures.discard(outer);
        self.combine_end(key);
    }

    /// Takes a member out of the line in which it stands.
    pub(super) fn member_withdraw(&mut self, member: Key) {
        let Some(slot) = self.combines.members.get_mut(member) else { return };
        slot.waiting = false;
        let (future, claims) = (slot.future, slot.claims);
        let of = |waiter: &Waiter| matches!(waiter, Waiter::Member(of) if *of == member);
        if claims {
            self.future_unclaim(future, of);
        } else {
            self.future_unwatch(future, of);
        }
    }

    /// The future of a member is done.
    pub(super) fn member_arrived(&mut self, member: Key) {
        let Some(slot) = self.combines.members.get_mut(member) else { return };
        slot.waiting = false;
        slot.failed = self.futures.get(slot.future).is_some_and(|future| future.outcome.status < 0);
        let key = slot.combine;
        let Some(combine) = self.combines.table.get_mut(key) else { return };
        let (first, last) = combine.arrived.map_or((member, None), |(first, last)| (first, Some(last)));
        combine.arrived = Some((first, member));
        if let Some(slot) = last.and_then(|last| self.combines.members.get_mut(last)) {
            slot.next_arrived = Some(member);
        }
        self.combine_queue(key);
    }

    /// As `member_outer`, of a combination that cancels this future when it is cancelled itself.
    pub(super) fn member_passes_on(&self, member: Key) -> Option<Key> {
        let slot = self.combines.members.get(member).filter(|slot| slot.claims)?;
        let combine = self.combines.table.get(slot.combine)?;
        (!matches!(combine.rule, Rule::Shield)).then_some(combine.outer)
    }

    /// The future that a member's combination completes.
    pub(super) fn member_outer(&self, member: Key) -> Option<Key> {
        let slot = self.combines.members.get(member)?;
        Some(self.combines.table.get(slot.combine)?.outer)
    }

    /// Whether a member's combination will cancel its future when it is cancelled itself: it has still to complete its
    /// outer future, and has not passed a request on, after which the future may have come to stand for something new.
    pub(super) fn member_is_keeper(&self, member: Key) -> bool {
        let combine = self.combines.members.get(member).and_then(|slot| self.combines.table.get(slot.combine));
        combine.is_some_and(|combine| self.combine_is_live(combine) && !combine.cancelling)
    }

    pub(super) fn combine_is_live(&self, combine: &Combine) -> bool {
        self.futures.get(combine.outer).is_some_and(|outer| !outer.done)
    }

    /// Its step is made in its turn.
    pub(super) fn combine_queue(&mut self, key: Key) {
        if let Some(combine) = self.combines.table.get_mut(key).filter(|combine| !combine.queued) {
            combine.queued = true;
            self.ready.push_reserved(Entry::Combine(key));
        }
    }

    /// Its turn has come: sets the next place aside. Its outer future.
    pub(super) fn combine_begin(&mut self, key: Key) -> Option<Key> {
        let combine = self.combines.table.get_mut(key)?;
        combine.queued = false;
        self.ready.reserve_left();
        Some(combine.outer)
    }

    /// Takes the next member whose future is done.
    fn combine_next_arrived(&mut self, key: Key) -> Option<Arrived> {
        let combine = self.combines.table.get_mut(key)?;
        let (first, last) = combine.arrived?;
        let slot = self.combines.members.get(first)?;
        combine.arrived = slot.next_arrived.map(|next| (next, last));
        combine.open -= 1;
        Some(Arrived { future: slot.future, index: slot.index, failed: slot.failed })
    }

    /// Ends a combination. Those of its members that still stand in lines are taken out.
    pub(super) fn combine_end(&mut self, key: Key) {
        let Some(combine) = self.combines.table.remove(key) else { return };
        if let Some(timer) = combine.timer {
            self.timers.cancel(timer);
        }
        if !combine.queued {
            self.ready.release_one();
        }
        let mut at = combine.members.map(|(first, _)| first);
        while let Some(member) = at {
            at = self.combines.members.get(member).and_then(|slot| slot.next);
            if self.combines.members.get(member).is_some_and(|slot| slot.waiting) {
                self.member_withdraw(member);
            }
            self.combines.members.discard(member);
        }
    }
}

impl<S: Service> State<S> {
    /// Makes the step of a combination, up to something that the caller has to call; then it goes on here.
    pub(super) fn combine_step(&mut self, key: Key) -> Option<Due> {
        while let Some(arrived) = self.core.combine_next_arrived(key) {
            let due = self.combine_member_done(key, arrived);
            if due.is_some() {
                return due;
            }
        }
        let combine = self.core.combines.table.get_mut(key)?;
        let asked = core::mem::take(&mut combine.ask_due);
        let expired = core::mem::take(&mut combine.expiry_due);
        let rest = combine.take_rest_due();
        if combine.open > 0 && (asked || expired || rest) {
            combine.cancelling |= asked;
            combine.expired |= expired;
            if !matches!(combine.rule, Rule::Wait(_)) {
                self.combine_pass_on(key, asked);
            }
        }
        match self.core.combines.table.get(key)?.rule {
            Rule::WaitFor | Rule::Shield => self.one_finish(key),
            Rule::Gather(how) => self.gather_finish(key, how),
            Rule::Wait(until) => self.wait_finish(key, until),
            Rule::Race(_) => self.race_finish(key),
            Rule::Continue(host) => return self.continue_finish(key, host),
        }
        .map(Due::Free)
    }

    fn combine_member_done(&mut self, key: Key, arrived: Arrived) -> Option<Due> {
        let combine = self.core.combines.table.get_mut(key)?;
        match combine.rule {
            Rule::WaitFor | Rule::Shield => self.take_over(key, arrived.future),
            Rule::Gather(_) => self.gather_member_done(key, arrived.future, arrived.failed),
            Rule::Wait(_) => {
                combine.note(arrived.failed);
                None
            }
            Rule::Race(how) => self.race_member_done(key, how, arrived),
            Rule::Continue(host) => return self.continue_member_done(key, host, arrived.future),
        }
        .map(Due::Free)
    }

    /// Completes the outer future; a destructor that is due if it was closed meanwhile.
    pub(super) fn combine_complete(
        &mut self,
        key: Key,
        outcome: Outcome,
        text: Text,
        object: Object,
    ) -> Option<HostFree> {
        let outer = self.core.combines.table.get(key)?.outer;
        self.core.future_complete(outer, outcome, text, object);
        self.future_settle_closed(outer)
    }

    /// Answers a claim of ours on a done future, whose outcome nobody gets from us: if nothing else holds the future it
    /// ends, and says in the log what nobody looked at. Objects stay where the caller has `hold_object`.
    pub(super) fn future_let_go(&mut self, key: Key, hold_object: bool) -> Option<HostFree> {
        let future = self.core.futures.get_mut(key)?;
        future.claims = future.claims.saturating_sub(1);
        let held = future.kept || hold_object && !matches!(future.object, Object::None);
        if future.claims > 0 || future.is_read() || held && !future.closed {
            return None;
        }
        self.future_end(key)
    }
}
