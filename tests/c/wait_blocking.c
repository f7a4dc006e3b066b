/* Threads block until a future is done: each is answered once, a timeout takes the claim back, and
 * nobody waits for a loop that has gone. */
#include "rota_threads.h"

enum { THREADS = 8, ROUNDS = 500 };

static int64_t sleeps_long(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_sleep(*(rota_loop *)user_data, HOUR));
}

TEST(a_blocked_thread_gets_the_outcome) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop);
    waiter self;
    start_in_line(&self, loop, promise, ROTA_FOREVER);
    CHECK_STATUS(rota_future_complete(promise, 42), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(answer_of(&self), 42);
    CHECK_EQ(self.outcome.value, 42);
    CHECK_TEXT(self.outcome.message, "");
    CHECK_STATUS(rota_future_complete(promise, 1), ROTA_ERR_HANDLE); /* its claim was the last */
    close_clean(loop);
}

static int64_t returns_nonsense(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return -18;
}

/* The library's own words live for ever, the host's end with the future. */
TEST(a_blocked_thread_gets_the_words_that_live_for_ever) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop), ended;
    waiter first, second;
    start_in_line(&first, loop, promise, ROTA_FOREVER);
    CHECK_STATUS(rota_future_fail(promise, ROTA_STATUS_HOST, "gone after this"), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(answer_of(&first), ROTA_STATUS_HOST);
    CHECK_TEXT(first.outcome.message, "");
    ended = rota_task_join(spawn(loop, returns_nonsense, NULL));
    start_in_line(&second, loop, ended, ROTA_FOREVER);
    CHECK_STATUS(answer_of(&second), ROTA_ERR_INVALID);
    close_clean(loop);
    CHECK_TEXT(second.outcome.message, "the body returned a negative number that is not a status");
}

TEST(done_futures_and_values_answer_at_once) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop), value = rota_future_open((rota_loop){0});
    rota_outcome outcome = {0};
    waiter self;
    CHECK_STATUS(rota_future_complete(promise, 5), ROTA_OK);
    start_in_line(&self, loop, promise, ROTA_FOREVER);
    CHECK_EQ(answer_of(&self), 5);
    CHECK_STATUS(rota_future_wait_blocking(value, ROTA_FOREVER, &outcome), ROTA_ERR_HANDLE);
    CHECK_STATUS(outcome.status, ROTA_ERR_HANDLE);
    CHECK_TEXT(outcome.message, "");
    close_clean(loop);
}

TEST(an_object_stays_in_the_future) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop);
    void *result = NULL;
    waiter self;
    start_in_line(&self, loop, promise, ROTA_FOREVER);
    CHECK_STATUS(rota_future_complete_with(promise, &loop, NULL), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(answer_of(&self), 0);
    CHECK_STATUS(rota_future_take_result(promise, &result), ROTA_OK);
    CHECK(result == &loop);
    close_clean(loop);
}

TEST(a_timeout_takes_the_claim_back) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop);
    waiter self, again;
    start_in_line(&self, loop, promise, MILLISECOND);
    CHECK_STATUS(answer_of(&self), ROTA_ERR_TIMEOUT);
    CHECK_EQ(self.outcome.value, 0x5555555555555555);
    turns(loop, 2);
    start_in_line(&again, loop, promise, ROTA_FOREVER);
    CHECK_STATUS(rota_future_complete(promise, 3), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(answer_of(&again), 3);
    close_clean(loop);
}

/* The time is over before the loop hears of it: what the future came to is lost for nobody. */
TEST(an_outcome_that_finds_nobody_stays_for_the_next) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop);
    waiter self, again;
    start_in_line(&self, loop, promise, MILLISECOND);
    CHECK_STATUS(answer_of(&self), ROTA_ERR_TIMEOUT);
    CHECK_STATUS(rota_future_complete(promise, 4), ROTA_OK); /* the loop still has the claim */
    turns(loop, 3);
    start_in_line(&again, loop, promise, ROTA_FOREVER);
    CHECK_EQ(answer_of(&again), 4);
    CHECK_STATUS(rota_future_close(promise), ROTA_ERR_HANDLE);
    close_clean(loop);
}

typedef struct {
    rota_loop loop, other;
    rota_future future;
} two_loops;

static void waits_inside(rota_loop loop, rota_status status, void *user_data) {
    two_loops *self = user_data;
    (void)loop, (void)status;
    CHECK_STATUS(rota_future_wait_blocking(self->future, 0, NULL), ROTA_ERR_REENTRANT);
    record("refused");
}

static void *waits_inside_another_loop(void *argument) {
    two_loops *self = argument;
    rota_loop mine = open_system();
    CHECK_STATUS(rota_loop_call_soon(mine, waits_inside, self, NULL), ROTA_OK);
    turns(mine, 2);
    /* Outside of its own loop's callbacks the thread is as good as any. */
    CHECK_STATUS(rota_future_wait_blocking(self->future, 0, NULL), ROTA_ERR_TIMEOUT);
    close_clean(mine);
    return NULL;
}

TEST(no_loop_is_held_up_by_waiting) {
    rota_loop loop = open_system();
    two_loops self = {loop, {0}, open_future(loop)};
    CHECK_STATUS(rota_future_wait_blocking(self.future, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_call_soon(loop, waits_inside, &self, NULL), ROTA_OK);
    turns(loop, 2);
    run_thread(waits_inside_another_loop, &self);
    CHECK_RECORD("refused refused");
    turns(loop, 2);
    CHECK_STATUS(rota_future_close(self.future), ROTA_OK);
    close_clean(loop);
}

/* ---- loops that go away */

TEST(closing_the_loop_answers_who_is_blocked) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop);
    waiter first, second, third;
    start_in_line(&first, loop, promise, ROTA_FOREVER);
    start(&second, rota_loop_sleep(loop, HOUR), ROTA_FOREVER);
    start(&third, rota_task_join(spawn(loop, sleeps_long, &loop)), ROTA_FOREVER);
    CHECK_STATUS(rota_loop_turn(loop, SECOND, 0, 0, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
    CHECK_STATUS(answer_of(&first), ROTA_ERR_CANCELLED);
    CHECK_STATUS(first.outcome.status, ROTA_ERR_CANCELLED);
    /* These may not have been as far as the loop yet. */
    (void)answer_of(&second);
    if (second.answer != ROTA_ERR_CLOSING && second.answer != ROTA_ERR_HANDLE) {
        CHECK_STATUS(second.answer, ROTA_ERR_CANCELLED);
    }
    (void)answer_of(&third);
    if (third.answer != ROTA_ERR_CLOSING && third.answer != ROTA_ERR_HANDLE) {
        CHECK_STATUS(third.answer, ROTA_ERR_CANCELLED);
    }
}

TEST(abandoning_the_loop_answers_who_is_blocked) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop);
    waiter in_line, on_the_way;
    start_in_line(&in_line, loop, promise, ROTA_FOREVER);
    start(&on_the_way, promise, ROTA_FOREVER);
    WAIT_UNTIL(has_posts(loop));
    CHECK_STATUS(rota_loop_abandon(loop), ROTA_OK);
    CHECK_STATUS(answer_of(&in_line), ROTA_ERR_HANDLE);
    CHECK_STATUS(answer_of(&on_the_way), ROTA_ERR_HANDLE);
    CHECK_EQ(in_line.outcome.value, 0x5555555555555555);
}

/* ---- everything at once */

typedef struct {
    rota_future *promises;
    int answered;
} hammer;

static void *hammers(void *argument) {
    hammer *self = argument;
    int i;
    for (i = 0; i < ROUNDS; i++) {
        int64_t answer = rota_future_wait_blocking(self->promises[i], ROTA_FOREVER, NULL);
        CHECK_EQ(answer, i);
        self->answered++;
    }
    return NULL;
}

static void *completes_all(void *argument) {
    rota_future *promises = argument;
    int i;
    for (i = 0; i < ROUNDS; i++) {
        CHECK_STATUS(rota_future_post_complete(promises[i], i), ROTA_OK);
    }
    return NULL;
}

TEST(many_threads_wait_for_the_same_futures) {
    rota_loop loop = open_system();
    static rota_future promises[ROUNDS];
    hammer hammers_of[THREADS];
    pthread_t threads[THREADS], completer;
    int i;
    for (i = 0; i < ROUNDS; i++) {
        promises[i] = open_future(loop);
        CHECK_STATUS(rota_future_keep(promises[i]), ROTA_OK);
    }
    for (i = 0; i < THREADS; i++) {
        hammers_of[i] = (hammer){promises, 0};
        CHECK_EQ(pthread_create(&threads[i], NULL, hammers, &hammers_of[i]), 0);
    }
    CHECK_EQ(pthread_create(&completer, NULL, completes_all, promises), 0);
    for (i = 0; i < THREADS; i++) {
        turn_until_joined(loop, threads[i]);
        CHECK_EQ(hammers_of[i].answered, ROUNDS);
    }
    CHECK_EQ(pthread_join(completer, NULL), 0);
    for (i = 0; i < ROUNDS; i++) CHECK_STATUS(rota_future_close(promises[i]), ROTA_OK);
    close_clean(loop);
}

static atomic_bool over;

static void *waits_impatiently(void *argument) {
    waiter *self = argument;
    uint64_t patience = 1;
    self->answer = ROTA_ERR_TIMEOUT;
    while (self->answer == ROTA_ERR_TIMEOUT) {
        self->answer = rota_future_wait_blocking(self->future, patience, NULL);
        patience = patience % 200000 * 3 + 1;
    }
    return NULL;
}

/* Time runs out around the moment of completion: the value comes in the end, and once. */
TEST(timeouts_and_completions_meet) {
    rota_loop loop = open_system();
    int round;
    for (round = 0; round < 200; round++) {
        rota_future promise = open_future(loop);
        waiter self = {0};
        self.future = promise;
        CHECK_EQ(pthread_create(&self.thread, NULL, waits_impatiently, &self), 0);
        WAIT_UNTIL(has_posts(loop));
        turns(loop, round % 7);
        CHECK_STATUS(rota_future_post_complete(promise, round), ROTA_OK);
        turn_until_joined(loop, self.thread);
        CHECK_EQ(self.answer, round);
    }
    close_clean(loop);
}

static void *waits_until_the_end(void *argument) {
    rota_future *promise = argument;
    while (!atomic_load(&over)) {
        int64_t answer = rota_future_wait_blocking(*promise, ROTA_FOREVER, NULL);
        if (answer == ROTA_ERR_HANDLE || answer == ROTA_ERR_CLOSING) return NULL;
        CHECK_STATUS(answer, ROTA_ERR_CANCELLED);
    }
    return NULL;
}

TEST(nobody_hangs_on_a_loop_that_is_closed_or_abandoned_meanwhile) {
    int round, i;
    for (round = 0; round < 20; round++) {
        rota_loop loop = open_system();
        rota_future promise = open_future(loop);
        pthread_t threads[THREADS];
        atomic_store(&over, false);
        for (i = 0; i < THREADS; i++) {
            CHECK_EQ(pthread_create(&threads[i], NULL, waits_until_the_end, &promise), 0);
        }
        turns(loop, round % 3);
        if (round % 2 == 0) {
            CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
        } else {
            CHECK_STATUS(rota_loop_abandon(loop), ROTA_OK);
        }
        for (i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_blocked_thread_gets_the_outcome);
    RUN(a_blocked_thread_gets_the_words_that_live_for_ever);
    RUN(done_futures_and_values_answer_at_once);
    RUN(an_object_stays_in_the_future);
    RUN(a_timeout_takes_the_claim_back);
    RUN(an_outcome_that_finds_nobody_stays_for_the_next);
    RUN(no_loop_is_held_up_by_waiting);
    RUN(closing_the_loop_answers_who_is_blocked);
    RUN(abandoning_the_loop_answers_who_is_blocked);
    RUN(many_threads_wait_for_the_same_futures);
    RUN(timeouts_and_completions_meet);
    RUN(nobody_hangs_on_a_loop_that_is_closed_or_abandoned_meanwhile);
    return test_end();
}
