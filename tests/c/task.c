/* Stackful tasks: spawning, waiting, yielding, joining, names. */
#include "rota_test.h"

typedef struct {
    rota_loop loop;
    const char *name;
    rota_future future;
} actor;

static int64_t says_its_name(rota_task task, void *user_data) {
    rota_task current = {0};
    CHECK_STATUS(rota_task_get_current(&current), ROTA_OK);
    CHECK_EQ(current.id, task.id);
    record("%s", (const char *)user_data);
    return 0;
}

/* ---- starting and ending */

TEST(tasks_start_in_order_in_the_next_turn) {
    rota_loop loop = open_jump();
    rota_task current = {3};
    CHECK_STATUS(rota_loop_spawn(loop, says_its_name, "a", NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, says_its_name, "b", NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "c", NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, says_its_name, "d", NULL, NULL), ROTA_OK);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("a b c:ok d");
    CHECK_STATUS(rota_task_get_current(&current), ROTA_ERR_NO_TASK);
    CHECK_EQ(current.id, 3);
    close_clean(loop);
}

static int64_t spawns_another(rota_task task, void *user_data) {
    rota_loop *loop = user_data;
    (void)task;
    CHECK_STATUS(rota_loop_spawn(*loop, says_its_name, "inner", NULL, NULL), ROTA_OK);
    record("outer");
    return 0;
}

TEST(a_task_spawned_by_a_task_starts_in_the_next_turn) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_spawn(loop, spawns_another, &loop, NULL, NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("outer");
    turn(loop);
    CHECK_RECORD("inner");
    close_clean(loop);
}

static int64_t returns_what_it_is_given(rota_task task, void *user_data) {
    (void)task;
    return *(int64_t *)user_data;
}

TEST(joining_gives_what_the_body_returned) {
    static int64_t results[] = {0, 1, INT64_MAX, ROTA_ERR_EOF, ROTA_ERR_INVALID,
                                ROTA_STATUS_HOST, ROTA_STATUS_HOST - 5};
    rota_loop loop = open_jump();
    size_t i;
    for (i = 0; i < COUNT(results); i++) {
        CHECK(run_task(loop, returns_what_it_is_given, &results[i]) == results[i]);
    }
    close_clean(loop);
}

TEST(negatives_that_are_no_status_are_failures_all_the_same) {
    static int64_t results[] = {-19, -999999, INT64_MIN, (int64_t)INT32_MIN - 1};
    rota_loop loop = open_jump();
    size_t i;
    for (i = 0; i < COUNT(results); i++) {
        int64_t result = run_task(loop, returns_what_it_is_given, &results[i]);
        CHECK(result < 0 && strcmp(status_name(result), "?") != 0);
    }
    close_clean(loop);
}

TEST(a_task_may_be_joined_after_its_end_and_by_several) {
    static int64_t seven = 7;
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, returns_what_it_is_given, &seven);
    rota_future one, other;
    turns(loop, 3);
    CHECK_EQ(stats_of(loop).tasks, 1); /* ended, and nobody has looked */
    CHECK_STATUS(rota_task_cancel(task), ROTA_ERR_DONE);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 7);
    task = spawn(loop, returns_what_it_is_given, &seven);
    one = rota_task_join(task);
    other = rota_task_join(task);
    CHECK_STATUS(rota_future_then(one, record_future, "one"), ROTA_OK);
    CHECK_STATUS(rota_future_then(other, record_future, "other"), ROTA_OK);
    turns(loop, 4);
    CHECK_RECORD("one:7 other:7");
    close_clean(loop);
}

TEST(a_detached_task_goes_by_itself) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, says_its_name, "detached");
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("detached");
    CHECK_EQ(stats_of(loop).tasks, 0);
    CHECK_STATUS(rota_task_detach(task), ROTA_ERR_HANDLE);
    task = spawn(loop, says_its_name, "ended");
    turns(loop, 2);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    CHECK_RECORD("ended");
    CHECK_EQ(stats_of(loop).tasks, 0);
    close_clean(loop);
}

/* ---- waiting */

static int64_t awaits(rota_task task, void *user_data) {
    actor *self = user_data;
    int64_t result;
    rota_outcome outcome;
    record("%s>", self->name);
    result = rota_await(self->future);
    CHECK_STATUS(rota_task_get_outcome(task, &outcome), ROTA_OK);
    CHECK_EQ(outcome.status < 0 ? (int64_t)outcome.status : outcome.value, result);
    record("%s<%s%s", self->name, told(result), outcome.message);
    return result;
}

TEST(await_gives_the_outcome_and_the_full_one_stays) {
    rota_loop loop = open_jump();
    actor self = {loop, "t", {0}};
    rota_task task;
    self.future = open_future(loop);
    task = spawn(loop, awaits, &self);
    turns(loop, 2);
    CHECK_RECORD("t>");
    CHECK_STATUS(rota_future_fail(self.future, ROTA_ERR_EOF, "!"), ROTA_OK);
    CHECK_RECORD("");
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_EOF);
    CHECK_RECORD("t<-21!");
    CHECK_STATUS(rota_future_close(self.future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(waiters_of_one_future_go_on_in_the_order_they_came) {
    rota_loop loop = open_jump();
    actor actors[3] = {{loop, "a", {0}}, {loop, "b", {0}}, {loop, "c", {0}}};
    rota_future future = open_future(loop);
    size_t i;
    for (i = 0; i < COUNT(actors); i++) {
        actors[i].future = future;
        CHECK_STATUS(rota_loop_spawn(loop, awaits, &actors[i], NULL, NULL), ROTA_OK);
    }
    turn(loop);
    CHECK_RECORD("a> b> c>");
    CHECK_STATUS(rota_future_complete(future, 4), ROTA_OK);
    turn(loop);
    CHECK_RECORD("a<4 b<4 c<4");
    close_clean(loop);
}

static int64_t awaits_complete_ones(rota_task task, void *user_data) {
    actor *self = user_data;
    int i;
    (void)task;
    for (i = 0; i < 3; i++) {
        rota_future future = rota_future_open(self->loop);
        CHECK_STATUS(rota_future_complete(future, i), ROTA_OK);
        CHECK_EQ(rota_await(future), i);
        record("%s%d", self->name, i);
    }
    return 0;
}

TEST(awaiting_what_is_complete_does_not_give_up_the_turn) {
    rota_loop loop = open_jump();
    actor a = {loop, "a", {0}}, b = {loop, "b", {0}};
    CHECK_STATUS(rota_loop_spawn(loop, awaits_complete_ones, &a, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, awaits_complete_ones, &b, NULL, NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("a0 a1 a2 b0 b1 b2");
    close_clean(loop);
}

static int64_t yields(rota_task task, void *user_data) {
    int i;
    for (i = 0; i < 3; i++) {
        record("%s%d", (const char *)user_data, i);
        CHECK_EQ(rota_task_yield(task), 0);
    }
    return 0;
}

TEST(yield_gives_up_the_turn) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_spawn(loop, yields, "a", NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, yields, "b", NULL, NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("a0 b0");
    turn(loop);
    CHECK_RECORD("a1 b1");
    turns(loop, 2);
    CHECK_RECORD("a2 b2");
    close_clean(loop);
}

/* ---- awaiting where it cannot be */

static void awaits_in_a_callback(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status;
    CHECK_STATUS(rota_await(*(rota_future *)user_data), ROTA_ERR_NO_TASK);
    record("refused");
}

TEST(await_outside_a_task_consumes_nothing) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_await(future), ROTA_ERR_NO_TASK);
    CHECK_STATUS(rota_loop_call_soon(loop, awaits_in_a_callback, &future, NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("refused");
    CHECK_STATUS(rota_future_complete(future, 8), ROTA_OK);
    CHECK_STATUS(rota_await(future), ROTA_ERR_NO_TASK);
    CHECK_EQ(WAIT(loop, future), 8);
    close_clean(loop);
}

static void awaits_for_the_task(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status;
    CHECK_STATUS(rota_await(*(rota_future *)user_data), ROTA_ERR_NO_TASK);
    record("inner refused");
}

/* A turn of another loop, driven from a task: in it, the task is not the innermost thing. */
static int64_t drives_another_loop(rota_task task, void *user_data) {
    actor *self = user_data; /* its loop is the other one */
    rota_task current = {0};
    CHECK_STATUS(rota_loop_call_soon(self->loop, awaits_for_the_task, &self->future, NULL),
                 ROTA_OK);
    turn(self->loop);
    CHECK_STATUS(rota_task_get_current(&current), ROTA_OK);
    CHECK_EQ(current.id, task.id);
    return rota_await(self->future);
}

TEST(await_in_a_loop_driven_from_a_task_is_refused) {
    rota_loop loop = open_jump(), other = open_jump();
    actor self = {other, "t", {0}};
    self.future = open_future(loop);
    CHECK_STATUS(rota_future_complete(self.future, 3), ROTA_OK);
    CHECK_EQ(run_task(loop, drives_another_loop, &self), 3);
    CHECK_RECORD("inner refused");
    close_clean(loop);
    close_clean(other);
}

static int64_t awaits_nonsense(rota_task task, void *user_data) {
    rota_future null = {0}, of_another_loop = *(rota_future *)user_data;
    rota_future stale = of_another_loop;
    CHECK_STATUS(rota_await(null), ROTA_ERR_HANDLE);
    CHECK(rota_await(of_another_loop) < 0);
    stale.id = task.id;
    CHECK_STATUS(rota_await(stale), ROTA_ERR_HANDLE);
    CHECK_EITHER(rota_task_yield((rota_task){0}), ROTA_ERR_HANDLE, ROTA_ERR_NO_TASK);
    return 0;
}

TEST(awaiting_nonsense_is_refused) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_future future = open_future(other);
    CHECK_EQ(run_task(loop, awaits_nonsense, &future), 0);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    close_clean(loop);
    close_clean(other);
}

/* ---- options */

static void frees(void *user_data) { record("freed %s", (const char *)user_data); }

TEST(user_data_is_freed_once_after_the_end) {
    rota_loop loop = open_jump(), null = {0};
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = frees;
    CHECK_STATUS(rota_loop_spawn(loop, says_its_name, "x", &options, NULL), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("x freed x");
    CHECK_STATUS(rota_loop_spawn(loop, NULL, "y", &options, NULL), ROTA_ERR_INVALID);
    CHECK_RECORD("freed y"); /* also when it could not be spawned */
    CHECK_STATUS(rota_loop_spawn(null, says_its_name, "z", &options, NULL), ROTA_ERR_HANDLE);
    CHECK_RECORD("freed z");
    close_clean(loop);
}

TEST(task_options_are_checked) {
    rota_loop loop = open_jump();
    rota_task_options options;
    rota_task task = {11};
    CHECK_STATUS(rota_task_options_init(&options, 1), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = 1u << 31;
    CHECK_STATUS(rota_loop_spawn(loop, yields, NULL, &options, &task), ROTA_ERR_INVALID);
    options.flags = 0;
    options.stack_size = SIZE_MAX;
    CHECK(rota_loop_spawn(loop, yields, NULL, &options, &task) < 0);
    options.stack_size = 0;
    options.name = "\xff\xfe";
    CHECK_EITHER(rota_loop_spawn(loop, yields, "n", &options, NULL), ROTA_ERR_INVALID, ROTA_OK);
    options.name = NULL;
    options.size = 2;
    CHECK_STATUS(rota_loop_spawn(loop, yields, NULL, &options, &task), ROTA_ERR_INVALID);
    CHECK_EQ(task.id, 11);
    turns(loop, 5);
    forget_record();
    close_clean(loop);
}

TEST(names_are_kept) {
    rota_loop loop = open_jump();
    rota_task_options options;
    rota_task task = {0};
    char name[] = "worker 1", buffer[32] = "", tiny[4] = "###";
    size_t length = 0;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = name;
    CHECK_STATUS(rota_loop_spawn(loop, says_its_name, "n", &options, &task), ROTA_OK);
    name[0] = '?'; /* it was copied */
    CHECK_STATUS(rota_task_get_name(task, buffer, sizeof buffer, &length), ROTA_OK);
    CHECK_EQ(length, strlen("worker 1"));
    CHECK_TEXT(buffer, "worker 1");
    (void)rota_task_get_name(task, tiny, sizeof tiny, &length); /* cut or refused */
    CHECK(memchr(tiny, '\0', sizeof tiny) != NULL);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_STATUS(rota_task_get_name(task, buffer, sizeof buffer, &length), ROTA_ERR_HANDLE);
    CHECK_RECORD("n");
    close_clean(loop);
}

static int64_t digs(int depth) {
    volatile char room[1024];
    room[0] = (char)depth;
    room[1023] = room[0];
    return depth == 0 ? room[1023] : digs(depth - 1) + (room[0] != room[1023]);
}

static int64_t uses_its_stack(rota_task task, void *user_data) {
    (void)task;
    return digs(*(int *)user_data);
}

TEST(stacks_have_the_size_that_was_asked_for) {
    rota_loop loop = open_jump();
    rota_task_options options;
    rota_task task = {0};
    int depth = 100;
    CHECK_EQ(run_task(loop, uses_its_stack, &depth), 0);
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.stack_size = 4u << 20;
    depth = 3000;
    CHECK_STATUS(rota_loop_spawn(loop, uses_its_stack, &depth, &options, &task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    close_clean(loop);
}

TEST(thousands_of_tasks_at_once) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    actor self = {loop, "", {0}};
    int i;
    self.future = future;
    for (i = 0; i < 400; i++) {
        CHECK_STATUS(rota_loop_spawn(loop, awaits, &self, NULL, NULL), ROTA_OK);
    }
    turn(loop);
    CHECK_EQ(stats_of(loop).tasks, 400);
    CHECK_STATUS(rota_future_complete(future, 0), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(stats_of(loop).tasks, 0);
    CHECK_EQ(test_record_length, 400 * 2 + 400 * 4 - 1);
    forget_record();
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(tasks_start_in_order_in_the_next_turn);
    RUN(a_task_spawned_by_a_task_starts_in_the_next_turn);
    RUN(joining_gives_what_the_body_returned);
    RUN(negatives_that_are_no_status_are_failures_all_the_same);
    RUN(a_task_may_be_joined_after_its_end_and_by_several);
    RUN(a_detached_task_goes_by_itself);
    RUN(await_gives_the_outcome_and_the_full_one_stays);
    RUN(waiters_of_one_future_go_on_in_the_order_they_came);
    RUN(awaiting_what_is_complete_does_not_give_up_the_turn);
    RUN(yield_gives_up_the_turn);
    RUN(await_outside_a_task_consumes_nothing);
    RUN(await_in_a_loop_driven_from_a_task_is_refused);
    RUN(awaiting_nonsense_is_refused);
    RUN(user_data_is_freed_once_after_the_end);
    RUN(task_options_are_checked);
    RUN(names_are_kept);
    RUN(stacks_have_the_size_that_was_asked_for);
    RUN(thousands_of_tasks_at_once);
    return test_end();
}
