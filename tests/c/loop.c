/* The loop itself: opening with options, the four ways to be driven, and what it tells. */
#include "rota_test.h"

#include <fcntl.h>

/* ---- opening */

TEST(a_loop_opens_with_all_defaults) {
    rota_loop loop = {0};
    CHECK_STATUS(rota_loop_open(NULL, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_open(NULL, &loop), ROTA_OK);
    CHECK(loop.id != 0);
    close_clean(loop);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_HANDLE);
    loop.id = 0;
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

static void check_refused(const rota_loop_options *options, int64_t one, int64_t other) {
    rota_loop loop = {0x1234};
    CHECK_EITHER(rota_loop_open(options, &loop), one, other);
    CHECK_EQ(loop.id, 0x1234);
}

TEST(options_are_checked) {
    rota_loop_options options;
    memset(&options, 0xff, sizeof options);
    CHECK_STATUS(rota_loop_options_init(NULL, sizeof options), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_options_init(&options, 0), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_options_init(&options, 3), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_options_init(&options, sizeof options), ROTA_OK);
    CHECK_EQ(options.size, sizeof options);
    CHECK(options.flags == 0 && options.clock == 0 && options.log == NULL);
    options.size = 0;
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
    options.size = 3;
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
    options.size = SIZE_MAX;
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
    options = loop_options(ROTA_CLOCK_SYSTEM);
    options.flags = 1u << 31;
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
    options = loop_options(99);
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
    options = loop_options(ROTA_CLOCK_HOST); /* without a hook */
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
    options = loop_options(ROTA_CLOCK_SYSTEM);
    options.driver = 99;
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_UNSUPPORTED);
    options = loop_options(ROTA_CLOCK_SYSTEM);
    options.max_threads = UINT32_MAX;
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
}

static void *only_alloc(size_t size, size_t align, void *user_data) {
    (void)size, (void)align, (void)user_data;
    return NULL;
}

TEST(allocator_hooks_come_together_or_not_at_all) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    options.allocator.alloc = only_alloc;
    check_refused(&options, ROTA_ERR_INVALID, ROTA_ERR_INVALID);
}

/* ---- run and stop */

static void stop_it(rota_loop loop, rota_status status, void *user_data) {
    record("%s", (const char *)user_data);
    CHECK_STATUS(status, ROTA_OK);
    CHECK_STATUS(rota_loop_stop(loop), ROTA_OK);
}

static void soon(rota_loop loop, rota_call_fn callback, void *user_data) {
    CHECK_STATUS(rota_loop_call_soon(loop, callback, user_data, NULL), ROTA_OK);
}

TEST(run_goes_on_until_it_is_stopped_and_the_turn_is_finished) {
    rota_loop loop = open_jump();
    soon(loop, record_call, "a");
    soon(loop, stop_it, "stop");
    soon(loop, record_call, "b");
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    CHECK_RECORD("a:ok stop b:ok");
    soon(loop, stop_it, "again");
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    CHECK_RECORD("again");
    close_clean(loop);
}

static void schedules_next(rota_loop loop, rota_status status, void *user_data) {
    (void)status;
    record("first");
    soon(loop, record_call, user_data);
}

TEST(stop_before_run_gives_exactly_one_turn) {
    rota_loop loop = open_jump();
    soon(loop, schedules_next, "second");
    CHECK_STATUS(rota_loop_stop(loop), ROTA_OK);
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    CHECK_RECORD("first");
    turn(loop);
    CHECK_RECORD("second:ok");
    close_clean(loop);
}

static void complete_with_seven(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_STATUS(rota_future_complete(*(rota_future *)user_data, 7), ROTA_OK);
}

TEST(run_until_returns_the_outcome) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    rota_timer timer;
    CHECK_STATUS(rota_loop_call_later(loop, HOUR, complete_with_seven, &future, &timer), ROTA_OK);
    CHECK_EQ(rota_loop_run_until(loop, future), 7);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    future = open_future(loop);
    CHECK_STATUS(rota_future_fail(future, ROTA_ERR_TIMEOUT, "late"), ROTA_OK);
    CHECK_STATUS(rota_loop_run_until(loop, future), ROTA_ERR_TIMEOUT);
    future.id = 0;
    CHECK_STATUS(rota_loop_run_until(loop, future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(run_until_tells_that_it_was_stopped_first) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    soon(loop, stop_it, "stop");
    CHECK_STATUS(rota_loop_run_until(loop, future), ROTA_ERR_STOPPED);
    CHECK_RECORD("stop");
    CHECK_STATUS(rota_future_complete(future, 3), ROTA_OK);
    CHECK_EQ(rota_loop_run_until(loop, future), 3);
    close_clean(loop);
}

TEST(a_future_of_another_loop_is_refused) {
    rota_loop one = open_jump(), other = open_jump();
    rota_future future = open_future(other);
    CHECK_EITHER(rota_loop_run_until(one, future), ROTA_ERR_HANDLE, ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    CHECK_EQ(rota_loop_run_until(other, future), 1);
    close_clean(one);
    close_clean(other);
}

static void tries_to_run_again(rota_loop loop, rota_status status, void *user_data) {
    rota_future future = rota_future_open(loop);
    (void)status, (void)user_data;
    CHECK_STATUS(rota_loop_run(loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_run_until(loop, future), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    record("refused");
}

TEST(running_and_closing_inside_a_callback_is_refused) {
    rota_loop loop = open_jump();
    soon(loop, tries_to_run_again, NULL);
    turn(loop);
    CHECK_RECORD("refused");
    close_clean(loop);
}

/* ---- turns */

static const char *letters[] = {"a", "b", "c", "d", "e", "f"};

TEST(a_turn_cut_by_a_limit_is_resumed_in_order) {
    rota_loop loop = open_jump();
    rota_turn_figures figures = {0};
    size_t i;
    figures.size = sizeof figures;
    soon(loop, schedules_next, "late");
    for (i = 0; i < COUNT(letters); i++) soon(loop, record_call, (void *)letters[i]);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 3, &figures), ROTA_OK);
    CHECK_RECORD("first a:ok b:ok");
    CHECK_EQ(figures.callbacks, 3);
    CHECK(figures.left >= 4);
    CHECK(figures.cut);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1, &figures), ROTA_OK);
    CHECK_RECORD("c:ok");
    CHECK(figures.cut);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, &figures), ROTA_OK);
    CHECK_RECORD("d:ok e:ok f:ok"); /* what the first scheduled stood for the next turn */
    CHECK(!figures.cut);
    CHECK_EQ(figures.callbacks, 3);
    turn(loop);
    CHECK_RECORD("late:ok");
    close_clean(loop);
}

static void takes_three_ms(rota_loop loop, rota_status status, void *user_data) {
    uint64_t end = test_clock() + 3 * MILLISECOND;
    (void)loop, (void)status;
    while (test_clock() < end) continue;
    record("%s", (const char *)user_data);
}

/* A budget is of the host's real time, whatever clock the loop has. */
TEST(a_turn_starts_nothing_after_its_budget) {
    rota_loop loop = open_jump();
    rota_turn_figures figures = {0};
    size_t i;
    figures.size = sizeof figures;
    for (i = 0; i < 4; i++) soon(loop, takes_three_ms, (void *)letters[i]);
    CHECK_STATUS(rota_loop_turn(loop, 0, 2 * MILLISECOND, 0, &figures), ROTA_OK);
    CHECK_RECORD("a");
    CHECK_EQ(figures.callbacks, 1);
    CHECK_EQ(figures.left, 3);
    CHECK(figures.longest_ns >= 3 * MILLISECOND);
    CHECK(figures.cut);
    CHECK_STATUS(rota_loop_turn(loop, 0, HOUR, 0, &figures), ROTA_OK);
    CHECK_RECORD("b c d");
    CHECK(!figures.cut);
    close_clean(loop);
}

TEST(a_turn_checks_its_figures_and_tells_the_next_deadline) {
    rota_loop loop = open_jump();
    rota_turn_figures figures = {0};
    rota_timer timer;
    uint64_t deadline, now = now_of(loop);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, &figures), ROTA_ERR_INVALID);
    figures.size = sizeof figures;
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, &figures), ROTA_OK);
    CHECK(figures.next_deadline_ns == ROTA_FOREVER);
    CHECK_STATUS(rota_loop_get_next_deadline(loop, &deadline), ROTA_OK);
    CHECK(deadline == ROTA_FOREVER);
    CHECK_STATUS(rota_loop_call_later(loop, HOUR, record_timer, "t", &timer), ROTA_OK);
    CHECK_STATUS(rota_loop_get_next_deadline(loop, &deadline), ROTA_OK);
    CHECK_EQ(deadline, now + HOUR);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, &figures), ROTA_OK);
    CHECK_EQ(figures.next_deadline_ns, now + HOUR);
    soon(loop, record_call, "soon");
    CHECK_STATUS(rota_loop_get_next_deadline(loop, &deadline), ROTA_OK);
    CHECK(deadline <= now_of(loop));
    turn(loop);
    CHECK_STATUS(rota_timer_cancel(timer), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("soon:ok t:cancelled");
    close_clean(loop);
}

TEST(a_turn_waits_no_longer_than_it_may) {
    rota_loop loop = open_system();
    uint64_t start = test_clock();
    CHECK_STATUS(rota_loop_turn(loop, 20 * MILLISECOND, 0, 0, NULL), ROTA_OK);
    CHECK(test_clock() - start >= 20 * MILLISECOND);
    close_clean(loop);
}

static void *wakes(void *argument) {
    CHECK_STATUS(rota_loop_wake(*(rota_loop *)argument), ROTA_OK);
    return NULL;
}

TEST(wake_ends_a_wait_and_runs_nothing) {
    rota_loop loop = open_system();
    rota_turn_figures figures = {0};
    pthread_t thread;
    figures.size = sizeof figures;
    CHECK_EQ(pthread_create(&thread, NULL, wakes, &loop), 0);
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, &figures), ROTA_OK);
    CHECK_EQ(figures.callbacks, 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    close_clean(loop);
}

static void *stops(void *argument) {
    CHECK_STATUS(rota_loop_stop(*(rota_loop *)argument), ROTA_OK);
    return NULL;
}

TEST(another_thread_may_stop_the_loop) {
    rota_loop loop = open_system();
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, stops, &loop), 0);
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    close_clean(loop);
}

/* ---- nested in the host's own loop */

static bool readable(int64_t descriptor) {
    struct pollfd entry = {0};
    entry.fd = (int)descriptor;
    entry.events = POLLIN;
    return poll(&entry, 1, 0) == 1;
}

static void *posts_one(void *argument) {
    CHECK_STATUS(rota_loop_post(*(rota_loop *)argument, record_call, "posted"), ROTA_OK);
    return NULL;
}

TEST(the_descriptor_is_readable_when_a_turn_has_something_to_do) {
    rota_loop loop = open_system();
    int64_t descriptor = -1;
    pthread_t thread;
    rota_status status = rota_loop_get_descriptor(loop, &descriptor);
    if (status == ROTA_ERR_UNSUPPORTED) { /* a driver without one, such as poll */
        close_clean(loop);
        return;
    }
    CHECK_STATUS(status, ROTA_OK);
    CHECK(fcntl((int)descriptor, F_GETFD) >= 0);
    turn(loop);
    CHECK(!readable(descriptor));
    CHECK_EQ(pthread_create(&thread, NULL, posts_one, &loop), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(readable(descriptor));
    TURN_UNTIL(loop, test_record_length > 0);
    CHECK_RECORD("posted:ok");
    turn(loop);
    CHECK(!readable(descriptor));
    close_clean(loop);
}

/* ---- what it tells */

static void checks_current(rota_loop loop, rota_status status, void *user_data) {
    rota_loop current = {0};
    rota_loop *inner = user_data;
    (void)status;
    CHECK_STATUS(rota_loop_get_current(&current), ROTA_OK);
    CHECK_EQ(current.id, loop.id);
    if (inner != NULL) { /* another loop of this thread may be driven from here */
        soon(*inner, checks_current, NULL);
        turn(*inner);
        CHECK_STATUS(rota_loop_get_current(&current), ROTA_OK);
        CHECK_EQ(current.id, loop.id);
    }
    record("current");
}

TEST(several_loops_live_on_one_thread_and_current_is_the_innermost) {
    rota_loop one = open_jump(), other = open_jump(), current = {7};
    CHECK(one.id != other.id);
    CHECK_STATUS(rota_loop_get_current(&current), ROTA_ERR_HANDLE);
    CHECK_EQ(current.id, 7);
    soon(one, checks_current, &other);
    turn(one);
    CHECK_RECORD("current current");
    CHECK_STATUS(rota_loop_get_current(&current), ROTA_ERR_HANDLE);
    close_clean(one);
    close_clean(other);
}

TEST(user_data_and_stats) {
    rota_loop loop = open_jump();
    rota_loop_stats stats = {0};
    rota_timer timer;
    void *data = &loop;
    CHECK_STATUS(rota_loop_get_user_data(loop, &data), ROTA_OK);
    CHECK(data == NULL);
    CHECK_STATUS(rota_loop_set_user_data(loop, &stats), ROTA_OK);
    CHECK_STATUS(rota_loop_get_user_data(loop, &data), ROTA_OK);
    CHECK(data == &stats);
    CHECK_STATUS(rota_loop_get_stats(loop, &stats), ROTA_ERR_INVALID); /* no size */
    CHECK_STATUS(rota_loop_get_stats(loop, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_call_later(loop, HOUR, record_timer, "t", &timer), ROTA_OK);
    soon(loop, record_call, "a");
    stats = stats_of(loop);
    CHECK_EQ(stats.timers, 1);
    CHECK_EQ(stats.ready, 1);
    CHECK_EQ(stats.callbacks, 0);
    CHECK(stats.memory_bytes > 0 && stats.memory_peak_bytes >= stats.memory_bytes);
    turn(loop);
    stats = stats_of(loop);
    CHECK_EQ(stats.ready, 0);
    CHECK_EQ(stats.callbacks, 1);
    CHECK_EQ(stats.turns, 1);
    CHECK_STATUS(rota_timer_cancel(timer), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("a:ok t:cancelled");
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_loop_opens_with_all_defaults);
    RUN(options_are_checked);
    RUN(allocator_hooks_come_together_or_not_at_all);
    RUN(run_goes_on_until_it_is_stopped_and_the_turn_is_finished);
    RUN(stop_before_run_gives_exactly_one_turn);
    RUN(run_until_returns_the_outcome);
    RUN(run_until_tells_that_it_was_stopped_first);
    RUN(a_future_of_another_loop_is_refused);
    RUN(running_and_closing_inside_a_callback_is_refused);
    RUN(a_turn_cut_by_a_limit_is_resumed_in_order);
    RUN(a_turn_starts_nothing_after_its_budget);
    RUN(a_turn_checks_its_figures_and_tells_the_next_deadline);
    RUN(a_turn_waits_no_longer_than_it_may);
    RUN(wake_ends_a_wait_and_runs_nothing);
    RUN(another_thread_may_stop_the_loop);
    RUN(the_descriptor_is_readable_when_a_turn_has_something_to_do);
    RUN(several_loops_live_on_one_thread_and_current_is_the_innermost);
    RUN(user_data_and_stats);
    return test_end();
}
