/* Many futures at once: gather, which claims them, and wait, which only watches. */
#include "rota_test.h"

static bool pending(rota_future future) {
    rota_outcome outcome;
    return rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING;
}

static void open_three(rota_loop loop, rota_future three[3]) {
    int i;
    for (i = 0; i < 3; i++) three[i] = open_future(loop);
}

/* ---- gather */

TEST(a_gather_is_done_when_all_are) {
    rota_loop loop = open_jump();
    rota_future three[3], all;
    open_three(loop, three);
    CHECK_STATUS(rota_future_keep(three[1]), ROTA_OK);
    all = rota_loop_gather(loop, three, 3, 0);
    CHECK_STATUS(rota_future_complete(three[2], 2), ROTA_OK);
    CHECK_STATUS(rota_future_complete(three[0], 0), ROTA_OK);
    turns(loop, 2);
    CHECK(pending(all));
    CHECK_STATUS(rota_future_complete(three[1], 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, all), 0);
    CHECK_EQ(outcome_of(three[1]).value, 1); /* it was kept: the others have ended */
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(an_empty_one_and_values_are_done_already) {
    rota_loop loop = open_jump();
    rota_future two[2], kept;
    CHECK_EQ(outcome_of(rota_loop_gather(loop, NULL, 0, 0)).status, ROTA_OK);
    CHECK_EQ(outcome_of(rota_loop_wait(loop, NULL, 0, ROTA_WAIT_ALL, 0)).value, 0);
    two[0] = two[1] = rota_loop_gather(loop, NULL, 0, 0);
    CHECK_EQ(WAIT(loop, rota_loop_gather(loop, two, 2, 0)), 0);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, two, 2, ROTA_WAIT_ALL, ROTA_FOREVER)), 2);
    two[1] = rota_loop_gather(loop, NULL, 0, UINT32_MAX);
    CHECK_STATUS(WAIT(loop, rota_loop_gather(loop, two, 2, 0)), ROTA_ERR_INVALID);
    CHECK_EQ(WAIT(loop, rota_loop_gather(loop, two, 2, ROTA_GATHER_ALL)), 1);
    /* One that is done already, and kept. */
    kept = open_future(loop);
    CHECK_STATUS(rota_future_keep(kept), ROTA_OK);
    CHECK_STATUS(rota_future_complete(kept, 1), ROTA_OK);
    two[1] = kept;
    CHECK_EQ(WAIT(loop, rota_loop_gather(loop, two, 2, 0)), 0);
    CHECK_STATUS(rota_future_close(kept), ROTA_OK);
    close_clean(loop);
}

TEST(the_first_failure_is_the_gathers_and_the_others_go_on) {
    rota_loop loop = open_jump();
    rota_future three[3], all;
    open_three(loop, three);
    all = rota_loop_gather(loop, three, 3, 0);
    CHECK_STATUS(rota_future_fail(three[1], ROTA_STATUS_HOST, "one"), ROTA_OK);
    CHECK_STATUS(rota_future_keep(all), ROTA_OK);
    CHECK_STATUS(WAIT(loop, all), ROTA_STATUS_HOST);
    CHECK_TEXT(outcome_of(all).message, "one");
    CHECK_STATUS(rota_future_close(all), ROTA_OK);
    CHECK(pending(three[0]) && pending(three[2]));
    CHECK_STATUS(rota_future_complete(three[0], 0), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(three[2]), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE); /* they end by themselves */
    close_clean(loop);
}

TEST(the_rest_is_cancelled_and_waited_for_where_that_is_asked) {
    rota_loop loop = open_jump();
    rota_future three[3], all;
    open_three(loop, three);
    CHECK_STATUS(rota_future_keep(three[0]), ROTA_OK);
    CHECK_STATUS(rota_future_then(three[2], record_future, "other"), ROTA_OK);
    all = rota_loop_gather(loop, three, 3, ROTA_GATHER_CANCEL_REST);
    CHECK_STATUS(rota_future_fail(three[1], ROTA_STATUS_HOST, "one"), ROTA_OK);
    CHECK_STATUS(WAIT(loop, all), ROTA_STATUS_HOST);
    CHECK_STATUS(outcome_of(three[0]).status, ROTA_ERR_CANCELLED);
    CHECK(pending(three[2])); /* somebody else waits for it */
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK);
    CHECK_STATUS(rota_future_complete(three[2], 2), ROTA_OK);
    turn(loop);
    CHECK_RECORD("other:2");
    close_clean(loop);
}

TEST(all_are_waited_for_and_failures_counted) {
    rota_loop loop = open_jump();
    rota_future three[3], all;
    open_three(loop, three);
    all = rota_loop_gather(loop, three, 3, ROTA_GATHER_ALL);
    CHECK_STATUS(rota_future_fail(three[1], ROTA_STATUS_HOST, "one"), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_ERR_BUSY); /* by somebody else */
    turns(loop, 2);
    CHECK(pending(all));
    CHECK_STATUS(rota_future_complete(three[0], 7), ROTA_OK);
    CHECK_EQ(WAIT(loop, all), 2);
    close_clean(loop);
}

TEST(the_same_future_may_stand_in_it_twice) {
    rota_loop loop = open_jump();
    rota_future three[3], all;
    open_three(loop, three);
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    three[1] = three[2] = three[0];
    all = rota_loop_gather(loop, three, 3, 0);
    CHECK_STATUS(rota_future_cancel(all), ROTA_OK);
    CHECK_STATUS(WAIT(loop, all), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(cancelling_a_gather_cancels_what_it_alone_waits_for) {
    rota_loop loop = open_jump();
    rota_future three[3], all;
    open_three(loop, three);
    CHECK_STATUS(rota_future_then(three[1], record_future, "other"), ROTA_OK);
    all = rota_loop_gather(loop, three, 3, 0);
    CHECK_STATUS(rota_future_close(all), ROTA_ERR_BUSY);
    turns(loop, 2);
    CHECK_STATUS(rota_future_close(all), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    CHECK(pending(three[1]));
    CHECK_STATUS(rota_future_close(three[1]), ROTA_ERR_BUSY);
    turn(loop);
    CHECK_RECORD("other:cancelled");
    close_clean(loop);
}

TEST(what_cannot_start_changes_nothing) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_future three[3], own;
    open_three(loop, three);
    own = three[2];
    three[2] = open_future(other);
    CHECK_STATUS(outcome_of(rota_loop_gather(loop, three, 3, 0)).status, ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    three[2] = own;
    CHECK_STATUS(rota_future_close(own), ROTA_OK);
    CHECK_STATUS(outcome_of(rota_loop_gather(loop, three, 3, 0)).status, ROTA_ERR_HANDLE);
    CHECK_STATUS(outcome_of(rota_loop_wait(loop, three, 3, 0, 0)).status, ROTA_ERR_HANDLE);
    CHECK_STATUS(outcome_of(rota_loop_gather(loop, three, 2, 3)).status, ROTA_ERR_INVALID);
    CHECK_STATUS(outcome_of(rota_loop_wait(loop, three, 2, 3, 0)).status, ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK); /* OK: nobody waits for it */
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    turns(loop, 2);
    close_clean(other);
    close_clean(loop);
}

/* ---- wait */

TEST(a_wait_counts_and_leaves_all_as_they_are) {
    rota_loop loop = open_jump();
    rota_future three[3], wait;
    uint64_t began = now_of(loop);
    open_three(loop, three);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, three, 3, ROTA_WAIT_FIRST, 0)), 0);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, three, 3, ROTA_WAIT_ALL, SECOND)), 0);
    CHECK_EQ(now_of(loop) - began, SECOND);
    wait = rota_loop_wait(loop, three, 3, ROTA_WAIT_FIRST, HOUR);
    CHECK_STATUS(rota_future_complete(three[1], 5), ROTA_OK);
    CHECK_EQ(WAIT(loop, wait), 1);
    CHECK_EQ(stats_of(loop).timers, 0);
    CHECK(pending(three[0]) && pending(three[2]));
    CHECK_EQ(WAIT(loop, three[1]), 5); /* it is still there to be waited for */
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    close_clean(loop);
}

TEST(a_wait_for_an_error_passes_over_what_went_well) {
    rota_loop loop = open_jump();
    rota_future three[3], error, all;
    open_three(loop, three);
    error = rota_loop_wait(loop, three, 3, ROTA_WAIT_FIRST_ERROR, ROTA_FOREVER);
    all = rota_loop_wait(loop, three, 3, ROTA_WAIT_ALL, ROTA_FOREVER);
    CHECK_STATUS(rota_future_complete(three[1], 5), ROTA_OK);
    turns(loop, 2);
    CHECK(pending(error));
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK); /* a watch does not hold it; this ends it */
    CHECK_EQ(WAIT(loop, error), 2);
    CHECK(pending(all));
    CHECK_STATUS(rota_future_complete(three[2], 5), ROTA_OK);
    CHECK_EQ(WAIT(loop, all), 3);
    CHECK_EQ(WAIT(loop, rota_loop_wait(loop, three + 1, 2, ROTA_WAIT_FIRST_ERROR, HOUR)), 2);
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    close_clean(loop);
}

TEST(a_cancelled_wait_is_done_at_once) {
    rota_loop loop = open_jump();
    rota_future three[3], wait;
    open_three(loop, three);
    wait = rota_loop_wait(loop, three, 3, ROTA_WAIT_FIRST, HOUR);
    CHECK_STATUS(rota_future_close(wait), ROTA_OK);
    CHECK_STATUS(rota_future_complete(three[0], 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, three[0]), 1);
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    close_clean(loop);
}

/* ---- in tasks, in one another, and while the loop closes */

typedef struct {
    rota_loop loop;
    rota_future three[3];
    bool waits, begun;
} scene;

static rota_future many(scene *self) {
    return self->waits ? rota_loop_wait(self->loop, self->three, 3, ROTA_WAIT_ALL, HOUR)
                       : rota_loop_gather(self->loop, self->three, 3, 0);
}

static int64_t awaits(rota_task task, void *user_data) {
    (void)task;
    return rota_await(many(user_data));
}

static int64_t steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    scene *self = user_data;
    bool begun = self->begun;
    self->begun = true;
    if (!begun) return rota_task_wait(task, many(self));
    return outcome->status < 0 ? outcome->status : outcome->value;
}

static rota_task start(scene *self, bool stepped) {
    rota_task task = {0};
    self->begun = false;
    open_three(self->loop, self->three);
    CHECK_STATUS(stepped ? rota_loop_spawn_stepped(self->loop, steps, self, NULL, &task)
                         : rota_loop_spawn(self->loop, awaits, self, NULL, &task),
                 ROTA_OK);
    turn(self->loop);
    return task;
}

static void in_tasks(bool stepped, bool waits) {
    scene self = {open_jump(), {{0}}, waits, false};
    rota_task task = start(&self, stepped);
    int i;
    for (i = 0; i < 3; i++) CHECK_STATUS(rota_future_complete(self.three[i], i), ROTA_OK);
    CHECK_EQ(WAIT(self.loop, rota_task_join(task)), waits ? 3 : 0);
    for (i = 0; i < 3; i++) {
        CHECK_STATUS(rota_future_close(self.three[i]), waits ? ROTA_OK : ROTA_ERR_HANDLE);
    }
    task = start(&self, stepped);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(self.loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    for (i = 0; i < 3; i++) {
        CHECK_STATUS(rota_future_close(self.three[i]), waits ? ROTA_OK : ROTA_ERR_HANDLE);
    }
    (void)start(&self, stepped);
    CHECK_STATUS(rota_loop_close(self.loop, SECOND), ROTA_OK);
}

TEST(a_gather_in_a_stackful_task) { in_tasks(false, false); }
TEST(a_gather_in_a_stepped_task) { in_tasks(true, false); }
TEST(a_wait_in_a_stackful_task) { in_tasks(false, true); }
TEST(a_wait_in_a_stepped_task) { in_tasks(true, true); }

TEST(closing_the_loop_ends_gathers_and_waits_of_callbacks) {
    scene self = {open_jump(), {{0}}, false, false};
    open_three(self.loop, self.three);
    CHECK_STATUS(rota_future_then(many(&self), record_future, "gather"), ROTA_OK);
    self.waits = true;
    CHECK_STATUS(rota_future_then(many(&self), record_future, "wait"), ROTA_OK);
    CHECK_STATUS(rota_future_then(self.three[0], record_future, "inner"), ROTA_OK);
    CHECK_STATUS(rota_loop_close(self.loop, SECOND), ROTA_OK);
    CHECK(strstr(test_record, "gather:cancelled") != NULL);
    CHECK(strstr(test_record, "wait:cancelled") != NULL);
    CHECK(strstr(test_record, "inner:cancelled") != NULL);
    forget_record();
}

TEST(gathers_of_gathers_are_cancelled_without_depth) {
    rota_loop loop = open_jump();
    rota_future two[2], all = open_future(loop);
    int i;
    for (i = 0; i < 3000; i++) {
        two[0] = all;
        two[1] = open_future(loop);
        all = rota_loop_gather(loop, two, 2, 0);
    }
    CHECK_STATUS(rota_future_cancel(all), ROTA_OK);
    CHECK_STATUS(WAIT(loop, all), ROTA_ERR_CANCELLED);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_gather_is_done_when_all_are);
    RUN(an_empty_one_and_values_are_done_already);
    RUN(the_first_failure_is_the_gathers_and_the_others_go_on);
    RUN(the_rest_is_cancelled_and_waited_for_where_that_is_asked);
    RUN(all_are_waited_for_and_failures_counted);
    RUN(the_same_future_may_stand_in_it_twice);
    RUN(cancelling_a_gather_cancels_what_it_alone_waits_for);
    RUN(what_cannot_start_changes_nothing);
    RUN(a_wait_counts_and_leaves_all_as_they_are);
    RUN(a_wait_for_an_error_passes_over_what_went_well);
    RUN(a_cancelled_wait_is_done_at_once);
    RUN(a_gather_in_a_stackful_task);
    RUN(a_gather_in_a_stepped_task);
    RUN(a_wait_in_a_stackful_task);
    RUN(a_wait_in_a_stepped_task);
    RUN(closing_the_loop_ends_gathers_and_waits_of_callbacks);
    RUN(gathers_of_gathers_are_cancelled_without_depth);
    return test_end();
}
