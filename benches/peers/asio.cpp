// asio's C++20 coroutines, as its examples write them: co_spawn and
// use_awaitable on an io_context for one thread. It has no lock: a channel of
// one place, which its documentation suggests, stands for it.
#include "peer.hpp"

#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/channel.hpp>

using asio::awaitable;
using asio::use_awaitable;
using channel = asio::experimental::channel<void(std::error_code, void *)>;

namespace {

awaitable<std::uint64_t> one(std::uint64_t &bodies) {
    bodies++;
    co_return 1;
}

template <class Body> void drive(Body body) {
    asio::io_context loop(1);
    asio::co_spawn(loop, body(), [](std::exception_ptr error) { bench_check(error == nullptr); });
    loop.run();
}

void spawn_join(std::uint64_t operations) {
    std::uint64_t bodies = 0, sum = 0;
    drive([&]() -> awaitable<void> {
        auto here = co_await asio::this_coro::executor;
        for (std::uint64_t n = 0; n < operations + WARM_UP; n++) {
            if (n == WARM_UP) bench_begin();
            sum += co_await asio::co_spawn(here, one(bodies), use_awaitable);
        }
        bench_end();
    });
    bench_check(bodies == operations + WARM_UP && sum == bodies);
}

void spawn_join_1000(std::uint64_t operations) {
    std::uint64_t bodies = 0, sum = 0;
    drive([&]() -> awaitable<void> {
        auto here = co_await asio::this_coro::executor;
        // The last one to end wakes the one who waits.
        channel ended(here, 1);
        std::uint64_t left = 0;
        auto batch = [&]() -> awaitable<void> {
            left = MANY;
            for (std::uint64_t n = 0; n < MANY; n++) {
                asio::co_spawn(here, one(bodies), [&](std::exception_ptr, std::uint64_t value) {
                    sum += value;
                    if (--left == 0) ended.try_send(std::error_code(), nullptr);
                });
            }
            co_await ended.async_receive(use_awaitable);
        };
        co_await batch();
        co_await batch();
        bench_begin();
        for (std::uint64_t done = 0; done < operations; done += MANY) co_await batch();
        bench_end();
    });
    bench_check(bodies == operations + 2 * MANY && sum == bodies);
}

void yield(std::uint64_t operations) {
    std::uint64_t turns = 0;
    asio::io_context loop(1);
    auto body = [&](bool measures) -> awaitable<void> {
        auto here = co_await asio::this_coro::executor;
        for (std::uint64_t n = 0; n < operations / 2 + WARM_UP; n++) {
            if (measures && n == WARM_UP) bench_begin();
            co_await asio::post(here, use_awaitable);
            turns++;
        }
        if (measures) bench_end();
    };
    asio::co_spawn(loop, body(true), asio::detached);
    asio::co_spawn(loop, body(false), asio::detached);
    loop.run();
    bench_check(turns == 2 * (operations / 2 + WARM_UP));
}

void lock_round(std::uint64_t operations) {
    std::uint64_t rounds = 0, inside = 0;
    const std::uint64_t until = operations + WARM_UP;
    asio::io_context loop(1);
    channel lock(loop, 1);
    auto body = [&]() -> awaitable<void> {
        auto here = co_await asio::this_coro::executor;
        while (rounds < until) {
            co_await lock.async_send(std::error_code(), nullptr, use_awaitable);
            bench_check(inside++ == 0);
            co_await asio::post(here, use_awaitable);
            if (rounds < until) {
                rounds++;
                if (rounds == WARM_UP) bench_begin();
                if (rounds == until) bench_end();
            }
            inside--;
            lock.try_receive([](auto...) {});
        }
    };
    for (int n = 0; n < PARTIES; n++) asio::co_spawn(loop, body(), asio::detached);
    loop.run();
    bench_check(rounds == until);
}

void queue_pass(std::uint64_t operations) {
    const std::uint64_t until = operations + WARM_UP;
    std::uint64_t got = 0;
    asio::io_context loop(1);
    channel queue(loop, CAPACITY);
    auto produce = [&]() -> awaitable<void> {
        for (std::uint64_t n = 0; n < until; n++) {
            co_await queue.async_send(std::error_code(), &queue, use_awaitable);
        }
    };
    auto consume = [&]() -> awaitable<void> {
        for (std::uint64_t n = 1; n <= until; n++) {
            got += co_await queue.async_receive(use_awaitable) == &queue;
            if (n == WARM_UP) bench_begin();
        }
        bench_end();
    };
    asio::co_spawn(loop, produce(), asio::detached);
    asio::co_spawn(loop, consume(), asio::detached);
    loop.run();
    bench_check(got == until);
}

void parked(std::uint64_t operations) {
    std::uint64_t begun = 0, ended = 0;
    asio::io_context loop(1);
    asio::steady_timer never(loop, std::chrono::steady_clock::time_point::max());
    auto body = [&]() -> awaitable<void> {
        begun++;
        co_await never.async_wait(asio::experimental::as_tuple(use_awaitable));
        ended++;
    };
    const std::uint64_t before = bench_resident_bytes();
    bench_begin();
    for (std::uint64_t n = 0; n < operations; n++) asio::co_spawn(loop, body(), asio::detached);
    while (begun < operations) loop.poll();
    bench_end();
    bench_memory(bench_resident_bytes() - before);
    never.cancel();
    loop.run();
    bench_check(ended == operations);
}

} // namespace

const bench_entry bench_entries[] = {
    {"spawn_join", "asio", 300000, spawn_join},
    {"spawn_join_1000", "asio", 300000, spawn_join_1000},
    {"yield", "asio", 1000000, yield},
    {"lock_round", "asio", 300000, lock_round},
    {"queue_pass", "asio", 300000, queue_pass},
    {"parked_stackless", "asio", 100000, parked},
    {nullptr, nullptr, 0, nullptr},
};
