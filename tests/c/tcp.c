/* TCP streams and listeners: reading, writing, half-close, water marks. */
#include "rota_peer.h"

static int64_t short_read(rota_loop loop, rota_stream stream, char *buffer, size_t size) {
    int64_t n = WAIT(loop, rota_stream_read(stream, buffer, size - 1));
    buffer[n > 0 ? n : 0] = '\0';
    return n;
}

static void finish(rota_loop loop, rota_stream stream, int raw) {
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_STATUS(rota_stream_close(stream), ROTA_ERR_HANDLE);
    close(raw);
    close_clean(loop);
}

/* ---- plain reading and writing */

TEST(bytes_go_both_ways) {
    rota_loop loop = open_system();
    int raw;
    char buffer[64];
    rota_stream stream = connect_raw(loop, &raw);
    raw_send_text(raw, "hello");
    CHECK_EQ(short_read(loop, stream, buffer, sizeof buffer), 5);
    CHECK_TEXT(buffer, "hello");
    CHECK_EQ(WAIT(loop, rota_stream_write(stream, "goodbye", 7)), 7);
    CHECK_EQ(raw_read(raw, buffer, 7), 7);
    CHECK(memcmp(buffer, "goodbye", 7) == 0);
    shutdown(raw, SHUT_WR);
    CHECK_EQ(short_read(loop, stream, buffer, sizeof buffer), 0);
    CHECK_EQ(short_read(loop, stream, buffer, sizeof buffer), 0); /* the end stays */
    finish(loop, stream, raw);
}

TEST(a_read_gives_what_there_is_and_keeps_the_rest) {
    rota_loop loop = open_system();
    int raw;
    char buffer[64];
    rota_stream stream = connect_raw(loop, &raw);
    raw_send_text(raw, "abcdef");
    CHECK_EQ(short_read(loop, stream, buffer, 3), 2);
    CHECK_TEXT(buffer, "ab");
    CHECK_EQ(short_read(loop, stream, buffer, sizeof buffer), 4);
    CHECK_TEXT(buffer, "cdef");
    finish(loop, stream, raw);
}

TEST(a_second_read_at_once_is_refused) {
    rota_loop loop = open_system();
    int raw;
    char one[8], other[8];
    rota_stream stream = connect_raw(loop, &raw);
    rota_future first = rota_stream_read(stream, one, sizeof one);
    CHECK_STATUS(WAIT(loop, rota_stream_read(stream, other, sizeof other)), ROTA_ERR_BUSY);
    CHECK_STATUS(WAIT(loop, rota_stream_read_exactly(stream, other, 4)), ROTA_ERR_BUSY);
    CHECK_STATUS(WAIT(loop, rota_stream_read_line(stream, other, 4)), ROTA_ERR_BUSY);
    raw_send_text(raw, "x");
    CHECK_EQ(WAIT(loop, first), 1);
    CHECK_EQ(one[0], 'x');
    finish(loop, stream, raw);
}

TEST(several_writes_go_out_in_order) {
    rota_loop loop = open_system();
    int raw;
    char buffer[64];
    rota_future writes[3];
    rota_stream stream = connect_raw(loop, &raw);
    writes[0] = rota_stream_write(stream, "one ", 4);
    writes[1] = rota_stream_write(stream, "two ", 4);
    CHECK_STATUS(rota_stream_send(stream, "three ", 6), ROTA_OK);
    writes[2] = rota_stream_write(stream, "four", 4);
    CHECK_EQ(WAIT(loop, writes[2]), 4);
    CHECK_EQ(WAIT(loop, writes[0]), 4);
    CHECK_EQ(WAIT(loop, writes[1]), 4);
    CHECK_EQ(raw_read(raw, buffer, 18), 18);
    CHECK(memcmp(buffer, "one two three four", 18) == 0);
    finish(loop, stream, raw);
}

TEST(vectored_writes_are_one_write) {
    rota_loop loop = open_system();
    int raw;
    char buffer[64];
    static const rota_buffer parts[] = {{"ab", 2}, {NULL, 0}, {"cde", 3}, {"", 0}, {"f", 1}};
    rota_stream stream = connect_raw(loop, &raw);
    CHECK_EQ(WAIT(loop, rota_stream_write_vectored(stream, parts, COUNT(parts))), 6);
    CHECK_EQ(WAIT(loop, rota_stream_write_vectored(stream, parts, 0)), 0);
    CHECK_EQ(WAIT(loop, rota_stream_write(stream, "", 0)), 0);
    CHECK_EQ(raw_read(raw, buffer, 6), 6);
    CHECK(memcmp(buffer, "abcdef", 6) == 0);
    finish(loop, stream, raw);
}

/* ---- half-close */

TEST(the_peer_may_end_first_and_still_be_written_to) {
    rota_loop loop = open_system();
    int raw;
    char buffer[64];
    rota_stream stream = connect_raw(loop, &raw);
    shutdown(raw, SHUT_WR);
    CHECK_EQ(short_read(loop, stream, buffer, sizeof buffer), 0);
    CHECK_EQ(WAIT(loop, rota_stream_write(stream, "after", 5)), 5);
    CHECK_EQ(raw_read(raw, buffer, 5), 5);
    finish(loop, stream, raw);
}

TEST(shutdown_ends_our_side_after_what_is_queued) {
    rota_loop loop = open_system();
    int raw;
    char buffer[64];
    rota_stream stream = connect_raw(loop, &raw);
    rota_future write = rota_stream_write(stream, "last", 4);
    CHECK_EQ(WAIT(loop, rota_stream_shutdown(stream)), 0);
    CHECK_EQ(WAIT(loop, write), 4);
    CHECK_EQ(raw_read(raw, buffer, sizeof buffer), 4); /* and the end */
    CHECK_STATUS(WAIT(loop, rota_stream_write(stream, "x", 1)), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_stream_send(stream, "x", 1), ROTA_ERR_SHUT);
    raw_send_text(raw, "reply");
    CHECK_EQ(short_read(loop, stream, buffer, sizeof buffer), 5);
    finish(loop, stream, raw);
}

/* ---- much data */

enum { LARGE = 4 << 20 };
static unsigned char large[LARGE], received[LARGE];

static void peer_sends_large(peer *self) {
    static unsigned char copy[LARGE];
    fill_pattern(copy, sizeof copy, 0);
    raw_send(self->socket_fd, copy, sizeof copy);
    close(self->socket_fd);
}

TEST(much_data_comes_in_whole) {
    rota_loop loop = open_system();
    int raw;
    peer other;
    rota_stream stream = connect_raw(loop, &raw);
    peer_start(&other, raw, peer_sends_large, NULL);
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(stream, received, LARGE)), LARGE);
    CHECK(is_pattern(received, LARGE, 0));
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, received, 1)), 0);
    peer_join(&other);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close_clean(loop);
}

static void peer_checks_large(peer *self) {
    self->count = (uint64_t)raw_read(self->socket_fd, received, LARGE);
    close(self->socket_fd);
}

TEST(much_data_goes_out_whole) {
    rota_loop loop = open_system();
    int raw;
    peer other;
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future write;
    fill_pattern(large, LARGE, 0);
    memset(received, 0, sizeof received);
    write = rota_stream_write(stream, large, LARGE);
    CHECK_STATUS(rota_future_keep(write), ROTA_OK);
    peer_start(&other, raw, peer_checks_large, NULL);
    CHECK_EQ(WAIT(loop, write), LARGE);
    outcome = outcome_of(write);
    CHECK_EQ(outcome.moved_bytes, LARGE);
    CHECK_STATUS(rota_future_close(write), ROTA_OK);
    peer_join(&other);
    CHECK_EQ(other.count, LARGE);
    CHECK(is_pattern(received, LARGE, 0));
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close_clean(loop);
}

TEST(both_sides_of_the_loop_may_talk_to_each_other) {
    rota_loop loop = open_system();
    rota_stream one, other;
    rota_future write, read;
    connect_pair(loop, &one, &other);
    fill_pattern(large, LARGE, 5);
    memset(received, 0, sizeof received);
    write = rota_stream_write(one, large, LARGE);
    read = rota_stream_read_exactly(other, received, LARGE);
    CHECK_EQ(WAIT(loop, read), LARGE);
    CHECK_EQ(WAIT(loop, write), LARGE);
    CHECK(is_pattern(received, LARGE, 5));
    CHECK_STATUS(rota_stream_close(one), ROTA_OK);
    CHECK_STATUS(rota_stream_close(other), ROTA_OK);
    close_clean(loop);
}

/* ---- send, water marks and drain */

static size_t buffered(rota_stream stream) {
    size_t size = 0;
    CHECK_STATUS(rota_stream_get_buffered(stream, &size), ROTA_OK);
    return size;
}

TEST(drain_waits_for_the_low_mark_once_above_the_high) {
    rota_loop loop = open_system();
    int raw;
    peer other;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future drain;
    rota_outcome outcome;
    fill_pattern(large, LARGE, 0);
    memset(received, 0, sizeof received);
    CHECK_STATUS(rota_stream_set_watermarks(stream, 10, 9), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_stream_set_watermarks(stream, 1000, 100000), ROTA_OK);
    CHECK_EQ(buffered(stream), 0);
    CHECK_EQ(WAIT(loop, rota_stream_drain(stream)), 0); /* nothing to wait for */
    CHECK_STATUS(rota_stream_send(stream, large, LARGE), ROTA_OK);
    memset(large, 0, sizeof large); /* it was copied */
    turns(loop, 5);
    CHECK(buffered(stream) > 100000); /* more than the system took */
    drain = rota_stream_drain(stream);
    turns(loop, 3);
    CHECK_STATUS(rota_future_get_outcome(drain, &outcome), ROTA_ERR_PENDING);
    peer_start(&other, raw, peer_checks_large, NULL);
    CHECK_EQ(WAIT(loop, drain), 0);
    CHECK(buffered(stream) <= 1000);
    TURN_UNTIL(loop, buffered(stream) == 0);
    peer_join(&other);
    CHECK_EQ(other.count, LARGE);
    CHECK(is_pattern(received, LARGE, 0));
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close_clean(loop);
}

TEST(options_of_a_socket_can_be_set) {
    rota_loop loop = open_system();
    int raw;
    rota_stream stream = connect_raw(loop, &raw);
    CHECK_STATUS(rota_stream_set_no_delay(stream, true), ROTA_OK);
    CHECK_STATUS(rota_stream_set_no_delay(stream, false), ROTA_OK);
    CHECK_STATUS(rota_stream_set_keep_alive(stream, true, 30 * SECOND), ROTA_OK);
    CHECK_STATUS(rota_stream_set_keep_alive(stream, false, 0), ROTA_OK);
    finish(loop, stream, raw);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(bytes_go_both_ways);
    RUN(a_read_gives_what_there_is_and_keeps_the_rest);
    RUN(a_second_read_at_once_is_refused);
    RUN(several_writes_go_out_in_order);
    RUN(vectored_writes_are_one_write);
    RUN(the_peer_may_end_first_and_still_be_written_to);
    RUN(shutdown_ends_our_side_after_what_is_queued);
    RUN(much_data_comes_in_whole);
    RUN(much_data_goes_out_whole);
    RUN(both_sides_of_the_loop_may_talk_to_each_other);
    RUN(drain_waits_for_the_low_mark_once_above_the_high);
    RUN(options_of_a_socket_can_be_set);
    return test_end();
}
