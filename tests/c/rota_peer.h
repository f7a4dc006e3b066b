/* The other side of a connection: plain POSIX sockets, knowing nothing of rota.
 *
 * Loopback connections are made by the kernel alone, so a blocking connect to a listener of the
 * loop returns before the loop has accepted it: most tests need no thread. Where the peer must move
 * more than the kernel buffers, it runs on a thread (peer_start, peer_join).
 */
#ifndef ROTA_PEER_H
#define ROTA_PEER_H
#include "rota_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* ---- sockets */

/* A blocking connection to a port of this machine; family 4 or 6. -1 if that failed. */
UNUSED_SAFE static int raw_connect_family(uint8_t family, uint16_t port) {
    struct sockaddr_in6 six = {0};
    struct sockaddr_in four = {0};
    int result, socket_fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) return -1;
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_addr = in6addr_loopback;
    result = family == 6 ? connect(socket_fd, (struct sockaddr *)&six, sizeof six)
                         : connect(socket_fd, (struct sockaddr *)&four, sizeof four);
    if (result != 0) {
        close(socket_fd);
        return -1;
    }
    result = 1; /* what a test sends in two parts shall arrive in two */
    (void)setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &result, sizeof result);
    return socket_fd;
}

UNUSED_SAFE static int raw_connect(uint16_t port) {
    int socket_fd = raw_connect_family(4, port);
    CHECK(socket_fd >= 0);
    return socket_fd;
}

/* A listening socket on 127.0.0.1 with a small receive buffer, if asked; its port in *port. */
UNUSED_SAFE static int raw_listen(uint16_t *port, int receive_buffer) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(socket_fd >= 0);
    if (receive_buffer > 0) {
        CHECK_EQ(setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                            sizeof receive_buffer), 0);
    }
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(socket_fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(socket_fd, 16), 0);
    CHECK_EQ(getsockname(socket_fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return socket_fd;
}

/* A port of this machine on which nobody listens. */
UNUSED_SAFE static uint16_t raw_free_port(void) {
    uint16_t port;
    close(raw_listen(&port, 0));
    return port;
}

UNUSED_SAFE static void raw_send(int socket_fd, const void *data, size_t size) {
    const char *next = data;
    while (size > 0) {
        ssize_t sent = send(socket_fd, next, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        CHECK(sent > 0);
        next += sent;
        size -= (size_t)sent;
    }
}

UNUSED_SAFE static void raw_send_text(int socket_fd, const char *text) {
    raw_send(socket_fd, text, strlen(text));
}

/* Reads until the end of the stream or until the buffer is full; -1 if the connection was reset. */
UNUSED_SAFE static ssize_t raw_read(int socket_fd, void *buffer, size_t size) {
    size_t total = 0;
    while (total < size) {
        ssize_t got = recv(socket_fd, (char *)buffer + total, size - total, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        total += (size_t)got;
    }
    return (ssize_t)total;
}

/* Reads and drops until the end; how many bytes came. A reset is an end too, told by *reset. */
UNUSED_SAFE static uint64_t raw_drain(int socket_fd, bool *reset) {
    char buffer[16384];
    uint64_t total = 0;
    if (reset != NULL) *reset = false;
    for (;;) {
        ssize_t got = recv(socket_fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && reset != NULL) *reset = true;
        if (got <= 0) return total;
        total += (uint64_t)got;
    }
}

/* Closes so that the other side sees a reset. */
UNUSED_SAFE static void raw_reset(int socket_fd) {
    struct linger now = {1, 0};
    CHECK_EQ(setsockopt(socket_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    CHECK_EQ(close(socket_fd), 0);
}

/* ---- a peer on a thread */

typedef struct peer peer;
struct peer {
    int socket_fd;
    void (*script)(peer *self);
    void *data;
    uint64_t count; /* the script's result */
    bool reset;     /* ... and whether it saw a reset */
    pthread_t thread;
};

UNUSED_SAFE static void *peer_main(void *argument) {
    peer *self = argument;
    self->script(self);
    return NULL;
}

UNUSED_SAFE static void peer_start(peer *self, int socket_fd, void (*script)(peer *), void *data) {
    memset(self, 0, sizeof *self);
    self->socket_fd = socket_fd;
    self->script = script;
    self->data = data;
    CHECK_EQ(pthread_create(&self->thread, NULL, peer_main, self), 0);
}

UNUSED_SAFE static void peer_join(peer *self) {
    CHECK_EQ(pthread_join(self->thread, NULL), 0);
}

/* A script: counts what comes until the end, then closes. */
UNUSED_SAFE static void peer_drains(peer *self) {
    self->count = raw_drain(self->socket_fd, &self->reset);
    close(self->socket_fd);
}

/* ---- the loop's side */

UNUSED_SAFE static rota_listener listen_on(rota_loop loop, const char *host, uint16_t *port) {
    rota_listener listener = {0};
    rota_address address;
    CHECK_STATUS(rota_loop_listen(loop, host, 0, NULL, &listener), ROTA_OK);
    CHECK(listener.id != 0);
    CHECK_STATUS(rota_listener_get_address(listener, &address), ROTA_OK);
    CHECK(address.port != 0);
    *port = address.port;
    return listener;
}

UNUSED_SAFE static rota_stream take_stream(rota_loop loop, rota_future future) {
    rota_stream stream = {0};
    int64_t result = WAIT(loop, future);
    CHECK(result >= 0);
    CHECK_STATUS(rota_future_take_stream(future, &stream), ROTA_OK);
    CHECK(stream.id != 0);
    return stream;
}

/* A connected pair: a stream of the loop's and a raw socket. */
UNUSED_SAFE static rota_stream connect_raw(rota_loop loop, int *socket_fd) {
    uint16_t port;
    rota_stream stream;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    *socket_fd = raw_connect(port);
    stream = take_stream(loop, rota_listener_accept(listener));
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    return stream;
}

UNUSED_SAFE static const char *service_of(uint16_t port) {
    static char text[8];
    snprintf(text, sizeof text, "%u", (unsigned)port);
    return text;
}

/* A connected pair of which both sides are the loop's. */
UNUSED_SAFE static void connect_pair(rota_loop loop, rota_stream *one, rota_stream *other) {
    uint16_t port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future accepted = rota_listener_accept(listener);
    *one = take_stream(loop, rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL));
    *other = take_stream(loop, accepted);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
}

UNUSED_SAFE static bool have_ipv6(void) {
    struct sockaddr_in6 address = {0};
    int result, socket_fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) return false;
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    result = bind(socket_fd, (struct sockaddr *)&address, sizeof address);
    close(socket_fd);
    return result == 0;
}

/* The byte at a place of a stream that can be checked without keeping it. */
UNUSED_SAFE static unsigned char pattern(uint64_t place) {
    return (unsigned char)((place * 31 + (place >> 8) * 7) & 0xff);
}

UNUSED_SAFE static void fill_pattern(void *buffer, size_t size, uint64_t from) {
    unsigned char *bytes = buffer;
    size_t i;
    for (i = 0; i < size; i++) bytes[i] = pattern(from + i);
}

UNUSED_SAFE static bool is_pattern(const void *buffer, size_t size, uint64_t from) {
    const unsigned char *bytes = buffer;
    size_t i;
    for (i = 0; i < size; i++) {
        if (bytes[i] != pattern(from + i)) return false;
    }
    return true;
}

#endif
