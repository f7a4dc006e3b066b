/* Cancelled and closed operations: exact counts, nothing lost, buffers let go. */
#include "rota_peer.h"

enum { LARGE = 8 << 20 };
static unsigned char large[LARGE];

/* A few turns in which the system may move what it can. */
static void some_turns(rota_loop loop) {
    int i;
    for (i = 0; i < 10; i++) CHECK_STATUS(rota_loop_turn(loop, MILLISECOND, 0, 0, NULL), ROTA_OK);
}

/* ---- reads */

TEST(a_cancelled_read_has_lost_nothing) {
    rota_loop loop = open_system();
    int raw;
    char buffer[16];
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read(stream, buffer, sizeof buffer);
    turns(loop, 2);
    CHECK_STATUS(rota_future_cancel(read), ROTA_OK);
    CHECK_STATUS(WAIT(loop, read), ROTA_ERR_CANCELLED);
    memset(buffer, '-', sizeof buffer);
    raw_send_text(raw, "precious");
    some_turns(loop);
    CHECK_EQ(buffer[0], '-'); /* it is not ours any more */
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, buffer, sizeof buffer)), 8);
    CHECK(memcmp(buffer, "precious", 8) == 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* Half of what was asked for had come: it is told as moved, or it is still in the stream. */
static void cancels_halfway(bool by_line) {
    rota_loop loop = open_system();
    int raw;
    char buffer[16] = "", rest[16] = "";
    rota_outcome outcome;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = by_line ? rota_stream_read_line(stream, buffer, sizeof buffer)
                               : rota_stream_read_exactly(stream, buffer, 10);
    raw_send_text(raw, "abcd");
    some_turns(loop);
    CHECK_STATUS(rota_future_cancel(read), ROTA_OK);
    outcome = end_of(loop, read);
    CHECK_STATUS(outcome.status, ROTA_ERR_CANCELLED);
    CHECK(outcome.moved_bytes <= 4);
    raw_send_text(raw, "efgh");
    memcpy(rest, buffer, outcome.moved_bytes);
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(stream, rest + outcome.moved_bytes,
                                                 8 - outcome.moved_bytes)),
             8 - (int64_t)outcome.moved_bytes);
    CHECK_TEXT(rest, "abcdefgh");
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

TEST(a_read_cancelled_halfway_has_lost_nothing) { cancels_halfway(false); }
TEST(a_line_cancelled_halfway_has_lost_nothing) { cancels_halfway(true); }

TEST(a_cancelled_accept_has_lost_no_connection) {
    rota_loop loop = open_system();
    uint16_t port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future accept = rota_listener_accept(listener);
    int raw;
    rota_stream stream;
    turns(loop, 2);
    CHECK_STATUS(rota_future_cancel(accept), ROTA_OK);
    CHECK_STATUS(WAIT(loop, accept), ROTA_ERR_CANCELLED);
    raw = raw_connect(port);
    some_turns(loop);
    stream = take_stream(loop, rota_listener_accept(listener));
    CHECK_EQ(WAIT(loop, rota_stream_write(stream, "x", 1)), 1);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_EQ(raw_drain(raw, NULL), 1);
    close(raw);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

TEST(a_cancelled_connect_leaves_nothing_behind) {
    rota_loop loop = open_system();
    uint16_t port;
    int listening = raw_listen(&port, 0);
    rota_future connect = rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL);
    rota_stream stream;
    rota_outcome outcome;
    if (rota_future_cancel(connect) == ROTA_OK) {
        CHECK_STATUS(WAIT(loop, connect), ROTA_ERR_CANCELLED);
    } else { /* it was there already */
        outcome = outcome_of(connect);
        CHECK_STATUS(outcome.status, ROTA_OK);
        CHECK_STATUS(rota_future_take_stream(connect, &stream), ROTA_OK);
        CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
        (void)rota_future_close(connect);
    }
    close(listening);
    close_clean(loop);
}

/* ---- writes: what the peer gets is what was counted */

/* A stream whose peer reads nothing yet, and a write that cannot end. */
static rota_stream stuck(rota_loop loop, int *raw, rota_future *write) {
    rota_stream stream = connect_raw(loop, raw);
    rota_outcome outcome;
    fill_pattern(large, LARGE, 0);
    *write = rota_stream_write(stream, large, LARGE);
    some_turns(loop);
    CHECK_STATUS(rota_future_get_outcome(*write, &outcome), ROTA_ERR_PENDING);
    return stream;
}

static uint64_t drained(int raw) {
    peer other;
    peer_start(&other, raw, peer_drains, NULL);
    peer_join(&other);
    return other.count;
}

TEST(a_cancelled_write_tells_how_many_bytes_went) {
    rota_loop loop = open_system();
    int raw;
    rota_future write;
    rota_outcome outcome;
    rota_stream stream = stuck(loop, &raw, &write);
    CHECK_STATUS(rota_future_cancel(write), ROTA_OK);
    outcome = end_of(loop, write);
    CHECK_STATUS(outcome.status, ROTA_ERR_CANCELLED);
    CHECK_EQ(outcome.value, 0);
    CHECK(outcome.moved_bytes > 0 && outcome.moved_bytes < LARGE);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_EQ(drained(raw), outcome.moved_bytes);
    close_clean(loop);
}

static void peer_checks_pattern(peer *self) {
    static unsigned char got[LARGE + 16];
    ssize_t count = raw_read(self->socket_fd, got, sizeof got);
    CHECK(count >= 4);
    self->count = (uint64_t)count;
    CHECK(is_pattern(got, (size_t)count - 4, 0));
    CHECK(memcmp(got + count - 4, "next", 4) == 0);
    close(self->socket_fd);
}

TEST(a_write_behind_a_cancelled_one_goes_on) {
    rota_loop loop = open_system();
    int raw;
    rota_future write, next;
    rota_outcome outcome;
    peer other;
    rota_stream stream = stuck(loop, &raw, &write);
    next = rota_stream_write(stream, "next", 4);
    CHECK_STATUS(rota_future_cancel(write), ROTA_OK);
    outcome = end_of(loop, write);
    CHECK_STATUS(outcome.status, ROTA_ERR_CANCELLED);
    memset(large, 0, sizeof large); /* the buffer is ours again */
    peer_start(&other, raw, peer_checks_pattern, NULL);
    CHECK_EQ(WAIT(loop, next), 4);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    peer_join(&other);
    CHECK_EQ(other.count, outcome.moved_bytes + 4);
    close_clean(loop);
}

TEST(a_queued_write_that_is_cancelled_sends_nothing) {
    rota_loop loop = open_system();
    int raw;
    rota_future write, next;
    rota_outcome outcome;
    peer other;
    rota_stream stream = stuck(loop, &raw, &write);
    next = rota_stream_write(stream, "next", 4);
    turns(loop, 2);
    CHECK_STATUS(rota_future_cancel(next), ROTA_OK);
    outcome = end_of(loop, next);
    CHECK_STATUS(outcome.status, ROTA_ERR_CANCELLED);
    CHECK_EQ(outcome.moved_bytes, 0);
    peer_start(&other, raw, peer_drains, NULL);
    CHECK_EQ(WAIT(loop, write), LARGE);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    peer_join(&other);
    CHECK_EQ(other.count, LARGE);
    close_clean(loop);
}

typedef struct {
    rota_stream stream;
    rota_future future;
} scene;

static int64_t writes_after_a_ready_outcome(rota_task task, void *user_data) {
    scene *self = user_data;
    rota_outcome outcome;
    CHECK_EQ(rota_await(self->future), 1);
    CHECK_STATUS(rota_await(rota_stream_write(self->stream, "never", 5)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_task_get_outcome(task, &outcome), ROTA_OK);
    CHECK_EQ(outcome.moved_bytes, 0);
    return ROTA_ERR_CANCELLED;
}

/* The request met an outcome that was ready: the next operation must not send a byte. */
TEST(an_operation_met_by_a_request_starts_nothing) {
    rota_loop loop = open_system();
    int raw;
    scene self = {connect_raw(loop, &raw), open_future(loop)};
    rota_task task = spawn(loop, writes_after_a_ready_outcome, &self);
    rota_future join = rota_task_join(task);
    turn(loop);
    CHECK_STATUS(rota_future_complete(self.future, 1), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, join), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_stream_close(self.stream), ROTA_OK);
    CHECK_EQ(drained(raw), 0);
    close_clean(loop);
}

/* ---- closing with operations under way */

TEST(closing_a_stream_ends_its_operations_with_counts) {
    rota_loop loop = open_system();
    int raw;
    char buffer[8];
    rota_future write, read;
    rota_outcome outcome;
    rota_stream stream = stuck(loop, &raw, &write);
    read = rota_stream_read(stream, buffer, sizeof buffer);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    outcome = end_of(loop, write);
    CHECK_STATUS(outcome.status, ROTA_ERR_CANCELLED);
    CHECK(outcome.moved_bytes > 0 && outcome.moved_bytes < LARGE);
    CHECK_STATUS(WAIT(loop, read), ROTA_ERR_CANCELLED);
    CHECK_EQ(drained(raw), outcome.moved_bytes);
    close_clean(loop);
}

TEST(closing_lets_what_was_given_to_send_go_out) {
    rota_loop loop = open_system();
    int raw;
    peer other;
    rota_stream stream = connect_raw(loop, &raw);
    fill_pattern(large, LARGE, 0);
    CHECK_STATUS(rota_stream_send(stream, large, LARGE), ROTA_OK);
    CHECK_STATUS(rota_stream_send(stream, "end", 3), ROTA_OK);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_STATUS(rota_stream_close(stream), ROTA_ERR_HANDLE);
    peer_start(&other, raw, peer_drains, NULL);
    run_dry(loop);
    peer_join(&other);
    CHECK_EQ(other.count, LARGE + 3);
    CHECK(!other.reset);
    close_clean(loop);
}

TEST(aborting_resets_and_drops_everything) {
    rota_loop loop = open_system();
    int raw;
    char buffer[8];
    bool reset = false;
    rota_future write, read;
    rota_outcome outcome;
    rota_stream stream = stuck(loop, &raw, &write);
    read = rota_stream_read(stream, buffer, sizeof buffer);
    CHECK_STATUS(rota_stream_send(stream, "dropped", 7), ROTA_OK);
    CHECK_STATUS(rota_stream_abort(stream), ROTA_OK);
    CHECK_STATUS(rota_stream_abort(stream), ROTA_ERR_HANDLE);
    outcome = end_of(loop, write);
    CHECK_STATUS(outcome.status, ROTA_ERR_CANCELLED);
    CHECK_STATUS(WAIT(loop, read), ROTA_ERR_CANCELLED);
    CHECK(raw_drain(raw, &reset) <= outcome.moved_bytes);
    CHECK(reset);
    close(raw);
    close_clean(loop);
}

TEST(closing_the_future_of_a_write_withdraws_it) {
    rota_loop loop = open_system();
    int raw;
    rota_future write;
    rota_status status;
    rota_stream stream = stuck(loop, &raw, &write);
    status = rota_future_close(write);
    CHECK_EITHER(status, ROTA_OK, ROTA_ERR_BUSY); /* busy where the kernel still holds it */
    TURN_UNTIL(loop, stats_of(loop).futures == 0);
    memset(large, 0xee, sizeof large);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    {
        static unsigned char got[LARGE];
        ssize_t count = raw_read(raw, got, sizeof got);
        CHECK(count > 0 && is_pattern(got, (size_t)count, 0));
    }
    close(raw);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_cancelled_read_has_lost_nothing);
    RUN(a_read_cancelled_halfway_has_lost_nothing);
    RUN(a_line_cancelled_halfway_has_lost_nothing);
    RUN(a_cancelled_accept_has_lost_no_connection);
    RUN(a_cancelled_connect_leaves_nothing_behind);
    RUN(a_cancelled_write_tells_how_many_bytes_went);
    RUN(a_write_behind_a_cancelled_one_goes_on);
    RUN(a_queued_write_that_is_cancelled_sends_nothing);
    RUN(an_operation_met_by_a_request_starts_nothing);
    RUN(closing_a_stream_ends_its_operations_with_counts);
    RUN(closing_lets_what_was_given_to_send_go_out);
    RUN(aborting_resets_and_drops_everything);
    RUN(closing_the_future_of_a_write_withdraws_it);
    return test_end();
}
