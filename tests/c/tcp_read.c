/* Reading exactly, until a delimiter and by lines, with the input cut at every place. */
#include "rota_peer.h"

typedef rota_future (*read_fn)(rota_stream stream, char *buffer, size_t size);

/* Starts a read, sends the text in two parts with turns between, and gives the outcome. */
static rota_outcome read_split(rota_loop loop, rota_stream stream, int raw, read_fn start,
                               char *buffer, size_t size, const char *text, size_t split) {
    rota_future read = start(stream, buffer, size);
    rota_outcome outcome;
    CHECK_STATUS(rota_future_keep(read), ROTA_OK);
    raw_send(raw, text, split);
    turns(loop, 2);
    raw_send(raw, text + split, strlen(text) - split);
    (void)WAIT(loop, read);
    outcome = outcome_of(read);
    outcome.message = "";
    CHECK_STATUS(rota_future_close(read), ROTA_OK);
    return outcome;
}

static void expect_rest(rota_loop loop, rota_stream stream, const char *rest) {
    char buffer[64] = "";
    if (rest[0] == '\0') return;
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(stream, buffer, strlen(rest))), strlen(rest));
    CHECK_TEXT(buffer, rest);
}

static void at_every_split(read_fn start, size_t size, const char *text, int64_t expected,
                           const char *rest) {
    rota_loop loop = open_system();
    int raw;
    rota_stream stream = connect_raw(loop, &raw);
    size_t split;
    for (split = 0; split <= strlen(text); split++) {
        char buffer[64] = "";
        rota_outcome outcome = read_split(loop, stream, raw, start, buffer, size, text, split);
        CHECK_EQ(outcome.status < 0 ? (int64_t)outcome.status : outcome.value, expected);
        if (expected >= 0) {
            CHECK_EQ(outcome.moved_bytes, expected);
            CHECK(memcmp(buffer, text, (size_t)expected) == 0);
            CHECK_EQ(buffer[expected], 0); /* nothing was written behind the end */
        }
        expect_rest(loop, stream, rest);
    }
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* ---- exactly */

static rota_future exactly(rota_stream stream, char *buffer, size_t size) {
    return rota_stream_read_exactly(stream, buffer, size);
}

TEST(exactly_so_many_are_read) { at_every_split(exactly, 8, "abcdefghij", 8, "ij"); }

TEST(exactly_none_is_complete) {
    rota_loop loop = open_system();
    int raw;
    char buffer[4];
    rota_stream stream = connect_raw(loop, &raw);
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(stream, buffer, 0)), 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

TEST(an_end_before_all_has_come_tells_how_much_did) {
    size_t sent;
    for (sent = 0; sent < 5; sent++) {
        rota_loop loop = open_system();
        int raw;
        char buffer[8] = "";
        rota_stream stream = connect_raw(loop, &raw);
        rota_future read = rota_stream_read_exactly(stream, buffer, 5);
        rota_outcome outcome;
        CHECK_STATUS(rota_future_keep(read), ROTA_OK);
        raw_send(raw, "vwxyz", sent);
        close(raw);
        CHECK_STATUS(WAIT(loop, read), ROTA_ERR_EOF);
        outcome = outcome_of(read);
        CHECK_EQ(outcome.moved_bytes, sent);
        CHECK_EQ(outcome.value, 0);
        CHECK(memcmp(buffer, "vwxyz", sent) == 0);
        CHECK_STATUS(rota_future_close(read), ROTA_OK);
        CHECK_EQ(WAIT(loop, rota_stream_read(stream, buffer, 5)), 0);
        CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
        close_clean(loop);
    }
}

/* ---- until a delimiter */

static const char *delimiter;

static rota_future until(rota_stream stream, char *buffer, size_t size) {
    return rota_stream_read_until(stream, buffer, size, delimiter, strlen(delimiter));
}

TEST(a_delimiter_ends_the_read_wherever_the_input_is_cut) {
    delimiter = "\r\n\r\n";
    at_every_split(until, 32, "head\r\n\r\r\n\r\nbody", 11, "body");
    delimiter = "aab";
    at_every_split(until, 32, "aaaaabaab", 6, "aab");
    delimiter = ";";
    at_every_split(until, 32, ";x;", 1, "x;");
    delimiter = "abcabd";
    at_every_split(until, 32, "abcabcabdz", 9, "z");
}

TEST(the_delimiter_may_just_fit) {
    delimiter = "\r\n";
    at_every_split(until, 6, "four\r\nmore", 6, "more");
}

TEST(a_limit_loses_nothing) {
    delimiter = "\r\n";
    at_every_split(until, 5, "four\r\n", ROTA_ERR_LIMIT, "four\r\n");
    at_every_split(until, 4, "0123456789\r\n", ROTA_ERR_LIMIT, "0123456789\r\n");
}

TEST(after_a_limit_a_larger_buffer_gets_it_all) {
    rota_loop loop = open_system();
    int raw;
    char buffer[32] = "";
    rota_stream stream = connect_raw(loop, &raw);
    raw_send_text(raw, "0123456789\n");
    CHECK_STATUS(WAIT(loop, rota_stream_read_line(stream, buffer, 4)), ROTA_ERR_LIMIT);
    CHECK_STATUS(WAIT(loop, rota_stream_read_line(stream, buffer, 10)), ROTA_ERR_LIMIT);
    CHECK_EQ(WAIT(loop, rota_stream_read_line(stream, buffer, 11)), 11);
    CHECK(memcmp(buffer, "0123456789\n", 11) == 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

TEST(an_end_without_the_delimiter_loses_nothing) {
    rota_loop loop = open_system();
    int raw;
    char buffer[32] = "", rest[32] = "";
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read_until(stream, buffer, 16, "\r\n", 2);
    rota_outcome outcome;
    int64_t left;
    CHECK_STATUS(rota_future_keep(read), ROTA_OK);
    raw_send_text(raw, "half\r");
    close(raw);
    CHECK_STATUS(WAIT(loop, read), ROTA_ERR_EOF);
    outcome = outcome_of(read);
    CHECK_STATUS(rota_future_close(read), ROTA_OK);
    left = WAIT(loop, rota_stream_read(stream, rest, sizeof rest));
    CHECK(left >= 0);
    CHECK_EQ(outcome.moved_bytes + (uint64_t)left, 5); /* told as moved, or still in the stream */
    CHECK(memcmp(outcome.moved_bytes == 5 ? buffer : rest, "half\r", 5) == 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close_clean(loop);
}

TEST(a_delimiter_must_be_something) {
    rota_loop loop = open_system();
    int raw;
    char buffer[8];
    rota_stream stream = connect_raw(loop, &raw);
    CHECK_STATUS(WAIT(loop, rota_stream_read_until(stream, buffer, 8, "", 0)), ROTA_ERR_INVALID);
    CHECK_STATUS(WAIT(loop, rota_stream_read_until(stream, buffer, 8, NULL, 1)), ROTA_ERR_INVALID);
    CHECK_EITHER(WAIT(loop, rota_stream_read_until(stream, buffer, 1, "ab", 2)), ROTA_ERR_INVALID,
                 ROTA_ERR_LIMIT);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* The delimiter and what stands before may come byte by byte. */
TEST(single_bytes_add_up) {
    rota_loop loop = open_system();
    int raw;
    char buffer[32] = "";
    const char *text = "a\rb\r\n\n\r\n\r\n";
    size_t i;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future read = rota_stream_read_until(stream, buffer, sizeof buffer, "\r\n\r\n", 4);
    for (i = 0; i < strlen(text); i++) {
        raw_send(raw, text + i, 1);
        turns(loop, 2);
    }
    CHECK_EQ(WAIT(loop, read), strlen(text));
    CHECK_TEXT(buffer, text);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* ---- lines */

static rota_future line(rota_stream stream, char *buffer, size_t size) {
    return rota_stream_read_line(stream, buffer, size);
}

TEST(a_line_ends_with_its_newline) { at_every_split(line, 32, "one\r\ntwo\n", 5, "two\n"); }

TEST(the_last_line_may_lack_its_newline) {
    rota_loop loop = open_system();
    int raw;
    char buffer[16];
    rota_stream stream = connect_raw(loop, &raw);
    raw_send_text(raw, "one\n\nlast");
    close(raw);
    CHECK_EQ(WAIT(loop, rota_stream_read_line(stream, buffer, sizeof buffer)), 4);
    CHECK(memcmp(buffer, "one\n", 4) == 0);
    CHECK_EQ(WAIT(loop, rota_stream_read_line(stream, buffer, sizeof buffer)), 1);
    CHECK_EQ(buffer[0], '\n');
    CHECK_EQ(WAIT(loop, rota_stream_read_line(stream, buffer, sizeof buffer)), 4);
    CHECK(memcmp(buffer, "last", 4) == 0);
    CHECK_EQ(WAIT(loop, rota_stream_read_line(stream, buffer, sizeof buffer)), 0);
    CHECK_EQ(WAIT(loop, rota_stream_read_line(stream, buffer, sizeof buffer)), 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close_clean(loop);
}

/* What one way of reading has fetched ahead, the others get first. */
TEST(ways_of_reading_can_be_mixed) {
    rota_loop loop = open_system();
    int raw;
    char buffer[32];
    rota_stream stream = connect_raw(loop, &raw);
    raw_send_text(raw, "POST\r\n12345tail;rest");
    CHECK_EQ(WAIT(loop, rota_stream_read_line(stream, buffer, sizeof buffer)), 6);
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(stream, buffer, 5)), 5);
    CHECK(memcmp(buffer, "12345", 5) == 0);
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, buffer, 1)), 1);
    CHECK_EQ(buffer[0], 't');
    CHECK_EQ(WAIT(loop, rota_stream_read_until(stream, buffer, sizeof buffer, ";", 1)), 4);
    CHECK(memcmp(buffer, "ail;", 4) == 0);
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, buffer, sizeof buffer)), 4);
    CHECK(memcmp(buffer, "rest", 4) == 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(exactly_so_many_are_read);
    RUN(exactly_none_is_complete);
    RUN(an_end_before_all_has_come_tells_how_much_did);
    RUN(a_delimiter_ends_the_read_wherever_the_input_is_cut);
    RUN(the_delimiter_may_just_fit);
    RUN(a_limit_loses_nothing);
    RUN(after_a_limit_a_larger_buffer_gets_it_all);
    RUN(an_end_without_the_delimiter_loses_nothing);
    RUN(a_delimiter_must_be_something);
    RUN(single_bytes_add_up);
    RUN(a_line_ends_with_its_newline);
    RUN(the_last_line_may_lack_its_newline);
    RUN(ways_of_reading_can_be_mixed);
    return test_end();
}
