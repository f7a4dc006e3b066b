/* Support for asyncio's tests of task groups: members that sleep, and what they make of a
 * request. */
#ifndef PARITY_GROUP_H
#define PARITY_GROUP_H
#include "parity.h"

#define CRASH (ROTA_STATUS_HOST - 100)

/* A member: it sleeps and returns its answer. Asked to end, it counts that and returns `asked`. */
typedef struct {
    uint64_t delay_ns;
    int64_t answer, asked;
} member;

static rota_loop loop;
static int told_to_end;

UNUSED_SAFE static int64_t naps(uint64_t delay_ns) {
    return rota_await(rota_loop_sleep(loop, delay_ns));
}

UNUSED_SAFE static int64_t member_body(rota_task task, void *user_data) {
    member *self = user_data;
    (void)task;
    if (naps(self->delay_ns) == 0) return self->answer;
    told_to_end++;
    return self->asked;
}

/* Members of which tests have several. */
UNUSED_SAFE static member long_sleeper = {HOUR, 0, CANCELLED};
UNUSED_SAFE static member crashes_when_asked = {HOUR, 0, CRASH};

UNUSED_SAFE static rota_group open_group(void) {
    rota_group group = {0};
    CHECK_STATUS(rota_loop_open_group(loop, NULL, &group), ROTA_OK);
    CHECK(group.id != 0);
    return group;
}

UNUSED_SAFE static rota_task add(rota_group group, member *which) {
    rota_task task = {0};
    CHECK_STATUS(rota_group_spawn(group, member_body, which, NULL, &task), ROTA_OK);
    return task;
}

/* What the group came to, once all have ended. */
UNUSED_SAFE static int64_t finish(rota_group group) {
    return rota_await(rota_group_wait(group));
}

UNUSED_SAFE static size_t errors_of(rota_group group) {
    size_t count = 99;
    CHECK_STATUS(rota_group_get_error_count(group, &count), ROTA_OK);
    return count;
}

UNUSED_SAFE static int32_t error_of(rota_group group, size_t index) {
    rota_failure failure = {0};
    failure.size = sizeof failure;
    CHECK_STATUS(rota_group_get_error(group, index, &failure), ROTA_OK);
    return failure.outcome.status;
}

UNUSED_SAFE static size_t size_of(rota_group group) {
    size_t count = 99;
    CHECK_STATUS(rota_group_get_count(group, &count), ROTA_OK);
    return count;
}

UNUSED_SAFE static void close_group(rota_group group) {
    CHECK_EQ(size_of(group), 0);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
}

/* Runs a body as a task to its end; how long it took has to be this, and nobody is left. */
UNUSED_SAFE static void play(rota_task_fn body, int64_t expected, uint64_t passed) {
    uint64_t began;
    loop = open_jump();
    told_to_end = 0;
    began = now_of(loop);
    CHECK_STATUS(run_task(loop, body, NULL), expected);
    CHECK_EQ(now_of(loop) - began, passed);
    CHECK_EQ(stats_of(loop).tasks, 0);
    close_clean(loop);
}

/* The same, cancelled at a moment. */
UNUSED_SAFE static void play_and_cancel(rota_task_fn body, uint64_t moment, int64_t expected) {
    rota_task task;
    loop = open_jump();
    told_to_end = 0;
    task = spawn(loop, body, NULL);
    CHECK_STATUS(rota_loop_call_later(loop, moment, cancels_task_later, &task, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, task), expected);
    CHECK_EQ(stats_of(loop).tasks, 0);
    close_clean(loop);
}

#endif
