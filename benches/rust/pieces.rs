//! The containers that every call goes through, by themselves: what a slab and a ring cost without a loop around them.

use allocator_api2::alloc::Global;
use criterion::{black_box, criterion_group, criterion_main, Criterion};
use rota::base::{Ring, Slab};

/// The size of a future's slot, near enough.
type Value = [u64; 20];

fn slab(c: &mut Criterion) {
    let mut slab = Slab::<Value, Global>::new(Global, 1);
    let keys: Vec<_> = (0..1000u64).map(|n| slab.insert([n; 20]).expect("memory")).collect();
    let mut at = 0;
    c.bench_function("slab: look up one of a thousand", |b| {
        b.iter(|| {
            at = (at + 617) % keys.len();
            slab.get(black_box(keys[at])).map(|value| value[0])
        })
    });
    c.bench_function("slab: insert and discard", |b| {
        b.iter(|| {
            let key = slab.insert(black_box([1; 20])).expect("memory");
            slab.discard(black_box(key))
        })
    });
}

fn ring(c: &mut Criterion) {
    let mut ring = Ring::<[u64; 4], Global>::new(Global);
    c.bench_function("ring: push and pop", |b| {
        b.iter(|| {
            ring.push(black_box([1; 4])).expect("memory");
            ring.pop()
        })
    });
    c.bench_function("ring: push and pop a thousand", |b| {
        b.iter(|| {
            for n in 0..1000 {
                ring.push(black_box([n; 4])).expect("memory");
            }
            while ring.pop().is_some() {}
        })
    });
}

criterion_group!(pieces, slab, ring);
criterion_main!(pieces);
