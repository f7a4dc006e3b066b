//! Blocking calls, made on other threads: ours, started when needed, or the host's.
//!
//! `submit` queues a call, `drain` brings back on the loop's thread what has
//! ended, and the waker ends the loop's wait for it. Our threads start when a
//! call finds none idle and live until `stop`. A withdrawn call never begins;
//! if the host's executor has it already, its empty shell stays, and counts as
//! busy, until the host has run it. Blocks are the loop's memory, so a loop that
//! cannot wait for a call to end must leave them behind (`Drop`).

mod job;
#[cfg(test)]
mod tests;

use self::job::{run_hooked, Block, RawResult, Shared};
use super::host::{HostExecutor, HostJob};
use super::resolver::{ResolveRequest, Resolved};
use super::threads::{set_name, Thread};
use super::waker::Waker;
use super::{List, Memory, Slab};
use crate::base::{rota_status, Key, Result};
use allocator_api2::alloc::{Allocator, Layout};
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// A call to make. It is moved once, into its block, which a smaller variant would not make smaller.
#[allow(clippy::large_enum_variant)]
pub enum Work {
    /// The host's.
    Host(HostJob),
    /// A name to resolve.
    Resolve(ResolveRequest),
}

/// What a call came to.
pub enum WorkResult {
    /// What the host's function returned.
    Host(i64),
    /// Addresses, or why there are none.
    Resolve(Resolved),
}

/// Names a call that has not been drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId(pub Key);

/// A call that has ended.
pub struct JobDone {
    /// The caller's, from `submit`.
    pub token: u64,
    /// Its name until now.
    pub id: JobId,
    /// What it came to.
    pub result: WorkResult,
}

/// The blocking calls of one loop.
pub struct Executor {
    memory: Memory,
    shared: Arc<Shared>,
    hook: Option<HostExecutor>,
    allowed: bool,
    max_threads: usize,
    stopping: bool,
    threads: List<Worker>,
    jobs: Slab<*mut Block>,
    /// Withdrawn shells that the host has not run yet.
    shells: usize,
    /// Done ones that were taken from the stack and not looked at yet.
    done: *mut Block,
}

struct Worker {
    thread: Thread,
    desk: *mut Desk,
}

/// What a thread of ours has in hand; the loop's memory.
struct Desk {
    shared: Arc<Shared>,
    in_call: AtomicBool,
}

impl Executor {
    /// An executor that starts no thread yet. Without `allowed` it takes no call at all.
    pub fn new(memory: &Memory, waker: Waker, max_threads: u32, hook: Option<HostExecutor>, allowed: bool) -> Self {
        Executor {
            memory: memory.clone(),
            shared: Shared::new(waker),
            hook,
            allowed,
            max_threads: max_threads.max(1) as usize,
            stopping: false,
            threads: List::new(memory.clone()),
            jobs: Slab::new(memory.clone(), 1),
            shells: 0,
            done: ptr::null_mut(),
        }
    }

    /// Begins a call. Its end comes from `drain` with this `token`.
    pub fn submit(&mut self, work: Work, token: u64) -> Result<JobId> {
        if !self.allowed {
            return Err(rota_status::ROTA_ERR_NO_THREADS.into());
        }
        if self.stopping {
            return Err(rota_status::ROTA_ERR_CLOSING.into());
        }
        self.jobs.reserve()?;
        let block = put(&self.memory, Block::new(work, token, self.shared.clone()))?;
        let key = self.jobs.insert(block)?;
        // SAFETY: nobody else knows the block yet.
        unsafe { (*block).key = key };
        let taken = match self.hook {
            Some(hook) if hook.call(run_hooked, block.cast()) => Ok(()),
            Some(_) => Err(rota_status::ROTA_ERR_NO_THREADS.into()),
            None => self.queue(block),
        };
        if let Err(error) = taken {
            self.jobs.remove(key);
            // SAFETY: it was refused, so nobody else has it.
            drop(unsafe { take(&self.memory, block) });
            return Err(error);
        }
        Ok(JobId(key))
    }

    /// Queues a block for our own threads, and starts one if none is idle.
    fn queue(&mut self, block: *mut Block) -> Result<()> {
        let idle = {
            let mut queue = self.shared.lock();
            // SAFETY: the block is freed only when it is not queued.
            unsafe { queue.push(block) };
            queue.length <= queue.idle
        };
        if idle {
            self.shared.wake_one();
            return Ok(());
        }
        if self.threads.len() < self.max_threads {
            let started = self.start_thread();
            // Without a single thread nobody would ever take it.
            if self.threads.is_empty() && self.shared.lock().remove(block) {
                return started;
            }
        }
        Ok(())
    }

    fn start_thread(&mut self) -> Result<()> {
        self.threads.reserve(1)?;
        let desk = put(&self.memory, Desk { shared: self.shared.clone(), in_call: AtomicBool::new(false) })?;
        // SAFETY: the desk stays until the thread has been joined, or for ever.
        match unsafe { Thread::start(work_at, desk.cast()) } {
            Ok(thread) => self.threads.push(Worker { thread, desk }),
            Err(error) => {
                // SAFETY: there is no thread that has it.
                drop(unsafe { take(&self.memory, desk) });
                Err(error)
            }
        }
    }

    /// Takes a call back. If so, it had not begun, never will, and `drain` will not tell of it.
    pub fn withdraw(&mut self, id: JobId) -> bool {
        let Some(block) = self.jobs.get(id.0).copied() else { return false };
        if self.hook.is_some() {
            // SAFETY: blocks in the table live; the state is atomic.
            let withdrawn = unsafe { (*block).withdraw() };
            if withdrawn {
                self.jobs.remove(id.0);
                self.shells += 1;
            }
            return withdrawn;
        }
        let removed = self.shared.lock().remove(block);
        if removed {
            self.jobs.remove(id.0);
            // SAFETY: it was still queued, so no thread has it.
            drop(unsafe { take(&self.memory, block) });
        }
        removed
    }

    /// The next call that has ended, oldest first.
    pub fn drain(&mut self) -> Option<JobDone> {
        loop {
            if self.done.is_null() {
                self.done = self.shared.take_done();
            }
            let block = NonNull::new(self.done)?.as_ptr();
            // SAFETY: what came from the stack is the loop's, and each is taken once.
            let block = unsafe {
                self.done = job::following(block);
                take(&self.memory, block)
            };
            if block.is_withdrawn() {
                self.shells -= 1;
                continue;
            }
            self.jobs.remove(block.key);
            let (token, id) = (block.token, JobId(block.key));
            let result = match block.result.into_inner() {
                RawResult::Host(value) => WorkResult::Host(value),
                RawResult::Resolve(answer) => WorkResult::Resolve(answer.read(&self.memory)),
                RawResult::None => continue,
            };
            return Some(JobDone { token, id, result });
        }
    }

    /// How many calls have been begun and not drained, with the shells that the host still has.
    pub fn busy(&self) -> usize {
        self.jobs.len() + self.shells
    }

    /// Takes no more calls and ends the threads that are not in one. How many calls and shells are left.
    pub fn stop(&mut self) -> usize {
        self.stopping = true;
        let waiting = {
            let mut queue = self.shared.lock();
            queue.stopping = true;
            queue.length > 0
        };
        self.shared.wake_all();
        let mut index = 0;
        // A thread that is not in a call and finds none has nothing left to wait for.
        while index < self.threads.len() && !waiting {
            // SAFETY: the desk stays until its thread has been joined.
            if unsafe { &(*self.threads[index].desk).in_call }.load(Ordering::Acquire) {
                index += 1;
                continue;
            }
            let Worker { thread, desk } = self.threads.swap_remove(index);
            thread.join();
            // SAFETY: its thread has ended.
            drop(unsafe { take(&self.memory, desk) });
        }
        self.busy()
    }

    /// Gives up calls that do not end: leaves behind what their threads still touch.
    pub fn abandon(self) {
        drop(self);
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        while self.drain().is_some() {}
        // Calls that have not begun never will.
        let mut slot = 0;
        while let Some(key) = self.jobs.next(slot) {
            slot = key.slot + 1;
            self.withdraw(JobId(key));
        }
        self.stop();
        // Threads that are still in a call keep their desks, their blocks and `Shared`: a leak, and meant.
        while let Some(Worker { thread, .. }) = self.threads.pop() {
            thread.let_go();
        }
        while self.drain().is_some() {}
    }
}

/// The body of a thread of ours.
extern "C" fn work_at(data: *mut c_void) -> *mut c_void {
    set_name(c"rota-blocking");
    // SAFETY: the desk stays until this thread has ended.
    let desk = unsafe { &*data.cast::<Desk>() };
    // Under the queue's lock: `stop` sees either the call in the queue, or the thread in it.
    while let Some(block) = desk.shared.next(|| desk.in_call.store(true, Ordering::Release)) {
        // SAFETY: it came from `next`.
        unsafe { job::run(&desk.shared, block, || desk.in_call.store(false, Ordering::Release)) };
    }
    ptr::null_mut()
}

/// Moves a value into the loop's memory.
fn put<T>(memory: &Memory, value: T) -> Result<*mut T> {
    let block = memory.allocate(Layout::new::<T>()).map_err(|_| rota_status::ROTA_ERR_MEMORY)?;
    let block: *mut T = block.cast().as_ptr();
    // SAFETY: fresh memory of the right layout.
    unsafe { block.write(value) };
    Ok(block)
}

/// Moves a value out of the loop's memory, which is given back.
///
/// # Safety
/// `block` came from `put` with this memory, and nobody else has it.
unsafe fn take<T>(memory: &Memory, block: *mut T) -> T {
    // SAFETY: the caller's word.
    unsafe {
        let value = block.read();
        memory.deallocate(NonNull::new_unchecked(block).cast(), Layout::new::<T>());
        value
    }
}
