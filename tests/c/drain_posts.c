/* Completions that are posted: from any thread, in order, and where there is no memory. */
#include "rota_test.h"

static void check_none(rota_loop loop) {
    rota_completion next;
    next.size = sizeof next;
    CHECK_STATUS(rota_loop_next_completion(loop, &next), ROTA_ERR_PENDING);
}

/* Fetches all there is, and records it as a callback would be recorded. */
static void fetch(rota_loop loop) {
    rota_completion next;
    memset(&next, 0, sizeof next);
    next.size = sizeof next;
    while (rota_loop_next_completion(loop, &next) == ROTA_OK) {
        record("%s:%s", (const char *)next.user_data, told(next.result));
    }
}

static void fetches_in_callback(rota_loop loop, rota_status status, void *user_data) {
    (void)user_data;
    CHECK_STATUS(status, ROTA_OK);
    fetch(loop);
}

enum { POSTS = 500 };

static void *posts(void *user_data) {
    rota_loop loop = {*(uint64_t *)user_data};
    uintptr_t i;
    for (i = 1; i <= POSTS; i++) {
        CHECK_STATUS(rota_loop_post_completion(loop, (void *)i), ROTA_OK);
    }
    return NULL;
}

TEST(posts_of_a_thread_wake_the_loop_and_keep_their_order) {
    rota_loop loop = open_system();
    rota_completion next = {0};
    uintptr_t seen = 0;
    pthread_t thread;
    next.size = sizeof next;
    CHECK_EQ(pthread_create(&thread, NULL, posts, &loop.id), 0);
    while (seen < POSTS) {
        CHECK_STATUS(rota_loop_turn(loop, 10 * SECOND, 0, 0, NULL), ROTA_OK);
        while (rota_loop_next_completion(loop, &next) == ROTA_OK) {
            CHECK_EQ((uintptr_t)next.user_data, ++seen);
            CHECK(next.future.id == 0 && next.result == 0);
            CHECK_TEXT(next.outcome.message, "");
        }
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    close_clean(loop);
}

TEST(posts_of_both_kinds_keep_one_order) {
    rota_loop loop = open_jump();
    CHECK_STATUS(rota_loop_post_completion(loop, "one"), ROTA_OK);
    CHECK_STATUS(rota_loop_post(loop, fetches_in_callback, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_post_completion(loop, "two"), ROTA_OK);
    check_none(loop);
    turn(loop);
    CHECK_RECORD("one:ok");
    fetch(loop);
    CHECK_RECORD("two:ok");
    close_clean(loop);
}


static void does_nothing(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status, (void)user_data;
}

/* As many futures as the memory allows, so that there is none for anything else. */
static void fill(rota_loop loop) {
    rota_outcome outcome;
    rota_future future;
    do {
        future = rota_future_open(loop);
    } while (rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING);
    CHECK_STATUS(outcome.status, ROTA_ERR_MEMORY);
    while (rota_loop_call_soon(loop, does_nothing, NULL, NULL) == ROTA_OK) continue;
}

TEST(without_memory_posts_get_through_one_after_the_other) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    rota_completion next = {0};
    uintptr_t i, seen = 0;
    int rounds;
    options.memory_limit = 160 * 1024;
    loop = open_with(&options);
    next.size = sizeof next;
    fill(loop);
    for (i = 1; i <= POSTS; i++) {
        CHECK_STATUS(rota_loop_post_completion(loop, (void *)i), ROTA_OK);
    }
    for (rounds = 0; seen < POSTS / 2; rounds++) {
        CHECK(rounds < 2 * POSTS);
        turn(loop);
        while (rota_loop_next_completion(loop, &next) == ROTA_OK) {
            CHECK_EQ((uintptr_t)next.user_data, ++seen);
        }
    }
    /* Closing does not wait for what only we can do, however many are left. */
    while (rota_loop_close(loop, ROTA_FOREVER) == ROTA_ERR_BUSY) {
        while (rota_loop_next_completion(loop, &next) == ROTA_OK) {
            CHECK_EQ((uintptr_t)next.user_data, ++seen);
            CHECK_STATUS(next.result, ROTA_ERR_CANCELLED);
        }
    }
    CHECK_EQ(seen, POSTS);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(posts_of_a_thread_wake_the_loop_and_keep_their_order);
    RUN(posts_of_both_kinds_keep_one_order);
    RUN(without_memory_posts_get_through_one_after_the_other);
    return test_end();
}
