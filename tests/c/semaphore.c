/* Semaphores: so many places, first come first served, no place is lost or made. */
#include "rota_test.h"

static rota_semaphore open_semaphore(rota_loop loop, uint64_t value, uint32_t flags) {
    rota_semaphore semaphore = {0};
    CHECK_STATUS(rota_loop_open_semaphore(loop, value, flags, &semaphore), ROTA_OK);
    CHECK(semaphore.id != 0);
    return semaphore;
}

static uint64_t value_of(rota_semaphore semaphore) {
    uint64_t value = 99;
    CHECK_STATUS(rota_semaphore_get_value(semaphore, &value), ROTA_OK);
    return value;
}

static rota_future acquire_then(rota_semaphore semaphore, const char *name) {
    rota_future future = rota_semaphore_acquire(semaphore);
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

TEST(free_places_are_taken_at_once_and_take_no_slot) {
    rota_loop loop = open_jump();
    rota_semaphore semaphore = open_semaphore(loop, 2, 0);
    CHECK_EQ(value_of(semaphore), 2);
    CHECK_EQ(outcome_of(rota_semaphore_acquire(semaphore)).status, ROTA_OK);
    CHECK_EQ(outcome_of(rota_semaphore_acquire(semaphore)).status, ROTA_OK);
    CHECK_EQ(value_of(semaphore), 0);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    CHECK_EQ(value_of(semaphore), 1);
    CHECK_STATUS(rota_semaphore_close(semaphore), ROTA_OK);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(only_a_bounded_one_refuses_more_than_it_began_with) {
    rota_loop loop = open_jump();
    rota_semaphore bounded = open_semaphore(loop, 1, ROTA_SEMAPHORE_BOUNDED);
    rota_semaphore plain = open_semaphore(loop, 1, 0);
    rota_semaphore full = open_semaphore(loop, UINT64_MAX, 0), none = {7};
    CHECK_STATUS(rota_loop_open_semaphore(loop, 1, 2, &none), ROTA_ERR_INVALID);
    CHECK_EQ(none.id, 7);
    CHECK_STATUS(rota_semaphore_release(bounded), ROTA_ERR_LIMIT);
    CHECK_EQ(value_of(bounded), 1);
    CHECK_EQ(WAIT(loop, rota_semaphore_acquire(bounded)), 0);
    CHECK_STATUS(rota_semaphore_release(bounded), ROTA_OK);
    CHECK_STATUS(rota_semaphore_release(bounded), ROTA_ERR_LIMIT);
    CHECK_STATUS(rota_semaphore_release(plain), ROTA_OK);
    CHECK_EQ(value_of(plain), 2);
    CHECK_STATUS(rota_semaphore_release(full), ROTA_ERR_LIMIT);
    CHECK_EQ(value_of(full), UINT64_MAX);
    close_clean(loop);
}

TEST(those_who_wait_are_served_in_the_order_they_came) {
    rota_loop loop = open_jump();
    rota_semaphore semaphore = open_semaphore(loop, 0, 0);
    acquire_then(semaphore, "a");
    acquire_then(semaphore, "b");
    acquire_then(semaphore, "c");
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    CHECK_EQ(value_of(semaphore), 0); /* it is a's, though a has not run */
    acquire_then(semaphore, "late");
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("a:ok b:ok");
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("c:ok late:ok");
    CHECK_EQ(value_of(semaphore), 1);
    close_clean(loop);
}

TEST(cancelled_waiters_take_no_place) {
    rota_loop loop = open_jump();
    rota_semaphore semaphore = open_semaphore(loop, 0, 0);
    rota_future first = acquire_then(semaphore, "a"), middle;
    acquire_then(semaphore, "b");
    middle = acquire_then(semaphore, "c");
    acquire_then(semaphore, "d");
    CHECK_STATUS(rota_future_cancel(first), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(middle), ROTA_OK);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("a:cancelled c:cancelled b:ok d:ok");
    CHECK_EQ(value_of(semaphore), 1);
    close_clean(loop);
}

/* Workers that come and go, cancelled at random: never more inside than there are places, and all
 * places come back. */
enum { PLACES = 3, WORKERS = 200 };

static rota_loop shared_loop;
static rota_semaphore shared;
static int inside, most_inside;

static int64_t works(rota_task task, void *user_data) {
    int64_t came = rota_await(rota_semaphore_acquire(shared));
    (void)task;
    if (came < 0) return came;
    if (++inside > most_inside) most_inside = inside;
    (void)rota_await(rota_loop_sleep(shared_loop, *(uint64_t *)user_data));
    inside--;
    CHECK_STATUS(rota_semaphore_release(shared), ROTA_OK);
    return 0;
}

TEST(places_are_neither_lost_nor_made_whoever_is_cancelled) {
    static uint64_t sleeps[WORKERS];
    static rota_task tasks[WORKERS];
    uint64_t state = 42;
    int i, cancelled = 0, worked = 0;
    shared_loop = open_jump();
    shared = open_semaphore(shared_loop, PLACES, ROTA_SEMAPHORE_BOUNDED);
    for (i = 0; i < WORKERS; i++) {
        sleeps[i] = test_random(&state) % 5;
        tasks[i] = spawn(shared_loop, works, &sleeps[i]);
    }
    for (i = 0; i < WORKERS; i++) {
        if (test_random(&state) % 3 == 0) {
            (void)rota_task_cancel(tasks[test_random(&state) % WORKERS]);
        }
        CHECK_STATUS(rota_loop_turn(shared_loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    }
    for (i = 0; i < WORKERS; i++) {
        int64_t result = WAIT(shared_loop, rota_task_join(tasks[i]));
        CHECK(result == 0 || result == ROTA_ERR_CANCELLED);
        if (result == 0) worked++;
        else cancelled++;
    }
    CHECK(worked > 0 && cancelled > 0);
    CHECK_EQ(most_inside, PLACES);
    CHECK_EQ(inside, 0);
    CHECK_EQ(value_of(shared), PLACES);
    close_clean(shared_loop);
}

TEST(closing_ends_those_who_wait) {
    rota_loop loop = open_jump();
    rota_semaphore semaphore = open_semaphore(loop, 0, 0), other = open_semaphore(loop, 0, 0);
    acquire_then(semaphore, "a");
    acquire_then(semaphore, "b");
    CHECK_STATUS(rota_semaphore_close(semaphore), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("a:cancelled b:cancelled");
    CHECK_EQ(WAIT(loop, rota_semaphore_acquire(semaphore)), ROTA_ERR_HANDLE);
    acquire_then(other, "left");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("left:cancelled");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(free_places_are_taken_at_once_and_take_no_slot);
    RUN(only_a_bounded_one_refuses_more_than_it_began_with);
    RUN(those_who_wait_are_served_in_the_order_they_came);
    RUN(cancelled_waiters_take_no_place);
    RUN(places_are_neither_lost_nor_made_whoever_is_cancelled);
    RUN(closing_ends_those_who_wait);
    return test_end();
}
