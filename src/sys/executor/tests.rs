use super::*;
use crate::base::rota_status::*;
use crate::sys::driver::{Driver, ROTA_DRIVER_SELECTOR};
use core::cell::RefCell;
use core::sync::atomic::AtomicPtr;
use std::sync::{Condvar, Mutex};

fn memory() -> Memory {
    Memory::new(None, u64::MAX)
}

struct Rig {
    memory: Memory,
    driver: Driver,
    executor: Executor,
}

impl Rig {
    fn new(max_threads: u32, hook: Option<HostExecutor>, allowed: bool) -> Self {
        let memory = memory();
        let driver = Driver::open(ROTA_DRIVER_SELECTOR, &memory, 1).unwrap();
        let executor = Executor::new(&memory, driver.waker(), max_threads, hook, allowed);
        Rig { memory, driver, executor }
    }

    /// Waits, as a loop does, until a call has ended.
    fn next(&mut self) -> JobDone {
        let mut completions = List::new(self.memory.clone());
        for _ in 0..100 {
            if let Some(done) = self.executor.drain() {
                return done;
            }
            self.driver.wait(Some(1_000_000_000), &mut completions).unwrap();
        }
        panic!("no call has ended");
    }

    /// Asks to stop until nothing is left in a call.
    fn stop(&mut self) {
        while self.executor.stop() > 0 {
            self.next();
        }
        assert!(self.executor.threads.is_empty());
    }
}

/// A door that calls wait at.
#[derive(Default)]
struct Gate {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Gate {
    fn open(&self) {
        self.state.lock().unwrap().0 = true;
        self.changed.notify_all();
    }

    fn await_arrivals(&self, count: usize) {
        let mut state = self.state.lock().unwrap();
        while state.1 < count {
            state = self.changed.wait(state).unwrap();
        }
    }

    fn job(&self) -> Work {
        // SAFETY: every test waits for its calls before its gate goes.
        Work::Host(unsafe { HostJob::new(pass, ptr::from_ref(self).cast_mut().cast()) })
    }
}

unsafe extern "C" fn pass(user_data: *mut c_void) -> i64 {
    // SAFETY: the gate outlives its calls.
    let gate = unsafe { &*user_data.cast::<Gate>() };
    let mut state = gate.state.lock().unwrap();
    state.1 += 1;
    gate.changed.notify_all();
    while !state.0 {
        state = gate.changed.wait(state).unwrap();
    }
    state.1 as i64
}

unsafe extern "C" fn number(user_data: *mut c_void) -> i64 {
    user_data.addr() as i64
}

fn count(value: usize) -> Work {
    // SAFETY: the function looks at nothing.
    Work::Host(unsafe { HostJob::new(number, ptr::without_provenance_mut(value)) })
}

fn host_value(done: &JobDone) -> i64 {
    match done.result {
        WorkResult::Host(value) => value,
        WorkResult::Resolve(_) => panic!("not a host's call"),
    }
}

#[test]
fn calls_come_back_with_their_tokens() {
    let mut rig = Rig::new(3, None, true);
    for n in 0..50 {
        rig.executor.submit(count(n), n as u64).unwrap();
    }
    let mut seen: Vec<u64> = (0..50)
        .map(|_| {
            let done = rig.next();
            assert_eq!(done.token as i64, host_value(&done));
            done.token
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
    assert_eq!(rig.executor.busy(), 0);
    assert!((1..=3).contains(&rig.executor.threads.len()));
    rig.stop();
    assert_eq!(rig.executor.submit(count(1), 1).unwrap_err().status, ROTA_ERR_CLOSING);
}

#[test]
fn what_has_not_begun_can_be_withdrawn() {
    let mut rig = Rig::new(1, None, true);
    let gate = Gate::default();
    let first = rig.executor.submit(gate.job(), 1).unwrap();
    gate.await_arrivals(1);
    let middle: Vec<JobId> = (2..5).map(|token| rig.executor.submit(count(0), token).unwrap()).collect();
    assert!(!rig.executor.withdraw(first), "it has begun");
    assert!(rig.executor.withdraw(middle[1]) && !rig.executor.withdraw(middle[1]));
    assert!(rig.executor.withdraw(middle[2]));
    let last = rig.executor.submit(count(0), 9).unwrap();
    assert_eq!((rig.executor.busy(), rig.executor.stop()), (3, 3));
    gate.open();
    let tokens = [rig.next().token, rig.next().token, rig.next().token];
    assert_eq!(tokens, [1, 2, 9]);
    assert!(!rig.executor.withdraw(last), "it has ended");
    rig.stop();
}

#[test]
fn a_call_under_way_keeps_its_thread_and_no_other() {
    let mut rig = Rig::new(2, None, true);
    let gate = Gate::default();
    rig.executor.submit(gate.job(), 1).unwrap();
    gate.await_arrivals(1);
    rig.executor.submit(count(0), 2).unwrap();
    assert_eq!(rig.next().token, 2);
    assert_eq!(rig.executor.threads.len(), 2);
    assert_eq!(rig.executor.stop(), 1);
    assert_eq!(rig.executor.threads.len(), 1);
    gate.open();
    assert_eq!(rig.next().token, 1);
    assert_eq!(rig.executor.stop(), 0);
    assert!(rig.executor.threads.is_empty());
}

#[test]
fn without_permission_there_is_no_thread() {
    let mut rig = Rig::new(4, None, false);
    assert_eq!(rig.executor.submit(count(1), 1).unwrap_err().status, ROTA_ERR_NO_THREADS);
    assert_eq!((rig.executor.busy(), rig.executor.stop()), (0, 0));
}

#[test]
fn a_lack_of_memory_is_a_status() {
    let narrow = Memory::new(None, 64);
    let driver = Driver::open(ROTA_DRIVER_SELECTOR, &memory(), 1).unwrap();
    let mut executor = Executor::new(&narrow, driver.waker(), 1, None, true);
    assert_eq!(executor.submit(count(1), 1).unwrap_err().status, ROTA_ERR_MEMORY);
    assert_eq!(executor.busy(), 0);
}

#[test]
fn memory_comes_back_to_the_last_byte() {
    let mut rig = Rig::new(2, None, true);
    let before = rig.driver.sockets();
    for token in 0..10 {
        rig.executor.submit(count(3), token).unwrap();
    }
    (0..10).for_each(|_| drop(rig.next()));
    let Rig { memory, driver, executor } = rig;
    drop((driver, executor));
    assert_eq!((memory.used(), before), (0, 0));
}

#[test]
fn names_are_resolved_off_the_loops_thread() {
    let mut rig = Rig::new(1, None, true);
    for (token, host) in [(1, "localhost"), (2, "no-such-name.invalid")] {
        let request = ResolveRequest::new(Some(host.as_bytes()), Some(b"80"), 4).unwrap();
        rig.executor.submit(Work::Resolve(request), token).unwrap();
    }
    let WorkResult::Resolve(Ok(addresses)) = rig.next().result else { panic!("localhost is always there") };
    assert_eq!(addresses[0].to_string(), "127.0.0.1:80");
    let WorkResult::Resolve(Err(failure)) = rig.next().result else { panic!("there is no such name") };
    assert!(!failure.message.is_empty());
    rig.stop();
}

/// A host's executor that keeps what it is given.
#[derive(Default)]
struct HostQueue {
    jobs: RefCell<Vec<(unsafe extern "C" fn(*mut c_void), *mut c_void)>>,
    refuses: bool,
}

unsafe extern "C" fn keep(work: super::super::host::rota_work_fn, job: *mut c_void, user_data: *mut c_void) -> i32 {
    // SAFETY: the queue outlives its executor.
    let queue = unsafe { &*user_data.cast::<HostQueue>() };
    if queue.refuses {
        return -1;
    }
    queue.jobs.borrow_mut().push((work.unwrap(), job));
    0
}

impl HostQueue {
    fn hook(&self) -> Option<HostExecutor> {
        // SAFETY: the queue outlives the executor in every test.
        Some(unsafe { HostExecutor::new(keep, ptr::from_ref(self).cast_mut().cast()) })
    }

    fn run_one(&self) {
        let (work, job) = self.jobs.borrow_mut().remove(0);
        // SAFETY: as the hook promises: once.
        unsafe { work(job) };
    }
}

#[test]
fn the_hosts_executor_makes_the_calls() {
    let queue = HostQueue::default();
    let mut rig = Rig::new(1, queue.hook(), true);
    let first = rig.executor.submit(count(7), 1).unwrap();
    let second = rig.executor.submit(count(8), 2).unwrap();
    assert!(rig.executor.withdraw(second) && !rig.executor.withdraw(second));
    assert_eq!(rig.executor.busy(), 2, "the host still has the shell of the second");
    queue.run_one();
    let done = rig.next();
    assert_eq!((done.token, done.id, host_value(&done)), (1, first, 7));
    assert_eq!(rig.executor.stop(), 1);
    queue.run_one();
    assert!(rig.executor.drain().is_none());
    assert_eq!(rig.executor.stop(), 0);
    assert!(rig.executor.threads.is_empty());
}

#[test]
fn a_host_that_refuses_is_believed() {
    let queue = HostQueue { refuses: true, ..HostQueue::default() };
    let mut rig = Rig::new(1, queue.hook(), true);
    assert_eq!(rig.executor.submit(count(7), 1).unwrap_err().status, ROTA_ERR_NO_THREADS);
    assert_eq!(rig.executor.busy(), 0);
}

#[test]
fn an_abandoned_call_ends_in_peace() {
    // What is left behind stays reachable, so that leak checkers see it is meant.
    static DESK: AtomicPtr<Desk> = AtomicPtr::new(ptr::null_mut());
    let mut rig = Rig::new(1, None, true);
    let gate = Gate::default();
    rig.executor.submit(gate.job(), 1).unwrap();
    gate.await_arrivals(1);
    DESK.store(rig.executor.threads[0].desk, Ordering::Relaxed);
    let shared = rig.executor.shared.clone();
    let Rig { memory, mut driver, executor } = rig;
    executor.abandon();
    gate.open();
    let mut completions = List::new(memory.clone());
    let mut done = shared.take_done();
    while done.is_null() {
        driver.wait(Some(1_000_000_000), &mut completions).unwrap();
        done = shared.take_done();
    }
    // SAFETY: the call has ended, and the executor has left the block to us.
    assert_eq!(unsafe { take(&memory, done) }.token, 1);
}

#[test]
fn signals_are_blocked_in_our_threads() {
    unsafe extern "C" fn blocked(_: *mut c_void) -> i64 {
        let mut set = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: asking for the mask writes it.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), set.as_mut_ptr());
            libc::sigismember(set.as_ptr(), libc::SIGTERM).into()
        }
    }
    let mut rig = Rig::new(1, None, true);
    // SAFETY: it needs no data.
    let job = unsafe { HostJob::new(blocked, ptr::null_mut()) };
    rig.executor.submit(Work::Host(job), 1).unwrap();
    assert_eq!(host_value(&rig.next()), 1);
    // SAFETY: it needs no data; this thread's own mask is as it was.
    assert_eq!(unsafe { blocked(ptr::null_mut()) }, 0);
    rig.stop();
}
