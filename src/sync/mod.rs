//! Synchronisation: what tasks and callbacks of one loop wait for among themselves.
//!
//! `Objects` owns every lock, condition, semaphore, event, queue, barrier,
//! once-cell, channel and token of a loop, each in a slot that a handle finds, and the
//! lines in which those wait whose turn has not come (`line.rs`). All of it
//! changes only with the loop's state in hand, and nobody's code is called from
//! here. It is built on what `rt` re-exports.

mod barrier;
mod channel;
mod condition;
mod event;
mod items;
mod line;
mod lock;
mod once;
mod queue;
mod rwlock;
mod semaphore;
mod token;

pub use self::channel::SENDS;
pub use self::items::Order;
pub use self::line::WAITS;
pub use self::token::token_object;

use self::barrier::Barrier;
use self::channel::{Channel, Sending};
use self::condition::Condition;
use self::event::Event;
use self::line::{Line, Lines, Owner, Waiting};
use self::lock::Lock;
use self::once::Once;
use self::queue::Queue;
use self::rwlock::Rwlock;
use self::semaphore::Semaphore;
use self::token::Token;
use crate::base::Key;
use crate::rt::{Core, Memory, Operation, Slab};
use core::ffi::CStr;

/// Closes all objects of one table, from its first slot to its last: nobody's code runs, so none is opened meanwhile.
macro_rules! close_all {
    ($objects:ident, $core:ident, $table:ident, $close:ident) => {
        let mut at = 0;
        while let Some(key) = $objects.$table.next(at) {
            at = key.slot + 1;
            let _ = $objects.$close($core, key);
        }
    };
}

/// The objects of one loop.
pub struct Objects {
    lines: Lines,
    locks: Slab<Lock>,
    conditions: Slab<Condition>,
    rwlocks: Slab<Rwlock>,
    semaphores: Slab<Semaphore>,
    events: Slab<Event>,
    queues: Slab<Queue>,
    barriers: Slab<Barrier>,
    onces: Slab<Once>,
    /// How far `next_free` has come.
    onces_freed: u32,
    channels: Slab<Channel>,
    sends: Slab<Sending>,
    tokens: Slab<Token>,
    memory: Memory,
}

impl Objects {
    /// Nothing yet; its tables begin with the loop's generation.
    pub fn new(memory: &Memory, generation: u32) -> Self {
        Objects {
            lines: Lines::new(memory),
            locks: Slab::new(memory.clone(), generation),
            conditions: Slab::new(memory.clone(), generation),
            rwlocks: Slab::new(memory.clone(), generation),
            semaphores: Slab::new(memory.clone(), generation),
            events: Slab::new(memory.clone(), generation),
            queues: Slab::new(memory.clone(), generation),
            barriers: Slab::new(memory.clone(), generation),
            onces: Slab::new(memory.clone(), generation),
            onces_freed: 0,
            channels: Slab::new(memory.clone(), generation),
            sends: Slab::new(memory.clone(), 1),
            tokens: Slab::new(memory.clone(), generation),
            memory: memory.clone(),
        }
    }

    /// A waiter, for whom `future` stands, is not to wait any longer.
    pub fn cancel(&mut self, core: &mut Core, future: Key, waiter: Key) {
        let Some(owner) = self.lines.owner(waiter) else { return };
        let line: Option<&mut Line> = match owner {
            Owner::Condition(key) => return self.condition_cancel(core, key, future, waiter),
            Owner::Back { .. } => {
                self.back_forget(core, Waiting { waiter, future, owner });
                return;
            }
            Owner::Lock(key) => self.locks.get_mut(key).map(|lock| &mut lock.line),
            Owner::Read(key) | Owner::Write(key) => self.rwlocks.get_mut(key).map(|rwlock| &mut rwlock.line),
            Owner::Semaphore(key) => self.semaphores.get_mut(key).map(|semaphore| &mut semaphore.line),
            Owner::Event(key) => self.events.get_mut(key).map(|event| &mut event.line),
            Owner::Barrier(key) => self.barriers.get_mut(key).map(|barrier| &mut barrier.line),
            Owner::Put(key) => self.queues.get_mut(key).map(|queue| &mut queue.putters),
            Owner::Get(key) => self.queues.get_mut(key).map(|queue| &mut queue.getters),
            Owner::Token(key) => self.tokens.get_mut(key).map(|token| &mut token.line),
            Owner::Receive(key) => self.channels.get_mut(key).map(|channel| &mut channel.receivers),
            Owner::Join(key) => self.queues.get_mut(key).map(|queue| &mut queue.joiners),
            Owner::Once(key) => self.onces.get_mut(key).map(|once| &mut once.line),
        };
        if let Some(line) = line {
            self.lines.cancel(core, line, waiter);
        }
        if let Owner::Write(key) = owner {
            // Those behind him may be able to go.
            self.rwlock_advance(core, key);
        }
    }

    /// What a waiter waits for, and the task that holds it up, if one is known to; that task may have ended.
    pub fn describe(&self, waiter: Key) -> (&'static CStr, Option<Key>) {
        match self.lines.owner(waiter) {
            Some(Owner::Lock(key) | Owner::Back { lock: key, .. }) => {
                (c"lock", self.locks.get(key).and_then(|lock| lock.holder))
            }
            Some(Owner::Condition(_)) => (c"condition", None),
            Some(Owner::Read(key)) => (c"rwlock read", self.rwlocks.get(key).and_then(|rwlock| rwlock.holder)),
            Some(Owner::Write(key)) => (c"rwlock write", self.rwlocks.get(key).and_then(|rwlock| rwlock.holder)),
            Some(Owner::Semaphore(_)) => (c"semaphore", None),
            Some(Owner::Event(_)) => (c"event", None),
            Some(Owner::Barrier(_)) => (c"barrier", None),
            Some(Owner::Put(_)) => (c"queue put", None),
            Some(Owner::Get(_)) => (c"queue get", None),
            Some(Owner::Join(_)) => (c"queue join", None),
            Some(Owner::Token(_)) => (c"token", None),
            Some(Owner::Receive(_)) => (c"channel receive", None),
            Some(Owner::Once(key)) => (c"once", self.onces.get(key).and_then(Once::maker)),
            None => (c"", None),
        }
    }

    /// Another thread told that something happened: to this object, or to any.
    pub fn told(&mut self, core: &mut Core, object: Option<Operation>) {
        match object {
            Some(Operation { object, kind: token::TOKENS }) => self.token_told(core, Some(object)),
            Some(_) => self.channel_told(core, object),
            None => {
                self.channel_told(core, None);
                self.token_told(core, None);
            }
        }
    }

    /// Ends everything, but for values that have to be let go (`next_free`).
    pub fn shut_down(&mut self, core: &mut Core) {
        close_all!(self, core, locks, lock_close);
        close_all!(self, core, conditions, condition_close);
        close_all!(self, core, rwlocks, rwlock_close);
        close_all!(self, core, semaphores, semaphore_close);
        close_all!(self, core, events, event_close);
        close_all!(self, core, queues, queue_close);
        close_all!(self, core, barriers, barrier_close);
        self.onces_shut_down(core);
        while let Some(key) = self.sends.next(0) {
            self.send_cancel(core, key);
        }
        while let Some(key) = self.channels.next(0) {
            let _ = self.channel_close(core, key);
        }
        while let Some(key) = self.tokens.next(0) {
            let _ = self.token_close(core, key);
        }
    }

    /// The highest generation its tables have reached.
    pub fn last_generation(&self) -> u32 {
        [
            self.locks.last_generation(),
            self.conditions.last_generation(),
            self.rwlocks.last_generation(),
            self.semaphores.last_generation(),
            self.events.last_generation(),
            self.queues.last_generation(),
            self.barriers.last_generation(),
            self.onces.last_generation(),
            self.channels.last_generation(),
            self.tokens.last_generation(),
        ]
        .into_iter()
        .fold(0, u32::max)
    }
}
