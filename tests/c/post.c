/* Posts from other threads: in order for each thread, at one wake-up a batch, never lost. */
#include "rota_test.h"

#include <stdatomic.h>
#include <sys/syscall.h>

/* Stands before the system's, and counts what is written to anything but the standard streams: with
 * that a thread wakes a loop. */
static atomic_size_t writes;

ssize_t write(int descriptor, const void *data, size_t size) {
    if (descriptor > 2) atomic_fetch_add(&writes, 1);
    return (ssize_t)syscall(SYS_write, descriptor, data, size);
}

enum { THREADS = 4, POSTS = 10000 };

typedef struct {
    rota_loop loop;
    unsigned number;
    uint64_t next;      /* the loop's side: what must come next */
    uint64_t succeeded; /* the thread's side */
    uint64_t answered;
    pthread_t thread;
} poster;

typedef struct {
    poster *from;
    uint64_t place;
} parcel;

static parcel parcels[THREADS][POSTS];
static atomic_int arrived;

static void arrives(rota_loop loop, rota_status status, void *user_data) {
    parcel *self = user_data;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_EQ(self->place, self->from->next);
    self->from->next++;
    if (atomic_fetch_add(&arrived, 1) + 1 == THREADS * POSTS) {
        CHECK_STATUS(rota_loop_stop(loop), ROTA_OK);
    }
}

static void *posts_many(void *argument) {
    poster *self = argument;
    uint64_t i;
    for (i = 0; i < POSTS; i++) {
        parcel *next = &parcels[self->number][i];
        next->from = self;
        next->place = i;
        CHECK_STATUS(rota_loop_post(self->loop, arrives, next), ROTA_OK);
    }
    return NULL;
}

TEST(posts_of_each_thread_keep_their_order_and_wake_a_blocked_run) {
    rota_loop loop = open_system();
    poster posters[THREADS] = {0};
    unsigned i;
    atomic_store(&arrived, 0);
    for (i = 0; i < THREADS; i++) {
        posters[i].loop = loop;
        posters[i].number = i;
        CHECK_EQ(pthread_create(&posters[i].thread, NULL, posts_many, &posters[i]), 0);
    }
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    for (i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(posters[i].thread, NULL), 0);
        CHECK_EQ(posters[i].next, POSTS);
    }
    close_clean(loop);
}

static void *posts_a_thousand(void *argument) {
    int i;
    for (i = 0; i < 1000; i++) {
        CHECK_STATUS(rota_loop_post(*(rota_loop *)argument, record_call, "x"), ROTA_OK);
    }
    return NULL;
}

static void counts(rota_loop loop, rota_status status, void *user_data) {
    (void)loop;
    CHECK_STATUS(status, ROTA_OK);
    ++*(int *)user_data;
}

static void *posts_counted(void *argument) {
    poster *self = argument;
    int i;
    for (i = 0; i < 1000; i++) {
        CHECK_STATUS(rota_loop_post(self->loop, counts, &self->next), ROTA_OK);
    }
    return NULL;
}

TEST(many_posts_cost_one_wakeup) {
    rota_loop loop = open_system();
    poster self = {0};
    uint64_t wakeups = stats_of(loop).wakeups;
    size_t before = atomic_load(&writes);
    self.loop = loop;
    CHECK_EQ(pthread_create(&self.thread, NULL, posts_counted, &self), 0);
    CHECK_EQ(pthread_join(self.thread, NULL), 0);
    CHECK_EQ(atomic_load(&writes) - before, 1);
    TURN_UNTIL(loop, self.next == 1000);
    CHECK(stats_of(loop).wakeups - wakeups <= 1);
    close_clean(loop);
}

TEST(the_loops_own_thread_may_post_too) {
    rota_loop loop = open_jump();
    int count = 0;
    CHECK_STATUS(rota_loop_post(loop, counts, &count), ROTA_OK);
    CHECK_EQ(count, 0);
    TURN_UNTIL(loop, count == 1);
    close_clean(loop);
}

static void posts_again(rota_loop loop, rota_status status, void *user_data) {
    int *left = user_data;
    CHECK_STATUS(status, ROTA_OK);
    if (--*left > 0) {
        CHECK_STATUS(rota_loop_post(loop, posts_again, left), ROTA_OK);
    } else {
        CHECK_STATUS(rota_loop_stop(loop), ROTA_OK);
    }
}

TEST(a_chain_of_posts_goes_on) {
    rota_loop loop = open_system();
    int left = 1000;
    CHECK_STATUS(rota_loop_post(loop, posts_again, &left), ROTA_OK);
    CHECK_STATUS(rota_loop_run(loop), ROTA_OK);
    CHECK_EQ(left, 0);
    close_clean(loop);
}

TEST(bad_posts_are_refused) {
    rota_loop loop = open_system(), null = {0};
    CHECK_STATUS(rota_loop_post(loop, NULL, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_post(null, record_call, NULL), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_wake(null), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_stop(null), ROTA_ERR_HANDLE);
    close_clean(loop);
    CHECK_STATUS(rota_loop_post(loop, record_call, NULL), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_wake(loop), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_stop(loop), ROTA_ERR_HANDLE);
}

/* ---- against a loop that closes */

static void answers(rota_loop loop, rota_status status, void *user_data) {
    poster *self = user_data;
    (void)loop;
    CHECK_EITHER(status, ROTA_OK, ROTA_ERR_CANCELLED);
    self->answered++;
}

static atomic_int posting;

static void *posts_until_refused(void *argument) {
    poster *self = argument;
    rota_status status;
    while ((status = rota_loop_post(self->loop, answers, self)) == ROTA_OK) {
        if (self->succeeded++ == 0) atomic_fetch_add(&posting, 1);
    }
    CHECK_EITHER(status, ROTA_ERR_HANDLE, ROTA_ERR_CLOSING);
    return NULL;
}

TEST(every_post_that_succeeded_before_a_close_is_answered_once) {
    int round;
    for (round = 0; round < 5; round++) {
        rota_loop loop = open_system();
        poster posters[THREADS] = {0};
        unsigned i;
        atomic_store(&posting, 0);
        for (i = 0; i < THREADS; i++) {
            posters[i].loop = loop;
            CHECK_EQ(pthread_create(&posters[i].thread, NULL, posts_until_refused, &posters[i]), 0);
        }
        TURN_UNTIL(loop, atomic_load(&posting) == THREADS);
        CHECK_STATUS(rota_loop_close(loop, 10 * SECOND), ROTA_OK);
        for (i = 0; i < THREADS; i++) {
            CHECK_EQ(pthread_join(posters[i].thread, NULL), 0);
            CHECK_EQ(posters[i].answered, posters[i].succeeded);
        }
    }
}

/* The loop's time is virtual; threads are not: a post wakes it while it waits for nothing. */
TEST(a_virtual_loop_is_woken_too) {
    rota_loop loop = open_jump();
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, posts_a_thousand, &loop), 0);
    TURN_UNTIL(loop, test_record_length == 1000 * 5 - 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    forget_record();
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(posts_of_each_thread_keep_their_order_and_wake_a_blocked_run);
    RUN(many_posts_cost_one_wakeup);
    RUN(the_loops_own_thread_may_post_too);
    RUN(a_chain_of_posts_goes_on);
    RUN(bad_posts_are_refused);
    RUN(every_post_that_succeeded_before_a_close_is_answered_once);
    RUN(a_virtual_loop_is_woken_too);
    return test_end();
}
