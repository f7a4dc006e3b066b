/* asyncio's tests of cancelling tasks, restated: requests, their number, what a task makes of
 * them. */
#include "parity.h"

/* ---- one request, at whatever the task waits for */

static void cancel_a_sleep(int kind) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    waiter self = {.loop = loop, .name = "t", .count = 1};
    rota_task task;
    self.futures[0] = rota_loop_sleep(loop, 10 * SECOND);
    task = start_waiter(&self, kind);
    CHECK_EQ(stats_of(loop).timers, 1);
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_task, &task, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("t:cancelled");
    CHECK_EQ(stats_of(loop).timers, 0); /* the sleep went with it */
    CHECK_EQ(now_of(loop), began);
    CHECK_STATUS(rota_task_cancel(task), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(a_cancelled_sleep_ends_at_once_and_takes_its_timer_along) {
    cancel_a_sleep(STACKFUL);
    cancel_a_sleep(STEPPED);
}

static void cancel_a_promise(int kind) {
    rota_loop loop = open_jump();
    waiter self = {.loop = loop, .name = "t", .count = 1};
    rota_future future = self.futures[0] = kept(open_future(loop));
    rota_task task = start_waiter(&self, kind);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(outcome_of(future).status, CANCELLED); /* it was the only one to wait */
    CHECK_RECORD("");
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("t:cancelled");
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    close_clean(loop);
}

TEST(what_a_cancelled_task_waits_for_is_cancelled) {
    cancel_a_promise(STACKFUL);
    cancel_a_promise(STEPPED);
}

static void cancel_what_it_waits_for(int kind, bool both) {
    rota_loop loop = open_logged();
    waiter self = {.loop = loop, .name = "t", .count = 1};
    rota_task task;
    self.futures[0] = open_future(loop);
    task = start_waiter(&self, kind);
    CHECK_STATUS(rota_future_cancel(self.futures[0]), ROTA_OK);
    if (both) CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    turns(loop, 3);
    CHECK_RECORD("t:cancelled");
    CHECK_EQ(stats_of(loop).tasks, 0);
    /* Nobody asked the task itself: it returned that status unasked, and has failed with it. */
    CHECK_EQ(log_lines, both ? 0 : 1);
    close_clean(loop);
}

TEST(a_task_whose_future_was_cancelled_is_told_so) {
    cancel_what_it_waits_for(STACKFUL, false);
    cancel_what_it_waits_for(STEPPED, false);
    cancel_what_it_waits_for(STACKFUL, true);
    cancel_what_it_waits_for(STEPPED, true);
}

static int64_t yields_twice(rota_task task, void *user_data) {
    int64_t result = rota_task_yield(task);
    (void)user_data;
    record("%s", told(result));
    if (result < 0) return result;
    return rota_task_yield(task) < 0 ? CANCELLED : 12;
}

TEST(a_request_arrives_at_a_yield) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, yields_twice, NULL);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("cancelled");
    close_clean(loop);
}

/* ---- what the task makes of it */

static void catch_a_request(int kind, int count, const char *expected) {
    rota_loop loop = open_jump();
    waiter self = {.loop = loop, .name = "t", .count = count, .swallows = true};
    rota_task task;
    int i;
    for (i = 0; i < count; i++) self.futures[i] = open_future(loop);
    task = start_waiter(&self, kind);
    CHECK_STATUS(rota_future_complete(self.futures[0], 1), ROTA_OK);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turn(loop);
    if (count > 2) {
        CHECK(pending(self.futures[2])); /* asked once, told once */
        CHECK_STATUS(rota_future_complete(self.futures[2], 42), ROTA_OK);
    }
    CHECK_EQ(join(loop, task), count > 2 ? 42 : CANCELLED);
    CHECK_RECORD(expected);
    close_clean(loop);
}

TEST(a_task_may_catch_a_request_and_wait_on) {
    catch_a_request(STACKFUL, 2, "t:1 t:cancelled");
    catch_a_request(STEPPED, 2, "t:1 t:cancelled");
    catch_a_request(STACKFUL, 3, "t:1 t:cancelled t:42");
    catch_a_request(STEPPED, 3, "t:1 t:cancelled t:42");
}

static int64_t answers_with_a_failure(rota_task task, void *user_data) {
    (void)task;
    CHECK_STATUS(rota_await(rota_loop_sleep(*(rota_loop *)user_data, HOUR)), CANCELLED);
    return ROTA_STATUS_HOST - 5;
}

TEST(a_failure_on_the_way_out_is_the_tasks_outcome) {
    rota_loop loop = open_logged();
    rota_task task = spawn(loop, answers_with_a_failure, &loop);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(join(loop, task), ROTA_STATUS_HOST - 5);
    CHECK_EQ(log_lines, 0);
    task = spawn(loop, answers_with_a_failure, &loop);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(log_lines, 1);
    close_clean(loop);
}

static int64_t cancels_itself_and_sleeps(rota_task task, void *user_data) {
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(cancelling(task), 1);
    return rota_await(rota_loop_sleep(*(rota_loop *)user_data, 100 * SECOND));
}

TEST(a_task_that_cancels_itself_does_not_start_the_next_sleep) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    CHECK_STATUS(run_task(loop, cancels_itself_and_sleeps, &loop), CANCELLED);
    CHECK_EQ(now_of(loop), began);
    close_clean(loop);
}

static int64_t cancels_itself_and_ends(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    return 12;
}

/* asyncio calls such a task cancelled. Here nothing takes away what a task has come to. */
TEST(a_task_that_ends_with_a_value_keeps_it_though_it_was_asked) {
    rota_loop loop = open_jump();
    CHECK_EQ(run_task(loop, cancels_itself_and_ends, NULL), 12);
    close_clean(loop);
}

static int64_t sleeps_long(rota_task task, void *user_data) {
    int64_t result = rota_await(rota_loop_sleep(*(rota_loop *)user_data, HOUR));
    (void)task;
    record("body:%s", told(result));
    return result;
}

/* asyncio throws such a task away. Here its body runs, so that what it was given is let go. */
TEST(a_task_cancelled_before_its_first_turn_runs_and_is_told) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_task task = spawn(loop, sleeps_long, &loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("body:cancelled");
    CHECK_EQ(now_of(loop), began);
    close_clean(loop);
}

/* ---- a task that is not waiting when it is asked */

typedef struct {
    rota_loop loop;
    rota_future future;
    rota_task task, nested;
} pair;

static int64_t nested_body(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((pair *)user_data)->future);
}

static int64_t is_asked_and_joins(rota_task task, void *user_data) {
    pair *self = user_data;
    self->nested = spawn(self->loop, nested_body, self);
    CHECK_EQ(rota_task_yield(task), 0);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    return rota_await(rota_task_join(self->nested));
}

/* The join is an operation that the request meets: it starts nothing, and asks nobody else. In
 * asyncio the nested task is cancelled as well. */
TEST(a_request_that_is_due_meets_the_join_and_not_the_joined) {
    rota_loop loop = open_jump();
    pair self = {.loop = loop, .future = open_future(loop)};
    self.task = spawn(loop, is_asked_and_joins, &self);
    CHECK_STATUS(join(loop, self.task), CANCELLED);
    CHECK_EQ(cancelling(self.nested), 0);
    CHECK_STATUS(rota_future_complete(self.future, 3), ROTA_OK);
    CHECK_EQ(join(loop, self.nested), 3);
    close_clean(loop);
}

static int64_t sleeps_within(rota_task task, void *user_data) {
    pair *self = user_data;
    CHECK_STATUS(rota_loop_call_later(self->loop, SECOND, cancels_task_later, &self->nested, NULL),
                 ROTA_OK);
    self->nested = spawn(self->loop, sleeps_long, &self->loop);
    CHECK_STATUS(rota_await(rota_task_join(self->nested)), CANCELLED);
    CHECK_EQ(cancelling(task), 0); /* it was the other who was asked */
    return 7;
}

TEST(who_waits_for_a_cancelled_task_is_told_and_goes_on) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    pair self = {.loop = loop};
    CHECK_EQ(run_task(loop, sleeps_within, &self), 7);
    CHECK_EQ(now_of(loop) - began, SECOND);
    CHECK_RECORD("body:cancelled");
    close_clean(loop);
}

static int64_t outer_body(rota_task task, void *user_data) {
    pair *self = user_data;
    int64_t result;
    (void)task;
    self->nested = spawn(self->loop, nested_body, self);
    result = rota_await(rota_task_join(self->nested));
    record("outer:%s", told(result));
    return result == CANCELLED ? 100 : 10;
}

TEST(a_request_goes_through_a_join_to_the_innermost_future) {
    rota_loop loop = open_jump();
    pair self = {.loop = loop, .future = kept(open_future(loop))};
    self.task = spawn(loop, outer_body, &self);
    turns(loop, 3);
    CHECK_STATUS(rota_task_cancel(self.task), ROTA_OK);
    CHECK_STATUS(outcome_of(self.future).status, CANCELLED);
    CHECK_EQ(join(loop, self.task), 100);
    CHECK_RECORD("outer:cancelled");
    CHECK_STATUS(rota_future_close(self.future), ROTA_OK);
    close_clean(loop);
}

/* ---- how many */

TEST(requests_are_counted_from_outside) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, sleeps_long, &loop);
    CHECK_EQ(cancelling(task), 0);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(cancelling(task), 2);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("body:cancelled");
    close_clean(loop);
}

static int64_t takes_back_and_sleeps(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    uint32_t left = 9;
    CHECK_STATUS(rota_await(rota_loop_sleep(loop, HOUR)), CANCELLED);
    CHECK_STATUS(rota_task_uncancel(task, &left), ROTA_OK);
    CHECK_EQ(left, 0);
    return rota_await(rota_loop_sleep(loop, HOUR));
}

TEST(a_request_that_was_taken_back_leaves_room_for_another) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, takes_back_and_sleeps, &loop);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(cancelling(task), 1);
    turn(loop);
    CHECK_EQ(cancelling(task), 0);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(cancelling(task), 1);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(task), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_uncancel(task, NULL), ROTA_OK); /* it changes nothing any more */
    CHECK_STATUS(join(loop, task), CANCELLED);
    close_clean(loop);
}

static void take_back_before_it_arrives(int kind) {
    rota_loop loop = open_jump();
    waiter self = {.loop = loop, .name = "t", .count = 2};
    rota_task task;
    self.futures[0] = open_future(loop);
    self.futures[1] = rota_loop_sleep(loop, SECOND);
    task = start_waiter(&self, kind);
    CHECK_STATUS(rota_future_complete(self.futures[0], 42), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK); /* due: the outcome was ready */
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(rota_task_uncancel(task, NULL), ROTA_OK);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(join(loop, task), 0);
    CHECK_RECORD("t:42 t:ok");
    close_clean(loop);
}

TEST(a_request_taken_back_before_it_arrived_never_does) {
    take_back_before_it_arrives(STACKFUL);
    take_back_before_it_arrives(STEPPED);
}

/* A stretch of work with a time, made by hand of a timer, a request and taking it back. */
typedef struct {
    rota_loop loop;
    uint64_t sleep_ns, timeout_ns;
    rota_task task;
    bool timed_out, finished, reached_the_end;
} stretch;

static void is_over(rota_timer timer, rota_status status, void *user_data) {
    stretch *self = user_data;
    (void)timer;
    if (status < 0) return;
    self->timed_out = true;
    CHECK_STATUS(rota_task_cancel(self->task), ROTA_OK);
}

static int64_t works_within_a_time(rota_task task, void *user_data) {
    stretch *self = user_data;
    rota_timer timer;
    uint32_t left = 9;
    int64_t result;
    self->task = task;
    CHECK_STATUS(rota_loop_call_later(self->loop, self->timeout_ns, is_over, self, &timer),
                 ROTA_OK);
    result = rota_await(rota_loop_sleep(self->loop, self->sleep_ns));
    self->finished = result == 0;
    (void)rota_timer_cancel(timer);
    if (self->timed_out) {
        CHECK_STATUS(rota_task_uncancel(task, &left), ROTA_OK);
        CHECK_EQ(left, 0);
    }
    CHECK_EQ(rota_task_yield(task), 0);
    self->reached_the_end = true;
    return result;
}

TEST(a_stretch_of_work_may_be_cancelled_and_the_rest_goes_on) {
    rota_loop loop = open_jump();
    stretch slow = {.loop = loop, .sleep_ns = 10 * SECOND, .timeout_ns = SECOND};
    stretch fast = {.loop = loop, .sleep_ns = 0, .timeout_ns = 10 * SECOND};
    CHECK_STATUS(run_task(loop, works_within_a_time, &slow), CANCELLED);
    CHECK(slow.timed_out && !slow.finished && slow.reached_the_end);
    CHECK_EQ(run_task(loop, works_within_a_time, &fast), 0);
    CHECK(!fast.timed_out && fast.finished && fast.reached_the_end);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_cancelled_sleep_ends_at_once_and_takes_its_timer_along);
    RUN(what_a_cancelled_task_waits_for_is_cancelled);
    RUN(a_task_whose_future_was_cancelled_is_told_so);
    RUN(a_request_arrives_at_a_yield);
    RUN(a_task_may_catch_a_request_and_wait_on);
    RUN(a_failure_on_the_way_out_is_the_tasks_outcome);
    RUN(a_task_that_cancels_itself_does_not_start_the_next_sleep);
    RUN(a_task_that_ends_with_a_value_keeps_it_though_it_was_asked);
    RUN(a_task_cancelled_before_its_first_turn_runs_and_is_told);
    RUN(a_request_that_is_due_meets_the_join_and_not_the_joined);
    RUN(who_waits_for_a_cancelled_task_is_told_and_goes_on);
    RUN(a_request_goes_through_a_join_to_the_innermost_future);
    RUN(requests_are_counted_from_outside);
    RUN(a_request_that_was_taken_back_leaves_room_for_another);
    RUN(a_request_taken_back_before_it_arrived_never_does);
    RUN(a_stretch_of_work_may_be_cancelled_and_the_rest_goes_on);
    return test_end();
}
