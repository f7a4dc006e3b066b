/* What the loop guarantees, continued: cancelling, groups and timeouts, threads, stopping, budgets,
 * and the rule of ending. */
#include "rota_test.h"

static void soon(rota_loop loop, rota_call_fn callback, void *user_data) {
    CHECK_STATUS(rota_loop_call_soon(loop, callback, user_data, NULL), ROTA_OK);
}

typedef struct {
    rota_loop loop;
    rota_future future;
    rota_task task;
} scene;

/* ---- 6: cancel is a request */

static int64_t cleans_up_and_refuses(rota_task task, void *user_data) {
    scene *self = user_data;
    uint32_t count = 0;
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_CANCELLED); /* where the task waits */
    CHECK_STATUS(rota_task_get_cancelling(task, &count), ROTA_OK);
    CHECK_EQ(count, 1);
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0); /* once per request */
    CHECK_STATUS(rota_task_uncancel(task, &count), ROTA_OK);
    CHECK_EQ(count, 0);
    return 77; /* and refuses */
}

TEST(guarantee_6_cancel_is_a_request_that_arrives_once_and_may_be_refused) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}};
    rota_task task = spawn(loop, cleans_up_and_refuses, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 77);
    close_clean(loop);
}

static int64_t awaits_then_sleeps(rota_task task, void *user_data) {
    scene *self = user_data;
    uint64_t before = now_of(self->loop);
    (void)task;
    CHECK_EQ(rota_await(self->future), 5); /* the ready outcome wins */
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    CHECK_EQ(now_of(self->loop), before); /* the next operation started nothing */
    return ROTA_ERR_CANCELLED;
}

TEST(guarantee_6_a_ready_outcome_wins_over_a_request) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}};
    rota_task task = spawn(loop, awaits_then_sleeps, &self);
    turn(loop);
    CHECK_STATUS(rota_future_complete(self.future, 5), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    close_clean(loop);
}

static void counts_messages(int32_t level, const char *message, void *user_data) {
    (void)level, (void)message;
    ++*(int *)user_data;
}

static int64_t says_cancelled(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return ROTA_ERR_CANCELLED;
}

TEST(guarantee_6_returning_cancelled_unasked_is_a_failure) {
    int messages = 0;
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    rota_task task;
    options.log = counts_messages;
    options.log_data = &messages;
    loop = open_with(&options);
    task = spawn(loop, says_cancelled, NULL);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(messages, 0);
    CHECK_STATUS(rota_loop_spawn(loop, says_cancelled, NULL, NULL, NULL), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(messages, 1);
    close_clean(loop);
}

/* ---- 7: what counted requests and joins allow: nested timeouts and groups */

static void times_out(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    if (status == ROTA_OK) CHECK_STATUS(rota_task_cancel(*(rota_task *)user_data), ROTA_OK);
}

/* A sleep within two timeouts: 1 if the inner one ended it, 2 if the outer did, 0 if neither. */
static int64_t sleeps_within_two(rota_loop loop, rota_task task, uint64_t outer_ns,
                                 uint64_t inner_ns, uint64_t nap_ns) {
    rota_timer outer, inner;
    uint32_t left = 0;
    int64_t result = 0;
    CHECK_STATUS(rota_loop_call_later(loop, outer_ns, times_out, &task, &outer), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(loop, inner_ns, times_out, &task, &inner), ROTA_OK);
    if (rota_await(rota_loop_sleep(loop, nap_ns)) == ROTA_ERR_CANCELLED) {
        result = rota_timer_cancel(inner) == ROTA_OK ? 2 : 1; /* it fired, or it stands yet */
        CHECK_STATUS(rota_task_uncancel(task, &left), ROTA_OK);
        CHECK_EQ(left, 0);
    } else {
        CHECK_STATUS(rota_timer_cancel(inner), ROTA_OK);
    }
    if (result != 2) CHECK_STATUS(rota_timer_cancel(outer), ROTA_OK);
    CHECK_EQ(rota_task_yield(task), 0); /* so that cancelled timers have told */
    CHECK_EQ(rota_task_yield(task), 0);
    return result;
}

static int64_t nests_timeouts(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    CHECK_EQ(sleeps_within_two(loop, task, 3 * SECOND, 1 * SECOND, HOUR), 1);
    CHECK_EQ(sleeps_within_two(loop, task, 1 * SECOND, 3 * SECOND, HOUR), 2);
    CHECK_EQ(sleeps_within_two(loop, task, 3 * SECOND, 2 * SECOND, SECOND), 0);
    return 0;
}

TEST(guarantee_7_timeouts_nest) {
    rota_loop loop = open_jump();
    CHECK_EQ(run_task(loop, nests_timeouts, &loop), 0);
    close_clean(loop);
}

static int64_t member(rota_task task, void *user_data) {
    scene *self = user_data;
    int64_t result;
    (void)task;
    result = rota_await(self->future);
    record("%s", told(result));
    return result;
}

/* The first failure cancels the rest, and the group is over when the last of them is. */
static int64_t group(rota_task task, void *user_data) {
    scene *members = user_data;
    rota_future joins[3];
    int64_t results[3];
    size_t i;
    (void)task;
    for (i = 0; i < 3; i++) {
        members[i].task = spawn(members[i].loop, member, &members[i]);
        joins[i] = rota_task_join(members[i].task);
    }
    results[0] = rota_await(joins[0]);
    for (i = 1; i < 3; i++) (void)rota_task_cancel(members[i].task);
    for (i = 1; i < 3; i++) results[i] = rota_await(joins[i]);
    record("group");
    return results[0] == ROTA_STATUS_HOST && results[1] == ROTA_ERR_CANCELLED && results[2] == 4;
}

TEST(guarantee_7_a_group_does_not_end_before_its_tasks) {
    rota_loop loop = open_jump();
    scene members[3] = {{loop, open_future(loop), {0}}, {loop, open_future(loop), {0}},
                        {loop, open_future(loop), {0}}};
    rota_future join = rota_task_join(spawn(loop, group, members));
    turns(loop, 3);
    CHECK_STATUS(rota_future_complete(members[2].future, 4), ROTA_OK);
    turns(loop, 3);
    CHECK_STATUS(rota_future_fail(members[0].future, ROTA_STATUS_HOST, "first"), ROTA_OK);
    CHECK_EQ(WAIT(loop, join), 1); /* all errors are kept: each join has its own */
    CHECK_RECORD("4 -1000000 cancelled group");
    close_clean(loop);
}

static int64_t waits_for_a_task(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_task_join(*(rota_task *)user_data));
}

TEST(guarantee_7_another_claim_shields_what_a_cancelled_task_waits_for) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}};
    rota_task inner = spawn(loop, member, &self);
    rota_future shield = rota_task_join(inner);
    rota_task outer = spawn(loop, waits_for_a_task, &inner);
    CHECK_STATUS(rota_future_then(shield, record_future, "shield"), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(outer), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(outer)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_complete(self.future, 2), ROTA_OK);
    turns(loop, 4);
    CHECK_RECORD("2 shield:2");
    close_clean(loop);
}

/* ---- 8: other threads */

static void *tries_from_outside(void *argument) {
    scene *self = argument;
    rota_outcome outcome;
    uint64_t now;
    CHECK_STATUS(rota_loop_call_soon(self->loop, record_call, "no", NULL), ROTA_ERR_THREAD);
    CHECK_STATUS(rota_loop_turn(self->loop, 0, 0, 0, NULL), ROTA_ERR_THREAD);
    CHECK_STATUS(rota_loop_close(self->loop, 0), ROTA_ERR_THREAD);
    CHECK_STATUS(rota_loop_get_now(self->loop, &now), ROTA_ERR_THREAD);
    CHECK_STATUS(rota_future_complete(self->future, 1), ROTA_ERR_THREAD);
    CHECK_STATUS(rota_future_get_outcome(self->future, &outcome), ROTA_ERR_THREAD);
    CHECK_STATUS(rota_task_cancel(self->task), ROTA_ERR_THREAD);
    CHECK_STATUS(rota_loop_post(self->loop, record_call, "1"), ROTA_OK);
    CHECK_STATUS(rota_loop_wake(self->loop), ROTA_OK);
    CHECK_STATUS(rota_loop_post(self->loop, record_call, "2"), ROTA_OK);
    CHECK_STATUS(rota_loop_post(self->loop, record_call, "3"), ROTA_OK);
    CHECK_STATUS(rota_loop_stop(self->loop), ROTA_OK);
    return NULL;
}

TEST(guarantee_8_only_thread_safe_calls_work_elsewhere_and_posts_keep_their_order) {
    rota_loop loop = open_system();
    scene self = {loop, open_future(loop), {0}};
    pthread_t thread;
    self.task = spawn(loop, member, &self);
    turn(loop);
    CHECK_EQ(pthread_create(&thread, NULL, tries_from_outside, &self), 0);
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    turn(loop);
    CHECK_RECORD("1:ok 2:ok 3:ok");
    CHECK_STATUS(rota_future_complete(self.future, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(self.task)), 1);
    CHECK_RECORD("1");
    close_clean(loop);
}

static void *posts_a_thousand(void *argument) {
    int i;
    for (i = 0; i < 1000; i++) {
        CHECK_STATUS(rota_loop_post(((scene *)argument)->loop, record_call, ""), ROTA_OK);
    }
    return NULL;
}

TEST(guarantee_8_many_posts_cost_one_wakeup) {
    rota_loop loop = open_system();
    scene self = {loop, {0}, {0}};
    pthread_t thread;
    uint64_t wakeups = stats_of(loop).wakeups;
    CHECK_EQ(pthread_create(&thread, NULL, posts_a_thousand, &self), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    TURN_UNTIL(loop, test_record_length == 1000 * 4 - 1); /* ":ok " */
    CHECK(stats_of(loop).wakeups - wakeups <= 1);
    forget_record();
    close_clean(loop);
}

/* ---- 9: stop, and nothing lost silently */

static void stops(rota_loop loop, rota_status status, void *user_data) {
    (void)status, (void)user_data;
    record("stop");
    CHECK_STATUS(rota_loop_stop(loop), ROTA_OK);
    soon(loop, record_call, "next turn");
}

TEST(guarantee_9_stop_lets_the_turn_finish) {
    rota_loop loop = open_jump();
    soon(loop, record_call, "a");
    soon(loop, stops, NULL);
    soon(loop, record_call, "b");
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    CHECK_RECORD("a:ok stop b:ok");
    turn(loop);
    CHECK_RECORD("next turn:ok");
    close_clean(loop);
}

static int64_t fails(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return ROTA_ERR_EOF;
}

TEST(guarantee_9_errors_nobody_looked_at_reach_the_log) {
    int messages = 0;
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    options.log = counts_messages;
    options.log_data = &messages;
    loop = open_with(&options);
    CHECK_STATUS(rota_loop_spawn(loop, fails, NULL, NULL, NULL), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(messages, 1);
    CHECK_STATUS(run_task(loop, fails, NULL), ROTA_ERR_EOF);
    CHECK_EQ(messages, 1);
    close_clean(loop);
}

/* ---- 10: a budget changes no order */

static const char *names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* The first one turns the clock, so that the timer is due in the middle of the turn: it has to wait
 * for the end of the turn all the same, however often that is cut. */
static void schedules_again(rota_loop loop, rota_status status, void *user_data) {
    (void)status;
    record("%s", (const char *)user_data);
    soon(loop, record_call, user_data);
    if (user_data == names[0]) CHECK_STATUS(rota_loop_advance(loop, HOUR), ROTA_OK);
}

static void play(uint64_t max_callbacks, char *trace, size_t size) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL);
    rota_loop loop = open_with(&options);
    rota_turn_figures figures = {0};
    rota_timer timer;
    size_t i;
    figures.size = sizeof figures;
    for (i = 0; i < COUNT(names); i++) soon(loop, schedules_again, (void *)names[i]);
    CHECK_STATUS(rota_loop_call_later(loop, SECOND, record_timer, "timer", &timer), ROTA_OK);
    while (alive_in(loop) != 0) {
        CHECK_STATUS(rota_loop_turn(loop, 0, 0, max_callbacks, &figures), ROTA_OK);
        CHECK(max_callbacks == 0 || figures.callbacks <= max_callbacks);
    }
    snprintf(trace, size, "%s", test_record);
    forget_record();
    close_clean(loop);
}

TEST(guarantee_10_cutting_a_turn_short_changes_no_order) {
    static char whole[1024], cut[1024];
    uint64_t limit;
    play(0, whole, sizeof whole);
    CHECK_TEXT(whole, "0 1 2 3 4 5 6 7 8 9 "
                      "0:ok 1:ok 2:ok 3:ok 4:ok 5:ok 6:ok 7:ok 8:ok 9:ok timer:ok");
    for (limit = 1; limit <= 24; limit++) {
        play(limit, cut, sizeof cut);
        CHECK_TEXT(cut, whole);
    }
}

/* ---- one rule of ending */

TEST(guarantee_of_ending_after_ok_no_callback_comes) {
    rota_loop loop = open_jump();
    rota_timer timer;
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "call", NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(loop, HOUR, record_timer, "timer", &timer), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK(strcmp(test_record, "call:cancelled timer:cancelled") == 0 ||
          strcmp(test_record, "timer:cancelled call:cancelled") == 0);
    forget_record();
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, NULL), ROTA_ERR_HANDLE);
    CHECK_RECORD("");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(guarantee_6_cancel_is_a_request_that_arrives_once_and_may_be_refused);
    RUN(guarantee_6_a_ready_outcome_wins_over_a_request);
    RUN(guarantee_6_returning_cancelled_unasked_is_a_failure);
    RUN(guarantee_7_timeouts_nest);
    RUN(guarantee_7_a_group_does_not_end_before_its_tasks);
    RUN(guarantee_7_another_claim_shields_what_a_cancelled_task_waits_for);
    RUN(guarantee_8_only_thread_safe_calls_work_elsewhere_and_posts_keep_their_order);
    RUN(guarantee_8_many_posts_cost_one_wakeup);
    RUN(guarantee_9_stop_lets_the_turn_finish);
    RUN(guarantee_9_errors_nobody_looked_at_reach_the_log);
    RUN(guarantee_10_cutting_a_turn_short_changes_no_order);
    RUN(guarantee_of_ending_after_ok_no_callback_comes);
    return test_end();
}
