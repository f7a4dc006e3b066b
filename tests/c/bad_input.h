/* What the generated test of bad input stands on (tests/bad_input.py writes the program): a loop
 * with one live and one ended thing of each kind, and lists of handles that name nothing. */
#ifndef BAD_INPUT_H
#define BAD_INPUT_H
#include "rota_peer.h"

enum kind {
    LOOP, CALL, TIMER, FUTURE, TASK, LISTENER, STREAM, LOCK, SEMAPHORE, EVENT, QUEUE,
    BARRIER,
    CHANNEL,
    TOKEN,
    CONDITION,
    RWLOCK,
    ONCE,
    OWNER,
    SCOPE,
    SET,
    GROUP,
    KINDS
};

typedef struct {
    rota_loop loop;
    rota_call call;
    rota_timer timer;
    rota_future future; /* a promise that nobody completes */
    rota_task task;     /* waits for another one */
    rota_listener listener;
    rota_stream stream; /* its peer says nothing */
    rota_lock lock;     /* held */
    rota_semaphore semaphore;
    rota_event event;
    rota_queue queue; /* by priority, so that it takes every put */
    rota_barrier barrier;
    rota_owner owner; /* owns nothing, and is not set */
    rota_channel channel;
    rota_token token;
    rota_condition condition; /* under the lock */
    rota_rwlock rwlock;
    rota_once once;
    rota_set set;
    rota_scope scope; /* of the task, entered from outside */
    rota_group group;
    rota_future other;
    int raw;
    uint64_t live[KINDS], stale[KINDS];
} fixture;

/* ---- callbacks that do nothing */

static void no_call(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status, (void)user_data;
}

static void no_timer(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status, (void)user_data;
}

static void no_future(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)result, (void)user_data;
}

static int64_t no_map(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)user_data;
    return result;
}

static rota_future no_chain(rota_future future, int64_t result, void *user_data) {
    (void)result, (void)user_data;
    return future;
}

static void no_free(void *user_data) { (void)user_data; }

static int64_t no_job(void *user_data) {
    (void)user_data;
    return 0;
}

static int64_t no_task(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return 0;
}

static int64_t no_step(rota_task task, const rota_outcome *outcome, void *user_data) {
    (void)task, (void)outcome, (void)user_data;
    return 0;
}

static int64_t no_serve(rota_task task, rota_stream stream, void *user_data) {
    (void)task, (void)user_data;
    return rota_stream_close(stream);
}

static void no_line(const char *line, void *user_data) { (void)line, (void)user_data; }

static int64_t waits(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((fixture *)user_data)->other);
}

/* ---- the fixture */

static uint64_t end_a_set(rota_loop loop) {
    rota_set set;
    CHECK_STATUS(rota_loop_open_set(loop, &set), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    return set.id;
}

static rota_owner ended_owner(rota_loop loop) {
    rota_owner owner = {0};
    CHECK_STATUS(rota_loop_open_owner(loop, NULL, &owner), ROTA_OK);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    return owner;
}

/* One thing of each kind that has ended; what lives now may stand in its slot. */
static void end_one_of_each(fixture *self) {
    rota_loop loop = open_system();
    rota_call call;
    rota_timer timer;
    rota_future future = rota_future_open(self->loop);
    rota_task task = spawn(self->loop, no_task, NULL);
    rota_listener listener;
    rota_stream stream;
    rota_lock lock;
    rota_semaphore semaphore;
    rota_event event;
    rota_queue queue;
    rota_barrier barrier;
    rota_condition condition;
    rota_rwlock rwlock;
    rota_once once;
    rota_scope scope;
    rota_group group;
    int raw;
    self->stale[LOOP] = loop.id;
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(self->loop, no_call, NULL, &call), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(self->loop, 0, no_timer, NULL, &timer), ROTA_OK);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_task_enter_timeout(task, HOUR, &scope), ROTA_OK);
    CHECK_EQ(WAIT(self->loop, rota_task_join(task)), 0);
    CHECK_STATUS(rota_loop_listen(self->loop, "127.0.0.1", 0, NULL, &listener), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    CHECK_STATUS(rota_loop_open_lock(self->loop, &lock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(self->loop, lock, &condition), ROTA_OK);
    CHECK_STATUS(rota_condition_close(condition), ROTA_OK);
    CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_semaphore(self->loop, 1, 0, &semaphore), ROTA_OK);
    CHECK_STATUS(rota_semaphore_close(semaphore), ROTA_OK);
    CHECK_STATUS(rota_loop_open_event(self->loop, 0, &event), ROTA_OK);
    CHECK_STATUS(rota_event_close(event), ROTA_OK);
    CHECK_STATUS(rota_loop_open_queue(self->loop, 2, ROTA_QUEUE_PRIORITY, &queue), ROTA_OK);
    CHECK_STATUS(rota_queue_close(queue), ROTA_OK);
    CHECK_STATUS(rota_loop_open_barrier(self->loop, 2, &barrier), ROTA_OK);
    CHECK_STATUS(rota_barrier_close(barrier), ROTA_OK);
    CHECK_STATUS(rota_loop_open_rwlock(self->loop, &rwlock), ROTA_OK);
    CHECK_STATUS(rota_rwlock_close(rwlock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_once(self->loop, &once), ROTA_OK);
    CHECK_STATUS(rota_once_close(once), ROTA_OK);
    CHECK_STATUS(rota_loop_open_group(self->loop, NULL, &group), ROTA_OK);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    stream = connect_raw(self->loop, &raw);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    run_dry(self->loop);
    self->stale[CALL] = call.id;
    self->stale[TIMER] = timer.id;
    self->stale[FUTURE] = future.id;
    self->stale[TASK] = task.id;
    self->stale[LISTENER] = listener.id;
    self->stale[STREAM] = stream.id;
    self->stale[LOCK] = lock.id;
    self->stale[SEMAPHORE] = semaphore.id;
    self->stale[EVENT] = event.id;
    self->stale[QUEUE] = queue.id;
    self->stale[BARRIER] = barrier.id;
    self->stale[CONDITION] = condition.id;
    self->stale[RWLOCK] = rwlock.id;
    self->stale[ONCE] = once.id;
    self->stale[OWNER] = ended_owner(self->loop).id;
    self->stale[SCOPE] = scope.id;
    self->stale[SET] = end_a_set(self->loop);
    self->stale[GROUP] = group.id;
}

/* And of each that gathers or spreads the news. */
static void end_what_spreads(fixture *self) {
    rota_set set;
    rota_channel channel;
    rota_token token, none = {0};
    CHECK_STATUS(rota_loop_open_channel(self->loop, 2, &channel), ROTA_OK);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    CHECK_STATUS(rota_loop_open_token(self->loop, none, &token), ROTA_OK);
    CHECK_STATUS(rota_token_close(token), ROTA_OK);
    self->stale[CHANNEL] = channel.id;
    CHECK_STATUS(rota_loop_open_set(self->loop, &set), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    self->stale[TOKEN] = token.id;
    self->stale[SET] = set.id;
}

static void open_fixture(fixture *self) {
    memset(self, 0, sizeof *self);
    self->loop = open_system();
    end_one_of_each(self);
    end_what_spreads(self);
    self->stream = connect_raw(self->loop, &self->raw);
    CHECK_STATUS(rota_loop_listen(self->loop, "127.0.0.1", 0, NULL, &self->listener), ROTA_OK);
    CHECK_STATUS(rota_loop_open_lock(self->loop, &self->lock), ROTA_OK);
    CHECK_EQ(WAIT(self->loop, rota_lock_acquire(self->lock)), 0);
    CHECK_STATUS(rota_loop_open_semaphore(self->loop, 1, 0, &self->semaphore), ROTA_OK);
    CHECK_STATUS(rota_loop_open_event(self->loop, 0, &self->event), ROTA_OK);
    CHECK_STATUS(rota_loop_open_queue(self->loop, 2, ROTA_QUEUE_PRIORITY, &self->queue), ROTA_OK);
    CHECK_STATUS(rota_loop_open_barrier(self->loop, 2, &self->barrier), ROTA_OK);
    CHECK_STATUS(rota_loop_open_owner(self->loop, NULL, &self->owner), ROTA_OK);
    CHECK_STATUS(rota_loop_open_channel(self->loop, 2, &self->channel), ROTA_OK);
    CHECK_STATUS(rota_loop_open_token(self->loop, (rota_token){0}, &self->token), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(self->loop, self->lock, &self->condition), ROTA_OK);
    CHECK_STATUS(rota_loop_open_rwlock(self->loop, &self->rwlock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_once(self->loop, &self->once), ROTA_OK);
    CHECK_STATUS(rota_loop_open_set(self->loop, &self->set), ROTA_OK);
    CHECK_STATUS(rota_loop_open_group(self->loop, NULL, &self->group), ROTA_OK);
    self->other = rota_future_open(self->loop);
    self->task = spawn(self->loop, waits, self);
    turns(self->loop, 3);
    CHECK_STATUS(rota_task_enter_scope(self->task, ROTA_FOREVER, 0, &self->scope), ROTA_OK);
    self->future = rota_future_open(self->loop);
    CHECK_STATUS(rota_loop_call_later(self->loop, HOUR, no_timer, NULL, &self->timer), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(self->loop, no_call, NULL, &self->call), ROTA_OK);
    self->live[LOOP] = self->loop.id;
    self->live[CALL] = self->call.id;
    self->live[TIMER] = self->timer.id;
    self->live[FUTURE] = self->future.id;
    self->live[TASK] = self->task.id;
    self->live[LISTENER] = self->listener.id;
    self->live[STREAM] = self->stream.id;
    self->live[LOCK] = self->lock.id;
    self->live[SEMAPHORE] = self->semaphore.id;
    self->live[EVENT] = self->event.id;
    self->live[QUEUE] = self->queue.id;
    self->live[BARRIER] = self->barrier.id;
    self->live[CHANNEL] = self->channel.id;
    self->live[TOKEN] = self->token.id;
    self->live[CONDITION] = self->condition.id;
    self->live[RWLOCK] = self->rwlock.id;
    self->live[ONCE] = self->once.id;
    self->live[OWNER] = self->owner.id;
    self->live[SCOPE] = self->scope.id;
    self->live[SET] = self->set.id;
    self->live[GROUP] = self->group.id;
}

static void sets_flag(rota_loop loop, rota_status status, void *user_data) {
    (void)loop;
    CHECK_STATUS(status, ROTA_OK);
    *(bool *)user_data = true;
}

/* The loop goes on: it calls what it is given. */
static void check_works(fixture *self) {
    bool called = false;
    int i;
    CHECK_STATUS(rota_loop_call_soon(self->loop, sets_flag, &called, NULL), ROTA_OK);
    for (i = 0; i < 10 && !called; i++) {
        CHECK_STATUS(rota_loop_turn(self->loop, 0, 0, 0, NULL), ROTA_OK);
    }
    CHECK(called);
}

/* Refused calls changed nothing: everything is as it was opened. */
static void check_unharmed(fixture *self) {
    rota_outcome outcome;
    rota_address address;
    uint64_t deadline;
    uint32_t requests = 9;
    size_t size = 9;
    bool locked = false;
    void *value;
    CHECK_STATUS(rota_future_get_outcome(self->future, &outcome), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_future_get_outcome(self->other, &outcome), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_timer_get_deadline(self->timer, &deadline), ROTA_OK);
    CHECK_STATUS(rota_task_get_cancelling(self->task, &requests), ROTA_OK);
    CHECK_EQ(requests, 0);
    CHECK_STATUS(rota_scope_get_state(self->scope, &requests), ROTA_OK);
    CHECK_EQ(requests, ROTA_SCOPE_OPEN);
    CHECK_STATUS(rota_set_get_count(self->set, &size), ROTA_OK);
    CHECK_STATUS(rota_group_get_count(self->group, &size), ROTA_OK);
    CHECK_EQ(size, 0);
    CHECK_STATUS(rota_group_get_error_count(self->group, &size), ROTA_OK);
    CHECK_EQ(size, 0);
    CHECK_STATUS(rota_listener_get_address(self->listener, &address), ROTA_OK);
    CHECK_STATUS(rota_stream_get_buffered(self->stream, &size), ROTA_OK);
    CHECK_EQ(size, 0);
    CHECK_STATUS(rota_lock_is_locked(self->lock, &locked), ROTA_OK);
    CHECK(locked);
    CHECK_STATUS(rota_semaphore_get_value(self->semaphore, &deadline), ROTA_OK);
    CHECK_EQ(deadline, 1);
    CHECK_STATUS(rota_event_is_set(self->event, &locked), ROTA_OK);
    CHECK(!locked);
    CHECK_STATUS(rota_queue_get_size(self->queue, &size), ROTA_OK);
    CHECK_EQ(size, 0);
    CHECK_STATUS(rota_owner_get_count(self->owner, &size), ROTA_OK);
    CHECK_EQ(size, 0);
    CHECK_STATUS(rota_barrier_get_waiting(self->barrier, &requests), ROTA_OK);
    CHECK_EQ(requests, 0);
    CHECK_STATUS(rota_token_is_cancelled(self->token, &locked), ROTA_OK);
    CHECK(!locked);
    CHECK_STATUS(rota_channel_get_size(self->channel, &size), ROTA_OK);
    CHECK_EQ(size, 0);
    CHECK_STATUS(rota_rwlock_get_readers(self->rwlock, &requests), ROTA_OK);
    CHECK_EQ(requests, 0);
    CHECK_STATUS(rota_rwlock_is_writing(self->rwlock, &locked), ROTA_OK);
    CHECK(!locked);
    CHECK_STATUS(rota_once_get(self->once, &value), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_once_give_up(self->once), ROTA_ERR_INVALID);
    CHECK_EQ(stats_of(self->loop).ready, 1);
    check_works(self);
}

static void close_fixture(fixture *self, bool may_be_closed) {
    rota_status status;
    rota_completion done;
    if (!may_be_closed) check_works(self);
    done.size = sizeof done;
    while ((status = rota_loop_close(self->loop, 10 * SECOND)) == ROTA_ERR_BUSY) {
        CHECK_STATUS(rota_loop_next_completion(self->loop, &done), ROTA_OK);
    }
    if (!may_be_closed || status != ROTA_ERR_HANDLE) CHECK_STATUS(status, ROTA_OK);
    close(self->raw);
}

/* ---- handles that name nothing */

enum { BAD_MOST = 256 };

/* The bits that say what a handle is of; a future that is a value needs nothing but them. */
static uint64_t kind_bits(uint64_t handle) { return handle >> 58; }

static bool is_value(uint64_t handle) {
    static const rota_stream none = {0};
    char byte;
    return kind_bits(handle) == kind_bits(rota_stream_read(none, &byte, 1).id);
}

static void add_bad(fixture *self, enum kind kind, uint64_t handle, uint64_t *list, size_t *count) {
    if (handle == self->live[kind] || handle == self->other.id || handle == 0) return;
    if (kind == FUTURE && is_value(handle)) return;
    CHECK(*count < BAD_MOST);
    list[(*count)++] = handle;
}

/* Ended ones, all of other kinds, the live one with each bit turned, and random ones. */
static size_t bad_handles(fixture *self, enum kind kind, uint64_t list[BAD_MOST]) {
    size_t count = 0;
    uint64_t state = 0x9e3779b97f4a7c15u;
    int i;
    for (i = 0; i < KINDS; i++) {
        add_bad(self, kind, self->stale[i], list, &count);
        if (i != (int)kind) add_bad(self, kind, self->live[i], list, &count);
    }
    for (i = 0; i < 64; i++) {
        add_bad(self, kind, self->live[kind] ^ (UINT64_C(1) << i), list, &count);
    }
    for (i = 0; i < 24; i++) add_bad(self, kind, test_random(&state), list, &count);
    add_bad(self, kind, UINT64_MAX, list, &count);
    add_bad(self, kind, 1, list, &count);
    return count;
}

/* ---- what came of a call */

/* The outcome of a future that was returned, which is let go: nobody waits for it here. */
static int64_t came_to(rota_future future) {
    rota_outcome outcome;
    rota_status status = rota_future_get_outcome(future, &outcome);
    (void)rota_future_close(future);
    if (status != ROTA_OK) return status;
    return outcome.status < 0 ? (int64_t)outcome.status : outcome.value;
}

#define ANY_VALUE (INT64_MAX - 1) /* whatever is not negative */
#define END INT64_MAX

static void expect(const char *what, uint64_t detail, int64_t result, const int64_t *allowed) {
    for (; *allowed != END; allowed++) {
        if (result == *allowed || (*allowed == ANY_VALUE && result >= 0)) return;
    }
    test_fail("bad_input", 0, "%s (%#" PRIx64 ") gave %s (%" PRId64 ")", what, detail,
              status_name(result), result);
}

/* Whatever the answer is, these never are: the handles were good, the thread right, and nothing
 * of the library's may fail. */
static void expect_sane(const char *what, uint64_t detail, int64_t result) {
    if (result == ROTA_ERR_HANDLE || result == ROTA_ERR_THREAD || result == ROTA_ERR_PANIC) {
        test_fail("bad_input", 0, "%s (%#" PRIx64 ") gave %s", what, detail, status_name(result));
    }
}

#endif
