/* The hook that is told of tasks: spawned, resumed, paused, ended, for both kinds of body. */
#include "rota_test.h"

static rota_loop hook_loop;
static rota_task first;
static char letter_of_last;

/* Tasks are lettered in the order in which they are seen. */
static char letter(rota_task task) {
    static rota_task known[26];
    static int count;
    int i;
    if (first.id == 0) count = 0;
    for (i = 0; i < count && known[i].id != task.id; i++) continue;
    if (i == count) known[count++] = task;
    first = known[0];
    letter_of_last = (char)('a' + i);
    return letter_of_last;
}

static void hears(rota_task task, uint32_t event, void *user_data) {
    static const char *const words[] = {"?", "spawned", "resumed", "paused", "ended"};
    rota_task current;
    void *value;
    CHECK(event >= ROTA_TASK_SPAWNED && event <= ROTA_TASK_ENDED);
    CHECK_TEXT((const char *)user_data, "data");
    record("%c:%s", letter(task), words[event]);
    /* It is a hook: nothing of rota answers. */
    CHECK_EITHER(rota_task_get_current(&current), ROTA_ERR_REENTRANT, ROTA_ERR_NO_TASK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_task_get_local(task, &first, &value), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_call_soon(hook_loop, record_call, "never", NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_stop(hook_loop), ROTA_ERR_REENTRANT);
}

static rota_loop open_hooked(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.task_hook = hears;
    options.task_hook_data = "data";
    first = (rota_task){0};
    hook_loop = open_with(&options);
    return hook_loop;
}

static int64_t naps(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    record("nap");
    return rota_await(rota_loop_sleep(hook_loop, SECOND));
}

static int64_t yields(rota_task task, void *user_data) {
    (void)user_data;
    return rota_task_yield(task);
}

TEST(a_task_is_told_from_its_spawn_to_its_end) {
    rota_loop loop = open_hooked();
    rota_task task = spawn(loop, naps, NULL);
    CHECK_RECORD("a:spawned");
    turns(loop, 1);
    CHECK_RECORD("a:resumed nap a:paused");
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("a:resumed a:ended");
    task = spawn(loop, yields, NULL);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("b:spawned b:resumed b:paused b:resumed b:ended");
    close_clean(loop);
}

static int64_t steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    int *step = user_data;
    (void)outcome;
    switch ((*step)++) {
    case 0: return rota_task_wait(task, rota_future_open(hook_loop));
    default: return 0;
    }
}

TEST(a_stepped_one_too_and_one_that_is_cancelled) {
    rota_loop loop = open_hooked();
    rota_task task;
    int step = 0;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, steps, &step, NULL, &task), ROTA_OK);
    turns(loop, 1);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("a:spawned a:resumed a:paused a:resumed a:ended");
    close_clean(loop);
}

static int64_t spawns_eagerly(rota_task task, void *user_data) {
    rota_task_options options;
    rota_task child;
    (void)task;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = ROTA_TASK_EAGER;
    CHECK_STATUS(rota_loop_spawn(hook_loop, naps, user_data, &options, &child), ROTA_OK);
    return rota_await(rota_task_join(child));
}

TEST(an_eager_one_is_resumed_inside_its_spawner) {
    rota_loop loop = open_hooked();
    CHECK_EQ(run_task(loop, spawns_eagerly, NULL), 0);
    CHECK_RECORD("a:spawned a:resumed b:spawned b:resumed nap b:paused a:paused "
                 "b:resumed b:ended a:resumed a:ended");
    close_clean(loop);
}

TEST(a_spawn_that_fails_is_not_told) {
    rota_loop loop = open_hooked();
    CHECK_STATUS(rota_loop_spawn(loop, NULL, NULL, NULL, NULL), ROTA_ERR_INVALID);
    CHECK_RECORD("");
    close_clean(loop);
}

TEST(closing_tells_the_ends) {
    rota_loop loop = open_hooked();
    (void)spawn(loop, naps, NULL);
    turns(loop, 1);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("a:spawned a:resumed nap a:paused a:resumed a:ended");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_task_is_told_from_its_spawn_to_its_end);
    RUN(a_stepped_one_too_and_one_that_is_cancelled);
    RUN(an_eager_one_is_resumed_inside_its_spawner);
    RUN(a_spawn_that_fails_is_not_told);
    RUN(closing_tells_the_ends);
    return test_end();
}
