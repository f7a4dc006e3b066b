/* asyncio's tests of gather and wait, restated. */
#include "parity.h"

static void open_many(rota_loop loop, rota_future *futures, int count) {
    while (count-- > 0) futures[count] = kept(open_future(loop));
}

static void close_many(rota_future *futures, int count) {
    while (count-- > 0) CHECK_STATUS(rota_future_close(futures[count]), ROTA_OK);
}

/* A task that gives back what its future brings: so a gather is over futures, or over tasks. */
static int64_t passes_on(rota_task task, void *user_data) {
    (void)task;
    return rota_await(*(rota_future *)user_data);
}

enum { PLAIN, TASKS, SHAPES };

/* What is gathered: the futures themselves, or the ends of tasks that wait for them. */
static void wrap(rota_loop loop, rota_future *futures, rota_future *members, int count, int shape) {
    int i;
    for (i = 0; i < count; i++) {
        members[i] = shape == TASKS ? kept(rota_task_join(spawn(loop, passes_on, &futures[i])))
                                    : futures[i];
    }
    if (shape == TASKS) turn(loop);
}

static void unwrap(rota_future *members, int count, int shape) {
    if (shape == TASKS) close_many(members, count);
}

/* ---- gather */

static void gather_what_goes_well(int shape, uint32_t flags) {
    rota_loop loop = open_jump();
    rota_future three[3], members[3], all;
    open_many(loop, three, 3);
    wrap(loop, three, members, 3, shape);
    all = then(rota_loop_gather(loop, members, 3, flags), "all");
    CHECK_STATUS(rota_future_complete(three[1], 1), ROTA_OK);
    CHECK_STATUS(rota_future_complete(three[0], 2), ROTA_OK);
    turns(loop, 4);
    CHECK_RECORD("");
    CHECK(pending(all));
    CHECK_STATUS(rota_future_complete(three[2], 3), ROTA_OK);
    turns(loop, 4);
    CHECK_RECORD("all:ok");
    CHECK_EQ(outcome_of(members[0]).value, 2); /* in the order in which they were given */
    CHECK_EQ(outcome_of(members[1]).value, 1);
    CHECK_EQ(outcome_of(members[2]).value, 3);
    unwrap(members, 3, shape);
    close_many(three, 3);
    close_clean(loop);
}

TEST(a_gather_is_done_when_the_last_is_and_each_keeps_its_outcome) {
    gather_what_goes_well(PLAIN, 0);
    gather_what_goes_well(TASKS, 0);
    gather_what_goes_well(PLAIN, ROTA_GATHER_ALL);
    gather_what_goes_well(TASKS, ROTA_GATHER_ALL);
}

/* One of five fails, or is cancelled: that is the gather's, and what comes later changes
 * nothing. */
static void gather_one_that_does_not(int shape, int32_t status) {
    rota_loop loop = open_logged();
    rota_future five[5], members[5], all;
    open_many(loop, five, 5);
    wrap(loop, five, members, 5, shape);
    all = kept(rota_loop_gather(loop, members, 5, 0));
    CHECK_STATUS(rota_future_complete(five[0], 1), ROTA_OK);
    CHECK_STATUS(status == CANCELLED ? rota_future_cancel(five[1])
                                     : rota_future_fail(five[1], status, "one"), ROTA_OK);
    CHECK_STATUS(WAIT(loop, all), status);
    CHECK(pending(members[2]) && pending(members[3]) && pending(members[4]));
    CHECK_STATUS(rota_future_complete(five[2], 3), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(five[3]), ROTA_OK);
    CHECK_STATUS(rota_future_fail(five[4], ROTA_ERR_EOF, "other"), ROTA_OK);
    turns(loop, 4);
    CHECK_STATUS(outcome_of(all).status, status);
    CHECK_STATUS(outcome_of(members[4]).status, ROTA_ERR_EOF);
    CHECK_STATUS(rota_future_close(all), ROTA_OK);
    unwrap(members, 5, shape);
    close_many(five, 5);
    close_clean(loop);
    CHECK_EQ(log_lines, 0); /* all of them were looked at */
}

TEST(the_first_that_fails_or_is_cancelled_ends_a_gather_and_no_later_one) {
    gather_one_that_does_not(PLAIN, ROTA_STATUS_HOST);
    gather_one_that_does_not(TASKS, ROTA_STATUS_HOST);
    gather_one_that_does_not(PLAIN, CANCELLED);
    gather_one_that_does_not(TASKS, CANCELLED);
}

static void gather_whatever_comes(int shape) {
    rota_loop loop = open_jump();
    rota_future six[6], members[6], all;
    open_many(loop, six, 6);
    wrap(loop, six, members, 6, shape);
    all = rota_loop_gather(loop, members, 6, ROTA_GATHER_ALL);
    CHECK_STATUS(rota_future_complete(six[0], 1), ROTA_OK);
    CHECK_STATUS(rota_future_fail(six[1], ROTA_STATUS_HOST, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(six[2]), ROTA_OK);
    turns(loop, 4);
    CHECK(pending(all));
    CHECK_STATUS(rota_future_complete(six[3], 3), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(six[4]), ROTA_OK);
    CHECK_STATUS(rota_future_fail(six[5], ROTA_ERR_EOF, NULL), ROTA_OK);
    CHECK_EQ(WAIT(loop, all), 4);
    CHECK_EQ(outcome_of(members[0]).value, 1);
    CHECK_STATUS(outcome_of(members[1]).status, ROTA_STATUS_HOST);
    CHECK_STATUS(outcome_of(members[2]).status, CANCELLED);
    CHECK_EQ(outcome_of(members[3]).value, 3);
    CHECK_STATUS(outcome_of(members[4]).status, CANCELLED);
    CHECK_STATUS(outcome_of(members[5]).status, ROTA_ERR_EOF);
    unwrap(members, 6, shape);
    close_many(six, 6);
    close_clean(loop);
}

TEST(a_gather_of_whatever_comes_has_failures_and_cancellations_in_their_places) {
    gather_whatever_comes(PLAIN);
    gather_whatever_comes(TASKS);
}

TEST(a_gather_of_one_thing_four_times_is_done_once_it_is) {
    rota_loop loop = open_jump();
    rota_future two[2], four[4];
    open_many(loop, two, 2);
    four[0] = four[1] = four[3] = two[0];
    four[2] = two[1];
    then(rota_loop_gather(loop, four, 4, 0), "all");
    CHECK_STATUS(rota_future_complete(two[0], 5), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_STATUS(rota_future_complete(two[1], 6), ROTA_OK);
    turns(loop, 3);
    CHECK_RECORD("all:ok");
    close_many(two, 2);
    close_clean(loop);
}

static rota_future members_of_outer[2], gathered;

static int64_t gathers(rota_task task, void *user_data) {
    (void)task;
    gathered = kept(rota_loop_gather(*(rota_loop *)user_data, members_of_outer, 2, 0));
    return rota_await(gathered);
}

TEST(cancelling_a_task_that_gathers_cancels_all_that_it_gathers) {
    rota_loop loop = open_jump();
    rota_future shared = kept(open_future(loop));
    rota_task children[2], outer;
    int i;
    for (i = 0; i < 2; i++) {
        children[i] = spawn(loop, passes_on, &shared);
        members_of_outer[i] = kept(rota_task_join(children[i]));
    }
    outer = spawn(loop, gathers, &loop);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(outer), ROTA_OK);
    CHECK_STATUS(join(loop, outer), CANCELLED);
    CHECK_STATUS(rota_future_cancel(gathered), ROTA_ERR_DONE);
    CHECK_STATUS(outcome_of(shared).status, CANCELLED);
    for (i = 0; i < 2; i++) CHECK_STATUS(outcome_of(members_of_outer[i]).status, CANCELLED);
    close_many(members_of_outer, 2);
    CHECK_STATUS(rota_future_close(gathered), ROTA_OK);
    CHECK_STATUS(rota_future_close(shared), ROTA_OK);
    close_clean(loop);
}

/* A child that answers the request of a cancelled gather, or that failed before it came. */
static int64_t answers_with(rota_task task, void *user_data) {
    (void)task;
    (void)rota_await(*(rota_future *)user_data);
    return ROTA_STATUS_HOST - 4;
}

static void fail_while_it_is_cancelled(uint32_t flags, bool before, int64_t expected) {
    rota_loop loop = open_logged();
    rota_future two[2], members[2], all;
    open_many(loop, two, 2);
    members[0] = rota_task_join(spawn(loop, answers_with, &two[0]));
    members[1] = two[1];
    all = rota_loop_gather(loop, members, 2, flags);
    turn(loop);
    if (before) CHECK_STATUS(rota_future_complete(two[0], 0), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(all), ROTA_OK);
    CHECK_STATUS(WAIT(loop, all), expected);
    close_many(two, 2);
    close_clean(loop);
    CHECK_EQ(log_lines, 0); /* it is not lost, and not told twice */
}

TEST(a_failure_among_the_children_of_a_cancelled_gather_is_not_lost) {
    fail_while_it_is_cancelled(0, false, ROTA_STATUS_HOST - 4);
    fail_while_it_is_cancelled(ROTA_GATHER_CANCEL_REST, false, ROTA_STATUS_HOST - 4);
    fail_while_it_is_cancelled(ROTA_GATHER_CANCEL_REST, true, ROTA_STATUS_HOST - 4);
    fail_while_it_is_cancelled(ROTA_GATHER_ALL, false, CANCELLED); /* there it is but counted */
}

static void cancels_future(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)result;
    CHECK_EITHER(rota_future_cancel(*(rota_future *)user_data), ROTA_OK, ROTA_ERR_DONE);
}

/* The request comes in the turn in which the last child is done: it is too late. */
TEST(a_gather_whose_children_are_all_done_is_not_cancelled_any_more) {
    int shape;
    for (shape = PLAIN; shape < SHAPES; shape++) {
        rota_loop loop = open_jump();
        rota_future one[1], member[1], all;
        open_many(loop, one, 1);
        wrap(loop, one, member, 1, shape);
        all = rota_loop_gather(loop, member, 1, 0);
        CHECK_STATUS(rota_future_then(member[0], cancels_future, &all), ROTA_OK);
        CHECK_STATUS(rota_future_complete(one[0], 42), ROTA_OK);
        CHECK_EQ(WAIT(loop, all), 0);
        CHECK_EQ(outcome_of(member[0]).value, 42);
        unwrap(member, 1, shape);
        close_many(one, 1);
        close_clean(loop);
    }
}

static int64_t gathers_again_and_again(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    int i;
    (void)task;
    for (i = 0; i < 20; i++) {
        rota_future nap = rota_loop_sleep(loop, 50 * MILLISECOND);
        int64_t result = rota_await(rota_loop_gather(loop, &nap, 1, ROTA_GATHER_ALL));
        if (result < 0) return result;
        CHECK_EQ(result, 0);
    }
    return 20;
}

TEST(a_gather_of_whatever_comes_passes_a_request_on_all_the_same) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_task task = spawn(loop, gathers_again_and_again, &loop);
    CHECK_STATUS(rota_loop_call_later(loop, 210 * MILLISECOND, cancels_task_later, &task, NULL),
                 ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_EQ(now_of(loop) - began, 210 * MILLISECOND);
    close_clean(loop);
}

/* asyncio forgets it. Here it is told, because nobody has been shown it: errors are not lost
 * silently. */
static void fail_twice(uint32_t flags) {
    rota_loop loop = open_logged();
    rota_future two[2], members[2], all;
    open_many(loop, two, 2);
    members[0] = rota_task_join(spawn(loop, answers_with, &two[0]));
    members[1] = rota_task_join(spawn(loop, answers_with, &two[1]));
    all = rota_loop_gather(loop, members, 2, flags);
    turn(loop);
    CHECK_STATUS(rota_future_complete(two[0], 0), ROTA_OK);
    CHECK_STATUS(WAIT(loop, all), ROTA_STATUS_HOST - 4);
    (void)rota_future_complete(two[1], 0); /* it was cancelled where the flags say so */
    turns(loop, 3);
    close_many(two, 2);
    close_clean(loop);
    CHECK_EQ(log_lines, 1);
}

TEST(a_failure_behind_the_first_reaches_the_log) {
    fail_twice(0);
    fail_twice(ROTA_GATHER_CANCEL_REST);
}

/* ---- wait */

static void expect_after(rota_loop loop, uint64_t began, uint64_t passed) {
    CHECK_EQ(now_of(loop) - began, passed);
}

TEST(a_wait_for_all_takes_as_long_as_the_longest_and_no_time_again) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_future two[2] = {kept(rota_loop_sleep(loop, 150)), kept(rota_loop_sleep(loop, 100))};
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, ROTA_WAIT_ALL, ROTA_FOREVER)), 2);
    expect_after(loop, began, 150);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, ROTA_WAIT_ALL, ROTA_FOREVER)), 2);
    expect_after(loop, began, 150);
    close_many(two, 2);
    close_clean(loop);
}

TEST(a_wait_counts_places_though_one_thing_stands_in_two) {
    rota_loop loop = open_jump();
    rota_future two[2], three[3];
    open_many(loop, two, 2);
    three[0] = three[1] = two[0];
    three[2] = two[1];
    CHECK_STATUS(rota_future_complete(two[0], 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, three, 3, ROTA_WAIT_FIRST, ROTA_FOREVER)), 2);
    CHECK_STATUS(rota_future_complete(two[1], 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, three, 3, ROTA_WAIT_ALL, ROTA_FOREVER)), 3);
    close_many(two, 2);
    close_clean(loop);
}

TEST(a_wait_for_the_first_leaves_the_other_pending) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_future two[2] = {kept(rota_loop_sleep(loop, 10 * SECOND)),
                          kept(rota_loop_sleep(loop, SECOND))};
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, ROTA_WAIT_FIRST, ROTA_FOREVER)), 1);
    expect_after(loop, began, SECOND);
    CHECK(pending(two[0]) && !pending(two[1]));
    close_many(two, 2);
    close_clean(loop);
}

TEST(a_wait_for_the_first_counts_all_that_are_done_when_it_is) {
    rota_loop loop = open_jump();
    rota_future two[2];
    open_many(loop, two, 2);
    then(rota_loop_wait(loop, two, 2, ROTA_WAIT_FIRST, ROTA_FOREVER), "wait");
    turn(loop);
    CHECK_STATUS(rota_future_complete(two[0], 1), ROTA_OK);
    CHECK_STATUS(rota_future_complete(two[1], 1), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("wait:2");
    close_many(two, 2);
    close_clean(loop);
}

static int64_t fails_after(rota_task task, void *user_data) {
    (void)task;
    return rota_await(*(rota_future *)user_data) == 0 ? ROTA_STATUS_HOST : CANCELLED;
}

static void wait_for_an_error(uint64_t delay_ns, uint32_t until, int64_t expected,
                              uint64_t passed) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_future nap = rota_loop_sleep(loop, delay_ns);
    rota_future two[2] = {kept(rota_loop_sleep(loop, 10 * SECOND)),
                          kept(rota_task_join(spawn(loop, fails_after, &nap)))};
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, until, ROTA_FOREVER)), expected);
    expect_after(loop, began, passed);
    CHECK_STATUS(outcome_of(two[1]).status, ROTA_STATUS_HOST);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, until, ROTA_FOREVER)), expected);
    close_many(two, 2);
    close_clean(loop);
}

TEST(a_wait_for_an_error_ends_with_it_and_one_for_all_does_not) {
    wait_for_an_error(0, ROTA_WAIT_FIRST_ERROR, 1, 0);
    wait_for_an_error(SECOND, ROTA_WAIT_FIRST_ERROR, 1, SECOND);
    wait_for_an_error(SECOND, ROTA_WAIT_ALL, 2, 10 * SECOND);
}

TEST(a_wait_whose_time_is_over_says_how_many_were_done) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_future two[2] = {kept(rota_loop_sleep(loop, 150)), kept(rota_loop_sleep(loop, 100))};
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, ROTA_WAIT_ALL, 110)), 1);
    expect_after(loop, began, 110);
    CHECK(pending(two[0]) && !pending(two[1]));
    close_many(two, 2);
    close_clean(loop);
}

TEST(what_is_done_in_the_moment_the_time_is_over_counts) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    rota_future two[2] = {kept(rota_loop_sleep(loop, 150)), kept(rota_loop_sleep(loop, 100))};
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, ROTA_WAIT_ALL, 100)), 1);
    expect_after(loop, began, 100);
    close_many(two, 2);
    close_clean(loop);
}

/* asyncio refuses to wait for none; here none are done, at once. */
TEST(a_wait_for_none_is_over_and_a_wrong_one_is_refused) {
    rota_loop loop = open_jump();
    rota_future nap = rota_loop_sleep(loop, 10 * SECOND);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, NULL, 0, ROTA_WAIT_ALL, ROTA_FOREVER)), 0);
    CHECK_STATUS(WAIT(loop, rota_loop_wait(loop, NULL, 1, ROTA_WAIT_ALL, 0)), ROTA_ERR_INVALID);
    CHECK_STATUS(WAIT(loop, rota_loop_wait(loop, &nap, 1, UINT32_MAX, 0)), ROTA_ERR_INVALID);
    CHECK_STATUS(WAIT(loop, rota_loop_gather(loop, NULL, 1, 0)), ROTA_ERR_INVALID);
    CHECK(pending(nap));
    CHECK_STATUS(rota_future_close(nap), ROTA_OK);
    close_clean(loop);
}

static rota_future inner_end;

static int64_t waits(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_wait(*(rota_loop *)user_data, &inner_end, 1, ROTA_WAIT_ALL, HOUR));
}

TEST(cancelling_a_task_that_waits_leaves_what_it_watched_running) {
    rota_loop loop = open_jump();
    rota_future promise = open_future(loop);
    rota_task outer;
    inner_end = kept(rota_task_join(spawn(loop, passes_on, &promise)));
    outer = spawn(loop, waits, &loop);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(outer), ROTA_OK);
    CHECK_STATUS(join(loop, outer), CANCELLED);
    CHECK(pending(inner_end));
    CHECK_STATUS(rota_future_complete(promise, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, inner_end), 1);
    CHECK_STATUS(rota_future_close(inner_end), ROTA_OK);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_gather_is_done_when_the_last_is_and_each_keeps_its_outcome);
    RUN(the_first_that_fails_or_is_cancelled_ends_a_gather_and_no_later_one);
    RUN(a_gather_of_whatever_comes_has_failures_and_cancellations_in_their_places);
    RUN(a_gather_of_one_thing_four_times_is_done_once_it_is);
    RUN(cancelling_a_task_that_gathers_cancels_all_that_it_gathers);
    RUN(a_failure_among_the_children_of_a_cancelled_gather_is_not_lost);
    RUN(a_gather_whose_children_are_all_done_is_not_cancelled_any_more);
    RUN(a_gather_of_whatever_comes_passes_a_request_on_all_the_same);
    RUN(a_failure_behind_the_first_reaches_the_log);
    RUN(a_wait_for_all_takes_as_long_as_the_longest_and_no_time_again);
    RUN(a_wait_counts_places_though_one_thing_stands_in_two);
    RUN(a_wait_for_the_first_leaves_the_other_pending);
    RUN(a_wait_for_the_first_counts_all_that_are_done_when_it_is);
    RUN(a_wait_for_an_error_ends_with_it_and_one_for_all_does_not);
    RUN(a_wait_whose_time_is_over_says_how_many_were_done);
    RUN(what_is_done_in_the_moment_the_time_is_over_counts);
    RUN(a_wait_for_none_is_over_and_a_wrong_one_is_refused);
    RUN(cancelling_a_task_that_waits_leaves_what_it_watched_running);
    return test_end();
}
