// boost.fiber, as its guide writes it: stacks from a pool, fiber::join, its own
// mutex and buffered channel, the round-robin scheduler it comes with.
#include "peer.hpp"

#include <boost/fiber/all.hpp>
#include <vector>

namespace fibers = boost::fibers;

namespace {

template <class Body> fibers::fiber spawn(fibers::pooled_fixedsize_stack &stacks, Body body) {
    return fibers::fiber(std::allocator_arg, stacks, body);
}

void spawn_join(std::uint64_t operations) {
    fibers::pooled_fixedsize_stack stacks;
    std::uint64_t bodies = 0;
    for (std::uint64_t n = 0; n < operations + WARM_UP; n++) {
        if (n == WARM_UP) bench_begin();
        spawn(stacks, [&] { bodies++; }).join();
    }
    bench_end();
    bench_check(bodies == operations + WARM_UP);
}

void spawn_join_1000(std::uint64_t operations) {
    fibers::pooled_fixedsize_stack stacks;
    std::uint64_t bodies = 0;
    std::vector<fibers::fiber> all(MANY);
    auto batch = [&] {
        for (auto &one : all) one = spawn(stacks, [&] { bodies++; });
        for (auto &one : all) one.join();
    };
    batch();
    batch();
    bench_begin();
    for (std::uint64_t done = 0; done < operations; done += MANY) batch();
    bench_end();
    bench_check(bodies == operations + 2 * MANY);
}

void yield(std::uint64_t operations) {
    fibers::pooled_fixedsize_stack stacks;
    std::uint64_t turns = 0;
    auto body = [&](bool measures) {
        for (std::uint64_t n = 0; n < operations / 2 + WARM_UP; n++) {
            if (measures && n == WARM_UP) bench_begin();
            boost::this_fiber::yield();
            turns++;
        }
        if (measures) bench_end();
    };
    auto one = spawn(stacks, [&] { body(true); }), other = spawn(stacks, [&] { body(false); });
    one.join();
    other.join();
    bench_check(turns == 2 * (operations / 2 + WARM_UP));
}

void lock_round(std::uint64_t operations) {
    fibers::pooled_fixedsize_stack stacks;
    fibers::mutex lock;
    std::uint64_t rounds = 0, inside = 0;
    const std::uint64_t until = operations + WARM_UP;
    std::vector<fibers::fiber> all;
    for (int n = 0; n < PARTIES; n++) {
        all.push_back(spawn(stacks, [&] {
            while (rounds < until) {
                lock.lock();
                bench_check(inside++ == 0);
                boost::this_fiber::yield();
                if (rounds < until) {
                    rounds++;
                    if (rounds == WARM_UP) bench_begin();
                    if (rounds == until) bench_end();
                }
                inside--;
                lock.unlock();
            }
        }));
    }
    for (auto &one : all) one.join();
    bench_check(rounds == until);
}

void queue_pass(std::uint64_t operations) {
    fibers::pooled_fixedsize_stack stacks;
    fibers::buffered_channel<void *> queue(CAPACITY);
    const std::uint64_t until = operations + WARM_UP;
    std::uint64_t got = 0;
    auto producer = spawn(stacks, [&] {
        for (std::uint64_t n = 0; n < until; n++) queue.push(&queue);
    });
    auto consumer = spawn(stacks, [&] {
        for (std::uint64_t n = 1; n <= until; n++) {
            void *item = nullptr;
            queue.pop(item);
            got += item == &queue;
            if (n == WARM_UP) bench_begin();
        }
        bench_end();
    });
    producer.join();
    consumer.join();
    bench_check(got == until);
}

void parked(std::uint64_t operations) {
    fibers::mutex lock;
    fibers::condition_variable never;
    bool over = false;
    std::uint64_t begun = 0, ended = 0;
    std::vector<fibers::fiber> all;
    all.reserve(operations);
    const std::uint64_t before = bench_resident_bytes();
    bench_begin();
    for (std::uint64_t n = 0; n < operations; n++) {
        all.emplace_back(std::allocator_arg, fibers::fixedsize_stack(), [&] {
            begun++;
            std::unique_lock<fibers::mutex> hold(lock);
            never.wait(hold, [&] { return over; });
            ended++;
        });
    }
    boost::this_fiber::yield();
    while (begun < operations) boost::this_fiber::yield();
    bench_end();
    bench_memory(bench_resident_bytes() - before);
    over = true;
    never.notify_all();
    for (auto &one : all) one.join();
    bench_check(ended == operations);
}

} // namespace

const bench_entry bench_entries[] = {
    {"spawn_join", "boost.fiber", 300000, spawn_join},
    {"spawn_join_1000", "boost.fiber", 300000, spawn_join_1000},
    {"yield", "boost.fiber", 1000000, yield},
    {"lock_round", "boost.fiber", 300000, lock_round},
    {"queue_pass", "boost.fiber", 300000, queue_pass},
    {"parked_stackful", "boost.fiber", 20000, parked},
    {nullptr, nullptr, 0, nullptr},
};
