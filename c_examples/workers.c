/* Workers at a bounded queue: four tasks count the lines of files, each on another thread, while
 * one puts in the names, no faster than they are taken. A queue by priority has the longest first.
 *
 *     cc -std=c11 workers.c -lrota -o workers && ./workers *.c
 */
#include <errno.h>
#include <rota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 4, WAITING = 8 };

struct file {
    const char *path;
    int64_t lines; /* or a status: ROTA_STATUS_HOST less the system's error number */
};

struct shop {
    rota_loop loop;
    rota_queue todo;    /* bounded: whoever puts waits while it is full */
    rota_queue counted; /* by priority */
    struct file *files;
    size_t count;
};

/* Runs on another thread and touches nothing but its file. */
static int64_t count_lines(void *user_data) {
    const struct file *file = user_data;
    char buffer[65536];
    size_t size;
    int64_t lines = 0;
    FILE *stream = fopen(file->path, "rb");
    if (stream == NULL) return ROTA_STATUS_HOST - errno;
    while ((size = fread(buffer, 1, sizeof buffer, stream)) > 0) {
        for (size_t i = 0; i < size; i++) lines += buffer[i] == '\n';
    }
    if (ferror(stream)) lines = ROTA_STATUS_HOST - errno;
    fclose(stream);
    return lines;
}

/* Takes files until the queue is shut down and empty. */
static int64_t work(rota_task task, void *user_data) {
    struct shop *shop = user_data;
    (void)task;
    for (;;) {
        rota_future getting = rota_queue_get(shop->todo);
        int64_t result = rota_await(getting);
        void *item;
        if (result >= 0) result = rota_future_take_result(getting, &item);
        if (result < 0) return result == ROTA_ERR_SHUT ? 0 : result;

        struct file *file = item;
        file->lines = rota_await(rota_loop_call_blocking(shop->loop, count_lines, file));
        result = rota_queue_try_put_priority(shop->counted, file, -file->lines);
        if (result < 0) return result;
        rota_queue_task_done(shop->todo);
    }
}

/* Opens the shop, puts in all there is, and waits until it is done. */
static int64_t manage(rota_task task, void *user_data) {
    struct shop *shop = user_data;
    int64_t result = 0;
    (void)task;
    for (int i = 0; i < WORKERS && result == 0; i++) {
        result = rota_loop_spawn(shop->loop, work, shop, NULL, NULL);
    }
    for (size_t i = 0; i < shop->count && result == 0; i++) {
        result = rota_await(rota_queue_put(shop->todo, &shop->files[i]));
    }
    if (result == 0) result = rota_await(rota_queue_join(shop->todo));
    rota_queue_shutdown(shop->todo); /* the workers go home */
    return result;
}

/* Whether all could be counted. */
static bool report(struct shop *shop) {
    int64_t total = 0;
    bool good = true;
    void *item;
    while (rota_queue_try_get(shop->counted, &item) == ROTA_OK) {
        const struct file *file = item;
        if (file->lines >= 0) {
            printf("%8lld %s\n", (long long)file->lines, file->path);
            total += file->lines;
        } else {
            fprintf(stderr, "workers: %s: %s\n", file->path,
                    strerror((int)(ROTA_STATUS_HOST - file->lines)));
            good = false;
        }
    }
    printf("%8lld in all\n", (long long)total);
    return good;
}

int main(int argc, char **argv) {
    struct shop shop = {.count = (size_t)argc - 1};
    rota_task manager;
    bool good = false;

    shop.files = calloc(shop.count + 1, sizeof *shop.files);
    if (shop.files == NULL || rota_loop_open(NULL, &shop.loop) != ROTA_OK) return 1;
    for (size_t i = 0; i < shop.count; i++) shop.files[i].path = argv[i + 1];

    int64_t result = rota_loop_open_queue(shop.loop, WAITING, ROTA_QUEUE_FIFO, &shop.todo);
    if (result == 0) {
        result = rota_loop_open_queue(shop.loop, 0, ROTA_QUEUE_PRIORITY, &shop.counted);
    }
    if (result == 0) result = rota_loop_spawn(shop.loop, manage, &shop, NULL, &manager);
    if (result == 0) result = rota_loop_run_until(shop.loop, rota_task_join(manager));
    if (result == 0) good = report(&shop);
    else fprintf(stderr, "workers: %s\n", rota_status_name((int32_t)result));

    rota_loop_close(shop.loop, ROTA_FOREVER); /* and with it the queues */
    free(shop.files);
    return good ? 0 : 1;
}
