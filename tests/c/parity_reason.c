/* asyncio's tests of what is said with a request to end, restated. */
#include "parity.h"

static rota_loop loop;

static int64_t sleeps(rota_task task, void *user_data) {
    int64_t result = rota_await(rota_loop_sleep(loop, HOUR));
    rota_outcome outcome;
    (void)user_data;
    CHECK_STATUS(rota_task_get_outcome(task, &outcome), ROTA_OK);
    record("told:%s", outcome.message);
    return result;
}

static int64_t sleeps_in_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    bool *begun = user_data;
    if (!*begun) {
        *begun = true;
        return rota_task_wait(task, rota_loop_sleep(loop, HOUR));
    }
    record("told:%s", outcome->message);
    return outcome->status;
}

static rota_task sleeper(int kind, uint32_t flags) {
    static bool begun;
    rota_task_options options;
    rota_task task = {0};
    begun = false;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = flags;
    CHECK_STATUS(kind == STEPPED
                     ? rota_loop_spawn_stepped(loop, sleeps_in_steps, &begun, &options, &task)
                     : rota_loop_spawn(loop, sleeps, NULL, &options, &task),
                 ROTA_OK);
    return task;
}

/* The reason is told where the task waits, and stands in its outcome. */
static void cancel_with(int kind, bool started, const char *reason) {
    const char *expected = reason == NULL ? "" : reason;
    char words[64];
    rota_task task;
    rota_future end;
    loop = open_jump();
    task = sleeper(kind, 0);
    end = kept(rota_task_join(task));
    if (started) turn(loop);
    CHECK_STATUS(rota_task_cancel_with(task, reason), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, &end, 1, ROTA_WAIT_ALL, ROTA_FOREVER)), 1);
    snprintf(words, sizeof words, "told:%s", expected);
    CHECK_RECORD(words);
    CHECK_STATUS(outcome_of(end).status, CANCELLED);
    CHECK_TEXT(outcome_of(end).message, expected);
    CHECK_STATUS(rota_future_close(end), ROTA_OK);
    close_clean(loop);
}

TEST(a_reason_is_told_to_the_task_and_to_who_joins_it) {
    int kind;
    for (kind = STACKFUL; kind < KINDS; kind++) {
        cancel_with(kind, true, NULL);
        cancel_with(kind, true, "");
        cancel_with(kind, true, "my message");
    }
}

TEST(a_reason_reaches_a_task_that_had_not_begun) {
    cancel_with(STACKFUL, false, "my message");
    cancel_with(STEPPED, false, "my message");
}

TEST(a_reason_reaches_an_eager_task_that_waits) {
    rota_task task;
    rota_future end;
    loop = open_jump();
    task = sleeper(STACKFUL, ROTA_TASK_EAGER);
    CHECK_STATUS(rota_task_cancel_with(task, "cancellation message"), ROTA_OK);
    CHECK(cancelling(task) > 0);
    end = kept(rota_task_join(task));
    CHECK_STATUS(WAIT(loop, end), CANCELLED);
    CHECK_TEXT(outcome_of(end).message, "cancellation message");
    CHECK_RECORD("told:cancellation message");
    CHECK_STATUS(rota_future_close(end), ROTA_OK);
    close_clean(loop);
}

static rota_task inner;

static void cancels_inner(rota_loop of, rota_status status, void *user_data) {
    (void)of, (void)status;
    CHECK_STATUS(rota_task_cancel_with(inner, user_data), ROTA_OK);
}

static int64_t joins_inner(rota_task task, void *user_data) {
    rota_outcome outcome;
    (void)user_data;
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_inner, "msg", NULL), ROTA_OK);
    CHECK_STATUS(rota_await(rota_task_join(inner)), CANCELLED);
    CHECK_STATUS(rota_task_get_outcome(task, &outcome), ROTA_OK);
    CHECK_TEXT(outcome.message, "msg");
    return rota_task_fail(task, ROTA_STATUS_HOST, "cancelled");
}

/* What led to the end of a task: a wait that was cancelled, with this reason, and nothing else. */
static void expect_cause(rota_future end, const char *reason) {
    rota_failure cause = {0};
    cause.size = sizeof cause;
    CHECK_STATUS(rota_future_get_cause(end, 0, &cause), ROTA_OK);
    CHECK_STATUS(cause.outcome.status, CANCELLED);
    CHECK_TEXT(cause.outcome.message, reason);
    CHECK_STATUS(rota_future_get_cause(end, 1, &cause), ROTA_ERR_NOT_FOUND);
}

TEST(who_waits_for_a_task_reads_why_it_was_cancelled) {
    rota_future end;
    loop = open_jump();
    inner = sleeper(STACKFUL, 0);
    turn(loop);
    end = kept(rota_task_join(spawn(loop, joins_inner, NULL)));
    CHECK_STATUS(WAIT(loop, end), ROTA_STATUS_HOST);
    CHECK_RECORD("told:msg");
    CHECK_TEXT(outcome_of(end).message, "cancelled");
    expect_cause(end, "msg");
    CHECK_STATUS(rota_future_close(end), ROTA_OK);
    close_clean(loop);
}

static int64_t fails_at_the_end_of_its_time(rota_task task, void *user_data) {
    rota_scope scope = {0};
    int64_t result;
    (void)user_data;
    CHECK_STATUS(rota_task_enter_timeout(task, 10, &scope), ROTA_OK);
    result = rota_await(rota_loop_sleep(loop, SECOND));
    if (result < 0) result = rota_task_fail(task, ROTA_STATUS_HOST, "crash");
    return rota_scope_leave(scope, result);
}

TEST(a_failure_at_the_end_of_its_time_says_that_a_wait_was_cut_short) {
    rota_future end;
    loop = open_jump();
    end = kept(rota_task_join(spawn(loop, fails_at_the_end_of_its_time, NULL)));
    CHECK_STATUS(WAIT(loop, end), ROTA_STATUS_HOST);
    CHECK_TEXT(outcome_of(end).message, "crash");
    expect_cause(end, "the deadline has passed");
    CHECK_STATUS(rota_future_close(end), ROTA_OK);
    close_clean(loop);
}

static int64_t gathers(rota_task task, void *user_data) {
    rota_future nap = rota_loop_sleep(loop, HOUR);
    int64_t result = rota_await(rota_loop_gather(loop, &nap, 1, ROTA_GATHER_ALL));
    rota_outcome outcome;
    (void)user_data;
    CHECK_STATUS(rota_task_get_outcome(task, &outcome), ROTA_OK);
    record("told:%s", outcome.message);
    return result;
}

TEST(a_reason_comes_back_through_a_gather) {
    rota_task task;
    rota_future end;
    loop = open_jump();
    task = spawn(loop, gathers, NULL);
    end = kept(rota_task_join(task));
    turn(loop);
    CHECK_STATUS(rota_task_cancel_with(task, "my message"), ROTA_OK);
    CHECK_STATUS(WAIT(loop, end), CANCELLED);
    CHECK_TEXT(outcome_of(end).message, "my message");
    CHECK_RECORD("told:my message");
    CHECK_STATUS(rota_future_close(end), ROTA_OK);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_reason_is_told_to_the_task_and_to_who_joins_it);
    RUN(a_reason_reaches_a_task_that_had_not_begun);
    RUN(a_reason_reaches_an_eager_task_that_waits);
    RUN(who_waits_for_a_task_reads_why_it_was_cancelled);
    RUN(a_failure_at_the_end_of_its_time_says_that_a_wait_was_cut_short);
    RUN(a_reason_comes_back_through_a_gather);
    return test_end();
}
