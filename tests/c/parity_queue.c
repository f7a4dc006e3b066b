/* asyncio's tests of queues, restated. */
#include "parity.h"

static char letters[] = "abcdefghijklmnopqrstuvwxyz";

static rota_loop loop;
static rota_queue queue;

static void open_scene(size_t capacity) {
    loop = open_jump();
    CHECK_STATUS(rota_loop_open_queue(loop, capacity, ROTA_QUEUE_FIFO, &queue), ROTA_OK);
}

static void close_scene(void) {
    CHECK_STATUS(rota_queue_close(queue), ROTA_OK);
    close_clean(loop);
}

static void *item(char letter) { return &letters[letter - 'a']; }
static rota_status try_put(char letter) { return rota_queue_try_put(queue, item(letter)); }

static size_t size(void) {
    size_t count = 99;
    CHECK_STATUS(rota_queue_get_size(queue, &count), ROTA_OK);
    return count;
}

/* What try_get brings: a letter, or the status. */
static int try_get(void) {
    void *got = NULL;
    rota_status status = rota_queue_try_get(queue, &got);
    return status < 0 ? (int)status : *(char *)got;
}

static char take(rota_future future) {
    void *got = NULL;
    CHECK_STATUS(rota_future_take_result(future, &got), ROTA_OK);
    return *(char *)got;
}

/* Waits for an item from outside. */
static int64_t get(void) {
    rota_future future = rota_queue_get(queue);
    int64_t result = WAIT(loop, future);
    return result < 0 ? result : take(future);
}

static int64_t put(char letter) { return WAIT(loop, rota_queue_put(queue, item(letter))); }

/* A task that gets one item: that is what it returns. */
static int64_t gets(rota_task task, void *user_data) {
    rota_future future = rota_queue_get(queue);
    int64_t result = rota_await(future);
    (void)task, (void)user_data;
    return result < 0 ? result : take(future);
}

/* A task that puts the letters of a text, and records each that is in. */
static int64_t puts_all(rota_task task, void *user_data) {
    const char *at = user_data;
    (void)task;
    for (; *at != '\0'; at++) {
        int64_t result = rota_await(rota_queue_put(queue, item(*at)));
        if (result < 0) return result;
        record("%c", *at);
    }
    return 0;
}

static rota_task putter(const char *text) { return spawn(loop, puts_all, (void *)text); }

static void puts_later(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_STATUS(rota_queue_try_put(queue, user_data), ROTA_OK);
}

static void gets_later(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_EQ(try_get(), *(char *)user_data);
}

/* ---- what is in it */

TEST(it_is_empty_full_or_neither) {
    open_scene(0);
    CHECK_EQ(size(), 0);
    CHECK_EQ(put('a'), 0);
    CHECK_EQ(size(), 1);
    CHECK_EQ(get(), 'a');
    CHECK_EQ(size(), 0);
    CHECK_EQ(try_get(), ROTA_ERR_PENDING);
    CHECK_STATUS(try_put('b'), ROTA_OK);
    CHECK_EQ(try_get(), 'b');
    close_scene();
    open_scene(1);
    CHECK_STATUS(try_put('a'), ROTA_OK);
    CHECK_STATUS(try_put('b'), ROTA_ERR_LIMIT);
    CHECK_EQ(size(), 1);
    close_scene();
}

TEST(items_come_out_as_they_went_in) {
    open_scene(0);
    CHECK_EQ(put('a'), 0);
    CHECK_EQ(put('c'), 0);
    CHECK_EQ(put('b'), 0);
    CHECK_EQ(get(), 'a');
    CHECK_EQ(get(), 'c');
    CHECK_EQ(get(), 'b');
    close_scene();
}

TEST(a_task_stops_putting_where_it_is_full_and_goes_on_when_there_is_room) {
    rota_task task;
    open_scene(2);
    task = putter("abc");
    turns(loop, 2);
    CHECK_RECORD("a b");
    CHECK_EQ(get(), 'a');
    turn(loop);
    CHECK_RECORD("c");
    CHECK_EQ(get(), 'b');
    CHECK_EQ(get(), 'c');
    CHECK_EQ(join(loop, task), 0);
    close_scene();
}

/* ---- getting */

TEST(a_get_from_a_full_one_lets_the_next_put_in) {
    rota_future waiting;
    open_scene(1);
    CHECK_EQ(put('a'), 0);
    waiting = kept(rota_queue_put(queue, item('b')));
    CHECK(pending(waiting));
    CHECK_EQ(get(), 'a');
    CHECK_STATUS(outcome_of(waiting).status, ROTA_OK);
    CHECK_STATUS(rota_future_close(waiting), ROTA_OK);
    CHECK_EQ(get(), 'b');
    close_scene();
}

TEST(a_get_waits_until_somebody_puts) {
    rota_task task;
    uint64_t began;
    open_scene(0);
    began = now_of(loop);
    task = spawn(loop, gets, NULL);
    turn(loop);
    CHECK_STATUS(rota_loop_call_later(loop, 10, puts_later, item('a'), NULL), ROTA_OK);
    CHECK_EQ(join(loop, task), 'a');
    CHECK_EQ(now_of(loop) - began, 10);
    close_scene();
}

TEST(a_cancelled_get_does_not_stand_in_the_next_ones_way) {
    rota_task first, second;
    open_scene(0);
    first = spawn(loop, gets, NULL);
    second = spawn(loop, gets, NULL);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(first), ROTA_OK);
    turn(loop);
    CHECK_STATUS(join(loop, first), CANCELLED);
    CHECK_EQ(put('a'), 0);
    CHECK_EQ(join(loop, second), 'a');
    close_scene();
}

TEST(two_that_wait_to_put_are_served_in_order) {
    rota_task first, second;
    open_scene(1);
    first = putter("a");
    second = putter("b");
    CHECK_EQ(get(), 'a');
    CHECK_EQ(get(), 'b');
    CHECK_EQ(join(loop, first), 0);
    CHECK_EQ(join(loop, second), 0);
    CHECK_RECORD("a b");
    close_scene();
}

static int64_t gets_five(rota_task task, void *user_data) {
    int i;
    for (i = 0; i < 5; i++) CHECK_EQ(gets(task, user_data), letters[i]);
    return 0;
}

TEST(one_place_is_enough_for_a_producer_and_a_consumer) {
    rota_task producer, consumer;
    open_scene(1);
    producer = putter("abcde");
    consumer = spawn(loop, gets_five, NULL);
    CHECK_EQ(join(loop, producer), 0);
    CHECK_EQ(join(loop, consumer), 0);
    CHECK_RECORD("a b c d e");
    CHECK_EQ(size(), 0);
    close_scene();
}

TEST(a_get_that_timed_out_stands_in_no_line) {
    open_scene(5);
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(rota_queue_get(queue), 100)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK_STATUS(try_put('a'), ROTA_OK);
    CHECK_EQ(try_get(), 'a');
    close_scene();
}

TEST(an_item_is_not_dropped_with_a_reader_that_is_cancelled) {
    rota_task reader;
    open_scene(0);
    reader = spawn(loop, gets, NULL);
    turn(loop);
    CHECK_STATUS(try_put('a'), ROTA_OK);
    CHECK_STATUS(try_put('b'), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(reader), ROTA_OK); /* it has its item, and the request is due */
    CHECK_EQ(join(loop, reader), 'a');
    CHECK_EQ(get(), 'b');
    close_scene();
}

TEST(items_go_to_readers_one_each_though_one_is_cancelled) {
    rota_task readers[3];
    int i;
    open_scene(0);
    for (i = 0; i < 3; i++) readers[i] = spawn(loop, gets, NULL);
    turn(loop);
    CHECK_STATUS(try_put('a'), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(readers[1]), ROTA_OK);
    CHECK_STATUS(try_put('b'), ROTA_OK);
    CHECK_EQ(join(loop, readers[0]), 'a');
    CHECK_STATUS(join(loop, readers[1]), CANCELLED);
    CHECK_EQ(join(loop, readers[2]), 'b');
    close_scene();
}

/* ---- putting */

TEST(a_put_waits_until_somebody_gets) {
    rota_task task;
    uint64_t began;
    open_scene(1);
    began = now_of(loop);
    CHECK_STATUS(rota_loop_call_later(loop, 10, gets_later, item('a'), NULL), ROTA_OK);
    task = putter("ab");
    turn(loop);
    CHECK_RECORD("a");
    CHECK_EQ(join(loop, task), 0);
    CHECK_RECORD("b");
    CHECK_EQ(now_of(loop) - began, 10);
    close_scene();
}

/* The get lets the waiting put in at once, so that the request comes too late: in asyncio the
 * putter may be cancelled then. Either way the item is put once, and nothing stands in the line. */
TEST(a_put_that_was_let_in_before_the_cancel_is_in) {
    rota_task task;
    open_scene(1);
    CHECK_STATUS(try_put('a'), ROTA_OK);
    task = putter("b");
    turn(loop);
    CHECK_EQ(try_get(), 'a');
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_EQ(join(loop, task), 0);
    CHECK_RECORD("b");
    CHECK_EQ(try_get(), 'b');
    CHECK_EQ(size(), 0);
    close_scene();
}

TEST(a_put_with_room_is_in_before_anything_else_runs) {
    rota_task task;
    open_scene(0);
    task = putter("a");
    CHECK_EQ(get(), 'a');
    CHECK_EQ(join(loop, task), 0);
    CHECK_RECORD("a");
    close_scene();
}

TEST(a_cancelled_put_leaves_the_others_their_order) {
    rota_task first, second, third;
    open_scene(1);
    first = putter("a");
    second = putter("b");
    third = putter("x");
    turn(loop);
    CHECK_RECORD("a");
    CHECK_STATUS(rota_task_cancel(third), ROTA_OK);
    CHECK_STATUS(join(loop, third), CANCELLED);
    CHECK_EQ(try_get(), 'a');
    turn(loop);
    CHECK_EQ(try_get(), 'b');
    CHECK_EQ(try_get(), ROTA_ERR_PENDING);
    CHECK_EQ(join(loop, first), 0);
    CHECK_EQ(join(loop, second), 0);
    CHECK_RECORD("b");
    close_scene();
}

TEST(a_put_goes_straight_to_who_waits) {
    rota_task task;
    open_scene(0);
    task = spawn(loop, gets, NULL);
    turn(loop);
    CHECK_EQ(put('a'), 0);
    CHECK_EQ(size(), 0);
    CHECK_EQ(join(loop, task), 'a');
    close_scene();
}

static int64_t empties_it(rota_task task, void *user_data) {
    size_t left;
    (void)user_data;
    CHECK_EQ(rota_task_yield(task), 0);
    for (left = size(); left > 0; left--) CHECK(try_get() > 0);
    return 0;
}

TEST(emptying_it_lets_all_in_that_find_room) {
    rota_task tasks[5];
    int i;
    open_scene(2);
    tasks[0] = spawn(loop, empties_it, NULL);
    for (i = 0; i < 4; i++) {
        static const char *const texts[4] = {"a", "b", "c", "d"};
        tasks[i + 1] = putter(texts[i]);
    }
    for (i = 0; i < 5; i++) CHECK_EQ(join(loop, tasks[i]), 0);
    CHECK_RECORD("a b c d");
    CHECK_EQ(size(), 2);
    close_scene();
}

TEST(a_cancelled_put_stands_in_no_line) {
    rota_task task;
    open_scene(1);
    CHECK_STATUS(try_put('a'), ROTA_OK);
    task = putter("b");
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(join(loop, task), CANCELLED);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK_EQ(try_get(), 'a');
    CHECK_EQ(try_get(), ROTA_ERR_PENDING);
    close_scene();
}

/* ---- work that is done */

static int sum, running;

static int64_t works(rota_task task, void *user_data) {
    while (running) {
        int64_t got = gets(task, user_data);
        if (got < 0) return got;
        sum += (int)got;
        CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    }
    return 0;
}

TEST(a_join_is_done_when_two_workers_have_done_all) {
    rota_task workers[2];
    int i;
    open_scene(0);
    sum = 0;
    running = 1;
    for (i = 0; i < 100; i++) CHECK_STATUS(try_put('a'), ROTA_OK);
    for (i = 0; i < 2; i++) workers[i] = spawn(loop, works, NULL);
    CHECK_EQ(WAIT(loop, rota_queue_join(queue)), 0);
    CHECK_EQ(sum, 100 * 'a');
    running = 0;
    for (i = 0; i < 2; i++) CHECK_STATUS(try_put('a'), ROTA_OK);
    for (i = 0; i < 2; i++) CHECK_EQ(join(loop, workers[i]), 0);
    close_scene();
}

TEST(a_join_of_an_empty_one_is_done_and_no_more_is_done_than_was_put) {
    open_scene(0);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    CHECK_EQ(WAIT(loop, rota_queue_join(queue)), 0);
    CHECK_EQ(WAIT(loop, rota_queue_join(queue)), 0);
    close_scene();
}

/* ---- shutting down */

static void expect_shut(void) {
    CHECK_STATUS(put('z'), ROTA_ERR_SHUT);
    CHECK_STATUS(try_put('z'), ROTA_ERR_SHUT);
    CHECK_STATUS(get(), ROTA_ERR_SHUT);
    CHECK_EQ(try_get(), ROTA_ERR_SHUT);
}

TEST(shutting_an_empty_one_down_ends_who_waits_to_get) {
    rota_task task;
    open_scene(0);
    task = spawn(loop, gets, NULL);
    turn(loop);
    CHECK_STATUS(rota_queue_shutdown(queue), ROTA_OK);
    CHECK_EQ(size(), 0);
    CHECK_EQ(WAIT(loop, rota_queue_join(queue)), 0);
    CHECK_STATUS(join(loop, task), ROTA_ERR_SHUT);
    expect_shut();
    close_scene();
}

TEST(shutting_a_full_one_down_ends_who_waits_to_put_and_lets_the_item_out) {
    rota_task task;
    open_scene(1);
    CHECK_STATUS(try_put('a'), ROTA_OK);
    then(rota_queue_join(queue), "join");
    task = putter("b");
    turn(loop);
    CHECK_STATUS(rota_queue_shutdown(queue), ROTA_OK);
    CHECK_EQ(size(), 1);
    CHECK_STATUS(join(loop, task), ROTA_ERR_SHUT);
    CHECK_EQ(get(), 'a');
    turns(loop, 2);
    CHECK_RECORD("");
    expect_shut();
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    turn(loop);
    CHECK_RECORD("join:ok");
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    close_scene();
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(it_is_empty_full_or_neither);
    RUN(items_come_out_as_they_went_in);
    RUN(a_task_stops_putting_where_it_is_full_and_goes_on_when_there_is_room);
    RUN(a_get_from_a_full_one_lets_the_next_put_in);
    RUN(a_get_waits_until_somebody_puts);
    RUN(a_cancelled_get_does_not_stand_in_the_next_ones_way);
    RUN(two_that_wait_to_put_are_served_in_order);
    RUN(one_place_is_enough_for_a_producer_and_a_consumer);
    RUN(a_get_that_timed_out_stands_in_no_line);
    RUN(an_item_is_not_dropped_with_a_reader_that_is_cancelled);
    RUN(items_go_to_readers_one_each_though_one_is_cancelled);
    RUN(a_put_waits_until_somebody_gets);
    RUN(a_put_that_was_let_in_before_the_cancel_is_in);
    RUN(a_put_with_room_is_in_before_anything_else_runs);
    RUN(a_cancelled_put_leaves_the_others_their_order);
    RUN(a_put_goes_straight_to_who_waits);
    RUN(emptying_it_lets_all_in_that_find_room);
    RUN(a_cancelled_put_stands_in_no_line);
    RUN(a_join_is_done_when_two_workers_have_done_all);
    RUN(a_join_of_an_empty_one_is_done_and_no_more_is_done_than_was_put);
    RUN(shutting_an_empty_one_down_ends_who_waits_to_get);
    RUN(shutting_a_full_one_down_ends_who_waits_to_put_and_lets_the_item_out);
    return test_end();
}
