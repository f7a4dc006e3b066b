/* The clock is the host's to turn: virtual, jumping, or a function of the host's. */
#include "rota_test.h"

static void arm(rota_loop loop, uint64_t delay_ns, const char *name) {
    rota_timer timer;
    CHECK_STATUS(rota_loop_call_later(loop, delay_ns, record_timer, (void *)name, &timer), ROTA_OK);
}

TEST(a_virtual_clock_moves_only_by_advance) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL);
    rota_loop loop = open_with(&options);
    uint64_t start = now_of(loop);
    arm(loop, SECOND, "second");
    turns(loop, 3);
    CHECK_STATUS(rota_loop_turn(loop, MILLISECOND, 0, 0, NULL), ROTA_OK);
    CHECK_EQ(now_of(loop), start);
    CHECK_RECORD("");
    CHECK_STATUS(rota_loop_advance(loop, SECOND - 1), ROTA_OK);
    turn(loop);
    CHECK_RECORD("");
    CHECK_STATUS(rota_loop_advance(loop, 1), ROTA_OK);
    CHECK_RECORD("");
    CHECK_EQ(now_of(loop), start + SECOND);
    turn(loop);
    CHECK_RECORD("second:ok");
    close_clean(loop);
}

TEST(advancing_over_many_deadlines_keeps_their_order) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL);
    rota_loop loop = open_with(&options);
    arm(loop, 3, "c");
    arm(loop, 1, "a");
    arm(loop, 2, "b");
    arm(loop, HOUR, "far");
    CHECK_STATUS(rota_loop_advance(loop, SECOND), ROTA_OK);
    turn(loop);
    CHECK_RECORD("a:ok b:ok c:ok");
    CHECK_STATUS(rota_loop_advance(loop, HOUR), ROTA_OK);
    turn(loop);
    CHECK_RECORD("far:ok");
    close_clean(loop);
}

TEST(advancing_to_the_end_of_time_does_not_wrap) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL);
    rota_loop loop = open_with(&options);
    uint64_t start = now_of(loop);
    arm(loop, HOUR, "hour");
    (void)rota_loop_advance(loop, ROTA_FOREVER); /* refused or cut: either way time goes forward */
    (void)rota_loop_advance(loop, ROTA_FOREVER);
    CHECK(now_of(loop) >= start);
    CHECK_EITHER(rota_loop_advance(loop, 2 * HOUR), ROTA_OK, ROTA_ERR_INVALID);
    turn(loop);
    CHECK_RECORD("hour:ok");
    close_clean(loop);
}

TEST(a_jumping_clock_skips_to_the_next_deadline_only_when_idle) {
    rota_loop loop = open_jump();
    uint64_t start = now_of(loop);
    arm(loop, HOUR, "timer");
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "call", NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    CHECK_RECORD("call:ok");
    CHECK_EQ(now_of(loop), start);
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    CHECK_RECORD("timer:ok");
    CHECK_EQ(now_of(loop), start + HOUR);
    CHECK_STATUS(rota_loop_advance(loop, SECOND), ROTA_OK);
    CHECK_EQ(now_of(loop), start + HOUR + SECOND);
    close_clean(loop);
}

TEST(the_system_clock_cannot_be_advanced_and_goes_forward) {
    rota_loop loop = open_system();
    uint64_t before = now_of(loop), wall = test_clock();
    CHECK_STATUS(rota_loop_advance(loop, 1), ROTA_ERR_UNSUPPORTED);
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, MILLISECOND)), 0);
    CHECK(now_of(loop) >= before + MILLISECOND);
    CHECK(test_clock() >= wall + MILLISECOND);
    close_clean(loop);
}

static uint64_t host_time;

static uint64_t host_clock(void *user_data) {
    CHECK(user_data == &host_time);
    return host_time;
}

static rota_loop open_host(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_HOST);
    options.clock_hook = host_clock;
    options.clock_data = &host_time;
    return open_with(&options);
}

TEST(a_clock_of_the_hosts_is_asked) {
    rota_loop loop;
    uint64_t deadline;
    host_time = 500 * SECOND;
    loop = open_host();
    CHECK_EQ(now_of(loop), 500 * SECOND);
    CHECK_STATUS(rota_loop_advance(loop, 1), ROTA_ERR_UNSUPPORTED);
    arm(loop, 10, "ten");
    CHECK_STATUS(rota_loop_get_next_deadline(loop, &deadline), ROTA_OK);
    CHECK_EQ(deadline, 500 * SECOND + 10);
    turn(loop);
    host_time += 9;
    turn(loop);
    CHECK_RECORD("");
    host_time += 1;
    turn(loop);
    CHECK_RECORD("ten:ok");
    CHECK_EQ(now_of(loop), 500 * SECOND + 10);
    close_clean(loop);
}

/* It should not, but hosts restore saved games: nothing fires twice, early or never. */
TEST(a_clock_that_jumps_back_does_no_harm) {
    rota_loop loop;
    host_time = 1000 * SECOND;
    loop = open_host();
    arm(loop, 5 * SECOND, "old");
    turn(loop);
    host_time = 10 * SECOND;
    turns(loop, 2);
    CHECK_RECORD("");
    arm(loop, 1 * SECOND, "new");
    turns(loop, 2);
    CHECK_RECORD("");
    host_time = 1002 * SECOND;
    turn(loop);
    CHECK_RECORD("new:ok");
    host_time = 3;
    turn(loop);
    host_time = 1005 * SECOND;
    turn(loop);
    CHECK_RECORD("old:ok");
    turns(loop, 2);
    CHECK_RECORD("");
    close_clean(loop);
}

TEST(a_clock_at_the_end_of_time_does_no_harm) {
    rota_loop loop;
    host_time = UINT64_MAX - 5;
    loop = open_host();
    arm(loop, HOUR, "never"); /* past the end of what can be counted */
    turn(loop);
    host_time = UINT64_MAX;
    turns(loop, 2);
    host_time = 0;
    turns(loop, 2);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
    CHECK(strcmp(test_record, "never:ok") == 0 || strcmp(test_record, "never:cancelled") == 0);
    forget_record();
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_virtual_clock_moves_only_by_advance);
    RUN(advancing_over_many_deadlines_keeps_their_order);
    RUN(advancing_to_the_end_of_time_does_not_wrap);
    RUN(a_jumping_clock_skips_to_the_next_deadline_only_when_idle);
    RUN(the_system_clock_cannot_be_advanced_and_goes_forward);
    RUN(a_clock_of_the_hosts_is_asked);
    RUN(a_clock_that_jumps_back_does_no_harm);
    RUN(a_clock_at_the_end_of_time_does_no_harm);
    return test_end();
}
