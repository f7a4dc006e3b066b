// Timeouts, shields and groups of coroutines.
#include "rota_test.hpp"

namespace {

rota::task<int> naps(const char *name, std::chrono::nanoseconds time, int result = 0) {
    witness here(name);
    co_await rota::sleep(time);
    record("%s", name);
    co_return result;
}

int32_t status_of(auto body) {
    try {
        body();
    } catch (const rota::error &it) {
        return it.status();
    }
    return ROTA_OK;
}

TEST(work_within_a_time) {
    test_loop loop;
    const auto begin = loop.now();
    const int came = loop.run_until([]() -> rota::task<int> {
        co_return co_await rota::timeout(2s, []() -> rota::task<int> {
            co_await rota::sleep(1s);
            co_return co_await naps("inside", 500ms, 4);
        });
    });
    CHECK_EQ(came, 4);
    CHECK((loop.now() - begin) == 1500ms);
    CHECK_RECORD("inside ~inside");
    CHECK_STATUS(status_of([&] {
                     loop.run_until([]() -> rota::task<void> {
                         co_await rota::timeout(2s, [] { return naps("late", 1h); });
                     });
                 }),
                 ROTA_ERR_TIMEOUT);
    CHECK_RECORD("~late");
    CHECK((loop.now() - begin) == 3500ms);
}

TEST(timeouts_nest) {
    test_loop loop;
    loop.run_until([]() -> rota::task<void> {
        auto outer = co_await rota::as_result(rota::timeout(1s, []() -> rota::task<void> {
            auto inner = co_await rota::as_result(
                rota::timeout(2s, [] { return naps("never", 1h); }));
            record("%s", told(inner.status())); /* not its own time: asked from outside */
            CHECK(inner.error() == ROTA_ERR_CANCELLED);
            throw rota::cancelled(ROTA_ERR_CANCELLED);
        }));
        CHECK(outer.error() == ROTA_ERR_TIMEOUT);
        auto other = co_await rota::as_result(rota::timeout(2s, []() -> rota::task<int> {
            auto inner = co_await rota::as_result(
                rota::timeout(1s, [] { return naps("never", 1h); }));
            CHECK(inner.error() == ROTA_ERR_TIMEOUT);
            co_return co_await naps("after", 100ms, 7);
        }));
        CHECK(other && *other == 7);
    });
    CHECK_RECORD("~never cancelled ~never after ~after");
}

TEST(a_request_is_not_a_timeout) {
    test_loop loop;
    auto running = loop.spawn([]() -> rota::task<void> {
        co_await rota::timeout(1h, [] { return naps("asked", 2h); });
    });
    turns(loop, 2);
    CHECK(!running.cancel());
    CHECK_STATUS(WAIT(loop, rota_task_join(running.get())), ROTA_ERR_CANCELLED);
    CHECK_RECORD("~asked");
}

TEST(results_time_out_too) {
    test_loop loop;
    auto came = loop.run_until([]() -> rota::task<rota::result<void>> {
        co_return co_await rota::timeout(1s, []() -> rota::task<rota::result<void>> {
            co_return co_await rota::as_result(rota::sleep(1h));
        });
    });
    CHECK(came.error() == ROTA_ERR_TIMEOUT);
}

TEST(a_shield_keeps_requests_waiting) {
    test_loop loop;
    auto running = loop.spawn([]() -> rota::task<void> {
        co_await rota::shield([] { return naps("shielded", 1s); });
        record("out");
        co_await rota::sleep(1s);
    });
    turns(loop, 2);
    CHECK(!running.cancel());
    CHECK_STATUS(WAIT(loop, rota_task_join(running.get())), ROTA_ERR_CANCELLED);
    CHECK_RECORD("shielded ~shielded out");
}

TEST(a_scope_by_hand) {
    test_loop loop;
    loop.run_until([]() -> rota::task<void> {
        rota::scope limit(1s);
        CHECK(limit.is_open());
        CHECK(!limit.set_deadline(rota::loop_ref::current().now() + 3s));
        auto came = co_await rota::as_result(rota::sleep(2s));
        CHECK(came.ok());
        CHECK(!limit.cancel("enough"));
        came = co_await rota::as_result(rota::sleep(2s));
        CHECK(came.error() == ROTA_ERR_CANCELLED && !limit.is_open());
        CHECK_TEXT(came.message(), "enough");
        CHECK_STATUS(limit.leave(came.status()), ROTA_ERR_CANCELLED);
        co_await rota::sleep(2s);
    });
}

// ---- groups

TEST(a_group_ends_when_all_have) {
    test_loop loop;
    const auto begin = loop.now();
    const int total = loop.run_until([]() -> rota::task<int> {
        rota::join_handle<int> a, b;
        co_await rota::with_group([&](rota::group &group) -> rota::task<void> {
            a = group.spawn(naps("a", 3s, 1), "a");
            b = group.spawn([] { return naps("b", 2s, 2); });
            CHECK(!group.add(rota::sleep(4s)));
            CHECK_EQ(group.count(), 3);
            co_return;
        });
        co_return co_await a + co_await b; // what they came to is there after the group
    });
    CHECK_EQ(total, 3);
    CHECK((loop.now() - begin) == 4s);
    CHECK_RECORD("b ~b a ~a");
}

TEST(the_first_failure_ends_the_others) {
    test_loop loop;
    struct odd {
        int n;
    };
    bool caught = false;
    try {
        loop.run_until([]() -> rota::task<void> {
            witness outside("outside");
            co_await rota::with_group([](rota::group &group) -> rota::task<void> {
                (void)group.spawn(naps("a", 1h));
                (void)group.spawn([]() -> rota::task<void> {
                    co_await rota::sleep(1s);
                    throw odd{3};
                });
                co_await naps("work", 1h);
            });
        });
    } catch (const odd &it) {
        caught = it.n == 3;
    }
    CHECK(caught);
    CHECK_RECORD("~a ~work ~outside");
    loop.run_until([]() -> rota::task<void> {
        try {
            co_await rota::with_group([](rota::group &group) -> rota::task<void> {
                (void)group.spawn([]() -> rota::task<void> {
                    throw rota::error(ROTA_STATUS_HOST, "words");
                    co_return;
                });
                co_return;
            });
        } catch (const rota::error &it) {
            record("%d %s", it.status(), it.what());
        }
    });
    CHECK(strncmp(test_record, "-1000000 words", 14) == 0);
    forget_record();
}

TEST(a_failure_of_the_work_ends_the_members) {
    test_loop loop;
    CHECK_STATUS(status_of([&] {
                     loop.run_until([]() -> rota::task<void> {
                         co_await rota::with_group([](rota::group &group) -> rota::task<void> {
                             (void)group.spawn(naps("member", 1h));
                             co_await rota::sleep(1s);
                             throw rota::error(ROTA_ERR_EOF);
                         });
                     });
                 }),
                 ROTA_ERR_EOF);
    CHECK_RECORD("~member");
}

TEST(a_group_has_a_time) {
    test_loop loop;
    const auto begin = loop.now();
    CHECK_STATUS(status_of([&] {
                     loop.run_until([]() -> rota::task<void> {
                         co_await rota::with_group(2s, [](rota::group &group) -> rota::task<void> {
                             (void)group.spawn(naps("member", 1h));
                             co_await naps("work", 1s);
                         });
                     });
                 }),
                 ROTA_ERR_TIMEOUT);
    CHECK_RECORD("work ~work ~member");
    CHECK((loop.now() - begin) == 2s);
}

TEST(a_request_to_the_owner_ends_the_group) {
    test_loop loop;
    auto running = loop.spawn([]() -> rota::task<void> {
        std::string local = "local"; // members may use it: none outlives this
        co_await rota::with_group([&](rota::group &group) -> rota::task<void> {
            (void)group.spawn([&]() -> rota::task<void> {
                auto asked = co_await rota::as_result(rota::sleep(1h));
                CHECK(asked.error() == ROTA_ERR_CANCELLED);
                co_await rota::sleep(1s); // cleaning up takes time
                record("%s", local.c_str());
            });
            co_await naps("work", 2h);
        });
    });
    turns(loop, 3);
    CHECK(!running.cancel() && !running.cancel());
    CHECK_STATUS(WAIT(loop, rota_task_join(running.get())), ROTA_ERR_CANCELLED);
    CHECK_RECORD("~work local");
}

TEST(a_group_that_others_wait_for_too_is_waited_for_to_its_end) {
    test_loop loop;
    rota_group shared{};
    auto owner = loop.spawn([&]() -> rota::task<void> {
        std::string local = "local";
        co_await rota::with_group([&](rota::group &group) -> rota::task<void> {
            shared = group.get();
            (void)group.spawn([&]() -> rota::task<void> {
                (void)co_await rota::as_result(rota::sleep(1h));
                co_await rota::sleep(1s);
                record("%s", local.c_str());
            });
            co_return;
        });
    });
    turns(loop, 2);
    auto other = loop.spawn([&]() -> rota::task<int64_t> {
        co_return co_await rota::future<int64_t>(rota_group_wait(shared));
    });
    turns(loop, 2);
    CHECK(!owner.cancel()); // a wait of its own, which may end before the group does
    CHECK_STATUS(WAIT(loop, rota_task_join(owner.get())), ROTA_ERR_CANCELLED);
    CHECK_RECORD("local");
    CHECK_STATUS(WAIT(loop, rota_task_join(other.get())), ROTA_ERR_CANCELLED);
}

int reported;

TEST(what_else_members_throw_is_reported) {
    test_loop loop;
    reported = 0;
    rota::set_exception_handler([](std::exception_ptr) noexcept { reported++; });
    int caught = 0;
    try {
        loop.run_until([]() -> rota::task<void> {
            co_await rota::with_group([](rota::group &group) -> rota::task<void> {
                for (int i = 1; i < 4; i++)
                    (void)group.spawn([i]() -> rota::task<void> {
                        (void)co_await rota::as_result(rota::sleep(1s));
                        throw i;
                    });
                co_return;
            });
        });
    } catch (int n) {
        caught = n;
    }
    CHECK_EQ(caught, 1);
    CHECK_EQ(reported, 2);
    rota::set_exception_handler(nullptr);
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(work_within_a_time);
    RUN(timeouts_nest);
    RUN(a_request_is_not_a_timeout);
    RUN(results_time_out_too);
    RUN(a_shield_keeps_requests_waiting);
    RUN(a_scope_by_hand);
    RUN(a_group_ends_when_all_have);
    RUN(the_first_failure_ends_the_others);
    RUN(a_failure_of_the_work_ends_the_members);
    RUN(a_group_has_a_time);
    RUN(a_request_to_the_owner_ends_the_group);
    RUN(a_group_that_others_wait_for_too_is_waited_for_to_its_end);
    RUN(what_else_members_throw_is_reported);
    return test_end();
}
