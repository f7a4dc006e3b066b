/* Timers: a million armed and then cancelled, and a hundred thousand moved at
 * random again and again, as idle time-outs are.
 *
 * rota's cancel delivers the callback once more, with ROTA_ERR_CANCELLED, and
 * that turn is part of its cost; the bare wheel only forgets. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)

enum { MILLION = 1000000, STANDING = 100000 };

/* Somewhere in the next minute. */
static uint64_t some_delay(uint64_t *seed) {
    return SECOND + (uint64_t)bench_random(seed) % (60 * SECOND);
}

/* ---- rota */

static void count_cancelled(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    *(uint64_t *)user_data += status == ROTA_ERR_CANCELLED;
}

typedef rota_status arm_fn(rota_loop, uint64_t, rota_timer_fn, void *, rota_timer *);

static void rota_pass(rota_loop loop, rota_timer *timers, uint64_t count, arm_fn *arm) {
    uint64_t seed = 1, cancelled = 0, now = 0;
    rota_loop_get_now(loop, &now);
    uint64_t from = arm == rota_loop_call_at ? now : 0;
    bool right = true;
    for (uint64_t n = 0; n < count; n++) {
        uint64_t due = from + some_delay(&seed);
        right &= arm(loop, due, count_cancelled, &cancelled, &timers[n]) == ROTA_OK;
    }
    for (uint64_t n = 0; n < count; n++) right &= rota_timer_cancel(timers[n]) == ROTA_OK;
    right &= rota_loop_turn(loop, 0, 0, 0, NULL) == ROTA_OK;
    bench_check(right && cancelled == count);
}

static void rota_arm_cancel_by(uint64_t operations, arm_fn *arm) {
    rota_loop loop = bench_loop_open();
    rota_timer *timers = calloc(MILLION, sizeof *timers);
    rota_pass(loop, timers, MILLION, arm);
    bench_begin();
    for (uint64_t done = 0; done < operations; done += MILLION) {
        rota_pass(loop, timers, MILLION, arm);
    }
    bench_end();
    free(timers);
    bench_loop_close(loop);
}

static void rota_arm_cancel(uint64_t operations) {
    rota_arm_cancel_by(operations, rota_loop_call_later);
}

static void rota_arm_at_cancel(uint64_t operations) {
    rota_arm_cancel_by(operations, rota_loop_call_at);
}

static void rota_rearm(uint64_t operations) {
    rota_loop loop = bench_loop_open();
    rota_timer *timers = calloc(STANDING, sizeof *timers);
    uint64_t seed = 1, cancelled = 0;
    bool right = true;
    for (int n = 0; n < STANDING; n++) {
        uint64_t delay = some_delay(&seed);
        right &= rota_loop_call_later(loop, delay, count_cancelled, &cancelled, &timers[n]) == 0;
    }
    bench_begin();
    for (uint64_t n = 0; n < operations; n++) {
        rota_timer timer = timers[bench_random(&seed) % STANDING];
        right &= rota_timer_rearm(timer, 60 * SECOND) == ROTA_OK;
    }
    bench_end();
    bench_check(right);
    bench_loop_close(loop);
    bench_check(cancelled == STANDING);
    free(timers);
}

/* ---- by hand: a hierarchical wheel of intrusive lists, which reads the clock as rota does */

enum { LEVELS = 8, SLOTS = 64, LEVEL_BITS = 6, TICK_BITS = 14 };

typedef struct hand_timer {
    struct hand_timer *next, **link;
    uint64_t deadline;
    void (*callback)(struct hand_timer *);
} hand_timer;

typedef struct {
    uint64_t elapsed, armed;
    uint64_t occupied[LEVELS];
    hand_timer *slots[LEVELS][SLOTS];
} hand_wheel;

static uint64_t hand_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void hand_arm(hand_wheel *wheel, hand_timer *timer, uint64_t deadline) {
    uint64_t differing = (deadline ^ wheel->elapsed) >> TICK_BITS | 1;
    int level = (63 - __builtin_clzll(differing)) / LEVEL_BITS;
    int slot = (int)(deadline >> (TICK_BITS + LEVEL_BITS * level)) & (SLOTS - 1);
    hand_timer **head = &wheel->slots[level][slot];
    timer->deadline = deadline;
    timer->next = *head;
    timer->link = head;
    if (*head != NULL) (*head)->link = &timer->next;
    *head = timer;
    wheel->occupied[level] |= UINT64_C(1) << slot;
    wheel->armed++;
}

static void hand_cancel(hand_wheel *wheel, hand_timer *timer) {
    *timer->link = timer->next;
    if (timer->next != NULL) timer->next->link = timer->link;
    timer->link = NULL;
    wheel->armed--;
}

static void hand_nothing(hand_timer *timer) { (void)timer; }

static void hand_pass(hand_wheel *wheel, hand_timer *timers, uint64_t count, bool later) {
    uint64_t seed = 1;
    uint64_t now = hand_now();
    for (uint64_t n = 0; n < count; n++) {
        timers[n].callback = hand_nothing;
        hand_arm(wheel, &timers[n], (later ? hand_now() : now) + some_delay(&seed));
    }
    bench_check(wheel->armed == count);
    for (uint64_t n = 0; n < count; n++) hand_cancel(wheel, &timers[n]);
    bench_check(wheel->armed == 0);
}

static void hand_arm_cancel_by(uint64_t operations, bool later) {
    static hand_wheel wheel;
    wheel.elapsed = hand_now();
    hand_timer *timers = calloc(MILLION, sizeof *timers);
    hand_pass(&wheel, timers, MILLION, later);
    bench_begin();
    for (uint64_t done = 0; done < operations; done += MILLION) {
        hand_pass(&wheel, timers, MILLION, later);
    }
    bench_end();
    free(timers);
}

static void hand_arm_cancel(uint64_t operations) { hand_arm_cancel_by(operations, true); }
static void hand_arm_at_cancel(uint64_t operations) { hand_arm_cancel_by(operations, false); }

static void hand_rearm(uint64_t operations) {
    static hand_wheel wheel;
    hand_timer *timers = calloc(STANDING, sizeof *timers);
    uint64_t seed = 1;
    wheel = (hand_wheel){.elapsed = hand_now()};
    for (int n = 0; n < STANDING; n++) {
        hand_arm(&wheel, &timers[n], wheel.elapsed + some_delay(&seed));
    }
    bench_begin();
    for (uint64_t n = 0; n < operations; n++) {
        hand_timer *timer = &timers[bench_random(&seed) % STANDING];
        hand_cancel(&wheel, timer);
        hand_arm(&wheel, timer, hand_now() + 60 * SECOND);
    }
    bench_end();
    bench_check(wheel.armed == STANDING);
    free(timers);
}

const bench_entry bench_timers[] = {
    {"timer_later_cancel", "rota", MILLION, rota_arm_cancel},
    {"timer_later_cancel", "hand", MILLION, hand_arm_cancel},
    {"timer_at_cancel", "rota", MILLION, rota_arm_at_cancel},
    {"timer_at_cancel", "hand", MILLION, hand_arm_at_cancel},
    {"timer_rearm", "rota", 2000000, rota_rearm},
    {"timer_rearm", "hand", 2000000, hand_rearm},
    {0},
};
