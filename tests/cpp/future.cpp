// Operations: awaiting them, their failures, times, promises, callbacks.
#include "rota_test.hpp"

namespace {

TEST(statuses_are_error_codes) {
    std::error_code code = ROTA_ERR_TIMEOUT;
    CHECK(code && code == ROTA_ERR_TIMEOUT && code != ROTA_ERR_EOF);
    CHECK(code == std::errc::timed_out);
    CHECK(&code.category() == &rota::category());
    CHECK(code.message() == rota_strerror(ROTA_ERR_TIMEOUT));
    CHECK(!std::error_code(ROTA_OK));
    CHECK(rota::code_of(ROTA_STATUS_HOST - 5).value() == ROTA_STATUS_HOST - 5);
    try {
        throw rota::cancelled(ROTA_ERR_CANCELLED, "text");
    } catch (const std::system_error &it) {
        CHECK(it.code() == ROTA_ERR_CANCELLED && strstr(it.what(), "text") != nullptr);
    }
    CHECK_TEXT(rota::error(ROTA_ERR_EOF).what(), rota_strerror(ROTA_ERR_EOF));
}

TEST(failures_are_thrown_with_what_is_known) {
    test_loop loop;
    rota::promise promise = loop.promise();
    const rota_future future = promise.get();
    auto running = loop.spawn([future]() -> rota::task<void> {
        try {
            (void)co_await rota::future<int64_t>(future);
            CHECK(false);
        } catch (const rota::error &it) {
            CHECK_STATUS(it.status(), ROTA_STATUS_HOST);
            record("%s", it.what());
        }
    });
    turn(loop);
    CHECK(!promise.fail(ROTA_STATUS_HOST, "words"));
    loop.run_until(std::move(running));
    CHECK(strstr(test_record, "words") != nullptr);
    forget_record();
}

TEST(results_say_the_same_without_throwing) {
    test_loop loop;
    rota::promise good = loop.promise(), bad = loop.promise();
    auto a = good.get_future(), b = bad.get_future();
    auto running = loop.spawn([&]() -> rota::task<void> {
        auto first = co_await rota::as_result(std::move(a));
        CHECK(first && first.ok() && *first == 12 && !first.error() && first.status() == ROTA_OK);
        CHECK(!a); /* ended */
        auto second = co_await rota::as_result(std::move(b));
        CHECK(!second && second.status() == ROTA_STATUS_HOST && second.error() != ROTA_ERR_EOF);
        CHECK_TEXT(second.message(), "words");
        bool thrown = false;
        try {
            (void)second.value();
        } catch (const rota::error &it) {
            thrown = it.status() == ROTA_STATUS_HOST;
        }
        CHECK(thrown);
    });
    turn(loop);
    CHECK(!good.complete(12) && !bad.fail(ROTA_STATUS_HOST, "words"));
    loop.run_until(std::move(running));
}

TEST(a_null_future_is_an_error) {
    test_loop loop;
    auto came = loop.run_until([]() -> rota::task<rota::result<void>> {
        co_return co_await rota::as_result(rota::future<void>());
    });
    CHECK(came.error() == ROTA_ERR_HANDLE);
}

TEST(within_a_time) {
    test_loop loop;
    const auto begin = loop.now();
    loop.run_until([]() -> rota::task<void> {
        auto late = co_await rota::as_result(rota::within(2s, rota::sleep(1h)));
        CHECK(late.error() == ROTA_ERR_TIMEOUT && late.error() == std::errc::timed_out);
        co_await rota::within(2s, rota::sleep(1s));
        co_await rota::sleep(1s).within(rota::forever);
        bool thrown = false;
        try {
            co_await rota::within(-5s, rota::sleep(1s)); /* less than no time is none */
        } catch (const rota::cancelled &) {
        } catch (const rota::error &it) {
            thrown = it.code() == ROTA_ERR_TIMEOUT;
        }
        CHECK(thrown);
    });
    CHECK((loop.now() - begin) == 4s);
}

TEST(dropping_an_operation_withdraws_it) {
    test_loop loop;
    {
        auto sleeping = loop.sleep(1h);
        CHECK(!sleeping.is_done());
        CHECK_EQ(stats_of(loop).timers, 1);
        auto moved = std::move(sleeping);
        CHECK(!sleeping && moved);
        moved = loop.sleep(2h);
        CHECK_EQ(stats_of(loop).timers, 1);
    }
    CHECK_EQ(stats_of(loop).timers, 0);
    {
        auto given = loop.sleep(1h);
        CHECK_STATUS(rota_future_close(given.disown()), ROTA_OK);
    }
}

TEST(a_promise_that_is_dropped_is_cancelled) {
    test_loop loop;
    rota::future<int64_t> future;
    {
        rota::promise promise = loop.promise();
        future = promise.get_future();
        rota::promise other = std::move(promise);
        CHECK(!future.is_done());
    }
    CHECK(future.is_done());
    auto came = loop.run_until([&]() -> rota::task<rota::result<int64_t>> {
        co_return co_await rota::as_result(std::move(future));
    });
    CHECK(came.error() == ROTA_ERR_CANCELLED);
}

TEST(yielding_gives_up_the_turn) {
    test_loop loop;
    auto yields = [](const char *name) -> rota::task<void> {
        for (int i = 0; i < 3; i++) {
            record("%s%d", name, i);
            co_await rota::this_task::yield();
        }
    };
    auto a = loop.spawn(yields("a")), b = loop.spawn(yields("b"));
    turn(loop);
    CHECK_RECORD("a0 b0");
    CHECK(!a.cancel());
    CHECK_STATUS(WAIT(loop, rota_task_join(a.get())), ROTA_ERR_CANCELLED);
    loop.run_until(std::move(b));
    CHECK_RECORD("b1 b2");
}

TEST(this_task_is_the_one_that_runs) {
    test_loop loop;
    CHECK(rota::this_task::get().id == 0 && rota::this_task::cancelling() == 0);
    auto running = loop.spawn([]() -> rota::task<uint64_t> {
        co_return rota::this_task::get().id;
    });
    const uint64_t id = running.get().id;
    CHECK(loop.run_until(std::move(running)) == id);
}

// ---- callbacks

TEST(a_callback_gets_a_result) {
    test_loop loop;
    auto word = std::make_shared<std::string>("big");
    CHECK(!loop.sleep(1s).then([word, more = *word](rota::result<void> came) {
        record("%s:%s", word->c_str(), came ? "ok" : "?");
    }));
    int seen = 0;
    rota::promise promise = loop.promise();
    CHECK(!promise.get_future().then([&seen](rota::result<int64_t> came) {
        seen = came.status();
    }));
    CHECK_EQ(word.use_count(), 2);
    CHECK(!promise.fail(ROTA_ERR_EOF));
    CHECK_RECORD("");
    run_dry(loop);
    CHECK_RECORD("big:ok");
    CHECK_EQ(word.use_count(), 1);
    CHECK_STATUS(seen, ROTA_ERR_EOF);
    CHECK(rota::future<void>().then([word](rota::result<void>) {}) == ROTA_ERR_HANDLE);
    CHECK_EQ(word.use_count(), 1);
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(statuses_are_error_codes);
    RUN(failures_are_thrown_with_what_is_known);
    RUN(results_say_the_same_without_throwing);
    RUN(a_null_future_is_an_error);
    RUN(within_a_time);
    RUN(dropping_an_operation_withdraws_it);
    RUN(a_promise_that_is_dropped_is_cancelled);
    RUN(yielding_gives_up_the_turn);
    RUN(this_task_is_the_one_that_runs);
    RUN(a_callback_gets_a_result);
    return test_end();
}
