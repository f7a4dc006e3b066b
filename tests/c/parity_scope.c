/* asyncio's tests of timeouts inside a task, restated with scopes. */
#include "parity.h"

/* What a task of these tests uses: its loop, and what it has opened. */
typedef struct {
    rota_loop loop;
    rota_scope scope;
    rota_future future;
    uint64_t number;
} work;

static rota_scope within(rota_task task, uint64_t timeout_ns) {
    rota_scope scope = {0};
    CHECK_STATUS(rota_task_enter_timeout(task, timeout_ns, &scope), ROTA_OK);
    return scope;
}

static rota_scope until(rota_task task, uint64_t deadline_ns) {
    rota_scope scope = {0};
    CHECK_STATUS(rota_task_enter_scope(task, deadline_ns, 0, &scope), ROTA_OK);
    return scope;
}

static uint32_t state_of(rota_scope scope) {
    uint32_t state = 99;
    CHECK_STATUS(rota_scope_get_state(scope, &state), ROTA_OK);
    return state;
}

static uint64_t deadline_of(rota_scope scope) {
    uint64_t deadline = 99;
    CHECK_STATUS(rota_scope_get_deadline(scope, &deadline), ROTA_OK);
    return deadline;
}

static int64_t naps(work *self, uint64_t delay_ns) {
    return rota_await(rota_loop_sleep(self->loop, delay_ns));
}

/* Runs a body to its end: how long it took has to be this. */
static void play(rota_task_fn body, int64_t expected, uint64_t passed) {
    work self = {.loop = open_jump()};
    uint64_t began = now_of(self.loop);
    CHECK_STATUS(run_task(self.loop, body, &self), expected);
    CHECK_EQ(now_of(self.loop) - began, passed);
    CHECK_EQ(stats_of(self.loop).timers, 0);
    close_clean(self.loop);
}

/* ---- one */

static int64_t sleeps_too_long(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope scope = within(task, 10);
    int64_t result = naps(self, HOUR);
    CHECK_STATUS(result, CANCELLED); /* the wait is told of a request ... */
    CHECK_EQ(state_of(scope), ROTA_SCOPE_TIMED_OUT);
    CHECK_EQ(cancelling(task), 1);
    result = rota_scope_leave(scope, result);
    CHECK_EQ(cancelling(task), 0); /* ... which is taken back */
    return result;
}

TEST(a_wait_beyond_its_time_is_cancelled_and_called_a_timeout) {
    play(sleeps_too_long, ROTA_ERR_TIMEOUT, 10);
}

static int64_t sleeps_until(rota_task task, void *user_data) {
    work *self = user_data;
    uint64_t deadline = now_of(self->loop) + 10;
    rota_scope scope = until(task, deadline);
    int64_t result = naps(self, HOUR);
    CHECK_EQ(deadline_of(scope), deadline);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_TIMED_OUT);
    return rota_scope_leave(scope, result);
}

TEST(a_deadline_is_a_moment_of_the_loops_clock) { play(sleeps_until, ROTA_ERR_TIMEOUT, 10); }

static int64_t sleeps_short(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope scope = within(task, HOUR);
    int64_t result = naps(self, 10);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_OPEN);
    CHECK(deadline_of(scope) > now_of(self->loop));
    return rota_scope_leave(scope, result);
}

static int64_t sleeps_without_a_deadline(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope scope = until(task, ROTA_FOREVER);
    int64_t result = naps(self, 10);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_OPEN);
    CHECK_EQ(deadline_of(scope), ROTA_FOREVER);
    CHECK_EQ(rota_scope_leave(scope, result), 0);
    scope = within(task, ROTA_FOREVER);
    CHECK_EQ(deadline_of(scope), ROTA_FOREVER);
    return rota_scope_leave(scope, 0);
}

TEST(a_time_that_was_enough_changes_nothing) {
    play(sleeps_short, 0, 10);
    play(sleeps_without_a_deadline, 0, 10);
}

static int64_t has_no_time_to_sleep(rota_task task, void *user_data) {
    rota_scope scope = within(task, 0);
    return rota_scope_leave(scope, naps(user_data, HOUR));
}

static int64_t has_no_time_to_yield(rota_task task, void *user_data) {
    rota_scope scope = within(task, 0);
    (void)user_data;
    return rota_scope_leave(scope, rota_task_yield(task));
}

static int64_t has_no_time_for_an_empty_sleep(rota_task task, void *user_data) {
    work *self = user_data;
    uint64_t now = now_of(self->loop);
    rota_scope scope = until(task, now > 11 ? now - 11 : 0);
    int64_t result = naps(self, 0);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_TIMED_OUT);
    return rota_scope_leave(scope, result);
}

TEST(no_time_is_over_at_the_first_wait_even_for_nothing) {
    play(has_no_time_to_sleep, ROTA_ERR_TIMEOUT, 0);
    play(has_no_time_for_an_empty_sleep, ROTA_ERR_TIMEOUT, 0);
    play(has_no_time_to_yield, ROTA_ERR_TIMEOUT, 0);
}

/* ---- failures of the work itself */

static int64_t fails_in_time(rota_task task, void *user_data) {
    rota_scope scope = within(task, 10);
    (void)user_data;
    CHECK_EQ(state_of(scope), ROTA_SCOPE_OPEN);
    return rota_scope_leave(scope, ROTA_STATUS_HOST);
}

static int64_t fails_when_its_time_is_over(rota_task task, void *user_data) {
    rota_scope scope = within(task, 10);
    CHECK_STATUS(naps(user_data, HOUR), CANCELLED);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_TIMED_OUT);
    return rota_scope_leave(scope, ROTA_STATUS_HOST);
}

TEST(a_failure_of_the_work_goes_through_in_time_or_not) {
    play(fails_in_time, ROTA_STATUS_HOST, 0);
    play(fails_when_its_time_is_over, ROTA_STATUS_HOST, 10);
}

/* ---- a request from elsewhere */

static int64_t is_cancelled_in_time(rota_task task, void *user_data) {
    rota_scope scope = within(task, HOUR);
    int64_t result;
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    result = naps(user_data, HOUR);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_OPEN);
    return rota_scope_leave(scope, result);
}

TEST(a_request_of_somebody_elses_is_no_timeout) { play(is_cancelled_in_time, CANCELLED, 0); }

static int64_t survives_a_timeout(rota_task task, void *user_data) {
    CHECK_STATUS(rota_scope_leave(within(task, 0), 0), 0);
    CHECK_STATUS(sleeps_too_long(task, user_data), ROTA_ERR_TIMEOUT);
    return naps(user_data, 10);
}

TEST(a_task_goes_on_after_a_timeout) { play(survives_a_timeout, 0, 20); }

static int64_t cancels_itself(rota_task task, void *user_data) {
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(naps(user_data, HOUR), CANCELLED);
    return 0;
}

static int64_t cleans_up_without_time(rota_task task, void *user_data) {
    rota_scope scope;
    (void)cancels_itself(task, user_data);
    scope = within(task, 0);
    return rota_scope_leave(scope, naps(user_data, HOUR));
}

static int64_t is_cancelled_while_it_cleans_up(rota_task task, void *user_data) {
    rota_scope scope;
    (void)cancels_itself(task, user_data);
    scope = within(task, SECOND);
    (void)cancels_itself(task, user_data);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_OPEN);
    return rota_scope_leave(scope, CANCELLED);
}

TEST(cleanup_after_a_request_has_times_of_its_own) {
    play(cleans_up_without_time, ROTA_ERR_TIMEOUT, 0);
    play(is_cancelled_while_it_cleans_up, CANCELLED, 0);
}

/* ---- one in another */

static int64_t nests_with_one_deadline(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope outer = within(task, 10), inner = within(task, 10);
    int64_t result = naps(self, HOUR);
    CHECK_STATUS(result, CANCELLED);
    CHECK_EQ(state_of(inner), ROTA_SCOPE_TIMED_OUT);
    CHECK_EQ(state_of(outer), ROTA_SCOPE_TIMED_OUT);
    result = rota_scope_leave(inner, result);
    CHECK_STATUS(result, CANCELLED); /* the outer one asked too, and it is the one that tells */
    return rota_scope_leave(outer, result);
}

TEST(of_two_with_the_same_deadline_the_outer_one_is_called_a_timeout) {
    play(nests_with_one_deadline, ROTA_ERR_TIMEOUT, 10);
}

/* Pretends to be busy: meanwhile nothing runs, and deadlines pass. */
static void is_busy(work *self, uint64_t delay_ns) {
    CHECK_STATUS(rota_loop_advance(self->loop, delay_ns), ROTA_OK);
}

static int64_t is_busy_beyond_the_outer(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope outer = within(task, 2), inner = within(task, 100);
    int64_t result;
    is_busy(self, 10);
    result = naps(self, HOUR);
    CHECK_EQ(state_of(outer), ROTA_SCOPE_TIMED_OUT);
    CHECK_EQ(state_of(inner), ROTA_SCOPE_OPEN);
    result = rota_scope_leave(inner, result);
    CHECK_STATUS(result, CANCELLED);
    return rota_scope_leave(outer, result);
}

static int64_t is_busy_beyond_the_inner(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope outer = within(task, 100), inner = within(task, 10);
    is_busy(self, 50);
    CHECK_STATUS(rota_scope_leave(inner, naps(self, HOUR)), ROTA_ERR_TIMEOUT);
    return rota_scope_leave(outer, naps(self, HOUR)); /* ended by the outer one */
}

TEST(deadlines_that_passed_while_the_task_was_busy_are_told_apart) {
    play(is_busy_beyond_the_outer, ROTA_ERR_TIMEOUT, 10);
    play(is_busy_beyond_the_inner, ROTA_ERR_TIMEOUT, 100);
}

static int64_t cleans_up_within_another(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope outer = within(task, 10), inner;
    int64_t result = naps(self, HOUR);
    CHECK_STATUS(result, CANCELLED);
    inner = within(task, 10);
    CHECK_STATUS(rota_scope_leave(inner, naps(self, HOUR)), ROTA_ERR_TIMEOUT);
    return rota_scope_leave(outer, result);
}

TEST(cleanup_after_a_timeout_has_a_timeout_of_its_own) {
    play(cleans_up_within_another, ROTA_ERR_TIMEOUT, 20);
}

/* ---- moving it */

static int64_t sleeps_within_a_day(rota_task task, void *user_data) {
    work *self = user_data;
    self->scope = within(task, 10 * SECOND);
    CHECK_STATUS(rota_future_complete(self->future, 0), ROTA_OK);
    self->number = state_of(self->scope);
    return rota_scope_leave(self->scope, naps(self, 50 * SECOND));
}

TEST(a_deadline_is_moved_and_taken_away_from_outside) {
    work self = {.loop = open_jump()};
    uint64_t began = now_of(self.loop);
    rota_task task;
    self.future = open_future(self.loop);
    task = spawn(self.loop, sleeps_within_a_day, &self);
    CHECK_EQ(WAIT(self.loop, self.future), 0);
    CHECK_EQ(deadline_of(self.scope), began + 10 * SECOND);
    CHECK_STATUS(rota_scope_set_deadline(self.scope, began + 30 * SECOND), ROTA_OK);
    CHECK_EQ(deadline_of(self.scope), began + 30 * SECOND);
    CHECK_STATUS(rota_scope_set_deadline(self.scope, ROTA_FOREVER), ROTA_OK);
    CHECK_EQ(deadline_of(self.scope), ROTA_FOREVER);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(state_of(self.scope), ROTA_SCOPE_OPEN);
    CHECK_STATUS(join(self.loop, task), CANCELLED);
    close_clean(self.loop);
}

static int64_t moves_it_too_late(rota_task task, void *user_data) {
    work *self = user_data;
    rota_scope scope = within(task, 10);
    CHECK_EQ(rota_scope_leave(scope, 0), 0);
    CHECK_STATUS(rota_scope_set_deadline(scope, ROTA_FOREVER), ROTA_ERR_HANDLE); /* it was left */
    CHECK_STATUS(rota_scope_leave(scope, 0), ROTA_ERR_HANDLE);
    scope = within(task, 10);
    CHECK_STATUS(naps(self, HOUR), CANCELLED);
    CHECK_STATUS(rota_scope_set_deadline(scope, ROTA_FOREVER), ROTA_ERR_DONE); /* it has fired */
    CHECK_STATUS(rota_scope_leave(scope, CANCELLED), ROTA_ERR_TIMEOUT);
    CHECK_STATUS(rota_scope_set_deadline(scope, ROTA_FOREVER), ROTA_ERR_HANDLE);
    return 0;
}

TEST(a_deadline_that_has_fired_or_was_left_is_not_moved) { play(moves_it_too_late, 0, 10); }

static int64_t ends(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return 0;
}

TEST(a_scope_is_of_a_task_that_has_not_ended) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, ends, NULL), null = {0};
    rota_scope scope = {7};
    CHECK_STATUS(rota_task_enter_timeout(null, 10, &scope), ROTA_ERR_HANDLE);
    turns(loop, 2);
    CHECK_STATUS(rota_task_enter_timeout(task, 10, &scope), ROTA_ERR_DONE);
    CHECK_EQ(scope.id, 7);
    CHECK_EQ(join(loop, task), 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_wait_beyond_its_time_is_cancelled_and_called_a_timeout);
    RUN(a_deadline_is_a_moment_of_the_loops_clock);
    RUN(a_time_that_was_enough_changes_nothing);
    RUN(no_time_is_over_at_the_first_wait_even_for_nothing);
    RUN(a_failure_of_the_work_goes_through_in_time_or_not);
    RUN(a_request_of_somebody_elses_is_no_timeout);
    RUN(a_task_goes_on_after_a_timeout);
    RUN(cleanup_after_a_request_has_times_of_its_own);
    RUN(of_two_with_the_same_deadline_the_outer_one_is_called_a_timeout);
    RUN(deadlines_that_passed_while_the_task_was_busy_are_told_apart);
    RUN(cleanup_after_a_timeout_has_a_timeout_of_its_own);
    RUN(a_deadline_is_moved_and_taken_away_from_outside);
    RUN(a_deadline_that_has_fired_or_was_left_is_not_moved);
    RUN(a_scope_is_of_a_task_that_has_not_ended);
    return test_end();
}
