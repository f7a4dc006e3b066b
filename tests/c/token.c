/* Tokens: one call tells everybody that something is to end, whoever waits, looks or is attached,
 * here or on another thread; and nobody beside or above. */
#include "rota_threads.h"

static rota_token open_token(rota_loop loop, rota_token parent) {
    rota_token token = {0};
    CHECK_STATUS(rota_loop_open_token(loop, parent, &token), ROTA_OK);
    return token;
}

static const rota_token none = {0};

static bool is_cancelled(rota_token token) {
    bool cancelled = false;
    CHECK_STATUS(rota_token_is_cancelled(token, &cancelled), ROTA_OK);
    return cancelled;
}

static void check_reason(rota_token token, const char *expected) {
    char reason[32];
    CHECK_STATUS(rota_token_get_reason(token, reason, sizeof reason, NULL), ROTA_OK);
    CHECK_TEXT(reason, expected);
}

static int64_t sleeps(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_sleep(*(rota_loop *)user_data, HOUR));
}

static int64_t refuses_once(rota_task task, void *user_data) {
    CHECK_STATUS(sleeps(task, user_data), ROTA_ERR_CANCELLED);
    record("refused");
    return sleeps(task, user_data);
}

TEST(those_who_wait_go_on) {
    rota_loop loop = open_jump();
    rota_token token = open_token(loop, none);
    rota_future first = rota_token_wait(token), second = rota_token_wait(token);
    CHECK_STATUS(rota_future_then(first, record_future, "first"), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(second), ROTA_OK);
    CHECK_STATUS(WAIT(loop, second), ROTA_ERR_CANCELLED);
    CHECK(!is_cancelled(token));
    CHECK_STATUS(rota_token_cancel(token, "enough"), ROTA_OK);
    CHECK_STATUS(rota_token_cancel(token, "again"), ROTA_OK);
    CHECK(is_cancelled(token));
    check_reason(token, "enough");
    CHECK_RECORD("");
    turns(loop, 1);
    CHECK_RECORD("first:ok");
    CHECK_EQ(WAIT(loop, rota_token_wait(token)), 0);
    CHECK_STATUS(rota_token_close(token), ROTA_OK);
    close_clean(loop);
}

TEST(attached_tasks_are_asked_once_in_their_order_and_told_why) {
    rota_loop loop = open_jump();
    rota_token token = open_token(loop, none);
    rota_task first = spawn(loop, refuses_once, &loop), second = spawn(loop, sleeps, &loop);
    rota_future joined = rota_task_join(second);
    CHECK_STATUS(rota_token_attach(token, first), ROTA_OK);
    CHECK_STATUS(rota_token_attach(token, first), ROTA_OK);
    CHECK_STATUS(rota_token_attach(token, second), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_future_keep(joined), ROTA_OK);
    CHECK_STATUS(rota_token_cancel(token, "the level is over"), ROTA_OK);
    CHECK_STATUS(WAIT(loop, joined), ROTA_ERR_CANCELLED);
    CHECK_TEXT(outcome_of(joined).message, "the level is over");
    CHECK_STATUS(rota_future_close(joined), ROTA_OK);
    turns(loop, 3);
    CHECK_RECORD("refused");
    /* It has been asked, and is not attached any more: attached again it is asked again. */
    CHECK_STATUS(rota_token_attach(token, first), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(first)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_token_close(token), ROTA_OK);
    close_clean(loop);
}

/* A token that is closed right after it was cancelled has asked all the same. */
TEST(closing_does_not_take_a_request_back) {
    rota_loop loop = open_jump();
    rota_token token = open_token(loop, none), other = open_token(loop, none);
    rota_task asked = spawn(loop, sleeps, &loop), spared = spawn(loop, sleeps, &loop);
    CHECK_STATUS(rota_token_attach(token, asked), ROTA_OK);
    CHECK_STATUS(rota_token_attach(other, asked), ROTA_OK);
    CHECK_STATUS(rota_token_attach(other, spared), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_token_cancel(token, NULL), ROTA_OK);
    CHECK_STATUS(rota_token_close(token), ROTA_OK);
    CHECK_STATUS(rota_token_close(other), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(asked)), ROTA_ERR_CANCELLED);
    CHECK_EQ(WAIT(loop, rota_task_join(spared)), 0);
    close_clean(loop);
}

TEST(a_task_that_ends_is_let_go) {
    rota_loop loop = open_jump();
    rota_token tokens[3];
    rota_task tasks[30];
    uint64_t before = 0;
    int round, i;
    for (i = 0; i < 3; i++) tokens[i] = open_token(loop, none);
    for (round = 0; round < 50; round++) {
        for (i = 0; i < 30; i++) {
            tasks[i] = spawn(loop, sleeps, &loop);
            CHECK_STATUS(rota_token_attach(tokens[i % 3], tasks[i]), ROTA_OK);
            CHECK_STATUS(rota_token_attach(tokens[(i + round) % 3], tasks[i]), ROTA_OK);
        }
        /* They end in other orders than they came. */
        for (i = 0; i < 30; i++) {
            rota_task task = tasks[i * 7 % 30];
            CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
            CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
        }
        if (round == 1) before = stats_of(loop).memory_bytes;
    }
    CHECK_EQ(stats_of(loop).memory_bytes, before);
    CHECK_STATUS(rota_token_attach(tokens[0], tasks[0]), ROTA_ERR_HANDLE);
    for (i = 0; i < 3; i++) {
        CHECK_STATUS(rota_token_cancel(tokens[i], NULL), ROTA_OK);
        CHECK_STATUS(rota_token_close(tokens[i]), ROTA_OK);
    }
    close_clean(loop);
}

TEST(tokens_below_are_cancelled_and_none_above_or_beside) {
    rota_loop loop = open_jump();
    rota_token root = open_token(loop, none), left = open_token(loop, root);
    rota_token right = open_token(loop, root), deep = open_token(loop, left);
    rota_token deeper = open_token(loop, deep), orphan = open_token(loop, left), late;
    CHECK_STATUS(rota_token_cancel(deep, "deep"), ROTA_OK);
    CHECK(is_cancelled(deep) && is_cancelled(deeper));
    CHECK(!is_cancelled(left) && !is_cancelled(right) && !is_cancelled(root));
    CHECK_STATUS(rota_token_cancel(root, "all"), ROTA_OK);
    CHECK(is_cancelled(left) && is_cancelled(right) && is_cancelled(root) && is_cancelled(orphan));
    check_reason(right, "all");
    check_reason(deeper, "deep");
    late = open_token(loop, left);
    CHECK(is_cancelled(late));
    check_reason(late, "all");
    CHECK_STATUS(rota_token_close(root), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

TEST(a_closed_token_leaves_those_below_on_their_own) {
    rota_loop loop = open_jump();
    rota_token root = open_token(loop, none), middle = open_token(loop, root);
    rota_token first = open_token(loop, middle), second = open_token(loop, middle);
    rota_token beside = open_token(loop, root);
    rota_future waits = rota_token_wait(middle);
    CHECK_STATUS(rota_token_close(middle), ROTA_OK);
    CHECK_STATUS(WAIT(loop, waits), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_token_cancel(root, NULL), ROTA_OK);
    CHECK(is_cancelled(beside) && !is_cancelled(first) && !is_cancelled(second));
    CHECK_STATUS(rota_token_cancel(first, NULL), ROTA_OK);
    CHECK(!is_cancelled(second));
    CHECK_STATUS(rota_token_close(first), ROTA_OK);
    CHECK_STATUS(rota_token_close(beside), ROTA_OK);
    CHECK_STATUS(rota_token_close(root), ROTA_OK);
    CHECK_STATUS(rota_token_cancel(second, NULL), ROTA_OK);
    CHECK_STATUS(rota_token_close(second), ROTA_OK);
    close_clean(loop);
}

/* A random forest, cut down at random, against a model that walks up. */
TEST(what_is_cancelled_is_what_stands_below) {
    enum { COUNT_OF = 200 };
    static rota_token tokens[COUNT_OF];
    static int parents[COUNT_OF];
    static bool cancelled[COUNT_OF];
    rota_loop loop = open_jump();
    uint64_t state = 7;
    int i, round;
    for (i = 0; i < COUNT_OF; i++) {
        parents[i] = i == 0 || i % 17 == 0 ? -1 : (int)(test_random(&state) % (uint64_t)i);
        tokens[i] = open_token(loop, parents[i] < 0 ? none : tokens[parents[i]]);
    }
    for (round = 0; round < 40; round++) {
        int chosen = (int)(test_random(&state) % COUNT_OF);
        CHECK_STATUS(rota_token_cancel(tokens[chosen], NULL), ROTA_OK);
        cancelled[chosen] = true;
        for (i = 0; i < COUNT_OF; i++) {
            if (parents[i] >= 0 && cancelled[parents[i]]) cancelled[i] = true;
            CHECK_EQ(is_cancelled(tokens[i]), cancelled[i]);
        }
    }
    for (i = 0; i < COUNT_OF; i++) CHECK_STATUS(rota_token_close(tokens[i * 7 % 200]), ROTA_OK);
    close_clean(loop);
}

/* ---- other threads */

static void *cancels(void *argument) {
    rota_token token = *(rota_token *)argument;
    CHECK(!is_cancelled(token));
    CHECK_STATUS(rota_token_post_cancel(token), ROTA_OK);
    CHECK_STATUS(rota_token_post_cancel(token), ROTA_OK);
    CHECK(is_cancelled(token));
    return NULL;
}

TEST(another_thread_cancels) {
    rota_loop loop = open_system();
    rota_token token = open_token(loop, none), below = open_token(loop, token);
    rota_task task = spawn(loop, sleeps, &loop);
    rota_future waits = rota_token_wait(below);
    CHECK_STATUS(rota_token_attach(token, task), ROTA_OK);
    turns(loop, 2);
    run_thread(cancels, &token);
    CHECK(is_cancelled(token) && !is_cancelled(below));
    CHECK_EQ(WAIT(loop, waits), 0);
    CHECK(is_cancelled(below));
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_token_close(below), ROTA_OK);
    CHECK_STATUS(rota_token_close(token), ROTA_OK);
    close_clean(loop);
}

static void *looks_until_cancelled(void *argument) {
    rota_token token = *(rota_token *)argument;
    while (!is_cancelled(token)) (void)poll(NULL, 0, 1);
    return NULL;
}

TEST(threads_see_that_a_token_is_cancelled) {
    enum { THREADS = 8 };
    rota_loop loop = open_system();
    rota_token token = open_token(loop, none), below = open_token(loop, token);
    pthread_t threads[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        void *argument = i % 2 == 0 ? &token : &below;
        CHECK_EQ(pthread_create(&threads[i], NULL, looks_until_cancelled, argument), 0);
    }
    CHECK_STATUS(rota_token_cancel(token, "now"), ROTA_OK);
    for (i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_STATUS(rota_token_close(token), ROTA_OK);
    CHECK_STATUS(rota_token_close(below), ROTA_OK);
    close_clean(loop);
}

static void *cancels_what_may_be_gone(void *argument) {
    rota_status status = rota_token_post_cancel(*(rota_token *)argument);
    CHECK_EITHER(status, ROTA_OK, ROTA_ERR_HANDLE);
    return NULL;
}

TEST(a_cancel_meets_a_close) {
    int round;
    for (round = 0; round < 100; round++) {
        rota_loop loop = open_system();
        rota_token token = open_token(loop, none);
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, cancels_what_may_be_gone, &token), 0);
        turns(loop, round % 3);
        if (round % 2 == 0) CHECK_STATUS(rota_token_close(token), ROTA_OK);
        CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
}

TEST(bad_tokens_are_refused) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_token token = {9}, foreign = open_token(other, none), wrong_kind = {loop.id}, closed;
    rota_task task = spawn(other, sleeps, &other);
    bool cancelled;
    CHECK_STATUS(rota_loop_open_token(loop, foreign, &token), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_open_token(loop, wrong_kind, &token), ROTA_ERR_HANDLE);
    closed = open_token(loop, none);
    CHECK_STATUS(rota_token_close(closed), ROTA_OK);
    CHECK_STATUS(rota_loop_open_token(loop, closed, &token), ROTA_ERR_HANDLE);
    CHECK_EQ(token.id, 9);
    token = open_token(loop, none);
    CHECK_STATUS(rota_token_attach(token, task), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_token_post_cancel(closed), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_token_is_cancelled(closed, &cancelled), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_token_cancel(closed, NULL), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_token_close(closed), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_token_close(none), ROTA_OK);
    CHECK_STATUS(rota_token_close(token), ROTA_OK);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    CHECK_STATUS(rota_loop_close(other, SECOND), ROTA_OK);
    close_clean(loop);
    CHECK_STATUS(rota_token_post_cancel(token), ROTA_ERR_HANDLE);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(those_who_wait_go_on);
    RUN(attached_tasks_are_asked_once_in_their_order_and_told_why);
    RUN(closing_does_not_take_a_request_back);
    RUN(a_task_that_ends_is_let_go);
    RUN(tokens_below_are_cancelled_and_none_above_or_beside);
    RUN(a_closed_token_leaves_those_below_on_their_own);
    RUN(what_is_cancelled_is_what_stands_below);
    RUN(another_thread_cancels);
    RUN(threads_see_that_a_token_is_cancelled);
    RUN(a_cancel_meets_a_close);
    RUN(bad_tokens_are_refused);
    return test_end();
}
