/* Stuck: two tasks that take two locks in opposite order, and a consumer whom nobody feeds. The
 * program notices that nothing can ever run again, and has the loop say who waits for whom.
 *
 *     cc -std=c11 stuck.c -lrota -o stuck && ./stuck
 */
#include <rota.h>
#include <stdio.h>

#define MILLISECOND UINT64_C(1000000) /* rota counts in nanoseconds */

struct program {
    rota_loop loop;
    rota_lock accounts, log;
    rota_queue orders;
};

static int64_t lock_both(struct program *program, rota_lock first, rota_lock second) {
    int64_t status = rota_await(rota_lock_acquire(first));
    if (status < 0) return status;
    status = rota_await(rota_loop_sleep(program->loop, MILLISECOND));
    if (status >= 0) status = rota_await(rota_lock_acquire(second));
    if (status >= 0) rota_lock_release(second);
    rota_lock_release(first);
    return status;
}

static int64_t transfer(rota_task task, void *user_data) {
    struct program *program = user_data;
    (void)task;
    return lock_both(program, program->accounts, program->log);
}

static int64_t audit(rota_task task, void *user_data) {
    struct program *program = user_data;
    (void)task;
    return lock_both(program, program->log, program->accounts); /* the other way round */
}

static int64_t consume(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_queue_get(((struct program *)user_data)->orders));
}

static void spawn(struct program *program, rota_task_fn body, const char *name) {
    rota_task_options options;
    rota_task_options_init(&options, sizeof options);
    options.name = name;
    rota_loop_spawn(program->loop, body, program, &options, NULL);
}

/* Whether tasks wait and nothing is under way that could wake any of them. */
static bool is_stuck(rota_loop loop, uint64_t next_deadline) {
    rota_loop_stats stats = {.size = sizeof stats};
    rota_loop_get_stats(loop, &stats);
    return next_deadline == ROTA_FOREVER && stats.tasks > 0 &&
           stats.jobs + stats.listeners + stats.streams == 0;
}

static void print(const char *line, void *user_data) { fprintf(user_data, "%s\n", line); }

int main(void) {
    struct program program;
    rota_turn_figures figures = {.size = sizeof figures};
    rota_status status = rota_loop_open(NULL, &program.loop);
    if (status != ROTA_OK) {
        fprintf(stderr, "stuck: %s\n", rota_strerror(status));
        return 1;
    }
    rota_loop_open_lock(program.loop, &program.accounts);
    rota_loop_open_lock(program.loop, &program.log);
    rota_loop_open_queue(program.loop, 10, ROTA_QUEUE_FIFO, &program.orders);
    spawn(&program, transfer, "transfer");
    spawn(&program, audit, "audit");
    spawn(&program, consume, "consumer");

    do {
        status = rota_loop_turn(program.loop, 100 * MILLISECOND, 0, 0, &figures);
    } while (status == ROTA_OK && !is_stuck(program.loop, figures.next_deadline_ns));
    rota_loop_dump_tasks(program.loop, print, stdout);

    /* Closing asks every task to end: their waits are answered with ROTA_ERR_CANCELLED. */
    return rota_loop_close(program.loop, ROTA_FOREVER) == ROTA_OK ? 0 : 1;
}
