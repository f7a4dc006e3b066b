/* asyncio's tests of task groups, restated: the task that opened one, cancelled, failing,
 * nested. */
#include "parity_group.h"

/* What asyncio does when a body leaves its group with a failure: the group is cancelled, and all
 * have ended when this returns. What the group came to, or the body's own failure. */
static int64_t leave(rota_group group, int64_t result) {
    int64_t came_to;
    if (result < 0) (void)rota_group_cancel(group, NULL); /* unless it has fired already */
    came_to = finish(group);
    close_group(group);
    return came_to < 0 && came_to != CANCELLED ? came_to : result < 0 ? result : came_to;
}

static void add_five(rota_group group, member *which) {
    int i;
    for (i = 0; i < 5; i++) (void)add(group, which);
}

/* ---- cancelled from outside */

static int64_t waits_for_five(rota_task task, void *user_data) {
    rota_group group = open_group();
    int64_t result;
    (void)user_data;
    add_five(group, &long_sleeper);
    result = finish(group);
    CHECK_EQ(cancelling(task), 1);
    CHECK_EQ(told_to_end, 5);
    close_group(group);
    return result;
}

static int64_t sleeps_beside_five(rota_task task, void *user_data) {
    rota_group group = open_group();
    int64_t result;
    (void)task, (void)user_data;
    add_five(group, &long_sleeper);
    result = naps(HOUR);
    record("body:%s", told(result));
    result = leave(group, result);
    CHECK_EQ(told_to_end, 5);
    return result;
}

TEST(a_request_to_the_owner_reaches_all_members) {
    play_and_cancel(waits_for_five, 100, CANCELLED);
    play_and_cancel(sleeps_beside_five, 100, CANCELLED);
    CHECK_RECORD("body:cancelled");
}

static int64_t waits_for_two(rota_task task, void *user_data) {
    member first = {SECOND, 42, CANCELLED}, second = {2 * SECOND, 11, CANCELLED};
    rota_group group = open_group();
    int64_t result;
    (void)task, (void)user_data;
    (void)add(group, &first);
    (void)add(group, &second);
    result = finish(group);
    CHECK_EQ(errors_of(group), 0);
    close_group(group);
    return result;
}

TEST(a_group_that_is_cancelled_while_it_is_waited_for_has_not_failed) {
    play_and_cancel(waits_for_two, 50, CANCELLED);
}

static int64_t has_five_that_crash_when_asked(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task, (void)user_data;
    add_five(group, &crashes_when_asked);
    return leave(group, naps(HOUR));
}

TEST(failures_on_the_way_out_win_over_the_request) {
    play_and_cancel(has_five_that_crash_when_asked, 100, CRASH);
    CHECK_EQ(told_to_end, 5);
}

static int64_t has_an_empty_group(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return leave(open_group(), naps(HOUR));
}

static int64_t fails_when_it_is_asked(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task, (void)user_data;
    CHECK_STATUS(naps(HOUR), CANCELLED);
    return leave(group, ROTA_STATUS_HOST);
}

TEST(an_empty_group_passes_the_request_or_the_failure_of_its_body_on) {
    play_and_cancel(has_an_empty_group, 100, CANCELLED);
    play_and_cancel(fails_when_it_is_asked, 100, ROTA_STATUS_HOST);
}

/* It is asked to end, and takes its time over that; meanwhile a member crashes. */
static int64_t is_slow_to_leave(rota_task task, void *user_data) {
    member crash = {300, CRASH, CANCELLED};
    rota_group group = open_group();
    (void)task, (void)user_data;
    (void)add(group, &crash);
    CHECK_STATUS(naps(HOUR), CANCELLED);
    CHECK_STATUS(naps(500), CANCELLED); /* by the crash: it is asked once more */
    return leave(group, CANCELLED);
}

static int64_t waits_for_one_that_is_slow(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_task_join(spawn(loop, is_slow_to_leave, user_data)));
}

TEST(a_crash_while_the_owner_is_on_its_way_out_is_the_outcome) {
    play_and_cancel(is_slow_to_leave, 100, CRASH);
    play_and_cancel(waits_for_one_that_is_slow, 100, CRASH);
}

/* ---- the body fails */

static int64_t fails_after_a_while(rota_task task, void *user_data) {
    rota_group group = open_group();
    rota_future first = kept(rota_task_join(add(group, &long_sleeper)));
    rota_future second = kept(rota_task_join(add(group, &long_sleeper)));
    int64_t result;
    (void)task, (void)user_data;
    CHECK_EQ(naps(100), 0);
    result = leave(group, ROTA_STATUS_HOST);
    CHECK_STATUS(outcome_of(first).status, CANCELLED);
    CHECK_STATUS(outcome_of(second).status, CANCELLED);
    CHECK_STATUS(rota_future_close(first), ROTA_OK);
    CHECK_STATUS(rota_future_close(second), ROTA_OK);
    CHECK_EQ(told_to_end, 2);
    return result;
}

static int64_t returns_at_once(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task, (void)user_data;
    (void)add(group, &long_sleeper);
    (void)add(group, &long_sleeper);
    return ROTA_STATUS_HOST; /* its end waits for them, and cancels them: none outlives it */
}

TEST(a_body_that_fails_takes_its_members_along) {
    play(fails_after_a_while, ROTA_STATUS_HOST, 100);
    play(returns_at_once, ROTA_STATUS_HOST, 0);
    CHECK_EQ(told_to_end, 2);
}

static int64_t fails_because_of_a_crash(rota_task task, void *user_data) {
    member crash = {100, CRASH, CANCELLED};
    rota_group group = open_group();
    int64_t own;
    (void)user_data;
    (void)add(group, &crash);
    own = naps(HOUR) == CANCELLED ? ROTA_STATUS_HOST : 0;
    CHECK_STATUS(finish(group), CRASH);
    CHECK_EQ(errors_of(group), 1); /* the members'; the body has its own */
    CHECK_EQ(cancelling(task), 0);
    close_group(group);
    return own;
}

TEST(a_body_and_a_member_may_both_fail) {
    play(fails_because_of_a_crash, ROTA_STATUS_HOST, 100);
}

/* ---- requests are counted */

static int64_t handles_a_crash(rota_task task, void *user_data) {
    rota_group group = open_group();
    member crash = {0, CRASH, CANCELLED};
    (void)user_data;
    (void)add(group, &crash);
    CHECK_STATUS(finish(group), CRASH);
    CHECK_EQ(cancelling(task), 0);
    close_group(group);
    CHECK_EQ(naps(10), 0);
    return 0;
}

TEST(a_crash_that_was_handled_leaves_no_request) { play(handles_a_crash, 0, 10); }

static int64_t handles_the_inner_of_two(rota_task task, void *user_data) {
    rota_group outer = open_group(), inner = open_group();
    member crash = {0, CRASH, CANCELLED}, other = {0, CRASH - 1, CANCELLED};
    (void)user_data;
    (void)add(inner, &crash);
    (void)add(outer, &other);
    CHECK_STATUS(finish(inner), CRASH);
    close_group(inner);
    CHECK_EQ(cancelling(task), 1); /* the outer one's */
    CHECK_STATUS(finish(outer), CRASH - 1);
    CHECK_EQ(cancelling(task), 0);
    close_group(outer);
    return 0;
}

TEST(two_groups_that_fail_at_once_ask_and_take_back_each_for_itself) {
    play(handles_the_inner_of_two, 0, 0);
}

static rota_task to_cancel;
static rota_event begun;

static int64_t says_that_it_runs_and_crashes(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(rota_event_set(begun), ROTA_OK);
    CHECK_EQ(rota_task_yield(task), 0);
    return CRASH;
}

static int64_t is_cancelled_beside_a_crash(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)user_data;
    CHECK_STATUS(rota_group_spawn(group, says_that_it_runs_and_crashes, NULL, NULL, NULL), ROTA_OK);
    CHECK_STATUS(naps(SECOND), CANCELLED);
    (void)finish(group);
    close_group(group);
    CHECK_EQ(cancelling(task), 1); /* the group's was taken back, the other stands */
    return CANCELLED;
}

static int64_t cancels_it_then(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    to_cancel = spawn(loop, is_cancelled_beside_a_crash, NULL);
    CHECK_EQ(rota_await(rota_event_wait(begun)), 0);
    CHECK_EQ(cancelling(to_cancel), 0);
    CHECK_STATUS(rota_task_cancel(to_cancel), ROTA_OK);
    CHECK_EQ(cancelling(to_cancel), 1);
    return rota_await(rota_task_join(to_cancel));
}

TEST(a_request_beside_a_crash_is_still_there_after_the_group) {
    loop = open_jump();
    CHECK_STATUS(rota_loop_open_event(loop, 0, &begun), ROTA_OK);
    CHECK_STATUS(run_task(loop, cancels_it_then, NULL), CANCELLED);
    CHECK_STATUS(rota_event_close(begun), ROTA_OK);
    close_clean(loop);
}

/* ---- one in another */

static size_t inner_errors;

static int64_t nests_around_five(rota_task task, void *user_data) {
    rota_group outer = open_group(), inner = open_group();
    int64_t result;
    (void)task;
    if (user_data != NULL) (void)add(outer, user_data);
    add_five(inner, &crashes_when_asked);
    result = naps(HOUR);
    CHECK_STATUS(rota_group_cancel(inner, NULL), ROTA_OK);
    result = finish(inner);
    inner_errors = errors_of(inner);
    close_group(inner);
    return leave(outer, result);
}

static int64_t nests_beside_a_sleeper(rota_task task, void *user_data) {
    (void)user_data;
    return nests_around_five(task, &long_sleeper);
}

TEST(failures_of_an_inner_group_go_out_through_the_outer) {
    play_and_cancel(nests_around_five, 100, CRASH);
    CHECK_EQ(inner_errors, 5);
    play_and_cancel(nests_beside_a_sleeper, 100, CRASH);
    CHECK_EQ(told_to_end, 6);
}

static int64_t the_outer_crashes(rota_task task, void *user_data) {
    rota_group outer = open_group(), inner = open_group();
    member soon = {100, CRASH, CANCELLED}, late = {10 * SECOND, CRASH - 1, CANCELLED};
    (void)user_data;
    (void)add(outer, &soon);
    (void)add(inner, &late);
    CHECK_STATUS(finish(inner), CANCELLED); /* asked by the outer one's crash */
    CHECK_EQ(errors_of(inner), 0);
    close_group(inner);
    CHECK_STATUS(finish(outer), CRASH);
    CHECK_EQ(errors_of(outer), 1);
    CHECK_EQ(cancelling(task), 0);
    close_group(outer);
    return 0;
}

static int64_t the_inner_crashes(rota_task task, void *user_data) {
    rota_group outer = open_group(), inner = open_group();
    member soon = {100, CRASH, CANCELLED}, late = {10 * SECOND, CRASH - 1, CANCELLED};
    int64_t result;
    (void)user_data;
    (void)add(outer, &late);
    (void)add(inner, &soon);
    result = finish(inner);
    CHECK_STATUS(result, CRASH);
    CHECK_EQ(cancelling(task), 0);
    close_group(inner);
    result = leave(outer, result);
    CHECK_EQ(told_to_end, 1);
    return result;
}

TEST(a_crash_goes_inwards_as_a_request_and_outwards_as_a_failure) {
    play(the_outer_crashes, 0, 100);
    play(the_inner_crashes, CRASH, 100);
}

/* ---- within a time */

static int64_t has_ten_within_a_time(rota_task task, void *user_data) {
    rota_scope scope = {0};
    rota_group group;
    int64_t result;
    (void)user_data;
    CHECK_STATUS(rota_task_enter_timeout(task, 10, &scope), ROTA_OK);
    group = open_group();
    (void)add(group, &crashes_when_asked);
    result = leave(group, naps(SECOND));
    CHECK_EQ(told_to_end, 1);
    result = rota_scope_leave(scope, result);
    CHECK_EQ(cancelling(task), 0);
    return result;
}

static int64_t has_a_sleeper_within_a_time(rota_task task, void *user_data) {
    rota_scope scope = {0};
    rota_group group;
    (void)user_data;
    CHECK_STATUS(rota_task_enter_timeout(task, 10, &scope), ROTA_OK);
    group = open_group();
    (void)add(group, &long_sleeper);
    return rota_scope_leave(scope, leave(group, finish(group)));
}

TEST(a_group_within_a_time_ends_with_it_and_its_failures_win) {
    play(has_ten_within_a_time, CRASH, 10);
    play(has_a_sleeper_within_a_time, ROTA_ERR_TIMEOUT, 10);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_request_to_the_owner_reaches_all_members);
    RUN(a_group_that_is_cancelled_while_it_is_waited_for_has_not_failed);
    RUN(failures_on_the_way_out_win_over_the_request);
    RUN(an_empty_group_passes_the_request_or_the_failure_of_its_body_on);
    RUN(a_crash_while_the_owner_is_on_its_way_out_is_the_outcome);
    RUN(a_body_that_fails_takes_its_members_along);
    RUN(a_body_and_a_member_may_both_fail);
    RUN(a_crash_that_was_handled_leaves_no_request);
    RUN(two_groups_that_fail_at_once_ask_and_take_back_each_for_itself);
    RUN(a_request_beside_a_crash_is_still_there_after_the_group);
    RUN(failures_of_an_inner_group_go_out_through_the_outer);
    RUN(a_crash_goes_inwards_as_a_request_and_outwards_as_a_failure);
    RUN(a_group_within_a_time_ends_with_it_and_its_failures_win);
    return test_end();
}
