/* Scopes: stretches of a task's work with deadlines and requests of their own (guarantees 6, 7). */
#include "rota_scopes.h"

/* ---- one deadline */

static int64_t takes_too_long(rota_task task, void *user_data) {
    uint64_t start = now_of(the_loop);
    rota_scope scope = enter_timeout(task, SECOND);
    int64_t result;
    (void)user_data;
    CHECK_EQ(deadline_of(task), start + SECOND);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_OPEN);
    result = nap(HOUR);
    CHECK_STATUS(result, ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "the deadline has passed");
    CHECK_EQ(now_of(the_loop), start + SECOND);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_TIMED_OUT);
    CHECK_EQ(cancelling(task), 1);
    CHECK_EQ(nap(SECOND), 0); /* it arrives once */
    result = rota_scope_leave(scope, result);
    CHECK_EQ(cancelling(task), 0);
    CHECK_STATUS(rota_scope_leave(scope, 0), ROTA_ERR_HANDLE);
    CHECK_EQ(nap(SECOND), 0);
    return result;
}

TEST(a_deadline_is_a_timeout) {
    CHECK_STATUS(in_a_task(takes_too_long, NULL), ROTA_ERR_TIMEOUT);
}

static int64_t is_in_time(rota_task task, void *user_data) {
    rota_scope scope = enter_timeout(task, SECOND);
    (void)user_data;
    CHECK_EQ(nap(SECOND / 2), 0);
    CHECK_EQ(rota_scope_leave(scope, 7), 7);
    CHECK_EQ(stats_of(the_loop).timers, 0);
    CHECK_EQ(deadline_of(task), ROTA_FOREVER);
    CHECK_EQ(nap(HOUR), 0);
    return 7;
}

TEST(who_is_in_time_meets_nothing) { CHECK_EQ(in_a_task(is_in_time, NULL), 7); }

static int64_t ignores_it(rota_task task, void *user_data) {
    rota_scope scope = enter_timeout(task, SECOND);
    (void)user_data;
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_EQ(nap(HOUR), 0);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_TIMED_OUT);
    return rota_scope_leave(scope, 5);
}

TEST(a_body_that_ignored_it_keeps_its_result) { CHECK_EQ(in_a_task(ignores_it, NULL), 5); }

static int64_t meets_the_past(rota_task task, void *user_data) {
    rota_scope scope = {0};
    uint64_t start = now_of(the_loop);
    (void)user_data;
    CHECK_EQ(nap(SECOND), 0);
    CHECK_STATUS(rota_task_enter_scope(task, start, 0, &scope), ROTA_OK);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_OPEN); /* in the next turn, not inside the call */
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_EQ(now_of(the_loop), start + SECOND);
    return rota_scope_leave(scope, ROTA_ERR_CANCELLED);
}

TEST(a_deadline_in_the_past_fires_in_the_next_turn) {
    CHECK_STATUS(in_a_task(meets_the_past, NULL), ROTA_ERR_TIMEOUT);
}

static int64_t moves_it(rota_task task, void *user_data) {
    uint64_t start = now_of(the_loop), deadline = 0;
    rota_scope scope = enter_timeout(task, SECOND);
    (void)user_data;
    CHECK_STATUS(rota_scope_set_deadline(scope, start + HOUR), ROTA_OK);
    CHECK_EQ(nap(2 * SECOND), 0);
    CHECK_STATUS(rota_scope_set_deadline(scope, ROTA_FOREVER), ROTA_OK);
    CHECK_STATUS(rota_scope_get_deadline(scope, &deadline), ROTA_OK);
    CHECK_EQ(deadline, ROTA_FOREVER);
    CHECK_EQ(stats_of(the_loop).timers, 0);
    CHECK_EQ(nap(2 * HOUR), 0);
    start = now_of(the_loop);
    CHECK_STATUS(rota_scope_set_deadline(scope, start + 3 * SECOND), ROTA_OK);
    CHECK_STATUS(rota_scope_set_deadline(scope, start + SECOND), ROTA_OK);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_EQ(now_of(the_loop), start + SECOND);
    CHECK_STATUS(rota_scope_set_deadline(scope, start + HOUR), ROTA_ERR_DONE);
    CHECK_STATUS(rota_scope_get_deadline(scope, &deadline), ROTA_OK);
    CHECK_EQ(deadline, start + SECOND);
    CHECK_STATUS(rota_scope_cancel(scope, NULL), ROTA_ERR_DONE);
    return rota_scope_leave(scope, ROTA_ERR_CANCELLED);
}

TEST(a_deadline_is_moved_until_it_has_fired) {
    CHECK_STATUS(in_a_task(moves_it, NULL), ROTA_ERR_TIMEOUT);
}

/* ---- nested deadlines */

typedef struct {
    uint64_t outer, inner; /* the deadlines */
    int64_t left_inner, left_outer;
} nest;

static int64_t two_deadlines(rota_task task, void *user_data) {
    nest *self = user_data;
    rota_scope outer = enter_timeout(task, self->outer), inner = enter_timeout(task, self->inner);
    self->left_inner = rota_scope_leave(inner, nap(HOUR));
    CHECK_EQ(nap(1), 0); /* what arrived has arrived, what did not was dropped */
    self->left_outer = rota_scope_leave(outer, self->left_inner);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(nap(HOUR), 0);
    return 0;
}

TEST(of_nested_deadlines_each_takes_its_own) {
    nest both = {SECOND, SECOND, 0, 0}, first_inner = {2 * SECOND, SECOND, 0, 0},
         first_outer = {SECOND, 2 * SECOND, 0, 0};
    CHECK_EQ(in_a_task(two_deadlines, &both), 0);
    CHECK_STATUS(both.left_inner, ROTA_ERR_CANCELLED);
    CHECK_STATUS(both.left_outer, ROTA_ERR_TIMEOUT);
    CHECK_EQ(in_a_task(two_deadlines, &first_inner), 0);
    CHECK_STATUS(first_inner.left_inner, ROTA_ERR_TIMEOUT);
    CHECK_STATUS(first_inner.left_outer, ROTA_ERR_TIMEOUT); /* it came as the body's answer */
    CHECK_EQ(in_a_task(two_deadlines, &first_outer), 0);
    CHECK_STATUS(first_outer.left_inner, ROTA_ERR_CANCELLED);
    CHECK_STATUS(first_outer.left_outer, ROTA_ERR_TIMEOUT);
}

static int64_t leaves_the_outer_one(rota_task task, void *user_data) {
    rota_scope outer = enter(task, 0), inner = enter_timeout(task, SECOND);
    int64_t result = rota_scope_leave(outer, nap(HOUR));
    (void)user_data;
    CHECK_STATUS(rota_scope_leave(inner, 0), ROTA_ERR_HANDLE);
    CHECK_EQ(cancelling(task), 0);
    return result;
}

TEST(leaving_a_scope_leaves_what_is_inside) {
    CHECK_STATUS(in_a_task(leaves_the_outer_one, NULL), ROTA_ERR_TIMEOUT);
}

static rota_scope never_left;

static int64_t ends_inside(rota_task task, void *user_data) {
    (void)user_data;
    never_left = enter_timeout(task, SECOND);
    enter_timeout(task, HOUR);
    return nap(2 * HOUR);
}

TEST(a_task_that_ends_leaves_its_scopes) {
    uint32_t state;
    the_loop = open_jump();
    CHECK_STATUS(run_task(the_loop, ends_inside, NULL), ROTA_ERR_TIMEOUT);
    CHECK_EQ(stats_of(the_loop).timers, 0);
    CHECK_STATUS(rota_scope_get_state(never_left, &state), ROTA_ERR_HANDLE);
    close_clean(the_loop);
}

/* ---- a deadline and other requests */

static int64_t both_at_once(rota_task task, void *user_data) {
    other *self = user_data;
    rota_scope scope;
    int64_t result;
    self->task = task;
    after(SECOND, cancels_task, self);
    scope = enter_timeout(task, SECOND);
    result = nap(HOUR);
    CHECK_EQ(cancelling(task), 2);
    result = rota_scope_leave(scope, result);
    CHECK_STATUS(result, ROTA_ERR_CANCELLED); /* the other's, which is still asked for */
    CHECK_EQ(cancelling(task), 1);
    return result;
}

TEST(a_cancel_from_outside_is_not_taken_for_the_deadlines) {
    other self = {0};
    CHECK_STATUS(in_a_task(both_at_once, &self), ROTA_ERR_CANCELLED);
}

static int64_t was_asked_before(rota_task task, void *user_data) {
    rota_scope scope;
    (void)user_data;
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED);
    CHECK_EQ(cancelling(task), 1);
    scope = enter_timeout(task, SECOND); /* for the cleanup */
    return rota_scope_leave(scope, nap(HOUR));
}

TEST(a_request_from_before_does_not_count) {
    CHECK_STATUS(in_a_task(was_asked_before, NULL), ROTA_ERR_TIMEOUT);
}

/* The deadline passes in the next turn, before the task goes on with its outcome. */
static void completes(rota_timer timer, rota_status status, void *user_data) {
    other *self = user_data;
    (void)timer, (void)status;
    CHECK_STATUS(rota_future_complete(self->future, 3), ROTA_OK);
    CHECK_STATUS(rota_scope_set_deadline(self->scope, now_of(the_loop)), ROTA_OK);
}

static int64_t ready_outcome(rota_task task, void *user_data) {
    other *self = user_data;
    self->future = open_future(the_loop);
    after(SECOND, completes, self);
    self->scope = enter_timeout(task, HOUR);
    CHECK_EQ(rota_await(self->future), 3);
    CHECK_EQ(state_of(self->scope), ROTA_SCOPE_TIMED_OUT);
    CHECK_EQ(cancelling(task), 1);
    CHECK_EQ(rota_scope_leave(self->scope, 3), 3);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(nap(1), 0); /* the request that was due is gone with its scope */
    return 0;
}

TEST(leaving_drops_a_request_that_is_due) {
    other self = {0};
    CHECK_EQ(in_a_task(ready_outcome, &self), 0);
}

static int64_t refuses(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_EQ(cancelling(task), 1);
    CHECK_EQ(nap(SECOND), 0);
    return 8;
}

static int64_t asks_one_that_refuses(rota_task task, void *user_data) {
    rota_scope outer = enter(task, 0), scope = enter_timeout(task, SECOND);
    int64_t result = rota_await(rota_task_join(spawn(the_loop, refuses, NULL)));
    CHECK_EQ(result, 8);
    CHECK_EQ(cancelling(task), 1);
    if (user_data != NULL) CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED); /* not answered: it is due */
    CHECK_EQ(rota_scope_leave(scope, result), 8);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(nap(1), 0);
    return rota_scope_leave(outer, 8);
}

TEST(leaving_drops_a_request_that_was_passed_on) {
    CHECK_EQ(in_a_task(asks_one_that_refuses, NULL), 8);
    CHECK_EQ(in_a_task(asks_one_that_refuses, "looks"), 8);
}

static int64_t waits_for_both(rota_task task, void *user_data) {
    rota_scope scope = enter_timeout(task, SECOND);
    int64_t result = rota_await(rota_future_wait_for(rota_loop_sleep(the_loop, HOUR), HOUR));
    (void)user_data;
    return rota_scope_leave(scope, result);
}

TEST(a_deadline_reaches_what_is_combined) {
    CHECK_STATUS(in_a_task(waits_for_both, NULL), ROTA_ERR_TIMEOUT);
}

/* ---- cancelling a scope, and reasons */

static int64_t is_cancelled(rota_task task, void *user_data) {
    other *self = user_data;
    self->scope = enter_timeout(task, HOUR);
    after(SECOND, cancels_scope, self);
    CHECK_STATUS(nap(2 * HOUR), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "enough of it");
    CHECK_EQ(state_of(self->scope), ROTA_SCOPE_CANCELLED);
    CHECK_STATUS(rota_scope_cancel(self->scope, NULL), ROTA_ERR_DONE);
    CHECK_STATUS(rota_scope_set_deadline(self->scope, ROTA_FOREVER), ROTA_ERR_DONE);
    CHECK_EQ(nap(2 * HOUR), 0); /* its deadline went with the cancel */
    CHECK_STATUS(rota_scope_leave(self->scope, ROTA_ERR_CANCELLED), ROTA_ERR_CANCELLED);
    CHECK_EQ(cancelling(task), 0);
    self->scope = enter(task, 0);
    CHECK_STATUS(rota_scope_cancel(self->scope, "at the next operation"), ROTA_OK);
    CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "at the next operation");
    return rota_scope_leave(self->scope, 4);
}

TEST(a_scope_is_cancelled_with_a_reason) {
    other self = {0};
    CHECK_EQ(in_a_task(is_cancelled, &self), 4);
}

static int64_t cleans_up(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "closing time");
    CHECK_EQ(nap(SECOND), 0);
    CHECK_TEXT(message_of(task), "");
    return ROTA_ERR_CANCELLED;
}

TEST(the_reason_is_the_message_of_the_task_that_was_asked) {
    static char longest[5000];
    rota_task task;
    rota_future join;
    memset(longest, 'x', sizeof longest - 1);
    the_loop = open_jump();
    task = spawn(the_loop, cleans_up, NULL);
    turn(the_loop);
    CHECK_STATUS(rota_task_cancel_with(task, longest), ROTA_ERR_LIMIT);
    CHECK_EQ(cancelling(task), 0);
    CHECK_STATUS(rota_task_cancel_with(task, "closing time"), ROTA_OK);
    CHECK_EQ(cancelling(task), 1);
    join = rota_task_join(task);
    CHECK_STATUS(rota_future_keep(join), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, join), ROTA_ERR_CANCELLED);
    CHECK_TEXT(outcome_of(join).message, "closing time");
    CHECK_STATUS(rota_future_close(join), ROTA_OK);
    close_clean(the_loop);
}

static int64_t is_asked_by_all(rota_task task, void *user_data) {
    rota_scope outer = enter(task, 0), inner = enter(task, 0);
    (void)user_data;
    CHECK_STATUS(rota_scope_cancel(inner, "inner"), ROTA_OK);
    CHECK_STATUS(rota_scope_cancel(outer, "outer"), ROTA_OK);
    CHECK_STATUS(rota_task_cancel_with(task, "all of it"), ROTA_OK);
    CHECK_EQ(cancelling(task), 3);
    CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "all of it");
    CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "outer");
    CHECK_STATUS(rota_task_yield(task), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "inner");
    CHECK_EQ(nap(1), 0);
    return rota_scope_leave(outer, 3);
}

TEST(the_request_from_furthest_outside_arrives_first) {
    CHECK_EQ(in_a_task(is_asked_by_all, NULL), 3);
}

/* Is asked by both deadlines of whoever joins it, and ends cancelled after that. */
static int64_t just_goes_on(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_EQ(cancelling(task), 2);
    return ROTA_ERR_CANCELLED;
}

static int64_t asks_a_refuser_twice(rota_task task, void *user_data) {
    rota_scope outer = enter_timeout(task, SECOND), inner = enter_timeout(task, SECOND / 2);
    rota_task joined = spawn(the_loop, just_goes_on, NULL);
    (void)user_data;
    CHECK_STATUS(rota_await(rota_task_join(joined)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_scope_leave(inner, ROTA_ERR_CANCELLED), ROTA_ERR_CANCELLED);
    CHECK_EQ(nap(1), 0); /* one answer was one arrival, the outer one's; the inner's was dropped */
    return rota_scope_leave(outer, ROTA_ERR_CANCELLED);
}

TEST(one_answer_is_one_arrival) {
    CHECK_STATUS(in_a_task(asks_a_refuser_twice, NULL), ROTA_ERR_TIMEOUT);
}

static int64_t thinks_again(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(rota_task_cancel_with(task, "first"), ROTA_OK);
    CHECK_STATUS(rota_task_uncancel(task, NULL), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), ""); /* the reason went with its request */
    return 0;
}

TEST(a_reason_goes_with_its_request) { CHECK_EQ(in_a_task(thinks_again, NULL), 0); }

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_deadline_is_a_timeout);
    RUN(who_is_in_time_meets_nothing);
    RUN(a_body_that_ignored_it_keeps_its_result);
    RUN(a_deadline_in_the_past_fires_in_the_next_turn);
    RUN(a_deadline_is_moved_until_it_has_fired);
    RUN(of_nested_deadlines_each_takes_its_own);
    RUN(leaving_a_scope_leaves_what_is_inside);
    RUN(a_task_that_ends_leaves_its_scopes);
    RUN(a_cancel_from_outside_is_not_taken_for_the_deadlines);
    RUN(a_request_from_before_does_not_count);
    RUN(leaving_drops_a_request_that_is_due);
    RUN(leaving_drops_a_request_that_was_passed_on);
    RUN(a_deadline_reaches_what_is_combined);
    RUN(a_scope_is_cancelled_with_a_reason);
    RUN(the_reason_is_the_message_of_the_task_that_was_asked);
    RUN(the_request_from_furthest_outside_arrives_first);
    RUN(one_answer_is_one_arrival);
    RUN(a_reason_goes_with_its_request);
    return test_end();
}
