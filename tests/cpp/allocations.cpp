// What is allocated: frames and roots, and nothing by awaiting.
#include "rota_test.hpp"

static size_t allocated;

static void *counted(size_t size) {
    allocated++;
    if (void *block = std::malloc(size)) return block;
    std::abort();
}

void *operator new(size_t size) { return counted(size); }
void *operator new[](size_t size) { return counted(size); }
void operator delete(void *block) noexcept { std::free(block); }
void operator delete(void *block, size_t) noexcept { std::free(block); }
void operator delete[](void *block) noexcept { std::free(block); }
void operator delete[](void *block, size_t) noexcept { std::free(block); }

namespace {

/// How often operator new was called while `code` ran.
template <class F>
size_t count(F code) {
    const size_t before = allocated;
    code();
    return allocated - before;
}

rota::task<void> inner() { co_await rota::sleep(1s); }

TEST(an_await_allocates_nothing) {
    test_loop loop;
    rota::lock lock(loop);
    rota::event event(loop);
    int item = 0;
    rota::queue<int *> queue(loop);
    rota::channel<int *> channel(loop, 1);
    rota::once<int> cell(loop);
    rota::set set(loop);
    (void)event.set();
    loop.run_until([&]() -> rota::task<void> {
        size_t before = 0;
        for (int round = 0; round < 3; round++) {
            before = allocated;
            co_await rota::sleep(1s);
            co_await rota::within(2s, rota::sleep(1s));
            (void)co_await rota::as_result(rota::within(1s, rota::sleep(2s)));
            co_await rota::this_task::yield();
            co_await event.wait();
            co_await queue.put(&item);
            (void)co_await queue.take();
            co_await channel.get_sender().send(&item);
            (void)co_await channel.receive();
            if (auto mine = co_await cell.begin()) (void)mine.give_up();
            auto a = rota::sleep(1s), b = rota::sleep(2s);
            CHECK_EQ(co_await rota::race(a, b), 0);
            CHECK(a.take_done().ok());
            a = rota::sleep(1s);
            CHECK(!set.add(a, 5) && co_await set.next() == 5);
            CHECK(a.take_done().ok());
            auto held = co_await lock.hold();
        }
        CHECK_EQ(allocated - before, 0);
        before = allocated;
        co_await inner(); // its frame, which clang puts into this one
        CHECK(allocated - before <= 1);
    });
}

TEST(a_task_is_a_frame_and_a_root) {
    test_loop loop;
    rota::join_handle<void> running;
    CHECK_EQ(count([&] { running = loop.spawn(inner()); }), 2);
    CHECK_EQ(count([&] { loop.run_until(std::move(running)); }), 0);
    CHECK(count([&] { running = loop.spawn([] { return inner(); }); }) <= 2);
    CHECK_EQ(count([&] { loop.run_until(std::move(running)); }), 0);
}

TEST(a_small_callback_allocates_nothing) {
    test_loop loop;
    int seen = 0;
    std::array<char, 64> big{};
    CHECK_EQ(count([&] {
                 CHECK(!loop.call_soon([&seen] { seen++; }));
                 CHECK(!loop.call_later(1s, [&seen] { seen++; }));
                 CHECK(!loop.sleep(1s).then([&seen](rota::result<void>) { seen++; }));
                 run_dry(loop);
             }),
             0);
    CHECK_EQ(count([&] {
                 CHECK(!loop.call_soon([&seen, big] { seen += big[0] + 1; }));
                 run_dry(loop);
             }),
             1);
    CHECK_EQ(seen, 4);
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(an_await_allocates_nothing);
    RUN(a_task_is_a_frame_and_a_root);
    RUN(a_small_callback_allocates_nothing);
    return test_end();
}
