/* Barriers: nobody goes on before all have come, and then all do, round after round. */
#include "rota_test.h"

static rota_barrier open_barrier(rota_loop loop, uint32_t parties) {
    rota_barrier barrier = {0};
    CHECK_STATUS(rota_loop_open_barrier(loop, parties, &barrier), ROTA_OK);
    CHECK(barrier.id != 0);
    return barrier;
}

static uint32_t waiting_at(rota_barrier barrier) {
    uint32_t waiting = 99;
    CHECK_STATUS(rota_barrier_get_waiting(barrier, &waiting), ROTA_OK);
    return waiting;
}

static rota_future wait_then(rota_barrier barrier, const char *name) {
    rota_future future = rota_barrier_wait(barrier);
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

TEST(the_last_to_come_lets_all_go) {
    rota_loop loop = open_jump();
    rota_barrier barrier = open_barrier(loop, 3);
    wait_then(barrier, "a");
    wait_then(barrier, "b");
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_EQ(waiting_at(barrier), 2);
    CHECK_EQ(WAIT(loop, rota_barrier_wait(barrier)), 2);
    CHECK_EQ(waiting_at(barrier), 0);
    wait_then(barrier, "next"); /* of the next round, though a and b have not run */
    turns(loop, 1);
    CHECK_RECORD("a:ok b:1");
    CHECK_EQ(waiting_at(barrier), 1);
    wait_then(barrier, "next");
    wait_then(barrier, "next");
    turns(loop, 1);
    CHECK_RECORD("next:ok next:1 next:2");
    close_clean(loop);
}

TEST(one_party_never_waits_and_none_is_refused) {
    rota_loop loop = open_jump();
    rota_barrier barrier = open_barrier(loop, 1), none = {7};
    CHECK_EQ(outcome_of(rota_barrier_wait(barrier)).value, 0);
    CHECK_EQ(outcome_of(rota_barrier_wait(barrier)).value, 0);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK_STATUS(rota_loop_open_barrier(loop, 0, &none), ROTA_ERR_INVALID);
    CHECK_EQ(none.id, 7);
    close_clean(loop);
}

TEST(who_is_cancelled_does_not_count) {
    rota_loop loop = open_jump();
    rota_barrier barrier = open_barrier(loop, 3);
    rota_future first = wait_then(barrier, "a");
    wait_then(barrier, "b");
    CHECK_STATUS(rota_future_cancel(first), ROTA_OK);
    CHECK_EQ(waiting_at(barrier), 1);
    wait_then(barrier, "c");
    turns(loop, 2);
    CHECK_RECORD("a:cancelled");
    wait_then(barrier, "d");
    turns(loop, 1);
    CHECK_RECORD("b:ok c:1 d:2");
    close_clean(loop);
}

enum { PARTIES = 5, ROUNDS = 20 };

static rota_loop shared_loop;
static rota_barrier shared;
static int came[ROUNDS];

static int64_t goes_round(rota_task task, void *user_data) {
    int64_t places = 0;
    int round;
    (void)task;
    for (round = 0; round < ROUNDS; round++) {
        int64_t place;
        (void)rota_await(rota_loop_sleep(shared_loop, *(uint64_t *)user_data));
        came[round]++;
        place = rota_await(rota_barrier_wait(shared));
        CHECK(place >= 0 && place < PARTIES);
        CHECK_EQ(came[round], PARTIES);
        places += place;
    }
    return places;
}

TEST(tasks_go_round_together) {
    static uint64_t pace[PARTIES] = {5, 1, 4, 2, 3};
    rota_task tasks[PARTIES];
    int64_t places = 0;
    int i;
    shared_loop = open_jump();
    shared = open_barrier(shared_loop, PARTIES);
    for (i = 0; i < PARTIES; i++) tasks[i] = spawn(shared_loop, goes_round, &pace[i]);
    for (i = 0; i < PARTIES; i++) places += WAIT(shared_loop, rota_task_join(tasks[i]));
    CHECK_EQ(places, ROUNDS * (0 + 1 + 2 + 3 + 4)); /* each place once a round */
    close_clean(shared_loop);
}

TEST(reset_and_close_end_those_who_wait) {
    rota_loop loop = open_jump();
    rota_barrier barrier = open_barrier(loop, 2), other = open_barrier(loop, 2);
    wait_then(barrier, "a");
    CHECK_STATUS(rota_barrier_reset(barrier), ROTA_OK);
    CHECK_EQ(waiting_at(barrier), 0);
    wait_then(barrier, "b");
    turns(loop, 1);
    CHECK_RECORD("a:cancelled");
    CHECK_STATUS(rota_barrier_close(barrier), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("b:cancelled");
    CHECK_STATUS(rota_barrier_close(barrier), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(loop, rota_barrier_wait(barrier)), ROTA_ERR_HANDLE);
    wait_then(other, "left");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("left:cancelled");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(the_last_to_come_lets_all_go);
    RUN(one_party_never_waits_and_none_is_refused);
    RUN(who_is_cancelled_does_not_count);
    RUN(tasks_go_round_together);
    RUN(reset_and_close_end_those_who_wait);
    return test_end();
}
