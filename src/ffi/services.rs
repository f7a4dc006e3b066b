//! What a loop has above the runtime: `io` and `sync` side by side, as the one service that the runtime knows.
//!
//! Which of the two a future stands for is told by the number of its operation; what comes from the driver is `io`'s.

use crate::base::Key;
use crate::io::Io;
use crate::rt::{Core, Operation, Service, Tag};
use crate::sync::{self, Objects};
use crate::sys::driver::Completion;
use crate::sys::host::HostFree;
use crate::sys::resolver::Resolved;
use core::ffi::CStr;

/// Both services of a loop.
pub struct Services {
    /// Streams, listeners, names.
    pub io: Io,
    /// Locks and their like.
    pub sync: Objects,
}

impl Services {
    /// Nothing yet; the tables begin with the loop's generation.
    pub fn new(core: &Core, generation: u32) -> Self {
        Services { io: Io::new(&core.memory, generation), sync: Objects::new(&core.memory, generation) }
    }
}

impl Service for Services {
    fn completed(&mut self, core: &mut Core, completion: Completion) {
        self.io.completed(core, completion);
    }

    fn timer_due(&mut self, core: &mut Core, token: u64) {
        self.io.timer_due(core, token);
    }

    fn resolved(&mut self, core: &mut Core, token: u64, result: Resolved) {
        self.io.resolved(core, token, result);
    }

    fn cancel(&mut self, core: &mut Core, future: Key, operation: Operation) {
        match operation.kind {
            sync::WAITS => self.sync.cancel(core, future, operation.object),
            sync::SENDS => self.sync.send_cancel(core, operation.object),
            _ => self.io.cancel(core, future, operation),
        }
    }

    fn describe(&self, operation: Operation) -> (&'static CStr, Option<Key>) {
        match operation.kind {
            sync::WAITS => self.sync.describe(operation.object),
            sync::SENDS => (c"channel send", None),
            _ => self.io.describe(operation),
        }
    }

    fn close_stream(&mut self, core: &mut Core, stream: Key) {
        self.io.close_stream(core, stream);
    }

    fn owner_cancel(&mut self, core: &mut Core, owner: Tag) {
        self.io.owner_cancel(core, owner);
    }

    fn owner_count(&self, owner: Tag) -> usize {
        self.io.owner_count(owner)
    }

    fn told(&mut self, core: &mut Core, object: Option<Operation>) {
        self.sync.told(core, object);
    }

    fn shut_down(&mut self, core: &mut Core) -> usize {
        self.sync.shut_down(core);
        self.io.shut_down(core)
    }

    fn end_waits(&mut self, core: &mut Core) -> bool {
        self.sync.end_waits(core)
    }

    fn next_free(&mut self) -> Option<HostFree> {
        self.sync.next_free()
    }

    fn counts(&self) -> (usize, usize) {
        self.io.counts()
    }

    fn last_generation(&self) -> u32 {
        self.io.last_generation().max(self.sync.last_generation())
    }
}

#[cfg(test)]
mod tests {
    use crate::base::handle::{rota_condition, rota_future, rota_lock, rota_loop, rota_once, rota_rwlock, rota_task};
    use crate::base::{Handle, Key};
    use crate::ffi::{
        combine::*, condition::*, event_loop::*, future::*, lock::*, once::*, registry, rwlock::*, task::*,
    };
    use crate::rt::{Service, Source};
    use core::ffi::{c_void, CStr};
    use core::ptr::{from_mut, null, null_mut};

    const OK: i32 = 0;

    fn opened<T: Default>(open: impl FnOnce(*mut T) -> crate::base::rota_status) -> T {
        let mut out = T::default();
        assert_eq!(open(&mut out) as i32, OK);
        out
    }

    /// What a pending future waits for, and who holds that up.
    fn described(of: rota_loop, future: rota_future) -> (&'static CStr, Option<Key>) {
        let runtime = registry::find_loop(of.into()).unwrap();
        let found = runtime.with(|state| match state.core.futures.get(Handle::from(future).key()).unwrap().source {
            Source::Service(operation) => Ok(state.service.describe(operation)),
            _ => Ok((c"not of the service", None)),
        });
        found.unwrap()
    }

    /// Takes what it is given, and then waits for ever with it.
    unsafe extern "C" fn holds(_: rota_task, user_data: *mut c_void) -> i64 {
        // SAFETY: the test passes such a pair, which outlives the task.
        let (of, start) = unsafe { *user_data.cast::<(rota_loop, fn() -> rota_future)>() };
        rota_await(start());
        rota_await(rota_future_open(of))
    }

    thread_local! {
        static OBJECTS: core::cell::Cell<(rota_lock, rota_rwlock, rota_once)> = const {
            core::cell::Cell::new((rota_lock { id: 0 }, rota_rwlock { id: 0 }, rota_once { id: 0 }))
        };
    }

    #[test]
    fn what_one_waits_for_and_who_holds_it_up() {
        // SAFETY: no options, and places for the answers.
        let of: rota_loop = opened(|out| unsafe { rota_loop_open(null(), out) });
        // SAFETY: a place for the answer.
        let lock = opened(|out| unsafe { rota_loop_open_lock(of, out) });
        // SAFETY: as above.
        let rwlock = opened(|out| unsafe { rota_loop_open_rwlock(of, out) });
        // SAFETY: as above.
        let once = opened(|out| unsafe { rota_loop_open_once(of, out) });
        // SAFETY: as above.
        let condition: rota_condition = opened(|out| unsafe { rota_loop_open_condition(of, lock, out) });
        OBJECTS.set((lock, rwlock, once));
        let starts: [fn() -> rota_future; 4] = [
            || rota_lock_acquire(OBJECTS.get().0),
            || rota_future_wait_for(rota_lock_acquire(OBJECTS.get().0), u64::MAX - 1),
            || rota_rwlock_acquire_write(OBJECTS.get().1),
            || rota_once_begin(OBJECTS.get().2),
        ];
        let mut given = starts.map(|start| (of, start));
        let tasks = given.each_mut().map(|pair| {
            let data = from_mut(pair).cast();
            // SAFETY: the body gets the pair it expects, which lives until the loop is closed.
            opened(|out| unsafe { rota_loop_spawn(of, Some(holds), data, null(), out) })
        });
        let key = |task: rota_task| Some(Handle::from(task).key());
        let turn = || {
            // SAFETY: no figures.
            assert_eq!(unsafe { rota_loop_turn(of, 0, 0, 0, null_mut()) } as i32, OK);
        };
        turn();

        // The first task took the lock; the second waits for it, through a time limit, and then is handed it.
        let behind = rota_lock_acquire(lock);
        assert_eq!(described(of, behind), (c"lock", key(tasks[0])));
        assert_eq!(rota_lock_release(lock) as i32, OK);
        assert_eq!(described(of, behind), (c"lock", key(tasks[1])));

        let (read, write) = (rota_rwlock_acquire_read(rwlock), rota_rwlock_acquire_write(rwlock));
        assert_eq!(described(of, read), (c"rwlock read", key(tasks[2])));
        assert_eq!(rota_rwlock_release_write(rwlock) as i32, OK);
        assert_eq!(described(of, write), (c"rwlock write", None)); // the reader is no task

        let waits = rota_once_begin(once);
        assert_eq!(described(of, waits), (c"once", key(tasks[3])));

        // A callback holds the lock, as far as anybody knows: what the host holds has no task.
        assert_eq!(rota_lock_release(lock) as i32, OK);
        let line = rota_lock_acquire(lock);
        assert_eq!(described(of, line), (c"lock", None));
        assert_eq!(rota_future_close(line) as i32, OK);
        let wait = rota_condition_wait(condition);
        assert_eq!(described(of, wait), (c"condition", None));
        assert_eq!(rota_loop_close(of, u64::MAX) as i32, OK);
    }
}
