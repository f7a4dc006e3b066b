/* Connecting by several addresses: what a failure says; a cancelled race leaves nothing. */
#include "rota_peer.h"

TEST(a_failure_tells_what_came_of_each_address) {
    rota_loop loop = open_system();
    rota_future connect;
    rota_outcome outcome;
    char expected[64];
    uint16_t port = raw_free_port();
    connect = rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL);
    CHECK_STATUS(rota_future_keep(connect), ROTA_OK);
    CHECK_STATUS(WAIT(loop, connect), ROTA_ERR_REFUSED);
    outcome = outcome_of(connect);
    snprintf(expected, sizeof expected, "127.0.0.1:%u: connection refused", (unsigned)port);
    CHECK_TEXT(outcome.message, expected);
    CHECK_STATUS(rota_future_close(connect), ROTA_OK);
    connect = rota_loop_connect(loop, "localhost", service_of(port), NULL);
    CHECK_STATUS(rota_future_keep(connect), ROTA_OK);
    CHECK_STATUS(WAIT(loop, connect), ROTA_ERR_REFUSED);
    outcome = outcome_of(connect);
    CHECK(strstr(outcome.message, expected) != NULL);
    CHECK_STATUS(rota_future_close(connect), ROTA_OK);
    close_clean(loop);
}

/* The name is asked on another thread, or the race is on: whichever it meets, it ends at once. */
TEST(a_race_may_be_cancelled_at_any_moment) {
    int after;
    for (after = 0; after < 6; after++) {
        rota_loop loop = open_system();
        uint16_t port;
        int listening = raw_listen(&port, 0), turn_number;
        rota_stream stream;
        rota_future connect = rota_loop_connect(loop, "localhost", service_of(port), NULL);
        rota_status status;
        for (turn_number = 0; turn_number < after; turn_number++) turn(loop);
        status = rota_future_cancel(connect);
        CHECK_EITHER(status, ROTA_OK, ROTA_ERR_DONE);
        if (status == ROTA_OK) {
            CHECK_STATUS(WAIT(loop, connect), ROTA_ERR_CANCELLED);
        } else {
            CHECK_STATUS(rota_future_take_stream(connect, &stream), ROTA_OK);
            CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
        }
        close(listening);
        close_clean(loop);
    }
}

/* A stream that was never taken belongs to its future, and goes with it. */
TEST(a_connection_that_nobody_takes_is_closed) {
    rota_loop loop = open_system();
    uint16_t port;
    char byte;
    int listening = raw_listen(&port, 0), raw;
    rota_future connect = rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL);
    CHECK_EQ(WAIT(loop, connect), 0);
    CHECK_EQ(stats_of(loop).streams, 1);
    raw = accept(listening, NULL, NULL);
    CHECK(raw >= 0);
    CHECK_STATUS(rota_future_close(connect), ROTA_OK);
    CHECK_EQ(stats_of(loop).streams, 0);
    CHECK_EQ(raw_read(raw, &byte, 1), 0);
    close(raw);
    close(listening);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_failure_tells_what_came_of_each_address);
    RUN(a_race_may_be_cancelled_at_any_moment);
    RUN(a_connection_that_nobody_takes_is_closed);
    return test_end();
}
