/* The life of one connection.
 *
 *     idle --first byte--> reading the head --empty line--> answering --> idle, or hanging up
 *
 * One timer watches over all of it: it is armed anew when a wait begins, when a head begins to
 * come, and for every chunk the client has taken. When it fires it cancels the task, which then
 * finds ROTA_ERR_CANCELLED where it waits. The timer arms itself again, so that a client who
 * does not take the goodbye either is cut off as well.
 */
#include <stdlib.h>
#include <string.h>

#include "server.h"

static void release(struct connection *connection) {
    if (--connection->owners == 0) free(connection);
}

static void on_timeout(rota_timer timer, rota_status status, void *user_data) {
    struct connection *connection = user_data;
    if (status != ROTA_OK) { /* cancelled: by the task at its end, or by the closing loop */
        release(connection);
        return;
    }
    connection->timed_out = true;
    rota_task_cancel(connection->task);
    if (rota_timer_rearm(timer, connection->server->timeout_ns) != ROTA_OK) release(connection);
}

void connection_rearm(struct connection *connection) {
    rota_timer_rearm(connection->timer, connection->server->timeout_ns);
}

static struct connection *begin(struct server *server, rota_task task, rota_stream stream) {
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) return NULL;
    memset(connection, 0, offsetof(struct connection, head)); /* the buffers need no zeros */
    connection->server = server;
    connection->task = task;
    connection->stream = stream;
    if (rota_loop_call_later(server->loop, server->timeout_ns, on_timeout, connection,
                             &connection->timer) != ROTA_OK) {
        free(connection);
        return NULL;
    }
    connection->owners = 2;
    connection->next = server->connections;
    if (connection->next != NULL) connection->next->previous = connection;
    server->connections = connection;
    if (++server->connected > server->connected_peak) server->connected_peak = server->connected;
    return connection;
}

static void end(struct connection *connection) {
    struct server *server = connection->server;
    if (connection->previous != NULL) connection->previous->next = connection->next;
    else server->connections = connection->next;
    if (connection->next != NULL) connection->next->previous = connection->previous;

    if (--server->connected == 0 && server->is_stopping) rota_loop_stop(server->loop);
    rota_timer_cancel(connection->timer); /* its callback comes later, and lets go too */
    release(connection);
}

void connection_stop_all(struct server *server) {
    server->is_stopping = true;
    for (struct connection *each = server->connections; each != NULL; each = each->next) {
        if (each->is_idle) rota_task_cancel(each->task);
    }
    if (server->connected == 0) rota_loop_stop(server->loop);
}

static void drop(struct connection *connection, size_t size) {
    connection->filled -= size;
    memmove(connection->head, connection->head + size, connection->filled);
}

/* Reads on until a whole head stands at the start of the buffer, which may have come already,
 * together with the last one. Returns its length, 0 if the client has ended, or a status. */
static int64_t read_head(struct connection *connection) {
    connection_rearm(connection);
    for (;;) {
        size_t blank = 0; /* some clients send an empty line after a body */
        while (blank < connection->filled &&
               (connection->head[blank] == '\r' || connection->head[blank] == '\n'))
            blank++;
        drop(connection, blank);
        size_t length = http_head_length(connection->head, connection->filled);
        if (length > 0) return (int64_t)length;
        if (connection->filled == HEAD_LIMIT) return ROTA_ERR_LIMIT;

        connection->is_idle = connection->filled == 0;
        int64_t result =
            rota_await(rota_stream_read(connection->stream, connection->head + connection->filled,
                                        HEAD_LIMIT - connection->filled));
        connection->is_idle = false;
        if (result < 0) return result;
        if (result == 0) return connection->filled == 0 ? 0 : ROTA_ERR_EOF;
        if (connection->filled == 0) connection_rearm(connection); /* for the whole head */
        connection->filled += (size_t)result;
    }
}

/* Reads one request and answers it. Positive if another one may follow. */
static int64_t serve_one(struct connection *connection, bool *must_linger) {
    struct http_request request;
    *must_linger = true;
    int64_t length = read_head(connection);
    if (length == ROTA_ERR_LIMIT) {
        bool is_first_line = memchr(connection->head, '\n', HEAD_LIMIT) == NULL;
        return response_refuse(connection, NULL, is_first_line ? 414 : 431);
    }
    if (length == ROTA_ERR_CANCELLED && connection->timed_out && connection->filled > 0)
        return response_refuse(connection, NULL, 408);
    if (length <= 0) {
        *must_linger = false;
        bool was_idle = connection->filled == 0; /* for too long, or the server stops */
        return length == ROTA_ERR_CANCELLED && was_idle ? 0 : length;
    }
    connection->server->requests++;
    int refusal = http_parse(connection->head, (size_t)length, &request);
    if (refusal == 400 || refusal == 505) return response_refuse(connection, NULL, refusal);

    if (request.has_body || connection->server->is_stopping) request.keep_alive = false;
    *must_linger = request.has_body || refusal != 0;
    int64_t result = refusal == 0 ? response_send(connection, &request)
                                  : response_refuse(connection, &request, refusal);
    drop(connection, (size_t)length);
    if (connection->filled > 0) *must_linger = true; /* it has asked for more already */
    if (result < 0) return result;
    return request.keep_alive && !connection->server->is_stopping;
}

/* Closing while the client still sends would reset the connection, and the client might never
 * see the answer. So: say that nothing more comes, and take what it sends, up to a limit. */
static void linger(struct connection *connection) {
    if (rota_await(rota_stream_shutdown(connection->stream)) < 0) return;
    for (int64_t total = 0, result; total < LINGER_LIMIT; total += result) {
        result = rota_await(rota_stream_read(connection->stream, connection->chunk, CHUNK_SIZE));
        if (result <= 0) return;
    }
}

int64_t connection_serve(rota_task task, rota_stream stream, void *user_data) {
    struct server *server = user_data;
    struct connection *connection = begin(server, task, stream);
    if (connection == NULL) {
        rota_stream_abort(stream);
        return ROTA_ERR_MEMORY;
    }
    rota_stream_set_no_delay(stream, true);

    bool must_linger = false;
    int64_t result = server->is_stopping ? 0 : 1;
    while (result > 0) result = serve_one(connection, &must_linger);

    if (result == 0 && must_linger) linger(connection);
    if (result < 0) rota_stream_abort(stream); /* too late for a goodbye */
    else rota_stream_close(stream);
    end(connection);
    return result;
}
