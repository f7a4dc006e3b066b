/* How channels end: shut down, closed, with their loop or without; everybody who waits is answered,
 * and every item that was taken is taken by one. */
#include "rota_channel.h"

TEST(a_channel_that_is_shut_gives_out_what_is_in_it) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 2);
    rota_future send;
    sender blocked;
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    CHECK_STATUS(rota_channel_send(channel, letters + 1, 0), ROTA_OK);
    start_sender(&blocked, channel, letters + 2, ROTA_FOREVER);
    send = rota_loop_send(loop, channel, letters + 3);
    CHECK_STATUS(rota_channel_shutdown(channel), ROTA_OK);
    CHECK_STATUS(rota_channel_shutdown(channel), ROTA_OK);
    CHECK_STATUS(sent(&blocked), ROTA_ERR_SHUT);
    CHECK_STATUS(WAIT(loop, send), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_channel_send(channel, letters, HOUR), ROTA_ERR_SHUT);
    CHECK_STATUS(WAIT(loop, rota_loop_send(loop, channel, letters)), ROTA_ERR_SHUT);
    CHECK_EQ(waiting_for(channel), 0);
    CHECK_EQ(next_of(channel), 'a');
    CHECK_EQ(next_of(channel), 'b');
    CHECK_STATUS(WAIT(loop, rota_channel_receive(channel)), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

/* Room that is made after it was shut is nobody's, also while those who wait have not looked. */
TEST(nobody_is_let_in_after_it_was_shut) {
    rota_loop loop = open_system(), other = open_system();
    rota_channel channel = open_channel(loop, 1);
    rota_future send;
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    send = rota_loop_send(other, channel, letters + 1);
    CHECK_STATUS(rota_channel_shutdown(channel), ROTA_OK);
    CHECK_EQ(next_of(channel), 'a');
    CHECK_EQ(next_of(channel), '-');
    CHECK_STATUS(WAIT(other, send), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
    close_clean(other);
}

static void *shuts(void *argument) {
    CHECK_STATUS(rota_channel_shutdown(*(rota_channel *)argument), ROTA_OK);
    return NULL;
}

TEST(shutting_from_another_thread_answers_who_waits_to_receive) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 2);
    rota_future first = rota_channel_receive(channel), second = rota_channel_receive(channel);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, shuts, &channel), 0);
    CHECK_STATUS(WAIT(loop, first), ROTA_ERR_SHUT);
    CHECK_STATUS(WAIT(loop, second), ROTA_ERR_SHUT);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

TEST(closing_answers_everybody_on_both_sides) {
    rota_loop loop = open_system(), other = open_system();
    rota_channel full = open_channel(loop, 1), empty = open_channel(loop, 1);
    rota_future receive = rota_channel_receive(empty), send, near;
    sender blocked;
    CHECK_STATUS(rota_channel_send(full, letters, 0), ROTA_OK);
    start_sender(&blocked, full, letters + 2, ROTA_FOREVER);
    send = rota_loop_send(other, full, letters + 3);
    near = rota_loop_send(loop, full, letters + 4);
    CHECK_STATUS(rota_channel_close(full), ROTA_OK);
    CHECK_STATUS(rota_channel_close(empty), ROTA_OK);
    CHECK_STATUS(sent(&blocked), ROTA_ERR_CANCELLED);
    CHECK_STATUS(WAIT(other, send), ROTA_ERR_CANCELLED);
    CHECK_STATUS(WAIT(loop, near), ROTA_ERR_CANCELLED);
    CHECK_STATUS(WAIT(loop, receive), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_channel_send(full, letters, 0), ROTA_ERR_HANDLE);
    CHECK_STATUS(WAIT(other, rota_loop_send(other, full, letters)), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_channel_shutdown(full), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_channel_close(full), ROTA_ERR_HANDLE);
    close_clean(loop);
    close_clean(other);
}

/* ---- loops that go away */

static void receiving_loop_goes(bool closed) {
    rota_loop loop = open_system(), other = open_system();
    rota_channel channel = open_channel(loop, 1);
    rota_status expected = closed ? ROTA_ERR_CANCELLED : ROTA_ERR_HANDLE;
    rota_future send;
    sender blocked;
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    start_sender(&blocked, channel, letters + 1, ROTA_FOREVER);
    send = rota_loop_send(other, channel, letters + 2);
    if (closed) {
        CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    } else {
        CHECK_STATUS(rota_loop_abandon(loop), ROTA_OK);
    }
    CHECK_STATUS(sent(&blocked), expected);
    CHECK_STATUS(WAIT(other, send), expected);
    CHECK_STATUS(rota_channel_send(channel, letters, ROTA_FOREVER), ROTA_ERR_HANDLE);
    close_clean(other);
}

TEST(closing_the_receiving_loop_answers_the_senders) { receiving_loop_goes(true); }
TEST(abandoning_the_receiving_loop_answers_the_senders) { receiving_loop_goes(false); }

TEST(a_sending_loop_that_goes_takes_its_items_back) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 1);
    int abandoned;
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    for (abandoned = 0; abandoned < 2; abandoned++) {
        rota_loop other = open_system();
        rota_future send = rota_loop_send(other, channel, letters + 1);
        CHECK_STATUS(rota_future_then(send, record_future, "send"), ROTA_OK);
        CHECK_EQ(waiting_for(channel), 1);
        if (abandoned) {
            CHECK_STATUS(rota_loop_abandon(other), ROTA_OK);
        } else {
            CHECK_STATUS(rota_loop_close(other, SECOND), ROTA_OK);
        }
        CHECK_EQ(waiting_for(channel), 0);
    }
    CHECK_RECORD("send:cancelled");
    CHECK_EQ(next_of(channel), 'a');
    CHECK_EQ(next_of(channel), '-');
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

/* ---- bad handles */

TEST(bad_handles_are_refused) {
    rota_loop loop = open_system();
    rota_channel channel = {9}, null = {0}, wrong_kind = {loop.id};
    size_t size = 9;
    CHECK_STATUS(rota_loop_open_channel(loop, 0, &channel), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_open_channel(loop, SIZE_MAX / 8, &channel), ROTA_ERR_MEMORY);
    CHECK_EQ(channel.id, 9);
    CHECK_STATUS(rota_channel_send(null, letters, 0), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_channel_send(wrong_kind, letters, 0), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_channel_get_size(null, &size), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_channel_close(null), ROTA_OK);
    channel = open_channel(loop, 1);
    CHECK_STATUS(rota_channel_get_size(channel, NULL), ROTA_ERR_INVALID);
    close_clean(loop);
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_channel_shutdown(channel), ROTA_ERR_HANDLE);
}

/* ---- everything at once */

enum { THREADS = 8, EACH = 2000 };

typedef struct {
    rota_channel channel;
    int number;
    int in, seen; /* the thread's side; the loop's side */
    int last;
    pthread_t thread;
} worker;

typedef struct {
    worker *from;
    int place;
    int seen;
} parcel;

static parcel parcels[THREADS][EACH];

/* Blocks, tries, and blocks for a moment; what is refused is not in. */
static void *hammers(void *argument) {
    worker *self = argument;
    int i;
    for (i = 0; i < EACH; i++) {
        static const uint64_t patience[] = {ROTA_FOREVER, 0, 20000, ROTA_FOREVER};
        parcel *item = &parcels[self->number][i];
        rota_status status;
        *item = (parcel){self, i, 0};
        status = rota_channel_send(self->channel, item, patience[i % 4]);
        if (status == ROTA_OK) {
            self->in++;
        } else if (status != ROTA_ERR_LIMIT && status != ROTA_ERR_TIMEOUT) {
            CHECK_EITHER(status, ROTA_ERR_SHUT, ROTA_ERR_CANCELLED);
            return NULL;
        }
    }
    return NULL;
}

static void take(void *item) {
    parcel *got = item;
    CHECK_EQ(got->seen, 0);
    CHECK(got->place > got->from->last);
    got->seen = 1;
    got->from->last = got->place;
    got->from->seen++;
}

static void start_all(worker workers[THREADS], rota_channel channel) {
    int i;
    for (i = 0; i < THREADS; i++) {
        workers[i] = (worker){.channel = channel, .number = i, .last = -1};
        CHECK_EQ(pthread_create(&workers[i].thread, NULL, hammers, &workers[i]), 0);
    }
}

/* Takes what comes by both ways, `most` at most: until the channel says that no more will. */
static void take_all(rota_loop loop, rota_channel channel, int most) {
    int taken = 0;
    while (taken < most) {
        rota_future next = rota_channel_receive(channel);
        void *item = NULL;
        CHECK_STATUS(rota_future_keep(next), ROTA_OK);
        if (WAIT(loop, next) == 0) {
            CHECK_STATUS(rota_future_take_result(next, &item), ROTA_OK);
            take(item);
        }
        taken++;
        if (outcome_of(next).status == ROTA_ERR_SHUT) most = 0;
        CHECK_STATUS(rota_future_close(next), ROTA_OK);
        while (rota_channel_try_receive(channel, &item) == ROTA_OK) {
            take(item);
            taken++;
        }
    }
}

static void *joins_and_shuts(void *argument) {
    worker *workers = argument;
    int i;
    for (i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(workers[i].thread, NULL), 0);
    CHECK_STATUS(rota_channel_shutdown(workers[0].channel), ROTA_OK);
    return NULL;
}

TEST(every_item_comes_out_once_in_the_order_of_its_thread) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 4);
    worker workers[THREADS];
    pthread_t closer;
    int i;
    start_all(workers, channel);
    CHECK_EQ(pthread_create(&closer, NULL, joins_and_shuts, workers), 0);
    take_all(loop, channel, INT32_MAX);
    CHECK_EQ(pthread_join(closer, NULL), 0);
    for (i = 0; i < THREADS; i++) CHECK_EQ(workers[i].seen, workers[i].in);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

TEST(what_was_in_when_it_was_shut_comes_out_and_nothing_else) {
    int round, i;
    for (round = 0; round < 10; round++) {
        rota_loop loop = open_system();
        rota_channel channel = open_channel(loop, 3);
        worker workers[THREADS];
        start_all(workers, channel);
        take_all(loop, channel, 200);
        CHECK_STATUS(rota_channel_shutdown(channel), ROTA_OK);
        for (i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(workers[i].thread, NULL), 0);
        take_all(loop, channel, INT32_MAX);
        for (i = 0; i < THREADS; i++) CHECK_EQ(workers[i].seen, workers[i].in);
        CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
        close_clean(loop);
    }
}

static void *hammers_until_it_is_gone(void *argument) {
    rota_channel channel = *(rota_channel *)argument;
    rota_status status;
    do {
        status = rota_channel_send(channel, letters, ROTA_FOREVER);
    } while (status == ROTA_OK);
    CHECK_EITHER(status, ROTA_ERR_HANDLE, ROTA_ERR_CANCELLED);
    return NULL;
}

TEST(nobody_hangs_on_a_channel_that_goes_away) {
    int round, i;
    for (round = 0; round < 30; round++) {
        rota_loop loop = open_system();
        rota_channel channel = open_channel(loop, 2);
        pthread_t threads[THREADS];
        for (i = 0; i < THREADS; i++) {
            CHECK_EQ(pthread_create(&threads[i], NULL, hammers_until_it_is_gone, &channel), 0);
        }
        WAIT_UNTIL(waiting_for(channel) > 0);
        for (i = 0; i < round; i++) (void)next_of(channel);
        if (round % 3 == 0) CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
        if (round % 3 == 1) {
            CHECK_STATUS(rota_loop_abandon(loop), ROTA_OK);
        } else {
            CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
        }
        for (i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_channel_that_is_shut_gives_out_what_is_in_it);
    RUN(nobody_is_let_in_after_it_was_shut);
    RUN(shutting_from_another_thread_answers_who_waits_to_receive);
    RUN(closing_answers_everybody_on_both_sides);
    RUN(closing_the_receiving_loop_answers_the_senders);
    RUN(abandoning_the_receiving_loop_answers_the_senders);
    RUN(a_sending_loop_that_goes_takes_its_items_back);
    RUN(bad_handles_are_refused);
    RUN(every_item_comes_out_once_in_the_order_of_its_thread);
    RUN(what_was_in_when_it_was_shut_comes_out_and_nothing_else);
    RUN(nobody_hangs_on_a_channel_that_goes_away);
    return test_end();
}
