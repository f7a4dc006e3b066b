/* An echo server: one task with a stack of its own for each connection, in straight-line code.
 *
 *     cc -std=c11 -pthread echo_server.c -lrota -o echo_server && ./echo_server --port 7777
 *
 * It prints its address, and ends on SIGINT (Ctrl-C) or SIGTERM.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <rota.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t echo(rota_task task, rota_stream conn, void *user_data) {
    char buf[4096];
    int64_t n;
    (void)task, (void)user_data;
    while ((n = rota_await(rota_stream_read(conn, buf, sizeof buf))) > 0) {
        if ((n = rota_await(rota_stream_write(conn, buf, (size_t)n))) < 0) break;
    }
    rota_stream_close(conn);
    return n; /* the task's outcome: a count or an error */
}

/* Almost nothing may be called in a signal handler. So there is none: the signals are blocked,
 * a thread waits for them, and posts to the loop, where everything is allowed. */
static void on_signal(rota_loop loop, rota_status status, void *user_data) {
    (void)status, (void)user_data;
    rota_loop_stop(loop);
}

static void *wait_for_signal(void *user_data) {
    const rota_loop *loop = user_data;
    sigset_t signals;
    int signal_number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigwait(&signals, &signal_number);
    rota_loop_post(*loop, on_signal, NULL);
    return NULL;
}

static int fail(const char *what, rota_status status) {
    fprintf(stderr, "echo_server: %s: %s\n", what, rota_strerror(status));
    return 1;
}

int main(int argc, char **argv) {
    uint16_t port = 0; /* any free one */
    if (argc == 3 && strcmp(argv[1], "--port") == 0) port = (uint16_t)atoi(argv[2]);

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread starts: they inherit it */

    rota_loop loop;
    rota_listener listener;
    rota_address address;
    char text[64];
    pthread_t waiter;
    rota_status status = rota_loop_open(NULL, &loop);
    if (status != ROTA_OK) return fail("open", status);
    status = rota_loop_listen(loop, "127.0.0.1", port, NULL, &listener);
    if (status != ROTA_OK) return fail("listen", status);
    status = rota_listener_serve(listener, echo, NULL);
    if (status != ROTA_OK) return fail("serve", status);

    rota_listener_get_address(listener, &address);
    rota_address_format(&address, text, sizeof text, NULL);
    printf("listening on %s\n", text);
    fflush(stdout);

    if (pthread_create(&waiter, NULL, wait_for_signal, &loop) != 0) return 1;
    rota_loop_run(loop);
    pthread_join(waiter, NULL);

    /* Closing the loop ends the listener and asks every task to end: its read is cancelled. */
    status = rota_loop_close(loop, UINT64_C(5000000000));
    return status == ROTA_OK ? 0 : fail("close", status);
}
