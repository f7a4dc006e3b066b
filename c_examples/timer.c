/* Timers: one that arms itself again, one that fires once, and one that is cancelled.
 *
 *     cc -std=c11 timer.c -lrota -o timer && ./timer
 */
#include <rota.h>
#include <stdio.h>

#define MILLISECOND UINT64_C(1000000) /* rota counts in nanoseconds */

struct ticker {
    rota_loop loop;
    int ticks;
};

/* A timer ends when its callback returns, unless the callback arms it again. */
static void on_tick(rota_timer timer, rota_status status, void *user_data) {
    struct ticker *ticker = user_data;
    if (status != ROTA_OK) return; /* cancelled, perhaps because the loop is closing */
    printf("tick %d\n", ++ticker->ticks);
    if (ticker->ticks < 3) {
        rota_timer_rearm(timer, 100 * MILLISECOND);
    } else {
        rota_loop_stop(ticker->loop);
    }
}

/* The callback of a timer comes exactly once: on time, or because it was cancelled. */
static void on_once(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    printf("%s: %s\n", (const char *)user_data, rota_status_name(status));
}

int main(void) {
    struct ticker ticker = {0};
    rota_timer unused, cancelled;

    rota_status status = rota_loop_open(NULL, &ticker.loop);
    if (status != ROTA_OK) {
        fprintf(stderr, "timer: %s\n", rota_strerror(status));
        return 1;
    }
    rota_loop_call_later(ticker.loop, 100 * MILLISECOND, on_tick, &ticker, &unused);
    rota_loop_call_later(ticker.loop, 150 * MILLISECOND, on_once, "one shot", &unused);
    rota_loop_call_later(ticker.loop, 50 * MILLISECOND, on_once, "changed my mind", &cancelled);
    rota_timer_cancel(cancelled);

    rota_loop_run(ticker.loop);
    return rota_loop_close(ticker.loop, ROTA_FOREVER) == ROTA_OK ? 0 : 1;
}
