/* asyncio's tests of locks and events, restated. */
#include "parity.h"

static rota_loop loop;
static rota_lock lock;
static rota_event event;

static void open_scene(void) {
    loop = open_jump();
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_event(loop, 0, &event), ROTA_OK);
}

static void close_scene(void) {
    CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
    CHECK_STATUS(rota_event_close(event), ROTA_OK);
    close_clean(loop);
}

static bool is_locked(void) {
    bool locked = false;
    CHECK_STATUS(rota_lock_is_locked(lock, &locked), ROTA_OK);
    return locked;
}

static void acquire(void) { CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0); }
static void release(void) { CHECK_STATUS(rota_lock_release(lock), ROTA_OK); }

/* Takes the lock and keeps it. */
static int64_t takes_it(rota_task task, void *user_data) {
    int64_t result = rota_await(rota_lock_acquire(lock));
    (void)task;
    record("%s:%s", (const char *)user_data, told(result));
    return result;
}

static int64_t takes_it_in_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    static bool asked[128];
    bool *mine = &asked[(unsigned char)((const char *)user_data)[0] & 127];
    if (!*mine) {
        *mine = true;
        return rota_task_wait(task, rota_lock_acquire(lock));
    }
    *mine = false;
    record("%s:%s", (const char *)user_data, told(outcome->status));
    return outcome->status;
}

static rota_task taker(int kind, const char *name) {
    rota_task task = {0};
    CHECK_STATUS(kind == STEPPED
                     ? rota_loop_spawn_stepped(loop, takes_it_in_steps, (void *)name, NULL, &task)
                     : rota_loop_spawn(loop, takes_it, (void *)name, NULL, &task),
                 ROTA_OK);
    return task;
}

/* ---- locks */

static void hand_it_on(int kind) {
    rota_task tasks[3];
    int i;
    open_scene();
    acquire();
    tasks[0] = taker(kind, "1");
    tasks[1] = taker(kind, "2");
    turn(loop);
    CHECK_RECORD("");
    release();
    turn(loop);
    CHECK_RECORD("1:ok");
    turn(loop);
    CHECK_RECORD("");
    tasks[2] = taker(kind, "3");
    release();
    turn(loop);
    CHECK_RECORD("2:ok");
    release();
    turn(loop);
    CHECK_RECORD("3:ok");
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    release();
    close_scene();
}

TEST(each_release_lets_one_more_have_it) {
    hand_it_on(STACKFUL);
    hand_it_on(STEPPED);
}

static void cancel_who_waits(int kind) {
    rota_task task;
    open_scene();
    acquire();
    task = taker(kind, "t");
    turn(loop);
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_task, &task, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("t:cancelled");
    release();
    CHECK(!is_locked()); /* nobody was left in the line */
    close_scene();
}

TEST(who_is_cancelled_while_he_waits_stands_in_no_line) {
    cancel_who_waits(STACKFUL);
    cancel_who_waits(STEPPED);
}

typedef struct {
    const char *name;
    rota_future blocker;
} holder;

static int64_t holds_it(rota_task task, void *user_data) {
    holder *self = user_data;
    int64_t result = rota_await(rota_lock_acquire(lock));
    (void)task;
    record("%s:%s", self->name, told(result));
    if (result < 0) return result;
    if (self->blocker.id != 0) CHECK_EQ(rota_await(self->blocker), 0);
    release();
    return 0;
}

TEST(a_waiter_cancelled_beside_the_release_is_passed_over) {
    holder a = {"a", {0}}, b = {"b", {0}}, c = {"c", {0}};
    rota_task first, second, last;
    open_scene();
    a.blocker = open_future(loop);
    first = spawn(loop, holds_it, &a);
    turn(loop);
    CHECK(is_locked());
    second = spawn(loop, holds_it, &b);
    last = spawn(loop, holds_it, &c);
    turns(loop, 2);
    CHECK_STATUS(rota_future_complete(a.blocker, 0), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(second), ROTA_OK);
    turns(loop, 2);
    CHECK(!is_locked());
    CHECK_EQ(join(loop, first), 0);
    CHECK_STATUS(join(loop, second), CANCELLED);
    CHECK_EQ(join(loop, last), 0);
    CHECK_RECORD("a:ok b:cancelled c:ok");
    close_scene();
}

static rota_task to_cancel;

static void cancels_and_releases(rota_loop of, rota_status status, void *user_data) {
    (void)of, (void)status, (void)user_data;
    CHECK_STATUS(rota_task_cancel(to_cancel), ROTA_OK);
    release();
}

TEST(one_release_lets_one_have_it_though_another_was_cancelled_before) {
    rota_task second, third;
    open_scene();
    acquire();
    to_cancel = taker(STACKFUL, "1");
    second = taker(STACKFUL, "2");
    third = taker(STACKFUL, "3");
    turn(loop);
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_and_releases, NULL, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, to_cancel), CANCELLED);
    turns(loop, 3);
    CHECK_RECORD("1:cancelled 2:ok");
    CHECK_EQ(join(loop, second), 0);
    CHECK_STATUS(rota_task_cancel(third), ROTA_OK);
    CHECK_STATUS(join(loop, third), CANCELLED);
    CHECK_RECORD("3:cancelled");
    release();
    close_scene();
}

TEST(a_release_after_the_cancel_goes_to_the_next_in_line) {
    rota_task second, third;
    open_scene();
    acquire();
    second = taker(STACKFUL, "b");
    turn(loop);
    third = taker(STACKFUL, "c");
    turn(loop);
    CHECK_STATUS(rota_task_cancel(second), ROTA_OK);
    release();
    turn(loop);
    CHECK(is_locked());
    CHECK_RECORD("b:cancelled c:ok");
    CHECK_STATUS(join(loop, second), CANCELLED);
    CHECK_EQ(join(loop, third), 0);
    release();
    close_scene();
}

TEST(a_release_needs_somebody_who_holds_it) {
    open_scene();
    CHECK_STATUS(rota_lock_release(lock), ROTA_ERR_INVALID);
    acquire();
    CHECK(is_locked());
    release();
    CHECK(!is_locked());
    CHECK_STATUS(rota_lock_release(lock), ROTA_ERR_INVALID);
    close_scene();
}

/* ---- events */

static bool is_set(void) {
    bool set = false;
    CHECK_STATUS(rota_event_is_set(event, &set), ROTA_OK);
    return set;
}

static int64_t waits(rota_task task, void *user_data) {
    int64_t result = rota_await(rota_event_wait(event));
    (void)task;
    record("%s:%s", (const char *)user_data, told(result));
    return result;
}

TEST(who_comes_to_a_set_event_does_not_queue_behind_those_who_waited) {
    rota_task tasks[3];
    int i;
    open_scene();
    CHECK(!is_set());
    tasks[0] = spawn(loop, waits, "1");
    tasks[1] = spawn(loop, waits, "2");
    turn(loop);
    CHECK_RECORD("");
    tasks[2] = spawn(loop, waits, "3");
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turn(loop);
    CHECK_RECORD("3:ok 1:ok 2:ok");
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK_EQ(WAIT(loop, rota_event_wait(event)), 0);
    close_scene();
}

TEST(a_cancelled_wait_for_an_event_is_no_waiter) {
    rota_task task;
    open_scene();
    task = spawn(loop, waits, "t");
    turn(loop);
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_task, &task, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turn(loop);
    CHECK_RECORD("t:cancelled");
    close_scene();
}

TEST(an_event_is_set_and_cleared) {
    open_scene();
    CHECK(!is_set());
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK(is_set());
    CHECK_STATUS(rota_event_clear(event), ROTA_OK);
    CHECK(!is_set());
    close_scene();
}

TEST(setting_clearing_and_setting_again_wakes_a_waiter_once) {
    rota_task task;
    open_scene();
    task = spawn(loop, waits, "t");
    turn(loop);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_event_clear(event), ROTA_OK);
    CHECK(!is_set());
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("t:ok");
    CHECK_EQ(join(loop, task), 0);
    close_scene();
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(each_release_lets_one_more_have_it);
    RUN(who_is_cancelled_while_he_waits_stands_in_no_line);
    RUN(a_waiter_cancelled_beside_the_release_is_passed_over);
    RUN(one_release_lets_one_have_it_though_another_was_cancelled_before);
    RUN(a_release_after_the_cancel_goes_to_the_next_in_line);
    RUN(a_release_needs_somebody_who_holds_it);
    RUN(who_comes_to_a_set_event_does_not_queue_behind_those_who_waited);
    RUN(a_cancelled_wait_for_an_event_is_no_waiter);
    RUN(an_event_is_set_and_cleared);
    RUN(setting_clearing_and_setting_again_wakes_a_waiter_once);
    return test_end();
}
