/* What the tests of owners have in common. */
#ifndef ROTA_OWNER_H
#define ROTA_OWNER_H
#include "rota_test.h"

static const rota_owner nobody = {0};

UNUSED_SAFE static rota_owner open_owner(rota_loop loop, rota_free_fn dropped) {
    rota_owner owner = {0};
    CHECK_STATUS(rota_loop_open_owner(loop, dropped, &owner), ROTA_OK);
    return owner;
}

UNUSED_SAFE static rota_owner set(rota_loop loop, rota_owner owner) {
    rota_owner before = {77};
    CHECK_STATUS(rota_loop_set_owner(loop, owner, &before), ROTA_OK);
    return before;
}

UNUSED_SAFE static rota_owner now_set(rota_loop loop) {
    rota_owner owner = set(loop, nobody);
    CHECK_EQ(set(loop, owner).id, 0);
    return owner;
}

UNUSED_SAFE static size_t count_of(rota_owner owner) {
    size_t count = 77;
    CHECK_STATUS(rota_owner_get_count(owner, &count), ROTA_OK);
    return count;
}

UNUSED_SAFE static size_t cancel(rota_owner owner) {
    size_t left = 77;
    CHECK_STATUS(rota_owner_cancel(owner, &left), ROTA_OK);
    CHECK_EQ(count_of(owner), left);
    return left;
}

UNUSED_SAFE static void record_dropped(void *user_data) {
    record("drop:%s", (const char *)user_data);
}

typedef struct {
    rota_loop loop;
    rota_owner owner;
    rota_future future;
    rota_task task;
    const char *name;
    int step;
    int64_t answer;
} actor;

UNUSED_SAFE static void record_actor(void *user_data) {
    record("free:%s", ((actor *)user_data)->name);
}

UNUSED_SAFE static rota_status spawn_freed(rota_loop loop, rota_task_fn body, rota_step_fn step,
                                           actor *self, uint32_t flags) {
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = record_actor;
    options.flags = flags;
    if (body != NULL) return rota_loop_spawn(loop, body, self, &options, &self->task);
    return rota_loop_spawn_stepped(loop, step, self, &options, &self->task);
}

#endif
