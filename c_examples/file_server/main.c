/* A file server: HTTP/1.1 with ranges, listings and keep-alive, one stackful task for each
 * connection. Slow and dead clients are timed out; nothing outside the root can be reached.
 *
 *     cc -std=c11 -pthread *.c -lrota -o http_file_server
 *     ./http_file_server --root . --port 8000
 *
 * It prints its address, and ends on SIGINT (Ctrl-C) or SIGTERM: requests that are being answered
 * are finished first. See server.h for the map of the files.
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server.h"

struct options {
    const char *root, *host, *stats;
    uint16_t port;
    uint64_t timeout_ms;
};

struct program {
    struct server server;
    rota_listener listener;
    sigset_t signals;
};

static int fail(const char *what, const char *why) {
    fprintf(stderr, "http_file_server: %s: %s\n", what, why);
    return 1;
}

static bool parse_options(int argc, char **argv, struct options *out) {
    *out = (struct options){.root = ".", .host = "127.0.0.1", .timeout_ms = 30000};
    unsigned long port = 0; /* any free one */
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--root") == 0) out->root = value;
        else if (strcmp(name, "--host") == 0) out->host = value;
        else if (strcmp(name, "--stats") == 0) out->stats = value;
        else if (strcmp(name, "--port") == 0) port = strtoul(value, NULL, 10);
        else if (strcmp(name, "--timeout-ms") == 0) out->timeout_ms = strtoull(value, NULL, 10);
        else return false;
    }
    out->port = (uint16_t)port;
    return argc % 2 == 1 && port <= UINT16_MAX && out->timeout_ms > 0;
}

/* Time is up for the clients that were still being answered. */
static void on_grace_over(rota_timer timer, rota_status status, void *user_data) {
    struct program *program = user_data;
    (void)timer;
    if (status == ROTA_OK) rota_loop_stop(program->server.loop);
}

static void on_signal(rota_loop loop, rota_status status, void *user_data) {
    struct program *program = user_data;
    rota_timer grace;
    if (status != ROTA_OK) return;
    rota_listener_close(program->listener);
    rota_loop_call_later(loop, program->server.timeout_ns, on_grace_over, program, &grace);
    connection_stop_all(&program->server);
    pthread_sigmask(SIG_UNBLOCK, &program->signals, NULL); /* a second signal ends it at once */
}

/* Almost nothing may be called in a signal handler. So there is none: the signals are blocked,
 * this thread waits for them, and posts to the loop, where everything is allowed. */
static void *wait_for_signal(void *user_data) {
    struct program *program = user_data;
    int signal_number;
    sigwait(&program->signals, &signal_number);
    rota_loop_post(program->server.loop, on_signal, program);
    return NULL;
}

static bool write_stats(const struct server *server, const char *name) {
    rota_loop_stats stats = {.size = sizeof stats};
    struct rusage usage;
    FILE *out = strcmp(name, "-") == 0 ? stdout : fopen(name, "w");
    if (out == NULL) return false;
    rota_loop_get_stats(server->loop, &stats);
    getrusage(RUSAGE_SELF, &usage);
    fprintf(out,
            "{\"requests\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"turns\": %" PRIu64
            ", \"wakeups\": %" PRIu64 ", \"tasks_peak\": %" PRIu64
            ", \"loop_memory_peak_bytes\": %" PRIu64 ", \"memory_peak_bytes\": %ld}\n",
            server->requests, server->bytes, stats.turns, stats.wakeups, server->connected_peak,
            stats.memory_peak_bytes, usage.ru_maxrss * 1024L); /* Linux counts in KiB */
    return out == stdout ? fflush(out) == 0 : fclose(out) == 0;
}

static rota_status start(struct program *program, const struct options *options) {
    rota_address address;
    char text[64];
    rota_status status = rota_loop_listen(program->server.loop, options->host, options->port, NULL,
                                          &program->listener);
    if (status == ROTA_OK)
        status = rota_listener_serve(program->listener, connection_serve, &program->server);
    if (status == ROTA_OK) status = rota_listener_get_address(program->listener, &address);
    if (status == ROTA_OK) status = rota_address_format(&address, text, sizeof text, NULL);
    if (status != ROTA_OK) return status;
    printf("listening on http://%s/\n", text);
    fflush(stdout);
    return ROTA_OK;
}

int main(int argc, char **argv) {
    static struct program program;
    struct options options;
    pthread_t waiter;

    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr,
                "usage: http_file_server [--root DIR] [--host ADDRESS] [--port N] [--timeout-ms N] "
                "[--stats FILE|-]\n");
        return 2;
    }
    program.server.timeout_ns = options.timeout_ms * 1000000;
    program.server.root = open(options.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (program.server.root < 0) return fail(options.root, "cannot be opened as a folder");

    sigemptyset(&program.signals);
    sigaddset(&program.signals, SIGINT);
    sigaddset(&program.signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &program.signals, NULL); /* before any thread starts */

    rota_status status = rota_loop_open(NULL, &program.server.loop);
    if (status != ROTA_OK) return fail("open", rota_strerror(status));
    status = start(&program, &options);
    if (status != ROTA_OK) return fail(options.host, rota_strerror(status));
    if (pthread_create(&waiter, NULL, wait_for_signal, &program) != 0)
        return fail("thread", "cannot be started");

    status = rota_loop_run(program.server.loop);
    pthread_join(waiter, NULL);
    if (options.stats != NULL && !write_stats(&program.server, options.stats))
        return fail(options.stats, "cannot be written");
    if (status == ROTA_OK) status = rota_loop_close(program.server.loop, UINT64_C(10000000000));
    close(program.server.root);
    return status == ROTA_OK ? 0 : fail("close", rota_strerror(status));
}
