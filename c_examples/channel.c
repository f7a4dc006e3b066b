/* Worker threads send what they find to a task, through a channel: here they count the lines and
 * bytes of files, and the task adds up and prints in order. The channel is short, so workers that
 * are faster than the loop wait for it instead of filling the memory.
 *
 *     cc -std=c11 -pthread channel.c -lrota -o channel && ./channel *.c
 */
#include <pthread.h>
#include <rota.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, ROOM = 8 };

struct count {
    const char *name;
    long lines, bytes; /* bytes below 0: it cannot be read */
};

struct job {
    rota_channel channel;
    struct count *counts; /* one for each file; a worker's until it has sent it */
    int files;
    atomic_int next, working;
};

static void count(struct count *count) {
    char block[65536];
    size_t size;
    FILE *file = fopen(count->name, "rb");
    count->bytes = -1;
    if (file == NULL) return;
    count->bytes = 0;
    while ((size = fread(block, 1, sizeof block, file)) > 0) {
        count->bytes += (long)size;
        for (size_t i = 0; i < size; i++) count->lines += block[i] == '\n';
    }
    if (ferror(file)) count->bytes = -1;
    fclose(file);
}

static void *work(void *user_data) {
    struct job *job = user_data;
    for (int mine; (mine = atomic_fetch_add(&job->next, 1)) < job->files;) {
        count(&job->counts[mine]);
        if (rota_channel_send(job->channel, &job->counts[mine], ROTA_FOREVER) != ROTA_OK) break;
    }
    /* The last to go says that no more will come. */
    if (atomic_fetch_sub(&job->working, 1) == 1) rota_channel_shutdown(job->channel);
    return NULL;
}

/* Receives until the channel is shut and empty; returns how many files could not be read. */
static int64_t collect(rota_task task, void *user_data) {
    struct job *job = user_data;
    long lines = 0, bytes = 0;
    int64_t unreadable = 0;
    (void)task;
    for (;;) {
        rota_future next = rota_channel_receive(job->channel);
        struct count *count;
        void *item;
        if (rota_await(next) != 0 || rota_future_take_result(next, &item) != ROTA_OK) break;
        count = item; /* ours now: its worker does not touch it any more */
        if (count->bytes < 0) {
            unreadable++;
            continue;
        }
        lines += count->lines;
        bytes += count->bytes;
    }
    for (int i = 0; i < job->files; i++) {
        const struct count *count = &job->counts[i];
        if (count->bytes >= 0) printf("%8ld %10ld %s\n", count->lines, count->bytes, count->name);
        else printf("       - cannot read %s\n", count->name);
    }
    printf("%8ld %10ld in %d files\n", lines, bytes, job->files - (int)unreadable);
    return unreadable;
}

int main(int argc, char **argv) {
    struct job job = {.files = argc - 1};
    pthread_t workers[WORKERS];
    rota_loop loop;
    rota_task collector;
    int64_t unreadable;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    job.counts = calloc((size_t)job.files, sizeof *job.counts);
    if (job.counts == NULL || rota_loop_open(NULL, &loop) != ROTA_OK) return 1;
    for (int i = 0; i < job.files; i++) job.counts[i].name = argv[i + 1];
    if (rota_loop_open_channel(loop, ROOM, &job.channel) != ROTA_OK) return 1;
    if (rota_loop_spawn(loop, collect, &job, NULL, &collector) != ROTA_OK) return 1;
    atomic_init(&job.working, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_create(&workers[i], NULL, work, &job) != 0) return 1;
    }

    unreadable = rota_loop_run_until(loop, rota_task_join(collector));
    for (int i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);
    rota_channel_close(job.channel);
    free(job.counts);
    if (rota_loop_close(loop, ROTA_FOREVER) != ROTA_OK) return 1;
    return unreadable == 0 ? 0 : 1;
}
