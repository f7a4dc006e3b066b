/* What it costs to go through a handle: a call that only reads one number,
 * beside the same call on a pointer. */
#include "bench.h"

/* ---- rota */

static void nothing(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status, (void)user_data;
}

static void rota_handle(uint64_t operations) {
    const uint64_t deadline = (uint64_t)1 << 60;
    rota_loop loop = bench_loop_open();
    rota_timer timer;
    uint64_t sum = 0;
    bench_check(rota_loop_call_at(loop, deadline, nothing, NULL, &timer) == ROTA_OK);
    bench_begin();
    for (uint64_t n = 0; n < operations; n++) {
        uint64_t seen = 0;
        rota_timer_get_deadline(timer, &seen);
        sum += seen - deadline + 1;
    }
    bench_end();
    bench_check(sum == operations);
    bench_loop_close(loop);
}

/* ---- by hand */

typedef struct {
    uint64_t deadline;
} hand_timer;

static int hand_get_deadline(const hand_timer *timer, uint64_t *out) {
    *out = timer->deadline;
    return 0;
}

/* Volatile, so that it stays a call. */
static int (*volatile hand_getter)(const hand_timer *, uint64_t *) = hand_get_deadline;

static void hand_handle(uint64_t operations) {
    const hand_timer timer = {(uint64_t)1 << 60};
    uint64_t sum = 0;
    bench_begin();
    for (uint64_t n = 0; n < operations; n++) {
        uint64_t seen = 0;
        hand_getter(&timer, &seen);
        sum += seen - timer.deadline + 1;
    }
    bench_end();
    bench_check(sum == operations);
}

const bench_entry bench_handles[] = {
    {"handle_call", "rota", 10000000, rota_handle},
    {"handle_call", "hand", 10000000, hand_handle},
    {0},
};
