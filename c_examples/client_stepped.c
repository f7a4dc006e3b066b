/* A small client as a stepped task: connect, send a line, print the line that comes back.
 * Compare with client_stackful.c and client_callbacks.c, which do the same.
 *
 * A stepped task has no stack: it is a function that is called again whenever what it waits for
 * has come, with the outcome. What it must remember stands in its state, so a parked one costs
 * a few hundred bytes, and it works where switching stacks is not wanted.
 *
 *     cc -std=c11 client_stepped.c -lrota -o client_stepped
 *     ./client_stepped localhost 7777 "hello" [timeout in ms]
 */
#include <rota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client {
    enum { BEGIN, CONNECTED, SENT, ANSWERED } next;
    rota_loop loop;
    rota_task task;
    rota_future connecting;
    rota_stream stream;
    const char *host, *port, *line;
    char answer[4096];
    int64_t length;
};

static int64_t end(struct client *client, int64_t result) {
    rota_stream_close(client->stream); /* closing null does nothing */
    return result;
}

static int64_t step(rota_task task, const rota_outcome *outcome, void *user_data) {
    struct client *client = user_data;
    rota_status status = client->next == BEGIN ? ROTA_OK : outcome->status;
    if (status < 0) return end(client, status);

    switch (client->next) {
    case BEGIN:
        client->next = CONNECTED;
        client->connecting = rota_loop_connect(client->loop, client->host, client->port, NULL);
        return rota_task_wait(task, client->connecting);

    case CONNECTED:
        client->next = SENT;
        status = rota_future_take_stream(client->connecting, &client->stream);
        if (status < 0) return end(client, status);
        const rota_buffer line[] = {{client->line, strlen(client->line)}, {"\n", 1}};
        return rota_task_wait(task, rota_stream_write_vectored(client->stream, line, 2));

    case SENT:
        client->next = ANSWERED;
        return rota_task_wait(
            task, rota_stream_read_line(client->stream, client->answer, sizeof client->answer));

    case ANSWERED:
        client->length = outcome->value;
        break;
    }
    return end(client, client->length);
}

/* A timeout is a timer that cancels the task: its next outcome is ROTA_ERR_CANCELLED. */
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
    if (result == ROTA_OK)
        result = rota_loop_spawn_stepped(client.loop, step, &client, NULL, &client.task);
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
