/* What a reading of the whole found wrong once: a few lines each, which failed. */
#include "rota_peer.h"

static void counts_it(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status;
    ++*(int *)user_data;
}

/* ---- turns and their figures */

TEST(figures_without_a_size_are_refused_before_anything_runs) {
    rota_loop loop = open_jump();
    rota_turn_figures figures = {0};
    int ran = 0;
    CHECK_STATUS(rota_loop_call_soon(loop, counts_it, &ran, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, &figures), ROTA_ERR_INVALID);
    CHECK_EQ(ran, 0);
    CHECK_EQ(stats_of(loop).turns, 0);
    CHECK_EQ(turn(loop), 1);
    close_clean(loop);
}

/* A host that sleeps until the figures' deadline must not sleep over what is left. */
TEST(the_next_deadline_of_the_figures_is_now_while_something_is_left) {
    rota_loop loop = open_jump();
    rota_turn_figures figures = {0};
    int ran = 0;
    figures.size = sizeof figures;
    CHECK_STATUS(rota_loop_call_soon(loop, counts_it, &ran, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(loop, counts_it, &ran, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1, &figures), ROTA_OK);
    CHECK_EQ(figures.left, 1);
    CHECK(figures.next_deadline_ns <= now_of(loop));
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1, &figures), ROTA_OK);
    CHECK(figures.next_deadline_ns == ROTA_FOREVER);
    close_clean(loop);
}

/* ---- requests to cancel */

static rota_future promise;

static int64_t counts_requests(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    int64_t told = 0;
    (void)task;
    while (rota_await(rota_loop_sleep(loop, 1)) == ROTA_ERR_CANCELLED) told++;
    return told;
}

TEST(requests_that_came_before_the_task_waited_arrive_each) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, counts_requests, &loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_uncancel(task, NULL), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 2);
    close_clean(loop);
}

static int64_t swallows(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return rota_await(promise) == ROTA_ERR_CANCELLED ? 7 : 1;
}

static int64_t joins_and_goes_on(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    rota_task inner = spawn(loop, swallows, NULL);
    uint32_t requests = 0;
    CHECK_EQ(rota_await(rota_task_join(inner)), 7);
    CHECK_STATUS(rota_task_get_cancelling(task, &requests), ROTA_OK);
    CHECK_EQ(requests, 1);
    CHECK_STATUS(rota_await(rota_loop_sleep(loop, HOUR)), ROTA_ERR_CANCELLED);
    return rota_await(rota_loop_sleep(loop, 1));
}

/* The request was passed on, and refused there: it is still this task's to hear of. */
TEST(a_request_that_a_joined_task_swallowed_meets_the_joiner_at_its_next_operation) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, joins_and_goes_on, &loop);
    promise = open_future(loop);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    rota_task other;
    uint32_t requests;
} ring_member;

static int64_t joins_the_other(rota_task task, void *user_data) {
    ring_member *self = user_data;
    CHECK_STATUS(rota_await(rota_task_join(self->other)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_task_get_cancelling(task, &self->requests), ROTA_OK);
    return rota_await(rota_loop_sleep(self->loop, 1)) == 0 ? ROTA_ERR_CANCELLED : 1;
}

/* The request went round and round, and was counted each time. */
TEST(a_request_goes_once_round_tasks_that_wait_for_each_other) {
    rota_loop loop = open_jump();
    ring_member one = {loop, {0}, 99}, two = {loop, {0}, 99};
    two.other = spawn(loop, joins_the_other, &one);
    one.other = spawn(loop, joins_the_other, &two);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(two.other), ROTA_OK);
    CHECK_STATUS(rota_task_detach(one.other), ROTA_OK);
    CHECK_STATUS(rota_task_detach(two.other), ROTA_OK);
    run_dry(loop);
    CHECK_EQ(one.requests, 1);
    CHECK_EQ(two.requests, 1);
    close_clean(loop);
}

/* ---- blocking calls */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int begun;

static void set_gate(bool open) {
    pthread_mutex_lock(&lock);
    gate_open = open;
    if (!open) begun = 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static int begun_now(void) {
    int count;
    pthread_mutex_lock(&lock);
    count = begun;
    pthread_mutex_unlock(&lock);
    return count;
}

static int64_t waits_at_the_gate(void *user_data) {
    (void)user_data;
    pthread_mutex_lock(&lock);
    begun++;
    while (!gate_open) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return 12;
}

static int64_t works_until_cancelled(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    int64_t jobs = 0;
    (void)task;
    while (rota_await(rota_loop_call_blocking(loop, waits_at_the_gate, NULL)) == 12) jobs++;
    return jobs;
}

/* The job that runs cannot be taken back; without this the task would never hear of it. */
TEST(a_request_that_came_while_a_job_ran_arrives_after_it) {
    rota_loop loop = open_system();
    rota_task task;
    set_gate(false);
    task = spawn(loop, works_until_cancelled, &loop);
    TURN_UNTIL(loop, begun_now() == 1);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    set_gate(true);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 1);
    CHECK_EQ(begun_now(), 1);
    close_clean(loop);
}

/* ---- closing */

/* A stop that nobody answered made every wait of the closing end at once. */
TEST(closing_waits_although_a_stop_was_asked) {
    rota_loop loop = open_system();
    rota_future future;
    uint64_t before;
    set_gate(false);
    future = rota_loop_call_blocking(loop, waits_at_the_gate, NULL);
    TURN_UNTIL(loop, begun_now() == 1);
    before = stats_of(loop).polls;
    CHECK_STATUS(rota_loop_stop(loop), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, 100 * MILLISECOND), ROTA_ERR_BUSY);
    CHECK(stats_of(loop).polls - before < 100);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_BUSY);
    set_gate(true);
    CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
}

/* What the figures of a loop that is busy closing say. */
TEST(closing_says_which_streams_still_send) {
    static char data[64 * 1024];
    rota_loop loop = open_system();
    int raw;
    rota_stream stream = connect_raw(loop, &raw);
    rota_loop_stats stats;
    size_t buffered = 0, sent;
    for (sent = 0; buffered < 4 * sizeof data; sent += sizeof data) {
        CHECK_STATUS(rota_stream_send(stream, data, sizeof data), ROTA_OK);
        CHECK_STATUS(rota_stream_get_buffered(stream, &buffered), ROTA_OK);
    }
    CHECK_STATUS(rota_loop_close(loop, 5 * MILLISECOND), ROTA_ERR_BUSY);
    stats = stats_of(loop);
    CHECK_EQ(stats.streams, 1);
    CHECK_EQ(stats.futures + stats.tasks + stats.jobs + stats.listeners + stats.timers, 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_ERR_HANDLE);
    raw_reset(raw);
    CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
}

/* ---- nesting */

static bool is_readable(int64_t descriptor, int wait_ms) {
    struct pollfd watched = {(int)descriptor, POLLIN, 0};
    return poll(&watched, 1, wait_ms) == 1;
}

TEST(the_descriptor_tells_of_what_a_socket_brought) {
    rota_loop loop = open_system();
    int64_t descriptor = -1, result = 0;
    char buffer[8];
    int raw;
    rota_stream stream = connect_raw(loop, &raw);
    rota_future future = rota_stream_read(stream, buffer, sizeof buffer);
    CHECK_STATUS(rota_future_keep(future), ROTA_OK);
    if (rota_loop_get_descriptor(loop, &descriptor) == ROTA_OK) {
        turns(loop, 2);
        CHECK(!is_readable(descriptor, 0));
        raw_send_text(raw, "nested");
        CHECK(is_readable(descriptor, 10000));
        turn(loop);
        result = outcome_of(future).value;
        CHECK_EQ(result, 6);
        CHECK(!is_readable(descriptor, 0));
    }
    (void)rota_future_close(future);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

static int called_late;

static void comes_late(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)result, (void)user_data;
    called_late++;
}

static void asks_in_the_end(void *user_data) {
    /* The closing loop starts nothing, but what has failed already may be waited for. */
    rota_future failed = rota_loop_sleep(*(rota_loop *)user_data, 1);
    CHECK_STATUS(outcome_of(failed).status, ROTA_ERR_CLOSING);
    CHECK_STATUS(rota_future_then(failed, comes_late, NULL), ROTA_OK);
}

TEST(a_callback_that_the_last_destructor_added_comes_too) {
    rota_loop loop = open_jump();
    static rota_loop copy;
    rota_future future = open_future(loop);
    copy = loop;
    CHECK_STATUS(rota_future_complete_with(future, &copy, asks_in_the_end), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
    CHECK_EQ(called_late, 1);
}

/* ---- errors that nobody looked at */

static int told_count;
static char told_text[256];

static void keeps_the_line(int32_t level, const char *message, void *user_data) {
    (void)level, (void)user_data;
    told_count++;
    snprintf(told_text, sizeof told_text, "%s", message);
}

static int64_t returns_cancelled(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return ROTA_ERR_CANCELLED;
}

/* Detached before its end or after: what nobody asked for is told, under its own name. */
TEST(a_task_that_returned_cancelled_unasked_is_told_however_late_it_was_detached) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    rota_task task;
    options.log = keeps_the_line;
    loop = open_with(&options);
    CHECK_STATUS(rota_loop_spawn(loop, returns_cancelled, NULL, NULL, NULL), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(told_count, 1);
    CHECK(strstr(told_text, "ROTA_ERR_CANCELLED") != NULL);
    task = spawn(loop, returns_cancelled, NULL);
    turns(loop, 2);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    CHECK_EQ(told_count, 2);
    task = spawn(loop, returns_cancelled, NULL);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    CHECK_EQ(told_count, 2);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(figures_without_a_size_are_refused_before_anything_runs);
    RUN(the_next_deadline_of_the_figures_is_now_while_something_is_left);
    RUN(requests_that_came_before_the_task_waited_arrive_each);
    RUN(a_request_that_a_joined_task_swallowed_meets_the_joiner_at_its_next_operation);
    RUN(a_request_goes_once_round_tasks_that_wait_for_each_other);
    RUN(a_request_that_came_while_a_job_ran_arrives_after_it);
    RUN(closing_waits_although_a_stop_was_asked);
    RUN(closing_says_which_streams_still_send);
    RUN(the_descriptor_tells_of_what_a_socket_brought);
    RUN(a_callback_that_the_last_destructor_added_comes_too);
    RUN(a_task_that_returned_cancelled_unasked_is_told_however_late_it_was_detached);
    return test_end();
}
