/* asyncio's tests of its runner, restated: run something to its end, and leave nothing behind. */
#include "parity.h"

static int64_t yields_and_returns(rota_task task, void *user_data) {
    CHECK_EQ(rota_task_yield(task), 0);
    return *(int64_t *)user_data;
}

TEST(a_run_gives_back_what_the_task_returned_or_why_it_failed) {
    static int64_t answers[] = {42, ROTA_STATUS_HOST - 1};
    size_t i;
    for (i = 0; i < COUNT(answers); i++) {
        rota_loop loop = open_jump();
        CHECK_EQ(run_task(loop, yields_and_returns, &answers[i]), answers[i]);
        CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
        CHECK_STATUS(rota_loop_run(loop), ROTA_ERR_HANDLE);
    }
}

TEST(a_run_takes_a_future_that_is_done) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_complete(future, 7), ROTA_OK);
    CHECK_EQ(WAIT(loop, future), 7);
    close_clean(loop);
}

TEST(a_run_refuses_what_is_no_future) {
    rota_loop loop = open_jump();
    rota_future nonsense = {loop.id}, null = {0};
    CHECK_STATUS(WAIT(loop, nonsense), ROTA_ERR_HANDLE);
    CHECK_STATUS(WAIT(loop, null), ROTA_ERR_HANDLE);
    close_clean(loop);
}

static int64_t runs_its_own_loop(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    rota_future future = open_future(loop);
    (void)task;
    CHECK_STATUS(rota_loop_run_until(loop, future), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_run(loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    return 3;
}

TEST(a_loop_is_not_run_from_inside_itself) {
    rota_loop loop = open_jump();
    CHECK_EQ(run_task(loop, runs_its_own_loop, &loop), 3);
    close_clean(loop);
}

/* ---- what is left over */

static int64_t is_left_over(rota_task task, void *user_data) {
    (void)task;
    record("%s", told(rota_await(rota_loop_sleep(*(rota_loop *)user_data, HOUR))));
    return CANCELLED;
}

static int64_t fails_when_asked(rota_task task, void *user_data) {
    (void)is_left_over(task, user_data);
    return ROTA_STATUS_HOST;
}

static rota_task_fn leftover;

static int64_t leaves_one_behind(rota_task task, void *user_data) {
    (void)task;
    CHECK_STATUS(rota_loop_spawn(*(rota_loop *)user_data, leftover, user_data, NULL, NULL),
                 ROTA_OK);
    CHECK_EQ(rota_task_yield(task), 0);
    return 123;
}

static void leave_behind(rota_task_fn body, int lines) {
    rota_loop loop = open_logged();
    uint64_t began = now_of(loop);
    leftover = body;
    CHECK_EQ(run_task(loop, leaves_one_behind, &loop), 123);
    CHECK_RECORD("");
    CHECK_EQ(now_of(loop), began);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("cancelled");
    CHECK_EQ(log_lines, lines);
}

TEST(closing_cancels_what_is_left_over) { leave_behind(is_left_over, 0); }
TEST(a_failure_of_what_was_left_over_reaches_the_log) { leave_behind(fails_when_asked, 1); }

TEST(a_loop_is_closed_before_it_ever_ran_and_only_once) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_run(loop), ROTA_ERR_HANDLE);
}

TEST(a_closed_loop_takes_no_task_and_runs_none) {
    rota_loop loop = open_jump();
    static int64_t one = 1;
    rota_task task = {0};
    CHECK_EQ(run_task(loop, yields_and_returns, &one), 1);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, yields_and_returns, &one, NULL, &task), ROTA_ERR_HANDLE);
    CHECK_EQ(task.id, 0);
}

TEST(one_loop_runs_several_tasks_one_after_the_other) {
    static int64_t answers[] = {1, 2, 3};
    rota_loop loop = open_jump();
    size_t i;
    for (i = 0; i < COUNT(answers); i++) {
        CHECK_EQ(run_task(loop, yields_and_returns, &answers[i]), answers[i]);
    }
    close_clean(loop);
}

/* ---- interrupted from outside, as a signal's handler would do it: by a thread-safe call */

typedef struct {
    rota_loop loop;
    rota_future future;
    rota_task main;
    pthread_t thread;
} interrupted;

static void *posts_an_interrupt(void *argument) {
    interrupted *self = argument;
    CHECK_STATUS(rota_loop_post(self->loop, cancels_task, &self->main), ROTA_OK);
    return NULL;
}

static void interrupt(interrupted *self) {
    CHECK_EQ(pthread_create(&self->thread, NULL, posts_an_interrupt, self), 0);
}

static int64_t yields_for_ever(rota_task task, void *user_data) {
    int64_t result;
    (void)user_data;
    while ((result = rota_task_yield(task)) == 0) continue;
    return result;
}

static int64_t waits_for_ever(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((interrupted *)user_data)->future);
}

static void interrupt_a(rota_task_fn body) {
    interrupted self = {.loop = open_system()};
    self.future = kept(open_future(self.loop));
    self.main = spawn(self.loop, body, &self);
    turns(self.loop, 2);
    interrupt(&self);
    CHECK_STATUS(join(self.loop, self.main), CANCELLED);
    CHECK_EQ(pthread_join(self.thread, NULL), 0);
    if (body == waits_for_ever) CHECK_STATUS(outcome_of(self.future).status, CANCELLED);
    CHECK_STATUS(rota_future_close(self.future), ROTA_OK);
    close_clean(self.loop);
}

TEST(an_interrupt_reaches_a_task_that_only_yields) { interrupt_a(yields_for_ever); }
TEST(an_interrupt_reaches_a_task_that_waits_and_what_it_waits_for) { interrupt_a(waits_for_ever); }

static int64_t sleeps_and_cleans_up(rota_task task, void *user_data) {
    interrupted *self = user_data;
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), CANCELLED);
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), CANCELLED); /* its cleanup */
    record("%u", cancelling(task));
    return CANCELLED;
}

static int64_t cancels_and_interrupts(rota_task task, void *user_data) {
    interrupted *self = user_data;
    (void)task;
    CHECK_STATUS(rota_task_cancel(self->main), ROTA_OK);
    CHECK_STATUS(rota_loop_post(self->loop, cancels_task, &self->main), ROTA_OK);
    return 0;
}

TEST(an_interrupt_after_a_request_arrives_as_a_second_one) {
    interrupted self = {.loop = open_system()};
    rota_task other;
    self.main = spawn(self.loop, sleeps_and_cleans_up, &self);
    turn(self.loop);
    other = spawn(self.loop, cancels_and_interrupts, &self);
    CHECK_STATUS(join(self.loop, self.main), CANCELLED);
    CHECK_RECORD("2");
    CHECK_EQ(join(self.loop, other), 0);
    close_clean(self.loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_run_gives_back_what_the_task_returned_or_why_it_failed);
    RUN(a_run_takes_a_future_that_is_done);
    RUN(a_run_refuses_what_is_no_future);
    RUN(a_loop_is_not_run_from_inside_itself);
    RUN(closing_cancels_what_is_left_over);
    RUN(a_failure_of_what_was_left_over_reaches_the_log);
    RUN(a_loop_is_closed_before_it_ever_ran_and_only_once);
    RUN(a_closed_loop_takes_no_task_and_runs_none);
    RUN(one_loop_runs_several_tasks_one_after_the_other);
    RUN(an_interrupt_reaches_a_task_that_only_yields);
    RUN(an_interrupt_reaches_a_task_that_waits_and_what_it_waits_for);
    RUN(an_interrupt_after_a_request_arrives_as_a_second_one);
    return test_end();
}
