/* A peer that resets at each moment: of connecting, reading, writing and closing. */
#include "rota_peer.h"

static bool broken(int64_t status) {
    return status == ROTA_ERR_RESET || status == ROTA_ERR_BROKEN_PIPE ||
           status == ROTA_ERR_NOT_CONNECTED;
}

/* After a reset the loop must go on: another connection works. */
static void finish(rota_loop loop, rota_stream stream) {
    int raw;
    char byte = 0;
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    stream = connect_raw(loop, &raw);
    raw_send_text(raw, "y");
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, &byte, 1)), 1);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

TEST(before_a_read) {
    rota_loop loop = open_system();
    int raw;
    char buffer[8];
    rota_stream stream = connect_raw(loop, &raw);
    raw_reset(raw);
    CHECK_STATUS(WAIT(loop, rota_stream_read(stream, buffer, sizeof buffer)), ROTA_ERR_RESET);
    finish(loop, stream);
}

TEST(during_a_read) {
    rota_loop loop = open_system();
    int raw;
    char buffer[8];
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read_exactly(stream, buffer, sizeof buffer);
    CHECK_STATUS(rota_future_keep(read), ROTA_OK);
    raw_send_text(raw, "abc");
    turns(loop, 5);
    raw_reset(raw);
    CHECK_STATUS(WAIT(loop, read), ROTA_ERR_RESET);
    outcome = outcome_of(read);
    CHECK_EQ(outcome.os_error, ECONNRESET);
    CHECK(outcome.moved_bytes <= 3);
    CHECK_STATUS(rota_future_close(read), ROTA_OK);
    finish(loop, stream);
}

TEST(during_a_line) {
    rota_loop loop = open_system();
    int raw;
    char buffer[8];
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read_line(stream, buffer, sizeof buffer);
    raw_send_text(raw, "abc");
    turns(loop, 5);
    raw_reset(raw);
    CHECK_STATUS(WAIT(loop, read), ROTA_ERR_RESET);
    finish(loop, stream);
}

enum { LARGE = 8 << 20 };
static unsigned char large[LARGE];

TEST(during_a_write) {
    rota_loop loop = open_system();
    int raw;
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future write = rota_stream_write(stream, large, LARGE), next;
    CHECK_STATUS(rota_future_keep(write), ROTA_OK);
    next = rota_stream_write(stream, large, 10);
    turns(loop, 5);
    CHECK_STATUS(rota_future_get_outcome(write, &outcome), ROTA_ERR_PENDING);
    raw_reset(raw);
    CHECK(broken(WAIT(loop, write)));
    outcome = outcome_of(write);
    CHECK(outcome.moved_bytes > 0 && outcome.moved_bytes < LARGE);
    CHECK(outcome.os_error == ECONNRESET || outcome.os_error == EPIPE);
    CHECK_STATUS(rota_future_close(write), ROTA_OK);
    CHECK(broken(WAIT(loop, next)));
    finish(loop, stream);
}

/* The host has not asked for SIGPIPE to be ignored, and must not be killed by it. */
TEST(before_a_write) {
    rota_loop loop = open_system();
    int raw, i;
    int64_t result = 0;
    char buffer[8];
    rota_stream stream = connect_raw(loop, &raw);
    raw_reset(raw);
    CHECK_STATUS(WAIT(loop, rota_stream_read(stream, buffer, sizeof buffer)), ROTA_ERR_RESET);
    for (i = 0; i < 3; i++) {
        result = WAIT(loop, rota_stream_write(stream, "xyz", 3));
        CHECK(broken(result));
    }
    finish(loop, stream);
}

TEST(a_peer_that_closed_without_reading) {
    rota_loop loop = open_system();
    int raw;
    rota_stream stream = connect_raw(loop, &raw);
    close(raw);
    CHECK(broken(WAIT(loop, rota_stream_write(stream, large, LARGE))));
    finish(loop, stream);
}

TEST(with_data_given_to_send) {
    rota_loop loop = open_system();
    int raw;
    rota_future drain;
    int64_t result;
    rota_stream stream = connect_raw(loop, &raw);
    CHECK_STATUS(rota_stream_send(stream, large, LARGE), ROTA_OK);
    drain = rota_stream_drain(stream);
    turns(loop, 5);
    raw_reset(raw);
    result = WAIT(loop, drain);
    CHECK(broken(result));
    CHECK(broken(WAIT(loop, rota_stream_write(stream, "x", 1))));
    finish(loop, stream);
}

TEST(after_the_stream_was_closed_with_data_left) {
    rota_loop loop = open_system();
    int raw;
    rota_stream stream = connect_raw(loop, &raw);
    CHECK_STATUS(rota_stream_send(stream, large, LARGE), ROTA_OK);
    turns(loop, 3);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    turns(loop, 3);
    raw_reset(raw);
    TURN_UNTIL(loop, alive_in(loop) == 0);
    close_clean(loop);
}

TEST(before_and_during_a_shutdown) {
    rota_loop loop = open_system();
    int raw;
    int64_t result;
    rota_future shut;
    rota_stream stream = connect_raw(loop, &raw);
    raw_reset(raw);
    result = WAIT(loop, rota_stream_shutdown(stream));
    CHECK(result == 0 || broken(result)); /* the system may not have noticed */
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    stream = connect_raw(loop, &raw);
    CHECK_STATUS(rota_stream_send(stream, large, LARGE), ROTA_OK);
    shut = rota_stream_shutdown(stream);
    turns(loop, 3);
    raw_reset(raw);
    CHECK(broken(WAIT(loop, shut)));
    finish(loop, stream);
}

TEST(before_it_was_accepted) {
    rota_loop loop = open_system();
    uint16_t port;
    char byte;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future accept;
    rota_stream stream;
    int64_t result;
    raw_reset(raw_connect(port));
    accept = rota_listener_accept(listener);
    close(raw_connect(port)); /* so that there is something to accept in any case */
    stream = take_stream(loop, accept);
    result = WAIT(loop, rota_stream_read(stream, &byte, 1));
    CHECK(result == ROTA_ERR_RESET || result == 0);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    finish(loop, stream);
}

static void peer_accepts_and_resets(peer *self) {
    int accepted = accept(self->socket_fd, NULL, NULL);
    CHECK(accepted >= 0);
    raw_reset(accepted);
}

TEST(right_after_connecting) {
    rota_loop loop = open_system();
    uint16_t port;
    char byte;
    int64_t result;
    peer other;
    rota_future connect;
    rota_stream stream;
    int listening = raw_listen(&port, 0);
    peer_start(&other, listening, peer_accepts_and_resets, NULL);
    connect = rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL);
    peer_join(&other); /* the kernel connects without the loop's help; the loop learns it late */
    close(listening);
    result = WAIT(loop, connect);
    if (result < 0) {
        CHECK(broken(result));
        stream = connect_raw(loop, &listening);
        close(listening);
    } else {
        CHECK_STATUS(rota_future_take_stream(connect, &stream), ROTA_OK);
        result = WAIT(loop, rota_stream_read(stream, &byte, 1));
        CHECK_STATUS(result, ROTA_ERR_RESET);
    }
    finish(loop, stream);
}

TEST(addresses_of_a_broken_stream) {
    rota_loop loop = open_system();
    int raw;
    char byte;
    rota_address address;
    rota_stream stream = connect_raw(loop, &raw);
    raw_reset(raw);
    CHECK_STATUS(WAIT(loop, rota_stream_read(stream, &byte, 1)), ROTA_ERR_RESET);
    CHECK_EITHER(rota_stream_get_peer_address(stream, &address), ROTA_OK, ROTA_ERR_NOT_CONNECTED);
    CHECK_STATUS(rota_stream_abort(stream), ROTA_OK);
    stream = connect_raw(loop, &raw);
    close(raw);
    finish(loop, stream);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(before_a_read);
    RUN(during_a_read);
    RUN(during_a_line);
    RUN(during_a_write);
    RUN(before_a_write);
    RUN(a_peer_that_closed_without_reading);
    RUN(with_data_given_to_send);
    RUN(after_the_stream_was_closed_with_data_left);
    RUN(before_and_during_a_shutdown);
    RUN(before_it_was_accepted);
    RUN(right_after_connecting);
    RUN(addresses_of_a_broken_stream);
    return test_end();
}
