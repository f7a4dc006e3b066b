/* Locks and their like where there is no memory: what cannot begin has changed nothing, and what
 * has begun goes on without any. */
#include "failing_memory.h"

enum { MANY = 30 };

/* Starts it; whether it waits. What could not begin for want of memory says so at once. */
static bool begins(rota_future future) {
    rota_outcome outcome;
    if (rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING) return true;
    (void)worked(outcome.status);
    return false;
}

static void counts_done(rota_future future, int64_t result, void *user_data) {
    (void)future;
    CHECK_EQ(result, 0);
    ++*(int *)user_data;
}

/* A wait that is counted when it is done; what nobody can be told of is closed. */
static bool counted(rota_future future, int *done) {
    if (!begins(future)) return false;
    if (worked(rota_future_then(future, counts_done, done))) return true;
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    return false;
}

static bool is_locked(rota_lock lock) {
    bool locked = false;
    CHECK_STATUS(rota_lock_is_locked(lock, &locked), ROTA_OK);
    return locked;
}

static void conditions(rota_loop loop) {
    rota_lock lock;
    rota_condition condition;
    int i, waiting = 0, done = 0;
    if (!worked(rota_loop_open_lock(loop, &lock))) return;
    if (!worked(rota_loop_open_condition(loop, lock, &condition))) return;
    for (i = 0; i < MANY; i++) {
        rota_future wait;
        CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0); /* it is free: this takes no slot */
        wait = rota_condition_wait(condition);
        if (is_locked(lock)) { /* it could not begin, and so has not let go */
            CHECK(!begins(wait));
            CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
        } else {
            waiting += counted(wait, &done);
        }
    }
    CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0);
    CHECK_STATUS(rota_condition_notify_all(condition), ROTA_OK);
    for (i = 0; i < waiting; i++) {
        CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
        turns(loop, 1);
        CHECK_EQ(done, i + 1);
    }
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK(!is_locked(lock));
}

static void rwlocks(rota_loop loop) {
    rota_rwlock rwlock;
    uint32_t readers = 0;
    int i, done = 0, writing = 0, reading = 0;
    if (!worked(rota_loop_open_rwlock(loop, &rwlock))) return;
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_write(rwlock)), 0);
    for (i = 0; i < MANY; i++) reading += counted(rota_rwlock_acquire_read(rwlock), &done);
    writing = counted(rota_rwlock_acquire_write(rwlock), &done);
    CHECK_STATUS(rota_rwlock_release_write(rwlock), ROTA_OK);
    turns(loop, 1);
    if (reading > 0) CHECK_EQ(done, reading);
    CHECK_STATUS(rota_rwlock_get_readers(rwlock, &readers), ROTA_OK);
    CHECK_EQ(readers, reading);
    for (i = 0; i < reading; i++) CHECK_STATUS(rota_rwlock_release_read(rwlock), ROTA_OK);
    turns(loop, 1);
    CHECK_EQ(done, reading + writing);
}

static void one_queue(rota_loop loop, uint32_t order) {
    static char items[2 * MANY];
    rota_queue queue;
    void *item;
    size_t size = 99;
    int i, put = 0, waiting = 0, done = 0, came = 0;
    if (!worked(rota_loop_open_queue(loop, MANY, order, &queue))) return;
    while (put < MANY && worked(rota_queue_try_put(queue, &items[put]))) put++;
    CHECK_STATUS(rota_queue_get_size(queue, &size), ROTA_OK);
    CHECK_EQ(size, put);
    for (i = put; i < 2 * MANY && put == MANY; i++) {
        waiting += counted(rota_queue_put(queue, &items[i]), &done);
    }
    /* What waits goes where another was: this takes no memory. */
    while (rota_queue_try_get(queue, &item) == ROTA_OK) came++;
    turns(loop, 1);
    CHECK_EQ(came, put + waiting);
    CHECK_EQ(done, waiting);
    if (worked(rota_queue_try_put(queue, &items[0]))) {
        rota_future get = rota_queue_get(queue); /* the item goes only where there is room for it */
        rota_status status = rota_future_take_result(get, &item);
        CHECK_STATUS(rota_queue_get_size(queue, &size), ROTA_OK);
        CHECK_EQ(size, status == ROTA_OK ? 0 : 1);
    }
    CHECK_STATUS(rota_queue_close(queue), ROTA_OK);
}

static void queues(rota_loop loop) {
    one_queue(loop, ROTA_QUEUE_FIFO);
    one_queue(loop, ROTA_QUEUE_LIFO);
    one_queue(loop, ROTA_QUEUE_PRIORITY);
}

static void frees(void *value) { ++*(int *)value; }

static void onces(rota_loop loop) {
    static int freed;
    rota_once once;
    int i, waiting = 0, done = 0;
    freed = 0;
    if (!worked(rota_loop_open_once(loop, &once))) return;
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    for (i = 0; i < MANY; i++) waiting += counted(rota_once_begin(once), &done);
    CHECK_STATUS(rota_once_set(once, &freed, frees), ROTA_OK);
    turns(loop, 1);
    CHECK_EQ(done, waiting);
    CHECK_STATUS(rota_once_close(once), ROTA_OK);
    CHECK_EQ(freed, 1);
}

TEST(conditions_fail_cleanly_at_every_allocation) { everywhere(conditions); }
TEST(rwlocks_fail_cleanly_at_every_allocation) { everywhere(rwlocks); }
TEST(queues_fail_cleanly_at_every_allocation) { everywhere(queues); }
TEST(onces_fail_cleanly_at_every_allocation) { everywhere(onces); }

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(conditions_fail_cleanly_at_every_allocation);
    RUN(rwlocks_fail_cleanly_at_every_allocation);
    RUN(queues_fail_cleanly_at_every_allocation);
    RUN(onces_fail_cleanly_at_every_allocation);
    return test_end();
}
