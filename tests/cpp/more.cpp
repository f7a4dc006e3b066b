// Values made once, channels, tokens, races, sets, and what comes from threads.
#include "rota_test.hpp"

#include <thread>

namespace {

TEST(the_first_makes_the_value_and_all_have_it) {
    test_loop loop;
    rota::once<std::string> cell(loop);
    auto needs = [&](const char *name) -> rota::task<void> {
        if (auto mine = co_await cell.begin()) {
            record("%s", name);
            CHECK(!cell.value());
            co_await rota::sleep(1s);
            CHECK(!mine.set(std::string(100, 'x')) && !mine);
            CHECK(mine.set("again") == ROTA_ERR_HANDLE);
        }
        CHECK_EQ(cell.value()->size(), 100);
    };
    auto a = loop.spawn(needs("a")), b = loop.spawn(needs("b"));
    loop.run_until(std::move(b));
    loop.run_until(needs("c"));
    CHECK_RECORD("a");
    CHECK(!cell.close() && !cell.value());
}

TEST(who_unwinds_leaves_the_value_to_the_next) {
    test_loop loop;
    rota::once<witness> cell(loop);
    auto fails = loop.spawn([&]() -> rota::task<void> {
        auto mine = co_await cell.begin();
        CHECK(mine);
        co_await rota::sleep(1h);
    });
    auto next = loop.spawn([&]() -> rota::task<void> {
        auto mine = co_await cell.begin();
        CHECK(mine && !mine.set(witness("value")));
    });
    turn(loop);
    CHECK(!fails.cancel());
    loop.run_until(std::move(next));
    CHECK(cell.value());
    CHECK_RECORD("");
    CHECK(!cell.close());
    CHECK_RECORD("~value");
    CHECK_STATUS(WAIT(loop, rota_task_join(fails.get())), ROTA_ERR_CANCELLED);
}

TEST(a_duty_that_nobody_learnt_of_is_given_up) {
    test_loop loop;
    rota::once<int> cell(loop);
    { auto dropped = cell.begin(); }
    loop.run_until([&]() -> rota::task<void> {
        auto mine = co_await cell.begin();
        CHECK(mine && !mine.set(7));
    });
    CHECK_EQ(*cell.value(), 7);
}

TEST(channels_carry_pointers_from_threads) {
    test_loop loop;
    rota::channel<int *> channel(loop, 1);
    int items[100];
    auto sender = channel.get_sender();
    std::thread other([&items, sender] {
        for (int &item : items) {
            item = 1;
            CHECK(!sender.send_blocking(&item));
        }
        CHECK(!sender.shutdown());
    });
    const int total = loop.run_until([&]() -> rota::task<int> {
        int sum = 0;
        while (auto item = co_await rota::as_result(channel.receive())) sum += **item;
        co_return sum;
    });
    other.join();
    CHECK_EQ(total, 100);
    CHECK(channel.try_receive().error() == ROTA_ERR_SHUT);
    CHECK(sender.try_send(&items[0]) == ROTA_ERR_SHUT);
}

TEST(a_coroutine_that_sends_waits_for_room) {
    test_loop loop;
    rota::channel<int *> channel(loop, 1);
    int items[2] = {1, 2};
    auto sender = channel.get_sender();
    auto sends = loop.spawn([&]() -> rota::task<void> {
        for (int &item : items) co_await sender.send(&item);
    });
    turns(loop, 2);
    CHECK_EQ(channel.size(), 1);
    CHECK_EQ(sender.waiting(), 1);
    CHECK(sender.try_send(&items[0]) == ROTA_ERR_LIMIT);
    auto first = channel.try_receive();
    CHECK(first && *first == &items[0]);
    loop.run_until([&]() -> rota::task<void> { CHECK(co_await channel.receive() == &items[1]); });
    loop.run_until(std::move(sends));
    CHECK(!channel.close());
    CHECK(sender.try_send(&items[0]) == ROTA_ERR_HANDLE);
}

TEST(tokens_reach_all_below_and_attached) {
    test_loop loop;
    rota::token root(loop), below(loop, root);
    auto running = loop.spawn([&]() -> rota::task<void> { co_await rota::sleep(1h); });
    auto waits = loop.spawn([&]() -> rota::task<void> {
        co_await below.wait();
        record("seen");
    });
    CHECK(!below.attach(running));
    turn(loop);
    CHECK(!below.is_cancelled() && below.reason().empty());
    CHECK(!root.cancel("enough") && below.is_cancelled());
    CHECK(root.reason() == "enough");
    loop.run_until(std::move(waits));
    CHECK_RECORD("seen");
    CHECK_STATUS(WAIT(loop, rota_task_join(running.get())), ROTA_ERR_CANCELLED);
    rota::token posted(loop);
    std::thread([&] { CHECK(!posted.post_cancel() && posted.is_cancelled()); }).join();
    loop.run_until([&]() -> rota::task<void> { co_await posted.wait(); });
}

TEST(a_race_has_one_winner) {
    test_loop loop;
    rota::promise promise = loop.promise();
    loop.run_until([&]() -> rota::task<void> {
        auto number = promise.get_future();
        auto slow = rota::sleep(1h);
        CHECK(slow.take_done().error() == ROTA_ERR_PENDING && slow);
        CHECK(!promise.complete(5));
        CHECK_EQ(co_await rota::race(slow, number), 1);
        auto won = number.take_done();
        CHECK(won && *won == 5 && !number);
        CHECK(slow.take_done().error() == ROTA_ERR_HANDLE);
        rota::promise bad = rota::loop_ref::current().promise();
        auto fails = bad.get_future();
        auto soon = rota::sleep(1s);
        CHECK(!bad.fail(ROTA_STATUS_HOST, "words"));
        CHECK_EQ(co_await rota::race_success(fails, soon), 1);
        CHECK(soon.take_done().ok());
    });
    CHECK(loop.now() < 1h);
}

TEST(a_set_hands_out_as_they_end) {
    test_loop loop;
    rota::set set(loop);
    std::array<rota::future<void>, 3> sleeps;
    for (uint64_t i = 0; i < 3; i++) {
        sleeps[i] = loop.sleep((3 - i) * 1s);
        CHECK(!set.add(sleeps[i], i));
    }
    CHECK_EQ(set.count(), 3);
    loop.run_until([&]() -> rota::task<void> {
        for (;;) {
            auto tag = co_await rota::as_result(set.next());
            if (!tag) {
                CHECK(tag.error() == ROTA_ERR_DONE);
                break;
            }
            CHECK(sleeps[*tag].take_done().ok());
            record("%d", static_cast<int>(*tag));
        }
    });
    CHECK_RECORD("2 1 0");
}

TEST(completions_are_fetched) {
    test_loop loop;
    int here = 0, there = 0;
    CHECK(!loop.sleep(1s).drain(&here));
    std::thread([&] { CHECK(!loop.post_completion(&there)); }).join();
    rota_completion done{};
    std::vector<void *> came;
    while (came.size() < 2) {
        CHECK(!loop.turn(1h));
        while (!loop.next_completion(done)) came.push_back(done.user_data);
    }
    CHECK(came[0] == &there && came[1] == &here);
    CHECK(loop.next_completion(done) == ROTA_ERR_PENDING);
}

TEST(threads_complete_promises_and_cancel_tasks) {
    test_loop loop;
    rota::promise good = loop.promise(), bad = loop.promise();
    auto a = good.get_future(), b = bad.get_future();
    auto never = loop.promise();
    auto waits = loop.spawn([f = never.get()]() -> rota::task<void> {
        (void)co_await rota::future<int64_t>(f);
    });
    std::thread other([&, mine = std::move(good)]() mutable {
        CHECK(!mine.post_complete(3) && mine.post_complete(4) == ROTA_ERR_HANDLE);
        CHECK(!bad.post_fail(ROTA_STATUS_HOST));
        CHECK(!waits.post_cancel());
    });
    loop.run_until([&]() -> rota::task<void> {
        CHECK_EQ(co_await std::move(a), 3);
        auto failed = co_await rota::as_result(std::move(b));
        CHECK_STATUS(failed.status(), ROTA_STATUS_HOST);
    });
    other.join();
    CHECK_STATUS(WAIT(loop, rota_task_join(waits.get())), ROTA_ERR_CANCELLED);
}

TEST(threads_cancel_groups_and_scopes) {
    test_loop loop;
    loop.run_until([&]() -> rota::task<void> {
        rota::group group(rota::loop_ref::current());
        auto member = group.spawn([]() -> rota::task<void> { co_await rota::sleep(1h); });
        std::thread([&] { CHECK(!group.post_cancel()); }).join();
        auto ended = co_await rota::as_result(std::move(member));
        CHECK(ended.error() == ROTA_ERR_CANCELLED && group.count() == 0);
        (void)co_await rota::as_result(group.wait());
        rota::scope scope;
        std::thread([&] { CHECK(!scope.post_cancel()); }).join();
        auto slept = co_await rota::as_result(rota::sleep(1h));
        CHECK(slept.error() == ROTA_ERR_CANCELLED && !scope.is_open());
    });
    CHECK(loop.now() < 1h);
}

TEST(a_thread_waits_for_a_future) {
    test_loop loop;
    rota::promise promise = loop.promise(), stop = loop.promise();
    auto waited = promise.get_future();
    auto end = stop.get_future();
    CHECK(end.wait_blocking(1s).error() == ROTA_ERR_REENTRANT && end);
    std::thread other([&] {
        CHECK(waited.wait_blocking(0s).error() == ROTA_ERR_TIMEOUT && waited);
        CHECK(!promise.post_complete(9));
        auto came = waited.wait_blocking();
        CHECK(came && *came == 9 && !waited);
        CHECK(!stop.post_complete());
    });
    loop.run_until([&]() -> rota::task<void> { (void)co_await std::move(end); });
    other.join();
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(the_first_makes_the_value_and_all_have_it);
    RUN(who_unwinds_leaves_the_value_to_the_next);
    RUN(a_duty_that_nobody_learnt_of_is_given_up);
    RUN(channels_carry_pointers_from_threads);
    RUN(a_coroutine_that_sends_waits_for_room);
    RUN(tokens_reach_all_below_and_attached);
    RUN(a_race_has_one_winner);
    RUN(a_set_hands_out_as_they_end);
    RUN(completions_are_fetched);
    RUN(threads_complete_promises_and_cancel_tasks);
    RUN(threads_cancel_groups_and_scopes);
    RUN(a_thread_waits_for_a_future);
    return test_end();
}
