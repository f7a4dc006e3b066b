/* asyncio's tests of barriers, restated. There a barrier drains: those who were let go count
 * until they have run, can still be broken, and who comes meanwhile is held up. Here they are
 * through at once. */
#include "parity.h"

enum { PARTIES = 5, HALF = PARTIES / 2 };

static rota_loop loop;
static rota_barrier barrier;
static int passed, broken, rounds, resetters;

static void open_scene(uint32_t parties) {
    loop = open_jump();
    passed = broken = rounds = resetters = 0;
    CHECK_STATUS(rota_loop_open_barrier(loop, parties, &barrier), ROTA_OK);
}

static uint32_t waiting(void) {
    uint32_t count = 99;
    CHECK_STATUS(rota_barrier_get_waiting(barrier, &count), ROTA_OK);
    return count;
}

static void close_scene(void) {
    CHECK_EQ(waiting(), 0);
    CHECK_STATUS(rota_barrier_close(barrier), ROTA_OK);
    close_clean(loop);
}

static int64_t meet(void) { return rota_await(rota_barrier_wait(barrier)); }
static void reset(void) { CHECK_STATUS(rota_barrier_reset(barrier), ROTA_OK); }

static void spawn_many(rota_task *tasks, int count, rota_task_fn body) {
    int i;
    for (i = 0; i < count; i++) tasks[i] = spawn(loop, body, NULL);
}

/* What they came to, added up. */
static int64_t join_many(rota_task *tasks, int count) {
    int64_t sum = 0;
    int i;
    for (i = 0; i < count; i++) sum += join(loop, tasks[i]);
    return sum;
}

static int64_t all_of_them(rota_task_fn body) {
    rota_task tasks[PARTIES];
    spawn_many(tasks, PARTIES, body);
    return join_many(tasks, PARTIES);
}

/* ---- meeting */

static int64_t meets(rota_task task, void *user_data) {
    int64_t place = meet();
    (void)task, (void)user_data;
    if (place >= 0) passed++;
    else broken++;
    return place < 0 ? 0 : place;
}

TEST(one_party_passes_at_once_and_again) {
    rota_task first, second;
    open_scene(1);
    first = spawn(loop, meets, NULL);
    turn(loop);
    CHECK_EQ(waiting(), 0);
    second = spawn(loop, meets, NULL);
    turn(loop);
    CHECK_EQ(passed, 2);
    CHECK_EQ(join(loop, first), join(loop, second));
    close_scene();
}

TEST(those_who_wait_are_counted_until_the_last_comes) {
    rota_task tasks[3];
    int i;
    open_scene(3);
    for (i = 0; i < 3; i++) {
        CHECK_EQ(waiting(), i);
        tasks[i] = spawn(loop, meets, NULL);
        turn(loop);
    }
    CHECK_EQ(waiting(), 0);
    CHECK_EQ(join_many(tasks, 3), 0 + 1 + 2); /* each place once */
    close_scene();
}

static int64_t meets_twice(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK(meet() >= 0);
    rounds++;
    CHECK(rounds <= PARTIES); /* nobody is in the second round before all are through the first */
    return meet();
}

TEST(all_meet_twice_and_have_a_place_each) {
    open_scene(PARTIES);
    CHECK_EQ(all_of_them(meets_twice), 0 + 1 + 2 + 3 + 4);
    CHECK_EQ(rounds, PARTIES);
    close_scene();
}

TEST(who_was_let_go_counts_no_more_though_he_has_not_run) {
    open_scene(2);
    then(rota_barrier_wait(barrier), "a");
    then(rota_barrier_wait(barrier), "b");
    CHECK_RECORD("");
    CHECK_EQ(waiting(), 0);
    then(rota_barrier_wait(barrier), "c");
    CHECK_EQ(waiting(), 1); /* of the next round: nobody is held up */
    reset();
    turns(loop, 2);
    CHECK_RECORD("a:ok b:1 c:cancelled");
    close_scene();
}

static rota_barrier side;
static int again;

static int64_t meets_and_meets_again(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK(meet() >= 0);
    if (again > 0) {
        again--;
    } else {
        CHECK(rota_await(rota_barrier_wait(side)) >= 0);
    }
    return meet() < 0;
}

TEST(some_may_wait_again_while_others_meet_elsewhere) {
    open_scene(PARTIES);
    again = 2;
    CHECK_STATUS(rota_loop_open_barrier(loop, PARTIES - 2, &side), ROTA_OK);
    CHECK_EQ(all_of_them(meets_and_meets_again), 0);
    CHECK_STATUS(rota_barrier_close(side), ROTA_OK);
    close_scene();
}

TEST(a_cancelled_one_has_to_be_replaced) {
    rota_task tasks[4];
    open_scene(3);
    spawn_many(tasks, 2, meets);
    turn(loop);
    CHECK_EQ(waiting(), 2);
    CHECK_STATUS(rota_task_cancel(tasks[0]), ROTA_OK);
    turn(loop);
    CHECK_EQ(waiting(), 1);
    spawn_many(tasks + 2, 1, meets);
    turn(loop);
    CHECK_EQ(waiting(), 2);
    CHECK_EQ(passed, 0);
    spawn_many(tasks + 3, 1, meets);
    CHECK_EQ(join_many(tasks, 4), 0 + 1 + 2);
    CHECK_EQ(passed, 3);
    CHECK_EQ(broken, 1);
    close_scene();
}

/* ---- reset */

TEST(a_reset_of_an_empty_barrier_changes_nothing) {
    open_scene(1);
    reset();
    CHECK_EQ(waiting(), 0);
    CHECK_EQ(WAIT(loop, rota_barrier_wait(barrier)), 0);
    close_scene();
}

TEST(a_reset_tells_those_who_wait) {
    rota_task tasks[PARTIES];
    open_scene(PARTIES);
    spawn_many(tasks, PARTIES - 1, meets);
    turn(loop);
    reset();
    CHECK_EQ(join_many(tasks, PARTIES - 1), 0);
    CHECK_EQ(broken, PARTIES - 1);
    CHECK_EQ(passed, 0);
    close_scene();
}

static int64_t meets_after_a_reset(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    if (meet() == CANCELLED) broken++;
    CHECK(meet() >= 0);
    passed++;
    return 0;
}

TEST(those_whom_a_reset_told_meet_again_with_a_new_one) {
    rota_task tasks[PARTIES];
    open_scene(PARTIES);
    spawn_many(tasks, PARTIES - 1, meets_after_a_reset);
    turn(loop);
    reset();
    turn(loop);
    tasks[PARTIES - 1] = spawn(loop, meets, NULL);
    (void)join_many(tasks, PARTIES);
    CHECK_EQ(broken, PARTIES - 1);
    CHECK_EQ(passed, PARTIES);
    close_scene();
}

static int64_t resets_halfway_through(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK(meet() >= 0); /* all are through: the reset meets nobody */
    if (++passed == PARTIES - HALF) reset();
    return 0;
}

TEST(a_reset_does_not_reach_those_who_were_let_go) {
    open_scene(PARTIES);
    CHECK_EQ(all_of_them(resets_halfway_through), 0);
    CHECK_EQ(passed, PARTIES);
    close_scene();
}

static int64_t comes_back_or_resets(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK(meet() >= 0);
    if (++passed == HALF + 1) {
        reset(); /* the first two wait for the second round by now */
        resetters++;
    }
    if (meet() == CANCELLED) {
        broken++;
        CHECK(meet() >= 0);
    }
    rounds++;
    return 0;
}

TEST(a_reset_reaches_those_who_wait_for_the_next_round) {
    open_scene(PARTIES);
    CHECK_EQ(all_of_them(comes_back_or_resets), 0);
    CHECK_EQ(resetters, 1);
    CHECK_EQ(broken, HALF);
    CHECK_EQ(rounds, PARTIES);
    close_scene();
}

static int64_t the_last_resets(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    CHECK(meet() >= 0);
    if (++passed == PARTIES) {
        reset();
        CHECK(meet() >= 0);
    } else if (meet() == CANCELLED) {
        broken++;
        CHECK(meet() >= 0);
    }
    CHECK(meet() >= 0);
    rounds++;
    return 0;
}

TEST(a_reset_by_the_last_to_run_tells_those_who_came_again_before_him) {
    open_scene(PARTIES);
    CHECK_EQ(all_of_them(the_last_resets), 0);
    CHECK_EQ(broken, PARTIES - 1);
    CHECK_EQ(rounds, PARTIES);
    close_scene();
}

/* ---- giving it up: closing is what asyncio calls abort, and nothing comes after it */

static int64_t closes_when_it_fails(rota_task task, void *user_data) {
    int64_t place = meet();
    (void)task, (void)user_data;
    if (place == HALF) {
        CHECK_STATUS(rota_barrier_close(barrier), ROTA_OK);
        return 0;
    }
    place = meet();
    CHECK_EITHER(place, CANCELLED, ROTA_ERR_HANDLE); /* he waited already, or came too late */
    broken++;
    return 0;
}

TEST(a_closed_barrier_tells_those_who_wait_and_those_who_come) {
    open_scene(PARTIES);
    CHECK_EQ(all_of_them(closes_when_it_fails), 0);
    CHECK_EQ(broken, PARTIES - 1);
    CHECK_STATUS(rota_barrier_close(barrier), ROTA_ERR_HANDLE);
    CHECK_STATUS(WAIT(loop, rota_barrier_wait(barrier)), ROTA_ERR_HANDLE);
    close_clean(loop);
    open_scene(1);
    CHECK_STATUS(rota_barrier_close(barrier), ROTA_OK);
    CHECK_STATUS(rota_barrier_reset(barrier), ROTA_ERR_HANDLE);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(one_party_passes_at_once_and_again);
    RUN(those_who_wait_are_counted_until_the_last_comes);
    RUN(all_meet_twice_and_have_a_place_each);
    RUN(who_was_let_go_counts_no_more_though_he_has_not_run);
    RUN(some_may_wait_again_while_others_meet_elsewhere);
    RUN(a_cancelled_one_has_to_be_replaced);
    RUN(a_reset_of_an_empty_barrier_changes_nothing);
    RUN(a_reset_tells_those_who_wait);
    RUN(those_whom_a_reset_told_meet_again_with_a_new_one);
    RUN(a_reset_does_not_reach_those_who_were_let_go);
    RUN(a_reset_reaches_those_who_wait_for_the_next_round);
    RUN(a_reset_by_the_last_to_run_tells_those_who_came_again_before_him);
    RUN(a_closed_barrier_tells_those_who_wait_and_those_who_come);
    return test_end();
}
