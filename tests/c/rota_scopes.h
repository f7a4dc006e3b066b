/* What the tests of scopes and groups have in common: a loop at a time, and its tasks looked at. */
#ifndef ROTA_SCOPES_H
#define ROTA_SCOPES_H
#include "rota_test.h"

UNUSED_SAFE static uint32_t cancelling(rota_task task) {
    uint32_t count = 99;
    CHECK_STATUS(rota_task_get_cancelling(task, &count), ROTA_OK);
    return count;
}

UNUSED_SAFE static uint32_t state_of(rota_scope scope) {
    uint32_t state = 99;
    CHECK_STATUS(rota_scope_get_state(scope, &state), ROTA_OK);
    return state;
}

UNUSED_SAFE static uint64_t deadline_of(rota_task task) {
    uint64_t deadline = 0;
    CHECK_STATUS(rota_task_get_deadline(task, &deadline), ROTA_OK);
    return deadline;
}

UNUSED_SAFE static rota_scope enter_timeout(rota_task task, uint64_t timeout_ns) {
    rota_scope scope = {0};
    CHECK_STATUS(rota_task_enter_timeout(task, timeout_ns, &scope), ROTA_OK);
    CHECK(scope.id != 0);
    return scope;
}

UNUSED_SAFE static rota_scope enter(rota_task task, uint32_t flags) {
    rota_scope scope = {0};
    CHECK_STATUS(rota_task_enter_scope(task, ROTA_FOREVER, flags, &scope), ROTA_OK);
    return scope;
}

UNUSED_SAFE static const char *message_of(rota_task task) {
    static rota_outcome outcome;
    CHECK_STATUS(rota_task_get_outcome(task, &outcome), ROTA_OK);
    return outcome.message;
}

static rota_loop the_loop;

UNUSED_SAFE static int64_t nap(uint64_t ns) { return rota_await(rota_loop_sleep(the_loop, ns)); }

/* Runs a body to its end on a loop of its own, which must be left clean. */
UNUSED_SAFE static int64_t in_a_task(rota_task_fn body, void *user_data) {
    int64_t result;
    the_loop = open_jump();
    result = run_task(the_loop, body, user_data);
    close_clean(the_loop);
    return result;
}

/* ---- what others do, after a while */

typedef struct {
    rota_task task;
    rota_scope scope;
    rota_future future;
} other;

UNUSED_SAFE static void cancels_task(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status;
    CHECK_STATUS(rota_task_cancel(((other *)user_data)->task), ROTA_OK);
}

UNUSED_SAFE static void cancels_scope(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status;
    CHECK_STATUS(rota_scope_cancel(((other *)user_data)->scope, "enough of it"), ROTA_OK);
}

UNUSED_SAFE static void after(uint64_t delay_ns, rota_timer_fn what, other *self) {
    CHECK_STATUS(rota_loop_call_later(the_loop, delay_ns, what, self, NULL), ROTA_OK);
}

/* ---- groups */

UNUSED_SAFE static rota_group open_group_with(uint64_t timeout_ns, uint32_t flags) {
    rota_group_options options;
    rota_group group = {0};
    CHECK_STATUS(rota_group_options_init(&options, sizeof options), ROTA_OK);
    options.timeout_ns = timeout_ns;
    options.flags = flags;
    options.name = "some group";
    CHECK_STATUS(rota_loop_open_group(the_loop, &options, &group), ROTA_OK);
    CHECK(group.id != 0);
    return group;
}

UNUSED_SAFE static rota_group open_group(void) {
    rota_group group = {0};
    CHECK_STATUS(rota_loop_open_group(the_loop, NULL, &group), ROTA_OK);
    return group;
}

UNUSED_SAFE static size_t count_of(rota_group group) {
    size_t count = 99;
    CHECK_STATUS(rota_group_get_count(group, &count), ROTA_OK);
    return count;
}

UNUSED_SAFE static size_t errors_of(rota_group group) {
    size_t count = 99;
    CHECK_STATUS(rota_group_get_error_count(group, &count), ROTA_OK);
    return count;
}

UNUSED_SAFE static rota_failure error_of(rota_group group, size_t index) {
    rota_failure failure = {0};
    failure.size = sizeof failure;
    CHECK_STATUS(rota_group_get_error(group, index, &failure), ROTA_OK);
    CHECK(failure.name != NULL && failure.outcome.message != NULL);
    return failure;
}

/* A member, as a script: it naps for so long, and answers; what it was told goes to the record. */
typedef struct {
    const char *name;
    uint64_t nap;      /* before it answers */
    int64_t answer;
    uint64_t cleanup;  /* how long it goes on after it was asked to end */
    int64_t refusal;   /* what it answers then; 0: that it was cancelled */
} member;

UNUSED_SAFE static int64_t plays(rota_task task, void *user_data) {
    member *self = user_data;
    int64_t result = nap(self->nap);
    (void)task;
    if (result == 0) {
        record("%s", self->name);
        return self->answer;
    }
    record("%s:%s", self->name, told(result));
    if (self->cleanup > 0) {
        CHECK_EQ(nap(self->cleanup), 0);
        record("%s:clean", self->name);
    }
    return self->refusal != 0 ? self->refusal : result;
}

UNUSED_SAFE static rota_task join_in(rota_group group, member *self) {
    rota_task_options options;
    rota_task task = {0};
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = self->name;
    CHECK_STATUS(rota_group_spawn(group, plays, self, &options, &task), ROTA_OK);
    return task;
}

UNUSED_SAFE static int64_t joins(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_task_join(*(rota_task *)user_data));
}

#endif
