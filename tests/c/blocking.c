/* Blocking calls on other threads: lazy, bounded, withdrawn if not begun, or the host's own. */
#include "rota_test.h"

#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int begun, at_once, most_at_once;

static void reset_gate(void) {
    pthread_mutex_lock(&lock);
    gate_open = false;
    begun = at_once = most_at_once = 0;
    pthread_mutex_unlock(&lock);
}

static void open_gate(void) {
    pthread_mutex_lock(&lock);
    gate_open = true;
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

/* A job that waits until the gate opens. */
static int64_t waits_at_the_gate(void *user_data) {
    (void)user_data;
    pthread_mutex_lock(&lock);
    begun++;
    if (++at_once > most_at_once) most_at_once = at_once;
    while (!gate_open) pthread_cond_wait(&changed, &lock);
    at_once--;
    pthread_mutex_unlock(&lock);
    return 12;
}

static int64_t tells_its_thread(void *user_data) {
    *(pthread_t *)user_data = pthread_self();
    return 3;
}

static int64_t returns_it(void *user_data) { return *(int64_t *)user_data; }

TEST(a_job_runs_on_another_thread_and_its_result_is_the_outcome) {
    static int64_t results[] = {0, 7, INT64_MAX, ROTA_ERR_NOT_FOUND, ROTA_STATUS_HOST - 2};
    rota_loop loop = open_system();
    pthread_t thread = pthread_self();
    size_t i;
    CHECK_EQ(WAIT(loop, rota_loop_call_blocking(loop, tells_its_thread, &thread)), 3);
    CHECK(!pthread_equal(thread, pthread_self()));
    for (i = 0; i < COUNT(results); i++) {
        CHECK(WAIT(loop, rota_loop_call_blocking(loop, returns_it, &results[i])) == results[i]);
    }
    close_clean(loop);
}

TEST(threads_are_started_only_when_there_is_work) {
    size_t before = running_threads();
    rota_loop loop = open_system();
    pthread_t thread;
    CHECK_EQ(running_threads(), before);
    CHECK_EQ(WAIT(loop, rota_loop_call_blocking(loop, tells_its_thread, &thread)), 3);
    CHECK_EQ(running_threads(), before + 1);
    close_clean(loop);
}

enum { JOBS = 10 };

static void counts_ok(rota_future future, int64_t result, void *user_data) {
    (void)future;
    CHECK_EQ(result, 12);
    ++*(int *)user_data;
}

TEST(no_more_threads_than_allowed) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    rota_loop loop;
    int i, done = 0;
    options.max_threads = 2;
    loop = open_with(&options);
    reset_gate();
    for (i = 0; i < JOBS; i++) {
        CHECK_STATUS(rota_future_then(rota_loop_call_blocking(loop, waits_at_the_gate, NULL),
                                      counts_ok, &done), ROTA_OK);
    }
    CHECK_EQ(stats_of(loop).jobs, JOBS);
    TURN_UNTIL(loop, begun_now() == 2);
    CHECK_EQ(done, 0);
    open_gate();
    TURN_UNTIL(loop, done == JOBS);
    CHECK_EQ(most_at_once, 2);
    close_clean(loop);
}

TEST(a_job_not_begun_is_withdrawn) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    rota_loop loop;
    rota_future first, second;
    options.max_threads = 1;
    loop = open_with(&options);
    reset_gate();
    first = rota_loop_call_blocking(loop, waits_at_the_gate, NULL);
    second = rota_loop_call_blocking(loop, waits_at_the_gate, NULL);
    TURN_UNTIL(loop, begun_now() == 1);
    CHECK_STATUS(rota_future_cancel(second), ROTA_OK);
    CHECK_STATUS(WAIT(loop, second), ROTA_ERR_CANCELLED);
    open_gate();
    CHECK_EQ(WAIT(loop, first), 12);
    CHECK_EQ(begun_now(), 1);
    close_clean(loop);
}

static bool ended;

static int64_t waits_and_tells(void *user_data) {
    int64_t result = waits_at_the_gate(user_data);
    pthread_mutex_lock(&lock);
    ended = true;
    pthread_mutex_unlock(&lock);
    return result;
}

/* Its user data is in use until it ends: so its future lasts as long. */
TEST(a_job_that_runs_ends_when_it_ends) {
    rota_loop loop = open_system();
    rota_future future;
    rota_outcome outcome;
    reset_gate();
    ended = false;
    future = rota_loop_call_blocking(loop, waits_and_tells, NULL);
    TURN_UNTIL(loop, begun_now() == 1);
    CHECK_EITHER(rota_future_cancel(future), ROTA_OK, ROTA_ERR_BUSY);
    turns(loop, 3);
    CHECK_STATUS(rota_future_get_outcome(future, &outcome), ROTA_ERR_PENDING);
    open_gate();
    CHECK_EITHER(WAIT(loop, future), 12, ROTA_ERR_CANCELLED);
    CHECK(ended);
    close_clean(loop);
}

static int64_t awaits_a_job(rota_task task, void *user_data) {
    rota_loop *loop = user_data;
    int64_t result;
    (void)task;
    result = rota_await(rota_loop_call_blocking(*loop, waits_and_tells, NULL));
    CHECK(ended);
    return result;
}

TEST(a_cancelled_task_gets_back_only_when_its_job_has_ended) {
    rota_loop loop = open_system();
    rota_task task;
    rota_outcome outcome;
    rota_future join;
    reset_gate();
    ended = false;
    task = spawn(loop, awaits_a_job, &loop);
    join = rota_task_join(task);
    TURN_UNTIL(loop, begun_now() == 1);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turns(loop, 3);
    CHECK_STATUS(rota_future_get_outcome(join, &outcome), ROTA_ERR_PENDING);
    open_gate();
    CHECK_EITHER(WAIT(loop, join), 12, ROTA_ERR_CANCELLED);
    close_clean(loop);
}

static int64_t goes_on_after_a_job(rota_task task, void *user_data) {
    rota_loop *loop = user_data;
    int64_t result;
    (void)task;
    result = rota_await(rota_loop_call_blocking(*loop, waits_and_tells, NULL));
    if (result == ROTA_ERR_CANCELLED) return 1;
    CHECK_EQ(result, 12); /* the outcome won: then the request meets the next operation */
    CHECK_STATUS(rota_await(rota_loop_sleep(*loop, HOUR)), ROTA_ERR_CANCELLED);
    return 2;
}

TEST(a_request_made_during_a_job_is_not_lost) {
    rota_loop loop = open_system();
    rota_task task;
    reset_gate();
    task = spawn(loop, goes_on_after_a_job, &loop);
    TURN_UNTIL(loop, begun_now() == 1);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    open_gate();
    CHECK_EITHER(WAIT(loop, rota_task_join(task)), 1, 2);
    close_clean(loop);
}

TEST(closing_the_future_of_a_running_job_is_busy) {
    rota_loop loop = open_system();
    rota_future future;
    reset_gate();
    ended = false;
    future = rota_loop_call_blocking(loop, waits_and_tells, NULL);
    TURN_UNTIL(loop, begun_now() == 1);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_BUSY);
    open_gate();
    TURN_UNTIL(loop, stats_of(loop).futures == 0);
    CHECK(ended);
    close_clean(loop);
}

TEST(threads_may_be_forbidden) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    size_t threads = running_threads();
    rota_loop loop;
    options.flags = ROTA_LOOP_NO_THREADS;
    loop = open_with(&options);
    CHECK_STATUS(WAIT(loop, rota_loop_call_blocking(loop, returns_it, NULL)), ROTA_ERR_NO_THREADS);
    CHECK_STATUS(WAIT(loop, rota_loop_call_blocking(loop, NULL, NULL)), ROTA_ERR_INVALID);
    CHECK_EQ(running_threads(), threads);
    close_clean(loop);
}

/* ---- the host's executor */

typedef struct {
    rota_work_fn work;
    void *job;
} errand;

typedef struct {
    errand errands[8];
    size_t count;
    int32_t refuse_with;
} host;

static int32_t host_takes(rota_work_fn work, void *job, void *user_data) {
    host *self = user_data;
    if (self->refuse_with < 0) return self->refuse_with;
    CHECK(self->count < COUNT(self->errands));
    self->errands[self->count].work = work;
    self->errands[self->count].job = job;
    self->count++;
    return 0;
}

static void *runs_an_errand(void *argument) {
    errand *self = argument;
    self->work(self->job);
    return NULL;
}

static void run_errand(errand *self) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, runs_an_errand, self), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

TEST(the_host_may_bring_its_own_executor) {
    static int64_t four = 4, five = 5;
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    host self = {0};
    rota_loop loop;
    rota_future one, other;
    size_t threads = running_threads();
    options.executor = host_takes;
    options.executor_data = &self;
    loop = open_with(&options);
    one = rota_loop_call_blocking(loop, returns_it, &four);
    other = rota_loop_call_blocking(loop, returns_it, &five);
    CHECK_EQ(self.count, 2);
    CHECK_EQ(running_threads(), threads);
    run_errand(&self.errands[1]);
    CHECK_EQ(WAIT(loop, other), 5);
    run_errand(&self.errands[0]);
    CHECK_EQ(WAIT(loop, one), 4);
    self.refuse_with = -1;
    CHECK(WAIT(loop, rota_loop_call_blocking(loop, returns_it, &four)) < 0);
    close_clean(loop);
}

TEST(a_cancelled_job_of_the_hosts_is_not_run_but_given_back) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    host self = {0};
    rota_loop loop;
    rota_future future;
    reset_gate();
    open_gate();
    options.executor = host_takes;
    options.executor_data = &self;
    loop = open_with(&options);
    future = rota_loop_call_blocking(loop, waits_at_the_gate, NULL);
    CHECK_STATUS(rota_future_cancel(future), ROTA_OK);
    CHECK_STATUS(WAIT(loop, future), ROTA_ERR_CANCELLED);
    run_errand(&self.errands[0]); /* the host runs it all the same: it does nothing */
    CHECK_EQ(begun_now(), 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_job_runs_on_another_thread_and_its_result_is_the_outcome);
    RUN(threads_are_started_only_when_there_is_work);
    RUN(no_more_threads_than_allowed);
    RUN(a_job_not_begun_is_withdrawn);
    RUN(a_job_that_runs_ends_when_it_ends);
    RUN(a_cancelled_task_gets_back_only_when_its_job_has_ended);
    RUN(a_request_made_during_a_job_is_not_lost);
    RUN(closing_the_future_of_a_running_job_is_busy);
    RUN(threads_may_be_forbidden);
    RUN(the_host_may_bring_its_own_executor);
    RUN(a_cancelled_job_of_the_hosts_is_not_run_but_given_back);
    return test_end();
}
