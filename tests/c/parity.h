/* Support for the programs that restate what CPython's tests of asyncio prove
 * (tests/asyncio_parity.md says which proves what): tasks that wait for a list of futures, of
 * both kinds. / */
#ifndef PARITY_H
#define PARITY_H
#include "rota_test.h"

#define CANCELLED ROTA_ERR_CANCELLED

/* The two kinds of task; every scenario that holds for both is played with both. */
enum { STACKFUL, STEPPED, KINDS };

/* A task that waits for its futures one after the other and records "name:outcome" for each. It
 * ends at the first failure, but goes on after a request to cancel if it swallows those; its
 * outcome is the last one. */
typedef struct {
    rota_loop loop;
    const char *name;
    rota_future futures[4];
    int count;
    bool swallows;
    int at;
    rota_task task;
} waiter;

UNUSED_SAFE static bool waiter_goes_on(waiter *self, int64_t result) {
    record("%s:%s", self->name, told(result));
    self->at++;
    if (result < 0 && !(self->swallows && result == CANCELLED)) return false;
    return self->at < self->count;
}

UNUSED_SAFE static int64_t waiter_body(rota_task task, void *user_data) {
    waiter *self = user_data;
    int64_t result;
    (void)task;
    do {
        result = rota_await(self->futures[self->at]);
    } while (waiter_goes_on(self, result));
    return result;
}

UNUSED_SAFE static int64_t waiter_steps(rota_task task, const rota_outcome *outcome,
                                        void *user_data) {
    waiter *self = user_data;
    int64_t result = outcome->status < 0 ? outcome->status : outcome->value;
    if (self->at < 0) {
        self->at = 0;
    } else if (!waiter_goes_on(self, result)) {
        return result;
    }
    return rota_task_wait(task, self->futures[self->at]);
}

/* Starts it; it waits for the first of its futures when this returns. */
UNUSED_SAFE static rota_task start_waiter(waiter *self, int kind) {
    self->at = kind == STEPPED ? -1 : 0;
    CHECK_STATUS(kind == STEPPED
                     ? rota_loop_spawn_stepped(self->loop, waiter_steps, self, NULL, &self->task)
                     : rota_loop_spawn(self->loop, waiter_body, self, NULL, &self->task),
                 ROTA_OK);
    turn(self->loop);
    return self->task;
}

UNUSED_SAFE static int64_t join(rota_loop loop, rota_task task) {
    return WAIT(loop, rota_task_join(task));
}

UNUSED_SAFE static uint32_t cancelling(rota_task task) {
    uint32_t count = 99;
    CHECK_STATUS(rota_task_get_cancelling(task, &count), ROTA_OK);
    return count;
}

UNUSED_SAFE static bool pending(rota_future future) {
    rota_outcome outcome;
    return rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING;
}

UNUSED_SAFE static rota_future kept(rota_future future) {
    CHECK_STATUS(rota_future_keep(future), ROTA_OK);
    return future;
}

UNUSED_SAFE static rota_future then(rota_future future, const char *name) {
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

/* Callbacks that ask the task which their user data points to. */
UNUSED_SAFE static void cancels_task(rota_loop loop, rota_status status, void *user_data) {
    (void)loop;
    if (status == ROTA_OK) CHECK_STATUS(rota_task_cancel(*(rota_task *)user_data), ROTA_OK);
}

UNUSED_SAFE static void cancels_task_later(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    if (status == ROTA_OK) CHECK_STATUS(rota_task_cancel(*(rota_task *)user_data), ROTA_OK);
}

/* A loop whose log is counted. */
static int log_lines;

UNUSED_SAFE static void counts_log_lines(int32_t level, const char *message, void *user_data) {
    (void)message, (void)user_data;
    if (level <= ROTA_LOG_WARNING) log_lines++;
}

UNUSED_SAFE static rota_loop open_logged(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.log = counts_log_lines;
    log_lines = 0;
    return open_with(&options);
}

#endif
