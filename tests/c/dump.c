/* A dump of the tasks: who waits for whom, drawn as a tree, and the culprit named. */
#include "rota_test.h"

/* ---- a dump is kept, line by line */

static char dumped[65536];

static void keep(const char *line, void *user_data) {
    size_t length = strlen(dumped);
    CHECK(user_data == dumped);
    CHECK(strchr(line, '\n') == NULL);
    CHECK(snprintf(dumped + length, sizeof dumped - length, "%s\n", line) > 0);
}

static void dump(rota_loop loop) {
    dumped[0] = '\0';
    CHECK_STATUS(rota_loop_dump_tasks(loop, keep, dumped), ROTA_OK);
}

static const char stuck[] =
    "stuck: nothing is ready, no timer is armed, no call and no connection is open: "
    "none of these tasks goes on unless something outside them acts\n";

static void expect(const char *what) {
    if (strstr(dumped, what) == NULL) {
        test_fail(__FILE__, __LINE__, "no \"%s\" in\n%s", what, dumped);
    }
}

/* ---- tasks */

typedef struct actor {
    rota_loop loop;
    rota_lock first, second;
    rota_queue queue;
    rota_future future;
    rota_task task;
    struct actor *others;
} actor;

static rota_task spawn_named(rota_loop loop, rota_task_fn body, void *user_data,
                             const char *name) {
    rota_task_options options;
    rota_task task = {0};
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = name;
    CHECK_STATUS(rota_loop_spawn(loop, body, user_data, &options, &task), ROTA_OK);
    return task;
}

static rota_task_info info_of(rota_task task) {
    rota_task_info info;
    memset(&info, 0x55, sizeof info);
    info.size = sizeof info;
    CHECK_STATUS(rota_task_get_info(task, &info), ROTA_OK);
    CHECK(info.waits_for_what != NULL);
    CHECK_EQ(info.reserved, 0);
    return info;
}

static int64_t naps(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_sleep(((actor *)user_data)->loop, 5 * SECOND));
}

static int64_t awaits_future(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((actor *)user_data)->future);
}

static int64_t joins(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_task_join(((actor *)user_data)->task));
}

static int64_t locks_both(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    CHECK_EQ(rota_await(rota_lock_acquire(self->first)), 0);
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
    return rota_await(rota_lock_acquire(self->second));
}

static int64_t gets(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_queue_get(((actor *)user_data)->queue));
}

static rota_lock open_lock(rota_loop loop) {
    rota_lock lock;
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    return lock;
}

static int64_t waits_for_inner(rota_task task, void *user_data) {
    actor *self = user_data;
    rota_future futures[2];
    (void)task;
    futures[0] = rota_loop_sleep(self->loop, SECOND);
    futures[1] = rota_future_wait_for(rota_task_join(self->task), HOUR);
    return rota_await(rota_loop_gather(self->loop, futures, 2, 0));
}

TEST(whom_one_waits_for_is_seen_through_combinations) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop};
    rota_task outer;
    self.task = spawn_named(loop, naps, &self, "inner");
    outer = spawn_named(loop, waits_for_inner, &self, "outer");
    turns(loop, 2);
    CHECK_TEXT(info_of(outer).waits_for_what, "gather");
    CHECK_EQ(info_of(outer).waits_for_task.id, self.task.id);
    dump(loop);
    expect("outer #2 waits 0.000 s for gather (inner #1), 1 step\n"
           "└─ inner #1 waits 0.000 s for sleep, 1 step\n");
    CHECK_EQ(WAIT(loop, rota_task_join(outer)), 0);
    close_clean(loop);
}

/* ---- stuck on purpose: the dump names the culprit */

TEST(two_locks_in_opposite_order) {
    rota_loop loop = open_jump();
    rota_lock one = open_lock(loop), other = open_lock(loop);
    actor a = {.loop = loop, .first = one, .second = other};
    actor b = {.loop = loop, .first = other, .second = one};
    actor c = {.loop = loop};
    rota_task first = spawn_named(loop, locks_both, &a, "first");
    rota_task second = spawn_named(loop, locks_both, &b, "second");
    c.task = first;
    (void)spawn_named(loop, joins, &c, "watcher");
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, 3 * SECOND + SECOND / 2)), 0);
    CHECK_EQ(info_of(first).waits_for_task.id, second.id);
    CHECK_EQ(info_of(second).waits_for_task.id, first.id);
    CHECK_TEXT(info_of(second).waits_for_what, "lock");
    dump(loop);
    CHECK_TEXT(dumped + strlen(dumped) - strlen(stuck), stuck);
    dumped[strlen(dumped) - strlen(stuck)] = '\0';
    CHECK_TEXT(dumped,
               "3 tasks: 0 run, 0 ready, 3 wait\n"
               "watcher #3 waits 3.500 s for task (first #1), 1 step\n"
               "└─ first #1 waits 2.500 s for lock (second #2), 2 steps\n"
               "   └─ second #2 waits 2.500 s for lock (first #1), 2 steps\n"
               "      └─ first #1 (above: a circle)\n"
               "deadlock: first #1 waits for lock (second #2), "
               "second #2 waits for lock (first #1)\n"
               "longest: watcher #3 3.500 s (task), first #1 2.500 s (lock), "
               "second #2 2.500 s (lock)\n");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

static int64_t locks_twice(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    CHECK_EQ(rota_await(rota_lock_acquire(self->first)), 0);
    return rota_await(rota_lock_acquire(self->first));
}

TEST(a_lock_that_one_holds_already) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .first = open_lock(loop)};
    (void)spawn_named(loop, locks_twice, &self, "twice");
    turns(loop, 1);
    dump(loop);
    expect("deadlock: twice #1 waits for lock (twice #1)\n");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

TEST(a_queue_nobody_puts_into) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop}, idle = {.loop = loop};
    CHECK_STATUS(rota_loop_open_queue(loop, 0, ROTA_QUEUE_FIFO, &self.queue), ROTA_OK);
    (void)spawn_named(loop, gets, &self, "consumer");
    (void)spawn_named(loop, naps, &idle, "sleeper");
    turns(loop, 1);
    dump(loop);
    expect("consumer #1 waits 0.000 s for queue get, 1 step\n"
           "sleeper #2 waits 0.000 s for sleep, 1 step\n");
    CHECK(strstr(dumped, "stuck:") == NULL); /* the sleeper will go on */
    CHECK(strstr(dumped, "deadlock:") == NULL);
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, 9 * SECOND)), 0);
    dump(loop);
    expect("longest: consumer #1 9.000 s (queue get)\n");
    expect(stuck);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

TEST(a_circle_of_joins_and_those_whom_it_holds_up) {
    rota_loop loop = open_jump();
    actor actors[3] = {{.loop = loop}, {.loop = loop}, {.loop = loop}};
    int i;
    static const char *const names[] = {"a", "b", "c"};
    rota_task tasks[3];
    for (i = 0; i < 3; i++) tasks[i] = spawn_named(loop, joins, &actors[i], names[i]);
    for (i = 0; i < 3; i++) actors[i].task = tasks[(i + 1) % 3];
    turns(loop, 1);
    dump(loop);
    expect("a #1 waits 0.000 s for task (b #2), 1 step\n"
           "└─ b #2 waits 0.000 s for task (c #3), 1 step\n"
           "   └─ c #3 waits 0.000 s for task (a #1), 1 step\n"
           "      └─ a #1 (above: a circle)\n"
           "deadlock: a #1 waits for task (b #2), b #2 waits for task (c #3), "
           "c #3 waits for task (a #1)\n");
    CHECK_STATUS(rota_task_cancel(tasks[0]), ROTA_OK); /* goes round once */
    for (i = 0; i < 3; i++) (void)rota_task_detach(tasks[i]);
    run_dry(loop);
    close_clean(loop);
}

static int64_t joins_within(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    rota_future join = rota_task_join(self->task);
    int64_t done = rota_await(rota_loop_wait(self->loop, &join, 1, ROTA_WAIT_ALL, SECOND));
    CHECK_STATUS(rota_future_close(join), ROTA_OK);
    return done;
}

TEST(a_circle_with_a_time_limit_is_no_deadlock) {
    rota_loop loop = open_jump();
    actor a = {.loop = loop}, b = {.loop = loop};
    rota_task first = spawn_named(loop, joins_within, &a, "a");
    rota_task second = spawn_named(loop, joins, &b, "b");
    a.task = second;
    b.task = first;
    turns(loop, 1);
    dump(loop);
    expect("circle: a #1 waits for wait (b #2), b #2 waits for task (a #1)\n");
    CHECK(strstr(dumped, "deadlock") == NULL);
    CHECK_STATUS(rota_task_detach(second), ROTA_OK);
    run_dry(loop);
    close_clean(loop);
}

static int64_t gathers(rota_task task, void *user_data) {
    actor *self = user_data;
    rota_future futures[3];
    int i;
    (void)task;
    for (i = 0; i < 3; i++) futures[i] = rota_task_join(self->others[i].task);
    return rota_await(rota_loop_gather(self->loop, futures, 3, 0));
}

TEST(branches_are_drawn_and_shared_ones_shown_once) {
    rota_loop loop = open_jump();
    actor workers[3] = {{.loop = loop}, {.loop = loop}, {.loop = loop}};
    actor self = {.loop = loop, .others = workers};
    static const char *const names[] = {"x", "y", "z"};
    int i;
    for (i = 0; i < 3; i++) workers[i].task = spawn_named(loop, naps, &workers[i], names[i]);
    CHECK_STATUS(rota_task_detach(workers[1].task), ROTA_OK); /* y: nobody waits for it */
    actor middle = {.loop = loop, .task = workers[0].task};
    workers[1].task = spawn_named(loop, joins, &middle, "middle");
    rota_task root = spawn_named(loop, gathers, &self, "root");
    turns(loop, 1);
    dump(loop);
    expect("root #5 waits 0.000 s for gather (x #1), 1 step\n"
           "├─ x #1 waits 0.000 s for sleep, 1 step\n"
           "├─ middle #4 waits 0.000 s for task (x #1), 1 step\n"
           "│  └─ x #1 (above)\n"
           "└─ z #3 waits 0.000 s for sleep, 1 step\n");
    CHECK_EQ(WAIT(loop, rota_task_join(root)), 0);
    run_dry(loop);
    close_clean(loop);
}

/* ---- from everywhere */

static void dumps_in_callback(rota_loop loop, rota_status status, void *user_data) {
    (void)user_data;
    CHECK_STATUS(status, ROTA_OK);
    dump(loop);
}

static void *posts(void *user_data) {
    CHECK_STATUS(rota_loop_post(*(rota_loop *)user_data, dumps_in_callback, NULL), ROTA_OK);
    return NULL;
}

TEST(another_thread_posts_for_a_dump) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .future = open_future(loop)};
    pthread_t thread;
    rota_task task = spawn_named(loop, awaits_future, &self, "waiter");
    turns(loop, 1);
    dumped[0] = '\0';
    CHECK_EQ(pthread_create(&thread, NULL, posts, &loop), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    turns(loop, 1);
    expect("waiter #1 waits");
    CHECK_STATUS(rota_future_complete(self.future, 2), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 2);
    close_clean(loop);
}

static void tries_to_close(const char *line, void *user_data) {
    rota_loop *loop = user_data;
    CHECK(line[0] != '\0');
    CHECK_STATUS(rota_loop_close(*loop, 0), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_turn(*loop, 0, 0, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_call_soon(*loop, record_call, "called", NULL), ROTA_OK);
    rota_future future = rota_loop_sleep(*loop, 0);
    CHECK_STATUS(rota_await(future), ROTA_ERR_NO_TASK);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
}

static int64_t dumps_itself(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    dump(self->loop);
    expect("self #1 runs, 1 step\n");
    CHECK_STATUS(rota_loop_dump_tasks(self->loop, tries_to_close, &self->loop), ROTA_OK);
    return 0;
}

TEST(a_task_may_dump_and_the_reader_may_not_close) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop};
    rota_task task = spawn_named(loop, dumps_itself, &self, "self");
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_STATUS(rota_loop_dump_tasks(loop, tries_to_close, &loop), ROTA_OK);
    close_clean(loop);
    forget_record();
}

TEST(debug_mode_says_where_a_task_was_started) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.flags = ROTA_LOOP_DEBUG;
    rota_loop loop = open_with(&options);
    actor self = {.loop = loop};
    rota_task task = spawn_named(loop, naps, &self, "nap");
    CHECK(info_of(task).started_at != NULL);
    CHECK(info_of(task).stack_size >= 65536);
    dump(loop);
    expect("nap #1 is ready, 0 steps, started at ");
    expect("+0x");
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    close_clean(loop);
    loop = open_jump();
    self.loop = loop;
    task = spawn(loop, naps, &self);
    CHECK(info_of(task).started_at == NULL);
    CHECK_EQ(info_of(task).stack_used_bytes, 0);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    close_clean(loop);
}

/* ---- no memory */

static bool no_memory;

static void *gives(size_t size, size_t align, void *user_data) {
    (void)align, (void)user_data;
    return no_memory ? NULL : malloc(size);
}

static void *resizes(void *block, size_t old_size, size_t new_size, size_t align, void *user_data) {
    (void)old_size, (void)align, (void)user_data;
    return no_memory && new_size > old_size ? NULL : realloc(block, new_size);
}

static void takes_back(void *block, size_t size, size_t align, void *user_data) {
    (void)size, (void)align, (void)user_data;
    free(block);
}

TEST(without_memory_nothing_is_said) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.allocator.alloc = gives;
    options.allocator.realloc = resizes;
    options.allocator.dealloc = takes_back;
    rota_loop loop = open_with(&options);
    actor self = {.loop = loop};
    rota_task task = spawn(loop, naps, &self), found;
    size_t count = 7;
    no_memory = true;
    dumped[0] = '\0';
    CHECK_STATUS(rota_loop_dump_tasks(loop, keep, dumped), ROTA_ERR_MEMORY);
    CHECK_STATUS(rota_loop_get_tasks(loop, &found, 1, &count), ROTA_ERR_MEMORY);
    no_memory = false;
    CHECK_TEXT(dumped, "");
    CHECK_EQ(count, 7);
    dump(loop);
    expect("is ready");
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(whom_one_waits_for_is_seen_through_combinations);
    RUN(two_locks_in_opposite_order);
    RUN(a_lock_that_one_holds_already);
    RUN(a_queue_nobody_puts_into);
    RUN(a_circle_of_joins_and_those_whom_it_holds_up);
    RUN(a_circle_with_a_time_limit_is_no_deadlock);
    RUN(branches_are_drawn_and_shared_ones_shown_once);
    RUN(another_thread_posts_for_a_dump);
    RUN(a_task_may_dump_and_the_reader_may_not_close);
    RUN(debug_mode_says_where_a_task_was_started);
    RUN(without_memory_nothing_is_said);
    return test_end();
}
