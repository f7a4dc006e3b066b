/* An HTTP fetcher: many URLs, N at a time, in tasks that take from one list.
 *
 *     cc -std=c11 *.c -lrota -o http_fetch
 *     ./http_fetch --jobs 100 --output copy --sums --urls list.txt
 *
 * Options: --jobs N, --timeout-ms N (for all), --each-timeout-ms N (for each request),
 * --urls FILE or - (one a line), --output DIR, --sums, --json FILE or -. On a terminal it shows its
 * progress. It exits with 1 if any URL failed. See fetch.h for the map of the files.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch.h"

struct options {
    const char *urls, *output, *json;
    bool sums;
    unsigned long long jobs, timeout_ms, each_timeout_ms;
};

static int fail(const char *what, const char *why) {
    fprintf(stderr, "http_fetch: %s: %s\n", what, why);
    return 2;
}

static bool add_url(struct group *group, size_t *capacity, const char *text) {
    if (group->count == *capacity) {
        *capacity = *capacity == 0 ? 64 : *capacity * 2;
        struct item *items = realloc(group->items, *capacity * sizeof *items);
        if (items == NULL) return false;
        group->items = items;
    }
    struct item *item = &group->items[group->count];
    memset(item, 0, sizeof *item);
    if (!url_parse(text, &item->url)) return false;
    item->text = strdup(text);
    group->count++;
    return item->text != NULL;
}

/* One URL a line; empty lines and comments (#) are skipped. */
static bool read_urls(struct group *group, size_t *capacity, const char *name) {
    FILE *in = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    bool ok = in != NULL;
    if (!ok) fail(name, strerror(errno));
    while (ok && getline(&line, &room, in) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line == '\0' || *line == '#') continue;
        ok = add_url(group, capacity, line);
        if (!ok) fail(line, "not an http:// URL");
    }
    free(line);
    if (in != NULL && in != stdin) fclose(in);
    return ok;
}

/* The value of an option, or NULL if it is another one. */
static const char *value_of(const char *name, int argc, char **argv, int *i) {
    return strcmp(argv[*i], name) == 0 && *i + 1 < argc ? argv[++*i] : NULL;
}

static bool parse_arguments(int argc, char **argv, struct options *out, struct group *group) {
    size_t capacity = 0;
    *out = (struct options){.jobs = 8};
    for (int i = 1; i < argc; i++) {
        const char *value;
        if ((value = value_of("--urls", argc, argv, &i)) != NULL) {
            if (!read_urls(group, &capacity, value)) return false;
        } else if ((value = value_of("--output", argc, argv, &i)) != NULL) {
            out->output = value;
        } else if ((value = value_of("--json", argc, argv, &i)) != NULL) {
            out->json = value;
        } else if ((value = value_of("--jobs", argc, argv, &i)) != NULL) {
            out->jobs = strtoull(value, NULL, 10);
        } else if ((value = value_of("--timeout-ms", argc, argv, &i)) != NULL) {
            out->timeout_ms = strtoull(value, NULL, 10);
        } else if ((value = value_of("--each-timeout-ms", argc, argv, &i)) != NULL) {
            out->each_timeout_ms = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--sums") == 0) {
            out->sums = true;
        } else if (!add_url(group, &capacity, argv[i])) {
            fail(argv[i], "neither an option nor an http:// URL");
            return false;
        }
    }
    if (group->count == 0) fail("nothing to do", "give URLs, or --urls FILE");
    if (out->jobs == 0 || out->jobs > 100000) fail("--jobs", "from 1 to 100000");
    return group->count > 0 && out->jobs > 0 && out->jobs <= 100000;
}

static int run(struct group *group, const struct options *options) {
    struct report report = {.group = group};
    group->jobs = options->jobs < group->count ? (size_t)options->jobs : group->count;
    group->timeout_ns = options->timeout_ms * 1000000;
    group->each_timeout_ns = options->each_timeout_ms * 1000000;
    group->wants_sums = options->sums;
    if (options->output != NULL) {
        if (mkdir(options->output, 0777) != 0 && errno != EEXIST)
            return fail(options->output, strerror(errno));
        group->folder = open(options->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (group->folder < 0) return fail(options->output, strerror(errno));
    }
    int64_t status = rota_loop_open(NULL, &group->loop);
    if (status < 0) return fail("open", rota_strerror((int32_t)status));

    report_begin(&report);
    status = group_run(group);
    report_end(&report);
    if (options->sums) report_sums(group);
    if (options->json != NULL && !report_json(&report, options->json))
        return fail(options->json, strerror(errno));

    rota_status closed = rota_loop_close(group->loop, ROTA_FOREVER);
    if (status == 0) status = closed;
    if (status < 0) fail("loop", rota_strerror((int32_t)status));
    return status < 0 || group->failed > 0 ? 1 : 0;
}

int main(int argc, char **argv) {
    struct group group = {.folder = -1};
    struct options options;
    int code = parse_arguments(argc, argv, &options, &group) ? run(&group, &options) : 2;
    if (group.folder >= 0) close(group.folder);
    group_free(&group);
    return code;
}
