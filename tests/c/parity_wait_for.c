/* asyncio's tests of wait_for and shield, restated. */
#include "parity.h"

/* ---- wait_for: a task with a time */

/* A task that sleeps, and what it does when it is asked to end. */
enum { GIVES_UP, IGNORES, CLEANS_UP, ANSWERS, FAILS };

typedef struct {
    rota_loop loop;
    int manner;
    uint64_t sleep_ns;
    bool begun, ended;
} sleeper;

static int64_t sleeps(rota_task task, void *user_data) {
    sleeper *self = user_data;
    uint64_t until = now_of(self->loop) + self->sleep_ns;
    int64_t result;
    (void)task;
    self->begun = true;
    do {
        result = rota_await(rota_loop_sleep_until(self->loop, until));
    } while (self->manner == IGNORES && result == CANCELLED);
    if (self->manner == CLEANS_UP) CHECK_EQ(rota_await(rota_loop_sleep(self->loop, 1)), 0);
    self->ended = true;
    if (result == CANCELLED && self->manner == ANSWERS) return 42;
    if (result == CANCELLED && self->manner == FAILS) return ROTA_STATUS_HOST - 3;
    return result;
}

static rota_future sleeper_within(sleeper *self, uint64_t timeout_ns, bool started) {
    rota_task task = spawn(self->loop, sleeps, self);
    if (started) turn(self->loop);
    return rota_future_wait_for(rota_task_join(task), timeout_ns);
}

/* What comes of a sleep of ten seconds within a time, and how long that takes. */
static void expect_within(int manner, uint64_t timeout_ns, int64_t expected, uint64_t passed) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    sleeper self = {.loop = loop, .manner = manner, .sleep_ns = 10 * SECOND};
    CHECK_STATUS(WAIT(loop, sleeper_within(&self, timeout_ns, true)), expected);
    CHECK(self.ended);
    CHECK_EQ(now_of(loop) - began, passed);
    close_clean(loop);
}

TEST(a_time_that_is_over_ends_the_task_and_is_told) {
    expect_within(GIVES_UP, SECOND, ROTA_ERR_TIMEOUT, SECOND);
    expect_within(GIVES_UP, 0, ROTA_ERR_TIMEOUT, 0);
}

TEST(a_task_that_ignores_the_end_of_its_time_is_waited_for) {
    expect_within(IGNORES, SECOND, 0, 10 * SECOND);
}

TEST(a_task_that_cleans_up_first_is_waited_for_and_the_time_is_told) {
    expect_within(CLEANS_UP, SECOND, ROTA_ERR_TIMEOUT, SECOND + 1);
    expect_within(CLEANS_UP, 0, ROTA_ERR_TIMEOUT, 1);
}

TEST(what_a_task_answers_to_the_end_of_its_time_is_the_outcome) {
    expect_within(ANSWERS, SECOND, 42, SECOND);
    expect_within(FAILS, SECOND, ROTA_STATUS_HOST - 3, SECOND);
}

TEST(no_end_is_no_end) { expect_within(GIVES_UP, ROTA_FOREVER, 0, 10 * SECOND); }

/* asyncio does not start it. Here every spawned task runs its body, and is told at its first
 * wait. */
TEST(a_task_without_time_that_had_not_begun_runs_and_is_told) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    sleeper self = {.loop = loop, .sleep_ns = 10 * SECOND};
    CHECK_STATUS(WAIT(loop, sleeper_within(&self, 0, false)), ROTA_ERR_TIMEOUT);
    CHECK(self.begun && self.ended);
    CHECK_EQ(now_of(loop), began);
    close_clean(loop);
}

TEST(what_is_done_already_needs_no_time) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_complete(future, 4), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_future_wait_for(future, 0)), 4);
    close_clean(loop);
}

static void completes(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status;
    CHECK_STATUS(rota_future_complete(*(rota_future *)user_data, 1), ROTA_OK);
}

TEST(what_comes_just_in_time_is_had) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), within = rota_future_wait_for(future, 200);
    uint64_t began = now_of(loop);
    CHECK_STATUS(rota_loop_call_soon(loop, completes, &future, NULL), ROTA_OK);
    CHECK_EQ(WAIT(loop, within), 1);
    CHECK_EQ(now_of(loop), began);
    close_clean(loop);
}

/* ---- wait_for, in a task that is cancelled itself */

typedef struct {
    sleeper inner;
    uint64_t timeout_ns;
} within;

static int64_t waits_within(rota_task task, void *user_data) {
    within *self = user_data;
    (void)task;
    return rota_await(sleeper_within(&self->inner, self->timeout_ns, false));
}

static void cancel_within(uint64_t timeout_ns, int manner, int64_t expected) {
    rota_loop loop = open_jump();
    within self = {{.loop = loop, .manner = manner, .sleep_ns = 10 * SECOND}, timeout_ns};
    rota_task task = spawn(loop, waits_within, &self);
    turns(loop, 3);
    CHECK(self.inner.begun);
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_task, &task, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, task), expected);
    CHECK(self.inner.ended);
    close_clean(loop);
}

TEST(a_cancelled_wait_takes_the_task_with_it) {
    cancel_within(ROTA_FOREVER, GIVES_UP, CANCELLED);
    cancel_within(60 * SECOND, GIVES_UP, CANCELLED);
}

TEST(a_cancelled_wait_is_over_when_the_task_that_ignores_it_is) {
    cancel_within(60 * SECOND, IGNORES, 0);
}

static int64_t ends_at_once(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return 9;
}

typedef struct {
    rota_loop loop;
    rota_task inner;
    bool reached_the_end;
} race;

static int64_t waits_and_sleeps(rota_task task, void *user_data) {
    race *self = user_data;
    int64_t result = rota_await(rota_future_wait_for(rota_task_join(self->inner), HOUR));
    (void)task;
    record("%s", told(result));
    result = rota_await(rota_loop_sleep(self->loop, SECOND));
    if (result >= 0) self->reached_the_end = true;
    return result;
}

/* The inner task is done in the turn in which the outer one is asked: the answer is had, the
 * request arrives at the next wait, and the outer one does not get to its end. */
TEST(a_request_beside_the_answer_is_not_lost) {
    rota_loop loop = open_jump();
    race self = {.loop = loop, .inner = spawn(loop, ends_at_once, NULL)};
    rota_task outer = spawn(loop, waits_and_sleeps, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(outer), ROTA_OK);
    CHECK_STATUS(join(loop, outer), CANCELLED);
    CHECK_RECORD("9");
    CHECK(!self.reached_the_end);
    close_clean(loop);
}

/* ---- shield */

TEST(a_shield_has_the_result_or_the_failure_of_what_it_wraps) {
    rota_loop loop = open_jump();
    rota_future inner = open_future(loop), outer = rota_future_shield(inner);
    CHECK_STATUS(rota_future_complete(inner, 42), ROTA_OK);
    CHECK_EQ(WAIT(loop, outer), 42);
    inner = open_future(loop);
    outer = rota_future_shield(inner);
    turn(loop);
    CHECK_STATUS(rota_future_fail(inner, ROTA_STATUS_HOST, "expected"), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(outcome_of(outer).status, ROTA_STATUS_HOST);
    CHECK_TEXT(outcome_of(outer).message, "expected");
    CHECK_STATUS(rota_future_close(outer), ROTA_OK);
    inner = open_future(loop);
    outer = rota_future_shield(inner);
    CHECK_STATUS(rota_future_cancel(inner), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(WAIT(loop, outer), CANCELLED);
    inner = open_future(loop);
    CHECK_STATUS(rota_future_complete(inner, 43), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_future_shield(inner)), 43); /* also if it is done before */
    close_clean(loop);
}

static void leave_shields(int count, int32_t status, int lines) {
    rota_loop loop = open_logged();
    rota_future inner = kept(open_future(loop)), outer;
    while (count-- > 0) {
        outer = rota_future_shield(inner);
        turn(loop);
        CHECK_STATUS(rota_future_cancel(outer), ROTA_OK);
        CHECK_STATUS(WAIT(loop, outer), CANCELLED);
    }
    CHECK(pending(inner));
    if (status < 0) CHECK_STATUS(rota_future_fail(inner, status, "foo"), ROTA_OK);
    else CHECK_STATUS(rota_future_complete(inner, 1), ROTA_OK);
    turn(loop);
    CHECK_STATUS(rota_future_close(inner), ROTA_OK);
    CHECK_EQ(log_lines, lines);
    close_clean(loop);
}

TEST(a_failure_behind_cancelled_shields_is_told_once_and_a_result_never) {
    leave_shields(1, ROTA_OK, 0);
    leave_shields(1, ROTA_STATUS_HOST, 1);
    leave_shields(2, ROTA_STATUS_HOST, 1);
}

typedef struct {
    rota_loop loop;
    rota_future promise;
    int proof;
} shielded;

static int64_t inner_body(rota_task task, void *user_data) {
    shielded *self = user_data;
    int64_t result = rota_await(self->promise);
    (void)task;
    if (result >= 0) self->proof += 1;
    return result;
}

static int64_t outer_body(rota_task task, void *user_data) {
    shielded *self = user_data;
    int64_t result = rota_await(
        rota_future_shield(rota_task_join(spawn(self->loop, inner_body, self))));
    (void)task;
    if (result >= 0) self->proof += 100;
    return result;
}

TEST(cancelling_who_waits_behind_a_shield_leaves_the_shielded_task_alone) {
    rota_loop loop = open_jump();
    shielded self = {loop, open_future(loop), 0};
    rota_task task = spawn(loop, outer_body, &self);
    turns(loop, 3);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_STATUS(rota_future_complete(self.promise, 0), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(self.proof, 1);
    close_clean(loop);
}

TEST(a_shielded_gather_goes_on_to_its_end) {
    rota_loop loop = open_jump();
    rota_future two[2] = {kept(open_future(loop)), kept(open_future(loop))};
    rota_future parent = kept(rota_loop_gather(loop, two, 2, 0));
    rota_future outer = rota_future_shield(parent);
    turn(loop);
    CHECK_STATUS(rota_future_cancel(outer), ROTA_OK);
    CHECK_STATUS(WAIT(loop, outer), CANCELLED);
    CHECK_STATUS(rota_future_complete(two[0], 1), ROTA_OK);
    CHECK_STATUS(rota_future_complete(two[1], 2), ROTA_OK);
    turns(loop, 3);
    CHECK_STATUS(outcome_of(parent).status, ROTA_OK);
    CHECK_EQ(outcome_of(two[0]).value + outcome_of(two[1]).value, 3);
    CHECK_STATUS(rota_future_close(parent), ROTA_OK);
    CHECK_STATUS(rota_future_close(two[0]), ROTA_OK);
    CHECK_STATUS(rota_future_close(two[1]), ROTA_OK);
    close_clean(loop);
}

TEST(a_cancelled_gather_of_shields_cancels_the_shields_alone) {
    rota_loop loop = open_jump();
    rota_future two[2] = {open_future(loop), open_future(loop)}, shields[2], parent;
    int i;
    for (i = 0; i < 2; i++) shields[i] = kept(rota_future_shield(two[i]));
    parent = rota_loop_gather(loop, shields, 2, 0);
    turn(loop);
    CHECK_STATUS(rota_future_cancel(parent), ROTA_OK);
    CHECK_STATUS(WAIT(loop, parent), CANCELLED);
    for (i = 0; i < 2; i++) {
        CHECK_STATUS(outcome_of(shields[i]).status, CANCELLED);
        CHECK(pending(two[i]));
        CHECK_STATUS(rota_future_complete(two[i], i), ROTA_OK);
        CHECK_STATUS(rota_future_close(shields[i]), ROTA_OK);
    }
    close_clean(loop);
}

/* ---- both */

static void shield_within(uint64_t timeout_ns, int64_t expected) {
    rota_loop loop = open_jump();
    sleeper self = {.loop = loop, .sleep_ns = 10};
    rota_task task = spawn(loop, sleeps, &self);
    rota_future end = kept(rota_task_join(task));
    rota_future shield = kept(rota_future_shield(end));
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(shield, timeout_ns)), expected);
    CHECK_STATUS(outcome_of(shield).status, expected == ROTA_ERR_TIMEOUT ? CANCELLED : ROTA_OK);
    CHECK_EQ(pending(end), expected == ROTA_ERR_TIMEOUT); /* it goes on behind the shield */
    if (pending(end)) CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(WAIT(loop, end), 0);
    CHECK(self.ended);
    turn(loop); /* in which the shield, cancelled as it is, lets go of what it wrapped */
    CHECK_STATUS(rota_future_close(shield), ROTA_OK);
    CHECK_STATUS(rota_future_close(end), ROTA_OK);
    close_clean(loop);
}

TEST(a_time_over_a_shield_ends_the_shield_and_not_the_task) {
    shield_within(5, ROTA_ERR_TIMEOUT);
    shield_within(0, ROTA_ERR_TIMEOUT);
    shield_within(ROTA_FOREVER, 0);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_time_that_is_over_ends_the_task_and_is_told);
    RUN(a_task_that_ignores_the_end_of_its_time_is_waited_for);
    RUN(a_task_that_cleans_up_first_is_waited_for_and_the_time_is_told);
    RUN(what_a_task_answers_to_the_end_of_its_time_is_the_outcome);
    RUN(no_end_is_no_end);
    RUN(a_task_without_time_that_had_not_begun_runs_and_is_told);
    RUN(what_is_done_already_needs_no_time);
    RUN(what_comes_just_in_time_is_had);
    RUN(a_cancelled_wait_takes_the_task_with_it);
    RUN(a_cancelled_wait_is_over_when_the_task_that_ignores_it_is);
    RUN(a_request_beside_the_answer_is_not_lost);
    RUN(a_shield_has_the_result_or_the_failure_of_what_it_wraps);
    RUN(a_failure_behind_cancelled_shields_is_told_once_and_a_result_never);
    RUN(cancelling_who_waits_behind_a_shield_leaves_the_shielded_task_alone);
    RUN(a_shielded_gather_goes_on_to_its_end);
    RUN(a_cancelled_gather_of_shields_cancels_the_shields_alone);
    RUN(a_time_over_a_shield_ends_the_shield_and_not_the_task);
    return test_end();
}
