//! Owners: tags for all that one script or level of the host's started.
//!
//! ```text
//!   host sets an owner ──▶ core.owner ── what is started now gets this tag
//!                             ▲    │
//!                             │    ▼
//!         its tag is set    callback, timer, then, task, future, serving listener
//!         again while it    └──────────────────┬──────────────────┘
//!         runs ◀───────────────────────────────┘
//! ```
//!
//! A tag is one word beside each thing that can be started, zero for nobody. An
//! owner counts nothing: whoever wants to know, or to cancel, looks through the
//! loop's tables, so the count cannot be wrong, and a loop without owners pays
//! for copying a word. A task keeps the owner that was set when it left, and has
//! it set again when it goes on. Nobody's tag outlives its owner: closing looks
//! through the tables too.
//!
//! **Cancelling** goes through the tables in stages (`State::owner_pass`). Each
//! pass fills a batch of destructors, which are called with the cell closed. What
//! they start meanwhile stands in the tables like anything else. Stepped tasks
//! that wait end at once; one that runs, or whose turn stands in the queue, is
//! marked, and ends in that turn without being called.

use super::core::Core;
use super::event_loop::{Runtime, State};
use super::ready::Entry;
use super::service::Service;
use super::task::{Next, Task, TaskState};
use super::timer::{Phase, TimerAction};
use super::waiters::Waiter;
use crate::base::{rota_status::*, Key, Kind, Result};
use crate::sys::host::{HostDrop, HostFree, HostPointer};

/// Whose something is: the slot of its owner, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tag(u32);

impl Tag {
    /// Nobody's.
    pub const NONE: Tag = Tag(0);
}

/// An owner's slot.
pub struct Owner {
    /// What lets go of the user_data of callbacks that are dropped.
    dropped: Option<HostDrop>,
    /// Whether its work is being cancelled just now.
    cancelling: bool,
}

/// Destructors to call: as many as fit on the way.
struct Batch {
    frees: [Option<HostFree>; Batch::SIZE],
    count: usize,
}

impl Batch {
    const SIZE: usize = 32;
    /// The most that one thing needs.
    const EACH: usize = 2;

    fn is_full(&self) -> bool {
        self.count + Self::EACH > Self::SIZE
    }

    fn add(&mut self, free: Option<HostFree>) {
        if let Some(place) = self.frees.get_mut(self.count).filter(|_| free.is_some()) {
            *place = free;
            self.count += 1;
        }
    }
}

/// How far a cancellation has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Calls,
    Timers,
    Ready,
    Thens,
    Stackful,
    Stepped,
    Futures,
    Over,
}

struct Pass {
    tag: Tag,
    dropped: Option<HostDrop>,
    stage: Stage,
    /// The slot in that stage's table.
    at: u32,
}

impl Core {
    /// The tag of an owner.
    fn tag_of(&self, owner: Key) -> Result<Tag> {
        self.owners.get(owner).ok_or(ROTA_ERR_HANDLE)?;
        Ok(Tag(owner.slot + 1))
    }

    /// The owner that is set, if one is.
    pub fn owner_now(&self) -> Option<Key> {
        self.owners.key_of(self.owner.0.checked_sub(1)?)
    }

    /// Sets an owner; one that has ended is nobody.
    pub fn owner_set(&mut self, owner: Option<Key>) {
        self.owner = owner.and_then(|owner| self.tag_of(owner).ok()).unwrap_or_default();
    }

    /// Does something as an owner.
    pub fn as_owner<R>(&mut self, tag: Tag, call: impl FnOnce(&mut Core) -> R) -> R {
        let before = core::mem::replace(&mut self.owner, tag);
        let result = call(self);
        self.owner = before;
        result
    }

    /// A new owner. `dropped` is called with the user_data of each callback that is dropped.
    pub fn owner_open(&mut self, dropped: Option<HostDrop>) -> Result<Key> {
        self.owners.insert(Owner { dropped, cancelling: false })
    }

    /// Whether a task is a stepped one that is not to be called again.
    pub(super) fn task_is_given_up(&self, key: Key) -> bool {
        self.tasks.get(key).is_some_and(|task| task.given_up && !task.stackful)
    }

    /// Whether a task of this owner's has still to end.
    fn is_owned_task(&self, key: Key, tag: Tag) -> bool {
        self.tasks.get(key).is_some_and(|task| task.owner == tag && !task.is_over())
    }

    /// Whether a future is waited for by something of its own owner's that is asked itself: a task, or a combination.
    fn owner_sees_to(&self, key: Key, tag: Tag) -> bool {
        self.future_has_waiter(key, |waiter| match waiter {
            Waiter::Task(task) => self.is_owned_task(*task, tag),
            Waiter::Member(member) => {
                let outer = self.member_passes_on(*member).and_then(|outer| self.futures.get(outer));
                outer.is_some_and(|outer| outer.owner == tag && !outer.done)
            }
            _ => false,
        })
    }
}

/// Whether something in the queue is a callback with this tag.
fn is_owned_entry(entry: &Entry, tag: Tag) -> bool {
    matches!(entry, Entry::Then(_, _, of) | Entry::TimerCancelled(_, _, of) if *of == tag)
}

impl<S: Service> State<S> {
    /// How much of an owner's work has not ended.
    pub fn owner_count(&self, owner: Key) -> Result<usize> {
        let tag = self.core.tag_of(owner)?;
        let core = &self.core;
        let mut count = usize::from(core.owners.get(owner).is_some_and(|owner| owner.cancelling));
        count += core.calls.each().filter(|(_, call)| call.owner == tag).count();
        count += core.timers.each().filter(|timer| matches!(timer, TimerAction::Host(_, _, of) if *of == tag)).count();
        count += core.ready.each().filter(|entry| is_owned_entry(entry, tag)).count();
        for (key, future) in core.futures.each() {
            let open = !future.done || future.claims > 0 || future.calling || future.held;
            count += usize::from(future.owner == tag && open);
            if !future.done {
                count += core.future_count_waiters(key, |waiter| matches!(waiter, Waiter::Then(_, of) if *of == tag));
            }
        }
        count += core.tasks.each().filter(|(_, task)| task.owner == tag && task.state != TaskState::Ended).count();
        Ok(count + self.service.owner_count(tag))
    }

    /// Ends an owner of whose work nothing is left.
    pub fn owner_close(&mut self, owner: Key) -> Result<()> {
        if self.owner_count(owner)? > 0 {
            return Err(ROTA_ERR_BUSY.into());
        }
        let tag = self.core.tag_of(owner)?;
        let clear = |of: &mut Tag| {
            if *of == tag {
                *of = Tag::NONE;
            }
        };
        clear(&mut self.core.owner);
        for task in self.core.tasks.each_mut() {
            clear(&mut task.owner);
            clear(&mut task.acts_for);
        }
        for future in self.core.futures.each_mut() {
            clear(&mut future.owner);
        }
        self.core.owners.discard(owner);
        Ok(())
    }

    /// Goes on with a cancellation until the batch is full or nothing is left to do.
    fn owner_pass(&mut self, pass: &mut Pass, batch: &mut Batch) {
        while pass.stage != Stage::Over && !batch.is_full() {
            let more = match pass.stage {
                Stage::Calls => self.drop_calls(pass, batch),
                Stage::Timers => self.drop_timers(pass, batch),
                Stage::Ready => self.drop_ready(pass, batch),
                Stage::Thens => self.drop_thens(pass, batch),
                Stage::Stackful => self.ask_tasks(pass),
                Stage::Stepped => self.drop_tasks(pass, batch),
                Stage::Futures => self.drop_futures(pass, batch),
                Stage::Over => false,
            };
            if !more {
                pass.at = 0;
                pass.stage = match pass.stage {
                    Stage::Calls => Stage::Timers,
                    Stage::Timers => Stage::Ready,
                    Stage::Ready => Stage::Thens,
                    Stage::Thens => Stage::Stackful,
                    Stage::Stackful => Stage::Stepped,
                    Stage::Stepped => Stage::Futures,
                    Stage::Futures | Stage::Over => Stage::Over,
                };
            }
        }
    }

    /// Queued callbacks go; their places in the queue stand empty. Whether there may be more.
    fn drop_calls(&mut self, pass: &mut Pass, batch: &mut Batch) -> bool {
        while let Some(key) = self.core.calls.next(pass.at).filter(|_| !batch.is_full()) {
            pass.at = key.slot + 1;
            if self.core.calls.get(key).is_some_and(|call| call.owner == pass.tag) {
                let gone = self.core.calls.remove(key);
                batch.add(pass.free(gone.map(|gone| gone.call.data())));
            }
        }
        batch.is_full()
    }

    /// Timers go, but for one whose callback is running: that one ends when it returns.
    fn drop_timers(&mut self, pass: &mut Pass, batch: &mut Batch) -> bool {
        while let Some(key) = self.core.timers.next(pass.at).filter(|_| !batch.is_full()) {
            pass.at = key.slot + 1;
            let Some(TimerAction::Host(timer, phase, of)) = self.core.timers.get(key).copied() else { continue };
            if of != pass.tag || phase == Phase::Running {
                continue;
            }
            if phase == Phase::Armed {
                self.core.timers.cancel(key);
                self.core.ready.release_one();
            } else {
                self.core.timers.finish(key);
            }
            batch.add(pass.free(Some(timer.data())));
        }
        batch.is_full()
    }

    /// Callbacks that completing a future, or cancelling a timer, has queued. Whoever takes an entry's place in the
    /// queue does nothing, so that the others keep their turns.
    fn drop_ready(&mut self, pass: &mut Pass, batch: &mut Batch) -> bool {
        while let Some(entry) = self.core.ready.get(pass.at as usize).filter(|_| !batch.is_full()) {
            let at = pass.at as usize;
            pass.at += 1;
            if !is_owned_entry(&entry, pass.tag) {
                continue;
            }
            self.core.ready.clear(at);
            match entry {
                Entry::Then(future, then, _) => {
                    batch.add(pass.free(Some(then.data())));
                    batch.add(self.future_give_back(future));
                }
                Entry::TimerCancelled(_, timer, _) => batch.add(pass.free(Some(timer.data()))),
                _ => {}
            }
        }
        batch.is_full()
    }

    /// Callbacks of pending futures, whosever those are: only the claims go.
    fn drop_thens(&mut self, pass: &mut Pass, batch: &mut Batch) -> bool {
        while let Some(key) = self.core.futures.next(pass.at).filter(|_| !batch.is_full()) {
            self.core.future_unclaim(key, |waiter| match waiter {
                Waiter::Then(then, of) if *of == pass.tag && !batch.is_full() => {
                    batch.add(pass.free(Some(then.data())));
                    true
                }
                _ => false,
            });
            if !batch.is_full() {
                pass.at = key.slot + 1;
            }
        }
        batch.is_full()
    }

    /// Stackful tasks are asked, once. They come first: a request that one passes on to what it waits for is answered
    /// by that, while one that met it afterwards would disturb its cleanup.
    fn ask_tasks(&mut self, pass: &mut Pass) -> bool {
        while let Some(key) = self.core.tasks.next(pass.at) {
            pass.at = key.slot + 1;
            let Some(task) = self.core.tasks.get_mut(key).filter(|task| task.owner == pass.tag) else { continue };
            if task.stackful {
                if !core::mem::replace(&mut task.given_up, true) && !task.is_over() {
                    let _ = self.task_cancel(key);
                }
                // Nobody will join it.
                let _ = self.core.task_detach(key);
            }
        }
        false
    }

    /// Stepped tasks that wait end; others are marked.
    fn drop_tasks(&mut self, pass: &mut Pass, batch: &mut Batch) -> bool {
        while let Some(key) = self.core.tasks.next(pass.at).filter(|_| !batch.is_full()) {
            pass.at = key.slot + 1;
            let owned = |task: &&mut Task| task.owner == pass.tag && !task.stackful;
            let Some(task) = self.core.tasks.get_mut(key).filter(owned) else { continue };
            let first = !core::mem::replace(&mut task.given_up, true);
            if let TaskState::Waiting(future) = task.state {
                task.requests += u32::from(first);
                task.answer = None;
                self.core.future_unclaim(future, |waiter| matches!(waiter, Waiter::Task(task) if *task == key));
                batch.add(self.task_end(key, ROTA_ERR_CANCELLED as i64));
            } else if first {
                task.requests += 1;
            }
            let _ = self.core.task_detach(key);
        }
        batch.is_full()
    }

    /// Operations are withdrawn and their futures closed. Those that something else of the owner's waits for, which
    /// has been asked itself, are left to it, and close when it has ended.
    fn drop_futures(&mut self, pass: &mut Pass, batch: &mut Batch) -> bool {
        while let Some(key) = self.core.futures.next(pass.at).filter(|_| !batch.is_full()) {
            pass.at = key.slot + 1;
            let sees_to = self.core.owner_sees_to(key, pass.tag);
            let Some(future) = self.core.futures.get_mut(key).filter(|future| future.owner == pass.tag) else {
                continue;
            };
            if sees_to && !future.done {
                future.kept = false;
                future.closed = true;
            } else if let Ok(free) = self.future_close(key) {
                batch.add(free);
            }
        }
        batch.is_full()
    }

    /// The running stepped task is given up: what it would have waited for is closed, if its owner started that.
    pub(super) fn task_give_up(&mut self, key: Key, next: Option<Next>) -> Option<HostFree> {
        let owner = self.core.tasks.get(key)?.owner;
        let next = match next? {
            Next::Future(next) if next.is(Kind::Future) => next.key(),
            Next::Future(_) | Next::Turn => return None,
        };
        self.core.futures.get(next).filter(|future| future.owner == owner && future.claims == 0)?;
        self.future_close(next).ok().flatten()
    }
}

impl Pass {
    fn free(&self, data: Option<HostPointer>) -> Option<HostFree> {
        Some(self.dropped?.of(data?))
    }
}

impl<S: Service> Runtime<S> {
    /// Cancels all work of an owner; how much of it has not ended.
    pub fn owner_cancel(&self, owner: Key) -> Result<usize> {
        let pass = self.with(|state| {
            let tag = state.core.tag_of(owner)?;
            let slot = state.core.owners.get_mut(owner).ok_or(ROTA_ERR_HANDLE)?;
            if core::mem::replace(&mut slot.cancelling, true) {
                return Ok(None); // from one of the destructors below: that cancellation goes on
            }
            let dropped = slot.dropped;
            state.service.owner_cancel(&mut state.core, tag);
            Ok(Some(Pass { tag, dropped, stage: Stage::Calls, at: 0 }))
        })?;
        if let Some(mut pass) = pass {
            while pass.stage != Stage::Over {
                let mut batch = Batch { frees: [None; Batch::SIZE], count: 0 };
                self.with(|state| {
                    state.owner_pass(&mut pass, &mut batch);
                    Ok(())
                })?;
                for free in batch.frees {
                    self.let_go(free);
                }
                self.let_locals_go();
            }
            self.with(|state| {
                state.core.owners.get_mut(owner).ok_or(ROTA_ERR_HANDLE)?.cancelling = false;
                Ok(())
            })?;
        }
        self.with(|state| state.owner_count(owner))
    }
}
