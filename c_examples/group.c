/* A group: tasks that end together. One of them fails, or their time is over, and the others are
 * asked to end; the group is not done before all of them have.
 *
 *     cc -std=c11 group.c -lrota -o group && ./group
 */
#include <rota.h>
#include <stdio.h>

#define MILLISECOND UINT64_C(1000000) /* rota counts in nanoseconds */
#define OUT_OF_PAPER (ROTA_STATUS_HOST - 1) /* a status of our own */

struct job {
    rota_loop loop;
    const char *name;
    uint64_t takes_ms;
    int64_t answer;
};

/* A member is a task like any other. Where it waits, it may be asked to end; it cleans up then. */
static int64_t work(rota_task task, void *user_data) {
    struct job *job = user_data;
    int64_t result = rota_await(rota_loop_sleep(job->loop, job->takes_ms * MILLISECOND));
    if (result < 0) {
        rota_outcome outcome;
        rota_task_get_outcome(task, &outcome);
        printf("  %s ends early: %s\n", job->name, outcome.message);
        return result;
    }
    printf("  %s %s\n", job->name, job->answer < 0 ? "fails" : "is done");
    return job->answer;
}

static void run_jobs(const char *title, struct job *jobs, size_t count) {
    rota_group_options options;
    rota_group group;
    int64_t result;
    size_t i, errors = 0;

    printf("%s\n", title);
    rota_group_options_init(&options, sizeof options);
    options.timeout_ns = 200 * MILLISECOND;
    if (rota_loop_open_group(jobs[0].loop, &options, &group) != ROTA_OK) return;
    for (i = 0; i < count; i++) {
        rota_task_options named;
        rota_task_options_init(&named, sizeof named);
        named.name = jobs[i].name;
        rota_group_spawn(group, work, &jobs[i], &named, NULL);
    }

    /* The first failure, or ROTA_ERR_TIMEOUT, or how many have succeeded. */
    result = rota_await(rota_group_wait(group));
    if (result >= 0) {
        printf("  all %d succeeded\n", (int)result);
    } else if (result == OUT_OF_PAPER) {
        printf("  the group failed\n");
    } else {
        printf("  the group came to %s\n", rota_status_name((int32_t)result));
    }
    rota_group_get_error_count(group, &errors);
    for (i = 0; i < errors; i++) {
        rota_failure failure = {.size = sizeof failure};
        rota_group_get_error(group, i, &failure);
        printf("  error %d: of %s, %d\n", (int)i, failure.name, (int)failure.outcome.status);
    }
    rota_group_close(group);
}

static int64_t run(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    struct job good[] = {{loop, "fetch", 20, 0}, {loop, "convert", 10, 0}};
    struct job bad[] = {{loop, "fetch", 5000, 0}, {loop, "print", 10, OUT_OF_PAPER}};
    struct job slow[] = {{loop, "fetch", 10, 0}, {loop, "convert", 5000, 0}};
    (void)task;
    run_jobs("in time:", good, 2);
    run_jobs("one fails:", bad, 2);
    run_jobs("too slow:", slow, 2);
    return 0;
}

int main(void) {
    rota_loop loop;
    rota_task task;
    int64_t result = -1;

    rota_status status = rota_loop_open(NULL, &loop);
    if (status != ROTA_OK) {
        fprintf(stderr, "group: %s\n", rota_strerror(status));
        return 1;
    }
    if (rota_loop_spawn(loop, run, &loop, NULL, &task) == ROTA_OK) {
        result = rota_loop_run_until(loop, rota_task_join(task));
    }
    return rota_loop_close(loop, ROTA_FOREVER) == ROTA_OK && result == 0 ? 0 : 1;
}
