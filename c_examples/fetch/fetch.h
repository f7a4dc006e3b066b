/* The parts of the fetcher:
 *
 *     main.c         options, the list of URLs
 *     group.c        N workers that take from one list, and the timers that cancel them
 *     report.c       progress, errors, sums and figures
 *     http_client.c  one request after the other on a connection
 *     output.c url.c sha256.c
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <rota.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "url.h"

/* One URL and what became of it. */
struct item {
    char *text;
    struct url url;
    bool is_fetched;
    uint64_t size, latency_ns;
    char sum[65];
    char *error; /* why it is not fetched */
};

struct group {
    rota_loop loop;
    struct item *items;
    size_t count, next, done, failed; /* `next` is the first that no worker has taken */
    uint64_t bytes;                   /* also of what is still under way */
    size_t jobs;
    uint64_t timeout_ns, each_timeout_ns; /* 0: none */
    int folder;                           /* -1: write no files */
    bool wants_sums;
    bool is_over; /* the time for all of it has passed */
    struct worker **workers;
};

/* Fetches all items; returns when the last worker has ended. A status. */
int64_t group_run(struct group *group);
void group_free(struct group *group);

struct report {
    struct group *group;
    uint64_t started_ns;
    bool on_terminal;
};

uint64_t report_now_ns(void);
void report_begin(struct report *report);
void report_end(struct report *report);
void report_sums(const struct group *group);
bool report_json(const struct report *report, const char *name);

#endif
