/* Resident memory of tasks that wait, each kind. */
#include "bench.h"

typedef struct {
    rota_loop loop;
    rota_future never;
    uint64_t begun, ended;
} crowd;

static int64_t waits(rota_task task, void *user_data) {
    (void)task;
    crowd *all = user_data;
    all->begun++;
    int64_t answer = rota_await(all->never);
    all->ended++;
    return answer;
}

static int64_t waits_stepped(rota_task task, const rota_outcome *outcome, void *user_data) {
    crowd *all = user_data;
    if (all->begun < all->ended) return ROTA_ERR_INVALID;
    if (outcome->status == ROTA_OK && outcome->value == 0) {
        all->begun++;
        return rota_task_wait(task, all->never);
    }
    all->ended++;
    return outcome->value;
}

static void parked(uint64_t operations, bool stepped) {
    crowd all = {.loop = bench_loop_open()};
    all.never = rota_future_open(all.loop);
    uint64_t before = bench_resident_bytes();
    bench_begin();
    for (uint64_t n = 0; n < operations; n++) {
        rota_status status =
            stepped ? rota_loop_spawn_stepped(all.loop, waits_stepped, &all, NULL, NULL)
                    : rota_loop_spawn(all.loop, waits, &all, NULL, NULL);
        bench_check(status == ROTA_OK);
    }
    bench_check(rota_loop_turn(all.loop, 0, 0, 0, NULL) == ROTA_OK);
    bench_end();
    bench_check(all.begun == operations);
    bench_memory(bench_resident_bytes() - before);
    bench_check(rota_future_complete(all.never, 7) == ROTA_OK);
    bench_check(rota_loop_turn(all.loop, 0, 0, 0, NULL) == ROTA_OK);
    bench_check(all.ended == operations);
    bench_loop_close(all.loop);
}

static void parked_stackful(uint64_t operations) { parked(operations, false); }
static void parked_stepped(uint64_t operations) { parked(operations, true); }

const bench_entry bench_parked[] = {
    {"parked_stackful", "rota", 20000, parked_stackful},
    {"parked_stackless", "rota", 100000, parked_stepped},
    {0},
};
