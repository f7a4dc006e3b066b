/* Callbacks scheduled with call_soon: once, in order, never inside the call that schedules them. */
#include "rota_test.h"

static rota_call soon(rota_loop loop, rota_call_fn callback, void *user_data) {
    rota_call call = {0};
    CHECK_STATUS(rota_loop_call_soon(loop, callback, user_data, &call), ROTA_OK);
    CHECK(call.id != 0);
    return call;
}

TEST(calls_run_in_order_and_later) {
    rota_loop loop = open_jump();
    soon(loop, record_call, "a");
    soon(loop, record_call, "b");
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "c", NULL), ROTA_OK);
    CHECK_RECORD("");
    CHECK_EQ(turn(loop), 3);
    CHECK_RECORD("a:ok b:ok c:ok");
    CHECK_EQ(turn(loop), 0);
    CHECK_RECORD("");
    close_clean(loop);
}

TEST(a_cancelled_call_comes_in_its_place) {
    rota_loop loop = open_jump();
    rota_call call;
    soon(loop, record_call, "a");
    call = soon(loop, record_call, "b");
    soon(loop, record_call, "c");
    CHECK_STATUS(rota_call_cancel(call), ROTA_OK);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("a:ok b:cancelled c:ok");
    CHECK_STATUS(rota_call_cancel(call), ROTA_ERR_HANDLE);
    call.id = 0;
    CHECK_STATUS(rota_call_cancel(call), ROTA_ERR_HANDLE);
    close_clean(loop);
}

static rota_call third;

static void cancels_third(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status, (void)user_data;
    record("cancels");
    CHECK_STATUS(rota_call_cancel(third), ROTA_OK);
}

TEST(a_call_may_cancel_one_of_the_same_turn) {
    rota_loop loop = open_jump();
    soon(loop, cancels_third, NULL);
    soon(loop, record_call, "b");
    third = soon(loop, record_call, "c");
    turn(loop);
    CHECK_RECORD("cancels b:ok c:cancelled");
    close_clean(loop);
}

static void schedules_itself(rota_loop loop, rota_status status, void *user_data) {
    int *left = user_data;
    CHECK_STATUS(status, ROTA_OK);
    record("%d", *left);
    if (--*left > 0) soon(loop, schedules_itself, left);
    record("end");
}

TEST(a_call_inside_a_call_runs_in_the_next_turn) {
    rota_loop loop = open_jump();
    int left = 3;
    soon(loop, schedules_itself, &left);
    CHECK_EQ(turn(loop), 1);
    CHECK_RECORD("3 end");
    CHECK_EQ(turn(loop), 1);
    CHECK_RECORD("2 end");
    CHECK_EQ(turn(loop), 1);
    CHECK_RECORD("1 end");
    CHECK_EQ(turn(loop), 0);
    close_clean(loop);
}

static uint64_t next_expected;

static void counts_up(rota_loop loop, rota_status status, void *user_data) {
    (void)loop;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_EQ((uintptr_t)user_data, next_expected);
    next_expected++;
}

TEST(many_calls_keep_their_order_over_many_turns) {
    rota_loop loop = open_jump();
    uint64_t scheduled = 0, round;
    next_expected = 0;
    for (round = 0; round < 300; round++) {
        uint64_t i;
        for (i = 0; i < round; i++) soon(loop, counts_up, (void *)(uintptr_t)scheduled++);
        CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1 + round / 2, NULL), ROTA_OK);
    }
    TURN_UNTIL(loop, next_expected == scheduled);
    close_clean(loop);
}

TEST(bad_arguments_schedule_nothing) {
    rota_loop loop = open_jump(), null = {0};
    rota_call call = {9};
    CHECK_STATUS(rota_loop_call_soon(loop, NULL, NULL, &call), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_call_soon(null, record_call, "a", &call), ROTA_ERR_HANDLE);
    CHECK_EQ(call.id, 9);
    CHECK_EQ(turn(loop), 0);
    CHECK_RECORD("");
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(calls_run_in_order_and_later);
    RUN(a_cancelled_call_comes_in_its_place);
    RUN(a_call_may_cancel_one_of_the_same_turn);
    RUN(a_call_inside_a_call_runs_in_the_next_turn);
    RUN(many_calls_keep_their_order_over_many_turns);
    RUN(bad_arguments_schedule_nothing);
    return test_end();
}
