/* A future within a time: as the inner one, or cancelled and ended, with what it had done. */
#include "rota_peer.h"

enum { LARGE = 8 << 20 };
static unsigned char large[LARGE];

static bool pending(rota_future future) {
    rota_outcome outcome;
    return rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING;
}

/* ---- what comes in time */

TEST(it_is_done_as_the_inner_one_is) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_wait_for(inner, SECOND);
    rota_outcome outcome;
    CHECK(outer.id != inner.id && pending(outer));
    CHECK_STATUS(rota_future_fail(inner, ROTA_STATUS_HOST - 7, "seven"), ROTA_OK);
    CHECK(pending(outer));
    CHECK_STATUS(rota_future_keep(outer), ROTA_OK);
    CHECK_EQ(WAIT(loop, outer), ROTA_STATUS_HOST - 7);
    outcome = outcome_of(outer);
    CHECK_TEXT(outcome.message, "seven");
    CHECK_STATUS(rota_future_close(outer), ROTA_OK);
    CHECK_STATUS(rota_future_close(inner), ROTA_ERR_HANDLE); /* its claim was answered */
    CHECK_EQ(stats_of(loop).timers, 0);
    close_clean(loop);
}

TEST(a_value_comes_back_as_it_is) {
    rota_loop loop = open_jump();
    rota_stream none = {0};
    rota_future value = rota_stream_read(none, large, 1);
    CHECK_EQ(rota_future_wait_for(value, 0).id, value.id);
    CHECK_EQ(rota_future_shield(value).id, value.id);
    close_clean(loop);
}

TEST(what_is_done_already_is_taken_at_once_also_without_time) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer;
    CHECK_STATUS(rota_future_complete(inner, 5), ROTA_OK);
    outer = rota_future_wait_for(inner, 0);
    CHECK_EQ(outcome_of(outer).value, 5);
    CHECK_STATUS(rota_future_close(outer), ROTA_OK);
    CHECK_STATUS(rota_future_close(inner), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(what_is_done_and_still_waited_for_is_answered_in_its_turn) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer;
    CHECK_STATUS(rota_future_then(inner, record_future, "inner"), ROTA_OK);
    CHECK_STATUS(rota_future_complete(inner, 5), ROTA_OK);
    outer = rota_future_wait_for(inner, 0);
    CHECK(pending(outer));
    CHECK_EQ(WAIT(loop, outer), 5);
    CHECK_RECORD("inner:5");
    close_clean(loop);
}

static void frees(void *user_data) { ++*(int *)user_data; }

TEST(an_object_is_handed_over) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_wait_for(inner, SECOND);
    int freed = 0;
    void *result = NULL;
    CHECK_STATUS(rota_future_complete_with(inner, &freed, frees), ROTA_OK);
    CHECK_EQ(WAIT(loop, outer), 0);
    CHECK_STATUS(rota_future_take_result(inner, &result), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_take_result(outer, &result), ROTA_OK);
    CHECK(result == &freed && freed == 0);
    /* Nobody takes it from an outer one that was closed while it was pending. */
    inner = open_future(loop);
    outer = rota_future_wait_for(inner, SECOND);
    CHECK_STATUS(rota_future_complete_with(inner, &freed, frees), ROTA_OK);
    CHECK_STATUS(rota_future_close(outer), ROTA_ERR_BUSY);
    turns(loop, 2);
    CHECK_EQ(freed, 1);
    CHECK_STATUS(rota_future_close(outer), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(an_accepted_stream_is_handed_over) {
    rota_loop loop = open_system();
    uint16_t port;
    int raw;
    char byte = 0;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future outer = rota_future_wait_for(rota_listener_accept(listener), HOUR);
    rota_stream stream;
    raw = raw_connect(port);
    stream = take_stream(loop, outer);
    raw_send_text(raw, "x");
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, &byte, 1)), 1);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* ---- what does not */

TEST(the_time_over_the_inner_one_is_cancelled) {
    rota_loop loop = open_jump();
    rota_future sleep = rota_loop_sleep(loop, HOUR), outer = rota_future_wait_for(sleep, SECOND);
    uint64_t began = now_of(loop);
    CHECK_STATUS(rota_future_keep(sleep), ROTA_OK);
    CHECK_STATUS(WAIT(loop, outer), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(loop) - began, SECOND);
    CHECK_STATUS(outcome_of(sleep).status, ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(sleep), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(rota_loop_sleep(loop, 1), 0)), ROTA_ERR_TIMEOUT);
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(rota_loop_sleep(loop, HOUR), ROTA_FOREVER)), 0);
    close_clean(loop);
}

TEST(the_nearest_of_nested_times_wins) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_future future = open_future(loop);
    int i;
    for (i = 0; i < 2000; i++) future = rota_future_wait_for(future, (i == 700 ? 1 : 2) * SECOND);
    CHECK_STATUS(WAIT(loop, future), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(loop) - began, SECOND);
    close_clean(loop);
}

TEST(others_who_wait_keep_the_inner_one_alive) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_wait_for(inner, SECOND);
    CHECK_STATUS(rota_future_then(inner, record_future, "other"), ROTA_OK);
    CHECK_STATUS(WAIT(loop, outer), ROTA_ERR_TIMEOUT);
    CHECK(pending(inner));
    outer = rota_future_wait_for(inner, HOUR);
    CHECK_STATUS(rota_future_cancel(outer), ROTA_OK);
    CHECK_STATUS(WAIT(loop, outer), ROTA_ERR_CANCELLED);
    CHECK(pending(inner));
    CHECK_STATUS(rota_future_complete(inner, 3), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("other:3");
    close_clean(loop);
}

TEST(a_write_that_timed_out_tells_how_many_bytes_went) {
    rota_loop loop = open_jump();
    int raw;
    uint64_t came;
    bool reset = false;
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    outcome = end_of(loop, rota_future_wait_for(rota_stream_write(stream, large, LARGE), SECOND));
    CHECK_STATUS(outcome.status, ROTA_ERR_TIMEOUT);
    CHECK(outcome.moved_bytes > 0 && outcome.moved_bytes < LARGE);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    came = raw_drain(raw, &reset);
    CHECK_EQ(came, outcome.moved_bytes);
    close(raw);
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    rota_future future;
    int64_t answer;
} scene;

static int64_t refuses(rota_task task, void *user_data) {
    scene *self = user_data;
    (void)task;
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    return rota_await(rota_loop_sleep(self->loop, SECOND)) < 0 ? ROTA_ERR_CANCELLED : self->answer;
}

TEST(the_end_of_a_task_is_waited_for_and_its_answer_is_not_lost) {
    rota_loop loop = open_jump();
    scene self = {loop, {0}, 77};
    uint64_t began = now_of(loop);
    rota_future outer = rota_future_wait_for(rota_task_join(spawn(loop, refuses, &self)), SECOND);
    CHECK_EQ(WAIT(loop, outer), 77);
    CHECK_EQ(now_of(loop) - began, 2 * SECOND);
    self.answer = ROTA_ERR_CANCELLED;
    outer = rota_future_wait_for(rota_task_join(spawn(loop, refuses, &self)), SECOND);
    CHECK_STATUS(WAIT(loop, outer), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(loop) - began, 4 * SECOND);
    outer = rota_future_wait_for(rota_task_join(spawn(loop, refuses, &self)), SECOND);
    CHECK_STATUS(rota_loop_turn(loop, SECOND, 0, 0, NULL), ROTA_OK); /* it starts */
    CHECK_STATUS(rota_loop_turn(loop, SECOND, 0, 0, NULL), ROTA_OK); /* its time is over */
    CHECK_STATUS(rota_future_cancel(outer), ROTA_OK); /* asked in between: that is the answer */
    CHECK_STATUS(WAIT(loop, outer), ROTA_ERR_CANCELLED);
    close_clean(loop);
}

static int64_t reads_a_byte(void *user_data) {
    char byte;
    return read(((int *)user_data)[0], &byte, 1);
}

TEST(a_blocking_call_that_has_begun_is_waited_for) {
    rota_loop loop = open_system();
    rota_future outer;
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    outer = rota_future_wait_for(rota_loop_call_blocking(loop, reads_a_byte, ends), MILLISECOND);
    TURN_UNTIL(loop, stats_of(loop).timers == 0);
    turns(loop, 3);
    CHECK(pending(outer) || outcome_of(outer).status == ROTA_ERR_TIMEOUT);
    if (pending(outer)) {
        CHECK_EQ(write(ends[1], "x", 1), 1);
        CHECK_EQ(WAIT(loop, outer), 1); /* its answer is not lost */
    } else { /* no thread had taken it up: it was withdrawn */
        CHECK_STATUS(rota_future_close(outer), ROTA_OK);
    }
    outer = rota_future_wait_for(rota_loop_call_blocking(loop, reads_a_byte, ends), HOUR);
    CHECK_STATUS(rota_future_then(outer, record_future, "call"), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
    CHECK(strcmp(test_record, "call:1") == 0 || strcmp(test_record, "call:cancelled") == 0);
    forget_record();
    close(ends[0]);
    close(ends[1]);
}

/* ---- cancelled and closed from outside */

TEST(the_inner_one_cancelled_or_closed_by_somebody_else_ends_it) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_wait_for(inner, SECOND);
    CHECK_STATUS(rota_future_cancel(inner), ROTA_OK);
    CHECK_STATUS(WAIT(loop, outer), ROTA_ERR_CANCELLED);
    inner = open_future(loop);
    outer = rota_future_wait_for(inner, SECOND);
    CHECK_STATUS(rota_future_close(inner), ROTA_ERR_BUSY); /* the outer one has to be answered */
    CHECK_STATUS(WAIT(loop, outer), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(inner), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(closing_it_withdraws_the_inner_one) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_wait_for(inner, SECOND);
    CHECK_STATUS(rota_future_complete(outer, 1), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_close(outer), ROTA_ERR_BUSY);
    turns(loop, 2);
    CHECK_STATUS(rota_future_close(outer), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(inner), ROTA_ERR_HANDLE);
    close_clean(loop);
}

static int64_t awaits(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_future_wait_for(((scene *)user_data)->future, SECOND));
}

static int64_t steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    scene *self = user_data;
    if (self->answer++ == 0) {
        return rota_task_wait(task, rota_future_wait_for(self->future, SECOND));
    }
    return outcome->status < 0 ? outcome->status : outcome->value;
}

static rota_task start(scene *self, bool stepped) {
    rota_task task = {0};
    self->future = open_future(self->loop);
    self->answer = 0;
    CHECK_STATUS(stepped ? rota_loop_spawn_stepped(self->loop, steps, self, NULL, &task)
                         : rota_loop_spawn(self->loop, awaits, self, NULL, &task),
                 ROTA_OK);
    turn(self->loop);
    return task;
}

static void in_tasks(bool stepped) {
    rota_loop loop = open_jump();
    scene self = {loop, {0}, 0};
    rota_task task = start(&self, stepped);
    CHECK_STATUS(rota_future_complete(self.future, 9), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 9);
    CHECK_STATUS(WAIT(loop, rota_task_join(start(&self, stepped))), ROTA_ERR_TIMEOUT);
    task = start(&self, stepped);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(self.future), ROTA_ERR_HANDLE); /* the request went through */
    task = start(&self, stepped); /* closing the loop asks it, and ends all */
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

TEST(in_a_stackful_task) { in_tasks(false); }
TEST(in_a_stepped_task) { in_tasks(true); }

TEST(in_a_callback) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop);
    CHECK_STATUS(rota_future_then(rota_future_wait_for(inner, SECOND), record_future, "late"), 0);
    run_dry(loop);
    CHECK_RECORD("late:-13");
    inner = open_future(loop);
    CHECK_STATUS(rota_future_then(rota_future_wait_for(inner, SECOND), record_future, "c"), 0);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("c:cancelled");
}

/* ---- cleaning up while the loop closes */

static int64_t cleans_up(rota_task task, void *user_data) {
    scene *self = user_data;
    (void)task;
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    CHECK_EQ(rota_await(rota_future_wait_for(rota_loop_sleep(self->loop, SECOND), HOUR)), 0);
    CHECK_EQ(rota_await(rota_future_shield(rota_loop_sleep(self->loop, SECOND))), 0);
    record("clean");
    return 0;
}

TEST(cleanup_within_a_time_is_left_alone_while_the_loop_closes) {
    rota_loop loop = open_jump();
    scene self = {loop, {0}, 0};
    (void)spawn(loop, cleans_up, &self);
    turn(loop);
    CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
    CHECK_RECORD("clean");
}

/* ---- shield */

TEST(a_shield_is_done_as_the_inner_one_is) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_shield(inner);
    CHECK_STATUS(rota_future_complete(inner, 4), ROTA_OK);
    CHECK_EQ(WAIT(loop, outer), 4);
    CHECK_STATUS(rota_future_close(inner), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(a_shield_is_cancelled_alone_and_at_once) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_shield(inner);
    int freed = 0;
    CHECK_STATUS(rota_future_cancel(outer), ROTA_OK);
    CHECK_STATUS(outcome_of(outer).status, ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(outer), ROTA_OK);
    turns(loop, 2);
    CHECK(pending(inner));
    CHECK_STATUS(rota_future_complete_with(inner, &freed, frees), ROTA_OK);
    turn(loop);
    CHECK_EQ(freed, 1); /* nobody waited for it any more */
    inner = open_future(loop);
    CHECK_STATUS(rota_future_keep(inner), ROTA_OK);
    CHECK_STATUS(rota_future_close(rota_future_shield(inner)), ROTA_OK);
    CHECK_STATUS(rota_future_complete(inner, 6), ROTA_OK);
    turn(loop);
    CHECK_EQ(outcome_of(inner).value, 6);
    CHECK_STATUS(rota_future_close(inner), ROTA_OK);
    close_clean(loop);
}

static void counts_lines(int32_t level, const char *message, void *user_data) {
    CHECK_EQ(level, ROTA_LOG_ERROR);
    CHECK(strstr(message, "nobody looked") != NULL);
    ++*(int *)user_data;
}

TEST(a_failure_that_a_cancelled_shield_left_reaches_the_log_once) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    rota_future inner;
    int lines = 0;
    options.log = counts_lines;
    options.log_data = &lines;
    loop = open_with(&options);
    inner = open_future(loop);
    CHECK_STATUS(rota_future_close(rota_future_shield(inner)), ROTA_OK);
    CHECK_STATUS(rota_future_fail(inner, ROTA_STATUS_HOST, NULL), ROTA_OK);
    turn(loop);
    CHECK_EQ(lines, 1);
    inner = open_future(loop);
    CHECK_STATUS(rota_future_fail(inner, ROTA_STATUS_HOST, NULL), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_future_shield(inner)), ROTA_STATUS_HOST);
    close_clean(loop);
    CHECK_EQ(lines, 1); /* this one was looked at */
}

TEST(a_shield_protects_from_others_who_are_cancelled) {
    rota_loop loop = open_jump();
    scene self = {loop, {0}, 0};
    rota_task task = start(&self, false);
    rota_future outer = rota_future_shield(self.future);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK(pending(self.future));
    CHECK_STATUS(rota_future_complete(self.future, 8), ROTA_OK);
    CHECK_EQ(WAIT(loop, outer), 8);
    close_clean(loop);
}

TEST(closing_the_loop_ends_what_a_cancelled_shield_left) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop);
    CHECK_STATUS(rota_future_then(inner, record_future, "inner"), ROTA_OK);
    CHECK_STATUS(rota_future_close(rota_future_shield(inner)), ROTA_OK);
    CHECK_STATUS(rota_future_close(rota_future_shield(open_future(loop))), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("inner:cancelled");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(it_is_done_as_the_inner_one_is);
    RUN(a_value_comes_back_as_it_is);
    RUN(what_is_done_already_is_taken_at_once_also_without_time);
    RUN(what_is_done_and_still_waited_for_is_answered_in_its_turn);
    RUN(an_object_is_handed_over);
    RUN(an_accepted_stream_is_handed_over);
    RUN(the_time_over_the_inner_one_is_cancelled);
    RUN(the_nearest_of_nested_times_wins);
    RUN(others_who_wait_keep_the_inner_one_alive);
    RUN(a_write_that_timed_out_tells_how_many_bytes_went);
    RUN(the_end_of_a_task_is_waited_for_and_its_answer_is_not_lost);
    RUN(a_blocking_call_that_has_begun_is_waited_for);
    RUN(the_inner_one_cancelled_or_closed_by_somebody_else_ends_it);
    RUN(closing_it_withdraws_the_inner_one);
    RUN(in_a_stackful_task);
    RUN(in_a_stepped_task);
    RUN(in_a_callback);
    RUN(cleanup_within_a_time_is_left_alone_while_the_loop_closes);
    RUN(a_shield_is_done_as_the_inner_one_is);
    RUN(a_shield_is_cancelled_alone_and_at_once);
    RUN(a_failure_that_a_cancelled_shield_left_reaches_the_log_once);
    RUN(a_shield_protects_from_others_who_are_cancelled);
    RUN(closing_the_loop_ends_what_a_cancelled_shield_left);
    return test_end();
}
