/* Locks: one holds, first come first served, no hand-over is lost. */
#include "rota_test.h"

#define CANCELLED ROTA_ERR_CANCELLED

static rota_lock open_lock(rota_loop loop) {
    rota_lock lock = {0};
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    CHECK(lock.id != 0);
    return lock;
}

static bool is_locked(rota_lock lock) {
    bool locked = false;
    CHECK_STATUS(rota_lock_is_locked(lock, &locked), ROTA_OK);
    return locked;
}

static rota_future acquire_then(rota_lock lock, const char *name) {
    rota_future future = rota_lock_acquire(lock);
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

TEST(a_free_lock_is_held_at_once_and_takes_no_slot) {
    rota_loop loop = open_jump();
    rota_lock lock = open_lock(loop);
    CHECK(!is_locked(lock));
    CHECK_STATUS(rota_lock_release(lock), ROTA_ERR_INVALID);
    CHECK_EQ(outcome_of(rota_lock_acquire(lock)).status, ROTA_OK);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK(is_locked(lock));
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK(!is_locked(lock));
    CHECK_STATUS(rota_lock_release(lock), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
    close_clean(loop);
}

TEST(callbacks_get_the_lock_in_the_order_they_asked) {
    rota_loop loop = open_jump();
    rota_lock lock = open_lock(loop);
    CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0);
    acquire_then(lock, "a");
    acquire_then(lock, "b");
    acquire_then(lock, "c");
    turns(loop, 3);
    CHECK_RECORD("");
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK(is_locked(lock)); /* handed over: nobody can come in between */
    acquire_then(lock, "late");
    turns(loop, 3);
    CHECK_RECORD("a:ok");
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("b:ok c:ok late:ok");
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK(!is_locked(lock));
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    rota_lock lock;
    const char *name;
    int inside;
} shared;

static shared common;

static int64_t holds_for_a_while(rota_task task, void *user_data) {
    int64_t got = rota_await(rota_lock_acquire(common.lock));
    (void)task;
    record("%s:%s", (const char *)user_data, told(got));
    if (got < 0) return got;
    CHECK_EQ(common.inside++, 0);
    (void)rota_await(rota_loop_sleep(common.loop, SECOND));
    common.inside--;
    CHECK_STATUS(rota_lock_release(common.lock), ROTA_OK);
    return 0;
}

static void open_common(void) {
    memset(&common, 0, sizeof common);
    common.loop = open_jump();
    common.lock = open_lock(common.loop);
}

TEST(tasks_hold_it_one_after_the_other) {
    rota_task tasks[4];
    static const char *const names[4] = {"a", "b", "c", "d"};
    int i;
    open_common();
    for (i = 0; i < 4; i++) tasks[i] = spawn(common.loop, holds_for_a_while, (void *)names[i]);
    for (i = 0; i < 4; i++) CHECK_EQ(WAIT(common.loop, rota_task_join(tasks[i])), 0);
    CHECK_RECORD("a:ok b:ok c:ok d:ok");
    CHECK_EQ(now_of(common.loop) >= 4 * SECOND, true);
    CHECK(!is_locked(common.lock));
    close_clean(common.loop);
}

/* Whoever is cancelled while he waits leaves the line; the others keep their places. */
static void cancel_one_of_three(int which, const char *expected) {
    rota_future waiting[3];
    static const char *const names[3] = {"a", "b", "c"};
    int i;
    open_common();
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(common.lock)), 0);
    for (i = 0; i < 3; i++) waiting[i] = acquire_then(common.lock, names[i]);
    CHECK_STATUS(rota_future_cancel(waiting[which]), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(waiting[which]), ROTA_ERR_DONE);
    turns(common.loop, 1);
    CHECK_STATUS(rota_future_cancel(waiting[which]), ROTA_ERR_HANDLE);
    for (i = 0; i < 3; i++) CHECK_STATUS(rota_lock_release(common.lock), ROTA_OK);
    CHECK_STATUS(rota_lock_release(common.lock), ROTA_ERR_INVALID);
    turns(common.loop, 1);
    CHECK_RECORD(expected);
    close_clean(common.loop);
}

TEST(a_cancelled_waiter_leaves_the_line_from_anywhere) {
    cancel_one_of_three(0, "a:cancelled b:ok c:ok");
    cancel_one_of_three(1, "b:cancelled a:ok c:ok");
    cancel_one_of_three(2, "c:cancelled a:ok b:ok");
}

TEST(a_cancelled_task_that_waits_gets_no_lock_and_the_next_does) {
    rota_task first, second;
    open_common();
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(common.lock)), 0);
    first = spawn(common.loop, holds_for_a_while, (void *)"first");
    second = spawn(common.loop, holds_for_a_while, (void *)"second");
    turns(common.loop, 2);
    CHECK_STATUS(rota_task_cancel(first), ROTA_OK);
    CHECK_STATUS(rota_lock_release(common.lock), ROTA_OK);
    CHECK_EQ(WAIT(common.loop, rota_task_join(first)), CANCELLED);
    CHECK_EQ(WAIT(common.loop, rota_task_join(second)), 0);
    CHECK_RECORD("first:cancelled second:ok");
    CHECK(!is_locked(common.lock));
    close_clean(common.loop);
}

TEST(a_lock_that_was_granted_before_the_cancel_is_held) {
    rota_task first, second;
    open_common();
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(common.lock)), 0);
    first = spawn(common.loop, holds_for_a_while, (void *)"first");
    second = spawn(common.loop, holds_for_a_while, (void *)"second");
    turns(common.loop, 2);
    CHECK_STATUS(rota_lock_release(common.lock), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(first), ROTA_OK); /* the outcome is ready: it wins */
    CHECK_EQ(WAIT(common.loop, rota_task_join(first)), 0);
    CHECK_EQ(WAIT(common.loop, rota_task_join(second)), 0);
    CHECK_RECORD("first:ok second:ok");
    CHECK(!is_locked(common.lock));
    close_clean(common.loop);
}

TEST(closing_a_pending_acquire_leaves_the_line) {
    rota_future waiting;
    open_common();
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(common.lock)), 0);
    waiting = rota_lock_acquire(common.lock);
    CHECK_STATUS(rota_future_close(waiting), ROTA_OK);
    CHECK_STATUS(rota_lock_release(common.lock), ROTA_OK);
    CHECK(!is_locked(common.lock));
    close_clean(common.loop);
}

TEST(closing_a_lock_ends_those_who_wait) {
    rota_lock again;
    open_common();
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(common.lock)), 0);
    acquire_then(common.lock, "a");
    acquire_then(common.lock, "b");
    CHECK_STATUS(rota_lock_close(common.lock), ROTA_OK);
    CHECK_RECORD("");
    turns(common.loop, 1);
    CHECK_RECORD("a:cancelled b:cancelled");
    again = open_lock(common.loop); /* in the same slot, and yet another */
    CHECK(again.id != common.lock.id);
    CHECK_STATUS(rota_lock_close(common.lock), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_lock_release(common.lock), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(common.lock)), ROTA_ERR_HANDLE);
    CHECK(!is_locked(again));
    close_clean(common.loop);
}

TEST(a_loop_that_closes_ends_locks_and_those_who_wait) {
    rota_lock other;
    open_common();
    other = open_lock(common.loop);
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(common.lock)), 0);
    CHECK_EQ(WAIT(common.loop, rota_lock_acquire(other)), 0);
    acquire_then(common.lock, "callback");
    (void)rota_lock_acquire(other); /* nobody waits for this one */
    spawn(common.loop, holds_for_a_while, (void *)"task");
    turns(common.loop, 2);
    CHECK_STATUS(rota_loop_close(common.loop, SECOND), ROTA_OK);
    CHECK(strstr(test_record, "callback:cancelled") != NULL);
    CHECK(strstr(test_record, "task:cancelled") != NULL);
    forget_record();
    CHECK_STATUS(rota_lock_release(common.lock), ROTA_ERR_HANDLE);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_free_lock_is_held_at_once_and_takes_no_slot);
    RUN(callbacks_get_the_lock_in_the_order_they_asked);
    RUN(tasks_hold_it_one_after_the_other);
    RUN(a_cancelled_waiter_leaves_the_line_from_anywhere);
    RUN(a_cancelled_task_that_waits_gets_no_lock_and_the_next_does);
    RUN(a_lock_that_was_granted_before_the_cancel_is_held);
    RUN(closing_a_pending_acquire_leaves_the_line);
    RUN(closing_a_lock_ends_those_who_wait);
    RUN(a_loop_that_closes_ends_locks_and_those_who_wait);
    return test_end();
}
