/* asyncio's tests of as_completed, restated with sets. */
#include "parity.h"

static rota_loop loop;
static rota_set set;
static uint64_t began;

static void open_scene(void) {
    loop = open_jump();
    began = now_of(loop);
    CHECK_STATUS(rota_loop_open_set(loop, &set), ROTA_OK);
}

static void close_scene(void) {
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(loop);
}

/* Until no sleep is left, and those who waited have been answered. */
static void pass_time(void) {
    while (stats_of(loop).timers > 0) {
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    }
    turns(loop, 3);
}

static size_t count(void) {
    size_t left = 99;
    CHECK_STATUS(rota_set_get_count(set, &left), ROTA_OK);
    return left;
}

/* Adds a sleep; its delay is what it is known by. */
static rota_future add_sleep(uint64_t delay_ns) {
    rota_future nap = rota_loop_sleep(loop, delay_ns);
    CHECK_STATUS(rota_set_add(set, nap, delay_ns), ROTA_OK);
    return nap;
}

/* A task that takes so many out, and records by what it knows them, and when. */
static int64_t takes(rota_task task, void *user_data) {
    int left = *(int *)user_data;
    int64_t tag = 0;
    (void)task;
    while (left-- > 0) {
        tag = rota_await(rota_set_next(set));
        if (tag < 0) break;
        record("%" PRId64 "@%" PRIu64, tag, now_of(loop) - began);
    }
    return tag;
}

static int64_t take(int how_many) { return run_task(loop, takes, &how_many); }

/* Takes one out from outside, which is yours to read and to close. */
static void expect_next(rota_future expected, int64_t tag) {
    CHECK_EQ(WAIT(loop, rota_set_next(set)), tag);
    CHECK_STATUS(outcome_of(expected).status, ROTA_OK);
    CHECK_STATUS(rota_future_close(expected), ROTA_OK);
}

TEST(they_come_in_the_order_in_which_they_are_done_and_no_later) {
    rota_future naps[3];
    int i;
    open_scene();
    naps[0] = add_sleep(11);
    naps[1] = add_sleep(150);
    naps[2] = add_sleep(10);
    CHECK_EQ(take(3), 150);
    CHECK_RECORD("10@10 11@11 150@150");
    CHECK_EQ(count(), 0);
    CHECK_EQ(take(1), ROTA_ERR_DONE); /* nothing is left */
    for (i = 0; i < 3; i++) CHECK_STATUS(rota_future_close(naps[i]), ROTA_OK);
    close_scene();
}

static int64_t returns_it(rota_task task, void *user_data) {
    (void)task;
    return *(int64_t *)user_data;
}

TEST(what_comes_out_is_what_was_put_in) {
    static int64_t values[4] = {10, 11, 12, 13};
    rota_future ends[4];
    int i;
    open_scene();
    for (i = 0; i < 4; i++) {
        ends[i] = rota_task_join(spawn(loop, returns_it, &values[i]));
        CHECK_STATUS(rota_set_add(set, ends[i], ends[i].id), ROTA_OK);
    }
    for (i = 0; i < 4; i++) {
        rota_future out;
        out.id = (uint64_t)WAIT(loop, rota_set_next(set));
        CHECK_EQ(out.id, ends[i].id);
        CHECK_EQ(outcome_of(out).value, values[i]);
        CHECK_STATUS(rota_future_close(out), ROTA_OK);
    }
    close_scene();
}

TEST(a_time_for_the_next_leaves_what_is_late_in_the_set) {
    rota_future first, second;
    open_scene();
    first = add_sleep(100);
    second = add_sleep(150);
    CHECK_EQ(WAIT(loop, rota_future_wait_for(rota_set_next(set), 120)), 100);
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(rota_set_next(set), 20)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(count(), 1);
    CHECK_EQ(WAIT(loop, rota_future_wait_for(rota_set_next(set), SECOND)), 150); /* in time */
    CHECK_STATUS(rota_future_close(first), ROTA_OK);
    CHECK_STATUS(rota_future_close(second), ROTA_OK);
    close_scene();
}

TEST(taking_may_stop_and_go_on_elsewhere) {
    rota_future naps[4];
    int i;
    open_scene();
    for (i = 0; i < 4; i++) naps[i] = add_sleep((uint64_t)i);
    CHECK_EQ(take(2), 1);
    CHECK_EQ(count(), 2);
    CHECK_EQ(take(2), 3);
    CHECK_RECORD("0@0 1@1 2@2 3@3");
    for (i = 0; i < 4; i++) CHECK_STATUS(rota_future_close(naps[i]), ROTA_OK);
    close_scene();
}

TEST(who_asks_first_has_the_first_that_is_done) {
    rota_future naps[2];
    open_scene();
    naps[0] = add_sleep(100);
    naps[1] = add_sleep(50);
    then(rota_set_next(set), "first");
    then(rota_set_next(set), "second");
    pass_time();
    CHECK_RECORD("first:50 second:100");
    CHECK_STATUS(rota_future_close(naps[0]), ROTA_OK);
    CHECK_STATUS(rota_future_close(naps[1]), ROTA_OK);
    close_scene();
}

TEST(two_that_are_done_at_once_go_to_two_that_wait) {
    rota_future one, other;
    open_scene();
    one = rota_loop_sleep(loop, 50);
    other = rota_loop_sleep(loop, 50);
    CHECK_STATUS(rota_set_add(set, one, 1), ROTA_OK);
    CHECK_STATUS(rota_set_add(set, other, 2), ROTA_OK);
    then(rota_set_next(set), "a");
    then(rota_set_next(set), "b");
    pass_time();
    CHECK_RECORD("a:1 b:2");
    CHECK_STATUS(rota_future_close(one), ROTA_OK);
    CHECK_STATUS(rota_future_close(other), ROTA_OK);
    close_scene();
}

/* asyncio has it once. Here it comes as often as it was added. */
TEST(one_that_was_added_twice_comes_twice) {
    rota_future nap;
    open_scene();
    nap = add_sleep(5);
    CHECK_STATUS(rota_set_add(set, nap, 6), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 5);
    expect_next(nap, 6);
    CHECK_EQ(count(), 0);
    close_scene();
}

TEST(what_is_no_future_of_the_loops_is_not_added) {
    rota_loop other = open_jump();
    rota_future foreign = open_future(other), null = {0}, nap;
    rota_set none = {0};
    open_scene();
    nap = rota_loop_sleep(loop, 1);
    CHECK_STATUS(rota_set_add(set, null, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_add(set, foreign, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_add(none, nap, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_add(set, nap, UINT64_MAX), ROTA_ERR_INVALID);
    CHECK_STATUS(WAIT(loop, rota_set_next(none)), ROTA_ERR_HANDLE);
    CHECK_STATUS(WAIT(loop, rota_set_next(set)), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_close(nap), ROTA_OK);
    CHECK_STATUS(rota_future_close(foreign), ROTA_OK);
    close_clean(other);
    close_scene();
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(they_come_in_the_order_in_which_they_are_done_and_no_later);
    RUN(what_comes_out_is_what_was_put_in);
    RUN(a_time_for_the_next_leaves_what_is_late_in_the_set);
    RUN(taking_may_stop_and_go_on_elsewhere);
    RUN(who_asks_first_has_the_first_that_is_done);
    RUN(two_that_are_done_at_once_go_to_two_that_wait);
    RUN(one_that_was_added_twice_comes_twice);
    RUN(what_is_no_future_of_the_loops_is_not_added);
    return test_end();
}
