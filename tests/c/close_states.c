/* Closing a loop in each state of things: what is pending ends once, and what refuses is told. */
#include "rota_peer.h"

#include <stdatomic.h>
#include <sys/wait.h>

/* Records, and proves that it runs inside the closing call: nothing may be closed again there. */
static void called(rota_loop loop, rota_status status, void *user_data) {
    record("%s:%s", (const char *)user_data, told(status));
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_REENTRANT);
}

static void close_now(rota_loop loop) {
    rota_loop_stats stats = {0};
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    stats.size = sizeof stats;
    CHECK_STATUS(rota_loop_get_stats(loop, &stats), ROTA_ERR_HANDLE);
}

TEST(an_unused_loop_closes) {
    close_now(open_jump());
    close_now(open_system());
}

TEST(pending_calls_come_once_cancelled) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_call_soon(loop, called, "soon", NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_post(loop, called, "post"), ROTA_OK);
    close_now(loop);
    CHECK(strcmp(test_record, "soon:cancelled post:cancelled") == 0 ||
          strcmp(test_record, "post:cancelled soon:cancelled") == 0);
    CHECK_STATUS(rota_loop_call_soon(loop, called, "late", NULL), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_post(loop, called, "late"), ROTA_ERR_HANDLE);
    forget_record();
}

TEST(pending_timers_come_once_cancelled) {
    rota_loop loop = open_jump();
    rota_timer timer;
    CHECK_STATUS(rota_loop_call_later(loop, HOUR, record_timer, "timer", &timer), ROTA_OK);
    close_now(loop);
    CHECK_RECORD("timer:cancelled");
    CHECK_STATUS(rota_timer_cancel(timer), ROTA_ERR_HANDLE);
}

TEST(pending_futures_answer_their_callbacks_once_cancelled) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_then(future, record_future, "a"), ROTA_OK);
    CHECK_STATUS(rota_future_then(future, record_future, "b"), ROTA_OK);
    close_now(loop);
    CHECK_RECORD("a:cancelled b:cancelled");
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_ERR_HANDLE);
}

/* Callbacks of complete futures only waited for their turn: they are pending callbacks too. */
TEST(callbacks_of_complete_futures_come_once) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_then(future, record_future, "f"), ROTA_OK);
    CHECK_STATUS(rota_future_complete(future, 0), ROTA_OK);
    close_now(loop);
    CHECK(strcmp(test_record, "f:ok") == 0 || strcmp(test_record, "f:cancelled") == 0);
    forget_record();
}

static void freed(void *user_data) { record("freed:%s", (const char *)user_data); }

TEST(what_futures_hold_is_freed) {
    rota_loop loop = open_jump();
    rota_future held = open_future(loop), kept = open_future(loop);
    CHECK_STATUS(rota_future_complete_with(held, "held", freed), ROTA_OK);
    CHECK_STATUS(rota_future_keep(kept), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(kept, "kept", freed), ROTA_OK);
    close_now(loop);
    CHECK(strcmp(test_record, "freed:held freed:kept") == 0 ||
          strcmp(test_record, "freed:kept freed:held") == 0);
    forget_record();
}

/* ---- tasks */

static int64_t sleeps_long(rota_task task, void *user_data) {
    rota_loop *loop = user_data;
    (void)task;
    record("start");
    CHECK_STATUS(rota_await(rota_loop_sleep(*loop, HOUR)), ROTA_ERR_CANCELLED);
    record("end");
    return ROTA_ERR_CANCELLED;
}

TEST(tasks_that_wait_are_cancelled) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, sleeps_long, &loop);
    turn(loop);
    close_now(loop);
    CHECK_RECORD("start end");
    CHECK_STATUS(rota_task_cancel(task), ROTA_ERR_HANDLE);
}

TEST(tasks_that_never_started_run_their_body) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_spawn(loop, sleeps_long, &loop, NULL, NULL), ROTA_OK);
    close_now(loop);
    CHECK_RECORD("start end");
}

static int64_t cleans_up_with_waits(rota_task task, void *user_data) {
    rota_loop *loop = user_data;
    CHECK_STATUS(rota_await(rota_loop_sleep(*loop, HOUR)), ROTA_ERR_CANCELLED);
    CHECK_EQ(rota_task_yield(task), 0);
    CHECK_EQ(rota_task_yield(task), 0);
    record("cleaned");
    return ROTA_ERR_CANCELLED;
}

TEST(tasks_may_wait_while_they_end) {
    rota_loop loop = open_jump();
    (void)spawn(loop, cleans_up_with_waits, &loop);
    turn(loop);
    close_now(loop);
    CHECK_RECORD("cleaned");
}

static bool may_end;

static int64_t refuses_to_end(rota_task task, void *user_data) {
    (void)user_data;
    while (!may_end) (void)rota_task_yield(task);
    record("gave in");
    return 0;
}

TEST(a_task_that_refuses_makes_it_busy_and_no_new_work_is_taken) {
    rota_loop loop = open_system();
    rota_future future;
    rota_timer timer;
    rota_task task, other = {0};
    may_end = false;
    task = spawn(loop, refuses_to_end, NULL);
    turn(loop);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_BUSY);
    CHECK_STATUS(rota_loop_close(loop, 5 * MILLISECOND), ROTA_ERR_BUSY);
    CHECK_EQ(stats_of(loop).tasks, 1);
    CHECK_STATUS(rota_loop_call_soon(loop, called, "soon", NULL), ROTA_ERR_CLOSING);
    CHECK_STATUS(rota_loop_post(loop, called, "post"), ROTA_ERR_CLOSING);
    CHECK_STATUS(rota_loop_call_later(loop, 1, record_timer, "t", &timer), ROTA_ERR_CLOSING);
    CHECK_STATUS(rota_loop_spawn(loop, refuses_to_end, NULL, NULL, &other), ROTA_ERR_CLOSING);
    future = rota_loop_sleep(loop, 1);
    CHECK_STATUS(outcome_of(future).status, ROTA_ERR_CLOSING);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    may_end = true;
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("gave in");
}

/* In a child: what is abandoned is leaked, which is the point of it. */
TEST(abandon_gives_up_and_ends_the_handle) {
    int result;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        rota_loop loop = open_system();
        may_end = false;
        CHECK_STATUS(rota_loop_abandon((rota_loop){0}), ROTA_OK);
        (void)spawn(loop, refuses_to_end, NULL);
        turn(loop);
        CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_BUSY);
        CHECK_STATUS(rota_loop_abandon(loop), ROTA_OK);
        CHECK_STATUS(rota_loop_abandon(loop), ROTA_ERR_HANDLE);
        CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, NULL), ROTA_ERR_HANDLE);
        close_clean(open_system()); /* and others are not touched */
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &result, 0), child);
    CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0);
}

/* ---- io and threads */

static void check_cancelled(rota_future future, int64_t result, void *user_data) {
    rota_outcome outcome = outcome_of(future);
    CHECK_STATUS(result, ROTA_ERR_CANCELLED);
    record("%s:%" PRIu64, (const char *)user_data, outcome.moved_bytes);
}

TEST(operations_are_withdrawn_with_their_counts) {
    rota_loop loop = open_system();
    char buffer[16], sent[] = "abc";
    int raw;
    uint16_t port;
    rota_stream stream = connect_raw(loop, &raw);
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future read = rota_stream_read_exactly(stream, buffer, sizeof buffer);
    CHECK_STATUS(rota_future_then(read, check_cancelled, "read"), ROTA_OK);
    CHECK_STATUS(rota_future_then(rota_listener_accept(listener), check_cancelled, "accept"),
                 ROTA_OK);
    raw_send(raw, sent, 3);
    turns(loop, 3);
    close_now(loop);
    CHECK(strstr(test_record, "read:") != NULL && strstr(test_record, "accept:0") != NULL);
    forget_record();
    (void)raw_drain(raw, NULL);
    close(raw);
}

TEST(open_streams_and_listeners_are_closed_with_the_loop) {
    rota_loop loop = open_system();
    int raw;
    uint16_t port;
    rota_stream stream = connect_raw(loop, &raw);
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    close_now(loop);
    CHECK_STATUS(rota_stream_close(stream), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_listener_close(listener), ROTA_ERR_HANDLE);
    CHECK_EQ(raw_drain(raw, NULL), 0);
    close(raw);
    CHECK_EQ(raw_connect_family(4, port), -1);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static atomic_bool begun;

static int64_t passes_the_gate(void *user_data) {
    atomic_store(&begun, true);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    *(bool *)user_data = true;
    return 0;
}

TEST(a_job_on_another_thread_makes_it_busy) {
    rota_loop loop = open_system();
    bool done = false;
    pthread_mutex_lock(&gate);
    CHECK_STATUS(rota_future_then(rota_loop_call_blocking(loop, passes_the_gate, &done),
                                  record_future, "job"), ROTA_OK);
    WAIT_UNTIL(atomic_load(&begun));
    CHECK_STATUS(rota_loop_close(loop, 5 * MILLISECOND), ROTA_ERR_BUSY);
    CHECK_EQ(stats_of(loop).jobs, 1);
    pthread_mutex_unlock(&gate);
    CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
    CHECK(done);
    CHECK(strncmp(test_record, "job:", 4) == 0 && strchr(test_record, ' ') == NULL);
    forget_record();
}

static int64_t cleans_up_in_three_waits(rota_task task, void *user_data) {
    int64_t *cancelled = user_data;
    rota_loop loop;
    int i;
    (void)task;
    CHECK_STATUS(rota_loop_get_current(&loop), ROTA_OK);
    *cancelled += rota_await(rota_loop_sleep(loop, HOUR)) == ROTA_ERR_CANCELLED;
    for (i = 0; i < 3; i++) *cancelled += rota_await(rota_loop_sleep(loop, 1)) < 0;
    return 0;
}

TEST(a_host_that_closes_a_little_each_frame_leaves_cleanup_in_peace) {
    rota_loop loop = open_system();
    int64_t cancelled = 0;
    rota_status status = ROTA_ERR_BUSY;
    CHECK_STATUS(rota_loop_spawn(loop, cleans_up_in_three_waits, &cancelled, NULL, NULL), ROTA_OK);
    turn(loop);
    WAIT_UNTIL(status != ROTA_ERR_BUSY || (status = rota_loop_close(loop, 0)) != ROTA_ERR_BUSY);
    CHECK_STATUS(status, ROTA_OK);
    CHECK_EQ(cancelled, 1);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(an_unused_loop_closes);
    RUN(pending_calls_come_once_cancelled);
    RUN(pending_timers_come_once_cancelled);
    RUN(pending_futures_answer_their_callbacks_once_cancelled);
    RUN(callbacks_of_complete_futures_come_once);
    RUN(what_futures_hold_is_freed);
    RUN(tasks_that_wait_are_cancelled);
    RUN(tasks_that_never_started_run_their_body);
    RUN(tasks_may_wait_while_they_end);
    RUN(a_task_that_refuses_makes_it_busy_and_no_new_work_is_taken);
    RUN(abandon_gives_up_and_ends_the_handle);
    RUN(operations_are_withdrawn_with_their_counts);
    RUN(open_streams_and_listeners_are_closed_with_the_loop);
    RUN(a_job_on_another_thread_makes_it_busy);
    RUN(a_host_that_closes_a_little_each_frame_leaves_cleanup_in_peace);
    return test_end();
}
