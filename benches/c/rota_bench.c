/* The costs of the C ABI beside hand-written C, in one run.
 *
 *   rota_bench list                            what there is, and how often it is worth doing
 *   rota_bench once WORK CONTESTANT OPERATIONS one round: a JSON line
 *   rota_bench serve CONTESTANT                an echo server, for strace and callgrind
 *   rota_bench client PORT CONNECTIONS REQUESTS
 *   rota_bench parked KIND COUNT               memory of tasks that only wait: a JSON line
 *
 * CPU time is that of the process. Allocations are counted by standing in
 * front of the C library's malloc and mmap, which the shared library calls as
 * everyone does. */
#define _GNU_SOURCE
#include "bench.h"
#include "echo.h"
#include "parked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ENTRIES = 64 };

/* ---- allocations */

/* In memory that a forked server shares. */
static volatile uint64_t allocations_at_first;
static volatile uint64_t *allocations_shared = &allocations_at_first;

static void share_allocations(void) {
    void *page = (void *)syscall(SYS_mmap, NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) abort();
    allocations_shared = page;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t align, size_t size);

void *malloc(size_t size) {
    ++*allocations_shared;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    ++*allocations_shared;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    ++*allocations_shared;
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t align, size_t size) {
    ++*allocations_shared;
    return __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size) {
    ++*allocations_shared;
    *out = __libc_memalign(align, size);
    return *out == NULL ? 12 /* ENOMEM */ : 0;
}

/* Stacks come from here. */
void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
    ++*allocations_shared;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

/* ---- one round */

static struct {
    uint64_t began_ns, spent_ns;
    uint64_t allocations_before, allocations;
    uint64_t bytes;
    bool measured, right;
} round_now;

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_begin(void) {
    round_now.allocations_before = *allocations_shared;
    round_now.began_ns = cpu_ns();
}

void bench_end(void) {
    round_now.spent_ns += cpu_ns() - round_now.began_ns;
    round_now.allocations += *allocations_shared - round_now.allocations_before;
    round_now.measured = true;
}

void bench_check_at(bool right, const char *what, const char *file, int line) {
    if (!right) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        round_now.right = false;
    }
}

uint64_t bench_resident_bytes(void) {
    unsigned long long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%llu %llu", &size, &resident) != 2) abort();
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void bench_memory(uint64_t bytes) { round_now.bytes = bytes; }

rota_loop bench_loop_open(void) {
    rota_loop loop = {0};
    bench_check(rota_loop_open(NULL, &loop) == ROTA_OK);
    return loop;
}

void bench_loop_close(rota_loop loop) {
    bench_check(rota_loop_close(loop, ROTA_FOREVER) == ROTA_OK);
}

uint32_t bench_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* ---- the echo works, which have two processes */

enum { ECHO_REQUESTS = 50000 };

static void echo_round(const char *contestant, int connections, uint64_t operations) {
    bench_echo_figures figures = {0};
    bench_check(bench_echo(contestant, connections, operations, allocations_shared, &figures));
    round_now.spent_ns = figures.spent_ns;
    round_now.allocations = figures.allocations;
    round_now.measured = true;
}

static void rota_echo_1(uint64_t operations) { echo_round("rota", 1, operations); }
static void hand_echo_1(uint64_t operations) { echo_round("hand", 1, operations); }
static void rota_echo_50(uint64_t operations) { echo_round("rota", 50, operations); }
static void hand_echo_50(uint64_t operations) { echo_round("hand", 50, operations); }

static const bench_entry echoes[] = {
    {"echo_1", "rota", ECHO_REQUESTS, rota_echo_1},
    {"echo_1", "hand", ECHO_REQUESTS, hand_echo_1},
    {"echo_50", "rota", ECHO_REQUESTS, rota_echo_50},
    {"echo_50", "hand", ECHO_REQUESTS, hand_echo_50},
    {0},
};

/* ---- all of them */

static const bench_entry *entries[MOST_ENTRIES];

static size_t collect(void) {
    const bench_entry *tables[] = {bench_posts, bench_handles, bench_timers,
                                   bench_tasks, bench_sync,    bench_parked, echoes};
    size_t count = 0;
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++) {
        for (const bench_entry *entry = tables[table]; entry->work != NULL; entry++) {
            if (count < MOST_ENTRIES) entries[count++] = entry;
        }
    }
    return count;
}

static int run_once(const bench_entry *entry, uint64_t operations) {
    round_now.right = true;
    entry->run(operations);
    bool checked = round_now.right && round_now.measured;
    double count = (double)operations;
    printf("{\"work\": \"%s\", \"contestant\": \"%s\", \"ns_per_op\": %.3f, "
           "\"allocations_per_op\": %g, \"bytes_per_op\": %.1f, \"checked\": %s}\n",
           entry->work, entry->contestant, (double)round_now.spent_ns / count,
           (double)round_now.allocations / count, (double)round_now.bytes / count,
           checked ? "true" : "false");
    return checked ? 0 : 1;
}

static int run_named(const char *work, const char *contestant, uint64_t operations) {
    size_t count = collect();
    for (size_t at = 0; at < count; at++) {
        if (strcmp(entries[at]->work, work) == 0 &&
            strcmp(entries[at]->contestant, contestant) == 0) {
            return run_once(entries[at], operations);
        }
    }
    fprintf(stderr, "there is no %s of %s\n", work, contestant);
    return 2;
}

static int list(void) {
    size_t count = collect();
    for (size_t at = 0; at < count; at++) {
        printf("%s %s %" PRIu64 "\n", entries[at]->work, entries[at]->contestant,
               entries[at]->operations);
    }
    return 0;
}

int main(int argc, char **argv) {
    share_allocations();
    if (argc == 5 && strcmp(argv[1], "once") == 0) {
        return run_named(argv[2], argv[3], strtoull(argv[4], NULL, 10));
    }
    if (argc == 2 && strcmp(argv[1], "list") == 0) return list();
    if (argc == 3 && strcmp(argv[1], "serve") == 0) return bench_echo_server(argv[2], 1);
    if (argc == 5 && strcmp(argv[1], "client") == 0) {
        return bench_echo_client(atoi(argv[2]), atoi(argv[3]), strtoull(argv[4], NULL, 10), NULL);
    }
    if (argc == 4 && strcmp(argv[1], "parked") == 0) {
        round_now.right = true;
        return bench_park(argv[2], strtoull(argv[3], NULL, 10)) && round_now.right ? 0 : 1;
    }
    fprintf(stderr, "usage: rota_bench once WORK CONTESTANT OPERATIONS | list\n"
                    "       rota_bench serve CONTESTANT | client PORT CONNECTIONS REQUESTS\n"
                    "       rota_bench parked KIND COUNT\n");
    return 2;
}
