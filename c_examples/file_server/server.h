/* The parts of the file server and who calls whom:
 *
 *     main.c        options, signals, figures
 *     connection.c  the life of one connection: a task, a timer, requests one after the other
 *     response.c    what one request is answered with
 *     http.c path.c listing.c   know nothing of rota
 */
#ifndef FILE_SERVER_SERVER_H
#define FILE_SERVER_SERVER_H

#include <rota.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

enum {
    HEAD_LIMIT = 16 * 1024,   /* the longest head of a request */
    CHUNK_SIZE = 128 * 1024,  /* how much of a file is read and written at a time */
    LINGER_LIMIT = 256 * 1024 /* how much of an unwanted body is read before hanging up */
};

struct connection;

struct server {
    rota_loop loop;
    int root; /* the folder that is served */
    uint64_t timeout_ns;
    bool is_stopping;
    struct connection *connections;
    uint64_t connected, connected_peak, requests, bytes;
};

/* Two own a connection: its task, and its timer, whose callback still comes after the task has
 * cancelled it. The second to let go frees it. */
struct connection {
    struct server *server;
    rota_task task;
    rota_stream stream;
    rota_timer timer;
    int owners;
    bool is_idle;   /* between two requests */
    bool timed_out; /* the timer has cancelled the task */
    struct connection *previous, *next;
    size_t filled; /* how much of `head` has come: the next request, and what follows it */
    char head[HEAD_LIMIT];
    char chunk[CHUNK_SIZE];
};

/* The body of the task that rota_listener_serve starts; `user_data` is the server. */
int64_t connection_serve(rota_task task, rota_stream stream, void *user_data);

/* There was progress: the client's time starts anew. */
void connection_rearm(struct connection *connection);

/* No new requests: idle connections end, the others do after the answer they are giving. */
void connection_stop_all(struct server *server);

/* Answers a request, or refuses one (`request` is NULL if it could not be read). Returns a
 * negative status when the connection is of no more use. May clear request->keep_alive. */
int64_t response_send(struct connection *to, struct http_request *request);
int64_t response_refuse(struct connection *to, struct http_request *request, int status);

#endif
