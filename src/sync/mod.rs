//! Synchronisation: what tasks and callbacks of one loop wait for among themselves.
//!
//! `Objects` owns every lock, semaphore, event, queue, barrier and channel
//! of a loop, each in a slot that a handle finds, and the lines in which those wait whose turn has not
//! come (`line.rs`). All of it changes only with the loop's state in hand, and
//! nobody's code is called from here. It is built on what `rt` re-exports.

mod barrier;
mod channel;
mod event;
mod line;
mod lock;
mod queue;
mod semaphore;

pub use self::channel::SENDS;
pub use self::line::WAITS;

use self::barrier::Barrier;
use self::channel::{Channel, Sending};
use self::event::Event;
use self::line::{Line, Lines, Owner};
use self::lock::Lock;
use self::queue::Queue;
use self::semaphore::Semaphore;
use crate::base::Key;
use crate::rt::{Core, HostPointer, Memory, Slab};

/// What those hold in line who bring nothing.
const NOTHING: HostPointer = HostPointer(core::ptr::null_mut());

/// The objects of one loop.
pub struct Objects {
    lines: Lines,
    locks: Slab<Lock>,
    semaphores: Slab<Semaphore>,
    events: Slab<Event>,
    queues: Slab<Queue>,
    barriers: Slab<Barrier>,
    channels: Slab<Channel>,
    sends: Slab<Sending>,
    memory: Memory,
}

impl Objects {
    /// Nothing yet; its tables begin with the loop's generation.
    pub fn new(memory: &Memory, generation: u32) -> Self {
        Objects {
            lines: Lines::new(memory),
            locks: Slab::new(memory.clone(), generation),
            semaphores: Slab::new(memory.clone(), generation),
            events: Slab::new(memory.clone(), generation),
            queues: Slab::new(memory.clone(), generation),
            barriers: Slab::new(memory.clone(), generation),
            channels: Slab::new(memory.clone(), generation),
            sends: Slab::new(memory.clone(), 1),
            memory: memory.clone(),
        }
    }

    /// A waiter is not to wait any longer.
    pub fn cancel(&mut self, core: &mut Core, waiter: Key) {
        let Some(owner) = self.lines.owner(waiter) else { return };
        let line: Option<&mut Line> = match owner {
            Owner::Lock(key) => self.locks.get_mut(key).map(|lock| &mut lock.line),
            Owner::Semaphore(key) => self.semaphores.get_mut(key).map(|semaphore| &mut semaphore.line),
            Owner::Event(key) => self.events.get_mut(key).map(|event| &mut event.line),
            Owner::Barrier(key) => self.barriers.get_mut(key).map(|barrier| &mut barrier.line),
            Owner::Put(key) => self.queues.get_mut(key).map(|queue| &mut queue.putters),
            Owner::Get(key) => self.queues.get_mut(key).map(|queue| &mut queue.getters),
            Owner::Receive(key) => self.channels.get_mut(key).map(|channel| &mut channel.receivers),
            Owner::Join(key) => self.queues.get_mut(key).map(|queue| &mut queue.joiners),
        };
        if let Some(line) = line {
            self.lines.cancel(core, line, waiter);
        }
    }

    /// Ends everything.
    pub fn shut_down(&mut self, core: &mut Core) {
        while let Some(key) = self.locks.next(0) {
            let _ = self.lock_close(core, key);
        }
        while let Some(key) = self.semaphores.next(0) {
            let _ = self.semaphore_close(core, key);
        }
        while let Some(key) = self.events.next(0) {
            let _ = self.event_close(core, key);
        }
        while let Some(key) = self.queues.next(0) {
            let _ = self.queue_close(core, key);
        }
        while let Some(key) = self.barriers.next(0) {
            let _ = self.barrier_close(core, key);
        }
        while let Some(key) = self.sends.next(0) {
            self.send_cancel(core, key);
        }
        while let Some(key) = self.channels.next(0) {
            let _ = self.channel_close(core, key);
        }
    }

    /// The highest generation its tables have reached.
    pub fn last_generation(&self) -> u32 {
        self.locks
            .last_generation()
            .max(self.semaphores.last_generation())
            .max(self.events.last_generation())
            .max(self.queues.last_generation())
            .max(self.barriers.last_generation())
            .max(self.channels.last_generation())
    }
}
