/* Support for the C test programs: checks, loops that must close clean, and a recorder of events.
 *
 * Include it first. Every test is a `TEST(name)`, which main runs with RUN(name): a test that is
 * forgotten there is a compiler warning. RUN also proves that the test left as many descriptors and
 * threads as it found. A failed check ends the process: a program is one process of its own.
 *
 *     TEST(a_loop_opens) { rota_loop loop = open_jump(); close_clean(loop); }
 *     int main(int argc, char **argv) {
 *         test_begin(argc, argv);
 *         RUN(a_loop_opens);
 *         return test_end();
 *     }
 */
#ifndef ROTA_TEST_H
#define ROTA_TEST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <rota.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UNUSED_SAFE __attribute__((unused))
#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- checks */

#define CHECK(condition) \
    ((condition) ? (void)0 : test_fail(__FILE__, __LINE__, "not true: %s", #condition))
#define CHECK_EQ(left, right) \
    test_equal(#left, #right, (int64_t)(left), (int64_t)(right), __FILE__, __LINE__)
#define CHECK_STATUS(expression, expected) \
    test_status(#expression, (int64_t)(expression), (int64_t)(expected), __FILE__, __LINE__)
/* For what is refused with one of two statuses that the contract allows. */
#define CHECK_EITHER(expression, one, other) \
    test_either(#expression, (int64_t)(expression), (one), (other), __FILE__, __LINE__)
#define CHECK_TEXT(text, expected) test_text(#text, (text), (expected), __FILE__, __LINE__)

static const char *test_name = "(outside a test)";

__attribute__((format(printf, 3, 4), noreturn, unused)) static void test_fail(
    const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "%s:%d: in %s: ", file, line, test_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    fflush(stderr);
    _exit(1);
}

UNUSED_SAFE static void test_equal(const char *left_text, const char *right_text, int64_t left,
                                   int64_t right, const char *file, int line) {
    if (left != right) {
        test_fail(file, line, "%s is %" PRId64 ", and %s is %" PRId64, left_text, left, right_text,
                  right);
    }
}

UNUSED_SAFE static const char *status_name(int64_t status) {
    return status > INT32_MIN && status <= 0 ? rota_status_name((int32_t)status) : "a value";
}

UNUSED_SAFE static void test_status(const char *text, int64_t status, int64_t expected,
                                    const char *file, int line) {
    if (status != expected) {
        test_fail(file, line, "%s gave %s (%" PRId64 "), not %s (%" PRId64 ")", text,
                  status_name(status), status, status_name(expected), expected);
    }
}

UNUSED_SAFE static void test_either(const char *text, int64_t status, int64_t one, int64_t other,
                                    const char *file, int line) {
    if (status != one && status != other) {
        test_fail(file, line, "%s gave %s (%" PRId64 "), neither %s nor %s", text,
                  status_name(status), status, status_name(one), status_name(other));
    }
}

UNUSED_SAFE static void test_text(const char *name, const char *text, const char *expected,
                                  const char *file, int line) {
    if (strcmp(text, expected) != 0) {
        test_fail(file, line, "%s is\n  \"%s\", not\n  \"%s\"", name, text, expected);
    }
}

/* ---- the process: descriptors and threads */

static size_t test_entries(const char *path) {
    DIR *folder = opendir(path);
    size_t count = 0;
    if (folder == NULL) return 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

UNUSED_SAFE static size_t open_descriptors(void) { return test_entries("/proc/self/fd"); }
UNUSED_SAFE static size_t running_threads(void) { return test_entries("/proc/self/task"); }

/* Repeats a condition until it holds, for ten seconds at most; others are given a go in between. */
#define WAIT_UNTIL(condition)                                                     \
    do {                                                                          \
        uint64_t wait_end_ = test_clock() + 10 * SECOND;                          \
        while (!(condition) && test_clock() < wait_end_) (void)poll(NULL, 0, 1);  \
        CHECK(condition);                                                         \
    } while (0)

UNUSED_SAFE static uint64_t test_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* ---- running tests */

#define TEST(name) static void name(void)
#define RUN(name) test_run(#name, name)

static const char *test_only;

/* `program NAME` runs one test. */
UNUSED_SAFE static void test_begin(int argc, char **argv) {
    test_only = argc > 1 ? argv[1] : NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
}

UNUSED_SAFE static void test_run(const char *name, void (*body)(void)) {
    size_t descriptors = open_descriptors();
    size_t threads = running_threads();
    if (test_only != NULL && strcmp(test_only, name) != 0) return;
    test_name = name;
    printf("%s\n", name);
    body();
    CHECK_EQ(open_descriptors(), descriptors);
#ifdef __SANITIZE_THREAD__
    (void)threads; /* it starts a thread of its own beside our first */
#else
    /* A thread that was joined may stand in /proc for a moment longer. */
    WAIT_UNTIL(running_threads() == threads);
#endif
    test_name = "(outside a test)";
}

UNUSED_SAFE static int test_end(void) {
    puts("all passed");
    return 0;
}

/* Ends the whole program as skipped. */
UNUSED_SAFE static void test_skip(const char *reason) {
    puts(reason);
    fflush(stdout);
    _exit(77);
}

/* ---- loops */

UNUSED_SAFE static rota_loop_options loop_options(uint32_t clock) {
    rota_loop_options options;
    CHECK_STATUS(rota_loop_options_init(&options, sizeof options), ROTA_OK);
    options.clock = clock;
    return options;
}

UNUSED_SAFE static rota_loop open_with(const rota_loop_options *options) {
    rota_loop loop = {0};
    CHECK_STATUS(rota_loop_open(options, &loop), ROTA_OK);
    CHECK(loop.id != 0);
    return loop;
}

/* Time is the system's: for tests in which the network or other threads take part. */
UNUSED_SAFE static rota_loop open_system(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    return open_with(&options);
}

/* Time jumps to the next deadline when nothing else is left to do. */
UNUSED_SAFE static rota_loop open_jump(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    return open_with(&options);
}

UNUSED_SAFE static rota_loop_stats stats_of(rota_loop loop) {
    rota_loop_stats stats;
    memset(&stats, 0, sizeof stats); /* C++ has warnings for {0} */
    stats.size = sizeof stats;
    CHECK_STATUS(rota_loop_get_stats(loop, &stats), ROTA_OK);
    return stats;
}

UNUSED_SAFE static uint64_t now_of(rota_loop loop) {
    uint64_t now = 0;
    CHECK_STATUS(rota_loop_get_now(loop, &now), ROTA_OK);
    return now;
}

/* One turn that does not wait. */
UNUSED_SAFE static uint64_t turn(rota_loop loop) {
    rota_turn_figures figures;
    memset(&figures, 0, sizeof figures);
    figures.size = sizeof figures;
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, &figures), ROTA_OK);
    return figures.callbacks;
}

UNUSED_SAFE static void turns(rota_loop loop, int count) {
    while (count-- > 0) (void)turn(loop);
}

/* Turns until a condition holds, ten seconds at most. */
#define TURN_UNTIL(loop, condition)                                                     \
    do {                                                                                \
        uint64_t turn_end_ = test_clock() + 10 * SECOND;                                \
        while (!(condition) && test_clock() < turn_end_)                                \
            CHECK_STATUS(rota_loop_turn((loop), MILLISECOND, 0, 0, NULL), ROTA_OK);     \
        CHECK(condition);                                                               \
    } while (0)

UNUSED_SAFE static uint64_t alive_in(rota_loop loop) {
    rota_loop_stats stats = stats_of(loop);
    return stats.ready + stats.timers + stats.futures + stats.tasks + stats.listeners +
           stats.streams + stats.jobs;
}

/* Turns until there is nothing left to do: a jumping clock ends the wait for a timer. */
UNUSED_SAFE static void run_dry(rota_loop loop) {
    while (alive_in(loop) != 0) {
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    }
}

/* Nothing of the test's may be left, and closing then has nothing to wait for. */
UNUSED_SAFE static void close_clean(rota_loop loop) {
    rota_loop_stats stats;
    int rounds;
    for (rounds = 0; rounds < 1000 && alive_in(loop) != 0; rounds++) {
        CHECK_STATUS(rota_loop_turn(loop, MILLISECOND, 0, 0, NULL), ROTA_OK);
    }
    stats = stats_of(loop);
    CHECK_EQ(stats.ready, 0);
    CHECK_EQ(stats.timers, 0);
    CHECK_EQ(stats.futures, 0);
    CHECK_EQ(stats.tasks, 0);
    CHECK_EQ(stats.listeners, 0);
    CHECK_EQ(stats.streams, 0);
    CHECK_EQ(stats.jobs, 0);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_STATUS(rota_loop_get_stats(loop, &stats), ROTA_ERR_HANDLE);
}

/* ---- futures and tasks */

#define WAIT(loop, future) rota_loop_run_until((loop), (future))

UNUSED_SAFE static rota_outcome outcome_of(rota_future future) {
    rota_outcome outcome;
    memset(&outcome, 0x55, sizeof outcome);
    CHECK_STATUS(rota_future_get_outcome(future, &outcome), ROTA_OK);
    CHECK(outcome.message != NULL);
    return outcome;
}

/* Runs until the future is done, reads its outcome and closes it: the message is gone then. */
UNUSED_SAFE static rota_outcome end_of(rota_loop loop, rota_future future) {
    rota_outcome outcome;
    CHECK_STATUS(rota_future_keep(future), ROTA_OK);
    (void)WAIT(loop, future);
    outcome = outcome_of(future);
    outcome.message = "";
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    return outcome;
}

UNUSED_SAFE static rota_future open_future(rota_loop loop) {
    rota_future future = rota_future_open(loop);
    rota_outcome outcome;
    CHECK_STATUS(rota_future_get_outcome(future, &outcome), ROTA_ERR_PENDING);
    return future;
}

UNUSED_SAFE static rota_task spawn(rota_loop loop, rota_task_fn body, void *user_data) {
    rota_task task = {0};
    CHECK_STATUS(rota_loop_spawn(loop, body, user_data, NULL, &task), ROTA_OK);
    CHECK(task.id != 0);
    return task;
}

/* Spawns a task, runs the loop until it has ended, and returns its outcome. */
UNUSED_SAFE static int64_t run_task(rota_loop loop, rota_task_fn body, void *user_data) {
    return WAIT(loop, rota_task_join(spawn(loop, body, user_data)));
}

/* ---- a recorder of events */

static char test_record[8192];
static size_t test_record_length;

/* Adds a word; CHECK_RECORD compares all words, one space between two, and starts afresh. */
__attribute__((format(printf, 1, 2), unused)) static void record(const char *format, ...) {
    char *end = test_record + test_record_length;
    size_t room = sizeof test_record - test_record_length;
    int length;
    va_list arguments;
    va_start(arguments, format);
    if (test_record_length > 0 && room > 1) {
        *end++ = ' ';
        room--;
        test_record_length++;
    }
    length = vsnprintf(end, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) test_fail(__FILE__, __LINE__, "the record is full");
    test_record_length += (size_t)length;
}

UNUSED_SAFE static void forget_record(void) {
    test_record_length = 0;
    test_record[0] = '\0';
}

#define CHECK_RECORD(expected) (CHECK_TEXT(test_record, expected), forget_record())

/* A short name of what a callback was told: "ok", "cancelled", or the number. */
UNUSED_SAFE static const char *told(int64_t status) {
    static char number[32];
    if (status == ROTA_OK) return "ok";
    if (status == ROTA_ERR_CANCELLED) return "cancelled";
    snprintf(number, sizeof number, "%" PRId64, status);
    return number;
}

/* Callbacks that record the word they are given. */
UNUSED_SAFE static void record_call(rota_loop loop, rota_status status, void *user_data) {
    (void)loop;
    record("%s:%s", (const char *)user_data, told(status));
}

UNUSED_SAFE static void record_timer(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    record("%s:%s", (const char *)user_data, told(status));
}

UNUSED_SAFE static void record_future(rota_future future, int64_t result, void *user_data) {
    (void)future;
    record("%s:%s", (const char *)user_data, told(result));
}

/* ---- random numbers that are the same in every run */

UNUSED_SAFE static uint64_t test_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
