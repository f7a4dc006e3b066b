/* What the loop guarantees, one test for each sentence: one turn, calls, timers, futures, tasks,
 * counts. Their nouns have more tests in files of their own. */
#include "rota_peer.h"

static void soon(rota_loop loop, rota_call_fn callback, const char *name) {
    CHECK_STATUS(rota_loop_call_soon(loop, callback, (void *)name, NULL), ROTA_OK);
}

static void later(rota_loop loop, uint64_t delay_ns, const char *name) {
    rota_timer timer;
    CHECK_STATUS(rota_loop_call_later(loop, delay_ns, record_timer, (void *)name, &timer), ROTA_OK);
}

static void then(rota_future future, const char *name) {
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
}

/* ---- one turn: what is queued, then the system's, then the timers that are due */

static void schedules_more(rota_loop loop, rota_status status, void *user_data) {
    (void)status, (void)user_data;
    record("call");
    soon(loop, record_call, "more");
}

TEST(guarantee_0_one_turn_has_its_order) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL);
    rota_loop loop = open_with(&options);
    int raw;
    char byte;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read(stream, &byte, 1);
    then(read, "io");
    turns(loop, 3);
    later(loop, 20, "second timer");
    later(loop, 10, "first timer");
    later(loop, 20, "third timer");
    raw_send_text(raw, "x");
    CHECK_STATUS(rota_loop_advance(loop, 30), ROTA_OK);
    soon(loop, schedules_more, NULL);
    turn(loop);
    CHECK_RECORD("call io:1 first timer:ok second timer:ok third timer:ok");
    turn(loop);
    CHECK_RECORD("more:ok"); /* what they schedule runs in the next turn */
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

static int left_to_call;

static void keeps_the_queue_filled(rota_loop loop, rota_status status, void *user_data) {
    (void)status;
    if (--left_to_call > 0) soon(loop, keeps_the_queue_filled, user_data);
}

TEST(guarantee_0_a_filled_queue_does_not_keep_the_system_out) {
    rota_loop loop = open_system();
    int raw;
    char byte;
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read(stream, &byte, 1);
    turns(loop, 3);
    left_to_call = 1000000;
    soon(loop, keeps_the_queue_filled, NULL);
    raw_send_text(raw, "x");
    while (rota_future_get_outcome(read, &outcome) == ROTA_ERR_PENDING) turn(loop);
    CHECK(left_to_call > 1000000 - 1000); /* within a bounded number of turns */
    CHECK_STATUS(rota_future_close(read), ROTA_OK);
    left_to_call = 0;
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* ---- 1: calls */

TEST(guarantee_1_calls_run_once_in_order_and_never_inside) {
    rota_loop loop = open_jump();
    soon(loop, record_call, "a");
    soon(loop, schedules_more, NULL);
    soon(loop, record_call, "b");
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("a:ok call b:ok");
    turns(loop, 3);
    CHECK_RECORD("more:ok");
    close_clean(loop);
}

/* ---- 2: timers */

static void checks_deadline(rota_timer timer, rota_status status, void *user_data) {
    uint64_t *deadline = user_data;
    (void)timer;
    CHECK_STATUS(status, ROTA_OK);
    CHECK(test_clock() >= *deadline);
    *deadline = 0;
}

TEST(guarantee_2_a_timer_never_fires_early) {
    static const uint64_t delays[] = {1, 50001, 999, 999999, 1000001, 2500000, 700, 700001};
    rota_loop loop = open_system();
    size_t i;
    for (i = 0; i < COUNT(delays); i++) {
        uint64_t deadline = test_clock() + delays[i];
        rota_timer timer;
        CHECK_STATUS(rota_loop_call_later(loop, delays[i], checks_deadline, &deadline, &timer),
                     ROTA_OK);
        while (deadline != 0) { /* by waiting, and by looking at the clock all the time */
            uint64_t wait_ns = i % 2 == 0 ? ROTA_FOREVER : 0;
            CHECK_STATUS(rota_loop_turn(loop, wait_ns, 0, 0, NULL), ROTA_OK);
        }
    }
    close_clean(loop);
}

TEST(guarantee_2_equal_deadlines_fire_in_the_order_they_were_armed) {
    rota_loop loop = open_jump();
    later(loop, SECOND, "a");
    later(loop, SECOND - 1, "before");
    later(loop, SECOND, "b");
    later(loop, SECOND, "c");
    run_dry(loop);
    CHECK_RECORD("before:ok a:ok b:ok c:ok");
    close_clean(loop);
}

TEST(guarantee_2_deadlines_are_nanoseconds) {
    rota_loop loop = open_jump();
    uint64_t start = now_of(loop);
    later(loop, 3, "three");
    later(loop, 2, "two");
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    CHECK_RECORD("two:ok");
    CHECK_EQ(now_of(loop), start + 2);
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    CHECK_RECORD("three:ok");
    CHECK_EQ(now_of(loop), start + 3);
    close_clean(loop);
}

/* ---- 3: futures */

TEST(guarantee_3_a_future_completes_once_and_tells_in_order_and_later) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    then(future, "a");
    then(future, "b");
    CHECK_STATUS(rota_future_complete(future, 3), ROTA_OK);
    CHECK_STATUS(rota_future_complete(future, 4), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_fail(future, ROTA_ERR_TIMEOUT, "late"), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_cancel(future), ROTA_ERR_DONE);
    then(future, "c");
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("a:3 b:3 c:3");
    turns(loop, 2);
    CHECK_RECORD("");
    close_clean(loop);
}

/* ---- 4: tasks */

typedef struct {
    rota_loop loop;
    int count;
} scene;

static int64_t says(rota_task task, void *user_data) {
    (void)task;
    record("%s", (const char *)user_data);
    return 0;
}

TEST(guarantee_4_a_task_starts_in_the_turn_after_it_was_spawned) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_spawn(loop, says, "task", NULL, NULL), ROTA_OK);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("task");
    close_clean(loop);
}

static int64_t says_and_waits(rota_task task, void *user_data) {
    rota_loop *loop = user_data;
    (void)task;
    record("body");
    return rota_await(rota_loop_sleep(*loop, HOUR));
}

TEST(guarantee_4_every_spawned_task_runs_its_body) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, says_and_waits, &loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("body");
    close_clean(loop);
}

static int64_t awaits_complete_ones(rota_task task, void *user_data) {
    scene *self = user_data;
    int i;
    (void)task;
    for (i = 0; i < 5; i++) {
        rota_future future = rota_future_open(self->loop);
        CHECK_STATUS(rota_future_complete(future, i), ROTA_OK);
        CHECK_EQ(rota_await(future), i);
    }
    record("five");
    return 0;
}

TEST(guarantee_4_awaiting_what_is_complete_does_not_give_up_the_turn) {
    rota_loop loop = open_jump();
    scene self = {loop, 0};
    CHECK_STATUS(rota_loop_spawn(loop, awaits_complete_ones, &self, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, says, "other", NULL, NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("five other");
    close_clean(loop);
}

static void counts_turns(rota_loop loop, rota_status status, void *user_data) {
    scene *self = user_data;
    (void)status;
    self->count++;
    if (self->count < 5) {
        CHECK_STATUS(rota_loop_call_soon(loop, counts_turns, self, NULL), ROTA_OK);
    }
}

static int64_t never_has_to_wait(rota_task task, void *user_data) {
    scene *self = user_data;
    int awaited = 0;
    (void)task;
    while (self->count < 5) {
        rota_future future = rota_future_open(self->loop);
        CHECK_STATUS(rota_future_complete(future, awaited), ROTA_OK);
        CHECK_EQ(rota_await(future), awaited); /* what was complete stays complete */
        CHECK(++awaited < 1000000);
    }
    return awaited;
}

TEST(guarantee_4_a_task_that_never_has_to_wait_is_made_to_yield) {
    rota_loop loop = open_jump();
    scene self = {loop, 0};
    CHECK_STATUS(rota_loop_call_soon(loop, counts_turns, &self, NULL), ROTA_OK);
    CHECK(run_task(loop, never_has_to_wait, &self) > 5);
    CHECK_EQ(self.count, 5);
    close_clean(loop);
}

/* ---- 5: exact counts */

enum { LARGE = 8 << 20 };

TEST(guarantee_5_a_cancelled_write_says_how_many_bytes_went) {
    static unsigned char large[LARGE];
    rota_loop loop = open_system();
    int raw;
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future write = rota_stream_write(stream, large, LARGE);
    CHECK_STATUS(rota_future_keep(write), ROTA_OK);
    turns(loop, 5);
    CHECK_STATUS(rota_future_cancel(write), ROTA_OK);
    CHECK_STATUS(WAIT(loop, write), ROTA_ERR_CANCELLED);
    outcome = outcome_of(write);
    CHECK(outcome.moved_bytes > 0 && outcome.moved_bytes < LARGE);
    CHECK_STATUS(rota_future_close(write), ROTA_OK);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_EQ(raw_drain(raw, NULL), outcome.moved_bytes);
    close(raw);
    close_clean(loop);
}

TEST(guarantee_5_a_cancelled_read_has_lost_none) {
    rota_loop loop = open_system();
    int raw;
    char buffer[8] = "";
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read_exactly(stream, buffer, 6);
    CHECK_STATUS(rota_future_keep(read), ROTA_OK);
    raw_send_text(raw, "abc");
    turns(loop, 3);
    CHECK_STATUS(rota_future_cancel(read), ROTA_OK);
    CHECK_STATUS(WAIT(loop, read), ROTA_ERR_CANCELLED);
    outcome = outcome_of(read);
    CHECK(outcome.moved_bytes <= 3);
    CHECK_STATUS(rota_future_close(read), ROTA_OK);
    raw_send_text(raw, "def");
    read = rota_stream_read_exactly(stream, buffer + outcome.moved_bytes, 6 - outcome.moved_bytes);
    CHECK_EQ(WAIT(loop, read), 6 - (int64_t)outcome.moved_bytes);
    CHECK_TEXT(buffer, "abcdef");
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(guarantee_0_one_turn_has_its_order);
    RUN(guarantee_0_a_filled_queue_does_not_keep_the_system_out);
    RUN(guarantee_1_calls_run_once_in_order_and_never_inside);
    RUN(guarantee_2_a_timer_never_fires_early);
    RUN(guarantee_2_equal_deadlines_fire_in_the_order_they_were_armed);
    RUN(guarantee_2_deadlines_are_nanoseconds);
    RUN(guarantee_3_a_future_completes_once_and_tells_in_order_and_later);
    RUN(guarantee_4_a_task_starts_in_the_turn_after_it_was_spawned);
    RUN(guarantee_4_every_spawned_task_runs_its_body);
    RUN(guarantee_4_awaiting_what_is_complete_does_not_give_up_the_turn);
    RUN(guarantee_4_a_task_that_never_has_to_wait_is_made_to_yield);
    RUN(guarantee_5_a_cancelled_write_says_how_many_bytes_went);
    RUN(guarantee_5_a_cancelled_read_has_lost_none);
    return test_end();
}
