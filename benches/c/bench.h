/* What the works share: contestants, the clock, and the count of allocations.
 *
 * A work is one kind of operation; each contestant does it its own way, and
 * calls bench_begin() when it is in its steady state and bench_end() after
 * `operations` of them. What it did wrong it says with bench_check(). */
#ifndef ROTA_BENCH_H
#define ROTA_BENCH_H

#include "rota.h"

typedef struct {
    const char *work;
    const char *contestant;
    uint64_t operations; /* in one round */
    void (*run)(uint64_t operations);
} bench_entry;

/* The works, one table for each file; a NULL work ends it. */
extern const bench_entry bench_posts[];
extern const bench_entry bench_handles[];
extern const bench_entry bench_timers[];
extern const bench_entry bench_tasks[];
extern const bench_entry bench_sync[];
extern const bench_entry bench_parked[];

/* Between these two the CPU time and the allocations count. */
void bench_begin(void);
void bench_end(void);

/* The resident memory of this process, and how much of it the work took. */
uint64_t bench_resident_bytes(void);
void bench_memory(uint64_t bytes);

/* Says that something went wrong; the round's figures are worthless then. */
void bench_check_at(bool right, const char *what, const char *file, int line);
#define bench_check(condition) bench_check_at((condition), #condition, __FILE__, __LINE__)

/* A loop with the default options, and its end. */
rota_loop bench_loop_open(void);
void bench_loop_close(rota_loop loop);

/* Numbers that look random and are the same in every run. */
uint32_t bench_random(uint64_t *state);

#endif
