// The loop: opening, closing, callbacks and timers from lambdas.
#include "rota_test.hpp"

namespace {

TEST(a_loop_closes_itself) {
    {
        rota::loop loop;
        CHECK(loop && loop.get().id != 0);
        rota::loop other = std::move(loop);
        CHECK(!loop && other);
        loop = std::move(other);
        CHECK(!loop.turn());
    }
    rota::loop loop(open_jump());
    CHECK(!loop.close(1s));
    CHECK(!loop && !loop.close()); /* closing null succeeds */
    rota_loop_options options = loop_options(99);
    bool thrown = false;
    try {
        rota::loop never(options);
    } catch (const rota::error &it) {
        thrown = it.code() == ROTA_ERR_INVALID;
    }
    CHECK(thrown);
    rota::loop given(open_jump());
    CHECK(!given.abandon() && !given);
}

TEST(the_current_loop_is_known) {
    test_loop loop;
    CHECK(rota::loop_ref::current().get().id == 0);
    uint64_t seen = 0;
    CHECK(!loop.call_soon([&] { seen = rota::loop_ref::current().get().id; }));
    turn(loop);
    CHECK(seen == loop.get().id);
}

TEST(lambdas_are_called_in_order) {
    test_loop loop;
    auto big = std::make_shared<std::array<char, 100>>();
    CHECK(!loop.call_soon([] { record("empty"); }));
    CHECK(!loop.call_soon([&loop] { CHECK(loop.get().id != 0), record("small"); }));
    CHECK(!loop.call_soon([big, more = *big](rota_status status) {
        record("big:%s", told(status));
    }));
    rota_call call;
    CHECK(!loop.call_soon([big](rota_status status) { record("%s", told(status)); }, &call));
    CHECK(!loop.call_soon([big] { record("last"); }));
    CHECK(!loop.post([big] { record("posted"); }));
    CHECK_STATUS(rota_call_cancel(call), ROTA_OK);
    CHECK_EQ(big.use_count(), 5);
    CHECK_RECORD("");
    turns(loop, 2);
    CHECK_RECORD("empty small big:ok cancelled last posted");
    CHECK_EQ(big.use_count(), 1);
    CHECK(rota::loop_ref().call_soon([big] {}) == ROTA_ERR_HANDLE);
    CHECK(rota::loop_ref().call_later(1s, [big] {}) == ROTA_ERR_HANDLE);
    CHECK_EQ(big.use_count(), 1);
}

TEST(a_callback_that_is_cancelled_is_not_called_unless_it_asks) {
    auto held = std::make_shared<int>(1);
    rota::loop loop(open_jump());
    CHECK(!loop.call_soon([held] { record("never"); }));
    CHECK(!loop.call_later(1h, [held] { record("never"); }));
    CHECK(!loop.call_later(1h, [held](rota_status status) { record("%s", told(status)); }));
    CHECK(!loop.close());
    CHECK_RECORD("cancelled");
    CHECK_EQ(held.use_count(), 1);
}

TEST(timers_come_once_or_again) {
    test_loop loop;
    auto held = std::make_shared<int>(0);
    CHECK(!loop.call_later(2s, [held] { record("two"); }));
    CHECK(!loop.call_later(1s, [held]() -> std::optional<std::chrono::nanoseconds> {
        record("tick%d", *held);
        if (++*held == 4) return std::nullopt;
        return 1s;
    }));
    run_dry(loop);
    CHECK_RECORD("tick0 two tick1 tick2 tick3");
    CHECK_EQ(held.use_count(), 1);
}

TEST(a_timer_that_is_dropped_is_cancelled) {
    test_loop loop;
    auto held = std::make_shared<int>(0);
    {
        rota::timer a(loop, 1h, [held](rota_status status) { record("a:%s", told(status)); });
        rota::timer b(loop, 1h, [held] { record("never"); });
        rota::timer c(loop, 1h, [held](rota_status status) { record("c:%s", told(status)); });
        CHECK(!c.rearm(1s));
        (void)c.disown();
    }
    run_dry(loop);
    CHECK_RECORD("a:cancelled c:ok");
    CHECK_EQ(held.use_count(), 1);
}

int reported;

TEST(what_a_callback_throws_is_reported) {
    test_loop loop;
    auto held = std::make_shared<int>(0);
    reported = 0;
    rota::set_exception_handler([](std::exception_ptr) noexcept { reported++; });
    CHECK(!loop.call_soon([held] { throw 1; }));
    CHECK(!loop.call_soon([] { throw 2; }));
    CHECK(!loop.call_later(1s, [held]() -> std::optional<std::chrono::nanoseconds> { throw 3; }));
    CHECK(!loop.sleep(1s).then([held](rota::result<void>) { throw 4; }));
    const int64_t answer = loop.run_until([&]() -> rota::task<int64_t> {
        auto throwing = loop.call_blocking([held]() -> int { throw 5; });
        auto came = co_await rota::as_result(std::move(throwing));
        co_return came.status();
    });
    CHECK_STATUS(answer, ROTA_ERR_EXCEPTION);
    run_dry(loop);
    CHECK_EQ(reported, 5);
    CHECK_EQ(held.use_count(), 1);
    rota::set_exception_handler(nullptr);
}

TEST(blocking_calls_run_elsewhere) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    rota::loop loop(options);
    auto held = std::make_unique<int64_t>(20);
    const int64_t got = loop.run_until([&]() -> rota::task<int64_t> {
        const auto here = pthread_self();
        auto elsewhere = loop.call_blocking([held = std::move(held), here] {
            return *held + (pthread_equal(here, pthread_self()) ? 0 : 1);
        });
        const int64_t n = co_await elsewhere;
        co_return n + co_await loop.call_blocking([] {});
    });
    CHECK_EQ(got, 21);
    close_clean(loop.disown());
}

TEST(time_is_the_loops) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL);
    rota::loop loop(options);
    const auto begin = loop.now();
    auto sleeping = loop.sleep_until(begin + 5s);
    CHECK(!loop.advance(4s) && !loop.turn());
    CHECK(!sleeping.is_done());
    CHECK(!loop.advance(1s) && !loop.turn());
    CHECK(sleeping.is_done());
    CHECK((loop.now() - begin) == 5s);
    CHECK(!loop.stop() && !loop.run());
    (void)sleeping.close();
    close_clean(loop.disown());
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_loop_closes_itself);
    RUN(the_current_loop_is_known);
    RUN(lambdas_are_called_in_order);
    RUN(a_callback_that_is_cancelled_is_not_called_unless_it_asks);
    RUN(timers_come_once_or_again);
    RUN(a_timer_that_is_dropped_is_cancelled);
    RUN(what_a_callback_throws_is_reported);
    RUN(blocking_calls_run_elsewhere);
    RUN(time_is_the_loops);
    return test_end();
}
