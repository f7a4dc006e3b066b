/* Where failures came from: chains that are made, passed on, read and logged, and cost little. */
#include "rota_logged.h"

enum { PAGE = ROTA_STATUS_HOST - 1, HEADER = ROTA_STATUS_HOST - 2, OTHER = ROTA_STATUS_HOST - 3 };

/* ---- a chain in one line: "name/status/message" of each */

static char chain[2048];

static void add(const rota_failure *cause) {
    size_t length = strlen(chain);
    CHECK(cause->name != NULL && cause->outcome.message != NULL && cause->size == sizeof *cause);
    snprintf(chain + length, sizeof chain - length, "%s%s/%d/%s", length > 0 ? " " : "",
             cause->name, (int)cause->outcome.status, cause->outcome.message);
}

static const char *causes_of(rota_future future) {
    rota_failure cause;
    size_t depth;
    rota_status status;
    chain[0] = '\0';
    cause.size = sizeof cause;
    for (depth = 0; (status = rota_future_get_cause(future, depth, &cause)) == ROTA_OK; depth++) {
        add(&cause);
    }
    CHECK_STATUS(status, ROTA_ERR_NOT_FOUND);
    return chain;
}

static const char *causes_in(rota_task task) {
    rota_failure cause;
    size_t depth;
    rota_status status;
    chain[0] = '\0';
    cause.size = sizeof cause;
    for (depth = 0; (status = rota_task_get_cause(task, depth, &cause)) == ROTA_OK; depth++) {
        add(&cause);
    }
    CHECK_STATUS(status, ROTA_ERR_NOT_FOUND);
    return chain;
}

static rota_future failed(rota_loop loop, int32_t status, const char *message) {
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_fail(future, status, message), ROTA_OK);
    return future;
}

/* A promise that has failed because of another one, which ends. */
static rota_future failed_because(rota_loop loop, int32_t status, const char *message,
                                  rota_future cause) {
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_fail_because(future, status, message, cause), ROTA_OK);
    CHECK_STATUS(rota_future_close(cause), ROTA_OK);
    return future;
}

/* ---- made by the host */

TEST(a_promise_fails_because_of_another) {
    rota_loop loop = open_logging();
    rota_future first = failed(loop, ROTA_ERR_EOF, "after 12 bytes"), second, third;
    CHECK_TEXT(causes_of(first), "");
    second = failed_because(loop, HEADER, "the header", first);
    CHECK_TEXT(causes_of(second), "/-21/after 12 bytes");
    third = failed_because(loop, PAGE, NULL, second);
    CHECK_TEXT(causes_of(third), "/-1000002/the header /-21/after 12 bytes");
    CHECK_STATUS(outcome_of(third).status, PAGE);
    CHECK_TEXT(outcome_of(third).message, "");
    CHECK_STATUS(rota_future_close(third), ROTA_OK);
    CHECK_EQ(logged, 0); /* a cause has been looked at */
    close_clean(loop);
}

TEST(a_cause_may_be_a_value_and_keeps_its_numbers) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    rota_failure cause;
    rota_stream none = {0};
    CHECK_STATUS(rota_future_fail_because(future, PAGE, "page", rota_loop_gather(loop, NULL, 0, 9)),
                 ROTA_OK);
    cause.size = sizeof cause;
    CHECK_STATUS(rota_future_get_cause(future, 0, &cause), ROTA_OK);
    CHECK_STATUS(cause.outcome.status, ROTA_ERR_INVALID);
    CHECK_EQ(cause.outcome.value, 0);
    CHECK_STATUS(rota_future_get_cause(future, SIZE_MAX, &cause), ROTA_ERR_NOT_FOUND);
    CHECK_STATUS(rota_future_get_cause(rota_stream_read(none, chain, 1), 0, &cause),
                 ROTA_ERR_HANDLE); /* a value of no loop */
    CHECK_STATUS(rota_future_get_cause(rota_loop_gather(loop, NULL, 0, 9), 0, &cause),
                 ROTA_ERR_NOT_FOUND);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    close_clean(loop);
}

TEST(what_is_no_cause_changes_nothing) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_future promise = open_future(loop), pending = open_future(loop), sleep, done, foreign;
    rota_future null = {0};
    rota_failure cause;
    static char large[5000];
    memset(large, 'x', sizeof large - 1);
    cause.size = sizeof cause;
    done = open_future(loop);
    CHECK_STATUS(rota_future_complete(done, 1), ROTA_OK);
    foreign = failed(other, PAGE, "elsewhere");
    sleep = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", pending), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", promise), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", done), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", rota_loop_gather(loop, NULL, 0, 0)),
                 ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", null), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", foreign), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(foreign), ROTA_OK);
    foreign = failed(loop, PAGE, "here");
    CHECK_STATUS(rota_future_fail_because(promise, 5, "", foreign), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, large, foreign), ROTA_ERR_LIMIT);
    CHECK_STATUS(rota_future_fail_because(sleep, PAGE, "", foreign), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_get_cause(promise, 0, &cause), ROTA_ERR_PENDING);
    CHECK_STATUS(rota_future_get_cause(done, 0, &cause), ROTA_ERR_NOT_FOUND);
    CHECK_STATUS(rota_future_get_cause(done, 0, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", foreign), ROTA_OK);
    CHECK_STATUS(rota_future_fail_because(promise, PAGE, "", foreign), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_close(promise), ROTA_OK);
    CHECK_STATUS(rota_future_close(pending), ROTA_OK);
    CHECK_STATUS(rota_future_close(done), ROTA_OK);
    CHECK_STATUS(rota_future_close(foreign), ROTA_OK);
    CHECK_STATUS(rota_future_close(sleep), ROTA_OK);
    close_clean(other);
    close_clean(loop);
}

/* ---- made by tasks */

typedef struct {
    rota_loop loop;
    rota_future source;
    rota_task inner;
    int depth;
} scene;

static rota_task spawn_named(rota_loop loop, rota_task_fn body, void *data, const char *name) {
    rota_task_options options;
    rota_task task = {0};
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = name;
    CHECK_STATUS(rota_loop_spawn(loop, body, data, &options, &task), ROTA_OK);
    return task;
}

static int64_t reads_the_header(rota_task task, void *user_data) {
    scene *self = user_data;
    if (rota_await(self->source) < 0) {
        rota_outcome before;
        CHECK_STATUS(rota_task_get_outcome(task, &before), ROTA_OK);
        CHECK_EQ(rota_task_fail(task, HEADER, "reading the header"), HEADER);
        CHECK_TEXT(before.message, "after 12 bytes"); /* it lives until the next await */
        CHECK_TEXT(causes_in(task), "/-21/after 12 bytes");
        return HEADER;
    }
    return 0;
}

static int64_t fetches_the_page(rota_task task, void *user_data) {
    scene *self = user_data;
    self->inner = spawn_named(self->loop, reads_the_header, self, "reader");
    if (rota_await(rota_task_join(self->inner)) < 0) {
        CHECK_TEXT(causes_in(task), "reader/-1000002/reading the header /-21/after 12 bytes");
        return rota_task_fail(task, PAGE, "fetching the page");
    }
    return 0;
}

#define FETCHED                               \
    "fetch/-1000001/fetching the page "       \
    "reader/-1000002/reading the header "     \
    "/-21/after 12 bytes"

static rota_task fetch(scene *self, rota_loop loop) {
    self->loop = loop;
    self->source = failed(loop, ROTA_ERR_EOF, "after 12 bytes");
    return spawn_named(loop, fetches_the_page, self, "fetch");
}

/* Runs until the future is done, which is kept. */
static rota_future done(rota_loop loop, rota_future future) {
    CHECK_STATUS(rota_future_keep(future), ROTA_OK);
    (void)WAIT(loop, future);
    return future;
}

/* The future has failed so, with such a chain, and is closed. */
static void check(rota_loop loop, rota_future future, int32_t status, const char *message,
                  const char *causes) {
    (void)done(loop, future);
    CHECK_STATUS(outcome_of(future).status, status);
    CHECK_TEXT(outcome_of(future).message, message);
    CHECK_TEXT(causes_of(future), causes);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
}

TEST(a_failure_tells_through_which_tasks_it_came) {
    rota_loop loop = open_logging();
    scene self;
    rota_task task = fetch(&self, loop);
    rota_future one = rota_task_join(task), two = rota_task_join(task);
    CHECK_STATUS(rota_future_keep(two), ROTA_OK);
    check(loop, one, PAGE, "fetching the page", FETCHED);
    check(loop, two, PAGE, "fetching the page", FETCHED); /* a copy for each */
    task = fetch(&self, loop);
    turns(loop, 9);
    CHECK_TEXT(causes_in(task), "reader/-1000002/reading the header /-21/after 12 bytes");
    check(loop, rota_task_join(task), PAGE, "fetching the page", FETCHED); /* after its end */
    CHECK_EQ(logged, 0);
    close_clean(loop);
}

static int64_t awaits_the_source(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((scene *)user_data)->source);
}

static int64_t joins_one_named_inner(rota_task task, void *user_data) {
    scene *self = user_data;
    (void)task;
    return rota_await(rota_task_join(spawn_named(self->loop, awaits_the_source, self, "inner")));
}

TEST(each_named_task_on_the_way_is_told) {
    rota_loop loop = open_jump();
    scene self = {loop, failed(loop, PAGE, "lost"), {0}, 0};
    check(loop, rota_task_join(spawn_named(loop, joins_one_named_inner, &self, "outer")), PAGE,
          "lost", "outer/-1000001/lost inner/-1000001/lost");
    close_clean(loop);
}

TEST(only_a_failure_of_a_named_task_gets_a_link) {
    rota_loop loop = open_jump();
    scene self = {loop, open_future(loop), {0}, 0};
    rota_future join;
    CHECK_STATUS(rota_future_complete(self.source, 3), ROTA_OK);
    join = rota_task_join(spawn_named(loop, awaits_the_source, &self, "fine"));
    check(loop, join, ROTA_OK, "", "");
    self.source = failed(loop, PAGE, "lost");
    check(loop, rota_task_join(spawn(loop, awaits_the_source, &self)), PAGE, "lost", "");
    self.source = open_future(loop);
    CHECK_STATUS(rota_future_cancel(self.source), ROTA_OK);
    join = rota_task_join(spawn_named(loop, awaits_the_source, &self, "cancelled"));
    check(loop, join, ROTA_ERR_CANCELLED, "", "");
    close_clean(loop);
}

static int64_t fails_in_a_step(rota_task task, const rota_outcome *outcome, void *user_data) {
    scene *self = user_data;
    if (self->depth++ == 0) return rota_task_wait(task, self->source);
    CHECK(outcome->status < 0);
    return rota_task_fail(task, HEADER, "in a step");
}

TEST(a_stepped_task_fails_likewise) {
    rota_loop loop = open_jump();
    scene self = {loop, failed(loop, ROTA_ERR_EOF, "end"), {0}, 0};
    rota_task task = {0};
    CHECK_STATUS(rota_loop_spawn_stepped(loop, fails_in_a_step, &self, NULL, &task), ROTA_OK);
    check(loop, rota_task_join(task), HEADER, "in a step", "/-21/end");
    close_clean(loop);
}

static int64_t misuses(rota_task task, void *user_data) {
    scene *self = user_data;
    static char large[5000];
    memset(large, 'x', sizeof large - 1);
    CHECK_STATUS(rota_await(self->source), ROTA_ERR_EOF);
    CHECK_STATUS(rota_task_fail(task, 5, "no status"), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_fail(task, 0, "no status"), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_fail(task, -18, "no status"), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_fail(task, PAGE, large), ROTA_ERR_LIMIT);
    CHECK_STATUS(rota_task_fail(self->inner, PAGE, "another's"), ROTA_ERR_NO_TASK);
    CHECK_TEXT(causes_in(task), "");
    CHECK_STATUS(rota_task_fail(task, PAGE, NULL), PAGE);
    CHECK_TEXT(causes_in(task), "/-21/end");
    CHECK_STATUS(rota_task_fail(task, OTHER, "twice"), OTHER);
    return OTHER;
}

TEST(only_the_running_task_fails_so) {
    rota_loop loop = open_jump();
    scene self = {loop, failed(loop, ROTA_ERR_EOF, "end"), {0}, 0};
    rota_task task = spawn(loop, misuses, &self);
    self.inner = spawn(loop, awaits_the_source, &self);
    CHECK_STATUS(rota_task_fail(task, PAGE, "from outside"), ROTA_ERR_NO_TASK);
    CHECK_STATUS(rota_future_keep(self.source), ROTA_OK);
    check(loop, rota_task_join(task), OTHER, "twice", "/-1000001/ /-21/end");
    CHECK_STATUS(WAIT(loop, rota_task_join(self.inner)), ROTA_ERR_EOF);
    CHECK_STATUS(rota_future_close(self.source), ROTA_OK);
    close_clean(loop);
}

/* ---- passed on */

static rota_future same(rota_future future, int64_t result, void *user_data) {
    (void)result, (void)user_data;
    return future;
}

static int64_t as_it_is(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)user_data;
    return result;
}

static int64_t as_another(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)user_data;
    return result < 0 ? OTHER : result;
}

TEST(whatever_passes_a_failure_on_passes_its_chain_on) {
    rota_loop loop = open_jump();
    scene self;
    int way;
    for (way = 0; way < 6; way++) {
        rota_future join = rota_task_join(fetch(&self, loop)), two[2], outer = {0};
        two[0] = open_future(loop);
        two[1] = join;
        switch (way) {
        case 0: outer = rota_future_wait_for(join, HOUR); break;
        case 1: outer = rota_future_shield(join); break;
        case 2: outer = rota_loop_gather(loop, two, 2, ROTA_GATHER_CANCEL_REST); break;
        case 3: outer = rota_loop_race(loop, two + 1, 1, ROTA_RACE_SUCCESS); break;
        case 4: outer = rota_future_chain(join, same, NULL); break;
        default: outer = rota_future_map(join, as_it_is, NULL); break;
        }
        if (way != 2) CHECK_STATUS(rota_future_close(two[0]), ROTA_OK);
        check(loop, outer, PAGE, "fetching the page", FETCHED);
    }
    check(loop, rota_future_map(rota_task_join(fetch(&self, loop)), as_another, NULL), OTHER, "",
          FETCHED);
    close_clean(loop);
}

TEST(the_end_of_a_time_has_no_other_cause) {
    rota_loop loop = open_jump();
    check(loop, rota_future_wait_for(rota_loop_sleep(loop, HOUR), SECOND), ROTA_ERR_TIMEOUT, "",
          "");
    close_clean(loop);
}

/* ---- long, in the log, and without memory */

TEST(of_a_long_chain_the_root_and_the_latest_are_kept) {
    rota_loop loop = open_jump();
    rota_future future = failed(loop, ROTA_ERR_EOF, "root");
    uint64_t used = 0;
    rota_failure cause;
    int i;
    cause.size = sizeof cause;
    for (i = 0; i < 10000; i++) {
        char message[16];
        snprintf(message, sizeof message, "%d", i);
        future = failed_because(loop, PAGE, message, future);
        if (i == 100) used = stats_of(loop).memory_bytes;
    }
    CHECK(stats_of(loop).memory_bytes <= used + 200);
    CHECK_TEXT(outcome_of(future).message, "9999");
    CHECK_STATUS(rota_future_get_cause(future, 0, &cause), ROTA_OK);
    CHECK_TEXT(cause.outcome.message, "9998");
    CHECK_STATUS(rota_future_get_cause(future, 15, &cause), ROTA_OK);
    CHECK_TEXT(cause.outcome.message, "root");
    CHECK_STATUS(rota_future_get_cause(future, 16, &cause), ROTA_ERR_NOT_FOUND);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    close_clean(loop);
}

TEST(the_log_has_the_chain_in_one_line_once) {
    rota_loop loop = open_logging();
    scene self;
    rota_future future = failed_because(loop, PAGE, "the page", failed(loop, ROTA_ERR_EOF, "end"));
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_EQ(logged, 1);
    CHECK_TEXT(last_line,
               "nobody looked at the failure of a future: "
               "a status of the host's (-1000001): the page: because ROTA_ERR_EOF (-21): end");
    CHECK_STATUS(rota_task_detach(fetch(&self, loop)), ROTA_OK);
    run_dry(loop);
    CHECK_EQ(logged, 2);
    CHECK_TEXT(last_line,
               "nobody looked at the failure of task fetch: "
               "a status of the host's (-1000001): fetching the page: "
               "because task reader: a status of the host's (-1000002): reading the header: "
               "because ROTA_ERR_EOF (-21): after 12 bytes");
    close_clean(loop);
}

/* A message is a block of its length beside a small one that says where it is. */
TEST(a_failure_without_a_cause_takes_no_more_memory_than_its_message) {
    rota_loop loop = open_jump();
    rota_future one = open_future(loop), two = open_future(loop);
    uint64_t used = stats_of(loop).memory_bytes, with_message;
    CHECK_STATUS(rota_future_fail(one, PAGE, "12345678"), ROTA_OK);
    with_message = stats_of(loop).memory_bytes - used;
    CHECK(with_message >= 9 && with_message <= 9 + 4 * sizeof(void *));
    CHECK_STATUS(rota_future_fail(two, PAGE, NULL), ROTA_OK);
    CHECK_EQ(stats_of(loop).memory_bytes - used, with_message);
    CHECK_STATUS(WAIT(loop, one), PAGE);
    CHECK_STATUS(WAIT(loop, two), PAGE);
    close_clean(loop);
}

/* At every limit the promise fails with its chain, or it is as it was. */
TEST(without_memory_a_promise_stays_open_and_a_task_fails_all_the_same) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop = open_with(&options);
    uint64_t base = stats_of(loop).memory_bytes, more;
    int refused = 0, told = 0;
    close_clean(loop);
    for (more = 0; more < 64 * 1024; more += 64) {
        rota_future cause, promise;
        scene self = {{0}, {0}, {0}, 0};
        rota_task task = {0};
        options.memory_limit = base + more;
        loop = open_with(&options);
        self.loop = loop;
        cause = rota_future_open(loop);
        promise = rota_future_open(loop);
        if (rota_future_fail(cause, ROTA_ERR_EOF, "end") == ROTA_OK) {
            rota_status status = rota_future_fail_because(promise, PAGE, "page", cause);
            CHECK_EITHER(status, ROTA_OK, ROTA_ERR_MEMORY);
            refused += status != ROTA_OK;
            if (status == ROTA_OK) CHECK_TEXT(causes_of(promise), "/-21/end");
        }
        (void)rota_future_close(cause);
        (void)rota_future_close(promise);
        self.source = rota_loop_gather(loop, NULL, 0, 9); /* a failure without a slot */
        if (rota_loop_spawn_stepped(loop, fails_in_a_step, &self, NULL, &task) == ROTA_OK) {
            rota_future join = rota_task_join(task);
            rota_outcome outcome;
            if (rota_future_get_outcome(join, &outcome) == ROTA_ERR_PENDING) {
                CHECK_STATUS(rota_future_keep(join), ROTA_OK);
                turns(loop, 3);
                told += outcome_of(join).status == HEADER;
                CHECK_STATUS(outcome_of(join).status, HEADER);
                CHECK_STATUS(rota_future_close(join), ROTA_OK);
            } else {
                CHECK_STATUS(rota_task_detach(task), ROTA_OK);
                turns(loop, 3);
            }
        }
        close_clean(loop);
    }
    CHECK(refused > 0 && told > 0);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_promise_fails_because_of_another);
    RUN(a_cause_may_be_a_value_and_keeps_its_numbers);
    RUN(what_is_no_cause_changes_nothing);
    RUN(a_failure_tells_through_which_tasks_it_came);
    RUN(each_named_task_on_the_way_is_told);
    RUN(only_a_failure_of_a_named_task_gets_a_link);
    RUN(a_stepped_task_fails_likewise);
    RUN(only_the_running_task_fails_so);
    RUN(whatever_passes_a_failure_on_passes_its_chain_on);
    RUN(the_end_of_a_time_has_no_other_cause);
    RUN(of_a_long_chain_the_root_and_the_latest_are_kept);
    RUN(the_log_has_the_chain_in_one_line_once);
    RUN(a_failure_without_a_cause_takes_no_more_memory_than_its_message);
    RUN(without_memory_a_promise_stays_open_and_a_task_fails_all_the_same);
    return test_end();
}
