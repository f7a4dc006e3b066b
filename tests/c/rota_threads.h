/* Threads beside a loop: one that waits blocked, and how the loop's thread knows where it is. */
#ifndef ROTA_THREADS_H
#define ROTA_THREADS_H
#include "rota_test.h"

#include <stdatomic.h>

/* A thread that waits blocked, and what it was answered. */
typedef struct {
    rota_future future;
    uint64_t timeout;
    int64_t answer;
    rota_outcome outcome;
    pthread_t thread;
} waiter;

UNUSED_SAFE static void *waits_blocked(void *argument) {
    waiter *self = argument;
    memset(&self->outcome, 0x55, sizeof self->outcome);
    self->answer = rota_future_wait_blocking(self->future, self->timeout, &self->outcome);
    return NULL;
}

UNUSED_SAFE static void start(waiter *self, rota_future future, uint64_t timeout) {
    self->future = future;
    self->timeout = timeout;
    CHECK_EQ(pthread_create(&self->thread, NULL, waits_blocked, self), 0);
}

UNUSED_SAFE static int64_t answer_of(waiter *self) {
    CHECK_EQ(pthread_join(self->thread, NULL), 0);
    return self->answer;
}

/* Something was posted and not taken yet: a loop without timers, and with nothing ready, needs a
 * turn only then. */
UNUSED_SAFE static bool has_posts(rota_loop loop) {
    uint64_t deadline = 0;
    CHECK_STATUS(rota_loop_get_next_deadline(loop, &deadline), ROTA_OK);
    return deadline != ROTA_FOREVER;
}

/* As start; when it returns the thread stands in the future's line. */
UNUSED_SAFE static void start_in_line(waiter *self, rota_loop loop, rota_future future,
                                      uint64_t timeout) {
    turns(loop, 2);
    start(self, future, timeout);
    WAIT_UNTIL(has_posts(loop));
    turns(loop, 2);
}

/* Turns the loop until a thread has ended, ten seconds at most. */
UNUSED_SAFE static void turn_until_joined(rota_loop loop, pthread_t thread) {
    int busy = EBUSY;
    TURN_UNTIL(loop, busy == 0 || (busy = pthread_tryjoin_np(thread, NULL)) == 0);
}

UNUSED_SAFE static void run_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, body, argument), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

#endif
