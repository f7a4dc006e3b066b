/* Conditions: waiting lets go of the lock and comes back with it, first come first served; no
 * notification is lost, and who is cancelled holds the lock when he hears of it. */
#include "rota_test.h"

#define CANCELLED ROTA_ERR_CANCELLED
#define SHUT ROTA_ERR_SHUT

static rota_loop loop;
static rota_lock lock;
static rota_condition condition;

static rota_condition open_condition(void) {
    rota_condition opened = {0};
    CHECK_STATUS(rota_loop_open_condition(loop, lock, &opened), ROTA_OK);
    CHECK(opened.id != 0);
    return opened;
}

static void open_all(void) {
    loop = open_jump();
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    condition = open_condition();
}

static bool is_locked(void) {
    bool locked = false;
    CHECK_STATUS(rota_lock_is_locked(lock, &locked), ROTA_OK);
    return locked;
}

static void hold(void) { CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0); }
static void release(void) { CHECK_STATUS(rota_lock_release(lock), ROTA_OK); }
static void notify(size_t count) {
    CHECK_STATUS(rota_condition_notify(condition, count), ROTA_OK);
}

static bool held_after(int64_t outcome) { return outcome == 0 || outcome == CANCELLED; }

/* Records what his wait came to, and lets go of the lock in the next turn, if he has it. */
static int64_t waits(rota_task task, void *user_data) {
    static int inside;
    int64_t came = rota_await(rota_lock_acquire(lock));
    if (came < 0) return came;
    came = rota_await(rota_condition_wait(condition));
    record("%s:%s", (const char *)user_data, told(came));
    if (!held_after(came)) return came;
    CHECK(is_locked());
    CHECK_EQ(inside++, 0);
    (void)rota_task_yield(task); /* a request that is due by now is answered here */
    inside--;
    release();
    return came;
}

static rota_task waiter(const char *name) {
    rota_task task = spawn(loop, waits, (void *)name);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    turns(loop, 2);
    return task;
}

static rota_future wait_then(const char *name) {
    rota_future future;
    hold();
    future = rota_condition_wait(condition);
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

TEST(waiting_lets_go_of_the_lock_and_comes_back_with_it) {
    open_all();
    waiter("a");
    CHECK(!is_locked());
    hold();
    notify(1);
    turns(loop, 3);
    CHECK_RECORD(""); /* notified, but the lock is not his yet */
    release();
    CHECK(is_locked()); /* handed over */
    run_dry(loop);
    CHECK_RECORD("a:ok");
    CHECK(!is_locked());
    close_clean(loop);
}

TEST(who_waits_first_is_notified_first_and_nobody_later_for_want_of_somebody) {
    open_all();
    notify(1);
    waiter("a");
    waiter("b");
    waiter("c");
    waiter("d");
    turns(loop, 3);
    CHECK_RECORD("");
    notify(0);
    turns(loop, 3);
    CHECK_RECORD("");
    notify(1);
    turns(loop, 3);
    CHECK_RECORD("a:ok");
    notify(2);
    turns(loop, 9);
    CHECK_RECORD("b:ok c:ok");
    notify(SIZE_MAX);
    run_dry(loop);
    CHECK_RECORD("d:ok");
    close_clean(loop);
}

TEST(notify_all_wakes_all_one_after_the_other) {
    open_all();
    waiter("a");
    waiter("b");
    waiter("c");
    hold();
    CHECK_STATUS(rota_condition_notify_all(condition), ROTA_OK);
    release();
    run_dry(loop);
    CHECK_RECORD("a:ok b:ok c:ok");
    close_clean(loop);
}

TEST(those_who_come_back_queue_behind_those_who_want_the_lock) {
    open_all();
    wait_then("back");
    hold();
    CHECK_STATUS(rota_future_then(rota_lock_acquire(lock), record_future, (void *)"new"), ROTA_OK);
    notify(1);
    CHECK_STATUS(rota_future_then(rota_lock_acquire(lock), record_future, (void *)"late"), ROTA_OK);
    release();
    turns(loop, 1);
    CHECK_RECORD("new:ok");
    release();
    turns(loop, 1);
    CHECK_RECORD("back:ok");
    release();
    turns(loop, 1);
    CHECK_RECORD("late:ok");
    release();
    close_clean(loop);
}

TEST(waiting_without_the_lock_is_refused) {
    rota_loop other = open_jump();
    rota_lock foreign;
    rota_condition opened = {7};
    open_all();
    CHECK_EQ(WAIT(loop, rota_condition_wait(condition)), ROTA_ERR_INVALID);
    CHECK(!is_locked());
    CHECK_STATUS(rota_loop_open_lock(other, &foreign), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(loop, foreign, &opened), ROTA_ERR_HANDLE);
    CHECK_EQ(opened.id, 7);
    CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(loop, lock, &opened), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(loop, rota_condition_wait(condition)), SHUT);
    CHECK_STATUS(rota_condition_notify_all(condition), ROTA_OK);
    CHECK_STATUS(rota_condition_close(condition), ROTA_OK);
    CHECK_STATUS(rota_condition_notify(condition, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_condition_close(condition), ROTA_ERR_HANDLE);
    close_clean(loop);
    close_clean(other);
}

TEST(who_is_cancelled_comes_back_with_the_lock_too) {
    rota_task task;
    open_all();
    task = waiter("a");
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK(is_locked()); /* it was free, so it is his at once */
    run_dry(loop);
    CHECK_RECORD("a:cancelled");

    task = waiter("b");
    hold();
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turns(loop, 3);
    CHECK_RECORD(""); /* not before he has the lock */
    release();
    run_dry(loop);
    CHECK_RECORD("b:cancelled");
    CHECK(!is_locked());
    close_clean(loop);
}

static int64_t asks_later(rota_task task, void *user_data) {
    int64_t came = rota_await(rota_lock_acquire(lock));
    CHECK_EQ(came, 0);
    came = rota_await(rota_condition_wait(condition));
    record("wait:%s", told(came));
    came = rota_await(rota_loop_sleep(loop, HOUR));
    record("next:%s", told(came));
    came = rota_await(rota_loop_sleep(loop, 1));
    record("after:%s", told(came));
    (void)task, (void)user_data;
    release();
    return 0;
}

TEST(a_notification_wins_over_a_later_cancel_which_is_due_afterwards) {
    rota_task task;
    open_all();
    task = spawn(loop, asks_later, NULL);
    turns(loop, 2);
    hold();
    notify(1);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("");
    release();
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("wait:ok next:cancelled after:ok");
    close_clean(loop);
}

TEST(a_second_request_while_he_comes_back_is_due_afterwards) {
    rota_task task;
    open_all();
    task = spawn(loop, asks_later, NULL);
    turns(loop, 2);
    hold();
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    notify(1); /* he left the line: this is for nobody */
    release();
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("wait:cancelled next:cancelled after:ok");
    close_clean(loop);
}

TEST(a_notification_goes_to_one_who_still_waits) {
    rota_task first;
    open_all();
    first = waiter("a");
    waiter("b");
    hold();
    CHECK_STATUS(rota_task_cancel(first), ROTA_OK);
    notify(1);
    release();
    run_dry(loop);
    CHECK_RECORD("a:cancelled b:ok");
    close_clean(loop);
}

TEST(a_wait_that_is_closed_gives_up_the_lock_and_hands_its_notification_on) {
    rota_future alone;
    open_all();
    hold();
    alone = rota_condition_wait(condition);
    CHECK_STATUS(rota_future_close(alone), ROTA_OK); /* not even the free lock is taken */
    CHECK(!is_locked());
    hold();
    alone = rota_condition_wait(condition);
    waiter("b");
    hold();
    notify(1);
    CHECK_STATUS(rota_future_close(alone), ROTA_OK);
    CHECK_RECORD("");
    release();
    run_dry(loop);
    CHECK_RECORD("b:ok");
    /* One that was cancelled, and is on its way back. */
    hold();
    alone = rota_condition_wait(condition);
    hold();
    CHECK_STATUS(rota_future_cancel(alone), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(alone), ROTA_OK); /* pending still: asked again, to no effect */
    CHECK_STATUS(rota_future_close(alone), ROTA_OK);
    release();
    CHECK(!is_locked());
    /* Closed while somebody is to be told: he is, with the lock. */
    alone = wait_then("told");
    hold();
    CHECK_STATUS(rota_future_close(alone), ROTA_ERR_BUSY);
    turns(loop, 2);
    CHECK_RECORD("");
    release();
    turns(loop, 2);
    CHECK_RECORD("told:cancelled");
    release();
    close_clean(loop);
}

TEST(a_closed_wait_that_loses_its_last_callback_gives_up_the_lock_too) {
    rota_future alone;
    size_t removed = 0;
    open_all();
    alone = wait_then("never");
    waiter("b");
    hold();
    notify(1);
    CHECK_STATUS(rota_future_close(alone), ROTA_ERR_BUSY);
    CHECK_STATUS(rota_future_remove(alone, record_future, (void *)"never", &removed), ROTA_OK);
    CHECK_EQ(removed, 1);
    release();
    run_dry(loop);
    CHECK_RECORD("b:ok");
    CHECK(!is_locked());
    close_clean(loop);
}

static int64_t waits_a_second(rota_task task, void *user_data) {
    int64_t came = rota_await(rota_lock_acquire(lock));
    (void)task;
    came = rota_await(rota_future_wait_for(rota_condition_wait(condition), SECOND));
    record("%s:%s", (const char *)user_data, came == ROTA_ERR_TIMEOUT ? "timeout" : told(came));
    CHECK(is_locked());
    release();
    return 0;
}

TEST(a_time_limit_ends_a_wait_with_the_lock_held) {
    rota_task task;
    open_all();
    CHECK_EQ(run_task(loop, waits_a_second, (void *)"a"), 0);
    CHECK_RECORD("a:timeout");
    task = spawn(loop, waits_a_second, (void *)"b");
    turns(loop, 2);
    notify(1);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("b:ok");
    CHECK(!is_locked());
    close_clean(loop);
}

/* Waits a second at most, in a scope; `came` is what the wait said, before the scope is left. */
static int64_t waits_in_a_scope(rota_task task, void *user_data) {
    rota_scope scope;
    int64_t came = rota_await(rota_lock_acquire(lock));
    CHECK_EQ(came, 0);
    CHECK_STATUS(rota_task_enter_timeout(task, SECOND, &scope), ROTA_OK);
    came = rota_await(rota_condition_wait(condition));
    record("%s:%s", (const char *)user_data, told(came));
    CHECK(held_after(came) && is_locked());
    came = rota_scope_leave(scope, came);
    release();
    CHECK_EQ(rota_task_yield(task), 0); /* its request is gone with it */
    return came;
}

TEST(a_scope_whose_time_is_over_has_the_lock_as_well) {
    rota_task task;
    open_all();
    CHECK_EQ(run_task(loop, waits_in_a_scope, (void *)"late"), ROTA_ERR_TIMEOUT);
    CHECK_RECORD("late:cancelled");
    task = spawn(loop, waits_in_a_scope, (void *)"notified");
    turns(loop, 2);
    hold();
    notify(1);
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, 2 * SECOND)), 0); /* its time ends on the way back */
    CHECK_RECORD("");
    release();
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("notified:ok");
    CHECK(!is_locked());
    close_clean(loop);
}

static int stock;

/* What asyncio's wait_for(predicate) does: looks again after each wait. */
static int64_t takes_three(rota_task task, void *user_data) {
    int64_t came = rota_await(rota_lock_acquire(lock));
    (void)task, (void)user_data;
    while (came == 0 && stock < 3) {
        record("looked:%d", stock);
        came = rota_await(rota_condition_wait(condition));
    }
    CHECK_EQ(came, 0);
    stock -= 3;
    release();
    return 0;
}

TEST(what_was_waited_for_is_looked_at_again_after_each_notification) {
    rota_task task;
    int i;
    open_all();
    stock = 0;
    task = spawn(loop, takes_three, NULL);
    turns(loop, 2);
    for (i = 0; i < 3; i++) {
        hold();
        stock++;
        notify(1);
        release();
        turns(loop, 2);
    }
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("looked:0 looked:1 looked:2");
    CHECK_EQ(stock, 0);
    close_clean(loop);
}

TEST(a_combination_that_is_closed_gives_up_the_lock_as_well) {
    rota_future outer;
    open_all();
    hold();
    outer = rota_future_wait_for(rota_condition_wait(condition), HOUR);
    hold();
    CHECK_STATUS(rota_future_close(outer), ROTA_ERR_BUSY); /* its step comes in its turn */
    turns(loop, 2);
    release();
    CHECK(!is_locked());
    close_clean(loop);
}

TEST(closing_the_condition_ends_its_line_and_not_those_who_were_notified) {
    rota_condition before = {0}, after = {0};
    open_all();
    before = condition;
    condition = open_condition();
    after = open_condition();
    waiter("notified");
    waiter("waits");
    hold();
    notify(1);
    CHECK_STATUS(rota_condition_close(condition), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("waits:-33");
    release();
    run_dry(loop);
    CHECK_RECORD("notified:ok");
    /* The others on the same lock are as they were, whichever is closed first. */
    condition = before;
    waiter("before");
    condition = after;
    waiter("after");
    CHECK_STATUS(rota_condition_close(after), ROTA_OK);
    CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
    run_dry(loop);
    CHECK_RECORD("after:-33 before:-33");
    CHECK_STATUS(rota_condition_close(before), ROTA_OK);
    close_clean(loop);
}

TEST(closing_the_lock_tells_all_that_they_do_not_hold_it) {
    rota_task cancelled;
    rota_condition other;
    open_all();
    waiter("notified");
    cancelled = waiter("cancelled");
    waiter("waits");
    other = condition;
    condition = open_condition();
    waiter("elsewhere"); /* the first that the lock knows of */
    condition = other;
    hold();
    CHECK_STATUS(rota_future_then(rota_lock_acquire(lock), record_future, (void *)"line"), ROTA_OK);
    notify(1);
    CHECK_STATUS(rota_task_cancel(cancelled), ROTA_OK);
    CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
    run_dry(loop);
    CHECK_RECORD("line:cancelled notified:-33 cancelled:-33 elsewhere:-33 waits:-33");
    close_clean(loop);
}

TEST(a_loop_that_closes_brings_all_back_one_after_the_other) {
    open_all();
    waiter("a");
    waiter("b");
    wait_then("callback");
    CHECK_STATUS(rota_loop_close(loop, ROTA_FOREVER), ROTA_OK);
    CHECK_RECORD("a:cancelled b:cancelled callback:cancelled");
}

TEST(a_loop_that_closes_does_not_wait_for_a_lock_that_nobody_will_release) {
    open_all();
    waiter("a");
    wait_then("callback");
    hold(); /* we, and we do not let go */
    CHECK_STATUS(rota_loop_close(loop, ROTA_FOREVER), ROTA_OK);
    CHECK_RECORD("a:-33 callback:-33");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(waiting_lets_go_of_the_lock_and_comes_back_with_it);
    RUN(who_waits_first_is_notified_first_and_nobody_later_for_want_of_somebody);
    RUN(notify_all_wakes_all_one_after_the_other);
    RUN(those_who_come_back_queue_behind_those_who_want_the_lock);
    RUN(waiting_without_the_lock_is_refused);
    RUN(who_is_cancelled_comes_back_with_the_lock_too);
    RUN(a_notification_wins_over_a_later_cancel_which_is_due_afterwards);
    RUN(a_second_request_while_he_comes_back_is_due_afterwards);
    RUN(a_notification_goes_to_one_who_still_waits);
    RUN(a_wait_that_is_closed_gives_up_the_lock_and_hands_its_notification_on);
    RUN(a_closed_wait_that_loses_its_last_callback_gives_up_the_lock_too);
    RUN(a_time_limit_ends_a_wait_with_the_lock_held);
    RUN(a_scope_whose_time_is_over_has_the_lock_as_well);
    RUN(what_was_waited_for_is_looked_at_again_after_each_notification);
    RUN(a_combination_that_is_closed_gives_up_the_lock_as_well);
    RUN(closing_the_condition_ends_its_line_and_not_those_who_were_notified);
    RUN(closing_the_lock_tells_all_that_they_do_not_hold_it);
    RUN(a_loop_that_closes_brings_all_back_one_after_the_other);
    RUN(a_loop_that_closes_does_not_wait_for_a_lock_that_nobody_will_release);
    return test_end();
}
