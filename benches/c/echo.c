/* Echo of 64 bytes over TCP on loopback: a server of each kind in a process of
 * its own, one client for both.
 *
 * The client writes to all its connections and then reads from all of them, so
 * that with many of them many are ready at once. A server says its port on the
 * given descriptor, and ends when its last connection does. */
#define _GNU_SOURCE
#include "echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, BUFFER = 4096, MOST_CONNECTIONS = 512, WARM_UP = 500 };

static void must(bool right, const char *what) {
    if (!right) {
        perror(what);
        exit(1);
    }
}

/* ---- rota: a stackful task for each connection */

static rota_loop server_loop;
static int server_connections;

static int64_t serve(rota_task task, rota_stream stream, void *user_data) {
    (void)task, (void)user_data;
    char buffer[BUFFER];
    int64_t n;
    server_connections++;
    while ((n = rota_await(rota_stream_read(stream, buffer, sizeof buffer))) > 0) {
        n = rota_await(rota_stream_write(stream, buffer, (size_t)n));
        if (n < 0) break;
    }
    rota_stream_close(stream);
    if (--server_connections == 0) rota_loop_stop(server_loop);
    return n;
}

static void rota_server(int port_to) {
    rota_listener listener;
    rota_address address;
    must(rota_loop_open(NULL, &server_loop) == ROTA_OK, "rota_loop_open");
    must(rota_loop_listen(server_loop, "127.0.0.1", 0, NULL, &listener) == ROTA_OK, "listen");
    must(rota_listener_get_address(listener, &address) == ROTA_OK, "address");
    must(rota_listener_serve(listener, serve, NULL) == ROTA_OK, "serve");
    dprintf(port_to, "%d\n", address.port);
    must(rota_loop_run(server_loop) == ROTA_OK, "run");
    rota_loop_close(server_loop, ROTA_FOREVER);
}

/* ---- by hand: epoll, level-triggered, write at once */

static int hand_listen(int port_to) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(listener, 512) == 0, "listen");
    must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    dprintf(port_to, "%d\n", ntohs(address.sin_port));
    return listener;
}

static void hand_accept(int poll, int listener, int *open) {
    for (;;) {
        int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (accepted < 0) return;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = accepted};
        must(epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event) == 0, "epoll_ctl");
        ++*open;
    }
}

static void hand_server(int port_to) {
    struct epoll_event events[256];
    char buffer[BUFFER];
    int open = 0, had_any = 0;
    int poll = epoll_create1(0);
    int listener = hand_listen(port_to);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    must(epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) == 0, "epoll_ctl");
    while (!had_any || open > 0) {
        int count = epoll_wait(poll, events, 256, -1);
        for (int at = 0; at < count; at++) {
            int fd = events[at].data.fd;
            if (fd == listener) {
                hand_accept(poll, listener, &open);
                had_any = 1;
                continue;
            }
            ssize_t n = read(fd, buffer, sizeof buffer);
            if (n <= 0) {
                close(fd);
                open--;
            } else {
                must(write(fd, buffer, (size_t)n) == n, "write");
            }
        }
    }
    close(listener);
    close(poll);
}

int bench_echo_server(const char *contestant, int port_to) {
    if (strcmp(contestant, "rota") == 0) {
        rota_server(port_to);
    } else {
        hand_server(port_to);
    }
    return 0;
}

/* ---- the client */

static int connect_to(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    return fd;
}

static bool exchange(const int *connections, int count, uint64_t number) {
    char sent[MESSAGE], got[MESSAGE];
    bool right = true;
    memset(sent, (int)('a' + number % 26), sizeof sent);
    for (int n = 0; n < count; n++) {
        must(write(connections[n], sent, sizeof sent) == MESSAGE, "write");
    }
    for (int n = 0; n < count; n++) {
        must(recv(connections[n], got, sizeof got, MSG_WAITALL) == MESSAGE, "recv");
        right &= memcmp(sent, got, sizeof got) == 0;
    }
    return right;
}

int bench_echo_client(int port, int count, uint64_t requests, void (*steady)(void)) {
    int connections[MOST_CONNECTIONS];
    bool right = count > 0 && count <= MOST_CONNECTIONS;
    for (int n = 0; n < count; n++) connections[n] = connect_to(port);
    for (uint64_t n = 0; n < WARM_UP; n++) right &= exchange(connections, count, n);
    if (steady != NULL) steady();
    for (uint64_t n = 0; n < requests; n += (uint64_t)count) {
        right &= exchange(connections, count, n);
    }
    if (steady != NULL) steady();
    for (int n = 0; n < count; n++) close(connections[n]);
    return right ? 0 : 1;
}

/* ---- both, with the server's CPU time and allocations */

static clockid_t server_clock;
static const volatile uint64_t *server_allocations;
static uint64_t at_steady[2][2];
static int steady_calls;

static void note_steady(void) {
    struct timespec now;
    clock_gettime(server_clock, &now);
    at_steady[steady_calls][0] = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    at_steady[steady_calls++][1] = *server_allocations;
}

bool bench_echo(const char *contestant, int count, uint64_t requests,
                volatile uint64_t *shared_allocations, bench_echo_figures *figures) {
    int port_pipe[2], status = 0;
    char text[16] = "";
    must(pipe(port_pipe) == 0, "pipe");
    fflush(NULL);
    pid_t server = fork();
    if (server == 0) _exit(bench_echo_server(contestant, port_pipe[1]));
    must(server > 0, "fork");
    must(read(port_pipe[0], text, sizeof text - 1) > 0, "port");
    must(clock_getcpuclockid(server, &server_clock) == 0, "clock_getcpuclockid");
    server_allocations = shared_allocations;
    steady_calls = 0;
    int failed = bench_echo_client(atoi(text), count, requests, note_steady);
    waitpid(server, &status, 0);
    close(port_pipe[0]);
    close(port_pipe[1]);
    figures->spent_ns = at_steady[1][0] - at_steady[0][0];
    figures->allocations = at_steady[1][1] - at_steady[0][1];
    return failed == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
