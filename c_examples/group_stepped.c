/* The group of group.c in stepped tasks: functions that are called again with their state, for each
 * step. The owner opens the group in its first step, and waits for it like for anything else.
 *
 *     cc -std=c11 group_stepped.c -lrota -o group_stepped && ./group_stepped
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
    int started; /* which step comes next */
};

static int64_t work(rota_task task, const rota_outcome *outcome, void *user_data) {
    struct job *job = user_data;
    if (!job->started) {
        job->started = 1;
        return rota_task_wait(task, rota_loop_sleep(job->loop, job->takes_ms * MILLISECOND));
    }
    if (outcome->status < 0) {
        printf("  %s ends early: %s\n", job->name, outcome->message);
        return outcome->status;
    }
    printf("  %s %s\n", job->name, job->answer < 0 ? "fails" : "is done");
    return job->answer;
}

/* The owner: one round after the other, two jobs each. */
struct rounds {
    rota_loop loop;
    rota_group group;
    size_t round;
    int waiting;
    struct job jobs[3][2];
};

static const char *const titles[] = {"in time:", "one fails:", "too slow:"};

static rota_future begin(struct rounds *rounds) {
    rota_group_options options;
    size_t i;
    printf("%s\n", titles[rounds->round]);
    rota_group_options_init(&options, sizeof options);
    options.timeout_ns = 200 * MILLISECOND;
    rota_loop_open_group(rounds->loop, &options, &rounds->group);
    for (i = 0; i < 2; i++) {
        struct job *job = &rounds->jobs[rounds->round][i];
        rota_task_options named;
        rota_task_options_init(&named, sizeof named);
        named.name = job->name;
        rota_group_spawn_stepped(rounds->group, work, job, &named, NULL);
    }
    return rota_group_wait(rounds->group);
}

static void finish(struct rounds *rounds, const rota_outcome *outcome) {
    size_t i, errors = 0;
    if (outcome->status == 0) {
        printf("  all %d succeeded\n", (int)outcome->value);
    } else if (outcome->status == OUT_OF_PAPER) {
        printf("  the group failed\n");
    } else {
        printf("  the group came to %s\n", rota_status_name(outcome->status));
    }
    rota_group_get_error_count(rounds->group, &errors);
    for (i = 0; i < errors; i++) {
        rota_failure failure = {.size = sizeof failure};
        rota_group_get_error(rounds->group, i, &failure);
        printf("  error %d: of %s, %d\n", (int)i, failure.name, (int)failure.outcome.status);
    }
    rota_group_close(rounds->group);
}

static int64_t run(rota_task task, const rota_outcome *outcome, void *user_data) {
    struct rounds *rounds = user_data;
    if (rounds->waiting) {
        finish(rounds, outcome);
        rounds->round++;
    }
    if (rounds->round == 3) return 0;
    rounds->waiting = 1;
    return rota_task_wait(task, begin(rounds));
}

int main(void) {
    struct rounds rounds = {0};
    rota_loop loop;
    rota_task task;
    int64_t result = -1;

    rota_status status = rota_loop_open(NULL, &loop);
    if (status != ROTA_OK) {
        fprintf(stderr, "group_stepped: %s\n", rota_strerror(status));
        return 1;
    }
    rounds.loop = loop;
    rounds.jobs[0][0] = (struct job){loop, "fetch", 20, 0, 0};
    rounds.jobs[0][1] = (struct job){loop, "convert", 10, 0, 0};
    rounds.jobs[1][0] = (struct job){loop, "fetch", 5000, 0, 0};
    rounds.jobs[1][1] = (struct job){loop, "print", 10, OUT_OF_PAPER, 0};
    rounds.jobs[2][0] = (struct job){loop, "fetch", 10, 0, 0};
    rounds.jobs[2][1] = (struct job){loop, "convert", 5000, 0, 0};
    if (rota_loop_spawn_stepped(loop, run, &rounds, NULL, &task) == ROTA_OK) {
        result = rota_loop_run_until(loop, rota_task_join(task));
    }
    return rota_loop_close(loop, ROTA_FOREVER) == ROTA_OK && result == 0 ? 0 : 1;
}
