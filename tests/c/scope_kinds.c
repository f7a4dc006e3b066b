/* Scopes that shield, that persist, of stepped tasks, entered from outside, and misused. */
#include "rota_scopes.h"

/* ---- shields */

static int64_t behind_a_shield(rota_task task, void *user_data) {
    other *self = user_data;
    rota_scope outer = enter_timeout(task, SECOND), shield = enter(task, ROTA_SCOPE_SHIELD), inner;
    self->task = task;
    CHECK_EQ(deadline_of(task), ROTA_FOREVER); /* the shield hides the one outside */
    after(SECOND, cancels_task, self);
    CHECK_EQ(nap(HOUR), 0);
    CHECK_EQ(cancelling(task), 2);
    inner = enter_timeout(task, SECOND);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_scope_leave(inner, ROTA_ERR_CANCELLED), ROTA_ERR_TIMEOUT);
    CHECK_STATUS(rota_scope_cancel(shield, NULL), ROTA_OK); /* its own arrives */
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_EQ(rota_scope_leave(shield, 0), 0);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED); /* the task's own first: it is furthest outside */
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_EQ(nap(1), 0);
    CHECK_STATUS(rota_scope_leave(outer, ROTA_ERR_CANCELLED), ROTA_ERR_CANCELLED);
    CHECK_EQ(cancelling(task), 1);
    return 6;
}

TEST(a_shield_holds_back_what_comes_from_outside) {
    other self = {0};
    CHECK_EQ(in_a_task(behind_a_shield, &self), 6);
}

static int64_t shielded_with_a_deadline(rota_task task, void *user_data) {
    rota_scope scope = {0};
    (void)user_data;
    CHECK_STATUS(rota_task_enter_scope(task, now_of(the_loop) + SECOND, ROTA_SCOPE_SHIELD, &scope),
                 ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    /* The cancel from outside cannot have brought it. */
    CHECK_STATUS(rota_scope_leave(scope, ROTA_ERR_CANCELLED), ROTA_ERR_TIMEOUT);
    return nap(1);
}

TEST(a_shield_knows_its_own_deadline) {
    CHECK_STATUS(in_a_task(shielded_with_a_deadline, NULL), ROTA_ERR_CANCELLED);
}

static int64_t waits_in_a_shield(rota_task task, void *user_data) {
    ((other *)user_data)->scope = enter(task, ROTA_SCOPE_SHIELD);
    record("waits");
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    return 1;
}

TEST(a_shield_left_from_outside_delivers_at_once) {
    other self = {0};
    uint64_t start;
    the_loop = open_jump();
    start = now_of(the_loop);
    self.task = spawn(the_loop, waits_in_a_shield, &self);
    turn(the_loop);
    CHECK_STATUS(rota_task_cancel(self.task), ROTA_OK);
    turns(the_loop, 0);
    CHECK_RECORD("waits");
    CHECK_EQ(rota_scope_leave(self.scope, 12), 12);
    CHECK_EQ(WAIT(the_loop, rota_task_join(self.task)), 1);
    CHECK_EQ(now_of(the_loop), start);
    close_clean(the_loop);
}

static int64_t joins_a_shielded_one(rota_task task, void *user_data) {
    rota_scope scope = enter_timeout(task, SECOND);
    return rota_scope_leave(scope, rota_await(rota_task_join(*(rota_task *)user_data)));
}

static int64_t naps_in_a_shield(rota_task task, void *user_data) {
    rota_scope shield = enter(task, ROTA_SCOPE_SHIELD);
    (void)user_data;
    CHECK_EQ(nap(HOUR), 0);
    CHECK_EQ(cancelling(task), 1);
    CHECK_EQ(rota_scope_leave(shield, 0), 0);
    return nap(HOUR);
}

TEST(a_request_that_is_passed_on_waits_at_a_shield) {
    rota_task joined;
    uint64_t start;
    the_loop = open_jump();
    start = now_of(the_loop);
    joined = spawn(the_loop, naps_in_a_shield, NULL);
    CHECK_STATUS(run_task(the_loop, joins_a_shielded_one, &joined), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(the_loop), start + HOUR);
    close_clean(the_loop);
}

/* ---- persistent scopes */

static int64_t again_and_again(rota_task task, void *user_data) {
    rota_scope scope, shield;
    rota_future promise = open_future(the_loop), done = open_future(the_loop);
    int i;
    (void)user_data;
    scope = enter(task, ROTA_SCOPE_PERSISTENT);
    CHECK_STATUS(rota_scope_set_deadline(scope, now_of(the_loop) + SECOND), ROTA_OK);
    for (i = 0; i < 5; i++) CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_task_yield(task), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_await(promise), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "the deadline has passed");
    CHECK_STATUS(rota_future_complete(done, 2), ROTA_OK);
    CHECK_EQ(rota_await(done), 2); /* a ready outcome wins */
    CHECK_EQ(cancelling(task), 1);
    shield = enter(task, ROTA_SCOPE_SHIELD);
    CHECK_EQ(nap(HOUR), 0);
    CHECK_EQ(rota_scope_leave(shield, 0), 0);
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_scope_leave(scope, ROTA_ERR_CANCELLED), ROTA_ERR_TIMEOUT);
    CHECK_EQ(cancelling(task), 0);
    return nap(HOUR);
}

TEST(a_persistent_scope_answers_every_wait) {
    CHECK_EQ(in_a_task(again_and_again, NULL), 0);
}

static bool others_ran;

static int64_t never_gives_in(rota_task task, void *user_data) {
    rota_scope scope = enter(task, ROTA_SCOPE_PERSISTENT);
    int count = 0;
    (void)user_data;
    CHECK_STATUS(rota_scope_cancel(scope, NULL), ROTA_OK);
    while (!others_ran && count++ < 1000000) {
        CHECK_STATUS(rota_task_yield(task), ROTA_ERR_CANCELLED);
    }
    return 0;
}

static void notes_that_it_ran(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status, (void)user_data;
    others_ran = true;
}

TEST(a_task_in_a_cancelled_persistent_scope_starves_nobody) {
    others_ran = false;
    the_loop = open_jump();
    spawn(the_loop, never_gives_in, NULL);
    CHECK_STATUS(rota_loop_call_soon(the_loop, notes_that_it_ran, NULL, NULL), ROTA_OK);
    turns(the_loop, 3);
    CHECK(others_ran);
    CHECK_STATUS(rota_loop_close(the_loop, SECOND), ROTA_OK);
}

/* ---- stepped tasks, and from outside */

typedef struct {
    rota_scope outer, inner;
    int step;
} steps;

static int64_t by_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    steps *self = user_data;
    int64_t result = outcome->status < 0 ? outcome->status : outcome->value;
    switch (self->step++) {
        case 0:
            self->outer = enter_timeout(task, 10 * SECOND);
            self->inner = enter_timeout(task, SECOND);
            return rota_task_wait(task, rota_loop_sleep(the_loop, HOUR));
        case 1:
            CHECK_STATUS(result, ROTA_ERR_CANCELLED);
            CHECK_TEXT(outcome->message, "the deadline has passed");
            CHECK_STATUS(rota_scope_leave(self->inner, result), ROTA_ERR_TIMEOUT);
            self->inner = enter(task, ROTA_SCOPE_PERSISTENT);
            return rota_task_wait(task, rota_loop_sleep(the_loop, HOUR));
        case 2:
            CHECK_STATUS(result, ROTA_ERR_CANCELLED);
            CHECK_EQ(state_of(self->outer), ROTA_SCOPE_TIMED_OUT);
            CHECK_STATUS(rota_scope_cancel(self->inner, "level"), ROTA_OK);
            return rota_task_wait(task, rota_loop_sleep(the_loop, HOUR));
        case 3:
            CHECK_STATUS(result, ROTA_ERR_CANCELLED);
            CHECK_TEXT(outcome->message, "level");
            return rota_task_wait(task, rota_loop_sleep(the_loop, HOUR));
        default:
            CHECK_STATUS(result, ROTA_ERR_CANCELLED);
            return rota_scope_leave(self->outer, result);
    }
}

TEST(stepped_tasks_have_scopes_too) {
    steps self = {{0}, {0}, 0};
    rota_task task = {0};
    the_loop = open_jump();
    CHECK_STATUS(rota_loop_spawn_stepped(the_loop, by_steps, &self, NULL, &task), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(task)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(self.step, 5);
    close_clean(the_loop);
}

static int64_t just_naps(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return nap(HOUR);
}

TEST(others_may_put_a_task_under_a_deadline) {
    rota_task task;
    the_loop = open_jump();
    task = spawn(the_loop, just_naps, NULL);
    enter_timeout(task, SECOND);
    CHECK_EQ(deadline_of(task), now_of(the_loop) + SECOND);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(task)), ROTA_ERR_TIMEOUT);
    close_clean(the_loop);
}

/* ---- costs and misuse */

static int64_t enters_often(rota_task task, void *user_data) {
    uint64_t before = 0;
    int i;
    (void)user_data;
    for (i = 0; i < 1000; i++) {
        rota_scope scope = enter_timeout(task, SECOND), inner = enter_timeout(task, HOUR);
        CHECK_EQ(rota_scope_leave(inner, nap(1)), 0);
        CHECK_EQ(rota_scope_leave(scope, 0), 0);
        if (i == 10) before = stats_of(the_loop).memory_bytes;
    }
    CHECK_EQ(stats_of(the_loop).memory_bytes, before);
    return 0;
}

TEST(the_steady_state_takes_no_memory) { CHECK_EQ(in_a_task(enters_often, NULL), 0); }

static int64_t does_nothing(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return 0;
}

TEST(misuse_is_a_status) {
    rota_scope scope = {7}, none = {0};
    rota_task task;
    uint64_t deadline = 5;
    the_loop = open_jump();
    task = spawn(the_loop, just_naps, NULL);
    CHECK_STATUS(rota_task_enter_scope(task, 0, 4, &scope), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_enter_scope(task, 0, 0, NULL), ROTA_ERR_INVALID);
    CHECK_EQ(scope.id, 7);
    CHECK_EQ(rota_scope_leave(none, -9), -9);
    CHECK_STATUS(rota_scope_leave(scope, -9), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_scope_cancel(none, NULL), ROTA_ERR_HANDLE);
    CHECK_EQ(stats_of(the_loop).timers, 0);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    task = spawn(the_loop, does_nothing, NULL);
    turn(the_loop);
    CHECK_STATUS(rota_task_enter_timeout(task, SECOND, &scope), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_cancel_with(task, "too late"), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_get_deadline(task, &deadline), ROTA_OK);
    CHECK_EQ(deadline, ROTA_FOREVER);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    CHECK_STATUS(rota_task_get_deadline(task, &deadline), ROTA_ERR_HANDLE);
    close_clean(the_loop);
}

TEST(without_memory_nothing_is_entered) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_scope scopes[4096];
    rota_task task;
    rota_status status = ROTA_OK;
    int count = 0;
    options.memory_limit = stats_of(the_loop = open_jump()).memory_bytes + 60000;
    close_clean(the_loop);
    the_loop = open_with(&options);
    task = spawn(the_loop, just_naps, NULL);
    turn(the_loop);
    while (status == ROTA_OK && count < 4096) {
        status = rota_task_enter_timeout(task, SECOND, &scopes[count]);
        count += status == ROTA_OK;
    }
    CHECK_STATUS(status, ROTA_ERR_MEMORY);
    CHECK_EQ(stats_of(the_loop).timers, (uint64_t)count + 1);
    CHECK_EQ(rota_scope_leave(scopes[count / 2], 0), 0);
    CHECK_EQ(stats_of(the_loop).timers, (uint64_t)(count / 2) + 1);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(task)), ROTA_ERR_TIMEOUT);
    close_clean(the_loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_shield_holds_back_what_comes_from_outside);
    RUN(a_shield_knows_its_own_deadline);
    RUN(a_shield_left_from_outside_delivers_at_once);
    RUN(a_request_that_is_passed_on_waits_at_a_shield);
    RUN(a_persistent_scope_answers_every_wait);
    RUN(a_task_in_a_cancelled_persistent_scope_starves_nobody);
    RUN(stepped_tasks_have_scopes_too);
    RUN(others_may_put_a_task_under_a_deadline);
    RUN(the_steady_state_takes_no_memory);
    RUN(misuse_is_a_status);
    RUN(without_memory_nothing_is_entered);
    return test_end();
}
