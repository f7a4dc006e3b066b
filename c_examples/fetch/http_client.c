#define _POSIX_C_SOURCE 200809L
#include "http_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct answer {
    int code;
    bool has_come; /* its first byte, at least */
    bool keep_alive, is_chunked, has_length;
    uint64_t length;
};

/* Remembers what happened, with what the task's last await has to tell about it. */
static int64_t fail(struct http_client *client, const char *doing, int64_t status) {
    rota_outcome outcome;
    const char *message = "";
    if (rota_task_get_outcome(client->task, &outcome) == ROTA_OK && outcome.status == status)
        message = outcome.message;
    snprintf(client->error, sizeof client->error, "%s: %s%s%s", doing,
             rota_status_name((int32_t)status), *message == '\0' ? "" : ": ", message);
    return status;
}

static int64_t fail_protocol(struct http_client *client, const char *what) {
    snprintf(client->error, sizeof client->error, "not HTTP/1.1: %s", what);
    return FETCH_ERR_PROTOCOL;
}

void http_client_close(struct http_client *client) {
    rota_stream_close(client->stream);
    client->stream = (rota_stream){0};
}

static int64_t connect_to(struct http_client *client, const struct url *url) {
    rota_future connecting = rota_loop_connect(client->loop, url->host, url->port, NULL);
    int64_t result = rota_await(connecting);
    if (result >= 0) result = rota_future_take_stream(connecting, &client->stream);
    if (result < 0) return fail(client, "connect", result);
    strcpy(client->host, url->host);
    strcpy(client->port, url->port);
    rota_stream_set_no_delay(client->stream, true);
    return 0;
}

/* One line of a head, without its end, in client->line. */
static int64_t read_line(struct http_client *client) {
    int64_t size =
        rota_await(rota_stream_read_line(client->stream, client->line, sizeof client->line));
    if (size < 0) return fail(client, "read", size);
    if (size == 0 || client->line[size - 1] != '\n') return fail(client, "read", ROTA_ERR_EOF);
    size--;
    if (size > 0 && client->line[size - 1] == '\r') size--;
    client->line[size] = '\0';
    return size;
}

static int64_t parse_field(struct http_client *client, struct answer *answer) {
    char *value = strchr(client->line, ':');
    if (value == NULL) return fail_protocol(client, "a field without a colon");
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(client->line, "Content-Length") == 0) {
        char *end;
        answer->length = strtoull(value, &end, 10);
        answer->has_length = true;
        if (end == value || *end != '\0' || *value == '-' || answer->length > INT64_MAX)
            return fail_protocol(client, "a length that is not a number");
    } else if (strcasecmp(client->line, "Transfer-Encoding") == 0) {
        if (strcasecmp(value, "chunked") != 0) return fail_protocol(client, "unknown encoding");
        answer->is_chunked = true;
    } else if (strcasecmp(client->line, "Connection") == 0) {
        if (strcasecmp(value, "close") == 0) answer->keep_alive = false;
        if (strcasecmp(value, "keep-alive") == 0) answer->keep_alive = true;
    }
    return 0;
}

/* Reads heads until one that is not an interim answer (1xx). */
static int64_t read_head(struct http_client *client, struct answer *answer) {
    int64_t size;
    do {
        int minor, text = 0;
        if ((size = read_line(client)) < 0) return size;
        memset(answer, 0, sizeof *answer);
        answer->has_come = true;
        if (sscanf(client->line, "HTTP/1.%1d %3d%n", &minor, &answer->code, &text) != 2 ||
            answer->code < 100)
            return fail_protocol(client, "no status line");
        answer->keep_alive = minor >= 1;
        snprintf(client->error, sizeof client->error, "HTTP %d%.200s", answer->code,
                 client->line + text);
        while ((size = read_line(client)) > 0) {
            int64_t result = parse_field(client, answer);
            if (result < 0) return result;
        }
    } while (size == 0 && answer->code < 200);
    return size;
}

static int64_t read_counted(struct http_client *client, uint64_t count, http_sink sink,
                            void *user_data) {
    while (count > 0) {
        size_t size = count < sizeof client->chunk ? (size_t)count : sizeof client->chunk;
        int64_t result = rota_await(rota_stream_read(client->stream, client->chunk, size));
        if (result == 0) result = ROTA_ERR_EOF;
        if (result < 0) return fail(client, "read", result);
        count -= (uint64_t)result;
        result = sink(client->chunk, (size_t)result, user_data);
        if (result < 0) return result;
    }
    return 0;
}

static int64_t read_chunked(struct http_client *client, uint64_t *total, http_sink sink,
                            void *user_data) {
    for (;;) {
        char *end;
        int64_t result = read_line(client);
        if (result < 0) return result;
        uint64_t size = strtoull(client->line, &end, 16);
        if (end == client->line || strchr("; \t", *end) == NULL || size > INT64_MAX)
            return fail_protocol(client, "a chunk without a size");
        if (size == 0) break;
        if ((result = read_counted(client, size, sink, user_data)) < 0) return result;
        *total += size;
        if ((result = read_line(client)) < 0) return result;
        if (result > 0) return fail_protocol(client, "a chunk longer than it said");
    }
    int64_t size; /* trailing fields, up to an empty line */
    do size = read_line(client);
    while (size > 0);
    return size;
}

static int64_t read_to_end(struct http_client *client, uint64_t *total, http_sink sink,
                           void *user_data) {
    for (;;) {
        int64_t result =
            rota_await(rota_stream_read(client->stream, client->chunk, sizeof client->chunk));
        if (result < 0) return fail(client, "read", result);
        if (result == 0) return 0;
        *total += (uint64_t)result;
        result = sink(client->chunk, (size_t)result, user_data);
        if (result < 0) return result;
    }
}

/* Nobody wants the page that comes with a refusal; it is read so that the connection is kept. */
static int64_t ignore(const void *data, size_t size, void *user_data) {
    (void)data, (void)size, (void)user_data;
    return 0;
}

static int64_t exchange(struct http_client *client, const struct url *url, struct answer *answer,
                        http_sink sink, void *user_data) {
    uint64_t total = 0;
    int size = snprintf(client->line, sizeof client->line,
                        "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: rota-fetch\r\n\r\n",
                        url->target, url->host_field);
    if (size < 0 || (size_t)size >= sizeof client->line) return fail(client, "URL", ROTA_ERR_LIMIT);
    int64_t result = rota_await(rota_stream_write(client->stream, client->line, (size_t)size));
    if (result < 0) return fail(client, "write", result);
    if ((result = read_head(client, answer)) < 0) return result;

    bool is_good = answer->code / 100 == 2;
    if (!is_good) sink = ignore;
    if (answer->code == 204 || answer->code == 304) {
        result = 0;
    } else if (answer->is_chunked) {
        result = read_chunked(client, &total, sink, user_data);
    } else if (answer->has_length) {
        result = read_counted(client, total = answer->length, sink, user_data);
    } else {
        answer->keep_alive = false;
        result = read_to_end(client, &total, sink, user_data);
    }
    if (result < 0) return result;
    return is_good ? (int64_t)total : FETCH_ERR_REFUSED;
}

int64_t http_client_get(struct http_client *client, const struct url *url, http_sink sink,
                        void *user_data) {
    bool is_reused = client->stream.id != 0 && strcmp(client->host, url->host) == 0 &&
                     strcmp(client->port, url->port) == 0;
    for (;;) {
        struct answer answer = {0};
        if (!is_reused) {
            http_client_close(client);
            int64_t result = connect_to(client, url);
            if (result < 0) return result;
        }
        int64_t result = exchange(client, url, &answer, sink, user_data);
        bool is_whole = result >= 0 || result == FETCH_ERR_REFUSED;
        if (!is_whole || !answer.keep_alive) http_client_close(client);

        /* A server may hang up on an idle connection just when we write to it: try a new one. */
        bool was_hung_up = result == ROTA_ERR_EOF || result == ROTA_ERR_RESET ||
                           result == ROTA_ERR_BROKEN_PIPE;
        if (!is_reused || answer.has_come || !was_hung_up) return result;
        is_reused = false;
    }
}
