// Locks, semaphores, events, queues and barriers from coroutines.
#include "rota_test.hpp"

namespace {

rota::task<void> holds(rota::lock &lock, const char *name) {
    auto held = co_await lock.hold();
    record("%s+", name);
    co_await rota::sleep(1s);
    record("%s-", name);
}

TEST(a_lock_is_held_until_the_scope_ends) {
    test_loop loop;
    rota::lock lock(loop);
    auto a = loop.spawn(holds(lock, "a")), b = loop.spawn(holds(lock, "b"));
    auto c = loop.spawn(holds(lock, "c"));
    turns(loop, 1);
    CHECK(lock.is_locked());
    CHECK(!b.cancel()); /* leaves the line */
    loop.run_until(std::move(c));
    CHECK_RECORD("a+ a- c+ c-");
    CHECK(!lock.is_locked());
    loop.run_until([&]() -> rota::task<void> {
        co_await lock.acquire();
        CHECK(!lock.release() && lock.release() == ROTA_ERR_INVALID);
        auto held = co_await lock.hold();
        CHECK(!held.close() && !lock.is_locked());
    });
    CHECK_STATUS(WAIT(loop, rota_task_join(b.get())), ROTA_ERR_CANCELLED);
}

TEST(a_lock_is_released_by_what_unwinds) {
    test_loop loop;
    rota::lock lock(loop);
    auto running = loop.spawn([&]() -> rota::task<void> {
        auto held = co_await lock.hold();
        co_await rota::sleep(1h);
    });
    turn(loop);
    CHECK(lock.is_locked());
    (void)running.cancel();
    turns(loop, 2);
    CHECK(!lock.is_locked());
}

TEST(semaphores_have_places) {
    test_loop loop;
    rota::semaphore places(loop, 2, ROTA_SEMAPHORE_BOUNDED);
    int inside = 0, most = 0;
    auto enters = [&]() -> rota::task<void> {
        auto held = co_await places.hold();
        most = std::max(most, ++inside);
        co_await rota::sleep(1s);
        inside--;
    };
    std::vector<rota::join_handle<void>> all;
    for (int i = 0; i < 5; i++) all.push_back(loop.spawn(enters));
    for (auto &one : all) loop.run_until(std::move(one));
    CHECK_EQ(most, 2);
    CHECK_EQ(places.value(), 2);
    CHECK(places.release() == ROTA_ERR_LIMIT);
    loop.run_until([&]() -> rota::task<void> {
        co_await places.acquire();
        CHECK_EQ(places.value(), 1);
        CHECK(!places.release());
    });
}

TEST(events_wake_everybody) {
    test_loop loop;
    rota::event event(loop);
    auto waits = [&](const char *name) -> rota::task<void> {
        co_await event.wait();
        record("%s", name);
    };
    auto a = loop.spawn(waits("a")), b = loop.spawn(waits("b"));
    turn(loop);
    CHECK(!event.is_set() && !event.set() && event.is_set() && !event.clear());
    turn(loop);
    CHECK_RECORD("a b");
    auto c = loop.spawn(waits("c"));
    turn(loop);
    (void)event.close();
    CHECK_STATUS(WAIT(loop, rota_task_join(c.get())), ROTA_ERR_CANCELLED);
}

TEST(conditions_wait_under_a_lock) {
    test_loop loop;
    rota::lock lock(loop);
    rota::condition condition(loop, lock);
    int ready = 0;
    auto waits = [&](int n) -> rota::task<void> {
        auto held = co_await lock.hold();
        while (ready < n) co_await condition.wait();
        record("%d", n);
    };
    auto a = loop.spawn(waits(1)), b = loop.spawn(waits(2));
    turn(loop);
    CHECK(!lock.is_locked());
    loop.run_until([&]() -> rota::task<void> {
        for (int i = 0; i < 2; i++) {
            auto held = co_await lock.hold();
            ready++;
            CHECK(!condition.notify_all());
        }
    });
    loop.run_until(std::move(b));
    CHECK_RECORD("1 2");
    CHECK(!condition.notify());
}

TEST(many_read_or_one_writes) {
    test_loop loop;
    rota::rwlock lock(loop);
    auto reads = [&](const char *name) -> rota::task<void> {
        auto held = co_await lock.read();
        record("%s", name);
        co_await rota::sleep(1s);
    };
    auto a = loop.spawn(reads("a")), b = loop.spawn(reads("b"));
    auto writes = loop.spawn([&]() -> rota::task<void> {
        auto held = co_await lock.write();
        record("w");
        co_await rota::sleep(1s);
    });
    auto c = loop.spawn(reads("c"));
    turn(loop);
    CHECK_RECORD("a b");
    CHECK(lock.readers() == 2 && !lock.is_writing());
    loop.run_until(std::move(writes));
    loop.run_until(std::move(c));
    CHECK_RECORD("w c");
    loop.run_until([&]() -> rota::task<void> {
        auto held = co_await lock.write();
        CHECK(lock.readers() == 0 && lock.is_writing());
    });
}

TEST(queues_in_order_of_priority) {
    test_loop loop;
    rota::queue<int *> queue(loop, 0, ROTA_QUEUE_PRIORITY);
    int items[3] = {0, 1, 2};
    loop.run_until([&]() -> rota::task<void> {
        co_await queue.put(&items[0], 5);
        co_await queue.put(&items[1], -5);
        CHECK(co_await queue.take() == &items[1]);
        CHECK(co_await queue.take() == &items[0]);
    });
}

TEST(queues_carry_pointers) {
    test_loop loop;
    rota::queue<int *> queue(loop, 1);
    int items[4] = {10, 20, 30, 40};
    auto puts = loop.spawn([&]() -> rota::task<void> {
        for (int &item : items) co_await queue.put(&item);
        CHECK(!queue.shutdown());
    });
    const int total = loop.run_until([&]() -> rota::task<int> {
        int sum = 0;
        for (;;) {
            auto item = co_await rota::as_result(queue.take());
            if (!item) {
                CHECK(item.error() == ROTA_ERR_SHUT);
                break;
            }
            sum += **item;
            CHECK(!queue.task_done());
        }
        co_await queue.join();
        co_return sum;
    });
    CHECK_EQ(total, 100);
    loop.run_until(std::move(puts));
    rota::queue<int *> other(loop);
    CHECK(!other.try_put(&items[2]) && other.size() == 1);
    auto item = other.try_take();
    CHECK(item && *item == &items[2]);
    CHECK(other.try_take().error() == ROTA_ERR_PENDING);
    CHECK(!other.try_put(&items[2]) && !other.shutdown_now() && other.try_take());
    CHECK(other.try_take().error() == ROTA_ERR_SHUT);
}

TEST(barriers_let_all_pass) {
    test_loop loop;
    rota::barrier barrier(loop, 3);
    auto comes = [&]() -> rota::task<uint32_t> { co_return co_await barrier.wait(); };
    auto a = loop.spawn(comes), b = loop.spawn(comes);
    turn(loop);
    CHECK_EQ(barrier.waiting(), 2);
    CHECK_EQ(loop.run_until(comes()), 2);
    CHECK_EQ(loop.run_until(std::move(b)), 1);
    CHECK_EQ(loop.run_until(std::move(a)), 0);
    CHECK(!barrier.reset_all());
}

TEST(handles_close_themselves_and_are_moved) {
    test_loop loop;
    rota::lock a(loop), b;
    CHECK(a && !b);
    b = std::move(a);
    CHECK(!a && b);
    const rota_lock taken = b.disown();
    CHECK(!b && b.release() == ROTA_ERR_HANDLE);
    rota::lock c(taken);
    CHECK(c.get().id == taken.id);
    CHECK(!c.close() && !c && !c.close());
    CHECK_STATUS(rota_lock_release(taken), ROTA_ERR_HANDLE);
    bool thrown = false;
    try {
        rota::lock never{rota::loop_ref()};
    } catch (const rota::error &it) {
        thrown = it.code() == ROTA_ERR_HANDLE;
    }
    CHECK(thrown);
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_lock_is_held_until_the_scope_ends);
    RUN(a_lock_is_released_by_what_unwinds);
    RUN(semaphores_have_places);
    RUN(events_wake_everybody);
    RUN(conditions_wait_under_a_lock);
    RUN(many_read_or_one_writes);
    RUN(queues_in_order_of_priority);
    RUN(queues_carry_pointers);
    RUN(barriers_let_all_pass);
    RUN(handles_close_themselves_and_are_moved);
    return test_end();
}
