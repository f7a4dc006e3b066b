/* N workers, each a stackful task, take URLs from one list until it is empty. There are two
 * timeouts, and both are timers that cancel tasks: one for each request, after which the worker
 * takes back the request to cancel and goes on with the next URL, and one for all of them.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "http_client.h"
#include "output.h"

struct worker {
    struct group *group;
    bool timed_out; /* the timer of this request has cancelled the task */
    struct http_client client;
    struct output output;
};

static void on_each_timeout(rota_timer timer, rota_status status, void *user_data) {
    struct worker *worker = user_data;
    (void)timer;
    if (status != ROTA_OK) return; /* the request was done in time */
    worker->timed_out = true;
    rota_task_cancel(worker->client.task);
}

static void on_timeout(rota_timer timer, rota_status status, void *user_data) {
    struct group *group = user_data;
    (void)timer;
    if (status != ROTA_OK) return;
    group->is_over = true;
    for (size_t i = 0; i < group->jobs; i++) rota_task_cancel(group->workers[i]->client.task);
}

static void settle(struct group *group, struct item *item, const char *error) {
    group->done++;
    if (error == NULL) {
        item->is_fetched = true;
        return;
    }
    group->failed++;
    item->error = strdup(error);
}

static int64_t count_and_write(const void *data, size_t size, void *user_data) {
    struct worker *worker = user_data;
    worker->group->bytes += size;
    return output_write(data, size, &worker->output);
}

/* The whole of one URL, top to bottom. Returns a status; the text is in `error`. */
static int64_t transfer(struct worker *worker, struct item *item, const char **error) {
    size_t number = (size_t)(item - worker->group->items);
    *error = worker->output.error;
    int64_t result = output_begin(&worker->output, item->url.target, number);
    if (result < 0) return result;

    result = http_client_get(&worker->client, &item->url, count_and_write, worker);
    if (result >= 0) item->size = (uint64_t)result;
    else if (result != FETCH_ERR_FILE) *error = worker->client.error;

    int64_t ended = output_end(&worker->output, result >= 0, item->sum);
    return result < 0 ? result : ended;
}

static void fetch(struct worker *worker, struct item *item) {
    struct group *group = worker->group;
    rota_timer timer = {0};
    const char *error;
    char text[64];
    uint64_t started_ns = report_now_ns();

    worker->timed_out = false;
    if (group->each_timeout_ns > 0)
        rota_loop_call_later(group->loop, group->each_timeout_ns, on_each_timeout, worker, &timer);
    int64_t result = transfer(worker, item, &error);
    rota_timer_cancel(timer);
    item->latency_ns = report_now_ns() - started_ns;

    if (worker->timed_out) {
        uint32_t left; /* our own request to cancel is answered; the group's would be left */
        rota_task_uncancel(worker->client.task, &left);
    }
    if (result == ROTA_ERR_CANCELLED && (worker->timed_out || group->is_over)) {
        snprintf(text, sizeof text, "%s: %s", rota_status_name(ROTA_ERR_TIMEOUT),
                 group->is_over ? "the time for all is over" : "the request took too long");
        error = text;
    }
    settle(group, item, result < 0 ? error : NULL);
}

static int64_t work(rota_task task, void *user_data) {
    struct worker *worker = user_data;
    struct group *group = worker->group;
    worker->client.task = task;
    while (group->next < group->count && !group->is_over)
        fetch(worker, &group->items[group->next++]);
    http_client_close(&worker->client);
    return 0;
}

/* Starts the workers and waits for each of them: a group does not end before its tasks do. */
static int64_t supervise(rota_task task, void *user_data) {
    struct group *group = user_data;
    size_t started = 0;
    int64_t result = 0;
    (void)task;
    while (started < group->jobs && result == 0) {
        struct worker *worker = group->workers[started];
        result = rota_loop_spawn(group->loop, work, worker, NULL, &worker->client.task);
        if (result == 0) started++;
    }
    for (size_t i = 0; i < started; i++) {
        int64_t ended = rota_await(rota_task_join(group->workers[i]->client.task));
        if (result == 0 && ended < 0) result = ended;
    }
    while (group->next < group->count)
        settle(group, &group->items[group->next++], "not begun before the time was over");
    return result;
}

int64_t group_run(struct group *group) {
    rota_task supervisor;
    rota_timer timer = {0};
    group->workers = calloc(group->jobs, sizeof *group->workers);
    if (group->workers == NULL) return ROTA_ERR_MEMORY;
    for (size_t i = 0; i < group->jobs; i++) {
        struct worker *worker = group->workers[i] = calloc(1, sizeof *worker);
        if (worker == NULL) return ROTA_ERR_MEMORY;
        worker->group = group;
        worker->client.loop = worker->output.loop = group->loop;
        worker->output.folder = group->folder;
        worker->output.wants_sum = group->wants_sums;
    }
    if (group->timeout_ns > 0)
        rota_loop_call_later(group->loop, group->timeout_ns, on_timeout, group, &timer);
    int64_t result = rota_loop_spawn(group->loop, supervise, group, NULL, &supervisor);
    if (result == 0) result = rota_loop_run_until(group->loop, rota_task_join(supervisor));
    rota_timer_cancel(timer);
    return result;
}

void group_free(struct group *group) {
    for (size_t i = 0; group->workers != NULL && i < group->jobs; i++) free(group->workers[i]);
    for (size_t i = 0; i < group->count; i++) {
        url_free(&group->items[i].url);
        free(group->items[i].text);
        free(group->items[i].error);
    }
    free(group->workers);
    free(group->items);
}
