/* A lock handed round ten tasks, and a bounded queue between two: what waiting
 * for each other costs when everybody has to wait. */
#include "bench.h"

enum { PARTIES = 10, CAPACITY = 16, WARM_UP = 2000 };

typedef struct {
    rota_loop loop;
    rota_lock lock;
    rota_queue queue;
    uint64_t rounds, until, inside;
    int64_t sum;
} round;

static void begin_or_end(const round *r) {
    if (r->rounds == WARM_UP) bench_begin();
    if (r->rounds == r->until) bench_end();
}

/* Holds the lock over a turn, so that all the others stand in line. */
static int64_t takes_turns(rota_task task, void *user_data) {
    round *r = user_data;
    while (r->rounds < r->until) {
        if (rota_await(rota_lock_acquire(r->lock)) != 0) return ROTA_ERR_CANCELLED;
        bench_check(r->inside++ == 0);
        rota_task_yield(task);
        if (r->rounds < r->until) {
            r->rounds++;
            begin_or_end(r);
        }
        r->inside--;
        rota_lock_release(r->lock);
    }
    return 0;
}

static void lock_round(uint64_t operations) {
    round r = {.loop = bench_loop_open(), .until = operations + WARM_UP};
    bench_check(rota_loop_open_lock(r.loop, &r.lock) == ROTA_OK);
    rota_task tasks[PARTIES] = {0};
    for (int n = 0; n < PARTIES; n++) rota_loop_spawn(r.loop, takes_turns, &r, NULL, &tasks[n]);
    for (int n = 0; n < PARTIES; n++) {
        bench_check(rota_loop_run_until(r.loop, rota_task_join(tasks[n])) == 0);
    }
    bench_check(r.rounds == r.until);
    bench_loop_close(r.loop);
}

static int64_t produces(rota_task task, void *user_data) {
    (void)task;
    round *r = user_data;
    for (uint64_t n = 0; n < r->until; n++) {
        if (rota_await(rota_queue_put(r->queue, r)) != 0) return ROTA_ERR_CANCELLED;
    }
    return 0;
}

static int64_t consumes(rota_task task, void *user_data) {
    (void)task;
    round *r = user_data;
    while (r->rounds < r->until) {
        void *item = NULL;
        rota_future next = rota_queue_get(r->queue);
        if (rota_await(next) != 0 || rota_future_take_result(next, &item) != ROTA_OK) break;
        r->sum += item == r;
        r->rounds++;
        begin_or_end(r);
    }
    return r->sum;
}

/* The same, tuned: what can be had at once needs no future. */
static int64_t produces_tuned(rota_task task, void *user_data) {
    (void)task;
    round *r = user_data;
    for (uint64_t n = 0; n < r->until; n++) {
        if (rota_queue_try_put(r->queue, r) == ROTA_OK) continue;
        if (rota_await(rota_queue_put(r->queue, r)) != 0) return ROTA_ERR_CANCELLED;
    }
    return 0;
}

static int64_t consumes_tuned(rota_task task, void *user_data) {
    (void)task;
    round *r = user_data;
    while (r->rounds < r->until) {
        void *item = NULL;
        if (rota_queue_try_get(r->queue, &item) != ROTA_OK) {
            rota_future next = rota_queue_get(r->queue);
            if (rota_await(next) != 0 || rota_future_take_result(next, &item) != ROTA_OK) break;
        }
        r->sum += item == r;
        r->rounds++;
        begin_or_end(r);
    }
    return r->sum;
}

static void queue_between(uint64_t operations, rota_task_fn producer, rota_task_fn consumer) {
    round r = {.loop = bench_loop_open(), .until = operations + WARM_UP};
    bench_check(rota_loop_open_queue(r.loop, CAPACITY, ROTA_QUEUE_FIFO, &r.queue) == ROTA_OK);
    rota_task one = {0}, other = {0};
    rota_loop_spawn(r.loop, producer, &r, NULL, &one);
    rota_loop_spawn(r.loop, consumer, &r, NULL, &other);
    bench_check(rota_loop_run_until(r.loop, rota_task_join(other)) == (int64_t)r.until);
    bench_check(rota_loop_run_until(r.loop, rota_task_join(one)) == 0);
    bench_loop_close(r.loop);
}

static void queue_pass(uint64_t operations) { queue_between(operations, produces, consumes); }

static void queue_pass_tuned(uint64_t operations) {
    queue_between(operations, produces_tuned, consumes_tuned);
}

const bench_entry bench_sync[] = {
    {"lock_round", "rota", 500000, lock_round},
    {"queue_pass", "rota", 1000000, queue_pass},
    {"queue_pass", "rota, tries first", 1000000, queue_pass_tuned},
    {0},
};
