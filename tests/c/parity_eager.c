/* asyncio's tests of eager tasks and of the context that a task carries along, restated. */
#include "parity.h"

static rota_task_options eager(const char *name) {
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = ROTA_TASK_EAGER;
    options.name = name;
    return options;
}

static rota_task spawn_eager(rota_loop loop, rota_task_fn body, void *user_data) {
    rota_task_options options = eager(NULL);
    rota_task task = {0};
    CHECK_STATUS(rota_loop_spawn(loop, body, user_data, &options, &task), ROTA_OK);
    return task;
}

static rota_task current(void) {
    rota_task task = {0};
    CHECK_STATUS(rota_task_get_current(&task), ROTA_OK);
    return task;
}

/* What the tasks of a test share. */
typedef struct {
    rota_loop loop;
    rota_future future, second;
    rota_task child;
    bool running;
} family;

/* ---- ending inside the call */

static int64_t completes_it(rota_task task, void *user_data) {
    (void)task;
    CHECK_STATUS(rota_future_complete(((family *)user_data)->future, 42), ROTA_OK);
    return 0;
}

static int64_t awaits_what_a_child_completed(rota_task task, void *user_data) {
    family *self = user_data;
    rota_task child = spawn_eager(self->loop, completes_it, self);
    (void)task;
    CHECK_STATUS(rota_task_cancel(child), ROTA_ERR_DONE); /* it has ended */
    CHECK_EQ(rota_await(rota_task_join(child)), 0);
    return rota_await(self->future);
}

TEST(an_eager_task_may_complete_what_its_parent_waits_for_then) {
    family self = {.loop = open_jump()};
    self.future = open_future(self.loop);
    CHECK_EQ(run_task(self.loop, awaits_what_a_child_completed, &self), 42);
    close_clean(self.loop);
}

static int64_t returns_seven(rota_task task, void *user_data) {
    char name[16];
    CHECK_STATUS(rota_task_get_name(task, name, sizeof name, NULL), ROTA_OK);
    record("%s", name);
    ((family *)user_data)->running = false;
    return 7;
}

static int64_t joins_one_that_has_ended(rota_task task, void *user_data) {
    family *self = user_data;
    rota_task_options options = eager("example");
    (void)task;
    self->running = true;
    CHECK_STATUS(rota_loop_spawn(self->loop, returns_seven, self, &options, &self->child), ROTA_OK);
    CHECK(!self->running); /* it has run, under its name, before the spawn returned */
    CHECK_RECORD("example");
    CHECK_STATUS(rota_task_cancel(self->child), ROTA_ERR_DONE); /* too late: it keeps its value */
    return rota_await(rota_task_join(self->child));
}

TEST(an_eager_task_that_never_waits_has_ended_when_the_spawn_returns) {
    family self = {.loop = open_jump()};
    CHECK_EQ(run_task(self.loop, joins_one_that_has_ended, &self), 7);
    close_clean(self.loop);
}

/* ---- waiting after the first step */

static int64_t sleeps_and_returns(rota_task task, void *user_data) {
    family *self = user_data;
    int64_t result;
    CHECK_EQ(current().id, task.id);
    record("step");
    result = rota_await(rota_loop_sleep(self->loop, 100));
    CHECK_EQ(current().id, task.id); /* the same after the wait as before */
    return result < 0 ? result : 9;
}

static int64_t joins_one_that_waits(rota_task task, void *user_data) {
    family *self = user_data;
    self->child = spawn_eager(self->loop, sleeps_and_returns, self);
    CHECK_RECORD("step");
    CHECK_EQ(current().id, task.id); /* ours again, when the spawn has returned */
    return rota_await(rota_task_join(self->child));
}

TEST(an_eager_task_that_waits_goes_on_like_any_other) {
    family self = {.loop = open_jump()};
    uint64_t began = now_of(self.loop);
    CHECK_EQ(run_task(self.loop, joins_one_that_waits, &self), 9);
    CHECK_EQ(now_of(self.loop) - began, 100);
    close_clean(self.loop);
}

static int64_t cancels_one_that_waits(rota_task task, void *user_data) {
    family *self = user_data;
    (void)task;
    self->child = spawn_eager(self->loop, sleeps_and_returns, self);
    CHECK_RECORD("step");
    CHECK_STATUS(rota_task_cancel(self->child), ROTA_OK);
    CHECK_EQ(cancelling(self->child), 1);
    return rota_await(rota_task_join(self->child));
}

TEST(an_eager_task_that_waits_can_be_cancelled) {
    family self = {.loop = open_jump()};
    uint64_t began = now_of(self.loop);
    CHECK_STATUS(run_task(self.loop, cancels_one_that_waits, &self), CANCELLED);
    CHECK_EQ(now_of(self.loop), began);
    close_clean(self.loop);
}

/* ---- how many there are */

static int64_t counts_inside(rota_task task, void *user_data) {
    family *self = user_data;
    (void)task;
    CHECK_EQ(stats_of(self->loop).tasks, 2);
    if (self->future.id == 0) return 0;
    CHECK_EQ(rota_await(self->future), 1);
    CHECK_STATUS(rota_future_complete(self->second, 1), ROTA_OK);
    return 0;
}

static int64_t counts_outside(rota_task task, void *user_data) {
    family *self = user_data;
    rota_task_options options = eager(NULL);
    (void)task;
    CHECK_STATUS(rota_loop_spawn(self->loop, counts_inside, self, &options, NULL), ROTA_OK);
    CHECK_EQ(stats_of(self->loop).tasks, 1); /* it has ended */
    self->future = open_future(self->loop);
    self->second = open_future(self->loop);
    CHECK_STATUS(rota_loop_spawn(self->loop, counts_inside, self, &options, NULL), ROTA_OK);
    CHECK_EQ(stats_of(self->loop).tasks, 2); /* it waits */
    CHECK_STATUS(rota_future_complete(self->future, 1), ROTA_OK);
    CHECK_EQ(rota_await(self->second), 1);
    CHECK_EQ(stats_of(self->loop).tasks, 1);
    return 0;
}

TEST(an_eager_task_counts_from_its_first_step_to_its_end) {
    family self = {.loop = open_jump()};
    CHECK_EQ(run_task(self.loop, counts_outside, &self), 0);
    close_clean(self.loop);
}

enum { WIDTH = 5, DEPTH = 4, NODES = 1 + 5 + 25 + 125 + 625 };

static rota_loop tree_loop;
static uint32_t tree_flags;
static int nodes;

/* A task gathers five more, and each of them five more, and so on. */
static int64_t grows(rota_task task, void *user_data) {
    static int depths[DEPTH + 1] = {0, 1, 2, 3, 4};
    int depth = *(int *)user_data, i;
    rota_future ends[WIDTH];
    rota_task_options options = eager(NULL);
    (void)task;
    nodes++;
    if (depth == 0) return 0;
    options.flags = tree_flags;
    for (i = 0; i < WIDTH; i++) {
        rota_task child = {0};
        CHECK_STATUS(rota_loop_spawn(tree_loop, grows, &depths[depth - 1], &options, &child),
                     ROTA_OK);
        ends[i] = rota_task_join(child);
    }
    return rota_await(rota_loop_gather(tree_loop, ends, WIDTH, 0));
}

TEST(a_tree_of_gathers_is_the_same_with_eager_tasks_and_others) {
    static int depth = DEPTH;
    for (tree_flags = 0; tree_flags <= ROTA_TASK_EAGER; tree_flags += ROTA_TASK_EAGER) {
        rota_task root;
        tree_loop = open_jump();
        nodes = 0;
        root = spawn(tree_loop, grows, &depth);
        turn(tree_loop);
        CHECK_EQ(nodes, tree_flags == 0 ? 1 : NODES); /* all in one turn, or level by level */
        CHECK_EQ(join(tree_loop, root), 0);
        CHECK_EQ(nodes, NODES);
        close_clean(tree_loop);
    }
}

/* ---- what a task carries along */

static const char key;

static void set(const char *value) {
    CHECK_STATUS(rota_task_set_local(current(), &key, (void *)value, NULL), ROTA_OK);
}

static const char *get(void) {
    void *value = NULL;
    rota_status status = rota_task_get_local(current(), &key, &value);
    if (status == ROTA_ERR_NOT_FOUND) return "none";
    CHECK_STATUS(status, ROTA_OK);
    return value;
}

static int64_t child_sets(rota_task task, void *user_data) {
    (void)task;
    CHECK_EQ(rota_await(rota_loop_sleep(((family *)user_data)->loop, 10)), 0);
    CHECK_TEXT(get(), "none"); /* as it was at the spawn */
    set("something else");
    return 0;
}

static int64_t parent_sets(rota_task task, void *user_data) {
    family *self = user_data;
    (void)task;
    CHECK_TEXT(get(), "none");
    self->child = spawn(self->loop, child_sets, self);
    set("yes");
    CHECK_TEXT(get(), "yes");
    CHECK_EQ(rota_await(rota_task_join(self->child)), 0);
    CHECK_TEXT(get(), "yes");
    return 0;
}

TEST(parent_and_child_do_not_see_what_the_other_sets_later) {
    family self = {.loop = open_jump()};
    CHECK_EQ(run_task(self.loop, parent_sets, &self), 0);
    close_clean(self.loop);
}

static void knows_no_task(rota_future future, int64_t result, void *user_data) {
    rota_task none = {0};
    (void)future, (void)result;
    CHECK_STATUS(rota_task_get_current(&none), ROTA_ERR_NO_TASK);
    ++*(int *)user_data;
}

static void completes_later(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status;
    CHECK_STATUS(rota_future_complete(*(rota_future *)user_data, 0), ROTA_OK);
}

static int64_t sets_around_callbacks(rota_task task, void *user_data) {
    static const char *const values[4] = {"a", "b", "c", "d"};
    family *self = user_data;
    int i, callbacks = 0;
    (void)task;
    for (i = 0; i < 4; i++) {
        rota_future future = open_future(self->loop);
        CHECK_STATUS(rota_future_then(future, knows_no_task, &callbacks), ROTA_OK);
        set(values[i]);
        CHECK_STATUS(rota_loop_call_soon(self->loop, completes_later, &future, NULL), ROTA_OK);
        CHECK_EQ(rota_await(future), 0);
        CHECK_EQ(callbacks, i + 1);
        CHECK_TEXT(get(), values[i]);
        CHECK_EQ(rota_await(rota_loop_sleep(self->loop, 1)), 0);
        CHECK_TEXT(get(), values[i]);
    }
    return 0;
}

TEST(callbacks_have_no_tasks_values_and_waits_leave_them_as_they_are) {
    family self = {.loop = open_jump()};
    CHECK_EQ(run_task(self.loop, sets_around_callbacks, &self), 0);
    close_clean(self.loop);
}

static int64_t sets_its_own(rota_task task, void *user_data) {
    static const char digits[] = "0123456789abcdefghij";
    uint64_t state = *(uint64_t *)user_data;
    int i;
    (void)task;
    for (i = 0; i < 10; i++) {
        const char *mine = &digits[test_random(&state) % 20];
        set(mine);
        CHECK_EQ(rota_await(rota_loop_sleep(tree_loop, test_random(&state) % 50)), 0);
        CHECK(get() == mine);
    }
    return 0;
}

TEST(a_hundred_tasks_have_a_value_each) {
    static uint64_t seeds[100];
    rota_task tasks[100];
    int i;
    tree_loop = open_jump();
    for (i = 0; i < 100; i++) {
        seeds[i] = (uint64_t)i + 1;
        tasks[i] = spawn(tree_loop, sets_its_own, &seeds[i]);
    }
    for (i = 0; i < 100; i++) CHECK_EQ(join(tree_loop, tasks[i]), 0);
    close_clean(tree_loop);
}

static int64_t eager_child_sets(rota_task task, void *user_data) {
    (void)task;
    CHECK_TEXT(get(), "1");
    set("2");
    record("first");
    CHECK_EQ(rota_await(rota_loop_sleep(((family *)user_data)->loop, 10)), 0);
    CHECK_TEXT(get(), "2");
    set("3");
    record("second");
    return 0;
}

static int64_t parent_of_an_eager_one(rota_task task, void *user_data) {
    family *self = user_data;
    (void)task;
    set("1");
    self->child = spawn_eager(self->loop, eager_child_sets, self);
    CHECK_RECORD("first");
    CHECK_TEXT(get(), "1");
    CHECK_EQ(rota_await(rota_task_join(self->child)), 0);
    CHECK_RECORD("second");
    CHECK_TEXT(get(), "1");
    return 0;
}

TEST(an_eager_child_has_its_parents_values_and_sets_its_own) {
    family self = {.loop = open_jump()};
    CHECK_EQ(run_task(self.loop, parent_of_an_eager_one, &self), 0);
    close_clean(self.loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(an_eager_task_may_complete_what_its_parent_waits_for_then);
    RUN(an_eager_task_that_never_waits_has_ended_when_the_spawn_returns);
    RUN(an_eager_task_that_waits_goes_on_like_any_other);
    RUN(an_eager_task_that_waits_can_be_cancelled);
    RUN(an_eager_task_counts_from_its_first_step_to_its_end);
    RUN(a_tree_of_gathers_is_the_same_with_eager_tasks_and_others);
    RUN(parent_and_child_do_not_see_what_the_other_sets_later);
    RUN(callbacks_have_no_tasks_values_and_waits_leave_them_as_they_are);
    RUN(a_hundred_tasks_have_a_value_each);
    RUN(an_eager_child_has_its_parents_values_and_sets_its_own);
    return test_end();
}
