/* Cancelling tasks: a request that arrives where the task waits, is counted, and may be refused. */
#include "rota_test.h"

typedef struct {
    rota_loop loop;
    rota_future future;
    rota_task task;
    int64_t result;
} scene;

static uint32_t cancelling(rota_task task) {
    uint32_t count = 99;
    CHECK_STATUS(rota_task_get_cancelling(task, &count), ROTA_OK);
    return count;
}

static int64_t awaits_it(rota_task task, void *user_data) {
    scene *self = user_data;
    (void)task;
    record("waits");
    self->result = rota_await(self->future);
    record("%s", told(self->result));
    return self->result;
}

TEST(a_request_arrives_where_the_task_waits) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_task task = spawn(loop, awaits_it, &self);
    turn(loop);
    CHECK_RECORD("waits");
    CHECK_EQ(cancelling(task), 0);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_RECORD(""); /* it is a request: nothing runs inside the call */
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("cancelled");
    CHECK_STATUS(rota_task_cancel(task), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(self.future), ROTA_ERR_HANDLE); /* its last claim had gone */
    close_clean(loop);
}

static int64_t does_not_start_waiting(rota_task task, void *user_data) {
    scene *self = user_data;
    uint64_t before = now_of(self->loop);
    record("body");
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    CHECK_EQ(now_of(self->loop), before);
    return ROTA_ERR_CANCELLED;
}

TEST(a_task_cancelled_before_it_started_runs_its_body) {
    rota_loop loop = open_jump();
    scene self = {loop, {0}, {0}, 0};
    rota_task task = spawn(loop, does_not_start_waiting, &self);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_RECORD("");
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("body");
    close_clean(loop);
}

/* ---- once for each request */

static int64_t cleans_up(rota_task task, void *user_data) {
    scene *self = user_data;
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_CANCELLED);
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0); /* asked once, told once */
    CHECK_EQ(rota_task_yield(task), 0);
    CHECK_EQ(cancelling(task), 1);
    record("clean");
    return ROTA_ERR_CANCELLED;
}

TEST(a_task_may_clean_up_with_further_awaits) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_task task = spawn(loop, cleans_up, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("clean");
    close_clean(loop);
}

static int64_t is_asked_twice(rota_task task, void *user_data) {
    scene *self = user_data;
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_CANCELLED);
    CHECK_EQ(cancelling(task), 2);
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
    record("twice");
    return ROTA_ERR_CANCELLED;
}

TEST(two_requests_arrive_twice) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_task task = spawn(loop, is_asked_twice, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("twice");
    close_clean(loop);
}

static int64_t counts_deliveries(rota_task task, void *user_data) {
    scene *self = user_data;
    int64_t count = 0;
    (void)task;
    while (rota_await(rota_loop_sleep(self->loop, SECOND)) == ROTA_ERR_CANCELLED) count++;
    return count;
}

TEST(as_many_requests_arrive_as_were_made) {
    int requests, started;
    for (requests = 0; requests < 5; requests++) {
        for (started = 0; started < 2; started++) {
            rota_loop loop = open_jump();
            scene self = {loop, {0}, {0}, 0};
            rota_task task = spawn(loop, counts_deliveries, &self);
            int i;
            if (started) turn(loop);
            for (i = 0; i < requests; i++) CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
            CHECK_EQ(cancelling(task), requests);
            CHECK_EQ(WAIT(loop, rota_task_join(task)), requests);
            close_clean(loop);
        }
    }
}

static int64_t is_asked_while_it_cleans_up(rota_task task, void *user_data) {
    scene *self = user_data;
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_CANCELLED);
    record("first");
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    record("second");
    CHECK_EQ(cancelling(task), 2);
    return 1;
}

TEST(a_second_request_arrives_at_the_second_wait) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_task task = spawn(loop, is_asked_while_it_cleans_up, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turn(loop);
    CHECK_RECORD("first");
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("second");
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 1); /* and was refused after all */
    close_clean(loop);
}

/* ---- counting */

static int64_t takes_one_back(rota_task task, void *user_data) {
    scene *self = user_data;
    uint32_t left = 99;
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_task_uncancel(task, &left), ROTA_OK);
    CHECK_EQ(left, 0);
    CHECK_EQ(cancelling(task), 0);
    CHECK_STATUS(rota_task_uncancel(task, &left), ROTA_OK); /* never below none */
    CHECK_EQ(left, 0);
    return rota_await(rota_loop_sleep(self->loop, SECOND));
}

TEST(requests_are_counted_and_taken_back) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_task task = spawn(loop, takes_one_back, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    close_clean(loop);
}

/* ---- a ready outcome wins */

static int64_t gets_both(rota_task task, void *user_data) {
    scene *self = user_data;
    uint64_t before;
    CHECK_EQ(rota_await(self->future), 5);
    record("ready");
    CHECK_EQ(cancelling(task), 1);
    before = now_of(self->loop);
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    CHECK_EQ(now_of(self->loop), before);
    record("then cancelled");
    return ROTA_ERR_CANCELLED;
}

TEST(a_ready_outcome_wins_over_a_request) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_task task = spawn(loop, gets_both, &self);
    turn(loop);
    CHECK_STATUS(rota_future_complete(self.future, 5), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("ready then cancelled");
    close_clean(loop);
}

static int64_t cancels_itself(rota_task task, void *user_data) {
    scene *self = user_data;
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    record("goes on");
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_CANCELLED);
    return 2;
}

TEST(a_task_may_cancel_itself) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    CHECK_EQ(run_task(loop, cancels_itself, &self), 2);
    CHECK_RECORD("goes on");
    (void)rota_future_close(self.future);
    close_clean(loop);
}

static int64_t yields_once(rota_task task, void *user_data) {
    (void)user_data;
    return rota_task_yield(task);
}

TEST(a_yield_is_a_wait_too) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, yields_once, NULL);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    close_clean(loop);
}

/* ---- who is cancelled with whom */

TEST(of_two_waiters_one_is_cancelled_and_the_other_served) {
    rota_loop loop = open_jump();
    rota_future shared = open_future(loop);
    scene one = {loop, shared, {0}, 0}, other = {loop, shared, {0}, 0};
    rota_task first = spawn(loop, awaits_it, &one), second = spawn(loop, awaits_it, &other);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(first), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(first)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("waits waits cancelled");
    CHECK_STATUS(rota_future_complete(shared, 6), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(second)), 6);
    CHECK_RECORD("6");
    close_clean(loop);
}

TEST(a_callbacks_claim_keeps_the_operation_of_a_cancelled_task) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_task task = spawn(loop, awaits_it, &self);
    turn(loop);
    CHECK_STATUS(rota_future_then(self.future, record_future, "callback"), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_complete(self.future, 0), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("waits cancelled callback:ok");
    close_clean(loop);
}

static int64_t joins_it(rota_task task, void *user_data) {
    scene *self = user_data;
    (void)task;
    return rota_await(rota_task_join(self->task));
}

TEST(cancelling_the_last_waiter_of_a_join_reaches_the_joined_task) {
    rota_loop loop = open_jump();
    scene inner = {loop, open_future(loop), {0}, 0}, outer = {loop, {0}, {0}, 0};
    rota_task joiner;
    outer.task = spawn(loop, awaits_it, &inner);
    joiner = spawn(loop, joins_it, &outer);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(joiner), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(joiner)), ROTA_ERR_CANCELLED);
    turns(loop, 3);
    CHECK_RECORD("waits cancelled");
    CHECK_STATUS(inner.result, ROTA_ERR_CANCELLED);
    close_clean(loop);
}

TEST(cancelling_one_of_two_joins_leaves_the_task_alone) {
    rota_loop loop = open_jump();
    scene inner = {loop, open_future(loop), {0}, 0}, outer = {loop, {0}, {0}, 0};
    rota_task one, other;
    outer.task = spawn(loop, awaits_it, &inner);
    one = spawn(loop, joins_it, &outer);
    other = spawn(loop, joins_it, &outer);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(one), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(one)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_complete(inner.future, 9), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(other)), 9);
    CHECK_RECORD("waits 9");
    close_clean(loop);
}

TEST(cancelling_a_join_future_cancels_the_task) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_future join = rota_task_join(spawn(loop, awaits_it, &self));
    turn(loop);
    CHECK_STATUS(rota_future_cancel(join), ROTA_OK);
    CHECK_STATUS(WAIT(loop, join), ROTA_ERR_CANCELLED);
    turns(loop, 2);
    CHECK_RECORD("waits cancelled");
    close_clean(loop);
}

/* ---- cancelled, or failed with that status */

static void logs(int32_t level, const char *message, void *user_data) {
    (void)level, (void)message;
    ++*(int *)user_data;
}

static int64_t returns_cancelled(rota_task task, void *user_data) {
    (void)user_data;
    (void)rota_task_yield(task);
    return ROTA_ERR_CANCELLED;
}

TEST(a_task_that_returns_cancelled_unasked_has_failed) {
    int messages = 0;
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    rota_task task;
    options.log = logs;
    options.log_data = &messages;
    loop = open_with(&options);
    task = spawn(loop, returns_cancelled, NULL);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(messages, 0); /* asked: cancelled, which is no error */
    CHECK_STATUS(rota_loop_spawn(loop, returns_cancelled, NULL, NULL, NULL), ROTA_OK);
    turns(loop, 3);
    CHECK_EQ(messages, 1); /* not asked: an error that nobody looked at */
    CHECK_STATUS(run_task(loop, returns_cancelled, NULL), ROTA_ERR_CANCELLED);
    CHECK_EQ(messages, 1); /* somebody looked */
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_request_arrives_where_the_task_waits);
    RUN(a_task_cancelled_before_it_started_runs_its_body);
    RUN(a_task_may_clean_up_with_further_awaits);
    RUN(two_requests_arrive_twice);
    RUN(as_many_requests_arrive_as_were_made);
    RUN(a_second_request_arrives_at_the_second_wait);
    RUN(requests_are_counted_and_taken_back);
    RUN(a_ready_outcome_wins_over_a_request);
    RUN(a_task_may_cancel_itself);
    RUN(a_yield_is_a_wait_too);
    RUN(of_two_waiters_one_is_cancelled_and_the_other_served);
    RUN(a_callbacks_claim_keeps_the_operation_of_a_cancelled_task);
    RUN(cancelling_the_last_waiter_of_a_join_reaches_the_joined_task);
    RUN(cancelling_one_of_two_joins_leaves_the_task_alone);
    RUN(cancelling_a_join_future_cancels_the_task);
    RUN(a_task_that_returns_cancelled_unasked_has_failed);
    return test_end();
}
