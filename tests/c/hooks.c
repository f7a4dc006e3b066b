/* Hooks (allocator, clock, log) are called in the middle of our work: in them nothing may be asked
 * of us, and what the log is told. */
#include "rota_test.h"

static rota_loop inside;       /* the loop whose hooks ask back; null: they do not */
static rota_future promise;    /* ... and something of it */
static unsigned asked;         /* how often a hook has asked */

static void nothing_called(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status, (void)user_data;
    CHECK(!"a call that was refused came");
}

/* Everything that could be asked: refused, and nothing happens. */
static void asks_back(void) {
    rota_loop loop = inside;
    rota_loop_stats stats = {0};
    rota_outcome outcome;
    uint64_t number;
    rota_future future;
    if (loop.id == 0) return;
    inside.id = 0; /* once at a time is enough */
    asked++;
    stats.size = sizeof stats;
    CHECK_STATUS(rota_loop_call_soon(loop, nothing_called, NULL, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_run(loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_abandon(loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_get_stats(loop, &stats), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_get_now(loop, &number), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_advance(loop, 1), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_post(loop, nothing_called, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_stop(loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_future_complete(promise, 1), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_future_cancel(promise), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_future_get_outcome(promise, &outcome), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_await(promise), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_run_until(loop, promise), ROTA_ERR_REENTRANT);
    future = rota_loop_sleep(loop, 1); /* a value: there is nothing to close */
    CHECK(future.id != promise.id);
    CHECK_TEXT(rota_status_name(ROTA_ERR_REENTRANT), "ROTA_ERR_REENTRANT"); /* needs no loop */
    inside = loop;
}

/* ---- the three hooks */

static uint64_t host_time;

static uint64_t clock_asks_back(void *user_data) {
    (void)user_data;
    asks_back();
    return host_time;
}

static void *alloc_asks_back(size_t size, size_t align, void *user_data) {
    (void)user_data;
    asks_back();
    return aligned_alloc(align < 16 ? 16 : align, (size + align - 1) / align * align);
}

static void free_asks_back(void *block, size_t size, size_t align, void *user_data) {
    (void)size, (void)align, (void)user_data;
    asks_back();
    free(block);
}

static void *realloc_asks_back(void *block, size_t old_size, size_t new_size, size_t align,
                               void *user_data) {
    void *larger = alloc_asks_back(new_size, align, user_data);
    memcpy(larger, block, old_size < new_size ? old_size : new_size);
    free(block);
    return larger;
}

static int messages;
static int32_t last_level;
static char last_message[512];

static void keeps_message(int32_t level, const char *message, void *user_data) {
    CHECK(user_data == &messages);
    asks_back();
    CHECK(level >= ROTA_LOG_ERROR && level <= 4);
    CHECK(message != NULL && message[0] != '\0');
    last_level = level;
    snprintf(last_message, sizeof last_message, "%s", message);
    messages++;
}

static rota_loop_options logging(uint32_t clock) {
    rota_loop_options options = loop_options(clock);
    options.log = keeps_message;
    options.log_data = &messages;
    messages = 0;
    asked = 0;
    inside.id = 0;
    return options;
}

static void expect_unharmed(rota_loop loop) {
    inside.id = 0;
    CHECK(asked > 0);
    CHECK_STATUS(rota_future_complete(promise, 5), ROTA_OK);
    CHECK_EQ(WAIT(loop, promise), 5);
    close_clean(loop);
}

TEST(nothing_may_be_asked_in_the_clock) {
    rota_loop_options options = logging(ROTA_CLOCK_HOST);
    rota_loop loop;
    rota_timer timer;
    options.clock_hook = clock_asks_back;
    loop = open_with(&options);
    promise = open_future(loop);
    inside = loop;
    CHECK_STATUS(rota_loop_call_later(loop, 10, record_timer, "t", &timer), ROTA_OK);
    turn(loop);
    host_time += 10;
    turn(loop);
    CHECK_RECORD("t:ok");
    expect_unharmed(loop);
}

TEST(nothing_may_be_asked_in_the_allocator) {
    rota_loop_options options = logging(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    int i;
    options.allocator.alloc = alloc_asks_back;
    options.allocator.realloc = realloc_asks_back;
    options.allocator.dealloc = free_asks_back;
    loop = open_with(&options);
    promise = open_future(loop);
    inside = loop;
    for (i = 0; i < 1000 && asked == 0; i++) {
        CHECK_STATUS(rota_loop_call_soon(loop, record_call, "c", NULL), ROTA_OK);
    }
    turns(loop, 2);
    CHECK_EQ(test_record_length, (size_t)i * 5 - 1);
    forget_record();
    expect_unharmed(loop);
}

static int64_t fails(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return ROTA_STATUS_HOST - 9;
}

TEST(nothing_may_be_asked_in_the_log) {
    rota_loop_options options = logging(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop = open_with(&options);
    promise = open_future(loop);
    inside = loop;
    CHECK_STATUS(rota_loop_spawn(loop, fails, NULL, NULL, NULL), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(messages, 1);
    expect_unharmed(loop);
}

/* ---- what the log is told */

TEST(a_task_that_failed_and_nobody_looked_is_told) {
    rota_loop_options options = logging(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop = open_with(&options);
    rota_task_options named;
    CHECK_STATUS(rota_task_options_init(&named, sizeof named), ROTA_OK);
    named.name = "accountant";
    CHECK_STATUS(rota_loop_spawn(loop, fails, NULL, &named, NULL), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(messages, 1);
    CHECK_EQ(last_level, ROTA_LOG_ERROR);
    CHECK(strstr(last_message, "accountant") != NULL);
    CHECK_STATUS(run_task(loop, fails, NULL), ROTA_STATUS_HOST - 9); /* looked at */
    CHECK_EQ(messages, 1);
    close_clean(loop);
    CHECK_EQ(messages, 1);
}

TEST(a_future_that_failed_and_nobody_looked_is_told) {
    rota_loop_options options = logging(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop = open_with(&options);
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_fail(future, ROTA_STATUS_HOST, "the disk is full"), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_EQ(messages, 1);
    CHECK(strstr(last_message, "the disk is full") != NULL);
}

static void takes_two_ms(rota_loop loop, rota_status status, void *user_data) {
    uint64_t end = test_clock() + 2 * MILLISECOND;
    (void)loop, (void)status, (void)user_data;
    while (test_clock() < end) continue;
}

static void run_slow(rota_loop loop) {
    CHECK_STATUS(rota_loop_call_soon(loop, takes_two_ms, NULL, NULL), ROTA_OK);
    turn(loop);
}

TEST(a_callback_that_ran_too_long_is_told_in_debug_mode) {
    rota_loop_options options = logging(ROTA_CLOCK_VIRTUAL);
    rota_loop loop;
    options.slow_callback_ns = MILLISECOND;
    loop = open_with(&options);
    run_slow(loop);
    CHECK_EQ(messages, 0); /* not in debug mode */
    CHECK_STATUS(rota_loop_set_debug(loop, true), ROTA_OK);
    run_slow(loop);
    CHECK_EQ(messages, 1);
    CHECK_EQ(last_level, 2);
    CHECK_STATUS(rota_loop_set_debug(loop, false), ROTA_OK);
    run_slow(loop);
    CHECK_EQ(messages, 1);
    close_clean(loop);
}

TEST(a_callback_within_the_limit_is_not_told) {
    rota_loop_options options = logging(ROTA_CLOCK_VIRTUAL);
    rota_loop loop;
    options.slow_callback_ns = HOUR;
    options.flags = ROTA_LOOP_DEBUG;
    loop = open_with(&options);
    run_slow(loop);
    CHECK_EQ(messages, 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(nothing_may_be_asked_in_the_clock);
    RUN(nothing_may_be_asked_in_the_allocator);
    RUN(nothing_may_be_asked_in_the_log);
    RUN(a_task_that_failed_and_nobody_looked_is_told);
    RUN(a_future_that_failed_and_nobody_looked_is_told);
    RUN(a_callback_that_ran_too_long_is_told_in_debug_mode);
    RUN(a_callback_within_the_limit_is_not_told);
    return test_end();
}
