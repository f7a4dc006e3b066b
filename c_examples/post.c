/* Other threads talk to a loop by posting: the callback runs on the loop's thread, so what it
 * touches needs no lock. Posts from one thread keep their order.
 *
 *     cc -std=c11 -pthread post.c -lrota -o post && ./post
 */
#include <pthread.h>
#include <rota.h>
#include <stdio.h>

enum { WORKERS = 3, POSTS = 1000 };

struct tally {
    rota_loop loop;
    int received; /* only the loop's thread reads and writes these */
    int finished;
};

static void on_number(rota_loop loop, rota_status status, void *user_data) {
    struct tally *tally = user_data;
    (void)loop;
    if (status == ROTA_OK) tally->received++;
}

static void on_finished(rota_loop loop, rota_status status, void *user_data) {
    struct tally *tally = user_data;
    (void)status;
    if (++tally->finished == WORKERS) rota_loop_stop(loop);
}

static void *work(void *user_data) {
    struct tally *tally = user_data;
    for (int i = 0; i < POSTS; i++) rota_loop_post(tally->loop, on_number, tally);
    rota_loop_post(tally->loop, on_finished, tally); /* after all the numbers */
    return NULL;
}

int main(void) {
    struct tally tally = {0};
    pthread_t workers[WORKERS];

    if (rota_loop_open(NULL, &tally.loop) != ROTA_OK) return 1;
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_create(&workers[i], NULL, work, &tally) != 0) return 1;
    }
    rota_loop_run(tally.loop);
    for (int i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);

    printf("%d posts from %d threads\n", tally.received, tally.finished);
    return rota_loop_close(tally.loop, ROTA_FOREVER) == ROTA_OK ? 0 : 1;
}
