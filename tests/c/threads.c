/* Other threads complete futures and cancel tasks: handed over in order, done once, and nothing
 * that is on its way to a loop that ends is lost. */
#include "rota_threads.h"

enum { THREADS = 8 };

/* ---- posts to futures and tasks */

static atomic_int freed;
static pthread_t freed_on;

static void frees(void *result) {
    freed_on = pthread_self();
    atomic_fetch_add(&freed, 1);
    free(result);
}

static void *posts_each_kind(void *argument) {
    rota_future *futures = argument;
    CHECK_STATUS(rota_future_post_complete(futures[0], 7), ROTA_OK);
    CHECK_STATUS(rota_future_post_fail(futures[1], ROTA_STATUS_HOST - 3), ROTA_OK);
    CHECK_STATUS(rota_future_post_complete_with(futures[2], futures, frees), ROTA_OK);
    CHECK_STATUS(rota_future_post_complete_with(futures[3], malloc(8), frees), ROTA_OK);
    /* All too late: nothing happens, and the result is let go. */
    CHECK_STATUS(rota_future_post_complete(futures[1], 8), ROTA_OK);
    CHECK_STATUS(rota_future_post_fail(futures[0], ROTA_ERR_EOF), ROTA_OK);
    CHECK_STATUS(rota_future_post_complete_with(futures[0], malloc(8), frees), ROTA_OK);
    CHECK_STATUS(rota_future_post_complete_with(futures[1], futures, NULL), ROTA_OK);
    return NULL;
}

TEST(a_promise_is_completed_from_another_thread_once) {
    rota_loop loop = open_system();
    rota_future futures[4];
    void *result = NULL;
    int i;
    for (i = 0; i < 4; i++) futures[i] = open_future(loop);
    atomic_store(&freed, 0);
    run_thread(posts_each_kind, futures);
    CHECK_EQ(stats_of(loop).ready, 0);
    turns(loop, 2);
    CHECK_EQ(outcome_of(futures[0]).value, 7);
    CHECK_EQ(outcome_of(futures[1]).status, ROTA_STATUS_HOST - 3);
    CHECK_STATUS(rota_future_take_result(futures[2], &result), ROTA_OK);
    CHECK(result == futures);
    CHECK_EQ(atomic_load(&freed), 1);
    CHECK(pthread_equal(freed_on, pthread_self()));
    CHECK_STATUS(rota_future_close(futures[3]), ROTA_OK);
    CHECK_EQ(atomic_load(&freed), 2);
    CHECK_STATUS(rota_future_close(futures[0]), ROTA_OK);
    CHECK_STATUS(rota_future_close(futures[1]), ROTA_OK);
    close_clean(loop);
}

TEST(only_promises_are_completed) {
    rota_loop loop = open_jump();
    rota_future sleep = rota_loop_sleep(loop, SECOND);
    int result = 0;
    CHECK_STATUS(rota_future_post_complete(sleep, 5), ROTA_OK);
    CHECK_STATUS(rota_future_post_fail(sleep, ROTA_ERR_EOF), ROTA_OK);
    CHECK_STATUS(rota_future_post_complete_with(sleep, &result, NULL), ROTA_OK);
    CHECK_EQ(WAIT(loop, sleep), 0);
    close_clean(loop);
}

static void *posts_in_order(void *argument) {
    rota_future *promise = argument;
    rota_loop loop = *(rota_loop *)(promise + 1);
    CHECK_STATUS(rota_loop_post(loop, record_call, "first"), ROTA_OK);
    CHECK_STATUS(rota_future_post_complete(*promise, 1), ROTA_OK);
    CHECK_STATUS(rota_loop_post(loop, record_call, "second"), ROTA_OK);
    return NULL;
}

TEST(what_one_thread_posts_keeps_its_order) {
    rota_loop loop = open_system();
    struct {
        rota_future promise;
        rota_loop loop;
    } both = {open_future(loop), loop};
    CHECK_STATUS(rota_future_then(both.promise, record_future, "done"), ROTA_OK);
    run_thread(posts_in_order, &both);
    turns(loop, 3);
    CHECK_RECORD("first:ok done:1 second:ok");
    close_clean(loop);
}

static int64_t sleeps_long(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_sleep(*(rota_loop *)user_data, HOUR));
}

static void *cancels(void *argument) {
    CHECK_STATUS(rota_task_post_cancel(*(rota_task *)argument), ROTA_OK);
    return NULL;
}

TEST(a_task_is_cancelled_from_another_thread) {
    rota_loop loop = open_system();
    rota_task task = spawn(loop, sleeps_long, &loop);
    rota_future ended = rota_task_join(task);
    turns(loop, 2);
    run_thread(cancels, &task);
    CHECK_STATUS(WAIT(loop, ended), ROTA_ERR_CANCELLED);
    run_thread(cancels, &task); /* it has ended: nothing happens */
    turns(loop, 2);
    close_clean(loop);
}

static int64_t sleeps_in_a_scope(rota_task task, void *user_data) {
    rota_scope *scope = user_data;
    rota_loop loop;
    int64_t result;
    CHECK_STATUS(rota_loop_get_current(&loop), ROTA_OK);
    CHECK_STATUS(rota_task_enter_scope(task, ROTA_FOREVER, 0, scope), ROTA_OK);
    result = rota_await(rota_loop_sleep(loop, HOUR));
    CHECK_STATUS(rota_scope_leave(*scope, result), ROTA_ERR_CANCELLED);
    return 7; /* it goes on behind the scope */
}

static void *cancels_a_scope(void *argument) {
    CHECK_STATUS(rota_scope_post_cancel(*(rota_scope *)argument), ROTA_OK);
    return NULL;
}

static void *cancels_a_group(void *argument) {
    CHECK_STATUS(rota_group_post_cancel(*(rota_group *)argument), ROTA_OK);
    return NULL;
}

TEST(scopes_and_groups_are_cancelled_from_another_thread) {
    rota_loop loop = open_system();
    rota_scope scope;
    rota_group group;
    rota_future ended = rota_task_join(spawn(loop, sleeps_in_a_scope, &scope));
    turns(loop, 2);
    run_thread(cancels_a_scope, &scope);
    CHECK_EQ(WAIT(loop, ended), 7);
    run_thread(cancels_a_scope, &scope); /* it has been left: nothing happens */
    CHECK_STATUS(rota_loop_open_group(loop, NULL, &group), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(group, sleeps_long, &loop, NULL, NULL), ROTA_OK);
    turns(loop, 2);
    run_thread(cancels_a_group, &group);
    CHECK_STATUS(WAIT(loop, rota_group_wait(group)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    run_thread(cancels_a_group, &group);
    close_clean(loop);
    CHECK_STATUS(rota_scope_post_cancel(scope), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_group_post_cancel(group), ROTA_ERR_HANDLE);
}

TEST(bad_posts_are_refused) {
    rota_loop loop = open_system(), other = open_system();
    rota_future promise = open_future(loop), null = {0}, value = rota_future_open((rota_loop){0});
    rota_future wrong_kind = {loop.id};
    rota_task task = spawn(loop, sleeps_long, &loop), no_task = {promise.id};
    int result = 0;
    CHECK_STATUS(rota_future_post_complete(promise, -1), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_post_fail(promise, 0), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_post_fail(promise, -999999), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_post_complete(null, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_post_complete(value, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_post_fail(wrong_kind, ROTA_ERR_EOF), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_task_post_cancel(no_task), ROTA_ERR_HANDLE);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(promise), ROTA_OK);
    close_clean(loop);
    /* Its loop has gone, and the number may be another's by now. */
    CHECK_STATUS(rota_future_post_complete(promise, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_post_complete_with(promise, &result, frees), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_task_post_cancel(task), ROTA_ERR_HANDLE);
    close_clean(other);
}

/* A thousand loops and more: the numbers go round, and a handle of an old one finds no new one. */
TEST(a_stale_handle_does_not_reach_the_next_loop_of_its_number) {
    rota_loop loop = open_system();
    rota_future promise = open_future(loop);
    int i;
    CHECK_STATUS(rota_future_close(promise), ROTA_OK);
    close_clean(loop);
    for (i = 0; i < 1024; i++) {
        rota_future mine;
        loop = open_system();
        mine = open_future(loop);
        CHECK_STATUS(rota_future_post_complete(promise, 1), ROTA_ERR_HANDLE);
        CHECK_STATUS(rota_future_wait_blocking(promise, 0, NULL), ROTA_ERR_HANDLE);
        CHECK_STATUS(rota_future_close(mine), ROTA_OK);
        CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    }
}

/* ---- results on their way when the loop ends */

static void counts_down(void *result) {
    (void)result;
    atomic_fetch_sub(&freed, 1);
}

static void *posts_counted(void *argument) {
    rota_future *promise = argument;
    int posted = 0;
    /* Not for ever: eight threads are faster than one loop, which would have to catch up. */
    while (posted < 2000 &&
           rota_future_post_complete_with(*promise, argument, counts_down) == ROTA_OK) {
        posted++;
    }
    atomic_fetch_add(&freed, posted);
    return NULL;
}

TEST(every_result_on_its_way_is_let_go_when_the_loop_closes) {
    int round, i;
    for (round = 0; round < 5; round++) {
        rota_loop loop = open_system();
        rota_future promise = open_future(loop);
        pthread_t threads[THREADS];
        atomic_store(&freed, 0);
        for (i = 0; i < THREADS; i++) {
            CHECK_EQ(pthread_create(&threads[i], NULL, posts_counted, &promise), 0);
        }
        TURN_UNTIL(loop, atomic_load(&freed) != 0);
        CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
        for (i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_EQ(atomic_load(&freed), 0);
    }
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_promise_is_completed_from_another_thread_once);
    RUN(only_promises_are_completed);
    RUN(what_one_thread_posts_keeps_its_order);
    RUN(a_task_is_cancelled_from_another_thread);
    RUN(scopes_and_groups_are_cancelled_from_another_thread);
    RUN(bad_posts_are_refused);
    RUN(a_stale_handle_does_not_reach_the_next_loop_of_its_number);
    RUN(every_result_on_its_way_is_let_go_when_the_loop_closes);
    return test_end();
}
