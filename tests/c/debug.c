/* Debug mode: where things were started, told when there is something to tell. */
#include "rota_test.h"

static char lines[4096];

static void keep_line(int32_t level, const char *message, void *user_data) {
    size_t length = strlen(lines);
    (void)user_data;
    snprintf(lines + length, sizeof lines - length, "%d %s\n", level, message);
}

static rota_loop open_logging(uint32_t flags) {
    rota_loop_options options;
    lines[0] = '\0';
    CHECK_STATUS(rota_loop_options_init(&options, sizeof options), ROTA_OK);
    options.flags = flags;
    options.clock = ROTA_CLOCK_VIRTUAL_JUMP;
    options.log = keep_line;
    options.slow_callback_ns = 1;
    rota_loop loop = {0};
    CHECK_STATUS(rota_loop_open(&options, &loop), ROTA_OK);
    return loop;
}

/* A line about something that went wrong; in debug mode it names a place in this very program. */
static void expect_line(const char *what, bool with_place) {
    const char *line = strstr(lines, what);
    if (line == NULL) test_fail(__FILE__, __LINE__, "no \"%s\" in\n%s", what, lines);
    size_t length = strcspn(line, "\n");
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    const char *place = strstr(text, "started at ");
    CHECK((place != NULL) == with_place);
    if (with_place) {
        CHECK(strstr(place, "+0x") != NULL);
        CHECK(strstr(place, "librota") == NULL);
        CHECK(strstr(place, "unknown") == NULL);
    }
}

static void takes_a_while(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status, (void)user_data;
    for (uint64_t began = test_clock(); test_clock() - began < 1000;) continue;
}

static void timer_takes_a_while(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    takes_a_while((rota_loop){0}, status, user_data);
}

static void future_takes_a_while(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)result;
    takes_a_while((rota_loop){0}, ROTA_OK, user_data);
}

static int64_t fails(rota_task task, void *user_data) {
    (void)task;
    takes_a_while((rota_loop){0}, ROTA_OK, user_data);
    return ROTA_ERR_TIMEOUT;
}

static void start_everything(rota_loop loop) {
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = "the culprit";
    CHECK_STATUS(rota_loop_call_soon(loop, takes_a_while, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(loop, 1, timer_takes_a_while, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_then(rota_loop_sleep(loop, 1), future_takes_a_while, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, fails, NULL, &options, NULL), ROTA_OK);
    rota_future lost = rota_future_open(loop);
    CHECK_STATUS(rota_future_fail(lost, ROTA_STATUS_HOST, "lost"), ROTA_OK);
    CHECK_STATUS(rota_future_close(lost), ROTA_OK);
    CHECK_STATUS(rota_loop_advance(loop, 1), ROTA_OK);
    turns(loop, 6);
}

TEST(debug_mode_tells_where_each_kind_of_thing_was_started) {
    rota_loop loop = open_logging(ROTA_LOOP_DEBUG);
    start_everything(loop);
    expect_line("a callback took", true);
    expect_line("a timer's callback took", true);
    expect_line("a callback of a future took", true);
    expect_line("a step of a task took", true);
    expect_line("failure of task the culprit", true);
    expect_line("failure of a future", true);
    close_clean(loop);
}

TEST(without_it_only_failures_are_told_and_no_place) {
    rota_loop loop = open_logging(0);
    start_everything(loop);
    CHECK(strstr(lines, "took") == NULL);
    expect_line("failure of task the culprit: ROTA_ERR_TIMEOUT", false);
    expect_line("failure of a future: a status of the host's (-1000000): lost", false);
    close_clean(loop);
}

TEST(it_can_be_turned_on_later) {
    rota_loop loop = open_logging(0);
    CHECK_STATUS(rota_loop_set_debug(loop, true), ROTA_OK);
    start_everything(loop);
    expect_line("a callback took", true);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(debug_mode_tells_where_each_kind_of_thing_was_started);
    RUN(without_it_only_failures_are_told_and_no_place);
    RUN(it_can_be_turned_on_later);
    return test_end();
}
