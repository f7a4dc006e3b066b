#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fetch.h"

#define PROGRESS_NS UINT64_C(100000000)

uint64_t report_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double seconds(const struct report *report) {
    return (double)(report_now_ns() - report->started_ns) / 1e9;
}

/* One line, drawn over and over. */
static void draw(const struct report *report) {
    const struct group *group = report->group;
    double megabytes = (double)group->bytes / 1e6, passed = seconds(report);
    fprintf(stderr, "\r%zu/%zu  %.1f MB  %.1f MB/s", group->done, group->count, megabytes,
            passed > 0 ? megabytes / passed : 0);
    if (group->failed > 0) fprintf(stderr, "  %zu failed", group->failed);
    fputs("\033[K", stderr); /* clear what is left of a longer line */
    fflush(stderr);
}

static void on_progress(rota_timer timer, rota_status status, void *user_data) {
    if (status != ROTA_OK) return;
    draw(user_data);
    rota_timer_rearm(timer, PROGRESS_NS);
}

void report_begin(struct report *report) {
    rota_timer timer;
    report->started_ns = report_now_ns();
    report->on_terminal = isatty(STDERR_FILENO) != 0;
    if (report->on_terminal)
        rota_loop_call_later(report->group->loop, PROGRESS_NS, on_progress, report, &timer);
}

void report_end(struct report *report) {
    const struct group *group = report->group;
    if (report->on_terminal) {
        draw(report);
        fputc('\n', stderr);
    }
    for (size_t i = 0; i < group->count; i++) {
        const struct item *item = &group->items[i];
        if (!item->is_fetched)
            fprintf(stderr, "%s: %s\n", item->text, item->error == NULL ? "?" : item->error);
    }
}

/* In the order in which the URLs were given. */
void report_sums(const struct group *group) {
    for (size_t i = 0; i < group->count; i++) {
        const struct item *item = &group->items[i];
        if (item->is_fetched)
            printf("%s  %" PRIu64 "  %s\n", item->sum, item->size, item->url.target);
    }
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The latencies of what was fetched, sorted; the caller frees them. */
static uint64_t *sorted_latencies(const struct group *group, size_t *count) {
    uint64_t *latencies = malloc((group->count + 1) * sizeof *latencies);
    *count = 0;
    if (latencies == NULL) return NULL;
    for (size_t i = 0; i < group->count; i++) {
        if (group->items[i].is_fetched) latencies[(*count)++] = group->items[i].latency_ns;
    }
    if (*count > 0) qsort(latencies, *count, sizeof *latencies, compare);
    return latencies;
}

static double percentile_us(const uint64_t *latencies, size_t count, unsigned percent) {
    return count == 0 ? 0 : (double)latencies[(count - 1) * percent / 100] / 1e3;
}

bool report_json(const struct report *report, const char *name) {
    const struct group *group = report->group;
    rota_loop_stats stats = {.size = sizeof stats};
    struct rusage usage;
    size_t count;
    uint64_t *latencies = sorted_latencies(group, &count);
    FILE *out = strcmp(name, "-") == 0 ? stdout : fopen(name, "w");
    if (out == NULL || latencies == NULL) {
        free(latencies);
        return false;
    }
    rota_loop_get_stats(group->loop, &stats);
    getrusage(RUSAGE_SELF, &usage);
    fprintf(out,
            "{\"requests\": %zu, \"failures\": %zu, \"bytes\": %" PRIu64 ", \"seconds\": %.6f, "
            "\"p50_us\": %.1f, \"p99_us\": %.1f, \"turns\": %" PRIu64 ", \"wakeups\": %" PRIu64
            ", \"tasks_peak\": %zu, \"loop_memory_peak_bytes\": %" PRIu64
            ", \"memory_peak_bytes\": %ld}\n",
            group->done, group->failed, group->bytes, seconds(report),
            percentile_us(latencies, count, 50), percentile_us(latencies, count, 99), stats.turns,
            stats.wakeups, group->jobs + 1, stats.memory_peak_bytes,
            usage.ru_maxrss * 1024L); /* Linux counts in KiB */
    free(latencies);
    return out == stdout ? fflush(out) == 0 : fclose(out) == 0;
}
