//! The peers in Rust: tokio's current-thread runtime, and corosensei's bare switch.
//!
//! `peers list` and `peers once WORK CONTESTANT OPERATIONS`, as every contestant. tokio is written as its guide writes
//! it: `spawn`, `JoinHandle`, its own fair mutex and bounded channel. corosensei has no loop, no outcome and no way to
//! wait: it is the floor of what a switch of stacks costs.

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::process::exit;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use tokio::sync::{mpsc, Mutex, Notify};

const WARM_UP: u64 = 2000;
const MANY: u64 = 1000;
const PARTIES: usize = 10;
const CAPACITY: usize = 16;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        System.dealloc(block, layout)
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What a round measures.
#[derive(Default)]
struct Figures {
    began_ns: Cell<u64>,
    spent_ns: Cell<u64>,
    allocations: Cell<u64>,
    bytes: Cell<u64>,
}

thread_local! {
    static FIGURES: Figures = Figures::default();
}

fn cpu_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` may be written.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

fn begin() {
    FIGURES.with(|figures| {
        figures.allocations.set(ALLOCATIONS.load(Relaxed));
        figures.began_ns.set(cpu_ns());
    });
}

fn end() {
    FIGURES.with(|figures| {
        figures.spent_ns.set(cpu_ns() - figures.began_ns.get());
        figures.allocations.set(ALLOCATIONS.load(Relaxed) - figures.allocations.get());
    });
}

fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}

fn on_tokio<T>(main: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(main)
}

fn tokio_spawn_join(operations: u64) -> bool {
    // The driver is a task itself, as it is with the others: awaiting in block_on wakes through the runtime's park.
    on_tokio(async move {
        let driver = tokio::spawn(async move {
            let mut sum = 0;
            for n in 0..operations + WARM_UP {
                if n == WARM_UP {
                    begin();
                }
                sum += tokio::spawn(async { 1u64 }).await.unwrap_or_default();
            }
            end();
            sum
        });
        driver.await.is_ok_and(|sum| sum == operations + WARM_UP)
    })
}

fn tokio_spawn_join_many(operations: u64) -> bool {
    async fn batch() -> u64 {
        let mut sum = 0;
        let all: Vec<_> = (0..MANY).map(|_| tokio::spawn(async { 1u64 })).collect();
        for one in all {
            sum += one.await.unwrap_or_default();
        }
        sum
    }
    on_tokio(async move {
        let driver = tokio::spawn(async move {
            let mut sum = batch().await + batch().await;
            begin();
            for _ in 0..operations / MANY {
                sum += batch().await;
            }
            end();
            sum
        });
        driver.await.is_ok_and(|sum| sum == operations + 2 * MANY)
    })
}

fn tokio_yield(operations: u64) -> bool {
    async fn body(turns: u64, measures: bool) -> u64 {
        for n in 0..turns {
            if measures && n == WARM_UP {
                begin();
            }
            tokio::task::yield_now().await;
        }
        if measures {
            end();
        }
        turns
    }
    on_tokio(async move {
        let turns = operations / 2 + WARM_UP;
        let (one, other) = (tokio::spawn(body(turns, true)), tokio::spawn(body(turns, false)));
        one.await.is_ok_and(|done| done == turns) && other.await.is_ok()
    })
}

fn tokio_lock_round(operations: u64) -> bool {
    let until = operations + WARM_UP;
    on_tokio(async move {
        let lock = Arc::new(Mutex::new(0u64));
        let spawn = |_| {
            let lock = lock.clone();
            tokio::spawn(async move {
                loop {
                    let mut rounds = lock.lock().await;
                    tokio::task::yield_now().await;
                    if *rounds == until {
                        return;
                    }
                    *rounds += 1;
                    if *rounds == WARM_UP {
                        begin();
                    }
                    if *rounds == until {
                        end();
                    }
                }
            })
        };
        let all: Vec<_> = (0..PARTIES).map(spawn).collect();
        for one in all {
            let _ = one.await;
        }
        let rounds = *lock.lock().await;
        rounds == until
    })
}

fn tokio_queue_pass(operations: u64) -> bool {
    let until = operations + WARM_UP;
    on_tokio(async move {
        let (put, mut get) = mpsc::channel::<usize>(CAPACITY);
        let producer = tokio::spawn(async move {
            for _ in 0..until {
                let _ = put.send(7).await;
            }
        });
        let consumer = tokio::spawn(async move {
            let mut got = 0;
            for n in 1..=until {
                got += u64::from(get.recv().await == Some(7));
                if n == WARM_UP {
                    begin();
                }
            }
            end();
            got
        });
        producer.await.is_ok() && consumer.await.is_ok_and(|got| got == until)
    })
}

fn tokio_parked(operations: u64) -> bool {
    on_tokio(async move {
        let never = Arc::new(Notify::new());
        let begun = Arc::new(AtomicU64::new(0));
        let before = resident_bytes();
        begin();
        for _ in 0..operations {
            let (never, begun) = (never.clone(), begun.clone());
            tokio::spawn(async move {
                begun.fetch_add(1, Relaxed);
                never.notified().await;
            });
        }
        while begun.load(Relaxed) < operations {
            tokio::task::yield_now().await;
        }
        end();
        FIGURES.with(|figures| figures.bytes.set(resident_bytes() - before));
        never.notify_waiters();
        true
    })
}

fn stack() -> DefaultStack {
    DefaultStack::new(64 * 1024).expect("a stack")
}

fn bare_spawn(operations: u64) -> bool {
    let bodies = Rc::new(Cell::new(0u64));
    let mut free = Some(stack());
    for n in 0..operations + WARM_UP {
        if n == WARM_UP {
            begin();
        }
        let bodies = bodies.clone();
        let taken = free.take().unwrap_or_else(stack);
        let mut one: Coroutine<(), (), (), _> = Coroutine::with_stack(taken, move |_, ()| bodies.set(bodies.get() + 1));
        one.resume(());
        free = Some(one.into_stack());
    }
    end();
    bodies.get() == operations + WARM_UP
}

fn bare_yield(operations: u64) -> bool {
    let each = operations / 2 + WARM_UP;
    let body = move |way_back: &Yielder<(), ()>, ()| (0..each).for_each(|_| way_back.suspend(()));
    let mut two = [Coroutine::with_stack(stack(), body), Coroutine::with_stack(stack(), body)];
    let mut turns = 0;
    loop {
        if turns == WARM_UP {
            begin();
        }
        turns += 1;
        let first = matches!(two[0].resume(()), CoroutineResult::Return(()));
        let second = matches!(two[1].resume(()), CoroutineResult::Return(()));
        if first && second {
            end();
            return turns == each + 1;
        }
    }
}

fn bare_parked(operations: u64) -> bool {
    let mut all = Vec::with_capacity(operations as usize);
    let before = resident_bytes();
    begin();
    for _ in 0..operations {
        let mut one: Coroutine<(), (), (), _> =
            Coroutine::with_stack(stack(), |way_back: &Yielder<(), ()>, ()| way_back.suspend(()));
        one.resume(());
        all.push(one);
    }
    end();
    FIGURES.with(|figures| figures.bytes.set(resident_bytes() - before));
    all.iter_mut().all(|one| matches!(one.resume(()), CoroutineResult::Return(())))
}

type Work = (&'static str, &'static str, u64, fn(u64) -> bool);

const WORKS: &[Work] = &[
    ("spawn_join", "tokio", 500_000, tokio_spawn_join),
    ("spawn_join_1000", "tokio", 500_000, tokio_spawn_join_many),
    ("yield", "tokio", 2_000_000, tokio_yield),
    ("lock_round", "tokio", 500_000, tokio_lock_round),
    ("queue_pass", "tokio", 1_000_000, tokio_queue_pass),
    ("parked_stackless", "tokio", 100_000, tokio_parked),
    ("spawn_join", "corosensei", 2_000_000, bare_spawn),
    ("yield", "corosensei", 5_000_000, bare_yield),
    ("parked_stackful", "corosensei", 20_000, bare_parked),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|word| word == "list") {
        WORKS.iter().for_each(|(work, contestant, operations, _)| println!("{work} {contestant} {operations}"));
        return;
    }
    let [_, once, work, contestant, operations] = &arguments[..] else { return usage() };
    let found = WORKS.iter().find(|row| row.0 == work && row.1 == contestant);
    let (Some(row), Ok(operations), "once") = (found, operations.parse::<u64>(), once.as_str()) else { return usage() };
    let checked = (row.3)(operations);
    FIGURES.with(|figures| {
        let count = operations as f64;
        println!(
            "{{\"work\": \"{work}\", \"contestant\": \"{contestant}\", \"ns_per_op\": {:.3}, \
             \"allocations_per_op\": {:.4}, \"bytes_per_op\": {:.1}, \"checked\": {checked}}}",
            figures.spent_ns.get() as f64 / count,
            figures.allocations.get() as f64 / count,
            figures.bytes.get() as f64 / count,
        );
    });
    exit(i32::from(!checked));
}

fn usage() {
    eprintln!("usage: peers list | once WORK CONTESTANT OPERATIONS");
    exit(2);
}
