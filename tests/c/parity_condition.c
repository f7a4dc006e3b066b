/* asyncio's tests of conditions, restated. */
#include "parity.h"

static rota_loop loop;
static rota_lock lock;
static rota_condition condition;

static void open_scene(void) {
    loop = open_jump();
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(loop, lock, &condition), ROTA_OK);
}

static void close_scene(void) {
    CHECK_STATUS(rota_condition_close(condition), ROTA_OK);
    CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
    close_clean(loop);
}

static bool is_locked(void) {
    bool locked = false;
    CHECK_STATUS(rota_lock_is_locked(lock, &locked), ROTA_OK);
    return locked;
}

static void acquire(void) { CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0); }
static void release(void) { CHECK_STATUS(rota_lock_release(lock), ROTA_OK); }
/* What a task that is done with the lock returns. */
static int64_t leave(int64_t result) {
    release();
    return result;
}

static void notify(size_t count) { CHECK_STATUS(rota_condition_notify(condition, count), ROTA_OK); }

/* What a task does after its wait: keep the lock, or let it go. */
typedef struct {
    const char *name;
    bool releases;
} waiting;

static int64_t waits(rota_task task, void *user_data) {
    waiting *self = user_data;
    int64_t result;
    (void)task;
    CHECK_EQ(rota_await(rota_lock_acquire(lock)), 0);
    result = rota_await(rota_condition_wait(condition));
    CHECK(is_locked()); /* however it ends */
    record("%s:%s", self->name, told(result));
    if (self->releases) release();
    return result;
}

static void spawn_three(rota_task *tasks, bool releases) {
    static waiting three[3] = {{"1", false}, {"2", false}, {"3", false}};
    int i;
    for (i = 0; i < 3; i++) {
        three[i].releases = releases;
        tasks[i] = spawn(loop, waits, &three[i]);
    }
}

TEST(those_who_were_notified_get_the_lock_one_after_the_other) {
    rota_task tasks[3];
    int i;
    open_scene();
    spawn_three(tasks, false);
    turn(loop);
    CHECK_RECORD("");
    CHECK(!is_locked());
    acquire();
    notify(1);
    turns(loop, 2);
    CHECK_RECORD(""); /* the lock is held yet */
    release();
    turn(loop);
    CHECK_RECORD("1:ok");
    CHECK(is_locked());
    notify(2);
    turns(loop, 2);
    CHECK_RECORD("");
    release();
    turn(loop);
    CHECK_RECORD("2:ok");
    release();
    turn(loop);
    CHECK_RECORD("3:ok");
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK(is_locked());
    release();
    close_scene();
}

TEST(so_many_are_notified_as_is_said_or_as_there_are) {
    rota_task tasks[3];
    int i;
    open_scene();
    spawn_three(tasks, true);
    turn(loop);
    CHECK_RECORD("");
    acquire();
    notify(1);
    release();
    turns(loop, 2);
    CHECK_RECORD("1:ok");
    acquire();
    notify(1);
    notify(2048);
    release();
    turns(loop, 3);
    CHECK_RECORD("2:ok 3:ok");
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK(!is_locked());
    close_scene();
}

TEST(all_are_notified) {
    rota_task tasks[3];
    int i;
    open_scene();
    spawn_three(tasks, true);
    turn(loop);
    acquire();
    CHECK_STATUS(rota_condition_notify_all(condition), ROTA_OK);
    release();
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK_RECORD("1:ok 2:ok 3:ok");
    close_scene();
}

/* asyncio wants the lock to be held. Here whoever has the handle may notify, lock or not. */
TEST(the_lock_is_needed_to_wait_and_not_to_notify) {
    rota_loop other = open_jump();
    rota_condition none = {7};
    open_scene();
    CHECK_STATUS(WAIT(loop, rota_condition_wait(condition)), ROTA_ERR_INVALID);
    CHECK(!is_locked());
    notify(1);
    CHECK_STATUS(rota_condition_notify_all(condition), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(other, lock, &none), ROTA_ERR_HANDLE);
    CHECK_EQ(none.id, 7);
    close_scene();
    close_clean(other);
}

static bool wanted;

static int64_t waits_for_it(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK_EQ(rota_await(rota_lock_acquire(lock)), 0);
    while (!wanted) {
        int64_t result = rota_await(rota_condition_wait(condition));
        record("woken");
        if (result < 0) return leave(result);
    }
    record("had");
    return leave(0);
}

TEST(who_finds_that_it_is_not_true_waits_again) {
    rota_task task;
    open_scene();
    wanted = false;
    task = spawn(loop, waits_for_it, NULL);
    turn(loop);
    acquire();
    notify(1);
    release();
    turns(loop, 2);
    CHECK_RECORD("woken");
    wanted = true;
    acquire();
    notify(1);
    release();
    CHECK_EQ(join(loop, task), 0);
    CHECK_RECORD("woken had");
    CHECK(!is_locked());
    close_scene();
}

static int64_t waits_under_a_lock_that_is_held(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return rota_await(rota_condition_wait(condition));
}

TEST(a_condition_shares_its_lock_with_who_uses_the_lock_alone) {
    rota_condition second;
    open_scene();
    CHECK_STATUS(rota_loop_open_condition(loop, lock, &second), ROTA_OK);
    acquire();
    then(rota_condition_wait(second), "second"); /* it lets go of the lock at once */
    CHECK(!is_locked());
    CHECK_STATUS(rota_condition_notify(second, 1), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("second:ok");
    CHECK(is_locked());
    release();
    CHECK_STATUS(rota_condition_close(second), ROTA_OK);
    close_scene();
}

/* ---- cancelled */

TEST(a_cancelled_wait_ends_with_the_lock_held) {
    rota_task task;
    open_scene();
    acquire();
    task = spawn(loop, waits_under_a_lock_that_is_held, NULL);
    turn(loop);
    CHECK(!is_locked());
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_task, &task, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK(is_locked());
    release();
    close_scene();
}

static int64_t waits_and_works(rota_task task, void *user_data) {
    int64_t result = waits(task, user_data);
    if (result < 0) return result;
    result = rota_await(rota_loop_sleep(loop, HOUR));
    record("work:%s", told(result));
    return result;
}

/* The notification came first, and wins: the wait ends with 0, and the request is told at the next.
 * In asyncio it ends cancelled. The lock is had again before that, here as there. */
TEST(a_wait_that_was_notified_and_then_cancelled_is_told_both) {
    waiting self = {"t", true};
    rota_task task;
    open_scene();
    task = spawn(loop, waits_and_works, &self);
    turn(loop);
    acquire();
    notify(1);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turn(loop);
    CHECK_RECORD(""); /* it has to get the lock first */
    release();
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("t:ok work:cancelled");
    CHECK(!is_locked());
    close_scene();
}

static int64_t waits_within_a_time(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK_EQ(rota_await(rota_lock_acquire(lock)), 0);
    CHECK_STATUS(rota_await(rota_future_wait_for(rota_condition_wait(condition), 500)),
                 ROTA_ERR_TIMEOUT);
    CHECK(is_locked());
    return leave(0);
}

TEST(a_wait_whose_time_is_over_ends_with_the_lock_held) {
    uint64_t began;
    open_scene();
    began = now_of(loop);
    CHECK_EQ(run_task(loop, waits_within_a_time, NULL), 0);
    CHECK_EQ(now_of(loop) - began, 500);
    CHECK(!is_locked());
    close_scene();
}

/* ---- no notification is lost */

static int items;

static int64_t consumes(rota_task task, void *user_data) {
    int64_t result;
    (void)task, (void)user_data;
    CHECK_EQ(rota_await(rota_lock_acquire(lock)), 0);
    for (;;) {
        while (items == 0) {
            result = rota_await(rota_condition_wait(condition));
            if (result < 0) return leave(result);
        }
        if (items < 0) return leave(0);
        items--;
    }
}

/* One of two consumers is notified, and cancelled when it is: the item is consumed all the same. */
static void notify_and_cancel(bool relocking) {
    rota_task consumers[2];
    int i;
    open_scene();
    items = 0;
    for (i = 0; i < 2; i++) consumers[i] = spawn(loop, consumes, NULL);
    turn(loop);
    acquire();
    items++;
    notify(1);
    if (relocking) turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(consumers[0]), ROTA_OK);
    release();
    turns(loop, 4);
    CHECK_EQ(items, 0);
    CHECK_STATUS(join(loop, consumers[0]), CANCELLED);
    acquire();
    items = -1;
    CHECK_STATUS(rota_condition_notify_all(condition), ROTA_OK);
    release();
    CHECK_EQ(join(loop, consumers[1]), 0);
    CHECK(!is_locked());
    close_scene();
}

TEST(a_notification_is_not_lost_with_who_is_cancelled_beside_it) {
    notify_and_cancel(false);
    notify_and_cancel(true);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(those_who_were_notified_get_the_lock_one_after_the_other);
    RUN(so_many_are_notified_as_is_said_or_as_there_are);
    RUN(all_are_notified);
    RUN(the_lock_is_needed_to_wait_and_not_to_notify);
    RUN(who_finds_that_it_is_not_true_waits_again);
    RUN(a_condition_shares_its_lock_with_who_uses_the_lock_alone);
    RUN(a_cancelled_wait_ends_with_the_lock_held);
    RUN(a_wait_that_was_notified_and_then_cancelled_is_told_both);
    RUN(a_wait_whose_time_is_over_ends_with_the_lock_held);
    RUN(a_notification_is_not_lost_with_who_is_cancelled_beside_it);
    return test_end();
}
