/* Timers: in order of deadline and then of age, never early, once. */
#include "rota_test.h"

static rota_timer arm(rota_loop loop, uint64_t delay_ns, const char *name) {
    rota_timer timer = {0};
    CHECK_STATUS(rota_loop_call_later(loop, delay_ns, record_timer, (void *)name, &timer), ROTA_OK);
    CHECK(timer.id != 0);
    return timer;
}

TEST(timers_fire_by_deadline_and_then_by_age) {
    rota_loop loop = open_jump();
    arm(loop, 3 * SECOND, "c1");
    arm(loop, 1 * SECOND, "a1");
    arm(loop, 3 * SECOND, "c2");
    arm(loop, 2 * SECOND, "b");
    arm(loop, 1 * SECOND, "a2");
    arm(loop, 3 * SECOND - 1, "nearly");
    CHECK_EQ(stats_of(loop).timers, 6);
    run_dry(loop);
    CHECK_RECORD("a1:ok a2:ok b:ok nearly:ok c1:ok c2:ok");
    close_clean(loop);
}

TEST(a_timer_of_no_delay_fires_in_the_next_turn_after_earlier_calls) {
    rota_loop loop = open_jump();
    arm(loop, 0, "timer");
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "call", NULL), ROTA_OK);
    CHECK_RECORD("");
    turn(loop);
    CHECK_RECORD("call:ok timer:ok"); /* due timers are queued after what stands there already */
    close_clean(loop);
}

TEST(a_deadline_that_has_passed_fires_at_once) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL);
    rota_loop loop = open_with(&options);
    rota_timer timer;
    CHECK_STATUS(rota_loop_advance(loop, HOUR), ROTA_OK);
    CHECK_STATUS(rota_loop_call_at(loop, 0, record_timer, "past", &timer), ROTA_OK);
    CHECK_STATUS(rota_loop_call_at(loop, now_of(loop), record_timer, "now", &timer), ROTA_OK);
    turn(loop);
    CHECK_RECORD("past:ok now:ok");
    close_clean(loop);
}

TEST(call_at_and_sleep_until_take_deadlines) {
    rota_loop loop = open_jump();
    uint64_t start = now_of(loop), deadline;
    rota_timer timer;
    CHECK_STATUS(rota_loop_call_at(loop, start + HOUR, record_timer, "hour", &timer), ROTA_OK);
    CHECK_STATUS(rota_timer_get_deadline(timer, &deadline), ROTA_OK);
    CHECK_EQ(deadline, start + HOUR);
    CHECK_EQ(WAIT(loop, rota_loop_sleep_until(loop, start + HOUR + 1)), 0);
    CHECK_RECORD("hour:ok");
    CHECK_EQ(now_of(loop), start + HOUR + 1);
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, 5)), 0);
    CHECK_EQ(now_of(loop), start + HOUR + 6);
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, 0)), 0);
    CHECK_EQ(now_of(loop), start + HOUR + 6);
    close_clean(loop);
}

TEST(a_cancelled_timer_comes_in_the_next_turn) {
    rota_loop loop = open_jump();
    rota_timer timer = arm(loop, HOUR, "far");
    uint64_t start = now_of(loop);
    CHECK_STATUS(rota_timer_cancel(timer), ROTA_OK);
    CHECK_RECORD("");
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    CHECK_RECORD("far:cancelled");
    CHECK_EQ(now_of(loop), start);
    CHECK_STATUS(rota_timer_cancel(timer), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_timer_rearm(timer, 1), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(huge_delays_never_come_and_can_be_cancelled) {
    rota_loop loop = open_jump();
    uint64_t deadline;
    rota_timer never = arm(loop, ROTA_FOREVER, "never");
    rota_timer nearly = arm(loop, ROTA_FOREVER - 1, "nearly");
    CHECK_STATUS(rota_timer_get_deadline(never, &deadline), ROTA_OK);
    CHECK(deadline == ROTA_FOREVER);
    arm(loop, 1000 * HOUR, "long");
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, 2000 * HOUR)), 0);
    CHECK_RECORD("long:ok");
    CHECK_STATUS(rota_timer_cancel(nearly), ROTA_OK);
    CHECK_STATUS(rota_timer_cancel(never), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("nearly:cancelled never:cancelled");
    close_clean(loop);
}

TEST(rearming_moves_a_timer_either_way) {
    rota_loop loop = open_jump();
    rota_timer later = arm(loop, 1 * SECOND, "later");
    rota_timer earlier = arm(loop, 5 * SECOND, "earlier");
    arm(loop, 3 * SECOND, "middle");
    CHECK_STATUS(rota_timer_rearm(later, 10 * SECOND), ROTA_OK);
    CHECK_STATUS(rota_timer_rearm_at(earlier, now_of(loop) + 2 * SECOND), ROTA_OK);
    run_dry(loop);
    CHECK_RECORD("earlier:ok middle:ok later:ok");
    close_clean(loop);
}

TEST(rearming_to_an_equal_deadline_goes_behind_those_armed_before) {
    rota_loop loop = open_jump();
    rota_timer first = arm(loop, 1 * SECOND, "first");
    uint64_t deadline = now_of(loop) + 2 * SECOND;
    arm(loop, 2 * SECOND, "second");
    CHECK_STATUS(rota_timer_rearm_at(first, deadline), ROTA_OK);
    run_dry(loop);
    CHECK_RECORD("second:ok first:ok");
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    int left;
} repeated;

static void repeats(rota_timer timer, rota_status status, void *user_data) {
    repeated *self = user_data;
    CHECK_STATUS(status, ROTA_OK);
    record("%" PRIu64, now_of(self->loop) / SECOND);
    if (--self->left > 0) CHECK_STATUS(rota_timer_rearm(timer, SECOND), ROTA_OK);
}

TEST(a_timer_rearmed_in_its_own_callback_comes_again) {
    rota_loop loop = open_jump();
    uint64_t start = now_of(loop), expected_end;
    repeated self = {loop, 4};
    rota_timer timer;
    CHECK_STATUS(rota_loop_advance(loop, (SECOND - start % SECOND) % SECOND), ROTA_OK);
    start = now_of(loop);
    expected_end = start + 4 * SECOND;
    CHECK_STATUS(rota_loop_call_later(loop, SECOND, repeats, &self, &timer), ROTA_OK);
    run_dry(loop);
    CHECK_EQ(now_of(loop), expected_end);
    CHECK_EQ(self.left, 0);
    CHECK_STATUS(rota_timer_cancel(timer), ROTA_ERR_HANDLE);
    forget_record();
    close_clean(loop);
}

static rota_timer victim;

static void cancels_the_other(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status, (void)user_data;
    record("cancels");
    CHECK_EITHER(rota_timer_cancel(victim), ROTA_OK, ROTA_ERR_DONE);
}

/* Both are due in one turn: the second stands in the queue already, and comes once all the same. */
TEST(a_due_timer_cancelled_by_an_earlier_one_comes_once) {
    rota_loop loop = open_jump();
    rota_timer timer;
    CHECK_STATUS(rota_loop_call_later(loop, SECOND, cancels_the_other, NULL, &timer), ROTA_OK);
    victim = arm(loop, SECOND, "victim");
    run_dry(loop);
    CHECK(strcmp(test_record, "cancels victim:cancelled") == 0 ||
          strcmp(test_record, "cancels victim:ok") == 0);
    forget_record();
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    uint64_t deadline;
    uint64_t wall;
    bool fired;
} punctual;

static void checks_time(rota_timer timer, rota_status status, void *user_data) {
    punctual *self = user_data;
    (void)timer;
    CHECK_STATUS(status, ROTA_OK);
    CHECK(now_of(self->loop) >= self->deadline);
    CHECK(test_clock() >= self->wall);
    self->fired = true;
}

TEST(timers_of_the_system_clock_never_fire_early) {
    static const uint64_t delays[] = {1, 1000, 300000, 999999, 1000001, 1500000, 7654321};
    rota_loop loop = open_system();
    size_t i;
    for (i = 0; i < COUNT(delays); i++) {
        punctual self = {loop, now_of(loop) + delays[i], 0, false};
        rota_timer timer;
        self.wall = test_clock() + delays[i];
        CHECK_STATUS(rota_loop_call_later(loop, delays[i], checks_time, &self, &timer), ROTA_OK);
        CHECK_STATUS(rota_timer_get_deadline(timer, &self.deadline), ROTA_OK);
        while (!self.fired) { /* by waiting, and by looking at the clock all the time */
            uint64_t wait_ns = i % 2 == 0 ? ROTA_FOREVER : 0;
            CHECK_STATUS(rota_loop_turn(loop, wait_ns, 0, 0, NULL), ROTA_OK);
        }
    }
    close_clean(loop);
}

/* ---- a hundred thousand against a sorted model */

enum { MANY = 100000 };

typedef struct {
    uint64_t deadline; /* 0: cancelled */
    uint64_t age;
    rota_timer timer;
    int fired;
} model;

static model models[MANY];
static uint32_t fired_order[MANY];
static size_t fired_count, answered;
static rota_loop models_loop;

static void fires(rota_timer timer, rota_status status, void *user_data) {
    model *self = user_data;
    CHECK_EQ(timer.id, self->timer.id);
    CHECK_STATUS(status, self->deadline == 0 ? ROTA_ERR_CANCELLED : ROTA_OK);
    CHECK_EQ(self->fired, 0);
    CHECK(now_of(models_loop) >= self->deadline);
    self->fired++;
    answered++;
    if (status == ROTA_OK) fired_order[fired_count++] = (uint32_t)(self - models);
}

static int by_deadline_then_age(const void *left, const void *right) {
    const model *a = &models[*(const uint32_t *)left], *b = &models[*(const uint32_t *)right];
    if (a->deadline != b->deadline) return a->deadline < b->deadline ? -1 : 1;
    return a->age < b->age ? -1 : 1;
}

/* Delays over all magnitudes, so that every level of a wheel is used, and many equal ones. */
static uint64_t random_delay(uint64_t *state) {
    uint64_t bits = test_random(state) % 50;
    uint64_t delay = test_random(state) & ((UINT64_C(1) << bits) - 1);
    return test_random(state) % 4 == 0 ? delay & ~UINT64_C(0xfffff) : delay;
}

/* To the end, by jumps to the next deadline and by leaps over many. */
static void run_models(rota_loop loop, uint64_t *state) {
    while (answered < MANY) {
        uint64_t bits = test_random(state) % 45;
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
        CHECK_STATUS(rota_loop_advance(loop, UINT64_C(1) << bits), ROTA_OK);
    }
}

TEST(a_hundred_thousand_random_timers_agree_with_a_sorted_model) {
    static uint32_t expected[MANY];
    rota_loop loop = open_jump();
    uint64_t state = 88172645463325252u, age = 0, start = now_of(loop);
    size_t i, expected_count = 0;
    models_loop = loop;
    fired_count = answered = 0;
    for (i = 0; i < MANY; i++) {
        model *self = &models[i];
        self->deadline = start + 1 + random_delay(&state);
        self->age = age++;
        CHECK_STATUS(rota_loop_call_at(loop, self->deadline, fires, self, &self->timer), ROTA_OK);
    }
    for (i = 0; i < MANY; i += 1 + test_random(&state) % 5) {
        model *self = &models[i];
        if (test_random(&state) % 3 == 0) {
            self->deadline = 0;
            CHECK_STATUS(rota_timer_cancel(self->timer), ROTA_OK);
        } else {
            self->deadline = start + 1 + random_delay(&state);
            self->age = age++;
            CHECK_STATUS(rota_timer_rearm_at(self->timer, self->deadline), ROTA_OK);
        }
    }
    for (i = 0; i < MANY; i++) {
        if (models[i].deadline != 0) expected[expected_count++] = (uint32_t)i;
    }
    qsort(expected, expected_count, sizeof *expected, by_deadline_then_age);
    run_models(loop, &state);
    CHECK_EQ(fired_count, expected_count);
    for (i = 0; i < expected_count; i++) CHECK_EQ(fired_order[i], expected[i]);
    for (i = 0; i < MANY; i++) CHECK_EQ(models[i].fired, 1);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(timers_fire_by_deadline_and_then_by_age);
    RUN(a_timer_of_no_delay_fires_in_the_next_turn_after_earlier_calls);
    RUN(a_deadline_that_has_passed_fires_at_once);
    RUN(call_at_and_sleep_until_take_deadlines);
    RUN(a_cancelled_timer_comes_in_the_next_turn);
    RUN(huge_delays_never_come_and_can_be_cancelled);
    RUN(rearming_moves_a_timer_either_way);
    RUN(rearming_to_an_equal_deadline_goes_behind_those_armed_before);
    RUN(a_timer_rearmed_in_its_own_callback_comes_again);
    RUN(a_due_timer_cancelled_by_an_earlier_one_comes_once);
    RUN(timers_of_the_system_clock_never_fire_early);
    RUN(a_hundred_thousand_random_timers_agree_with_a_sorted_model);
    return test_end();
}
