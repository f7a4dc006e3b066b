// rota::task<T>: coroutines that call each other inside one task of the loop.
#include "rota_test.hpp"

namespace {

rota::task<int> number(int n) { co_return n; }

rota::task<void> naps(int count) {
    while (count-- > 0) co_await rota::sleep(1s);
}

rota::task<int> sum(int depth) {
    if (depth == 0) co_return 1;
    co_await naps(1);
    int left = co_await sum(depth - 1);
    int right = co_await sum(depth - 1);
    co_return left + right;
}

TEST(a_task_runs_others_inside_itself) {
    test_loop loop;
    const auto begin = loop.now();
    CHECK_EQ(loop.run_until(number(7)), 7);
    CHECK_EQ(loop.run_until(sum(4)), 16);
    CHECK((loop.now() - begin) == 15s);
    CHECK_EQ(stats_of(loop).tasks, 0);
}

rota::task<void> notes(const char *word) {
    record("%s", word);
    co_return;
}

TEST(a_task_is_lazy) {
    test_loop loop;
    auto made = notes("ran");
    CHECK_RECORD("");
    { auto dropped = notes("never"); }
    loop.run_until(std::move(made));
    CHECK_RECORD("ran");
    CHECK(!made);
}

rota::task<std::unique_ptr<int>> makes_unique(int n) {
    co_await rota::sleep(1ms);
    co_return std::make_unique<int>(n);
}

struct only_moved {
    explicit only_moved(int value) : n(value) {}
    only_moved(only_moved &&) = default;
    only_moved &operator=(only_moved &&) = delete;
    int n;
};

rota::task<only_moved> makes_only_moved(int n) { co_return only_moved(n); }
rota::task<int &> refers_to(int &n) { co_return n; }

rota::task<int> collects(int &n) {
    auto unique = co_await makes_unique(1);
    only_moved moved = co_await makes_only_moved(2);
    int &referred = co_await refers_to(n);
    CHECK(&referred == &n);
    co_return *unique + moved.n + referred;
}

TEST(results_are_moved) {
    test_loop loop;
    int n = 4;
    CHECK_EQ(loop.run_until(collects(n)), 7);
    CHECK_EQ(*loop.run_until(makes_unique(3)), 3);
    CHECK_EQ(loop.run_until(makes_only_moved(5)).n, 5);
    CHECK(&loop.run_until(refers_to(n)) == &n);
}

// ---- exceptions

struct odd {
    int n;
};

rota::task<int> throws(int n) {
    witness here("throws");
    co_await rota::sleep(1s);
    if (n % 2) throw odd{n};
    co_return n;
}

rota::task<int> passes_on(int n) {
    witness here("passes_on");
    co_return co_await throws(n);
}

rota::task<int> catches(int n) {
    int caught = 0;
    try {
        caught = co_await passes_on(n);
    } catch (const odd &it) {
        caught = -it.n;
    }
    co_await rota::sleep(1s); /* waiting after a catch is allowed, in it is not */
    co_return caught;
}

TEST(exceptions_pass_through_awaits) {
    test_loop loop;
    CHECK_EQ(loop.run_until(catches(2)), 2);
    CHECK_RECORD("~throws ~passes_on");
    CHECK_EQ(loop.run_until(catches(3)), -3);
    CHECK_RECORD("~throws ~passes_on");
    bool thrown = false;
    try {
        (void)loop.run_until(passes_on(5));
    } catch (const odd &it) {
        thrown = it.n == 5;
    }
    CHECK(thrown);
    CHECK_RECORD("~throws ~passes_on");
}

// ---- the stack does not grow

rota::task<long> many(long count) {
    long total = 0;
    for (long i = 0; i < count; i++) total += co_await number(1);
    co_return total;
}

rota::task<long> deep(long depth) {
    if (depth == 0) co_return 0;
    co_return 1 + co_await deep(depth - 1);
}

rota::task<long> returns_early(long count) {
    // What is complete already does not leave the task, but does go through the loop.
    for (long i = 0; i < count; i++) co_await rota::sleep(0s);
    co_return count;
}

TEST(the_stack_does_not_grow) {
    test_loop loop;
    CHECK_EQ(loop.run_until(many(300000)), 300000);
    CHECK_EQ(loop.run_until(deep(20000)), 20000);
    CHECK_EQ(loop.run_until(returns_early(1000)), 1000);
}

// ---- lambdas and parameters

rota::task<std::string> keeps(std::string by_value, const char *more) {
    co_await rota::sleep(1s);
    co_return by_value + more;
}

TEST(parameters_live_in_the_coroutine) {
    test_loop loop;
    std::string text(100, 'x');
    auto made = keeps(text, "y");
    text.assign(100, 'z');
    CHECK(loop.run_until(std::move(made)) == std::string(100, 'x') + "y");
}

TEST(a_lambda_given_to_the_loop_is_kept) {
    test_loop loop;
    auto word = std::make_unique<std::string>(50, 'a');
    auto body = [word = std::move(word), held = witness("lambda")]() -> rota::task<size_t> {
        co_await rota::sleep(1s);
        co_return word->size();
    };
    auto running = loop.spawn(std::move(body));
    turns(loop, 1);
    CHECK_RECORD("");
    CHECK_EQ(loop.run_until(std::move(running)), 50);
    CHECK_RECORD("~lambda");
}

rota::task<int> temporaries() {
    // g++ 12 is known for what it does to temporaries around an await.
    std::string made = co_await keeps(std::string(40, 'b'), std::string(40, 'c').c_str() + 39);
    int total = static_cast<int>(made.size());
    total += co_await number(co_await number(1) + co_await number(2)) + co_await number(3);
    const bool yes = total > 0;
    total += yes ? co_await number(10) : co_await number(20);
    if (co_await number(1) == 1 && co_await number(0) == 0) total += 100;
    std::array<int, 2> pair{co_await number(1000), co_await number(2000)};
    for (int n : pair) total += n;
    switch (co_await number(5)) {
        case 5: total += co_await number(10000); break;
        default: break;
    }
    co_return total;
}

TEST(awaits_stand_in_expressions) {
    test_loop loop;
    CHECK_EQ(loop.run_until(temporaries()), 41 + 6 + 10 + 100 + 3000 + 10000);
}

rota::task<void> destroys_in_order() {
    witness a("a");
    co_await [](witness) -> rota::task<void> {
        witness b("b");
        co_await rota::sleep(1s);
    }(witness("parameter"));
    record("after");
}

TEST(everything_is_destroyed_once_and_in_order) {
    test_loop loop;
    loop.run_until(destroys_in_order());
    CHECK_RECORD("~b ~parameter after ~a");
}

// ---- dropped before the end

rota::task<void> innermost(rota_future waited) {
    witness here("innermost");
    rota::future<int64_t> waits(waited);
    (void)co_await waits;
    record("never");
}

rota::task<void> outermost(rota_future waited) {
    witness here("outermost");
    co_await innermost(waited);
    record("never");
}

using dropped = rota::detail::root<void, std::function<rota::task<void>()>>;

/// A body of C that ends although its coroutine has not.
int64_t ends_early(rota_task task, const rota_outcome *outcome, void *user_data) {
    CHECK(dropped::step(task, outcome, user_data) == ROTA_STEP_WAIT);
    return 9;
}

TEST(a_task_that_is_dropped_destroys_its_coroutines) {
    test_loop loop;
    const rota_future waited = open_future(loop);
    auto *root = new dropped([=] { return outermost(waited); });
    rota_task_options options;
    rota_task task;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = dropped::drop;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, ends_early, root, &options, &task), ROTA_OK);
    rota::join_handle<void> handle(task, root);
    turn(loop);
    CHECK_RECORD("~innermost ~outermost");
    CHECK(!handle.is_done());
    CHECK_STATUS(rota_future_complete(waited, 1), ROTA_ERR_HANDLE); /* it was withdrawn */
    bool thrown = false;
    try {
        loop.run_until(std::move(handle));
    } catch (const rota::error &) {
        thrown = true;
    }
    CHECK(thrown);
}

TEST(a_coroutine_that_never_began_is_destroyed) {
    {
        auto made = [](witness) -> rota::task<void> { co_return; }(witness("parameter"));
        CHECK_RECORD("");
    }
    CHECK_RECORD("~parameter");
    int32_t status = 0;
    try {
        (void)rota::spawn(rota_loop{}, [held = witness("lambda")] { return notes("never"); });
    } catch (const rota::error &it) {
        status = it.status();
    }
    CHECK_STATUS(status, ROTA_ERR_HANDLE);
    CHECK_RECORD("~lambda");
}

TEST(an_empty_task_is_an_error) {
    test_loop loop;
    auto running = loop.spawn([]() -> rota::task<int> {
        rota::task<int> empty;
        co_return co_await empty;
    });
    bool thrown = false;
    try {
        (void)loop.run_until(std::move(running));
    } catch (const rota::error &it) {
        thrown = it.code() == ROTA_ERR_HANDLE;
    }
    CHECK(thrown);
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_task_runs_others_inside_itself);
    RUN(a_task_is_lazy);
    RUN(results_are_moved);
    RUN(exceptions_pass_through_awaits);
    RUN(the_stack_does_not_grow);
    RUN(parameters_live_in_the_coroutine);
    RUN(a_lambda_given_to_the_loop_is_kept);
    RUN(awaits_stand_in_expressions);
    RUN(everything_is_destroyed_once_and_in_order);
    RUN(a_task_that_is_dropped_destroys_its_coroutines);
    RUN(a_coroutine_that_never_began_is_destroyed);
    RUN(an_empty_task_is_an_error);
    return test_end();
}
