/* An HTTP/1.1 client for one stackful task: one request at a time, on a connection that is kept
 * as long as the next request goes to the same place. */
#ifndef FETCH_HTTP_CLIENT_H
#define FETCH_HTTP_CLIENT_H

#include <rota.h>
#include <stdbool.h>

#include "url.h"

/* Statuses of our own begin where rota says that a host's do. */
enum {
    FETCH_ERR_REFUSED = ROTA_STATUS_HOST - 1, /* an answer, but not a good one: 404, say */
    FETCH_ERR_PROTOCOL = ROTA_STATUS_HOST - 2,
    FETCH_ERR_FILE = ROTA_STATUS_HOST - 3
};

/* Takes the next piece of a body; a negative status ends the transfer. May wait. */
typedef int64_t (*http_sink)(const void *data, size_t size, void *user_data);

struct http_client {
    rota_loop loop;
    rota_task task;
    rota_stream stream; /* null when not connected */
    char host[256], port[6];
    char line[16 * 1024];
    char chunk[64 * 1024];
    char error[256]; /* what went wrong last, for people */
};

/* Returns the size of the body, or a negative status and a text in client->error. */
int64_t http_client_get(struct http_client *client, const struct url *url, http_sink sink,
                        void *user_data);
void http_client_close(struct http_client *client);

#endif
