/* What a task costs that only waits: memory, mappings, time.
 *
 * Tasks are spawned and run until each waits: for a promise of its own, or in a sleep. Before the
 * first and after the last the process is looked at, through /proc: resident memory, the page
 * tables beside it, and mappings; what the loop's containers take is its own figure. */
#define _GNU_SOURCE
#include "parked.h"
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    rota_loop loop;
    rota_future *promises; /* none: they sleep */
    uint64_t begun, ended;
} parked;

static rota_future next_wait(void) {
    uint64_t number = parked.begun++;
    return parked.promises != NULL ? parked.promises[number]
                                   : rota_loop_sleep(parked.loop, 3600 * UINT64_C(1000000000));
}

static int64_t waits(rota_task task, void *user_data) {
    int64_t result = rota_await(next_wait());
    (void)task, (void)user_data;
    parked.ended++;
    return result;
}

static int64_t waits_in_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    bool *begun = user_data;
    (void)outcome;
    if (!*begun) {
        *begun = true;
        return rota_task_wait(task, next_wait());
    }
    parked.ended++;
    return 0;
}

typedef struct {
    uint64_t resident, page_tables, mappings, containers, ns;
} figures;

/* A line of /proc/self/status, in bytes. */
static uint64_t status_of(const char *name) {
    char line[256];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) kib = strtoull(line + strlen(name), NULL, 10);
    }
    fclose(file);
    return kib * 1024;
}

static uint64_t count_mappings(void) {
    uint64_t count = 0;
    int byte;
    FILE *file = fopen("/proc/self/maps", "r");
    if (file == NULL) return 0;
    while ((byte = getc(file)) != EOF) count += byte == '\n';
    fclose(file);
    return count;
}

static figures look(void) {
    rota_loop_stats stats = {.size = sizeof stats};
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    bench_check(rota_loop_get_stats(parked.loop, &stats) == ROTA_OK);
    return (figures){status_of("VmRSS:"), status_of("VmPTE:"), count_mappings(), stats.memory_bytes,
                     (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
}

static rota_status spawn_one(bool stackful, bool *begun) {
    return stackful ? rota_loop_spawn(parked.loop, waits, NULL, NULL, NULL)
                    : rota_loop_spawn_stepped(parked.loop, waits_in_steps, begun, NULL, NULL);
}

static void one_turn(void) { bench_check(rota_loop_turn(parked.loop, 0, 0, 0, NULL) == ROTA_OK); }

/* The tasks go on, and end. */
static void let_go(uint64_t count) {
    if (parked.promises == NULL) {
        bench_check(rota_loop_advance(parked.loop, 7200 * UINT64_C(1000000000)) == ROTA_OK);
    }
    for (uint64_t at = 0; parked.promises != NULL && at < count; at++) {
        bench_check(rota_future_complete(parked.promises[at], 0) == ROTA_OK);
    }
    for (int turns = 0; turns < 4; turns++) one_turn();
    bench_check(parked.ended == count);
}

bool bench_park(const char *kind, uint64_t count) {
    bool stackful = strncmp(kind, "stackful", 8) == 0, sleeps = strstr(kind, "_sleep") != NULL;
    bool *begun = calloc(count, sizeof *begun);
    rota_future *promises = sleeps ? NULL : calloc(count, sizeof *promises);
    rota_loop_options options;
    figures before, spawned, waiting, after;
    double each = (double)count;
    if (begun == NULL || (!sleeps && promises == NULL)) return false;
    memset(begun, 0, count * sizeof *begun); /* so that their pages do not count below */
    if (promises != NULL) memset(promises, 0xff, count * sizeof *promises);
    bench_check(rota_loop_options_init(&options, sizeof options) == ROTA_OK);
    options.clock = ROTA_CLOCK_VIRTUAL;
    bench_check(rota_loop_open(&options, &parked.loop) == ROTA_OK);
    before = look();
    for (uint64_t at = 0; at < count; at++) {
        if (promises != NULL) promises[at] = rota_future_open(parked.loop);
        bench_check(spawn_one(stackful, &begun[at]) == ROTA_OK);
    }
    parked.promises = promises;
    spawned = look();
    one_turn();
    waiting = look();
    bench_check(parked.begun == count && parked.ended == 0);
    let_go(count);
    for (int turns = 0; turns < 2000; turns++) one_turn();
    after = look();
    printf("{\"parked\": \"%s\", \"count\": %" PRIu64 ", \"resident_bytes_each\": %.0f, "
           "\"of_which_containers\": %.0f, \"page_table_bytes_each\": %.0f, \"mappings\": %" PRIi64
           ", \"spawn_ns\": %.0f, \"first_step_ns\": %.0f, \"end_ns\": %.0f, "
           "\"resident_bytes_each_afterwards\": %.0f}\n",
           kind, count, (double)(waiting.resident - before.resident) / each,
           (double)(waiting.containers - before.containers) / each,
           (double)(waiting.page_tables - before.page_tables) / each,
           (int64_t)(waiting.mappings - before.mappings), (double)(spawned.ns - before.ns) / each,
           (double)(waiting.ns - spawned.ns) / each, (double)(after.ns - waiting.ns) / each,
           ((double)after.resident - (double)before.resident) / each);
    bench_loop_close(parked.loop);
    free(begun);
    free(promises);
    return true;
}
