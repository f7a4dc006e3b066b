// Tasks that a loop runs: joining, cancelling, and where exceptions go.
#include "rota_test.hpp"

namespace {

rota::task<int> later(int n, std::chrono::nanoseconds delay = 1s) {
    co_await rota::sleep(delay);
    record("%d", n);
    co_return n;
}

TEST(tasks_run_side_by_side) {
    test_loop loop;
    const auto begin = loop.now();
    const int total = loop.run_until([]() -> rota::task<int> {
        auto a = rota::spawn(later(1, 3s), "a"), b = rota::spawn(later(2, 2s));
        auto c = rota::spawn([] { return later(3, 1s); });
        record("spawned");
        co_return co_await a + co_await std::move(b) + co_await c;
    });
    CHECK_EQ(total, 6);
    CHECK((loop.now() - begin) == 3s);
    CHECK_RECORD("spawned 3 2 1");
}

TEST(results_are_moved_to_whoever_joins) {
    test_loop loop;
    auto text = loop.run_until([]() -> rota::task<std::unique_ptr<std::string>> {
        auto running = rota::spawn([]() -> rota::task<std::unique_ptr<std::string>> {
            co_await rota::sleep(1s);
            co_return std::make_unique<std::string>("moved");
        });
        co_return co_await running;
    });
    CHECK(*text == "moved");
}

template <class E>
rota::task<void> fails(E exception) {
    throw exception;
    co_return;
}

TEST(c_sees_numbers_and_statuses) {
    test_loop loop;
    auto answer = [&](auto made) {
        auto running = loop.spawn(std::move(made));
        const int64_t came = WAIT(loop, rota_task_join(running.get()));
        CHECK(running.is_done());
        return came;
    };
    CHECK_EQ(answer(later(4)), 4);
    CHECK_EQ(answer(later(-4)), 0);
    CHECK_EQ(answer([]() -> rota::task<void> { co_return; }), 0);
    CHECK_EQ(answer([]() -> rota::task<std::string> { co_return "text"; }), 0);
    CHECK_EQ(answer([]() -> rota::task<rota::result<int>> {
                 co_return rota::result<int>::failed(ROTA_ERR_EOF);
             }),
             ROTA_ERR_EOF);
    CHECK_EQ(answer(fails(rota::error(ROTA_STATUS_HOST, "own"))), ROTA_STATUS_HOST);
    CHECK_EQ(answer(fails(std::bad_alloc())), ROTA_ERR_MEMORY);
    forget_record();
}

// ---- cancelling

rota::task<void> waits_long(const char *name) {
    witness here(name);
    try {
        co_await rota::sleep(1h);
    } catch (const rota::cancelled &it) {
        record("%s:%s", name, it.code() == std::errc::operation_canceled ? "asked" : "?");
        throw;
    }
}

TEST(a_request_unwinds_the_coroutine) {
    test_loop loop;
    auto running = loop.spawn(waits_long("w"));
    turn(loop);
    CHECK(!running.cancel());
    CHECK_RECORD("");
    CHECK_STATUS(WAIT(loop, rota_task_join(running.get())), ROTA_ERR_CANCELLED);
    CHECK_RECORD("w:asked ~w");
}

TEST(a_request_goes_through_a_join) {
    test_loop loop;
    auto outer = loop.spawn([]() -> rota::task<void> {
        witness here("outer");
        co_await rota::spawn(waits_long("inner"));
    });
    turns(loop, 3);
    CHECK(!outer.cancel());
    CHECK_STATUS(WAIT(loop, rota_task_join(outer.get())), ROTA_ERR_CANCELLED);
    CHECK_RECORD("inner:asked ~inner ~outer");
}

TEST(a_request_may_be_refused) {
    test_loop loop;
    auto running = loop.spawn([]() -> rota::task<int> {
        auto came = co_await rota::as_result(rota::sleep(1h));
        CHECK(came.error() == ROTA_ERR_CANCELLED && rota::this_task::cancelling() == 1);
        CHECK_EQ(rota::this_task::uncancel(), 0);
        co_await rota::sleep(1s);
        co_return 5;
    });
    turn(loop);
    CHECK(!running.cancel());
    CHECK_EQ(loop.run_until(std::move(running)), 5);
}

TEST(a_join_as_a_result) {
    test_loop loop;
    loop.run_until([]() -> rota::task<void> {
        auto failing = rota::spawn([]() -> rota::task<int> {
            co_await rota::sleep(1s);
            throw rota::error(ROTA_STATUS_HOST, "broken");
        });
        auto good = rota::spawn(later(8)), asked = rota::spawn(later(9));
        CHECK(!asked.cancel());
        auto first = co_await rota::as_result(std::move(failing));
        CHECK(!first.ok() && first.status() == ROTA_STATUS_HOST);
        auto second = co_await rota::as_result(std::move(good));
        CHECK(second.ok() && *second == 8);
        CHECK((co_await rota::as_result(std::move(asked))).error() == ROTA_ERR_CANCELLED);
        CHECK((co_await rota::as_result(rota::join_handle<int>())).error() == ROTA_ERR_HANDLE);
        auto inside = co_await rota::as_result([]() -> rota::task<int> {
            throw rota::error(ROTA_ERR_EOF);
            co_return 1;
        }());
        CHECK(inside.error() == ROTA_ERR_EOF);
        CHECK_EQ((co_await rota::as_result(later(3))).value(), 3);
        (void)co_await rota::as_result([]() -> rota::task<void> { co_return; }());
    });
    CHECK_RECORD("8 3");
}

TEST(the_loop_ends_tasks_when_it_closes) {
    rota::loop loop(open_jump());
    auto held = loop.spawn(waits_long("held"));
    loop.spawn(waits_long("detached")).detach();
    loop.spawn([]() -> rota::task<void> {
        co_await waits_long("inside");
    }).detach();
    turn(loop);
    CHECK(!loop.close());
    CHECK_RECORD("held:asked ~held detached:asked ~detached inside:asked ~inside");
    CHECK(!loop);
}

// ---- exceptions of the language

int reported;

void on_exception(std::exception_ptr exception) noexcept {
    try {
        std::rethrow_exception(exception);
    } catch (int n) {
        reported += n;
    } catch (...) {
        reported += 1000000;
    }
}

rota::task<int> throws_int(int n) {
    co_await rota::sleep(1s);
    throw n;
}

TEST(exceptions_reach_whoever_joins) {
    test_loop loop;
    reported = 0;
    rota::set_exception_handler(on_exception);
    const int caught = loop.run_until([]() -> rota::task<int> {
        auto running = rota::spawn(throws_int(3));
        try {
            co_return co_await running;
        } catch (int n) {
            co_return -n;
        }
    });
    CHECK_EQ(caught, -3);
    CHECK_EQ(reported, 0);
    rota::set_exception_handler(nullptr);
}

std::string logged;

void on_log(int32_t, const char *message, void *) { logged += message; }

TEST(exceptions_that_nobody_gets_are_reported) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.log = on_log;
    rota::loop loop(options);
    reported = 0;
    rota::set_exception_handler(on_exception);
    loop.spawn(throws_int(3), "thrower").detach();
    run_dry(loop);
    CHECK_EQ(reported, 3);
    CHECK(logged.find("thrower") != std::string::npos);
    CHECK(logged.find("ROTA_ERR_EXCEPTION") != std::string::npos);
    {
        auto kept = loop.spawn(throws_int(4)); /* joined in C, which cannot get it */
        CHECK_STATUS(WAIT(loop, rota_task_join(kept.get())), ROTA_ERR_EXCEPTION);
        CHECK_EQ(reported, 3);
    }
    CHECK_EQ(reported, 7);
    loop.spawn([]() -> rota::task<void> { throw rota::error(ROTA_ERR_EOF); co_return; }).detach();
    run_dry(loop);
    CHECK_EQ(reported, 7); /* an error of rota's is in the log, not here */
    CHECK(rota::set_exception_handler(nullptr) == on_exception);
    close_clean(loop.disown());
}

TEST(handles_are_moved) {
    test_loop loop;
    auto a = loop.spawn(later(1)), b = loop.spawn(later(2));
    rota::join_handle<int> none;
    CHECK(a && !none && !none.is_done());
    none = std::move(a);
    CHECK(!a && none);
    none = std::move(b); /* the first goes on by itself */
    CHECK_EQ(loop.run_until(std::move(none)), 2);
    CHECK_RECORD("1 2");
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(tasks_run_side_by_side);
    RUN(results_are_moved_to_whoever_joins);
    RUN(c_sees_numbers_and_statuses);
    RUN(a_request_unwinds_the_coroutine);
    RUN(a_request_goes_through_a_join);
    RUN(a_request_may_be_refused);
    RUN(a_join_as_a_result);
    RUN(the_loop_ends_tasks_when_it_closes);
    RUN(exceptions_reach_whoever_joins);
    RUN(exceptions_that_nobody_gets_are_reported);
    RUN(handles_are_moved);
    return test_end();
}
