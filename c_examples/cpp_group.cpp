// Tasks that end together, in C++20: a group ends when all its members have, the first failure
// ends the others, and a time may stand over all of it. The clock is a virtual one that jumps, so
// that an hour takes no time here.
//
//     c++ -std=c++20 cpp_group.cpp -lrota -o cpp_group
#include <rota.hpp>

#include <cstdio>

using namespace std::chrono_literals;

static rota::task<int> worker(const char *name, std::chrono::seconds time, bool fails = false) {
    try {
        co_await rota::sleep(time);
    } catch (const rota::cancelled &) {
        std::printf("  %s: asked to end\n", name);
        throw;
    }
    if (fails) throw rota::error(ROTA_STATUS_HOST, "out of paper");
    std::printf("  %s: done\n", name);
    co_return static_cast<int>(time.count());
}

static rota::task<void> all_succeed() {
    rota::join_handle<int> one, two;
    co_await rota::with_group([&](rota::group &group) -> rota::task<void> {
        one = group.spawn(worker("one", 1s), "one");
        two = group.spawn(worker("two", 2s), "two");
        co_return;
    });
    std::printf("together: %d\n", co_await one + co_await two);
}

static rota::task<void> one_fails() {
    try {
        co_await rota::with_group([](rota::group &group) -> rota::task<void> {
            (void)group.spawn(worker("printer", 1s, true), "printer");
            (void)group.spawn(worker("patient", 1h), "patient");
            co_return;
        });
    } catch (const rota::error &error) {
        std::printf("failed: %s\n", error.what());
    }
}

static rota::task<void> time_is_over() {
    auto came = co_await rota::as_result(
        rota::with_group(3s, [](rota::group &group) -> rota::task<void> {
            (void)group.spawn(worker("quick", 2s), "quick");
            (void)group.spawn(worker("slow", 1h), "slow");
            co_return;
        }));
    std::printf("over: %s\n", rota_status_name(came.status()));
}

int main() {
    rota_loop_options options;
    rota_loop_options_init(&options, sizeof options);
    options.clock = ROTA_CLOCK_VIRTUAL_JUMP;
    rota::loop loop(options);
    loop.run_until([]() -> rota::task<void> {
        co_await all_succeed();
        co_await one_fails();
        co_await time_is_over();
    });
}
