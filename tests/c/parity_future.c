/* asyncio's tests of futures, restated: ends, callbacks, what reaches the log. */
#include "parity.h"

static void refuses_a_second_end(rota_future future) {
    CHECK_STATUS(rota_future_complete(future, 2), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_complete_with(future, NULL, NULL), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_fail(future, ROTA_STATUS_HOST, NULL), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_cancel(future), ROTA_ERR_DONE);
}

TEST(a_result_is_there_once_it_is_set_and_stays) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop); /* which proves that it has no outcome yet */
    CHECK_STATUS(rota_future_complete(future, 42), ROTA_OK);
    refuses_a_second_end(future);
    CHECK_STATUS(outcome_of(future).status, ROTA_OK);
    CHECK_EQ(outcome_of(future).value, 42);
    CHECK_EQ(WAIT(loop, future), 42);
    close_clean(loop);
}

TEST(a_failure_is_there_once_it_is_set_and_stays) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_fail(future, ROTA_STATUS_HOST - 1, "first"), ROTA_OK);
    refuses_a_second_end(future);
    CHECK_STATUS(outcome_of(future).status, ROTA_STATUS_HOST - 1);
    CHECK_TEXT(outcome_of(future).message, "first");
    CHECK_STATUS(WAIT(loop, future), ROTA_STATUS_HOST - 1);
    close_clean(loop);
}

TEST(a_cancelled_one_takes_neither_result_nor_failure) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_cancel(future), ROTA_OK);
    refuses_a_second_end(future);
    CHECK_STATUS(outcome_of(future).status, CANCELLED);
    CHECK_EQ(outcome_of(future).value, 0);
    CHECK_STATUS(WAIT(loop, future), CANCELLED);
    close_clean(loop);
}

/* ---- callbacks */

static char first[] = "first", second[] = "second", third[] = "third";

static size_t removes(rota_future future, char *name) {
    size_t removed = 99;
    CHECK_STATUS(rota_future_remove(future, record_future, name, &removed), ROTA_OK);
    return removed;
}

static rota_future with_three(rota_loop loop) {
    rota_future future = open_future(loop);
    then(future, first);
    then(future, second);
    then(future, third);
    return future;
}

static void complete_and_expect(rota_loop loop, rota_future future, const char *expected) {
    CHECK_RECORD("");
    CHECK_STATUS(rota_future_complete(future, 0), ROTA_OK);
    turn(loop);
    CHECK_RECORD(expected);
}

TEST(a_removed_callback_does_not_come_wherever_it_stood) {
    rota_loop loop = open_jump();
    rota_future future = with_three(loop);
    CHECK_EQ(removes(future, first), 1);
    CHECK_EQ(removes(future, first), 0);
    complete_and_expect(loop, future, "second:ok third:ok");
    future = with_three(loop);
    CHECK_EQ(removes(future, first), 1);
    CHECK_EQ(removes(future, second), 1);
    CHECK_EQ(removes(future, first), 0);
    complete_and_expect(loop, future, "third:ok");
    future = with_three(loop);
    CHECK_EQ(removes(future, third), 1);
    CHECK_EQ(removes(future, third), 0);
    complete_and_expect(loop, future, "first:ok second:ok");
    close_clean(loop);
}

TEST(removing_takes_every_entry_and_counts_them) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    int i;
    then(future, first);
    then(future, second);
    CHECK_EQ(removes(future, second), 1);
    CHECK_EQ(removes(future, third), 0); /* it never stood there */
    then(future, second);
    for (i = 0; i < 5; i++) then(future, first);
    CHECK_EQ(removes(future, first), 6);
    complete_and_expect(loop, future, "second:ok");
    close_clean(loop);
}

TEST(callbacks_come_for_a_failure_and_for_a_cancellation_too) {
    rota_loop loop = open_jump();
    rota_future failed = open_future(loop), cancelled = open_future(loop);
    then(failed, "failed");
    then(cancelled, "gone");
    then(failed, "again");
    CHECK_STATUS(rota_future_fail(failed, ROTA_ERR_EOF, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(cancelled), ROTA_OK);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("failed:-21 again:-21 gone:cancelled");
    close_clean(loop);
}

static void removes_the_next(rota_future future, int64_t result, void *user_data) {
    (void)result;
    CHECK_EQ(removes(future, user_data), 0); /* it stands in the loop's queue by now */
    record("removed");
}

TEST(a_callback_comes_too_late_to_remove_the_one_behind_it) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_then(future, removes_the_next, second), ROTA_OK);
    then(future, second);
    then(future, second);
    complete_and_expect(loop, future, "removed second:ok second:ok");
    close_clean(loop);
}

/* ---- waiting */

static int64_t awaits_twice(rota_task task, void *user_data) {
    rota_future future = *(rota_future *)user_data;
    (void)task;
    CHECK_EQ(rota_await(future), 42);
    record("first");
    CHECK_EQ(rota_await(future), 42);
    record("second");
    return 0;
}

TEST(the_second_wait_for_a_done_one_takes_no_turn) {
    rota_loop loop = open_jump();
    rota_future future = kept(open_future(loop));
    rota_task task = spawn(loop, awaits_twice, &future);
    turn(loop);
    CHECK_STATUS(rota_future_complete(future, 42), ROTA_OK);
    turn(loop);
    CHECK_RECORD("first second");
    CHECK_EQ(join(loop, task), 0);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    close_clean(loop);
}

/* ---- what reaches the log */

/* What became of a future that a callback of these made: how many lines the log had for it. */
typedef void (*fate)(rota_loop loop, rota_future future);

static int lines_for(fate happens) {
    rota_loop loop = open_logged();
    happens(loop, open_future(loop));
    (void)turn(loop);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    return log_lines;
}

static void is_left_pending(rota_loop loop, rota_future future) { (void)loop, (void)future; }

static void is_cancelled(rota_loop loop, rota_future future) {
    (void)loop;
    CHECK_STATUS(rota_future_cancel(future), ROTA_OK);
}

static void has_a_result(rota_loop loop, rota_future future) {
    (void)loop;
    CHECK_STATUS(rota_future_complete(future, 42), ROTA_OK);
}

static void fails(rota_loop loop, rota_future future) {
    (void)loop;
    CHECK_STATUS(rota_future_fail(future, ROTA_STATUS_HOST, "boom"), ROTA_OK);
}

static void fails_and_is_looked_at(rota_loop loop, rota_future future) {
    fails(loop, future);
    CHECK_STATUS(outcome_of(future).status, ROTA_STATUS_HOST);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
}

static void fails_and_is_waited_for(rota_loop loop, rota_future future) {
    fails(loop, future);
    CHECK_STATUS(WAIT(loop, future), ROTA_STATUS_HOST);
}

static void fails_and_is_closed(rota_loop loop, rota_future future) {
    fails(loop, future);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
}

static void fails_and_is_cancelled_then(rota_loop loop, rota_future future) {
    fails(loop, future);
    CHECK_STATUS(rota_future_cancel(future), ROTA_ERR_DONE);
}

TEST(only_a_failure_that_nobody_looked_at_is_told_and_once) {
    CHECK_EQ(lines_for(is_left_pending), 0);
    CHECK_EQ(lines_for(is_cancelled), 0);
    CHECK_EQ(lines_for(has_a_result), 0);
    CHECK_EQ(lines_for(fails_and_is_looked_at), 0);
    CHECK_EQ(lines_for(fails_and_is_waited_for), 0);
    CHECK_EQ(lines_for(fails), 1);
    CHECK_EQ(lines_for(fails_and_is_closed), 1);
}

/* asyncio takes the cancel for having looked. It came too late, and changed nothing: nobody
 * knows. */
TEST(cancelling_a_failure_is_not_looking_at_it) {
    CHECK_EQ(lines_for(fails_and_is_cancelled_then), 1);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_result_is_there_once_it_is_set_and_stays);
    RUN(a_failure_is_there_once_it_is_set_and_stays);
    RUN(a_cancelled_one_takes_neither_result_nor_failure);
    RUN(a_removed_callback_does_not_come_wherever_it_stood);
    RUN(removing_takes_every_entry_and_counts_them);
    RUN(callbacks_come_for_a_failure_and_for_a_cancellation_too);
    RUN(a_callback_comes_too_late_to_remove_the_one_behind_it);
    RUN(the_second_wait_for_a_done_one_takes_no_turn);
    RUN(only_a_failure_that_nobody_looked_at_is_told_and_once);
    RUN(cancelling_a_failure_is_not_looking_at_it);
    return test_end();
}
