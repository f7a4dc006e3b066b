/* A task for each connection: many at once, and closing the listener leaves them alone. */
#include "rota_peer.h"

#include <sys/resource.h>

static int finished, failed;

/* The echo server of the introduction. */
static int64_t echo(rota_task task, rota_stream stream, void *user_data) {
    char buffer[4096];
    int64_t n;
    (void)task, (void)user_data;
    while ((n = rota_await(rota_stream_read(stream, buffer, sizeof buffer))) > 0) {
        if ((n = rota_await(rota_stream_write(stream, buffer, (size_t)n))) < 0) break;
    }
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    finished++;
    if (n < 0) failed++;
    return n;
}

static rota_listener serve_echo(rota_loop loop, uint16_t *port) {
    rota_listener listener = listen_on(loop, "127.0.0.1", port);
    CHECK_STATUS(rota_listener_serve(listener, echo, NULL), ROTA_OK);
    finished = failed = 0;
    return listener;
}

TEST(one_connection_is_echoed) {
    rota_loop loop = open_system();
    uint16_t port;
    char buffer[8];
    rota_listener listener = serve_echo(loop, &port);
    rota_stream stream = take_stream(loop, rota_loop_connect(loop, "127.0.0.1", service_of(port),
                                                             NULL));
    CHECK_EQ(WAIT(loop, rota_stream_write(stream, "echo", 4)), 4);
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(stream, buffer, 4)), 4);
    CHECK(memcmp(buffer, "echo", 4) == 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    TURN_UNTIL(loop, finished == 1);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

/* ---- five hundred at once, from a thread of plain sockets */

enum { CONNECTIONS = 500 };

typedef struct {
    uint16_t port;
    int count;
    rota_loop loop;
} crowd;

static void crowd_comes(peer *self) {
    crowd *all = self->data;
    static int raw[CONNECTIONS];
    char line[32], back[32];
    int i;
    for (i = 0; i < all->count; i++) raw[i] = raw_connect(all->port);
    for (i = 0; i < all->count; i++) { /* all are open before the first one speaks */
        snprintf(line, sizeof line, "connection %08d", i);
        raw_send(raw[i], line, 19);
    }
    for (i = 0; i < all->count; i++) {
        snprintf(line, sizeof line, "connection %08d", i);
        CHECK_EQ(raw_read(raw[i], back, 19), 19);
        CHECK(memcmp(line, back, 19) == 0);
        self->count++;
    }
    for (i = 0; i < all->count; i++) close(raw[i]);
}

static int affordable(void) {
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur >= 2 * CONNECTIONS + 64 ? CONNECTIONS : (int)limit.rlim_cur / 2 - 32;
}

TEST(five_hundred_connections_at_once) {
    rota_loop loop = open_system();
    crowd all = {0};
    peer other;
    rota_listener listener = serve_echo(loop, &all.port);
    all.count = affordable();
    CHECK(all.count > 0);
    peer_start(&other, -1, crowd_comes, &all);
    TURN_UNTIL(loop, finished == all.count);
    peer_join(&other);
    CHECK_EQ(other.count, all.count);
    CHECK_EQ(failed, 0);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

TEST(closing_the_listener_leaves_running_connections_alone) {
    rota_loop loop = open_system();
    uint16_t port;
    char buffer[8];
    rota_listener listener = serve_echo(loop, &port);
    int raw = raw_connect(port);
    TURN_UNTIL(loop, stats_of(loop).tasks == 1);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    CHECK_EQ(raw_connect_family(4, port), -1);
    raw_send_text(raw, "still");
    TURN_UNTIL(loop, recv(raw, buffer, 5, MSG_PEEK | MSG_DONTWAIT) == 5);
    CHECK_EQ(raw_read(raw, buffer, 5), 5);
    close(raw);
    TURN_UNTIL(loop, finished == 1);
    close_clean(loop);
}

TEST(closing_the_loop_ends_the_connections) {
    rota_loop loop = open_system();
    uint16_t port;
    int raw[3], i;
    (void)serve_echo(loop, &port);
    for (i = 0; i < 3; i++) raw[i] = raw_connect(port);
    TURN_UNTIL(loop, stats_of(loop).tasks == 3);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_EQ(finished, 3);
    for (i = 0; i < 3; i++) {
        CHECK_EQ(raw_drain(raw[i], NULL), 0);
        close(raw[i]);
    }
}

static int64_t fails(rota_task task, rota_stream stream, void *user_data) {
    (void)task;
    ++*(int *)user_data;
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    return ROTA_STATUS_HOST - 1;
}

TEST(a_connection_that_fails_does_not_stop_the_server) {
    rota_loop loop = open_system();
    uint16_t port;
    int served = 0, i;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    CHECK_STATUS(rota_listener_serve(listener, NULL, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_listener_serve(listener, fails, &served), ROTA_OK);
    CHECK_EITHER(rota_listener_serve(listener, echo, NULL), ROTA_ERR_BUSY, ROTA_ERR_DONE);
    for (i = 1; i <= 3; i++) {
        int raw = raw_connect(port);
        TURN_UNTIL(loop, served == i);
        CHECK_EQ(raw_drain(raw, NULL), 0);
        close(raw);
    }
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

static int64_t closes_its_listener(rota_task task, rota_stream stream, void *user_data) {
    (void)task;
    CHECK_STATUS(rota_listener_close(*(rota_listener *)user_data), ROTA_OK);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    finished++;
    return 0;
}

TEST(a_connection_may_close_the_listener_that_serves_it) {
    rota_loop loop = open_system();
    uint16_t port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    int raw;
    finished = 0;
    CHECK_STATUS(rota_listener_serve(listener, closes_its_listener, &listener), ROTA_OK);
    raw = raw_connect(port);
    TURN_UNTIL(loop, finished == 1);
    CHECK_EQ(raw_connect_family(4, port), -1);
    close(raw);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(one_connection_is_echoed);
    RUN(five_hundred_connections_at_once);
    RUN(closing_the_listener_leaves_running_connections_alone);
    RUN(closing_the_loop_ends_the_connections);
    RUN(a_connection_that_fails_does_not_stop_the_server);
    RUN(a_connection_may_close_the_listener_that_serves_it);
    return test_end();
}
