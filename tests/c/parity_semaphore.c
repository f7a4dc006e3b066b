/* asyncio's tests of semaphores, restated. */
#include "parity.h"

static rota_loop loop;
static rota_semaphore places;

static void open_scene(uint64_t value, uint32_t flags) {
    loop = open_jump();
    CHECK_STATUS(rota_loop_open_semaphore(loop, value, flags, &places), ROTA_OK);
}

static void close_scene(void) {
    CHECK_STATUS(rota_semaphore_close(places), ROTA_OK);
    close_clean(loop);
}

static uint64_t value(void) {
    uint64_t free_places = 99;
    CHECK_STATUS(rota_semaphore_get_value(places, &free_places), ROTA_OK);
    return free_places;
}

static void release(void) { CHECK_STATUS(rota_semaphore_release(places), ROTA_OK); }

static int64_t takes_one(rota_task task, void *user_data) {
    int64_t result = rota_await(rota_semaphore_acquire(places));
    (void)task;
    record("%s:%s", (const char *)user_data, told(result));
    return result;
}

static rota_task taker(const char *name) { return spawn(loop, takes_one, (void *)name); }

TEST(a_semaphore_may_start_with_none_or_with_one) {
    open_scene(0, 0);
    CHECK_EQ(value(), 0);
    CHECK(pending(then(rota_semaphore_acquire(places), "t")));
    release();
    turn(loop);
    CHECK_RECORD("t:ok");
    CHECK_EQ(value(), 0);
    close_scene();
    open_scene(1, 0);
    CHECK_EQ(value(), 1);
    CHECK_EQ(WAIT(loop, rota_semaphore_acquire(places)), 0);
    CHECK_EQ(value(), 0);
    release();
    CHECK_EQ(value(), 1);
    close_scene();
}

TEST(places_go_to_those_who_came_first_and_none_is_left_over) {
    rota_task tasks[4];
    int i;
    open_scene(3, 0);
    CHECK_EQ(WAIT(loop, rota_semaphore_acquire(places)), 0);
    CHECK_EQ(WAIT(loop, rota_semaphore_acquire(places)), 0);
    CHECK_EQ(value(), 1);
    tasks[0] = taker("1");
    tasks[1] = taker("2");
    tasks[2] = taker("3");
    turn(loop);
    CHECK_RECORD("1:ok");
    CHECK_EQ(value(), 0);
    tasks[3] = taker("4");
    release();
    release();
    CHECK_EQ(value(), 0);
    turn(loop);
    CHECK_RECORD("2:ok 3:ok");
    CHECK_EQ(value(), 0);
    release();
    turn(loop);
    CHECK_RECORD("4:ok");
    for (i = 0; i < 4; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    close_scene();
}

TEST(a_cancelled_acquire_leaves_no_waiter) {
    rota_task task;
    open_scene(1, 0);
    CHECK_EQ(WAIT(loop, rota_semaphore_acquire(places)), 0);
    task = taker("t");
    turn(loop);
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_task, &task, NULL), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_RECORD("t:cancelled");
    release();
    CHECK_EQ(value(), 1);
    close_scene();
}

TEST(a_release_passes_over_those_who_were_cancelled) {
    static const char *const names[4] = {"1", "2", "3", "4"};
    rota_task tasks[4];
    int i;
    open_scene(0, 0);
    for (i = 0; i < 4; i++) tasks[i] = taker(names[i]);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(tasks[0]), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(tasks[1]), ROTA_OK);
    release();
    turns(loop, 2);
    CHECK_RECORD("1:cancelled 2:cancelled 3:ok");
    CHECK_EQ(value(), 0);
    CHECK_STATUS(rota_task_cancel(tasks[3]), ROTA_OK);
    turn(loop);
    CHECK_RECORD("4:cancelled");
    for (i = 0; i < 4; i++) CHECK_STATUS(join(loop, tasks[i]), i == 2 ? ROTA_OK : CANCELLED);
    close_scene();
}

static rota_task second;

static int64_t yields_inside_and_cancels(rota_task task, void *user_data) {
    (void)user_data;
    CHECK_EQ(rota_await(rota_semaphore_acquire(places)), 0);
    CHECK_EQ(rota_task_yield(task), 0);
    release();
    CHECK_STATUS(rota_task_cancel(second), ROTA_OK);
    return 0;
}

static int64_t comes_and_goes(rota_task task, void *user_data) {
    int64_t result = rota_await(rota_semaphore_acquire(places));
    (void)task, (void)user_data;
    record("%s", told(result));
    if (result < 0) return result;
    release();
    return 0;
}

/* In asyncio the one who was let in and cancelled then does not get in. Here he is in, and has
 * to go again; whichever it is, the place is not lost. */
TEST(a_place_that_was_granted_before_the_cancel_is_not_lost) {
    rota_task first;
    open_scene(1, 0);
    first = spawn(loop, yields_inside_and_cancels, NULL);
    second = spawn(loop, comes_and_goes, NULL);
    CHECK_EQ(join(loop, first), 0);
    CHECK_EQ(join(loop, second), 0);
    CHECK_RECORD("ok");
    CHECK_EQ(WAIT(loop, rota_future_wait_for(rota_semaphore_acquire(places), SECOND)), 0);
    close_scene();
}

TEST(a_bounded_one_takes_back_no_more_than_it_gave) {
    open_scene(1, ROTA_SEMAPHORE_BOUNDED);
    CHECK_STATUS(rota_semaphore_release(places), ROTA_ERR_LIMIT);
    CHECK_EQ(WAIT(loop, rota_semaphore_acquire(places)), 0);
    release();
    CHECK_STATUS(rota_semaphore_release(places), ROTA_ERR_LIMIT);
    CHECK_EQ(value(), 1);
    close_scene();
}

/* ---- first come, first served */

static int64_t goes_in_twice(rota_task task, void *user_data) {
    int round;
    (void)task;
    for (round = 1; round <= 2; round++) {
        CHECK_EQ(rota_await(rota_semaphore_acquire(places)), 0);
        record("%s_%d", (const char *)user_data, round);
        CHECK_EQ(rota_await(rota_loop_sleep(loop, 10)), 0);
        release();
    }
    return 0;
}

TEST(who_comes_again_stands_behind_those_who_wait) {
    static const char *const names[3] = {"a", "b", "c"};
    rota_task tasks[3];
    int i;
    open_scene(1, 0);
    for (i = 0; i < 3; i++) tasks[i] = spawn(loop, goes_in_twice, (void *)names[i]);
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK_RECORD("a_1 b_1 c_1 a_2 b_2 c_2");
    close_scene();
}

static int64_t takes_releases_and_takes(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK_EQ(rota_await(rota_semaphore_acquire(places)), 0);
    record("2");
    release();
    CHECK_EQ(value(), 1); /* 3 was let in before, by the second release, though it has not run */
    CHECK_EQ(rota_await(rota_semaphore_acquire(places)), 0);
    record("4");
    return 0;
}

/* In asyncio 4 comes after 3, since places are taken when a task runs. Here they are handed over by
 * the release: 3 has its place already, and nobody is overtaken. */
TEST(a_place_belongs_to_the_waiter_from_the_release_on) {
    rota_task tasks[3];
    int i;
    open_scene(1, 0);
    tasks[0] = taker("1");
    tasks[1] = spawn(loop, takes_releases_and_takes, NULL);
    tasks[2] = taker("3");
    turn(loop);
    CHECK_RECORD("1:ok");
    release();
    release();
    CHECK_EQ(value(), 0);
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK_RECORD("2 4 3:ok");
    CHECK_EQ(value(), 0);
    close_scene();
}

TEST(those_behind_a_cancelled_one_move_up_in_order) {
    rota_task tasks[3];
    open_scene(0, 0);
    tasks[0] = taker("1");
    tasks[1] = taker("2");
    tasks[2] = taker("3");
    turn(loop);
    CHECK_STATUS(rota_task_cancel(tasks[0]), ROTA_OK);
    turn(loop);
    release();
    release();
    CHECK_STATUS(join(loop, tasks[0]), CANCELLED);
    CHECK_EQ(join(loop, tasks[1]), 0);
    CHECK_EQ(join(loop, tasks[2]), 0);
    CHECK_RECORD("1:cancelled 2:ok 3:ok");
    close_scene();
}

static int64_t releases_three(rota_task task, void *user_data) {
    int i;
    (void)task, (void)user_data;
    for (i = 0; i < 3; i++) release();
    CHECK_EQ(value(), 2); /* one is 1's, who waited */
    CHECK_EQ(rota_await(rota_semaphore_acquire(places)), 0);
    record("2");
    return 0;
}

/* In asyncio 1 runs first, for the same reason. */
TEST(several_releases_serve_who_waits_and_then_who_comes) {
    rota_task tasks[3];
    int i;
    open_scene(0, 0);
    tasks[0] = taker("1");
    tasks[1] = spawn(loop, releases_three, NULL);
    tasks[2] = taker("3");
    for (i = 0; i < 3; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK_RECORD("2 3:ok 1:ok");
    CHECK_EQ(value(), 0);
    close_scene();
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_semaphore_may_start_with_none_or_with_one);
    RUN(places_go_to_those_who_came_first_and_none_is_left_over);
    RUN(a_cancelled_acquire_leaves_no_waiter);
    RUN(a_release_passes_over_those_who_were_cancelled);
    RUN(a_place_that_was_granted_before_the_cancel_is_not_lost);
    RUN(a_bounded_one_takes_back_no_more_than_it_gave);
    RUN(who_comes_again_stands_behind_those_who_wait);
    RUN(a_place_belongs_to_the_waiter_from_the_release_on);
    RUN(those_behind_a_cancelled_one_move_up_in_order);
    RUN(several_releases_serve_who_waits_and_then_who_comes);
    return test_end();
}
