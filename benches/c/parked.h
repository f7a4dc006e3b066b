/* What a task costs that only waits. */
#ifndef ROTA_BENCH_PARKED_H
#define ROTA_BENCH_PARKED_H

#include <stdbool.h>
#include <stdint.h>

/* Parks `count` tasks of a kind ("stackful", "stackful_sleep", "stepped", "stepped_sleep"), and
 * prints one JSON line. */
bool bench_park(const char *kind, uint64_t count);

#endif
