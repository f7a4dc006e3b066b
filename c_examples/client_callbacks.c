/* A small client in callbacks: connect, send a line, print the line that comes back.
 * Compare with client_stackful.c and client_stepped.c, which do the same.
 *
 *     cc -std=c11 client_callbacks.c -lrota -o client_callbacks
 *     ./client_callbacks localhost 7777 "hello" [timeout in ms]
 */
#include <rota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client {
    rota_loop loop;
    rota_timer timer;
    rota_future waiting; /* what is under way now: what the timeout cancels */
    rota_stream stream;
    const char *host, *port, *line;
    char answer[4096];
    int64_t result; /* the length of the answer, or what went wrong */
    int timed_out;
};

static void end(struct client *client, int64_t result) {
    client->result = client->timed_out ? ROTA_ERR_TIMEOUT : result;
    rota_timer_cancel(client->timer);
    rota_stream_close(client->stream); /* closing null does nothing */
    rota_loop_stop(client->loop);
}

/* Goes on in `callback` when the future is done. The timer may have fired just when the step
 * before was already complete: then the next one must not begin to wait. */
static void wait_for(struct client *client, rota_future future, rota_future_fn callback) {
    client->waiting = future;
    if (client->timed_out) rota_future_cancel(future);
    rota_status status = rota_future_then(future, callback, client);
    if (status == ROTA_OK) return;
    rota_future_close(future); /* the callback will not come */
    end(client, status);
}

static void on_answer(rota_future future, int64_t result, void *user_data) {
    (void)future;
    end(user_data, result);
}

static void on_sent(rota_future future, int64_t result, void *user_data) {
    struct client *client = user_data;
    (void)future;
    if (result < 0) {
        end(client, result);
        return;
    }
    wait_for(client, rota_stream_read_line(client->stream, client->answer, sizeof client->answer),
             on_answer);
}

static void on_connected(rota_future future, int64_t result, void *user_data) {
    struct client *client = user_data;
    if (result >= 0) result = rota_future_take_stream(future, &client->stream);
    if (result < 0) {
        end(client, result);
        return;
    }
    const rota_buffer line[] = {{client->line, strlen(client->line)}, {"\n", 1}};
    wait_for(client, rota_stream_write_vectored(client->stream, line, 2), on_sent);
}

/* A timeout cancels what is under way; its callback then comes with ROTA_ERR_CANCELLED. */
static void on_timeout(rota_timer timer, rota_status status, void *user_data) {
    struct client *client = user_data;
    (void)timer;
    if (status != ROTA_OK) return;
    client->timed_out = 1;
    rota_future_cancel(client->waiting);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s HOST PORT LINE [TIMEOUT_MS]\n", argv[0]);
        return 2;
    }
    struct client client = {.host = argv[1], .port = argv[2], .line = argv[3]};
    uint64_t timeout_ms = argc > 4 ? strtoull(argv[4], NULL, 10) : 5000;

    client.result = rota_loop_open(NULL, &client.loop);
    if (client.result == ROTA_OK) {
        rota_loop_call_later(client.loop, timeout_ms * 1000000, on_timeout, &client,
                             &client.timer);
        wait_for(&client, rota_loop_connect(client.loop, client.host, client.port, NULL),
                 on_connected);
        rota_loop_run(client.loop);
    }
    rota_loop_close(client.loop, ROTA_FOREVER);

    if (client.result < 0) {
        fprintf(stderr, "client: %s\n", rota_status_name((int32_t)client.result));
        return 1;
    }
    printf("%.*s", (int)client.result, client.answer);
    return 0;
}
