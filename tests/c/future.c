/* Futures: complete once, tell in order and later, live until they are claimed or closed. */
#include "rota_test.h"

#define HOST_STATUS (ROTA_STATUS_HOST - 7)

static void then(rota_future future, const char *name) {
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
}

/* ---- completing */

TEST(a_future_completes_once) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    rota_outcome outcome;
    CHECK_STATUS(rota_future_complete(future, -1), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_complete(future, 5), ROTA_OK);
    CHECK_STATUS(rota_future_complete(future, 6), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_fail(future, ROTA_ERR_TIMEOUT, NULL), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_cancel(future), ROTA_ERR_DONE);
    outcome = outcome_of(future);
    CHECK_STATUS(outcome.status, ROTA_OK);
    CHECK_EQ(outcome.value, 5);
    CHECK_EQ(outcome.os_error, 0);
    CHECK_TEXT(outcome.message, "");
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_get_outcome(future, &outcome), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(values_may_be_as_large_as_they_like) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_complete(future, INT64_MAX), ROTA_OK);
    CHECK(WAIT(loop, future) == INT64_MAX);
    future = open_future(loop);
    CHECK_STATUS(rota_future_complete(future, 0), ROTA_OK);
    CHECK_EQ(WAIT(loop, future), 0);
    close_clean(loop);
}

TEST(failing_keeps_status_and_message) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    rota_outcome outcome;
    char message[] = "the cat sat on it";
    CHECK_STATUS(rota_future_fail(future, HOST_STATUS, message), ROTA_OK);
    memset(message, 'x', sizeof message - 1); /* it was copied */
    outcome = outcome_of(future);
    CHECK_STATUS(outcome.status, HOST_STATUS);
    CHECK_EQ(outcome.value, 0);
    CHECK_TEXT(outcome.message, "the cat sat on it");
    CHECK_STATUS(WAIT(loop, future), HOST_STATUS);
    future = open_future(loop);
    CHECK_STATUS(rota_future_fail(future, INT32_MIN, NULL), ROTA_OK);
    CHECK_TEXT(outcome_of(future).message, "");
    CHECK_EQ(WAIT(loop, future), INT32_MIN);
    close_clean(loop);
}

TEST(only_our_statuses_and_the_hosts_can_be_given) {
    static const int32_t refused[] = {0, 1, INT32_MAX, -18, -19, -34, -999999};
    static const int32_t taken[] = {-1, -4, -22, -33, ROTA_STATUS_HOST, ROTA_STATUS_HOST - 1};
    rota_loop loop = open_jump();
    size_t i;
    for (i = 0; i < COUNT(taken); i++) {
        rota_future future = open_future(loop);
        size_t j;
        for (j = 0; j < COUNT(refused); j++) {
            CHECK_STATUS(rota_future_fail(future, refused[j], "no"), ROTA_ERR_INVALID);
        }
        CHECK_STATUS(rota_future_fail(future, taken[i], "yes"), ROTA_OK);
        CHECK_STATUS(WAIT(loop, future), taken[i]);
    }
    close_clean(loop);
}

/* ---- callbacks */

TEST(callbacks_come_in_order_and_never_inside_the_completing_call) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    then(future, "a");
    then(future, "b");
    then(future, "c");
    CHECK_STATUS(rota_future_complete(future, 0), ROTA_OK);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("a:ok b:ok c:ok");
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(a_callback_added_to_a_complete_future_comes_in_the_next_turn) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_fail(future, HOST_STATUS, "m"), ROTA_OK);
    then(future, "late");
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("late:-1000007");
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

static void looks_inside(rota_future future, int64_t result, void *user_data) {
    rota_outcome outcome = outcome_of(future);
    CHECK_STATUS(outcome.status, result);
    CHECK_TEXT(outcome.message, "why");
    CHECK_STATUS(rota_future_then(future, record_future, user_data), ROTA_OK);
    record("looked");
}

TEST(a_callback_sees_the_outcome_and_may_add_another) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_then(future, looks_inside, "more"), ROTA_OK);
    CHECK_STATUS(rota_future_fail(future, ROTA_ERR_TIMEOUT, "why"), ROTA_OK);
    turn(loop);
    CHECK_RECORD("looked");
    turn(loop);
    CHECK_RECORD("more:-13");
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(callbacks_can_be_removed) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    size_t removed = 99;
    static char twice[] = "twice", once[] = "once";
    then(future, twice);
    then(future, once);
    then(future, twice);
    CHECK_STATUS(rota_future_remove(future, record_future, twice, &removed), ROTA_OK);
    CHECK_EQ(removed, 2);
    CHECK_STATUS(rota_future_remove(future, record_future, twice, &removed), ROTA_OK);
    CHECK_EQ(removed, 0);
    CHECK_STATUS(rota_future_remove(future, looks_inside, once, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_complete(future, 0), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("once:ok");
    close_clean(loop);
}

TEST(a_future_whose_callbacks_were_all_removed_is_still_there) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    then(future, "x");
    CHECK_STATUS(rota_future_remove(future, record_future, "x", NULL), ROTA_OK);
    CHECK_STATUS(rota_future_complete(future, 9), ROTA_OK);
    CHECK_EQ(WAIT(loop, future), 9);
    CHECK_RECORD("");
    close_clean(loop);
}

/* ---- life */

TEST(a_kept_future_lives_until_it_is_closed) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_keep(future), ROTA_OK);
    then(future, "a");
    CHECK_STATUS(rota_future_complete(future, 0), ROTA_OK);
    turns(loop, 3);
    CHECK_RECORD("a:ok");
    CHECK_EQ(WAIT(loop, future), 0);
    CHECK_EQ(WAIT(loop, future), 0);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(closing_withdraws_and_ends_the_handle) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), nap, null = {0};
    CHECK_STATUS(rota_future_close(null), ROTA_OK);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_ERR_HANDLE);
    nap = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_close(nap), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(nap), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(closing_under_claims_answers_them_and_then_ends) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    then(future, "a");
    then(future, "b");
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_BUSY);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("a:cancelled b:cancelled");
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(cancelling_completes_with_cancelled) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), nap = rota_loop_sleep(loop, HOUR);
    uint64_t start = now_of(loop);
    then(future, "promise");
    then(nap, "nap");
    CHECK_STATUS(rota_future_cancel(future), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(nap), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(future), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_ERR_DONE);
    CHECK_RECORD("");
    turns(loop, 2);
    CHECK_RECORD("promise:cancelled nap:cancelled");
    CHECK_EQ(now_of(loop), start);
    close_clean(loop);
}

TEST(a_future_that_is_a_value_takes_no_slot) {
    rota_loop loop = open_jump();
    rota_stream none = {0};
    char buffer[4];
    rota_future future = rota_stream_read(none, buffer, sizeof buffer);
    size_t before = (size_t)stats_of(loop).futures;
    rota_outcome outcome = outcome_of(future);
    CHECK_EQ(before, 0);
    CHECK(outcome.status < 0);
    CHECK_TEXT(outcome.message, "");
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    close_clean(loop);
}

TEST(a_value_is_waited_for_like_any_other) {
    rota_loop loop = open_jump();
    rota_future future = rota_loop_connect(loop, NULL, NULL, NULL);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_cancel(future), ROTA_ERR_DONE);
    CHECK_STATUS(WAIT(loop, future), ROTA_ERR_INVALID);
    future = rota_loop_connect(loop, NULL, NULL, NULL);
    then(future, "value");
    CHECK_RECORD("");
    turns(loop, 2);
    CHECK_RECORD("value:-1");
    close_clean(loop);
}

/* ---- results with a destructor */

static int frees;

static void counts_frees(void *user_data) {
    CHECK(user_data == &frees);
    frees++;
}

static rota_future with_result(rota_loop loop) {
    rota_future future = open_future(loop);
    frees = 0;
    CHECK_STATUS(rota_future_complete_with(future, &frees, counts_frees), ROTA_OK);
    return future;
}

TEST(a_result_taken_is_yours) {
    rota_loop loop = open_jump();
    rota_future future = with_result(loop);
    void *result = NULL;
    CHECK_STATUS(rota_future_take_result(future, &result), ROTA_OK);
    CHECK(result == &frees);
    CHECK(rota_future_take_result(future, &result) < 0);
    (void)rota_future_close(future); /* it may have ended with the taking */
    close_clean(loop);
    CHECK_EQ(frees, 0);
}

TEST(a_result_not_taken_is_freed_once_by_close) {
    rota_loop loop = open_jump();
    rota_future future = with_result(loop);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_EQ(frees, 1);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
    CHECK_EQ(frees, 1);
}

TEST(a_result_outlives_its_claims_until_taken_or_closed) {
    rota_loop loop = open_jump();
    rota_future future = with_result(loop);
    void *result = NULL;
    then(future, "claim");
    turns(loop, 3);
    CHECK_RECORD("claim:ok");
    CHECK_EQ(frees, 0);
    CHECK_STATUS(rota_future_take_result(future, &result), ROTA_OK);
    CHECK_EQ(stats_of(loop).futures, 0); /* claimed and taken: ended */
    future = with_result(loop);
    CHECK_EQ(WAIT(loop, future), 0);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_EQ(frees, 1);
    close_clean(loop);
}

TEST(a_refused_result_stays_yours) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), null = {0};
    frees = 0;
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(future, &frees, counts_frees), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_complete_with(null, &frees, counts_frees), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(loop, future), 1);
    CHECK_EQ(frees, 0);
    close_clean(loop);
}

TEST(a_result_is_freed_by_a_loop_that_closes) {
    rota_loop loop = open_jump();
    (void)with_result(loop);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_EQ(frees, 1);
}

TEST(a_result_needs_no_destructor_and_may_be_null) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    void *result = &frees;
    CHECK_STATUS(rota_future_complete_with(future, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_take_result(future, &result), ROTA_OK);
    CHECK(result == NULL);
    (void)rota_future_close(future);
    future = open_future(loop);
    CHECK_STATUS(rota_future_complete_with(future, &frees, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    close_clean(loop);
}

TEST(there_is_nothing_to_take_from_others) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    rota_stream stream = {5};
    void *result = &frees;
    rota_address addresses[2];
    size_t count = 77;
    CHECK_STATUS(rota_future_take_result(future, &result), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_future_take_stream(future, &stream), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    CHECK(rota_future_take_result(future, &result) < 0);
    CHECK(rota_future_take_stream(future, &stream) < 0);
    CHECK(rota_future_take_addresses(future, addresses, 2, &count) < 0);
    CHECK(result == &frees && stream.id == 5 && count == 77);
    CHECK_EQ(WAIT(loop, future), 1);
    future = with_result(loop);
    CHECK(rota_future_take_stream(future, &stream) < 0);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_EQ(frees, 1);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_future_completes_once);
    RUN(values_may_be_as_large_as_they_like);
    RUN(failing_keeps_status_and_message);
    RUN(only_our_statuses_and_the_hosts_can_be_given);
    RUN(callbacks_come_in_order_and_never_inside_the_completing_call);
    RUN(a_callback_added_to_a_complete_future_comes_in_the_next_turn);
    RUN(a_callback_sees_the_outcome_and_may_add_another);
    RUN(callbacks_can_be_removed);
    RUN(a_future_whose_callbacks_were_all_removed_is_still_there);
    RUN(a_kept_future_lives_until_it_is_closed);
    RUN(closing_withdraws_and_ends_the_handle);
    RUN(closing_under_claims_answers_them_and_then_ends);
    RUN(cancelling_completes_with_cancelled);
    RUN(a_future_that_is_a_value_takes_no_slot);
    RUN(a_value_is_waited_for_like_any_other);
    RUN(a_result_taken_is_yours);
    RUN(a_result_not_taken_is_freed_once_by_close);
    RUN(a_result_outlives_its_claims_until_taken_or_closed);
    RUN(a_refused_result_stays_yours);
    RUN(a_result_is_freed_by_a_loop_that_closes);
    RUN(a_result_needs_no_destructor_and_may_be_null);
    RUN(there_is_nothing_to_take_from_others);
    return test_end();
}
