// flags: -fno-exceptions -fno-rtti
// Without exceptions every await gives a result, and what cannot be opened is null.
#include "rota_test.hpp"

#ifdef __cpp_exceptions
#error "this program has to be built without exceptions"
#endif

namespace {

rota::task<int> number(int n) { co_return n; }

rota::task<rota::result<int>> adds() {
    using came = rota::result<int>;
    if (auto slept = co_await rota::sleep(1s); !slept) co_return came::failed(slept.status());
    int sum = co_await number(1);
    auto running = rota::spawn(number(2));
    auto joined = co_await running;
    CHECK(joined.ok());
    co_return sum + *joined;
}

TEST(awaits_give_results) {
    test_loop loop;
    auto came = loop.run_until(adds());
    CHECK(came && came.value() && *came.value() == 3);
}

TEST(a_value_is_made_once) {
    test_loop loop;
    rota::once<int> cell(loop);
    auto needs = [&]() -> rota::task<void> {
        auto mine = co_await cell.begin();
        CHECK(mine.ok());
        if (*mine) CHECK(!mine->set(7));
        CHECK(*cell.value() == 7);
    };
    CHECK(loop.run_until(needs()) && loop.run_until(needs()));
}

TEST(failures_are_results) {
    test_loop loop;
    auto running = loop.spawn(adds());
    turn(loop);
    CHECK(!running.cancel());
    CHECK_STATUS(WAIT(loop, rota_task_join(running.get())), ROTA_ERR_CANCELLED);
    auto late = loop.run_until([]() -> rota::task<rota::result<void>> {
        co_return co_await rota::within(1s, rota::sleep(1h));
    });
    CHECK(late && late.value().error() == ROTA_ERR_TIMEOUT);
}

TEST(the_rest_is_the_same) {
    test_loop loop;
    rota::lock lock(loop);
    CHECK(!rota::lock(rota::loop_ref()));
    CHECK(rota::lock(rota::loop_ref()).release() == ROTA_ERR_HANDLE);
    CHECK(!loop.call_soon([] { record("called"); }));
    auto none = rota::spawn(rota_loop{}, number(1));
    CHECK(!none.is_done());
    auto done = loop.run_until([&]() -> rota::task<void> {
        auto held = co_await lock.hold();
        CHECK(held && lock.is_locked());
        CHECK(co_await rota::this_task::yield());
    });
    CHECK(done && !lock.is_locked());
    CHECK_RECORD("called");
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(awaits_give_results);
    RUN(a_value_is_made_once);
    RUN(failures_are_results);
    RUN(the_rest_is_the_same);
    return test_end();
}
