/* Once-cells: one makes the value, the others wait for it; who gives up is followed by the next. */
#include "rota_test.h"

#define CANCELLED ROTA_ERR_CANCELLED

static rota_loop loop;
static rota_once once;
static char value[] = "the value";
static int freed;

static void open_all(void) {
    loop = open_jump();
    once.id = 0;
    freed = 0;
    CHECK_STATUS(rota_loop_open_once(loop, &once), ROTA_OK);
    CHECK(once.id != 0);
}

static void count_free(void *user_data) {
    CHECK(user_data == value);
    freed++;
}

static rota_future begin_then(const char *name) {
    rota_future future = rota_once_begin(once);
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

static void set(void) { CHECK_STATUS(rota_once_set(once, value, count_free), ROTA_OK); }

static void check_there(void) {
    void *out = NULL;
    CHECK_STATUS(rota_once_get(once, &out), ROTA_OK);
    CHECK(out == value);
}

TEST(the_first_makes_it_and_the_others_wait) {
    void *out = &out;
    open_all();
    CHECK_STATUS(rota_once_get(once, &out), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_once_set(once, value, count_free), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_once_give_up(once), ROTA_ERR_INVALID);
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    CHECK_EQ(stats_of(loop).futures, 0);
    begin_then("a");
    begin_then("b");
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_STATUS(rota_once_get(once, &out), ROTA_ERR_PENDING);
    CHECK(out == &out);
    set();
    CHECK_RECORD("");
    turns(loop, 1);
    CHECK_RECORD("a:ok b:ok");
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 0); /* at once from now on */
    CHECK_EQ(stats_of(loop).futures, 0);
    check_there();
    CHECK_STATUS(rota_once_set(once, value, count_free), ROTA_ERR_DONE);
    CHECK_STATUS(rota_once_give_up(once), ROTA_ERR_DONE);
    CHECK_EQ(freed, 0);
    CHECK_STATUS(rota_once_close(once), ROTA_OK);
    CHECK_EQ(freed, 1);
    CHECK_STATUS(rota_once_close(once), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_once_get(once, &out), ROTA_ERR_HANDLE);
    close_clean(loop);
    CHECK_EQ(freed, 1);
}

TEST(who_gives_up_is_followed_by_the_next) {
    open_all();
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    begin_then("a");
    begin_then("b");
    CHECK_STATUS(rota_once_give_up(once), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("a:1");
    CHECK_STATUS(rota_once_give_up(once), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("b:1");
    CHECK_STATUS(rota_once_give_up(once), ROTA_OK);
    CHECK_STATUS(rota_once_give_up(once), ROTA_ERR_INVALID);
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1); /* from the beginning */
    CHECK_STATUS(rota_once_set(once, NULL, NULL), ROTA_OK); /* NULL is a value, too */
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 0);
    close_clean(loop);
}

TEST(a_cancelled_wait_leaves_the_line) {
    rota_future a, b;
    open_all();
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    a = begin_then("a");
    b = begin_then("b");
    begin_then("c");
    CHECK_STATUS(rota_future_cancel(a), ROTA_OK);
    CHECK_STATUS(rota_once_give_up(once), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(b), ROTA_ERR_DONE); /* asked to make it already */
    turns(loop, 1);
    CHECK_RECORD("a:cancelled b:1");
    set();
    turns(loop, 1);
    CHECK_RECORD("c:ok");
    close_clean(loop);
    CHECK_EQ(freed, 1);
}

/* Makes the value in a second, unless it is cancelled meanwhile. */
static int64_t needs(rota_task task, void *user_data) {
    int64_t came = rota_await(rota_once_begin(once));
    (void)task;
    record("%s:%s", (const char *)user_data, told(came));
    if (came != 1) return came;
    came = rota_await(rota_loop_sleep(loop, SECOND));
    if (came < 0) {
        CHECK_STATUS(rota_once_give_up(once), ROTA_OK);
    } else {
        set();
    }
    return came;
}

TEST(a_maker_who_is_cancelled_hands_the_work_on) {
    rota_task first;
    open_all();
    first = spawn(loop, needs, (void *)"first");
    CHECK_STATUS(rota_task_detach(first), ROTA_OK);
    CHECK_STATUS(rota_task_detach(spawn(loop, needs, (void *)"second")), ROTA_OK);
    CHECK_STATUS(rota_task_detach(spawn(loop, needs, (void *)"third")), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(first), ROTA_OK);
    run_dry(loop);
    CHECK_RECORD("first:1 second:1 third:ok");
    check_there();
    CHECK_STATUS(rota_once_close(once), ROTA_OK);
    CHECK_EQ(freed, 1);
    close_clean(loop);
}

TEST(closing_it_ends_those_who_wait) {
    open_all();
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    begin_then("a");
    begin_then("b");
    CHECK_STATUS(rota_once_close(once), ROTA_OK);
    CHECK_STATUS(rota_once_set(once, value, count_free), ROTA_ERR_HANDLE); /* stays ours */
    turns(loop, 1);
    CHECK_RECORD("a:cancelled b:cancelled");
    CHECK_EQ(freed, 0);
    close_clean(loop);
}

static void on_free(void *user_data) {
    rota_once other = *(rota_once *)user_data;
    freed++;
    CHECK_STATUS(rota_once_close(other), ROTA_OK); /* its own handle has ended, others have not */
    CHECK_STATUS(outcome_of(rota_once_begin(once)).status, ROTA_ERR_HANDLE);
}

TEST(the_destructor_may_use_the_loop_but_not_the_cell) {
    rota_once other;
    open_all();
    CHECK_STATUS(rota_loop_open_once(loop, &other), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    CHECK_STATUS(rota_once_set(once, &other, on_free), ROTA_OK);
    CHECK_STATUS(rota_once_close(once), ROTA_OK);
    CHECK_EQ(freed, 1);
    close_clean(loop);
}

static int64_t uses_late(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_EQ(rota_await(rota_loop_sleep(loop, HOUR)), CANCELLED);
    CHECK_EQ(rota_task_yield(task), 0);
    check_there(); /* the values go last */
    CHECK_EQ(freed, 0);
    return 0;
}

TEST(a_loop_that_closes_lets_go_of_the_values_after_everything_else) {
    rota_once waited, empty, plain;
    rota_future waiting;
    open_all();
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    set();
    CHECK_STATUS(rota_loop_open_once(loop, &waited), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_once_begin(waited)), 1);
    waiting = rota_once_begin(waited);
    CHECK_STATUS(rota_future_then(waiting, record_future, (void *)"a"), ROTA_OK);
    CHECK_STATUS(rota_loop_open_once(loop, &empty), ROTA_OK);
    CHECK_STATUS(rota_loop_open_once(loop, &plain), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_once_begin(plain)), 1);
    CHECK_STATUS(rota_once_set(plain, value, NULL), ROTA_OK);
    CHECK_STATUS(rota_task_detach(spawn(loop, uses_late, NULL)), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("a:cancelled");
    CHECK_EQ(freed, 1);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(the_first_makes_it_and_the_others_wait);
    RUN(who_gives_up_is_followed_by_the_next);
    RUN(a_cancelled_wait_leaves_the_line);
    RUN(a_maker_who_is_cancelled_hands_the_work_on);
    RUN(closing_it_ends_those_who_wait);
    RUN(the_destructor_may_use_the_loop_but_not_the_cell);
    RUN(a_loop_that_closes_lets_go_of_the_values_after_everything_else);
    return test_end();
}
