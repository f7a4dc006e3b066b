/* The client of client_stepped.c with rota_step.h: still a function that is called again for each
 * step, without a stack of its own, but written from top to bottom. A stepped function calls
 * another one, whose frame is a part of its own.
 *
 *     cc -std=c11 client_step.c -lrota -o client_step
 *     ./client_step localhost 7777 "hello" [timeout in ms]
 */
#include <rota.h>
#include <rota_step.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the exchange of a line remembers across its awaits. */
struct exchange {
    rota_step step;
    rota_stream stream;
    const char *line;
    char answer[4096];
};

static int64_t run_exchange(rota_task task, const rota_outcome *outcome, struct exchange *self) {
    const rota_buffer line[] = {{self->line, strlen(self->line)}, {"\n", 1}};
    int64_t n;
    ROTA_STEP_BEGIN(self, task, outcome);
    ROTA_STEP_AWAIT(n, rota_stream_write_vectored(self->stream, line, 2));
    if (n < 0) ROTA_STEP_RETURN(n);
    ROTA_STEP_AWAIT(n, rota_stream_read_line(self->stream, self->answer, sizeof self->answer));
    ROTA_STEP_END(n);
}

struct client {
    rota_step step;
    rota_loop loop;
    rota_future connecting;
    const char *host, *port;
    struct exchange exchange;
};

static int64_t run_client(rota_task task, const rota_outcome *outcome, void *user_data) {
    struct client *self = user_data;
    int64_t n;
    ROTA_STEP_BEGIN(self, task, outcome);
    self->connecting = rota_loop_connect(self->loop, self->host, self->port, NULL);
    ROTA_STEP_AWAIT(n, self->connecting);
    if (n >= 0) n = rota_future_take_stream(self->connecting, &self->exchange.stream);
    if (n < 0) ROTA_STEP_RETURN(n);
    ROTA_STEP_CALL(n, run_exchange, &self->exchange);
    rota_stream_close(self->exchange.stream);
    ROTA_STEP_END(n);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s HOST PORT LINE [TIMEOUT_MS]\n", argv[0]);
        return 2;
    }
    static struct client client; /* a frame is all zero at first */
    client.host = argv[1];
    client.port = argv[2];
    client.exchange.line = argv[3];
    uint64_t timeout_ms = argc > 4 ? strtoull(argv[4], NULL, 10) : 5000;
    rota_task task = {0};

    int64_t result = rota_loop_open(NULL, &client.loop);
    if (result == ROTA_OK)
        result = rota_loop_spawn_stepped(client.loop, run_client, &client, NULL, &task);
    if (result == ROTA_OK) {
        /* At the end of its time the join is cancelled, and asks the task to end. */
        rota_future end = rota_future_wait_for(rota_task_join(task), timeout_ms * 1000000);
        result = rota_loop_run_until(client.loop, end);
    }
    rota_loop_close(client.loop, ROTA_FOREVER);

    if (result < 0) {
        fprintf(stderr, "client: %s\n", rota_status_name((int32_t)result));
        return 1;
    }
    printf("%.*s", (int)result, client.exchange.answer);
    return 0;
}
