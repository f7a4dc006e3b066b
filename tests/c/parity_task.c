/* asyncio's tests of tasks, restated: what they come to, who is running, sleeping, stopping. */
#include "parity.h"

/* ---- outcomes */

static int64_t returns_it(rota_task task, void *user_data) {
    (void)task;
    return *(int64_t *)user_data;
}

static int64_t adds_up(rota_task task, void *user_data) {
    static int64_t one = 42, other = 1000;
    rota_loop loop = *(rota_loop *)user_data;
    int64_t left, right;
    (void)task;
    left = rota_await(rota_task_join(spawn(loop, returns_it, &one)));
    right = rota_await(rota_task_join(spawn(loop, returns_it, &other)));
    return left + right;
}

TEST(a_task_adds_up_what_two_others_return) {
    rota_loop loop = open_jump();
    CHECK_EQ(run_task(loop, adds_up, &loop), 1042);
    close_clean(loop);
}

TEST(tasks_belong_to_the_loop_they_were_spawned_on) {
    rota_loop one = open_jump(), other = open_jump();
    static int64_t seven = 7;
    rota_task here = spawn(one, returns_it, &seven), there = spawn(other, returns_it, &seven);
    rota_future end = rota_task_join(there);
    CHECK_STATUS(rota_loop_run_until(one, end), ROTA_ERR_HANDLE);
    CHECK_EQ(join(one, here), 7);
    CHECK_EQ(stats_of(other).tasks, 1); /* it has not even begun */
    CHECK_EQ(WAIT(other, end), 7);
    close_clean(one);
    close_clean(other);
}

TEST(nobody_completes_a_task_from_outside) {
    rota_loop loop = open_jump();
    static int64_t seven = 7;
    rota_future end = rota_task_join(spawn(loop, returns_it, &seven));
    CHECK_STATUS(rota_future_complete(end, 1), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_complete_with(end, NULL, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_fail(end, ROTA_STATUS_HOST, "no"), ROTA_ERR_INVALID);
    CHECK_EQ(WAIT(loop, end), 7);
    close_clean(loop);
}

static int64_t takes_an_object(rota_task task, void *user_data) {
    rota_future future = *(rota_future *)user_data;
    void *result = NULL;
    (void)task;
    CHECK_EQ(rota_await(future), 0);
    CHECK_STATUS(rota_future_take_result(future, &result), ROTA_OK);
    record("%s", (const char *)result);
    return 0;
}

TEST(a_task_gets_the_very_object_that_its_future_brings) {
    rota_loop loop = open_jump();
    static char object[] = "object";
    rota_future future = open_future(loop);
    rota_task task = spawn(loop, takes_an_object, &future);
    turn(loop);
    CHECK_STATUS(rota_future_complete_with(future, object, NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("object");
    CHECK_EQ(join(loop, task), 0);
    close_clean(loop);
}

static int64_t joins_itself(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_STATUS(rota_await(rota_task_join(task)), ROTA_ERR_INVALID);
    return 4;
}

TEST(a_task_that_waits_for_itself_is_told_and_goes_on) {
    rota_loop loop = open_jump();
    CHECK_EQ(run_task(loop, joins_itself, NULL), 4);
    close_clean(loop);
}

static int64_t fails(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return ROTA_STATUS_HOST;
}

TEST(cancelling_a_task_that_failed_is_not_looking_at_it) {
    rota_loop loop = open_logged();
    rota_task task = spawn(loop, fails, NULL);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(task), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    turn(loop);
    CHECK_EQ(log_lines, 1);
    close_clean(loop);
}

/* ---- who is running */

static bool is_current(rota_task task) {
    rota_task current = {0};
    return rota_task_get_current(&current) == ROTA_OK && current.id == task.id;
}

typedef struct {
    rota_future waits_for, completes;
    bool completes_first;
    int at;
} dancer;

static void dance(dancer *self) { CHECK_STATUS(rota_future_complete(self->completes, 1), ROTA_OK); }

static int64_t dances(rota_task task, void *user_data) {
    dancer *self = user_data;
    CHECK(is_current(task));
    if (self->completes_first) dance(self);
    CHECK_EQ(rota_await(self->waits_for), 1);
    CHECK(is_current(task));
    if (!self->completes_first) dance(self);
    return 0;
}

static int64_t dances_in_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    dancer *self = user_data;
    CHECK(is_current(task));
    if (self->at++ == 0) {
        if (self->completes_first) dance(self);
        return rota_task_wait(task, self->waits_for);
    }
    CHECK_EQ(outcome->value, 1);
    if (!self->completes_first) dance(self);
    return 0;
}

TEST(the_current_task_is_right_however_tasks_take_turns) {
    int kind;
    for (kind = STACKFUL; kind < KINDS; kind++) {
        rota_loop loop = open_jump();
        rota_future one = open_future(loop), other = open_future(loop);
        dancer left = {one, other, false, 0}, right = {other, one, true, 0};
        rota_task task = {0}, second = spawn(loop, dances, &left);
        CHECK(!is_current(second));
        CHECK_STATUS(kind == STEPPED
                         ? rota_loop_spawn_stepped(loop, dances_in_steps, &right, NULL, &task)
                         : rota_loop_spawn(loop, dances, &right, NULL, &task),
                     ROTA_OK);
        CHECK_EQ(join(loop, task), 0);
        CHECK_EQ(join(loop, second), 0);
        CHECK_STATUS(rota_task_get_current(&task), ROTA_ERR_NO_TASK);
        close_clean(loop);
    }
}

static int64_t says_its_name(rota_task task, void *user_data) {
    char name[32];
    (void)user_data;
    CHECK_STATUS(rota_task_get_name(task, name, sizeof name, NULL), ROTA_OK);
    record("%s", name);
    return 0;
}

TEST(a_task_has_the_name_it_was_given_from_its_first_turn) {
    rota_loop loop = open_jump();
    rota_task_options options;
    rota_task task = {0};
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = "example";
    CHECK_STATUS(rota_loop_spawn(loop, says_its_name, NULL, &options, &task), ROTA_OK);
    CHECK_RECORD(""); /* it starts in the next turn */
    CHECK_EQ(join(loop, task), 0);
    CHECK_EQ(run_task(loop, says_its_name, NULL), 0);
    CHECK_RECORD("example task");
    close_clean(loop);
}

/* ---- sleeping */

static int64_t sleeps_twice(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    (void)task;
    CHECK_EQ(rota_await(rota_loop_sleep(loop, 50 * MILLISECOND)), 0);
    CHECK_EQ(rota_await(rota_loop_sleep(loop, 50 * MILLISECOND)), 0);
    return 5;
}

TEST(two_sleeps_take_as_long_as_both) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    CHECK_EQ(run_task(loop, sleeps_twice, &loop), 5);
    CHECK_EQ(now_of(loop) - began, 100 * MILLISECOND);
    close_clean(loop);
}

static int64_t queues_and_sleeps_not(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    uint64_t began = now_of(loop);
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "queued", NULL), ROTA_OK);
    CHECK_RECORD("");
    CHECK_EQ(rota_await(rota_loop_sleep(loop, 0)), 0);
    CHECK_RECORD("queued:ok");
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "again", NULL), ROTA_OK);
    CHECK_EQ(rota_task_yield(task), 0);
    CHECK_RECORD("again:ok");
    CHECK_EQ(now_of(loop), began);
    return 0;
}

TEST(a_sleep_of_nothing_lets_what_was_queued_run_first) {
    rota_loop loop = open_jump();
    CHECK_EQ(run_task(loop, queues_and_sleeps_not, &loop), 0);
    close_clean(loop);
}

/* ---- stopping */

typedef struct {
    rota_loop loop;
    int count;
} counter;

static int64_t stops_at_two(rota_task task, void *user_data) {
    counter *self = user_data;
    (void)task;
    while (self->count < 10) {
        int64_t result = rota_await(rota_loop_sleep(self->loop, 100 * MILLISECOND));
        if (result < 0) return result;
        if (++self->count == 2) CHECK_STATUS(rota_loop_stop(self->loop), ROTA_OK);
    }
    return 0;
}

TEST(a_run_that_was_stopped_says_so_and_its_task_goes_on) {
    rota_loop loop = open_jump();
    counter self = {loop, 0};
    rota_task task = spawn(loop, stops_at_two, &self);
    rota_future end = rota_task_join(task);
    CHECK_STATUS(rota_loop_run_until(loop, end), ROTA_ERR_STOPPED);
    CHECK_EQ(self.count, 2);
    CHECK(pending(end));
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_loop_run_until(loop, end), CANCELLED);
    CHECK_EQ(self.count, 2);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_task_adds_up_what_two_others_return);
    RUN(tasks_belong_to_the_loop_they_were_spawned_on);
    RUN(nobody_completes_a_task_from_outside);
    RUN(a_task_gets_the_very_object_that_its_future_brings);
    RUN(a_task_that_waits_for_itself_is_told_and_goes_on);
    RUN(cancelling_a_task_that_failed_is_not_looking_at_it);
    RUN(the_current_task_is_right_however_tasks_take_turns);
    RUN(a_task_has_the_name_it_was_given_from_its_first_turn);
    RUN(two_sleeps_take_as_long_as_both);
    RUN(a_sleep_of_nothing_lets_what_was_queued_run_first);
    RUN(a_run_that_was_stopped_says_so_and_its_task_goes_on);
    return test_end();
}
