/* Tasks: spawn and join, one at a time and a thousand at a time, and the
 * switch between two that yield to each other. */
#include "bench.h"
#include "hand_stack.h"

#include <stddef.h>

enum { WARM_UP = 2000, MANY = 1000 };

/* ---- rota */

typedef struct {
    rota_loop loop;
    uint64_t operations;
    uint64_t bodies;
    bool stepped;
} job;

static int64_t body(rota_task task, void *user_data) {
    (void)task;
    ((job *)user_data)->bodies++;
    return 1;
}

static int64_t step(rota_task task, const rota_outcome *outcome, void *user_data) {
    (void)task, (void)outcome;
    ((job *)user_data)->bodies++;
    return 1;
}

static rota_task spawn(job *j) {
    rota_task task = {0};
    if (j->stepped) {
        rota_loop_spawn_stepped(j->loop, step, j, NULL, &task);
    } else {
        rota_loop_spawn(j->loop, body, j, NULL, &task);
    }
    return task;
}

static int64_t one_by_one(job *j, uint64_t count) {
    int64_t sum = 0;
    for (uint64_t n = 0; n < count; n++) sum += rota_await(rota_task_join(spawn(j)));
    return sum;
}

static int64_t in_batches(job *j, uint64_t count) {
    static rota_task tasks[MANY];
    int64_t sum = 0;
    for (uint64_t done = 0; done < count; done += MANY) {
        for (int n = 0; n < MANY; n++) tasks[n] = spawn(j);
        for (int n = 0; n < MANY; n++) sum += rota_await(rota_task_join(tasks[n]));
    }
    return sum;
}

static int64_t driver_one(rota_task task, void *user_data) {
    (void)task;
    job *j = user_data;
    one_by_one(j, WARM_UP);
    bench_begin();
    int64_t sum = one_by_one(j, j->operations);
    bench_end();
    return sum;
}

static int64_t driver_many(rota_task task, void *user_data) {
    (void)task;
    job *j = user_data;
    in_batches(j, 2 * MANY);
    bench_begin();
    int64_t sum = in_batches(j, j->operations);
    bench_end();
    return sum;
}

static void rota_drive(uint64_t operations, rota_task_fn driver, bool stepped) {
    job j = {.loop = bench_loop_open(), .operations = operations, .stepped = stepped};
    rota_task task = {0};
    bench_check(rota_loop_spawn(j.loop, driver, &j, NULL, &task) == ROTA_OK);
    bench_check(rota_loop_run_until(j.loop, rota_task_join(task)) == (int64_t)operations);
    bench_check(j.bodies == operations + (driver == driver_one ? (int)WARM_UP : 2 * MANY));
    bench_loop_close(j.loop);
}

static void rota_spawn(uint64_t operations) { rota_drive(operations, driver_one, false); }
static void rota_spawn_many(uint64_t operations) { rota_drive(operations, driver_many, false); }
static void rota_stepped(uint64_t operations) { rota_drive(operations, driver_one, true); }
static void rota_stepped_many(uint64_t operations) { rota_drive(operations, driver_many, true); }

typedef struct {
    uint64_t turns, until;
    bool measures;
} yielder;

static int64_t yields(rota_task task, void *user_data) {
    yielder *y = user_data;
    while (y->turns < y->until) {
        if (y->measures && y->turns == WARM_UP) bench_begin();
        if (rota_task_yield(task) != 0) return ROTA_ERR_CANCELLED;
        y->turns++;
    }
    if (y->measures) bench_end();
    return (int64_t)y->turns;
}

static void rota_yield(uint64_t operations) {
    rota_loop loop = bench_loop_open();
    yielder two[2] = {{.until = operations / 2 + WARM_UP, .measures = true},
                      {.until = operations / 2 + WARM_UP}};
    rota_task tasks[2] = {0};
    for (int n = 0; n < 2; n++) rota_loop_spawn(loop, yields, &two[n], NULL, &tasks[n]);
    for (int n = 0; n < 2; n++) {
        int64_t turns = rota_loop_run_until(loop, rota_task_join(tasks[n]));
        bench_check(turns == (int64_t)(operations / 2 + WARM_UP));
    }
    bench_loop_close(loop);
}

/* ---- by hand: a bare switch of stacks, which knows no loop and no outcomes */

#ifdef HAND_STACK

static void hand_body(hand_task *task, void *user_data) {
    (void)task;
    ++*(uint64_t *)user_data;
}

static uint64_t hand_one_by_one(uint64_t count) {
    uint64_t bodies = 0;
    for (uint64_t n = 0; n < count; n++) {
        hand_task *task = hand_spawn(hand_body, &bodies);
        hand_resume(task);
    }
    return bodies;
}

static void hand_spawn_one(uint64_t operations) {
    hand_one_by_one(WARM_UP);
    bench_begin();
    uint64_t bodies = hand_one_by_one(operations);
    bench_end();
    bench_check(bodies == operations);
}

static uint64_t hand_in_batches(uint64_t count) {
    static hand_task *tasks[MANY];
    uint64_t bodies = 0;
    for (uint64_t done = 0; done < count; done += MANY) {
        for (int n = 0; n < MANY; n++) tasks[n] = hand_spawn(hand_body, &bodies);
        for (int n = 0; n < MANY; n++) hand_resume(tasks[n]);
    }
    return bodies;
}

static void hand_spawn_many(uint64_t operations) {
    hand_in_batches(2 * MANY);
    bench_begin();
    uint64_t bodies = hand_in_batches(operations);
    bench_end();
    bench_check(bodies == operations);
}

static void hand_yields(hand_task *task, void *user_data) {
    yielder *y = user_data;
    while (y->turns < y->until) {
        hand_suspend(task);
        y->turns++;
    }
}

/* The loop resumes one and then the other, so one operation is two bare switches. */
static void hand_yield(uint64_t operations) {
    yielder two[2] = {{.until = operations / 2}, {.until = operations / 2}};
    hand_task *tasks[2];
    for (int n = 0; n < 2; n++) tasks[n] = hand_spawn(hand_yields, &two[n]);
    bench_begin();
    while (!tasks[0]->over) {
        hand_resume(tasks[0]);
        hand_resume(tasks[1]);
    }
    bench_end();
    bench_check(tasks[1]->over && two[0].turns + two[1].turns == operations / 2 * 2);
}

#endif

/* A stepped body by hand is a function pointer and its state from a free list. */
typedef struct hand_step {
    struct hand_step *next;
    int64_t (*body)(struct hand_step *);
    uint64_t *bodies;
} hand_step;

static int64_t hand_step_body(hand_step *state) { return (int64_t)++*state->bodies; }

static void hand_stepped(uint64_t operations) {
    static hand_step pool[2] = {{.next = &pool[1]}};
    static hand_step *volatile free_list = pool;
    uint64_t bodies = 0;
    bench_begin();
    for (uint64_t n = 0; n < operations; n++) {
        hand_step *state = free_list;
        free_list = state->next;
        state->body = hand_step_body;
        state->bodies = &bodies;
        int64_t (*volatile call)(hand_step *) = state->body;
        call(state);
        state->next = free_list;
        free_list = state;
    }
    bench_end();
    bench_check(bodies == operations);
}

const bench_entry bench_tasks[] = {
    {"spawn_join", "rota", 500000, rota_spawn},
    {"spawn_join_1000", "rota", 500000, rota_spawn_many},
    {"spawn_join_stepped", "rota", 500000, rota_stepped},
    {"spawn_join_stepped", "hand", 5000000, hand_stepped},
    {"spawn_join_stepped_1000", "rota", 500000, rota_stepped_many},
    {"yield", "rota", 2000000, rota_yield},
#ifdef HAND_STACK
    {"spawn_join", "hand", 5000000, hand_spawn_one},
    {"spawn_join_1000", "hand", 5000000, hand_spawn_many},
    {"yield", "hand", 5000000, hand_yield},
#endif
    {0},
};
