/* Groups: tasks that end together (guarantee 7). A group does not end before its tasks do, the
 * first failure cancels the rest, all errors are kept. */
#include "rota_scopes.h"

enum { OOPS = ROTA_STATUS_HOST - 1, OUCH = ROTA_STATUS_HOST - 2 };

/* ---- members that succeed */

static int64_t waits_for_three(rota_task task, void *user_data) {
    member a = {"a", 3 * SECOND, 0, 0, 0}, b = {"b", SECOND, 5, 0, 0};
    member c = {"c", 2 * SECOND, 9, 0, 0};
    rota_group group = open_group();
    uint64_t start = now_of(the_loop);
    (void)task, (void)user_data;
    join_in(group, &a);
    join_in(group, &b);
    CHECK_STATUS(rota_group_spawn(group, plays, &c, NULL, NULL), ROTA_OK);
    CHECK_EQ(count_of(group), 3);
    CHECK_EQ(rota_await(rota_group_wait(group)), 3);
    CHECK_EQ(now_of(the_loop), start + 3 * SECOND);
    CHECK_EQ(count_of(group), 0);
    CHECK_EQ(errors_of(group), 0);
    CHECK_RECORD("b c a");
    join_in(group, &b); /* and again */
    CHECK_EQ(rota_await(rota_group_wait(group)), 4);
    CHECK_RECORD("b");
    return rota_group_close(group);
}

TEST(a_group_ends_when_its_tasks_have) { CHECK_STATUS(in_a_task(waits_for_three, NULL), ROTA_OK); }

static int64_t waits_for_nobody(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task, (void)user_data;
    CHECK_EQ(rota_await(rota_group_wait(group)), 0);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_HANDLE);
    return 0;
}

TEST(an_empty_group_is_done_at_once) { CHECK_EQ(in_a_task(waits_for_nobody, NULL), 0); }

/* ---- members that fail */

static int64_t one_fails(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, SECOND, 0}, b = {"b", SECOND, OOPS, 0, 0};
    member c = {"c", HOUR, 0, 0, OUCH};
    rota_group group = open_group();
    uint64_t start = now_of(the_loop);
    rota_scope scope;
    (void)user_data;
    join_in(group, &a);
    join_in(group, &b);
    join_in(group, &c);
    CHECK_STATUS(rota_await(rota_group_wait(group)), OOPS);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(now_of(the_loop), start + 2 * SECOND); /* the cleanup was waited for */
    CHECK_RECORD("b a:cancelled c:cancelled a:clean");
    CHECK_EQ(errors_of(group), 2);
    CHECK_STATUS(error_of(group, 0).outcome.status, OOPS);
    CHECK_TEXT(error_of(group, 0).name, "b");
    CHECK_STATUS(error_of(group, 1).outcome.status, OUCH);
    CHECK_TEXT(error_of(group, 1).name, "c");
    CHECK_STATUS(rota_group_get_scope(group, &scope), ROTA_OK);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_CANCELLED);
    CHECK_STATUS(rota_group_spawn(group, plays, &a, NULL, NULL), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_group_cancel(group, NULL), ROTA_ERR_DONE);
    CHECK_STATUS(rota_await(rota_group_wait(group)), OOPS); /* it stays what it came to */
    return rota_group_close(group);
}

TEST(the_first_failure_cancels_the_rest_and_all_are_kept) {
    CHECK_STATUS(in_a_task(one_fails, NULL), ROTA_OK);
}

static int64_t is_busy_when_one_fails(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, SECOND, 0}, b = {"b", SECOND, OOPS, 0, 0};
    rota_group group = open_group();
    (void)user_data;
    join_in(group, &a);
    join_in(group, &b);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED); /* the owner is asked too, once */
    CHECK_TEXT(message_of(task), "a member of the group failed");
    CHECK_EQ(cancelling(task), 1);
    CHECK_EQ(nap(1), 0);
    CHECK_STATUS(rota_await(rota_group_wait(group)), OOPS);
    CHECK_EQ(cancelling(task), 0); /* and the request is taken back */
    CHECK_EQ(nap(1), 0);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    forget_record();
    return 1;
}

TEST(the_owner_is_asked_too_and_gets_its_request_back) {
    CHECK_EQ(in_a_task(is_busy_when_one_fails, NULL), 1);
}

static int64_t closes_when_one_fails(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, SECOND, 0}, b = {"b", SECOND, OOPS, 0, 0};
    rota_group group = open_group();
    (void)user_data;
    join_in(group, &a);
    join_in(group, &b);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_STATUS(error_of(group, 0).outcome.status, OOPS);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_BUSY);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(count_of(group), 1);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_BUSY);
    CHECK_EQ(nap(2 * SECOND), 0);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_HANDLE); /* it has ended by itself */
    CHECK_RECORD("b a:cancelled a:clean");
    return 2;
}

TEST(a_closed_group_ends_by_itself) { CHECK_EQ(in_a_task(closes_when_one_fails, NULL), 2); }

static int64_t keeps_going(rota_task task, void *user_data) {
    member a = {"a", 2 * SECOND, 0, 0, 0}, b = {"b", SECOND, OOPS, 0, 0};
    member c = {"c", SECOND, OUCH, 0, 0};
    rota_group group = open_group_with(0, ROTA_GROUP_KEEP_GOING);
    (void)user_data;
    join_in(group, &a);
    join_in(group, &b);
    join_in(group, &c);
    CHECK_EQ(nap(SECOND + 1), 0);
    CHECK_EQ(errors_of(group), 2);
    CHECK_EQ(cancelling(task), 0);
    join_in(group, &b); /* nothing is over */
    CHECK_STATUS(rota_await(rota_group_wait(group)), OOPS);
    CHECK_EQ(errors_of(group), 3);
    CHECK_RECORD("b c a b");
    return rota_group_close(group);
}

TEST(a_group_may_keep_going) { CHECK_STATUS(in_a_task(keeps_going, NULL), ROTA_OK); }

/* ---- cancelled members */

static int64_t one_is_cancelled(rota_task task, void *user_data) {
    member a = {"a", SECOND, 0, 0, 0}, b = {"b", HOUR, 0, 0, 0};
    rota_group group = open_group();
    (void)task, (void)user_data;
    join_in(group, &a);
    CHECK_STATUS(rota_task_cancel(join_in(group, &b)), ROTA_OK);
    CHECK_EQ(rota_await(rota_group_wait(group)), 1);
    CHECK_EQ(errors_of(group), 0);
    CHECK_RECORD("b:cancelled a");
    return rota_group_close(group);
}

TEST(a_member_that_was_cancelled_alone_is_no_failure) {
    CHECK_STATUS(in_a_task(one_is_cancelled, NULL), ROTA_OK);
}

static int64_t one_claims_to_be(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, 0, 0}, b = {"b", SECOND, ROTA_ERR_CANCELLED, 0, 0};
    rota_group group = open_group();
    (void)task, (void)user_data;
    join_in(group, &a);
    join_in(group, &b);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_CANCELLED);
    CHECK_EQ(errors_of(group), 1);
    CHECK_TEXT(error_of(group, 0).name, "b");
    CHECK_RECORD("b a:cancelled");
    return rota_group_close(group);
}

TEST(a_member_that_returns_cancelled_unasked_has_failed) {
    CHECK_STATUS(in_a_task(one_claims_to_be, NULL), ROTA_OK);
}

/* ---- the group's time, and cancelling it */

static int64_t runs_out_of_time(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, SECOND, 0}, b = {"b", SECOND / 2, 0, 0, 0};
    rota_group group = open_group_with(SECOND, 0);
    uint64_t start = now_of(the_loop), deadline = 0;
    rota_scope scope;
    (void)task, (void)user_data;
    join_in(group, &a);
    join_in(group, &b);
    CHECK_STATUS(rota_group_get_scope(group, &scope), ROTA_OK);
    CHECK_STATUS(rota_scope_get_deadline(scope, &deadline), ROTA_OK);
    CHECK_EQ(deadline, start + SECOND);
    CHECK_STATUS(rota_scope_set_deadline(scope, start + 2 * SECOND), ROTA_OK);
    CHECK_STATUS(rota_scope_leave(scope, 0), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(the_loop), start + 3 * SECOND);
    CHECK_EQ(state_of(scope), ROTA_SCOPE_TIMED_OUT);
    CHECK_EQ(errors_of(group), 0);
    CHECK_RECORD("b a:cancelled a:clean");
    CHECK_STATUS(rota_group_spawn(group, plays, &a, NULL, NULL), ROTA_ERR_CANCELLED);
    return rota_group_close(group);
}

TEST(a_group_has_a_time) { CHECK_STATUS(in_a_task(runs_out_of_time, NULL), ROTA_OK); }

static int64_t is_busy_beyond_the_time(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, SECOND, 0};
    rota_group group = open_group_with(SECOND, 0);
    (void)user_data;
    join_in(group, &a);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "the deadline has passed");
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(nap(1), 0);
    CHECK_RECORD("a:cancelled a:clean");
    return rota_group_close(group);
}

TEST(its_time_reaches_the_owner_too) {
    CHECK_STATUS(in_a_task(is_busy_beyond_the_time, NULL), ROTA_OK);
}

static int64_t tells_its_deadline(rota_task task, void *user_data) {
    *(uint64_t *)user_data = deadline_of(task);
    return 0;
}

static int64_t asks_for_the_deadline(rota_task task, void *user_data) {
    rota_group group = open_group_with(SECOND, 0);
    uint64_t start = now_of(the_loop), told_it = 0;
    (void)user_data;
    CHECK_EQ(deadline_of(task), start + SECOND); /* of the owner, too */
    CHECK_STATUS(rota_group_spawn(group, tells_its_deadline, &told_it, NULL, NULL), ROTA_OK);
    CHECK_EQ(rota_await(rota_group_wait(group)), 1);
    CHECK_EQ(told_it, start + SECOND);
    CHECK_EQ(deadline_of(task), ROTA_FOREVER);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    CHECK_EQ(stats_of(the_loop).timers, 0);
    return 0;
}

TEST(its_deadline_is_its_members_too) { CHECK_EQ(in_a_task(asks_for_the_deadline, NULL), 0); }

static int64_t says_why(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    record("%s", message_of(task));
    return ROTA_ERR_CANCELLED;
}

static int64_t cancels_it(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)user_data;
    CHECK_STATUS(rota_group_spawn(group, says_why, NULL, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_task_yield(task), 0);
    CHECK_STATUS(rota_group_cancel(group, "enough"), ROTA_OK);
    CHECK_STATUS(rota_group_cancel(group, "more than that"), ROTA_ERR_DONE);
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "enough");
    CHECK_RECORD("enough");
    CHECK_EQ(nap(1), 0);
    return rota_group_close(group);
}

TEST(a_group_is_cancelled_with_a_reason) { CHECK_STATUS(in_a_task(cancels_it, NULL), ROTA_OK); }

/* ---- spawning while it ends */

static rota_group the_group;

static int64_t spawns_late(rota_task task, void *user_data) {
    rota_task_options options;
    (void)task;
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = (rota_free_fn)forget_record; /* called on failure as well */
    record("before");
    CHECK_STATUS(rota_group_spawn(the_group, spawns_late, user_data, &options, NULL),
                 ROTA_ERR_CANCELLED);
    CHECK_RECORD("");
    return ROTA_ERR_CANCELLED;
}

static int64_t spawns_more(rota_task task, void *user_data) {
    static member last = {"last", SECOND, 0, 0, 0};
    (void)task, (void)user_data;
    CHECK_EQ(nap(SECOND), 0);
    join_in(the_group, &last); /* the group is waited for, which is no end */
    return 0;
}

static int64_t waits_for_late_ones(rota_task task, void *user_data) {
    uint64_t start = now_of(the_loop);
    (void)task, (void)user_data;
    the_group = open_group();
    CHECK_STATUS(rota_group_spawn(the_group, spawns_more, NULL, NULL, NULL), ROTA_OK);
    CHECK_EQ(rota_await(rota_group_wait(the_group)), 2);
    CHECK_EQ(now_of(the_loop), start + 2 * SECOND);
    CHECK_RECORD("last");
    CHECK_STATUS(rota_group_spawn(the_group, spawns_late, NULL, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_task_yield(task), 0);
    CHECK_STATUS(rota_group_cancel(the_group, NULL), ROTA_OK);
    CHECK_STATUS(rota_await(rota_group_wait(the_group)), ROTA_ERR_CANCELLED);
    return rota_group_close(the_group);
}

TEST(members_may_spawn_until_the_group_is_to_end) {
    CHECK_STATUS(in_a_task(waits_for_late_ones, NULL), ROTA_OK);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_group_ends_when_its_tasks_have);
    RUN(an_empty_group_is_done_at_once);
    RUN(the_first_failure_cancels_the_rest_and_all_are_kept);
    RUN(the_owner_is_asked_too_and_gets_its_request_back);
    RUN(a_closed_group_ends_by_itself);
    RUN(a_group_may_keep_going);
    RUN(a_member_that_was_cancelled_alone_is_no_failure);
    RUN(a_member_that_returns_cancelled_unasked_has_failed);
    RUN(a_group_has_a_time);
    RUN(its_time_reaches_the_owner_too);
    RUN(its_deadline_is_its_members_too);
    RUN(a_group_is_cancelled_with_a_reason);
    RUN(members_may_spawn_until_the_group_is_to_end);
    return test_end();
}
