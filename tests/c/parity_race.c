/* asyncio's tests of staggered races, restated. */
#include "parity.h"

/* One of the racers: it starts late, and then sleeps, fails, or waits for ever. */
typedef struct {
    rota_loop loop;
    uint64_t start_ns, sleep_ns;
    int64_t answer;
} racer;

static int64_t races(rota_task task, void *user_data) {
    racer *self = user_data;
    int64_t result = 0;
    (void)task;
    if (self->start_ns > 0) result = rota_await(rota_loop_sleep(self->loop, self->start_ns));
    if (result == 0) result = rota_await(rota_loop_sleep(self->loop, self->sleep_ns));
    return result < 0 ? result : self->answer;
}

static void race_three(uint32_t flags) {
    rota_loop loop = open_jump();
    uint64_t began = now_of(loop);
    racer three[3] = {{loop, 0, ROTA_FOREVER, 1}, {loop, 25, 100, 2}, {loop, 50, 0, 0}};
    rota_future ends[3];
    rota_task_options options;
    int i;
    three[2].answer = ROTA_STATUS_HOST;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = flags;
    for (i = 0; i < 3; i++) {
        rota_task task = {0};
        CHECK_STATUS(rota_loop_spawn(loop, races, &three[i], &options, &task), ROTA_OK);
        ends[i] = kept(rota_task_join(task));
    }
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, ends, 3, ROTA_RACE_SUCCESS)), 1);
    CHECK_EQ(now_of(loop) - began, 125);
    CHECK_STATUS(outcome_of(ends[0]).status, CANCELLED);
    CHECK_EQ(outcome_of(ends[1]).value, 2);
    CHECK_STATUS(outcome_of(ends[2]).status, ROTA_STATUS_HOST);
    for (i = 0; i < 3; i++) CHECK_STATUS(rota_future_close(ends[i]), ROTA_OK);
    close_clean(loop);
}

TEST(a_race_with_staggered_starts_is_won_by_the_first_that_succeeds) {
    race_three(0);
    race_three(ROTA_TASK_EAGER);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_race_with_staggered_starts_is_won_by_the_first_that_succeeds);
    return test_end();
}
