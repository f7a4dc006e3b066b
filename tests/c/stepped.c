/* Stepped tasks: a function called again with its state, waiting for the same futures. */
#include "rota_test.h"

/* ---- a state machine: three naps, then the end */

typedef struct {
    rota_loop loop;
    rota_future future;
    const char *name;
    int step;
} machine;

static int64_t naps(rota_task task, const rota_outcome *outcome, void *user_data) {
    machine *self = user_data;
    CHECK(outcome != NULL && outcome->message != NULL);
    CHECK_STATUS(outcome->status, ROTA_OK); /* also the first time */
    record("%s%d", self->name, self->step);
    if (self->step == 3) return 33;
    self->step++;
    return rota_task_wait(task, rota_loop_sleep(self->loop, SECOND));
}

static rota_task spawn_stepped(rota_loop loop, rota_step_fn body, void *user_data) {
    rota_task task = {0};
    CHECK_STATUS(rota_loop_spawn_stepped(loop, body, user_data, NULL, &task), ROTA_OK);
    CHECK(task.id != 0);
    return task;
}

TEST(a_state_machine_runs_to_its_end) {
    rota_loop loop = open_jump();
    machine a = {loop, {0}, "a", 0}, b = {loop, {0}, "b", 1};
    uint64_t start = now_of(loop);
    rota_task one = spawn_stepped(loop, naps, &a), other = spawn_stepped(loop, naps, &b);
    CHECK_RECORD("");
    CHECK_EQ(WAIT(loop, rota_task_join(one)), 33);
    CHECK_EQ(WAIT(loop, rota_task_join(other)), 33);
    CHECK_RECORD("a0 b1 a1 b2 a2 b3 a3");
    CHECK_EQ(now_of(loop), start + 3 * SECOND);
    close_clean(loop);
}

static int64_t waits_once(rota_task task, const rota_outcome *outcome, void *user_data) {
    machine *self = user_data;
    rota_task current = {0};
    CHECK_STATUS(rota_task_get_current(&current), ROTA_OK);
    CHECK_EQ(current.id, task.id);
    if (self->step++ == 0) return rota_task_wait(task, self->future);
    record("%s:%s%s", self->name, told(outcome->status < 0 ? outcome->status : outcome->value),
           outcome->message);
    return outcome->status < 0 ? outcome->status : outcome->value;
}

TEST(the_outcome_is_told) {
    rota_loop loop = open_jump();
    machine self = {loop, open_future(loop), "m", 0};
    rota_task task = spawn_stepped(loop, waits_once, &self);
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_STATUS(rota_future_fail(self.future, ROTA_STATUS_HOST, "!"), ROTA_OK);
    CHECK_RECORD("");
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_STATUS_HOST);
    CHECK_RECORD("m:-1000000!");
    close_clean(loop);
}

static int64_t ends_at_once(rota_task task, const rota_outcome *outcome, void *user_data) {
    (void)task, (void)outcome;
    record("%s", (const char *)user_data);
    return 0;
}

TEST(stepped_tasks_start_in_order_with_the_others) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "call", NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn_stepped(loop, ends_at_once, "a", NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn_stepped(loop, ends_at_once, "b", NULL, NULL), ROTA_OK);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("call:ok a b");
    close_clean(loop);
}

static int64_t waits_for_complete_ones(rota_task task, const rota_outcome *outcome, void *data) {
    machine *self = data;
    rota_future future;
    (void)outcome;
    record("%s%d", self->name, self->step);
    if (self->step++ == 3) return 0;
    future = rota_future_open(self->loop);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    return rota_task_wait(task, future);
}

TEST(waiting_for_what_is_complete_does_not_give_up_the_turn) {
    rota_loop loop = open_jump();
    machine a = {loop, {0}, "a", 0}, b = {loop, {0}, "b", 0};
    CHECK_STATUS(rota_loop_spawn_stepped(loop, waits_for_complete_ones, &a, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn_stepped(loop, waits_for_complete_ones, &b, NULL, NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("a0 a1 a2 a3 b0 b1 b2 b3");
    close_clean(loop);
}

static bool others_ran;

static void notes_that_it_ran(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status, (void)user_data;
    others_ran = true;
}

static int64_t never_has_to_wait(rota_task task, const rota_outcome *outcome, void *user_data) {
    machine *self = user_data;
    rota_future future;
    (void)outcome;
    if (others_ran) return self->step;
    CHECK(self->step++ < 1000000);
    future = rota_future_open(self->loop);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    return rota_task_wait(task, future);
}

TEST(a_task_that_never_has_to_wait_is_made_to_yield) {
    rota_loop loop = open_jump();
    machine self = {loop, {0}, "m", 0};
    rota_task task = spawn_stepped(loop, never_has_to_wait, &self);
    others_ran = false;
    CHECK_STATUS(rota_loop_call_soon(loop, notes_that_it_ran, NULL, NULL), ROTA_OK);
    CHECK(WAIT(loop, rota_task_join(task)) > 0);
    close_clean(loop);
}

/* ---- cancelling */

TEST(a_request_arrives_as_an_outcome) {
    rota_loop loop = open_jump();
    machine self = {loop, open_future(loop), "m", 0};
    rota_task task = spawn_stepped(loop, waits_once, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("m:cancelled");
    CHECK_STATUS(rota_future_close(self.future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(a_task_cancelled_before_it_started_runs_its_body) {
    rota_loop loop = open_jump();
    machine self = {loop, {0}, "m", 0};
    rota_task task;
    uint64_t start = now_of(loop);
    self.future = rota_loop_sleep(loop, HOUR);
    task = spawn_stepped(loop, waits_once, &self);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_EQ(self.step, 2);
    CHECK_RECORD("m:cancelled");
    CHECK_EQ(now_of(loop), start);
    (void)rota_future_close(self.future);
    close_clean(loop);
}

static int64_t refuses(rota_task task, const rota_outcome *outcome, void *user_data) {
    machine *self = user_data;
    uint32_t left = 9;
    switch (self->step++) {
        case 0:
            return rota_task_wait(task, self->future);
        case 1:
            CHECK_STATUS(outcome->status, ROTA_ERR_CANCELLED);
            CHECK_STATUS(rota_task_uncancel(task, &left), ROTA_OK);
            CHECK_EQ(left, 0);
            return rota_task_wait(task, rota_loop_sleep(self->loop, SECOND));
        default:
            CHECK_STATUS(outcome->status, ROTA_OK);
            return 4;
    }
}

TEST(a_request_may_be_refused) {
    rota_loop loop = open_jump();
    machine self = {loop, open_future(loop), "m", 0};
    rota_task task = spawn_stepped(loop, refuses, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 4);
    close_clean(loop);
}

TEST(a_ready_outcome_wins_over_a_request) {
    rota_loop loop = open_jump();
    machine self = {loop, open_future(loop), "m", 0};
    rota_task task = spawn_stepped(loop, waits_once, &self);
    turn(loop);
    CHECK_STATUS(rota_future_complete(self.future, 5), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 5);
    CHECK_RECORD("m:5");
    close_clean(loop);
}

/* ---- misuse */

static int64_t waits_without_asking(rota_task task, const rota_outcome *outcome, void *user_data) {
    (void)task, (void)outcome, (void)user_data;
    return ROTA_STEP_WAIT;
}

TEST(waiting_without_a_future_is_a_failure) {
    rota_loop loop = open_jump();
    CHECK(WAIT(loop, rota_task_join(spawn_stepped(loop, waits_without_asking, NULL))) < 0);
    close_clean(loop);
}

static int64_t waits_for_nothing(rota_task task, const rota_outcome *outcome, void *user_data) {
    rota_future null = {0};
    int64_t result;
    (void)outcome, (void)user_data;
    result = rota_task_wait(task, null);
    CHECK_STATUS(result, ROTA_ERR_HANDLE);
    return result;
}

TEST(waiting_for_null_is_refused) {
    rota_loop loop = open_jump();
    CHECK_STATUS(WAIT(loop, rota_task_join(spawn_stepped(loop, waits_for_nothing, NULL))),
                 ROTA_ERR_HANDLE);
    close_clean(loop);
}

static int64_t changes_its_mind(rota_task task, const rota_outcome *outcome, void *user_data) {
    machine *self = user_data;
    (void)outcome;
    CHECK(rota_task_wait(task, self->future) == ROTA_STEP_WAIT);
    return 6; /* the end after all */
}

TEST(a_body_may_end_although_it_asked_to_wait) {
    rota_loop loop = open_jump();
    machine self = {loop, open_future(loop), "m", 0};
    CHECK_EQ(WAIT(loop, rota_task_join(spawn_stepped(loop, changes_its_mind, &self))), 6);
    (void)rota_future_close(self.future);
    turns(loop, 2);
    close_clean(loop);
}

static int64_t awaits_in_a_step(rota_task task, const rota_outcome *outcome, void *user_data) {
    machine *self = user_data;
    (void)outcome;
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_NO_TASK);
    CHECK(rota_task_yield(task) == ROTA_STEP_WAIT); /* it works there too */
    return 0;
}

static int64_t steps_on_a_stack(rota_task task, void *user_data) {
    machine *self = user_data;
    int64_t result = rota_task_wait(task, self->future);
    CHECK(result < 0 && result != ROTA_STEP_WAIT);
    return 0;
}

TEST(each_kind_has_its_own_way_to_wait) {
    rota_loop loop = open_jump();
    machine self = {loop, open_future(loop), "m", 0};
    CHECK_EQ(WAIT(loop, rota_task_join(spawn_stepped(loop, awaits_in_a_step, &self))), 0);
    CHECK_EQ(run_task(loop, steps_on_a_stack, &self), 0);
    CHECK_STATUS(rota_future_complete(self.future, 2), ROTA_OK); /* nothing was consumed */
    CHECK_EQ(WAIT(loop, self.future), 2);
    close_clean(loop);
}

TEST(waiting_for_another_task_is_refused) {
    rota_loop loop = open_jump();
    machine self = {loop, open_future(loop), "m", 0};
    rota_task task = spawn_stepped(loop, waits_once, &self);
    int64_t result = rota_task_wait(task, self.future); /* nothing runs here */
    CHECK(result < 0 && result != ROTA_STEP_WAIT);
    CHECK_STATUS(rota_future_complete(self.future, 2), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 2);
    CHECK_RECORD("m:2");
    close_clean(loop);
}

static void frees(void *user_data) { record("freed:%s", ((machine *)user_data)->name); }

TEST(user_data_is_freed_after_the_last_step) {
    rota_loop loop = open_jump();
    rota_task_options options;
    machine self = {loop, {0}, "m", 2};
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = frees;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, naps, &self, &options, NULL), ROTA_OK);
    run_dry(loop);
    CHECK_RECORD("m2 m3 freed:m");
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_state_machine_runs_to_its_end);
    RUN(the_outcome_is_told);
    RUN(stepped_tasks_start_in_order_with_the_others);
    RUN(waiting_for_what_is_complete_does_not_give_up_the_turn);
    RUN(a_task_that_never_has_to_wait_is_made_to_yield);
    RUN(a_request_arrives_as_an_outcome);
    RUN(a_task_cancelled_before_it_started_runs_its_body);
    RUN(a_request_may_be_refused);
    RUN(a_ready_outcome_wins_over_a_request);
    RUN(waiting_without_a_future_is_a_failure);
    RUN(waiting_for_null_is_refused);
    RUN(a_body_may_end_although_it_asked_to_wait);
    RUN(each_kind_has_its_own_way_to_wait);
    RUN(waiting_for_another_task_is_refused);
    RUN(user_data_is_freed_after_the_last_step);
    return test_end();
}
