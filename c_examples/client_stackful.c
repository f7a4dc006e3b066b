/* A small client as a stackful task: connect, send a line, print the line that comes back.
 * Compare with client_callbacks.c and client_stepped.c, which do the same.
 *
 *     cc -std=c11 client_stackful.c -lrota -o client_stackful
 *     ./client_stackful localhost 7777 "hello" [timeout in ms]
 */
#include <rota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client {
    rota_loop loop;
    rota_task task;
    const char *host, *port, *line;
    char answer[4096];
    int64_t length;
};

/* The whole conversation, top to bottom. The first error goes to the caller. */
static int64_t converse(struct client *client, rota_stream stream) {
    rota_buffer line[] = {{client->line, strlen(client->line)}, {"\n", 1}};
    int64_t result = rota_await(rota_stream_write_vectored(stream, line, 2));
    if (result < 0) return result;
    return rota_await(rota_stream_read_line(stream, client->answer, sizeof client->answer));
}

static int64_t run(rota_task task, void *user_data) {
    struct client *client = user_data;
    rota_stream stream;
    (void)task;

    rota_future connecting = rota_loop_connect(client->loop, client->host, client->port, NULL);
    int64_t result = rota_await(connecting);
    if (result >= 0) result = rota_future_take_stream(connecting, &stream);
    if (result < 0) return result;

    client->length = converse(client, stream);
    rota_stream_close(stream);
    return client->length;
}

/* A timeout is a timer that cancels the task: its await then answers ROTA_ERR_CANCELLED. */
static void on_timeout(rota_timer timer, rota_status status, void *user_data) {
    struct client *client = user_data;
    (void)timer;
    if (status == ROTA_OK) rota_task_cancel(client->task);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s HOST PORT LINE [TIMEOUT_MS]\n", argv[0]);
        return 2;
    }
    struct client client = {.host = argv[1], .port = argv[2], .line = argv[3]};
    uint64_t timeout_ms = argc > 4 ? strtoull(argv[4], NULL, 10) : 5000;
    rota_timer timer;

    int64_t result = rota_loop_open(NULL, &client.loop);
    if (result == ROTA_OK) result = rota_loop_spawn(client.loop, run, &client, NULL, &client.task);
    if (result == ROTA_OK) {
        rota_loop_call_later(client.loop, timeout_ms * 1000000, on_timeout, &client, &timer);
        result = rota_loop_run_until(client.loop, rota_task_join(client.task));
    }
    rota_loop_close(client.loop, ROTA_FOREVER);

    if (result == ROTA_ERR_CANCELLED) result = ROTA_ERR_TIMEOUT;
    if (result < 0) {
        fprintf(stderr, "client: %s\n", rota_status_name((int32_t)result));
        return 1;
    }
    printf("%.*s", (int)client.length, client.answer);
    return 0;
}
