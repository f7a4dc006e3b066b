/* asyncio's tests of threads, restated: calls on other threads, calls from them, a loop in each. */
#include "parity.h"

#include <stdatomic.h>

/* ---- calls on other threads */

typedef struct {
    int64_t left, right;
    atomic_int calls;
    int64_t answer;
} call;

static int64_t adds(void *user_data) {
    call *self = user_data;
    atomic_fetch_add(&self->calls, 1);
    return self->answer < 0 ? self->answer : self->left + self->right;
}

static rota_loop loop;

static int64_t calls_on_a_thread(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_call_blocking(loop, adds, user_data));
}

TEST(a_task_has_the_result_or_the_failure_of_a_call_that_was_made_once) {
    call sum = {.left = 40, .right = 2}, failing = {.answer = ROTA_STATUS_HOST};
    loop = open_system();
    CHECK_EQ(run_task(loop, calls_on_a_thread, &sum), 42);
    CHECK_EQ(atomic_load(&sum.calls), 1);
    CHECK_STATUS(run_task(loop, calls_on_a_thread, &failing), ROTA_STATUS_HOST);
    CHECK_EQ(atomic_load(&failing.calls), 1);
    close_clean(loop);
}

TEST(ten_calls_at_once_are_all_made) {
    call shared = {.left = 0};
    rota_future ten[10];
    int i;
    loop = open_system();
    for (i = 0; i < 10; i++) ten[i] = rota_loop_call_blocking(loop, adds, &shared);
    CHECK_EQ(WAIT(loop, rota_loop_gather(loop, ten, 10, 0)), 0);
    CHECK_EQ(atomic_load(&shared.calls), 10);
    close_clean(loop);
}

/* ---- calls from other threads: a task is started there by a post, and its end told back */

typedef struct {
    rota_loop loop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool ended, fails, cancels;
    int64_t result;
} visitor;

static int64_t sleeps_and_answers(rota_task task, void *user_data) {
    visitor *self = user_data;
    int64_t result = rota_await(rota_loop_sleep(self->loop, MILLISECOND));
    if (self->fails) return ROTA_STATUS_HOST - 1;
    if (self->cancels) {
        CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
        result = rota_task_yield(task);
    }
    return result < 0 ? result : 42;
}

static void tells(rota_future future, int64_t result, void *user_data) {
    visitor *self = user_data;
    (void)future;
    pthread_mutex_lock(&self->lock);
    self->result = result;
    self->ended = true;
    pthread_cond_signal(&self->told);
    pthread_mutex_unlock(&self->lock);
}

static void starts(rota_loop of, rota_status status, void *user_data) {
    CHECK_STATUS(status, ROTA_OK);
    CHECK_STATUS(rota_future_then(rota_task_join(spawn(of, sleeps_and_answers, user_data)), tells,
                                  user_data), ROTA_OK);
}

static void *visits(void *argument) {
    visitor *self = argument;
    CHECK_STATUS(rota_loop_post(self->loop, starts, self), ROTA_OK);
    pthread_mutex_lock(&self->lock);
    while (!self->ended) pthread_cond_wait(&self->told, &self->lock);
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

enum { VISITORS = 10 };

/* Each of ten threads starts a task on one loop, and waits for what it comes to. */
static void visit(bool fails, bool cancels, int64_t expected) {
    static visitor visitors[VISITORS];
    int i, ended = 0;
    loop = open_system();
    for (i = 0; i < VISITORS; i++) {
        visitors[i] = (visitor){.loop = loop, .fails = fails, .cancels = cancels};
        CHECK_EQ(pthread_mutex_init(&visitors[i].lock, NULL), 0);
        CHECK_EQ(pthread_cond_init(&visitors[i].told, NULL), 0);
        CHECK_EQ(pthread_create(&visitors[i].thread, NULL, visits, &visitors[i]), 0);
    }
    while (ended < VISITORS) {
        CHECK_STATUS(rota_loop_turn(loop, MILLISECOND, 0, 0, NULL), ROTA_OK);
        for (i = ended = 0; i < VISITORS; i++) ended += visitors[i].ended;
    }
    for (i = 0; i < VISITORS; i++) {
        CHECK_EQ(pthread_join(visitors[i].thread, NULL), 0);
        CHECK_STATUS(visitors[i].result, expected);
        CHECK_EQ(pthread_cond_destroy(&visitors[i].told), 0);
        CHECK_EQ(pthread_mutex_destroy(&visitors[i].lock), 0);
    }
    close_clean(loop);
}

TEST(ten_threads_start_a_task_each_and_have_its_result) { visit(false, false, 42); }
TEST(ten_threads_start_a_task_each_and_have_its_failure) {
    visit(true, false, ROTA_STATUS_HOST - 1);
}
TEST(ten_threads_start_a_task_each_that_cancels_itself) { visit(false, true, CANCELLED); }

/* ---- calls from other threads: waiting there, and cancelling from there */

typedef struct {
    rota_future end;
    rota_task task;
    uint64_t timeout_ns;
    int64_t result;
    bool cancels;
    atomic_bool over;
} guest;

static int64_t sleeps_for_ever(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return rota_await(rota_loop_sleep(loop, ROTA_FOREVER));
}

static int64_t naps(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return rota_await(rota_loop_sleep(loop, MILLISECOND)) < 0 ? CANCELLED : 42;
}

static void *is_a_guest(void *argument) {
    guest *self = argument;
    if (self->cancels) CHECK_STATUS(rota_task_post_cancel(self->task), ROTA_OK);
    self->result = rota_future_wait_blocking(self->end, self->timeout_ns, NULL);
    if (self->result == ROTA_ERR_TIMEOUT) CHECK_STATUS(rota_task_post_cancel(self->task), ROTA_OK);
    atomic_store(&self->over, true);
    return NULL;
}

/* A thread waits for the end of a task, or for a time; and cancels it, before or after that. */
static void be_a_guest(rota_task_fn body, uint64_t timeout_ns, bool cancels, int64_t expected) {
    guest self = {.timeout_ns = timeout_ns, .cancels = cancels};
    pthread_t thread;
    loop = open_system();
    self.task = spawn(loop, body, NULL);
    self.end = rota_task_join(self.task);
    turn(loop);
    CHECK_EQ(pthread_create(&thread, NULL, is_a_guest, &self), 0);
    TURN_UNTIL(loop, atomic_load(&self.over));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_STATUS(self.result, expected);
    if (expected == ROTA_ERR_TIMEOUT) CHECK_STATUS(WAIT(loop, self.end), CANCELLED);
    CHECK_EQ(stats_of(loop).tasks, 0); /* nothing of it is left */
    close_clean(loop);
}

TEST(a_thread_waits_for_the_end_of_a_task) { be_a_guest(naps, ROTA_FOREVER, false, 42); }

TEST(a_thread_whose_time_is_over_cancels_the_task) {
    be_a_guest(sleeps_for_ever, MILLISECOND, false, ROTA_ERR_TIMEOUT);
}

TEST(a_thread_cancels_a_task_and_is_told_that_it_was) {
    be_a_guest(sleeps_for_ever, ROTA_FOREVER, true, CANCELLED);
}

/* ---- a loop in each thread */

enum { THREADS = 10, TASKS = 100 };

static int64_t awaits_it(rota_task task, void *user_data) {
    rota_task current = {0};
    CHECK_STATUS(rota_task_get_current(&current), ROTA_OK);
    CHECK_EQ(current.id, task.id);
    return rota_await(*(rota_future *)user_data);
}

static void *runs_a_loop(void *argument) {
    rota_loop mine = open_system();
    rota_future future = kept(rota_future_open(mine));
    rota_task tasks[TASKS];
    int i;
    (void)argument;
    for (i = 0; i < TASKS; i++) tasks[i] = spawn(mine, awaits_it, &future);
    CHECK_EQ(stats_of(mine).tasks, TASKS); /* none of another thread's */
    turn(mine);
    CHECK_STATUS(rota_future_complete(future, 6), ROTA_OK);
    for (i = 0; i < TASKS; i++) CHECK_EQ(join(mine, tasks[i]), 6);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_loop_close(mine, SECOND), ROTA_OK);
    return NULL;
}

TEST(ten_threads_run_a_loop_each_and_see_their_own_tasks_only) {
    pthread_t threads[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, runs_a_loop, NULL), 0);
    }
    for (i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_task_has_the_result_or_the_failure_of_a_call_that_was_made_once);
    RUN(ten_calls_at_once_are_all_made);
    RUN(ten_threads_start_a_task_each_and_have_its_result);
    RUN(ten_threads_start_a_task_each_and_have_its_failure);
    RUN(ten_threads_start_a_task_each_that_cancels_itself);
    RUN(a_thread_waits_for_the_end_of_a_task);
    RUN(a_thread_whose_time_is_over_cancels_the_task);
    RUN(a_thread_cancels_a_task_and_is_told_that_it_was);
    RUN(ten_threads_run_a_loop_each_and_see_their_own_tasks_only);
    return test_end();
}
