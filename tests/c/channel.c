/* Channels: a hard bound, first come first served among threads and loops, one wake-up for many
 * items, and an answer for everybody who waits when it is shut, closed, or its loop goes. */
#include "rota_channel.h"

#include <sys/syscall.h>

static atomic_size_t writes;

/* Stands before the system's, and counts what is written to anything but the standard streams: with
 * that a thread wakes a loop. */
ssize_t write(int descriptor, const void *data, size_t size) {
    if (descriptor > 2) atomic_fetch_add(&writes, 1);
    return (ssize_t)syscall(SYS_write, descriptor, data, size);
}

TEST(the_capacity_is_a_hard_bound) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 2);
    CHECK_EQ(next_of(channel), '-');
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    CHECK_STATUS(rota_channel_send(channel, letters + 1, HOUR), ROTA_OK);
    CHECK_STATUS(rota_channel_send(channel, letters + 2, 0), ROTA_ERR_LIMIT);
    CHECK_EQ(size_of(channel), 2);
    CHECK_EQ(next_of(channel), 'a');
    CHECK_STATUS(rota_channel_send(channel, letters + 3, 0), ROTA_OK);
    CHECK_EQ(next_of(channel), 'b');
    CHECK_EQ(next_of(channel), 'd');
    CHECK_EQ(next_of(channel), '-');
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

TEST(threads_and_loops_get_room_in_the_order_in_which_they_came) {
    rota_loop loop = open_system(), other = open_system();
    rota_channel channel = open_channel(loop, 1);
    rota_future from_other, from_same;
    sender first, third;
    int i;
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    start_sender(&first, channel, letters + 1, ROTA_FOREVER);
    from_other = rota_loop_send(other, channel, letters + 2);
    start_sender(&third, channel, letters + 3, ROTA_FOREVER);
    from_same = rota_loop_send(loop, channel, letters + 4);
    CHECK_EQ(waiting_for(channel), 4);
    CHECK_EQ(size_of(channel), 1);
    for (i = 0; i < 5; i++) {
        CHECK_EQ(next_of(channel), "abcde"[i]);
        CHECK_EQ(waiting_for(channel), i < 4 ? 3 - i : 0);
        CHECK_EQ(size_of(channel), i < 4 ? 1 : 0);
    }
    CHECK_STATUS(sent(&first), ROTA_OK);
    CHECK_STATUS(sent(&third), ROTA_OK);
    CHECK_EQ(WAIT(other, from_other), 0);
    CHECK_EQ(WAIT(loop, from_same), 0);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
    close_clean(other);
}

TEST(receivers_are_served_in_the_order_in_which_they_came) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 4);
    rota_future first = rota_channel_receive(channel), second = rota_channel_receive(channel);
    rota_future third = rota_channel_receive(channel), last;
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    CHECK_STATUS(rota_channel_send(channel, letters + 1, 0), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(second), ROTA_OK);
    CHECK_STATUS(rota_future_close(second), ROTA_OK);
    /* Nothing has been turned, and who asks now is behind those who wait. */
    CHECK_EQ(next_of(channel), '-');
    CHECK_EQ(letter_in(first), 'a');
    CHECK_EQ(letter_in(third), 'b');
    last = rota_channel_receive(channel);
    CHECK_STATUS(rota_channel_send(channel, letters + 2, 0), ROTA_OK);
    CHECK_EQ(WAIT(loop, last), 0);
    CHECK_EQ(letter_in(last), 'c');
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

enum { MANY = 1000 };

static void *sends_many(void *argument) {
    int i;
    for (i = 0; i < MANY; i++) {
        CHECK_STATUS(rota_channel_send(*(rota_channel *)argument, letters, 0), ROTA_OK);
    }
    return NULL;
}

TEST(many_items_cost_one_wakeup) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, MANY);
    rota_future waits = rota_channel_receive(channel);
    size_t before;
    int i;
    turns(loop, 2);
    before = atomic_load(&writes);
    run_thread(sends_many, &channel);
    CHECK_EQ(atomic_load(&writes) - before, 1);
    CHECK_EQ(WAIT(loop, waits), 0);
    CHECK_EQ(letter_in(waits), 'a');
    for (i = 1; i < MANY; i++) CHECK_EQ(next_of(channel), 'a');
    /* Nobody waits to receive: nobody is told. */
    run_thread(sends_many, &channel);
    CHECK_EQ(atomic_load(&writes) - before, 1);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

/* ---- taken back */

TEST(a_send_that_is_cancelled_has_put_nothing_in) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 1);
    rota_future send;
    CHECK_EQ(WAIT(loop, rota_loop_send(loop, channel, letters)), 0);
    send = rota_loop_send(loop, channel, letters + 1);
    CHECK_STATUS(rota_future_cancel(send), ROTA_OK);
    CHECK_STATUS(WAIT(loop, send), ROTA_ERR_CANCELLED);
    CHECK_EQ(waiting_for(channel), 0);
    CHECK_EQ(next_of(channel), 'a');
    CHECK_EQ(next_of(channel), '-');
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

/* The item is in, and the sending loop has not heard of it: a cancel that says otherwise would have
 * the sender let go of what the receiver has. */
TEST(a_cancel_that_comes_too_late_says_so) {
    rota_loop loop = open_system(), other = open_system();
    rota_channel channel = open_channel(loop, 1);
    rota_future send;
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    send = rota_loop_send(other, channel, letters + 1);
    CHECK_EQ(next_of(channel), 'a');
    CHECK_STATUS(rota_future_cancel(send), ROTA_OK);
    CHECK_EQ(WAIT(other, send), 0);
    CHECK_EQ(next_of(channel), 'b');
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
    close_clean(other);
}

TEST(a_thread_whose_time_is_over_has_put_nothing_in) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 1);
    sender self = {channel, letters + 1, MILLISECOND, ROTA_OK, 0};
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_OK);
    run_thread(sends, &self);
    CHECK_STATUS(self.status, ROTA_ERR_TIMEOUT);
    CHECK_EQ(waiting_for(channel), 0);
    CHECK_EQ(next_of(channel), 'a');
    CHECK_EQ(next_of(channel), '-');
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

/* ---- who may not block */

static void sends_inside(rota_loop loop, rota_status status, void *user_data) {
    rota_channel channel = *(rota_channel *)user_data;
    (void)loop;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_STATUS(rota_channel_send(channel, letters, HOUR), ROTA_OK);
    CHECK_STATUS(rota_channel_send(channel, letters, HOUR), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_channel_send(channel, letters, 0), ROTA_ERR_LIMIT);
    record("refused");
}

static void *sends_inside_another_loop(void *argument) {
    rota_loop mine = open_system();
    CHECK_STATUS(rota_loop_call_soon(mine, sends_inside, argument, NULL), ROTA_OK);
    turns(mine, 2);
    close_clean(mine);
    return NULL;
}

TEST(no_loop_is_held_up_by_sending) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 1);
    CHECK_STATUS(rota_loop_call_soon(loop, sends_inside, &channel, NULL), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_channel_send(channel, letters, HOUR), ROTA_ERR_REENTRANT);
    CHECK_EQ(next_of(channel), 'a');
    run_thread(sends_inside_another_loop, &channel);
    CHECK_RECORD("refused refused");
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    close_clean(loop);
}

/* ---- tasks on both ends */

enum { ROUNDS = 100 };

static int64_t sends_in_a_task(rota_task task, void *user_data) {
    rota_channel channel = *(rota_channel *)user_data;
    rota_loop loop;
    int i;
    (void)task;
    CHECK_STATUS(rota_loop_get_current(&loop), ROTA_OK);
    for (i = 0; i < ROUNDS; i++) {
        CHECK_EQ(rota_await(rota_loop_send(loop, channel, letters + i % 26)), 0);
    }
    return rota_channel_shutdown(channel);
}

static int64_t receives_in_a_task(rota_task task, void *user_data) {
    rota_channel channel = *(rota_channel *)user_data;
    int64_t count = 0, result;
    (void)task;
    for (;;) {
        rota_future next = rota_channel_receive(channel);
        CHECK_STATUS(rota_future_keep(next), ROTA_OK);
        result = rota_await(next);
        if (result == 0) CHECK_EQ(letter_in(next), letters[count++ % 26]);
        CHECK_STATUS(rota_future_close(next), ROTA_OK);
        if (result != 0) break;
    }
    CHECK_STATUS(result, ROTA_ERR_SHUT);
    return count;
}

static void *runs_a_sending_loop(void *argument) {
    rota_loop mine = open_system();
    CHECK_EQ(run_task(mine, sends_in_a_task, argument), 0);
    close_clean(mine);
    return NULL;
}

TEST(a_task_of_one_loop_sends_to_a_task_of_another) {
    rota_loop loop = open_system();
    rota_channel channel = open_channel(loop, 3);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, runs_a_sending_loop, &channel), 0);
    CHECK_EQ(run_task(loop, receives_in_a_task, &channel), ROUNDS);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    channel = open_channel(loop, 3);
    CHECK_STATUS(rota_loop_spawn(loop, sends_in_a_task, &channel, NULL, NULL), ROTA_OK);
    CHECK_EQ(run_task(loop, receives_in_a_task, &channel), ROUNDS);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(the_capacity_is_a_hard_bound);
    RUN(threads_and_loops_get_room_in_the_order_in_which_they_came);
    RUN(receivers_are_served_in_the_order_in_which_they_came);
    RUN(many_items_cost_one_wakeup);
    RUN(a_send_that_is_cancelled_has_put_nothing_in);
    RUN(a_cancel_that_comes_too_late_says_so);
    RUN(a_thread_whose_time_is_over_has_put_nothing_in);
    RUN(no_loop_is_held_up_by_sending);
    RUN(a_task_of_one_loop_sends_to_a_task_of_another);
    return test_end();
}
